//! The rows about network ACLs.

use patch_preflight::network::PortFamily;
use patch_preflight::network::Target::{S3, Ssm};
use patch_preflight::network::Verdict::{Blocked, Partial, Reachable, Unknown};

use super::{check, eps, full};
use crate::topology::{ALL_IN, ALL_OUT, Topology, base};

#[test]
fn network_acls() {
    let reversed = |topology: Topology| {
        topology.with(|files| files.network_acls.as_mut().unwrap().network_acls.iter_mut().for_each(|acl| acl.entries.reverse()))
    };
    let deny_first = ["100 in tcp 443 0.0.0.0/0 deny", "110 in all * 0.0.0.0/0 allow", ALL_OUT];
    let s3_in = |blocks: &[&str]| -> Vec<String> {
        blocks.iter().enumerate().map(|(position, block)| format!("{} in tcp 1024-65535 {block} allow", 100 + position)).collect()
    };
    let lines = |lines: Vec<String>| -> Vec<&'static str> { lines.into_iter().map(|line| &*line.leak()).collect() };
    let two_of_three = lines([s3_in(&["3.5.134.0/23", "52.219.140.0/24"]), vec![ALL_OUT.to_owned()]].concat());
    let carved = ["90 in tcp 1024-65535 52.219.140.128/25 deny", ALL_IN, ALL_OUT];
    let irrelevant = ["90 in tcp 1024-65535 3.6.0.0/16 deny", ALL_IN, ALL_OUT];
    let two_ways = |topology: Topology, inbound: &'static str| topology.subnet_acl("subnet-p", &[inbound, ALL_OUT]);
    check(vec![
        ("42", eps().subnet_acl("subnet-e", &deny_first), Ssm, Blocked, &["SUBNET_ACL_RESTRICTION"]),
        ("43", reversed(eps().subnet_acl("subnet-e", &deny_first)), Ssm, Blocked, &["SUBNET_ACL_RESTRICTION"]),
        ("44", eps().in_subnet("subnet-e", "10.0.2.10").subnet_acl("subnet-e", &[]), Ssm, Reachable, &[]),
        ("45", two_ways(eps(), "100 in tcp 443 0.0.0.0/0 allow"), Ssm, Blocked, &["SUBNET_ACL_RESTRICTION"]),
        ("46", two_ways(full(), "100 in tcp 1024-65535 10.0.0.0/16 allow"), Ssm, Reachable, &[]),
        ("46", two_ways(full(), "100 in tcp 1024-65535 10.0.0.0/16 allow"), S3, Blocked, &["SUBNET_ACL_RESTRICTION"]),
        ("47", two_ways(eps(), "100 in tcp 49152-65535 0.0.0.0/0 allow"), Ssm, Partial, &["EPHEMERAL_PARTIAL"]),
        ("48", two_ways(eps(), "100 in tcp 49152-65535 0.0.0.0/0 allow").ports(PortFamily::WindowsOrMac), Ssm, Reachable, &[]),
        (
            "47 or 48",
            two_ways(eps(), "100 in tcp 49152-65535 0.0.0.0/0 allow").ports(PortFamily::Unknown),
            Ssm,
            Unknown,
            &["fact_not_collected"],
        ),
        ("49", two_ways(eps(), "100 in tcp 1024-60000 0.0.0.0/0 allow"), Ssm, Partial, &["EPHEMERAL_PARTIAL"]),
        ("50", full().subnet_acl("subnet-p", &two_of_three), S3, Partial, &["PREFIX_LIST_PARTIAL"]),
        ("51", full().subnet_acl("subnet-p", &carved), S3, Partial, &["PREFIX_LIST_PARTIAL"]),
        ("52", full().subnet_acl("subnet-p", &irrelevant), S3, Reachable, &[]),
        (
            "53",
            base().nat().subnet_acl("subnet-u", &["100 in tcp 443 10.0.0.0/16 allow", ALL_OUT]),
            Ssm,
            Blocked,
            &["SUBNET_ACL_RESTRICTION"],
        ),
        (
            "54",
            base().nat().subnet_acl("subnet-u", &[ALL_IN, "90 out all * 10.0.1.0/24 deny", ALL_OUT]),
            Ssm,
            Blocked,
            &["SUBNET_ACL_RESTRICTION"],
        ),
        ("55", two_ways(base().nat(), "100 in tcp 1024-65535 10.0.9.50/32 allow"), Ssm, Blocked, &["SUBNET_ACL_RESTRICTION"]),
        (
            "56",
            base().nat().subnet_acl("subnet-u", &["90 in tcp 443 10.0.0.0/16 allow", "100 in tcp 32768-60999 0.0.0.0/0 allow", ALL_OUT]),
            Ssm,
            Partial,
            &["EPHEMERAL_PARTIAL"],
        ),
        ("57", eps().subnet_acl("subnet-p", &["90 in all * ::/0 deny", ALL_IN, ALL_OUT]), Ssm, Reachable, &[]),
        (
            "outbound denied",
            eps().subnet_acl("subnet-p", &[ALL_IN, "90 out tcp 443 10.0.0.0/8 deny", ALL_OUT]),
            Ssm,
            Blocked,
            &["SUBNET_ACL_RESTRICTION"],
        ),
        (
            "answers out of the endpoint's subnet denied",
            eps().subnet_acl("subnet-e", &[ALL_IN, "100 out tcp 443 0.0.0.0/0 allow"]),
            Ssm,
            Blocked,
            &["SUBNET_ACL_RESTRICTION"],
        ),
        (
            "all blockers at once",
            eps().egress(&[]).endpoint_ingress(&[]).subnet_acl("subnet-p", &[ALL_IN]),
            Ssm,
            Blocked,
            &["SG_HAS_NO_RULES", "SUBNET_ACL_RESTRICTION"],
        ),
    ]);
    let path = eps().egress(&[]).endpoint_ingress(&[]).subnet_acl("subnet-p", &[ALL_IN]).path(Ssm);
    let resources: Vec<&str> = path.blockers.iter().map(|blocker| blocker.resource.as_str()).collect();
    assert_eq!(resources, ["sg-i", "sg-e", "acl-subnet-p"], "every blocker is named, not only the first");
}
