//! Row 91 of the truth table and its like: policies of endpoints refuse requests on a path that the network carries, and are told apart from it.

use patch_preflight::network::Target::{self, Repository, S3, Ssm, SsmMessages};
use patch_preflight::network::{Authorization, DEFAULT_ENDPOINT_POLICY, PolicyBucket, Verdict};
use patch_preflight::snapshot::global;

use crate::repositories::s3_interface_endpoint;
use crate::topology::{REGION, Topology, base, some};

const OWN: &str = "111111111111";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    Allowed,
    Denied,
    Unknown,
}
use Said::{Allowed, Denied, Unknown};

/// "3EP + gwS3", the policies of all endpoints replaced by one statement.
fn with(statement: &str) -> Topology {
    let document = format!(r#"{{"Version": "2012-10-17", "Statement": [{statement}]}}"#);
    base()
        .endpoints()
        .gateway_endpoint("rtb-main")
        .amazon_linux_2023()
        .each_endpoint(|endpoint| endpoint.policy_document = Some(document.clone()))
}

fn said(topology: &Topology, target: Target) -> Said {
    said_in("aws", topology, target)
}

fn said_in(partition: &str, topology: &Topology, target: Target) -> Said {
    let mut snapshot = topology.snapshot();
    snapshot.manifest.partition = some(partition);
    let organization = global::OrganizationDetail { id: some("o-own"), ..Default::default() };
    snapshot.organization.organization = Some(global::DescribeOrganization { organization });
    let path = topology.path_in(&snapshot, target);
    assert_eq!(path.verdict, Verdict::Reachable, "the network carries it: {path:#?}");
    match path.authorization {
        Authorization::Allowed => Allowed,
        Authorization::Denied { endpoint, because, .. } => {
            assert!(endpoint.starts_with("vpce-") && because.contains("403"), "{endpoint} {because}");
            Denied
        }
        Authorization::Unknown(why) => {
            assert!(!why.is_empty());
            Unknown
        }
    }
}

/// Other partitions write their ARNs otherwise.
#[test]
fn policies_of_endpoints_in_other_partitions() {
    for partition in ["aws", "aws-us-gov", "aws-cn"] {
        let own = with(&format!(
            r#"{{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": ["arn:{partition}:s3:::aws-ssm-*", "arn:{partition}:s3:::patch-baseline-snapshot-*", "arn:{partition}:s3:::aws-patch-manager-*"]}}"#
        ));
        assert_eq!(said_in(partition, &own, S3), Allowed, "{partition}");
        assert_eq!(said_in("aws-eusc", &own, S3), Denied, "{partition} elsewhere");
        let mut any = with(&format!(r#"{{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "arn:{partition}:s3:::*"}}"#));
        any.buckets = None;
        assert_eq!(said_in(partition, &any, S3), Allowed, "{partition}, whatever the buckets are called");
    }
}

/// Who asks without a signature has a type and an id all the same
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#principaltable>).
#[test]
fn policies_about_anonymous_requests() {
    let only = |key: &str, value: &str| {
        let condition = format!(r#"{{"StringEquals": {{"{key}": "{value}"}}}}"#);
        with(&format!(
            r#"{{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}}, {{"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*", "Condition": {condition}}}"#
        ))
    };
    assert_eq!(said(&only("aws:PrincipalType", "Anonymous"), S3), Denied);
    assert_eq!(said(&only("aws:userid", "anonymous"), S3), Denied);
    // Whether AWS's account is in an organization, it does not say.
    let owner = |operator: &str| {
        with(&format!(
            r#"{{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*", "Condition": {{"{operator}": {{"aws:ResourceOrgID": "o-own"}}}}}}"#
        ))
    };
    assert_eq!(said(&owner("StringEquals"), S3), Denied);
    assert_eq!(said(&owner("StringEqualsIfExists"), S3), Unknown);
}

/// AWS tells the policy that it gives by default, so that none means that it was not read.
#[test]
fn the_policy_of_an_endpoint_that_was_not_read() {
    let unread = with("").each_endpoint(|endpoint| endpoint.policy_document = None);
    for target in [S3, Ssm, SsmMessages] {
        assert_eq!(said(&unread, target), Unknown, "{target:?}");
    }
    let by_default = with("").each_endpoint(|endpoint| endpoint.policy_document = some(DEFAULT_ENDPOINT_POLICY));
    for target in [S3, Ssm, SsmMessages] {
        assert_eq!(said(&by_default, target), Allowed, "{target:?}");
    }
}

#[test]
fn policies_of_endpoints() {
    let buckets = r#"["arn:aws:s3:::aws-ssm-eu-central-1/*", "arn:aws:s3:::patch-baseline-snapshot-eu-central-1/*"]"#;
    let of_ssm = [
        "UpdateInstanceInformation",
        "ListInstanceAssociations",
        "DescribeAssociation",
        "GetDocument",
        "DescribeDocument",
        "GetDeployablePatchSnapshotForInstance",
        "PutInventory",
        "PutComplianceItems",
        "UpdateInstanceAssociationStatus",
    ]
    .map(|action| format!("\"ssm:{action}\""))
    .join(", ");
    let but_for = |principal: &str| {
        format!(
            r#"{{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}}, {{"Effect": "Deny", "Principal": {{"AWS": "{principal}"}}, "Action": "*", "Resource": "*"}}"#
        )
    };
    let rows: Vec<(&str, String, Target, Said)> = vec![
        ("AWS's default", r#"{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}"#.into(), S3, Allowed),
        ("AWS's default", r#"{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}"#.into(), Ssm, Allowed),
        ("91: another bucket alone", r#"{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::x/*"}"#.into(), S3, Denied),
        ("91", r#"{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::x/*"}"#.into(), Repository, Denied),
        ("the buckets by name", format!(r#"{{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": {buckets}}}"#), S3, Allowed),
        ("the buckets by name, not the repositories", format!(r#"{{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": {buckets}}}"#), Repository, Denied),
        ("one of the buckets", r#"{"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::aws-ssm-eu-central-1/*"}"#.into(), S3, Denied),
        ("a bucket without its objects", r#"{"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": ["arn:aws:s3:::aws-ssm-eu-central-1", "arn:aws:s3:::patch-baseline-snapshot-eu-central-1"]}"#.into(), S3, Denied),
        ("resources of the organization", r#"{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"aws:ResourceOrgID": "o-own"}}}"#.into(), S3, Denied),
        ("resources of another organization, which may be AWS's", r#"{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"aws:ResourceOrgID": "o-other"}}}"#.into(), S3, Unknown),
        ("resources of others than the organization", r#"{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}, {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*", "Condition": {"StringNotEquals": {"aws:ResourceOrgID": "o-own"}}}"#.into(), S3, Denied),
        ("resources of the account", format!(r#"{{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*", "Condition": {{"StringEquals": {{"aws:ResourceAccount": "{OWN}"}}}}}}"#), S3, Denied),
        ("resources of an account that may be AWS's", r#"{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"s3:ResourceAccount": "999999999999"}}}"#.into(), S3, Unknown),
        ("callers of the organization: nobody signs for S3", r#"{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-own"}}}"#.into(), S3, Denied),
        ("callers of the organization: the agent signs for Systems Manager", r#"{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-own"}}}"#.into(), Ssm, Allowed),
        ("callers of another organization", r#"{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-other"}}}"#.into(), Ssm, Denied),
        ("callers of other accounts than the own: who signs the snapshot's address is AWS", format!(r#"{{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}}, {{"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*", "Condition": {{"StringNotEqualsIfExists": {{"aws:PrincipalAccount": "{OWN}"}}}}}}"#), S3, Denied),
        ("the same of the organization, in which AWS may be in none", r#"{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*", "Condition": {"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-own"}}}"#.into(), S3, Unknown),
        ("the account", format!(r#"{{"Effect": "Allow", "Principal": {{"AWS": "{OWN}"}}, "Action": "*", "Resource": "*"}}"#), Ssm, Allowed),
        ("another account", r#"{"Effect": "Allow", "Principal": {"AWS": "222222222222"}, "Action": "*", "Resource": "*"}"#.into(), Ssm, Denied),
        ("a role by name", format!(r#"{{"Effect": "Allow", "Principal": {{"AWS": "arn:aws:iam::{OWN}:role/web"}}, "Action": "*", "Resource": "*"}}"#), Ssm, Unknown),
        ("a role by condition", format!(r#"{{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*", "Condition": {{"ArnEquals": {{"aws:PrincipalArn": "arn:aws:iam::{OWN}:role/web"}}}}}}"#), Ssm, Unknown),
        ("everybody but a role by name", but_for(&format!("arn:aws:iam::{OWN}:role/web")), Ssm, Unknown),
        ("everybody but the sessions of a role", but_for(&format!("arn:aws:sts::{OWN}:assumed-role/web/i-1")), Ssm, Unknown),
        ("everybody but a role of another account", but_for("arn:aws:iam::222222222222:role/web"), Ssm, Allowed),
        ("everybody but a user", but_for(&format!("arn:aws:iam::{OWN}:user/web")), Ssm, Allowed),
        ("parameters alone", r#"{"Effect": "Allow", "Principal": "*", "Action": "ssm:GetParameter*", "Resource": "*"}"#.into(), Ssm, Denied),
        ("what a run needs, action by action", format!(r#"{{"Effect": "Allow", "Principal": "*", "Action": [{of_ssm}], "Resource": "*"}}"#), Ssm, Allowed),
        ("everything of ssm", r#"{"Effect": "Allow", "Principal": "*", "Action": "ssm:*", "Resource": "*"}"#.into(), Ssm, Allowed),
        ("everything of ssm is nothing of ssmmessages", r#"{"Effect": "Allow", "Principal": "*", "Action": "ssm:*", "Resource": "*"}"#.into(), SsmMessages, Denied),
        ("a source VPC that is not judged", r#"{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"aws:SourceVpc": "vpc-1"}}}"#.into(), S3, Unknown),
        (
            "a Deny on everything of AWS's by ARN",
            r#"{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}, {"Effect": "Deny", "Principal": "*", "Action": "ssm:*", "Resource": "arn:aws:*"}"#.into(),
            Ssm,
            Unknown,
        ),
        (
            "a Deny on documents",
            r#"{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}, {"Effect": "Deny", "Principal": "*", "Action": "ssm:GetDocument", "Resource": "arn:aws:ssm:*:*:document/*"}"#.into(),
            Ssm,
            Unknown,
        ),
        ("every ARN", r#"{"Effect": "Allow", "Principal": "*", "Action": "ssm:*", "Resource": "arn:*"}"#.into(), Ssm, Unknown),
        ("nothing", String::new(), S3, Denied),
        ("no policy at all", "7".into(), S3, Unknown),
    ];
    let wrong: Vec<String> = rows
        .iter()
        .filter_map(|(name, statement, target, expected)| {
            let said = said(&with(statement), *target);
            (said != *expected).then(|| format!("{name}, {target:?}: {said:?}, expected {expected:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The policy of a gateway endpoint means the root user where it names an account, that of an interface endpoint everybody in it.
#[test]
fn a_gateway_endpoint_knows_accounts_by_their_root_user() {
    let to = |principal: &str, effect: &str| {
        let document = format!(
            r#"{{"Statement": [{{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "arn:aws:s3:::a*"}},
                {{"Effect": "{effect}", "Principal": {principal}, "Action": "*", "Resource": "*"}}]}}"#
        );
        let bucket = PolicyBucket { name: "quicksetup".to_owned(), owner: Some(OWN.to_owned()), region: REGION.to_owned() };
        let targeted = |mut topology: Topology| {
            topology.policy_buckets = vec![(bucket.clone(), None)];
            let topology = topology.each_endpoint(|each| each.policy_document = Some(document.clone()));
            match topology.policy_buckets_path().unwrap().authorization {
                Authorization::Allowed => Allowed,
                Authorization::Denied { .. } => Denied,
                Authorization::Unknown(_) => Unknown,
            }
        };
        (targeted(base().gateway_endpoint("rtb-main")), targeted(s3_interface_endpoint(base(), "dualstack")))
    };
    let (id, root) = (format!(r#"{{"AWS": "{OWN}"}}"#), format!(r#"{{"AWS": "arn:aws:iam::{OWN}:root"}}"#));
    assert_eq!(to(&id, "Allow"), (Denied, Allowed));
    assert_eq!(to(&root, "Allow"), (Denied, Allowed));
    assert_eq!(to(r#""*""#, "Allow"), (Allowed, Allowed));
    assert_eq!(to(&format!(r#"{{"AWS": ["{OWN}", "*"]}}"#), "Allow"), (Allowed, Allowed));
}

/// Where AWS does not publish the buckets' names, only a policy for all of them is known to do.
#[test]
fn buckets_without_a_published_name() {
    let mut open = with(r#"{"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"}"#);
    let mut narrow = with(r#"{"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::aws-*"}"#);
    (open.buckets, narrow.buckets) = (None, None);
    assert_eq!((said(&open, S3), said(&narrow, S3)), (Allowed, Unknown));
}
