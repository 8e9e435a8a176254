//! From what passes to what is said: which doubts matter, in which order the blockers are named, and who is blamed for a name.

use patch_preflight::network::Target::{Ec2Messages, Repository, S3, Ssm};
use patch_preflight::network::Verdict::{Blocked, NotNeeded, Partial, Reachable, Unknown};
use patch_preflight::network::{AnsweredBy, Authorization, Decision, PortFamily, Via};
use patch_preflight::snapshot::ec2;

use crate::exact::check;
use crate::topology::{ALL_IN, ALL_OUT, Topology, allow, base, blackhole, https_to, route_to, some};

fn eps() -> Topology {
    base().endpoints()
}

fn custom_dns(topology: Topology) -> Topology {
    topology.dns_servers(&["10.9.9.9"]).route("rtb-main", route_to("10.9.0.0/16", "vgw-1"))
}

/// The answers come in on some of the ports alone: all that Windows uses, a part of what Linux does.
fn high_ports(topology: Topology) -> Topology {
    let entries = ["100 in tcp 49152-65535 0.0.0.0/0 allow", "110 in udp 1024-65535 0.0.0.0/0 allow", ALL_OUT];
    topology.subnet_acl("subnet-p", &entries)
}

/// What does not change the verdict is no reason for it.
#[test]
fn only_doubts_that_matter_are_told() {
    let any_system = |topology: Topology| topology.ports(PortFamily::Unknown);
    let both = custom_dns(high_ports(eps()));
    check(vec![
        ("67", custom_dns(eps()), Ssm, Unknown, &[], &["custom_dns"]),
        ("67, whatever the operating system", any_system(custom_dns(eps())), Ssm, Unknown, &[], &["custom_dns"]),
        ("68", custom_dns(eps().nat()), Ssm, Reachable, &[], &[]),
        ("47 or 48", any_system(high_ports(eps())), Ssm, Unknown, &[], &["fact_not_collected"]),
        (
            "47 or 48, whatever the name leads to",
            any_system(custom_dns(high_ports(eps().nat()))),
            Ssm,
            Unknown,
            &[],
            &["fact_not_collected"],
        ),
        ("47 or 48, and the name matters", any_system(both), Ssm, Unknown, &[], &["custom_dns", "fact_not_collected"]),
        (
            "a NAT gateway that does not tell its state",
            base().nat().nat_gateway(|nat| nat.state = None),
            Ssm,
            Unknown,
            &[],
            &["fact_not_collected"],
        ),
        ("the endpoints were not collected", base().with(|files| files.vpc_endpoints = None), Ssm, Unknown, &[], &["fact_not_collected"]),
    ]);
}

/// Where AWS's addresses are not known, a part of the internet says nothing, and what of it is lost is named.
#[test]
fn a_part_of_the_internet() {
    let narrow = || base().nat().egress(&[https_to("0.0.0.0/1"), https_to("128.0.0.0/2")]);
    // Every address answers, those of one block to a part of the ports.
    let narrow_ports = ["90 in tcp 49152-65535 52.0.0.0/8 allow", "91 in all * 52.0.0.0/8 deny", ALL_IN, ALL_OUT];
    let few_ports = || base().nat().subnet_acl("subnet-p", &narrow_ports);
    check(vec![
        ("egress to a part", narrow(), Ssm, Unknown, &["ENI_SG_RULES_MISMATCH"], &["partial_public_range"]),
        (
            "egress to a part, with a part of the ports",
            high_ports(narrow()),
            Ssm,
            Unknown,
            &["ENI_SG_RULES_MISMATCH", "EPHEMERAL_PARTIAL"],
            &["partial_public_range"],
        ),
        ("every address, with a part of the ports", high_ports(base().nat()), Ssm, Partial, &["EPHEMERAL_PARTIAL"], &[]),
        (
            "every address, and one block with a part of the ports",
            few_ports(),
            Ssm,
            Unknown,
            &["EPHEMERAL_PARTIAL"],
            &["partial_public_range"],
        ),
    ]);
    let lost = |topology: Topology| topology.path(Ssm).unknowns[0].resource.clone();
    assert!(lost(narrow()).starts_with("192.0.1.0/24, "), "{}", lost(narrow()));
    // Less the block that is S3's.
    assert!(lost(few_ports()).starts_with("52.0.0.0/9, 52.128.0.0/10, 52.192.0.0/12, "), "{}", lost(few_ports()));
}

