//! NAT gateways: which network ACLs their traffic meets, and which zones a regional one serves.
//!
//! Sources: <https://docs.aws.amazon.com/vpc/latest/tgw/tgw-nacls.html>, <https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-nat64-dns64.html>,
//! <https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateways-regional.html>.

use patch_preflight::network::Place;
use patch_preflight::network::Target::Ssm;
use patch_preflight::network::Verdict::{Blocked, Partial, Reachable, Unknown};
use patch_preflight::snapshot::ec2::{self, NatGatewayAddress};

use crate::exact::check;
use crate::hub::{by_gateway, central_egress, gateway_route};
use crate::ipv6::{dns64, ipv6_only};
use crate::topology::{ALL_IN, ALL_OUT, Topology, base, https_to, https_v6, route_to, some};

/// What a NAT gateway sends and gets in its own subnet, and nothing else of IPv4.
const OF_NAT: [&str; 2] = ["200 in tcp 1024-65535 0.0.0.0/0 allow", "200 out tcp 443 0.0.0.0/0 allow"];

/// Row 108 from afar: an instance with an IPv6 address alone asks by the hub's NAT gateway, which stands in the attachment's own subnet.
fn central_nat64(entries: &[&str]) -> Topology {
    let here = dns64(ipv6_only());
    let own = here.files.instances.clone();
    let entries: Vec<&str> = entries.iter().copied().chain(OF_NAT).collect();
    by_gateway(vec![])
        .egress(&[https_v6("::/0")])
        .with(|files| {
            files.instances = own;
            files.vpcs = here.files.vpcs.clone();
            files.subnets.as_mut().unwrap().subnets.iter_mut().for_each(|subnet| subnet.enable_dns64 = Some(true));
            let open = ["101 in all * ::/0 allow", "101 out all * ::/0 allow"].map(crate::topology::entry);
            files.network_acls.as_mut().unwrap().network_acls[0].entries.extend(open);
        })
        .route("rtb-main", route_to("64:ff9b::/96", "tgw-1"))
        .hub_route("rtb-h-main", route_to("64:ff9b::/96", "nat-h"))
        .hub_route("rtb-h-main", route_to("2a05:d014:1::/56", "tgw-1"))
        .hub_route("rtb-h-main", route_to("0.0.0.0/0", "igw-h"))
        .gateway_route(gateway_route("64:ff9b::/96", "tgw-attach-h", "vpc-h"))
        .gateway_route(gateway_route("2a05:d014:1::/56", "tgw-attach-s", "vpc-1"))
        .hub_acl("subnet-hp", &entries)
        .hub(|files| files.nat_gateways.as_mut().unwrap().nat_gateways[0].subnet_id = some("subnet-hp"))
}

fn ipv6_support(topology: Topology, word: &'static str) -> Topology {
    topology.attachments(move |each| {
        each.options = Some(ec2::TransitGatewayVpcAttachmentOptions { ipv6_support: some(word), ..Default::default() });
    })
}

/// In the attachment's own subnet the network ACL sees nothing of what the transit gateway sends, only what the NAT gateway answers it.
#[test]
fn beside_the_attachment() {
    let answers = ["100 in tcp 32768-60999 ::/0 allow", "100 out tcp 32768-60999 ::/0 allow"];
    let no_answers = ["100 in tcp 32768-60999 ::/0 allow", "100 out tcp 443 ::/0 allow"];
    check(vec![
        ("nothing is let in or out for the transit gateway", central_nat64(&answers), Ssm, Reachable, &[], &[]),
        ("the answers are not let out", central_nat64(&no_answers), Ssm, Blocked, &["SUBNET_ACL_RESTRICTION"], &[]),
        ("the attachments carry IPv6", ipv6_support(central_nat64(&answers), "enable"), Ssm, Reachable, &[], &[]),
        // <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateTransitGatewayVpcAttachmentRequestOptions.html>
        ("an attachment's IPv6 support filters nothing", ipv6_support(central_nat64(&answers), "disable"), Ssm, Reachable, &[], &[]),
    ]);
}

