//! The network of a Region.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types::VpcAttributeName;
use futures::future::join_all;

use super::PAGE;
use crate::aws::desk::Desk;
use crate::aws::shapes::Shape;
use crate::snapshot::RegionFiles;
use crate::snapshot::ec2 as file;

/// The largest page of `DescribeRouteTables` and of the prefix lists' operations.
const SMALL_PAGE: i32 = 100;
/// The largest page of `DescribeEgressOnlyInternetGateways`.
const EGRESS_ONLY_PAGE: i32 = 255;

pub(super) async fn look(desk: &Desk, files: &mut RegionFiles) {
    lists(desk, files).await;
    let (endpoint_services, vpn_gateways, block_public_access, entries) =
        futures::join!(endpoint_services(desk), vpn_gateways(desk), block_public_access(desk), prefix_list_entries(desk, files),);
    files.endpoint_services = endpoint_services;
    files.vpn_gateways = vpn_gateways;
    files.block_public_access = block_public_access;
    files.prefix_list_entries = entries;
}

/// The lists that are asked for whole: the file, its type and member, the operation and its largest page.
macro_rules! lists {
    ($($field:ident: $file:ident.$member:ident, $call:ident($page:ident);)*) => {
        async fn lists(desk: &Desk, files: &mut RegionFiles) {
            $(
                let client = desk.ec2();
                let $field = Box::pin(async move {
                    let items = desk.pages(
                        concat!("ec2:", stringify!($file)),
                        |token| client.$call().max_results($page).set_next_token(token).send(),
                        |page| (page.$member, page.next_token),
                    );
                    Some(file::$file { $member: items.await? })
                });
            )*
            let ($($field,)*) = futures::join!($($field),*);
            $(files.$field = $field;)*
        }
    };
}

lists! {
    vpcs: DescribeVpcs.vpcs, describe_vpcs(PAGE);
    subnets: DescribeSubnets.subnets, describe_subnets(PAGE);
    route_tables: DescribeRouteTables.route_tables, describe_route_tables(SMALL_PAGE);
    security_groups: DescribeSecurityGroups.security_groups, describe_security_groups(PAGE);
    network_acls: DescribeNetworkAcls.network_acls, describe_network_acls(PAGE);
    network_interfaces: DescribeNetworkInterfaces.network_interfaces, describe_network_interfaces(PAGE);
    vpc_endpoints: DescribeVpcEndpoints.vpc_endpoints, describe_vpc_endpoints(PAGE);
    prefix_lists: DescribePrefixLists.prefix_lists, describe_prefix_lists(PAGE);
    managed_prefix_lists: DescribeManagedPrefixLists.prefix_lists, describe_managed_prefix_lists(SMALL_PAGE);
    nat_gateways: DescribeNatGateways.nat_gateways, describe_nat_gateways(PAGE);
    internet_gateways: DescribeInternetGateways.internet_gateways, describe_internet_gateways(PAGE);
    egress_only_gateways: DescribeEgressOnlyInternetGateways.egress_only_internet_gateways, describe_egress_only_internet_gateways(EGRESS_ONLY_PAGE);
    dhcp_options: DescribeDhcpOptions.dhcp_options, describe_dhcp_options(PAGE);
    peering_connections: DescribeVpcPeeringConnections.vpc_peering_connections, describe_vpc_peering_connections(PAGE);
    block_public_access_exclusions: DescribeVpcBlockPublicAccessExclusions.vpc_block_public_access_exclusions, describe_vpc_block_public_access_exclusions(PAGE);
    encryption_controls: DescribeVpcEncryptionControls.vpc_encryption_controls, describe_vpc_encryption_controls(PAGE);
}

/// Names and details stand side by side in each page, so that this list is put together by hand.
async fn endpoint_services(desk: &Desk) -> Option<file::DescribeVpcEndpointServices> {
    let client = desk.ec2();
    let names = std::sync::Mutex::new(Vec::new());
    let service_details = desk.pages(
        "ec2:DescribeVpcEndpointServices",
        |token| client.describe_vpc_endpoint_services().max_results(PAGE).set_next_token(token).send(),
        |page| {
            if let Ok(mut names) = names.lock() {
                names.extend(page.service_names.unwrap_or_default());
            }
            (page.service_details, page.next_token)
        },
    );
    let service_details = service_details.await?;
    Some(file::DescribeVpcEndpointServices { service_names: names.into_inner().unwrap_or_default(), service_details })
}

/// The one list of EC2's without pages.
async fn vpn_gateways(desk: &Desk) -> Option<file::DescribeVpnGateways> {
    let answer = desk.once("ec2:DescribeVpnGateways", desk.ec2().describe_vpn_gateways().send()).await?;
    Some(file::DescribeVpnGateways { vpn_gateways: answer.vpn_gateways.shape() })
}

async fn block_public_access(desk: &Desk) -> Option<file::DescribeVpcBlockPublicAccessOptions> {
    let operation = "ec2:DescribeVpcBlockPublicAccessOptions";
    let answer = desk.once(operation, desk.ec2().describe_vpc_block_public_access_options().send()).await?;
    let options: Option<file::VpcBlockPublicAccessOptions> = answer.vpc_block_public_access_options.shape();
    Some(file::DescribeVpcBlockPublicAccessOptions { vpc_block_public_access_options: options? })
}

