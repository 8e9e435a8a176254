//! Judges the paths of many instances: how the time grows, what memory it takes, and what judging each class of instances once saves.
//!
//!     cargo bench --no-default-features --bench paths
//!     cargo bench --no-default-features --bench paths -- 1000 10000      # other numbers of instances
//!
//! Prints, for each number of instances in VPCs of a hundred, the time for all targets, the peak memory of the process, and the ratio to judging each
//! instance by itself (measured on a sample of the VPCs).

#![expect(clippy::print_stdout, clippy::expect_used, reason = "a benchmark prints, and stops at the unexpected")]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use patch_preflight::model::{Assumptions, Estate};
use patch_preflight::network::{
    Alternative, AnsweredBy, Buckets, DEFAULT_ENDPOINT_POLICY, Ec2Messages, Goal, Needs, Network, PortFamily, Sources, Verdict, Wanted,
};
use patch_preflight::snapshot::ec2;
use patch_preflight::snapshot::route53;
use patch_preflight::snapshot::{AccountSnapshot, RegionFiles, Snapshot};

const REGION: &str = "eu-central-1";
const PER_VPC: usize = 100;
const VPCS_PER_ACCOUNT: usize = 10;

#[expect(clippy::unnecessary_wraps, reason = "every member of AWS's shapes is optional")]
fn some(text: impl Into<String>) -> Option<String> {
    Some(text.into())
}

fn permission(port: Option<i32>, block: &str) -> ec2::IpPermission {
    ec2::IpPermission {
        ip_protocol: some(if port.is_some() { "tcp" } else { "-1" }),
        from_port: port,
        to_port: port,
        ip_ranges: vec![ec2::IpRange { cidr_ip: some(block), description: None }],
        ..Default::default()
    }
}

fn group(id: &str, vpc: &str, ingress: Vec<ec2::IpPermission>, egress: Vec<ec2::IpPermission>) -> ec2::SecurityGroup {
    ec2::SecurityGroup {
        group_id: some(id),
        vpc_id: some(vpc),
        ip_permissions: ingress,
        ip_permissions_egress: egress,
        ..Default::default()
    }
}

fn entry(number: i32, egress: bool, block: &str, ports: Option<(i32, i32)>, action: &str) -> ec2::NetworkAclEntry {
    ec2::NetworkAclEntry {
        rule_number: Some(number),
        egress: Some(egress),
        protocol: some(if ports.is_some() { "6" } else { "-1" }),
        rule_action: some(action),
        cidr_block: some(block),
        port_range: ports.map(|(from, to)| ec2::PortRange { from: Some(from), to: Some(to) }),
        ..Default::default()
    }
}

fn route(destination: &str, change: impl FnOnce(&mut ec2::Route)) -> ec2::Route {
    let mut route =
        ec2::Route { destination_cidr_block: some(destination), origin: some("CreateRoute"), state: some("active"), ..Default::default() };
    change(&mut route);
    route
}

