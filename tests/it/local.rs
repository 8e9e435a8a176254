//! Inside one VPC: what a more specific route, a dead one or an appliance makes of traffic between subnets, and NAT gateways.

use patch_preflight::network::Target::Ssm;
use patch_preflight::network::Verdict::{Blocked, Reachable, Unknown};
use patch_preflight::snapshot::ec2;

use crate::topology::{Topology, base, blackhole, route_to, some};
use crate::truth_table::check;

/// The endpoints' answers go by this route.
fn back_by(route: ec2::Route) -> Topology {
    base().endpoints().route("rtb-main", route)
}

/// The same, by an interface of an instance that forwards or does not.
fn by_interface(source_dest_check: bool) -> Topology {
    back_by(route_to("10.0.1.0/24", "eni-appliance")).with(|files| {
        files.network_interfaces.as_mut().unwrap().network_interfaces.push(ec2::NetworkInterface {
            network_interface_id: some("eni-appliance"),
            source_dest_check: Some(source_dest_check),
            attachment: Some(ec2::NetworkInterfaceAttachment { instance_id: some("i-appliance"), ..Default::default() }),
            ..Default::default()
        });
    })
}

/// The same, by the endpoint of a Gateway Load Balancer.
fn by_load_balancer(state: &str) -> Topology {
    let endpoint = ec2::VpcEndpoint {
        vpc_endpoint_id: some("vpce-gwlb"),
        vpc_endpoint_type: some("GatewayLoadBalancer"),
        vpc_id: some("vpc-1"),
        service_name: some("com.amazonaws.vpce.eu-central-1.vpce-svc-1"),
        state: some(state),
        ..Default::default()
    };
    back_by(route_to("10.0.1.0/24", "vpce-gwlb")).with(|files| files.vpc_endpoints.as_mut().unwrap().vpc_endpoints.push(endpoint))
}

#[test]
fn answers_by_a_more_specific_route() {
    check(vec![
        ("a dead one", back_by(blackhole("10.0.1.0/24", "eni-gone")), Ssm, Blocked, &["BAD_STATE_ROUTE"]),
        ("an appliance that forwards, perhaps", by_interface(false), Ssm, Unknown, &["gwlb_appliance"]),
        ("an instance that drops it", by_interface(true), Ssm, Blocked, &["ENI_SOURCE_DEST_CHECK_RESTRICTION"]),
        ("a load balancer's endpoint", by_load_balancer("available"), Ssm, Unknown, &["gwlb_appliance"]),
        ("one that is down", by_load_balancer("failed"), Ssm, Blocked, &["BAD_STATE"]),
    ]);
}

#[test]
fn nat_gateways() {
    let untold = |change: fn(&mut ec2::NatGatewayAddress)| {
        base().nat().nat_gateway(|nat| {
            nat.connectivity_type = None;
            let mut address = ec2::NatGatewayAddress { private_ip: some("10.0.9.7"), ..Default::default() };
            change(&mut address);
            nat.nat_gateway_addresses = vec![address];
        })
    };
    let regional = |zone_id: &'static str| {
        base().nat().nat_gateway(move |nat| {
            nat.availability_mode = some("regional");
            nat.subnet_id = None;
            nat.route_table_id = some("rtb-u");
            nat.nat_gateway_addresses =
                vec![ec2::NatGatewayAddress { availability_zone_id: some(zone_id), public_ip: some("18.1.2.3"), ..Default::default() }];
        })
    };
    check(vec![
        ("a public address tells that it is public", untold(|address| address.public_ip = some("18.1.2.3")), Ssm, Reachable, &[]),
        ("so does an allocation", untold(|address| address.allocation_id = some("eipalloc-1")), Ssm, Reachable, &[]),
        ("nothing tells", untold(|_| {}), Ssm, Unknown, &["fact_not_collected"]),
        ("an address in the instance's own zone", regional("euc1-az1"), Ssm, Reachable, &[]),
        ("one in another zone alone", regional("euc1-az2"), Ssm, Unknown, &["regional_nat_az"]),
    ]);
}
