//! The names by which a patch run asks S3: a bucket's, the dual-stack name that its program comes from, and those of the patch policies' buckets.

use patch_preflight::model::known;
use patch_preflight::network::Verdict::{Blocked, Reachable, Unknown};
use patch_preflight::network::{AnsweredBy, Authorization, Buckets, Goal, Path, PolicyBucket, Target, Verdict};
use patch_preflight::snapshot::ec2;
use patch_preflight::snapshot::route53::ResourceRecord;

use crate::repositories::s3_interface_endpoint;
use crate::resolver::firewall;
use crate::topology::{Topology, base, https_to, some};

const PAYLOAD: &str = "s3.dualstack.eu-central-1.amazonaws.com";

fn to(topology: &Topology, host: &str) -> Path {
    topology.paths().into_iter().find(|path| path.target == Target::S3 && path.host == host).unwrap_or_else(|| panic!("{host}"))
}

fn codes(path: &Path) -> Vec<&'static str> {
    path.blockers.iter().map(|blocker| blocker.code.as_str()).collect()
}

#[test]
fn the_program_of_a_run_comes_by_the_dual_stack_name() {
    let by_interface = |family| s3_interface_endpoint(base(), family);
    let claimed = |records: &[(&str, &str)]| base().nat().hosted_zone("s3.dualstack.eu-central-1.amazonaws.com.", records);
    let rows: [(&str, Topology, Verdict, &[&str]); 6] = [
        ("a gateway endpoint", base().gateway_endpoint("rtb-main"), Reachable, &[]),
        ("the internet", base().nat(), Reachable, &[]),
        (
            "an interface endpoint for IPv4",
            by_interface("ipv4"),
            Blocked,
            &["DNS_DUALSTACK_NOT_COVERED", "NO_ROUTE_TO_DESTINATION", "ENDPOINT_MISSING"],
        ),
        ("an interface endpoint for both", by_interface("dualstack"), Reachable, &[]),
        ("both kinds of endpoint", by_interface("ipv4").gateway_endpoint("rtb-main"), Reachable, &[]),
        ("a private zone without the name", claimed(&[]), Blocked, &["DNS_PHZ_NXDOMAIN"]),
    ];
    for (name, topology, verdict, expected) in rows {
        let path = to(&topology, PAYLOAD);
        assert_eq!((path.verdict, codes(&path).as_slice()), (verdict, expected), "{name}: {path:#?}");
    }
    // The one verdict over both names is the worse one.
    let topology = by_interface("ipv4");
    assert_eq!((topology.path(Target::S3).verdict, topology.s3().verdict), (Reachable, Blocked));
}

/// Patch policies are for AWS's commercial Regions alone; elsewhere the plain name is asked for.
#[test]
fn other_partitions_have_no_dual_stack_name_here() {
    for (region, host) in [
        ("eu-central-1", "ssm.eu-central-1.amazonaws.com"),
        ("cn-north-1", "ssm.cn-north-1.amazonaws.com.cn"),
        ("eusc-de-east-1", "ssm.eusc-de-east-1.amazonaws.eu"),
        ("us-gov-west-1", "ssm.us-gov-west-1.amazonaws.com"),
    ] {
        use patch_preflight::network::Goal;
        assert_eq!(Goal::of_service(region, Target::Ssm, None).host, host);
        assert_eq!(Goal::of_payload(region, None).is_some(), region == "eu-central-1", "{region}");
    }
}

