//! Ways that look open and are not: private addresses on their way to the internet, assumptions that do not cover them, records that do not answer,
//! files that lack what decides. Each once made the model say more than it knew.

use patch_preflight::model::Assumption;
use patch_preflight::network::AnsweredBy;
use patch_preflight::network::Target::{Repository, S3, Ssm};
use patch_preflight::network::Verdict::{Blocked, Partial, Reachable, Unknown};
use patch_preflight::snapshot::ec2;
use patch_preflight::snapshot::route53::{AliasTarget, ResolverRule, ResolverRuleAssociation, ResourceRecordSet};

use crate::hub::{beside, by_gateway, central_egress, gateway_route, peered};
use crate::topology::{Topology, base, https_group, https_to, own_name, route_to, some};
use crate::truth_table::check;

const HOST: &str = "ssm.eu-central-1.amazonaws.com.";

pub(crate) fn assume(mut topology: Topology, id: &str) -> Topology {
    topology.assumptions.insert(Assumption::LeadsToInternet(id.to_owned()));
    topology
}

/// The name leads to an endpoint of the hub, and no route leads to the hub.
#[test]
fn a_private_address_is_nowhere_on_the_internet() {
    let open = || beside(vec![https_to("10.0.0.0/16")]).zone_to_hub();
    let closed = || beside(vec![]).zone_to_hub();
    let eigw = |topology: Topology| topology.route("rtb-main", route_to("0.0.0.0/0", "eigw-1"));
    let to_gateway = base().gateway_endpoint("rtb-main").route("rtb-main", route_to("10.0.0.0/8", "vpce-s3"));
    let mut to_gateway = Topology { others: open().others, ..to_gateway.zone_to_hub() };
    to_gateway.files.vpc_endpoints.as_mut().unwrap().vpc_endpoints.truncate(1);
    check(vec![
        ("a NAT gateway", open().nat(), Ssm, Blocked, &["CANNOT_ROUTE"]),
        ("a NAT gateway, and the endpoint lets nobody in", closed().nat(), Ssm, Blocked, &["CANNOT_ROUTE"]),
        ("an internet gateway", open().public_address().route("rtb-main", route_to("0.0.0.0/0", "igw-1")), Ssm, Blocked, &["CANNOT_ROUTE"]),
        ("an egress-only gateway", eigw(open()), Ssm, Blocked, &["CANNOT_ROUTE"]),
        (
            "the default route of the hub, in which the endpoint lets nobody in",
            central_egress().without_gateway_route("10.100.0.0/16").zone_to_hub(),
            Ssm,
            Blocked,
            &["SG_HAS_NO_RULES"],
        ),
        ("a gateway endpoint", to_gateway, Ssm, Unknown, &["unsupported_target"]),
        (
            "an assumption on the internet says nothing of it",
            assume(open().route("rtb-main", route_to("10.100.0.0/16", "vgw-1")), "vgw-1"),
            Ssm,
            Unknown,
            &["on_prem"],
        ),
    ]);
}

/// The answers would go straight to the sender, past the attachment by which the traffic came back.
#[test]
fn a_transit_gateway_that_leads_back_is_not_followed() {
    let back = by_gateway(vec![])
        .route("rtb-main", route_to("0.0.0.0/0", "tgw-1"))
        .without_gateway_route("0.0.0.0/0")
        .gateway_route(gateway_route("0.0.0.0/0", "tgw-attach-s", "vpc-1"));
    check(vec![("into the VPC that it came from", back, Ssm, Unknown, &["routing_loop"])]);
}

