//! By what traffic of other networks may come into a VPC: attachments of transit gateways, peering connections, virtual private gateways; core networks, local
//! gateways and appliances, as far as the VPC's routes show them.

use super::position::Position;
use super::transit_gateway::carries;
use crate::snapshot::ec2::{Route, TransitGatewayVpcAttachment, VpcAttachment, VpcPeeringConnection};

/// Whether there may be another edge than the attachment to this transit gateway.
pub(super) fn has_another(vpc: &Position<'_, '_>, gateway: &str) -> bool {
    let files = vpc.home.files;
    let is_it = |id: &Option<String>| id.as_deref() == Some(vpc.vpc_id);
    let mut attachments = files.transit_gateway_attachments.iter().flat_map(|file| &file.transit_gateway_vpc_attachments);
    let is_to_another = |attachment: &TransitGatewayVpcAttachment| {
        let is_down = carries(attachment.state.as_deref()) == Some(false);
        is_it(&attachment.vpc_id) && attachment.transit_gateway_id.as_deref() != Some(gateway) && !is_down
    };
    let is_peering = |connection: &VpcPeeringConnection| {
        let code = connection.status.as_ref().and_then(|status| status.code.as_deref());
        let mut sides = connection.accepter_vpc_info.iter().chain(&connection.requester_vpc_info);
        code.is_none_or(|code| code.eq_ignore_ascii_case("active")) && sides.any(|side| is_it(&side.vpc_id))
    };
    let is_attached = |attachment: &VpcAttachment| is_it(&attachment.vpc_id) && attachment.state.as_deref() != Some("detached");
    let is_edge = |route: &Route| is_to_core_network(route) || route.local_gateway_id.is_some() || appliance_of(route).is_some();
    attachments.any(is_to_another)
        || files.peering_connections.as_ref().is_none_or(|file| file.vpc_peering_connections.iter().any(is_peering))
        || files
            .vpn_gateways
            .as_ref()
            .is_none_or(|file| file.vpn_gateways.iter().flat_map(|gateway| &gateway.vpc_attachments).any(is_attached))
        || vpc.home.files.route_tables.is_none()
        || routes(vpc).any(is_edge)
}

/// Whether an edge may stand in the subnet itself: what comes in by it does not meet the subnet's network ACL.
pub(super) fn may_stand_in(subnet: &Position<'_, '_>) -> bool {
    let attachments = subnet.home.files.transit_gateway_attachments.as_ref();
    let is_here = |attachment: &TransitGatewayVpcAttachment| attachment.subnet_ids.iter().any(|id| id == subnet.subnet_id());
    let is_appliance_here = |id: &str| {
        let interface = subnet.home.interface(id).into_known();
        interface.is_none_or(|interface| interface.subnet_id.as_deref() == Some(subnet.subnet_id()))
    };
    attachments.is_none_or(|file| file.transit_gateway_vpc_attachments.iter().any(is_here))
        || subnet.home.files.route_tables.is_none()
        || routes(subnet).any(|route| is_to_core_network(route) || appliance_of(route).is_some_and(is_appliance_here))
}

/// The routes of the VPC's tables.
fn routes<'a>(vpc: &Position<'_, 'a>) -> impl Iterator<Item = &'a Route> {
    let tables = vpc.home.files.route_tables.iter().flat_map(|file| &file.route_tables);
    tables.filter(|table| table.vpc_id.as_deref() == Some(vpc.vpc_id)).flat_map(|table| &table.routes)
}

/// A core network's attachment has subnets that no answer of EC2 shows.
fn is_to_core_network(route: &Route) -> bool {
    route.core_network_arn.is_some()
}

/// The interface of an instance that forwards, and may have a tunnel of its own.
fn appliance_of(route: &Route) -> Option<&str> {
    route.network_interface_id.as_deref()
}
