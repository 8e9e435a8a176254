//! The rows about endpoints, and about the service that not every instance needs.

use patch_preflight::network::Target::{Ec2Messages, S3, Ssm};
use patch_preflight::network::Verdict::{Blocked, NotNeeded, Partial, Reachable};
use patch_preflight::snapshot::ec2;

use super::{check, eps};
use crate::topology::{ALL_OUT, Topology, base, https_to, some};

/// The subnet of the endpoints is in another zone than the instance's.
fn in_zone_2(topology: Topology) -> Topology {
    topology.with(|files| {
        let mut subnets = files.subnets.as_mut().unwrap().subnets.iter_mut();
        subnets.find(|subnet| subnet.subnet_id.as_deref() == Some("subnet-e")).unwrap().availability_zone_id = some("euc1-az2");
    })
}

#[test]
fn endpoints() {
    let s3_interface = |only_inbound: bool| {
        eps().endpoint("s3", &["subnet-e"]).each_endpoint(move |endpoint| {
            if endpoint.service_name.as_deref().unwrap().rsplit('.').next() == Some("s3") {
                endpoint.dns_options =
                    Some(ec2::DnsOptions { private_dns_only_for_inbound_resolver_endpoint: Some(only_inbound), ..Default::default() });
            }
        })
    };
    let elsewhere = eps().each_endpoint(|endpoint| {
        endpoint.service_name = endpoint.service_name.as_ref().map(|name| name.replace("eu-central-1", "eu-west-1"));
    });
    let two_zones = base()
        .endpoint_group("sg-e", vec![https_to("10.0.0.0/16")])
        .endpoint("ssm", &["subnet-e", "subnet-u"])
        .subnet_acl("subnet-u", &[ALL_OUT]);
    let pending = || eps().each_endpoint(|endpoint| endpoint.state = Some("pendingAcceptance".into()));
    check(vec![
        ("78", s3_interface(true).gateway_endpoint("rtb-main"), S3, Reachable, &[]),
        (
            "79",
            s3_interface(false).endpoint_ingress(&[]).gateway_endpoint("rtb-main"),
            S3,
            Blocked,
            &["SG_HAS_NO_RULES", "DNS_CAPTURED_BY_ENDPOINT"],
        ),
        ("83", pending(), Ssm, Blocked, &["BAD_STATE"]),
        ("83 with a NAT gateway", pending().nat(), Ssm, Reachable, &[]),
        ("84", in_zone_2(eps()), Ssm, Reachable, &[]),
        ("85", two_zones, Ssm, Partial, &["SUBNET_ACL_RESTRICTION"]),
        ("86", elsewhere, Ssm, Blocked, &["NO_ROUTE_TO_DESTINATION"]),
        (
            "93",
            eps().each_endpoint(|endpoint| endpoint.vpc_endpoint_type = Some("Tunnel".into())),
            Ssm,
            Blocked,
            &["NO_ROUTE_TO_DESTINATION"],
        ),
        (
            "AWS's word in lower case",
            eps().each_endpoint(|endpoint| endpoint.vpc_endpoint_type = Some("interface".into())),
            Ssm,
            Reachable,
            &[],
        ),
    ]);
    let warned = |topology: Topology| topology.path(Ssm).notes.iter().any(|note| note.starts_with("vpce-ssm has no interface in euc1-az1"));
    assert!(warned(in_zone_2(eps())) && !warned(eps()));
    assert_eq!(pending().path(Ssm).blockers[0].code.as_str(), "BAD_STATE", "the endpoint's state is named first");
}

#[test]
fn ec2messages_is_not_always_needed() {
    let mut modern =
        base().endpoint_group("sg-e", vec![https_to("10.0.0.0/16")]).endpoint("ssm", &["subnet-e"]).endpoint("ssmmessages", &["subnet-e"]);
    check(vec![("88", modern.clone(), Ec2Messages, Blocked, &["ENDPOINT_MISSING"])]);
    modern.ec2messages.agent_prefers_ssmmessages = true;
    let mut without_ssmmessages = base();
    without_ssmmessages.ec2messages.agent_prefers_ssmmessages = true;
    let mut young_region = base();
    young_region.ec2messages.exists = false;
    check(vec![
        ("87", modern, Ec2Messages, NotNeeded, &[]),
        ("87 without ssmmessages", without_ssmmessages, Ec2Messages, Blocked, &["ENDPOINT_MISSING"]),
        ("89", young_region, Ec2Messages, NotNeeded, &[]),
    ]);
}