#[test]
fn what_goes_must_come_back_the_way_it_went() {
    let appliance = |topology: Topology| {
        topology.hub(|files| {
            let routes = &mut files.route_tables.as_mut().unwrap().route_tables[0].routes;
            routes.retain(|route| route.nat_gateway_id.is_none());
            routes.push(route_to("0.0.0.0/0", "eni-fw"));
        })
    };
    let third = |topology: Topology| {
        // The hub's routes lead on over a peering connection.
        topology.hub_route("rtb-h-main", route_to("10.200.0.0/16", "pcx-9"))
    };
    let private_nat = |topology: Topology| {
        topology.with(|files| {
            let nat = &mut files.nat_gateways.as_mut().unwrap().nat_gateways[0];
            nat.connectivity_type = some("private");
            nat.nat_gateway_addresses = vec![ec2::NatGatewayAddress { private_ip: some("10.0.9.7"), ..Default::default() }];
            let tables = &mut files.route_tables.as_mut().unwrap().route_tables;
            tables[0].routes.retain(|route| route.gateway_id.as_deref() == Some("local"));
            tables[0].routes.push(route_to("0.0.0.0/0", "nat-1"));
            tables[1].routes.push(route_to("10.100.0.0/16", "pcx-1"));
        })
    };
    let public_nat = by_gateway(vec![https_to("0.0.0.0/0")]).zone_to_hub().with(|files| {
        let tables = &mut files.route_tables.as_mut().unwrap().route_tables;
        tables[0].routes.retain(|route| route.gateway_id.as_deref() == Some("local"));
        tables[0].routes.push(route_to("0.0.0.0/0", "nat-1"));
        tables[1].routes.push(route_to("10.100.0.0/16", "tgw-1"));
    });
    let no_way_back = |topology: Topology| topology.without_gateway_route("10.0.0.0/16");
    check(vec![
        ("an assumed appliance in the hub", assume(appliance(central_egress()), "eni-fw"), Ssm, Reachable, &[]),
        (
            "an assumed appliance in the hub, and no way back",
            assume(no_way_back(appliance(central_egress())), "eni-fw"),
            Ssm,
            Unknown,
            &["asymmetric"],
        ),
        ("over a third VPC", third(by_gateway(vec![https_to("10.0.0.0/16")])), Ssm, Blocked, &[]),
        (
            "a NAT gateway before a peering connection",
            private_nat(peered(vec![https_group("sg-i")], "active")),
            Ssm,
            Unknown,
            &["unsupported_target"],
        ),
        ("a public NAT gateway before a transit gateway", public_nat, Ssm, Unknown, &["unsupported_target"]),
        (
            "a transit gateway that is being removed",
            central_egress().with(|files| {
                files.transit_gateways.as_mut().unwrap().transit_gateways[0].state = some("deleting");
            }),
            Ssm,
            Blocked,
            &["BAD_STATE"],
        ),
    ]);
}

/// The usual design: a rule of the organization, or DNS servers, lead to the hub's resolver, which knows the hub's endpoints.
#[test]
fn a_resolver_of_the_hub_knows_the_hub() {
    let rule = |topology: Topology| topology.forward_rule_to("eu-central-1.amazonaws.com.", &["10.100.1.53"]);
    let hub = |ingress: Vec<ec2::IpPermission>| by_gateway(ingress).hub_private_dns(true);
    let open = || hub(vec![https_to("10.0.0.0/16")]);
    let on_premises = || hub(vec![]).nat().dns_servers(&["172.20.0.53"]).route("rtb-main", route_to("172.16.0.0/12", "vgw-1"));
    let asks_the_hub = || by_gateway(vec![]).nat().dns_servers(&["10.100.1.53"]);
    let forwarding = asks_the_hub().hub(|files| {
        let association = ResolverRuleAssociation { resolver_rule_id: some("rslvr-rr-9"), vpc_id: some("vpc-h"), ..Default::default() };
        files.resolver_rule_associations.as_mut().unwrap().resolver_rule_associations.push(association);
        files.resolver_rules.as_mut().unwrap().resolver_rules.push(ResolverRule {
            id: some("rslvr-rr-9"),
            domain_name: some("eu-central-1.amazonaws.com."),
            rule_type: some("FORWARD"),
            ..Default::default()
        });
    });
    check(vec![
        ("a rule leads to it, the endpoint is open", rule(open()), Ssm, Unknown, &["on_prem"]),
        ("a rule leads to it, the endpoint is closed, a NAT gateway is there", rule(hub(vec![]).nat()), Ssm, Unknown, &["on_prem"]),
        ("both ways work", rule(open().nat()), Ssm, Reachable, &[]),
        ("DNS servers there", open().dns_servers(&["10.100.1.53"]), Ssm, Unknown, &["custom_dns"]),
        (
            "DNS servers there, the endpoint is closed, a NAT gateway is there",
            hub(vec![]).nat().dns_servers(&["10.100.1.53"]),
            Ssm,
            Unknown,
            &["custom_dns"],
        ),
        ("DNS servers in no VPC that was seen", on_premises(), Ssm, Reachable, &[]),
        // What the hub's own resolver asks further is not followed.
        ("DNS servers there, where nothing is private", asks_the_hub(), Ssm, Reachable, &[]),
        ("DNS servers there, whose resolver forwards", forwarding, Ssm, Unknown, &["custom_dns"]),
    ]);
}

