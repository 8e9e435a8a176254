//! Random VPCs, small on purpose: few addresses, few ports and few names, so that everything that may collide does.
//!
//! Nothing that AWS would refuse: one route a destination, one rule a number, a route to a deleted thing is a blackhole.
//! All facts are known.

use std::collections::BTreeMap;

use patch_preflight::network::{Ec2Messages, PortFamily};
use patch_preflight::snapshot::ec2;
use patch_preflight::snapshot::route53::{self, HostedZoneSummary, ResolverRule, ResolverRuleAssociation, ResourceRecordSet};
use proptest::collection::{btree_map, vec};
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::topology::{ACCOUNT, REGION, Topology, base, dhcp, group_id, route_to, security_group};

const SUBNETS: [(&str, &str, &str); 3] =
    [("subnet-p", "10.0.1.0/24", "10.0.1."), ("subnet-e", "10.0.2.0/24", "10.0.2."), ("subnet-u", "10.0.9.0/24", "10.0.9.")];
const SERVICES: [&str; 4] = ["ssm", "ssmmessages", "ec2messages", "s3"];

/// Blocks that S3's list is made of.
const S3_BLOCKS: &[&str] = &["3.5.134.0/23", "52.219.140.0/24", "52.219.168.0/22", "16.12.24.0/21"];
/// Blocks for rules of every kind: they cut the instance, the subnets, S3's list and the public addresses.
const BLOCKS: &[&str] = &[
    "0.0.0.0/0",
    "0.0.0.0/0",
    "0.0.0.0/1",
    "128.0.0.0/1",
    "10.0.0.0/8",
    "10.0.0.0/16",
    "10.0.1.0/24",
    "10.0.1.0/28",
    "10.0.1.10/32",
    "10.0.2.0/24",
    "10.0.2.100/32",
    "10.0.9.0/24",
    "3.0.0.0/8",
    "52.0.0.0/8",
    "52.219.0.0/16",
    "52.219.140.0/24",
    "52.219.140.128/25",
    "52.219.168.0/23",
    "3.5.134.0/23",
];
/// Destinations of static and propagated routes outside of the VPC.
const DESTINATIONS: &[&str] = &[
    "0.0.0.0/0",
    "0.0.0.0/0",
    "0.0.0.0/1",
    "128.0.0.0/1",
    "3.0.0.0/8",
    "52.0.0.0/8",
    "52.219.0.0/16",
    "52.219.140.0/24",
    "52.219.168.0/22",
    "52.219.168.0/24",
    "192.168.0.0/16",
];
/// Entries of customer-managed lists that routes may name.
const LIST_BLOCKS: &[&str] =
    &["0.0.0.0/0", "128.0.0.0/1", "3.0.0.0/8", "52.219.0.0/16", "52.219.128.0/17", "52.219.140.0/24", "52.219.168.0/22", "52.219.168.0/24"];
const PORTS: &[(i32, i32)] = &[
    (443, 443),
    (0, 65535),
    (1024, 65535),
    (32768, 60999),
    (32768, 61000),
    (32769, 65535),
    (49152, 65535),
    (1024, 60000),
    (40000, 50000),
    (443, 32768),
    (60999, 60999),
    (65535, 65535),
    (1024, 1024),
    (0, 443),
    (444, 65535),
    (22, 22),
];
const ELSEWHERE: &[&str] = &["vgw-1", "eni-fw", "vpce-gwlb", "vpce-gwlb-failed", "pcx-1", "arn:aws:networkmanager::core-network"];

