//! Peering connections and transit gateways, where two VPCs are one account's or a file tells less than it could.

use patch_preflight::network::Target::Ssm;
use patch_preflight::network::Verdict::{Blocked, Reachable, Unknown};
use patch_preflight::snapshot::ec2::{self, CidrBlock, TransitGatewayVpcAttachment, VpcPeeringConnection};

use crate::exact::check;
use crate::hub::{HUB, attachment, beside, central, central_egress, peered};
use crate::topology::{ACCOUNT, REGION, Topology, blackhole, https_group, https_to, route_to, some};

fn open() -> Topology {
    peered(vec![https_to("10.0.0.0/16")], "active")
}

/// The spoke and the hub as two VPCs of one account.
fn in_one_account(mut topology: Topology) -> Topology {
    let hub = topology.others.remove(&(HUB.to_owned(), REGION.to_owned())).unwrap();
    let own = &mut topology.files;
    macro_rules! add {
        ($($file:ident . $list:ident),+ $(,)?) => { $( own.$file.as_mut().unwrap().$list.extend(hub.$file.unwrap().$list); )+ };
    }
    add!(
        vpcs.vpcs,
        vpc_attributes.vpc_attributes,
        subnets.subnets,
        route_tables.route_tables,
        security_groups.security_groups,
        network_acls.network_acls,
        network_interfaces.network_interfaces,
        vpc_endpoints.vpc_endpoints,
        nat_gateways.nat_gateways,
        internet_gateways.internet_gateways,
    );
    own.vpcs.as_mut().unwrap().vpcs.iter_mut().for_each(|vpc| vpc.owner_id = some(ACCOUNT));
    own.subnets.as_mut().unwrap().subnets.iter_mut().for_each(|subnet| subnet.owner_id = some(ACCOUNT));
    topology.connection(|connection| connection.accepter_vpc_info.as_mut().unwrap().owner_id = some(ACCOUNT))
}

impl Topology {
    fn connection(self, change: impl Fn(&mut VpcPeeringConnection)) -> Self {
        self.with(|files| {
            files.peering_connections.iter_mut().flat_map(|file| &mut file.vpc_peering_connections).for_each(change);
        })
    }

    /// The hub's answers go elsewhere.
    fn answers_by(self, route: ec2::Route) -> Self {
        self.without_hub_route("10.0.0.0/16").hub_route("rtb-h-main", route)
    }
}

#[test]
fn two_vpcs_of_one_account() {
    let closed = || in_one_account(peered(vec![], "active"));
    let no_way_there = in_one_account(beside(vec![https_to("10.0.0.0/16")]).zone_to_hub());
    let no_way_back = in_one_account(open().without_hub_route("10.0.0.0/16"));
    check(vec![
        ("36", in_one_account(open()), Ssm, Reachable, &[], &[]),
        ("36, by group", in_one_account(peered(vec![https_group("sg-i")], "active")), Ssm, Reachable, &[], &[]),
        ("115", no_way_back, Ssm, Blocked, &["NO_ROUTE_TO_DESTINATION"], &[]),
        ("no route leads there", no_way_there, Ssm, Blocked, &["NO_ROUTE_TO_DESTINATION"], &[]),
        ("the endpoint lets nobody in", closed(), Ssm, Blocked, &["SG_HAS_NO_RULES"], &[]),
        // A zone of the user's leads there, private DNS of the endpoint does not.
        ("nor is it to blame for the name that a zone takes", closed().nat(), Ssm, Blocked, &["SG_HAS_NO_RULES"], &[]),
    ]);
}

#[test]
fn what_a_connection_carries() {
    let block = |block: Option<&'static str>| {
        open().connection(move |connection| connection.accepter_vpc_info.as_mut().unwrap().cidr_block = block.map(str::to_owned))
    };
    let second_block = block(Some("10.200.0.0/16")).connection(|connection| {
        let blocks = ["10.200.0.0/16", "10.100.0.0/16"].map(|block| CidrBlock { cidr_block: some(block) });
        connection.accepter_vpc_info.as_mut().unwrap().cidr_block_set = blocks.to_vec();
    });
    check(vec![
        ("to the peer's block", block(Some("10.100.0.0/16")), Ssm, Reachable, &[], &[]),
        ("to its second block", second_block, Ssm, Reachable, &[], &[]),
        ("to none of its blocks", block(Some("10.200.0.0/16")), Ssm, Blocked, &["PCX_REQUIRES_ADDRESS_IN_VPC_CIDR"], &[]),
        ("its blocks are not told", block(None), Ssm, Reachable, &[], &[]),
        ("its state is not told", open().connection(|connection| connection.status = None), Ssm, Unknown, &[], &["fact_not_collected"]),
    ]);
}

