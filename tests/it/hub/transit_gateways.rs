//! The rows that lead through transit gateways.

use patch_preflight::model::Assumption;
use patch_preflight::network::Target::Ssm;
use patch_preflight::network::Verdict::{Blocked, Reachable, Unknown};
use patch_preflight::snapshot::ec2::{self, TransitGatewayRoute, TransitGatewayVpcAttachment};

use super::{beside_peering, by_gateway, central, central_egress, gateway_route, two_doors, two_doors_of_spoke};
use crate::topology::{ALL_IN, ALL_OUT, Topology, base, https_group, https_to, route_to, some};
use crate::truth_table::check;

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn transit_gateways() {
    let in_own_subnet = |topology: Topology| {
        topology.attachments(|each| {
            if each.vpc_id.as_deref() == Some("vpc-1") {
                each.subnet_ids = vec!["subnet-p".to_owned()];
            }
        })
    };
    // Nothing comes in but the answers to the instance's own connections: what the transit gateway sends is not looked at.
    let own_source_alone = ["100 in tcp 443 10.0.1.10/32 allow", ALL_OUT];
    let no_zone = |topology: Topology| {
        topology.with(|files| {
            let subnets = files.subnets.as_mut().unwrap().subnets.iter_mut();
            subnets
                .filter(|subnet| subnet.subnet_id.as_deref() == Some("subnet-t"))
                .for_each(|subnet| subnet.availability_zone_id = some("euc1-az2"));
        })
    };
    let owner_unseen = |topology: Topology| {
        topology.hub(|files| {
            files.transit_gateway_associations = None;
            files.transit_gateway_routes = None;
        })
    };
    let in_local_zone = |topology: Topology| {
        no_zone(topology).with(|files| {
            let subnets = files.subnets.as_mut().unwrap().subnets.iter_mut();
            let of_instance = subnets.filter(|subnet| subnet.subnet_id.as_deref() == Some("subnet-p"));
            of_instance.for_each(|subnet| subnet.availability_zone_id = some("euc1-ham1-az1"));
        })
    };
    // The answers to the instance's own connections do not come in.
    let no_answers = |topology: Topology| topology.subnet_acl("subnet-p", &["100 in tcp 443 0.0.0.0/0 allow", ALL_OUT]);
    // The subnet of the attachment lets nothing out.
    let not_by_own = |topology: Topology| topology.subnet_acl("subnet-t", &[ALL_IN]);
    let by_other = |topology: Topology| {
        topology.with(|files| {
            let attachments = &mut files.transit_gateway_attachments.as_mut().unwrap().transit_gateway_vpc_attachments;
            let (transit_gateway_attachment_id, transit_gateway_id) = (some("tgw-attach-2"), some("tgw-2"));
            attachments.push(TransitGatewayVpcAttachment { transit_gateway_attachment_id, transit_gateway_id, ..attachments[0].clone() });
        })
    };
    let by_vpn = || {
        let mut route = gateway_route("0.0.0.0/0", "tgw-attach-vpn", "vpn-1");
        route.transit_gateway_attachments[0].resource_type = some("vpn");
        central_egress().gateway_route(route)
    };
    let vouched = |mut topology: Topology, id: &str| {
        topology.assumptions.insert(Assumption::LeadsToInternet(id.to_owned()));
        topology
    };
    let unassociated = || {
        central().hub(|files| {
            let associations = &mut files.transit_gateway_associations.as_mut().unwrap().associations;
            associations.get_mut("tgw-rtb-1").unwrap().retain(|each| each.transit_gateway_attachment_id.as_deref() != Some("tgw-attach-s"));
        })
    };
    let with_policy_table = |topology: Topology| {
        topology.hub(|files| {
            let table =
                ec2::TransitGatewayPolicyTable { transit_gateway_id: some("tgw-1"), state: some("available"), ..Default::default() };
            files.transit_gateway_policy_tables.as_mut().unwrap().transit_gateway_policy_tables.push(table);
        })
    };
    let uncollected = |topology: Topology| topology.hub(|files| files.transit_gateway_policy_tables = None);
    let dead =
        TransitGatewayRoute { state: some("blackhole"), transit_gateway_attachments: vec![], ..gateway_route("10.100.0.0/16", "", "") };
    let by_group = || by_gateway(vec![https_group("sg-i")]).zone_to_hub();
    let references = |word: &'static str| {
        by_group().attachments(move |each| {
            each.options =
                Some(ec2::TransitGatewayVpcAttachmentOptions { security_group_referencing_support: some(word), ..Default::default() });
        })
    };
    check(vec![
        ("38", references("disable"), Ssm, Blocked, &["SG_REFERENCING_SUPPORT"]),
        ("39", references("enable"), Ssm, Blocked, &["SG_REFERENCES_NOT_PRESERVED"]),
        (
            "40",
            central().hub_route("rtb-h-main", route_to("10.100.2.0/24", "vpce-h-gwlb")).hub_endpoint("vpce-h-gwlb", "GatewayLoadBalancer"),
            Ssm,
            Unknown,
            &["gwlb_appliance"],
        ),
        ("58", in_own_subnet(central()).subnet_acl("subnet-p", &own_source_alone), Ssm, Reachable, &[]),
        (
            "58, the rule for the instance's own source is missing",
            in_own_subnet(central()).subnet_acl("subnet-p", &["100 in tcp 443 10.0.9.0/24 allow", ALL_OUT]),
            Ssm,
            Blocked,
            &["SUBNET_ACL_RESTRICTION"],
        ),
        (
            "59",
            central().subnet_acl("subnet-t", &["100 in tcp 443 10.0.0.0/16 deny", "110 in all * 0.0.0.0/0 allow", ALL_OUT]),
            Ssm,
            Blocked,
            &["SUBNET_ACL_RESTRICTION"],
        ),
        (
            "the answers cannot leave the attachment's subnet",
            central().subnet_acl("subnet-t", &[ALL_IN, "100 out tcp 1024-65535 10.0.0.0/16 deny", "110 out all * 0.0.0.0/0 allow"]),
            Ssm,
            Blocked,
            &["SUBNET_ACL_RESTRICTION"],
        ),
        ("70", central(), Ssm, Reachable, &[]),
        ("71", by_gateway(vec![https_to("10.0.0.0/16")]), Ssm, Blocked, &["NO_ROUTE_TO_DESTINATION"]),
        ("71, with a NAT gateway", by_gateway(vec![https_to("10.0.0.0/16")]).nat(), Ssm, Reachable, &[]),
        (
            "72",
            by_gateway(vec![https_to("10.0.0.0/16")]).hub_private_dns(true),
            Ssm,
            Blocked,
            &["NO_ROUTE_TO_DESTINATION", "ENDPOINT_MISSING"],
        ),
        ("an attachment without a route table", unassociated(), Ssm, Blocked, &["TGW_ATTACH_MISSING_TGW_RTB_ASSOCIATION"]),
        ("an attachment that may have a policy table", with_policy_table(unassociated()), Ssm, Unknown, &["transit_gateway_not_modelled"]),
        ("an attachment without one, policy tables not collected", uncollected(unassociated()), Ssm, Unknown, &["fact_not_collected"]),
        ("118, in a Local Zone, which has a parent zone", in_local_zone(central()), Ssm, Unknown, &["transit_gateway_zone"]),
        (
            "122, they may come in by a peering connection",
            beside_peering(not_by_own(owner_unseen(central())), "active"),
            Ssm,
            Unknown,
            &["answers_by_another"],
        ),
        (
            "122, that peering connection is gone",
            beside_peering(not_by_own(owner_unseen(central())), "deleted"),
            Ssm,
            Blocked,
            &["SUBNET_ACL_RESTRICTION"],
        ),
        (
            "122, peering connections were not collected",
            not_by_own(owner_unseen(central())).with(|files| files.peering_connections = None),
            Ssm,
            Unknown,
            &["answers_by_another"],
        ),
        ("a VPN", by_vpn(), Ssm, Unknown, &["on_prem"]),
        ("a VPN, the user knows", vouched(by_vpn(), "vpn-1"), Ssm, Reachable, &[]),
        ("a VPN whose answers do not come in", no_answers(by_vpn()), Ssm, Blocked, &["SUBNET_ACL_RESTRICTION"]),
        ("a VPN whose answers may come in elsewhere", by_other(not_by_own(by_vpn())), Ssm, Unknown, &["answers_by_another"]),
        ("a VPN whose answers come in nowhere", by_other(no_answers(by_vpn())), Ssm, Blocked, &["SUBNET_ACL_RESTRICTION"]),
        (
            "a VPN whose answers do not come in, whatever else the user has",
            vouched(by_other(not_by_own(by_vpn())), "vpn-1"),
            Ssm,
            Blocked,
            &["SUBNET_ACL_RESTRICTION"],
        ),
        (
            "a VPN whose answers do not come in, whatever the user knows",
            vouched(no_answers(by_vpn()), "vpn-1"),
            Ssm,
            Blocked,
            &["SUBNET_ACL_RESTRICTION"],
        ),
        ("122, the answers do not come in", no_answers(owner_unseen(central())), Ssm, Blocked, &["SUBNET_ACL_RESTRICTION"]),
        ("122, they may come in by another gateway", by_other(not_by_own(owner_unseen(central()))), Ssm, Unknown, &["answers_by_another"]),
        ("118", no_zone(central()), Ssm, Blocked, &["TGW_ROUTE_AZ_RESTRICTION"]),
        (
            "119",
            central().without_gateway_route("10.0.0.0/16").without_gateway_route("0.0.0.0/0"),
            Ssm,
            Blocked,
            &["TGW_RTB_NO_ROUTE_TO_TGW_ATTACHMENT"],
        ),
        ("120", central().gateway_route(dead), Ssm, Blocked, &["TGW_RTB_BAD_STATE_ROUTE"]),
        ("122", owner_unseen(central()), Ssm, Unknown, &["tgw_owner_not_collected"]),
        (
            "the hub's endpoint subnet has no way back",
            central().without_hub_route("10.0.0.0/16"),
            Ssm,
            Blocked,
            &["NO_ROUTE_TO_DESTINATION"],
        ),
        (
            "appliance mode may take any zone, and one of them is closed",
            two_doors(central(), "enable"),
            Ssm,
            Unknown,
            &["transit_gateway_zone"],
        ),
        ("without appliance mode it keeps to its own", two_doors(central(), "disable"), Ssm, Reachable, &[]),
        (
            "the attachment is not available",
            central().attachments(|each| each.state = some("deleting")),
            Ssm,
            Blocked,
            &["BAD_STATE_ATTACHMENT"],
        ),
        (
            "the attachment has no table",
            central().hub(|files| {
                files.transit_gateway_associations.as_mut().unwrap().associations.get_mut("tgw-rtb-1").unwrap().clear();
            }),
            Ssm,
            Blocked,
            &["TGW_ATTACH_MISSING_TGW_RTB_ASSOCIATION"],
        ),
        (
            "each attachment has its own table",
            central().hub(|files| {
                let tables = &mut files.transit_gateway_route_tables.as_mut().unwrap().transit_gateway_route_tables;
                let other = ec2::TransitGatewayRouteTable { transit_gateway_route_table_id: some("tgw-rtb-2"), ..tables[0].clone() };
                tables.push(other);
                let associations = &mut files.transit_gateway_associations.as_mut().unwrap().associations;
                let of_spoke = associations.get_mut("tgw-rtb-1").unwrap().remove(0);
                associations.insert("tgw-rtb-2".to_owned(), vec![of_spoke]);
                files.transit_gateway_routes.as_mut().unwrap().transit_gateway_routes.insert("tgw-rtb-2".to_owned(), vec![]);
            }),
            Ssm,
            Blocked,
            &["TGW_RTB_NO_ROUTE_TO_TGW_ATTACHMENT"],
        ),
        (
            "the association is not settled",
            central().hub(|files| {
                let associations = files.transit_gateway_associations.as_mut().unwrap().associations.get_mut("tgw-rtb-1").unwrap();
                for association in associations {
                    association.state = some("disassociating");
                }
            }),
            Ssm,
            Unknown,
            &["fact_not_collected"],
        ),
        (
            "a table of the gateway was not asked for its associations",
            central().hub(|files| {
                let tables = &mut files.transit_gateway_route_tables.as_mut().unwrap().transit_gateway_route_tables;
                let other = ec2::TransitGatewayRouteTable { transit_gateway_route_table_id: some("tgw-rtb-2"), ..tables[0].clone() };
                tables.push(other);
                files.transit_gateway_associations.as_mut().unwrap().associations.get_mut("tgw-rtb-1").unwrap().clear();
            }),
            Ssm,
            Unknown,
            &["fact_not_collected"],
        ),
        (
            "a table of another gateway was not asked",
            central().hub(|files| {
                let tables = &mut files.transit_gateway_route_tables.as_mut().unwrap().transit_gateway_route_tables;
                let other = ec2::TransitGatewayRouteTable {
                    transit_gateway_route_table_id: some("tgw-rtb-2"),
                    transit_gateway_id: some("tgw-2"),
                    ..tables[0].clone()
                };
                tables.push(other);
                files.transit_gateway_associations.as_mut().unwrap().associations.get_mut("tgw-rtb-1").unwrap().clear();
            }),
            Ssm,
            Blocked,
            &["TGW_ATTACH_MISSING_TGW_RTB_ASSOCIATION"],
        ),
        (
            "a route in a state that is not known",
            central()
                .gateway_route(TransitGatewayRoute { state: some("pending"), ..gateway_route("10.100.0.0/16", "tgw-attach-h", "vpc-h") }),
            Ssm,
            Unknown,
            &["transit_gateway_not_modelled"],
        ),
        (
            "the endpoint's group lets others in",
            by_gateway(vec![https_to("10.7.0.0/16")]).zone_to_hub(),
            Ssm,
            Blocked,
            &["ENI_SG_RULES_MISMATCH"],
        ),
        (
            "the zone's record names the addresses",
            central().with(|files| {
                let records = files.record_sets.as_mut().unwrap().resource_record_sets.get_mut("Z1").unwrap();
                records[0].alias_target = None;
                records[0].resource_records = vec![patch_preflight::snapshot::route53::ResourceRecord { value: some("10.100.2.103") }];
            }),
            Ssm,
            Reachable,
            &[],
        ),
    ]);
}