#[derive(Debug, Clone)]
pub(super) struct Plan {
    ports: u8,
    ec2messages: (bool, bool),
    s3: Vec<&'static str>,
    /// Customer-managed lists: two for routes and rules, one for rules alone.
    lists: [Vec<&'static str>; 3],
    /// Whether the managed lists stand in both of AWS's answers.
    lists_twice: bool,
    /// Whether a customer's list is named like S3's, to see that nobody goes by the name alone.
    lists_are_named_alike: bool,
    instance: Instance,
    network: Network,
    groups: Groups,
    acls: Acls,
    endpoints: Vec<Option<Endpoint>>,
    second_ssm_endpoint: Option<Endpoint>,
    gateways: Gateways,
    names: Names,
    blocking: Blocking,
}

#[derive(Debug, Clone)]
struct Instance {
    subnet: usize,
    host: u8,
    is_public: bool,
    groups: Vec<&'static str>,
    kind: &'static str,
    /// A second network interface: subnet, public or not, listed first or not.
    second: Option<(usize, bool, bool)>,
}

#[derive(Debug, Clone)]
struct Network {
    /// The main table, one other, and that of a regional NAT gateway.
    tables: [Vec<Route>; 3],
    /// The subnets that the other table is associated with.
    other: [bool; 3],
    /// The internet gateway's own table: what becomes of the packets to a subnet.
    edge: Option<(usize, Way)>,
    /// The local route of the main table leads to a network interface.
    is_local_replaced: bool,
}

#[derive(Debug, Clone)]
struct Route {
    to: &'static str,
    target: &'static str,
    way: Way,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Way {
    Static,
    Blackhole,
    Filtered,
    Propagated,
    Advertised,
}

#[derive(Debug, Clone)]
struct Permission {
    protocol: &'static str,
    ports: (i32, i32),
    blocks: Vec<&'static str>,
    lists: Vec<&'static str>,
    groups: Vec<&'static str>,
}

#[derive(Debug, Clone)]
struct Groups {
    instance: [Vec<Permission>; 2],
    endpoint: [Vec<Permission>; 2],
}

/// Action, protocol, ports, block.
type Entry = (bool, &'static str, (i32, i32), &'static str);

#[derive(Debug, Clone)]
struct Acls {
    /// By number; egress apart from ingress. `None`: allows everything.
    lists: [Option<[BTreeMap<i32, Entry>; 2]>; 2],
    of_subnets: [usize; 3],
    /// Whether the entries stand in the order of their numbers.
    in_order: bool,
}

#[derive(Debug, Clone)]
struct Endpoint {
    state: &'static str,
    private_dns: bool,
    only_inbound: bool,
    subnets: Vec<usize>,
    groups: Vec<&'static str>,
}

#[derive(Debug, Clone)]
struct Gateways {
    internet: (&'static str, &'static str),
    nats: [Nat; 2],
    s3: Option<&'static str>,
    /// The source/destination check of the network interface that routes lead to.
    firewall_checks: bool,
}

#[derive(Debug, Clone)]
struct Nat {
    subnet: usize,
    state: &'static str,
    is_private: bool,
    mode: Option<&'static str>,
    /// Of a regional one: whether AWS provides the zones, and the zone of its address.
    zones: (bool, &'static str),
    has_appliance: bool,
}

#[derive(Debug, Clone)]
struct Names {
    support: bool,
    hostnames: bool,
    servers: Servers,
    zones: BTreeMap<&'static str, (Records, bool)>,
    /// Domain, type, whether it is associated with this VPC.
    rules: BTreeMap<&'static str, (&'static str, bool)>,
}

#[derive(Debug, Clone)]
enum Servers {
    DefaultSet,
    NoServers,
    These(&'static [&'static str]),
}

#[derive(Debug, Clone, Copy)]
enum Records {
    None,
    /// Each service's name is an alias of its endpoint.
    Endpoint,
    /// The same, and `*.` below it.
    EndpointAndBelow,
    Elsewhere,
}

#[derive(Debug, Clone)]
enum Blocking {
    /// The mode that AWS reports for each subnet and for the VPC.
    Reported([&'static str; 4]),
    /// The account's mode, and one exclusion: resource, mode, state.
    Options(&'static str, Option<(&'static str, &'static str, &'static str)>),
}

fn one_of<T: Clone + std::fmt::Debug + 'static>(items: &[T]) -> BoxedStrategy<T> {
    select(items.to_vec()).boxed()
}

/// The usual value, and in one of so many cases another.
fn usually<T: Clone + std::fmt::Debug + 'static>(usual: T, one_in: u32, others: &[T]) -> BoxedStrategy<T> {
    prop_oneof![one_in - 1 => Just(usual), 1 => select(others.to_vec())].boxed()
}

fn usually_true(one_in: u32) -> BoxedStrategy<bool> {
    usually(true, one_in, &[false])
}

fn usually_false(one_in: u32) -> BoxedStrategy<bool> {
    usually(false, one_in, &[true])
}

pub(super) fn plans() -> BoxedStrategy<Plan> {
    let first = (
        usually(0_u8, 3, &[1, 1, 1, 2]),
        (usually_true(8), any::<bool>()),
        subsequence(S3_BLOCKS, 1..=S3_BLOCKS.len()),
        [subsequence(LIST_BLOCKS, 1..=3), subsequence(LIST_BLOCKS, 1..=3), subsequence(BLOCKS, 1..=3)],
        (any::<bool>(), usually_false(5)),
        instances(),
        networks(),
    );
    let second = (groups(), acls(), vec(weighted(0.5, endpoints()), 4), weighted(0.1, endpoints()), gateways(), names(), blockings());
    (first, second)
        .prop_map(|(first, second)| {
            let (ports, ec2messages, s3, lists, (lists_twice, lists_are_named_alike), instance, network) = first;
            let (groups, acls, endpoints, second_ssm_endpoint, gateways, names, blocking) = second;
            Plan {
                ports,
                ec2messages,
                s3,
                lists,
                lists_twice,
                lists_are_named_alike,
                instance,
                network,
                groups,
                acls,
                endpoints,
                second_ssm_endpoint,
                gateways,
                names,
                blocking,
            }
        })
        .prop_map(Plan::without_open_differences)
        .boxed()
}

fn instances() -> BoxedStrategy<Instance> {
    (
        one_of(&[0_usize, 0, 0, 0, 1, 2, 2, 2]),
        one_of(&[10_u8, 200]),
        any::<bool>(),
        usually(vec!["sg-i"], 3, &[vec!["sg-i", "sg-j"], vec!["sg-j"], vec!["sg-i", "sg-e"]]),
        usually("t3.small", 4, &["t2.micro", "m4.large", "x1.16xlarge", "m5.large", "i3.metal"]),
        weighted(0.2, (0_usize..3, any::<bool>(), any::<bool>())),
    )
        .prop_map(|(subnet, host, is_public, groups, kind, second)| Instance { subnet, host, is_public, groups, kind, second })
        .boxed()
}

