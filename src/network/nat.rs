//! NAT gateways: the network ACL of their subnet, and the way on and back by their own route table.
//!
//! Sources: <https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-basics.html>,
//! <https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateways-regional.html>.

use super::local;
use super::network_acl;
use super::next_hop::{Crossing, Denied, HTTPS, blame_acl, bounds, gateway_endpoint, leave_by_internet_gateway, nat_instance, unmodelled};
use super::route::{self, NextHop, Share};
use super::set::{FlowSet, IntervalSet};
use super::source::Source;
use super::trace::{NAT_PORTS, Sieve, Trace};
use super::verdict::{Blocker, Code, Decision, Hop, HopKind, Place, Target};
use crate::model::known::{Known, Unknown};
use crate::model::{is_word, net};
use crate::snapshot::ec2::{NatGateway, NatGatewayAddress, RouteTable, Subnet};

pub(super) fn nat_gateway(trace: &mut Trace, source: &Source<'_, '_>, id: &str, target: Target) {
    let kind = HopKind::NatGateway;
    let nat = match source.home.nat_gateway(id) {
        Known::Known(nat) => nat,
        Known::Unknown(why) => {
            trace.hop(kind, id, Decision::Unknown, "the NAT gateways are not known");
            trace.doubt(why);
            return;
        }
    };
    let state = nat.map_or(Some("deleted"), |nat| nat.state.as_deref());
    let Some(nat) = nat.filter(|_| state.is_none_or(|state| state.eq_ignore_ascii_case("available"))) else {
        let detail = format!("is {}, not available", state.unwrap_or_default());
        trace.hop(kind, id, Decision::Block, detail.clone());
        trace.block(Code::BadState, id, detail, Place::Other);
        return;
    };
    if state.is_none() {
        trace.doubt([Unknown::new("fact_not_collected", id, "collect ec2-describe-nat-gateways.json again: the gateway has no State")]);
    } else {
        trace.hop(kind, id, Decision::Pass, "the NAT gateway is available");
    }
    if !nat.attached_appliances.is_empty() {
        unmodelled(trace, id, "nat_appliance", "check that the appliance attached to the NAT gateway lets the traffic pass");
    }
    let subnet_id = nat.subnet_id.as_deref();
    if is_word(nat.availability_mode.as_ref(), "regional") {
        regional_nat_gateway(trace, source, nat, target);
    } else if let Some(subnet_id) = subnet_id {
        match source.home.subnet(subnet_id) {
            Known::Known(subnet) => {
                if subnet_id != source.subnet_id {
                    acl_of_nat_subnet(trace, source, subnet);
                }
                let table = source.home.route_table(subnet_id, source.vpc_id);
                beyond_nat(trace, source, nat, table, Some(subnet), target);
            }
            Known::Unknown(why) => trace.doubt(why),
        }
    } else {
        let settled_by = "collect ec2-describe-nat-gateways.json again: the gateway has no SubnetId";
        trace.doubt([Unknown::new("fact_not_collected", id, settled_by)]);
    }
}

/// A regional NAT gateway stands in no subnet and passes no network ACL of its own; it has a route table
/// (<https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateways-regional.html>, assumption A-100).
fn regional_nat_gateway(trace: &mut Trace, source: &Source<'_, '_>, nat: &NatGateway, target: Target) {
    let id = nat.nat_gateway_id.as_deref().unwrap_or_default();
    let Some(table) = nat.route_table_id.as_deref() else {
        let settled_by = "collect ec2-describe-nat-gateways.json again: the regional gateway has no RouteTableId";
        trace.doubt([Unknown::new("fact_not_collected", id, settled_by)]);
        return;
    };
    let serves = |address: &NatGatewayAddress| {
        let by_id = address.availability_zone_id.is_some() && address.availability_zone_id == source.subnet.availability_zone_id;
        by_id || (address.availability_zone.is_some() && address.availability_zone == source.subnet.availability_zone)
    };
    // While AWS provides the zones itself, another zone serves until the instance's own has an address.
    if !is_word(nat.auto_provision_zones.as_ref(), "enabled") && !nat.nat_gateway_addresses.iter().any(serves) {
        let zone = source.subnet.availability_zone.as_deref().unwrap_or("the instance's Availability Zone");
        let settled_by = format!("give {id} an address in {zone}: AWS does not say whether another zone's serves it");
        trace.hop(HopKind::NatGateway, id, Decision::Unknown, settled_by.clone());
        trace.doubt([Unknown::new("regional_nat_az", id, settled_by)]);
    }
    beyond_nat(trace, source, nat, source.home.route_table_by_id(table), None, target);
}

