//! NAT gateways: the network ACL of their subnet, and the way on and back by their own route table.
//!
//! Sources: <https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-basics.html>,
//! <https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateways-regional.html>.

use super::boundary::{self, Crossing, Ends};
use super::encryption::{self, Exit};
use super::journey::{CameBy, Journey, Sender, SenderKind};
use super::position::Position;
use super::set::IntervalSet;
use super::trace::Trace;
use super::verdict::{Code, Decision, HopKind, Place};
use crate::model::known::{Known, Unknown};
use crate::model::{address, is_word};
use crate::snapshot::ec2::{NatGateway, NatGatewayAddress, RouteTable};

/// Whether traffic that came by a transit gateway meets the NAT gateway in the attachment's own subnet, whose network ACL it then does not see
/// (<https://docs.aws.amazon.com/vpc/latest/tgw/tgw-nacls.html>).
pub(super) fn stands_beside_attachment(journey: &Journey<'_, '_, '_>, id: &str) -> bool {
    let nat = journey.at.home.nat_gateway(id).known().copied().flatten();
    let came_by_transit_gateway = matches!(journey.came_by, CameBy::TransitGateway { .. });
    came_by_transit_gateway && nat.is_some_and(|nat| nat.subnet_id.as_deref() == Some(journey.at.subnet_id()))
}

pub(super) fn nat_gateway(trace: &mut Trace, journey: &Journey<'_, '_, '_>, id: &str, table: &str) {
    let kind = HopKind::NatGateway;
    if let SenderKind::NatGateway { id: before, .. } = journey.sender.kind
        && journey.is_in_vpc_of_sender()
    {
        let detail = format!("leads {before} on to {id}: a NAT gateway cannot send through another one, or through itself");
        trace.block(Code::CannotRoute, table, detail, Place::Other);
        return;
    }
    let Some(nat) = trace.told_of(kind, id, journey.at.home.nat_gateway(id), "the NAT gateways are not known") else { return };
    let state = nat.map_or(Some("deleted"), |nat| nat.state.as_deref());
    match state {
        Some(state) if state.eq_ignore_ascii_case("available") => trace.hop(kind, id, Decision::Pass, "the NAT gateway is available"),
        // What lies behind it, one in its place would meet as well.
        Some(state) => trace.stop(kind, Code::BadState, id, format!("is {state}, not available"), Place::Other),
        None => {
            trace.doubt([Unknown::new("fact_not_collected", id, "collect ec2-describe-nat-gateways.json again: the gateway has no State")]);
        }
    }
    let Some(nat) = nat else { return };
    encryption::leave_by(trace, &journey.at, kind, id, Exit::NatGateway);
    if !trace.addresses.intersection(&IntervalSet::ipv6()).difference(&IntervalSet::nat64()).is_empty() {
        let settled_by = format!(
            "lead IPv6 to an egress-only internet gateway: AWS tells of IPv6 through {id} for the addresses that DNS64 gives alone"
        );
        trace.unclear(kind, id, "nat_ipv6", settled_by);
        return;
    }
    // A private one has no public address.
    let is_surely_public = nat.nat_gateway_addresses.iter().any(|own| own.public_ip.is_some() || own.allocation_id.is_some());
    if nat.connectivity_type.is_none() && !is_surely_public {
        let settled_by = "collect ec2-describe-nat-gateways.json again: the gateway has no ConnectivityType";
        trace.doubt([Unknown::new("fact_not_collected", id, settled_by)]);
    }
    if !nat.attached_appliances.is_empty() {
        trace.unclear(HopKind::Other, id, "nat_appliance", "check that the appliance attached to the NAT gateway lets the traffic pass");
    }
    if is_word(nat.availability_mode.as_ref(), "regional") {
        regional_nat_gateway(trace, journey, nat);
    } else if let Some(subnet) = nat.subnet_id.as_deref() {
        match journey.at.subnet(subnet) {
            Known::Known(position) => {
                enter_subnet(trace, journey, &position);
                let table = position.table();
                send_on(trace, journey, nat, position, table);
            }
            Known::Unknown(why) => trace.doubt(why),
        }
    } else {
        let settled_by = "collect ec2-describe-nat-gateways.json again: the gateway has no SubnetId";
        trace.doubt([Unknown::new("fact_not_collected", id, settled_by)]);
    }
}

