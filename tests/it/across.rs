//! Over peering connections and transit gateways: which of several attachments counts, which way answers take, and what is one's own VPC.

use patch_preflight::network::Target::Ssm;
use patch_preflight::network::Verdict::{Blocked, Reachable, Unknown};

use crate::hub::{attachment, by_gateway, central, peered};
use crate::topology::{Topology, https_to, route_to, some};
use crate::truth_table::check;

fn open() -> Topology {
    peered(vec![https_to("10.0.0.0/16")], "active")
}

/// The far side of the connection says these blocks, each as AWS may say it.
fn far_blocks(block: Option<&'static str>, more: &'static [&'static str]) -> Topology {
    open().with(|files| {
        let connections = &mut files.peering_connections.as_mut().unwrap().vpc_peering_connections;
        let far = connections[0].accepter_vpc_info.as_mut().unwrap();
        far.cidr_block = block.map(str::to_owned);
        far.cidr_block_set = more.iter().map(|block| patch_preflight::snapshot::ec2::CidrBlock { cidr_block: some(block) }).collect();
    })
}

/// The hub sends the answers by something else than they came by.
fn answers_by(target: &str) -> Topology {
    open()
        .hub(|files| {
            let tables = files.route_tables.as_mut().unwrap().route_tables.iter_mut();
            tables.for_each(|table| table.routes.retain(|route| route.vpc_peering_connection_id.is_none()));
        })
        .hub_route("rtb-h-main", route_to("10.0.0.0/16", target))
}

#[test]
fn peering() {
    check(vec![
        ("an address of the peer", far_blocks(Some("10.100.0.0/16"), &[]), Ssm, Reachable, &[]),
        ("in a block that is told beside it", far_blocks(None, &["10.100.0.0/16"]), Ssm, Reachable, &[]),
        ("an address of nobody there", far_blocks(Some("10.99.0.0/16"), &[]), Ssm, Blocked, &["PCX_REQUIRES_ADDRESS_IN_VPC_CIDR"]),
        ("answers by another connection", answers_by("pcx-2"), Ssm, Unknown, &["asymmetric"]),
        ("answers by a transit gateway", answers_by("tgw-9"), Ssm, Unknown, &["asymmetric"]),
        ("answers into the internet", answers_by("igw-h"), Ssm, Blocked, &["NO_ROUTE_TO_DESTINATION"]),
        (
            "a peer whose route tables were not read",
            open().hub(|files| files.route_tables = None),
            Ssm,
            Unknown,
            &["owner_account_not_collected"],
        ),
    ]);
    let path = answers_by("tgw-9").path(Ssm);
    assert_eq!(path.unknowns[0].resource, "tgw-9", "what stands in the way is named: {path:#?}");
}

#[test]
fn transit_gateways() {
    let of_another = |id: &str, vpc: &str| {
        let mut other = attachment(id, vpc, "111111111111", "subnet-e");
        if vpc == "vpc-1" {
            other.transit_gateway_id = some("tgw-2");
        }
        other
    };
    let beside = |vpc: &'static str| {
        central().with(|files| {
            let attachments = &mut files.transit_gateway_attachments.as_mut().unwrap().transit_gateway_vpc_attachments;
            attachments.push(of_another("tgw-attach-x", vpc));
        })
    };
    let without_zone = central().hub(|files| {
        files.subnets.as_mut().unwrap().subnets.iter_mut().for_each(|subnet| subnet.availability_zone_id = None);
    });
    let round =
        by_gateway(vec![]).route("rtb-main", route_to("0.0.0.0/0", "tgw-1")).hub_route("rtb-h-main", route_to("0.0.0.0/0", "tgw-1"));
    let without_ipv6 = |topology: Topology| {
        topology.with(|files| {
            let attachments = &mut files.transit_gateway_attachments.as_mut().unwrap().transit_gateway_vpc_attachments;
            attachments[0].options = Some(patch_preflight::snapshot::ec2::TransitGatewayVpcAttachmentOptions {
                ipv6_support: some("disable"),
                ..Default::default()
            });
        })
    };
    check(vec![
        ("an attachment of the VPC to another gateway is beside the point", beside("vpc-1"), Ssm, Reachable, &[]),
        ("so is one of another VPC to this gateway", beside("vpc-9"), Ssm, Reachable, &[]),
        ("zones that are not told", without_zone, Ssm, Unknown, &["fact_not_collected"]),
        ("round and round", round, Ssm, Unknown, &["routing_loop"]),
        ("IPv4 needs no support of IPv6", without_ipv6(central()), Ssm, Reachable, &[]),
    ]);
}
