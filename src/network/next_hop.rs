//! What happens to a part of a target at the next hop of its route.

use super::encryption::{self, Exit};
use super::endpoint_policy;
use super::goal::not_public_ipv4;
use super::host;
use super::interface_endpoint;
use super::internet;
use super::journey::{CameBy, Journey, SenderKind};
use super::nat;
use super::nat_instance;
use super::peering;
use super::position::Position;
use super::private_dns;
use super::route::{NextHop, Share};
use super::trace::Trace;
use super::transit_answers;
use super::transit_gateway;
use super::verdict::{Code, Decision, HopKind, Place, Via};
use crate::model::known::Known;
use crate::model::{Assumption, is_word};

/// Follows one share of a target past its route.
pub(super) fn follow(trace: &mut Trace, journey: &Journey<'_, '_, '_>, share: &Share<'_>, table: &str) {
    trace.via = via(share.next_hop);
    trace.route = Some(share.destination.clone());
    let destination = &share.destination;
    // A transit gateway and a local address see the boundary of the subnet in their own way, and so does a NAT gateway beside the attachment. What
    // stands in the subnet itself is on this side of it.
    let is_own_boundary = match share.next_hop {
        NextHop::Local | NextHop::TransitGateway(_) => true,
        NextHop::NatGateway(id) => nat::stands_beside_attachment(journey, id),
        NextHop::Interface(id) => stands_beside(journey, id),
        _ => false,
    };
    if !is_own_boundary {
        journey.leave_subnet_by(trace, Some(share.next_hop));
    }
    if share.is_blackhole {
        trace.via = Via::None;
        let detail = match journey.sender.kind {
            SenderKind::NatGateway { id, .. } | SenderKind::NatInstance { id, .. } => {
                format!("has a dead route to {destination}, which {id} needs")
            }
            SenderKind::Instance => format!("has a dead route to {destination}: {} does not exist any more", share.next_hop.id()),
        };
        trace.stop(HopKind::RouteTable, Code::BadStateRoute, table, detail, route_place(journey, table, Some(destination)));
        return;
    }
    if share.next_hop == NextHop::Nothing {
        let detail = match journey.sender.kind {
            SenderKind::NatGateway { id, .. } | SenderKind::NatInstance { id, .. } => format!("gives {id} no route to the internet"),
            SenderKind::Instance => format!("has no route for {}", trace.describe(&trace.addresses)),
        };
        trace.stop(HopKind::RouteTable, Code::NoRouteToDestination, table, detail, route_place(journey, table, None));
        return;
    }
    trace.doubt_if(share.doubt(table));
    if share.next_hop == NextHop::Untold {
        let settled_by = format!("collect {table} again: its route to {destination} has no target");
        trace.unclear(HopKind::RouteTable, table, "fact_not_collected", settled_by);
        return;
    }
    trace.hop(HopKind::RouteTable, table, Decision::Pass, format!("the route to {destination} leads to {}", share.next_hop.id()));
    match share.next_hop {
        NextHop::Endpoint(id) => gateway_endpoint(trace, journey, id),
        NextHop::InternetGateway(id) => internet::gateway(trace, journey, id),
        NextHop::EgressOnlyGateway(id) => internet::egress_only_gateway(trace, journey, id),
        NextHop::NatGateway(id) => nat::nat_gateway(trace, journey, id, table),
        NextHop::Peering(id) => peering::carry(trace, journey, id, route_place(journey, table, Some(destination))),
        NextHop::TransitGateway(id) => transit_gateway::carry(trace, journey, id),
        NextHop::Local if journey.end.is_some() => interface_endpoint::arrive(trace, journey),
        NextHop::Local => host::arrive(trace, journey),
        NextHop::VirtualPrivateGateway(id) => {
            encryption::leave_by(trace, &journey.at, HopKind::Other, id, Exit::VirtualPrivateGateway);
            edge(trace, journey, &journey.at, id, "on_prem", "check that the network behind the gateway leads to the service");
        }
        NextHop::Interface(id) => nat_instance::forward(trace, journey, id),
        NextHop::Unmodelled(id) => {
            edge(
                trace,
                journey,
                &journey.at,
                id,
                "unsupported_target",
                "check by hand where this route leads: its target is of a kind that is not modelled",
            );
        }
        NextHop::Untold | NextHop::Nothing => {}
    }
}

/// Whether an interface is in the subnet in which the traffic is.
pub(super) fn stands_beside(journey: &Journey<'_, '_, '_>, id: &str) -> bool {
    let interface = journey.at.home.interface(id).into_known();
    journey.at.subnet.is_some() && interface.is_some_and(|interface| interface.subnet_id.as_deref() == Some(journey.at.subnet_id()))
}

pub(super) fn via(next_hop: NextHop<'_>) -> Via {
    match next_hop {
        NextHop::Endpoint(_) => Via::GatewayEndpoint,
        NextHop::InternetGateway(_) => Via::InternetGateway,
        NextHop::EgressOnlyGateway(_) => Via::EgressOnlyGateway,
        NextHop::NatGateway(_) => Via::NatGateway,
        NextHop::Peering(_) => Via::Peering,
        NextHop::TransitGateway(_) => Via::TransitGateway,
        NextHop::VirtualPrivateGateway(_) => Via::VirtualPrivateGateway,
        NextHop::Interface(_) => Via::NetworkInterface,
        NextHop::Local | NextHop::Unmodelled(_) | NextHop::Untold => Via::Other,
        NextHop::Nothing => Via::None,
    }
}

