//! What happens to a part of a target at the next hop of its route: endpoint, NAT gateway, internet gateway, or something not modelled.

use super::dns;
use super::endpoint_policy;
use super::local;
use super::nat;
use super::route::{NextHop, Share};
use super::set::IntervalSet;
use super::source::Source;
use super::trace::Trace;
use super::verdict::{Code, Decision, HopKind, Place, Target, Via};
use crate::model::is_word;
use crate::model::known::{Known, Unknown};
use crate::snapshot::ec2::{NetworkAcl, Subnet};

pub(super) const HTTPS: u32 = 443;

/// Follows one share of a target past its route.
pub(super) fn follow(trace: &mut Trace, source: &Source<'_, '_>, share: &Share<'_>, table: &str, target: Target) {
    trace.via = via(share.next_hop);
    let destination = &share.destination;
    if share.is_blackhole {
        trace.via = Via::None;
        let detail = format!("has a dead route to {destination}: {} does not exist any more", share.next_hop.id());
        trace.hop(HopKind::RouteTable, table, Decision::Block, detail.clone());
        trace.block(Code::BadStateRoute, table, detail, route_place(source, table, Some(destination)));
        return;
    }
    if share.next_hop == NextHop::Nothing {
        let detail = format!("has no route for {}", trace.describe(&trace.addresses));
        trace.hop(HopKind::RouteTable, table, Decision::Block, detail.clone());
        trace.block(Code::NoRouteToDestination, table, detail, route_place(source, table, None));
        return;
    }
    trace.doubt_if(share.doubt(table));
    trace.hop(HopKind::RouteTable, table, Decision::Pass, format!("the route to {destination} leads to {}", share.next_hop.id()));
    match share.next_hop {
        NextHop::Endpoint(id) => gateway_endpoint(trace, source, id, target),
        NextHop::InternetGateway(id) => internet_gateway(trace, source, id),
        NextHop::NatGateway(id) => nat::nat_gateway(trace, source, id, target),
        NextHop::Peering(id) => {
            let detail = "carries traffic to the peer VPC's own addresses only";
            trace.hop(HopKind::Other, id, Decision::Block, detail);
            trace.block(Code::PcxRequiresAddressInVpcCidr, id, detail, route_place(source, table, Some(destination)));
        }
        NextHop::Local => {
            unmodelled(trace, "local", "unsupported_target", "an address of the VPC that is no endpoint's answers for the name");
        }
        NextHop::TransitGateway(id) => {
            unmodelled(
                trace,
                id,
                "transit_gateway_not_modelled",
                "check the path beyond the transit gateway by hand: this version does not model it",
            );
        }
        NextHop::VirtualPrivateGateway(id) => {
            unmodelled(trace, id, "on_prem", "check that the network behind the gateway leads to the service");
        }
        NextHop::Interface(id) => nat_instance(trace, source, id),
        NextHop::Unmodelled(id) => unmodelled(
            trace,
            id,
            "unsupported_target",
            "check by hand where this route leads: its target is of a kind that is not modelled",
        ),
        NextHop::Nothing => {}
    }
}

fn via(next_hop: NextHop<'_>) -> Via {
    match next_hop {
        NextHop::Endpoint(_) => Via::GatewayEndpoint,
        NextHop::InternetGateway(_) => Via::InternetGateway,
        NextHop::NatGateway(_) => Via::NatGateway,
        NextHop::Peering(_) => Via::Peering,
        NextHop::TransitGateway(_) => Via::TransitGateway,
        NextHop::VirtualPrivateGateway(_) => Via::VirtualPrivateGateway,
        NextHop::Interface(_) => Via::NetworkInterface,
        NextHop::Local | NextHop::Unmodelled(_) => Via::Other,
        NextHop::Nothing => Via::None,
    }
}

fn route_place(source: &Source<'_, '_>, table: &str, destination: Option<&str>) -> Place {
    Place::Route {
        route_table: table.to_owned(),
        subnet: source.subnet_id.to_owned(),
        vpc: source.vpc_id.to_owned(),
        destination: destination.map(str::to_owned),
    }
}

