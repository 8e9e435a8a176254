//! The snapshot: what was seen of AWS, as plain data. The one contract between looking (`aws`) and thinking (everything else).
//!
//! On disk it is a folder of JSON files in the shapes that the AWS CLI prints; see docs/snapshot.md.
//! A file that is missing was *not collected*; an empty list was *looked at, and there is none*.

pub mod ec2;
mod gap;
pub mod global;
pub(crate) mod json;
mod read;
pub mod redact;
pub mod resource_groups;
pub mod route53;
mod shape;
pub mod ssm;
mod write;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use gap::{Gap, GapReason};
pub use read::{Directory, Embedded, Files, ReadError};
pub use write::WriteError;

/// Everything that was seen.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Snapshot {
    pub manifest: Manifest,
    pub organization: OrganizationFiles,
    /// By account id.
    pub accounts: BTreeMap<String, AccountSnapshot>,
}

/// What was seen of one account.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AccountSnapshot {
    pub global: GlobalFiles,
    /// By Region name. A Region stands here as soon as one call was made there.
    pub regions: BTreeMap<String, RegionFiles>,
}

/// `snapshot.json`. Optional on reading.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self", default)]
pub struct Manifest {
    pub format: String,
    pub version: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub captured_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partition: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caller: Option<Caller>,
    pub accounts: BTreeMap<String, ManifestAccount>,
    pub gaps: Vec<Gap>,
    /// Things worth telling that are no gap, in whole sentences.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

pub const FORMAT: &str = "patch-preflight/snapshot";
pub const VERSION: u32 = 1;

impl Default for Manifest {
    fn default() -> Self {
        Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            captured_at: None,
            tool_version: None,
            partition: None,
            caller: None,
            accounts: BTreeMap::new(),
            gaps: Vec::new(),
            notes: Vec::new(),
        }
    }
}

