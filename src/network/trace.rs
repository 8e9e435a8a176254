//! A part of a target on its way over the hops: which of its flows surely pass, which may, and who took the others.

use super::set::{FlowSet, IntervalSet};
use super::verdict::{Authorization, Blocker, Code, Decision, Hop, HopKind, Place, Verdict, Via, assumption};
use crate::model::known::{Known, Unknown};

/// The ports from which a NAT gateway sends (<https://docs.aws.amazon.com/vpc/latest/userguide/vpc-network-acls.html#nacl-ephemeral-ports>).
pub(super) const NAT_PORTS: (u16, u16) = (1024, 65535);

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

/// The flows between the service and one sender on the way: the instance, or a NAT gateway that sends in its place.
#[derive(Debug, Clone)]
struct Leg {
    /// The sender's ephemeral ports.
    ports: IntervalSet,
    /// The flows that surely pass, and those that may.
    must: FlowSet,
    may: FlowSet,
    /// Those that may, whatever was taken before the part began.
    may_since: FlowSet,
}

impl Leg {
    fn new(addresses: &IntervalSet, ports: (u16, u16)) -> Self {
        let ports = IntervalSet::ports(ports);
        let flows = FlowSet::product(addresses, &ports);
        Self { ports, must: flows.clone(), may: flows.clone(), may_since: flows }
    }

    /// The same of some of the addresses, where a part begins.
    fn at(&self, addresses: &IntervalSet) -> Self {
        let here = FlowSet::product(addresses, &self.ports);
        Self { ports: self.ports.clone(), must: self.must.intersection(&here), may: self.may.intersection(&here), may_since: here }
    }

    fn narrow(&mut self, must: &FlowSet, may: &FlowSet) {
        self.must = self.must.intersection(must);
        self.may = self.may.intersection(may);
        self.may_since = self.may_since.intersection(may);
    }
}

/// The addresses of one target that share a next hop.
#[derive(Debug)]
pub(super) struct Trace {
    pub(super) addresses: IntervalSet,
    /// Whether the addresses are surely none of those in an AWS-managed prefix list.
    pub(super) avoids_aws_lists: bool,
    /// The destination of the route that takes the addresses; empty where none does.
    pub(super) route: Option<String>,
    /// One for each sender, first the instance.
    legs: Vec<Leg>,
    pub(super) via: Via,
    pub(super) blockers: Vec<Blocker>,
    pub(super) unknowns: Vec<Unknown>,
    pub(super) hops: Vec<Hop>,
    pub(super) authorization: Authorization,
    pub(super) notes: Vec<String>,
}

impl Trace {
    pub(super) fn new(addresses: IntervalSet, ports: (u16, u16), avoids_aws_lists: bool) -> Self {
        let legs = vec![Leg::new(&addresses, ports)];
        Self::with(addresses, avoids_aws_lists, legs)
    }

    fn with(addresses: IntervalSet, avoids_aws_lists: bool, legs: Vec<Leg>) -> Self {
        Self {
            addresses,
            avoids_aws_lists,
            route: None,
            legs,
            via: Via::None,
            blockers: Vec::new(),
            unknowns: Vec::new(),
            hops: Vec::new(),
            authorization: Authorization::Allowed,
            notes: Vec::new(),
        }
    }

    /// What becomes of some of the addresses, to be joined again later.
    pub(super) fn part(&self, addresses: &IntervalSet) -> Self {
        let addresses = addresses.intersection(&self.addresses);
        let legs = self.legs.iter().map(|leg| leg.at(&addresses)).collect();
        Self::with(addresses, self.avoids_aws_lists, legs)
    }

    /// From here on a NAT gateway sends in the place of the last sender; the number of its leg.
    pub(super) fn translate(&mut self) -> usize {
        self.legs.push(Leg::new(&self.addresses, NAT_PORTS));
        self.legs.len() - 1
    }