#[test]
fn the_bucket_of_a_patch_policy_is_asked_for_too() {
    let name = "aws-quicksetup-patchpolicy-111111111111-abcde";
    let targeted = |mut topology: Topology, region: &str, perhaps: Option<known::Unknown>| {
        topology.policy_buckets =
            vec![(PolicyBucket { name: name.to_owned(), owner: Some("111111111111".to_owned()), region: region.to_owned() }, perhaps)];
        topology
    };
    let perhaps = || Some(known::Unknown::new("fact_not_collected", "the policy", "look whether it targets the instance"));
    let by_gateway = || base().gateway_endpoint("rtb-main");
    let with_policy = |document: &'static str| by_gateway().each_endpoint(|each| each.policy_document = Some(document.to_owned()));
    let own_buckets = r#"{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
        "Resource": ["arn:aws:s3:::aws-ssm-eu-central-1/*", "arn:aws:s3:::patch-baseline-snapshot-eu-central-1/*"]}]}"#;
    let organization = r#"{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*",
        "Condition": {"StringEquals": {"aws:PrincipalAccount": "111111111111"}}}]}"#;
    let of_account = r#"{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*",
        "Condition": {"StringEquals": {"aws:ResourceAccount": ["111111111111"], "s3:ResourceAccount": "111111111111"}}}]}"#;
    let rows: [(&str, Topology, &str, Verdict, Authorization); 7] = [
        ("a policy for the account's own resources", with_policy(of_account), "eu-central-1", Reachable, Authorization::Allowed),
        ("here", by_gateway(), "eu-central-1", Reachable, Authorization::Allowed),
        ("in another Region, and S3 of this one alone", by_gateway(), "us-east-1", Blocked, Authorization::Allowed),
        ("in another Region, and the internet", base().nat(), "us-east-1", Reachable, Authorization::Allowed),
        ("a policy for the account's own principals", with_policy(organization), "eu-central-1", Reachable, Authorization::Allowed),
        ("an interface endpoint", s3_interface_endpoint(base(), "ipv4"), "eu-central-1", Reachable, Authorization::Allowed),
        (
            "a policy for AWS's own buckets",
            with_policy(own_buckets),
            "eu-central-1",
            Reachable,
            Authorization::Denied {
                endpoint: "vpce-s3".to_owned(),
                actions: ["s3:GetObject"].into(),
                because: format!("its policy does not allow s3:GetObject on arn:aws:s3:::{name}/*, so that requests end with error 403"),
            },
        ),
    ];
    for (label, topology, region, verdict, authorization) in rows {
        let host = format!("{name}.s3.{region}.amazonaws.com");
        let path = to(&targeted(topology.clone(), region, None), &host);
        assert_eq!((path.verdict, &path.authorization), (verdict, &authorization), "{label}: {path:#?}");
        // Where it is not known whether the policy targets the instance, nothing fails for sure.
        let path = targeted(topology, region, perhaps()).policy_buckets_path().unwrap();
        assert_ne!(path.verdict, Blocked, "{label}");
        assert!(!matches!(path.authorization, Authorization::Denied { .. }), "{label}");
        assert_eq!(path.verdict == Unknown, verdict == Blocked, "{label}");
    }
    assert!(base().policy_buckets_path().is_none());
}

/// The bucket of the snapshots is asked for by its own name, and judged by itself where DNS tells it apart.
#[test]
fn the_bucket_of_the_snapshots_may_be_told_apart() {
    let snapshot = "patch-baseline-snapshot-eu-central-1.s3.eu-central-1.amazonaws.com";
    let allowed = |names: &[&str]| firewall(base().nat(), &[("ALLOW", "rslvr-fdl-1", Some(names)), ("BLOCK", "rslvr-fdl-2", Some(&["*"]))]);
    let all = allowed(&["*.amazonaws.com."]);
    assert!(all.paths().iter().all(|path| path.host != snapshot), "told apart by nothing");
    assert_eq!(all.s3().verdict, Reachable);
    let by_endpoint = s3_interface_endpoint(base(), "dualstack");
    assert!(by_endpoint.paths().iter().all(|path| path.host != snapshot), "nor by one endpoint for all");
    let others = allowed(&[
        "*.dualstack.eu-central-1.amazonaws.com.",
        "aws-ssm-eu-central-1.s3.eu-central-1.amazonaws.com.",
        "s3.dualstack.eu-central-1.amazonaws.com.",
        "*.redirected.example.",
    ]);
    assert_eq!((to(&others, snapshot).verdict, others.s3().verdict), (Blocked, Blocked));
    let own = "vpce-s3-1.s3.eu-central-1.vpce.amazonaws.com.";
    let zone = |names: &[&str]| {
        let records: Vec<(&str, &str)> = names.iter().map(|name| (*name, own)).collect();
        own_names(s3_interface_endpoint(base(), "dualstack")).hosted_zone("s3.eu-central-1.amazonaws.com.", &records)
    };
    let aws_ssm = "aws-ssm-eu-central-1.s3.eu-central-1.amazonaws.com.";
    assert_eq!(zone(&[aws_ssm]).s3().verdict, Blocked);
    assert_eq!(zone(&[aws_ssm, &format!("{snapshot}.")]).path(Target::S3).verdict, Reachable);
}

/// In us-east-1 AWS's example has the old name, for which no endpoint answers.
#[test]
fn the_snapshots_of_us_east_1_have_two_names() {
    let buckets = Buckets { presigned: some("patch-baseline-snapshot-us-east-1"), ..Buckets::default() };
    let without_region = |region: &str| Goal::of_snapshot_without_region(region, Some(&buckets));
    let named = Goal::of_snapshot("us-east-1", Some(&buckets)).unwrap();
    assert_eq!(named.host, "patch-baseline-snapshot-us-east-1.s3.us-east-1.amazonaws.com");
    let old = without_region("us-east-1").unwrap();
    assert_eq!((old.host.as_str(), old.private_zone), ("patch-baseline-snapshot-us-east-1.s3.amazonaws.com", None));
    assert_eq!(without_region("us-east-2"), None);
}