/// A route to change: of the instance's own subnet where a fix can be proposed, of another one by hand.
fn route_place(journey: &Journey<'_, '_, '_>, table: &str, destination: Option<&str>) -> Place {
    if !journey.is_at_start() {
        return Place::Other;
    }
    Place::Route {
        route_table: table.to_owned(),
        subnet: journey.at.subnet_id().to_owned(),
        vpc: journey.at.vpc_id.to_owned(),
        destination: destination.map(str::to_owned),
    }
}

/// Whether the user vouches for what lies behind an edge: that the internet does says nothing of private addresses.
pub(super) fn is_vouched(trace: &Trace, journey: &Journey<'_, '_, '_>, id: &str) -> bool {
    is_for_internet(trace, journey) && journey.assumptions.contains(&Assumption::LeadsToInternet(id.to_owned()))
}

fn is_for_internet(trace: &Trace, journey: &Journey<'_, '_, '_>) -> bool {
    journey.end.is_none() && trace.addresses.intersection(&not_public_ipv4()).is_empty()
}

/// The edge of what AWS shows: passed only where the user vouches for what lies behind it, which is the result. The answers come back to it, and go on
/// `from` where it stands.
pub(super) fn edge<'r, 'a>(
    trace: &mut Trace,
    journey: &Journey<'_, 'r, 'a>,
    from: &Position<'r, 'a>,
    id: &str,
    code: &str,
    settled_by: &str,
) -> bool {
    let is_vouched = is_vouched(trace, journey, id);
    if is_vouched {
        if !journey.is_in_vpc_of_sender() {
            journey.come_back(trace, from, from.table());
        }
        trace.hop(HopKind::Other, id, Decision::Pass, "assumed to lead to the internet and back");
    } else {
        let or_declare = if is_for_internet(trace, journey) && Assumption::may_name(id) {
            format!(", or declare --assume {id}=internet if you know that it leads there and back")
        } else {
            String::new()
        };
        if let CameBy::TransitGateway { id: gateway, .. } = journey.came_by
            && !journey.is_in_vpc_of_sender()
        {
            transit_answers::bring_by_any_edge(trace, journey, gateway);
        }
        trace.unclear(HopKind::Other, id, code, format!("{settled_by}{or_declare}"));
    }
    is_vouched
}

/// A gateway endpoint, which asks nothing of the VPC's DNS where the name led to its addresses
/// (<https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-s3.html>, "If you're using your own DNS server").
fn gateway_endpoint(trace: &mut Trace, journey: &Journey<'_, '_, '_>, id: &str) {
    let kind = HopKind::GatewayEndpoint;
    match journey.at.home.endpoint(id) {
        Known::Unknown(why) => {
            trace.hop(kind, id, Decision::Unknown, "the endpoints of the VPC are not known");
            trace.doubt(why);
        }
        Known::Known(None) => {
            let place = Place::EndpointState { endpoint: id.to_owned() };
            trace.stop(kind, Code::BadState, id, "does not exist any more", place);
        }
        Known::Known(Some(endpoint))
            if is_word(endpoint.vpc_endpoint_type.as_ref(), "GatewayLoadBalancer") && !private_dns::is_down(endpoint) =>
        {
            trace.via = Via::GatewayLoadBalancerEndpoint;
            encryption::leave_by(trace, &journey.at, kind, id, Exit::GatewayLoadBalancerEndpoint);
            // Such an endpoint stands in one subnet.
            let own = endpoint.subnet_ids.first().map(|subnet| journey.at.subnet(subnet)).and_then(Known::into_known);
            edge(
                trace,
                journey,
                &own.unwrap_or_else(|| journey.at.clone()),
                id,
                "gwlb_appliance",
                "check that the firewall or the appliances behind the Gateway Load Balancer endpoint let the traffic pass",
            );
        }
        Known::Known(Some(endpoint)) => {
            if private_dns::is_down(endpoint) {
                let detail = format!("is {}, not available", endpoint.state.as_deref().unwrap_or_default());
                trace.stop(kind, Code::BadState, id, detail, Place::EndpointState { endpoint: id.to_owned() });
                return;
            }
            // A gateway endpoint carries its own service's addresses, and nothing else does as a gateway endpoint does.
            let is_gateway = is_word(endpoint.vpc_endpoint_type.as_ref(), "Gateway");
            let is_of_s3 = endpoint.service_name.as_deref().and_then(|name| name.rsplit('.').next()) == Some("s3");
            if !(is_gateway && is_of_s3 && journey.goal.answered_by.is_s3() && journey.end.is_none()) {
                let settled_by = format!("check by hand what {id} does with the traffic: it is no gateway endpoint for these addresses");
                trace.unclear(HopKind::Other, id, "unsupported_target", settled_by);
                return;
            }
            if !journey.is_in_vpc_of_sender() {
                let detail = "serves its own VPC alone, and the traffic comes from another one";
                trace.stop(kind, Code::CannotRoute, id, detail, Place::Other);
                return;
            }
            match private_dns::doubtful_state(endpoint) {
                None => trace.hop(kind, id, Decision::Pass, "the gateway endpoint is available"),
                doubt => trace.doubt(doubt),
            }
            if journey.at.home.dns_hostnames(journey.at.vpc_id).is(&false) {
                trace.notes.push(format!(
                    "enableDnsHostnames of {} is off; where Amazon's DNS servers answer, AWS asks for it with gateway endpoint {id}, though traffic passes without.",
                    journey.at.vpc_id
                ));
            }
            encryption::meet_endpoint(trace, &journey.at, kind, id, journey.goal.port);
            endpoint_policy::pass(trace, journey.source.estate, journey.source.region.account, endpoint, journey.goal);
        }
    }
}
