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
pub(super) type Members<'m> = &'m dyn Fn(&UserIdGroupPair) -> IntervalSet;

/// What the groups of an interface let through in one direction.
#[derive(Debug)]
pub(super) struct Allowed {
    pub(super) sieve: Sieve,
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

/// The remote addresses with which the groups allow the protocol on `port`.
pub(super) fn allowed(
    region: &Region<'_>,
    groups: &[String],
    direction: Direction,
    protocol: Protocol,
    port: u16,
    members: Members<'_>,
) -> Allowed {
    let mut result =
        Allowed { sieve: Sieve::nothing(), unknowns: Vec::new(), has_no_rules: true, with_other_protocol: IntervalSet::empty() };
    for id in groups {
        match region.security_group(id) {
            Known::Known(group) => {
                for rule in rules(group, direction) {
                    result.has_no_rules = false;
                    if !result.add(region, rule, matches(rule, protocol, port), members) {
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

impl Allowed {
    /// Adds what a rule allows that is about the asked port or not; whether it could be read.
    fn add(&mut self, region: &Region<'_>, rule: &IpPermission, is_about_it: Option<bool>, members: Members<'_>) -> bool {
        let mut is_readable = true;
        let mut covered = Sieve::nothing();
        let ranges = rule.ip_ranges.iter().map(|range| &range.cidr_ip).chain(rule.ipv6_ranges.iter().map(|range| &range.cidr_ipv6));
        for range in ranges {
            match range.as_deref().unwrap_or_default().parse::<IpNet>() {
                Ok(net) => covered.add(&IntervalSet::net(net)),
                Err(_) => {
                    is_readable = false;
                    covered.may = IntervalSet::everything();
                }
            }
        }
        for list in &rule.prefix_list_ids {
            match region.prefix_list_entries(list.prefix_list_id.as_deref().unwrap_or_default()) {
                Known::Known(entries) => covered.add(&IntervalSet::nets(entries)),
                Known::Unknown(why) => {
                    covered.may = IntervalSet::everything();
                    self.unknowns.extend(why);
                }
            }
        }
        for pair in &rule.user_id_group_pairs {
            covered.add(&members(pair));
        }
        match is_about_it {
            Some(true) => {
                self.sieve.must = self.sieve.must.union(&covered.must);
                self.sieve.may = self.sieve.may.union(&covered.may);
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
