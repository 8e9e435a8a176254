//! EC2's answers as the AWS CLI prints them: the members that are used, under AWS's own names.
//!
//! Values of enumerations stay strings: real answers hold values that no model lists. Compare them without regard to case.

mod transit_gateway;

use std::collections::BTreeMap;

pub use transit_gateway::*;

use super::shape::{output, shape};

output! {
    /// `aws ec2 describe-instances`
    pub struct DescribeInstances { reservations: Vec<Reservation> }
    /// `aws ec2 describe-instance-image-metadata`
    pub struct DescribeInstanceImageMetadata { instance_image_metadata: Vec<InstanceImageMetadata> }
    /// `aws ec2 describe-instance-status`
    pub struct DescribeInstanceStatus { instance_statuses: Vec<InstanceStatus> }
    /// `aws ec2 describe-vpcs`
    pub struct DescribeVpcs { vpcs: Vec<Vpc> }
    /// `aws ec2 describe-vpc-attribute`, one call a VPC and attribute, merged by VPC
    pub struct DescribeVpcAttribute { vpc_attributes: Vec<VpcAttribute> }
    /// `aws ec2 describe-subnets`
    pub struct DescribeSubnets { subnets: Vec<Subnet> }
    /// `aws ec2 describe-route-tables`
    pub struct DescribeRouteTables { route_tables: Vec<RouteTable> }
    /// `aws ec2 describe-security-groups`
    pub struct DescribeSecurityGroups { security_groups: Vec<SecurityGroup> }
    /// `aws ec2 describe-network-acls`
    pub struct DescribeNetworkAcls { network_acls: Vec<NetworkAcl> }
    /// `aws ec2 describe-network-interfaces`
    pub struct DescribeNetworkInterfaces { network_interfaces: Vec<NetworkInterface> }
    /// `aws ec2 describe-vpc-endpoints`
    pub struct DescribeVpcEndpoints { vpc_endpoints: Vec<VpcEndpoint> }
    /// `aws ec2 describe-vpc-endpoint-services`
    pub struct DescribeVpcEndpointServices {
        #[serde(default)]
        service_names: Vec<String>,
        #[serde(default)]
        service_details: Vec<ServiceDetail>,
    }
    /// `aws ec2 describe-prefix-lists`
    pub struct DescribePrefixLists { prefix_lists: Vec<PrefixList> }
    /// `aws ec2 describe-managed-prefix-lists`
    pub struct DescribeManagedPrefixLists { prefix_lists: Vec<ManagedPrefixList> }
    /// `aws ec2 get-managed-prefix-list-entries`, by the list's id
    pub struct GetManagedPrefixListEntries { prefix_list_entries: BTreeMap<String, Vec<PrefixListEntry>> }
    /// `aws ec2 describe-nat-gateways`
    pub struct DescribeNatGateways { nat_gateways: Vec<NatGateway> }
    /// `aws ec2 describe-internet-gateways`
    pub struct DescribeInternetGateways { internet_gateways: Vec<InternetGateway> }
    /// `aws ec2 describe-egress-only-internet-gateways`
    pub struct DescribeEgressOnlyInternetGateways { egress_only_internet_gateways: Vec<EgressOnlyInternetGateway> }
    /// `aws ec2 describe-dhcp-options`
    pub struct DescribeDhcpOptions { dhcp_options: Vec<DhcpOptions> }
    /// `aws ec2 describe-vpc-peering-connections`
    pub struct DescribeVpcPeeringConnections { vpc_peering_connections: Vec<VpcPeeringConnection> }
    /// `aws ec2 describe-vpn-gateways`
    pub struct DescribeVpnGateways { vpn_gateways: Vec<VpnGateway> }
    /// `aws ec2 describe-vpc-block-public-access-options`
    pub struct DescribeVpcBlockPublicAccessOptions { vpc_block_public_access_options: VpcBlockPublicAccessOptions }
    /// `aws ec2 describe-vpc-block-public-access-exclusions`
    pub struct DescribeVpcBlockPublicAccessExclusions { vpc_block_public_access_exclusions: Vec<VpcBlockPublicAccessExclusion> }
    /// `aws ec2 describe-vpc-encryption-controls`
    pub struct DescribeVpcEncryptionControls { vpc_encryption_controls: Vec<VpcEncryptionControl> }
}

