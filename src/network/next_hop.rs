//! What happens to a part of a target at the next hop of its route: endpoint, NAT gateway, internet gateway, or something not modelled.

use super::dns;
use super::endpoint_policy;
use super::local;
use super::network_acl;
use super::route::{self, NextHop, Share};
use super::set::{FlowSet, IntervalSet};
use super::source::Source;
use super::trace::{NAT_PORTS, Sieve, Trace};
use super::verdict::{Blocker, Code, Decision, Hop, HopKind, Place, Target, Via};
use crate::model::known::{Known, Unknown};
use crate::model::{is_word, net};
use crate::snapshot::ec2::{NatGateway, NatGatewayAddress, NetworkAcl, RouteTable, Subnet};

const HTTPS: u32 = 443;

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
        NextHop::NatGateway(id) => nat_gateway(trace, source, id, target),
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

fn unmodelled(trace: &mut Trace, resource: &str, code: &str, settled_by: &str) {
    trace.hop(HopKind::Other, resource, Decision::Unknown, settled_by);
    trace.doubt([Unknown::new(code, resource, settled_by)]);
}

/// An instance that forwards: what the guest does with the traffic no API shows.
fn nat_instance(trace: &mut Trace, source: &Source<'_, '_>, id: &str) {
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

fn gateway_endpoint(trace: &mut Trace, source: &Source<'_, '_>, id: &str, target: Target) {
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
enum Crossing {
    Direct,
    Nat,
}

/// Leaves the VPC: the gateway is attached, and Block Public Access lets the traffic through.
fn leave_by_internet_gateway(trace: &mut Trace, source: &Source<'_, '_>, id: &str, subnet: Option<&Subnet>, crossing: Crossing) {
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

fn nat_gateway(trace: &mut Trace, source: &Source<'_, '_>, id: &str, target: Target) {
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
