//! Traffic that stays inside the VPC: the local route, unless a more specific one leads it through an appliance
//! (<https://docs.aws.amazon.com/vpc/latest/userguide/subnet-route-tables.html>), and what comes back in through an internet gateway
//! (<https://docs.aws.amazon.com/vpc/latest/userguide/gateway-route-tables.html>).

use std::collections::BTreeSet;

use super::position::Position;
use super::private_dns;
use super::route::{self, NextHop, Share};
use super::set::IntervalSet;
use super::trace::Trace;
use super::verdict::{Code, Decision, HopKind, Place};
use crate::model::known::Known;
use crate::snapshot::ec2::RouteTable;

/// To addresses of the VPC by a subnet's route table.
pub(super) fn stays_local(trace: &mut Trace, at: &Position<'_, '_>, table: Known<&RouteTable>, addresses: &IntervalSet) {
    let Some(table) = trace.told(table) else { return };
    let id = table.route_table_id.as_deref().unwrap_or_default();
    let splits = route::split(at.home, table, &at.nets, addresses, false);
    let shares: Vec<&Share<'_>> = splits.iter().flat_map(|split| &split.shares).collect();
    let Some(share) = shares.iter().find(|share| !is_local(share)) else {
        let destinations: BTreeSet<&str> = shares.iter().map(|share| share.destination.as_str()).collect();
        let destinations = destinations.into_iter().collect::<Vec<_>>().join(", ");
        trace.hop(HopKind::RouteTable, id, Decision::Pass, format!("the route to {destinations} is local"));
        return;
    };
    if shares.iter().all(|share| share.is_blackhole) {
        let detail = format!("has a dead route to {}", addresses.as_addresses());
        trace.stop(HopKind::RouteTable, Code::BadStateRoute, id, detail, Place::Other);
        return;
    }
    let elsewhere = share.next_hop.id();
    if shares.iter().any(|other| other.next_hop != share.next_hop) {
        trace.doubt(splits.iter().flat_map(|split| split.depends_on.iter().cloned()));
    } else if let Known::Known(Some(endpoint)) = at.home.endpoint(elsewhere)
        && private_dns::is_down(endpoint)
    {
        let detail = format!("is {}, not available", endpoint.state.as_deref().unwrap_or_default());
        trace.stop(HopKind::Other, Code::BadState, elsewhere, detail, Place::EndpointState { endpoint: elsewhere.to_owned() });
        return;
    } else if drops_what_it_is_to_forward(at, elsewhere) {
        trace.stop(HopKind::Other, Code::EniSourceDestCheckRestriction, elsewhere, CHECKS, Place::Other);
        return;
    }
    let to = addresses.as_addresses();
    let (code, settled_by) = match share.next_hop {
        NextHop::Nothing => ("fact_not_collected", format!("collect {} again: {to} is in none of its blocks", at.vpc_id)),
        next_hop => {
            let settled_by = format!("check that {elsewhere}, to which route table {id} sends {to}, forwards the traffic");
            (forwarder(at, next_hop), settled_by)
        }
    };
    trace.unclear(HopKind::RouteTable, elsewhere, code, settled_by);
}

/// The code for what may forward traffic or not: no API shows it.
pub(super) fn forwarder(at: &Position<'_, '_>, next_hop: NextHop<'_>) -> &'static str {
    match next_hop {
        NextHop::Endpoint(_) => "gwlb_appliance",
        NextHop::Interface(id) if is_of_instance(at, id) => "os_forwarding",
        NextHop::Interface(_) => "nat_appliance",
        _ => "unsupported_target",
    }
}

/// Back in through an internet gateway that the traffic left directly: its edge route table, if it has one, may send the answers to
/// an appliance that has never seen the connection.
pub(super) fn comes_back_in(trace: &mut Trace, at: &Position<'_, '_>, gateway: &str, addresses: &IntervalSet) {
    let Some(table) = at.home.edge_route_table(gateway) else { return };
    let id = table.route_table_id.as_deref().unwrap_or_default();
    let splits = route::split(at.home, table, &at.nets, addresses, false);
    if splits.iter().flat_map(|split| &split.shares).all(|share| share.is_blackhole) {
        let detail = format!("has a dead route for what comes back in through {gateway} to {}", addresses.as_addresses());
        trace.stop(HopKind::RouteTable, Code::BadStateRoute, id, detail, Place::Other);
        return;
    }
    let Some(share) = splits.iter().flat_map(|split| &split.shares).find(|share| !is_local(share)) else { return };
    let elsewhere = share.next_hop.id();
    let settled_by = format!("make the routes symmetric: {id}, the route table of {gateway}, sends the answers to {elsewhere}");
    trace.unclear(HopKind::RouteTable, elsewhere, "asymmetric", settled_by);
}

pub(super) const CHECKS: &str = "checks source and destination, so EC2 drops what it is to forward";

/// Whether an instance's interface takes only what is addressed to it
/// (<https://docs.aws.amazon.com/vpc/latest/userguide/work-with-nat-instances.html>).
pub(super) fn drops_what_it_is_to_forward(at: &Position<'_, '_>, interface: &str) -> bool {
    is_of_instance(at, interface) && at.home.interface(interface).known().is_some_and(|own| own.source_dest_check == Some(true))
}

pub(super) fn is_of_instance(at: &Position<'_, '_>, interface: &str) -> bool {
    at.home.interface(interface).known().and_then(|own| own.attachment.as_ref()?.instance_id.as_ref()).is_some()
}

fn is_local(share: &Share<'_>) -> bool {
    share.next_hop == NextHop::Local && !share.is_blackhole
}
