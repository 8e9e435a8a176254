//! Where engine and simulator have differed: the smallest network for each, and what the specification says of it.
//!
//! Where the engine still says less than it could, the shape is left out of the random networks (`Plan::without_open_differences`).
//! Numbers of rows, decisions and sections are those of docs/reachability.md and its truth table.

use patch_preflight::network::{Target, Verdict};
use patch_preflight::snapshot::{RegionFiles, ec2};

use crate::topology::{ACCOUNT, REGION, Topology, base, blackhole, https_to, route_to};

fn check(topology: &Topology, target: Target, verdict: Verdict) {
    let position = Target::SERVICES.iter().position(|candidate| *candidate == target).unwrap();
    assert_eq!(super::by_simulator(topology)[position], verdict, "by the simulator");
    let path = topology.path(target);
    assert_eq!(path.verdict, verdict, "by the engine: {path:#?}");
}

fn with_ssm_endpoint() -> Topology {
    base().endpoint_group("sg-e", vec![https_to("10.0.0.0/16")]).endpoint("ssm", &["subnet-e"])
}

fn tables(files: &mut RegionFiles) -> &mut Vec<ec2::RouteTable> {
    &mut files.route_tables.as_mut().unwrap().route_tables
}

/// Names of customer-managed lists are free; whose a list is, its owner says ("AWS" for AWS-managed ones). Decisions 1 and 2.
/// <https://docs.aws.amazon.com/vpc/latest/userguide/working-with-aws-managed-prefix-lists.html>
#[test]
fn a_customers_list_that_is_named_like_s3s_is_not_s3s() {
    let topology = base().gateway_endpoint("rtb-main").prefix_list("pl-copy", &["198.18.7.0/24"]).with(|files| {
        files.managed_prefix_lists.as_mut().unwrap().prefix_lists.push(ec2::ManagedPrefixList {
            prefix_list_id: Some("pl-copy".to_owned()),
            prefix_list_name: Some("allowed.eu-central-1.s3".to_owned()),
            prefix_list_arn: Some(format!("arn:aws:ec2:{REGION}:{ACCOUNT}:prefix-list/pl-copy")),
            owner_id: Some(ACCOUNT.to_owned()),
            ..Default::default()
        });
    });
    check(&topology, Target::S3, Verdict::Reachable);
    check(&topology, Target::Ssm, Verdict::Blocked);
}

/// Row 77: bucket names lie below the service's name, and a zone that has no record for them says "no such name".
#[test]
fn a_zone_with_s3s_name_alone_has_no_bucket() {
    let topology = with_s3_interface_endpoint().hosted_zone(
        "s3.eu-central-1.amazonaws.com.",
        &[("s3.eu-central-1.amazonaws.com.", "vpce-1-abc.s3.eu-central-1.vpce.amazonaws.com.")],
    );
    check(&topology, Target::S3, Verdict::Blocked);
}

/// The other half of row 77.
#[test]
fn a_zone_with_the_buckets_names_leads_to_the_endpoint() {
    let topology = with_s3_interface_endpoint().hosted_zone(
        "s3.eu-central-1.amazonaws.com.",
        &[
            ("s3.eu-central-1.amazonaws.com.", "vpce-1-abc.s3.eu-central-1.vpce.amazonaws.com."),
            ("*.s3.eu-central-1.amazonaws.com.", "vpce-1-abc.s3.eu-central-1.vpce.amazonaws.com."),
        ],
    );
    check(&topology, Target::S3, Verdict::Reachable);
}

fn with_s3_interface_endpoint() -> Topology {
    base().endpoint_group("sg-e", vec![https_to("10.0.0.0/16")]).endpoint("s3", &["subnet-e"]).each_endpoint(|endpoint| {
        endpoint.private_dns_enabled = Some(false);
        endpoint.dns_entries =
            vec![ec2::DnsEntry { dns_name: Some("vpce-1-abc.s3.eu-central-1.vpce.amazonaws.com".to_owned()), ..Default::default() }];
    })
}

/// Row 22 and decision 16: the answer enters the VPC through an appliance that the way out has not passed.
#[test]
fn an_answer_that_enters_through_an_appliance_is_unknown() {
    check(
        &edge(base().in_subnet("subnet-u", "10.0.9.10").public_address(), route_to("10.0.9.0/24", "eni-fw")),
        Target::Ssm,
        Verdict::Unknown,
    );
    check(&edge(base().nat(), route_to("10.0.9.0/24", "eni-fw")), Target::Ssm, Verdict::Unknown);
}

