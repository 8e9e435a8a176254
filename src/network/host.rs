//! Hosts of the user's own in a VPC, such as a mirror: their interface lets the traffic in or not, as any interface does.

use ipnet::IpNet;

use super::boundary::{self, Crossing};
use super::egress::pass_groups;
use super::goal::AnsweredBy;
use super::ingress::{Guarded, enter_interface};
use super::journey::{CameBy, Journey, SenderKind};
use super::position::Position;
use super::security_group::{self, Direction};
use super::set::IntervalSet;
use super::source::group_ids;
use super::trace::Trace;
use super::verdict::{Destination, HopKind, Place};
use crate::model::known::Known;
use crate::model::{Region, address, is_word, net};
use crate::snapshot::ec2::{NetworkInterface, UserIdGroupPair};

/// To addresses of the VPC in which the traffic is.
pub(super) fn arrive(trace: &mut Trace, journey: &Journey<'_, '_, '_>) {
    let at = &journey.at;
    let own = at.addresses();
    if at.subnet.is_some() && trace.addresses.intersection(&own).is_empty() {
        journey.leave_subnet(trace);
    }
    if at.home.files.network_interfaces.is_none() {
        trace.doubt([at.home.not_collected("ec2:DescribeNetworkInterfaces")]);
        return;
    }
    let Some(interface) = in_vpc(at, &trace.addresses) else {
        let addresses = trace.addresses.as_addresses();
        let settled_by = format!("check by hand what has {addresses} in {}: no single interface that was seen does", at.vpc_id);
        trace.unclear(HopKind::Other, "local", "unsupported_target", settled_by);
        return;
    };
    let Some(position) = trace.told(at.subnet(interface.subnet_id.as_deref().unwrap_or_default())) else { return };
    let groups = group_ids(&interface.groups);
    leave_for(trace, journey, carried(journey, interface).as_ref());
    enter(trace, journey, position.home, interface, &groups);
    // Inside a subnet there are no routes and no network ACLs, and beside the attachment the ACL does not see what comes from the transit gateway.
    if !position.is_in_subnet_of(at) {
        boundary::cross(trace, &position, &[Crossing::In], &journey.sender.ends);
    }
    if !position.is_in_subnet_of(&journey.sender.position) {
        journey.come_back(trace, &position, position.table());
    }
}

/// The one interface in the VPC that has these addresses.
pub(super) fn in_vpc<'a>(at: &Position<'_, 'a>, addresses: &IntervalSet) -> Option<&'a NetworkInterface> {
    let interfaces = at.home.files.network_interfaces.iter().flat_map(|file| &file.network_interfaces);
    let is_it = |interface: &&NetworkInterface| {
        interface.vpc_id.as_deref() == Some(at.vpc_id) && holds(interface).is_some_and(|all| addresses.difference(&all).is_empty())
    };
    let mut found = interfaces.filter(is_it);
    found.next().filter(|_| found.next().is_none())
}

/// The private IPv4 addresses of an interface.
fn holds(interface: &NetworkInterface) -> Option<IntervalSet> {
    let more = interface.private_ip_addresses.iter().map(|own| own.private_ip_address.as_ref());
    let all = more.chain([interface.private_ip_address.as_ref()]).filter_map(address);
    all.map(IntervalSet::address).reduce(|left, right| left.union(&right))
}

/// The addresses that have a security group, of the interfaces in the VPC: whom a rule means that refers to it. What has an address of the VPC at which
/// no interface was seen, or one that shows no groups, may have it too: it is looked at when it is reached. In a peer's VPC that may be anybody.
pub(super) fn members(at: &Position<'_, '_>, pair: &UserIdGroupPair) -> Known<IntervalSet> {
    if let Some(id) = &pair.vpc_peering_connection_id {
        return peer_of(at, id);
    }
    let interfaces = at.home.files.network_interfaces.iter().flat_map(|file| &file.network_interfaces);
    let seen = interfaces.filter(|interface| interface.vpc_id.as_deref() == Some(at.vpc_id) && shows_groups(interface));
    let lacks = seen.filter(|interface| !interface.groups.iter().any(|own| own.group_id == pair.group_id));
    let others = lacks.filter_map(holds).fold(IntervalSet::empty(), |sum, own| sum.union(&own));
    Known::Known(IntervalSet::nets(&at.nets).difference(&others))
}

