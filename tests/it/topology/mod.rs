//! Small networks for the truth table: the base topology, and changes to it that read like a sentence.
//!
//! Base: VPC 10.0.0.0/16 with Amazon's resolver and both DNS attributes on; subnet P (10.0.1.0/24, main route table, local only) with
//! instance `i` at 10.0.1.10; subnet E (10.0.2.0/24); subnet U (10.0.9.0/24, public) with NAT gateway `nat-1`; security group `sg-i`
//! that lets everything out; one network ACL that allows everything; Block Public Access off.

mod changes;
mod shapes;

use std::collections::BTreeMap;

use patch_preflight::model::{Assumptions, Estate, known};
use patch_preflight::network::{Buckets, Ec2Messages, Judged, Needs, Network, Path, PolicyBucket, PortFamily, Sources, Target};
use patch_preflight::snapshot::ec2::{self, Route};
use patch_preflight::snapshot::{AccountSnapshot, RegionFiles, Snapshot, route53};

use shapes::open_acl;
pub(crate) use shapes::{
    ALL_IN, ALL_OUT, acl, all_to, all_v6, allow, blackhole, dhcp, entry, group_id, https_group, https_to, https_to_list, https_v6,
    own_name, propagated, route_to, security_group, some,
};

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
    pub(crate) buckets: Option<Buckets>,
    pub(crate) policy_buckets: Vec<(PolicyBucket, Option<known::Unknown>)>,
    /// Other accounts and Regions that were seen.
    pub(crate) others: BTreeMap<(String, String), RegionFiles>,
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
        firewall_rules: Some(route53::ListFirewallRules::default()),
        firewall_domains: Some(route53::ListFirewallDomains::default()),
        profile_associations: Some(route53::ListProfileAssociations { profile_associations: vec![] }),
        profile_resources: Some(route53::ListProfileResourceAssociations::default()),
        profile_zones: Some(route53::GetHostedZone::default()),
        ..Default::default()
    };
    Topology {
        files,
        ports: PortFamily::Linux,
        assumptions: Assumptions::default(),
        sources: Sources::NotNeeded(String::new()),
        buckets: Some(Buckets {
            unsigned: vec!["aws-ssm-eu-central-1".to_owned()],
            presigned: Some("patch-baseline-snapshot-eu-central-1".to_owned()),
        }),
        policy_buckets: Vec::new(),
        others: BTreeMap::new(),
        ec2messages: Ec2Messages { exists: true, agent_prefers_ssmmessages: false },
    }
}

impl Topology {
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
}
