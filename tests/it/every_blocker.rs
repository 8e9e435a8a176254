//! Everything that is in the way is named at once: what lies behind a hop that stops the traffic is met as soon as that hop is mended.

use patch_preflight::network::Target::Ssm;
use patch_preflight::network::Verdict::{Blocked, Reachable, Unknown};
use patch_preflight::snapshot::RegionFiles;
use patch_preflight::snapshot::ec2::TransitGatewayRoute;

use crate::exact::{Row, check};
use crate::hub::{HUB, beside_peering, by_gateway, central, gateway_route, two_doors, two_doors_of_spoke};
use crate::topology::{ALL_IN, ALL_OUT, REGION, Topology, base, https_to, route_to, some};

/// The network ACL of the instance's subnet lets no answer in.
fn unanswered(topology: Topology) -> Topology {
    topology.subnet_acl("subnet-p", &["100 in tcp 443 0.0.0.0/0 allow", ALL_OUT])
}

/// The transit gateway has no route for the answers.
fn unreturned(topology: Topology) -> Topology {
    topology.without_gateway_route("10.0.0.0/16").without_gateway_route("0.0.0.0/0")
}

#[test]
fn behind_a_transit_gateway() {
    let dead = || {
        central().gateway_route(TransitGatewayRoute { state: some("blackhole"), ..gateway_route("10.100.0.0/16", "tgw-attach-h", "vpc-h") })
    };
    let no_zone = || {
        central().with(|files| {
            let mut subnets = files.subnets.as_mut().unwrap().subnets.iter_mut();
            subnets.find(|subnet| subnet.subnet_id.as_deref() == Some("subnet-t")).unwrap().availability_zone_id = some("euc1-az2");
        })
    };
    let down = |vpc: &'static str| {
        central().attachments(move |each| {
            if each.vpc_id.as_deref() == Some(vpc) {
                each.state = some("failed");
            }
        })
    };
    let unrouted = || central().without_gateway_route("10.100.0.0/16").without_gateway_route("0.0.0.0/0");
    let row = |name, topology, codes: &'static [&'static str]| -> Row { (name, unanswered(topology), Ssm, Blocked, codes, &[]) };
    check(vec![
        row("a dead route", dead(), &["TGW_RTB_BAD_STATE_ROUTE", "SUBNET_ACL_RESTRICTION"]),
        row("no route", unrouted(), &["TGW_RTB_NO_ROUTE_TO_TGW_ATTACHMENT", "SUBNET_ACL_RESTRICTION"]),
        // A subnet that is attached instead may be the instance's own, whose answers its network ACL does not see.
        row("no subnet in the zone", no_zone(), &["TGW_ROUTE_AZ_RESTRICTION"]),
        row("the hub's attachment is down", down("vpc-h"), &["BAD_STATE_ATTACHMENT", "SUBNET_ACL_RESTRICTION"]),
        row(
            "the hub has no route back",
            central().without_hub_route("10.0.0.0/16"),
            &["NO_ROUTE_TO_DESTINATION", "SUBNET_ACL_RESTRICTION"],
        ),
        row(
            "neither the hub nor the gateway has a route back",
            unreturned(central()).without_hub_route("10.0.0.0/16"),
            &["NO_ROUTE_TO_DESTINATION", "TGW_RTB_NO_ROUTE_TO_TGW_ATTACHMENT", "SUBNET_ACL_RESTRICTION"],
        ),
        row("nothing else is in the way", central(), &["SUBNET_ACL_RESTRICTION"]),
    ]);
}