    /// From here on, or until turned back, the addresses are the IPv4 ones for which IPv6 ones stood.
    pub(super) fn turn(&mut self, change: fn(&IntervalSet) -> IntervalSet) {
        self.addresses = change(&self.addresses);
        for leg in &mut self.legs {
            leg.must = leg.must.with_addresses(change);
            leg.may = leg.may.with_addresses(change);
            leg.may_since = leg.may_since.with_addresses(change);
        }
    }

    /// Joins what became of the parts, once for each way that AWS may choose: what every way lets through surely passes, what one of them
    /// lets through may. `depends_on` says what the choice hangs on.
    pub(super) fn join(&mut self, ways: Vec<Vec<Self>>, depends_on: Vec<Unknown>) {
        let legs = ways.iter().flatten().map(|part| part.legs.len()).max().unwrap_or(self.legs.len()).max(self.legs.len());
        while self.legs.len() < legs {
            self.translate();
        }
        let (before, was_blocked) = (self.legs.clone(), self.is_surely_blocked());
        let combined = |number: usize, flows_of: fn(&Leg) -> &FlowSet, way: &[Self]| {
            let (mut flows, Some(whole)) = (FlowSet::empty(), before.get(number)) else { return FlowSet::empty() };
            for part in way {
                // A part that met no such sender is not narrowed by it.
                let own = part.legs.get(number).cloned().unwrap_or_else(|| whole.at(&part.addresses));
                flows = flows.union(flows_of(&own));
            }
            flows
        };
        let of_way = |way: &Vec<Self>| (0..before.len()).map(|number| combined(number, |leg| &leg.may, way)).collect::<Vec<_>>();
        let by_way: Vec<Vec<FlowSet>> = ways.iter().map(of_way).collect();
        for (number, leg) in self.legs.iter_mut().enumerate() {
            let by_any =
                |flows_of: fn(&Leg) -> &FlowSet| ways.iter().fold(FlowSet::empty(), |sum, way| sum.union(&combined(number, flows_of, way)));
            let by_each = ways.iter().map(|way| combined(number, |leg| &leg.must, way));
            leg.must = by_each.reduce(|left, right| left.intersection(&right)).unwrap_or_default();
            leg.may = by_any(|leg| &leg.may);
            leg.may_since = leg.may_since.intersection(&by_any(|leg| &leg.may_since));
        }
        // Nothing passes one leg by one way and the next by another.
        let left = ways.iter().flatten().fold(IntervalSet::empty(), |sum, part| sum.union(&part.over_legs(|leg| leg.may.addresses())));
        let left_since =
            ways.iter().flatten().fold(IntervalSet::empty(), |sum, part| sum.union(&part.over_legs(|leg| leg.may_since.addresses())));
        if let Some(leg) = self.legs.first_mut() {
            leg.may = leg.may.intersection(&FlowSet::product(&left, &leg.ports));
            leg.may_since = leg.may_since.intersection(&FlowSet::product(&left_since, &leg.ports));
        }
        if by_way.windows(2).any(|pair| matches!(pair, [left, right] if left != right)) {
            self.unknowns.extend(depends_on);
        }
        // What was blocked before may yet go any way.
        let each_is_blocked = (!was_blocked && self.is_surely_blocked()) || ways.iter().flatten().all(Self::takes_all);
        let blockers: Vec<Vec<&Blocker>> = ways.iter().map(|way| way.iter().flat_map(|part| &part.blockers).collect()).collect();
        for blocker in surely_met(&blockers, each_is_blocked) {
            if !self.blockers.contains(blocker) {
                self.blockers.push(blocker.clone());
            }
        }
        // Of several ways the first is shown.
        self.hops.extend(side_by_side(ways.first().map_or(&[], Vec::as_slice)));
        let of_way = |way: &Vec<Self>| way.iter().fold(Authorization::Allowed, |sum, part| sum.and(part.authorization.clone()));
        let authorization = Authorization::one_of(&ways.iter().map(of_way).collect::<Vec<_>>());
        self.authorization = std::mem::take(&mut self.authorization).and(authorization);
        for part in ways.into_iter().flatten() {
            self.unknowns.extend(part.unknowns);
            self.notes.extend(part.notes);
        }
    }