/// A blackhole takes part in the longest match and drops (section 1): here every answer.
#[test]
fn an_answer_that_enters_into_a_blackhole_is_lost() {
    check(
        &edge(base().in_subnet("subnet-u", "10.0.9.10").public_address(), blackhole("10.0.9.0/24", "eni-gone")),
        Target::Ssm,
        Verdict::Blocked,
    );
}

/// An edge route table of the internet gateway. <https://docs.aws.amazon.com/vpc/latest/userguide/gateway-route-tables.html>
fn edge(topology: Topology, route: ec2::Route) -> Topology {
    topology.with(|files| {
        let mut edge = tables(files)[0].clone();
        edge.route_table_id = Some("rtb-edge".to_owned());
        edge.routes.truncate(1);
        edge.routes.push(route);
        edge.associations = vec![ec2::RouteTableAssociation { gateway_id: Some("igw-1".to_owned()), ..Default::default() }];
        tables(files).push(edge);
    })
}

/// Answers come from the NAT gateway by its subnet's table (section 1: check before assuming "local").
#[test]
fn a_nat_gateways_answers_may_pass_an_appliance() {
    check(&base().nat().route("rtb-u", route_to("10.0.1.0/24", "eni-fw")), Target::Ssm, Verdict::Unknown);
}

/// Decision 12: a definite block anywhere, the return leg included.
#[test]
fn a_nat_gateways_answers_may_end_in_a_blackhole() {
    check(&base().nat().route("rtb-u", blackhole("10.0.1.0/24", "eni-gone")), Target::Ssm, Verdict::Blocked);
}

/// Section 1: "Blackhole still takes part in LPM → drop", inside the VPC as well.
#[test]
fn a_blackhole_inside_the_vpc_drops() {
    check(&with_ssm_endpoint().route("rtb-main", blackhole("10.0.2.0/24", "eni-gone")), Target::Ssm, Verdict::Blocked);
}

/// Row 19: blocked if the endpoint is not available.
#[test]
fn a_gateway_load_balancer_endpoint_that_is_not_available_blocks() {
    let failed = |topology: Topology| {
        topology.with(|files| {
            files.vpc_endpoints.as_mut().unwrap().vpc_endpoints.push(ec2::VpcEndpoint {
                vpc_endpoint_id: Some("vpce-gwlb".to_owned()),
                vpc_endpoint_type: Some("GatewayLoadBalancer".to_owned()),
                vpc_id: Some("vpc-1".to_owned()),
                service_name: Some("com.amazonaws.vpce.eu-central-1.vpce-svc-1".to_owned()),
                state: Some("failed".to_owned()),
                ..Default::default()
            });
        })
    };
    check(&failed(base().route("rtb-main", route_to("0.0.0.0/0", "vpce-gwlb"))), Target::Ssm, Verdict::Blocked);
    check(&failed(with_ssm_endpoint().route("rtb-main", route_to("10.0.2.0/24", "vpce-gwlb"))), Target::Ssm, Verdict::Blocked);
}

/// Decision 19, rows 9 and 10: each order is tried, and where they agree the order does not matter. In the NAT gateway's table too.
#[test]
fn overlapping_lists_in_the_nat_gateways_table_are_tried_both_ways() {
    let either = base()
        .nat()
        .prefix_list("pl-a", &["52.219.0.0/16"])
        .prefix_list("pl-b", &["52.219.0.0/16"])
        .route("rtb-u", blackhole("pl-a", "eni-gone"))
        .route("rtb-u", blackhole("pl-b", "eni-other"))
        .with(|files| files.prefix_lists.as_mut().unwrap().prefix_lists[0].cidrs = vec!["52.219.140.0/24".to_owned()]);
    check(&either, Target::S3, Verdict::Blocked);
}

/// Inside a subnet no network ACL counts, and nobody knows that the record does not lead there: what is unknown is not surely blocked.
#[test]
fn a_record_may_lead_into_the_instances_own_subnet() {
    let name = "ssm.eu-central-1.amazonaws.com.";
    let closed = base().hosted_zone(name, &[(name, "internal-lb-1.eu-central-1.elb.amazonaws.com.")]).subnet_acl("subnet-p", &[]);
    check(&closed, Target::Ssm, Verdict::Unknown);
}

