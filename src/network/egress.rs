//! The first step of every path: the security groups of the instance, outbound, and what its VPC asks of its hardware.

use ipnet::IpNet;

use super::encryption;
use super::goal::Goal;
use super::security_group::{self, Direction, Members};
use super::set::IntervalSet;
use super::source::Source;
use super::trace::Trace;
use super::verdict::{Code, Decision, Destination, HopKind, Place};

pub(super) fn leave_interface(trace: &mut Trace, source: &Source<'_, '_>, goal: &Goal, to: &Destination, members: Members<'_>) {
    encryption::start(trace, source);
    pass_groups(trace, source, goal, to, members);
}

/// Through the security groups of the instance, outbound.
pub(super) fn pass_groups(trace: &mut Trace, source: &Source<'_, '_>, goal: &Goal, to: &Destination, members: Members<'_>) {
    let (protocol, port) = (goal.protocol, goal.port);
    let allowed = security_group::allowed(source.region, &source.groups, Direction::Egress, protocol, port, members);
    let taken = trace.sift(&allowed.sieve);
    let resource = source.groups.first().map_or(source.interface, String::as_str);
    let groups = source.groups.join(", ");
    if !allowed.unknowns.is_empty() && !trace.addresses.difference(&allowed.sieve.must).is_empty() {
        trace.unknowns.extend(allowed.unknowns.iter().cloned());
    }
    if taken.is_empty() {
        let is_sure = trace.addresses.difference(&allowed.sieve.must).is_empty();
        let (decision, because) = if is_sure {
            (Decision::Pass, format!("{} it out", allowed.allowers(&trace.addresses)))
        } else {
            (Decision::Unknown, format!("whether a rule lets {protocol} {port} out is not known"))
        };
        trace.hop(HopKind::SecurityGroup, &groups, decision, because);
        return;
    }
    let is_part = trace.decision(&taken) == Decision::Part;
    let (code, detail) = if allowed.has_no_rules {
        (Code::SgHasNoRules, "has no outbound rule".to_owned())
    } else if taken.difference(&allowed.with_other_protocol).is_empty() {
        (Code::ProtocolRestriction, format!("lets another protocol or port out to {}, not {protocol} {port}", trace.describe(&taken)))
    } else if is_part && matches!(to, Destination::PrefixList(_)) {
        (
            Code::PrefixListPartial,
            format!("lets {protocol} {port} out to a part of the prefix list only, not to {}", trace.describe(&taken)),
        )
    } else if is_part {
        const MOST_BLOCKS: usize = 4;
        let not_to = if taken.to_nets().len() > MOST_BLOCKS { String::new() } else { format!(", not to {}", taken.as_addresses()) };
        (Code::EniSgRulesMismatch, format!("lets {protocol} {port} out to a part of {} only{not_to}", far_end(to, &trace.addresses)))
    } else {
        (Code::EniSgRulesMismatch, format!("has no outbound rule for {protocol} {port} to {}", far_end(to, &taken)))
    };
    trace.hop(HopKind::SecurityGroup, &groups, trace.decision(&taken), detail.clone());
    let place = Place::InstanceEgress { groups: source.groups.clone(), to: to.without(&allowed.sieve.must), port };
    trace.blame(code, resource, detail, place);
}

impl Destination {
    /// What a rule is missing for: of blocks those that are let out already are left out.
    fn without(&self, allowed: &IntervalSet) -> Self {
        let Self::Blocks(blocks) = self else { return self.clone() };
        let nets: Vec<IpNet> = blocks.iter().filter_map(|block| block.parse().ok()).collect();
        Self::Blocks(IntervalSet::nets(&nets).difference(allowed).to_nets().iter().map(ToString::to_string).collect())
    }
}

fn far_end(to: &Destination, taken: &IntervalSet) -> String {
    match to {
        Destination::PrefixList(id) => format!("prefix list {id}"),
        Destination::Groups(groups) => format!("the endpoint at {} ({})", taken.as_addresses(), groups.join(", ")),
        Destination::Blocks(_) => taken.as_addresses(),
        Destination::Internet => "the service's public addresses".to_owned(),
        Destination::InternetIpv6 => "the service's public IPv6 addresses".to_owned(),
        Destination::Nat64 => "the IPv6 addresses that stand for IPv4 ones (64:ff9b::/96)".to_owned(),
    }
}