/// One VPC of four subnets: with endpoints or with a NAT gateway, in turn, and rules of which some tell its instances apart.
#[expect(clippy::too_many_lines, reason = "one network, spelt out")]
fn add_vpc(files: &mut RegionFiles, number: usize) {
    let vpc = format!("vpc-{number:08x}");
    let base = format!("10.{}", number % 250);
    let id = |kind: &str, n: usize| format!("{kind}-{number:08x}{n:04x}");
    files.vpcs.get_or_insert_default().vpcs.push(ec2::Vpc {
        vpc_id: some(&vpc),
        owner_id: some("111111111111"),
        cidr_block: some(format!("{base}.0.0/16")),
        dhcp_options_id: some("dopt-1"),
        block_public_access_states: Some(ec2::BlockPublicAccessStates { internet_gateway_block_mode: some("off") }),
        ..Default::default()
    });
    let on = || Some(ec2::AttributeBooleanValue { value: Some(true) });
    files.vpc_attributes.get_or_insert_default().vpc_attributes.push(ec2::VpcAttribute {
        vpc_id: some(&vpc),
        enable_dns_support: on(),
        enable_dns_hostnames: on(),
    });
    for subnet in 0..5 {
        files.subnets.get_or_insert_default().subnets.push(ec2::Subnet {
            subnet_id: some(id("subnet", subnet)),
            vpc_id: some(&vpc),
            cidr_block: some(format!("{base}.{subnet}.0/24")),
            availability_zone_id: some(format!("euc1-az{}", subnet % 3 + 1)),
            ..Default::default()
        });
    }
    let has_endpoints = number.is_multiple_of(2);
    let local = route(&format!("{base}.0.0/16"), |route| route.gateway_id = some("local"));
    let mut private = vec![local.clone()];
    if has_endpoints {
        private.push(ec2::Route {
            destination_prefix_list_id: some("pl-s3"),
            gateway_id: some(id("vpce", 9)),
            origin: some("CreateRoute"),
            state: some("active"),
            ..Default::default()
        });
    } else {
        private.push(route("0.0.0.0/0", |route| route.nat_gateway_id = some(id("nat", 0))));
    }
    let public = vec![local, route("0.0.0.0/0", |route| route.gateway_id = some(id("igw", 0)))];
    let main = ec2::RouteTableAssociation { main: Some(true), ..Default::default() };
    let of_public = ec2::RouteTableAssociation { subnet_id: some(id("subnet", 4)), ..Default::default() };
    for (n, (routes, association)) in [(private, main), (public, of_public)].into_iter().enumerate() {
        files.route_tables.get_or_insert_default().route_tables.push(ec2::RouteTable {
            route_table_id: some(id("rtb", n)),
            vpc_id: some(&vpc),
            associations: vec![association],
            routes,
            ..Default::default()
        });
    }
    files.security_groups.get_or_insert_default().security_groups.extend([
        group(&id("sg", 0), &vpc, vec![], vec![permission(None, "0.0.0.0/0")]),
        group(&id("sg", 1), &vpc, vec![], vec![permission(Some(443), "0.0.0.0/0")]),
        // Lets the upper half of the first subnet in, and all of the others.
        group(
            &id("sg", 2),
            &vpc,
            vec![permission(Some(443), &format!("{base}.0.128/25")), permission(Some(443), &format!("{base}.1.0/24"))],
            vec![],
        ),
    ]);
    let mut entries: Vec<ec2::NetworkAclEntry> =
        (0..12).map(|n| entry(50 + n, false, &format!("198.51.{n}.0/24"), Some((22, 22)), "deny")).collect();
    entries.push(entry(100, false, "0.0.0.0/0", None, "allow"));
    entries.push(entry(100, true, "0.0.0.0/0", None, "allow"));
    files.network_acls.get_or_insert_default().network_acls.push(ec2::NetworkAcl {
        network_acl_id: some(id("acl", 0)),
        vpc_id: some(&vpc),
        associations: (0..5)
            .map(|subnet| ec2::NetworkAclAssociation { subnet_id: some(id("subnet", subnet)), ..Default::default() })
            .collect(),
        entries,
        ..Default::default()
    });
    if has_endpoints {
        for (n, service) in ["ssm", "ssmmessages", "ec2messages"].into_iter().enumerate() {
            let own: Vec<String> = (0..2).map(|subnet| id("eni", 100 + n * 10 + subnet)).collect();
            for (subnet, interface) in own.iter().enumerate() {
                files.network_interfaces.get_or_insert_default().network_interfaces.push(ec2::NetworkInterface {
                    network_interface_id: some(interface),
                    vpc_id: some(&vpc),
                    subnet_id: some(id("subnet", subnet + 2)),
                    private_ip_address: some(format!("{base}.{}.{}", subnet + 2, 240 + n)),
                    groups: vec![ec2::GroupIdentifier { group_id: some(id("sg", 2)), group_name: None }],
                    ..Default::default()
                });
            }
            files.vpc_endpoints.get_or_insert_default().vpc_endpoints.push(ec2::VpcEndpoint {
                vpc_endpoint_id: some(id("vpce", n)),
                vpc_endpoint_type: some("Interface"),
                vpc_id: some(&vpc),
                service_name: some(format!("com.amazonaws.{REGION}.{service}")),
                state: some("available"),
                policy_document: some(DEFAULT_ENDPOINT_POLICY),
                private_dns_enabled: Some(true),
                network_interface_ids: own,
                ..Default::default()
            });
        }
        files.vpc_endpoints.get_or_insert_default().vpc_endpoints.push(ec2::VpcEndpoint {
            vpc_endpoint_id: some(id("vpce", 9)),
            vpc_endpoint_type: some("Gateway"),
            vpc_id: some(&vpc),
            service_name: some(format!("com.amazonaws.{REGION}.s3")),
            state: some("available"),
            policy_document: some(DEFAULT_ENDPOINT_POLICY),
            ..Default::default()
        });
    } else {
        files.nat_gateways.get_or_insert_default().nat_gateways.push(ec2::NatGateway {
            nat_gateway_id: some(id("nat", 0)),
            vpc_id: some(&vpc),
            subnet_id: some(id("subnet", 4)),
            state: some("available"),
            connectivity_type: some("public"),
            ..Default::default()
        });
        files.internet_gateways.get_or_insert_default().internet_gateways.push(ec2::InternetGateway {
            internet_gateway_id: some(id("igw", 0)),
            attachments: vec![ec2::InternetGatewayAttachment { vpc_id: some(&vpc), state: some("available") }],
            ..Default::default()
        });
    }
    files.hosted_zones.get_or_insert_default().hosted_zone_summaries.insert(vpc.clone(), Vec::new());
    let instances = (0..PER_VPC).map(|n| {
        let (subnet, host) = (n % 4, 4 + n / 4 * 9);
        let address = some(format!("{base}.{subnet}.{host}"));
        let groups = vec![ec2::GroupIdentifier { group_id: some(id("sg", usize::from(n % 10 == 0))), group_name: None }];
        ec2::Instance {
            instance_id: some(format!("i-{number:08x}{n:08x}")),
            instance_type: some("m6i.large"),
            state: Some(ec2::InstanceState { code: Some(16), name: some("running") }),
            vpc_id: some(&vpc),
            subnet_id: some(id("subnet", subnet)),
            private_ip_address: address.clone(),
            network_interfaces: vec![ec2::InstanceNetworkInterface {
                network_interface_id: some(id("eni", 1000 + n)),
                vpc_id: some(&vpc),
                subnet_id: some(id("subnet", subnet)),
                private_ip_address: address,
                attachment: Some(ec2::InstanceNetworkInterfaceAttachment { device_index: Some(0), ..Default::default() }),
                groups,
                ..Default::default()
            }],
            ..Default::default()
        }
    });
    files.instances.get_or_insert_default().reservations.push(ec2::Reservation { instances: instances.collect(), ..Default::default() });
}

