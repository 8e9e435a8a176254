//! Security groups: allow-only, the union over all groups of an interface, stateful.
//!
//! Sources: <https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html>,
//! <https://docs.aws.amazon.com/vpc/latest/userguide/vpc-security-groups.html>.

use ipnet::IpNet;

use super::protocol::Protocol;
use super::set::IntervalSet;
use super::trace::Sieve;
use crate::model::Region;
use crate::model::known::{Known, Unknown};
use crate::snapshot::ec2::{IpPermission, SecurityGroup, UserIdGroupPair};

/// Who carries at the far end the security group that a rule refers to: the private addresses of its interfaces.
pub(super) type Members<'m> = &'m dyn Fn(&UserIdGroupPair) -> Known<IntervalSet>;

/// What the groups of an interface let through in one direction.
#[derive(Debug)]
pub(super) struct Allowed<'a> {
    pub(super) sieve: Sieve,
    direction: Direction,
    /// The rules that surely let something through.
    rules: Vec<Rule<'a>>,
    pub(super) unknowns: Vec<Unknown>,
    /// No group has any rule in this direction.
    pub(super) has_no_rules: bool,
    /// The addresses that a rule covers whose protocol or port is another one.
    pub(super) with_other_protocol: IntervalSet,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Egress,
    Ingress,
}

/// One rule as AWS counts them: a permission of a group with one of its peers.
#[derive(Debug)]
struct Rule<'a> {
    group: &'a str,
    permission: &'a IpPermission,
    peer: &'a str,
    addresses: IntervalSet,
}

impl Rule<'_> {
    /// `egress TCP 443 to 0.0.0.0/0 of sg-1`: the answer that lists the groups tells no ids of rules.
    fn name(&self, direction: Direction) -> String {
        let Self { group, permission, peer, .. } = self;
        let (word, preposition) = match direction {
            Direction::Egress => ("egress", "to"),
            Direction::Ingress => ("ingress", "from"),
        };
        let is_udp = permission.ip_protocol.as_deref().is_some_and(|word| Protocol::Udp.is(word));
        let protocol = if is_udp { Protocol::Udp } else { Protocol::Tcp };
        let what = match (permission.ip_protocol.as_deref(), permission.from_port, permission.to_port) {
            (Some("-1"), _, _) => "all traffic".to_owned(),
            (_, Some(first), Some(last)) if first != last => format!("{protocol} {first}-{last}"),
            (_, first, _) => format!("{protocol} {}", first.unwrap_or_default()),
        };
        format!("{word} {what} {preposition} {peer} of {group}")
    }
}

/// The remote addresses with which the groups allow the protocol on `port`.
pub(super) fn allowed<'a>(
    region: &Region<'a>,
    groups: &[String],
    direction: Direction,
    protocol: Protocol,
    port: u16,
    members: Members<'_>,
) -> Allowed<'a> {
    let mut result = Allowed {
        sieve: Sieve::nothing(),
        direction,
        rules: Vec::new(),
        unknowns: Vec::new(),
        has_no_rules: true,
        with_other_protocol: IntervalSet::empty(),
    };
    for id in groups {
        match region.security_group(id) {
            Known::Known(group) => {
                for rule in rules(group, direction) {
                    result.has_no_rules = false;
                    if !result.add(region, group, rule, matches(rule, protocol, port), members) {
                        result.unknowns.push(Unknown::new(
                            "fact_not_collected",
                            id,
                            format!("collect {id} again: one of its rules cannot be read"),
                        ));
                    }
                }
            }
            Known::Unknown(why) => {
                result.has_no_rules = false;
                result.sieve.may = IntervalSet::everything();
                result.unknowns.extend(why);
            }
        }
    }
    if groups.is_empty() {
        result.has_no_rules = false;
        result.sieve.may = IntervalSet::everything();
        result.unknowns.push(Unknown::new(
            "fact_not_collected",
            "the security groups of the interface",
            "collect ec2-describe-network-interfaces.json",
        ));
    }
    result
}

fn rules(group: &SecurityGroup, direction: Direction) -> &[IpPermission] {
    match direction {
        Direction::Egress => &group.ip_permissions_egress,
        Direction::Ingress => &group.ip_permissions,
    }
}