/// Away from the attachment its subnet is left by destination, and the NAT gateway's entered by source.
#[test]
fn away_from_the_attachment() {
    let only_to_the_hub = ["100 out tcp 443 10.0.0.0/8 allow", "110 out tcp 1024-65535 10.0.0.0/8 allow"];
    let to_hub: Vec<&str> = only_to_the_hub.into_iter().chain([ALL_IN]).collect();
    let nothing_from_the_internet = ["100 in all * 10.0.0.0/8 allow", ALL_OUT];
    let few_ports = ["90 in all * 10.0.0.0/8 allow", "100 in tcp 32768-60999 0.0.0.0/0 allow", ALL_OUT];
    let no_answers = [ALL_IN, "90 out all * 10.0.0.0/8 deny", ALL_OUT];
    check(vec![
        (
            "the attachment's subnet lets nothing out to the internet",
            central_egress().hub_acl("subnet-hp", &to_hub),
            Ssm,
            Blocked,
            &["SUBNET_ACL_RESTRICTION"],
            &[],
        ),
        (
            "53, in the hub",
            central_egress().hub_acl("subnet-hu", &nothing_from_the_internet),
            Ssm,
            Blocked,
            &["SUBNET_ACL_RESTRICTION"],
            &[],
        ),
        ("56, in the hub", central_egress().hub_acl("subnet-hu", &few_ports), Ssm, Partial, &["EPHEMERAL_PARTIAL"], &[]),
        (
            "54, in the hub, and no way back besides",
            central_egress().hub_acl("subnet-hu", &no_answers).without_hub_route("10.0.0.0/16"),
            Ssm,
            Blocked,
            &["NO_ROUTE_TO_DESTINATION", "SUBNET_ACL_RESTRICTION", "ENDPOINT_MISSING"],
            &[],
        ),
    ]);
    // The answers leave the NAT gateway's subnet once.
    let hops = central_egress().path(Ssm).hops;
    let leaves = hops.iter().filter(|hop| hop.because == "outbound rule 100 lets the answers out (TCP 32768-60999)").count();
    assert_eq!(leaves, 2, "of the NAT gateway's subnet, and of the spoke's attachment: {hops:#?}");
}

/// An instance with an IPv6 address alone in the NAT gateway's own subnet: within it no network ACL is asked.
#[test]
fn in_the_subnet_of_the_instance() {
    let entries: Vec<&str> =
        ["100 out tcp 443 64:ff9b::/96 allow", "100 in tcp 32768-60999 64:ff9b::/96 allow"].into_iter().chain(OF_NAT).collect();
    let beside = dns64(ipv6_only())
        .instance(|instance| {
            instance.subnet_id = some("subnet-u");
            instance.network_interfaces[0].subnet_id = some("subnet-u");
        })
        .route("rtb-u", route_to("64:ff9b::/96", "nat-1"));
    let loops = base().in_subnet("subnet-e", "10.0.2.10").nat().nat_gateway(|nat| nat.subnet_id = some("subnet-e"));
    check(vec![
        ("108, beside the NAT gateway", beside.subnet_acl("subnet-u", &entries), Ssm, Reachable, &[], &[]),
        (
            "99, and the network ACL lets nothing out",
            loops.subnet_acl("subnet-e", &[ALL_IN]),
            Ssm,
            Blocked,
            &["CANNOT_ROUTE", "SUBNET_ACL_RESTRICTION", "ENDPOINT_MISSING"],
            &[],
        ),
    ]);
}