fn networks() -> BoxedStrategy<Network> {
    (
        [tables("nat-1"), tables("igw-1"), tables("igw-1")],
        [usually_false(5), any::<bool>().boxed(), usually_true(6)],
        weighted(0.08, (0_usize..3, one_of(&[Way::Static, Way::Static, Way::Blackhole]))),
        usually_false(30),
    )
        .prop_map(|(tables, other, edge, is_local_replaced)| Network { tables, other, edge, is_local_replaced })
        .boxed()
}

fn tables(default: &'static str) -> BoxedStrategy<Vec<Route>> {
    let way = usually(Way::Static, 5, &[Way::Blackhole, Way::Blackhole, Way::Filtered]);
    let usual = Just(Route { to: "0.0.0.0/0", target: default, way: Way::Static });
    let gateway = Just(Route { to: "pl-s3", target: "vpce-s3", way: Way::Static });
    let target = prop_oneof![
        5 => one_of(&["nat-1", "nat-1", "igw-1", "nat-2"]),
        1 => one_of(ELSEWHERE),
    ];
    let to = prop_oneof![3 => one_of(DESTINATIONS), 1 => one_of(&["pl-a", "pl-b"])];
    let any_static = (to, target, way.clone()).prop_map(|(to, target, way)| Route { to, target, way });
    // More specific than the local route: only to a middlebox, and only for a whole subnet.
    // https://docs.aws.amazon.com/vpc/latest/userguide/subnet-route-tables.html
    let inside = (one_of(&["10.0.1.0/24", "10.0.2.0/24", "10.0.9.0/24"]), one_of(&["eni-fw", "vpce-gwlb", "vpce-gwlb-failed"]), way)
        .prop_map(|(to, target, way)| Route { to, target, way });
    let propagated =
        (one_of(&[DESTINATIONS, &["10.0.1.0/24", "10.0.2.0/24", "10.0.0.0/16"]].concat()), one_of(&[Way::Propagated, Way::Advertised]))
            .prop_map(|(to, way)| Route { to, target: "vgw-1", way });
    (weighted(0.8, usual), weighted(0.5, gateway), vec(any_static, 0..3), weighted(0.08, inside), weighted(0.15, propagated), any::<bool>())
        .prop_map(|(usual, gateway, some, inside, propagated, reversed)| {
            let mut routes: Vec<Route> = usual.into_iter().chain(gateway).chain(some).chain(inside).chain(propagated).collect();
            if reversed {
                routes.reverse();
            }
            routes
        })
        .boxed()
}

fn permission() -> BoxedStrategy<Permission> {
    (
        one_of(&["tcp", "tcp", "-1", "6", "udp"]),
        one_of(&[(443, 443), (443, 443), (0, 65535), (0, 1024), (444, 65535), (80, 80), (442, 443)]),
        vec(one_of(BLOCKS), 0..3),
        vec(one_of(&["pl-s3", "pl-a", "pl-b", "pl-c"]), 0..2),
        vec(one_of(&["sg-i", "sg-j", "sg-e", "sg-f", "sg-gone"]), 0..2),
    )
        .prop_map(|(protocol, ports, blocks, lists, groups)| Permission { protocol, ports, blocks, lists, groups })
        .boxed()
}

/// A rule of a security group, by itself.
pub(super) fn one_permission() -> BoxedStrategy<ec2::IpPermission> {
    permission().prop_map(|permission| permission.shape()).boxed()
}

fn permissions(usual: &'static str) -> BoxedStrategy<Vec<Permission>> {
    let open = Permission { protocol: "tcp", ports: (443, 443), blocks: vec![usual], lists: Vec::new(), groups: Vec::new() };
    (weighted(0.7, Just(open)), vec(permission(), 0..3)).prop_map(|(open, random)| open.into_iter().chain(random).collect()).boxed()
}

fn groups() -> BoxedStrategy<Groups> {
    let instance = [permissions("0.0.0.0/0"), permissions("0.0.0.0/0")];
    let endpoint = [permissions("10.0.0.0/16"), permissions("10.0.0.0/16")];
    (instance, endpoint).prop_map(|(instance, endpoint)| Groups { instance, endpoint }).boxed()
}

fn acls() -> BoxedStrategy<Acls> {
    let ports =
        prop_oneof![5 => one_of(PORTS), 1 => (0_i32..65536, 0_i32..65536).prop_map(|(one, other)| (one.min(other), one.max(other)))];
    let entry = (usually_true(3), one_of(&["6", "6", "-1", "tcp", "17"]), ports, one_of(BLOCKS));
    let entries = |last: Entry| {
        (btree_map(1_i32..60, entry.clone(), 0..5), weighted(0.7, Just(last))).prop_map(|(mut entries, last)| {
            entries.extend(last.map(|last| (100, last)));
            entries
        })
    };
    let all: Entry = (true, "-1", (0, 0), "0.0.0.0/0");
    let list = weighted(0.5, [entries(all), entries(all)]);
    ([list.clone(), list], [0_usize..2, 0_usize..2, 0_usize..2], any::<bool>())
        .prop_map(|(lists, of_subnets, in_order)| Acls { lists, of_subnets, in_order })
        .boxed()
}

fn endpoints() -> BoxedStrategy<Endpoint> {
    (
        usually("available", 8, &["pendingAcceptance", "failed", "Available", "deleting"]),
        usually_true(4),
        usually_false(4),
        subsequence(vec![0_usize, 1, 2], 1..=3),
        usually(vec!["sg-e"], 4, &[vec!["sg-f"], vec!["sg-e", "sg-f"], vec!["sg-i"]]),
    )
        .prop_map(|(state, private_dns, only_inbound, subnets, groups)| Endpoint { state, private_dns, only_inbound, subnets, groups })
        .boxed()
}

