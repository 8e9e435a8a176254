//! Interface endpoints: each of their interfaces is an answer that DNS may give, guarded by its network ACL and its security groups.
//!
//! Source: <https://docs.aws.amazon.com/vpc/latest/privatelink/create-interface-endpoint.html>.

use std::net::IpAddr;

use ipnet::IpNet;

use super::boundary::{self, Crossing};
use super::dns::Reached;
use super::egress::leave_interface;
use super::encryption;
use super::endpoint_policy;
use super::ingress::{Guarded, enter_interface};
use super::journey::Journey;
use super::local;
use super::next_hop;
use super::position::{self, Position};
use super::route::NextHop;
use super::set::IntervalSet;
use super::source::group_ids;
use super::trace::Trace;
use super::verdict::{Code, Decision, Destination, Hop, HopKind, Place, Verdict, Via, assumption};
use super::world::World;
use crate::model::known::{Known, Unknown};
use crate::model::{address, is_word};
use crate::snapshot::ec2::{NetworkInterface, UserIdGroupPair, VpcEndpoint};

/// One network interface of an endpoint.
#[derive(Debug)]
pub(super) struct End<'r, 'a> {
    address: IpAddr,
    position: Position<'r, 'a>,
    groups: Vec<String>,
    endpoint: &'a VpcEndpoint,
}

/// The verdict if the name leads to an endpoint. `journey` is at its start.
pub(super) fn judge(journey: &Journey<'_, '_, '_>, reached: &Reached<'_, '_>, because: &str, range: (u16, u16)) -> World {
    let source = journey.source;
    let endpoint = reached.endpoint;
    let name = Hop {
        resource: journey.goal.host.clone(),
        kind: HopKind::Name,
        decision: Decision::Pass,
        because: because.to_owned(),
        way: Vec::new(),
    };
    let ends = match ends(reached, source.address.is_ipv6()) {
        Known::Known(ends) => ends,
        Known::Unknown(why) => {
            let mut trace = Trace::new(IntervalSet::family_of(source.address), range, false);
            trace.doubt(why);
            let to = Destination::Groups(group_ids(&endpoint.groups));
            leave_interface(&mut trace, source, journey.goal, &to, &|_| Known::Known(IntervalSet::everything()));
            trace.via = Via::InterfaceEndpoint;
            return World::of_anywhere(trace, vec![name]);
        }
    };
    if ends.is_empty() && journey.at.subnet.and_then(|subnet| subnet.enable_dns64) != Some(false) {
        let mut trace = Trace::new(IntervalSet::family_of(source.address), range, false);
        let id = endpoint.vpc_endpoint_id.as_deref().unwrap_or_default();
        let settled_by =
            "check by hand whether a NAT gateway leads to the endpoint: DNS64 gives its IPv4 address a form that only one understands";
        trace.unclear(HopKind::InterfaceEndpoint, id, "nat64_to_endpoint", settled_by);
        return World::of_anywhere(trace, vec![name]);
    }
    if ends.is_empty() {
        let id = endpoint.vpc_endpoint_id.as_deref().unwrap_or_default();
        let detail = format!("has no IPv6 address for {}, and the instance has no IPv4 address", journey.goal.host);
        return World::nameless(Code::DnsNoIpv6Address, id, detail, Place::Other);
    }
    let all = ends.iter().fold(IntervalSet::empty(), |sum, end| sum.union(&IntervalSet::address(end.address)));
    let name = Hop { because: format!("{}: {because}", all.as_addresses()), ..name };
    let traces: Vec<Trace> = ends.iter().map(|end| to_end(journey, end, &ends, range)).collect();
    let mut world = World::of(&traces, &all, true, vec![name]);
    name_who_is_cut_off(&mut world, &ends, &traces);
    if reached.addresses.is_none() {
        world.notes.extend(is_of_other_zone(journey, endpoint, &ends));
    }
    if ends.len() > 1 && world.verdict == Verdict::Partial {
        world.notes.push(assumption(85, "DNS may answer with any of the endpoint's interfaces"));
    }
    world
}

/// That the endpoint stands in other zones than the instance, which keeps no traffic back
/// (<https://docs.aws.amazon.com/vpc/latest/privatelink/privatelink-access-aws-services.html>).
fn is_of_other_zone(journey: &Journey<'_, '_, '_>, endpoint: &VpcEndpoint, ends: &[End<'_, '_>]) -> Option<String> {
    let own = journey.at.zone()?;
    let is_elsewhere = |end: &End<'_, '_>| end.position.is_in_vpc_of(&journey.at) && end.position.zone().is_some_and(|zone| zone != own);
    let id = endpoint.vpc_endpoint_id.as_deref().unwrap_or_default();
    ends.iter().all(is_elsewhere).then(|| {
        format!("{id} has no interface in {own}, the instance's Availability Zone: where it answers, the traffic crosses to another one, and fails with that one.")
    })
}

