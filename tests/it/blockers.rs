//! What a blocker tells a fix: the addresses and ports that a network ACL takes.

use patch_preflight::network::Place;
use patch_preflight::network::Target::{self, S3, Ssm};

use crate::topology::{ALL_IN, ALL_OUT, Topology, base};

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