    /// The ephemeral ports of a sender.
    pub(super) fn ports(&self, leg: usize) -> IntervalSet {
        self.legs.get(leg).map(|leg| leg.ports.clone()).unwrap_or_default()
    }

    /// Lets only these addresses through, whatever the ports; returns what is surely taken.
    pub(super) fn sift(&mut self, sieve: &Sieve) -> IntervalSet {
        if let Some(leg) = self.legs.first_mut() {
            let (must, may) = (FlowSet::product(&sieve.must, &leg.ports), FlowSet::product(&sieve.may, &leg.ports));
            leg.narrow(&must, &may);
        }
        self.addresses.difference(&sieve.may)
    }

    /// Lets only these flows to a sender's ports through: surely, and perhaps. Returns what is surely taken.
    pub(super) fn sift_flows(&mut self, leg: usize, must: &FlowSet, may: &FlowSet) -> FlowSet {
        let Some(leg) = self.legs.get_mut(leg) else { return FlowSet::empty() };
        leg.narrow(must, may);
        FlowSet::product(&self.addresses, &leg.ports).difference(may)
    }

    pub(super) fn block(&mut self, code: Code, resource: &str, detail: impl Into<String>, place: Place) {
        self.sift(&Sieve::nothing());
        self.blame(code, resource, detail, place);
    }

    /// Names who took some flows that a sieve has removed already.
    pub(super) fn blame(&mut self, code: Code, resource: &str, detail: impl Into<String>, place: Place) {
        self.blockers.push(Blocker::new(code, resource, detail, place));
    }

    /// A hop that blocks everything: told as a step, and as the cause.
    pub(super) fn stop(&mut self, kind: HopKind, code: Code, resource: &str, detail: impl Into<String>, place: Place) {
        let detail = detail.into();
        self.hop(kind, resource, Decision::Block, detail.clone());
        self.block(code, resource, detail, place);
    }

    /// From here on nothing is sure, though a later hop may still block for certain.
    pub(super) fn doubt(&mut self, reasons: impl IntoIterator<Item = Unknown>) {
        self.sift(&Sieve::unknown());
        self.unknowns.extend(reasons);
    }

    /// What is known, if it is; else a doubt.
    pub(super) fn told<T>(&mut self, known: Known<T>) -> Option<T> {
        match known {
            Known::Known(value) => Some(value),
            Known::Unknown(why) => {
                self.doubt(why);
                None
            }
        }
    }

    /// The same of a hop, which is shown with what is not known of it.
    pub(super) fn told_of<T>(&mut self, kind: HopKind, resource: &str, known: Known<T>, unless: impl Into<String>) -> Option<T> {
        if let Known::Unknown(_) = known {
            self.hop(kind, resource, Decision::Unknown, unless);
        }
        self.told(known)
    }

    pub(super) fn doubt_if(&mut self, reason: Option<Unknown>) {
        if reason.is_some() {
            self.doubt(reason);
        }
    }

    /// A hop of which it is not known what it does.
    pub(super) fn unclear(&mut self, kind: HopKind, resource: &str, code: &str, settled_by: impl Into<String>) {
        let settled_by = settled_by.into();
        self.hop(kind, resource, Decision::Unknown, settled_by.clone());
        self.doubt([Unknown::new(code, resource, settled_by)]);
    }

    pub(super) fn hop(&mut self, kind: HopKind, resource: &str, decision: Decision, because: impl Into<String>) {
        self.hops.push(Hop { resource: resource.to_owned(), kind, decision, because: because.into(), way: Vec::new() });
    }

