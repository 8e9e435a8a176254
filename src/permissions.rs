//! Every IAM action that a scan uses, and the policies made of them: for the role in each account, for the management account,
//! and for the session itself, which can do no more than read whatever the role allows.

use std::fmt::Write as _;

use serde_json::{Value, json};

/// The role that [`stack_set_template`] deploys.
pub const ROLE_NAME: &str = "PatchPreflightReadOnly";

const DHMC_SETTING: &str = "arn:*:ssm:*:*:servicesetting/ssm/managed-instance/default-ec2-instance-management-role";

/// One IAM action that a scan uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Action {
    /// As IAM writes it: `ec2:DescribeVpcs`.
    pub name: &'static str,
    pub scope: Scope,
    /// What is lost without it, in one sentence.
    pub why: &'static str,
}

/// Where an action is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// In every account that is scanned, the management account included.
    Member,
    /// Where the scan starts: the management account, or a delegated administrator for the Organizations part.
    Management,
}

const fn member(name: &'static str, why: &'static str) -> Action {
    Action { name, scope: Scope::Member, why }
}

const fn management(name: &'static str, why: &'static str) -> Action {
    Action { name, scope: Scope::Management, why }
}

/// Every action, by service and then as the scan uses them.
pub const ACTIONS: &[Action] = &[
    member("ec2:DescribeRegions", "Without it no Region is found, so that each has to be named with --region."),
    member("ec2:DescribeInstances", "Without it nothing can be said about the account: there is no list of instances."),
    member("ec2:DescribeInstanceImageMetadata", "Without it the operating system of an instance that is not managed stays unknown."),
    member("ec2:DescribeInstanceStatus", "Without it an instance that fails its status checks looks like one with a network problem."),
    member("ec2:DescribeVpcs", "Without it every network verdict is unknown."),
    member("ec2:DescribeVpcAttribute", "Without it nobody knows whether DNS works in the VPC, and paths through endpoints stay unknown."),
    member("ec2:DescribeSubnets", "Without it every network verdict is unknown."),
    member("ec2:DescribeRouteTables", "Without it every network verdict is unknown."),
    member("ec2:DescribeSecurityGroups", "Without it every network verdict is unknown."),
    member("ec2:DescribeNetworkAcls", "Without it every network verdict is unknown."),
    member("ec2:DescribeNetworkInterfaces", "Without it the addresses and security groups of interface endpoints stay unknown."),
    member("ec2:DescribeVpcEndpoints", "Without it private paths to Systems Manager and Amazon S3 stay unknown."),
    member("ec2:DescribeVpcEndpointServices", "Without it a fix may propose an endpoint that is not offered in the zone."),
    member("ec2:DescribePrefixLists", "Without it routes and rules that name an AWS prefix list stay unknown."),
    member("ec2:DescribeManagedPrefixLists", "Without it routes and rules that name a prefix list stay unknown."),
    member("ec2:GetManagedPrefixListEntries", "Without it routes and rules that name a prefix list stay unknown."),
    member("ec2:DescribeNatGateways", "Without it paths through a NAT gateway stay unknown."),
    member("ec2:DescribeInternetGateways", "Without it paths through an internet gateway stay unknown."),
    member("ec2:DescribeEgressOnlyInternetGateways", "Without it IPv6 paths to the internet stay unknown."),
    member("ec2:DescribeDhcpOptions", "Without it a VPC with DNS servers of its own looks like one that uses Amazon's."),
    member("ec2:DescribeVpcPeeringConnections", "Without it paths through a peering connection stay unknown."),
    member("ec2:DescribeVpnGateways", "Without it nobody knows whether a virtual private gateway is there and attached to the VPC."),
    member("ec2:DescribeTransitGateways", "Without it paths through a transit gateway stay unknown."),
    member("ec2:DescribeTransitGatewayVpcAttachments", "Without it paths through a transit gateway stay unknown."),
    member("ec2:DescribeTransitGatewayRouteTables", "Without it paths through a transit gateway stay unknown."),
    member("ec2:DescribeTransitGatewayPolicyTables", "Without it an attachment without a route table of a transit gateway stays unknown."),
    member("ec2:SearchTransitGatewayRoutes", "Without it paths through a transit gateway stay unknown."),
    member("ec2:GetTransitGatewayRouteTableAssociations", "Without it paths through a transit gateway stay unknown."),
    member("ec2:GetTransitGatewayRouteTablePropagations", "Without it paths through a transit gateway stay unknown."),
    member("ec2:DescribeVpcBlockPublicAccessOptions", "Without it nobody knows whether the account blocks internet traffic as a whole."),
    member(
        "ec2:DescribeVpcBlockPublicAccessExclusions",
        "Without it nobody knows which VPCs are exempt from the block of internet traffic.",
    ),
    member(
        "ec2:DescribeVpcEncryptionControls",
        "Without it paths through a gateway or a peering connection stay unknown, since a VPC that enforces encryption may stop them.",
    ),
    member("route53:ListHostedZonesByVPC", "Without it a private zone that hides an AWS name goes unseen."),
    member("route53:ListResourceRecordSets", "Without it nobody knows where a private zone sends an AWS name."),
    member("route53:GetHostedZone", "Without it a private zone that a Route 53 Profile brings has no name."),
    member("route53resolver:ListResolverRules", "Without it a rule that forwards AWS names elsewhere goes unseen."),
    member("route53resolver:ListResolverRuleAssociations", "Without it nobody knows which VPCs a forwarding rule holds for."),
    member("route53resolver:ListFirewallRuleGroupAssociations", "Without it nobody knows whether DNS Firewall filters the names of a VPC."),
    member("route53resolver:ListFirewallRules", "Without it nobody knows what DNS Firewall blocks."),
    member("route53resolver:ListFirewallDomainLists", "Without it AWS's own domain lists, which nobody may read, look like unread ones."),
    member("route53resolver:ListFirewallDomains", "Without it a rule of DNS Firewall that blocks AWS names goes unseen."),
    member("route53profiles:ListProfileAssociations", "Without it nobody knows which VPCs have a Route 53 Profile."),
    member(
        "route53profiles:ListProfileResourceAssociations",
        "Without it private zones, forwarding rules and DNS Firewall that a Profile brings go unseen.",
    ),
    member("ssm:DescribeInstanceInformation", "Without it nobody knows which instances are managed now."),
    member("ssm:DescribeInstancePatchStates", "Without it nobody knows when an instance was last patched."),
    member(
        "ssm:GetConnectionStatus",
        "Only --connection-status asks for it; without it nobody knows whether an agent's message channel is open.",
    ),
    member(
        "ssm:ListInventoryEntries",
        "Only --installed-packages asks for it; without it nobody knows which Python is on a node, or that there is none.",
    ),
    member("ssm:ListAssociations", "Without it associations that compete with a patch policy go unseen."),
    member("ssm:GetServiceSetting", "Without it nobody knows whether Default Host Management Configuration is on."),
    member("ssm:DescribePatchBaselines", "Without it patch baselines are missing from the report."),
    member("ssm:GetPatchBaseline", "Without it nobody knows what a patch baseline of yours approves, and after how many days."),
    member("ssm:DescribePatchGroups", "Without it patch groups are missing from the report."),
    member("ssm:GetDefaultPatchBaseline", "Without it nobody knows which baseline holds where none is chosen."),
    member("ssm:DescribeMaintenanceWindows", "Without it maintenance windows that compete with a patch policy go unseen."),
    member("ssm:DescribeMaintenanceWindowTasks", "Without it maintenance windows that compete with a patch policy go unseen."),
    member(
        "ssm:DescribeMaintenanceWindowTargets",
        "Without it nobody knows which nodes a maintenance window patches that has targets of its own.",
    ),
    member(
        "resource-groups:GetGroupQuery",
        "Without it nobody knows who is in a resource group that a patch policy, an association or a maintenance window targets.",
    ),
    member("iam:GetInstanceProfile", "Without it nobody knows which role an instance has."),
    member("iam:GetRole", "Without it the trust, the boundary and the tags of an instance's role stay unknown."),
    member("iam:ListAttachedRolePolicies", "Without it what an instance's role allows stays unknown."),
    member("iam:ListRolePolicies", "Without it what an instance's role allows stays unknown."),
    member("iam:GetRolePolicy", "Without it what an instance's role allows stays unknown."),
    member("iam:GetPolicy", "Without it what an instance's role allows stays unknown."),
    member("iam:GetPolicyVersion", "Without it what an instance's role allows stays unknown."),
    management("organizations:DescribeOrganization", "Without it the management account is not known."),
    management("organizations:ListAccounts", "Without it there is no list of accounts, and --org cannot work."),
    management("organizations:ListRoots", "Without it the tree of organizational units is missing."),
    management("organizations:ListOrganizationalUnitsForParent", "Without it the tree of organizational units is missing."),
    management("organizations:ListAccountsForParent", "Without it nobody knows which unit an account belongs to."),
    management("organizations:ListPolicies", "Without it what the organization's policies leave of a role's permissions is unknown."),
    management("organizations:DescribePolicy", "Without it what a service control policy says is unknown."),
    management("organizations:ListTargetsForPolicy", "Without it nobody knows which accounts a service control policy binds."),
    management("ssm-quicksetup:ListConfigurationManagers", "Without it existing patch policies go unseen."),
    management("ssm-quicksetup:GetConfigurationManager", "Without it what an existing patch policy targets stays unknown."),
    management("s3:GetBucketPolicy", "Without it nobody knows whom the bucket of a patch policy lets in."),
    management("sts:GetCallerIdentity", "Needs no permission unless a policy denies it; without it the scan cannot start."),
    management("sts:AssumeRole", "Without it only the caller's own account can be scanned."),
];

