//! AWS's own policies: that they are read without a rest, and what they are known to allow.

use patch_preflight::policy_language::{
    Context, Layers, ManagedPolicies, Policies, Principal, Reason, Request, Resource, Verdict, evaluate,
};

use super::cases::{ACCOUNT, ROLE, word};

const BUCKET: &str = "arn:aws:s3:::aws-quicksetup-patchpolicy-*/baseline_overrides.json";

fn decide(policies: &[&str], action: &str, resource: Resource<'_>, context: &Context) -> (Verdict, Reason) {
    let table = ManagedPolicies::builtin().unwrap();
    let arn = |name: &str| {
        let policy = table.policies.iter().find(|policy| policy.name == name).unwrap();
        format!("arn:aws:iam::aws:policy{}{}", policy.path, policy.name)
    };
    let policies = policies.iter().map(|name| table.by_arn(&arn(name)).unwrap()).collect();
    let principal = Principal::Role { arn: ROLE.to_owned(), session: None };
    let layers = Layers { identity: Policies::Known(policies), ..Layers::default() };
    let request = Request { action, resource, principal: &principal, resource_account: Some(ACCOUNT), context };
    let decision = evaluate(&layers, &request);
    (decision.verdict, decision.reason)
}

#[test]
fn every_document_is_read_without_a_rest() {
    let table = ManagedPolicies::builtin().unwrap();
    assert_eq!(table.policies.len(), 8);
    assert!(!table.as_of.is_empty() && !table.source.is_empty());
    for policy in &table.policies {
        let read = table.by_arn(&format!("arn:aws-cn:iam::aws:policy{}{}", policy.path, policy.name)).unwrap();
        assert_eq!(read.unreadable_parts(), Vec::<String>::new(), "{}", policy.name);
        assert!(policy.version.starts_with('v') && policy.created.ends_with('Z'), "{}", policy.name);
    }
    assert!(table.by_arn("arn:aws:iam::aws:policy/AmazonEC2RoleforSSM").is_none(), "its path is /service-role/");
    assert!(table.by_arn("arn:aws:iam::111122223333:policy/AmazonSSMManagedInstanceCore").is_none());
}

