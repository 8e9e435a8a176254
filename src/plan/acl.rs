//! Where new entries of a network ACL go: before the rule that denies what they allow, and after all others.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;

use crate::snapshot::ec2::{NetworkAcl, NetworkAclEntry};

/// The entries that an ACL holds by default in one direction of one family, the deny at the end among them
/// (<https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html#vpc-limits-nacls>).
pub(super) const QUOTA: usize = 20;

/// The numbers that other changes take in one direction of an ACL, and whether their entries are for IPv6.
pub(super) type Taken = BTreeMap<i32, bool>;

/// The last number that a user may give (<https://docs.aws.amazon.com/vpc/latest/userguide/nacl-rules.html>).
const LAST: i32 = 32766;

/// The rules of one direction, without the deny at the end.
pub(super) fn rules(acl: &NetworkAcl, is_egress: bool) -> impl Iterator<Item = &NetworkAclEntry> {
    acl.entries.iter().filter(move |entry| entry.egress == Some(is_egress) && entry.rule_number.is_some_and(|number| number <= LAST))
}

/// Whether addresses, all of one family, are IPv6.
pub(super) fn are_ipv6(addresses: &[String]) -> bool {
    addresses.iter().any(|address| address.contains(':'))
}

/// How many entries there are in one direction of one family, the deny at the end among them.
pub(super) fn count(acl: &NetworkAcl, is_egress: bool, is_ipv6: bool) -> usize {
    rules(acl, is_egress).filter(|entry| entry.ipv6_cidr_block.is_some() == is_ipv6).count() + 1
}

/// The blocks to allow: what was asked, or, where the quota has no room for so many entries, the one block around them.
pub(super) fn blocks(acl: &NetworkAcl, is_egress: bool, addresses: &[String]) -> Vec<String> {
    if count(acl, is_egress, are_ipv6(addresses)) + addresses.len() <= QUOTA {
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
/// at the end. A rule that denies only a part of a block stays in force. `None` where there are none, or where other changes of the plan leave no room.
pub(super) fn number(acl: &NetworkAcl, is_egress: bool, addresses: &[String], ports: (u16, u16), taken: &Taken) -> Option<i32> {
    let is_ipv6 = are_ipv6(addresses);
    let of_others = taken.values().filter(|family| **family == is_ipv6).count();
    if of_others > 0 && count(acl, is_egress, is_ipv6) + of_others + addresses.len() > QUOTA {
        return None;
    }
    let count = i32::try_from(addresses.len()).ok()?;
    let asked: Vec<IpNet> = addresses.iter().filter_map(|address| address.parse().ok()).collect();
    let numbers: BTreeSet<i32> = rules(acl, is_egress).filter_map(|entry| entry.rule_number).collect();
    let is_free = |first: &i32| (*first..*first + count).all(|number| !numbers.contains(&number) && !taken.contains_key(&number));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::ec2::PortRange;

    fn entry(number: i32, action: &str, block: &str, ports: Option<(i32, i32)>) -> NetworkAclEntry {
        NetworkAclEntry {
            rule_number: Some(number),
            egress: Some(true),
            protocol: Some(if ports.is_some() { "6" } else { "-1" }.to_owned()),
            rule_action: Some(action.to_owned()),
            cidr_block: Some(block.to_owned()),
            port_range: ports.map(|(from, to)| PortRange { from: Some(from), to: Some(to) }),
            ..Default::default()
        }
    }

    /// Before the rule that denies, and behind those that have nothing to do with it.
    #[test]
    fn an_entry_overrides_no_other_deny() {
        let cases: [(&[NetworkAclEntry], Option<i32>); 6] = [
            (&[], Some(100)),
            (&[entry(10, "deny", "10.9.0.0/16", None), entry(20, "allow", "10.5.0.0/16", None)], Some(30)),
            (&[entry(10, "allow", "10.5.0.0/16", None), entry(20, "deny", "0.0.0.0/0", Some((443, 443)))], Some(19)),
            (&[entry(20, "deny", "0.0.0.0/0", Some((22, 22)))], Some(30)),
            (&[entry(1, "deny", "0.0.0.0/0", None)], None),
            (&[entry(30000, "allow", "10.5.0.0/16", None), entry(32767, "deny", "0.0.0.0/0", None)], Some(30010)),
        ];
        for (entries, expected) in cases {
            let acl = NetworkAcl { entries: entries.to_vec(), ..Default::default() };
            let found = number(&acl, true, &["52.219.0.0/16".to_owned()], (443, 443), &Taken::new());
            assert_eq!(found, expected, "{entries:?}");
        }
    }

    #[test]
    fn numbers_in_a_row_are_free_of_rules_and_of_other_changes() {
        let acl = NetworkAcl { entries: vec![entry(100, "deny", "0.0.0.0/0", None)], ..Default::default() };
        let asked = ["1.0.0.0/8", "2.0.0.0/8"].map(str::to_owned);
        let taken = |numbers: std::ops::RangeInclusive<i32>, is_ipv6: bool| -> Taken { numbers.map(|number| (number, is_ipv6)).collect() };
        let found = |taken: Taken| number(&acl, true, &asked, (443, 443), &taken);
        assert_eq!(found(Taken::new()), Some(98));
        assert_eq!(found(taken(99..=99, false)), Some(97));
        assert_eq!(found(taken(1..=99, true)), None, "no number is left");
        assert_eq!(found(taken(51..=66, false)), Some(98), "16 of others, the rule, the deny at the end and these two are 20");
        assert_eq!(found(taken(51..=67, false)), None, "the quota");
        assert_eq!(found(taken(51..=67, true)), Some(98), "IPv6 has a quota of its own");
    }

    #[test]
    fn many_blocks_become_the_one_around_them_where_there_is_no_room() {
        let asked = ["52.219.0.0/24", "52.219.8.0/24"].map(str::to_owned);
        let with = |count: i32| NetworkAcl {
            entries: (1..=count).map(|number| entry(number, "allow", "10.0.0.0/8", None)).collect(),
            ..Default::default()
        };
        assert_eq!(blocks(&with(17), true, &asked), asked);
        assert_eq!(blocks(&with(18), true, &asked), ["52.219.0.0/20"]);
        let of_ipv6 = ["2a05:d014::/48", "2a05:d018::/48"].map(str::to_owned);
        assert_eq!(blocks(&with(19), true, &of_ipv6), of_ipv6, "IPv6 has a quota of its own");
    }
}