/// The least-privilege policy: for the role in every account, or what the caller needs on top where the scan starts.
pub fn policy_json(scope: Scope) -> String {
    policy_json_for(scope, ROLE_NAME)
}

/// [`policy_json`] for a role of another name.
pub fn policy_json_for(scope: Scope, role_name: &str) -> String {
    let statements: Vec<Value> = SIDS
        .iter()
        .filter_map(|(sid, service)| {
            let names = names(scope, service);
            let resource = match (*sid, *service) {
                ("PatchPolicyBuckets", _) => json!("arn:*:s3:::aws-quicksetup-patchpolicy-*"),
                ("Hop", _) => json!(format!("arn:*:iam::*:role/{role_name}")),
                _ => json!("*"),
            };
            (!names.is_empty()).then(|| json!({"Sid": sid, "Effect": "Allow", "Action": names, "Resource": resource}))
        })
        .chain(
            (scope == Scope::Member)
                .then(|| json!({"Sid": "Dhmc", "Effect": "Allow", "Action": ["ssm:GetServiceSetting"], "Resource": DHMC_SETTING})),
        )
        .collect();
    pretty(&json!({"Version": "2012-10-17", "Statement": statements}))
}

/// One statement a service.
const SIDS: &[(&str, &str)] = &[
    ("NetworkAndInstances", "ec2:"),
    ("Dns", "route53"),
    ("SystemsManager", "ssm:"),
    ("ResourceGroups", "resource-groups:"),
    ("Iam", "iam:"),
    ("Organization", "organizations:"),
    ("QuickSetup", "ssm-quicksetup:"),
    ("PatchPolicyBuckets", "s3:"),
    ("Hop", "sts:AssumeRole"),
];