/// Where some of the interfaces alone cannot be reached, says which.
fn name_who_is_cut_off(world: &mut World, ends: &[End<'_, '_>], traces: &[Trace]) {
    for blocker in &mut world.blockers {
        let blocked = ends.iter().zip(traces).filter(|(_, trace)| trace.blockers.contains(blocker)).map(|(end, _)| end.address);
        let blocked: Vec<String> = blocked.map(|address| address.to_string()).collect();
        if blocked.len() < ends.len() {
            blocker.detail = format!("{}, on the way to {}", blocker.detail, blocked.join(", "));
        }
    }
}

/// From the instance to one interface: inside its VPC, or by its subnet's routes into another one.
fn to_end(journey: &Journey<'_, '_, '_>, end: &End<'_, '_>, all: &[End<'_, '_>], range: (u16, u16)) -> Trace {
    let source = journey.source;
    let here = &journey.at;
    let mut trace = Trace::new(IntervalSet::address(end.address), range, false);
    trace.via = Via::InterfaceEndpoint;
    let is_here = end.position.is_in_vpc_of(here);
    let onward = Journey { end: Some(end), ..journey.clone() };
    let first = next_hop_toward(&onward);
    // Over peering within a Region groups may refer to groups.
    let is_peered_in_region = matches!(first, Some(NextHop::Peering(_))) && end.position.home.name == source.region.name;
    let keeps_references = is_here || is_peered_in_region;
    let members = |pair: &UserIdGroupPair| {
        let group = pair.group_id.as_deref().unwrap_or_default();
        let carriers = all.iter().filter(|end| keeps_references && end.groups.iter().any(|own| own == group));
        Known::Known(carriers.fold(IntervalSet::empty(), |sum, end| sum.union(&IntervalSet::address(end.address))))
    };
    // An outbound rule that refers to a group means nobody behind a transit gateway or in another Region.
    let to = if keeps_references {
        Destination::Groups(end.groups.clone())
    } else {
        Destination::Blocks(all.iter().map(|end| IpNet::from(end.address).to_string()).collect())
    };
    leave_interface(&mut trace, source, journey.goal, &to, &members);
    if !is_here {
        trace.via = Via::Other;
        let mut inner = trace.part(&trace.addresses);
        onward.route_on(&mut inner, here.table());
        trace.via = first_via(first);
        trace.join(vec![vec![inner]], Vec::new());
        return trace;
    }
    if !end.position.is_in_subnet_of(here) {
        let ends = &journey.sender.ends;
        // What stands in the subnet itself and is to send it on is on this side of the boundary.
        if !matches!(first, Some(NextHop::Interface(id)) if next_hop::stands_beside(journey, id)) {
            boundary::cross(&mut trace, here, &[Crossing::Out, Crossing::BackIn], ends);
        }
        let there = trace.addresses.clone();
        local::stays_local(&mut trace, here, here.table(), &there);
        boundary::cross(&mut trace, &end.position, &[Crossing::In, Crossing::BackOut], ends);
        local::stays_local(&mut trace, &end.position, end.position.table(), &ends.sender);
    }
    enter(&mut trace, journey, end);
    trace
}

fn first_via(first: Option<NextHop<'_>>) -> Via {
    match first {
        // A gateway endpoint leads to no private address.
        Some(NextHop::Endpoint(_)) => Via::GatewayLoadBalancerEndpoint,
        first => first.map_or(Via::None, next_hop::via),
    }
}

/// The next hop of the instance's own table toward the interface, where there is one for sure.
fn next_hop_toward<'a>(journey: &Journey<'_, '_, 'a>) -> Option<NextHop<'a>> {
    let table = *journey.at.table().known()?;
    let splits = journey.split(table, &IntervalSet::address(journey.end?.address), false);
    let [split] = splits.as_slice() else { return None };
    let [share] = split.shares.as_slice() else { return None };
    Some(share.next_hop)
}

/// In the VPC of the interface, after a way through other VPCs: over the boundary of its subnet, and back the way it came.
pub(super) fn arrive(trace: &mut Trace, journey: &Journey<'_, '_, '_>) {
    let Some(end) = journey.end else { return };
    if !end.position.is_in_vpc_of(&journey.at) {
        let vpc = journey.at.vpc_id;
        let settled_by = format!(
            "check by hand what answers at {} in {vpc}: the endpoint is in {}",
            trace.addresses.as_addresses(),
            end.position.vpc_id
        );
        trace.unclear(HopKind::Other, vpc, "unsupported_target", settled_by);
        return;
    }
    let ends = &journey.sender.ends;
    // Beside the attachment the network ACL does not see what comes from the transit gateway.
    if !end.position.is_in_subnet_of(&journey.at) {
        journey.leave_subnet(trace);
        boundary::cross(trace, &end.position, &[Crossing::In], ends);
    }
    enter(trace, journey, end);
    journey.come_back(trace, &end.position, end.position.table());
}