/// A zone with these records: name, kind, alias.
fn zone(topology: Topology, name: &str, records: &[(&str, &str, &str)]) -> Topology {
    let record = |(name, kind, alias): &(&str, &str, &str)| ResourceRecordSet {
        name: some(name),
        r#type: some(kind),
        alias_target: Some(AliasTarget { dns_name: some(alias), ..Default::default() }),
        ..Default::default()
    };
    let records = records.iter().map(record).collect();
    topology.hosted_zone(name, &[]).with(|files| {
        files.record_sets.as_mut().unwrap().resource_record_sets.insert("Z1".to_owned(), records);
    })
}

#[test]
fn records_answer_as_dns_has_it() {
    let good = own_name("vpce-ssm", "ssm");
    let unused = || base().endpoints().each_endpoint(|endpoint| endpoint.private_dns_enabled = Some(false));
    let of_s3 = |names: &[&str], alias: &str| {
        let topology = base().endpoint_group("sg-e", vec![https_to("10.0.0.0/16")]).endpoint("s3", &["subnet-e"]);
        let topology = topology.each_endpoint(|endpoint| {
            endpoint.private_dns_enabled = Some(false);
            endpoint.dns_entries =
                vec![ec2::DnsEntry { dns_name: some("\\052.vpce-s3-0a1b.s3.eu-central-1.vpce.amazonaws.com"), ..Default::default() }];
        });
        let records: Vec<_> = names.iter().map(|name| (*name, "A", alias)).collect();
        zone(topology, "eu-central-1.amazonaws.com.", &records)
    };
    let alias = "\\052.vpce-s3-0a1b.s3.eu-central-1.vpce.amazonaws.com.";
    let two_zones = |zone_name: &str| {
        let topology = base()
            .endpoint_group("sg-e", vec![https_to("10.0.0.0/16")])
            .endpoint("ssm", &["subnet-e", "subnet-u"])
            .subnet_acl("subnet-u", &[]);
        let topology = topology.each_endpoint(|endpoint| {
            endpoint.private_dns_enabled = Some(false);
            let names = ["vpce-ssm-0a1b", "vpce-ssm-0a1b-eu-central-1a", "vpce-ssm-0a1b-eu-central-1b"];
            let names = names.map(|label| format!("{label}.ssm.eu-central-1.vpce.amazonaws.com"));
            endpoint.dns_entries = names.map(|name| ec2::DnsEntry { dns_name: some(&name), ..Default::default() }).to_vec();
        });
        let topology = topology.with(|files| {
            let interfaces = &mut files.network_interfaces.as_mut().unwrap().network_interfaces;
            interfaces[0].availability_zone = some("eu-central-1a");
            interfaces[1].availability_zone = some("eu-central-1b");
        });
        zone(topology, HOST, &[(HOST, "A", &format!("vpce-ssm-0a1b{zone_name}.ssm.eu-central-1.vpce.amazonaws.com."))])
    };
    check(vec![
        ("an IPv6 record is no answer for IPv4", zone(unused(), HOST, &[(HOST, "AAAA", &good)]), Ssm, Blocked, &["DNS_PHZ_NXDOMAIN"]),
        ("both", zone(unused(), HOST, &[(HOST, "AAAA", &good), (HOST, "A", &good)]), Ssm, Reachable, &[]),
        (
            "a record of another kind hides the wildcard",
            zone(unused(), "amazonaws.com.", &[(HOST, "TXT", ""), ("*.amazonaws.com.", "A", &good)]),
            Ssm,
            Blocked,
            &["DNS_PHZ_NXDOMAIN"],
        ),
        ("a wildcard above", zone(unused(), "amazonaws.com.", &[("*.amazonaws.com.", "A", &good)]), Ssm, Reachable, &[]),
        ("77", of_s3(&["s3.eu-central-1.amazonaws.com."], alias), S3, Blocked, &["DNS_PHZ_NXDOMAIN"]),
        (
            "77, a wildcard too far above",
            of_s3(&["s3.eu-central-1.amazonaws.com.", "*.eu-central-1.amazonaws.com."], alias),
            S3,
            Blocked,
            &["DNS_PHZ_NXDOMAIN"],
        ),
        (
            "77, the wildcard that it takes",
            of_s3(&["s3.eu-central-1.amazonaws.com.", "\\052.s3.eu-central-1.amazonaws.com."], alias),
            S3,
            Reachable,
            &[],
        ),
        ("an alias of all zones", two_zones(""), Ssm, Partial, &[]),
        ("an alias of the open zone", two_zones("-eu-central-1a"), Ssm, Reachable, &[]),
        ("an alias of the closed zone", two_zones("-eu-central-1b"), Ssm, Blocked, &["SUBNET_ACL_RESTRICTION"]),
    ]);
}

