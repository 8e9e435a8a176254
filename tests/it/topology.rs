//! Small networks for the truth table: the base topology, and changes to it that read like a sentence.
//!
//! Base: VPC 10.0.0.0/16 with Amazon's resolver and both DNS attributes on; subnet P (10.0.1.0/24, main route table, local only) with
//! instance `i` at 10.0.1.10; subnet E (10.0.2.0/24); subnet U (10.0.9.0/24, public) with NAT gateway `nat-1`; security group `sg-i`
//! that lets everything out; one network ACL that allows everything; Block Public Access off.

use std::collections::BTreeMap;

use patch_preflight::model::{Estate, known};
use patch_preflight::network::{
    Alternative, AnsweredBy, Assumptions, Ec2Messages, Goal, Judged, Needs, Network, Path, PolicyBucket, PortFamily, Sources, Target,
    Wanted,
};
use patch_preflight::snapshot::ec2::{self, IpPermission, NetworkAclEntry, Route};
use patch_preflight::snapshot::route53::{self, HostedZoneSummary, ResourceRecordSet};
use patch_preflight::snapshot::{AccountSnapshot, RegionFiles, Snapshot};

pub(crate) const ACCOUNT: &str = "111111111111";
pub(crate) const REGION: &str = "eu-central-1";
/// What the prefix list of S3 holds here.
pub(crate) const S3: [&str; 3] = ["3.5.134.0/23", "52.219.140.0/24", "52.219.168.0/22"];

#[derive(Clone)]
pub(crate) struct Topology {
    pub(crate) files: RegionFiles,
    pub(crate) ports: PortFamily,
    pub(crate) assumptions: Assumptions,
    pub(crate) ec2messages: Ec2Messages,
    /// What the operating system takes patches from.
    pub(crate) sources: Sources,
    /// The buckets that patching reads.
    pub(crate) buckets: Option<Vec<String>>,
    pub(crate) policy_buckets: Vec<(PolicyBucket, Option<known::Unknown>)>,
    /// Other accounts and Regions that were seen.
    pub(crate) others: BTreeMap<(String, String), RegionFiles>,
}