/// While it is changed AWS does not say whether it carries traffic; what is gone is listed for a while beside what took its place.
#[test]
fn states_of_attachments_and_gateways() {
    let state = |state: &'static str| central().attachments(move |each| each.state = some(state));
    let of_gateway = |state: Option<&'static str>| {
        central().with(|files| files.transit_gateways.as_mut().unwrap().transit_gateways[0].state = state.map(str::to_owned))
    };
    let beside = |topology: Topology, state: &'static str| {
        topology.with(|files| {
            let attachments = &mut files.transit_gateway_attachments.as_mut().unwrap().transit_gateway_vpc_attachments;
            let own = attachments[0].clone();
            let transit_gateway_attachment_id = some("tgw-attach-z");
            attachments.push(TransitGatewayVpcAttachment { transit_gateway_attachment_id, state: some(state), ..own });
        })
    };
    let stateless = || central().attachments(|each| each.state = None);
    check(vec![
        ("the gateway is being changed", of_gateway(Some("modifying")), Ssm, Unknown, &["fact_not_collected"]),
        ("the gateway does not tell its state", of_gateway(None), Ssm, Unknown, &["fact_not_collected"]),
        ("the gateway is gone", of_gateway(Some("deleted")), Ssm, Blocked, &["BAD_STATE"]),
        ("the attachment is being changed", state("modifying"), Ssm, Unknown, &["fact_not_collected"]),
        ("a change of the attachment is being undone", state("rollingBack"), Ssm, Unknown, &["fact_not_collected"]),
        (
            "the attachment does not tell its state, beside one that is gone",
            beside(stateless(), "deleted"),
            Ssm,
            Unknown,
            &["fact_not_collected"],
        ),
        ("any of two attachments may be the one in use", beside(stateless(), "modifying"), Ssm, Unknown, &["fact_not_collected"]),
        ("the one that is available is", beside(central(), "modifying"), Ssm, Reachable, &[]),
    ]);
}