/// What a hand-trimmed file lacks is not known: it is neither a pass nor a block.
#[test]
fn what_is_not_told_decides_nothing() {
    let captured = || base().endpoints().endpoint_ingress(&[]).nat();
    let reversed = base()
        .endpoints()
        .subnet_acl("subnet-e", &["100 in tcp 65535-0 0.0.0.0/0 deny", "110 in all * 0.0.0.0/0 allow", "100 out all * 0.0.0.0/0 allow"]);
    let record = |family: &'static str| {
        base().endpoints().nat().each_endpoint(move |endpoint| {
            endpoint.dns_options = Some(ec2::DnsOptions { dns_record_ip_type: some(family), ..Default::default() });
        })
    };
    check(vec![
        (
            "an endpoint's type",
            captured().each_endpoint(|endpoint| endpoint.vpc_endpoint_type = None),
            Ssm,
            Unknown,
            &["fact_not_collected"],
        ),
        ("an endpoint's service", captured().each_endpoint(|endpoint| endpoint.service_name = None), Ssm, Unknown, &["fact_not_collected"]),
        ("an endpoint's VPC", captured().each_endpoint(|endpoint| endpoint.vpc_id = None), Ssm, Unknown, &["fact_not_collected"]),
        (
            "93",
            base().nat().endpoint("ssm", &["subnet-e"]).each_endpoint(|endpoint| endpoint.vpc_endpoint_type = some("ServiceNetwork")),
            Ssm,
            Reachable,
            &[],
        ),
        (
            "a route's destination",
            base().nat().route("rtb-main", ec2::Route { destination_cidr_block: None, ..route_to("0.0.0.0/0", "igw-9") }),
            Ssm,
            Unknown,
            &["fact_not_collected"],
        ),
        ("a NAT gateway's kind", base().nat().nat_gateway(|nat| nat.connectivity_type = None), Ssm, Unknown, &["fact_not_collected"]),
        ("a range of ports the wrong way round", reversed, Ssm, Unknown, &["fact_not_collected"]),
        ("names of IPv6 alone", record("ipv6"), Ssm, Unknown, &["dns_record_ip_type"]),
        ("names of both", record("dualstack"), Ssm, Reachable, &[]),
        (
            "a route to an endpoint of no kind that carries it",
            base().route("rtb-main", route_to("0.0.0.0/0", "vpce-s3")).gateway_endpoint("rtb-u"),
            Ssm,
            Unknown,
            &["unsupported_target"],
        ),
    ]);
}