#[expect(clippy::unnecessary_wraps, reason = "every member of AWS's shapes is optional")]
pub(crate) fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[expect(clippy::too_many_lines, reason = "one network, spelt out")]
pub(crate) fn base() -> Topology {
    let subnet = |id: &str, cidr: &str| ec2::Subnet {
        subnet_id: some(id),
        vpc_id: some("vpc-1"),
        owner_id: some(ACCOUNT),
        cidr_block: some(cidr),
        availability_zone: some("eu-central-1a"),
        availability_zone_id: some("euc1-az1"),
        ..Default::default()
    };
    let table = |id: &str, association: ec2::RouteTableAssociation, routes: Vec<Route>| ec2::RouteTable {
        route_table_id: some(id),
        vpc_id: some("vpc-1"),
        associations: vec![association],
        routes: std::iter::once(Route {
            destination_cidr_block: some("10.0.0.0/16"),
            gateway_id: some("local"),
            origin: some("CreateRouteTable"),
            state: some("active"),
            ..Default::default()
        })
        .chain(routes)
        .collect(),
        ..Default::default()
    };
    let main = ec2::RouteTableAssociation { main: Some(true), route_table_id: some("rtb-main"), ..Default::default() };
    let of_u = ec2::RouteTableAssociation { subnet_id: some("subnet-u"), route_table_id: some("rtb-u"), ..Default::default() };
    let instance = ec2::Instance {
        instance_id: some("i-1"),
        instance_type: some("t3.small"),
        state: Some(ec2::InstanceState { code: Some(16), name: some("running") }),
        vpc_id: some("vpc-1"),
        subnet_id: some("subnet-p"),
        private_ip_address: some("10.0.1.10"),
        network_interfaces: vec![ec2::InstanceNetworkInterface {
            network_interface_id: some("eni-i"),
            vpc_id: some("vpc-1"),
            subnet_id: some("subnet-p"),
            private_ip_address: some("10.0.1.10"),
            attachment: Some(ec2::InstanceNetworkInterfaceAttachment { device_index: Some(0), ..Default::default() }),
            groups: vec![group_id("sg-i")],
            ..Default::default()
        }],
        ..Default::default()
    };
    let files = RegionFiles {
        instances: Some(ec2::DescribeInstances {
            reservations: vec![ec2::Reservation { instances: vec![instance], ..Default::default() }],
        }),
        vpcs: Some(ec2::DescribeVpcs {
            vpcs: vec![ec2::Vpc {
                vpc_id: some("vpc-1"),
                owner_id: some(ACCOUNT),
                cidr_block: some("10.0.0.0/16"),
                dhcp_options_id: some("dopt-1"),
                ..Default::default()
            }],
        }),
        vpc_attributes: Some(ec2::DescribeVpcAttribute {
            vpc_attributes: vec![ec2::VpcAttribute {
                vpc_id: some("vpc-1"),
                enable_dns_support: Some(ec2::AttributeBooleanValue { value: Some(true) }),
                enable_dns_hostnames: Some(ec2::AttributeBooleanValue { value: Some(true) }),
            }],
        }),
        subnets: Some(ec2::DescribeSubnets {
            subnets: vec![subnet("subnet-p", "10.0.1.0/24"), subnet("subnet-e", "10.0.2.0/24"), subnet("subnet-u", "10.0.9.0/24")],
        }),
        route_tables: Some(ec2::DescribeRouteTables {
            route_tables: vec![table("rtb-main", main, Vec::new()), table("rtb-u", of_u, vec![route_to("0.0.0.0/0", "igw-1")])],
        }),
        security_groups: Some(ec2::DescribeSecurityGroups {
            security_groups: vec![security_group("sg-i", vec![], vec![all_to("0.0.0.0/0")])],
        }),
        network_acls: Some(ec2::DescribeNetworkAcls { network_acls: vec![open_acl("acl-1", &["subnet-p", "subnet-e", "subnet-u"])] }),
        network_interfaces: Some(ec2::DescribeNetworkInterfaces { network_interfaces: vec![] }),
        vpc_endpoints: Some(ec2::DescribeVpcEndpoints { vpc_endpoints: vec![] }),
        endpoint_services: Some(ec2::DescribeVpcEndpointServices { service_names: vec![], service_details: vec![] }),
        prefix_lists: Some(ec2::DescribePrefixLists {
            prefix_lists: vec![ec2::PrefixList {
                prefix_list_id: some("pl-s3"),
                prefix_list_name: some("com.amazonaws.eu-central-1.s3"),
                cidrs: S3.iter().map(|cidr| (*cidr).to_owned()).collect(),
            }],
        }),
        managed_prefix_lists: Some(ec2::DescribeManagedPrefixLists { prefix_lists: vec![] }),
        prefix_list_entries: Some(ec2::GetManagedPrefixListEntries { prefix_list_entries: BTreeMap::new() }),
        nat_gateways: Some(ec2::DescribeNatGateways {
            nat_gateways: vec![ec2::NatGateway {
                nat_gateway_id: some("nat-1"),
                vpc_id: some("vpc-1"),
                subnet_id: some("subnet-u"),
                state: some("available"),
                connectivity_type: some("public"),
                ..Default::default()
            }],
        }),
        internet_gateways: Some(ec2::DescribeInternetGateways {
            internet_gateways: vec![ec2::InternetGateway {
                internet_gateway_id: some("igw-1"),
                attachments: vec![ec2::InternetGatewayAttachment { vpc_id: some("vpc-1"), state: some("available") }],
                ..Default::default()
            }],
        }),
        dhcp_options: Some(ec2::DescribeDhcpOptions { dhcp_options: vec![dhcp("dopt-1", &["AmazonProvidedDNS"])] }),
        block_public_access: Some(ec2::DescribeVpcBlockPublicAccessOptions {
            vpc_block_public_access_options: ec2::VpcBlockPublicAccessOptions {
                internet_gateway_block_mode: some("off"),
                ..Default::default()
            },
        }),
        block_public_access_exclusions: Some(ec2::DescribeVpcBlockPublicAccessExclusions { vpc_block_public_access_exclusions: vec![] }),
        encryption_controls: Some(ec2::DescribeVpcEncryptionControls { vpc_encryption_controls: vec![] }),
        hosted_zones: Some(route53::ListHostedZonesByVpc { hosted_zone_summaries: BTreeMap::from([("vpc-1".to_owned(), vec![])]) }),
        record_sets: Some(route53::ListResourceRecordSets { resource_record_sets: BTreeMap::new() }),
        resolver_rules: Some(route53::ListResolverRules { resolver_rules: vec![] }),
        resolver_rule_associations: Some(route53::ListResolverRuleAssociations { resolver_rule_associations: vec![] }),
        firewall_associations: Some(route53::ListFirewallRuleGroupAssociations { firewall_rule_group_associations: vec![] }),
        profile_associations: Some(route53::ListProfileAssociations { profile_associations: vec![] }),
        ..Default::default()
    };
    Topology {
        files,
        ports: PortFamily::Linux,
        assumptions: Assumptions::default(),
        sources: Sources::NotNeeded(String::new()),
        buckets: Some(["aws-ssm-eu-central-1", "patch-baseline-snapshot-eu-central-1"].map(str::to_owned).to_vec()),
        policy_buckets: Vec::new(),
        others: BTreeMap::new(),
        ec2messages: Ec2Messages { exists: true, agent_prefers_ssmmessages: false },
    }
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

fn open_acl(id: &str, subnets: &[&str]) -> ec2::NetworkAcl {
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

impl Topology {
    pub(crate) fn with(mut self, change: impl FnOnce(&mut RegionFiles)) -> Self {
        change(&mut self.files);
        self
    }

    /// "3EP": interface endpoints for ssm, ssmmessages and ec2messages in E, with private DNS, open to the VPC.
    pub(crate) fn endpoints(self) -> Self {
        self.endpoint_group("sg-e", vec![https_to("10.0.0.0/16")])
            .endpoint("ssm", &["subnet-e"])
            .endpoint("ssmmessages", &["subnet-e"])
            .endpoint("ec2messages", &["subnet-e"])
    }

    pub(crate) fn endpoint_group(self, id: &str, ingress: Vec<IpPermission>) -> Self {
        self.groups(|groups| groups.push(security_group(id, ingress, vec![all_to("0.0.0.0/0")])))
    }

    /// Replaces what the endpoints' group lets in.
    pub(crate) fn endpoint_ingress(self, ingress: &[IpPermission]) -> Self {
        self.groups(|groups| {
            groups
                .iter_mut()
                .filter(|group| group.group_id.as_deref() == Some("sg-e"))
                .for_each(|group| group.ip_permissions = ingress.to_vec());
        })
    }

    /// Replaces what the instance's group lets out.
    pub(crate) fn egress(self, egress: &[IpPermission]) -> Self {
        self.groups(|groups| {
            groups
                .iter_mut()
                .filter(|group| group.group_id.as_deref() == Some("sg-i"))
                .for_each(|group| group.ip_permissions_egress = egress.to_vec());
        })
    }

    pub(crate) fn groups(self, change: impl FnOnce(&mut Vec<ec2::SecurityGroup>)) -> Self {
        self.with(|files| change(&mut files.security_groups.as_mut().unwrap().security_groups))
    }

    /// An interface endpoint with one network interface in each of the subnets.
    pub(crate) fn endpoint(self, service: &str, subnets: &[&str]) -> Self {
        let interfaces: Vec<ec2::NetworkInterface> = subnets
            .iter()
            .enumerate()
            .map(|(position, subnet)| ec2::NetworkInterface {
                network_interface_id: some(&format!("eni-{service}-{position}")),
                subnet_id: some(subnet),
                vpc_id: some("vpc-1"),
                private_ip_address: some(&format!(
                    "10.0.{}.{}",
                    match *subnet {
                        "subnet-p" => 1,
                        "subnet-e" => 2,
                        _ => 9,
                    },
                    100 + service.len()
                )),
                groups: vec![group_id("sg-e")],
                ..Default::default()
            })
            .collect();
        let endpoint = ec2::VpcEndpoint {
            vpc_endpoint_id: some(&format!("vpce-{service}")),
            vpc_endpoint_type: some("Interface"),
            vpc_id: some("vpc-1"),
            service_name: some(&format!("com.amazonaws.eu-central-1.{service}")),
            state: some("available"),
            private_dns_enabled: Some(true),
            subnet_ids: subnets.iter().map(|subnet| (*subnet).to_owned()).collect(),
            groups: vec![group_id("sg-e")],
            ip_address_type: some("ipv4"),
            dns_entries: vec![ec2::DnsEntry { dns_name: some(&own_name(&format!("vpce-{service}"), service)), ..Default::default() }],
            network_interface_ids: interfaces.iter().filter_map(|interface| interface.network_interface_id.clone()).collect(),
            ..Default::default()
        };
        self.with(|files| {
            files.network_interfaces.as_mut().unwrap().network_interfaces.extend(interfaces);
            files.vpc_endpoints.as_mut().unwrap().vpc_endpoints.push(endpoint);
        })
    }

    pub(crate) fn each_endpoint(self, change: impl Fn(&mut ec2::VpcEndpoint)) -> Self {
        self.with(|files| files.vpc_endpoints.as_mut().unwrap().vpc_endpoints.iter_mut().for_each(change))
    }

    /// "gwS3": the gateway endpoint of S3, associated with the given route table.
    pub(crate) fn gateway_endpoint(self, table: &str) -> Self {
        let endpoint = ec2::VpcEndpoint {
            vpc_endpoint_id: some("vpce-s3"),
            vpc_endpoint_type: some("Gateway"),
            vpc_id: some("vpc-1"),
            service_name: some("com.amazonaws.eu-central-1.s3"),
            state: some("available"),
            route_table_ids: vec![table.to_owned()],
            ..Default::default()
        };
        self.with(|files| files.vpc_endpoints.as_mut().unwrap().vpc_endpoints.push(endpoint)).route(table, route_to("pl-s3", "vpce-s3"))
    }

    pub(crate) fn route(self, table: &str, route: Route) -> Self {
        self.with(|files| {
            let tables = &mut files.route_tables.as_mut().unwrap().route_tables;
            tables.iter_mut().find(|candidate| candidate.route_table_id.as_deref() == Some(table)).unwrap().routes.push(route);
        })
    }

    /// P routes everything to the NAT gateway in U.
    pub(crate) fn nat(self) -> Self {
        self.route("rtb-main", route_to("0.0.0.0/0", "nat-1"))
    }

    pub(crate) fn nat_gateway(self, change: impl FnOnce(&mut ec2::NatGateway)) -> Self {
        self.with(|files| change(&mut files.nat_gateways.as_mut().unwrap().nat_gateways[0]))
    }

    /// A customer-managed prefix list.
    pub(crate) fn prefix_list(self, id: &str, cidrs: &[&str]) -> Self {
        let entries = cidrs.iter().map(|cidr| ec2::PrefixListEntry { cidr: some(cidr), description: None }).collect();
        self.with(|files| {
            files.prefix_list_entries.as_mut().unwrap().prefix_list_entries.insert(id.to_owned(), entries);
        })
    }

    /// Gives one subnet a network ACL of its own.
    pub(crate) fn subnet_acl(self, subnet: &str, entries: &[&str]) -> Self {
        self.with(|files| {
            let acls = &mut files.network_acls.as_mut().unwrap().network_acls;
            acls[0].associations.retain(|association| association.subnet_id.as_deref() != Some(subnet));
            acls.push(acl(&format!("acl-{subnet}"), &[subnet], entries));
        })
    }

    pub(crate) fn dns_attributes(self, support: bool, hostnames: bool) -> Self {
        self.with(|files| {
            let attributes = &mut files.vpc_attributes.as_mut().unwrap().vpc_attributes[0];
            attributes.enable_dns_support = Some(ec2::AttributeBooleanValue { value: Some(support) });
            attributes.enable_dns_hostnames = Some(ec2::AttributeBooleanValue { value: Some(hostnames) });
        })
    }

    pub(crate) fn dns_servers(self, servers: &[&str]) -> Self {
        self.with(|files| files.dhcp_options.as_mut().unwrap().dhcp_options = vec![dhcp("dopt-1", servers)])
    }

    pub(crate) fn default_dhcp(self) -> Self {
        self.with(|files| files.vpcs.as_mut().unwrap().vpcs[0].dhcp_options_id = some("default"))
    }

    pub(crate) fn hosted_zone(self, name: &str, records: &[(&str, &str)]) -> Self {
        let record = |(name, alias): &(&str, &str)| ResourceRecordSet {
            name: some(name),
            r#type: some("A"),
            alias_target: Some(route53::AliasTarget { dns_name: some(alias), ..Default::default() }),
            ..Default::default()
        };
        let records = records.iter().map(record).collect();
        self.with(|files| {
            let zone = HostedZoneSummary { hosted_zone_id: some("Z1"), name: some(name), ..Default::default() };
            files.hosted_zones.as_mut().unwrap().hosted_zone_summaries.entry("vpc-1".to_owned()).or_default().push(zone);
            files.record_sets.as_mut().unwrap().resource_record_sets.insert("Z1".to_owned(), records);
        })
    }

    pub(crate) fn forward_rule(self, domain: &str) -> Self {
        self.with(|files| {
            let rule = route53::ResolverRule {
                id: some("rslvr-rr-1"),
                domain_name: some(domain),
                rule_type: some("FORWARD"),
                ..Default::default()
            };
            let association =
                route53::ResolverRuleAssociation { resolver_rule_id: some("rslvr-rr-1"), vpc_id: some("vpc-1"), ..Default::default() };
            files.resolver_rules.as_mut().unwrap().resolver_rules.push(rule);
            files.resolver_rule_associations.as_mut().unwrap().resolver_rule_associations.push(association);
        })
    }

    pub(crate) fn instance(self, change: impl FnOnce(&mut ec2::Instance)) -> Self {
        self.with(|files| change(&mut files.instances.as_mut().unwrap().reservations[0].instances[0]))
    }

    /// Moves the instance to another subnet and address.
    pub(crate) fn in_subnet(self, subnet: &str, address: &str) -> Self {
        self.instance(|instance| {
            instance.subnet_id = some(subnet);
            instance.private_ip_address = some(address);
            instance.network_interfaces[0].subnet_id = some(subnet);
            instance.network_interfaces[0].private_ip_address = some(address);
        })
    }

    pub(crate) fn public_address(self) -> Self {
        self.instance(|instance| {
            instance.network_interfaces[0].association =
                Some(ec2::NetworkInterfaceAssociation { public_ip: some("18.1.2.3"), ..Default::default() });
        })
    }

    pub(crate) fn member_of(self, groups: &[&str]) -> Self {
        self.instance(|instance| instance.network_interfaces[0].groups = groups.iter().map(|id| group_id(id)).collect())
    }

    pub(crate) fn block_public_access(self, mode: &str, exclusions: &[(&str, &str)]) -> Self {
        let exclusion = |(resource, mode): &(&str, &str)| ec2::VpcBlockPublicAccessExclusion {
            resource_arn: some(&format!("arn:aws:ec2:eu-central-1:111111111111:subnet/{resource}")),
            internet_gateway_exclusion_mode: some(mode),
            state: some("create-complete"),
            ..Default::default()
        };
        let exclusions = exclusions.iter().map(exclusion).collect();
        self.with(|files| {
            files.block_public_access.as_mut().unwrap().vpc_block_public_access_options.internet_gateway_block_mode = some(mode);
            files.block_public_access_exclusions.as_mut().unwrap().vpc_block_public_access_exclusions = exclusions;
        })
    }

    pub(crate) fn ports(mut self, ports: PortFamily) -> Self {
        self.ports = ports;
        self
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let own = ((ACCOUNT.to_owned(), REGION.to_owned()), self.files.clone());
        let mut accounts: BTreeMap<String, AccountSnapshot> = BTreeMap::new();
        for ((account, region), files) in self.others.clone().into_iter().chain([own]) {
            accounts.entry(account).or_default().regions.insert(region, files);
        }
        Snapshot { accounts, ..Default::default() }
    }

    fn judged(&self, snapshot: &Snapshot) -> Judged {
        let estate = Estate::new(snapshot);
        let region = estate.region(ACCOUNT, REGION).unwrap();
        let instances = Estate::instances(region);
        let needs = Needs {
            ports: self.ports,
            ec2messages: self.ec2messages,
            sources: self.sources.clone(),
            buckets: self.buckets.clone(),
            policy_buckets: self.policy_buckets.clone(),
        };
        Network::new(&estate, &self.assumptions).judge(region, instances["i-1"], &needs)
    }

    /// The paths of every instance, by classes or each by itself.
    pub(crate) fn all_paths(&self, by_classes: bool) -> Vec<Vec<Path>> {
        let snapshot = self.snapshot();
        let estate = Estate::new(&snapshot);
        let region = estate.region(ACCOUNT, REGION).unwrap();
        let network = Network::new(&estate, &self.assumptions);
        let instances = Estate::instances(region).into_values();
        let paths = instances.map(|instance| {
            if !by_classes {
                network.forget();
            }
            network.judge(region, instance, &self.needs()).paths.iter().map(|path| Path::clone(path)).collect()
        });
        paths.collect()
    }

    pub(crate) fn needs(&self) -> Needs {
        Needs {
            ports: self.ports,
            ec2messages: self.ec2messages,
            sources: self.sources.clone(),
            buckets: self.buckets.clone(),
            policy_buckets: self.policy_buckets.clone(),
        }
    }

    pub(crate) fn paths(&self) -> Vec<Path> {
        self.judged(&self.snapshot()).paths.iter().map(|path| Path::clone(path)).collect()
    }

    /// The path to a service, or the one verdict over all that patches need.
    pub(crate) fn path(&self, target: Target) -> Path {
        self.path_in(&self.snapshot(), target)
    }

    pub(crate) fn path_in(&self, snapshot: &Snapshot, target: Target) -> Path {
        let judged = self.judged(snapshot);
        match target {
            Target::Repository => judged.repository,
            service => judged.paths.iter().find(|path| path.target == service).map(|path| Path::clone(path)).unwrap(),
        }
    }

    /// The one verdict over the names of S3 that every run needs.
    pub(crate) fn s3(&self) -> Path {
        self.judged(&self.snapshot()).s3
    }

    /// The one verdict over the buckets of patch policies.
    pub(crate) fn policy_buckets_path(&self) -> Option<Path> {
        self.judged(&self.snapshot()).policy_buckets
    }

    /// Takes patches from these hosts and ports, all of which are needed.
    pub(crate) fn patched_from(mut self, hosts: &[(&str, u16, AnsweredBy)]) -> Self {
        let wanted = |(host, port, answered_by): &(&str, u16, AnsweredBy)| Wanted {
            goal: Goal::of_repository(host, *port, answered_by.clone(), Some(*answered_by == AnsweredBy::DualStackS3), true),
            perhaps: None,
        };
        let alternative = Alternative { doubt: None, wanted: hosts.iter().map(wanted).collect() };
        self.sources = Sources::Known(vec![alternative]);
        self
    }

    pub(crate) fn amazon_linux_2023(self) -> Self {
        let host = "al2023-repos-eu-central-1-de612dc2.s3.dualstack.eu-central-1.amazonaws.com";
        self.patched_from(&[(host, 443, AnsweredBy::DualStackS3)])
    }

    pub(crate) fn ubuntu(self) -> Self {
        self.patched_from(&[
            ("eu-central-1.ec2.archive.ubuntu.com", 80, AnsweredBy::Internet),
            ("security.ubuntu.com", 80, AnsweredBy::Internet),
        ])
    }
}
