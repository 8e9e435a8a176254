//! Roles with their policies, the profiles that hold them, and the patch policies whose bucket they read or do not.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde_json::{Value, json};

use super::with;
use crate::store::Files;

/// AWS's own policies, as AWS publishes them.
const PUBLISHED: &str = include_str!("../../../../rules/data/managed_policies.json");
const CORE: &str = "AmazonSSMManagedInstanceCore";
const BASELINE_ACCESS: &str = "AWSQuickSetupPatchPolicyBaselineAccess";
const OF_DHMC: &str = "AmazonSSMManagedEC2InstanceDefaultPolicy";
const DHMC_ROLE: &str = "AWSSystemsManagerDefaultEC2InstanceManagementRole";
/// The role of a setting that outlived it.
const DELETED_DHMC_ROLE: &str = "simulated-deleted";
const CREATED: &str = "2024-01-29T15:01:00+00:00";
/// The tag of instances by which a patch policy chooses them; its value is the policy's name.
pub(super) const TARGET_TAG: &str = "patch-policy";
/// The Region that the patch policies are for.
pub(super) const TARGET_REGION: &str = "us-east-1";
/// Two patch policies by name, each with its id and whether Quick Setup attaches what its bucket asks for.
const PATCH_POLICIES: [(&str, &str, bool); 2] = [(SCAN, "s1m5t", false), (INSTALL, "w8k2d", true)];
pub(super) const SCAN: &str = "nightly-scan";
pub(super) const INSTALL: &str = "weekly-install";

/// The instance profiles of an account, by what is with the role in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Profile {
    /// AWS's own policy and one inline that has nothing to do with patching.
    Core,
    /// AWS's own policy within a boundary that has all of it, and no S3.
    Bounded,
    /// A policy of the customer's, which allows all that AWS's does, and more services than EC2 in the trust policy.
    Customer,
    /// What patching needs, and not a letter more.
    Lean,
    /// Made ready for the bucket of the patch policy that scans.
    ReadsBucket,
    /// EC2 may not hand out the role.
    NotTrusted,
    /// No channel through which a command could come.
    NoChannels,
    /// An explicit deny of the registration beside AWS's own policy.
    MayNotRegister,
    /// An explicit deny of what a run reports.
    MayNotReport,
    /// AWS's own policy within a boundary that has nothing of it.
    ShutIn,
    /// The role was deleted, and the profile with it.
    Gone,
}

/// Default Host Management Configuration in a Region of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Dhmc {
    Off,
    On,
    /// It names a role that was deleted.
    Broken,
}

impl Dhmc {
    /// Value and status of the setting.
    pub(super) fn setting(self) -> (String, &'static str) {
        match self {
            Self::Off => ("$None".to_owned(), "Default"),
            Self::On => (format!("service-role/{DHMC_ROLE}"), "Customized"),
            Self::Broken => (format!("service-role/{DELETED_DHMC_ROLE}"), "Customized"),
        }
    }
}

/// What the identities of an account must be there for.
#[derive(Debug, Clone, Default)]
pub(super) struct InUse {
    pub(super) profiles: BTreeSet<Profile>,
    pub(super) dhmc: BTreeSet<Dhmc>,
}

/// What an instance says of its profile.
pub(super) fn of_instance(account: &str, profile: Profile) -> Value {
    json!({"Arn": profile_arn(account, profile), "Id": id("AIPA", profile.name())})
}

/// The roles of an account that are in use, and their managed policies; nothing where none is.
pub(super) fn roles(account: &str, used: &InUse) -> Files {
    if used.profiles.is_empty() && !used.dhmc.iter().any(|dhmc| *dhmc != Dhmc::Off) {
        return Files::new();
    }
    let mut policies = BTreeMap::new();
    let mut details: Vec<Value> = used.profiles.iter().filter_map(|profile| role(account, *profile, &mut policies)).collect();
    if used.dhmc.contains(&Dhmc::On) {
        let of_aws = attach(account, OF_DHMC, &mut policies);
        details.push(json!({"Path": "/service-role/", "RoleName": DHMC_ROLE, "RoleId": id("AROA", DHMC_ROLE), "CreateDate": CREATED,
            "Arn": format!("arn:aws:iam::{account}:role/service-role/{DHMC_ROLE}"), "AssumeRolePolicyDocument": trust(&json!("ssm.amazonaws.com")),
            "InstanceProfileList": [], "RolePolicyList": [], "AttachedManagedPolicies": [of_aws], "Tags": []}));
    }
    let policies: Vec<Value> = policies.into_values().collect();
    let mut file = json!({"RoleDetailList": details, "Policies": policies});
    // Of what is gone, a scan writes down that it looked.
    if used.profiles.contains(&Profile::Gone) {
        file = with(file, "EmptyInstanceProfiles", json!([profile_arn(account, Profile::Gone)]));
    }
    if used.dhmc.contains(&Dhmc::Broken) {
        file = with(file, "AbsentRoles", json!([DELETED_DHMC_ROLE]));
    }
    Files::from([("iam-get-account-authorization-details.json".to_owned(), file)])
}