fn gateways() -> BoxedStrategy<Gateways> {
    let internet = usually(
        ("vpc-1", "available"),
        8,
        &[("vpc-1", "attached"), ("vpc-1", "attached"), ("vpc-1", "detaching"), ("vpc-1", "detached"), ("vpc-2", "available"), ("", "")],
    );
    let nat = |usual: usize| {
        (
            usually(usual, 4, &[0, 1, 2]),
            usually("available", 8, &["pending", "failed", "deleting", "deleted"]),
            usually_false(8),
            usually(Some("zonal"), 4, &[None, Some("regional")]),
            (any::<bool>(), one_of(&["eu-central-1a", "eu-central-1b"])),
            usually_false(20),
        )
            .prop_map(|(subnet, state, is_private, mode, zones, has_appliance)| Nat {
                subnet,
                state,
                is_private: is_private && mode != Some("regional"),
                mode,
                zones,
                has_appliance,
            })
    };
    let s3 = weighted(0.85, usually("available", 10, &["pending", "deleting", "failed"]));
    (internet, [nat(2), nat(2)], s3, usually_false(3))
        .prop_map(|(internet, nats, s3, firewall_checks)| Gateways { internet, nats, s3, firewall_checks })
        .boxed()
}

fn names() -> BoxedStrategy<Names> {
    let servers: [&'static [&'static str]; 4] =
        [&["AmazonProvidedDNS"], &["169.254.169.253"], &["10.0.0.2"], &["10.0.0.2", "169.254.169.253"]];
    let servers = prop_oneof![
        8 => one_of(&servers).prop_map(Servers::These),
        1 => Just(Servers::DefaultSet),
        1 => Just(Servers::NoServers),
        1 => one_of::<&'static [&'static str]>(&[&["10.9.9.9"], &["10.0.0.3", "192.168.1.1"]]).prop_map(Servers::These),
    ];
    let zone = one_of(&[
        "amazonaws.com.",
        "eu-central-1.amazonaws.com",
        "ssm.eu-central-1.amazonaws.com.",
        "ssmmessages.eu-central-1.amazonaws.com",
        "s3.eu-central-1.amazonaws.com.",
        "central-1.amazonaws.com.",
        "example.com",
    ]);
    let records = one_of(&[Records::None, Records::Endpoint, Records::EndpointAndBelow, Records::EndpointAndBelow, Records::Elsewhere]);
    let zones = prop_oneof![4 => Just(BTreeMap::new()), 1 => btree_map(zone, (records, usually_false(5)), 1..3)];
    let domain = one_of(&[
        ".",
        "amazonaws.com",
        "eu-central-1.amazonaws.com.",
        "ssm.eu-central-1.amazonaws.com",
        "s3.eu-central-1.amazonaws.com.",
        "example.com.",
    ]);
    let rule = (usually("FORWARD", 4, &["SYSTEM", "RECURSIVE"]), usually_true(6));
    let rules = prop_oneof![6 => Just(BTreeMap::new()), 1 => btree_map(domain, rule, 1..3)];
    (usually_true(10), usually_true(8), servers, zones, rules)
        .prop_map(|(support, hostnames, servers, zones, rules)| Names { support, hostnames, servers, zones, rules })
        .boxed()
}

fn blockings() -> BoxedStrategy<Blocking> {
    let mode = usually("off", 3, &["block-ingress", "block-bidirectional"]);
    let exclusion = (
        one_of(&["subnet/subnet-p", "subnet/subnet-u", "subnet/subnet-u", "vpc/vpc-1"]),
        one_of(&["allow-egress", "allow-bidirectional"]),
        usually("create-complete", 4, &["update-complete", "delete-complete", "disable-complete"]),
    );
    prop_oneof![
        1 => [mode.clone(), mode.clone(), mode.clone(), mode].prop_map(Blocking::Reported),
        2 => (usually("off", 2, &["block-ingress", "block-bidirectional"]), weighted(0.5, exclusion))
            .prop_map(|(mode, exclusion)| Blocking::Options(mode, exclusion)),
    ]
    .boxed()
}

// From the plan to the snapshot.

#[expect(clippy::unnecessary_wraps, reason = "every member of AWS's shapes is optional")]
fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn strings(items: &[&str]) -> Vec<String> {
    items.iter().map(|item| (*item).to_owned()).collect()
}

impl Plan {
    /// Takes out the shapes of which it is known that the engine says unknown where the simulator knows more;
    /// each has an ignored test in `differences.rs`.
    fn without_open_differences(mut self) -> Self {
        let other = self.network.other;
        for (position, table) in self.network.tables.iter_mut().enumerate() {
            let serves = |subnet: usize| other[subnet] == (position == 1) && position < 2;
            let serves_zonal_nat = self.gateways.nats.iter().any(|nat| nat.mode != Some("regional") && serves(nat.subnet));
            if table.iter().filter(|route| route.to.starts_with("pl-")).count() > 1 {
                table.retain(|route| !(route.to.starts_with("10.") && route.way == Way::Blackhole));
                if serves_zonal_nat && serves(self.instance.subnet) {
                    let mut lists = 0;
                    table.retain(|route| {
                        lists += u32::from(route.to.starts_with("pl-"));
                        !route.to.starts_with("pl-") || lists == 1
                    });
                }
            }
        }
        self
    }

