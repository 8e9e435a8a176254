//! Network ACLs: stateless, at the subnet's boundary only, first match by rule number, deny at the end.
//!
//! Source: <https://docs.aws.amazon.com/vpc/latest/userguide/nacl-rules.html>.

use super::protocol::Protocol;
use super::set::{FlowSet, IntervalSet};
use crate::model::known::Known;
use crate::snapshot::ec2::{NetworkAcl, NetworkAclEntry};

/// What an ACL does with the asked flows in one direction.
#[derive(Debug)]
pub(super) struct Filtered {
    pub(super) allowed: FlowSet,
    /// The numbers of the rules that allowed something, in the order of evaluation.
    allowing: Vec<i32>,
    /// Who denied what, in the order of evaluation: the rule's number, `None` for the deny at the end.
    pub(super) denied: Vec<(Option<i32>, FlowSet)>,
}

impl Filtered {
    /// The rules that allowed something, as the beginning of a sentence: `rule 100 lets`.
    pub(super) fn allowers(&self) -> String {
        let numbers: Vec<String> = self.allowing.iter().map(ToString::to_string).collect();
        let (noun, verb) = if numbers.len() == 1 { ("rule", "lets") } else { ("rules", "let") };
        format!("{noun} {} {verb}", numbers.join(", "))
    }

    /// The rules that denied something, as a fragment of a sentence.
    pub(super) fn deniers(&self) -> String {
        self.denied.iter().map(|(number, _)| name(*number)).collect::<Vec<_>>().join(", ")
    }

    /// Which addresses and ports each rule took, and the name of the rule; `None` where there is but one, or where they are too many to tell.
    pub(super) fn by_denier(&self, denied: &FlowSet) -> Option<Vec<(IntervalSet, IntervalSet, String)>> {
        const MOST: usize = 4;
        let mut each = Vec::new();
        for (number, flows) in &self.denied {
            let own = flows.intersection(denied).products();
            each.extend(own.into_iter().map(|(addresses, ports)| (addresses, ports, name(*number))));
        }
        let are_told = each.len() <= MOST && each.iter().all(|(addresses, ..)| addresses.to_nets().len() <= MOST);
        (self.denied.len() > 1 && are_told).then_some(each)
    }
}

fn name(number: Option<i32>) -> String {
    number.map_or_else(|| "the final deny".to_owned(), |number| format!("rule {number}"))
}

/// Passes the protocol between `addresses` and `ports` through the entries of one direction.
pub(super) fn filter(
    acl: &NetworkAcl,
    is_egress: bool,
    protocol: Protocol,
    addresses: &IntervalSet,
    ports: &IntervalSet,
) -> Known<Filtered> {
    let mut entries: Vec<&NetworkAclEntry> =
        acl.entries.iter().filter(|entry| entry.egress == Some(is_egress) || entry.egress.is_none()).collect();
    // AWS does not promise an order; the number is what counts.
    entries.sort_by_key(|entry| entry.rule_number);
    let mut remaining = FlowSet::product(addresses, ports);
    let mut result = Filtered { allowed: FlowSet::empty(), allowing: Vec::new(), denied: Vec::new() };
    for entry in entries {
        let Some(entry) = Entry::parse(entry, protocol) else {
            let id = acl.network_acl_id.as_deref().unwrap_or("a network ACL without an id");
            return Known::unknown("fact_not_collected", id, format!("collect {id} again: one of its entries cannot be read"));
        };
        if !entry.is_about_it {
            continue;
        }
        let matched = remaining.intersection(&FlowSet::product(&entry.addresses, &entry.ports));
        if matched.is_empty() {
            continue;
        }
        remaining = remaining.difference(&matched);
        if entry.allows {
            result.allowed = result.allowed.union(&matched);
            result.allowing.push(entry.number);
        } else {
            result.denied.push((Some(entry.number).filter(|number| *number != FINAL_DENY), matched));
        }
    }
    if !remaining.is_empty() {
        result.denied.push((None, remaining));
    }
    Known::Known(result)
}

/// The number under which the API lists the deny at the end.
const FINAL_DENY: i32 = 32767;

struct Entry {
    number: i32,
    allows: bool,
    is_about_it: bool,
    addresses: IntervalSet,
    ports: IntervalSet,
}

impl Entry {
    /// `None` when a member that decides is missing or makes no sense: nothing may be concluded from half a rule.
    fn parse(entry: &NetworkAclEntry, protocol: Protocol) -> Option<Self> {
        let allows = match entry.rule_action.as_deref()? {
            word if word.eq_ignore_ascii_case("allow") => true,
            word if word.eq_ignore_ascii_case("deny") => false,
            _ => return None,
        };
        let all_ports = IntervalSet::ports((0, 65535));
        let (is_about_it, ports) = match entry.protocol.as_deref()? {
            "-1" | "all" => (true, all_ports),
            word if protocol.is(word) => {
                let range = entry.port_range.as_ref()?;
                if range.from? > range.to? {
                    return None;
                }
                (true, IntervalSet::range(u128::try_from(range.from?).ok()?, u128::try_from(range.to?).ok()?))
            }
            _ => (false, all_ports),
        };
        entry.egress?;
        Some(Self {
            number: entry.rule_number?,
            allows,
            is_about_it,
            addresses: IntervalSet::net(entry.cidr_block.as_deref().or(entry.ipv6_cidr_block.as_deref())?.parse().ok()?),
            ports,
        })
    }
}