/// What Quick Setup deploys of the patch policies to an account and Region: associations with their ids.
pub(super) fn deployed() -> Value {
    let operations = |name: &str| if name == SCAN { ["ScanForPatches"].as_slice() } else { &["ScanForPatches", "InstallPatches"] };
    let of_policy = |(name, id, _): &(&'static str, &'static str, bool)| {
        let (name, id) = (*name, *id);
        operations(name).iter().zip(1..).map(move |(operation, number)| {
            json!({"Name": "AWS-RunPatchBaseline", "AssociationId": format!("{number:08}-{id:0>4.4}-4000-8000-000000000000"),
                "AssociationVersion": "1", "AssociationName": format!("AWS-QuickSetup-PatchPolicy-{operation}-TA-{id}"),
                "Targets": [{"Key": format!("tag:{TARGET_TAG}"), "Values": [name]}], "ScheduleExpression": "cron(0 1 * * ? *)"})
        })
    };
    PATCH_POLICIES.iter().flat_map(of_policy).chain([of_groups()]).collect()
}

/// An association for resource groups: of one there is no such group.
fn of_groups() -> Value {
    json!({"Name": "AWS-UpdateSSMAgent", "AssociationId": "00000009-0000-4000-8000-000000000000", "AssociationVersion": "1",
        "AssociationName": "AgentUpdate", "Targets": [{"Key": "resource-groups:Name", "Values": ["fleet", "fleet-of-old"]}],
        "ScheduleExpression": "rate(14 days)"})
}

/// The groups that it targets.
pub(super) fn target_group() -> Value {
    let query = json!({"ResourceTypeFilters": ["AWS::EC2::Instance"], "TagFilters": [{"Key": TARGET_TAG}]});
    json!({"GroupQueries": {"fleet": {"GroupQuery": {"GroupName": "fleet", "ResourceQuery": {"Type": "TAG_FILTERS_1_0", "Query": query.to_string()}}}},
        "AbsentGroups": ["fleet-of-old"]})
}

/// AWS's own baselines, as a patch policy holds them.
fn baselines() -> String {
    let selected = ["AMAZON_LINUX_2023", "DEBIAN"].map(|system| {
        let baseline = format!("arn:aws:ssm:{TARGET_REGION}:075727635805:patchbaseline/pb-0{:016x}", 7);
        (system.to_owned(), json!({"value": baseline, "label": system, "description": "Provided by AWS.", "disabled": false}))
    });
    Value::Object(selected.into_iter().collect()).to_string()
}