    pub(super) fn topology(&self) -> Topology {
        let mut topology = base();
        topology.ports = match self.ports {
            0 => PortFamily::Linux,
            1 => PortFamily::WindowsOrMac,
            _ => PortFamily::Unknown,
        };
        topology.ec2messages = Ec2Messages { exists: self.ec2messages.0, agent_prefers_ssmmessages: self.ec2messages.1 };
        let topology = self.put_instance(topology);
        let topology = self.put_lists(topology);
        let topology = self.put_routes(topology);
        let topology = self.put_groups_and_acls(topology);
        let topology = self.put_endpoints(topology);
        let topology = self.put_gateways(topology);
        self.put_names(topology)
    }

    fn put_instance(&self, topology: Topology) -> Topology {
        let plan = &self.instance;
        let (subnet, _, prefix) = SUBNETS[plan.subnet];
        let mut topology = topology.in_subnet(subnet, &format!("{prefix}{}", plan.host)).member_of(&plan.groups);
        if plan.is_public {
            topology = topology.public_address();
        }
        topology.instance(|instance| {
            instance.instance_type = some(plan.kind);
            if let Some((subnet, is_public, is_first)) = plan.second {
                let second = ec2::InstanceNetworkInterface {
                    network_interface_id: some("eni-second"),
                    vpc_id: some("vpc-1"),
                    subnet_id: some(SUBNETS[subnet].0),
                    private_ip_address: some(&format!("{}77", SUBNETS[subnet].2)),
                    association: is_public.then(|| ec2::NetworkInterfaceAssociation { public_ip: some("18.1.2.4"), ..Default::default() }),
                    attachment: Some(ec2::InstanceNetworkInterfaceAttachment { device_index: Some(1), ..Default::default() }),
                    groups: vec![group_id("sg-i"), group_id("sg-j"), group_id("sg-e")],
                    ..Default::default()
                };
                instance.network_interfaces.insert(usize::from(!is_first), second);
            }
        })
    }

    fn put_lists(&self, topology: Topology) -> Topology {
        let managed = [
            ("pl-s3", "com.amazonaws.eu-central-1.s3", self.s3.clone()),
            ("pl-dynamodb", "com.amazonaws.eu-central-1.dynamodb", vec!["52.94.17.0/24", "3.218.180.0/22"]),
            ("pl-cloudfront", "com.amazonaws.global.cloudfront.origin-facing", vec!["52.82.128.0/19"]),
        ];
        let entries =
            |blocks: &[&str]| blocks.iter().map(|block| ec2::PrefixListEntry { cidr: some(block), description: None }).collect::<Vec<_>>();
        topology.with(|files| {
            let of_customer = ["pl-a", "pl-b", "pl-c"].into_iter().zip(&self.lists);
            let listed = &mut files.managed_prefix_lists.as_mut().unwrap().prefix_lists;
            let by_id = &mut files.prefix_list_entries.as_mut().unwrap().prefix_list_entries;
            for (id, blocks) in of_customer {
                by_id.insert(id.to_owned(), entries(blocks));
                let name = if self.lists_are_named_alike && id == "pl-b" { "copy.of.eu-central-1.s3" } else { id };
                listed.push(managed_list(id, name, ACCOUNT));
            }
            let lists = &mut files.prefix_lists.as_mut().unwrap().prefix_lists;
            lists.clear();
            for (id, name, blocks) in &managed {
                lists.push(ec2::PrefixList { prefix_list_id: some(id), prefix_list_name: some(name), cidrs: strings(blocks) });
                if self.lists_twice {
                    by_id.insert((*id).to_owned(), entries(blocks));
                    listed.push(managed_list(id, name, "AWS"));
                }
            }
        })
    }

    fn put_routes(&self, topology: Topology) -> Topology {
        let plan = &self.network;
        topology.with(|files| {
            let tables = &mut files.route_tables.as_mut().unwrap().route_tables;
            let regional = ec2::RouteTable { route_table_id: some("rtb-regional"), associations: Vec::new(), ..tables[1].clone() };
            tables.push(regional);
            for (table, routes) in tables.iter_mut().zip(&plan.tables) {
                table.routes.truncate(1);
                let mut taken = Vec::new();
                for route in routes {
                    let class = matches!(route.way, Way::Propagated | Way::Advertised);
                    if !taken.contains(&(route.to, class)) {
                        taken.push((route.to, class));
                        table.routes.push(self.route(route));
                    }
                }
            }
            if plan.is_local_replaced {
                tables[0].routes[0] = ec2::Route { origin: some("CreateRouteTable"), ..route_to("10.0.0.0/16", "eni-fw") };
            }
            let associated = SUBNETS.iter().zip(plan.other).filter(|(_, is_other)| *is_other);
            tables[1].associations =
                associated.map(|((subnet, ..), _)| ec2::RouteTableAssociation { subnet_id: some(subnet), ..Default::default() }).collect();
            if let Some((subnet, way)) = plan.edge {
                let mut edge = ec2::RouteTable { route_table_id: some("rtb-edge"), ..tables[1].clone() };
                edge.routes.truncate(1);
                edge.routes.push(self.route(&Route { to: SUBNETS[subnet].1, target: "eni-edge", way }));
                edge.associations = vec![ec2::RouteTableAssociation { gateway_id: some("igw-1"), ..Default::default() }];
                tables.insert(0, edge);
            }
        })
    }

