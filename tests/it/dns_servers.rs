//! DNS servers of the user's own, by the VPC's DHCP options: whether they can be asked, and what stands in the VPC and answers for it.

use patch_preflight::network::Target::{S3, Ssm};
use patch_preflight::network::Verdict::{Blocked, Reachable, Unknown};

use patch_preflight::snapshot::ec2;

use crate::hub::{by_gateway, central_egress, peered};
use crate::repositories::s3_interface_endpoint;
use crate::topology::{Topology, all_to, allow, base, group_id, https_to, route_to, security_group, some};
use crate::truth_table::check;

/// The instance asks this server.
fn asking(servers: &[&str]) -> Topology {
    base().nat().dns_servers(servers)
}

/// The instance asks a server in its VPC, guarded by a group with these rules.
pub(crate) fn server(ingress: Vec<ec2::IpPermission>) -> Topology {
    beside(asking(&["10.0.2.53"]), ("10.0.2.53", "sg-dns"), ingress)
}

/// A host in the VPC at this address, guarded by a group with these rules.
fn beside(topology: Topology, (address, group): (&'static str, &'static str), ingress: Vec<ec2::IpPermission>) -> Topology {
    topology.with(move |files| {
        let interface = ec2::NetworkInterface {
            network_interface_id: Some(format!("eni-{group}")),
            vpc_id: some("vpc-1"),
            subnet_id: some("subnet-e"),
            private_ip_address: some(address),
            groups: vec![group_id(group)],
            ..Default::default()
        };
        files.network_interfaces.as_mut().unwrap().network_interfaces.push(interface);
        files.security_groups.as_mut().unwrap().security_groups.push(security_group(group, ingress, vec![]));
    })
}