pub(super) fn unmodelled(trace: &mut Trace, resource: &str, code: &str, settled_by: &str) {
    trace.hop(HopKind::Other, resource, Decision::Unknown, settled_by);
    trace.doubt([Unknown::new(code, resource, settled_by)]);
}

/// An instance that forwards: what the guest does with the traffic no API shows.
pub(super) fn nat_instance(trace: &mut Trace, source: &Source<'_, '_>, id: &str) {
    if local::drops_what_it_is_to_forward(source, id) {
        trace.hop(HopKind::Other, id, Decision::Block, local::CHECKS);
        trace.block(Code::EniSourceDestCheckRestriction, id, local::CHECKS, Place::Other);
        return;
    }
    let interface = source.home.interface(id);
    let is_of_instance = interface.known().and_then(|interface| interface.attachment.as_ref()?.instance_id.as_ref()).is_some();
    let code = if is_of_instance { "os_forwarding" } else { "nat_appliance" };
    unmodelled(trace, id, code, "check that what stands behind the interface forwards the traffic");
}

pub(super) fn gateway_endpoint(trace: &mut Trace, source: &Source<'_, '_>, id: &str, target: Target) {
    let kind = HopKind::GatewayEndpoint;
    match source.home.endpoint(id) {
        Known::Unknown(why) => {
            trace.hop(kind, id, Decision::Unknown, "the endpoints of the VPC are not known");
            trace.doubt(why);
        }
        Known::Known(None) => {
            let detail = "does not exist any more".to_owned();
            trace.hop(kind, id, Decision::Block, detail.clone());
            trace.block(Code::BadState, id, detail, Place::EndpointState { endpoint: id.to_owned() });
        }
        Known::Known(Some(endpoint)) if is_word(endpoint.vpc_endpoint_type.as_ref(), "GatewayLoadBalancer") && !dns::is_down(endpoint) => {
            trace.via = Via::GatewayLoadBalancerEndpoint;
            unmodelled(
                trace,
                id,
                "gwlb_appliance",
                "check that the appliances behind the Gateway Load Balancer endpoint let the traffic pass",
            );
        }
        Known::Known(Some(endpoint)) => {
            if dns::is_down(endpoint) {
                let detail = format!("is {}, not available", endpoint.state.as_deref().unwrap_or_default());
                trace.hop(kind, id, Decision::Block, detail.clone());
                trace.block(Code::BadState, id, detail, Place::EndpointState { endpoint: id.to_owned() });
                return;
            }
            match dns::doubtful_state(endpoint) {
                None => trace.hop(kind, id, Decision::Pass, "the gateway endpoint is available"),
                doubt => trace.doubt(doubt),
            }
            dns_of_gateway_endpoint(trace, source, id);
            trace.doubt_if(endpoint_policy::doubt(endpoint, target));
        }
    }
}

/// A gateway endpoint needs the VPC's DNS support; DNS host names are asked for by the documentation alone
/// (<https://docs.aws.amazon.com/vpc/latest/privatelink/gateway-endpoints.html>).
fn dns_of_gateway_endpoint(trace: &mut Trace, source: &Source<'_, '_>, id: &str) {
    let vpc = source.vpc_id;
    match source.home.dns_support(vpc) {
        Known::Known(true) => {}
        Known::Known(false) => {
            let place = Place::VpcAttribute { vpc: vpc.to_owned(), attribute: "enableDnsSupport" };
            trace.block(Code::DnsVpcAttributeOff, vpc, "has enableDnsSupport off, and a gateway endpoint needs it", place);
        }
        Known::Unknown(why) => trace.doubt(why),
    }
    if source.home.dns_hostnames(vpc).is(&false) {
        trace.notes.push(format!(
            "enableDnsHostnames of {vpc} is off; AWS asks for it with gateway endpoint {id}, though traffic passes without."
        ));
    }
}