    fn route(&self, plan: &Route) -> ec2::Route {
        let mut route = route_to(plan.to, plan.target);
        let is_gone = plan.target == "vpce-s3" && self.gateways.s3.is_none();
        match plan.way {
            Way::Static if is_gone => route.state = some("blackhole"),
            Way::Static => {}
            Way::Blackhole => route.state = some("blackhole"),
            Way::Filtered => route.state = some("filtered"),
            Way::Propagated => route.origin = some("EnableVgwRoutePropagation"),
            Way::Advertised => route.origin = some("Advertisement"),
        }
        route
    }

    fn put_groups_and_acls(&self, topology: Topology) -> Topology {
        let permissions = |plans: &[Permission]| plans.iter().map(Permission::shape).collect::<Vec<_>>();
        let none = Vec::new();
        let [of_i, of_j] = &self.groups.instance;
        let [of_e, of_f] = &self.groups.endpoint;
        let groups = [("sg-i", &none, of_i), ("sg-j", of_e, of_j), ("sg-e", of_e, &none), ("sg-f", of_f, of_i)];
        let groups = groups.map(|(id, ingress, egress)| security_group(id, permissions(ingress), permissions(egress)));
        topology.with(|files| {
            files.security_groups.as_mut().unwrap().security_groups = groups.to_vec();
            files.network_acls.as_mut().unwrap().network_acls = (0..2).map(|position| self.acls.shape(position)).collect();
        })
    }

    fn put_endpoints(&self, topology: Topology) -> Topology {
        let first = SERVICES.iter().zip(&self.endpoints).map(|(service, plan)| (*service, "", plan));
        let second = [("ssm", "-second", &self.second_ssm_endpoint)];
        let mut position = 100;
        let mut topology = topology;
        for (service, suffix, plan) in first.chain(second) {
            let Some(plan) = plan else { continue };
            // AWS refuses a second one with private DNS.
            let private_dns = plan.private_dns && suffix.is_empty();
            let groups: Vec<_> = plan.groups.iter().map(|group| group_id(group)).collect();
            let mut interfaces = Vec::new();
            for subnet in &plan.subnets {
                interfaces.push(ec2::NetworkInterface {
                    network_interface_id: some(&format!("eni-{position}")),
                    subnet_id: some(SUBNETS[*subnet].0),
                    vpc_id: some("vpc-1"),
                    private_ip_address: some(&format!("{}{position}", SUBNETS[*subnet].2)),
                    interface_type: some("vpc_endpoint"),
                    groups: groups.clone(),
                    ..Default::default()
                });
                position += 1;
            }
            let endpoint = ec2::VpcEndpoint {
                vpc_endpoint_id: some(&format!("vpce-{service}-interface{suffix}")),
                vpc_endpoint_type: some("Interface"),
                vpc_id: some("vpc-1"),
                service_name: some(&format!("com.amazonaws.{REGION}.{service}")),
                state: some(plan.state),
                private_dns_enabled: Some(private_dns),
                dns_options: (service == "s3").then(|| ec2::DnsOptions {
                    private_dns_only_for_inbound_resolver_endpoint: Some(plan.only_inbound),
                    ..Default::default()
                }),
                dns_entries: vec![ec2::DnsEntry { dns_name: Some(endpoint_name(service, suffix)), ..Default::default() }],
                subnet_ids: plan.subnets.iter().map(|subnet| SUBNETS[*subnet].0.to_owned()).collect(),
                groups,
                network_interface_ids: interfaces.iter().filter_map(|interface| interface.network_interface_id.clone()).collect(),
                ..Default::default()
            };
            topology = topology.with(|files| {
                files.network_interfaces.as_mut().unwrap().network_interfaces.extend(interfaces);
                files.vpc_endpoints.as_mut().unwrap().vpc_endpoints.push(endpoint);
            });
        }
        topology
    }

