//! Proves a change on the model: made to a copy of the snapshot and judged again, it must help those it is for and take nothing from anybody.
//!
//! What is proved is proved of the model, not of AWS.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::apply::{self, Refusal};
use super::change::Change;
use super::{acl, home};
use crate::model::{Assumptions, Estate};
use crate::network::{Authorization, HopKind, Needs, Network, Path, Place, Target, Verdict, dependents};
use crate::snapshot::ec2::Instance;

/// Account, Region and id of an instance: a change may help those of several accounts.
pub type Whom = (String, String, String);

/// An instance as it was judged.
#[derive(Debug, Clone, Copy)]
pub struct Before<'s> {
    pub account: &'s str,
    pub region: &'s str,
    pub instance: &'s str,
    pub needs: &'s Needs,
    pub paths: &'s [Arc<Path>],
    pub repository: &'s Path,
}

/// What came of trying a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// It helps everybody it is for, and breaks nothing.
    Verified {
        because: String,
        /// The targets to which some path of those whom it helps is not known to work then.
        still: BTreeMap<Whom, BTreeSet<Target>>,
    },
    NotVerifiable {
        because: String,
    },
    /// It does not help, breaks something for these instances, or AWS would refuse it.
    Rejected {
        because: String,
        breaks: Vec<String>,
    },
}

/// Tries changes on the model, one at a time.
#[derive(Debug)]
pub struct Verifier<'s> {
    estate: &'s Estate<'s>,
    assumptions: &'s Assumptions,
    all: Vec<(Before<'s>, &'s Instance)>,
    /// By Region and VPC, whose instances may be of several accounts; where in `all`.
    of_vpc: BTreeMap<(&'s str, &'s str), Vec<usize>>,
    /// By account, Region and id; where in `all`.
    of_instance: BTreeMap<(&'s str, &'s str, &'s str), usize>,
    /// By route table, whoever's paths it leads; where in `all`.
    by_table: BTreeMap<&'s str, BTreeSet<usize>>,
    /// By Region and VPC, the other VPCs whose names may be answered there.
    dependents: OnceCell<BTreeMap<(&'s str, &'s str), BTreeSet<&'s str>>>,
}

/// A change, and where it is made.
struct Trial<'t> {
    change: &'t Change,
    region: &'t str,
    vpc: &'t str,
    helped: &'t BTreeSet<Whom>,
}

impl<'s> Verifier<'s> {
    pub fn new(estate: &'s Estate<'s>, assumptions: &'s Assumptions, all: impl IntoIterator<Item = Before<'s>>) -> Self {
        let mut verifier = Self {
            estate,
            assumptions,
            all: Vec::new(),
            of_vpc: BTreeMap::new(),
            of_instance: BTreeMap::new(),
            by_table: BTreeMap::new(),
            dependents: OnceCell::new(),
        };
        let mut seen: BTreeMap<(&str, &str), BTreeMap<&'s str, &'s Instance>> = BTreeMap::new();
        for before in all {
            let of_region = || estate.region(before.account, before.region).map(Estate::instances).unwrap_or_default();
            let instances = seen.entry((before.account, before.region)).or_insert_with(of_region);
            let Some(instance) = instances.get(before.instance).copied() else { continue };
            let number = verifier.all.len();
            verifier.all.push((before, instance));
            verifier.of_instance.insert((before.account, before.region, before.instance), number);
            if let Some(vpc) = &instance.vpc_id {
                verifier.of_vpc.entry((before.region, vpc)).or_default().push(number);
            }
            for hop in before.paths.iter().flat_map(|path| &path.hops).filter(|hop| hop.kind == HopKind::RouteTable) {
                verifier.by_table.entry(&hop.resource).or_default().insert(number);
            }
        }
        verifier
    }