fn internet_gateway(trace: &mut Trace, source: &Source<'_, '_>, id: &str) {
    leave_by_internet_gateway(trace, source, id, Some(source.subnet), Crossing::Direct);
    local::comes_back(trace, source, id, &IntervalSet::address(source.address));
    if !source.has_public_address {
        let detail = "has no public IPv4 address, so the internet gateway drops what it sends".to_owned();
        trace.hop(HopKind::InternetGateway, id, Decision::Block, detail.clone());
        trace.block(
            Code::IgwPublicIpAssociationForEgress,
            source.interface,
            detail,
            Place::PublicAddress { interface: source.interface.to_owned() },
        );
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Crossing {
    Direct,
    Nat,
}

/// Leaves the VPC: the gateway is attached, and Block Public Access lets the traffic through.
pub(super) fn leave_by_internet_gateway(trace: &mut Trace, source: &Source<'_, '_>, id: &str, subnet: Option<&Subnet>, crossing: Crossing) {
    let kind = HopKind::InternetGateway;
    match source.home.internet_gateway(id) {
        Known::Unknown(why) => {
            trace.hop(kind, id, Decision::Unknown, "the internet gateways are not known");
            trace.doubt(why);
        }
        Known::Known(gateway) => {
            let attachments = gateway.map(|gateway| gateway.attachments.as_slice()).unwrap_or_default();
            let is_up = |state: &str| state.eq_ignore_ascii_case("available") || state.eq_ignore_ascii_case("attached");
            // Half an attachment may be one or not.
            let is_attached = attachments
                .iter()
                .filter(|attachment| attachment.vpc_id.as_deref().is_none_or(|vpc| vpc == source.vpc_id))
                .filter(|attachment| attachment.state.as_deref().is_none_or(is_up))
                .map(|attachment| attachment.vpc_id.is_some() && attachment.state.is_some())
                .max();
            if is_attached == Some(false) {
                let settled_by = "collect ec2-describe-internet-gateways.json again: an attachment lacks its VpcId or State";
                trace.hop(kind, id, Decision::Unknown, settled_by);
                trace.doubt([Unknown::new("fact_not_collected", id, settled_by)]);
            } else if is_attached == Some(true) {
                trace.hop(kind, id, Decision::Pass, format!("attached to {}", source.vpc_id));
            } else {
                let detail = format!("is not attached to {}", source.vpc_id);
                trace.hop(kind, id, Decision::Block, detail.clone());
                trace.block(Code::BadState, id, detail, Place::Other);
            }
        }
    }
    match block_mode(source, subnet) {
        Known::Unknown(why) => trace.doubt(why),
        Known::Known(mode) => {
            let is_blocked = match mode {
                BlockMode::Off => false,
                BlockMode::Ingress => crossing == Crossing::Direct,
                BlockMode::Bidirectional => true,
            };
            if is_blocked {
                let resource = subnet.and_then(|subnet| subnet.subnet_id.as_deref()).unwrap_or(source.vpc_id);
                let detail = "is under VPC Block Public Access".to_owned();
                trace.hop(kind, id, Decision::Block, detail.clone());
                trace.block(Code::VpcBlockPublicAccessEnabled, resource, detail, Place::Other);
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BlockMode {
    Off,
    Ingress,
    Bidirectional,
}

/// The effective mode of VPC Block Public Access for a subnet, or for the VPC as a whole: AWS's own field where it is there, else from options and exclusions
/// (<https://docs.aws.amazon.com/vpc/latest/userguide/security-vpc-bpa-basics.html>).
fn block_mode(source: &Source<'_, '_>, subnet: Option<&Subnet>) -> Known<BlockMode> {
    let parse = |mode: &str| match mode.to_ascii_lowercase().as_str() {
        "off" => Some(BlockMode::Off),
        "block-ingress" => Some(BlockMode::Ingress),
        "block-bidirectional" => Some(BlockMode::Bidirectional),
        _ => None,
    };
    let unreadable = |mode: &str| {
        Known::unknown("fact_not_collected", mode, "check the mode of VPC Block Public Access by hand: its value is not known here")
    };
    let states = subnet.and_then(|subnet| subnet.block_public_access_states.as_ref()).or(source.vpc.block_public_access_states.as_ref());
    if let Some(mode) = states.and_then(|states| states.internet_gateway_block_mode.as_deref()) {
        return parse(mode).map_or_else(|| unreadable(mode), Known::Known);
    }
    let Some(options) = &source.home.files.block_public_access else {
        return Known::Unknown(vec![source.home.not_collected("ec2:DescribeVpcBlockPublicAccessOptions")]);
    };
    let mode = options.vpc_block_public_access_options.internet_gateway_block_mode.as_deref().unwrap_or("off");
    let mode = match parse(mode) {
        Some(BlockMode::Off) => return Known::Known(BlockMode::Off),
        Some(mode) => mode,
        None => return unreadable(mode),
    };
    let Some(exclusions) = &source.home.files.block_public_access_exclusions else {
        return Known::Unknown(vec![source.home.not_collected("ec2:DescribeVpcBlockPublicAccessExclusions")]);
    };
    let subnet_id = subnet.and_then(|subnet| subnet.subnet_id.as_deref()).unwrap_or_default();
    let of = |id: &str| {
        exclusions.vpc_block_public_access_exclusions.iter().find(|exclusion| {
            let is_live =
                exclusion.state.as_deref().is_none_or(|state| state.ends_with("create-complete") || state.ends_with("update-complete"));
            is_live && exclusion.resource_arn.as_deref().is_some_and(|arn| arn.rsplit('/').next() == Some(id))
        })
    };
    let allows = of(subnet_id).or_else(|| of(source.vpc_id)).and_then(|exclusion| exclusion.internet_gateway_exclusion_mode.as_deref());
    Known::Known(match allows {
        Some("allow-bidirectional") => BlockMode::Off,
        Some("allow-egress") => BlockMode::Ingress,
        _ => mode,
    })
}

pub(super) fn bounds(ports: &IntervalSet) -> (u32, u32) {
    let first = ports.ranges().first().map_or(0, |&(first, _)| first);
    let last = ports.ranges().last().map_or(0, |&(_, last)| last);
    (first, last)
}

/// What a network ACL was asked about, and what of it the ACL takes.
pub(super) struct Denied<'d> {
    pub(super) is_egress: bool,
    /// The remote ends, as the ACL's entries see them.
    pub(super) addresses: &'d IntervalSet,
    pub(super) ports: &'d IntervalSet,
    /// The ports that were asked about.
    pub(super) asked: &'d IntervalSet,
    pub(super) deniers: &'d str,
}

/// Names a network ACL that takes some flows.
pub(super) fn blame_acl(trace: &mut Trace, acl: &NetworkAcl, denied: &Denied<'_>) {
    const MOST_BLOCKS: usize = 20;
    let id = acl.network_acl_id.as_deref().unwrap_or_default().to_owned();
    let direction = if denied.is_egress { "outbound to" } else { "inbound from" };
    let detail = format!("denies TCP {} {direction} {} ({})", denied.ports.as_ports(), trace.describe(denied.addresses), denied.deniers);
    let is_part_of_target =
        !trace.addresses.intersection(denied.addresses).is_empty() && !trace.addresses.difference(denied.addresses).is_empty();
    let code = match () {
        () if denied.ports != denied.asked => Code::EphemeralPartial,
        () if is_part_of_target => Code::PrefixListPartial,
        () => Code::SubnetAclRestriction,
    };
    let blocks = denied.addresses.to_nets();
    let addresses =
        if blocks.len() > MOST_BLOCKS { vec!["0.0.0.0/0".to_owned()] } else { blocks.iter().map(ToString::to_string).collect() };
    let place = Place::NetworkAcl { acl: id.clone(), egress: denied.is_egress, addresses, ports: bounds(denied.ports) };
    trace.hop(HopKind::NetworkAcl, &id, Decision::Block, detail.clone());
    trace.blame(code, &id, detail, place);
}