/// Past the endpoint's security groups, and its policy.
fn enter(trace: &mut Trace, journey: &Journey<'_, '_, '_>, end: &End<'_, '_>) {
    let source = journey.source;
    let endpoint = end.endpoint.vpc_endpoint_id.as_deref().unwrap_or_default();
    let hop = (HopKind::InterfaceEndpoint, endpoint);
    enter_interface(trace, journey, Guarded { home: end.position.home, groups: &end.groups, id: endpoint, hop }, |comer| {
        Place::EndpointIngress {
            endpoint: endpoint.to_owned(),
            groups: end.groups.clone(),
            from_address: comer.address,
            from_groups: comer.groups,
        }
    });
    encryption::meet_endpoint(trace, &end.position, HopKind::InterfaceEndpoint, endpoint, journey.goal.port);
    endpoint_policy::pass(trace, source.estate, source.region.account, end.endpoint, journey.goal);
}

/// The interfaces of an endpoint, those of the asked family alone; none of them when it has no address of the family.
fn ends<'r, 'a>(reached: &Reached<'r, 'a>, is_ipv6: bool) -> Known<Vec<End<'r, 'a>>> {
    let endpoint = reached.endpoint;
    let id = endpoint.vpc_endpoint_id.as_deref().unwrap_or_default();
    let again = |file: &str, what: &str| Unknown::new("fact_not_collected", id, format!("collect {file} again: {what}"));
    let account = reached.home.account;
    let vpc = match position::vpc_of(Some(reached.home), account, endpoint.vpc_id.as_deref().unwrap_or_default()) {
        Known::Known(vpc) => vpc,
        Known::Unknown(why) => return Known::Unknown(why),
    };
    let record_type = endpoint.dns_options.as_ref().and_then(|options| options.dns_record_ip_type.as_ref());
    // `service-defined` gives IPv6 addresses to the endpoint's own names, and to its private ones none
    // (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DnsOptionsSpecification.html>).
    let answers_ipv4_alone = is_word(record_type, "ipv4") || (reached.is_private_name && is_word(record_type, "service-defined"));
    if is_ipv6 && answers_ipv4_alone && reached.addresses.is_none() {
        return Known::Known(Vec::new());
    }
    let answers_ipv6_alone = is_word(record_type, "ipv6");
    if !is_ipv6 && answers_ipv6_alone && reached.addresses.is_none() {
        let settled_by = format!("check what the name resolves to: {id} publishes IPv6 addresses alone, and the instance uses IPv4");
        return Known::unknown("dns_record_ip_type", id, settled_by);
    }
    let mut ends = Vec::new();
    let mut missing = Vec::new();
    for interface in &endpoint.network_interface_ids {
        let interface = match reached.home.interface(interface) {
            Known::Known(interface) => interface,
            Known::Unknown(why) => {
                missing.extend(why);
                continue;
            }
        };
        let Some(address) = address_of(interface, is_ipv6) else {
            if !is_ipv6 {
                missing.push(again("ec2-describe-network-interfaces.json", "an address or subnet is missing"));
            }
            continue;
        };
        if reached.addresses.as_ref().is_some_and(|named| !named.contains(&address)) {
            continue;
        }
        let position = interface.subnet_id.as_deref().map(|subnet| vpc.subnet(subnet));
        match position {
            Some(Known::Known(position)) => {
                let groups = if interface.groups.is_empty() { group_ids(&endpoint.groups) } else { group_ids(&interface.groups) };
                ends.push(End { address, position, groups, endpoint });
            }
            Some(Known::Unknown(why)) => missing.extend(why),
            None => missing.push(again("ec2-describe-network-interfaces.json", "an address or subnet is missing")),
        }
    }
    if endpoint.network_interface_ids.is_empty() {
        missing.push(again("ec2-describe-vpc-endpoints.json", "the endpoint shows no network interfaces"));
    }
    if is_ipv6 && record_type.is_none() && reached.addresses.is_none() && !ends.is_empty() {
        missing.push(again("ec2-describe-vpc-endpoints.json", "DnsRecordIpType is missing"));
    }
    ends.sort_by_key(|end| end.address);
    if missing.is_empty() { Known::Known(ends) } else { Known::Unknown(missing) }
}

fn address_of(interface: &NetworkInterface, is_ipv6: bool) -> Option<IpAddr> {
    if is_ipv6 {
        interface.ipv6_addresses.iter().filter_map(|ipv6| address(ipv6.ipv6_address.as_ref())).min()
    } else {
        address(interface.private_ip_address.as_ref())
    }
}