    /// The account and the Region in which a change is made that is proposed for an instance of these.
    pub fn home<'c>(&'c self, account: &'c str, region: &'c str, change: &Change) -> (&'c str, &'c str) {
        home::of(self.estate, account, region, change)
    }

    /// Gives the entries of a network ACL numbers that no other change of the plan has, and takes them.
    pub fn number(&self, account: &str, region: &str, change: &mut Change, taken: &mut BTreeMap<(String, bool), acl::Taken>) {
        let Change::AllowInNetworkAcl { acl: id, is_egress, addresses, ports, rule_number } = change else { return };
        let Some(home) = self.estate.region(account, region) else { return };
        let mut acls = home.files.network_acls.iter().flat_map(|file| &file.network_acls);
        let Some(found) = acls.find(|candidate| candidate.network_acl_id.as_ref() == Some(id)) else { return };
        let taken = taken.entry((id.clone(), *is_egress)).or_default();
        *rule_number = acl::number(found, *is_egress, addresses, *ports, taken);
        let is_ipv6 = acl::are_ipv6(addresses);
        taken.extend(rule_number.iter().flat_map(|first| (*first..).take(addresses.len())).map(|number| (number, is_ipv6)));
    }

    /// Tries a change that is to help these instances, after those that it needs beside it.
    pub fn verify(&self, account: &str, region: &str, change: &Change, beside: &[&Change], helped: &BTreeSet<Whom>) -> Proof {
        if let Some(why) = apply::beyond_the_model(change) {
            return Proof::NotVerifiable { because: why.to_owned() };
        }
        // What is changed may be the owner's of a shared VPC, or of a hub.
        let (account, region) = self.home(account, region, change);
        let holder = self.estate.region(account, region).and_then(|holder| Some((holder, apply::vpc_of(change, holder.files)?)));
        let Some((holder, vpc)) = holder else {
            return Proof::NotVerifiable { because: "what it changes was not collected".to_owned() };
        };
        let mut files = holder.files.clone();
        for change in beside.iter().copied().chain([change]) {
            match apply::apply(change, &mut files) {
                Ok(()) => {}
                Err(Refusal::NotModelled(why)) => return Proof::NotVerifiable { because: why.to_owned() },
                Err(Refusal::Infeasible(because)) => return Proof::Rejected { because, breaks: Vec::new() },
            }
        }
        let after = self.estate.with(holder.account, holder.name, &files);
        self.compare(&after, &Trial { change, region, vpc: &vpc, helped })
    }

    /// Those whom the change is for, those of the VPC where it is made, and those elsewhere whose names are answered or whose paths are led there.
    fn concerned(&self, trial: &Trial<'_>) -> BTreeSet<usize> {
        let mut vpcs = BTreeSet::from([trial.vpc]);
        let mut led = BTreeSet::new();
        match trial.change {
            Change::CreateInterfaceEndpoint { .. } | Change::EnablePrivateDns { .. } | Change::EnableVpcAttribute { .. } => {
                let dependents = self.dependents.get_or_init(|| dependents(self.estate, self.assumptions));
                vpcs.extend(dependents.get(&(trial.region, trial.vpc)).into_iter().flatten());
            }
            Change::AssociateGatewayEndpoint { route_table, .. } => {
                led.extend(self.by_table.get(route_table.as_str()).into_iter().flatten());
            }
            Change::CreateGatewayEndpoint { route_tables, .. } => {
                led.extend(route_tables.iter().filter_map(|table| self.by_table.get(table.as_str())).flatten());
            }
            // The others only let more pass.
            _ => {}
        }
        let of_vpcs = vpcs.into_iter().filter_map(|vpc| self.of_vpc.get(&(trial.region, vpc))).flatten().copied();
        let number = |(account, region, id): &Whom| self.of_instance.get(&(account.as_str(), region.as_str(), id.as_str())).copied();
        let helped = trial.helped.iter().filter_map(number);
        of_vpcs.chain(helped).chain(led).collect()
    }

    fn compare(&self, estate: &Estate<'_>, trial: &Trial<'_>) -> Proof {
        let network = Network::new(estate, self.assumptions);
        let mut breaks = BTreeSet::new();
        let mut lost = None;
        let mut unhelped = BTreeMap::new();
        let mut others = 0;
        let mut still: BTreeMap<Whom, BTreeSet<Target>> = BTreeMap::new();
        for (before, instance) in self.concerned(trial).into_iter().filter_map(|number| self.all.get(number)) {
            let Some(region) = estate.region(before.account, before.region) else { continue };
            let after = network.judge(region, instance, before.needs);
            let pairs = pairs(before.paths, &after.paths).chain(std::iter::once((before.repository, &after.repository)));
            let pairs: Vec<(&Path, &Path)> = pairs.collect();
            // What works in part goes on to do so where more passes, if it is not known now whether all of it does.
            let lets_more_pass = takes_nothing(trial.change);
            let may_be_more = |was: &Path, is: &Path| lets_more_pass && was.verdict == Verdict::Partial && is.verdict == Verdict::Unknown;
            let is_worse = |was: &Path, is: &Path| rank(is) < rank(was) && (!may_be_more(was, is) || is_refused(is));
            if let Some((was, is)) = pairs.iter().find(|(was, is)| is_worse(was, is)) {
                breaks.insert(before.instance.to_owned());
                lost.get_or_insert_with(|| {
                    format!("{} would lose {}: {} before, {} after", before.instance, was.host, told(was), told(is))
                });
            }
            // What a policy refuses beside the network was refused before: one of two hindrances is gone.
            let is_freer = |was: &Path, is: &Path| hindrances(is) < hindrances(was) && (is_refused(was) || !is_refused(is));
            let is_better = pairs.iter().any(|(was, is)| rank(is) > rank(was) || is_freer(was, is));
            let whom = (before.account.to_owned(), before.region.to_owned(), before.instance.to_owned());
            let is_meant = trial.helped.contains(&whom);
            if is_meant && !is_better {
                let refused = pairs.iter().find(|(was, is)| is_refused(is) && !is_refused(was)).map(|(_, is)| told(is));
                unhelped.insert(before.instance, refused);
            }
            if is_meant {
                still.insert(whom, pairs.iter().filter(|(_, is)| rank(is) < WORKS).map(|(_, is)| is.target).collect());
            }
            others += usize::from(!is_meant && is_better);
        }
        let breaks: Vec<String> = breaks.into_iter().collect();
        if let Some(because) = lost {
            return Proof::Rejected { because, breaks };
        }
        if let Some((first, refused)) = unhelped.first_key_value() {
            let more = unhelped.len() - 1;
            let whom = if more == 0 { (*first).to_owned() } else { format!("{first} and {more} more") };
            let because = match refused {
                Some(refused) => format!("on the model it does not help {whom}: the path would be {refused}"),
                None => format!("on the model it changes nothing for {whom}"),
            };
            return Proof::Rejected { because, breaks };
        }
        let vpc = trial.vpc;
        let and_others = if others == 0 { String::new() } else { format!("; it helps {others} more of {vpc}") };
        Proof::Verified {
            because: format!("tried on the model: it removes what it is to remove, and nothing in {vpc} gets worse{and_others}"),
            still,
        }
    }
}

