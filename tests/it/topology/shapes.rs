//! Parts of a network in AWS's shapes, in few words.

use patch_preflight::snapshot::ec2::{self, IpPermission, NetworkAclEntry, Route};

#[expect(clippy::unnecessary_wraps, reason = "every member of AWS's shapes is optional")]
pub(crate) fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

pub(crate) fn group_id(id: &str) -> ec2::GroupIdentifier {
    ec2::GroupIdentifier { group_id: some(id), group_name: None }
}

pub(crate) fn security_group(id: &str, ingress: Vec<IpPermission>, egress: Vec<IpPermission>) -> ec2::SecurityGroup {
    ec2::SecurityGroup {
        group_id: some(id),
        vpc_id: some("vpc-1"),
        ip_permissions: ingress,
        ip_permissions_egress: egress,
        ..Default::default()
    }
}

fn permission(protocol: &str, ports: Option<(i32, i32)>) -> IpPermission {
    IpPermission {
        ip_protocol: some(protocol),
        from_port: ports.map(|ports| ports.0),
        to_port: ports.map(|ports| ports.1),
        ..Default::default()
    }
}

pub(crate) fn all_to(cidr: &str) -> IpPermission {
    IpPermission { ip_ranges: vec![ec2::IpRange { cidr_ip: some(cidr), description: None }], ..permission("-1", None) }
}

pub(crate) fn allow(protocol: &str, first: i32, last: i32, cidr: &str) -> IpPermission {
    IpPermission { ip_ranges: vec![ec2::IpRange { cidr_ip: some(cidr), description: None }], ..permission(protocol, Some((first, last))) }
}

pub(crate) fn https_to(cidr: &str) -> IpPermission {
    allow("tcp", 443, 443, cidr)
}

pub(crate) fn https_to_list(id: &str) -> IpPermission {
    IpPermission {
        prefix_list_ids: vec![ec2::PrefixListId { prefix_list_id: some(id), description: None }],
        ..permission("tcp", Some((443, 443)))
    }
}

pub(crate) fn https_group(id: &str) -> IpPermission {
    IpPermission {
        user_id_group_pairs: vec![ec2::UserIdGroupPair { group_id: some(id), ..Default::default() }],
        ..permission("tcp", Some((443, 443)))
    }
}

pub(crate) fn https_v6(cidr: &str) -> IpPermission {
    IpPermission { ipv6_ranges: vec![ec2::Ipv6Range { cidr_ipv6: some(cidr), description: None }], ..permission("tcp", Some((443, 443))) }
}

pub(crate) fn all_v6(cidr: &str) -> IpPermission {
    IpPermission { ipv6_ranges: vec![ec2::Ipv6Range { cidr_ipv6: some(cidr), description: None }], ..permission("-1", None) }
}

/// `100 in tcp 443 10.0.0.0/8 allow`: number, direction, protocol (`all` too), ports (`443`, `1024-65535`, `*`), block, action.
pub(crate) fn entry(text: &str) -> NetworkAclEntry {
    let words: Vec<&str> = text.split_whitespace().collect();
    let [number, direction, protocol, ports, cidr, action] = words[..] else { panic!("{text}") };
    let range = match ports.split_once('-') {
        Some((first, last)) => Some((first, last)),
        None if ports == "*" => None,
        None => Some((ports, ports)),
    };
    NetworkAclEntry {
        rule_number: number.parse().ok(),
        egress: Some(direction == "out"),
        protocol: some(match protocol {
            "tcp" => "6",
            "udp" => "17",
            "all" => "-1",
            other => other,
        }),
        port_range: range.map(|(first, last)| ec2::PortRange { from: first.parse().ok(), to: last.parse().ok() }),
        cidr_block: (!cidr.contains(':')).then(|| cidr.to_owned()),
        ipv6_cidr_block: cidr.contains(':').then(|| cidr.to_owned()),
        rule_action: some(action),
    }
}

pub(crate) const ALL_IN: &str = "100 in all * 0.0.0.0/0 allow";
pub(crate) const ALL_OUT: &str = "100 out all * 0.0.0.0/0 allow";

pub(crate) fn acl(id: &str, subnets: &[&str], entries: &[&str]) -> ec2::NetworkAcl {
    let association =
        |subnet: &&str| ec2::NetworkAclAssociation { subnet_id: some(subnet), network_acl_id: some(id), ..Default::default() };
    let last = ["32767 in all * 0.0.0.0/0 deny", "32767 out all * 0.0.0.0/0 deny"];
    ec2::NetworkAcl {
        network_acl_id: some(id),
        vpc_id: some("vpc-1"),
        associations: subnets.iter().map(association).collect(),
        entries: entries.iter().chain(&last).map(|text| entry(text)).collect(),
        ..Default::default()
    }
}

pub(super) fn open_acl(id: &str, subnets: &[&str]) -> ec2::NetworkAcl {
    acl(id, subnets, &[ALL_IN, ALL_OUT])
}

pub(crate) fn dhcp(id: &str, servers: &[&str]) -> ec2::DhcpOptions {
    let values = servers.iter().map(|server| ec2::AttributeValue { value: some(server) }).collect();
    ec2::DhcpOptions {
        dhcp_options_id: some(id),
        dhcp_configurations: vec![ec2::DhcpConfiguration { key: some("domain-name-servers"), values }],
        ..Default::default()
    }
}

/// A static route; the kind of target is read from its id.
pub(crate) fn route_to(destination: &str, target: &str) -> Route {
    let mut route = Route { origin: some("CreateRoute"), state: some("active"), ..Default::default() };
    if destination.starts_with("pl-") {
        route.destination_prefix_list_id = some(destination);
    } else if destination.contains(':') {
        route.destination_ipv6_cidr_block = some(destination);
    } else {
        route.destination_cidr_block = some(destination);
    }
    let field = match target.split('-').next().unwrap_or_default() {
        "nat" => &mut route.nat_gateway_id,
        "tgw" => &mut route.transit_gateway_id,
        "pcx" => &mut route.vpc_peering_connection_id,
        "eni" => &mut route.network_interface_id,
        "eigw" => &mut route.egress_only_internet_gateway_id,
        "arn:aws:networkmanager::core" => &mut route.core_network_arn,
        _ => &mut route.gateway_id,
    };
    *field = some(target);
    route
}

pub(crate) fn blackhole(destination: &str, target: &str) -> Route {
    Route { state: some("blackhole"), ..route_to(destination, target) }
}

pub(crate) fn propagated(destination: &str, target: &str) -> Route {
    Route { origin: some("EnableVgwRoutePropagation"), ..route_to(destination, target) }
}

/// The name of its own that an interface endpoint has.
pub(crate) fn own_name(endpoint: &str, service: &str) -> String {
    format!("{endpoint}-0a1b.{service}.eu-central-1.vpce.amazonaws.com")
}
