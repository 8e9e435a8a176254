//! The rows that leave for the internet in the hub.

use patch_preflight::model::Assumption;
use patch_preflight::network::Target::{S3, Ssm};
use patch_preflight::network::Verdict::{Blocked, Reachable, Unknown};
use patch_preflight::snapshot::ec2;

use super::{by_gateway, central_egress};
use crate::topology::{ALL_OUT, Topology, route_to, some};
use crate::truth_table::check;

/// The hub's table leads to the endpoint of a firewall, not to the NAT gateway.
fn firewall(topology: Topology) -> Topology {
    topology.hub_endpoint("vpce-h-gwlb", "GatewayLoadBalancer").hub(|files| {
        let routes = &mut files.route_tables.as_mut().unwrap().route_tables[0].routes;
        routes.retain(|route| route.nat_gateway_id.is_none());
        routes.push(route_to("0.0.0.0/0", "vpce-h-gwlb"));
    })
}

#[test]
fn central_firewalls() {
    // The usual one: what comes by the gateway goes to the firewall, whose own subnet has the way back.
    let inspection = || {
        let mut topology = firewall(central_egress()).hub(|files| {
            let endpoint = files.vpc_endpoints.as_mut().unwrap().vpc_endpoints.last_mut().unwrap();
            endpoint.subnet_ids = vec!["subnet-hu".to_owned()];
            files.route_tables.as_mut().unwrap().route_tables[0].routes.retain(|route| route.transit_gateway_id.is_none());
        });
        topology.assumptions.insert(Assumption::LeadsToInternet("vpce-h-gwlb".to_owned()));
        topology
    };
    check(vec![
        ("a firewall's endpoint in a subnet of its own, the user knows", inspection(), Ssm, Reachable, &[]),
        (
            "a firewall's endpoint whose subnet has no way back",
            inspection().without_hub_route("10.0.0.0/16"),
            Ssm,
            Blocked,
            &["NO_ROUTE_TO_DESTINATION"],
        ),
        (
            "a firewall's endpoint, and the answers do not come in",
            firewall(central_egress()).subnet_acl("subnet-p", &["100 in tcp 443 0.0.0.0/0 allow", ALL_OUT]),
            Ssm,
            Blocked,
            &["SUBNET_ACL_RESTRICTION"],
        ),
    ]);
}

#[test]
fn central_ways_out() {
    let private_nat = |topology: Topology| {
        topology
            .with(|files| {
                files.route_tables.as_mut().unwrap().route_tables[0].routes.retain(|route| route.transit_gateway_id.is_none());
                let nat = &mut files.nat_gateways.as_mut().unwrap().nat_gateways[0];
                nat.connectivity_type = some("private");
                nat.subnet_id = some("subnet-t");
                nat.nat_gateway_addresses = vec![ec2::NatGatewayAddress { private_ip: some("10.0.3.7"), ..Default::default() }];
                let mut own = files.route_tables.as_ref().unwrap().route_tables[1].clone();
                own.route_table_id = some("rtb-t");
                own.associations = vec![ec2::RouteTableAssociation { subnet_id: some("subnet-t"), ..Default::default() }];
                own.routes.retain(|route| route.gateway_id.as_deref() == Some("local"));
                own.routes.push(route_to("0.0.0.0/0", "tgw-1"));
                files.route_tables.as_mut().unwrap().route_tables.push(own);
            })
            .nat()
    };
    let nat_of_any_address = |lets_in: &str| {
        let nameless =
            private_nat(central_egress()).with(|files| files.nat_gateways.as_mut().unwrap().nat_gateways[0].nat_gateway_addresses.clear());
        nameless.hub_acl("subnet-hu", &[&format!("100 in tcp 443 {lets_in} allow"), "101 in tcp 1024-65535 0.0.0.0/0 allow", ALL_OUT])
    };
    check(vec![
        ("98", private_nat(central_egress()), Ssm, Reachable, &[]),
        ("98, the way back is missing", private_nat(central_egress()).without_gateway_route("10.0.0.0/16"), Ssm, Unknown, &["asymmetric"]),
        ("98, the NAT gateway's address is not told, and any is let in", nat_of_any_address("10.0.3.0/24"), Ssm, Reachable, &[]),
        ("98, and half of them are", nat_of_any_address("10.0.3.0/25"), Ssm, Unknown, &["sender_address"]),
        ("98, and none of them is", nat_of_any_address("10.0.1.0/24"), Ssm, Blocked, &["SUBNET_ACL_RESTRICTION"]),
        ("121", central_egress(), Ssm, Reachable, &[]),
        ("121", central_egress(), S3, Reachable, &[]),
        (
            "121, no default route in the gateway's table",
            central_egress().without_gateway_route("0.0.0.0/0"),
            Ssm,
            Blocked,
            &["TGW_RTB_NO_ROUTE_TO_TGW_ATTACHMENT"],
        ),
        (
            "121, the NAT gateway's subnet has no way back",
            central_egress().without_hub_route("10.0.0.0/16"),
            Ssm,
            Blocked,
            &["NO_ROUTE_TO_DESTINATION"],
        ),
        (
            "121, straight to the internet gateway",
            by_gateway(vec![]).route("rtb-main", route_to("0.0.0.0/0", "tgw-1")).hub_route("rtb-h-main", route_to("0.0.0.0/0", "igw-h")),
            Ssm,
            Blocked,
            &["IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS"],
        ),
        (
            "121, the answers do not come in to the attachment's subnet of the hub",
            central_egress().hub_acl("subnet-hp", &["100 in tcp 443 10.0.0.0/16 allow", ALL_OUT]),
            Ssm,
            Blocked,
            &["SUBNET_ACL_RESTRICTION"],
        ),
        ("126, in the hub", firewall(central_egress()), Ssm, Unknown, &["gwlb_appliance"]),
        (
            "a gateway endpoint of the hub",
            by_gateway(vec![])
                .route("rtb-main", route_to("pl-s3", "tgw-1"))
                .hub_route("rtb-h-main", route_to("pl-s3", "vpce-h-s3"))
                .hub_endpoint("vpce-h-s3", "Gateway"),
            S3,
            Blocked,
            &["CANNOT_ROUTE"],
        ),
    ]);
}