/// Each path with what becomes of it. What is told apart on one side alone is on the other as the target's first path.
fn pairs<'p>(before: &'p [Arc<Path>], after: &'p [Arc<Path>]) -> impl Iterator<Item = (&'p Path, &'p Path)> {
    let exactly = |paths: &'p [Arc<Path>], path: &Path| {
        let is_it = |other: &&Arc<Path>| (other.target, &other.host, other.port) == (path.target, &path.host, path.port);
        paths.iter().find(is_it).map(Arc::as_ref)
    };
    let first = |paths: &'p [Arc<Path>], path: &Path| paths.iter().find(|other| other.target == path.target).map(Arc::as_ref);
    let gone_on = before.iter().filter_map(move |was| Some((was.as_ref(), exactly(after, was).or_else(|| first(after, was))?)));
    let told_apart = after.iter().filter(move |is| exactly(before, is).is_none());
    gone_on.chain(told_apart.filter_map(move |is| Some((first(before, is)?, is.as_ref()))))
}

/// Whether a change only lets more pass, and leads nobody another way.
fn takes_nothing(change: &Change) -> bool {
    matches!(change, Change::AllowEgress { .. } | Change::AllowEndpointIngress { .. } | Change::AllowInNetworkAcl { .. })
}

const WORKS: u8 = 3;

/// How much of a path works: what an endpoint's policy refuses does not.
fn rank(path: &Path) -> u8 {
    let of_network = match path.verdict {
        Verdict::Reachable | Verdict::NotNeeded => WORKS,
        Verdict::Partial => 2,
        Verdict::Unknown => 1,
        Verdict::Blocked => 0,
    };
    match path.authorization {
        _ if path.verdict == Verdict::NotNeeded => of_network,
        Authorization::Allowed => of_network,
        Authorization::Unknown(_) => of_network.min(1),
        Authorization::Denied { .. } => 0,
    }
}

/// How much is in the way: first whether names are answered at all, since what is behind them shows only then; then what; then how often, since a
/// group may be in the way once for each interface of an endpoint. What is so under several conditions counts once.
fn hindrances(path: &Path) -> (bool, usize, usize) {
    let is_nameless = path.blockers.iter().any(|blocker| matches!(blocker.place, Place::Resolver { .. }));
    let what: BTreeSet<_> = path.blockers.iter().map(|blocker| (blocker.code, &blocker.resource)).collect();
    let each = path.blockers.iter().map(|blocker| (blocker.code, &blocker.resource, &blocker.detail, &blocker.place));
    (is_nameless, what.len(), each.collect::<BTreeSet<_>>().len())
}

fn is_refused(path: &Path) -> bool {
    matches!(path.authorization, Authorization::Denied { .. })
}

fn told(path: &Path) -> String {
    let verdict = path.verdict.as_str();
    match &path.authorization {
        Authorization::Denied { endpoint, because, .. } => format!("{verdict}, but {endpoint} {because}"),
        _ => verdict.to_owned(),
    }
}