impl<'a> Allowed<'a> {
    /// Adds what a permission allows that is about the asked port or not; whether it could be read.
    fn add(
        &mut self,
        region: &Region<'a>,
        group: &'a SecurityGroup,
        permission: &'a IpPermission,
        is_about_it: Option<bool>,
        members: Members<'_>,
    ) -> bool {
        let mut is_readable = true;
        let mut covered = Sieve::nothing();
        let mut rules = Vec::new();
        let group = group.group_id.as_deref().unwrap_or_default();
        let mut add = |covered: &mut Sieve, peer: &'a str, addresses: IntervalSet| {
            covered.add(&addresses);
            rules.push(Rule { group, permission, peer, addresses });
        };
        let of_ipv6 = permission.ipv6_ranges.iter().map(|range| &range.cidr_ipv6);
        for range in permission.ip_ranges.iter().map(|range| &range.cidr_ip).chain(of_ipv6) {
            let range = range.as_deref().unwrap_or_default();
            match range.parse::<IpNet>() {
                Ok(net) => add(&mut covered, range, IntervalSet::net(net)),
                Err(_) => {
                    is_readable = false;
                    covered.may = IntervalSet::everything();
                }
            }
        }
        for list in &permission.prefix_list_ids {
            let list = list.prefix_list_id.as_deref().unwrap_or_default();
            match region.prefix_list_entries(list) {
                Known::Known(entries) => add(&mut covered, list, IntervalSet::nets(entries)),
                Known::Unknown(why) => {
                    covered.may = IntervalSet::everything();
                    self.unknowns.extend(why);
                }
            }
        }
        for pair in &permission.user_id_group_pairs {
            // A rule whose peering connection is gone is stale (<https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-security-groups.html>).
            let is_stale = pair.peering_status.as_deref().is_some_and(|status| !status.eq_ignore_ascii_case("active"));
            let id = pair.group_id.as_deref().unwrap_or_default();
            match if is_stale { Known::Known(IntervalSet::empty()) } else { members(pair) } {
                Known::Known(_) if id.is_empty() && !is_stale => {
                    is_readable = false;
                    covered.may = IntervalSet::everything();
                }
                Known::Known(addresses) => add(&mut covered, id, addresses),
                Known::Unknown(why) => {
                    covered.may = IntervalSet::everything();
                    self.unknowns.extend(why);
                }
            }
        }
        match is_about_it {
            Some(true) => {
                self.sieve.must = self.sieve.must.union(&covered.must);
                self.sieve.may = self.sieve.may.union(&covered.may);
                self.rules.extend(rules);
            }
            Some(false) => self.with_other_protocol = self.with_other_protocol.union(&covered.must),
            // A rule that cannot be read may allow what it covers.
            None => {
                is_readable = false;
                self.sieve.may = self.sieve.may.union(&covered.may);
            }
        }
        is_readable
    }

    /// The rules that let these addresses through, as the beginning of a sentence. The widest comes first, and each adds to those before it:
    /// neither their order in the file nor a rule that adds nothing shows.
    pub(super) fn allowers(&self, addresses: &IntervalSet) -> String {
        const MOST_NAMES: usize = 3;
        let mut remaining = addresses.clone();
        let mut names = Vec::new();
        while !remaining.is_empty() {
            let gain = |rule: &&Rule<'_>| rule.addresses.intersection(&remaining).len();
            let Some(widest) = self.rules.iter().map(|rule| gain(&rule)).max().filter(|gain| *gain > 0) else { break };
            let equals = self.rules.iter().filter(|rule| gain(rule) == widest).map(|rule| (rule.name(self.direction), rule));
            let Some((name, rule)) = equals.min_by(|left, right| left.0.cmp(&right.0)) else { break };
            remaining = remaining.difference(&rule.addresses);
            names.push(name);
        }
        let rest = names.len().saturating_sub(MOST_NAMES);
        names.truncate(MOST_NAMES);
        let more = if rest == 0 { String::new() } else { format!(" and {rest} more") };
        let verb = if names.len() == 1 { "lets" } else { "let" };
        format!("{}{more} {verb}", names.join(", "))
    }
}

impl Sieve {
    fn add(&mut self, addresses: &IntervalSet) {
        self.must = self.must.union(addresses);
        self.may = self.may.union(addresses);
    }
}

/// Whether the rule is about the protocol on the port; `None` when it does not say.
fn matches(rule: &IpPermission, protocol: Protocol, port: u16) -> Option<bool> {
    let port = i32::from(port);
    match rule.ip_protocol.as_deref()? {
        "-1" => Some(true),
        word if protocol.is(word) => Some(rule.from_port? <= port && port <= rule.to_port?),
        _ => Some(false),
    }
}
