//! EC2's types.

use aws_sdk_ec2::types as sdk;

use super::{Shape, shapes};
use crate::snapshot::ec2;

shapes! { sdk, ec2;
    Reservation => Reservation { reservation_id, owner_id, requester_id, instances };
    Instance => Instance { instance_id, image_id, state, instance_type, architecture, platform, platform_details, usage_operation,
        placement, vpc_id, subnet_id, private_ip_address, public_ip_address, source_dest_check, security_groups, network_interfaces,
        iam_instance_profile, metadata_options, operator, tags } times { launch_time };
    InstanceState => InstanceState { code, name };
    Placement => Placement { availability_zone, availability_zone_id };
    GroupIdentifier => GroupIdentifier { group_id, group_name };
    IamInstanceProfile => IamInstanceProfile { arn, id };
    InstanceMetadataOptionsResponse => MetadataOptions { state, http_tokens, http_put_response_hop_limit, http_endpoint,
        instance_metadata_tags };
    OperatorResponse => Operator { managed, principal, hidden_by_default };
    InstanceNetworkInterface => InstanceNetworkInterface { network_interface_id, subnet_id, vpc_id, owner_id, status,
        interface_type, private_ip_address, private_ip_addresses, ipv6_addresses, association, attachment, groups, source_dest_check };
    InstancePrivateIpAddress => InstancePrivateIpAddress { primary, private_ip_address, association };
    InstanceIpv6Address => InstanceIpv6Address { ipv6_address };
    NetworkInterfaceIpv6Address => InstanceIpv6Address { ipv6_address };
    SecurityGroupIdentifier => GroupIdentifier { group_id, group_name };
    NetworkInterfaceAssociation => NetworkInterfaceAssociation { public_ip, allocation_id, ip_owner_id, carrier_ip };
    InstanceNetworkInterfaceAttachment => InstanceNetworkInterfaceAttachment { attachment_id, device_index, network_card_index,
        status };
    InstanceImageMetadata => InstanceImageMetadata { instance_id, instance_type, owner_id, tags, image_metadata };
    ImageMetadata => ImageMetadata { image_id, name, owner_id, state, image_owner_alias, creation_date, deprecation_time, is_public
        };
    InstanceStatus => InstanceStatus { instance_id, instance_state, instance_status, system_status };
    InstanceStatusSummary => StatusSummary { status };
    Vpc => Vpc { vpc_id, owner_id, cidr_block, cidr_block_association_set, ipv6_cidr_block_association_set, dhcp_options_id,
        is_default, state, block_public_access_states, tags };
    VpcCidrBlockAssociation => VpcCidrBlockAssociation { association_id, cidr_block, cidr_block_state };
    VpcIpv6CidrBlockAssociation => VpcIpv6CidrBlockAssociation { association_id, ipv6_cidr_block, ipv6_cidr_block_state,
        ipv6_address_attribute };
    VpcCidrBlockState => VpcCidrBlockState { state };
    BlockPublicAccessStates => BlockPublicAccessStates { internet_gateway_block_mode };
    AttributeBooleanValue => AttributeBooleanValue { value };
    Subnet => Subnet { subnet_id, vpc_id, owner_id, cidr_block, ipv6_cidr_block_association_set, availability_zone,
        availability_zone_id, map_public_ip_on_launch, enable_dns64, ipv6_native, block_public_access_states, tags };
    SubnetIpv6CidrBlockAssociation => SubnetIpv6CidrBlockAssociation { ipv6_cidr_block };
    RouteTable => RouteTable { route_table_id, vpc_id, owner_id, associations, routes, tags };
    RouteTableAssociation => RouteTableAssociation { route_table_association_id, route_table_id, main, subnet_id, gateway_id,
        association_state };
    RouteTableAssociationState => RouteTableAssociationState { state };
    Route => Route { destination_cidr_block, destination_ipv6_cidr_block, destination_prefix_list_id, gateway_id, nat_gateway_id,
        instance_id, instance_owner_id, network_interface_id, egress_only_internet_gateway_id, transit_gateway_id,
        vpc_peering_connection_id, carrier_gateway_id, local_gateway_id, core_network_arn, odb_network_arn, ip_address, origin, state };
    SecurityGroup => SecurityGroup { group_id, group_name, vpc_id, owner_id, description, ip_permissions, ip_permissions_egress,
        tags };
    IpPermission => IpPermission { ip_protocol, from_port, to_port, ip_ranges, ipv6_ranges, prefix_list_ids, user_id_group_pairs };
    IpRange => IpRange { cidr_ip, description };
    Ipv6Range => Ipv6Range { cidr_ipv6, description };
    PrefixListId => PrefixListId { prefix_list_id, description };
    UserIdGroupPair => UserIdGroupPair { group_id, group_name, user_id, vpc_id, vpc_peering_connection_id, peering_status,
        description };
    NetworkAcl => NetworkAcl { network_acl_id, vpc_id, owner_id, is_default, associations, entries, tags };
    NetworkAclAssociation => NetworkAclAssociation { network_acl_association_id, network_acl_id, subnet_id };
    NetworkAclEntry => NetworkAclEntry { rule_number, egress, protocol, rule_action, cidr_block, ipv6_cidr_block, port_range };
    PortRange => PortRange { from, to };
    NetworkInterface => NetworkInterface { network_interface_id, subnet_id, vpc_id, owner_id, requester_id, requester_managed,
        availability_zone, description, interface_type, status, private_ip_address, private_ip_addresses, ipv6_addresses, association,
        attachment, groups, source_dest_check, tag_set };
    NetworkInterfacePrivateIpAddress => NetworkInterfacePrivateIpAddress { primary, private_ip_address, association };
    NetworkInterfaceAttachment => NetworkInterfaceAttachment { attachment_id, instance_id, instance_owner_id, device_index, status };
    VpcEndpoint => VpcEndpoint { vpc_endpoint_id, vpc_endpoint_type, vpc_id, owner_id, service_name, service_region, state,
        policy_document, route_table_ids, subnet_ids, groups, ip_address_type, dns_options, private_dns_enabled, requester_managed,
        network_interface_ids, dns_entries, tags };
    DnsOptions => DnsOptions { dns_record_ip_type, private_dns_only_for_inbound_resolver_endpoint };
    DnsEntry => DnsEntry { dns_name, hosted_zone_id };
    ServiceDetail => ServiceDetail { service_name, service_id, service_type, availability_zones, owner, private_dns_name,
        private_dns_names, vpc_endpoint_policy_supported };
    ServiceTypeDetail => ServiceTypeDetail { service_type };
    PrivateDnsDetails => PrivateDnsDetails { private_dns_name };
    PrefixList => PrefixList { prefix_list_id, prefix_list_name, cidrs };
    ManagedPrefixList => ManagedPrefixList { prefix_list_id, prefix_list_name, prefix_list_arn, address_family, owner_id,
        max_entries, version, state, tags };
    PrefixListEntry => PrefixListEntry { cidr, description };
    NatGateway => NatGateway { nat_gateway_id, vpc_id, subnet_id, state, connectivity_type, availability_mode, auto_provision_zones, route_table_id,
        nat_gateway_addresses, attached_appliances, tags };
    NatGatewayAddress => NatGatewayAddress { allocation_id, network_interface_id, private_ip, public_ip, is_primary, status,
        availability_zone, availability_zone_id };
    NatGatewayAttachedAppliance => AttachedAppliance { r#type, appliance_arn, vpc_endpoint_id, attachment_state };
    InternetGateway => InternetGateway { internet_gateway_id, owner_id, attachments, tags };
    InternetGatewayAttachment => InternetGatewayAttachment { vpc_id, state };
    EgressOnlyInternetGateway => EgressOnlyInternetGateway { egress_only_internet_gateway_id, attachments, tags };
    DhcpOptions => DhcpOptions { dhcp_options_id, owner_id, dhcp_configurations, tags };
    DhcpConfiguration => DhcpConfiguration { key, values };
    AttributeValue => AttributeValue { value };
    VpcPeeringConnection => VpcPeeringConnection { vpc_peering_connection_id, accepter_vpc_info, requester_vpc_info, status, tags }
        times { expiration_time };
    VpcPeeringConnectionVpcInfo => VpcPeeringConnectionVpcInfo { cidr_block, cidr_block_set, ipv6_cidr_block_set, owner_id, vpc_id,
        region };
    CidrBlock => CidrBlock { cidr_block };
    Ipv6CidrBlock => Ipv6CidrBlock { ipv6_cidr_block };
    VpcPeeringConnectionStateReason => VpcPeeringConnectionStateReason { code, message };
    VpnGateway => VpnGateway { vpn_gateway_id, state, r#type, vpc_attachments, tags };
    VpcAttachment => VpcAttachment { vpc_id, state };
    TransitGateway => TransitGateway { transit_gateway_id, transit_gateway_arn, state, owner_id, options, tags };
    TransitGatewayOptions => TransitGatewayOptions { association_default_route_table_id, propagation_default_route_table_id,
        default_route_table_association, default_route_table_propagation, dns_support, security_group_referencing_support,
        encryption_support };
    EncryptionSupport => EncryptionSupport { encryption_state };
    TransitGatewayVpcAttachment => TransitGatewayVpcAttachment { transit_gateway_attachment_id, transit_gateway_id, vpc_id,
        vpc_owner_id, state, subnet_ids, options, tags };
    TransitGatewayVpcAttachmentOptions => TransitGatewayVpcAttachmentOptions { dns_support, security_group_referencing_support,
        ipv6_support, appliance_mode_support };
    TransitGatewayRouteTable => TransitGatewayRouteTable { transit_gateway_route_table_id, transit_gateway_id, state,
        default_association_route_table, default_propagation_route_table, tags };
    TransitGatewayPolicyTable => TransitGatewayPolicyTable { transit_gateway_policy_table_id, transit_gateway_id, state, tags };
    TransitGatewayRoute => TransitGatewayRoute { destination_cidr_block, prefix_list_id, r#type, state, transit_gateway_attachments
        };
    TransitGatewayRouteAttachment => TransitGatewayRouteAttachment { resource_id, resource_type, transit_gateway_attachment_id };
    TransitGatewayRouteTableAssociation => TransitGatewayRouteTableAssociation { transit_gateway_attachment_id, resource_id,
        resource_type, state };
    TransitGatewayRouteTablePropagation => TransitGatewayRouteTablePropagation { transit_gateway_attachment_id, resource_id,
        resource_type, state };
    VpcBlockPublicAccessOptions => VpcBlockPublicAccessOptions { aws_account_id, aws_region, state, internet_gateway_block_mode,
        exclusions_allowed, managed_by };
    VpcBlockPublicAccessExclusion => VpcBlockPublicAccessExclusion { exclusion_id, resource_arn, internet_gateway_exclusion_mode,
        state, tags };
    VpcEncryptionControl => VpcEncryptionControl { vpc_encryption_control_id, vpc_id, mode, state, state_message, resource_exclusions,
        tags };
    VpcEncryptionControlExclusions => VpcEncryptionControlExclusions { internet_gateway, egress_only_internet_gateway, nat_gateway,
        virtual_private_gateway, vpc_peering, lambda, vpc_lattice, elastic_file_system };
    VpcEncryptionControlExclusion => VpcEncryptionControlExclusion { state, state_message };
}

impl Shape<ec2::Tag> for sdk::Tag {
    fn shape(self) -> ec2::Tag {
        ec2::Tag { key: self.key.unwrap_or_default(), value: self.value.unwrap_or_default() }
    }
}

/// The instance's view of an association knows no allocation.
impl Shape<ec2::NetworkInterfaceAssociation> for sdk::InstanceNetworkInterfaceAssociation {
    fn shape(self) -> ec2::NetworkInterfaceAssociation {
        ec2::NetworkInterfaceAssociation {
            public_ip: self.public_ip,
            allocation_id: None,
            ip_owner_id: self.ip_owner_id,
            carrier_ip: self.carrier_ip,
        }
    }
}