/// The network ACL of the NAT gateway's subnet, four times: in from the instance, out to the service, back in on the gateway's own ports,
/// back out to the instance (<https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-troubleshooting.html>).
fn acl_of_nat_subnet(trace: &mut Trace, source: &Source<'_, '_>, subnet: &Subnet) {
    let subnet_id = subnet.subnet_id.as_deref().unwrap_or_default();
    let acl = match source.home.network_acl(subnet_id) {
        Known::Known(acl) => acl,
        Known::Unknown(why) => {
            trace.doubt(why);
            return;
        }
    };
    let instance = IntervalSet::address(source.address);
    let https = IntervalSet::range(HTTPS, HTTPS);
    let ports = trace.ports.clone();
    let targets = trace.addresses.clone();
    let in_from_instance = network_acl::filter(acl, false, &instance, &https);
    let out_to_service = network_acl::filter(acl, true, &targets, &https);
    let back_in = network_acl::filter(acl, false, &targets, &IntervalSet::range(NAT_PORTS.0, NAT_PORTS.1));
    let back_out = network_acl::filter(acl, true, &instance, &ports);
    let filtered = [&in_from_instance, &out_to_service, &back_in, &back_out];
    if let Some(why) = filtered.iter().find_map(|filtered| match filtered {
        Known::Unknown(why) => Some(why.clone()),
        Known::Known(_) => None,
    }) {
        trace.doubt(why);
        return;
    }
    if let Known::Known(filtered) = in_from_instance
        && filtered.allowed.is_empty()
    {
        trace.sift(&Sieve::nothing());
        blame_acl(
            trace,
            acl,
            &Denied { is_egress: false, addresses: &instance, ports: &https, asked: &https, deniers: &filtered.deniers() },
        );
    }
    if let Known::Known(filtered) = out_to_service {
        let taken = trace.sift(&Sieve::known(filtered.allowed.addresses()));
        if !taken.is_empty() {
            blame_acl(
                trace,
                acl,
                &Denied { is_egress: true, addresses: &taken, ports: &https, asked: &https, deniers: &filtered.deniers() },
            );
        }
    }
    if let Known::Known(filtered) = back_in {
        let taken = trace.sift_nat_flows(&filtered.allowed);
        if !taken.is_empty() {
            let denied = Denied {
                is_egress: false,
                addresses: &taken.addresses(),
                ports: &taken.ports(),
                asked: &IntervalSet::range(NAT_PORTS.0, NAT_PORTS.1),
                deniers: &filtered.deniers(),
            };
            blame_acl(trace, acl, &denied);
        }
    }
    if let Known::Known(filtered) = back_out {
        let taken = trace.sift_flows(&FlowSet::product(&targets, &filtered.allowed.ports()));
        if !taken.is_empty() {
            let denied =
                Denied { is_egress: true, addresses: &instance, ports: &taken.ports(), asked: &ports, deniers: &filtered.deniers() };
            blame_acl(trace, acl, &denied);
        }
    }
}

/// The NAT gateway's own route table must lead on: to an internet gateway, or to the gateway endpoint in it. `subnet` is where the
/// gateway stands; a regional one stands in none.
fn beyond_nat(
    trace: &mut Trace,
    source: &Source<'_, '_>,
    nat: &NatGateway,
    table: Known<&RouteTable>,
    subnet: Option<&Subnet>,
    target: Target,
) {
    let table = match table {
        Known::Known(table) => table,
        Known::Unknown(why) => {
            trace.doubt(why);
            return;
        }
    };
    local::stays_local(trace, source, Known::Known(table), &IntervalSet::address(source.address));
    let table_id = table.route_table_id.as_deref().unwrap_or_default();
    let splits = route::split(source.home, table, &source.vpc_nets, &trace.addresses, trace.avoids_aws_lists);
    let ways: Vec<Way> = splits.iter().map(|split| way_on(source, nat, table_id, &split.shares, trace, subnet, target)).collect();
    // Which of two overlapping prefix lists AWS follows is not known: what every way lets through surely passes.
    let must = ways.iter().map(|way| way.passed.must.clone()).reduce(|left, right| left.intersection(&right)).unwrap_or_default();
    let may = ways.iter().fold(IntervalSet::empty(), |sum, way| sum.union(&way.passed.may));
    if ways.windows(2).any(|pair| matches!(pair, [left, right] if left.passed.may != right.passed.may)) {
        trace.unknowns.extend(splits.iter().flat_map(|split| split.depends_on.iter().cloned()));
    }
    let is_surely_blocked = may.is_empty();
    for (number, way) in ways.iter().enumerate() {
        let is_sure = |blocker: &&Blocker| is_surely_blocked || ways.iter().all(|other| other.blockers.contains(blocker));
        trace.blockers.extend(way.blockers.iter().filter(is_sure).cloned());
        trace.unknowns.extend(way.unknowns.iter().cloned());
        if number == 0 {
            trace.hops.extend(way.hops.iter().cloned());
            trace.notes.extend(way.notes.iter().cloned());
        }
    }
    trace.blockers.dedup();
    trace.sift(&Sieve { must, may });
}

