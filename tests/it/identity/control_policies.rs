//! What the policies of the organization take away.

use serde_json::{Value, json};

use super::given::{ACCOUNT, Given, REGION, allow, bare, core};
use super::{BASELINE_ACCESS, check, trust};

/// Every level from the root to the account must allow, and none may deny: the organization's word goes before the role's.
#[test]
fn policies_of_the_organization_take_away() {
    let deny = |action: &str| json!({"Effect": "Deny", "Action": action, "Resource": "*"});
    let only = |actions: &[&str]| json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]});
    let everything = allow(&json!("*"));
    let levels = ["r-1", "ou-prod", "ou-web", ACCOUNT];
    let all_but = |level: &str| levels.into_iter().filter(|other| *other != level).collect::<Vec<_>>();
    let narrow = |level: &'static str, actions: &[&str]| {
        core().in_organization().control("SERVICE", "FullAWSAccess", Some(&everything), &all_but(level)).control(
            "SERVICE",
            "narrow",
            Some(&only(actions)),
            &[level],
        )
    };
    let elsewhere =
        json!({"Effect": "Deny", "Action": "ssm:*", "Resource": "*", "Condition": {"StringNotEquals": {"aws:RequestedRegion": REGION}}});
    let not_here =
        json!({"Effect": "Deny", "Action": "ssm:*", "Resource": "*", "Condition": {"StringEquals": {"aws:RequestedRegion": REGION}}});
    let by_vpc =
        json!({"Effect": "Deny", "Action": "ssm:*", "Resource": "*", "Condition": {"StringNotEquals": {"aws:SourceVpc": "vpc-1"}}});
    let but_one = json!({"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/worker"}}});
    let rows = vec![
        ("AWS's own policy alone", core().scp(&deny("s3:DeleteBucket"), &["r-1"]), "profile yes yes yes"),
        ("a deny at the root", core().scp(&deny("ssm:*"), &["r-1"]), "nothing no no no"),
        ("a deny of the patch report", core().scp(&deny("ssm:PutComplianceItems"), &["ou-web"]), "profile yes no yes"),
        ("a deny of the new channels leaves the old ones", core().scp(&deny("ssmmessages:*"), &[ACCOUNT]), "profile yes yes yes"),
        ("a deny of all channels, on the account", core().scp(&deny("*messages:*"), &[ACCOUNT]), "profile no yes yes"),
        ("a deny on another unit", core().scp(&deny("ssm:*"), &["ou-else"]), "profile yes yes yes"),
        ("a deny in the other Regions", core().scp(&elsewhere, &["r-1"]), "profile yes yes yes"),
        ("a deny in this Region", core().scp(&not_here, &["r-1"]), "nothing no no no"),
        ("a deny by the path, which is not known", core().scp(&by_vpc, &["r-1"]), "? ? ? ?"),
        ("a deny for all roles but this", core().scp(&but_one, &["r-1"]), "profile yes yes yes"),
        (
            "allowing nothing that the role has not",
            bare().scp(&json!({"Effect": "Allow", "Action": "ssm:*", "Resource": "*"}), &["r-1"]),
            "nothing no no no",
        ),
        ("a unit that allows everything but Systems Manager", narrow("ou-prod", &["s3:*", "ec2:*"]), "nothing no no no"),
        ("an account that allows what is needed", narrow(ACCOUNT, &["ssm:*", "ssmmessages:*"]), "profile yes yes yes"),
        ("an account that allows no channels", narrow(ACCOUNT, &["ssm:*"]), "profile no yes yes"),
        (
            "a level on which nothing is told",
            core().in_organization().control("SERVICE", "FullAWSAccess", Some(&everything), &all_but("ou-web")),
            "? ? ? ?",
        ),
        ("a document that was not read", core().in_organization().control("SERVICE", "FullAWSAccess", None, &levels), "? ? ? ?"),
        ("a tree that was not read", core().control("SERVICE", "FullAWSAccess", Some(&everything), &levels), "? ? ? ?"),
        ("a role without policies needs none of that", bare().without_controls(), "nothing no no no"),
        ("policies that were not read", core().without_controls(), "? ? ? ?"),
        (
            "a policy of a kind that nobody told",
            core().scp(&deny("s3:Delete*"), &["r-1"]).on_controls(|file| {
                file["Policies"][1].as_object_mut().unwrap().remove("Type");
            }),
            "? ? ? ?",
        ),
        (
            "a policy that is attached and not listed",
            core().scp(&deny("s3:Delete*"), &["r-1"]).on_controls(|file| {
                file["Policies"].as_array_mut().unwrap().remove(1);
            }),
            "? ? ? ?",
        ),
        (
            "a policy that is not listed, and attached to nothing",
            core().scp(&deny("s3:Delete*"), &[]).on_controls(|file| {
                file["Policies"].as_array_mut().unwrap().remove(1);
            }),
            "profile yes yes yes",
        ),
        (
            "a tag policy is none of them",
            core().on_controls(|file| {
                *file = json!({"Policies": [{"Id": "p-t", "Name": "tags", "Type": "TAG_POLICY"}], "Targets": {"p-t": ["r-1"]}});
            }),
            "profile yes yes yes",
        ),
        ("policies of neither kind: both are switched off", core(), "profile yes yes yes"),
    ];
    check(rows, Given::says);
    let because = |given: &Given| given.with_identity(|identity| identity.permissions.messages.because.clone());
    assert!(because(&core().scp(&deny("*messages:*"), &[ACCOUNT])).contains("guard"));
    assert!(because(&narrow(ACCOUNT, &["ssm:*"])).contains("service control policies over the account"));
}

