//! Whose credentials an agent uses and what they allow: a table of roles, and laws.

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

/// `targeted readable may-attach can-attach`.
#[test]
fn the_bucket_of_a_patch_policy_asks_for_a_policy_and_a_tag() {
    let ready = || core().in_organization().attached(BASELINE_ACCESS).tag("QSConfigId-ab1cd", "ab1cd");
    let attach = json!({"IsPolicyAttachAllowed": "true"});
    let plain = json!({});
    let group = json!({"TargetType": "ResourceGroups", "ResourceGroupName": "web"});
    let crowded = |count: usize| {
        (1..=count).fold(core().in_organization(), |given, n| {
            given.attached(&own(&format!("p{n}"))).document(&format!("p{n}"), &allow(&json!("logs:*")))
        })
    };
    let tagged = |count: usize| (0..count).fold(core().in_organization(), |given, n| given.tag(&format!("tag-{n}"), "x"));
    let getting = |resource: &str| {
        core()
            .in_organization()
            .tag("QSConfigId-ab1cd", "ab1cd")
            .statement(&json!({"Effect": "Allow", "Action": "s3:GetObject", "Resource": resource}))
    };
    let targeted = |parameters: &Value| core().in_organization().policy(parameters);
    let by_dhmc = || bare().without_profile().dhmc(DEFAULT, "ssm.amazonaws.com").in_organization();
    let deny_s3 = json!({"Effect": "Deny", "Action": "s3:*", "Resource": "*"});
    let rows = vec![
        ("no policy", core(), "no yes no yes"),
        ("AWS's policy and the tag", ready().policy(&plain), "yes yes no yes"),
        ("AmazonSSMManagedInstanceCore alone", core().in_organization().policy(&plain), "yes no no yes"),
        ("the tag alone", core().in_organization().tag("QSConfigId-ab1cd", "ab1cd").policy(&plain), "yes no no yes"),
        ("AWS's policy alone", core().in_organization().attached(BASELINE_ACCESS).policy(&plain), "yes no no yes"),
        (
            "the tag of another policy",
            core().in_organization().attached(BASELINE_ACCESS).tag("QSConfigId-zzzzz", "zzzzz").policy(&plain),
            "yes no no yes",
        ),
        (
            "the tag with another value",
            core().in_organization().attached(BASELINE_ACCESS).tag("QSConfigId-ab1cd", "true").policy(&plain),
            "yes no no yes",
        ),
        (
            "the bookkeeping tag",
            core().in_organization().attached(BASELINE_ACCESS).tag("QSConfigName-ab1cd", "ab1cd").policy(&plain),
            "yes no no yes",
        ),
        (
            "AWS's policy where the organization is not known",
            core().attached(BASELINE_ACCESS).tag("QSConfigId-ab1cd", "ab1cd").policy(&plain),
            "yes ? no ?",
        ),
        ("the documentation's pattern", getting("arn:aws:s3:::aws-quicksetup-patchpolicy-*").policy(&plain), "yes yes no yes"),
        (
            "the documentation's one bucket, which has no objects in it",
            getting("arn:aws:s3:::aws-quicksetup-patchpolicy-999999999999-ab1cd").policy(&plain),
            "yes no no yes",
        ),
        (
            "the objects of the bucket",
            getting("arn:aws:s3:::aws-quicksetup-patchpolicy-999999999999-ab1cd/*").policy(&plain),
            "yes yes no yes",
        ),
        (
            "the bucket of another account",
            getting("arn:aws:s3:::aws-quicksetup-patchpolicy-111122223333-ab1cd/*").policy(&plain),
            "yes no no yes",
        ),
        ("a deny of S3", ready().deny("s3:*").policy(&plain), "yes no no no"),
        (
            "a boundary without S3",
            ready().boundary("edge").document("edge", &allow(&json!(["ssm:*", "ssmmessages:*"]))).policy(&plain),
            "yes no no no",
        ),
        ("Quick Setup attaches", core().in_organization().policy(&attach), "yes no yes yes"),
        ("Quick Setup attaches nothing where nothing is lacking", ready().policy(&attach), "yes yes no yes"),
        ("18 policies, Core among them, and one to come", crowded(17).policy(&attach), "yes no yes yes"),
        ("20 policies", crowded(19).policy(&attach), "yes no yes no"),
        ("49 tags and one to come", tagged(49).policy(&attach), "yes no yes yes"),
        ("50 tags", tagged(50).policy(&attach), "yes no yes no"),
        (
            "a boundary that Quick Setup cannot widen",
            core().in_organization().boundary("edge").document("edge", &allow(&json!(["ssm:*", "ssmmessages:*"]))).policy(&attach),
            "yes no yes no",
        ),
        (
            "a role of AWS's own",
            core().in_organization().on_role(|role| role["Path"] = json!("/aws-reserved/sso.amazonaws.com/")).policy(&attach),
            "yes no yes no",
        ),
        // To an instance without a profile Quick Setup attaches its own, allowed or not; whether it will is not known of one that it did not yet.
        ("DHMC's role has no S3", by_dhmc().policy(&attach), "yes no yes ?"),
        ("DHMC's role has no S3, and nothing may be attached", by_dhmc().policy(&plain), "yes no yes ?"),
        ("no role of the account may read", by_dhmc().scp(&deny_s3, &["r-1"]).policy(&plain), "yes no yes no"),
        // A profile that lets nothing gets what lets it register, and goes before DHMC.
        ("a profile beside DHMC", bare().dhmc(DEFAULT, "ssm.amazonaws.com").in_organization().policy(&attach), "yes no yes yes"),
        (
            "a profile beside DHMC, to which nothing may be attached",
            bare().dhmc(DEFAULT, "ssm.amazonaws.com").in_organization().policy(&plain),
            "yes no no yes",
        ),
        (
            "a profile beside DHMC that may not register",
            bare().deny("ssm:UpdateInstanceInformation").dhmc(DEFAULT, "ssm.amazonaws.com").in_organization().policy(&attach),
            "yes no yes no",
        ),
        (
            "a profile beside DHMC that EC2 may not hand out",
            bare().trust(trust("lambda.amazonaws.com")).dhmc(DEFAULT, "ssm.amazonaws.com").in_organization().policy(&attach),
            "yes no yes no",
        ),
        (
            "a profile without a role beside DHMC",
            bare().without_role().dhmc(DEFAULT, "ssm.amazonaws.com").in_organization().policy(&attach),
            "yes no yes no",
        ),
        ("no credentials", bare().policy(&plain), "yes no no no"),
        ("the roles were not collected", core().without_iam().policy(&plain), "yes ? no ?"),
        // Whom a policy targets.
        ("another Region", targeted(&json!({"TargetRegions": "us-east-1"})), "no yes no yes"),
        ("another account", targeted(&json!({"TargetAccounts": "444455556666"})), "no yes no yes"),
        ("the unit above", targeted(&json!({"TargetAccounts": "", "TargetOrganizationalUnits": "ou-prod"})), "yes no no yes"),
        ("the root", targeted(&json!({"TargetAccounts": "", "TargetOrganizationalUnits": "r-1"})), "yes no no yes"),
        ("another unit", targeted(&json!({"TargetAccounts": "", "TargetOrganizationalUnits": "ou-dev"})), "no yes no yes"),
        ("nobody knows which account", targeted(&json!({"TargetAccounts": ""})), "? ? ? yes"),
        ("nobody knows which Region", targeted(&json!({"TargetRegions": ""})), "? ? ? yes"),
        ("nobody knows which nodes", targeted(&json!({"TargetType": "Tags"})), "? ? ? yes"),
        (
            "the tag of the instance",
            targeted(&json!({"TargetType": "Tags", "TargetTagKey": "tier", "TargetTagValue": "canary"})),
            "yes no no yes",
        ),
        (
            "another value of the tag",
            targeted(&json!({"TargetType": "Tags", "TargetTagKey": "tier", "TargetTagValue": "prod"})),
            "no yes no yes",
        ),
        ("the instance by name", targeted(&json!({"TargetType": "InstanceIds", "TargetInstances": "i-0,i-1"})), "yes no no yes"),
        ("other instances", targeted(&json!({"TargetType": "InstanceIds", "TargetInstances": "i-0,i-11"})), "no yes no yes"),
        ("a resource group", targeted(&group), "? ? ? yes"),
        // Several policies.
        ("one that is served and one that may target it", ready().policy(&plain).policy_with_id("zz9zz", &group), "yes ? ? yes"),
        ("one that is served and one that is not", ready().policy(&plain).policy_with_id("zz9zz", &plain), "yes no no yes"),
        ("one that Quick Setup mends and one that may target it", targeted(&attach).policy_with_id("zz9zz", &group), "yes no ? yes"),
        ("one that Quick Setup mends and one that it does not", targeted(&attach).policy_with_id("zz9zz", &plain), "yes no no yes"),
    ];
    check(rows, Given::bucket);
}