/// However the hub leads the answers back, they come into the instance's own subnet.
#[test]
fn where_it_is_not_known_how_the_answers_come_back() {
    // The attachments of the hub are seen in another account alone.
    let unseen = || {
        let of_hub = central().others[&(HUB.to_owned(), REGION.to_owned())].transit_gateway_attachments.clone().unwrap();
        let elsewhere = RegionFiles { transit_gateway_attachments: Some(of_hub), ..RegionFiles::default() };
        let mut topology = unanswered(central()).hub(|files| files.transit_gateway_attachments = None);
        topology.others.insert(("333333333333".to_owned(), REGION.to_owned()), elsewhere);
        topology
    };
    check(vec![
        ("there is a route back", unseen(), Ssm, Blocked, &["SUBNET_ACL_RESTRICTION"], &[]),
        (
            "there is none",
            unseen().without_hub_route("10.0.0.0/16"),
            Ssm,
            Blocked,
            &["NO_ROUTE_TO_DESTINATION", "SUBNET_ACL_RESTRICTION"],
            &[],
        ),
    ]);
}

/// What traffic may pass and need not is no blocker.
#[test]
fn of_several_doors_none_is_sure() {
    // In appliance mode any of the hub's two doors may be taken, of which one is shut, or both.
    let one_shut = || two_doors(central(), "enable");
    let both_shut = || one_shut().hub_acl("subnet-hp", &[ALL_IN]);
    let of_doors = &["SUBNET_ACL_RESTRICTION", "SUBNET_ACL_RESTRICTION"];
    let dead = TransitGatewayRoute { state: some("blackhole"), ..gateway_route("10.100.0.0/16", "tgw-attach-h", "vpc-h") };
    // Once what both doors meet is mended, the open one leads on.
    let no_way_back = || unreturned(one_shut());
    check(vec![
        ("one door is shut, and neither has a way back", no_way_back(), Ssm, Blocked, &["TGW_RTB_NO_ROUTE_TO_TGW_ATTACHMENT"], &[]),
        ("the door of another zone", two_doors_of_spoke(central()), Ssm, Reachable, &[], &[]),
        ("both doors are shut", both_shut(), Ssm, Blocked, of_doors, &[]),
        (
            "and nothing leaves the instance",
            both_shut().egress(&[]),
            Ssm,
            Blocked,
            &["SG_HAS_NO_RULES", "SUBNET_ACL_RESTRICTION", "SUBNET_ACL_RESTRICTION"],
            &[],
        ),
        ("one door is shut, and nothing leaves the instance", one_shut().egress(&[]), Ssm, Blocked, &["SG_HAS_NO_RULES"], &[]),
        ("behind a dead route", two_doors_of_spoke(central().gateway_route(dead)), Ssm, Blocked, &["TGW_RTB_BAD_STATE_ROUTE"], &[]),
        (
            "where the hub has no route back",
            two_doors_of_spoke(central().without_hub_route("10.0.0.0/16")),
            Ssm,
            Blocked,
            &["NO_ROUTE_TO_DESTINATION"],
            &[],
        ),
    ]);
}

/// Answers that go another way, or of which it is not known by which they come, come in by any edge of the VPC, and into the instance's own subnet.
#[test]
fn answers_that_go_elsewhere_come_in_by_any_edge() {
    let mut by_vpn = gateway_route("10.0.0.0/16", "tgw-attach-vpn", "vpn-1");
    by_vpn.transit_gateway_attachments[0].resource_type = some("vpn");
    let asymmetric = || central().gateway_route(by_vpn.clone());
    let not_by_own = |topology: Topology| topology.subnet_acl("subnet-t", &[ALL_IN]);
    let peered = |topology: Topology| beside_peering(topology, "active");
    // In which subnet the appliance stands is not known.
    let by_appliance = |topology: Topology| topology.route("rtb-main", route_to("192.168.0.0/16", "eni-unseen"));
    let in_part = ["90 in tcp 50000-50100 0.0.0.0/0 deny", ALL_IN, ALL_OUT];
    let either = &["answers_by_another", "asymmetric"];
    let own_subnet = &["SUBNET_ACL_RESTRICTION"];
    check(vec![
        ("nothing is in the way", asymmetric(), Ssm, Unknown, &[], &["asymmetric"]),
        ("the instance's own subnet drops them", unanswered(asymmetric()), Ssm, Blocked, own_subnet, &[]),
        ("so it does beside a peering connection", peered(unanswered(asymmetric())), Ssm, Blocked, own_subnet, &[]),
        ("the attachment's drops them, and there is no other edge", not_by_own(asymmetric()), Ssm, Blocked, own_subnet, &[]),
        ("there is another", peered(not_by_own(asymmetric())), Ssm, Unknown, &[], either),
        ("an appliance may bring them", by_appliance(not_by_own(asymmetric())), Ssm, Unknown, &[], either),
        ("past the instance's own subnet, if it stands there", by_appliance(unanswered(asymmetric())), Ssm, Unknown, &[], either),
        (
            "and a part of them is taken before",
            peered(not_by_own(asymmetric())).hub_acl("subnet-hp", &in_part),
            Ssm,
            Unknown,
            &["EPHEMERAL_PARTIAL"],
            either,
        ),
    ]);
}