/// They bind STS, from which a service has a role; whether they bind what EC2 does for an instance is documented nowhere.
#[test]
fn resource_control_policies_and_the_handing_out_of_a_role() {
    let rcp = |statement: &Value| {
        let levels = ["r-1", "ou-prod", "ou-web", ACCOUNT];
        let everybody =
            json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]});
        let document = json!({"Version": "2012-10-17", "Statement": [statement]});
        core().in_organization().control("RESOURCE", "RCPFullAWSAccess", Some(&everybody), &levels).control(
            "RESOURCE",
            "guard",
            Some(&document),
            &["ou-web"],
        )
    };
    let deny = |actions: &Value, condition: &Value| {
        let mut deny = json!({"Effect": "Deny", "Principal": "*", "Action": actions, "Resource": "*"});
        if !condition.is_null() {
            deny["Condition"] = condition.clone();
        }
        rcp(&deny)
    };
    let (assume, nothing) = (json!(["s3:*", "sts:AssumeRole"]), Value::Null);
    let strangers = json!({"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-1234567890"}});
    let strangers_but_services =
        json!({"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-1234567890"}, "BoolIfExists": {"aws:PrincipalIsAWSService": "false"}});
    let deputies = |organization: &str| json!({"StringNotEqualsIfExists": {"aws:SourceOrgID": organization}, "Null": {"aws:SourceArn": "false"}, "Bool": {"aws:PrincipalIsAWSService": "true"}});
    check(
        vec![
            ("nothing of STS", deny(&json!(["s3:*", "kms:*"]), &nothing), "profile yes yes yes"),
            ("nobody may", deny(&assume, &nothing), "? ? ? ?"),
            ("none but the organization's own", deny(&json!("sts:*"), &strangers), "? ? ? ?"),
            ("none but the organization's own, and AWS's services", deny(&json!("sts:*"), &strangers_but_services), "profile yes yes yes"),
            ("no service for somebody else's resource", deny(&assume, &deputies("o-1234567890")), "profile yes yes yes"),
            ("no service for the organization's own resource", deny(&assume, &deputies("o-other")), "? ? ? ?"),
            ("nothing in the clear", deny(&assume, &json!({"BoolIfExists": {"aws:SecureTransport": "false"}})), "profile yes yes yes"),
            ("a role that EC2 may not hand out anyhow", deny(&assume, &nothing).trust(trust("lambda.amazonaws.com")), "nothing no no no"),
            (
                "a document that was not read",
                core().in_organization().control("RESOURCE", "guard", None, &["r-1", "ou-prod", "ou-web", ACCOUNT]),
                "? ? ? ?",
            ),
        ],
        Given::says,
    );
    let why = deny(&assume, &nothing).with_identity(|identity| identity.is_profile_role_trusted.reasons()[0].settled_by.clone());
    assert_eq!(
        why,
        "look whether ec2.amazonaws.com can assume worker all the same: statement #1 of resource control policy guard denies it"
    );
}

/// The bucket, and what Quick Setup may change, are the organization's too.
#[test]
fn policies_of_the_organization_and_the_bucket() {
    let deny = |actions: &Value| json!({"Effect": "Deny", "Action": actions, "Resource": "*"});
    let attach = json!({"IsPolicyAttachAllowed": "true"});
    let ready = || core().in_organization().attached(BASELINE_ACCESS).tag("QSConfigId-ab1cd", "ab1cd");
    // As Control Tower writes it, but for its exceptions.
    let only_in = |regions: &[&str]| {
        let denied = json!({"Effect": "Deny", "Action": "s3:*", "Resource": "*", "Condition": {"StringNotEquals": {"aws:RequestedRegion": regions}}});
        ready().scp(&denied, &["r-1"]).policy(&json!({}))
    };
    check(
        vec![
            (
                "the bucket's Region and the instance's are both allowed",
                only_in(&[REGION, "us-east-1"]).made_in("us-east-1"),
                "yes yes no yes",
            ),
            ("the bucket's is not, and S3 may be asked in the instance's", only_in(&[REGION]).made_in("us-east-1"), "yes ? no ?"),
            ("both are one, and it is allowed", only_in(&[REGION]).made_in(REGION), "yes yes no yes"),
            ("both are one, and it is not", only_in(&["us-east-1"]).made_in(REGION), "yes no no no"),
            ("the bucket's is not told", only_in(&[REGION]), "yes ? no ?"),
            ("no reading of buckets", ready().scp(&deny(&json!("s3:*")), &["r-1"]).policy(&json!({})), "yes no no no"),
            ("no attaching", core().scp(&deny(&json!("iam:AttachRolePolicy")), &["ou-web"]).policy(&attach), "yes no yes no"),
            ("no tags", core().scp(&deny(&json!("iam:Tag*")), &[ACCOUNT]).policy(&attach), "yes no yes no"),
            ("nothing of that", core().scp(&deny(&json!("iam:CreateUser")), &[ACCOUNT]).policy(&attach), "yes no yes ?"),
        ],
        Given::bucket,
    );
}
