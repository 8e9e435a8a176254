//! The boundary of a subnet: its network ACL sees every flow that crosses it, on the way to the service and on the way back.

use super::network_acl::{self, Filtered};
use super::position::Position;
use super::protocol::Protocol;
use super::set::{FlowSet, IntervalSet};
use super::trace::{Sieve, Trace};
use super::verdict::{Code, Decision, HopKind, Place};
use crate::snapshot::ec2::NetworkAcl;

/// What crosses, and which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Crossing {
    /// Out of the subnet, to the service.
    Out,
    /// Into the subnet, from the sender.
    In,
    /// Out of the subnet, the answers to the sender.
    BackOut,
    /// Into the subnet, the answers from the service.
    BackIn,
}

/// Who sends, and to which port.
#[derive(Debug, Clone)]
pub(super) struct Ends {
    /// The addresses that the sender may have; more than one where it is not known which.
    pub(super) sender: IntervalSet,
    /// The number of the sender's leg.
    pub(super) leg: usize,
    pub(super) protocol: Protocol,
    /// Of the service.
    pub(super) port: u16,
}

/// Lets through what the network ACL of a subnet lets through.
pub(super) fn cross(trace: &mut Trace, position: &Position<'_, '_>, crossings: &[Crossing], ends: &Ends) {
    let subnet = position.subnet_id();
    let unless = "the network ACL of the subnet is not known";
    if let Some(acl) = trace.told_of(HopKind::NetworkAcl, subnet, position.home.network_acl(subnet), unless) {
        for crossing in crossings {
            cross_once(trace, acl, *crossing, ends);
        }
    }
}

fn cross_once(trace: &mut Trace, acl: &NetworkAcl, crossing: Crossing, ends: &Ends) {
    let id = acl.network_acl_id.as_deref().unwrap_or_default();
    let service_port = IntervalSet::ports((ends.port, ends.port));
    let own_ports = trace.ports(ends.leg);
    let (is_egress, remote, ports) = match crossing {
        Crossing::Out => (true, trace.addresses.clone(), service_port),
        Crossing::In => (false, ends.sender.clone(), service_port),
        Crossing::BackOut => (true, ends.sender.clone(), own_ports),
        Crossing::BackIn => (false, trace.addresses.clone(), own_ports),
    };
    let Some(filtered) = trace.told_of(
        HopKind::NetworkAcl,
        id,
        network_acl::filter(acl, is_egress, ends.protocol, &remote, &ports),
        "an entry cannot be read",
    ) else {
        return;
    };
    let denied = match crossing {
        Crossing::Out => {
            let taken = trace.sift(&Sieve::known(filtered.allowed.addresses()));
            FlowSet::product(&taken, &ports)
        }
        Crossing::BackIn => trace.sift_flows(ends.leg, &filtered.allowed, &filtered.allowed),
        Crossing::In => {
            // A sender whose very address is not known passes if each that it may have does.
            let passes = filtered.allowed.addresses();
            if passes.is_empty() {
                trace.sift(&Sieve::nothing());
                FlowSet::product(&remote, &ports)
            } else if remote.difference(&passes).is_empty() {
                FlowSet::empty()
            } else {
                let settled_by = format!("find out which of the addresses {} sends: {id} lets some of them in", remote.as_addresses());
                trace.unclear(HopKind::NetworkAcl, id, "sender_address", settled_by);
                return;
            }
        }
        Crossing::BackOut => {
            let everywhere = trace.addresses.clone();
            let some = filtered.allowed.ports();
            let refused = FlowSet::product(&remote, &ports).difference(&filtered.allowed).ports();
            let must = FlowSet::product(&everywhere, &some.difference(&refused));
            let may = FlowSet::product(&everywhere, &some);
            let taken = trace.sift_flows(ends.leg, &must, &may);
            FlowSet::product(&remote, &taken.ports())
        }
    };
    if denied.is_empty() {
        let direction = if is_egress { "outbound" } else { "inbound" };
        let words = match crossing {
            Crossing::Out => "it out",
            Crossing::In => "it in",
            Crossing::BackOut => "the answers out",
            Crossing::BackIn => "the answers back in",
        };
        let because = format!("{direction} {} {words} ({} {})", filtered.allowers(), ends.protocol, ports.as_ports());
        trace.hop(HopKind::NetworkAcl, id, Decision::Pass, because);
    } else {
        blame(trace, acl, is_egress, &denied, (ends.protocol, &ports), &filtered);
    }
}

/// Names a network ACL that takes some flows; `asked` are the ports that were asked about.
fn blame(
    trace: &mut Trace,
    acl: &NetworkAcl,
    is_egress: bool,
    denied: &FlowSet,
    (protocol, asked): (Protocol, &IntervalSet),
    filtered: &Filtered,
) {
    const MOST_BLOCKS: usize = 20;
    let id = acl.network_acl_id.as_deref().unwrap_or_default();
    let (addresses, ports) = (denied.addresses(), denied.ports());
    let direction = if is_egress { "outbound to" } else { "inbound from" };
    let told = |addresses: &IntervalSet, ports: &IntervalSet, rules: &str| {
        format!("{protocol} {} {direction} {} ({rules})", ports.as_ports(), trace.describe(addresses))
    };
    let what = match filtered.by_denier(denied) {
        Some(each) => each.iter().map(|(addresses, ports, rule)| told(addresses, ports, rule)).collect::<Vec<_>>().join(" and "),
        None => told(&addresses, &ports, &filtered.deniers()),
    };
    let detail = format!("denies {what}");
    let is_part_of_target = !trace.addresses.intersection(&addresses).is_empty() && !trace.addresses.difference(&addresses).is_empty();
    let code = match () {
        () if ports != *asked => Code::EphemeralPartial,
        () if is_part_of_target => Code::PrefixListPartial,
        () => Code::SubnetAclRestriction,
    };
    let blocks = addresses.to_nets();
    let is_ipv6 = blocks.iter().any(|block| block.addr().is_ipv6());
    let addresses = match blocks.len() > MOST_BLOCKS {
        true if is_ipv6 => vec!["::/0".to_owned()],
        true => vec!["0.0.0.0/0".to_owned()],
        false => blocks.iter().map(ToString::to_string).collect(),
    };
    if code == Code::EphemeralPartial && trace.ports(0) == *asked {
        trace.assume(47, &format!("the operating system opens connections from all of the ports {}", asked.as_ports()));
    }
    let decision = if filtered.allowed.is_empty() { Decision::Block } else { Decision::Part };
    trace.hop(HopKind::NetworkAcl, id, decision, detail.clone());
    let place = Place::NetworkAcl { acl: id.to_owned(), egress: is_egress, addresses, ports: ports.port_bounds() };
    trace.blame(code, id, detail, place);
}