/// What is not known of the answers' way keeps a DNS server from being taken as asked, where its own gateway would lose them.
#[test]
fn a_dns_server_behind_a_vpn() {
    let by_vpn = |topology: Topology| {
        let mut route = gateway_route("172.16.0.0/12", "tgw-attach-vpn", "vpn-1");
        route.transit_gateway_attachments[0].resource_type = some("vpn");
        topology.nat().route("rtb-main", route_to("172.16.0.0/12", "tgw-1")).gateway_route(route).dns_servers(&["172.16.0.53"])
    };
    let open = || by_vpn(by_gateway(vec![]));
    let shut = || open().subnet_acl("subnet-t", &[ALL_IN]);
    let unread = |topology: Topology| topology.with(|files| files.peering_connections = None);
    check(vec![
        ("open", open(), Ssm, Reachable, &[]),
        ("the answers are dropped", shut(), Ssm, Blocked, &["SUBNET_ACL_RESTRICTION"]),
        ("they may come in by a peering connection that was not read", unread(shut()), Ssm, Unknown, &["answers_by_another"]),
        ("nothing is in the way", unread(open()), Ssm, Reachable, &[]),
        ("they may come in by a zone where they are dropped", two_doors_of_spoke(open()), Ssm, Unknown, &["transit_gateway_zone"]),
    ]);
}

/// What comes by an edge in the instance's own subnet comes in past its network ACL, whatever routes lead there.
#[test]
fn beside_an_edge_no_way_in_is_sure() {
    let no_answers = |topology: Topology| topology.subnet_acl("subnet-p", &["100 in tcp 443 10.0.1.10/32 allow", ALL_OUT]);
    let by = |target: &'static str| no_answers(base().route("rtb-main", route_to("0.0.0.0/0", target)));
    let untold = || no_answers(base().route("rtb-main", ec2::Route { gateway_id: None, ..route_to("0.0.0.0/0", "igw-1") }));
    check(vec![
        ("any may be here", no_answers(central_egress()).with(|files| files.route_tables = None), Ssm, Unknown, &["fact_not_collected"]),
        ("the route's target is not told", untold(), Ssm, Unknown, &["fact_not_collected"]),
        ("an appliance that was not seen", by("eni-unseen"), Ssm, Unknown, &["nat_appliance"]),
        ("a virtual private gateway is in no subnet", by("vgw-1"), Ssm, Blocked, &["SUBNET_ACL_RESTRICTION"]),
    ]);
}