shape! {
    pub struct Tag { key: String, value: String }

    pub struct Reservation { reservation_id: Option<String>, owner_id: Option<String>, requester_id: Option<String>, instances: Vec<Instance> }
    pub struct Instance {
        instance_id: Option<String>,
        image_id: Option<String>,
        state: Option<InstanceState>,
        instance_type: Option<String>,
        architecture: Option<String>,
        /// `windows`, or absent, which proves nothing.
        platform: Option<String>,
        platform_details: Option<String>,
        usage_operation: Option<String>,
        launch_time: Option<String>,
        placement: Option<Placement>,
        vpc_id: Option<String>,
        subnet_id: Option<String>,
        private_ip_address: Option<String>,
        public_ip_address: Option<String>,
        source_dest_check: Option<bool>,
        security_groups: Vec<GroupIdentifier>,
        network_interfaces: Vec<InstanceNetworkInterface>,
        iam_instance_profile: Option<IamInstanceProfile>,
        metadata_options: Option<MetadataOptions>,
        operator: Option<Operator>,
        tags: Vec<Tag>,
    }
    pub struct InstanceState { code: Option<i32>, name: Option<String> }
    pub struct Placement { availability_zone: Option<String>, availability_zone_id: Option<String> }
    pub struct GroupIdentifier { group_id: Option<String>, group_name: Option<String> }
    pub struct IamInstanceProfile { arn: Option<String>, id: Option<String> }
    pub struct MetadataOptions {
        state: Option<String>,
        http_tokens: Option<String>,
        http_put_response_hop_limit: Option<i32>,
        http_endpoint: Option<String>,
        instance_metadata_tags: Option<String>,
    }
    /// The AWS service that runs the instance for the customer (EKS Auto Mode, for one).
    pub struct Operator { managed: Option<bool>, principal: Option<String>, hidden_by_default: Option<bool> }
    pub struct InstanceNetworkInterface {
        network_interface_id: Option<String>,
        subnet_id: Option<String>,
        vpc_id: Option<String>,
        owner_id: Option<String>,
        status: Option<String>,
        interface_type: Option<String>,
        private_ip_address: Option<String>,
        private_ip_addresses: Vec<InstancePrivateIpAddress>,
        ipv6_addresses: Vec<InstanceIpv6Address>,
        association: Option<NetworkInterfaceAssociation>,
        attachment: Option<InstanceNetworkInterfaceAttachment>,
        groups: Vec<GroupIdentifier>,
        source_dest_check: Option<bool>,
    }
    pub struct InstancePrivateIpAddress { primary: Option<bool>, private_ip_address: Option<String>, association: Option<NetworkInterfaceAssociation> }
    pub struct InstanceIpv6Address { ipv6_address: Option<String> }
    pub struct NetworkInterfaceAssociation { public_ip: Option<String>, allocation_id: Option<String>, ip_owner_id: Option<String>, carrier_ip: Option<String> }
    pub struct InstanceNetworkInterfaceAttachment { attachment_id: Option<String>, device_index: Option<i32>, network_card_index: Option<i32>, status: Option<String> }

    pub struct InstanceImageMetadata {
        instance_id: Option<String>,
        instance_type: Option<String>,
        owner_id: Option<String>,
        tags: Vec<Tag>,
        image_metadata: Option<ImageMetadata>,
    }
    pub struct ImageMetadata {
        image_id: Option<String>,
        name: Option<String>,
        owner_id: Option<String>,
        state: Option<String>,
        image_owner_alias: Option<String>,
        creation_date: Option<String>,
        deprecation_time: Option<String>,
        is_public: Option<bool>,
    }

    pub struct InstanceStatus {
        instance_id: Option<String>,
        instance_state: Option<InstanceState>,
        instance_status: Option<StatusSummary>,
        system_status: Option<StatusSummary>,
    }
    pub struct StatusSummary { status: Option<String> }

    pub struct Vpc {
        vpc_id: Option<String>,
        owner_id: Option<String>,
        cidr_block: Option<String>,
        cidr_block_association_set: Vec<VpcCidrBlockAssociation>,
        ipv6_cidr_block_association_set: Vec<VpcIpv6CidrBlockAssociation>,
        dhcp_options_id: Option<String>,
        is_default: Option<bool>,
        state: Option<String>,
        block_public_access_states: Option<BlockPublicAccessStates>,
        tags: Vec<Tag>,
    }
    pub struct VpcCidrBlockAssociation { association_id: Option<String>, cidr_block: Option<String>, cidr_block_state: Option<VpcCidrBlockState> }
    /// `Ipv6AddressAttribute` is `public`, or `private` for what AWS does not advertise.
    pub struct VpcIpv6CidrBlockAssociation {
        association_id: Option<String>,
        ipv6_cidr_block: Option<String>,
        ipv6_cidr_block_state: Option<VpcCidrBlockState>,
        ipv6_address_attribute: Option<String>,
    }
    pub struct VpcCidrBlockState { state: Option<String> }
    pub struct BlockPublicAccessStates { internet_gateway_block_mode: Option<String> }

    pub struct VpcAttribute {
        vpc_id: Option<String>,
        enable_dns_support: Option<AttributeBooleanValue>,
        enable_dns_hostnames: Option<AttributeBooleanValue>,
    }
    pub struct AttributeBooleanValue { value: Option<bool> }

    pub struct Subnet {
        subnet_id: Option<String>,
        vpc_id: Option<String>,
        owner_id: Option<String>,
        cidr_block: Option<String>,
        ipv6_cidr_block_association_set: Vec<SubnetIpv6CidrBlockAssociation>,
        availability_zone: Option<String>,
        availability_zone_id: Option<String>,
        map_public_ip_on_launch: Option<bool>,
        enable_dns64: Option<bool>,
        ipv6_native: Option<bool>,
        block_public_access_states: Option<BlockPublicAccessStates>,
        tags: Vec<Tag>,
    }
    pub struct SubnetIpv6CidrBlockAssociation { ipv6_cidr_block: Option<String> }

    pub struct RouteTable {
        route_table_id: Option<String>,
        vpc_id: Option<String>,
        owner_id: Option<String>,
        associations: Vec<RouteTableAssociation>,
        routes: Vec<Route>,
        tags: Vec<Tag>,
    }
    pub struct RouteTableAssociation {
        route_table_association_id: Option<String>,
        route_table_id: Option<String>,
        main: Option<bool>,
        subnet_id: Option<String>,
        gateway_id: Option<String>,
        association_state: Option<RouteTableAssociationState>,
    }
    pub struct RouteTableAssociationState { state: Option<String> }
    pub struct Route {
        destination_cidr_block: Option<String>,
        destination_ipv6_cidr_block: Option<String>,
        destination_prefix_list_id: Option<String>,
        gateway_id: Option<String>,
        nat_gateway_id: Option<String>,
        instance_id: Option<String>,
        instance_owner_id: Option<String>,
        network_interface_id: Option<String>,
        egress_only_internet_gateway_id: Option<String>,
        transit_gateway_id: Option<String>,
        vpc_peering_connection_id: Option<String>,
        carrier_gateway_id: Option<String>,
        local_gateway_id: Option<String>,
        core_network_arn: Option<String>,
        odb_network_arn: Option<String>,
        ip_address: Option<String>,
        origin: Option<String>,
        state: Option<String>,
    }

    pub struct SecurityGroup {
        group_id: Option<String>,
        group_name: Option<String>,
        vpc_id: Option<String>,
        owner_id: Option<String>,
        description: Option<String>,
        ip_permissions: Vec<IpPermission>,
        ip_permissions_egress: Vec<IpPermission>,
        tags: Vec<Tag>,
    }
    pub struct IpPermission {
        ip_protocol: Option<String>,
        from_port: Option<i32>,
        to_port: Option<i32>,
        ip_ranges: Vec<IpRange>,
        ipv6_ranges: Vec<Ipv6Range>,
        prefix_list_ids: Vec<PrefixListId>,
        user_id_group_pairs: Vec<UserIdGroupPair>,
    }
    pub struct IpRange { cidr_ip: Option<String>, description: Option<String> }
    pub struct Ipv6Range { cidr_ipv6: Option<String>, description: Option<String> }
    pub struct PrefixListId { prefix_list_id: Option<String>, description: Option<String> }
    pub struct UserIdGroupPair {
        group_id: Option<String>,
        group_name: Option<String>,
        user_id: Option<String>,
        vpc_id: Option<String>,
        vpc_peering_connection_id: Option<String>,
        peering_status: Option<String>,
        description: Option<String>,
    }

    pub struct NetworkAcl {
        network_acl_id: Option<String>,
        vpc_id: Option<String>,
        owner_id: Option<String>,
        is_default: Option<bool>,
        associations: Vec<NetworkAclAssociation>,
        entries: Vec<NetworkAclEntry>,
        tags: Vec<Tag>,
    }
    pub struct NetworkAclAssociation { network_acl_association_id: Option<String>, network_acl_id: Option<String>, subnet_id: Option<String> }
    pub struct NetworkAclEntry {
        rule_number: Option<i32>,
        egress: Option<bool>,
        protocol: Option<String>,
        rule_action: Option<String>,
        cidr_block: Option<String>,
        ipv6_cidr_block: Option<String>,
        port_range: Option<PortRange>,
    }
    pub struct PortRange { from: Option<i32>, to: Option<i32> }

    pub struct NetworkInterface {
        network_interface_id: Option<String>,
        subnet_id: Option<String>,
        vpc_id: Option<String>,
        owner_id: Option<String>,
        requester_id: Option<String>,
        requester_managed: Option<bool>,
        availability_zone: Option<String>,
        description: Option<String>,
        interface_type: Option<String>,
        status: Option<String>,
        private_ip_address: Option<String>,
        private_ip_addresses: Vec<NetworkInterfacePrivateIpAddress>,
        ipv6_addresses: Vec<InstanceIpv6Address>,
        association: Option<NetworkInterfaceAssociation>,
        attachment: Option<NetworkInterfaceAttachment>,
        groups: Vec<GroupIdentifier>,
        source_dest_check: Option<bool>,
        tag_set: Vec<Tag>,
    }
    pub struct NetworkInterfacePrivateIpAddress { primary: Option<bool>, private_ip_address: Option<String>, association: Option<NetworkInterfaceAssociation> }
    pub struct NetworkInterfaceAttachment { attachment_id: Option<String>, instance_id: Option<String>, instance_owner_id: Option<String>, device_index: Option<i32>, status: Option<String> }

    pub struct VpcEndpoint {
        vpc_endpoint_id: Option<String>,
        vpc_endpoint_type: Option<String>,
        vpc_id: Option<String>,
        owner_id: Option<String>,
        service_name: Option<String>,
        service_region: Option<String>,
        state: Option<String>,
        policy_document: Option<String>,
        route_table_ids: Vec<String>,
        subnet_ids: Vec<String>,
        groups: Vec<GroupIdentifier>,
        ip_address_type: Option<String>,
        dns_options: Option<DnsOptions>,
        private_dns_enabled: Option<bool>,
        requester_managed: Option<bool>,
        network_interface_ids: Vec<String>,
        dns_entries: Vec<DnsEntry>,
        tags: Vec<Tag>,
    }
    pub struct DnsOptions { dns_record_ip_type: Option<String>, private_dns_only_for_inbound_resolver_endpoint: Option<bool> }
    pub struct DnsEntry { dns_name: Option<String>, hosted_zone_id: Option<String> }

    pub struct ServiceDetail {
        service_name: Option<String>,
        service_id: Option<String>,
        service_type: Vec<ServiceTypeDetail>,
        availability_zones: Vec<String>,
        owner: Option<String>,
        private_dns_name: Option<String>,
        private_dns_names: Vec<PrivateDnsDetails>,
        vpc_endpoint_policy_supported: Option<bool>,
    }
    pub struct ServiceTypeDetail { service_type: Option<String> }
    pub struct PrivateDnsDetails { private_dns_name: Option<String> }

    pub struct PrefixList { prefix_list_id: Option<String>, prefix_list_name: Option<String>, cidrs: Vec<String> }
    pub struct ManagedPrefixList {
        prefix_list_id: Option<String>,
        prefix_list_name: Option<String>,
        prefix_list_arn: Option<String>,
        address_family: Option<String>,
        owner_id: Option<String>,
        max_entries: Option<i32>,
        version: Option<i64>,
        state: Option<String>,
        tags: Vec<Tag>,
    }
    pub struct PrefixListEntry { cidr: Option<String>, description: Option<String> }

    pub struct NatGateway {
        nat_gateway_id: Option<String>,
        vpc_id: Option<String>,
        subnet_id: Option<String>,
        state: Option<String>,
        connectivity_type: Option<String>,
        availability_mode: Option<String>,
        auto_provision_zones: Option<String>,
        route_table_id: Option<String>,
        nat_gateway_addresses: Vec<NatGatewayAddress>,
        attached_appliances: Vec<AttachedAppliance>,
        tags: Vec<Tag>,
    }
    pub struct NatGatewayAddress {
        allocation_id: Option<String>,
        network_interface_id: Option<String>,
        private_ip: Option<String>,
        public_ip: Option<String>,
        is_primary: Option<bool>,
        status: Option<String>,
        availability_zone: Option<String>,
        availability_zone_id: Option<String>,
    }
    pub struct AttachedAppliance { r#type: Option<String>, appliance_arn: Option<String>, vpc_endpoint_id: Option<String>, attachment_state: Option<String> }

    pub struct InternetGateway { internet_gateway_id: Option<String>, owner_id: Option<String>, attachments: Vec<InternetGatewayAttachment>, tags: Vec<Tag> }
    pub struct InternetGatewayAttachment { vpc_id: Option<String>, state: Option<String> }
    pub struct EgressOnlyInternetGateway { egress_only_internet_gateway_id: Option<String>, attachments: Vec<InternetGatewayAttachment>, tags: Vec<Tag> }

    pub struct DhcpOptions { dhcp_options_id: Option<String>, owner_id: Option<String>, dhcp_configurations: Vec<DhcpConfiguration>, tags: Vec<Tag> }
    pub struct DhcpConfiguration { key: Option<String>, values: Vec<AttributeValue> }
    pub struct AttributeValue { value: Option<String> }

    pub struct VpcPeeringConnection {
        vpc_peering_connection_id: Option<String>,
        accepter_vpc_info: Option<VpcPeeringConnectionVpcInfo>,
        requester_vpc_info: Option<VpcPeeringConnectionVpcInfo>,
        status: Option<VpcPeeringConnectionStateReason>,
        expiration_time: Option<String>,
        tags: Vec<Tag>,
    }
    pub struct VpcPeeringConnectionVpcInfo {
        cidr_block: Option<String>,
        cidr_block_set: Vec<CidrBlock>,
        ipv6_cidr_block_set: Vec<Ipv6CidrBlock>,
        owner_id: Option<String>,
        vpc_id: Option<String>,
        region: Option<String>,
    }
    pub struct CidrBlock { cidr_block: Option<String> }
    pub struct Ipv6CidrBlock { ipv6_cidr_block: Option<String> }
    pub struct VpcPeeringConnectionStateReason { code: Option<String>, message: Option<String> }

    pub struct VpnGateway { vpn_gateway_id: Option<String>, state: Option<String>, r#type: Option<String>, vpc_attachments: Vec<VpcAttachment>, tags: Vec<Tag> }
    pub struct VpcAttachment { vpc_id: Option<String>, state: Option<String> }

    pub struct VpcBlockPublicAccessOptions {
        aws_account_id: Option<String>,
        aws_region: Option<String>,
        state: Option<String>,
        internet_gateway_block_mode: Option<String>,
        exclusions_allowed: Option<String>,
        managed_by: Option<String>,
    }
    pub struct VpcBlockPublicAccessExclusion {
        exclusion_id: Option<String>,
        resource_arn: Option<String>,
        internet_gateway_exclusion_mode: Option<String>,
        state: Option<String>,
        tags: Vec<Tag>,
    }

    pub struct VpcEncryptionControl {
        vpc_encryption_control_id: Option<String>,
        vpc_id: Option<String>,
        mode: Option<String>,
        state: Option<String>,
        state_message: Option<String>,
        resource_exclusions: Option<VpcEncryptionControlExclusions>,
        tags: Vec<Tag>,
    }
    pub struct VpcEncryptionControlExclusions {
        internet_gateway: Option<VpcEncryptionControlExclusion>,
        egress_only_internet_gateway: Option<VpcEncryptionControlExclusion>,
        nat_gateway: Option<VpcEncryptionControlExclusion>,
        virtual_private_gateway: Option<VpcEncryptionControlExclusion>,
        vpc_peering: Option<VpcEncryptionControlExclusion>,
        lambda: Option<VpcEncryptionControlExclusion>,
        vpc_lattice: Option<VpcEncryptionControlExclusion>,
        elastic_file_system: Option<VpcEncryptionControlExclusion>,
    }
    pub struct VpcEncryptionControlExclusion { state: Option<String>, state_message: Option<String> }
}