/// A policy that is still to be made: `targeted readable may-attach can-attach`.
#[test]
fn the_bucket_of_a_new_patch_policy_is_judged_before_it_is_there() {
    let attach = json!({"IsPolicyAttachAllowed": "true"});
    let (yes, no) = ("attach_policies: true", "attach_policies: false");
    let ready = || core().in_organization().attached(BASELINE_ACCESS);
    let deny = |action: &str| json!({"Effect": "Deny", "Action": action, "Resource": "*"});
    let narrow = || core().boundary("edge").document("edge", &allow(&json!(["ssm:*", "ssmmessages:*"])));
    let getting =
        |resource: &str| core().in_organization().statement(&json!({"Effect": "Allow", "Action": "s3:GetObject", "Resource": resource}));
    let crowded =
        (1..=19).fold(core(), |given, n| given.attached(&own(&format!("p{n}"))).document(&format!("p{n}"), &allow(&json!("logs:*"))));
    let tagged = |count: usize| (0..count).fold(core(), |given, n| given.tag(&format!("tag-{n}"), "x"));
    check(
        vec![
            // Quick Setup attaches what is lacking, if it can.
            ("Core alone", core().in_organization().planned(yes), "yes no yes yes"),
            ("AWS's policy too", ready().planned(yes), "yes no yes yes"),
            ("a deny of S3", core().deny("s3:*").in_organization().planned(yes), "yes no yes no"),
            ("a boundary without S3", narrow().in_organization().planned(yes), "yes no yes no"),
            ("20 policies", crowded.in_organization().planned(yes), "yes no yes no"),
            ("49 tags and one to come", tagged(49).in_organization().planned(yes), "yes no yes yes"),
            ("50 tags", tagged(50).in_organization().planned(yes), "yes no yes no"),
            ("no reading of buckets in the organization", core().scp(&deny("s3:*"), &["r-1"]).planned(yes), "yes no yes no"),
            ("no tags in the organization", ready().scp(&deny("iam:TagRole"), &["ou-web"]).planned(yes), "yes no yes no"),
            // It does not: the permission must be there, and the tag comes later.
            ("Core alone, by AWS's default", core().in_organization().planned(""), "yes no no yes"),
            ("Core alone, not to be attached to", core().in_organization().planned(no), "yes no no yes"),
            ("AWS's policy, not to be attached to", ready().planned(no), "yes ? no yes"),
            ("AWS's policy and a deny", ready().deny("s3:*").planned(no), "yes no no no"),
            ("AWS's policy and another policy's tag", ready().tag("QSConfigId-ab1cd", "ab1cd").planned(no), "yes ? no yes"),
            ("the documentation's pattern", getting("arn:aws:s3:::aws-quicksetup-patchpolicy-*").planned(no), "yes ? no yes"),
            ("another bucket", getting("arn:aws:s3:::acme-content/*").planned(no), "yes no no yes"),
            // To an instance without a profile Quick Setup gives one.
            ("DHMC", bare().without_profile().dhmc(DEFAULT, "ssm.amazonaws.com").in_organization().planned(no), "yes ? yes ?"),
            // Beside one that exists, and that Quick Setup mends.
            ("one that exists lacks its tag", ready().policy(&attach).planned(no), "yes no ? yes"),
            ("and so does a role without the permission", core().in_organization().policy(&attach).planned(no), "yes no no yes"),
        ],
        Given::bucket,
    );
    let settled_by = ready().planned(no).with_identity(|identity| identity.bucket.may_read.reasons()[0].settled_by.clone());
    assert_eq!(
        settled_by,
        "once Quick Setup has made next, put the tag QSConfigId-<id>=<id> on the role worker, or plan it with attach_policies: true"
    );
    let because = core().in_organization().planned(no).with_identity(|identity| identity.bucket.because.clone());
    assert_eq!(because, format!("worker may not read aws-quicksetup-patchpolicy-{ACCOUNT}-* (no policy of the role allows it)"));
}