fn names(scope: Scope, service: &str) -> Vec<&'static str> {
    let needed = ACTIONS.iter().filter(|action| action.scope == scope && action.name.starts_with(service));
    // The setting is named on its own, so that no other setting can be read; the caller's identity needs no permission.
    needed.map(|action| action.name).filter(|name| *name != "ssm:GetServiceSetting").collect()
}

fn pretty(value: &Value) -> String {
    format!("{value:#}")
}

/// The policy that each session in another account is limited to, whatever the role allows: reading only, minified, because STS
/// takes at most 2,048 characters (<https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>). User data and the keys of
/// VPNs, which the wildcards would let through, are denied.
pub fn session_policy() -> String {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "*", "Action": [
        "ec2:Describe*", "ec2:GetManagedPrefixListEntries", "ec2:GetTransitGatewayRouteTable*", "ec2:SearchTransitGatewayRoutes",
        "route53:ListHostedZonesByVPC", "route53:ListResourceRecordSets", "route53:GetHostedZone",
        "route53resolver:ListResolverRule*", "route53resolver:ListFirewall*", "route53profiles:List*",
        "ssm:Describe*", "ssm:GetConnectionStatus", "ssm:ListInventoryEntries", "ssm:ListAssociations", "ssm:GetServiceSetting", "ssm:GetDefaultPatchBaseline",
        "ssm:GetPatchBaseline", "resource-groups:GetGroupQuery",
        "iam:GetInstanceProfile", "iam:GetRole", "iam:GetRolePolicy", "iam:GetPolicy", "iam:GetPolicyVersion", "iam:ListAttachedRolePolicies",
        "iam:ListRolePolicies", "organizations:Describe*", "organizations:List*", "ssm-quicksetup:List*", "ssm-quicksetup:Get*", "s3:GetBucketPolicy",
    ]}, {"Effect": "Deny", "Resource": "*", "Action": [
        "ec2:DescribeInstanceAttribute", "ec2:DescribeLaunchTemplateVersions", "ec2:DescribeSpot*", "ec2:DescribeVpnConnections",
    ]}]})
    .to_string()
}

/// The CloudFormation template that deploys the role into every account of an organization.
pub fn stack_set_template() -> String {
    let mut statements = String::new();
    for (sid, service) in SIDS {
        let names = names(Scope::Member, service);
        if !names.is_empty() {
            statement(&mut statements, sid, &names, "'*'");
        }
    }
    statement(&mut statements, "Dhmc", &["ssm:GetServiceSetting"], &format!("'{DHMC_SETTING}'"));
    TEMPLATE.replace("{role}", ROLE_NAME).replace("{statements}", statements.trim_end())
}