    /// Marks the verdict as one that hangs on what AWS does not document.
    pub(super) fn assume(&mut self, number: u8, what: &str) {
        self.notes.push(assumption(number, what));
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
        if self.addresses.difference(taken).is_empty() { Decision::Block } else { Decision::Part }
    }

    /// The addresses in words: by the route that takes them, where they are many.
    fn way(&self) -> String {
        const MOST_BLOCKS: usize = 4;
        match self.route.as_deref() {
            Some(destination) if self.addresses.to_nets().len() > MOST_BLOCKS => {
                if destination.is_empty() {
                    "what no route takes".to_owned()
                } else {
                    format!("what the route to {destination} takes")
                }
            }
            _ => self.addresses.as_addresses(),
        }
    }

    /// Whether none of the addresses can be reached, whatever is not known.
    pub(super) fn is_surely_blocked(&self) -> bool {
        self.reach().some_may.is_empty()
    }

    /// Whether the part takes all of its addresses, whatever was taken before it began.
    pub(super) fn takes_all(&self) -> bool {
        self.over_legs(|leg| leg.may_since.addresses()).is_empty()
    }

    /// Whether it surely takes some of its flows.
    pub(super) fn takes_some(&self) -> bool {
        self.legs.iter().any(|leg| !FlowSet::product(&self.addresses, &leg.ports).difference(&leg.may_since).is_empty())
    }

    pub(super) fn reach(&self) -> Reach {
        Reach {
            all_must: self.over_legs(|leg| leg.must.addresses_with_all(&leg.ports)),
            some_must: self.over_legs(|leg| leg.must.addresses()),
            all_may: self.over_legs(|leg| leg.may.addresses_with_all(&leg.ports)),
            some_may: self.over_legs(|leg| leg.may.addresses()),
        }
    }

    /// The addresses that are left on every leg.
    fn over_legs(&self, of_leg: fn(&Leg) -> IntervalSet) -> IntervalSet {
        self.legs.iter().map(of_leg).reduce(|left, right| left.intersection(&right)).unwrap_or_default()
    }
}

/// Of the blockers on several ways those that are in the way for sure: what every way meets; and, where each way is blocked by something that the
/// others do not meet, or none is, whatever one of them meets.
pub(super) fn surely_met<'b>(ways: &[Vec<&'b Blocker>], each_is_blocked: bool) -> Vec<&'b Blocker> {
    let is_shared = |blocker: &&Blocker| ways.iter().all(|way| way.iter().any(|other| blocker.is_same_as(other)));
    let with_own = ways.iter().filter(|way| !way.iter().all(is_shared)).count();
    let all = ways.iter().flatten().copied();
    if !each_is_blocked {
        all.filter(|blocker| ways.iter().all(|way| way.contains(blocker))).collect()
    } else if with_own == 0 || with_own == ways.len() {
        all.collect()
    } else {
        all.filter(is_shared).collect()
    }
}

/// The hops of the parts of a target: each under the addresses that take them, where there are several.
pub(super) fn side_by_side(parts: &[Trace]) -> Vec<Hop> {
    let mut hops = Vec::new();
    for part in parts {
        let way = (parts.len() > 1).then(|| part.way());
        hops.extend(part.hops.iter().map(|hop| Hop { way: way.iter().chain(&hop.way).cloned().collect(), ..hop.clone() }));
    }
    hops
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

    /// What of a target surely does not pass; where all of it may, what does not pass with every port.
    pub(super) fn falls_short_of(&self, target: &IntervalSet) -> IntervalSet {
        let lost = target.difference(&self.some_may);
        if lost.is_empty() { target.difference(&self.all_may) } else { lost }
    }
}

#[cfg(test)]
mod tests {
    use super::{Sieve, Trace, surely_met};
    use crate::network::set::{FlowSet, IntervalSet};
    use crate::network::verdict::{Blocker, Code, Place};

    fn address(last: u128) -> IntervalSet {
        IntervalSet::range(last, last)
    }