/// A bucket's policy as Quick Setup writes it, with its condition on who is a target.
fn of_quick_setup(targets: &Value) -> Value {
    let object = "arn:aws:s3:::aws-quicksetup-patchpolicy-999999999999-ab1cd/baseline_overrides.json";
    json!({"Version": "2012-10-17", "Statement": [
        {"Sid": "AllowAccess", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": object, "Condition": targets},
        {"Sid": "DenyAllButPrincipalsWithTag", "Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": object,
            "Condition": {"StringNotEquals": {"aws:PrincipalTag/QSConfigId-ab1cd": "ab1cd"}}},
        {"Sid": "DenyInsecureTransport", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": object,
            "Condition": {"Bool": {"aws:SecureTransport": "false"}}}]})
}

fn of_unit(unit: &str) -> Value {
    json!({"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": format!("o-1234567890/*/{unit}/*")}})
}

#[test]
fn the_bucket_has_a_word_of_its_own() {
    let ready = || core().in_organization().attached(BASELINE_ACCESS).tag("QSConfigId-ab1cd", "ab1cd").policy(&json!({}));
    let untagged = || core().in_organization().attached(BASELINE_ACCESS);
    let organization = json!({"StringEquals": {"aws:PrincipalOrgID": "o-1234567890"}});
    let written = of_quick_setup(&organization);
    let by_hand = |condition: &Value| json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*", "Condition": condition}]});
    let with = |given: Given, targets: &Value| given.bucket_of("ab1cd", Some(&of_quick_setup(targets)));
    let attach = json!({"IsPolicyAttachAllowed": "true"});
    let everyone = json!([{"Key": "InstanceIds", "Values": ["*"]}]);
    let unseen = |given: Given| given.without_quick_setup().none_unseen();
    check(
        vec![
            // As Quick Setup writes it.
            ("for the organization", with(ready(), &organization), "yes yes no yes"),
            ("for another organization", with(ready(), &json!({"StringEquals": {"aws:PrincipalOrgID": "o-other"}})), "yes no no no"),
            ("without the tag", with(untagged().policy(&json!({})), &organization), "yes no no yes"),
            ("without the tag, which Quick Setup adds", with(untagged().policy(&attach), &organization), "yes no yes yes"),
            ("a role that may read nothing", with(core().in_organization().policy(&json!({})), &organization), "yes no no yes"),
            ("for the unit", with(ready(), &of_unit("ou-web")), "yes yes no yes"),
            ("for the unit above", with(ready(), &of_unit("ou-prod")), "yes yes no yes"),
            ("for another unit", with(ready(), &of_unit("ou-dev")), "yes no no no"),
            ("for another unit, and attaching does not help", with(untagged().policy(&attach), &of_unit("ou-dev")), "yes no yes no"),
            (
                "for the account that made it",
                with(ready(), &json!({"StringEquals": {"aws:PrincipalAccount": "999999999999"}})),
                "yes no no no",
            ),
            // Changed by hand.
            ("a bucket without a policy", ready().bucket_of("ab1cd", None), "yes no no no"),
            ("one that asks for no tag", untagged().policy(&json!({})).bucket_of("ab1cd", Some(&by_hand(&organization))), "yes yes no yes"),
            (
                "one that asks for an endpoint",
                ready().bucket_of("ab1cd", Some(&by_hand(&json!({"StringEquals": {"aws:SourceVpce": "vpce-1"}})))),
                "yes ? no ?",
            ),
            (
                "one that asks whose it is, in S3's own word",
                ready().bucket_of("ab1cd", Some(&by_hand(&json!({"StringEquals": {"s3:ResourceAccount": "999999999999"}})))),
                "yes yes no yes",
            ),
            ("one that is no policy", ready().bucket_of("ab1cd", Some(&json!("no policy"))), "yes ? no ?"),
            // Not collected.
            ("not collected", ready().bucket_not_collected(), "yes ? no ?"),
            ("that of another policy", ready().bucket_not_collected().bucket_of("zz9zz", Some(&written)), "yes ? no ?"),
            (
                "not collected, and the role may read nothing",
                core().in_organization().policy(&json!({})).bucket_not_collected(),
                "yes no no ?",
            ),
            ("not collected, where a tag may be asked for", untagged().policy(&json!({})).bucket_not_collected(), "yes ? no ?"),
            ("collected, whatever is vouched for", with(ready(), &of_unit("ou-dev")), "yes no no no"),
            // Policies that nobody saw.
            ("Quick Setup was not read", ready().without_quick_setup(), "? ? no ?"),
            ("Quick Setup was not read, and nothing lets the agent register", bare().without_quick_setup(), "? no no no"),
            ("there is no other", unseen(ready()), "no yes no yes"),
            ("associations tell of one", unseen(ready()).association("ab1cd", &everyone), "yes yes no yes"),
            ("associations tell of one with another id", unseen(ready()).association("zz9zz", &everyone), "yes no ? yes"),
            (
                "associations tell of one, whose bucket was not read",
                unseen(ready()).association("ab1cd", &everyone).bucket_not_collected(),
                "yes ? ? ?",
            ),
            (
                "associations tell of one, and the role may read nothing",
                unseen(core().in_organization()).association("ab1cd", &everyone).bucket_not_collected(),
                "yes no ? ?",
            ),
            (
                "associations tell of one for other nodes",
                unseen(ready()).association("ab1cd", &json!([{"Key": "tag:tier", "Values": ["prod"]}])),
                "no yes no yes",
            ),
        ],
        Given::bucket,
    );
    let because = |given: &Given| given.with_identity(|identity| identity.bucket.because.clone());
    let name = "aws-quicksetup-patchpolicy-999999999999-ab1cd";
    let refusal = format!("{name} does not let worker in (its policy does not allow it)");
    assert_eq!(because(&with(ready(), &of_unit("ou-dev"))), refusal);
    assert_eq!(
        because(&with(untagged().policy(&json!({})), &of_unit("ou-dev"))),
        format!("the role worker has no tag QSConfigId-ab1cd=ab1cd; {refusal}")
    );
    assert_eq!(because(&ready().bucket_of("ab1cd", None)), refusal);
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

/// Where Quick Setup has to do something first, the instance says so.
#[test]
fn what_is_to_be_attached_is_told() {
    let notes = |given: &Given| {
        given.with_identity(|identity| identity.notes.iter().filter(|note| note.contains("Quick Setup")).cloned().collect::<Vec<_>>())
    };
    let attach = json!({"IsPolicyAttachAllowed": "true"});
    let told = notes(&core().in_organization().attached(BASELINE_ACCESS).policy(&attach));
    assert_eq!(
        told,
        [
            "Quick Setup would have to attach what nightly needs before a run works, and has not done so: the role worker has no tag QSConfigId-ab1cd=ab1cd."
        ]
    );
    for silent in [
        core().in_organization().policy(&json!({})),
        core().in_organization().attached(BASELINE_ACCESS).tag("QSConfigId-ab1cd", "ab1cd").policy(&attach),
        core().in_organization().deny("s3:*").policy(&attach),
    ] {
        assert_eq!(notes(&silent), Vec::<String>::new());
    }
    let lacking = |given: &Given| given.with_identity(|identity| identity.bucket.lacking_tags.clone());
    assert_eq!(lacking(&core().in_organization().policy(&json!({}))), ["QSConfigId-ab1cd=ab1cd"]);
    assert_eq!(lacking(&core().in_organization().tag("QSConfigId-ab1cd", "ab1cd").policy(&json!({}))), Vec::<String>::new());
}

/// The bucket, and what Quick Setup may change, are the organization's too.
#[test]
fn policies_of_the_organization_and_the_bucket() {
    let deny = |actions: &Value| json!({"Effect": "Deny", "Action": actions, "Resource": "*"});
    let attach = json!({"IsPolicyAttachAllowed": "true"});
    let ready = || core().in_organization().attached(BASELINE_ACCESS).tag("QSConfigId-ab1cd", "ab1cd");
    check(
        vec![
            ("no reading of buckets", ready().scp(&deny(&json!("s3:*")), &["r-1"]).policy(&json!({})), "yes no no no"),
            ("no attaching", core().scp(&deny(&json!("iam:AttachRolePolicy")), &["ou-web"]).policy(&attach), "yes no yes no"),
            ("no tags", core().scp(&deny(&json!("iam:Tag*")), &[ACCOUNT]).policy(&attach), "yes no yes no"),
            ("nothing of that", core().scp(&deny(&json!("iam:CreateUser")), &[ACCOUNT]).policy(&attach), "yes no yes yes"),
        ],
        Given::bucket,
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