#[test]
fn answers_that_go_elsewhere() {
    let by_gateway = || open().answers_by(route_to("10.0.0.0/16", "tgw-9"));
    check(vec![
        ("by a transit gateway", by_gateway(), Ssm, Unknown, &[], &["asymmetric"]),
        ("by another connection", open().answers_by(route_to("10.0.0.0/16", "pcx-9")), Ssm, Unknown, &[], &["asymmetric"]),
        ("by an internet gateway", open().answers_by(route_to("0.0.0.0/0", "igw-h")), Ssm, Blocked, &["NO_ROUTE_TO_DESTINATION"], &[]),
        ("by a dead route", open().answers_by(blackhole("10.0.0.0/16", "pcx-1")), Ssm, Blocked, &["NO_ROUTE_TO_DESTINATION"], &[]),
        (
            "by a route that does not tell its state",
            open().answers_by(ec2::Route { state: None, ..route_to("10.0.0.0/16", "pcx-1") }),
            Ssm,
            Unknown,
            &[],
            &["fact_not_collected"],
        ),
    ]);
    assert_eq!(by_gateway().path(Ssm).unknowns[0].resource, "tgw-9", "where the answers go is named");
}

/// An account whose endpoints or route tables were not collected was not looked into.
#[test]
fn half_a_hub() {
    let zone_by_address = |topology: Topology| {
        topology.with(|files| {
            let records = files.record_sets.as_mut().unwrap().resource_record_sets.get_mut("Z1").unwrap();
            records[0].alias_target = None;
            records[0].resource_records = vec![patch_preflight::snapshot::route53::ResourceRecord { value: some("10.100.2.103") }];
        })
    };
    let without = |file: &'static str| {
        open().hub(|files| {
            assert!(files.forget(file));
        })
    };
    check(vec![
        ("without its route tables", without("ec2-describe-route-tables.json"), Ssm, Unknown, &[], &["owner_account_not_collected"]),
        ("without its endpoints", zone_by_address(without("ec2-describe-vpc-endpoints.json")), Ssm, Unknown, &[], &["private_zone_record"]),
    ]);
}

#[test]
fn attachments_of_a_transit_gateway() {
    let of_spoke = |change: fn(&mut TransitGatewayVpcAttachment)| {
        central().attachments(move |each| {
            if each.vpc_id.as_deref() == Some("vpc-1") {
                change(each);
            }
        })
    };
    let beside = |other: TransitGatewayVpcAttachment| {
        central().with(|files| {
            files.transit_gateway_attachments.as_mut().unwrap().transit_gateway_vpc_attachments.push(other);
        })
    };
    let of_another_gateway =
        TransitGatewayVpcAttachment { transit_gateway_id: some("tgw-2"), ..attachment("tgw-attach-2", "vpc-1", ACCOUNT, "subnet-e") };
    let of_another_vpc = attachment("tgw-attach-9", "vpc-9", ACCOUNT, "subnet-e");
    let zoneless = central().with(|files| {
        let subnets = files.subnets.as_mut().unwrap().subnets.iter_mut();
        subnets.filter(|subnet| subnet.subnet_id.as_deref() == Some("subnet-t")).for_each(|subnet| subnet.availability_zone_id = None);
    });
    // Nobody lists the attachment of the hub's VPC.
    let listed_elsewhere = central_egress().hub(|files| {
        files
            .transit_gateway_attachments
            .as_mut()
            .unwrap()
            .transit_gateway_vpc_attachments
            .retain(|each| each.vpc_id.as_deref() == Some("vpc-1"));
    });
    check(vec![
        ("one of another gateway", beside(of_another_gateway), Ssm, Reachable, &[], &[]),
        ("one of another VPC", beside(of_another_vpc), Ssm, Reachable, &[], &[]),
        ("without subnets", of_spoke(|each| each.subnet_ids.clear()), Ssm, Unknown, &[], &["fact_not_collected"]),
        ("in a subnet whose zone is not told", zoneless, Ssm, Unknown, &[], &["fact_not_collected"]),
        ("not listed by its owner", listed_elsewhere, Ssm, Unknown, &[], &["fact_not_collected"]),
        ("not told whether it is up", of_spoke(|each| each.state = None), Ssm, Unknown, &[], &["fact_not_collected"]),
    ]);
}