fn organization(instances: usize) -> Snapshot {
    let mut accounts: BTreeMap<String, AccountSnapshot> = BTreeMap::new();
    for number in 0..instances.div_ceil(PER_VPC) {
        let account = format!("{:012}", 111_111_111_111 + number / VPCS_PER_ACCOUNT);
        let files = accounts.entry(account).or_default().regions.entry(REGION.to_owned()).or_default();
        if files.instances.is_none() {
            files.dhcp_options = Some(ec2::DescribeDhcpOptions {
                dhcp_options: vec![ec2::DhcpOptions {
                    dhcp_options_id: some("dopt-1"),
                    dhcp_configurations: vec![ec2::DhcpConfiguration {
                        key: some("domain-name-servers"),
                        values: vec![ec2::AttributeValue { value: some("AmazonProvidedDNS") }],
                    }],
                    ..Default::default()
                }],
            });
            files.prefix_lists = Some(ec2::DescribePrefixLists {
                prefix_lists: vec![ec2::PrefixList {
                    prefix_list_id: some("pl-s3"),
                    prefix_list_name: some(format!("com.amazonaws.{REGION}.s3")),
                    cidrs: ["3.5.134.0/23", "52.219.140.0/24", "52.219.168.0/22"].map(str::to_owned).to_vec(),
                }],
            });
            files.vpc_endpoints = Some(ec2::DescribeVpcEndpoints::default());
            files.nat_gateways = Some(ec2::DescribeNatGateways::default());
            files.network_interfaces = Some(ec2::DescribeNetworkInterfaces::default());
            files.internet_gateways = Some(ec2::DescribeInternetGateways::default());
            files.encryption_controls = Some(ec2::DescribeVpcEncryptionControls::default());
            files.resolver_rules = Some(route53::ListResolverRules::default());
            files.resolver_rule_associations = Some(route53::ListResolverRuleAssociations::default());
            files.firewall_associations = Some(route53::ListFirewallRuleGroupAssociations::default());
            files.profile_associations = Some(route53::ListProfileAssociations::default());
        }
        add_vpc(files, number);
    }
    // Every account owns what it lists.
    for (account, seen) in &mut accounts {
        for vpc in seen.regions.values_mut().filter_map(|files| files.vpcs.as_mut()).flat_map(|file| &mut file.vpcs) {
            vpc.owner_id = some(account);
        }
    }
    Snapshot { accounts, ..Default::default() }
}

