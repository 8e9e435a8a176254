//! Changes to a network whose effect on every verdict is known beforehand.

use std::net::Ipv4Addr;

use patch_preflight::network::Verdict::{self, Blocked, NotNeeded, Reachable};
use patch_preflight::snapshot::{RegionFiles, ec2};

/// Turns every list around whose order means nothing.
pub(super) fn reverse(files: &mut RegionFiles) {
    for table in &mut files.route_tables.as_mut().unwrap().route_tables {
        table.routes.reverse();
        table.associations.reverse();
    }
    for acl in &mut files.network_acls.as_mut().unwrap().network_acls {
        acl.entries.reverse();
        acl.associations.reverse();
    }
    for group in &mut files.security_groups.as_mut().unwrap().security_groups {
        for permission in group.ip_permissions.iter_mut().chain(&mut group.ip_permissions_egress) {
            permission.ip_ranges.reverse();
            permission.prefix_list_ids.reverse();
            permission.user_id_group_pairs.reverse();
        }
        group.ip_permissions.reverse();
        group.ip_permissions_egress.reverse();
    }
    for endpoint in &mut files.vpc_endpoints.as_mut().unwrap().vpc_endpoints {
        endpoint.network_interface_ids.reverse();
        endpoint.subnet_ids.reverse();
        endpoint.groups.reverse();
    }
    for interface in &mut files.instances.as_mut().unwrap().reservations[0].instances[0].network_interfaces {
        interface.groups.reverse();
    }
    for list in &mut files.prefix_lists.as_mut().unwrap().prefix_lists {
        list.cidrs.reverse();
    }
    files.prefix_list_entries.as_mut().unwrap().prefix_list_entries.values_mut().for_each(|entries| entries.reverse());
    files.hosted_zones.as_mut().unwrap().hosted_zone_summaries.values_mut().for_each(|zones| zones.reverse());
    files.record_sets.as_mut().unwrap().resource_record_sets.values_mut().for_each(|records| records.reverse());
    files.instances.as_mut().unwrap().reservations[0].instances[0].network_interfaces.reverse();
    files.subnets.as_mut().unwrap().subnets.reverse();
    files.route_tables.as_mut().unwrap().route_tables.reverse();
    files.network_acls.as_mut().unwrap().network_acls.reverse();
    files.security_groups.as_mut().unwrap().security_groups.reverse();
    files.network_interfaces.as_mut().unwrap().network_interfaces.reverse();
    files.vpc_endpoints.as_mut().unwrap().vpc_endpoints.reverse();
    files.prefix_lists.as_mut().unwrap().prefix_lists.reverse();
    files.managed_prefix_lists.as_mut().unwrap().prefix_lists.reverse();
    files.nat_gateways.as_mut().unwrap().nat_gateways.reverse();
    files.resolver_rules.as_mut().unwrap().resolver_rules.reverse();
    files.resolver_rule_associations.as_mut().unwrap().resolver_rule_associations.reverse();
}

/// Writes every block of a security group's or network ACL's rule as its two halves.
pub(super) fn halve(files: &mut RegionFiles) {
    for group in &mut files.security_groups.as_mut().unwrap().security_groups {
        for permission in group.ip_permissions.iter_mut().chain(&mut group.ip_permissions_egress) {
            let halves = |range: &ec2::IpRange| {
                halves(range.cidr_ip.as_ref().unwrap()).map(|cidr| ec2::IpRange { cidr_ip: Some(cidr), description: None })
            };
            permission.ip_ranges = permission.ip_ranges.iter().flat_map(halves).collect();
        }
    }
    for acl in &mut files.network_acls.as_mut().unwrap().network_acls {
        let mut entries = Vec::new();
        for entry in acl.entries.drain(..) {
            let number = entry.rule_number.unwrap();
            match &entry.cidr_block {
                // Doubled, the numbers leave room for the second half and keep their order.
                Some(cidr) if number < 16_000 => {
                    for (offset, half) in halves(cidr).into_iter().enumerate() {
                        let number = 2 * number + i32::try_from(offset).unwrap();
                        entries.push(ec2::NetworkAclEntry { rule_number: Some(number), cidr_block: Some(half), ..entry.clone() });
                    }
                }
                _ => entries.push(entry),
            }
        }
        acl.entries = entries;
    }
}

/// A single address stays what it is, twice.
fn halves(cidr: &str) -> [String; 2] {
    let (address, length) = cidr.split_once('/').unwrap();
    let (address, length) = (u32::from(address.parse::<Ipv4Addr>().unwrap()), length.parse::<u32>().unwrap());
    if length == 32 {
        return [cidr.to_owned(), cidr.to_owned()];
    }
    let middle = address | (1 << (31 - length));
    [address, middle].map(|first| format!("{}/{}", Ipv4Addr::from(first), length + 1))
}

/// Adds a rule to what the instance's group lets out, or to what the endpoints' group lets in.
pub(super) fn allow(files: &mut RegionFiles, permission: ec2::IpPermission, to_instance: bool) {
    let id = if to_instance { "sg-i" } else { "sg-e" };
    let groups = &mut files.security_groups.as_mut().unwrap().security_groups;
    let group = groups.iter_mut().find(|group| group.group_id.as_deref() == Some(id)).unwrap();
    let permissions = if to_instance { &mut group.ip_permissions_egress } else { &mut group.ip_permissions };
    permissions.push(permission);
}

/// More flows pass, surely or perhaps: what worked works, and what was not surely blocked is not now.
pub(super) fn is_no_worse(before: Verdict, after: Verdict) -> bool {
    match before {
        Reachable | NotNeeded => matches!(after, Reachable | NotNeeded),
        Blocked => true,
        _ => after != Blocked,
    }
}

/// More instances like the first, beside it in its subnet.
pub(super) fn add_neighbours(files: &mut RegionFiles, hosts: &[u8]) {
    let instances = &mut files.instances.as_mut().unwrap().reservations[0].instances;
    let first = instances[0].clone();
    for host in hosts {
        let beside = |address: &Option<String>| {
            let address = address.as_ref()?;
            Some(format!("{}.{host}", address.rsplit_once('.')?.0))
        };
        let mut neighbour = first.clone();
        neighbour.instance_id = Some(format!("i-{}", 2 + u32::from(*host)));
        neighbour.private_ip_address = beside(&neighbour.private_ip_address);
        for interface in &mut neighbour.network_interfaces {
            interface.private_ip_address = beside(&interface.private_ip_address);
            interface.network_interface_id = interface.network_interface_id.as_ref().map(|id| format!("{id}-{host}"));
        }
        instances.push(neighbour);
    }
}