    fn put_gateways(&self, topology: Topology) -> Topology {
        let plan = &self.gateways;
        let endpoint = |id: &str, kind: &str, state: &str| ec2::VpcEndpoint {
            vpc_endpoint_id: some(id),
            vpc_endpoint_type: some(kind),
            vpc_id: some("vpc-1"),
            service_name: some(if kind == "Gateway" {
                "com.amazonaws.eu-central-1.s3"
            } else {
                "com.amazonaws.vpce.eu-central-1.vpce-svc-1"
            }),
            state: some(state),
            ..Default::default()
        };
        let nat = |(position, plan): (usize, &Nat)| {
            let is_regional = plan.mode == Some("regional");
            let address = ec2::NatGatewayAddress {
                private_ip: some(&format!("{}{}", SUBNETS[plan.subnet].2, 50 + position)),
                public_ip: (!plan.is_private).then(|| "18.1.2.5".to_owned()),
                is_primary: Some(true),
                availability_zone: is_regional.then(|| plan.zones.1.to_owned()),
                ..Default::default()
            };
            ec2::NatGateway {
                nat_gateway_id: some(&format!("nat-{}", position + 1)),
                vpc_id: some("vpc-1"),
                subnet_id: (!is_regional).then(|| SUBNETS[plan.subnet].0.to_owned()),
                state: some(plan.state),
                connectivity_type: some(if plan.is_private { "private" } else { "public" }),
                availability_mode: plan.mode.map(str::to_owned),
                auto_provision_zones: is_regional.then(|| if plan.zones.0 { "enabled".to_owned() } else { "disabled".to_owned() }),
                route_table_id: is_regional.then(|| "rtb-regional".to_owned()),
                nat_gateway_addresses: vec![address],
                attached_appliances: vec![ec2::AttachedAppliance::default(); usize::from(plan.has_appliance)],
                ..Default::default()
            }
        };
        let firewall = |id: &str, check: bool| ec2::NetworkInterface {
            network_interface_id: some(id),
            attachment: Some(ec2::NetworkInterfaceAttachment { instance_id: some("i-fw"), ..Default::default() }),
            subnet_id: some("subnet-u"),
            vpc_id: some("vpc-1"),
            private_ip_address: some("10.0.9.99"),
            source_dest_check: Some(check),
            groups: vec![group_id("sg-i")],
            ..Default::default()
        };
        let (vpc, state) = plan.internet;
        topology.with(|files| {
            let endpoints = &mut files.vpc_endpoints.as_mut().unwrap().vpc_endpoints;
            endpoints.extend(plan.s3.map(|state| endpoint("vpce-s3", "Gateway", state)));
            endpoints.push(endpoint("vpce-gwlb", "GatewayLoadBalancer", "available"));
            endpoints.push(endpoint("vpce-gwlb-failed", "GatewayLoadBalancer", "failed"));
            files
                .network_interfaces
                .as_mut()
                .unwrap()
                .network_interfaces
                .extend([firewall("eni-fw", plan.firewall_checks), firewall("eni-edge", false)]);
            files.nat_gateways.as_mut().unwrap().nat_gateways = plan.nats.iter().enumerate().map(nat).collect();
            let gateway = &mut files.internet_gateways.as_mut().unwrap().internet_gateways[0];
            gateway.attachments.clear();
            if !vpc.is_empty() {
                gateway.attachments.push(ec2::InternetGatewayAttachment { vpc_id: some(vpc), state: some(state) });
            }
            self.blocking.put(files);
        })
    }

    fn put_names(&self, topology: Topology) -> Topology {
        let plan = &self.names;
        let topology = topology.dns_attributes(plan.support, plan.hostnames);
        let topology = match plan.servers {
            Servers::DefaultSet => topology.default_dhcp(),
            // AWS keeps no option set without any option.
            Servers::NoServers => topology.with(|files| {
                files.dhcp_options.as_mut().unwrap().dhcp_options[0].dhcp_configurations = vec![ec2::DhcpConfiguration {
                    key: Some("domain-name".to_owned()),
                    values: vec![ec2::AttributeValue { value: Some("eu-central-1.compute.internal".to_owned()) }],
                }];
            }),
            Servers::These(servers) => {
                topology.with(|files| files.dhcp_options.as_mut().unwrap().dhcp_options = vec![dhcp("dopt-1", servers)])
            }
        };
        topology.with(|files| {
            for (position, (name, (records, is_of_service))) in plan.zones.iter().enumerate() {
                let id = format!("/hostedzone/Z{position}");
                let owner = route53::HostedZoneOwner {
                    owning_account: (!is_of_service).then(|| ACCOUNT.to_owned()),
                    owning_service: is_of_service.then(|| "efs.amazonaws.com".to_owned()),
                };
                let zone = HostedZoneSummary { hosted_zone_id: Some(id.clone()), name: some(name), owner: Some(owner) };
                files.hosted_zones.as_mut().unwrap().hosted_zone_summaries.get_mut("vpc-1").unwrap().push(zone);
                files.record_sets.as_mut().unwrap().resource_record_sets.insert(id, self.records(name, *records));
            }
            for (position, (domain, (kind, is_associated))) in plan.rules.iter().enumerate() {
                let id = format!("rslvr-rr-{position}");
                let association = ResolverRuleAssociation {
                    resolver_rule_id: Some(id.clone()),
                    vpc_id: some(if *is_associated { "vpc-1" } else { "vpc-2" }),
                    ..Default::default()
                };
                let rule = ResolverRule { id: Some(id), domain_name: some(domain), rule_type: some(kind), ..Default::default() };
                files.resolver_rules.as_mut().unwrap().resolver_rules.push(rule);
                files.resolver_rule_associations.as_mut().unwrap().resolver_rule_associations.push(association);
            }
        })
    }

    fn records(&self, zone: &str, records: Records) -> Vec<ResourceRecordSet> {
        let record = |name: &str, kind: &str, alias: Option<String>| ResourceRecordSet {
            name: some(name),
            r#type: some(kind),
            alias_target: alias.map(|alias| route53::AliasTarget { dns_name: Some(alias), ..Default::default() }),
            ..Default::default()
        };
        let apex = format!("{}.", zone.trim_end_matches('.'));
        let mut sets = vec![record(&apex, "NS", None), record(&apex, "SOA", None)];
        for (service, plan) in SERVICES.iter().zip(&self.endpoints) {
            let name = format!("{service}.{REGION}.amazonaws.com.");
            let is_inside = name == apex || name.ends_with(&format!(".{apex}"));
            let exists = plan.is_some();
            let alias = match records {
                Records::None => continue,
                Records::Elsewhere => "internal-balancer-1.eu-central-1.elb.amazonaws.com.".to_owned(),
                _ if exists => format!("{}.", endpoint_name(service, "")),
                _ => continue,
            };
            if is_inside {
                sets.push(record(&name, "A", Some(alias.clone())));
                if !matches!(records, Records::Endpoint) {
                    sets.push(record(&format!("*.{name}"), "A", Some(alias)));
                }
            }
        }
        sets
    }
}

