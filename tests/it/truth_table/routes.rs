//! The rows about routes.

use patch_preflight::network::Target::{S3, Ssm, SsmMessages};
use patch_preflight::network::Verdict::{Blocked, Partial, Reachable, Unknown};
use patch_preflight::snapshot::ec2;

use super::{check, eps, full};
use crate::topology::{Topology, base, blackhole, propagated, route_to};

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn routes() {
    let vpce_gone = |topology: Topology| topology.route("rtb-main", blackhole("pl-s3", "vpce-gone"));
    let explicit = |topology: Topology| {
        topology.with(|files| {
            let mut table = files.route_tables.as_ref().unwrap().route_tables[0].clone();
            table.route_table_id = Some("rtb-p".into());
            table.routes.truncate(1);
            table.associations = vec![ec2::RouteTableAssociation { subnet_id: Some("subnet-p".into()), ..Default::default() }];
            files.route_tables.as_mut().unwrap().route_tables.push(table);
        })
    };
    let filtered = || {
        let mut route = route_to("0.0.0.0/0", "nat-1");
        route.state = Some("filtered".into());
        base().route("rtb-main", route)
    };
    check(vec![
        ("1", base(), Ssm, Blocked, &["NO_ROUTE_TO_DESTINATION", "ENDPOINT_MISSING"]),
        ("1", base(), S3, Blocked, &["NO_ROUTE_TO_DESTINATION", "ENDPOINT_MISSING"]),
        ("2", full(), Ssm, Reachable, &[]),
        ("2", full(), SsmMessages, Reachable, &[]),
        ("2", full(), S3, Reachable, &[]),
        ("3", base().nat(), Ssm, Reachable, &[]),
        ("3", base().nat(), S3, Reachable, &[]),
        ("4", base().nat().route("rtb-main", blackhole("52.0.0.0/8", "eni-gone")), S3, Partial, &["BAD_STATE_ROUTE"]),
        ("5", vpce_gone(base().nat()), S3, Blocked, &["BAD_STATE_ROUTE"]),
        ("5: ssm has no part in the list", vpce_gone(base().nat()), Ssm, Reachable, &[]),
        ("6", eps().route("rtb-main", blackhole("0.0.0.0/0", "nat-gone")), Ssm, Reachable, &[]),
        ("6", eps().route("rtb-main", blackhole("0.0.0.0/0", "nat-gone")), S3, Blocked, &["BAD_STATE_ROUTE"]),
        ("7", full().route("rtb-main", blackhole("52.219.140.0/24", "nat-gone")), S3, Partial, &["BAD_STATE_ROUTE"]),
        ("8", full().route("rtb-main", route_to("52.219.168.0/24", "nat-1")), S3, Reachable, &[]),
        (
            "9",
            base()
                .prefix_list("pl-a", &["52.219.0.0/16"])
                .prefix_list("pl-b", &["52.219.0.0/16"])
                .nat()
                .route("rtb-main", route_to("pl-a", "nat-1"))
                .route("rtb-main", blackhole("pl-b", "eni-gone")),
            S3,
            Unknown,
            &["prefix_list_overlap"],
        ),
        (
            "9, one within the other",
            base()
                .prefix_list("pl-a", &["52.219.0.0/16"])
                .prefix_list("pl-b", &["52.219.128.0/17"])
                .nat()
                .route("rtb-main", route_to("pl-a", "nat-1"))
                .route("rtb-main", blackhole("pl-b", "eni-gone")),
            S3,
            Unknown,
            &["prefix_list_overlap"],
        ),
        (
            "10",
            base()
                .public_address()
                .prefix_list("pl-a", &["52.219.0.0/16"])
                .prefix_list("pl-b", &["52.219.128.0/17"])
                .nat()
                .route("rtb-main", route_to("pl-a", "nat-1"))
                .route("rtb-main", route_to("pl-b", "igw-1")),
            S3,
            Reachable,
            &[],
        ),
        ("11", eps().route("rtb-main", propagated("10.0.2.0/24", "vgw-1")), Ssm, Reachable, &[]),
        ("12", base().nat().route("rtb-main", propagated("0.0.0.0/0", "vgw-1")), Ssm, Reachable, &[]),
        (
            "13",
            base()
                .prefix_list("pl-all", &["0.0.0.0/0"])
                .route("rtb-main", route_to("pl-all", "nat-1"))
                .route("rtb-main", propagated("0.0.0.0/0", "vgw-1")),
            Ssm,
            Reachable,
            &[],
        ),
        ("14", base().prefix_list("pl-all", &["0.0.0.0/0"]).nat().route("rtb-main", blackhole("pl-all", "tgw-1")), Ssm, Reachable, &[]),
        ("15", base().nat(), Ssm, Reachable, &[]),
        ("16", explicit(base().nat()), Ssm, Blocked, &["NO_ROUTE_TO_DESTINATION"]),
        ("17", base().gateway_endpoint("rtb-u"), S3, Blocked, &["NO_ROUTE_TO_DESTINATION"]),
        ("19", eps().route("rtb-main", route_to("10.0.2.0/24", "vpce-gwlb")), Ssm, Unknown, &["gwlb_appliance"]),
        ("20", filtered(), Ssm, Blocked, &["NO_ROUTE_TO_DESTINATION"]),
        (
            "21",
            base().route("rtb-main", route_to("0.0.0.0/0", "arn:aws:networkmanager::core-network")),
            Ssm,
            Unknown,
            &["unsupported_target"],
        ),
        (
            "a gateway of a kind that is not modelled",
            base().route("rtb-main", route_to("0.0.0.0/0", "odb-1")),
            Ssm,
            Unknown,
            &["unsupported_target"],
        ),
        ("117", base().route("rtb-main", route_to("0.0.0.0/0", "pcx-1")), Ssm, Blocked, &["PCX_REQUIRES_ADDRESS_IN_VPC_CIDR"]),
        ("123", base().route("rtb-main", route_to("0.0.0.0/0", "vgw-1")), Ssm, Unknown, &["on_prem"]),
        ("a NAT gateway and the gateway endpoint", base().nat().gateway_endpoint("rtb-main"), Ssm, Reachable, &[]),
        ("the gateway endpoint alone", base().gateway_endpoint("rtb-main"), Ssm, Blocked, &["NO_ROUTE_TO_DESTINATION"]),
    ]);
}