/// An endpoint with two interfaces, one of which may be closed.
#[test]
fn one_of_two_answers_is_not_known() {
    let two = || base().endpoint_group("sg-e", vec![https_to("10.0.0.0/16")]).endpoint("ssm", &["subnet-e", "subnet-u"]);
    let half_a_rule = |topology: Topology| {
        topology.subnet_acl("subnet-u", &[ALL_IN, ALL_OUT]).with(|files| {
            let acls = &mut files.network_acls.as_mut().unwrap().network_acls;
            acls.last_mut().unwrap().entries[0].rule_action = None;
        })
    };
    let closed = half_a_rule(two().subnet_acl("subnet-e", &[ALL_OUT]));
    check(vec![
        ("85", two().subnet_acl("subnet-u", &[ALL_OUT]), Ssm, Partial, &["SUBNET_ACL_RESTRICTION"], &[]),
        ("one works, the other may", half_a_rule(two()), Ssm, Unknown, &[], &["fact_not_collected"]),
        ("one does not work, the other may", closed, Ssm, Unknown, &["SUBNET_ACL_RESTRICTION"], &["fact_not_collected"]),
    ]);
}

/// A broken endpoint first, then the name, the way out, the groups, the network ACLs, and last what could be built instead.
#[test]
fn the_order_of_blockers() {
    // Two endpoints for one service: one is being deleted, one has private DNS off.
    let broken = || {
        let second = ec2::VpcEndpoint {
            vpc_endpoint_id: some("vpce-old"),
            state: some("deleting"),
            ..eps().files.vpc_endpoints.unwrap().vpc_endpoints[0].clone()
        };
        eps().each_endpoint(|endpoint| endpoint.private_dns_enabled = Some(false)).with(|files| {
            files.vpc_endpoints.as_mut().unwrap().vpc_endpoints.push(second);
        })
    };
    let dead = blackhole("0.0.0.0/0", "nat-gone");
    let closed = || base().egress(&[https_to("10.0.0.0/16")]).subnet_acl("subnet-p", &[ALL_IN]);
    check(vec![
        ("1", base(), Ssm, Blocked, &["NO_ROUTE_TO_DESTINATION", "ENDPOINT_MISSING"], &[]),
        (
            "a broken endpoint, another without private DNS, a dead route",
            broken().route("rtb-main", dead),
            Ssm,
            Blocked,
            &["BAD_STATE", "DNS_PRIVATE_DNS_OFF", "BAD_STATE_ROUTE"],
            &[],
        ),
        (
            "no route, a narrow group, a closed network ACL",
            closed(),
            Ssm,
            Blocked,
            &["NO_ROUTE_TO_DESTINATION", "ENI_SG_RULES_MISMATCH", "SUBNET_ACL_RESTRICTION", "ENDPOINT_MISSING"],
            &[],
        ),
        ("a group alone: a way out is there", base().nat().egress(&[]), Ssm, Blocked, &["SG_HAS_NO_RULES"], &[]),
        ("a network ACL alone", base().nat().subnet_acl("subnet-p", &[ALL_IN]), Ssm, Blocked, &["SUBNET_ACL_RESTRICTION"], &[]),
    ]);
}

/// Decision 15: with the VPC's own DNS servers a gateway endpoint needs neither attribute.
#[test]
fn a_gateway_endpoint_and_dns() {
    let gateway = || base().gateway_endpoint("rtb-main");
    check(vec![
        ("66", gateway().dns_attributes(false, false), S3, Blocked, &["DNS_VPC_ATTRIBUTE_OFF"], &[]),
        ("own servers, DNS support off", custom_dns(gateway().dns_attributes(false, false)), S3, Reachable, &[], &[]),
        ("own servers", custom_dns(gateway()), S3, Reachable, &[], &[]),
        ("host names off", gateway().dns_attributes(true, false), S3, Reachable, &[], &[]),
    ]);
    let notes = gateway().dns_attributes(true, false).path(S3).notes;
    assert!(matches!(notes.as_slice(), [note] if note.starts_with("enableDnsHostnames of vpc-1 is off")), "{notes:?}");
    assert!(gateway().path(S3).notes.is_empty());
}

/// What a policy says hangs on which way the name leads.
#[test]
fn a_policy_on_one_of_two_ways() {
    let refusing = || {
        let policy = r#"{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "ec2:*", "Resource": "*"}]}"#;
        eps().each_endpoint(|endpoint| endpoint.policy_document = some(policy))
    };
    assert!(matches!(refusing().path(Ssm).authorization, Authorization::Denied { .. }));
    // Both ways carry it, and one of them refuses.
    let path = custom_dns(refusing().nat()).path(Ssm);
    assert_eq!(path.verdict, Reachable);
    let Authorization::Unknown(why) = path.authorization else { panic!("{:?}", path.authorization) };
    assert_eq!(why.iter().map(|unknown| unknown.code.as_str()).collect::<Vec<_>>(), ["endpoint_policy"]);
    assert_eq!(custom_dns(eps().nat()).path(Ssm).authorization, Authorization::Allowed);
}