#[test]
fn aws_policies_allow_what_they_are_known_for() {
    let cases = [
        ("AmazonSSMManagedInstanceCore", "ssm:UpdateInstanceInformation", "*", "allow"),
        ("AmazonSSMManagedInstanceCore", "ssm:GetParameter", "arn:aws:ssm:eu-west-1:111122223333:parameter/x", "allow"),
        ("AmazonSSMManagedInstanceCore", "ssm:GetDeployablePatchSnapshotForInstance", "*", "allow"),
        ("AmazonSSMManagedInstanceCore", "ssm:PutComplianceItems", "*", "allow"),
        ("AmazonSSMManagedInstanceCore", "ssmmessages:CreateControlChannel", "*", "allow"),
        ("AmazonSSMManagedInstanceCore", "ssmmessages:OpenControlChannel", "*", "allow"),
        ("AmazonSSMManagedInstanceCore", "ssmmessages:CreateDataChannel", "*", "allow"),
        ("AmazonSSMManagedInstanceCore", "ssmmessages:OpenDataChannel", "*", "allow"),
        ("AmazonSSMManagedInstanceCore", "ec2messages:GetMessages", "*", "allow"),
        ("AmazonSSMManagedInstanceCore", "s3:GetObject", BUCKET, "deny"),
        ("AmazonSSMManagedInstanceCore", "ssm:SendCommand", "*", "deny"),
        ("AmazonSSMManagedEC2InstanceDefaultPolicy", "ssm:UpdateInstanceInformation", "*", "allow"),
        ("AmazonSSMManagedEC2InstanceDefaultPolicy", "ssmmessages:OpenDataChannel", "*", "allow"),
        ("AmazonSSMManagedEC2InstanceDefaultPolicy", "ssm:GetParameter", "*", "deny"),
        ("AmazonSSMManagedEC2InstanceDefaultPolicy", "ssm:GetParameters", "*", "deny"),
        ("AmazonSSMManagedEC2InstanceDefaultPolicy", "s3:GetObject", BUCKET, "deny"),
        ("AmazonEC2RoleforSSM", "s3:GetObject", BUCKET, "allow"),
        ("AmazonEC2RoleforSSM", "ssm:GetParameter", "*", "deny"),
        ("AmazonSSMFullAccess", "ssm:UpdateInstanceInformation", "*", "allow"),
        ("AmazonSSMFullAccess", "ssmmessages:CreateControlChannel", "*", "allow"),
        ("AmazonSSMFullAccess", "s3:GetObject", BUCKET, "deny"),
        ("AmazonSSMPatchAssociation", "ssm:GetPatchBaseline", "arn:aws:ssm:eu-west-1:111122223333:patchbaseline/pb-1", "allow"),
        ("AmazonSSMPatchAssociation", "ssm:DescribePatchBaselines", "*", "allow"),
        ("AmazonSSMPatchAssociation", "ssm:UpdateInstanceInformation", "*", "deny"),
        ("AmazonSSMDirectoryServiceAccess", "ds:CreateComputer", "*", "allow"),
        ("AWSQuickSetupPatchPolicyBaselineAccess", "s3:GetObject", "arn:aws:s3:::other-*", "deny"),
        ("AWSQuickSetupPatchPolicyBaselineAccess", "s3:GetObject", BUCKET, "unknown"),
        ("AWSQuickSetupPatchPolicyBaselineAccess", "s3:PutObject", BUCKET, "deny"),
        ("AWSQuickSetupPatchPolicyPermissionsBoundary", "ssm:UpdateInstanceInformation", "*", "deny"),
    ];
    for (policy, action, resource, expected) in cases {
        let resource = if resource.len() > 1 && resource.contains('*') { Resource::Pattern(resource) } else { Resource::Exact(resource) };
        let (verdict, reason) = decide(&[policy], action, resource, &Context::new());
        assert_eq!(word(verdict), expected, "{policy}: {action}: {reason:?}");
    }
}

#[test]
fn the_baseline_policy_hangs_on_the_account_or_the_organization() {
    let policies = ["AmazonSSMManagedInstanceCore", "AWSQuickSetupPatchPolicyBaselineAccess"];
    let known = |keys: &[(&str, &str)]| keys.iter().fold(Context::new(), |context, (key, value)| context.known(key, *value));
    let accounts = [("aws:PrincipalAccount", "1"), ("aws:ResourceAccount", "2")];
    let organizations = [("aws:PrincipalOrgID", "o-1"), ("aws:ResourceOrgID", "o-1")];
    let cases = [
        (known(&[("aws:PrincipalAccount", "1"), ("aws:ResourceAccount", "1")]), Verdict::Allow),
        (known(&organizations), Verdict::Allow),
        (known(&accounts), Verdict::Unknown),
        (known(&accounts).absent("aws:PrincipalOrgID").absent("aws:ResourceOrgID"), Verdict::Deny),
        (known(&accounts).nothing_else_under("aws:"), Verdict::Deny),
        (known(&[("aws:PrincipalAccount", "1")]).nothing_else_under("aws:PrincipalTag/"), Verdict::Unknown),
    ];
    for (context, expected) in cases {
        let (verdict, reason) = decide(&policies, "s3:GetObject", Resource::Pattern(BUCKET), &context);
        assert_eq!(verdict, expected, "{context:?}: {reason:?}");
    }
    let (_, reason) = decide(&policies, "s3:GetObject", Resource::Pattern(BUCKET), &Context::new());
    let Reason::Open(doubts) = reason else { panic!("{reason:?}") };
    let said: Vec<String> = doubts.iter().map(ToString::to_string).collect();
    assert!(
        said.contains(
            &"statement QuickSetupPatchingBaselineOverridesS3OrganizationReadOnlyAccess of identity-based policy \
              arn:aws:iam::aws:policy/AWSQuickSetupPatchPolicyBaselineAccess: the value of aws:PrincipalOrgID is not known"
                .to_owned()
        ),
        "{said:#?}"
    );
}
