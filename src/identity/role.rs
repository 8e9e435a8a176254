//! The roles that were collected, each with its policies ready to be asked.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::Value;

use crate::model::known::Known;
use crate::policy_language::{Layers, ManagedPolicies, Policies, Policy};
use crate::snapshot::ec2::IamInstanceProfile;
use crate::snapshot::global::{GetAccountAuthorizationDetails, ManagedPolicyDetail, RoleDetail};

/// The name under which a trust policy is told of: it has none of its own.
pub(super) const TRUST_POLICY: &str = "the trust policy";

/// A role as its policies describe it.
#[derive(Debug)]
pub(super) struct Role<'a> {
    pub(super) detail: &'a RoleDetail,
    pub(super) arn: String,
    pub(super) layers: Layers,
    /// Of handing it out: the trust policy, and the resource control policies over the account.
    pub(super) trust: Layers,
    /// What was taken from elsewhere than the snapshot, in whole sentences.
    pub(super) remarks: Vec<String>,
}

impl<'a> Role<'a> {
    pub(super) fn name(&self) -> &'a str {
        self.detail.role_name.as_deref().unwrap_or_default()
    }

    pub(super) fn path(&self) -> &'a str {
        self.detail.path.as_deref().unwrap_or("/")
    }

    pub(super) fn has_tag(&self, key: &str, value: &str) -> bool {
        // Keys of tags on IAM's resources know no case, values do: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html>
        self.detail.tags.iter().any(|tag| tag.key.eq_ignore_ascii_case(key) && tag.value == value)
    }

    pub(super) fn has_inline(&self, name: &str) -> bool {
        self.detail.role_policy_list.iter().any(|policy| policy.policy_name.as_deref() == Some(name))
    }

    pub(super) fn has_attached(&self, name: &str) -> bool {
        self.detail.attached_managed_policies.iter().any(|policy| policy.policy_name.as_deref() == Some(name))
    }
}

/// The roles of one account.
#[derive(Debug)]
pub(super) struct Roles<'a> {
    list: Vec<Role<'a>>,
    /// By the ARN and by the id of the profile.
    by_profile: HashMap<&'a str, usize>,
    by_name: HashMap<&'a str, usize>,
    /// The profiles, by ARN, and the roles, by name, of which IAM says that there is none.
    empty_profiles: HashSet<&'a str>,
    absent: HashSet<&'a str>,
}

impl<'a> Roles<'a> {
    /// `over` are the policies over the account, as [`super::control::over`] gives them.
    pub(super) fn of(
        account: &str,
        partition: &str,
        file: &'a GetAccountAuthorizationDetails,
        managed: Option<&ManagedPolicies>,
        over: &Layers,
    ) -> Self {
        let documents: BTreeMap<&str, &Value> =
            file.policies.iter().filter_map(|policy| Some((policy.arn.as_deref()?, default_document(policy)?))).collect();
        let read = |detail: &'a RoleDetail| read(detail, account, partition, &documents, managed, over);
        let list: Vec<Role<'_>> = file.role_detail_list.iter().map(read).collect();
        let (mut by_profile, mut by_name) = (HashMap::new(), HashMap::new());
        for (place, detail) in file.role_detail_list.iter().enumerate() {
            if let Some(name) = &detail.role_name {
                by_name.insert(name.as_str(), place);
            }
            for profile in &detail.instance_profile_list {
                for key in profile.arn.iter().chain(&profile.instance_profile_id) {
                    by_profile.insert(key.as_str(), place);
                }
            }
        }
        let texts = |list: &'a [String]| list.iter().map(String::as_str).collect();
        let (empty_profiles, absent) = (texts(&file.empty_instance_profiles), texts(&file.absent_roles));
        Self { list, by_profile, by_name, empty_profiles, absent }
    }