/// Two calls a VPC, because AWS answers for one attribute at a time. A VPC with one answer keeps it; the other is a gap. What is known of
/// other VPCs stays.
pub(super) async fn vpc_attributes(desk: &Desk, vpcs: &BTreeSet<String>, files: &mut RegionFiles) {
    let client = desk.ec2();
    let ask = |vpc: &str, attribute: VpcAttributeName| {
        desk.once("ec2:DescribeVpcAttribute", client.describe_vpc_attribute().vpc_id(vpc).attribute(attribute).send())
    };
    let answers = vpcs.iter().map(|vpc| async {
        let (support, hostnames) =
            futures::join!(ask(vpc, VpcAttributeName::EnableDnsSupport), ask(vpc, VpcAttributeName::EnableDnsHostnames));
        (support.is_some() || hostnames.is_some()).then(|| file::VpcAttribute {
            vpc_id: Some(vpc.clone()),
            enable_dns_support: support.and_then(|answer| answer.enable_dns_support.shape()),
            enable_dns_hostnames: hostnames.and_then(|answer| answer.enable_dns_hostnames.shape()),
        })
    });
    let answered: Vec<_> = join_all(answers).await.into_iter().flatten().collect();
    if vpcs.is_empty() || !answered.is_empty() {
        files.vpc_attributes.get_or_insert_default().vpc_attributes.extend(answered);
    }
}

/// The entries of the lists that a route or a rule names, and of AWS's own for S3 and `DynamoDB`.
async fn prefix_list_entries(desk: &Desk, files: &RegionFiles) -> Option<file::GetManagedPrefixListEntries> {
    let client = desk.ec2();
    let lists = named_prefix_lists(files);
    let asked = !lists.is_empty();
    let client = &client;
    let answers = lists.into_iter().map(|list| async move {
        let entries = desk.pages(
            "ec2:GetManagedPrefixListEntries",
            |token| client.get_managed_prefix_list_entries().prefix_list_id(&list).max_results(SMALL_PAGE).set_next_token(token).send(),
            |page| (page.entries, page.next_token),
        );
        let entries = entries.await?;
        Some((list, entries))
    });
    let prefix_list_entries: BTreeMap<_, _> = join_all(answers).await.into_iter().flatten().collect();
    (!asked || !prefix_list_entries.is_empty()).then_some(file::GetManagedPrefixListEntries { prefix_list_entries })
}

fn named_prefix_lists(files: &RegionFiles) -> BTreeSet<String> {
    let tables = files.route_tables.iter().flat_map(|file| &file.route_tables);
    let of_routes = tables.flat_map(|table| &table.routes).filter_map(|route| route.destination_prefix_list_id.clone());
    let groups = files.security_groups.iter().flat_map(|file| &file.security_groups);
    let rules = groups.flat_map(|group| group.ip_permissions.iter().chain(&group.ip_permissions_egress));
    let of_rules = rules.flat_map(|rule| &rule.prefix_list_ids).filter_map(|list| list.prefix_list_id.clone());
    let lists = files.managed_prefix_lists.iter().flat_map(|file| &file.prefix_lists);
    let of_aws = lists.filter(|list| {
        let name = list.prefix_list_name.as_deref().unwrap_or_default();
        let is_of_aws = name.starts_with("com.amazonaws.") || name.starts_with("cn.com.amazonaws.");
        is_of_aws && matches!(name.rsplit('.').next(), Some("s3" | "dynamodb"))
    });
    of_routes.chain(of_rules).chain(of_aws.filter_map(|list| list.prefix_list_id.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::named_prefix_lists;
    use crate::snapshot::RegionFiles;
    use crate::snapshot::ec2 as file;

    #[test]
    fn only_prefix_lists_in_use_are_read() {
        let route = file::Route { destination_prefix_list_id: Some("pl-route".into()), ..file::Route::default() };
        let rule = file::IpPermission {
            prefix_list_ids: vec![file::PrefixListId { prefix_list_id: Some("pl-rule".into()), description: None }],
            ..file::IpPermission::default()
        };
        let list = |id: &str, name: &str| file::ManagedPrefixList {
            prefix_list_id: Some(id.into()),
            prefix_list_name: Some(name.into()),
            ..file::ManagedPrefixList::default()
        };
        let files = RegionFiles {
            route_tables: Some(file::DescribeRouteTables {
                route_tables: vec![file::RouteTable { routes: vec![route], ..file::RouteTable::default() }],
            }),
            security_groups: Some(file::DescribeSecurityGroups {
                security_groups: vec![file::SecurityGroup { ip_permissions_egress: vec![rule], ..file::SecurityGroup::default() }],
            }),
            managed_prefix_lists: Some(file::DescribeManagedPrefixLists {
                prefix_lists: vec![
                    list("pl-s3", "com.amazonaws.eu-west-1.s3"),
                    list("pl-lattice", "com.amazonaws.eu-west-1.vpc-lattice"),
                    list("pl-own", "offices.s3"),
                ],
            }),
            ..RegionFiles::default()
        };
        assert_eq!(named_prefix_lists(&files).into_iter().collect::<Vec<_>>(), ["pl-route", "pl-rule", "pl-s3"]);
    }
}
