//! The verdict if the unknown facts were one certain way, and the one verdict that all such worlds agree on.

use std::collections::BTreeSet;

use super::goal::Goal;
use super::set::IntervalSet;
use super::trace::{Reach, Trace, side_by_side};
use super::verdict::{Authorization, Blocker, Code, Decision, Hop, HopKind, Path, Place, Verdict, Via};
use crate::model::known::Unknown;

#[derive(Debug)]
pub(super) struct World {
    pub(super) verdict: Verdict,
    pub(super) via: Via,
    pub(super) blockers: Vec<Blocker>,
    pub(super) unknowns: Vec<Unknown>,
    pub(super) hops: Vec<Hop>,
    pub(super) authorization: Authorization,
    pub(super) notes: Vec<String>,
    /// What makes it so, from the name on: `DNS answers with the public addresses`.
    pub(super) when: Vec<String>,
}

/// What two worlds must share for their hops to be told as one: the verdict, and who blocks what.
type Outcome<'w> = (Verdict, BTreeSet<(Code, &'w str)>);

/// What they must share for their blockers to be told as one: what each does, too.
type Blockers<'w> = BTreeSet<(Code, &'w str, &'w str)>;

impl World {
    /// The world, if this is so.
    pub(super) fn under(mut self, condition: impl Into<String>) -> Self {
        self.when.insert(0, condition.into());
        self
    }

    fn outcome(&self) -> Outcome<'_> {
        (self.verdict, self.blockers.iter().map(|blocker| (blocker.code, blocker.resource.as_str())).collect())
    }

    fn told_blockers(&self) -> Blockers<'_> {
        self.blockers.iter().map(|blocker| (blocker.code, blocker.resource.as_str(), blocker.detail.as_str())).collect()
    }

    /// A world in which the name leads nowhere.
    pub(super) fn nameless(code: Code, resource: &str, detail: String, place: Place) -> Self {
        Self::unasked(vec![Blocker::new(code, resource, detail, place)])
    }

    /// A world in which nobody can be asked for the name, for each of these reasons.
    pub(super) fn unasked(blockers: Vec<Blocker>) -> Self {
        let hop = |blocker: &Blocker| Hop {
            resource: blocker.resource.clone(),
            kind: HopKind::Name,
            decision: Decision::Block,
            because: blocker.detail.clone(),
            way: Vec::new(),
        };
        Self {
            verdict: Verdict::Blocked,
            via: Via::None,
            hops: blockers.iter().map(hop).collect(),
            blockers,
            unknowns: Vec::new(),
            authorization: Authorization::Allowed,
            notes: Vec::new(),
            when: Vec::new(),
        }
    }

    pub(super) fn of(traces: &[Trace], target: &IntervalSet, is_exact: bool, first_hops: Vec<Hop>) -> Self {
        let reach = traces.iter().fold(Reach::default(), |sum, trace| sum.union(&trace.reach()));
        let verdict = reach.verdict(target, is_exact);
        let mut unknowns: Vec<Unknown> = traces.iter().flat_map(|trace| trace.unknowns.iter().cloned()).collect();
        if verdict == Verdict::Unknown && !is_exact && unknowns.is_empty() {
            unknowns.push(Unknown::new(
                "partial_public_range",
                reach.falls_short_of(target).as_addresses(),
                "let the traffic go to every public address, or use an endpoint: the service answers from addresses that AWS may change",
            ));
        }
        let carrier = traces.iter().max_by_key(|trace| (trace.addresses.len(), std::cmp::Reverse(trace.via)));
        Self {
            verdict,
            via: carrier.map_or(Via::None, |trace| trace.via),
            blockers: traces.iter().flat_map(|trace| trace.blockers.iter().cloned()).collect(),
            unknowns,
            hops: first_hops.into_iter().chain(side_by_side(traces)).collect(),
            authorization: traces.iter().fold(Authorization::Allowed, |sum, trace| sum.and(trace.authorization.clone())),
            notes: traces.iter().flat_map(|trace| trace.notes.iter().cloned()).collect(),
            when: Vec::new(),
        }
    }

    /// To some of a trace's addresses, nobody knows to which: who takes a part of them all may take none of those.
    pub(super) fn of_anywhere(trace: Trace, first_hops: Vec<Hop>) -> Self {
        let all = trace.addresses.clone();
        let mut world = Self::of(&[trace], &all, false, first_hops);
        if world.verdict != Verdict::Blocked {
            world.blockers.clear();
        }
        world
    }
}

/// A world as it is told: under which conditions, of those on which something hangs.
struct Branch<'w> {
    world: &'w World,
    /// From the widest condition to the narrowest, each with the verdict if all worlds under it have the same.
    conditions: Vec<(&'w str, Option<Verdict>)>,
    /// Of worlds that end alike the first is shown.
    is_shown: bool,
}