/// A NAT gateway that does not say whether it is public: only a public one has an address of the internet.
#[test]
fn a_public_address_says_that_it_is_public() {
    let untold = |own: NatGatewayAddress| {
        base().nat().nat_gateway(|nat| {
            nat.connectivity_type = None;
            nat.nat_gateway_addresses = vec![own];
        })
    };
    let private = NatGatewayAddress { private_ip: some("10.0.9.7"), ..Default::default() };
    check(vec![
        ("an address", untold(NatGatewayAddress { public_ip: some("18.1.2.3"), ..private.clone() }), Ssm, Reachable, &[], &[]),
        ("an allocation", untold(NatGatewayAddress { allocation_id: some("eipalloc-1"), ..private.clone() }), Ssm, Reachable, &[], &[]),
        ("neither", untold(private), Ssm, Unknown, &[], &["fact_not_collected"]),
    ]);
}

/// Row 102: with zones chosen by hand, the instance's own needs an address, by its id or by its name.
#[test]
fn zones_of_a_regional_one() {
    let with = |own: NatGatewayAddress| {
        base().nat().nat_gateway(move |nat| {
            nat.availability_mode = some("regional");
            nat.subnet_id = None;
            nat.route_table_id = some("rtb-u");
            nat.nat_gateway_addresses = vec![own];
        })
    };
    let by_id = |id: &str| NatGatewayAddress { availability_zone_id: some(id), ..Default::default() };
    let by_name = |name: &str| NatGatewayAddress { availability_zone: some(name), ..Default::default() };
    let nameless = |topology: Topology| {
        topology.with(|files| {
            for subnet in &mut files.subnets.as_mut().unwrap().subnets {
                (subnet.availability_zone, subnet.availability_zone_id) = (None, None);
            }
        })
    };
    check(vec![
        ("its id", with(by_id("euc1-az1")), Ssm, Reachable, &[], &[]),
        ("another id", with(by_id("euc1-az2")), Ssm, Unknown, &[], &["regional_nat_az"]),
        ("its name", with(by_name("eu-central-1a")), Ssm, Reachable, &[], &[]),
        ("another name", with(by_name("eu-central-1b")), Ssm, Unknown, &[], &["regional_nat_az"]),
        ("no zone told of either", nameless(with(NatGatewayAddress::default())), Ssm, Unknown, &[], &["regional_nat_az"]),
        ("no zone told of the instance", nameless(with(by_id("euc1-az1"))), Ssm, Unknown, &[], &["regional_nat_az"]),
    ]);
}

/// A fix changes routes of the instance's own subnet alone.
#[test]
fn only_the_instances_own_routes_are_for_a_fix_to_change() {
    let place = |topology: Topology| {
        let blockers = topology.path(Ssm).blockers;
        blockers.into_iter().find(|blocker| blocker.code.as_str() == "NO_ROUTE_TO_DESTINATION").unwrap().place
    };
    let own = Place::Route { route_table: "rtb-main".into(), subnet: "subnet-p".into(), vpc: "vpc-1".into(), destination: None };
    assert_eq!(place(base()), own);
    let in_the_hub = by_gateway(vec![https_to("10.0.0.0/16")]).route("rtb-main", route_to("0.0.0.0/0", "tgw-1"));
    assert_eq!(place(in_the_hub), Place::Other);
    let of_the_nat_gateway = base().nat().nat_gateway(|nat| nat.subnet_id = some("subnet-e")).with(|files| {
        let tables = &mut files.route_tables.as_mut().unwrap().route_tables;
        let mut own = tables[0].clone();
        own.route_table_id = some("rtb-e");
        own.associations = vec![ec2::RouteTableAssociation { subnet_id: some("subnet-e"), ..Default::default() }];
        own.routes.truncate(1);
        tables.push(own);
    });
    assert_eq!(place(of_the_nat_gateway), Place::Other);
}

/// Two VPCs that send each other what is for the internet.
#[test]
fn traffic_that_runs_in_circles() {
    let circle =
        by_gateway(vec![]).route("rtb-main", route_to("0.0.0.0/0", "tgw-1")).hub_route("rtb-h-main", route_to("0.0.0.0/0", "tgw-1"));
    check(vec![("the default routes of both lead to the gateway", circle, Ssm, Unknown, &[], &["routing_loop"])]);
}
