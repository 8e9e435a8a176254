//! From AWS's answers to the simulator's world. A fact that is missing stops the test: here all are known.

use std::net::Ipv4Addr;

use patch_preflight::snapshot::RegionFiles;
use patch_preflight::snapshot::ec2;
use patch_preflight::snapshot::route53::{HostedZoneSummary, ResolverRule, ResourceRecordSet};

use super::{Block, Class, Interface, List, Route, Subnet, Table, World, Zone};

impl World {
    pub(in crate::oracle) fn read(files: &RegionFiles) -> Self {
        let instance = &files.instances.as_ref().unwrap().reservations[0].instances[0];
        let primary = instance
            .network_interfaces
            .iter()
            .find(|interface| interface.attachment.as_ref().is_some_and(|attachment| attachment.device_index == Some(0)))
            .unwrap();
        let vpc = &files.vpcs.as_ref().unwrap().vpcs[0];
        let subnets = &files.subnets.as_ref().unwrap().subnets;
        let position = |id: Option<&String>| subnets.iter().position(|subnet| subnet.subnet_id.as_ref() == id).unwrap();
        let attributes = &files.vpc_attributes.as_ref().unwrap().vpc_attributes[0];
        let is_on = |value: &Option<ec2::AttributeBooleanValue>| value.as_ref().unwrap().value == Some(true);
        let lists = read_lists(files);
        let interfaces = files.network_interfaces.as_ref().unwrap().network_interfaces.iter().map(|interface| Interface {
            id: text(interface.network_interface_id.as_ref()),
            address: address(interface.private_ip_address.as_ref()),
            subnet: position(interface.subnet_id.as_ref()),
            groups: ids(&interface.groups),
            source_dest_check: interface.source_dest_check == Some(true),
        });
        Self {
            address: address(primary.private_ip_address.as_ref()),
            subnet: position(primary.subnet_id.as_ref()),
            has_public_address: primary.association.as_ref().is_some_and(|association| association.public_ip.is_some()),
            instance_type: text(instance.instance_type.as_ref()),
            groups: ids(&primary.groups),
            vpc: Block::parse(vpc.cidr_block.as_ref().unwrap()).unwrap(),
            dns_support: is_on(&attributes.enable_dns_support),
            dns_hostnames: is_on(&attributes.enable_dns_hostnames),
            servers: read_servers(files),
            subnets: read_subnets(files),
            tables: read_tables(files, &lists),
            acls: files.network_acls.as_ref().unwrap().network_acls.iter().map(|acl| acl.entries.clone()).collect(),
            security_groups: files.security_groups.as_ref().unwrap().security_groups.clone(),
            interfaces: interfaces.collect(),
            endpoints: files.vpc_endpoints.as_ref().unwrap().vpc_endpoints.clone(),
            nats: files.nat_gateways.as_ref().unwrap().nat_gateways.clone(),
            gateways: files.internet_gateways.as_ref().unwrap().internet_gateways.clone(),
            lists,
            zones: read_zones(files),
            rules: read_rules(files),
            block_mode: block_mode(files, vpc.block_public_access_states.as_ref(), "vpc-1"),
        }
    }
}

fn text(value: Option<&String>) -> String {
    value.cloned().unwrap_or_default()
}

fn bare(name: &str) -> String {
    name.trim_end_matches('.').to_owned()
}

fn address(value: Option<&String>) -> u32 {
    u32::from(value.unwrap().parse::<Ipv4Addr>().unwrap())
}

fn ids(groups: &[ec2::GroupIdentifier]) -> Vec<String> {
    groups.iter().filter_map(|group| group.group_id.clone()).collect()
}

fn read_lists(files: &RegionFiles) -> Vec<List> {
    let parse = |text: &String| Block::parse(text);
    let mut lists: Vec<List> = Vec::new();
    for list in &files.prefix_lists.as_ref().unwrap().prefix_lists {
        lists.push(List {
            id: text(list.prefix_list_id.as_ref()),
            managed_name: list.prefix_list_name.clone(),
            blocks: list.cidrs.iter().filter_map(parse).collect(),
        });
    }
    for (id, entries) in &files.prefix_list_entries.as_ref().unwrap().prefix_list_entries {
        if lists.iter().all(|list| list.id != *id) {
            let blocks = entries.iter().filter_map(|entry| Block::parse(entry.cidr.as_ref()?)).collect();
            lists.push(List { id: id.clone(), managed_name: None, blocks });
        }
    }
    lists
}

fn read_servers(files: &RegionFiles) -> Option<Vec<String>> {
    let id = files.vpcs.as_ref().unwrap().vpcs[0].dhcp_options_id.clone();
    let sets = &files.dhcp_options.as_ref().unwrap().dhcp_options;
    let set = sets.iter().find(|set| set.dhcp_options_id == id)?;
    let servers = set.dhcp_configurations.iter().find(|configuration| configuration.key.as_deref() == Some("domain-name-servers"))?;
    Some(servers.values.iter().filter_map(|value| value.value.clone()).collect())
}

