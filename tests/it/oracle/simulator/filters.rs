//! What security groups and network ACLs let through, one rule after the other.

use patch_preflight::snapshot::ec2::{self, IpPermission};

use super::{Block, HTTPS, Interface, Traffic, World, port};

impl World {
    pub(super) fn security_group(&self, id: &str) -> &ec2::SecurityGroup {
        self.security_groups.iter().find(|group| group.group_id.as_deref() == Some(id)).unwrap()
    }

    /// Whether the instance's security groups let HTTPS out to any address at all, of which only blocks' edges need be tried.
    /// A group may be that of whatever is there.
    pub(in crate::oracle) fn lets_anything_out(&self) -> bool {
        let edges: Vec<u32> = self.blocks().iter().map(|block| block.first).collect();
        let permits = |permission: &IpPermission| {
            edges.iter().any(|address| self.permits(permission, HTTPS, *address, &groups_that_it_names(permission)))
        };
        self.groups.iter().any(|group| self.security_group(group).ip_permissions_egress.iter().any(permits))
    }

    /// Whether the instance's groups let it out to an address at which nothing was seen.
    /// If it is one of the VPC, what stands there may carry any group; outside the VPC nothing carries one.
    pub(super) fn lets_out(&self, traffic: Traffic, address: u32) -> bool {
        self.lets_out_to(traffic, address, self.vpc.holds(address))
    }

    pub(super) fn lets_out_to(&self, traffic: Traffic, address: u32, may_carry: bool) -> bool {
        let permits = |permission: &IpPermission| {
            let there = if may_carry { groups_that_it_names(permission) } else { Vec::new() };
            self.permits(permission, traffic, address, &there)
        };
        self.groups.iter().any(|group| self.security_group(group).ip_permissions_egress.iter().any(permits))
    }

    /// Whether an interface's groups let the instance in.
    pub(super) fn lets_in(&self, traffic: Traffic, interface: &Interface) -> bool {
        let permits = |permission: &IpPermission| self.permits(permission, traffic, self.address, &self.groups);
        interface.groups.iter().any(|group| self.security_group(group).ip_permissions.iter().any(permits))
    }

    /// Whether a security group's rule fits traffic with the remote address, whose network interface (if it has one here) is in the groups.
    pub(super) fn permits(&self, permission: &IpPermission, traffic: Traffic, address: u32, groups: &[String]) -> bool {
        let is_of = |pair: &ec2::UserIdGroupPair| groups.iter().any(|group| Some(group) == pair.group_id.as_ref());
        is_about(permission, traffic) && (self.names(permission, address) || permission.user_id_group_pairs.iter().any(is_of))
    }

    /// Whether a rule names the address, in a block or a list.
    fn names(&self, permission: &IpPermission, address: u32) -> bool {
        let in_list = |id: &Option<String>| {
            let list = self.lists.iter().find(|list| Some(&list.id) == id.as_ref()).unwrap();
            list.blocks.iter().any(|block| block.holds(address))
        };
        permission.ip_ranges.iter().any(|range| Block::parse(range.cidr_ip.as_ref().unwrap()).unwrap().holds(address))
            || permission.prefix_list_ids.iter().any(|list| in_list(&list.prefix_list_id))
    }

    /// Whether the subnet's network ACL lets a packet with the remote address to the destination port through.
    pub(super) fn acl(&self, subnet: usize, egress: bool, protocol: [&str; 2], address: u32, to_port: u32) -> bool {
        let mut decision: Option<(i32, bool)> = None;
        for entry in &self.acls[self.subnets[subnet].acl] {
            let number = entry.rule_number.unwrap();
            let holds = || entry.cidr_block.as_ref().and_then(|cidr| Block::parse(cidr)).is_some_and(|block| block.holds(address));
            let fits = entry.egress == Some(egress)
                && decision.is_none_or(|(first, _)| number < first)
                && match entry.protocol.as_deref() {
                    Some("-1") => true,
                    // Decision 19.
                    Some(word) if protocol.contains(&word) => {
                        entry.port_range.as_ref().is_some_and(|range| port(range.from) <= to_port && to_port <= port(range.to))
                    }
                    _ => false,
                }
                && holds();
            if fits {
                decision = Some((number, entry.rule_action.as_deref() == Some("allow")));
            }
        }
        decision.is_some_and(|(_, allows)| allows)
    }
}

/// Whether a security group's rule is about the protocol and the port.
fn is_about(permission: &IpPermission, traffic: Traffic) -> bool {
    match permission.ip_protocol.as_deref() {
        Some("-1") => true,
        Some(word) if traffic.protocol.contains(&word) => {
            port(permission.from_port) <= traffic.port && traffic.port <= port(permission.to_port)
        }
        _ => false,
    }
}

fn groups_that_it_names(permission: &IpPermission) -> Vec<String> {
    permission.user_id_group_pairs.iter().filter_map(|pair| pair.group_id.clone()).collect()
}
