//! The rows about NAT gateways, internet gateways and Block Public Access.

use patch_preflight::network::Target::{S3, Ssm};
use patch_preflight::network::Verdict::{Blocked, Reachable, Unknown};
use patch_preflight::snapshot::ec2;

use super::{check, full};
use crate::topology::{Topology, base, route_to};

#[test]
#[expect(clippy::too_many_lines, reason = "a table, a few lines a row")]
fn gateways_to_the_internet() {
    let public = || base().in_subnet("subnet-u", "10.0.9.10").public_address();
    let nat_in_private_subnet = base().nat().nat_gateway(|nat| nat.subnet_id = Some("subnet-e".into()));
    let regional = |table: &'static str, zone: &'static str| {
        base().nat().nat_gateway(move |nat| {
            nat.availability_mode = Some("regional".into());
            nat.subnet_id = None;
            nat.route_table_id = Some(table.into());
            nat.nat_gateway_addresses =
                vec![ec2::NatGatewayAddress { availability_zone: Some(zone.into()), ..ec2::NatGatewayAddress::default() }];
        })
    };
    let edge = |topology: Topology, subnet: &str| {
        let route = route_to(subnet, "eni-firewall");
        topology.with(|files| {
            let association = ec2::RouteTableAssociation { gateway_id: Some("igw-1".into()), ..Default::default() };
            let table = ec2::RouteTable {
                route_table_id: Some("rtb-edge".into()),
                vpc_id: Some("vpc-1".into()),
                associations: vec![association],
                routes: vec![route],
                ..Default::default()
            };
            files.route_tables.as_mut().unwrap().route_tables.push(table);
        })
    };
    let nat_instance = |check: Option<bool>| {
        base().route("rtb-main", route_to("0.0.0.0/0", "eni-nat")).with(|files| {
            let attachment = ec2::NetworkInterfaceAttachment { instance_id: Some("i-nat".into()), ..Default::default() };
            let interface = ec2::NetworkInterface {
                network_interface_id: Some("eni-nat".into()),
                attachment: Some(attachment),
                source_dest_check: check,
                ..Default::default()
            };
            files.network_interfaces.as_mut().unwrap().network_interfaces.push(interface);
        })
    };
    let automatic = |topology: Topology| topology.nat_gateway(|nat| nat.auto_provision_zones = Some("enabled".into()));
    let igw_detached = public().with(|files| files.internet_gateways.as_mut().unwrap().internet_gateways[0].attachments.clear());
    check(vec![
        ("a public instance", public(), Ssm, Reachable, &[]),
        ("95", nat_in_private_subnet, Ssm, Blocked, &["CANNOT_ROUTE"]),
        ("96", base().nat().nat_gateway(|nat| nat.state = Some("failed".into())), Ssm, Blocked, &["BAD_STATE"]),
        (
            "97",
            base().nat().nat_gateway(|nat| nat.connectivity_type = Some("private".into())),
            Ssm,
            Blocked,
            &["IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS"],
        ),
        ("99", base().nat().nat_gateway(|nat| nat.subnet_id = Some("subnet-p".into())), Ssm, Blocked, &["CANNOT_ROUTE"]),
        ("100", regional("rtb-u", "eu-central-1a"), Ssm, Reachable, &[]),
        ("101", regional("rtb-main", "eu-central-1a"), Ssm, Blocked, &["CANNOT_ROUTE"]),
        ("102", regional("rtb-u", "eu-central-1b"), Ssm, Unknown, &["regional_nat_az"]),
        ("102 without a way on", regional("rtb-main", "eu-central-1b"), Ssm, Blocked, &["CANNOT_ROUTE"]),
        ("102 while AWS provides the zones", automatic(regional("rtb-u", "eu-central-1b")), Ssm, Reachable, &[]),
        (
            "a regional NAT gateway has no network ACL of its own",
            regional("rtb-u", "eu-central-1a").subnet_acl("subnet-u", &[]),
            Ssm,
            Reachable,
            &[],
        ),
        (
            "a regional NAT gateway under Block Public Access",
            regional("rtb-u", "eu-central-1a").block_public_access("block-bidirectional", &[("subnet-u", "allow-egress")]),
            Ssm,
            Blocked,
            &["VPC_BLOCK_PUBLIC_ACCESS_ENABLED"],
        ),
        ("22", edge(public(), "10.0.9.0/24"), Ssm, Unknown, &["asymmetric"]),
        ("22 for a NAT gateway in that subnet", edge(base().nat(), "10.0.9.0/24"), Ssm, Unknown, &["asymmetric"]),
        ("22 for another subnet", edge(base().nat(), "10.0.2.0/24"), Ssm, Reachable, &[]),
        ("22 behind a definite block", edge(public().egress(&[]), "10.0.9.0/24"), Ssm, Blocked, &["SG_HAS_NO_RULES"]),
        (
            "answers of a NAT gateway through an appliance",
            base().nat().route("rtb-u", route_to("10.0.1.0/24", "vpce-gwlb")),
            Ssm,
            Unknown,
            &["gwlb_appliance"],
        ),
        ("124", nat_instance(Some(true)), Ssm, Blocked, &["ENI_SOURCE_DEST_CHECK_RESTRICTION"]),
        ("125", nat_instance(Some(false)), Ssm, Unknown, &["os_forwarding"]),
        ("125 when the check was not told", nat_instance(None), Ssm, Unknown, &["os_forwarding"]),
        ("103", base().in_subnet("subnet-u", "10.0.9.10"), Ssm, Blocked, &["IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS"]),
        ("105", igw_detached, Ssm, Blocked, &["BAD_STATE"]),
        ("109", base().nat().block_public_access("block-bidirectional", &[]), Ssm, Blocked, &["VPC_BLOCK_PUBLIC_ACCESS_ENABLED"]),
        ("110", base().nat().block_public_access("block-bidirectional", &[("subnet-u", "allow-egress")]), Ssm, Reachable, &[]),
        (
            "111",
            public().block_public_access("block-bidirectional", &[("subnet-u", "allow-egress")]),
            Ssm,
            Blocked,
            &["VPC_BLOCK_PUBLIC_ACCESS_ENABLED"],
        ),
        ("112", public().block_public_access("block-ingress", &[]), Ssm, Blocked, &["VPC_BLOCK_PUBLIC_ACCESS_ENABLED"]),
        ("113", base().nat().block_public_access("block-ingress", &[]), Ssm, Reachable, &[]),
        ("114", full().block_public_access("block-bidirectional", &[]), Ssm, Reachable, &[]),
        ("114", full().block_public_access("block-bidirectional", &[]), S3, Reachable, &[]),
        (
            "excluded both ways",
            public().block_public_access("block-bidirectional", &[("subnet-u", "allow-bidirectional")]),
            Ssm,
            Reachable,
            &[],
        ),
        ("a NAT gateway before S3's gateway endpoint", base().nat().gateway_endpoint("rtb-u"), S3, Reachable, &[]),
    ]);
}
