//! The rows of the truth table that concern instances without an IPv4 address.

use patch_preflight::network::Target::{Repository, S3, Ssm};
use patch_preflight::network::Verdict::{Blocked, Reachable, Unknown};
use patch_preflight::snapshot::RegionFiles;
use patch_preflight::snapshot::ec2;

use crate::topology::{Topology, base, https_to, https_v6, route_to, some};
use crate::truth_table::check;

/// The base network with IPv6 in P, an instance with an IPv6 address alone, and an egress-only gateway.
pub(crate) fn ipv6_only() -> Topology {
    base()
        .instance(|instance| {
            instance.private_ip_address = None;
            let interface = &mut instance.network_interfaces[0];
            interface.private_ip_address = None;
            interface.ipv6_addresses = vec![ec2::InstanceIpv6Address { ipv6_address: some("2a05:d014:1:1::10") }];
        })
        .egress(&[https_v6("::/0")])
        .with(|files| {
            let open = ["101 in all * ::/0 allow", "101 out all * ::/0 allow"].map(crate::topology::entry);
            files.network_acls.as_mut().unwrap().network_acls[0].entries.extend(open);
            files.vpcs.as_mut().unwrap().vpcs[0].ipv6_cidr_block_association_set =
                vec![ec2::VpcIpv6CidrBlockAssociation { ipv6_cidr_block: some("2a05:d014:1::/56"), ..Default::default() }];
            for subnet in &mut files.subnets.as_mut().unwrap().subnets {
                subnet.enable_dns64 = Some(false);
            }
            files.egress_only_gateways = Some(ec2::DescribeEgressOnlyInternetGateways {
                egress_only_internet_gateways: vec![ec2::EgressOnlyInternetGateway {
                    egress_only_internet_gateway_id: some("eigw-1"),
                    attachments: vec![ec2::InternetGatewayAttachment { vpc_id: some("vpc-1"), state: some("attached") }],
                    ..Default::default()
                }],
            });
        })
}

pub(crate) fn dns64(topology: Topology) -> Topology {
    topology.with(|files| files.subnets.as_mut().unwrap().subnets.iter_mut().for_each(|subnet| subnet.enable_dns64 = Some(true)))
}

pub(crate) fn by_egress_only_gateway() -> Topology {
    ipv6_only().route("rtb-main", route_to("::/0", "eigw-1"))
}

pub(crate) fn by_nat64() -> Topology {
    dns64(ipv6_only()).route("rtb-main", route_to("64:ff9b::/96", "nat-1"))
}

/// A way out by IPv6, and a network ACL that knows IPv4 alone; only its outbound direction is in the way.
pub(crate) fn without_ipv6_entries() -> Topology {
    let entries = ["100 in all * ::/0 allow", "100 out all * 0.0.0.0/0 allow"];
    by_egress_only_gateway().subnet_acl("subnet-p", &entries).amazon_linux_2023()
}

/// (<https://docs.aws.amazon.com/vpc/latest/ipam/enable-prov-ipv6-gua.html>)
#[test]
fn private_ipv6_addresses_have_no_answers_from_the_internet() {
    let from = |address: &'static str, block: &'static str, attribute: Option<&'static str>| {
        let of_vpc = move |files: &mut RegionFiles| {
            let blocks = &mut files.vpcs.as_mut().unwrap().vpcs[0].ipv6_cidr_block_association_set;
            blocks[0].ipv6_cidr_block = some(block);
            blocks[0].ipv6_address_attribute = attribute.map(str::to_owned);
        };
        let of_instance = move |instance: &mut ec2::Instance| {
            instance.network_interfaces[0].ipv6_addresses = vec![ec2::InstanceIpv6Address { ipv6_address: some(address) }];
        };
        by_egress_only_gateway().amazon_linux_2023().with(of_vpc).instance(of_instance)
    };
    let unique_local = || from("fd12::10", "fd12::/56", None);
    let by_internet_gateway = || {
        unique_local().with(|files| {
            let routes = &mut files.route_tables.as_mut().unwrap().route_tables[0].routes;
            routes.retain(|route| route.egress_only_internet_gateway_id.is_none());
            routes.push(route_to("::/0", "igw-1"));
        })
    };
    let (address, block) = ("2a05:d014:1:1::10", "2a05:d014:1::/56");
    check(vec![
        ("unique local", unique_local(), Repository, Blocked, &["IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS"]),
        ("unique local, by an internet gateway", by_internet_gateway(), Repository, Blocked, &["IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS"]),
        ("of a private block", from(address, block, Some("private")), Repository, Blocked, &["IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS"]),
        ("of a public block", from(address, block, Some("public")), Repository, Reachable, &[]),
    ]);
}

