//! Traffic that stays inside the VPC: the local route, unless a more specific one leads it through an appliance
//! (<https://docs.aws.amazon.com/vpc/latest/userguide/subnet-route-tables.html>), and what comes back in through an internet gateway
//! (<https://docs.aws.amazon.com/vpc/latest/userguide/gateway-route-tables.html>).

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
    if shares.iter().all(|share| is_local(share)) {
        trace.hop(HopKind::RouteTable, id, Decision::Pass, "local route");
        return;
    }
    if shares.iter().all(|share| share.is_blackhole || share.next_hop == NextHop::Nothing) {
        let detail = format!("has a dead route to {}", addresses.as_addresses());
        trace.stop(HopKind::RouteTable, Code::BadStateRoute, id, detail, Place::Other);
        return;
    }
    let elsewhere = shares.iter().find(|share| !is_local(share)).map_or("local", |share| share.next_hop.id());
    if let Known::Known(Some(endpoint)) = at.home.endpoint(elsewhere)
        && shares.iter().all(|share| share.next_hop == NextHop::Endpoint(elsewhere))
        && private_dns::is_down(endpoint)
    {
        let detail = format!("is {}, not available", endpoint.state.as_deref().unwrap_or_default());
        trace.stop(HopKind::Other, Code::BadState, elsewhere, detail, Place::EndpointState { endpoint: elsewhere.to_owned() });
        return;
    }
    if shares.iter().all(|share| share.next_hop == NextHop::Interface(elsewhere)) && drops_what_it_is_to_forward(at, elsewhere) {
        trace.stop(HopKind::Other, Code::EniSourceDestCheckRestriction, elsewhere, CHECKS, Place::Other);
        return;
    }
    let settled_by = format!("check that {elsewhere}, to which route table {id} sends {}, forwards the traffic", addresses.as_addresses());
    trace.unclear(HopKind::RouteTable, elsewhere, "gwlb_appliance", settled_by);
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
    at.home.interface(interface).known().is_some_and(|interface| {
        let is_of_instance = interface.attachment.as_ref().is_some_and(|attachment| attachment.instance_id.is_some());
        is_of_instance && interface.source_dest_check == Some(true)
    })
}

fn is_local(share: &Share<'_>) -> bool {
    share.next_hop == NextHop::Local && !share.is_blackhole
}