fn needs() -> Needs {
    let wanted = |host: &str, answered_by| Wanted { goal: Goal::of_repository(host, 443, answered_by, Some(true), true), perhaps: None };
    let host = format!("al2023-repos-{REGION}-de612dc2.s3.dualstack.{REGION}.amazonaws.com");
    Needs {
        ports: PortFamily::Linux,
        ec2messages: Ec2Messages { exists: true, agent_prefers_ssmmessages: false },
        sources: Sources::Known(vec![Alternative { doubt: None, wanted: vec![wanted(&host, AnsweredBy::DualStackS3)] }]),
        buckets: Some(Buckets {
            unsigned: vec![format!("aws-ssm-{REGION}")],
            presigned: Some(format!("patch-baseline-snapshot-{REGION}")),
        }),
        policy_buckets: Vec::new(),
    }
}

/// Judges every instance, with a fresh network for each of them if asked; the time, and how many paths have which verdict.
fn judge(estate: &Estate<'_>, needs: &Needs, each_by_itself: bool) -> (Duration, BTreeMap<Verdict, usize>) {
    let assumptions = Assumptions::default();
    let begun = Instant::now();
    let shared = Network::new(estate, &assumptions);
    let mut verdicts = BTreeMap::new();
    for region in estate.regions() {
        for instance in Estate::instances(region).into_values() {
            if each_by_itself {
                shared.forget();
            }
            for path in shared.judge(region, instance, needs).paths {
                *verdicts.entry(path.verdict).or_default() += 1;
            }
        }
    }
    (begun.elapsed(), verdicts)
}

fn peak_memory_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|kilobytes| kilobytes.parse::<u64>().ok()).unwrap_or_default() / 1024
}

fn main() {
    let asked: Vec<usize> = std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let sizes = if asked.is_empty() { vec![1_000, 10_000, 100_000] } else { asked };
    let needs = needs();
    // What classes save, on few enough instances that judging each by itself ends soon.
    let sample = organization(sizes.iter().copied().min().unwrap_or(1_000).min(1_000));
    let estate = Estate::new(&sample);
    let (by_itself, expected) = judge(&estate, &needs, true);
    let (in_classes, verdicts) = judge(&estate, &needs, false);
    assert_eq!(verdicts, expected, "classes change no verdict");
    assert!(!verdicts.contains_key(&Verdict::Unknown), "the snapshot lacks what the network reads by now: {verdicts:?}");
    let ratio = by_itself.as_secs_f64() / in_classes.as_secs_f64();
    println!("{} paths: {verdicts:?}", verdicts.values().sum::<usize>());
    println!("judging each instance by itself takes {ratio:.1} times as long as judging classes");
    let mut first: Option<f64> = None;
    for size in sizes {
        let snapshot = organization(size);
        let begun = Instant::now();
        let estate = Estate::new(&snapshot);
        let indexed = begun.elapsed();
        // The best of three: the machine may be busy with something else.
        let time = (0..3).map(|_| judge(&estate, &needs, false).0).min().unwrap_or_default();
        let each = time.as_secs_f64() / f64::from(u32::try_from(size).expect("a number of instances"));
        let growth = each / *first.get_or_insert(each);
        println!(
            "{size:>7} instances in {:>4} VPCs: {time:>9.3?} for all targets ({:.1} µs an instance, {growth:.2} times the first), index {indexed:.3?}, peak memory {} MB",
            size.div_ceil(PER_VPC),
            each * 1e6,
            peak_memory_mb()
        );
    }
}