/// A NAT gateway is told of for what DNS64 gives; a name with an IPv6 address of its own gets that.
#[test]
fn a_nat_gateway_is_no_way_for_ipv6_itself() {
    let by_nat = || dns64(ipv6_only()).route("rtb-main", route_to("::/0", "nat-1")).amazon_linux_2023();
    check(vec![
        ("a dual-stack name", by_nat().route("rtb-u", route_to("::/0", "igw-1")), Repository, Unknown, &["nat_ipv6"]),
        ("a name without an IPv6 address", by_nat(), Ssm, Reachable, &[]),
    ]);
}

#[test]
fn ipv6_alone() {
    let detached = by_egress_only_gateway().with(|files| {
        files.egress_only_gateways.as_mut().unwrap().egress_only_internet_gateways[0].attachments.clear();
    });
    let unseen = by_egress_only_gateway().with(|files| files.egress_only_gateways = None);
    let endpoint = |family: Option<&'static str>| {
        ipv6_only().endpoint_group("sg-e", vec![https_v6("2a05:d014:1::/56")]).endpoint("ssm", &["subnet-e"]).with(|files| {
            let interfaces = &mut files.network_interfaces.as_mut().unwrap().network_interfaces;
            interfaces[0].ipv6_addresses =
                family.map(|address| ec2::InstanceIpv6Address { ipv6_address: some(address) }).into_iter().collect();
        })
    };
    let of_records = |kind: Option<&'static str>| {
        endpoint(Some("2a05:d014:1:2::53")).each_endpoint(move |endpoint| {
            endpoint.dns_options = Some(ec2::DnsOptions { dns_record_ip_type: kind.map(str::to_owned), ..Default::default() });
        })
    };
    check(vec![
        ("106", by_egress_only_gateway().amazon_linux_2023(), Repository, Reachable, &[]),
        ("106, no route", ipv6_only().amazon_linux_2023(), Repository, Blocked, &["NO_ROUTE_TO_DESTINATION"]),
        ("106, the gateway is detached", detached.amazon_linux_2023(), Repository, Blocked, &["BAD_STATE"]),
        ("106, the gateways were not collected", unseen.amazon_linux_2023(), Repository, Unknown, &["fact_not_collected"]),
        (
            "106, the group lets IPv4 out alone",
            by_egress_only_gateway().egress(&[https_to("0.0.0.0/0")]).amazon_linux_2023(),
            Repository,
            Blocked,
            &["ENI_SG_RULES_MISMATCH"],
        ),
        (
            "106, the network ACL knows IPv4 alone",
            by_egress_only_gateway()
                .subnet_acl("subnet-p", &["100 in all * 0.0.0.0/0 allow", "100 out all * 0.0.0.0/0 allow"])
                .amazon_linux_2023(),
            Repository,
            Blocked,
            &["SUBNET_ACL_RESTRICTION"],
        ),
        (
            "106, public access is blocked both ways",
            by_egress_only_gateway().block_public_access("block-bidirectional", &[]).amazon_linux_2023(),
            Repository,
            Blocked,
            &["VPC_BLOCK_PUBLIC_ACCESS_ENABLED"],
        ),
        (
            "106, public access is blocked inwards",
            by_egress_only_gateway().block_public_access("block-ingress", &[]).amazon_linux_2023(),
            Repository,
            Reachable,
            &[],
        ),
        ("107", by_egress_only_gateway(), Ssm, Blocked, &["DNS_NO_IPV6_ADDRESS"]),
        ("107", by_egress_only_gateway(), S3, Blocked, &["DNS_NO_IPV6_ADDRESS"]),
        ("107, DNS64 without its route", dns64(by_egress_only_gateway()), Ssm, Blocked, &["CANNOT_ROUTE"]),
        ("108", by_nat64().ubuntu(), Repository, Blocked, &["REPO_PORT80_BLOCKED"]),
        ("108", by_nat64().egress(&[crate::topology::all_v6("::/0")]).ubuntu(), Repository, Reachable, &[]),
        ("108", by_nat64(), Ssm, Reachable, &[]),
        ("an endpoint with an IPv6 address", of_records(Some("dualstack")), Ssm, Reachable, &[]),
        ("an endpoint whose service says what names have", of_records(Some("service-defined")), Ssm, Blocked, &["DNS_NO_IPV6_ADDRESS"]),
        ("an endpoint that does not tell what names have", of_records(None), Ssm, Unknown, &["fact_not_collected"]),
        ("an endpoint whose name has none", of_records(Some("ipv4")), Ssm, Blocked, &["DNS_NO_IPV6_ADDRESS"]),
        ("an endpoint without one, behind DNS64", dns64(endpoint(None)), Ssm, Unknown, &["nat64_to_endpoint"]),
        ("an endpoint without one", endpoint(None), Ssm, Blocked, &["DNS_NO_IPV6_ADDRESS"]),
    ]);
}

