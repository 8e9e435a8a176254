//! Peering connections: to the addresses of the peer VPC, and nowhere beyond it
//! (<https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-basics.html>).

use ipnet::IpNet;

use super::encryption;
use super::goal::AnsweredBy;
use super::host;
use super::interface_endpoint;
use super::journey::{CameBy, Journey, SenderKind};
use super::position::{self, Position};
use super::route::{self, NextHop};
use super::set::IntervalSet;
use super::trace::Trace;
use super::verdict::{Code, Decision, HopKind, Place};
use crate::model::known::{Known, Unknown};
use crate::model::{Region, net};
use crate::snapshot::ec2::{RouteTable, VpcPeeringConnection, VpcPeeringConnectionVpcInfo};

const KIND: HopKind = HopKind::Peering;

/// Through a peering connection, to the interface or the host for which the traffic is meant.
pub(super) fn carry(trace: &mut Trace, journey: &Journey<'_, '_, '_>, id: &str, place: Place) {
    if journey.end.is_none() && !matches!(journey.goal.answered_by, AnsweredBy::Addresses(_)) {
        let detail = "carries traffic to the peer VPC's own addresses only";
        trace.stop(KIND, Code::PcxRequiresAddressInVpcCidr, id, detail, place);
        return;
    }
    if let SenderKind::NatGateway { id: nat, .. } = journey.sender.kind {
        let settled_by = format!("check by hand whether the peering connection carries what {nat} sends: AWS does not say");
        trace.unclear(KIND, id, "unsupported_target", settled_by);
        return;
    }
    if !journey.is_in_vpc_of_sender() {
        let detail = "carries nothing that comes from a third VPC";
        trace.stop(KIND, Code::CannotRoute, id, detail, Place::Other);
        return;
    }
    let Some(connection) = trace.told_of(KIND, id, connection(journey.at.home, id), "the peering connection is not known") else { return };
    match connection.status.as_ref().and_then(|status| status.code.as_deref()) {
        Some(code) if code.eq_ignore_ascii_case("active") => {}
        Some(code) => {
            trace.stop(KIND, Code::BadState, id, format!("is {code}, not active"), Place::Other);
            return;
        }
        None => trace.unclear(KIND, id, "fact_not_collected", "collect the peering connections again: one has no Status"),
    }
    let sides = [connection.accepter_vpc_info.as_ref(), connection.requester_vpc_info.as_ref()];
    let far = sides.into_iter().flatten().find(|side| side.vpc_id.as_deref() != Some(journey.at.vpc_id));
    let Some((far, owner, vpc)) = far.and_then(|far| Some((far, far.owner_id.as_deref()?, far.vpc_id.as_deref()?))) else {
        trace.unclear(KIND, id, "fact_not_collected", "collect the peering connections again: the peer VPC is missing");
        return;
    };
    let blocks = blocks(far);
    // It may leave out the IPv6 blocks.
    let is_ipv4 = trace.addresses.intersection(&IntervalSet::ipv6()).is_empty();
    if is_ipv4 && !blocks.is_empty() && trace.addresses.intersection(&IntervalSet::nets(&blocks)).is_empty() {
        let detail = format!("carries traffic to the addresses of {vpc} only, and {} is none of them", trace.addresses.as_addresses());
        trace.stop(KIND, Code::PcxRequiresAddressInVpcCidr, id, detail, Place::Other);
        return;
    }
    let here = journey.at.home.name;
    let region = far.region.as_deref().unwrap_or(here);
    match position::vpc_of(journey.source.estate.region(owner, region), owner, vpc) {
        Known::Known(at) => {
            trace.hop(KIND, id, Decision::Pass, format!("active, leads to {vpc}"));
            encryption::cross_peering(trace, id, &journey.at, &at);
            let came_by = CameBy::Peering { id, is_same_region: region == here };
            let beyond = Journey { at, came_by, ..journey.clone() };
            if journey.end.is_some() { interface_endpoint::arrive(trace, &beyond) } else { host::arrive(trace, &beyond) }
        }
        Known::Unknown(why) => {
            trace.hop(KIND, id, Decision::Unknown, format!("what {vpc} does with it is not known"));
            trace.doubt(why);
        }
    }
}

/// The way of the answers back through the peering connection by which the traffic came.
pub(super) fn come_back<'a>(trace: &mut Trace, journey: &Journey<'_, '_, 'a>, from: &Position<'_, 'a>, table: &'a RouteTable, id: &str) {
    let sender = &journey.sender.ends.sender;
    let back = sender.as_addresses();
    let table_id = table.route_table_id.as_deref().unwrap_or_default();
    let splits = route::split(from.home, table, &from.nets, sender, false);
    let shares: Vec<_> = splits.iter().flat_map(|split| &split.shares).collect();
    if shares.iter().all(|share| share.loses_answers()) {
        let detail = format!("has no route back to {back}, so the answers are lost");
        trace.stop(HopKind::RouteTable, Code::NoRouteToDestination, table_id, detail, Place::Other);
    } else if shares.iter().all(|share| !share.is_blackhole && share.next_hop == NextHop::Peering(id)) {
        let mut destinations: Vec<&str> = shares.iter().map(|share| share.destination.as_str()).collect();
        destinations.sort_unstable();
        let because = format!("the route to {} leads the answers to {back} to {id}", destinations.join(", "));
        for share in shares {
            trace.doubt_if(share.doubt(table_id));
        }
        trace.hop(HopKind::RouteTable, table_id, Decision::Pass, because);
    } else {
        let elsewhere = shares.iter().find(|share| share.next_hop != NextHop::Peering(id)).map_or("nothing", |share| share.next_hop.id());
        let settled_by = format!("make the routes symmetric: {table_id} sends the answers to {back} by {elsewhere}, not by {id}");
        trace.unclear(HopKind::RouteTable, elsewhere, "asymmetric", settled_by);
    }
}

fn connection<'a>(region: &Region<'a>, id: &str) -> Known<&'a VpcPeeringConnection> {
    let Some(file) = &region.files.peering_connections else {
        return Known::Unknown(vec![region.not_collected("ec2:DescribeVpcPeeringConnections")]);
    };
    let mut connections = file.vpc_peering_connections.iter();
    match connections.find(|connection| connection.vpc_peering_connection_id.as_deref() == Some(id)) {
        Some(connection) => Known::Known(connection),
        None => {
            Known::Unknown(vec![Unknown::new("fact_not_collected", id, format!("collect {id}: the peering connections do not show it"))])
        }
    }
}

fn blocks(side: &VpcPeeringConnectionVpcInfo) -> Vec<IpNet> {
    side.cidr_block_set.iter().filter_map(|block| net(block.cidr_block.as_ref())).chain(net(side.cidr_block.as_ref())).collect()
}
