//! One instance and what was collected of its roles, put together in words.

use std::collections::BTreeMap;

use patch_preflight::facts::patch_policies;
use patch_preflight::identity::{Identities, Identity, Needs, Source, Vouched};
use patch_preflight::model::Estate;
use patch_preflight::model::known::{Known, Unknown};
use patch_preflight::model::{Assumption, Assumptions};
use patch_preflight::platform::Tables;
use patch_preflight::policy::Node;
use patch_preflight::snapshot::{AccountSnapshot, Gap, RegionFiles, Snapshot, ec2, global};
use serde_json::{Value, json};

pub(super) const ACCOUNT: &str = "111122223333";
pub(super) const MANAGEMENT: &str = "999999999999";
pub(super) const REGION: &str = "eu-central-1";
pub(super) const CORE: &str = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore";

/// One instance and what is known of its roles.
#[derive(Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a circumstance of its own")]
pub(super) struct Given {
    has_profile: bool,
    role: Option<Value>,
    dhmc_role: Option<Value>,
    /// The setting; `None` when it was not collected.
    dhmc: Option<&'static str>,
    pub(super) policies: Vec<Value>,
    /// Whether IAM was asked for the profile and the role of DHMC, and has them not.
    is_known_gone: bool,
    is_iam_collected: bool,
    pub(super) gaps: Vec<Gap>,
    managers: Vec<Value>,
    needs: Needs,
    organization: Option<&'static str>,
    /// `organization-policies.json`; without any policy in it, the kinds are switched off.
    controls: Option<Value>,
    is_quick_setup_collected: bool,
    /// By bucket: `None` in it is a bucket without a policy.
    buckets: BTreeMap<String, Option<Value>>,
    /// The State Manager associations of the instance's Region.
    associations: Vec<Value>,
    vouched: Vouched,
    no_unseen: bool,
    /// Planned patch policies, as YAML.
    plans: Vec<String>,
    captured_at: Option<&'static str>,
}

pub(super) fn allow(actions: &Value) -> Value {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]})
}

pub(super) fn role(name: &str, path: &str, service: &str, profile: Option<&str>) -> Value {
    let arn = format!("arn:aws:iam::{ACCOUNT}:role{path}{name}");
    let profiles: Vec<Value> = profile
        .map(|profile| {
            json!({"InstanceProfileName": profile, "Arn": format!("arn:aws:iam::{ACCOUNT}:instance-profile/{profile}"), "InstanceProfileId": "AIPA1",
                "Roles": [{"RoleName": name, "Arn": arn}]})
        })
        .into_iter()
        .collect();
    json!({"RoleName": name, "Path": path, "RoleId": "AROA1", "Arn": arn, "InstanceProfileList": profiles, "AttachedManagedPolicies": [],
        "RolePolicyList": [], "Tags": [],
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}]}})
}

/// A profile whose role, of another name, has no policy at all; DHMC is off, the agent is new, the Region has ec2messages. Buckets of patch
/// policies are taken to be as Quick Setup writes them.
pub(super) fn bare() -> Given {
    Given {
        has_profile: true,
        role: Some(role("worker", "/", "ec2.amazonaws.com", Some("worker-profile"))),
        dhmc_role: None,
        dhmc: Some("$None"),
        policies: Vec::new(),
        is_known_gone: false,
        is_iam_collected: true,
        gaps: Vec::new(),
        managers: Vec::new(),
        needs: Needs { has_ec2messages: true, agent_prefers_ssmmessages: Known::Known(true) },
        organization: None,
        controls: Some(json!({"Policies": [], "Targets": {}})),
        is_quick_setup_collected: true,
        buckets: BTreeMap::new(),
        associations: Vec::new(),
        vouched: Vouched { bucket_policies_as_written: true, ..Vouched::default() },
        no_unseen: false,
        plans: Vec::new(),
        captured_at: None,
    }
}

/// With AWS's own policy, whose document comes from the table.
pub(super) fn core() -> Given {
    bare().attached(CORE)
}

pub(super) fn unregistered() -> Known<bool> {
    Known::Unknown(vec![Unknown::new("agent_version_unknown", "i-1", "look")])
}

impl Given {
    pub(super) fn on_role(mut self, change: impl FnOnce(&mut Value)) -> Self {
        if let Some(role) = &mut self.role {
            change(role);
        }
        self
    }

    pub(super) fn attached(self, arn: &str) -> Self {
        let entry = json!({"PolicyName": arn.rsplit('/').next().unwrap(), "PolicyArn": arn});
        self.on_role(|role| role["AttachedManagedPolicies"].as_array_mut().unwrap().push(entry))
    }