    /// Lets one address through, in the name of somebody.
    fn let_through(trace: &mut Trace, passing: &IntervalSet, who: &str) {
        trace.sift(&Sieve::known(passing.clone()));
        trace.blame(Code::SubnetAclRestriction, who, "takes some", Place::Other);
    }

    /// Who is named where a part has two ways, of which each lets `through` pass by its own doing, after `before` has passed.
    fn named(before: &IntervalSet, through: [&IntervalSet; 2]) -> Vec<String> {
        let mut whole = Trace::new(address(1).union(&address(2)), (1024, 65535), false);
        let_through(&mut whole, before, "first");
        let mut part = whole.part(&whole.addresses);
        let ways = [("a", through[0]), ("b", through[1])].map(|(who, passing)| {
            let mut way = part.part(&part.addresses);
            let_through(&mut way, passing, who);
            vec![way]
        });
        part.join(ways.into(), Vec::new());
        whole.join(vec![vec![part]], Vec::new());
        whole.blockers.into_iter().map(|blocker| blocker.resource).collect()
    }

    #[test]
    fn of_several_ways_those_are_named_that_are_met_for_sure() {
        let (none, one, other, both) = (IntervalSet::empty(), address(1), address(2), address(1).union(&address(2)));
        assert_eq!(named(&both, [&none, &none]), ["first", "a", "b"], "each way is shut");
        assert_eq!(named(&none, [&none, &none]), ["first", "a", "b"], "each way is shut, whatever was taken before");
        assert_eq!(named(&none, [&both, &none]), ["first"], "one way is open");
        assert_eq!(named(&one, [&other, &other]), ["first", "a", "b"], "what is left is taken either way");
        assert_eq!(named(&one, [&one, &other]), ["first"], "what is left may pass");
    }

    /// Who is named where both of two ways meet `shared`, and the second one more.
    #[test]
    fn what_one_way_meets_beside_what_all_meet_is_not_sure() {
        let (none, both) = (IntervalSet::empty(), address(1).union(&address(2)));
        let mut whole = Trace::new(both, (1024, 65535), false);
        let ways = ["shared", "own"].map(|last| {
            let mut way = whole.part(&whole.addresses);
            let_through(&mut way, &none, "shared");
            if last == "own" {
                let_through(&mut way, &none, "own");
            }
            vec![way]
        });
        whole.join(ways.into(), Vec::new());
        assert_eq!(whole.blockers.into_iter().map(|blocker| blocker.resource).collect::<Vec<_>>(), ["shared"]);
    }

    /// One network ACL, inbound on both ways, outbound on one.
    #[test]
    fn the_directions_of_a_network_acl_are_two_things() {
        let acl = |egress| {
            let place = Place::NetworkAcl { acl: "acl".to_owned(), egress, addresses: Vec::new(), ports: (443, 443) };
            Blocker::new(Code::SubnetAclRestriction, "acl", format!("egress: {egress}"), place)
        };
        let (inbound, outbound) = (acl(false), acl(true));
        assert_eq!(surely_met(&[vec![&inbound, &outbound], vec![&inbound]], true), [&inbound, &inbound]);
    }

    /// One way takes the questions, the other the answers to another sender.
    #[test]
    fn ways_that_are_shut_on_different_legs_are_shut() {
        let mut whole = Trace::new(address(1), (1024, 65535), false);
        let mut out = whole.part(&whole.addresses);
        let_through(&mut out, &IntervalSet::empty(), "out");
        let mut back = whole.part(&whole.addresses);
        let leg = back.translate();
        back.sift_flows(leg, &FlowSet::empty(), &FlowSet::empty());
        back.blame(Code::SubnetAclRestriction, "back", "takes the answers", Place::Other);
        whole.join(vec![vec![out], vec![back]], Vec::new());
        assert!(whole.is_surely_blocked());
        assert_eq!(whole.blockers.len(), 2);
    }
}
