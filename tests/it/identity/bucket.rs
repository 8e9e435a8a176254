//! Whether the role may read the buckets of patch policies, and what Quick Setup would attach to it.

use serde_json::{Value, json};

use super::given::{ACCOUNT, Given, allow, bare, core, own};
use super::{BASELINE_ACCESS, DEFAULT, check, trust};

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
        ("AmazonSSMManagedInstanceCore alone", core().in_organization().policy(&plain), "yes no no ?"),
        ("the tag alone", core().in_organization().tag("QSConfigId-ab1cd", "ab1cd").policy(&plain), "yes no no ?"),
        ("AWS's policy alone", core().in_organization().attached(BASELINE_ACCESS).policy(&plain), "yes no no ?"),
        (
            "the tag of another policy",
            core().in_organization().attached(BASELINE_ACCESS).tag("QSConfigId-zzzzz", "zzzzz").policy(&plain),
            "yes no no ?",
        ),
        (
            "the tag with another value",
            core().in_organization().attached(BASELINE_ACCESS).tag("QSConfigId-ab1cd", "true").policy(&plain),
            "yes no no ?",
        ),
        (
            "the bookkeeping tag",
            core().in_organization().attached(BASELINE_ACCESS).tag("QSConfigName-ab1cd", "ab1cd").policy(&plain),
            "yes no no ?",
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
            "yes no no ?",
        ),
        (
            "the objects of the bucket",
            getting("arn:aws:s3:::aws-quicksetup-patchpolicy-999999999999-ab1cd/*").policy(&plain),
            "yes yes no yes",
        ),
        (
            "the bucket of another account",
            getting("arn:aws:s3:::aws-quicksetup-patchpolicy-111122223333-ab1cd/*").policy(&plain),
            "yes no no ?",
        ),
        ("a deny of S3", ready().deny("s3:*").policy(&plain), "yes no no no"),
        (
            "a boundary without S3",
            ready().boundary("edge").document("edge", &allow(&json!(["ssm:*", "ssmmessages:*"]))).policy(&plain),
            "yes no no no",
        ),
        ("Quick Setup attaches", core().in_organization().policy(&attach), "yes no yes ?"),
        ("Quick Setup attaches nothing where nothing is lacking", ready().policy(&attach), "yes yes no yes"),
        ("18 policies, Core among them, and one to come", crowded(17).policy(&attach), "yes no yes ?"),
        ("20 policies", crowded(19).policy(&attach), "yes no yes no"),
        ("49 tags and one to come", tagged(49).policy(&attach), "yes no yes ?"),
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
        ("a profile beside DHMC", bare().dhmc(DEFAULT, "ssm.amazonaws.com").in_organization().policy(&attach), "yes no yes ?"),
        (
            "a profile beside DHMC, to which nothing may be attached",
            bare().dhmc(DEFAULT, "ssm.amazonaws.com").in_organization().policy(&plain),
            "yes no no ?",
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
        ("the unit above", targeted(&json!({"TargetAccounts": "", "TargetOrganizationalUnits": "ou-prod"})), "yes no no ?"),
        ("the root", targeted(&json!({"TargetAccounts": "", "TargetOrganizationalUnits": "r-1"})), "yes no no ?"),
        ("another unit", targeted(&json!({"TargetAccounts": "", "TargetOrganizationalUnits": "ou-dev"})), "no yes no yes"),
        ("nobody knows which account", targeted(&json!({"TargetAccounts": ""})), "? ? ? ?"),
        ("nobody knows which Region", targeted(&json!({"TargetRegions": ""})), "? ? ? ?"),
        ("nobody knows which nodes", targeted(&json!({"TargetType": "Tags"})), "? ? ? ?"),
        (
            "the tag of the instance",
            targeted(&json!({"TargetType": "Tags", "TargetTagKey": "tier", "TargetTagValue": "canary"})),
            "yes no no ?",
        ),
        (
            "another value of the tag",
            targeted(&json!({"TargetType": "Tags", "TargetTagKey": "tier", "TargetTagValue": "prod"})),
            "no yes no yes",
        ),
        ("the instance by name", targeted(&json!({"TargetType": "InstanceIds", "TargetInstances": "i-0,i-1"})), "yes no no ?"),
        ("other instances", targeted(&json!({"TargetType": "InstanceIds", "TargetInstances": "i-0,i-11"})), "no yes no yes"),
        ("a resource group", targeted(&group), "? ? ? ?"),
        // Several policies.
        ("one that is served and one that may target it", ready().policy(&plain).policy_with_id("zz9zz", &group), "yes ? ? ?"),
        ("one that is served and one that is not", ready().policy(&plain).policy_with_id("zz9zz", &plain), "yes no no ?"),
        ("one that Quick Setup mends and one that may target it", targeted(&attach).policy_with_id("zz9zz", &group), "yes no ? ?"),
        ("one that Quick Setup mends and one that it does not", targeted(&attach).policy_with_id("zz9zz", &plain), "yes no no ?"),
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
    let elsewhere = json!({"TargetType": "InstanceIds", "TargetInstances": "i-2", "IsPolicyAttachAllowed": "true"});
    let not_attaching = json!({"TargetType": "InstanceIds", "TargetInstances": "i-2", "IsPolicyAttachAllowed": "false"});
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
            ("48 tags and two to come", tagged(48).in_organization().planned(yes).planned(yes), "yes no yes yes"),
            ("49 tags and two to come", tagged(49).in_organization().planned(yes).planned(yes), "yes no yes no"),
            (
                "49 tags, and perhaps one more by another instance",
                tagged(49).in_organization().policy(&elsewhere).planned(yes),
                "yes no yes ?",
            ),
            (
                "48 tags, and perhaps one more by another instance",
                tagged(48).in_organization().policy(&elsewhere).planned(yes),
                "yes no yes yes",
            ),
            (
                "49 tags, and nothing to come by another instance",
                tagged(49).in_organization().policy(&not_attaching).planned(yes),
                "yes no yes yes",
            ),
            (
                "49 tags, perhaps one more, and a deny",
                tagged(49).deny("s3:*").in_organization().policy(&elsewhere).planned(yes),
                "yes no yes no",
            ),
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
            ("one that exists lacks its tag", ready().policy(&attach).planned(no), "yes no ? ?"),
            ("and so does a role without the permission", core().in_organization().policy(&attach).planned(no), "yes no no ?"),
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
            ("without the tag", with(untagged().policy(&json!({})), &organization), "yes no no ?"),
            ("without the tag, which Quick Setup adds", with(untagged().policy(&attach), &organization), "yes no yes ?"),
            ("a role that may read nothing", with(core().in_organization().policy(&json!({})), &organization), "yes no no ?"),
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
            ("associations tell of one with another id", unseen(ready()).association("zz9zz", &everyone), "yes no ? ?"),
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
