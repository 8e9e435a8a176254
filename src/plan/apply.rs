//! Makes a change to a copy of the snapshot, as AWS would make it to the account.

use std::collections::BTreeMap;

use ipnet::IpNet;

use super::acl::{self, QUOTA};
use super::change::{Change, Origin, Placement};
use crate::model::{is_word, net};
use crate::network::{DEFAULT_ENDPOINT_POLICY, Destination};
use crate::snapshot::RegionFiles;
use crate::snapshot::ec2::{
    AttributeBooleanValue, GroupIdentifier, IpPermission, IpRange, Ipv6Range, NetworkAclEntry, NetworkInterface, PortRange, PrefixListId,
    Route, SecurityGroup, UserIdGroupPair, VpcEndpoint,
};

/// Why a change cannot be tried on the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The model does not hold what it changes.
    NotModelled(&'static str),
    /// AWS would refuse it.
    Infeasible(String),
}

/// The VPC whose paths a change may touch.
pub(super) fn vpc_of(change: &Change, files: &RegionFiles) -> Option<String> {
    let of_group = |id: &str| {
        let mut groups = files.security_groups.iter().flat_map(|file| &file.security_groups);
        groups.find(|group| group.group_id.as_deref() == Some(id)).and_then(|group| group.vpc_id.clone())
    };
    let of_endpoint = |id: &str| {
        let mut endpoints = files.vpc_endpoints.iter().flat_map(|file| &file.vpc_endpoints);
        endpoints.find(|endpoint| endpoint.vpc_endpoint_id.as_deref() == Some(id)).and_then(|endpoint| endpoint.vpc_id.clone())
    };
    match change {
        Change::AllowEgress { group, .. } | Change::AllowEndpointIngress { group, .. } => of_group(group),
        Change::AllowInNetworkAcl { acl, .. } => {
            let mut acls = files.network_acls.iter().flat_map(|file| &file.network_acls);
            acls.find(|candidate| candidate.network_acl_id.as_deref() == Some(acl)).and_then(|acl| acl.vpc_id.clone())
        }
        Change::AssociateGatewayEndpoint { endpoint, .. } | Change::EnablePrivateDns { endpoint } => of_endpoint(endpoint),
        Change::CreateGatewayEndpoint { vpc, .. }
        | Change::CreateInterfaceEndpoint { vpc, .. }
        | Change::EnableVpcAttribute { vpc, .. } => Some(vpc.clone()),
        _ => None,
    }
}

/// Why a change is none to what the model holds, if it is none.
pub(super) fn beyond_the_model(change: &Change) -> Option<&'static str> {
    match change {
        Change::AttachInstanceProfile { .. }
        | Change::ReplaceInstanceProfile { .. }
        | Change::EnableMetadataEndpoint { .. }
        | Change::UpdateAgent { .. }
        | Change::ExtendRole { .. }
        | Change::RunDiagnosis { .. } => Some("the model holds the network, and this is no change to it"),
        Change::ByHand { .. } => Some("it is made by hand, and how is yours to decide"),
        Change::AllowEgress { .. }
        | Change::AllowEndpointIngress { .. }
        | Change::AllowInNetworkAcl { .. }
        | Change::AssociateGatewayEndpoint { .. }
        | Change::CreateGatewayEndpoint { .. }
        | Change::CreateInterfaceEndpoint { .. }
        | Change::EnablePrivateDns { .. }
        | Change::EnableVpcAttribute { .. } => None,
    }
}

