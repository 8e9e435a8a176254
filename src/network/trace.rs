//! A part of a target on its way over the hops: which of its flows surely pass, which may, and who took the others.

use super::set::{FlowSet, IntervalSet};
use super::verdict::{Blocker, Code, Decision, Hop, HopKind, Place, Verdict, Via};
use crate::model::known::Unknown;

/// The ports from which a NAT gateway sends (<https://docs.aws.amazon.com/vpc/latest/userguide/vpc-network-acls.html#nacl-ephemeral-ports>).
pub(super) const NAT_PORTS: (u32, u32) = (1024, 65535);

/// What a check lets through: the addresses that surely pass, and those that may.
#[derive(Debug, Clone)]
pub(super) struct Sieve {
    pub(super) must: IntervalSet,
    pub(super) may: IntervalSet,
}

impl Sieve {
    pub(super) fn known(addresses: IntervalSet) -> Self {
        Self { must: addresses.clone(), may: addresses }
    }

    pub(super) fn nothing() -> Self {
        Self::known(IntervalSet::empty())
    }

    pub(super) fn unknown() -> Self {
        Self { must: IntervalSet::empty(), may: IntervalSet::everything() }
    }
}

/// The addresses of one target that share a next hop.
#[derive(Debug)]
pub(super) struct Trace {
    pub(super) addresses: IntervalSet,
    /// The instance's ephemeral ports.
    pub(super) ports: IntervalSet,
    /// Whether the addresses are surely none of those in an AWS-managed prefix list.
    pub(super) avoids_aws_lists: bool,
    /// Flows between the destination and the instance's own ports: those that surely pass, those that may.
    must: FlowSet,
    may: FlowSet,
    /// The same between the destination and the ports of a NAT gateway on the way.
    must_nat: FlowSet,
    may_nat: FlowSet,
    pub(super) via: Via,
    pub(super) blockers: Vec<Blocker>,
    pub(super) unknowns: Vec<Unknown>,
    pub(super) hops: Vec<Hop>,
    pub(super) notes: Vec<String>,
}

