//! Interface endpoints: which of them a name leads to, what is told of that, and which rules refer to their groups.

use patch_preflight::network::Target::{Repository, S3, Ssm};
use patch_preflight::network::Verdict::{Blocked, Partial, Reachable, Unknown};

use crate::exact::check;
use crate::hub::central;
use crate::repositories::s3_interface_endpoint;
use crate::topology::{ALL_OUT, Topology, base, https_group, https_to, own_name};

const HOST: &str = "ssm.eu-central-1.amazonaws.com.";

fn stateless(topology: Topology) -> Topology {
    topology.each_endpoint(|each| each.state = None)
}

#[test]
fn names_and_endpoints() {
    let of_another_service = || {
        let topology = base().endpoint_group("sg-e", vec![https_to("10.0.0.0/16")]).endpoint("ssmmessages", &["subnet-e"]);
        topology.hosted_zone(HOST, &[(HOST, &own_name("vpce-ssmmessages", "ssmmessages"))])
    };
    let endpoint = || base().nat().endpoint_group("sg-e", vec![https_to("10.0.0.0/16")]).endpoint("ssm", &["subnet-e"]);
    let elsewhere = |name: &'static str| {
        base().hosted_zone(name, &[]).with(|files| {
            let zones = &mut files.hosted_zones.as_mut().unwrap().hosted_zone_summaries;
            let of_another = std::mem::take(zones.get_mut("vpc-1").unwrap());
            zones.insert("vpc-2".to_owned(), of_another);
        })
    };
    let familyless = |topology: Topology| s3_interface_endpoint(topology, "ipv4").each_endpoint(|each| each.ip_address_type = None);
    check(vec![
        ("a record that leads to another service's", of_another_service(), Ssm, Unknown, &[], &["private_zone_record"]),
        // Where the endpoint may not answer, the zone that is less specific does.
        (
            "one that may answer, below a zone",
            stateless(endpoint()).hosted_zone("amazonaws.com.", &[]),
            Ssm,
            Unknown,
            &[],
            &["fact_not_collected"],
        ),
        ("one that answers, below a zone", endpoint().hosted_zone("amazonaws.com.", &[]), Ssm, Reachable, &[], &[]),
        ("a zone of the name in another VPC", elsewhere(HOST), Ssm, Blocked, &["NO_ROUTE_TO_DESTINATION", "ENDPOINT_MISSING"], &[]),
        (
            "a zone of another name in another VPC",
            elsewhere("corp.example."),
            Ssm,
            Blocked,
            &["NO_ROUTE_TO_DESTINATION", "ENDPOINT_MISSING"],
            &[],
        ),
        ("one of S3's that does not tell its family", familyless(base()), S3, Reachable, &[], &[]),
        (
            "one of S3's that does not tell its family, by the dual-stack name",
            familyless(base()).amazon_linux_2023(),
            Repository,
            Unknown,
            &[],
            &["fact_not_collected"],
        ),
    ]);
}

/// A rule that refers to a group is for who carries it, inside the VPC and over peering within the Region.
#[test]
fn references_to_groups() {
    let by_group = |group: &str| base().endpoints().egress(&[https_group(group)]);
    let far = |group: &str| central().egress(&[https_group(group)]);
    check(vec![
        ("its own", by_group("sg-e"), Ssm, Reachable, &[], &[]),
        ("another one", by_group("sg-i"), Ssm, Blocked, &["ENI_SG_RULES_MISMATCH"], &[]),
        ("its own, through a transit gateway", far("sg-h-e"), Ssm, Blocked, &["ENI_SG_RULES_MISMATCH"], &[]),
    ]);
}

/// Which interface answers matters where they do not fare alike, and only there.
#[test]
fn several_interfaces() {
    let two = || base().endpoint_group("sg-e", vec![https_to("10.0.0.0/16")]).endpoint("ssm", &["subnet-e", "subnet-u"]);
    let one = || base().endpoint_group("sg-e", vec![https_to("10.0.0.0/16")]).endpoint("ssm", &["subnet-e"]);
    let high_ports = |topology: Topology| topology.subnet_acl("subnet-p", &["100 in tcp 49152-65535 0.0.0.0/0 allow", ALL_OUT]);
    let is_marked = |topology: &Topology| topology.path(Ssm).notes.iter().any(|note| note.contains("A-85"));
    let half = two().subnet_acl("subnet-u", &[]);
    assert_eq!((two().path(Ssm).verdict, is_marked(&two())), (Reachable, false));
    assert_eq!((half.path(Ssm).verdict, is_marked(&half)), (Partial, true));
    let part = high_ports(one());
    assert_eq!((part.path(Ssm).verdict, is_marked(&part)), (Partial, false));
}