/// The network ACL of the NAT gateway's subnet, in from the sender
/// (<https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-troubleshooting.html>).
pub(super) fn enter_subnet(trace: &mut Trace, journey: &Journey<'_, '_, '_>, position: &Position<'_, '_>) {
    if !position.is_in_subnet_of(&journey.at) {
        boundary::cross(trace, position, &[Crossing::In], &journey.sender.ends);
    }
}

/// A regional NAT gateway stands in no subnet and passes no network ACL of its own; it has a route table
/// (<https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateways-regional.html>, assumption A-101).
fn regional_nat_gateway(trace: &mut Trace, journey: &Journey<'_, '_, '_>, nat: &NatGateway) {
    let id = nat.nat_gateway_id.as_deref().unwrap_or_default();
    let Some(table) = nat.route_table_id.as_deref() else {
        let settled_by = "collect ec2-describe-nat-gateways.json again: the regional gateway has no RouteTableId";
        trace.doubt([Unknown::new("fact_not_collected", id, settled_by)]);
        return;
    };
    trace.assume(101, "a regional NAT gateway passes no network ACL, and its own route table decides where it sends");
    let subnet = journey.at.subnet;
    let zone_name = subnet.and_then(|subnet| subnet.availability_zone.as_deref());
    let serves = |address: &NatGatewayAddress| {
        let by_id = address.availability_zone_id.is_some() && address.availability_zone_id.as_deref() == journey.at.zone();
        by_id || (address.availability_zone.is_some() && address.availability_zone.as_deref() == zone_name)
    };
    // While AWS provides the zones itself, another zone serves until the instance's own has an address.
    if !is_word(nat.auto_provision_zones.as_ref(), "enabled") && !nat.nat_gateway_addresses.iter().any(serves) {
        let zone = zone_name.unwrap_or("the instance's Availability Zone");
        let settled_by = format!("give {id} an address in {zone}: AWS does not say whether another zone's serves it");
        trace.unclear(HopKind::NatGateway, id, "regional_nat_az", settled_by);
    }
    let table = journey.at.home.route_table_by_id(table);
    send_on(trace, journey, nat, journey.at.without_subnet(), table);
}

/// From the NAT gateway on, which sends in the sender's place: its own route table must lead to the service, and back to the sender.
fn send_on<'a>(
    trace: &mut Trace,
    journey: &Journey<'_, '_, 'a>,
    nat: &'a NatGateway,
    position: Position<'_, 'a>,
    table: Known<&'a RouteTable>,
) {
    journey.come_back(trace, &position, table.clone());
    let leg = trace.translate();
    let own: Vec<_> = nat.nat_gateway_addresses.iter().filter_map(|own| address(own.private_ip.as_ref())).collect();
    let sender = match own.as_slice() {
        [] => position.addresses(),
        own => own.iter().fold(IntervalSet::empty(), |sum, own| sum.union(&IntervalSet::address(*own))),
    };
    let sender = Sender {
        position: position.clone(),
        ends: Ends { sender, leg, ..journey.sender.ends },
        kind: SenderKind::NatGateway {
            id: nat.nat_gateway_id.as_deref().unwrap_or_default(),
            is_private: is_word(nat.connectivity_type.as_ref(), "private"),
        },
    };
    let onward = Journey { sender, at: position, ..journey.clone() };
    // What stands for IPv4 addresses leaves the gateway as these.
    let is_nat64 = !trace.addresses.is_empty() && trace.addresses.difference(&IntervalSet::nat64()).is_empty();
    if is_nat64 {
        trace.turn(IntervalSet::from_nat64);
    }
    onward.route_on(trace, table);
    if is_nat64 {
        trace.turn(IntervalSet::to_nat64);
    }
}
