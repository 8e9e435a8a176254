//! What a blocker tells a fix: the addresses and ports that a network ACL takes.

use patch_preflight::network::Place;
use patch_preflight::network::Target::{self, S3, Ssm};

use crate::topology::{ALL_IN, ALL_OUT, Topology, base, https_to};

/// The one network ACL that is blamed: direction, addresses, ports.
fn blamed(topology: &Topology, target: Target) -> (bool, Vec<String>, (u16, u16)) {
    let path = topology.path(target);
    let mut found = path.blockers.iter().filter_map(|blocker| match &blocker.place {
        Place::NetworkAcl { egress, addresses, ports, .. } => Some((*egress, addresses.clone(), *ports)),
        _ => None,
    });
    let first = found.next().unwrap_or_else(|| panic!("{path:#?}"));
    assert_eq!(found.next(), None);
    first
}

/// The gateway endpoint, S3 at so many blocks that do not touch, and a network ACL that lets nothing out.
fn s3_in(blocks: u8) -> Topology {
    let cidrs: Vec<String> = (0..blocks).map(|number| format!("52.219.{}.0/24", u16::from(number) * 2)).collect();
    base().gateway_endpoint("rtb-main").subnet_acl("subnet-p", &[ALL_IN]).with(|files| {
        files.prefix_lists.as_mut().unwrap().prefix_lists[0].cidrs = cidrs;
    })
}

#[test]
fn few_blocks_are_named_and_many_are_all() {
    let (is_egress, addresses, ports) = blamed(&s3_in(20), S3);
    assert_eq!((is_egress, addresses.len(), ports), (true, 20, (443, 443)));
    assert_eq!(addresses[1], "52.219.2.0/24");
    assert_eq!(blamed(&s3_in(21), S3).1, ["0.0.0.0/0"]);
    assert_eq!(blamed(&base().nat().subnet_acl("subnet-p", &[ALL_IN]), Ssm).1, ["0.0.0.0/0"]);
}

#[test]
fn the_family_is_kept() {
    let (_, addresses, ports) = blamed(&crate::ipv6::without_ipv6_entries(), Target::Repository);
    assert_eq!((addresses, ports), (vec!["::/0".to_owned()], (443, 443)));
}

/// The assumption on ephemeral ports is the instance's own, not a NAT gateway's.
#[test]
fn the_ports_of_a_nat_gateway_are_documented() {
    let of_nat =
        base().nat().subnet_acl("subnet-u", &["100 in tcp 443 10.0.0.0/16 allow", "110 in tcp 2048-65535 0.0.0.0/0 allow", ALL_OUT]);
    assert!(!of_nat.path(Ssm).notes.iter().any(|note| note.contains("A-47")));
    let (is_egress, _, ports) = blamed(&of_nat, Ssm);
    assert_eq!((is_egress, ports), (false, (1024, 2047)));
    // A network ACL that takes the service's port takes no part of the ephemeral ones.
    assert!(base().nat().subnet_acl("subnet-p", &[ALL_IN]).path(Ssm).notes.is_empty());
}

/// What is told of a blocker names the entry or the route that decided.
#[test]
fn texts_name_what_decided() {
    let told = |topology: &Topology, target: Target| -> Vec<String> {
        topology.path(target).blockers.iter().map(|blocker| format!("{} {}", blocker.resource, blocker.detail)).collect()
    };
    let endpoints = || base().endpoints();
    let cases: Vec<(Topology, Target, &str)> = vec![
        (
            endpoints().subnet_acl("subnet-e", &["100 in tcp 443 10.0.1.0/24 deny", ALL_IN, ALL_OUT]),
            Ssm,
            "acl-subnet-e denies TCP 443 inbound from 10.0.1.10 (rule 100)",
        ),
        (endpoints().subnet_acl("subnet-e", &[ALL_OUT]), Ssm, "acl-subnet-e denies TCP 443 inbound from 10.0.1.10 (the final deny)"),
        (
            endpoints().subnet_acl("subnet-p", &["90 in tcp 32768-40000 10.0.2.0/24 deny", ALL_IN, ALL_OUT]),
            Ssm,
            "acl-subnet-p denies TCP 32768-40000 inbound from 10.0.2.103 (rule 90)",
        ),
        (
            s3_in(2).subnet_acl(
                "subnet-p",
                &["80 in tcp 1024-40000 52.219.0.0/24 deny", "90 in tcp 0-65535 52.219.2.0/25 deny", ALL_IN, ALL_OUT],
            ),
            S3,
            "acl-subnet-p denies TCP 32768-40000 inbound from 52.219.0.0/24 (rule 80) and TCP 32768-60999 inbound from 52.219.2.0/25 (rule 90)",
        ),
        (
            base()
                .endpoint_group("sg-e", vec![https_to("10.0.0.0/16")])
                .endpoint("ssm", &["subnet-e", "subnet-u"])
                .subnet_acl("subnet-u", &[ALL_OUT]),
            Ssm,
            "acl-subnet-u denies TCP 443 inbound from 10.0.1.10 (the final deny), on the way to 10.0.9.103",
        ),
        (base().nat().egress(&[https_to("52.0.0.0/8")]), Ssm, "sg-i lets TCP 443 out to a part of the service's public addresses only"),
        (
            base().route("rtb-main", crate::topology::blackhole("0.0.0.0/0", "nat-gone")),
            Ssm,
            "rtb-main has a dead route to 0.0.0.0/0: nat-gone does not exist any more",
        ),
        (base(), Ssm, "rtb-main has no route for the service's public addresses"),
    ];
    for (topology, target, expected) in cases {
        let told = told(&topology, target);
        assert!(told.iter().any(|text| text == expected), "{expected:?} is not among {told:?}");
    }
    let hops: Vec<String> = base().nat().path(Ssm).hops.into_iter().map(|hop| hop.because).collect();
    assert!(hops.iter().any(|because| because == "the route to 0.0.0.0/0 leads to nat-1"), "{hops:?}");
}

/// An action that is neither word decides nothing.
#[test]
fn an_action_that_is_no_word_of_awss_decides_nothing() {
    let path = base().endpoints().subnet_acl("subnet-e", &["100 in tcp 443 10.0.0.0/16 reject", ALL_IN, ALL_OUT]).path(Ssm);
    assert_eq!(path.verdict, patch_preflight::network::Verdict::Unknown, "{path:#?}");
}