    /// A customer managed policy with its document.
    pub(super) fn document(mut self, name: &str, document: &Value) -> Self {
        self.policies.push(json!({"PolicyName": name, "Arn": own(name), "DefaultVersionId": "v3", "PolicyVersionList": [
            {"VersionId": "v1", "IsDefaultVersion": false, "Document": allow(&json!("*"))},
            {"VersionId": "v3", "IsDefaultVersion": true, "Document": document}]}));
        self
    }

    pub(super) fn inline(self, document: Value) -> Self {
        self.on_role(|role| {
            let mut policy = json!({"PolicyName": "inline"});
            policy["PolicyDocument"] = document;
            role["RolePolicyList"].as_array_mut().unwrap().push(policy);
        })
    }

    pub(super) fn statement(self, statement: &Value) -> Self {
        self.inline(json!({"Version": "2012-10-17", "Statement": [statement]}))
    }

    pub(super) fn deny(self, action: &str) -> Self {
        self.statement(&json!({"Effect": "Deny", "Action": action, "Resource": "*"}))
    }

    pub(super) fn boundary(self, name: &str) -> Self {
        let boundary = json!({"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": own(name)});
        self.on_role(|role| role["PermissionsBoundary"] = boundary)
    }

    pub(super) fn trust(self, document: Value) -> Self {
        self.on_role(|role| role["AssumeRolePolicyDocument"] = document)
    }

    pub(super) fn tag(self, key: &str, value: &str) -> Self {
        self.on_role(|role| role["Tags"].as_array_mut().unwrap().push(json!({"Key": key, "Value": value})))
    }

    pub(super) fn without_profile(mut self) -> Self {
        (self.has_profile, self.role) = (false, None);
        self
    }

    /// IAM says that the profile holds no role.
    pub(super) fn without_role(mut self) -> Self {
        (self.role, self.is_known_gone) = (None, true);
        self
    }

    /// Nothing was collected of the role, though others were.
    pub(super) fn role_not_collected(mut self) -> Self {
        self.role = None;
        self
    }

    pub(super) fn captured_at(mut self, time: &'static str) -> Self {
        self.captured_at = Some(time);
        self
    }

    pub(super) fn without_iam(mut self) -> Self {
        self.is_iam_collected = false;
        self
    }

    pub(super) fn setting_not_collected(mut self) -> Self {
        self.dhmc = None;
        self
    }

    /// DHMC is on, with a role of this policy.
    pub(super) fn dhmc(mut self, policy: &str, service: &str) -> Self {
        let mut own = role("Default", "/service-role/", service, None);
        own["AttachedManagedPolicies"] = json!([{"PolicyName": "default", "PolicyArn": policy}]);
        (self.dhmc, self.dhmc_role) = (Some("service-role/Default"), Some(own));
        self
    }

    /// DHMC is on, with a role of which IAM says that there is none.
    pub(super) fn dhmc_without_role(mut self) -> Self {
        (self.dhmc, self.is_known_gone) = (Some("service-role/Default"), true);
        self
    }

    /// DHMC is on, and nothing was collected of its role.
    pub(super) fn dhmc_role_not_collected(mut self) -> Self {
        self.dhmc = Some("service-role/Default");
        self
    }

    pub(super) fn on_controls(mut self, change: impl FnOnce(&mut Value)) -> Self {
        change(self.controls.as_mut().unwrap());
        self
    }

    pub(super) fn agent(mut self, prefers_ssmmessages: Known<bool>) -> Self {
        self.needs.agent_prefers_ssmmessages = prefers_ssmmessages;
        self
    }

    pub(super) fn new_region(mut self) -> Self {
        self.needs.has_ec2messages = false;
        self
    }

    pub(super) fn policy(self, parameters: &Value) -> Self {
        self.policy_with_id("ab1cd", parameters)
    }

    pub(super) fn policy_with_id(mut self, id: &str, parameters: &Value) -> Self {
        let mut all = json!({"PatchPolicyName": "nightly", "TargetRegions": format!("us-east-1, {REGION}"), "TargetAccounts": ACCOUNT, "TargetType": "*"});
        for (key, value) in parameters.as_object().unwrap() {
            all[key] = value.clone();
        }
        self.managers.push(json!({"Name": "nightly", "ConfigurationDefinitions": [{"Type": "AWSQuickSetupType-PatchPolicy", "Id": id, "Parameters": all}]}));
        self
    }