/// The patch policies of the organization, as its management account has them.
pub(super) fn patch_policies(management: &str, root: &str) -> Files {
    let managers = PATCH_POLICIES.iter().zip(1..).map(|((name, id, attaches), number)| {
        let operation = if *name == SCAN { "Scan" } else { "ScanAndInstall" };
        json!({"ManagerArn": format!("arn:aws:ssm-quicksetup:us-east-1:{management}:configuration-manager/7a1e0000-0000-4000-8000-00000000000{number}"),
            "Name": name, "Description": format!("Of {TARGET_REGION}"), "CreatedAt": "2026-01-12T08:00:00Z",
            "ConfigurationDefinitions": [{"Type": "AWSQuickSetupType-PatchPolicy", "TypeVersion": "1.0", "Id": id, "Parameters": {
                "PatchPolicyName": name, "TargetRegions": TARGET_REGION, "TargetOrganizationalUnits": root, "TargetType": "Tags",
                "TargetTagKey": TARGET_TAG, "TargetTagValue": name, "ConfigurationOptionsPatchOperation": operation,
                "PatchBaselineUseDefault": "default", "SelectedPatchBaselines": baselines(),
                "IsPolicyAttachAllowed": attaches.to_string()}}],
            "StatusSummaries": [{"StatusType": "Deployment", "Status": "SUCCEEDED", "LastUpdatedAt": "2026-01-12T08:05:00Z"}],
            "Tags": {"team": "platform"}})
    });
    let managers: Vec<Value> = managers.collect();
    let buckets = PATCH_POLICIES.iter().map(|(_, id, _)| {
        let name = format!("aws-quicksetup-patchpolicy-{management}-{id}");
        let policy = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": format!("arn:aws:s3:::{name}/*"),
                "Condition": {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": format!("*/{root}/*")}}},
            {"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": format!("arn:aws:s3:::{name}/*"),
                "Condition": {"StringNotEquals": {format!("aws:PrincipalTag/QSConfigId-{id}"): id}}}]});
        (name, json!({"Policy": policy.to_string()}))
    });
    let buckets: serde_json::Map<String, Value> = buckets.collect();
    Files::from([
        ("ssm-quicksetup-get-configuration-manager.json".to_owned(), json!({"ConfigurationManagers": managers})),
        ("s3-get-bucket-policy.json".to_owned(), json!({"BucketPolicies": buckets})),
    ])
}

impl Profile {
    fn name(self) -> &'static str {
        match self {
            Self::Core => "simulated-ec2-ssm",
            Self::Bounded => "simulated-bounded",
            Self::Customer => "simulated-customer",
            Self::Lean => "simulated-lean",
            Self::ReadsBucket => "simulated-reads-bucket",
            Self::NotTrusted => "simulated-not-trusted",
            Self::NoChannels => "simulated-no-channels",
            Self::MayNotRegister => "simulated-may-not-register",
            Self::MayNotReport => "simulated-may-not-report",
            Self::ShutIn => "simulated-shut-in",
            Self::Gone => "simulated-gone",
        }
    }

    fn managed(self) -> &'static [&'static str] {
        match self {
            Self::Lean | Self::NoChannels | Self::Gone => &[],
            Self::Customer => &["simulated-systems-manager"],
            Self::ReadsBucket => &[CORE, BASELINE_ACCESS],
            _ => &[CORE],
        }
    }

    fn boundary(self) -> Option<&'static str> {
        match self {
            Self::Bounded => Some("simulated-operations"),
            Self::ShutIn => Some("simulated-storage"),
            _ => None,
        }
    }

    fn inline(self) -> Vec<Value> {
        let one = |name: &str, statements: Value| {
            vec![json!({"PolicyName": name, "PolicyDocument": {"Version": "2012-10-17", "Statement": statements}})]
        };
        match self {
            Self::Core => one("logs & metrics", json!([allow(&["logs:PutLogEvents", "cloudwatch:PutMetricData"])])),
            // <https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonSSMManagedInstanceCore.html>, cut down by hand.
            Self::Lean => one(
                "patching",
                json!([
                    allow(&[
                        "ssm:UpdateInstanceInformation",
                        "ssm:ListInstanceAssociations",
                        "ssm:DescribeAssociation",
                        "ssm:GetDocument",
                        "ssm:DescribeDocument",
                        "ssm:UpdateInstanceAssociationStatus",
                        "ssm:GetDeployablePatchSnapshotForInstance",
                        "ssm:PutInventory",
                        "ssm:PutComplianceItems"
                    ]),
                    allow(&["ssmmessages:*"])
                ]),
            ),
            Self::NoChannels => one("systems-manager", json!([allow(&["ssm:*"])])),
            Self::MayNotRegister => one("no-newcomers", json!([deny(&["ssm:UpdateInstance*"])])),
            Self::MayNotReport => one("no-reports", json!([deny(&["ssm:PutInventory", "ssm:PutComplianceItems"])])),
            _ => Vec::new(),
        }
    }

    fn trusted(self) -> Value {
        match self {
            Self::NotTrusted => json!("lambda.amazonaws.com"),
            Self::Customer => json!(["ecs-tasks.amazonaws.com", "ec2.amazonaws.com"]),
            _ => json!("ec2.amazonaws.com"),
        }
    }

    fn tags(self) -> Vec<Value> {
        let mut tags = vec![json!({"Key": "team", "Value": "platform <ops>"})];
        if self == Self::ReadsBucket {
            let scan = PATCH_POLICIES.iter().find(|(name, ..)| *name == SCAN);
            tags.extend(scan.map(|(_, id, _)| json!({"Key": format!("QSConfigId-{id}"), "Value": id})));
        }
        tags
    }
}

/// The role in a profile; its managed policies are added to those of the account.
fn role(account: &str, profile: Profile, policies: &mut BTreeMap<String, Value>) -> Option<Value> {
    if profile == Profile::Gone {
        return None;
    }
    let name = profile.name();
    let trust = trust(&profile.trusted());
    let short = json!({"Path": "/", "RoleName": name, "RoleId": id("AROA", name), "Arn": format!("arn:aws:iam::{account}:role/{name}"),
        "CreateDate": CREATED, "AssumeRolePolicyDocument": trust});
    let own = json!({"Path": "/", "InstanceProfileName": name, "InstanceProfileId": id("AIPA", name), "Arn": profile_arn(account, profile),
        "CreateDate": CREATED, "Roles": [short]});
    let attached: Vec<Value> = profile.managed().iter().map(|policy| attach(account, policy, policies)).collect();
    let mut role = with(short, "InstanceProfileList", json!([own]));
    if let Some(boundary) = profile.boundary() {
        attach(account, boundary, policies);
        let arn = format!("arn:aws:iam::{account}:policy/{boundary}");
        role = with(role, "PermissionsBoundary", json!({"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn}));
    }
    role = with(role, "RolePolicyList", profile.inline());
    role = with(role, "Tags", profile.tags());
    Some(with(role, "AttachedManagedPolicies", attached))
}

/// A managed policy as a role names it; the policy itself is added to those of the account.
fn attach(account: &str, name: &str, policies: &mut BTreeMap<String, Value>) -> Value {
    let published = PUBLISHED_POLICIES.get(name);
    let member = |member: &str| published.and_then(|policy| policy.get(member)).and_then(Value::as_str);
    let path = member("path").unwrap_or("/");
    let arn = if published.is_some() {
        format!("arn:aws:iam::aws:policy{path}{name}")
    } else {
        format!("arn:aws:iam::{account}:policy{path}{name}")
    };
    let version = member("version").unwrap_or("v3");
    let document = published.and_then(|policy| policy.get("document")).cloned().unwrap_or_else(|| of_customer(name));
    policies.insert(
        arn.clone(),
        json!({"PolicyName": name, "PolicyId": id("ANPA", name), "Arn": arn, "Path": path, "DefaultVersionId": version,
            "PolicyVersionList": [{"VersionId": version, "IsDefaultVersion": true, "CreateDate": CREATED, "Document": document}]}),
    );
    json!({"PolicyName": name, "PolicyArn": arn})
}

static PUBLISHED_POLICIES: LazyLock<BTreeMap<String, Value>> = LazyLock::new(|| {
    let table: Value = serde_json::from_str(PUBLISHED).unwrap_or_default();
    let policies = table.get("policies").and_then(Value::as_array).cloned().unwrap_or_default();
    policies.into_iter().filter_map(|policy| Some((policy.get("name")?.as_str()?.to_owned(), policy))).collect()
});

/// The customer's own managed policies.
fn of_customer(name: &str) -> Value {
    let agent = ["ssm:*", "ssmmessages:*", "ec2messages:*"];
    let statements = match name {
        "simulated-storage" => json!([allow(&["s3:*"])]),
        // All but what moves money and people, and no S3.
        "simulated-operations" => json!([allow(&agent), allow(&["logs:*", "cloudwatch:*"]), deny(&["iam:*", "organizations:*"])]),
        _ => json!([{"Sid": "Agent", "Effect": "Allow", "Action": agent, "Resource": ["*"]}]),
    };
    json!({"Version": "2012-10-17", "Statement": statements})
}

fn allow(actions: &[&str]) -> Value {
    json!({"Effect": "Allow", "Action": actions, "Resource": "*"})
}

fn deny(actions: &[&str]) -> Value {
    json!({"Effect": "Deny", "Action": actions, "Resource": "*"})
}

fn trust(service: &Value) -> Value {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}]})
}

fn profile_arn(account: &str, profile: Profile) -> String {
    format!("arn:aws:iam::{account}:instance-profile/{}", profile.name())
}

/// An id as IAM makes them: twenty-one letters and numbers.
fn id(kind: &str, name: &str) -> String {
    let number = name.bytes().fold(0_u64, |sum, byte| sum.wrapping_mul(131).wrapping_add(byte.into()));
    format!("{kind}{number:017X}").chars().take(21).collect()
}

#[cfg(test)]
mod tests {
    use super::{BASELINE_ACCESS, CORE, OF_DHMC, PUBLISHED_POLICIES};

    #[test]
    fn the_policies_of_aws_are_published() {
        for name in [CORE, BASELINE_ACCESS, OF_DHMC] {
            assert!(PUBLISHED_POLICIES[name]["document"]["Statement"].is_array(), "{name}");
        }
    }
}
