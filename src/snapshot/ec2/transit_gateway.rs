//! Transit gateways, their attachments and tables.

use std::collections::BTreeMap;

use super::Tag;
use crate::snapshot::shape::{output, shape};

output! {
    /// `aws ec2 describe-transit-gateways`
    pub struct DescribeTransitGateways { transit_gateways: Vec<TransitGateway> }
    /// `aws ec2 describe-transit-gateway-vpc-attachments`
    pub struct DescribeTransitGatewayVpcAttachments { transit_gateway_vpc_attachments: Vec<TransitGatewayVpcAttachment> }
    /// `aws ec2 describe-transit-gateway-policy-tables`
    pub struct DescribeTransitGatewayPolicyTables { transit_gateway_policy_tables: Vec<TransitGatewayPolicyTable> }
    /// `aws ec2 describe-transit-gateway-route-tables`
    pub struct DescribeTransitGatewayRouteTables { transit_gateway_route_tables: Vec<TransitGatewayRouteTable> }
    /// `aws ec2 search-transit-gateway-routes`, by the table's id
    pub struct SearchTransitGatewayRoutes { transit_gateway_routes: BTreeMap<String, Vec<TransitGatewayRoute>> }
    /// `aws ec2 get-transit-gateway-route-table-associations`, by the table's id
    pub struct GetTransitGatewayRouteTableAssociations { associations: BTreeMap<String, Vec<TransitGatewayRouteTableAssociation>> }
    /// `aws ec2 get-transit-gateway-route-table-propagations`, by the table's id
    pub struct GetTransitGatewayRouteTablePropagations {
        transit_gateway_route_table_propagations: BTreeMap<String, Vec<TransitGatewayRouteTablePropagation>>,
    }
}

shape! {
    pub struct TransitGateway {
        transit_gateway_id: Option<String>,
        transit_gateway_arn: Option<String>,
        state: Option<String>,
        owner_id: Option<String>,
        options: Option<TransitGatewayOptions>,
        tags: Vec<Tag>,
    }
    pub struct TransitGatewayOptions {
        association_default_route_table_id: Option<String>,
        propagation_default_route_table_id: Option<String>,
        default_route_table_association: Option<String>,
        default_route_table_propagation: Option<String>,
        dns_support: Option<String>,
        security_group_referencing_support: Option<String>,
        encryption_support: Option<EncryptionSupport>,
    }
    pub struct EncryptionSupport { encryption_state: Option<String> }
    pub struct TransitGatewayVpcAttachment {
        transit_gateway_attachment_id: Option<String>,
        transit_gateway_id: Option<String>,
        vpc_id: Option<String>,
        vpc_owner_id: Option<String>,
        state: Option<String>,
        subnet_ids: Vec<String>,
        options: Option<TransitGatewayVpcAttachmentOptions>,
        tags: Vec<Tag>,
    }
    pub struct TransitGatewayVpcAttachmentOptions {
        dns_support: Option<String>,
        security_group_referencing_support: Option<String>,
        ipv6_support: Option<String>,
        appliance_mode_support: Option<String>,
    }
    pub struct TransitGatewayRouteTable {
        transit_gateway_route_table_id: Option<String>,
        transit_gateway_id: Option<String>,
        state: Option<String>,
        default_association_route_table: Option<bool>,
        default_propagation_route_table: Option<bool>,
        tags: Vec<Tag>,
    }
    pub struct TransitGatewayPolicyTable {
        transit_gateway_policy_table_id: Option<String>,
        transit_gateway_id: Option<String>,
        state: Option<String>,
        tags: Vec<Tag>,
    }
    pub struct TransitGatewayRoute {
        destination_cidr_block: Option<String>,
        prefix_list_id: Option<String>,
        r#type: Option<String>,
        state: Option<String>,
        transit_gateway_attachments: Vec<TransitGatewayRouteAttachment>,
    }
    pub struct TransitGatewayRouteAttachment { resource_id: Option<String>, resource_type: Option<String>, transit_gateway_attachment_id: Option<String> }
    pub struct TransitGatewayRouteTableAssociation { transit_gateway_attachment_id: Option<String>, resource_id: Option<String>, resource_type: Option<String>, state: Option<String> }
    pub struct TransitGatewayRouteTablePropagation { transit_gateway_attachment_id: Option<String>, resource_id: Option<String>, resource_type: Option<String>, state: Option<String> }
}