pub(super) fn apply(change: &Change, files: &mut RegionFiles) -> Result<(), Refusal> {
    match change {
        Change::AllowEgress { group, to, port, .. } => {
            let permission = permission(*port, to)?;
            let lists = list_sizes(files);
            let rules = &mut group_mut(files, group)?.ip_permissions_egress;
            add_rule(rules, permission, group, &lists)
        }
        Change::AllowEndpointIngress { group, from, .. } => {
            let mut permission = tcp(443);
            match from {
                Origin::Group(group) => {
                    permission.user_id_group_pairs =
                        vec![UserIdGroupPair { group_id: Some(group.id.clone()), user_id: group.owner.clone(), ..Default::default() }];
                }
                Origin::Block(block) => add_block(&mut permission, block),
            }
            let lists = list_sizes(files);
            let rules = &mut group_mut(files, group)?.ip_permissions;
            add_rule(rules, permission, group, &lists)
        }
        Change::AllowInNetworkAcl { acl, is_egress, addresses, ports, rule_number } => {
            allow_in_acl(files, acl, *is_egress, addresses, *ports, *rule_number)
        }
        Change::AssociateGatewayEndpoint { endpoint, route_table } => add_s3_route(files, route_table, endpoint),
        Change::CreateGatewayEndpoint { vpc, service_name, route_tables } => {
            let id = format!("vpce-proposed-{service_name}");
            route_tables.iter().try_for_each(|table| add_s3_route(files, table, &id))?;
            let endpoints = files.vpc_endpoints.as_mut().ok_or(NOT_COLLECTED)?;
            endpoints.vpc_endpoints.push(VpcEndpoint {
                vpc_endpoint_id: Some(id),
                vpc_endpoint_type: Some("Gateway".to_owned()),
                vpc_id: Some(vpc.clone()),
                service_name: Some(service_name.clone()),
                state: Some("available".to_owned()),
                policy_document: Some(DEFAULT_ENDPOINT_POLICY.to_owned()),
                ..Default::default()
            });
            Ok(())
        }
        Change::CreateInterfaceEndpoint { vpc, service_name, placement } => create_interface_endpoint(files, vpc, service_name, placement),
        Change::EnablePrivateDns { endpoint } => {
            let endpoints = files.vpc_endpoints.as_mut().ok_or(NOT_COLLECTED)?;
            let mut all = endpoints.vpc_endpoints.iter_mut();
            let found = all.find(|candidate| candidate.vpc_endpoint_id.as_ref() == Some(endpoint)).ok_or(NOT_COLLECTED)?;
            let (vpc, service) = (found.vpc_id.clone().unwrap_or_default(), found.service_name.clone().unwrap_or_default());
            check_names(files, &vpc, &service)?;
            let found = files.vpc_endpoints.iter_mut().flat_map(|file| &mut file.vpc_endpoints);
            found
                .filter(|candidate| candidate.vpc_endpoint_id.as_ref() == Some(endpoint))
                .for_each(|own| own.private_dns_enabled = Some(true));
            Ok(())
        }
        Change::EnableVpcAttribute { vpc, attribute } => {
            let attributes = files.vpc_attributes.as_mut().ok_or(NOT_COLLECTED)?;
            let own = attributes.vpc_attributes.iter_mut().find(|own| own.vpc_id.as_ref() == Some(vpc)).ok_or(NOT_COLLECTED)?;
            let on = Some(AttributeBooleanValue { value: Some(true) });
            match attribute.as_str() {
                "enableDnsSupport" => own.enable_dns_support = on,
                "enableDnsHostnames" => own.enable_dns_hostnames = on,
                _ => return Err(Refusal::NotModelled("this attribute is not modelled")),
            }
            Ok(())
        }
        _ => Err(NOT_COLLECTED),
    }
}

const NOT_COLLECTED: Refusal = Refusal::NotModelled("what it changes was not collected");

fn tcp(port: u16) -> IpPermission {
    let port = i32::from(port);
    IpPermission { ip_protocol: Some("tcp".to_owned()), from_port: Some(port), to_port: Some(port), ..Default::default() }
}

fn permission(port: u16, to: &Destination) -> Result<IpPermission, Refusal> {
    let mut permission = tcp(port);
    match to {
        Destination::PrefixList(id) => {
            permission.prefix_list_ids = vec![PrefixListId { prefix_list_id: Some(id.clone()), description: None }];
        }
        Destination::Groups(groups) => {
            let first = groups.first().cloned().ok_or(NOT_COLLECTED)?;
            permission.user_id_group_pairs = vec![UserIdGroupPair { group_id: Some(first), ..Default::default() }];
        }
        Destination::Blocks(blocks) => blocks.iter().for_each(|block| add_block(&mut permission, block)),
        Destination::Internet => add_block(&mut permission, "0.0.0.0/0"),
        Destination::InternetIpv6 => add_block(&mut permission, "::/0"),
        Destination::Nat64 => add_block(&mut permission, "64:ff9b::/96"),
    }
    Ok(permission)
}

fn add_block(permission: &mut IpPermission, block: &str) {
    if block.contains(':') {
        permission.ipv6_ranges.push(Ipv6Range { cidr_ipv6: Some(block.to_owned()), description: None });
    } else {
        permission.ip_ranges.push(IpRange { cidr_ip: Some(block.to_owned()), description: None });
    }
}

fn group_mut<'f>(files: &'f mut RegionFiles, id: &str) -> Result<&'f mut SecurityGroup, Refusal> {
    let groups = files.security_groups.as_mut().ok_or(NOT_COLLECTED)?;
    groups.security_groups.iter_mut().find(|group| group.group_id.as_deref() == Some(id)).ok_or(NOT_COLLECTED)
}