impl Trace {
    pub(super) fn new(addresses: IntervalSet, ports: (u32, u32), avoids_aws_lists: bool) -> Self {
        let ports = IntervalSet::range(ports.0, ports.1);
        let own = FlowSet::product(&addresses, &ports);
        let nat = FlowSet::product(&addresses, &IntervalSet::range(NAT_PORTS.0, NAT_PORTS.1));
        Self {
            addresses,
            ports,
            avoids_aws_lists,
            must: own.clone(),
            may: own,
            must_nat: nat.clone(),
            may_nat: nat,
            via: Via::None,
            blockers: Vec::new(),
            unknowns: Vec::new(),
            hops: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Lets only these addresses through, whatever the ports; returns what is surely taken.
    pub(super) fn sift(&mut self, sieve: &Sieve) -> IntervalSet {
        self.must = self.must.intersection(&FlowSet::product(&sieve.must, &self.ports));
        self.may = self.may.intersection(&FlowSet::product(&sieve.may, &self.ports));
        self.addresses.difference(&sieve.may)
    }

    /// Lets only these flows to the instance's ports through; returns what is taken.
    pub(super) fn sift_flows(&mut self, allowed: &FlowSet) -> FlowSet {
        self.must = self.must.intersection(allowed);
        self.may = self.may.intersection(allowed);
        FlowSet::product(&self.addresses, &self.ports).difference(allowed)
    }

    /// Lets only these flows to the NAT gateway's ports through; returns what is taken.
    pub(super) fn sift_nat_flows(&mut self, allowed: &FlowSet) -> FlowSet {
        self.must_nat = self.must_nat.intersection(allowed);
        self.may_nat = self.may_nat.intersection(allowed);
        FlowSet::product(&self.addresses, &IntervalSet::range(NAT_PORTS.0, NAT_PORTS.1)).difference(allowed)
    }

    pub(super) fn block(&mut self, code: Code, resource: &str, detail: impl Into<String>, place: Place) {
        self.sift(&Sieve::nothing());
        self.blame(code, resource, detail, place);
    }

    /// Names who took some flows that a sieve has removed already.
    pub(super) fn blame(&mut self, code: Code, resource: &str, detail: impl Into<String>, place: Place) {
        self.blockers.push(Blocker { code, resource: resource.to_owned(), detail: detail.into(), place });
    }

    /// From here on nothing is sure, though a later hop may still block for certain.
    pub(super) fn doubt(&mut self, reasons: impl IntoIterator<Item = Unknown>) {
        self.sift(&Sieve::unknown());
        self.unknowns.extend(reasons);
    }

    pub(super) fn doubt_if(&mut self, reason: Option<Unknown>) {
        if reason.is_some() {
            self.doubt(reason);
        }
    }

    pub(super) fn hop(&mut self, kind: HopKind, resource: &str, decision: Decision, because: impl Into<String>) {
        self.hops.push(Hop { resource: resource.to_owned(), kind, decision, because: because.into() });
    }

    /// Some of the addresses in words.
    pub(super) fn describe(&self, addresses: &IntervalSet) -> String {
        const MOST_BLOCKS: usize = 20;
        let is_all = self.addresses.difference(addresses).is_empty();
        if is_all && self.addresses.to_nets().len() > MOST_BLOCKS {
            "the service's public addresses".to_owned()
        } else {
            addresses.as_addresses()
        }
    }

    /// How a hop decided that took some of the addresses.
    pub(super) fn decision(&self, taken: &IntervalSet) -> Decision {
        match taken {
            taken if taken.is_empty() => Decision::Pass,
            taken if self.addresses.difference(taken).is_empty() => Decision::Block,
            _ => Decision::Part,
        }
    }

    /// The addresses that surely pass so far with some port, and those that may.
    pub(super) fn passing(&self) -> (IntervalSet, IntervalSet) {
        (self.must.addresses(), self.may.addresses())
    }

    pub(super) fn reach(&self) -> Reach {
        let nat_ports = IntervalSet::range(NAT_PORTS.0, NAT_PORTS.1);
        let all = |own: &FlowSet, nat: &FlowSet| own.addresses_with_all(&self.ports).intersection(&nat.addresses_with_all(&nat_ports));
        let some = |own: &FlowSet, nat: &FlowSet| own.addresses().intersection(&nat.addresses());
        Reach {
            all_must: all(&self.must, &self.must_nat),
            some_must: some(&self.must, &self.must_nat),
            all_may: all(&self.may, &self.may_nat),
            some_may: some(&self.may, &self.may_nat),
        }
    }
}

/// How far the addresses of a target can be reached: surely with all ports, surely with some, perhaps with all, perhaps with some.
#[derive(Debug, Default)]
pub(super) struct Reach {
    all_must: IntervalSet,
    some_must: IntervalSet,
    all_may: IntervalSet,
    some_may: IntervalSet,
}

impl Reach {
    pub(super) fn union(&self, other: &Self) -> Self {
        Self {
            all_must: self.all_must.union(&other.all_must),
            some_must: self.some_must.union(&other.some_must),
            all_may: self.all_may.union(&other.all_may),
            some_may: self.some_may.union(&other.some_may),
        }
    }

    /// The verdict over a whole target. With `exact`, every address of it is an answer that DNS may give; without, the service
    /// lives somewhere within it, and a part says nothing.
    pub(super) fn verdict(&self, target: &IntervalSet, exact: bool) -> Verdict {
        let is_all = |set: &IntervalSet| target.difference(set).is_empty();
        if self.some_may.is_empty() {
            return Verdict::Blocked;
        }
        if is_all(&self.all_must) {
            return Verdict::Reachable;
        }
        let is_partial =
            if exact { !self.some_must.is_empty() && !is_all(&self.all_may) } else { is_all(&self.some_must) && self.all_may.is_empty() };
        if is_partial { Verdict::Partial } else { Verdict::Unknown }
    }

    /// Whether only a part of a target passes whose real addresses are not known.
    pub(super) fn is_part_of(&self, target: &IntervalSet) -> bool {
        !target.difference(&self.some_may).is_empty()
    }
}