#[test]
fn mirrors_are_where_the_user_says() {
    let at = |topology: Topology, blocks: &[&str]| {
        let blocks = blocks.iter().map(|block| block.parse().unwrap()).collect();
        topology.patched_from(&[("mirror.corp", 443, AnsweredBy::Addresses(blocks))])
    };
    let twice = |topology: Topology| {
        let of = |block: &str| ("mirror.corp", 443, AnsweredBy::Addresses(vec![block.parse().unwrap()]));
        topology.patched_from(&[of("52.1.2.3/32"), of("192.168.7.1/32")])
    };
    let mut peered = peered(vec![], "active");
    peered.files.hosted_zones.as_mut().unwrap().hosted_zone_summaries.values_mut().for_each(Vec::clear);
    check(vec![
        (
            "nobody told its address",
            base().nat().patched_from(&[("satellite.corp", 443, AnsweredBy::Undeclared)]),
            Repository,
            Unknown,
            &["mirror_address"],
        ),
        (
            "nobody told its address, nothing leaves the instance",
            base().nat().egress(&[]).patched_from(&[("satellite.corp", 443, AnsweredBy::Undeclared)]),
            Repository,
            Blocked,
            &["SG_HAS_NO_RULES"],
        ),
        (
            "a private address, and the internet alone",
            at(base().nat(), &["192.168.7.1/32"]),
            Repository,
            Blocked,
            &["IGW_DESTINATION_ADDRESS_NOT_IN_RFC1918_EGRESS"],
        ),
        (
            "an address of nobody's",
            at(base().nat(), &["192.0.2.1/32"]),
            Repository,
            Blocked,
            &["IGW_DESTINATION_ADDRESS_NOT_IN_RFC1918_EGRESS"],
        ),
        (
            "one public and one private",
            at(base().nat(), &["52.1.2.3/32", "192.168.7.1/32"]),
            Repository,
            Partial,
            &["IGW_DESTINATION_ADDRESS_NOT_IN_RFC1918_EGRESS"],
        ),
        ("one name twice", twice(base().nat()), Repository, Blocked, &["IGW_DESTINATION_ADDRESS_NOT_IN_RFC1918_EGRESS"]),
        ("in a peer VPC", at(peered, &["10.100.2.77/32"]), Repository, Unknown, &["unsupported_target"]),
    ]);
}

/// Two instances of one class whose file tells no interface id.
#[test]
fn an_interface_without_an_id_is_no_loop() {
    let nameless = base().route("rtb-main", route_to("0.0.0.0/0", "igw-1")).instance(|instance| {
        instance.network_interfaces[0].network_interface_id = some("");
    });
    let nameless = nameless.with(|files| {
        let instances = &mut files.instances.as_mut().unwrap().reservations[0].instances;
        let mut second = instances[0].clone();
        second.instance_id = some("i-2");
        second.network_interfaces[0].private_ip_address = some("10.0.1.11");
        instances.push(second);
    });
    let verdicts: Vec<_> = nameless.all_paths(true).iter().map(|paths| paths[0].verdict).collect();
    assert_eq!(verdicts, [Blocked, Blocked]);
}

/// A rule for IPv6 lets no IPv4 out, wherever the name may lead.
#[test]
fn the_family_is_kept_where_the_answer_is_not_known() {
    let alias = "internal-balancer-1.eu-central-1.elb.amazonaws.com.";
    let elsewhere = zone(base().egress(&[crate::topology::https_v6("::/0")]), HOST, &[(HOST, "A", alias)]);
    check(vec![("a record that leads anywhere", elsewhere, Ssm, Blocked, &["ENI_SG_RULES_MISMATCH"])]);
}
