//! Instances that forward traffic: what the guest does with it no API shows, but AWS's side of it is judged as of any interface
//! (<https://docs.aws.amazon.com/vpc/latest/userguide/work-with-nat-instances.html>).

use super::boundary::Ends;
use super::host;
use super::journey::{Journey, Sender, SenderKind};
use super::local;
use super::nat;
use super::next_hop::{edge, is_vouched};
use super::position::Position;
use super::route::NextHop;
use super::security_group::{self, Direction};
use super::set::IntervalSet;
use super::source::group_ids;
use super::trace::Trace;
use super::verdict::{Code, Decision, HopKind, Place};
use crate::model::address;
use crate::model::known::{Known, Unknown};
use crate::snapshot::ec2::{NetworkInterface, UserIdGroupPair};

/// To the interface of an instance, or of an appliance, that is to send the traffic on.
pub(super) fn forward(trace: &mut Trace, journey: &Journey<'_, '_, '_>, id: &str) {
    if local::drops_what_it_is_to_forward(&journey.at, id) {
        trace.stop(HopKind::Other, Code::EniSourceDestCheckRestriction, id, local::CHECKS, Place::Other);
        return;
    }
    // Who sends for another already may be led in a circle.
    if journey.sender.kind == SenderKind::Instance
        && local::is_of_instance(&journey.at, id)
        && let Known::Known(interface) = journey.at.home.interface(id)
    {
        pass(trace, journey, interface);
    }
    let code = local::forwarder(&journey.at, NextHop::Interface(id));
    let own =
        journey.at.home.interface(id).into_known().and_then(|interface| journey.at.subnet(interface.subnet_id.as_deref()?).into_known());
    let from = own.unwrap_or_else(|| journey.at.clone());
    edge(trace, journey, &from, id, code, "check that what stands behind the interface forwards the traffic");
}

/// AWS's side of it: into the interface, and, where the instance has no other one, out of it again and on by its own subnet's routes.
fn pass(trace: &mut Trace, journey: &Journey<'_, '_, '_>, interface: &NetworkInterface) {
    let id = interface.network_interface_id.as_deref().unwrap_or_default();
    let Some(position) = trace.told(journey.at.subnet(interface.subnet_id.as_deref().unwrap_or_default())) else { return };
    host::leave_by_forwarder(trace, journey);
    nat::enter_subnet(trace, journey, &position);
    host::enter(trace, journey, position.home, interface, &group_ids(&interface.groups));
    if !position.is_in_subnet_of(&journey.at) {
        journey.come_back(trace, &position, position.table());
    }
    // What came in by one interface may leave by another.
    if has_others(journey, interface) {
        return;
    }
    let mut onward = trace.part(&trace.addresses);
    send_on(&mut onward, journey, interface, position);
    // As another protocol to another address, a tunnel's, it may leave where the traffic itself does not, and come to an endpoint in the end alone.
    let mut tunnelled = trace.part(&trace.addresses);
    if journey.end.is_some() {
        tunnelled.authorization.clone_from(&onward.authorization);
    }
    if !onward.takes_some() {
        let other = (!is_vouched(trace, journey, id)).then(|| vec![tunnelled]);
        trace.join(std::iter::once(vec![onward]).chain(other).collect(), Vec::new());
        return;
    }
    let (why, lost) = (onward.blockers.first(), if onward.is_surely_blocked() { "it does" } else { "a part of it does" });
    let why = why.map_or_else(String::new, |blocker| format!("{} {}", blocker.resource, blocker.detail));
    let settled_by = format!("check that {id} sends the traffic on through a tunnel: as it is, {lost} not get away, since {why}");
    tunnelled.hop(HopKind::Other, id, Decision::Unknown, settled_by.clone());
    trace.join(vec![vec![tunnelled], vec![onward]], vec![Unknown::new("os_tunnel", id, settled_by)]);
}

/// As the instance sends it in its own name.
fn send_on<'r, 'a>(trace: &mut Trace, journey: &Journey<'_, 'r, 'a>, interface: &'a NetworkInterface, position: Position<'r, 'a>) {
    let id = interface.network_interface_id.as_deref().unwrap_or_default();
    let nobody = |_: &UserIdGroupPair| Known::Known(IntervalSet::empty());
    let groups = group_ids(&interface.groups);
    let allowed = security_group::allowed(position.home, &groups, Direction::Egress, journey.goal.protocol, journey.goal.port, &nobody);
    let taken = trace.sift(&allowed.sieve);
    trace.unknowns.extend(allowed.unknowns);
    if !taken.is_empty() {
        let detail = format!(
            "lets no {} {} out to {} from {id}, which is to forward it",
            journey.goal.protocol,
            journey.goal.port,
            trace.describe(&taken)
        );
        trace.hop(HopKind::SecurityGroup, &groups.join(", "), trace.decision(&taken), detail.clone());
        trace.blame(Code::EniSgRulesMismatch, groups.first().map_or(id, String::as_str), detail, Place::Other);
    }
    let Some(own) = address(interface.private_ip_address.as_ref()) else { return };
    let has_public_address = interface.association.as_ref().is_some_and(|association| association.public_ip.is_some());
    let ends = Ends { sender: IntervalSet::address(own), leg: trace.translate(), ..journey.sender.ends };
    let sender = Sender { position: position.clone(), ends, kind: SenderKind::NatInstance { id, has_public_address } };
    let table = position.table();
    Journey { sender, at: position, ..journey.clone() }.route_on(trace, table);
}

/// Whether the instance has, or may have, another interface than this one.
fn has_others(journey: &Journey<'_, '_, '_>, interface: &NetworkInterface) -> bool {
    let instance = |one: &NetworkInterface| one.attachment.as_ref().and_then(|attachment| attachment.instance_id.clone());
    let own = instance(interface);
    let files = journey.at.home.files;
    let all = files.network_interfaces.iter().flat_map(|file| &file.network_interfaces);
    let instances = files.instances.iter().flat_map(|file| &file.reservations).flat_map(|reservation| &reservation.instances);
    let listed = instances.filter(|listed| listed.instance_id == own).map(|listed| listed.network_interfaces.len());
    all.filter(|other| instance(other) == own).count().max(listed.max().unwrap_or(0)) > 1
}
