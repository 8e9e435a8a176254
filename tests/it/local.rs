//! Inside a VPC: routes that are more specific than the local one, and lead what stays inside through something else
//! (<https://docs.aws.amazon.com/vpc/latest/userguide/subnet-route-tables.html>).

use patch_preflight::network::AnsweredBy;
use patch_preflight::network::Target::{Repository, Ssm};
use patch_preflight::network::Verdict::{Blocked, Reachable, Unknown};
use patch_preflight::snapshot::ec2;

use crate::exact::check;
use crate::topology::{Topology, base, blackhole, https_to, route_to, some};

/// The endpoints, and a route of P's to their subnet that leads elsewhere.
fn by(route: ec2::Route) -> Topology {
    base().endpoints().route("rtb-main", route)
}

/// A Gateway Load Balancer endpoint, to which P sends what is for the endpoints' subnet.
fn by_firewall(state: &'static str) -> Topology {
    by(route_to("10.0.2.0/24", "vpce-fw")).with(|files| {
        files.vpc_endpoints.as_mut().unwrap().vpc_endpoints.push(ec2::VpcEndpoint {
            vpc_endpoint_id: some("vpce-fw"),
            vpc_endpoint_type: some("GatewayLoadBalancer"),
            vpc_id: some("vpc-1"),
            state: some(state),
            ..Default::default()
        });
    })
}

/// An interface, of an instance where `instance` says so, to which P sends what is for the endpoints' subnet.
fn by_interface(instance: Option<&'static str>, checks: bool) -> Topology {
    by(route_to("10.0.2.0/24", "eni-fw")).with(|files| {
        files.network_interfaces.as_mut().unwrap().network_interfaces.push(ec2::NetworkInterface {
            network_interface_id: some("eni-fw"),
            subnet_id: some("subnet-u"),
            vpc_id: some("vpc-1"),
            private_ip_address: some("10.0.9.77"),
            source_dest_check: Some(checks),
            attachment: Some(ec2::NetworkInterfaceAttachment { instance_id: instance.map(str::to_owned), ..Default::default() }),
            ..Default::default()
        });
    })
}

#[test]
fn what_is_more_specific_than_the_local_route() {
    // Its address is in no block of the VPC, so that it is not known whether a local route leads to it.
    let nowhere = base().endpoints().with(|files| {
        files.network_interfaces.as_mut().unwrap().network_interfaces.iter_mut().for_each(|each| {
            each.private_ip_address = some("10.1.2.103");
        });
    });
    // It may take what is for the endpoints, and the answers.
    let unreadable = ec2::Route { destination_cidr_block: None, ..route_to("0.0.0.0/0", "nat-1") };
    check(vec![
        ("19", by_firewall("available"), Ssm, Unknown, &[], &["gwlb_appliance"]),
        ("19, the firewall's endpoint is down", by_firewall("failed"), Ssm, Blocked, &["BAD_STATE"], &[]),
        (
            "19, the firewall's endpoint is down, and a route does not say where to",
            by_firewall("failed").route("rtb-main", unreadable),
            Ssm,
            Unknown,
            &[],
            &["fact_not_collected", "gwlb_appliance", "unsupported_target"],
        ),
        ("a dead route to the endpoints", by(blackhole("10.0.2.0/24", "eni-gone")), Ssm, Blocked, &["BAD_STATE_ROUTE"], &[]),
        ("a dead route to other addresses", by(blackhole("10.0.9.0/24", "eni-gone")), Ssm, Reachable, &[], &[]),
        ("an instance that forwards nothing", by_interface(Some("i-fw"), true), Ssm, Blocked, &["ENI_SOURCE_DEST_CHECK_RESTRICTION"], &[]),
        ("an instance that may forward", by_interface(Some("i-fw"), false), Ssm, Unknown, &[], &["os_forwarding"]),
        ("an interface of no instance", by_interface(None, true), Ssm, Unknown, &[], &["nat_appliance"]),
        ("a NAT gateway", by(route_to("10.0.2.0/24", "nat-1")), Ssm, Unknown, &[], &["unsupported_target"]),
        ("an endpoint in no block of the VPC", nowhere, Ssm, Unknown, &[], &["fact_not_collected"]),
    ]);
}

/// A mirror in the VPC's own block is no endpoint: what guards it was not looked at.
/// Every table routes the VPC's own blocks locally: one that does not list the route was not read whole, and a longer way is not shorter.
#[test]
fn the_local_route_counts_where_it_is_not_listed() {
    let unlisted = |topology: Topology| {
        topology.with(|files| {
            let tables = files.route_tables.as_mut().unwrap().route_tables.iter_mut();
            tables.for_each(|table| table.routes.retain(|route| route.gateway_id.as_deref() != Some("local")));
        })
    };
    let network = |ingress| unlisted(base().endpoint_group("sg-e", ingress).endpoint("ssm", &["subnet-e"]).nat());
    crate::truth_table::check(vec![
        ("open", network(vec![https_to("10.0.1.0/24")]), Ssm, Reachable, &[]),
        ("to the NAT gateway's address alone", network(vec![https_to("10.0.9.0/24")]), Ssm, Blocked, &["ENI_SG_RULES_MISMATCH"]),
    ]);
}

#[test]
fn an_address_of_the_vpc_that_is_no_endpoints() {
    let mirror =
        |topology: Topology| topology.patched_from(&[("mirror.corp", 443, AnsweredBy::Addresses(vec!["10.0.2.50/32".parse().unwrap()]))]);
    check(vec![
        ("a mirror beside the endpoints", mirror(base()), Repository, Unknown, &[], &["unsupported_target"]),
        ("a mirror, and nothing leaves the instance", mirror(base().egress(&[])), Repository, Blocked, &["SG_HAS_NO_RULES"], &[]),
    ]);
}