fn read_subnets(files: &RegionFiles) -> Vec<Subnet> {
    let tables = &files.route_tables.as_ref().unwrap().route_tables;
    let acls = &files.network_acls.as_ref().unwrap().network_acls;
    let main = tables.iter().position(|table| table.associations.iter().any(|association| association.main == Some(true))).unwrap();
    let read = |subnet: &ec2::Subnet| Subnet {
        id: text(subnet.subnet_id.as_ref()),
        block: Block::parse(subnet.cidr_block.as_ref().unwrap()).unwrap(),
        table: tables
            .iter()
            .position(|table| table.associations.iter().any(|association| association.subnet_id == subnet.subnet_id))
            .unwrap_or(main),
        acl: acls.iter().position(|acl| acl.associations.iter().any(|association| association.subnet_id == subnet.subnet_id)).unwrap(),
        block_mode: block_mode(files, subnet.block_public_access_states.as_ref(), subnet.subnet_id.as_ref().unwrap()),
        zone: text(subnet.availability_zone.as_ref()),
    };
    files.subnets.as_ref().unwrap().subnets.iter().map(read).collect()
}

/// Decision 23, with the table of <https://docs.aws.amazon.com/vpc/latest/userguide/security-vpc-bpa-basics.html>.
fn block_mode(files: &RegionFiles, reported: Option<&ec2::BlockPublicAccessStates>, id: &str) -> String {
    if let Some(mode) = reported.and_then(|states| states.internet_gateway_block_mode.clone()) {
        return mode;
    }
    let options = &files.block_public_access.as_ref().unwrap().vpc_block_public_access_options;
    let mode = text(options.internet_gateway_block_mode.as_ref());
    let exclusions = &files.block_public_access_exclusions.as_ref().unwrap().vpc_block_public_access_exclusions;
    let exclusion = exclusions.iter().find(|exclusion| {
        let resource = exclusion.resource_arn.as_ref().unwrap().rsplit('/').next().unwrap();
        let is_in_force = matches!(exclusion.state.as_deref(), Some("create-complete" | "update-complete"));
        is_in_force && (resource == "vpc-1" || resource == id)
    });
    let allows = exclusion.and_then(|exclusion| exclusion.internet_gateway_exclusion_mode.as_deref());
    match (&*mode, allows) {
        ("off", _) | (_, Some("allow-bidirectional")) => "off".to_owned(),
        ("block-bidirectional", None) => mode,
        _ => "block-ingress".to_owned(),
    }
}

fn read_tables(files: &RegionFiles, lists: &[List]) -> Vec<Table> {
    let read = |table: &ec2::RouteTable| Table {
        id: text(table.route_table_id.as_ref()),
        edge_of: table.associations.iter().find_map(|association| association.gateway_id.clone()),
        routes: table.routes.iter().filter_map(|route| read_route(route, lists)).collect(),
    };
    files.route_tables.as_ref().unwrap().route_tables.iter().map(read).collect()
}

fn read_route(route: &ec2::Route, lists: &[List]) -> Option<Route> {
    // Decision 20 of docs/reachability.md.
    if route.state.as_deref() == Some("filtered") || route.destination_ipv6_cidr_block.is_some() {
        return None;
    }
    let list = route.destination_prefix_list_id.clone();
    let blocks = match &list {
        Some(id) => lists.iter().find(|list| list.id == *id).unwrap().blocks.clone(),
        None => vec![Block::parse(route.destination_cidr_block.as_ref()?)?],
    };
    let targets = [
        &route.gateway_id,
        &route.nat_gateway_id,
        &route.network_interface_id,
        &route.transit_gateway_id,
        &route.vpc_peering_connection_id,
        &route.core_network_arn,
    ];
    let class = match route.origin.as_deref() {
        Some("EnableVgwRoutePropagation" | "Advertisement") => Class::Propagated,
        _ if list.is_some() => Class::PrefixList,
        _ => Class::Static,
    };
    let target = targets.into_iter().flatten().next().cloned().unwrap();
    Some(Route { blocks, list, target, class, is_blackhole: route.state.as_deref() == Some("blackhole") })
}

fn read_zones(files: &RegionFiles) -> Vec<Zone> {
    let records = &files.record_sets.as_ref().unwrap().resource_record_sets;
    let zones = files.hosted_zones.as_ref().unwrap().hosted_zone_summaries.get("vpc-1");
    let of_user = |zone: &&HostedZoneSummary| zone.owner.as_ref().is_none_or(|owner| owner.owning_service.is_none());
    let read = |zone: &HostedZoneSummary| {
        let sets = records.get(zone.hosted_zone_id.as_ref().unwrap());
        let alias = |set: &ResourceRecordSet| Some((bare(set.name.as_ref()?), bare(set.alias_target.as_ref()?.dns_name.as_ref()?)));
        Zone { name: bare(zone.name.as_ref().unwrap()), aliases: sets.into_iter().flatten().filter_map(alias).collect() }
    };
    zones.into_iter().flatten().filter(of_user).map(read).collect()
}

fn read_rules(files: &RegionFiles) -> Vec<String> {
    let associations = &files.resolver_rule_associations.as_ref().unwrap().resolver_rule_associations;
    let rules = &files.resolver_rules.as_ref().unwrap().resolver_rules;
    let is_in_force = |rule: &&ResolverRule| {
        rule.rule_type.as_deref() == Some("FORWARD")
            && associations
                .iter()
                .any(|association| association.resolver_rule_id == rule.id && association.vpc_id.as_deref() == Some("vpc-1"))
    };
    rules.iter().filter(is_in_force).map(|rule| bare(rule.domain_name.as_ref().unwrap())).collect()
}
