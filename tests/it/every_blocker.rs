//! Everything that is in the way is named at once: what lies behind a hop that stops the traffic is met as soon as that hop is mended.

use patch_preflight::network::Target::Ssm;
use patch_preflight::network::Verdict::Blocked;
use patch_preflight::snapshot::ec2::TransitGatewayRoute;

use crate::exact::{Row, check};
use crate::hub::{by_gateway, central, gateway_route};
use crate::topology::{ALL_OUT, Topology, base, https_to, some};

/// The network ACL of the instance's subnet lets no answer in.
fn unanswered(topology: Topology) -> Topology {
    topology.subnet_acl("subnet-p", &["100 in tcp 443 0.0.0.0/0 allow", ALL_OUT])
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
        row("no subnet in the zone", no_zone(), &["TGW_ROUTE_AZ_RESTRICTION", "SUBNET_ACL_RESTRICTION"]),
        row("the hub's attachment is down", down("vpc-h"), &["BAD_STATE_ATTACHMENT", "SUBNET_ACL_RESTRICTION"]),
        row(
            "the hub has no route back",
            central().without_hub_route("10.0.0.0/16"),
            &["NO_ROUTE_TO_DESTINATION", "SUBNET_ACL_RESTRICTION"],
        ),
        row("nothing else is in the way", central(), &["SUBNET_ACL_RESTRICTION"]),
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