/// Decision 13: the rule wins where its domain is as long as the zone's or longer, though the zone has the record.
#[test]
fn a_rule_beats_a_zone_that_is_not_more_specific() {
    let name = "ssm.eu-central-1.amazonaws.com.";
    let alias = "vpce-1-abc.ssm.eu-central-1.vpce.amazonaws.com";
    for (zone, rule) in [("amazonaws.com.", "amazonaws.com."), ("amazonaws.com.", "eu-central-1.amazonaws.com"), (name, name)] {
        let topology = with_ssm_endpoint().each_endpoint(|endpoint| {
            endpoint.private_dns_enabled = Some(false);
            endpoint.dns_entries = vec![ec2::DnsEntry { dns_name: Some(alias.to_owned()), ..Default::default() }];
        });
        check(&topology.hosted_zone(zone, &[(name, alias)]).forward_rule(rule), Target::Ssm, Verdict::Unknown);
    }
}

/// Decision 16 says so of every route to a network interface of an instance, wherever the packet comes from.
#[test]
fn a_source_destination_check_blocks_everywhere() {
    let checks = |topology: Topology| {
        topology.with(|files| {
            files.network_interfaces.as_mut().unwrap().network_interfaces.push(ec2::NetworkInterface {
                network_interface_id: Some("eni-fw".to_owned()),
                vpc_id: Some("vpc-1".to_owned()),
                subnet_id: Some("subnet-u".to_owned()),
                private_ip_address: Some("10.0.9.99".to_owned()),
                attachment: Some(ec2::NetworkInterfaceAttachment { instance_id: Some("i-fw".to_owned()), ..Default::default() }),
                source_dest_check: Some(true),
                ..Default::default()
            });
        })
    };
    check(&checks(with_ssm_endpoint().route("rtb-main", route_to("10.0.2.0/24", "eni-fw"))), Target::Ssm, Verdict::Blocked);
    let behind_nat = base().nat().with(|files| {
        let table = tables(files).iter_mut().find(|table| table.route_table_id.as_deref() == Some("rtb-u")).unwrap();
        table.routes.pop();
        table.routes.push(route_to("0.0.0.0/0", "eni-fw"));
    });
    check(&checks(behind_nat), Target::Ssm, Verdict::Blocked);
}

/// "Thereafter, the same route always takes priority": instance and NAT gateway read one table, in which one list wins for both.
/// <https://docs.aws.amazon.com/vpc/latest/userguide/route-tables-priority.html>
#[test]
fn one_table_has_one_order_of_its_lists() {
    let topology = base()
        .nat_gateway(|nat| nat.subnet_id = Some("subnet-e".to_owned()))
        .prefix_list("pl-a", &["52.219.0.0/16", "3.5.0.0/16"])
        .prefix_list("pl-b", &["52.219.0.0/16", "3.5.0.0/16"])
        .route("rtb-main", route_to("pl-a", "nat-1"))
        .route("rtb-main", route_to("pl-b", "igw-1"));
    // Either to a NAT gateway that sends back to itself, or to the internet gateway without a public address.
    // The engine chooses anew behind the NAT gateway: it says less than it could, and nothing wrong.
    let position = Target::SERVICES.iter().position(|target| *target == Target::S3).unwrap();
    assert_eq!(super::by_simulator(&topology)[position], Verdict::Blocked);
    assert_eq!(topology.path(Target::S3).verdict, Verdict::Unknown);
}

/// Lists that overlap elsewhere are nothing to a way inside the VPC.
#[test]
fn a_blackhole_inside_the_vpc_drops_beside_overlapping_lists_too() {
    let topology = with_ssm_endpoint()
        .prefix_list("pl-a", &["52.219.0.0/16"])
        .prefix_list("pl-b", &["52.219.0.0/16"])
        .route("rtb-main", route_to("pl-a", "nat-1"))
        .route("rtb-main", route_to("pl-b", "igw-1"))
        .route("rtb-main", blackhole("10.0.2.0/24", "eni-gone"));
    check(&topology, Target::Ssm, Verdict::Blocked);
}