    /// The policies so far were made in this Region.
    pub(super) fn made_in(mut self, region: &str) -> Self {
        for manager in &mut self.managers {
            manager["ManagerArn"] = format!("arn:aws:ssm-quicksetup:{region}:{MANAGEMENT}:configuration-manager/ab1cd").into();
        }
        self
    }

    pub(super) fn in_organization(mut self) -> Self {
        self.organization = Some("o-1234567890");
        self
    }

    /// A policy of the organization, of the kind that its name begins with (`SERVICE` or `RESOURCE`), attached to these.
    pub(super) fn control(mut self, kind: &str, name: &str, document: Option<&Value>, attached: &[&str]) -> Self {
        let controls = self.controls.as_mut().unwrap();
        let mut policy = json!({"Id": format!("p-{name}"), "Name": name, "Type": format!("{kind}_CONTROL_POLICY")});
        if let Some(document) = document {
            policy["Content"] = document.to_string().into();
        }
        controls["Policies"].as_array_mut().unwrap().push(policy);
        controls["Targets"][format!("p-{name}")] = json!(attached);
        self
    }

    /// AWS's own service control policy on everything over the account, and one more.
    pub(super) fn scp(self, statement: &Value, attached: &[&str]) -> Self {
        let document = json!({"Version": "2012-10-17", "Statement": [statement]});
        let all = ["r-1", "ou-prod", "ou-web", ACCOUNT, MANAGEMENT];
        self.in_organization().control("SERVICE", "FullAWSAccess", Some(&allow(&json!("*"))), &all).control(
            "SERVICE",
            "guard",
            Some(&document),
            attached,
        )
    }

    /// The policy of a bucket in the management account, by the id of the patch policy.
    pub(super) fn bucket_of(mut self, id: &str, document: Option<&Value>) -> Self {
        self.buckets.insert(format!("aws-quicksetup-patchpolicy-{MANAGEMENT}-{id}"), document.cloned());
        self
    }

    /// Nobody vouches for what was not collected.
    pub(super) fn bucket_not_collected(mut self) -> Self {
        self.vouched.bucket_policies_as_written = false;
        self
    }

    pub(super) fn without_quick_setup(mut self) -> Self {
        self.is_quick_setup_collected = false;
        self
    }

    pub(super) fn none_unseen(mut self) -> Self {
        self.no_unseen = true;
        self
    }

    /// What a patch policy leaves behind in the Region.
    pub(super) fn association(mut self, id: &str, targets: &Value) -> Self {
        self.associations.push(json!({"Name": "AWS-RunPatchBaseline", "AssociationId": id,
            "AssociationName": format!("AWS-QuickSetup-PatchPolicy-ScanForPatches-LA-{id}"), "Targets": targets}));
        self
    }

    /// A new patch policy for the account, with a line more.
    pub(super) fn planned(mut self, line: &str) -> Self {
        let name = if self.plans.is_empty() { "next".to_owned() } else { format!("next-{}", self.plans.len()) };
        self.plans.push(format!("name: {name}\ntargets: {{accounts: ['{ACCOUNT}'], regions: [{REGION}]}}\n{line}\n"));
        self
    }