fn own_names(topology: Topology) -> Topology {
    topology.each_endpoint(|endpoint| {
        let names = ["vpce-s3-1.s3.eu-central-1.vpce.amazonaws.com", "s3.eu-central-1.amazonaws.com"];
        endpoint.dns_entries = names.map(|name| ec2::DnsEntry { dns_name: some(name), ..Default::default() }).to_vec();
    })
}

/// An alias may lead to another name of its zone, as `*` to the zone's own; what it leads to in the end is asked. A CNAME is asked for anew.
#[test]
fn a_record_that_leads_to_another_of_its_zone() {
    let (zone, own) = ("s3.eu-central-1.amazonaws.com.", "vpce-s3-1.s3.eu-central-1.vpce.amazonaws.com.");
    let leading = |records: &[(&'static str, &'static str)], as_alias: bool| {
        own_names(s3_interface_endpoint(base(), "dualstack")).hosted_zone(zone, records).with(|files| {
            for record in files.record_sets.as_mut().unwrap().resource_record_sets.values_mut().flatten() {
                let target = record.alias_target.as_mut().unwrap();
                target.hosted_zone_id = some("Z1");
                if !as_alias && target.dns_name.as_deref() != Some(own) {
                    record.resource_records = vec![ResourceRecord { value: target.dns_name.clone() }];
                    record.alias_target = None;
                    record.r#type = some("CNAME");
                }
            }
        })
    };
    let to_apex = [(zone, own), ("*.s3.eu-central-1.amazonaws.com.", zone)];
    let closed = |topology: Topology| topology.endpoint_group("sg-e", vec![]);
    let in_circles = [("*.s3.eu-central-1.amazonaws.com.", "a.s3.eu-central-1.amazonaws.com.")];
    let path = leading(&to_apex, true).path(Target::S3);
    assert_eq!(path.verdict, Reachable, "{path:#?}");
    assert_eq!(closed(leading(&to_apex, true)).path(Target::S3).verdict, Blocked);
    assert_eq!(leading(&in_circles, true).path(Target::S3).verdict, Unknown);
    assert_eq!(leading(&to_apex, false).path(Target::S3).verdict, Unknown);
}

/// What lies below the service's name is no exacter than the service's: a zone or rule of that name wins over the endpoint's.
#[test]
fn a_rule_of_the_services_name_takes_the_buckets_too() {
    let mut topology = s3_interface_endpoint(base(), "dualstack").forward_rule_to("s3.eu-central-1.amazonaws.com.", &["192.168.0.53"]);
    topology.policy_buckets = vec![(PolicyBucket { name: "quicksetup".to_owned(), owner: None, region: "eu-central-1".to_owned() }, None)];
    for path in topology.paths().into_iter().filter(|path| path.target == Target::S3 && !path.host.contains("dualstack")) {
        assert_eq!(path.verdict, Unknown, "{path:#?}");
    }
}

/// An endpoint answers below its own zone alone, which the older name of Amazon Linux's buckets is not.
#[test]
fn a_name_beside_the_endpoints_zone_is_not_the_endpoints() {
    let asking = |topology: Topology| topology.patched_from(&[("amazonlinux.eu-central-1.amazonaws.com", 443, AnsweredBy::S3)]);
    let by_interface = || asking(s3_interface_endpoint(base(), "dualstack"));
    assert_eq!(by_interface().path(Target::Repository).verdict, Blocked);
    assert_eq!(by_interface().nat().path(Target::Repository).verdict, Reachable);
    assert_eq!(by_interface().gateway_endpoint("rtb-main").path(Target::Repository).verdict, Reachable);
}

/// An endpoint may be for the S3 of another Region; for which names it answers, AWS does not say.
#[test]
fn an_endpoint_for_another_region() {
    let elsewhere = |topology: Topology, ingress| {
        let mut topology = s3_interface_endpoint(topology, "dualstack").endpoint_group("sg-e", ingress).each_endpoint(|endpoint| {
            endpoint.service_name = some("com.amazonaws.us-east-1.s3");
            endpoint.service_region = some("us-east-1");
        });
        topology.policy_buckets = vec![(PolicyBucket { name: "quicksetup".to_owned(), owner: None, region: "us-east-1".to_owned() }, None)];
        topology.policy_buckets_path().unwrap().verdict
    };
    let open = || vec![https_to("10.0.0.0/16")];
    assert_eq!(elsewhere(base().nat(), open()), Reachable);
    assert_eq!(elsewhere(base().nat(), vec![]), Unknown);
    assert_eq!(elsewhere(base(), open()), Unknown);
    assert_eq!(elsewhere(base(), vec![]), Blocked);
}
