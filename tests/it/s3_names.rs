//! The names by which a patch run asks S3: a bucket's, the dual-stack name that its program comes from, and those of the patch policies' buckets.

use patch_preflight::model::known;
use patch_preflight::network::Verdict::{Blocked, Reachable, Unknown};
use patch_preflight::network::{Authorization, Path, PolicyBucket, Target, Verdict};

use crate::repositories::s3_interface_endpoint;
use crate::topology::{Topology, base};

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