/// Tells worlds apart where they end differently, by what `end` sees of each, from the condition at `depth` on.
fn branches<'w, End: Ord>(worlds: &[&'w World], end: fn(&'w World) -> End, depth: usize) -> Vec<Branch<'w>> {
    let mut groups: Vec<(Option<&'w String>, Vec<&'w World>)> = Vec::new();
    for world in worlds {
        let condition = world.when.get(depth);
        match groups.iter_mut().find(|(same, _)| *same == condition) {
            Some((_, group)) => group.push(world),
            None => groups.push((condition, vec![world])),
        }
    }
    let ends: Vec<BTreeSet<End>> = groups.iter().map(|(_, group)| group.iter().copied().map(end).collect()).collect();
    let are_alike = ends.windows(2).all(|pair| matches!(pair, [left, right] if left == right));
    let mut all = Vec::new();
    for (number, (condition, group)) in groups.into_iter().enumerate() {
        let below = match condition {
            Some(_) => branches(&group, end, depth + 1),
            None => group.iter().zip(0..).map(|(world, number)| Branch { world, conditions: Vec::new(), is_shown: number == 0 }).collect(),
        };
        let verdicts: BTreeSet<Verdict> = group.iter().map(|world| world.verdict).collect();
        let agreed = if verdicts.len() == 1 { verdicts.first().copied() } else { None };
        for mut branch in below {
            if are_alike {
                branch.is_shown &= number == 0;
            } else if let Some(condition) = condition {
                branch.conditions.insert(0, (condition, agreed));
            }
            all.push(branch);
        }
    }
    all
}

impl Branch<'_> {
    /// Its hops, under what they hang on.
    fn hops(&self) -> impl Iterator<Item = Hop> {
        let told = |(condition, agreed): &(&str, Option<Verdict>)| match agreed {
            Some(verdict) => format!("if {condition} ({})", verdict.as_str()),
            None => format!("if {condition}"),
        };
        let conditions: Vec<String> = self.conditions.iter().map(told).collect();
        self.world.hops.iter().map(move |hop| Hop { way: conditions.iter().chain(&hop.way).cloned().collect(), ..hop.clone() })
    }

    /// Its blockers: what is in the way in some worlds alone, with when it is.
    fn blockers<'b>(&'b self, worlds: &'b [World]) -> impl Iterator<Item = Blocker> {
        let is_everywhere = |blocker: &Blocker| {
            worlds.iter().all(|world| world.told_blockers().contains(&(blocker.code, &blocker.resource, &blocker.detail)))
        };
        self.world.blockers.iter().cloned().map(move |mut blocker| {
            if !is_everywhere(&blocker) {
                blocker.when = self.conditions.iter().map(|(condition, _)| (*condition).to_owned()).collect();
            }
            blocker
        })
    }
}

/// One verdict where all worlds agree, else unknown with what it depends on.
pub(super) fn combine(goal: &Goal, worlds: &[World], doubts: Vec<Unknown>) -> Path {
    let verdicts: BTreeSet<Verdict> = worlds.iter().map(|world| world.verdict).collect();
    let agreed = if verdicts.len() == 1 { verdicts.first().copied() } else { None };
    let verdict = agreed.unwrap_or(Verdict::Unknown);
    let all: Vec<&World> = worlds.iter().collect();
    let told = branches(&all, World::told_blockers, 0);
    let mut blockers: Vec<Blocker> = told.iter().flat_map(|branch| branch.blockers(worlds)).collect();
    if verdict == Verdict::Unknown {
        // Only what blocks whichever way it is, is sure.
        blockers.retain(|blocker| worlds.iter().all(|world| world.blockers.contains(blocker)));
    }
    blockers.sort_by(|left, right| (rank(left), left).cmp(&(rank(right), right)));
    blockers.dedup();
    let mut unknowns = Vec::new();
    if verdict == Verdict::Unknown {
        if agreed.is_none() {
            unknowns.extend(doubts);
        }
        unknowns.extend(worlds.iter().flat_map(|world| world.unknowns.iter().cloned()));
    }
    unknowns.sort();
    unknowns.dedup();
    if verdict == Verdict::Unknown && unknowns.is_empty() {
        let settled_by = "report this with the snapshot: the model should know why it cannot tell";
        unknowns.push(Unknown::new("unexplained", goal.host.clone(), settled_by));
    }
    let via = worlds.first().map_or(Via::None, |world| world.via);
    let mut notes: Vec<String> = worlds.iter().flat_map(|world| world.notes.iter().cloned()).collect();
    notes.sort();
    notes.dedup();
    let authorization = Authorization::one_of(&worlds.iter().map(|world| world.authorization.clone()).collect::<Vec<_>>());
    let hops = branches(&all, World::outcome, 0).iter().filter(|branch| branch.is_shown).flat_map(Branch::hops).collect();
    Path { target: goal.target, host: goal.host.clone(), port: goal.port, verdict, via, blockers, unknowns, hops, authorization, notes }
}

/// What to look at first: a broken endpoint, the name, the way out, the groups, the network ACLs.
fn rank(blocker: &Blocker) -> u8 {
    match (&blocker.place, blocker.code) {
        (Place::EndpointState { .. }, _) => 0,
        (
            _,
            Code::DnsCapturedByEndpoint
            | Code::DnsDualstackNotCovered
            | Code::DnsFirewallRule
            | Code::DnsNoIpv6Address
            | Code::DnsNoResolver
            | Code::DnsPhzNxdomain
            | Code::DnsPrivateDnsOff
            | Code::DnsVpcAttributeOff,
        ) => 1,
        (Place::InstanceEgress { .. }, _) => 3,
        (Place::EndpointIngress { .. }, _) => 4,
        (Place::NetworkAcl { .. }, _) => 5,
        (_, Code::EndpointMissing | Code::DnsPhzNotAssociated) => 6,
        _ => 2,
    }
}
