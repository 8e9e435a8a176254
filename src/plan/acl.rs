//! Where new entries of a network ACL go: before the rule that denies what they allow, and after all others.

use std::collections::BTreeSet;

use ipnet::IpNet;

use crate::snapshot::ec2::{NetworkAcl, NetworkAclEntry};

/// The entries that an ACL holds in one direction by default
/// (<https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html#vpc-limits-nacls>).
pub(super) const QUOTA: usize = 20;

/// The last number that a user may give (<https://docs.aws.amazon.com/vpc/latest/userguide/nacl-rules.html>).
const LAST: i32 = 32766;

/// The rules of one direction, without the deny at the end.
pub(super) fn rules(acl: &NetworkAcl, is_egress: bool) -> impl Iterator<Item = &NetworkAclEntry> {
    acl.entries.iter().filter(move |entry| entry.egress == Some(is_egress) && entry.rule_number.is_some_and(|number| number <= LAST))
}

/// The blocks to allow: what was asked, or, where the quota has no room for so many entries, the one block around them.
pub(super) fn blocks(acl: &NetworkAcl, is_egress: bool, addresses: &[String]) -> Vec<String> {
    if rules(acl, is_egress).count() + addresses.len() <= QUOTA {
        return addresses.to_vec();
    }
    around(addresses).map_or_else(|| addresses.to_vec(), |block| vec![block.to_string()])
}

/// The narrowest block that holds them all.
fn around(addresses: &[String]) -> Option<IpNet> {
    let nets: Vec<IpNet> = addresses.iter().map(|address| address.parse().ok()).collect::<Option<_>>()?;
    let mut block = *nets.first()?;
    while !nets.iter().all(|net| block.contains(net)) {
        block = block.supernet()?;
    }
    Some(block)
}

/// The first of so many free numbers in a row: right before the explicit rule that denies one of the blocks, or after all rules where it is the deny
/// at the end. A rule that denies only a part of a block stays in force.
pub(super) fn number(acl: &NetworkAcl, is_egress: bool, addresses: &[String], ports: (u16, u16), taken: &BTreeSet<i32>) -> Option<i32> {
    let count = i32::try_from(addresses.len()).ok()?;
    let asked: Vec<IpNet> = addresses.iter().filter_map(|address| address.parse().ok()).collect();
    let numbers: BTreeSet<i32> = rules(acl, is_egress).filter_map(|entry| entry.rule_number).collect();
    let is_free = |first: &i32| (*first..*first + count).all(|number| !numbers.contains(&number) && !taken.contains(&number));
    let denying = rules(acl, is_egress).filter(|entry| denies(entry, &asked, ports)).filter_map(|entry| entry.rule_number).min();
    if let Some(denier) = denying {
        let before = numbers.range(..denier).next_back().copied().unwrap_or(0);
        return (before + 1..=denier - count).rev().find(is_free);
    }
    let first = numbers.last().map_or(100, |last| (last / 10 + 1) * 10);
    (first..=LAST + 1 - count).find(is_free)
}

fn denies(entry: &NetworkAclEntry, asked: &[IpNet], ports: (u16, u16)) -> bool {
    let is_tcp = matches!(entry.protocol.as_deref(), Some("6" | "tcp"));
    let is_about_ports = match (entry.protocol.as_deref(), &entry.port_range) {
        (Some("-1" | "all"), _) => true,
        (_, Some(range)) if is_tcp => {
            range.from.is_none_or(|from| from <= ports.1.into()) && range.to.is_none_or(|to| to >= ports.0.into())
        }
        _ => false,
    };
    let block = entry.cidr_block.as_deref().or(entry.ipv6_cidr_block.as_deref()).and_then(|block| block.parse::<IpNet>().ok());
    let is_deny = entry.rule_action.as_deref().is_some_and(|action| action.eq_ignore_ascii_case("deny"));
    is_deny && is_about_ports && block.is_some_and(|block| asked.iter().any(|net| block.contains(net)))
}