/// The interface's own addresses: a public one of a second private address is not the one that the traffic bears.
#[test]
fn the_public_address_of_the_primary_one() {
    let addresses = |of_primary: bool| {
        base().route("rtb-main", route_to("0.0.0.0/0", "igw-1")).instance(|instance| {
            let public = || Some(ec2::NetworkInterfaceAssociation { public_ip: some("18.1.2.3"), ..Default::default() });
            let address = |is_primary: bool| ec2::InstancePrivateIpAddress {
                primary: Some(is_primary),
                association: if is_primary == of_primary { public() } else { None },
                ..Default::default()
            };
            instance.network_interfaces[0].private_ip_addresses = vec![address(false), address(true)];
        })
    };
    check(vec![
        ("of the primary one", addresses(true), Ssm, Reachable, &[], &[]),
        ("of the other", addresses(false), Ssm, Blocked, &["IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS", "ENDPOINT_MISSING"], &[]),
    ]);
}

/// A hop that takes nothing passes, and one that takes a part says so.
#[test]
fn what_a_hop_did() {
    let decisions = |topology: Topology| -> Vec<Decision> {
        let groups = topology.path(S3).hops.into_iter().filter(|hop| hop.resource == "sg-i");
        groups.map(|hop| hop.decision).collect()
    };
    let gateway = || base().gateway_endpoint("rtb-main");
    assert_eq!(decisions(gateway()), [Decision::Pass]);
    assert_eq!(decisions(gateway().egress(&[https_to("52.0.0.0/8")])), [Decision::Part]);
    assert_eq!(decisions(gateway().egress(&[https_to("10.0.0.0/8")])), [Decision::Block]);
}

/// Decision 21: a path that the instance does not use says why, and nothing else.
#[test]
fn a_path_that_is_not_needed() {
    let modern = |services: &[&str]| {
        let topology = base().endpoint_group("sg-e", vec![https_to("10.0.0.0/16")]);
        let mut topology = services.iter().fold(topology, |topology, service| topology.endpoint(service, &["subnet-e"]));
        topology.ec2messages.agent_prefers_ssmmessages = true;
        topology
    };
    let path = modern(&["ssm", "ssmmessages"]).path(Ec2Messages);
    assert_eq!((path.verdict, path.via, path.authorization), (NotNeeded, Via::None, Authorization::Allowed));
    assert_eq!((path.blockers, path.unknowns, path.hops), (vec![], vec![], vec![]));
    assert_eq!(path.notes, ["The agent uses ssmmessages, which it reaches, and needs no ec2messages."]);
    check(vec![
        ("it reaches ssm alone", modern(&["ssm"]), Ec2Messages, Blocked, &["NO_ROUTE_TO_DESTINATION", "ENDPOINT_MISSING"], &[]),
        ("88, and it reaches both", modern(&["ssm", "ssmmessages", "ec2messages"]), Ec2Messages, NotNeeded, &[], &[]),
    ]);
}

/// Port 80 has a code of its own where port 443 passes, and for package repositories alone.
#[test]
fn port_80_alone() {
    let http = |topology: Topology| topology.nat().patched_from(&[("archive.example.com", 80, AnsweredBy::Internet)]);
    let https = |topology: Topology| topology.nat().patched_from(&[("archive.example.com", 443, AnsweredBy::Internet)]);
    let dead = |topology: Topology| topology.patched_from(&[("archive.example.com", 80, AnsweredBy::Internet)]);
    let only_https_leaves = ["100 out tcp 443 0.0.0.0/0 allow", ALL_IN];
    check(vec![
        ("134", http(base().egress(&[https_to("0.0.0.0/0")])), Repository, Blocked, &["REPO_PORT80_BLOCKED"], &[]),
        (
            "134, by a network ACL",
            http(base().subnet_acl("subnet-p", &only_https_leaves)),
            Repository,
            Blocked,
            &["REPO_PORT80_BLOCKED"],
            &[],
        ),
        ("port 443 is shut too", http(base().egress(&[])), Repository, Blocked, &["SG_HAS_NO_RULES"], &[]),
        (
            "port 443 alone is shut",
            https(base().egress(&[allow("tcp", 80, 80, "0.0.0.0/0")])),
            Repository,
            Blocked,
            &["PROTOCOL_RESTRICTION"],
            &[],
        ),
        ("no route", dead(base()), Repository, Blocked, &["NO_ROUTE_TO_DESTINATION"], &[]),
    ]);
}