/// A group holds 60 rules for each direction and family unless AWS has raised the quota, and a customer's prefix list counts as the most entries that
/// it may have (<https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html#vpc-limits-security-groups>); one of AWS's counts as one here.
fn add_rule(rules: &mut Vec<IpPermission>, new: IpPermission, group: &str, lists: &BTreeMap<String, usize>) -> Result<(), Refusal> {
    const QUOTA: usize = 60;
    let size = |list: &PrefixListId| list.prefix_list_id.as_ref().and_then(|id| lists.get(id)).copied().unwrap_or(1);
    let of_both = |rule: &IpPermission| rule.prefix_list_ids.iter().map(size).sum::<usize>() + rule.user_id_group_pairs.len();
    rules.push(new);
    let of_ipv4: usize = rules.iter().map(|rule| rule.ip_ranges.len() + of_both(rule)).sum();
    let of_ipv6: usize = rules.iter().map(|rule| rule.ipv6_ranges.len() + of_both(rule)).sum();
    let count = of_ipv4.max(of_ipv6);
    if count <= QUOTA {
        return Ok(());
    }
    Err(Refusal::Infeasible(format!(
        "{group} would have {count} rules in this direction, and the default quota is {QUOTA}: merge some first"
    )))
}

/// The most entries that each prefix list of a customer's may have.
fn list_sizes(files: &RegionFiles) -> BTreeMap<String, usize> {
    let lists = files.managed_prefix_lists.iter().flat_map(|file| &file.prefix_lists);
    let sizes = lists.filter_map(|list| Some((list.prefix_list_id.clone()?, usize::try_from(list.max_entries?).ok()?)));
    sizes.collect()
}

fn allow_in_acl(
    files: &mut RegionFiles,
    id: &str,
    is_egress: bool,
    addresses: &[String],
    ports: (u16, u16),
    rule_number: Option<i32>,
) -> Result<(), Refusal> {
    let acls = files.network_acls.as_mut().ok_or(NOT_COLLECTED)?;
    let found = acls.network_acls.iter_mut().find(|candidate| candidate.network_acl_id.as_deref() == Some(id)).ok_or(NOT_COLLECTED)?;
    let Some(first) = rule_number else {
        return Err(Refusal::Infeasible(format!(
            "no rule number is free in {id} before the rule that denies it, or other fixes use up its quota of {QUOTA}: renumber or merge its rules first"
        )));
    };
    let own = acl::count(found, is_egress, acl::are_ipv6(addresses));
    if own + addresses.len() > QUOTA {
        return Err(Refusal::Infeasible(format!("{id} has {own} entries in this direction already, and the default quota is {QUOTA}")));
    }
    for (address, number) in addresses.iter().zip(first..) {
        let is_ipv6 = address.contains(':');
        found.entries.push(NetworkAclEntry {
            rule_number: Some(number),
            egress: Some(is_egress),
            protocol: Some("6".to_owned()),
            rule_action: Some("allow".to_owned()),
            cidr_block: (!is_ipv6).then(|| address.clone()),
            ipv6_cidr_block: is_ipv6.then(|| address.clone()),
            port_range: Some(PortRange { from: Some(ports.0.into()), to: Some(ports.1.into()) }),
        });
    }
    Ok(())
}

fn add_s3_route(files: &mut RegionFiles, table: &str, endpoint: &str) -> Result<(), Refusal> {
    let lists = files.prefix_lists.iter().flat_map(|file| &file.prefix_lists);
    let managed = files.managed_prefix_lists.iter().flat_map(|file| &file.prefix_lists);
    let mut names = lists
        .map(|list| (&list.prefix_list_id, &list.prefix_list_name))
        .chain(managed.map(|list| (&list.prefix_list_id, &list.prefix_list_name)));
    let list = names
        .find(|(_, name)| name.as_ref().is_some_and(|name| name.starts_with("com.amazonaws.") && name.rsplit('.').next() == Some("s3")));
    let list = list.and_then(|(id, _)| id.clone()).ok_or(NOT_COLLECTED)?;
    let tables = files.route_tables.as_mut().ok_or(NOT_COLLECTED)?;
    let found = tables.route_tables.iter_mut().find(|candidate| candidate.route_table_id.as_deref() == Some(table)).ok_or(NOT_COLLECTED)?;
    // The endpoint puts its own route in the place of a dead one.
    found.routes.retain(|route| route.destination_prefix_list_id.as_ref() != Some(&list));
    found.routes.push(Route {
        destination_prefix_list_id: Some(list),
        gateway_id: Some(endpoint.to_owned()),
        origin: Some("CreateRoute".to_owned()),
        state: Some("active".to_owned()),
        ..Default::default()
    });
    Ok(())
}