fn endpoint_name(service: &str, suffix: &str) -> String {
    format!("vpce-0{}{}.{service}.{REGION}.vpce.amazonaws.com", service.len(), suffix.trim_start_matches('-'))
}

fn managed_list(id: &str, name: &str, owner: &str) -> ec2::ManagedPrefixList {
    let account = if owner == "AWS" { "aws" } else { owner };
    ec2::ManagedPrefixList {
        prefix_list_id: some(id),
        prefix_list_name: some(name),
        prefix_list_arn: Some(format!("arn:aws:ec2:{REGION}:{account}:prefix-list/{id}")),
        address_family: some("IPv4"),
        owner_id: some(owner),
        ..Default::default()
    }
}

impl Permission {
    fn shape(&self) -> ec2::IpPermission {
        ec2::IpPermission {
            ip_protocol: some(self.protocol),
            from_port: Some(self.ports.0),
            to_port: Some(self.ports.1),
            ip_ranges: self.blocks.iter().map(|block| ec2::IpRange { cidr_ip: some(block), description: None }).collect(),
            ipv6_ranges: vec![ec2::Ipv6Range { cidr_ipv6: some("::/0"), description: None }],
            prefix_list_ids: self.lists.iter().map(|list| ec2::PrefixListId { prefix_list_id: some(list), description: None }).collect(),
            user_id_group_pairs: self
                .groups
                .iter()
                .map(|group| ec2::UserIdGroupPair { group_id: some(group), user_id: some(ACCOUNT), ..Default::default() })
                .collect(),
        }
    }
}

impl Acls {
    fn shape(&self, position: usize) -> ec2::NetworkAcl {
        let all: Entry = (true, "-1", (0, 0), "0.0.0.0/0");
        let open = [BTreeMap::from([(100, all)]), BTreeMap::from([(100, all)])];
        let lists = self.lists[position].as_ref().unwrap_or(&open);
        let mut entries = Vec::new();
        for (egress, list) in [(false, &lists[0]), (true, &lists[1])] {
            // The last rule, which nobody can change.
            for (number, (allows, protocol, (first, last), block)) in list.iter().chain([(&32767, &(false, "-1", (0, 0), "0.0.0.0/0"))]) {
                entries.push(ec2::NetworkAclEntry {
                    rule_number: Some(*number),
                    egress: Some(egress),
                    protocol: some(protocol),
                    rule_action: some(if *allows { "allow" } else { "deny" }),
                    cidr_block: some(block),
                    ipv6_cidr_block: None,
                    port_range: (*protocol != "-1").then_some(ec2::PortRange { from: Some(*first), to: Some(*last) }),
                });
            }
            entries.push(ec2::NetworkAclEntry {
                rule_number: Some(32766),
                egress: Some(egress),
                protocol: some("-1"),
                rule_action: some("allow"),
                ipv6_cidr_block: some("::/0"),
                ..Default::default()
            });
        }
        if !self.in_order {
            entries.reverse();
        }
        let id = format!("acl-{position}");
        let of_this = SUBNETS.iter().zip(self.of_subnets).filter(|(_, list)| *list == position);
        ec2::NetworkAcl {
            associations: of_this
                .map(|((subnet, ..), _)| ec2::NetworkAclAssociation {
                    subnet_id: some(subnet),
                    network_acl_id: some(&id),
                    ..Default::default()
                })
                .collect(),
            network_acl_id: Some(id),
            vpc_id: some("vpc-1"),
            entries,
            ..Default::default()
        }
    }
}

impl Blocking {
    fn put(&self, files: &mut patch_preflight::snapshot::RegionFiles) {
        match self {
            Self::Reported(modes) => {
                let states = |mode: &str| Some(ec2::BlockPublicAccessStates { internet_gateway_block_mode: some(mode) });
                files.vpcs.as_mut().unwrap().vpcs[0].block_public_access_states = states(modes[3]);
                for (subnet, mode) in files.subnets.as_mut().unwrap().subnets.iter_mut().zip(modes) {
                    subnet.block_public_access_states = states(mode);
                }
            }
            Self::Options(mode, exclusion) => {
                let options = &mut files.block_public_access.as_mut().unwrap().vpc_block_public_access_options;
                options.internet_gateway_block_mode = some(mode);
                let shape = |(resource, mode, state): &(&str, &str, &str)| ec2::VpcBlockPublicAccessExclusion {
                    resource_arn: Some(format!("arn:aws:ec2:{REGION}:{ACCOUNT}:{resource}")),
                    internet_gateway_exclusion_mode: some(mode),
                    state: some(state),
                    ..Default::default()
                };
                files.block_public_access_exclusions.as_mut().unwrap().vpc_block_public_access_exclusions =
                    exclusion.iter().map(shape).collect();
            }
        }
    }
}