/// What becomes of the traffic behind the NAT gateway, if AWS routes it in one certain way.
struct Way {
    passed: Sieve,
    blockers: Vec<Blocker>,
    unknowns: Vec<Unknown>,
    hops: Vec<Hop>,
    notes: Vec<String>,
}

fn way_on(
    source: &Source<'_, '_>,
    nat: &NatGateway,
    table_id: &str,
    shares: &[Share<'_>],
    trace: &Trace,
    subnet: Option<&Subnet>,
    target: Target,
) -> Way {
    let nat_id = nat.nat_gateway_id.as_deref().unwrap_or_default();
    let is_private = is_word(nat.connectivity_type.as_ref(), "private");
    let mut way = Way { passed: Sieve::nothing(), blockers: Vec::new(), unknowns: Vec::new(), hops: Vec::new(), notes: Vec::new() };
    for share in shares {
        let mut part = Trace::new(share.addresses.clone(), bounds(&trace.ports), trace.avoids_aws_lists);
        part.doubt_if(share.doubt(table_id));
        match share.next_hop {
            _ if share.is_blackhole => {
                let detail = format!("has a dead route to {}, which {nat_id} needs", share.destination);
                part.block(Code::BadStateRoute, table_id, detail, Place::Other);
            }
            NextHop::Nothing => {
                let detail = format!("gives {nat_id} no route to the internet");
                part.block(Code::NoRouteToDestination, table_id, detail, Place::Other);
            }
            NextHop::InternetGateway(id) if is_private => {
                let detail = format!("is a private NAT gateway, and {id} drops what it sends");
                part.block(Code::IgwPublicIpAssociationForEgress, nat_id, detail, Place::Other);
            }
            NextHop::InternetGateway(id) => {
                leave_by_internet_gateway(&mut part, source, id, subnet, Crossing::Nat);
                local::comes_back(&mut part, source, id, &where_it_stands(source, subnet));
            }
            NextHop::Endpoint(id) => gateway_endpoint(&mut part, source, id, target),
            NextHop::NatGateway(id) => {
                let detail = format!("leads {nat_id} on to {id}: a NAT gateway cannot send through another one, or through itself");
                part.block(Code::CannotRoute, table_id, detail, Place::Other);
            }
            NextHop::Peering(id) => {
                let detail = format!("carries traffic to the peer VPC's own addresses only, and {nat_id} is routed through it");
                part.block(Code::PcxRequiresAddressInVpcCidr, id, detail, Place::Other);
            }
            NextHop::Interface(id) => nat_instance(&mut part, source, id),
            NextHop::Local | NextHop::TransitGateway(_) | NextHop::VirtualPrivateGateway(_) | NextHop::Unmodelled(_) => {
                unmodelled(
                    &mut part,
                    share.next_hop.id(),
                    "unsupported_target",
                    "check by hand where the route of the NAT gateway's table leads",
                );
            }
        }
        let (must, may) = part.passing();
        way.passed = Sieve { must: way.passed.must.union(&must), may: way.passed.may.union(&may) };
        way.blockers.extend(part.blockers);
        way.unknowns.extend(part.unknowns);
        way.hops.extend(part.hops);
        way.notes.extend(part.notes);
    }
    way
}

/// The addresses that a NAT gateway may have: its subnet's, or for a regional one any of the VPC's.
fn where_it_stands(source: &Source<'_, '_>, subnet: Option<&Subnet>) -> IntervalSet {
    match subnet.and_then(|subnet| net(subnet.cidr_block.as_ref())) {
        Some(block) => IntervalSet::net(block),
        None => IntervalSet::nets(&source.vpc_nets),
    }
}