fn statement(text: &mut String, sid: &str, actions: &[&str], resource: &str) {
    let _ = writeln!(
        text,
        "              - Sid: {sid}\n                Effect: Allow\n                Resource: {resource}\n                Action:"
    );
    for action in actions {
        let _ = writeln!(text, "                  - {action}");
    }
}

const TEMPLATE: &str = r"# The role through which patch-preflight reads an account. It can read, and nothing else.
#
# Deploy it as a service-managed StackSet to the organization's root, in one Region (IAM is global). Service-managed StackSets
# skip the management account: create a plain stack from this template there if its instances are to be scanned through the role.
AWSTemplateFormatVersion: '2010-09-09'
Description: The read-only role of patch-preflight
Parameters:
  TrustedPrincipal:
    Type: String
    Description: >-
      Who may assume the role: a twelve-digit account id (everybody whom that account lets), or better the ARN of one role or user.
    AllowedPattern: '^(\d{12}|arn:[\w-]+:iam::\d{12}:.+)$'
  ExternalId:
    Type: String
    Default: ''
    Description: Optional. If set, the scan must give the same value with --external-id.
Conditions:
  HasExternalId: !Not [!Equals [!Ref ExternalId, '']]
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: {role}
      Description: Lets patch-preflight read what decides whether instances can be patched
      MaxSessionDuration: 3600
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement:
          - Effect: Allow
            Principal:
              AWS: !Ref TrustedPrincipal
            Action: sts:AssumeRole
            Condition: !If
              - HasExternalId
              - StringEquals:
                  sts:ExternalId: !Ref ExternalId
              - !Ref AWS::NoValue
      Policies:
        - PolicyName: ReadOnly
          PolicyDocument:
            Version: '2012-10-17'
            Statement:
{statements}
Outputs:
  RoleArn:
    Value: !GetAtt Role.Arn
";

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{ACTIONS, Scope, policy_json, session_policy, stack_set_template};

    fn actions_of(policy: &str) -> Vec<String> {
        let policy: serde_json::Value = serde_json::from_str(policy).unwrap();
        let statements = policy["Statement"].as_array().unwrap().iter();
        statements.flat_map(|one| one["Action"].as_array().unwrap()).map(|name| name.as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn every_action_only_reads() {
        for action in ACTIONS {
            let (_, verb) = action.name.split_once(':').unwrap();
            let reads = ["Describe", "Get", "List", "Search"].iter().any(|prefix| verb.starts_with(prefix));
            assert!(reads || action.name == "sts:AssumeRole", "{}", action.name);
        }
        let names: BTreeSet<_> = ACTIONS.iter().map(|action| action.name).collect();
        assert_eq!(names.len(), ACTIONS.len(), "no action stands twice");
        assert!(!names.contains("ec2:DescribeInstanceAttribute"), "user data is never read");
    }

    #[test]
    fn the_policies_hold_every_action() {
        for scope in [Scope::Member, Scope::Management] {
            let policy = actions_of(&policy_json(scope));
            for action in ACTIONS.iter().filter(|action| action.scope == scope && action.name != "sts:GetCallerIdentity") {
                assert!(policy.iter().any(|name| name == action.name), "{}", action.name);
            }
        }
    }

    #[test]
    fn the_session_policy_fits_and_covers_what_runs_in_a_session() {
        let policy = session_policy();
        assert!(policy.len() <= 2048, "{} characters", policy.len());
        let mut patterns = actions_of(&policy);
        let denied = patterns.split_off(patterns.iter().position(|name| name == "ec2:DescribeInstanceAttribute").unwrap());
        assert!(ACTIONS.iter().all(|action| !denied.iter().any(|name| name == action.name)));
        let covers = |name: &str| {
            patterns.iter().any(|pattern| match pattern.strip_suffix('*') {
                Some(prefix) => name.starts_with(prefix),
                None => pattern == name,
            })
        };
        for action in ACTIONS.iter().filter(|action| !action.name.starts_with("sts:")) {
            assert!(covers(action.name), "{}", action.name);
        }
        for pattern in &patterns {
            let (_, verb) = pattern.split_once(':').unwrap();
            assert!(["Describe", "Get", "List", "Search"].iter().any(|prefix| verb.starts_with(prefix)), "{pattern}");
        }
        assert!(!covers("ssm:GetParameter") && !covers("ec2:GetPasswordData") && !covers("ssm:GetParametersByPath"));
    }

    #[test]
    fn the_template_holds_the_member_policy() {
        let template = stack_set_template();
        let value: serde_json::Value = serde_saphyr::from_str(&template).unwrap_or_default();
        for action in ACTIONS.iter().filter(|action| action.scope == Scope::Member) {
            assert!(template.contains(&format!("- {}\n", action.name)), "{}", action.name);
        }
        assert!(!template.contains("{statements}") && !template.contains("{role}"));
        assert!(value.is_null() || value["Resources"]["Role"].is_object());
    }
}