/// Who looked.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self", default)]
pub struct Caller {
    pub account_id: String,
    pub arn: String,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self", default)]
pub struct ManifestAccount {
    pub regions: BTreeMap<String, ManifestRegion>,
    /// Why the account was left out on purpose (suspended, excluded, not chosen).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skipped: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self", default)]
pub struct ManifestRegion {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub captured_at: Option<String>,
    pub complete: bool,
}

shape::by_name!(Manifest, Caller, ManifestAccount, ManifestRegion);

/// Declares the files of one folder: the field, its type, the file's name and the operation that fills it.
macro_rules! files {
    ($(#[$meta:meta])* pub struct $name:ident { $( $field:ident : $kind:ty = $file:literal, $operation:literal; )* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Default, PartialEq)]
        pub struct $name { $( pub $field: Option<$kind>, )* }

        impl $name {
            /// Each file's name with the operation that fills it.
            pub const FILES: &'static [(&'static str, &'static str)] = &[ $( ($file, $operation), )* ];

            pub(in crate::snapshot) fn read(files: &dyn Files, folder: &str) -> Result<Self, ReadError> {
                Ok(Self { $( $field: read::file(files, folder, $file)?, )* })
            }

            pub(in crate::snapshot) fn write(&self, folder: &std::path::Path) -> Result<(), WriteError> {
                $( write::file(folder, $file, self.$field.as_ref())?; )*
                Ok(())
            }

            /// Drops what one file held, as if it had not been collected; whether it held anything.
            pub fn forget(&mut self, file: &str) -> bool {
                match file {
                    $( $file => self.$field.take().is_some(), )*
                    _ => false,
                }
            }
        }
    };
}

files! {
    /// The folder `organization/`.
    pub struct OrganizationFiles {
        organization: global::DescribeOrganization = "organizations-describe-organization.json", "organizations:DescribeOrganization";
        accounts: global::ListAccounts = "organizations-list-accounts.json", "organizations:ListAccounts";
        units: global::OrganizationalUnits = "organizational-units.json", "organizations:ListOrganizationalUnitsForParent";
        policies: global::OrganizationPolicies = "organization-policies.json", "organizations:ListPolicies";
    }
}

files! {
    /// The folder `<account-id>/global/`.
    pub struct GlobalFiles {
        iam: global::GetAccountAuthorizationDetails = "iam-get-account-authorization-details.json", "iam:GetRole";
        quick_setup: global::GetConfigurationManager = "ssm-quicksetup-get-configuration-manager.json", "ssm-quicksetup:GetConfigurationManager";
        bucket_policies: global::GetBucketPolicy = "s3-get-bucket-policy.json", "s3:GetBucketPolicy";
    }
}

files! {
    /// The folder `<account-id>/<region>/`.
    pub struct RegionFiles {
        instances: ec2::DescribeInstances = "ec2-describe-instances.json", "ec2:DescribeInstances";
        image_metadata: ec2::DescribeInstanceImageMetadata = "ec2-describe-instance-image-metadata.json", "ec2:DescribeInstanceImageMetadata";
        instance_status: ec2::DescribeInstanceStatus = "ec2-describe-instance-status.json", "ec2:DescribeInstanceStatus";
        vpcs: ec2::DescribeVpcs = "ec2-describe-vpcs.json", "ec2:DescribeVpcs";
        vpc_attributes: ec2::DescribeVpcAttribute = "ec2-describe-vpc-attribute.json", "ec2:DescribeVpcAttribute";
        subnets: ec2::DescribeSubnets = "ec2-describe-subnets.json", "ec2:DescribeSubnets";
        route_tables: ec2::DescribeRouteTables = "ec2-describe-route-tables.json", "ec2:DescribeRouteTables";
        security_groups: ec2::DescribeSecurityGroups = "ec2-describe-security-groups.json", "ec2:DescribeSecurityGroups";
        network_acls: ec2::DescribeNetworkAcls = "ec2-describe-network-acls.json", "ec2:DescribeNetworkAcls";
        network_interfaces: ec2::DescribeNetworkInterfaces = "ec2-describe-network-interfaces.json", "ec2:DescribeNetworkInterfaces";
        vpc_endpoints: ec2::DescribeVpcEndpoints = "ec2-describe-vpc-endpoints.json", "ec2:DescribeVpcEndpoints";
        endpoint_services: ec2::DescribeVpcEndpointServices = "ec2-describe-vpc-endpoint-services.json", "ec2:DescribeVpcEndpointServices";
        prefix_lists: ec2::DescribePrefixLists = "ec2-describe-prefix-lists.json", "ec2:DescribePrefixLists";
        managed_prefix_lists: ec2::DescribeManagedPrefixLists = "ec2-describe-managed-prefix-lists.json", "ec2:DescribeManagedPrefixLists";
        prefix_list_entries: ec2::GetManagedPrefixListEntries = "ec2-get-managed-prefix-list-entries.json", "ec2:GetManagedPrefixListEntries";
        nat_gateways: ec2::DescribeNatGateways = "ec2-describe-nat-gateways.json", "ec2:DescribeNatGateways";
        internet_gateways: ec2::DescribeInternetGateways = "ec2-describe-internet-gateways.json", "ec2:DescribeInternetGateways";
        egress_only_gateways: ec2::DescribeEgressOnlyInternetGateways = "ec2-describe-egress-only-internet-gateways.json", "ec2:DescribeEgressOnlyInternetGateways";
        dhcp_options: ec2::DescribeDhcpOptions = "ec2-describe-dhcp-options.json", "ec2:DescribeDhcpOptions";
        peering_connections: ec2::DescribeVpcPeeringConnections = "ec2-describe-vpc-peering-connections.json", "ec2:DescribeVpcPeeringConnections";
        vpn_gateways: ec2::DescribeVpnGateways = "ec2-describe-vpn-gateways.json", "ec2:DescribeVpnGateways";
        transit_gateways: ec2::DescribeTransitGateways = "ec2-describe-transit-gateways.json", "ec2:DescribeTransitGateways";
        transit_gateway_attachments: ec2::DescribeTransitGatewayVpcAttachments = "ec2-describe-transit-gateway-vpc-attachments.json", "ec2:DescribeTransitGatewayVpcAttachments";
        transit_gateway_route_tables: ec2::DescribeTransitGatewayRouteTables = "ec2-describe-transit-gateway-route-tables.json", "ec2:DescribeTransitGatewayRouteTables";
        transit_gateway_policy_tables: ec2::DescribeTransitGatewayPolicyTables = "ec2-describe-transit-gateway-policy-tables.json", "ec2:DescribeTransitGatewayPolicyTables";
        transit_gateway_routes: ec2::SearchTransitGatewayRoutes = "ec2-search-transit-gateway-routes.json", "ec2:SearchTransitGatewayRoutes";
        transit_gateway_associations: ec2::GetTransitGatewayRouteTableAssociations = "ec2-get-transit-gateway-route-table-associations.json", "ec2:GetTransitGatewayRouteTableAssociations";
        transit_gateway_propagations: ec2::GetTransitGatewayRouteTablePropagations = "ec2-get-transit-gateway-route-table-propagations.json", "ec2:GetTransitGatewayRouteTablePropagations";
        block_public_access: ec2::DescribeVpcBlockPublicAccessOptions = "ec2-describe-vpc-block-public-access-options.json", "ec2:DescribeVpcBlockPublicAccessOptions";
        block_public_access_exclusions: ec2::DescribeVpcBlockPublicAccessExclusions = "ec2-describe-vpc-block-public-access-exclusions.json", "ec2:DescribeVpcBlockPublicAccessExclusions";
        encryption_controls: ec2::DescribeVpcEncryptionControls = "ec2-describe-vpc-encryption-controls.json", "ec2:DescribeVpcEncryptionControls";
        hosted_zones: route53::ListHostedZonesByVpc = "route53-list-hosted-zones-by-vpc.json", "route53:ListHostedZonesByVPC";
        record_sets: route53::ListResourceRecordSets = "route53-list-resource-record-sets.json", "route53:ListResourceRecordSets";
        profile_zones: route53::GetHostedZone = "route53-get-hosted-zone.json", "route53:GetHostedZone";
        resolver_rules: route53::ListResolverRules = "route53resolver-list-resolver-rules.json", "route53resolver:ListResolverRules";
        resolver_rule_associations: route53::ListResolverRuleAssociations = "route53resolver-list-resolver-rule-associations.json", "route53resolver:ListResolverRuleAssociations";
        firewall_associations: route53::ListFirewallRuleGroupAssociations = "route53resolver-list-firewall-rule-group-associations.json", "route53resolver:ListFirewallRuleGroupAssociations";
        firewall_rules: route53::ListFirewallRules = "route53resolver-list-firewall-rules.json", "route53resolver:ListFirewallRules";
        firewall_domain_lists: route53::ListFirewallDomainLists = "route53resolver-list-firewall-domain-lists.json", "route53resolver:ListFirewallDomainLists";
        firewall_domains: route53::ListFirewallDomains = "route53resolver-list-firewall-domains.json", "route53resolver:ListFirewallDomains";
        profile_associations: route53::ListProfileAssociations = "route53profiles-list-profile-associations.json", "route53profiles:ListProfileAssociations";
        profile_resources: route53::ListProfileResourceAssociations = "route53profiles-list-profile-resource-associations.json", "route53profiles:ListProfileResourceAssociations";
        instance_information: ssm::DescribeInstanceInformation = "ssm-describe-instance-information.json", "ssm:DescribeInstanceInformation";
        patch_states: ssm::DescribeInstancePatchStates = "ssm-describe-instance-patch-states.json", "ssm:DescribeInstancePatchStates";
        connection_statuses: ssm::GetConnectionStatus = "ssm-get-connection-status.json", "ssm:GetConnectionStatus";
        installed_packages: ssm::ListInventoryEntries = "ssm-list-inventory-entries.json", "ssm:ListInventoryEntries";
        associations: ssm::ListAssociations = "ssm-list-associations.json", "ssm:ListAssociations";
        service_setting: ssm::GetServiceSetting = "ssm-get-service-setting.json", "ssm:GetServiceSetting";
        patch_baselines: ssm::DescribePatchBaselines = "ssm-describe-patch-baselines.json", "ssm:DescribePatchBaselines";
        patch_baseline_details: ssm::GetPatchBaseline = "ssm-get-patch-baseline.json", "ssm:GetPatchBaseline";
        patch_groups: ssm::DescribePatchGroups = "ssm-describe-patch-groups.json", "ssm:DescribePatchGroups";
        default_patch_baselines: ssm::GetDefaultPatchBaseline = "ssm-get-default-patch-baseline.json", "ssm:GetDefaultPatchBaseline";
        maintenance_windows: ssm::DescribeMaintenanceWindows = "ssm-describe-maintenance-windows.json", "ssm:DescribeMaintenanceWindows";
        maintenance_window_tasks: ssm::DescribeMaintenanceWindowTasks = "ssm-describe-maintenance-window-tasks.json", "ssm:DescribeMaintenanceWindowTasks";
        maintenance_window_targets: ssm::DescribeMaintenanceWindowTargets = "ssm-describe-maintenance-window-targets.json", "ssm:DescribeMaintenanceWindowTargets";
        group_queries: resource_groups::GetGroupQuery = "resource-groups-get-group-query.json", "resource-groups:GetGroupQuery";
    }
}

impl Snapshot {
    /// Reads a snapshot whole, or tells which file is wrong and where.
    ///
    /// # Errors
    /// When the folder cannot be read, holds no snapshot, or a file in it is not JSON of the documented shape.
    pub fn read(files: &dyn Files) -> Result<Self, ReadError> {
        read::snapshot(files)
    }

    /// Whether [`Self::write`] would take the folder: asked before a long scan.
    ///
    /// # Errors
    /// When the folder holds anything already.
    pub fn check_folder(folder: &std::path::Path) -> Result<(), WriteError> {
        write::check(folder)
    }

    /// Writes the snapshot as a folder, `snapshot.json` last, so that a folder with a manifest is a whole one.
    ///
    /// # Errors
    /// When the folder is not empty, or it or a file cannot be written.
    pub fn write(&self, folder: &std::path::Path) -> Result<(), WriteError> {
        write::snapshot(self, folder)
    }
}