#[test]
fn behind_a_name_that_leads_nowhere() {
    let zone = || base().nat().hosted_zone("amazonaws.com.", &[]);
    check(vec![
        ("the name alone", zone(), Ssm, Blocked, &["DNS_PHZ_NXDOMAIN"], &[]),
        ("and nothing goes out", zone().egress(&[]), Ssm, Blocked, &["DNS_PHZ_NXDOMAIN", "SG_HAS_NO_RULES"], &[]),
        (
            "no resolver, and nothing goes out",
            base().nat().dns_attributes(false, true).egress(&[]),
            Ssm,
            Blocked,
            &["DNS_VPC_ATTRIBUTE_OFF", "SG_HAS_NO_RULES"],
            &[],
        ),
    ]);
}

#[test]
fn behind_a_nat_gateway_that_has_failed() {
    let failed = |subnet: &'static str| {
        base().nat().nat_gateway(move |nat| {
            nat.state = some("failed");
            nat.subnet_id = some(subnet);
        })
    };
    check(vec![
        ("in a public subnet", failed("subnet-u"), Ssm, Blocked, &["BAD_STATE", "ENDPOINT_MISSING"], &[]),
        ("in a private one", failed("subnet-e"), Ssm, Blocked, &["BAD_STATE", "CANNOT_ROUTE", "ENDPOINT_MISSING"], &[]),
    ]);
}

/// A private zone that other VPCs have is named where its endpoint would be reached, were it not for rules.
#[test]
fn a_zone_that_would_lead_nowhere_is_not_missed() {
    let unasked = |topology: Topology| {
        topology.with(|files| {
            let zones = &mut files.hosted_zones.as_mut().unwrap().hosted_zone_summaries;
            let of_another = std::mem::take(zones.get_mut("vpc-1").unwrap());
            zones.insert("vpc-2".to_owned(), of_another);
        })
    };
    let all = &["NO_ROUTE_TO_DESTINATION", "DNS_PHZ_NOT_ASSOCIATED", "ENDPOINT_MISSING"][..];
    let without_zone = &["NO_ROUTE_TO_DESTINATION", "ENDPOINT_MISSING"][..];
    check(vec![
        ("it leads to the hub's endpoint", unasked(central()), Ssm, Blocked, all, &[]),
        ("whose group lets others in", unasked(by_gateway(vec![https_to("10.7.0.0/16")]).zone_to_hub()), Ssm, Blocked, all, &[]),
        (
            "to which no route leads",
            unasked(central().without_gateway_route("10.100.0.0/16").without_gateway_route("0.0.0.0/0")),
            Ssm,
            Blocked,
            without_zone,
            &[],
        ),
    ]);
}

/// Who lets a part of all addresses through may let the one through that counts.
#[test]
fn where_it_is_not_known_where_a_name_leads() {
    let unseen = || central().hub(|files| files.network_interfaces = None);
    let to_private = |topology: Topology| topology.egress(&[https_to("10.0.0.0/8")]);
    check(vec![
        ("to private addresses alone", to_private(unseen()), Ssm, Unknown, &[], &["fact_not_collected"]),
        ("nowhere", unseen().egress(&[]), Ssm, Blocked, &["SG_HAS_NO_RULES"], &[]),
    ]);
}