    pub(super) fn without_controls(mut self) -> Self {
        self.controls = None;
        self
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        let instance = ec2::Instance {
            instance_id: Some("i-1".to_owned()),
            iam_instance_profile: self.has_profile.then(|| {
                serde_json::from_value(json!({"Arn": format!("arn:aws:iam::{ACCOUNT}:instance-profile/worker-profile"), "Id": "AIPA1"}))
                    .unwrap()
            }),
            tags: serde_json::from_value(json!([{"Key": "tier", "Value": "canary"}])).unwrap(),
            ..Default::default()
        };
        let mut snapshot = Snapshot::default();
        let mut account = AccountSnapshot::default();
        let roles: Vec<&Value> = self.role.iter().chain(&self.dhmc_role).collect();
        let mut iam = json!({"RoleDetailList": roles, "Policies": self.policies});
        if self.is_known_gone {
            iam["EmptyInstanceProfiles"] = json!([format!("arn:aws:iam::{ACCOUNT}:instance-profile/worker-profile")]);
            iam["AbsentRoles"] = json!(["Default"]);
        }
        account.global.iam = self.is_iam_collected.then(|| serde_json::from_value(iam).unwrap());
        let files = RegionFiles {
            instances: Some(ec2::DescribeInstances {
                reservations: vec![ec2::Reservation { instances: vec![instance], ..Default::default() }],
            }),
            associations: Some(serde_json::from_value(json!({"Associations": self.associations})).unwrap()),
            service_setting: self.dhmc.map(|value| serde_json::from_value(json!({"ServiceSetting": {"SettingValue": value}})).unwrap()),
            ..Default::default()
        };
        account.regions.insert(REGION.to_owned(), files);
        let mut management = AccountSnapshot::default();
        let quick_setup = |managers: &[Value]| {
            self.is_quick_setup_collected
                .then(|| serde_json::from_value::<global::GetConfigurationManager>(json!({"ConfigurationManagers": managers})).unwrap())
        };
        management.global.quick_setup = quick_setup(&self.managers);
        let policy = |document: &Option<Value>| global::BucketPolicy { policy: document.as_ref().map(Value::to_string) };
        let buckets = self.buckets.iter().map(|(name, document)| (name.clone(), policy(document)));
        management.global.bucket_policies = Some(global::GetBucketPolicy { bucket_policies: buckets.collect() });
        // Without an organization any account may have policies of its own.
        account.global.quick_setup = quick_setup(&[]);
        snapshot.accounts.insert(ACCOUNT.to_owned(), account);
        snapshot.accounts.insert(MANAGEMENT.to_owned(), management);
        snapshot.manifest.gaps.clone_from(&self.gaps);
        snapshot.manifest.captured_at = self.captured_at.map(str::to_owned);
        snapshot.organization.policies = self.controls.clone().map(|controls| serde_json::from_value(controls).unwrap());
        if let Some(id) = self.organization {
            snapshot.organization.organization =
                Some(serde_json::from_value(json!({"Organization": {"Id": id, "MasterAccountId": MANAGEMENT}})).unwrap());
            snapshot.organization.accounts =
                Some(serde_json::from_value(json!({"Accounts": [{"Id": ACCOUNT}, {"Id": MANAGEMENT}]})).unwrap());
            snapshot.organization.units = Some(
                serde_json::from_value(
                    json!({"OrganizationalUnits": [], "Parents": {ACCOUNT: "ou-web", "ou-web": "ou-prod", "ou-prod": "r-1"}}),
                )
                .unwrap(),
            );
        }
        snapshot
    }

    pub(super) fn with_identity<T>(&self, read: impl FnOnce(&Identity<'_>) -> T) -> T {
        let snapshot = self.snapshot();
        let estate = Estate::new(&snapshot);
        let region = estate.region(ACCOUNT, REGION).unwrap();
        let instance = Estate::instances(region)["i-1"];
        let identities = Identities::new(&snapshot, self.vouched);
        let plans = self.plans.iter().flat_map(|plan| patch_preflight::policy::parse(plan, "next.yaml").unwrap()).collect::<Vec<_>>();
        let assumptions = Assumptions::from_iter(self.no_unseen.then_some(Assumption::NoUnseenPatchPolicies));
        let policies = patch_preflight::scan::patch_policies(&estate, &plans, &Tables::builtin().unwrap(), &assumptions).unwrap();
        let reaches = policies.reach(&Node { region, id: "i-1", tags: &instance.tags, operating_system: None, ou_path: "" });
        read(&Identity::of(&identities, region, instance, "aws", &self.needs, &patch_policies(&policies, &reaches, region)))
    }

    /// Source, messages, patching and others, as the table writes them.
    pub(super) fn says(&self) -> String {
        self.with_identity(|identity| {
            let source = match &identity.source {
                Known::Known(Source::InstanceProfile) => "profile",
                Known::Known(Source::Dhmc) => "dhmc",
                Known::Known(Source::Nothing) => "nothing",
                Known::Unknown(_) => "?",
            };
            let permissions = &identity.permissions;
            let words: Vec<&str> =
                [&permissions.messages, &permissions.patching, &permissions.others].map(|grant| word(&grant.is_allowed)).to_vec();
            format!("{source} {}", words.join(" "))
        })
    }

    /// Whether a policy targets the instance, the role may read its bucket, Quick Setup may attach, and can.
    pub(super) fn bucket(&self) -> String {
        self.with_identity(|identity| {
            let bucket = &identity.bucket;
            let words = [&bucket.is_targeted, &bucket.may_read, &bucket.is_attach_allowed, &bucket.can_attach].map(word);
            words.join(" ")
        })
    }
}

pub(super) fn own(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:policy/{name}")
}

pub(super) fn word(fact: &Known<bool>) -> &'static str {
    match fact {
        Known::Known(true) => "yes",
        Known::Known(false) => "no",
        Known::Unknown(_) => "?",
    }
}
