//! IAM: the roles behind the instance profiles in use, and nobody else's.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::desk::Desk;
use super::shapes::Shape;
use crate::snapshot::global as file;

const PROFILE: &str = "iam:GetInstanceProfile";
const ROLE: &str = "iam:GetRole";
const ATTACHED: &str = "iam:ListAttachedRolePolicies";
const INLINE_NAMES: &str = "iam:ListRolePolicies";
const INLINE: &str = "iam:GetRolePolicy";
const POLICY: &str = "iam:GetPolicy";
const VERSION: &str = "iam:GetPolicyVersion";
const PAGE: i32 = 1000;
/// What IAM says of a profile, role or policy that is not there. That is an answer, and no gap.
const ABSENT: &str = "NoSuchEntity";

/// Reads the roles of the given profiles (by ARN) and those named (by name with path, as the setting of Default Host Management has it).
pub(super) async fn look(
    desk: &Desk,
    profiles: &BTreeSet<String>,
    role_names: &BTreeSet<String>,
) -> Option<file::GetAccountAuthorizationDetails> {
    let client = desk.iam();
    let mut roles: BTreeMap<String, Vec<file::InstanceProfile>> = BTreeMap::new();
    let mut empty_instance_profiles = BTreeSet::new();
    let mut absent_roles = Vec::new();
    let mut is_whole = true;
    for arn in profiles {
        // The last part of the ARN is the name; the path stands before it.
        let name = arn.rsplit('/').next().unwrap_or(arn);
        match desk.attempt(PROFILE, client.get_instance_profile().instance_profile_name(name).send()).await {
            Ok(answer) => {
                let profile: Option<file::InstanceProfile> = answer.instance_profile.shape();
                if let Some(profile) = profile {
                    if profile.roles.is_empty() {
                        empty_instance_profiles.insert(arn.clone());
                    }
                    for role in profile.roles.iter().filter_map(|role| role.role_name.clone()) {
                        roles.entry(role).or_default().push(profile.clone());
                    }
                }
            }
            Err(refusal) if refusal.has_code(ABSENT) => {
                empty_instance_profiles.insert(arn.clone());
            }
            Err(refusal) => {
                desk.miss(PROFILE, refusal);
                is_whole = false;
            }
        }
    }
    for name in role_names {
        roles.entry(name.rsplit('/').next().unwrap_or(name).to_owned()).or_default();
    }
    let mut role_detail_list = Vec::new();
    let mut policies = BTreeMap::new();
    for (name, profiles) in roles {
        let of_role: Vec<String> = profiles.iter().filter_map(|profile| profile.arn.clone()).collect();
        match role(desk, &client, &name, profiles).await {
            Some(Some(detail)) => {
                let boundary = detail.permissions_boundary.iter().filter_map(|boundary| boundary.permissions_boundary_arn.clone());
                let attached = detail.attached_managed_policies.iter().filter_map(|policy| policy.policy_arn.clone());
                for arn in attached.chain(boundary) {
                    if let std::collections::btree_map::Entry::Vacant(place) = policies.entry(arn) {
                        let policy = policy(desk, &client, place.key()).await;
                        is_whole &= policy.is_some();
                        place.insert(policy);
                    }
                }
                role_detail_list.push(detail);
            }
            Some(None) => {
                empty_instance_profiles.extend(of_role);
                absent_roles.push(name);
            }
            None => is_whole = false,
        }
    }
    let policies = policies.into_values().flatten().collect();
    let empty_instance_profiles = empty_instance_profiles.into_iter().collect();
    is_whole.then_some(file::GetAccountAuthorizationDetails { role_detail_list, policies, empty_instance_profiles, absent_roles })
}

/// A role with its inline policies; `Some(None)` when there is no such role, `None` when it could not be read.
async fn role(
    desk: &Desk,
    client: &aws_sdk_iam::Client,
    name: &str,
    profiles: Vec<file::InstanceProfile>,
) -> Option<Option<file::RoleDetail>> {
    let role = match desk.attempt(ROLE, client.get_role().role_name(name).send()).await {
        Ok(answer) => answer.role?,
        Err(refusal) if refusal.has_code(ABSENT) => return Some(None),
        Err(refusal) => {
            desk.miss(ROLE, refusal);
            return None;
        }
    };
    let attached = desk.pages(
        ATTACHED,
        |marker| client.list_attached_role_policies().role_name(name).max_items(PAGE).set_marker(marker).send(),
        |page| (page.attached_policies, page.marker),
    );
    let attached_managed_policies = attached.await?;
    let names = desk.pages(
        INLINE_NAMES,
        |marker| client.list_role_policies().role_name(name).max_items(PAGE).set_marker(marker).send(),
        |page| (Some(page.policy_names), page.marker),
    );
    let names: Vec<String> = names.await?;
    let mut role_policy_list = Vec::new();
    for policy in names {
        let answer = desk.once(INLINE, client.get_role_policy().role_name(name).policy_name(&policy).send()).await?;
        role_policy_list.push(file::PolicyDetail { policy_name: Some(policy), policy_document: document(&answer.policy_document) });
    }
    Some(Some(file::RoleDetail {
        path: Some(role.path),
        role_name: Some(role.role_name),
        role_id: Some(role.role_id),
        arn: Some(role.arn),
        assume_role_policy_document: role.assume_role_policy_document.as_deref().and_then(document),
        instance_profile_list: profiles,
        role_policy_list,
        attached_managed_policies,
        permissions_boundary: role.permissions_boundary.shape(),
        tags: role.tags.shape(),
    }))
}

/// A managed policy with its default version; `Some(None)` when there is no such policy, `None` when it could not be read.
async fn policy(desk: &Desk, client: &aws_sdk_iam::Client, arn: &str) -> Option<file::ManagedPolicyDetail> {
    let policy = desk.once(POLICY, client.get_policy().policy_arn(arn).send()).await?.policy?;
    let id = policy.default_version_id?;
    let version = desk.once(VERSION, client.get_policy_version().policy_arn(arn).version_id(&id).send()).await?.policy_version?;
    Some(file::ManagedPolicyDetail {
        policy_name: policy.policy_name,
        policy_id: policy.policy_id,
        arn: policy.arn,
        path: policy.path,
        default_version_id: Some(id.clone()),
        policy_version_list: vec![file::PolicyVersion {
            document: version.document.as_deref().and_then(document),
            version_id: Some(id),
            is_default_version: Some(true),
        }],
    })
}

/// A policy document, which IAM sends percent-encoded; the AWS CLI prints it decoded.
fn document(encoded: &str) -> Option<Value> {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    serde_json::from_slice(&bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::document;

    #[test]
    fn policy_documents_are_decoded() {
        let expected = serde_json::json!({"Statement": [{"Effect": "Allow", "Action": "ssm:*"}]});
        for text in [
            "%7B%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22ssm%3A%2A%22%7D%5D%7D",
            r#"{"Statement":[{"Effect":"Allow","Action":"ssm:*"}]}"#,
        ] {
            assert_eq!(document(text), Some(expected.clone()));
        }
        assert_eq!(document("%7"), None);
        assert_eq!(document("not JSON"), None);
    }
}