#[test]
fn a_server_must_be_reached() {
    let https_alone = |topology: Topology| topology.egress(&[https_to("0.0.0.0/0")]);
    let with = |more| asking(&["10.0.2.53"]).egress(&[https_to("0.0.0.0/0"), more]);
    let acl = |entries: &[&str]| asking(&["10.0.2.53"]).subnet_acl("subnet-p", entries);
    let everything = ["100 out tcp 0-65535 0.0.0.0/0 allow", "100 in tcp 0-65535 0.0.0.0/0 allow"];
    let second_block = |topology: Topology| {
        topology.with(|files| {
            let vpc = &mut files.vpcs.as_mut().unwrap().vpcs[0];
            vpc.cidr_block_association_set.push(ec2::VpcCidrBlockAssociation {
                cidr_block: some("10.1.0.0/16"),
                cidr_block_state: Some(ec2::VpcCidrBlockState { state: some("associated") }),
                ..Default::default()
            });
        })
    };
    let beside_hub = |servers: &[&'static str]| central_egress().dns_servers(servers);
    let of_unread_list = || ec2::IpPermission {
        ip_ranges: vec![],
        prefix_list_ids: vec![ec2::PrefixListId { prefix_list_id: some("pl-unread"), ..Default::default() }],
        ..allow("udp", 53, 53, "10.0.1.0/24")
    };
    let unseen_hub = || base().route("rtb-main", route_to("10.100.0.0/16", "tgw-1")).dns_servers(&["10.100.1.53"]);
    // A VPC that nothing leads to has the same block as the network behind the gateway.
    let unseen_beside_sandbox = || {
        base().route("rtb-main", route_to("10.0.0.0/8", "vgw-1")).dns_servers(&["10.200.0.53"]).with(|files| {
            let vpcs = &mut files.vpcs.as_mut().unwrap().vpcs;
            let sandbox = ec2::Vpc { vpc_id: some("vpc-2"), cidr_block: some("10.200.0.0/16"), ..vpcs[0].clone() };
            vpcs.push(sandbox);
            files.hosted_zones.as_mut().unwrap().hosted_zone_summaries.insert("vpc-2".to_owned(), Vec::new());
        })
    };
    let and = |more: &[&'static str]| [everything.as_slice(), more].concat();
    check(vec![
        ("no group lets UDP 53 out", https_alone(asking(&["10.0.2.53"])), Ssm, Blocked, &["PROTOCOL_RESTRICTION"]),
        ("by TCP 53 alone some ask, and some do not", with(allow("tcp", 53, 53, "0.0.0.0/0")), Ssm, Unknown, &["custom_dns"]),
        ("a resolver on the host", asking(&["127.0.0.53"]), Ssm, Reachable, &[]),
        ("to another server", with(allow("udp", 53, 53, "10.0.3.0/24")), Ssm, Blocked, &["PROTOCOL_RESTRICTION"]),
        ("by another port", with(allow("udp", 54, 65535, "0.0.0.0/0")), Ssm, Blocked, &["PROTOCOL_RESTRICTION"]),
        ("a group lets UDP 53 out", with(allow("udp", 53, 53, "10.0.2.0/24")), Ssm, Reachable, &[]),
        ("by the protocol's number", with(allow("17", 53, 53, "10.0.2.53/32")), Ssm, Reachable, &[]),
        ("Amazon's resolver needs no rule", https_alone(base().nat()), Ssm, Reachable, &[]),
        ("nor does it beside another", https_alone(asking(&["10.0.2.53", "10.0.0.2"])), Ssm, Reachable, &[]),
        ("one of two can be asked", with(allow("udp", 53, 53, "10.0.9.9/32")).dns_servers(&["10.0.2.53", "10.0.9.9"]), Ssm, Reachable, &[]),
        (
            "the network ACL has HTTPS alone",
            acl(&["100 out tcp 443 0.0.0.0/0 allow", everything[1]]),
            Ssm,
            Blocked,
            &["SUBNET_ACL_RESTRICTION"],
        ),
        ("the network ACL has TCP alone", acl(&everything), Ssm, Unknown, &["custom_dns"]),
        ("it lets no answer by UDP in", acl(&and(&["110 out udp 53 0.0.0.0/0 allow"])), Ssm, Unknown, &["custom_dns"]),
        (
            "it lets both through",
            acl(&and(&["110 out udp 53 0.0.0.0/0 allow", "110 in udp 1024-65535 10.0.2.53/32 allow"])),
            Ssm,
            Reachable,
            &[],
        ),
        ("in the subnet itself no network ACL counts", asking(&["10.0.1.53"]).subnet_acl("subnet-p", &everything), Ssm, Reachable, &[]),
        ("the second address of a block beside the first", second_block(asking(&["10.1.0.2"])), Ssm, Blocked, &["DNS_NO_RESOLVER"]),
        ("the resolver of another VPC", beside_hub(&["10.100.0.2"]), Ssm, Unknown, &["custom_dns"]),
        ("the resolver of another VPC, and a server there", beside_hub(&["10.100.0.2", "10.100.1.53"]), Ssm, Reachable, &[]),
        ("the instance itself", asking(&["10.0.1.10"]).egress(&[https_to("0.0.0.0/0")]), Ssm, Reachable, &[]),
        ("a server whose group lets UDP 53 in", server(vec![allow("udp", 53, 53, "10.0.1.0/24")]), Ssm, Reachable, &[]),
        ("a server whose group lets HTTPS in", server(vec![https_to("10.0.1.0/24")]), Ssm, Blocked, &["PROTOCOL_RESTRICTION"]),
        ("a server whose group is not known to let UDP 53 in", server(vec![of_unread_list()]), Ssm, Unknown, &["fact_not_collected"]),
        ("a server that nobody sees, beyond the gateway", unseen_hub(), Ssm, Unknown, &["custom_dns"]),
        ("in another network, whose block an unconnected VPC has too", unseen_beside_sandbox(), Ssm, Unknown, &["custom_dns"]),
        (
            "in the VPC itself, where something else may have the address",
            base().dns_servers(&["10.0.2.53"]),
            Ssm,
            Blocked,
            &["NO_ROUTE_TO_DESTINATION", "ENDPOINT_MISSING"],
        ),
        ("behind no route", base().gateway_endpoint("rtb-main").dns_servers(&["192.168.77.1"]), S3, Blocked, &["NO_ROUTE_TO_DESTINATION"]),
        (
            "a private address on the internet",
            base().route("rtb-main", route_to("0.0.0.0/0", "igw-1")).public_address().dns_servers(&["192.168.77.1"]),
            Ssm,
            Blocked,
            &["IGW_DESTINATION_ADDRESS_NOT_IN_RFC1918_EGRESS"],
        ),
        (
            "a public address on the internet",
            base().route("rtb-main", route_to("0.0.0.0/0", "igw-1")).public_address().dns_servers(&["9.9.9.9"]),
            Ssm,
            Reachable,
            &[],
        ),
    ]);
}

/// A server in the VPC behind a peering connection.
fn beyond(status: &str) -> Topology {
    peered(vec![https_to("10.0.0.0/16")], status).endpoints().nat().dns_servers(&["10.100.1.53"])
}

/// The same, guarded by a group that lets the instance in, or nobody.
fn guarded_beyond(is_open: bool) -> Topology {
    beyond("active").hub(|files| {
        let rules = if is_open { vec![allow("udp", 53, 53, "10.0.0.0/16")] } else { vec![] };
        let of_endpoint = files.network_interfaces.as_ref().unwrap().network_interfaces[0].clone();
        files.network_interfaces.as_mut().unwrap().network_interfaces.push(ec2::NetworkInterface {
            network_interface_id: some("eni-h-dns"),
            private_ip_address: some("10.100.1.53"),
            private_ip_addresses: vec![],
            groups: vec![group_id("sg-h-dns")],
            ..of_endpoint
        });
        files.security_groups.as_mut().unwrap().security_groups.push(security_group("sg-h-dns", rules, vec![]));
    })
}

/// The question goes on hop by hop, and the answer comes back.
#[test]
fn a_server_elsewhere_must_be_reached() {
    let everything = ["100 out tcp 0-65535 0.0.0.0/0 allow", "100 in tcp 0-65535 0.0.0.0/0 allow"];
    let guarded = |entries: &[&str]| server(vec![allow("udp", 53, 53, "10.0.1.0/24")]).subnet_acl("subnet-e", entries);
    let both_ways = ["100 in udp 53 10.0.1.0/24 allow", "100 out udp 1024-65535 10.0.1.0/24 allow"];
    let load_balancer = || {
        server(vec![]).with(|files| {
            let interface = files.network_interfaces.as_mut().unwrap().network_interfaces.last_mut().unwrap();
            (interface.interface_type, interface.groups) = (some("network_load_balancer"), vec![]);
        })
    };
    check(vec![
        ("behind a gateway", asking(&["192.168.77.1"]).route("rtb-main", route_to("192.168.0.0/16", "vgw-1")), Ssm, Reachable, &[]),
        (
            "a private address behind the NAT gateway",
            asking(&["192.168.77.1"]),
            Ssm,
            Blocked,
            &["IGW_DESTINATION_ADDRESS_NOT_IN_RFC1918_EGRESS"],
        ),
        ("a public address behind the NAT gateway", asking(&["9.9.9.9"]), Ssm, Reachable, &[]),
        ("a server whose network ACL knows no UDP", guarded(&everything), Ssm, Blocked, &["SUBNET_ACL_RESTRICTION"]),
        ("a server whose network ACL lets both through", guarded(&both_ways), Ssm, Reachable, &[]),
        ("over a peering connection that is none any more", beyond("expired"), Ssm, Blocked, &["BAD_STATE"]),
        ("over a peering connection, where nobody was seen", beyond("active"), Ssm, Reachable, &[]),
        ("over a peering connection, and the server lets it in", guarded_beyond(true), Ssm, Reachable, &[]),
        ("over a peering connection, and it lets nobody in", guarded_beyond(false), Ssm, Blocked, &["SG_HAS_NO_RULES"]),
        ("a load balancer without groups", load_balancer(), Ssm, Reachable, &[]),
    ]);
}

/// A rule that names a group means those alone who carry it, on ways by which groups are seen.
#[test]
fn rules_that_name_a_group() {
    // A rule out to a group of the VPC behind the peering connection.
    let names_group = |topology: Topology, group: &'static str| {
        let pair = ec2::UserIdGroupPair { group_id: some(group), vpc_peering_connection_id: some("pcx-1"), ..Default::default() };
        let rule = ec2::IpPermission { ip_ranges: vec![], user_id_group_pairs: vec![pair], ..allow("udp", 53, 53, "10.0.0.0/8") };
        topology.egress(&[https_to("0.0.0.0/0"), rule])
    };
    let to_group = |group: &'static str| names_group(guarded_beyond(true), group);
    let beside_unread_list = || {
        to_group("sg-h-other").with(|files| {
            let groups = &mut files.security_groups.as_mut().unwrap().security_groups;
            let own = groups.iter_mut().find(|group| group.group_id.as_deref() == Some("sg-i")).unwrap();
            let lists = vec![ec2::PrefixListId { prefix_list_id: some("pl-unread"), ..Default::default() }];
            let rule = ec2::IpPermission { ip_ranges: vec![], prefix_list_ids: lists, ..allow("udp", 53, 53, "10.0.0.0/8") };
            own.ip_permissions_egress.push(rule);
        })
    };
    // The same, where the route leads by a transit gateway and not by the peering connection.
    let by_other_way = |topology: Topology| {
        let both = by_gateway(vec![https_to("10.0.0.0/16")]);
        let peering = topology.files.peering_connections.clone();
        let interface = topology.others.values().next().unwrap().network_interfaces.as_ref().unwrap().network_interfaces.last().cloned();
        let group = topology.others.values().next().unwrap().security_groups.as_ref().unwrap().security_groups.last().cloned();
        both.endpoints().nat().dns_servers(&["10.100.1.53"]).with(|files| files.peering_connections = peering).hub(|files| {
            files.network_interfaces.as_mut().unwrap().network_interfaces.extend(interface);
            files.security_groups.as_mut().unwrap().security_groups.extend(group);
        })
    };
    let on_prem = |topology: Topology| topology.nat().route("rtb-main", route_to("192.168.0.0/16", "vgw-1")).dns_servers(&["192.168.7.7"]);
    let unseen_peering = || on_prem(base()).with(|files| files.peering_connections = None);
    // A host of whose interface no groups are told.
    let groupless = |groups: Vec<ec2::GroupIdentifier>| {
        server(vec![])
            .with(|files| files.network_interfaces.as_mut().unwrap().network_interfaces.last_mut().unwrap().groups = groups)
            .egress(&[
                https_to("0.0.0.0/0"),
                ec2::IpPermission {
                    ip_ranges: vec![],
                    user_id_group_pairs: vec![ec2::UserIdGroupPair { group_id: some("sg-dns"), ..Default::default() }],
                    ..allow("udp", 53, 53, "10.0.0.0/8")
                },
            ])
    };
    check(vec![
        ("a rule out to the group that the server carries", to_group("sg-h-dns"), Ssm, Reachable, &[]),
        ("a rule out to another group, and to a list that was not read", beside_unread_list(), Ssm, Unknown, &["fact_not_collected"]),
        ("a rule out to another group", to_group("sg-h-other"), Ssm, Blocked, &["PROTOCOL_RESTRICTION"]),
        (
            "a transit gateway knows no outbound rule's group",
            names_group(by_other_way(guarded_beyond(true)), "sg-h-dns"),
            Ssm,
            Blocked,
            &["PROTOCOL_RESTRICTION"],
        ),
        ("the other way itself is open", by_other_way(guarded_beyond(true)), Ssm, Reachable, &[]),
        (
            "a group behind a peering connection that was not seen",
            names_group(unseen_peering(), "sg-h-dns"),
            Ssm,
            Unknown,
            &["fact_not_collected"],
        ),
        ("behind one that was", names_group(on_prem(peered(vec![], "active")), "sg-h-dns"), Ssm, Blocked, &["PROTOCOL_RESTRICTION"]),
        ("a host that does not show its groups", groupless(vec![]), Ssm, Unknown, &["fact_not_collected"]),
        ("a host whose group has no id", groupless(vec![ec2::GroupIdentifier::default()]), Ssm, Unknown, &["fact_not_collected"]),
    ]);
}

/// Half an option set says nothing, an empty one neither.
#[test]
fn an_option_set_is_read_whole_or_not_at_all() {
    let changed = |change: fn(&mut ec2::DhcpConfiguration)| {
        base().nat().with(|files| change(&mut files.dhcp_options.as_mut().unwrap().dhcp_options[0].dhcp_configurations[0]))
    };
    let empty = base().nat().with(|files| files.dhcp_options.as_mut().unwrap().dhcp_options[0].dhcp_configurations.clear());
    check(vec![
        ("no key", changed(|option| option.key = None), Ssm, Unknown, &["fact_not_collected"]),
        ("no values", changed(|option| option.values.clear()), Ssm, Unknown, &["fact_not_collected"]),
        ("a value that is none", changed(|option| option.values[0].value = None), Ssm, Unknown, &["fact_not_collected"]),
        ("no options", empty, Ssm, Unknown, &["fact_not_collected"]),
        ("Amazon's by its IPv6 address", base().endpoints().dns_servers(&["fd00:ec2::253"]), Ssm, Reachable, &[]),
    ]);
}

/// S3's endpoint may be private to inbound resolver endpoints alone, and a server in the VPC may be one.
#[test]
fn an_inbound_endpoint_answers_with_what_is_private() {
    let closed = |topology: Topology| {
        s3_interface_endpoint(topology, "ipv4").gateway_endpoint("rtb-main").endpoint_ingress(&[]).each_endpoint(|each| {
            if let Some(options) = &mut each.dns_options {
                options.private_dns_only_for_inbound_resolver_endpoint = Some(true);
            }
        })
    };
    let open = |topology: Topology| closed(topology).endpoint_ingress(&[https_to("10.0.0.0/16"), all_to("10.0.0.0/16")]);
    check(vec![
        ("Amazon's resolver", closed(base()), S3, Reachable, &[]),
        ("a server in the VPC", closed(base().dns_servers(&["10.0.2.99"])), S3, Unknown, &["custom_dns"]),
        ("a server in the VPC, and whichever answers is reached", open(base().dns_servers(&["10.0.2.99"])), S3, Reachable, &[]),
        (
            "a server elsewhere",
            closed(asking(&["192.168.77.1"]).route("rtb-main", route_to("192.168.0.0/16", "vgw-1"))),
            S3,
            Reachable,
            &[],
        ),
    ]);
}

/// Once the instance's group lets the questions out, the first server answers.
#[test]
fn of_several_servers_one_is_enough() {
    let both = server(vec![all_to("0.0.0.0/0")]).dns_servers(&["10.0.2.53", "10.0.2.54"]);
    let topology = beside(both, ("10.0.2.54", "sg-dns-2"), vec![]);
    let path = topology.egress(&[https_to("0.0.0.0/0")]).path(Ssm);
    assert_eq!(path.verdict, Blocked);
    assert!(path.blockers.iter().all(|blocker| blocker.resource == "sg-i"), "{:#?}", path.blockers);
}