/// AWS refuses private DNS where another zone or endpoint has the very name already
/// (<https://docs.aws.amazon.com/vpc/latest/privatelink/manage-dns-names.html>).
fn check_names(files: &RegionFiles, vpc: &str, service_name: &str) -> Result<(), Refusal> {
    let mut parts = service_name.rsplit('.');
    let (Some(service), Some(region)) = (parts.next(), parts.next()) else { return Err(NOT_COLLECTED) };
    let host = format!("{service}.{region}.amazonaws.com");
    let zones = files.hosted_zones.as_ref().ok_or(NOT_COLLECTED)?.hosted_zone_summaries.get(vpc).ok_or(NOT_COLLECTED)?;
    let of_user = zones.iter().filter(|zone| zone.owner.as_ref().is_none_or(|owner| owner.owning_service.is_none()));
    let mut same = of_user.filter(|zone| zone.name.as_deref().is_some_and(|name| name.trim_end_matches('.').eq_ignore_ascii_case(&host)));
    if let Some(zone) = same.next() {
        let id = zone.hosted_zone_id.as_deref().unwrap_or_default();
        return Err(Refusal::Infeasible(format!(
            "{vpc} has private hosted zone {id} of the name {host} already, and AWS refuses private DNS beside it: point the zone's record at the endpoint"
        )));
    }
    let endpoints = files.vpc_endpoints.iter().flat_map(|file| &file.vpc_endpoints);
    let of_service =
        endpoints.filter(|endpoint| endpoint.vpc_id.as_deref() == Some(vpc) && endpoint.service_name.as_deref() == Some(service_name));
    let mut taken =
        of_service.filter(|endpoint| endpoint.private_dns_enabled == Some(true) && !is_word(endpoint.state.as_ref(), "deleted"));
    if let Some(endpoint) = taken.next() {
        let id = endpoint.vpc_endpoint_id.as_deref().unwrap_or_default();
        return Err(Refusal::Infeasible(format!("{id} has private DNS for {host} in {vpc} already, and AWS refuses a second one")));
    }
    Ok(())
}

fn create_interface_endpoint(files: &mut RegionFiles, vpc: &str, service_name: &str, placement: &Placement) -> Result<(), Refusal> {
    check_names(files, vpc, service_name)?;
    // Several services may be tried together.
    let group = format!("sg-proposed-{service_name}");
    let mut ingress = tcp(443);
    placement.vpc_blocks.iter().for_each(|block| add_block(&mut ingress, block));
    let groups = files.security_groups.as_mut().ok_or(NOT_COLLECTED)?;
    groups.security_groups.push(SecurityGroup {
        group_id: Some(group.clone()),
        vpc_id: Some(vpc.to_owned()),
        ip_permissions: if placement.vpc_blocks.is_empty() { Vec::new() } else { vec![ingress] },
        ..Default::default()
    });
    let groups = vec![GroupIdentifier { group_id: Some(group), group_name: None }];
    let mut ids = Vec::new();
    for (subnet, number) in placement.subnets.values().zip(0..) {
        let subnets = files.subnets.iter().flat_map(|file| &file.subnets);
        let block = subnets
            .into_iter()
            .find(|candidate| candidate.subnet_id.as_ref() == Some(subnet))
            .and_then(|subnet| net(subnet.cidr_block.as_ref()));
        let Some(IpNet::V4(block)) = block else { return Err(NOT_COLLECTED) };
        let id = format!("eni-proposed-{service_name}-{number}");
        let interfaces = files.network_interfaces.as_mut().ok_or(NOT_COLLECTED)?;
        // AWS picks a free address; the last one of the subnet stands for it.
        let address = block.hosts().last().ok_or(NOT_COLLECTED)?;
        interfaces.network_interfaces.push(NetworkInterface {
            network_interface_id: Some(id.clone()),
            vpc_id: Some(vpc.to_owned()),
            subnet_id: Some(subnet.clone()),
            private_ip_address: Some(address.to_string()),
            groups: groups.clone(),
            ..Default::default()
        });
        ids.push(id);
    }
    let endpoints = files.vpc_endpoints.as_mut().ok_or(NOT_COLLECTED)?;
    endpoints.vpc_endpoints.push(VpcEndpoint {
        vpc_endpoint_id: Some(format!("vpce-proposed-{service_name}")),
        vpc_endpoint_type: Some("Interface".to_owned()),
        vpc_id: Some(vpc.to_owned()),
        service_name: Some(service_name.to_owned()),
        state: Some("available".to_owned()),
        policy_document: Some(DEFAULT_ENDPOINT_POLICY.to_owned()),
        ip_address_type: Some("ipv4".to_owned()),
        private_dns_enabled: Some(true),
        network_interface_ids: ids,
        groups,
        ..Default::default()
    });
    Ok(())
}