/// IPv4 decides where there is any (decision 10).
#[test]
fn an_ipv4_address_decides() {
    let both = base().nat().instance(|instance| {
        instance.network_interfaces[0].ipv6_addresses = vec![ec2::InstanceIpv6Address { ipv6_address: some("2a05:d014:1:1::10") }];
    });
    check(vec![("IPv4 and IPv6", both, Ssm, Reachable, &[])]);
}

/// Decision 10: IPv4 decides, and that there is IPv6 beside it is told, with what would fare otherwise over it.
#[test]
fn ipv6_beside_ipv4_is_a_remark() {
    let beside = |topology: Topology| {
        topology.nat().egress(&[https_to("0.0.0.0/0"), https_v6("::/0")]).instance(|instance| {
            instance.network_interfaces[0].private_ip_address = some("10.0.1.10");
        })
    };
    let general = "eni-i has an IPv6 address too; its paths are judged over IPv4.";
    let notes = |topology: Topology| -> Vec<String> {
        let topology = topology.amazon_linux_2023();
        assert_eq!(topology.path(Repository).verdict, Reachable, "IPv4 decides");
        topology.paths().into_iter().flat_map(|path| path.notes).collect()
    };
    assert_eq!(notes(beside(by_egress_only_gateway())), [general]);
    let blocked = notes(beside(ipv6_only()));
    let told = "s3.dualstack.eu-central-1.amazonaws.com:443 would be blocked over IPv6, which eni-i has too; IPv4 decides, by which it is reachable.";
    // Of the run's program and of the repository.
    assert!(blocked.len() == 3 && blocked[0] == general && blocked[1] == told && blocked[2].ends_with(told), "{blocked:?}");
    assert!(notes(base().nat()).is_empty(), "without IPv6 there is nothing to tell");
}

/// What stands in the agent's configuration no API shows: it is named where it would help, and nowhere else.
#[test]
fn the_agent_may_be_told_to_use_ipv6() {
    use crate::laws::Judge;
    let told = |topology: &Topology| {
        let notes: Vec<String> = topology.paths().into_iter().flat_map(|path| path.notes).collect();
        notes.iter().filter(|note| note.contains("Agent.UseDualStackEndpoint")).count()
    };
    assert_eq!(told(&by_egress_only_gateway()), 4, "one of each service");
    assert_eq!(told(&by_nat64()), 0);
    assert_eq!(told(&base()), 0);
    let report = Judge::new().report(&by_egress_only_gateway().snapshot());
    let finding = report.findings.iter().find(|finding| finding.rule_id == "ssm-path-blocked").unwrap();
    let fixes: Vec<&str> = report.fixes.iter().filter(|fix| finding.fixes.contains(&fix.id)).map(|fix| fix.title.as_str()).collect();
    assert!(fixes.len() == 1 && fixes[0].starts_with("Set Agent.UseDualStackEndpoint to true"), "{fixes:?}");
}
