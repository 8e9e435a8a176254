//! Whose credentials an agent uses and what they allow: a table of roles, and laws.

mod bucket;
mod control_policies;
mod given;

use patch_preflight::model::known::Known;
use patch_preflight::snapshot::{Gap, GapReason};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use given::{ACCOUNT, CORE, Given, REGION, allow, bare, core, own, unregistered};

const DEFAULT: &str = "arn:aws:iam::aws:policy/AmazonSSMManagedEC2InstanceDefaultPolicy";
const BASELINE_ACCESS: &str = "arn:aws:iam::aws:policy/AWSQuickSetupPatchPolicyBaselineAccess";

fn check(rows: Vec<(&str, Given, &str)>, says: fn(&Given) -> String) {
    let wrong: Vec<String> = rows
        .into_iter()
        .filter_map(|(name, given, expected)| {
            let said = says(&given);
            (said != expected).then(|| format!("{name}: {said:?}, expected {expected:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn trust(service: &str) -> Value {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}]})
}

/// What the agent cannot do without.
fn least() -> Value {
    json!([
        "ssm:UpdateInstanceInformation",
        "ssm:ListInstanceAssociations",
        "ssm:DescribeAssociation",
        "ssm:GetDocument",
        "ssm:DescribeDocument",
        "ssm:UpdateInstanceAssociationStatus",
        "ssm:GetDeployablePatchSnapshotForInstance",
        "ssm:PutInventory",
        "ssm:PutComplianceItems",
        "ssmmessages:*"
    ])
}

/// `source messages patching others`, worked out by hand from AWS's documentation.
#[test]
fn roles_allow_what_their_policies_say() {
    let condition = |key: &str, value: &str| json!({"Effect": "Deny", "Action": "ssm:*", "Resource": "*", "Condition": {"StringNotEquals": {key: value}}});
    let deny_if = |operator: &str, key: &str, value: &str| json!({"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {operator: {key: value}}});
    let revoked = |date: &str| core().statement(&deny_if("DateLessThan", "aws:TokenIssueTime", date)).captured_at("2026-11-23T10:00:00Z");
    let rows = vec![
        // The policies of a role.
        ("AWS's own policy", core(), "profile yes yes yes"),
        ("no policy at all", bare(), "nothing no no no"),
        ("a policy of another name that allows everything", bare().inline(allow(&json!("*"))), "profile yes yes yes"),
        ("AWS's name on a customer's policy", bare().attached(&own("AmazonSSMManagedInstanceCore")).document("AmazonSSMManagedInstanceCore", &allow(&json!("s3:*"))), "nothing no no no"),
        ("the older policy of AWS", bare().attached("arn:aws:iam::aws:policy/service-role/AmazonEC2RoleforSSM"), "profile yes yes yes"),
        ("full access to Systems Manager", bare().attached("arn:aws:iam::aws:policy/AmazonSSMFullAccess"), "profile yes yes yes"),
        ("a policy for something else", bare().attached("arn:aws:iam::aws:policy/AmazonSSMDirectoryServiceAccess"), "nothing no no no"),
        ("the least that patching needs", bare().inline(allow(&least())), "profile yes yes no"),
        ("the default version of a customer's policy counts", bare().attached(&own("agent")).document("agent", &allow(&json!(["ssm:*", "ssmmessages:*"]))), "profile yes yes yes"),
        ("an action in other letters", bare().inline(allow(&json!(["SSM:*", "SsmMessages:*"]))), "profile yes yes yes"),
        ("everything but what NotAction names", bare().statement(&json!({"Effect": "Allow", "NotAction": "ssm:PutInventory", "Resource": "*"})), "profile yes no yes"),
        ("registration alone", bare().inline(allow(&json!("ssm:UpdateInstanceInformation"))), "profile no no no"),
        ("Systems Manager without its channels", bare().inline(allow(&json!("ssm:*"))), "profile no yes yes"),
        ("three channels of four", bare().inline(allow(&json!(["ssm:*", "ssmmessages:Create*", "ssmmessages:OpenControlChannel"]))), "profile no yes yes"),
        ("the resources of actions without resources", bare().statement(&json!({"Effect": "Allow", "Action": ["ssm:*", "ssmmessages:*"], "Resource": format!("arn:aws:ec2:*:{ACCOUNT}:instance/*")})), "? no no no"),
        ("NotResource that leaves out nothing of ours", bare().statement(&json!({"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::secret/*"})), "profile yes yes yes"),
        // What takes away.
        ("a deny of one action", core().deny("ssm:PutComplianceItems"), "profile yes no yes"),
        ("a deny of the registration", core().deny("ssm:UpdateInstanceInformation"), "nothing no no no"),
        ("a deny of what nobody needs", core().deny("ssm:GetManifest"), "profile yes yes no"),
        ("a deny of a channel leaves the old messages", core().deny("ssmmessages:OpenDataChannel"), "profile yes yes yes"),
        ("a deny of all messages", core().deny("*messages:*"), "profile no yes yes"),
        ("a deny in another Region", core().statement(&condition("aws:RequestedRegion", REGION)), "profile yes yes yes"),
        ("a deny of this Region", core().statement(&condition("aws:RequestedRegion", "us-east-1")), "nothing no no no"),
        ("a deny outside a VPC, which is not known", core().statement(&condition("aws:SourceVpc", "vpc-1")), "? ? ? ?"),
        ("a deny outside the organization, which was not collected", core().statement(&condition("aws:PrincipalOrgID", "o-1234567890")), "? ? ? ?"),
        ("a deny outside the organization, which it is in", core().in_organization().statement(&condition("aws:PrincipalOrgID", "o-1234567890")), "profile yes yes yes"),
        ("a deny without a tag that the role has", core().tag("team", "web").statement(&condition("aws:PrincipalTag/team", "web")), "profile yes yes yes"),
        ("a deny without a tag that the role lacks", core().statement(&condition("aws:PrincipalTag/team", "web")), "nothing no no no"),
        ("a deny for other instances", core().statement(&condition("ec2:SourceInstanceARN", &format!("arn:aws:ec2:{REGION}:{ACCOUNT}:instance/i-1"))), "profile yes yes yes"),
        ("a deny for this instance", core().statement(&condition("ec2:SourceInstanceARN", &format!("arn:aws:ec2:{REGION}:{ACCOUNT}:instance/i-2"))), "nothing no no no"),
        ("a deny with an empty Sid, as Terraform writes it", core().statement(&json!({"Sid": "", "Effect": "Deny", "Action": "s3:PutObject", "Resource": "*"})), "profile yes yes yes"),
        ("a deny without MFA, which some pages say is there", core().statement(&deny_if("Bool", "aws:MultiFactorAuthPresent", "false")), "? ? ? ?"),
        ("a deny without MFA, there or not", core().statement(&deny_if("BoolIfExists", "aws:MultiFactorAuthPresent", "false")), "nothing no no no"),
        ("a deny by the age of MFA, which no role has", core().statement(&deny_if("NumericGreaterThan", "aws:MultiFactorAuthAge", "3600")), "profile yes yes yes"),
        ("sessions revoked last year", revoked("2025-11-23T10:00:00Z"), "profile yes yes yes"),
        ("sessions revoked thirteen hours ago", revoked("2026-11-22T21:00:00.000Z"), "profile yes yes yes"),
        ("sessions revoked an hour ago", revoked("2026-11-23T09:00:00Z"), "? ? ? ?"),
        ("sessions revoked at a time that is told to nobody", core().statement(&deny_if("DateLessThan", "aws:TokenIssueTime", "2025-11-23T10:00:00Z")), "? ? ? ?"),
        ("a deny from a day that has come, on another day", core().statement(&deny_if("DateGreaterThan", "aws:CurrentTime", "2025-11-23T10:00:00Z")).captured_at("2026-11-23T10:00:00Z"), "? ? ? ?"),
        // Boundaries.
        ("a boundary that has everything", core().boundary("edge").document("edge", &allow(&json!("*"))), "profile yes yes yes"),
        ("a boundary without inventory", core().boundary("edge").document("edge", &allow(&json!(["ssm:G*", "ssm:L*", "ssm:D*", "ssm:U*", "ssmmessages:*"]))), "profile yes no no"),
        ("a boundary for S3 alone", core().boundary("edge").document("edge", &allow(&json!("s3:*"))), "nothing no no no"),
        ("a boundary grants nothing", bare().boundary("edge").document("edge", &allow(&json!("*"))), "nothing no no no"),
        ("a boundary that was not collected", core().boundary("edge"), "? ? ? ?"),
        // What was not collected.
        ("a customer's policy that was not collected, beside AWS's", core().attached(&own("unseen")), "? ? ? ?"),
        ("an inline policy that is no document", core().inline(json!("not JSON")), "? ? ? ?"),
        ("the roles were not collected", core().without_iam(), "? ? ? ?"),
        // The profile and its role.
        ("the role of the profile is gone", core().without_role(), "nothing no no no"),
        ("the role of the profile is not among those that were collected", core().role_not_collected(), "? ? ? ?"),
        ("the profiles of the role were not collected", core().on_role(|role| { role.as_object_mut().unwrap().remove("InstanceProfileList"); }), "? ? ? ?"),
        ("a role for Lambda", core().trust(trust("lambda.amazonaws.com")), "nothing no no no"),
        ("a role for EC2 and Lambda", core().trust(json!({"Statement": {"Effect": "Allow", "Principal": {"Service": ["lambda.amazonaws.com", "ec2.amazonaws.com"]}, "Action": ["sts:AssumeRole", "sts:TagSession"]}})), "profile yes yes yes"),
        ("trust in the account is no trust in EC2", core().trust(json!({"Statement": {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}})), "nothing no no no"),
        ("trust that asks for an external id, which EC2 does not have", core().trust(json!({"Statement": {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole", "Condition": {"StringEquals": {"sts:ExternalId": "x"}}}})), "nothing no no no"),
        ("trust under a condition that is not known", core().trust(json!({"Statement": {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole", "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}}}})), "? ? ? ?"),
        // Agents and Regions.
        ("an old agent has its messages in AWS's policy", core().agent(Known::Known(false)), "profile yes yes yes"),
        ("an old agent without ec2messages", bare().inline(allow(&json!(["ssm:*", "ssmmessages:*"]))).agent(Known::Known(false)), "profile no yes yes"),
        ("a new agent without ec2messages", bare().inline(allow(&json!(["ssm:*", "ssmmessages:*"]))), "profile yes yes yes"),
        ("an agent of unknown age without ec2messages", bare().inline(allow(&json!(["ssm:*", "ssmmessages:*"]))).agent(unregistered()), "profile ? yes yes"),
        ("an agent of unknown age with both", core().agent(unregistered()), "profile yes yes yes"),
        ("ec2messages alone, to which a new agent falls back", bare().inline(allow(&json!(["ssm:*", "ec2messages:*"]))), "profile yes yes yes"),
        ("ec2messages alone in a Region that has none", bare().inline(allow(&json!(["ssm:*", "ec2messages:*"]))).new_region(), "profile no yes yes"),
        ("an old agent in a Region without ec2messages", bare().inline(allow(&json!(["ssm:*", "ssmmessages:*"]))).agent(Known::Known(false)).new_region(), "profile yes yes yes"),
        // Default Host Management Configuration.
        ("DHMC without a profile", bare().without_profile().dhmc(DEFAULT, "ssm.amazonaws.com"), "dhmc yes yes yes"),
        ("neither", bare().without_profile(), "nothing no no no"),
        ("DHMC steps in where the profile lets nothing", bare().dhmc(DEFAULT, "ssm.amazonaws.com"), "dhmc yes yes yes"),
        ("DHMC steps in where the role is gone", bare().without_role().dhmc(DEFAULT, "ssm.amazonaws.com"), "dhmc yes yes yes"),
        ("DHMC steps in where EC2 is not trusted", core().trust(trust("lambda.amazonaws.com")).dhmc(DEFAULT, "ssm.amazonaws.com"), "dhmc yes yes yes"),
        ("a profile that registers goes before DHMC", core().dhmc(DEFAULT, "ssm.amazonaws.com"), "profile yes yes yes"),
        ("a profile that only registers is in DHMC's way", bare().inline(allow(&json!("ssm:UpdateInstanceInformation"))).dhmc(DEFAULT, "ssm.amazonaws.com"), "profile no no no"),
        ("DHMC steps in where the role was not collected, which is not known to be gone", bare().role_not_collected().dhmc(DEFAULT, "ssm.amazonaws.com"), "? ? ? ?"),
        ("DHMC's role is not among those that were collected", bare().without_profile().dhmc_role_not_collected(), "? ? ? ?"),
        ("DHMC's role is gone", bare().without_profile().dhmc_without_role(), "nothing no no no"),
        ("DHMC's role trusts EC2", bare().without_profile().dhmc(DEFAULT, "ec2.amazonaws.com"), "nothing no no no"),
        ("DHMC's role allows something else", bare().without_profile().dhmc("arn:aws:iam::aws:policy/AmazonSSMDirectoryServiceAccess", "ssm.amazonaws.com"), "nothing no no no"),
        ("DHMC's role was not collected", bare().without_profile().dhmc_without_role().without_iam(), "? ? ? ?"),
        ("the setting was not collected, and the profile works", core().setting_not_collected(), "profile yes yes yes"),
        ("the setting was not collected, and the profile does not work", bare().setting_not_collected(), "? ? ? ?"),
        ("the setting was not collected, and there is no profile", bare().without_profile().setting_not_collected(), "? ? ? ?"),
    ];
    assert!(rows.len() >= 60, "{}", rows.len());
    check(rows, Given::says);
}

#[test]
fn reasons_name_what_to_change() {
    let because = |given: &Given| given.with_identity(|identity| identity.profile_because.clone());
    assert_eq!(because(&bare()), "ssm:UpdateInstanceInformation (no policy of the role allows it)");
    assert_eq!(
        because(&core().deny("ssm:UpdateInstanceInformation")),
        "ssm:UpdateInstanceInformation (statement #1 of identity-based policy inline denies it)"
    );
    assert_eq!(
        because(&core().boundary("edge").document("edge", &allow(&json!("s3:*")))),
        "ssm:UpdateInstanceInformation (the permissions boundary does not allow it)"
    );
    assert_eq!(
        because(&core().trust(trust("lambda.amazonaws.com"))),
        "the trust policy of worker does not let ec2.amazonaws.com assume it"
    );
    let bucket = |given: &Given| given.with_identity(|identity| identity.bucket.because.clone());
    let lacks_tag = "the role worker has no tag QSConfigId-ab1cd=ab1cd";
    assert_eq!(bucket(&core().in_organization().attached(BASELINE_ACCESS).policy(&json!({}))), lacks_tag);
    assert_eq!(
        bucket(&core().in_organization().policy(&json!({}))),
        format!("worker may not read aws-quicksetup-patchpolicy-999999999999-ab1cd (no policy of the role allows it); {lacks_tag}")
    );
}

#[test]
fn what_is_not_known_says_what_would_settle_it() {
    let why = |given: &Given| {
        given.with_identity(|identity| {
            identity.permissions.patching.is_allowed.reasons().first().map(|why| (why.resource.clone(), why.settled_by.clone())).unwrap()
        })
    };
    let (resource, settled_by) = why(&core().attached(&own("unseen")));
    assert_eq!((resource, settled_by), (own("unseen"), format!("collect the document of {} (iam:GetPolicyVersion)", own("unseen"))));
    let (_, settled_by) = why(&core().inline(Value::Null));
    assert_eq!(settled_by, "collect the document of inline (iam:GetRolePolicy)");
    let (_, settled_by) = why(&core().trust(Value::Null));
    assert_eq!(settled_by, "collect the trust policy of worker (iam:GetRole)");
    let (_, settled_by) = why(&core().in_organization().control("SERVICE", "guard", None, &["r-1", "ou-prod", "ou-web", ACCOUNT]));
    assert_eq!(settled_by, "collect the document of guard (organizations:DescribePolicy)");
    let mut denied = core().without_iam();
    denied.gaps.push(Gap {
        account_id: ACCOUNT.to_owned(),
        region: None,
        operation: "iam:GetRolePolicy".to_owned(),
        reason: GapReason::AccessDenied,
        message: String::new(),
        request_id: None,
    });
    let (resource, settled_by) = why(&denied);
    assert_eq!(resource, format!("iam:GetRolePolicy in {ACCOUNT} (access_denied)"));
    assert!(settled_by.contains("add the action"), "{settled_by}");
    let (_, settled_by) = why(&core().statement(&json!({"Sid": "OnlyHome", "Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringNotEquals": {"aws:SourceVpc": "vpc-1"}}})));
    assert!(settled_by.contains("OnlyHome") && settled_by.contains("aws:SourceVpc"), "{settled_by}");
}

/// The role may know ec2messages alone: then the agent does not switch it off.
#[test]
fn what_leaves_ec2messages_alone() {
    let relies = |given: &Given| given.with_identity(|identity| given::word(&identity.permissions.relies_on_ec2messages).to_owned());
    let (old, new) = (json!(["ssm:*", "ec2messages:*"]), json!(["ssm:*", "ssmmessages:*"]));
    let unread = || core().attached(&own("unseen"));
    check(
        vec![
            ("both", core(), "no"),
            ("ssmmessages alone", bare().inline(allow(&new)), "no"),
            ("ec2messages alone", bare().inline(allow(&old)), "yes"),
            ("ec2messages alone, and an old agent", bare().inline(allow(&old)).agent(Known::Known(false)), "yes"),
            ("ssmmessages denied", core().deny("ssmmessages:OpenDataChannel"), "yes"),
            ("ec2messages alone in a Region that has none", bare().inline(allow(&old)).new_region(), "no"),
            ("neither", bare().inline(allow(&json!("ssm:*"))), "no"),
            ("a policy that was not collected", unread(), "?"),
            ("a policy that was not collected, and ec2messages is denied", unread().deny("ec2messages:*"), "no"),
            ("no credentials", bare(), "no"),
        ],
        relies,
    );
}

/// A table's document is taken for one that was not collected, and said to be.
#[test]
fn a_document_from_the_table_is_told() {
    let notes = core().with_identity(|identity| identity.notes.clone());
    assert!(notes.iter().any(|note| note.contains(CORE) && note.contains("2026-")), "{notes:?}");
    let mut collected = core();
    collected.policies.push(json!({"Arn": CORE, "DefaultVersionId": "v2", "PolicyVersionList": [
        {"VersionId": "v2", "IsDefaultVersion": true, "Document": allow(&json!("s3:*"))}]}));
    assert_eq!(collected.says(), "nothing no no no", "what was collected goes before the table");
    assert!(collected.with_identity(|identity| identity.notes.is_empty()));
}

/// Better, the same or worse: yes, then not known, then no.
fn rank(fact: &Known<bool>) -> u8 {
    match fact {
        Known::Known(true) => 2,
        Known::Unknown(_) => 1,
        Known::Known(false) => 0,
    }
}

fn ranks(given: &Given) -> [u8; 5] {
    given.with_identity(|identity| {
        let permissions = &identity.permissions;
        let grants = [&permissions.messages, &permissions.patching, &permissions.others].map(|grant| rank(&grant.is_allowed));
        let [messages, patching, others] = grants;
        [rank(&identity.profile_may_register), messages, patching, others, rank(&identity.bucket.may_read)]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// A deny takes away. (With DHMC on, one that keeps the profile from registering may well help: the agent then turns to DHMC.)
    #[test]
    fn a_deny_never_improves(
        start in select(vec![0, 1, 2, 3]),
        action in select(vec!["*", "ssm:*", "ssm:Put*", "ssm:UpdateInstanceInformation", "*messages:*", "ssmmessages:Open*", "ec2messages:*", "s3:GetObject", "logs:*"]),
        resource in select(vec!["*", "arn:aws:ec2:*:*:instance/*", "arn:aws:ec2:*:*:instance/i-2", "arn:aws:s3:::aws-quicksetup-*"]),
        condition in select(vec![Value::Null, json!({"StringEquals": {"aws:SourceVpc": "vpc-1"}}), json!({"Null": {"aws:PrincipalTag/team": "true"}}), json!({"Bool": {"aws:SecureTransport": "false"}})]),
        is_boundary in any::<bool>(),
        agent in select(vec![Known::Known(true), Known::Known(false), unregistered()]),
    ) {
        let start = match start {
            0 => core(),
            1 => core().in_organization().attached(BASELINE_ACCESS).tag("QSConfigId-ab1cd", "ab1cd"),
            2 => bare().inline(allow(&least())),
            _ => core().attached(&own("unseen")),
        };
        let start = start.policy(&json!({})).agent(agent);
        let mut deny = json!({"Effect": "Deny", "Action": action, "Resource": resource});
        if !condition.is_null() {
            deny["Condition"] = condition;
        }
        let everything = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
        let (before, after) = if is_boundary {
            let with = |statements: Value| start.clone().boundary("edge").document("edge", &json!({"Version": "2012-10-17", "Statement": statements}));
            (with(json!([everything])), with(json!([everything, deny])))
        } else {
            (start.clone(), start.statement(&deny))
        };
        let (before, after) = (ranks(&before), ranks(&after));
        prop_assert!(before.iter().zip(&after).all(|(before, after)| after <= before), "{before:?} became {after:?}");
    }
}
