//! The roles that were collected, each with its policies ready to be asked.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use crate::policy_language::{Layers, ManagedPolicies, Policies, Policy};
use crate::snapshot::ec2::IamInstanceProfile;
use crate::snapshot::global::{GetAccountAuthorizationDetails, ManagedPolicyDetail, RoleDetail};

/// A role as its policies describe it.
#[derive(Debug)]
pub(super) struct Role<'a> {
    pub(super) detail: &'a RoleDetail,
    pub(super) arn: String,
    pub(super) layers: Layers,
    pub(super) trust: Policy,
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
}

impl<'a> Roles<'a> {
    /// `service_control` are the policies over the account, as [`super::control::over`] gives them.
    pub(super) fn of(
        account: &str,
        partition: &str,
        file: &'a GetAccountAuthorizationDetails,
        managed: Option<&ManagedPolicies>,
        service_control: &[Policies],
    ) -> Self {
        let documents: BTreeMap<&str, &Value> =
            file.policies.iter().filter_map(|policy| Some((policy.arn.as_deref()?, default_document(policy)?))).collect();
        let read = |detail: &'a RoleDetail| read(detail, account, partition, &documents, managed, service_control);
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
        Self { list, by_profile, by_name }
    }

    /// The role in an instance profile. A profile that does not exist, one that holds no role, and one whose role was deleted look alike:
    /// IAM lists profiles beside their roles only.
    pub(super) fn of_profile(&self, profile: &IamInstanceProfile) -> Option<(usize, &Role<'a>)> {
        // The ARN says it all; the id would tell a profile that was made anew under its old name, but nothing documents what EC2 does then.
        let key = profile.arn.as_deref().or(profile.id.as_deref())?;
        self.at(*self.by_profile.get(key)?)
    }

    /// A role by its name with its path, as the setting of Default Host Management Configuration has it: `service-role/Name`.
    pub(super) fn named(&self, name_with_path: &str) -> Option<(usize, &Role<'a>)> {
        let name = name_with_path.rsplit('/').next().unwrap_or(name_with_path);
        self.at(*self.by_name.get(name)?)
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
    service_control: &[Policies],
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
        Some(document) => Policy::parse("the trust policy", document),
        None => Policy::not_collected("the trust policy"),
    };
    remarks.sort();
    remarks.dedup();
    Role {
        arn: detail
            .arn
            .clone()
            .unwrap_or_else(|| format!("arn:{partition}:iam::{account}:role{}{name}", detail.path.as_deref().unwrap_or("/"))),
        detail,
        layers: Layers { identity: Policies::Known(identity), boundary, service_control: service_control.to_vec(), ..Layers::default() },
        trust,
        remarks,
    }
}