/// The addresses on the other side of a peering connection.
fn peer_of(at: &Position<'_, '_>, id: &str) -> Known<IntervalSet> {
    let Some(file) = &at.home.files.peering_connections else {
        return Known::Unknown(vec![at.home.not_collected("ec2:DescribeVpcPeeringConnections")]);
    };
    let mut connections = file.vpc_peering_connections.iter();
    let found = connections.find(|connection| connection.vpc_peering_connection_id.as_deref() == Some(id));
    let sides = found.into_iter().flat_map(|connection| connection.accepter_vpc_info.iter().chain(&connection.requester_vpc_info));
    let beyond = sides.filter(|side| side.vpc_id.as_deref() != Some(at.vpc_id));
    let blocks = beyond.flat_map(|side| {
        let ipv6 = side.ipv6_cidr_block_set.iter().map(|block| &block.ipv6_cidr_block);
        side.cidr_block_set.iter().map(|block| &block.cidr_block).chain([&side.cidr_block]).chain(ipv6)
    });
    let nets: Vec<IpNet> = blocks.filter_map(|block| net(block.as_ref())).collect();
    if nets.is_empty() {
        return Known::unknown("fact_not_collected", id, format!("collect {id} again: which addresses are behind it is not told"));
    }
    Known::Known(IntervalSet::nets(&nets))
}

/// Through the security groups of an interface, inbound.
pub(super) fn enter(trace: &mut Trace, journey: &Journey<'_, '_, '_>, home: &Region<'_>, interface: &NetworkInterface, groups: &[String]) {
    let id = interface.network_interface_id.as_deref().unwrap_or_default();
    let is_balancer = is_balancer(interface);
    if is_balancer {
        let settled_by = format!("check that the targets of the load balancer at {id} answer: what it does with traffic was not looked at");
        trace.unclear(HopKind::Other, id, "unsupported_target", settled_by);
    }
    // Without security groups a load balancer lets everybody in.
    if is_balancer && groups.is_empty() {
        return;
    }
    let names = groups.join(", ");
    enter_interface(trace, journey, Guarded { home, groups, id, hop: (HopKind::SecurityGroup, &names) }, |_| Place::Other);
}

fn is_balancer(interface: &NetworkInterface) -> bool {
    is_word(interface.interface_type.as_ref(), "network_load_balancer")
}

/// Whether the groups that an interface shows are all that it has: a load balancer may have none.
fn shows_groups(interface: &NetworkInterface) -> bool {
    let are_told = interface.groups.iter().all(|group| group.group_id.is_some());
    are_told && (is_balancer(interface) || !interface.groups.is_empty())
}

/// The groups by which a rule of the instance's may mean an interface that is reached: in the VPC itself, or over peering within a Region
/// (<https://docs.aws.amazon.com/vpc/latest/tgw/tgw-vpc-attachments.html#vpc-attachment-security>,
/// <https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-security-groups.html>). `None` where any may be.
fn carried(journey: &Journey<'_, '_, '_>, interface: &NetworkInterface) -> Option<Vec<String>> {
    let keeps_references = match journey.came_by {
        CameBy::Start => true,
        CameBy::Peering { is_same_region, .. } => is_same_region,
        CameBy::TransitGateway { .. } => false,
    };
    if !keeps_references || journey.sender.kind != SenderKind::Instance {
        return Some(Vec::new());
    }
    shows_groups(interface).then(|| group_ids(&interface.groups))
}

/// Out of the instance once more, to a host of the user's that another instance is to forward to: by such a way no rule means anybody by a group
/// (<https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html#security-group-referencing>).
pub(super) fn leave_by_forwarder(trace: &mut Trace, journey: &Journey<'_, '_, '_>) {
    if journey.end.is_none() && matches!(journey.goal.answered_by, AnsweredBy::Addresses(_)) {
        leave_for(trace, journey, Some(&Vec::new()));
    }
}

/// Out of the instance once more, to a host of which it is known by which groups rules may mean it, or that this is not known (`None`).
fn leave_for(trace: &mut Trace, journey: &Journey<'_, '_, '_>, groups: Option<&Vec<String>>) {
    let (source, goal, addresses) = (journey.source, journey.goal, trace.addresses.clone());
    let carriers = |pair: &UserIdGroupPair| {
        let Some(groups) = groups else {
            let settled_by = format!("collect the network interface at {} again: its groups are not told", addresses.as_addresses());
            return Known::unknown("fact_not_collected", addresses.as_addresses(), settled_by);
        };
        let is_carried = pair.group_id.as_ref().is_some_and(|group| groups.contains(group));
        Known::Known(if is_carried { addresses.clone() } else { IntervalSet::empty() })
    };
    let sieve =
        |members| security_group::allowed(source.region, &source.groups, Direction::Egress, goal.protocol, goal.port, members).sieve;
    let (first, again) = (sieve(&|pair| members(&source.position, pair)), sieve(&carriers));
    // What no rule lets out, whomever it means, was told at the start.
    if !first.must.difference(&again.must).intersection(&addresses).is_empty() {
        let to = Destination::Blocks(addresses.to_nets().iter().map(ToString::to_string).collect());
        pass_groups(trace, source, goal, &to, &carriers);
    }
}