    /// The role in an instance profile; `None` where the profile does not exist or holds no role that exists. IAM lists profiles beside their
    /// roles only, so that one of which nothing is told may as well not have been looked for.
    pub(super) fn of_profile(&self, profile: &IamInstanceProfile) -> Known<Option<(usize, &Role<'a>)>> {
        // The ARN says it all; the id would tell a profile that was made anew under its old name, but nothing documents what EC2 does then.
        let key = profile.arn.as_deref().or(profile.id.as_deref()).unwrap_or_default();
        match self.by_profile.get(key).and_then(|place| self.at(*place)) {
            None if !self.empty_profiles.contains(key) => {
                let settled_by =
                    format!("look up which role {key} holds (iam:GetInstanceProfile): what was collected of IAM does not have it");
                Known::unknown("fact_not_collected", key, settled_by)
            }
            found => Known::Known(found),
        }
    }

    /// A role by its name with its path, as the setting of Default Host Management Configuration has it: `service-role/Name`. `None` where
    /// there is no such role.
    pub(super) fn named(&self, name_with_path: &str) -> Known<Option<(usize, &Role<'a>)>> {
        let name = name_with_path.rsplit('/').next().unwrap_or(name_with_path);
        match self.by_name.get(name).and_then(|place| self.at(*place)) {
            None if !self.absent.contains(name) => {
                let settled_by = format!("look up the role {name} (iam:GetRole): what was collected of IAM does not have it");
                Known::unknown("fact_not_collected", name, settled_by)
            }
            found => Known::Known(found),
        }
    }

    fn at(&self, place: usize) -> Option<(usize, &Role<'a>)> {
        Some((place, self.list.get(place)?))
    }
}

fn default_document(policy: &ManagedPolicyDetail) -> Option<&Value> {
    let is_default = |version: &&crate::snapshot::global::PolicyVersion| {
        version.is_default_version == Some(true) || (version.version_id.is_some() && version.version_id == policy.default_version_id)
    };
    policy.policy_version_list.iter().find(is_default)?.document.as_ref()
}

fn read<'a>(
    detail: &'a RoleDetail,
    account: &str,
    partition: &str,
    documents: &BTreeMap<&str, &Value>,
    managed: Option<&ManagedPolicies>,
    over: &Layers,
) -> Role<'a> {
    let mut remarks = Vec::new();
    let mut by_arn = |arn: &str| {
        if let Some(document) = documents.get(arn) {
            return Policy::parse(arn, document);
        }
        let Some((table, policy)) = managed.and_then(|table| Some((table, table.by_arn(arn)?))) else {
            return Policy::not_collected(arn);
        };
        remarks.push(format!("The document of {arn} was not collected; what AWS published until {} is taken for it.", table.as_of));
        policy
    };
    let attached = detail.attached_managed_policies.iter().map(|policy| match &policy.policy_arn {
        Some(arn) => by_arn(arn),
        None => Policy::not_collected(policy.policy_name.as_deref().unwrap_or("an attached policy")),
    });
    let mut identity: Vec<Policy> = attached.collect();
    for policy in &detail.role_policy_list {
        let name = policy.policy_name.as_deref().unwrap_or("an inline policy");
        identity
            .push(policy.policy_document.as_ref().map_or_else(|| Policy::not_collected(name), |document| Policy::parse(name, document)));
    }
    let boundary = match &detail.permissions_boundary {
        None => Policies::None,
        Some(boundary) => Policies::Known(vec![match &boundary.permissions_boundary_arn {
            Some(arn) => by_arn(arn),
            None => Policy::not_collected("the permissions boundary"),
        }]),
    };
    let name = detail.role_name.as_deref().unwrap_or_default();
    let trust = match &detail.assume_role_policy_document {
        Some(document) => Policy::parse(TRUST_POLICY, document),
        None => Policy::not_collected(TRUST_POLICY),
    };
    remarks.sort();
    remarks.dedup();
    Role {
        arn: detail
            .arn
            .clone()
            .unwrap_or_else(|| format!("arn:{partition}:iam::{account}:role{}{name}", detail.path.as_deref().unwrap_or("/"))),
        detail,
        layers: Layers {
            identity: Policies::Known(identity),
            boundary,
            service_control: over.service_control.clone(),
            ..Layers::default()
        },
        trust: Layers { resource: Policies::Known(vec![trust]), resource_control: over.resource_control.clone(), ..Layers::default() },
        remarks,
    }
}
