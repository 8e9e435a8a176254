//! IAM: the roles of one account, out of what `get-account-authorization-details` printed.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use super::{Parameters, Question, items, list, part};
use crate::refusal::{Refusal, Trouble};
use crate::render::{Body, Part};
use crate::store::{Account, text};

const FILE: &str = "iam-get-account-authorization-details.json";
/// IAM never leaves it out, and the snapshot does not keep it.
const CREATED: &str = "2020-01-01T00:00:00Z";

pub(super) fn answer<'a>(question: &Question<'a>, account: &'a Account, parameters: &Parameters<'a>) -> Result<Body<'a>, Refusal> {
    question.stop_at_gap()?;
    let Some(file) = account.global.get(FILE) else {
        // Some operation of IAM was refused, so that nothing was kept; those before it answered all the same.
        let is_unexplained = question.store.gaps_of_service(&question.identity.account, "iam").is_empty();
        return if is_unexplained { Err(question.missing(None)) } else { stand_in(question, parameters) };
    };
    let roles = items(Some(file), "RoleDetailList").unwrap_or_default();
    let policies = items(Some(file), "Policies").unwrap_or_default();
    let absent = |what: &str, name: &str| question.refuse(Trouble::NotFound, format!("The {what} with name {name} cannot be found."));
    let role = || {
        let name = parameters.text("RoleName").unwrap_or_default();
        roles.iter().find(|role| text(role, "RoleName") == Some(name)).ok_or_else(|| absent("role", name))
    };
    let policy = || {
        let arn = parameters.text("PolicyArn").unwrap_or_default();
        policies.iter().find(|policy| text(policy, "Arn") == Some(arn)).ok_or_else(|| absent("policy", arn))
    };
    let list_of = |value: &'a Value, member: &str| items(Some(value), member).unwrap_or_default();
    match question.call.operation.name.as_str() {
        "GetInstanceProfile" => {
            let name = parameters.text("InstanceProfileName").unwrap_or_default();
            let mut profiles = roles.iter().flat_map(|role| list_of(role, "InstanceProfileList"));
            let profile = profiles.find(|profile| text(profile, "InstanceProfileName") == Some(name));
            let profile = profile.ok_or_else(|| absent("instance profile", name))?;
            Ok(vec![part("InstanceProfile", dated(profile))])
        }
        "GetRole" => {
            let role = role()?;
            let kept = ["Path", "RoleName", "RoleId", "Arn", "AssumeRolePolicyDocument", "PermissionsBoundary", "Tags"];
            Ok(vec![part("Role", dated(&only(role, &kept)))])
        }
        "ListAttachedRolePolicies" => Ok(vec![list("AttachedPolicies", list_of(role()?, "AttachedManagedPolicies"))]),
        "ListRolePolicies" => {
            let names = list_of(role()?, "RolePolicyList").iter().filter_map(|policy| policy.get("PolicyName"));
            Ok(vec![list("PolicyNames", names)])
        }
        "GetRolePolicy" => {
            let name = parameters.text("PolicyName").unwrap_or_default();
            let role = role()?;
            let found = list_of(role, "RolePolicyList").iter().find(|policy| text(policy, "PolicyName") == Some(name));
            let document = found.and_then(|policy| policy.get("PolicyDocument")).ok_or_else(|| absent("role policy", name))?;
            Ok(vec![part("RoleName", member(role, "RoleName")), part("PolicyName", Value::from(name)), part("PolicyDocument", document)])
        }
        "GetPolicy" => {
            let kept = [
                "PolicyName",
                "PolicyId",
                "Arn",
                "Path",
                "DefaultVersionId",
                "AttachmentCount",
                "IsAttachable",
                "CreateDate",
                "UpdateDate",
            ];
            Ok(vec![part("Policy", only(policy()?, &kept))])
        }
        "GetPolicyVersion" => {
            let id = parameters.text("VersionId").unwrap_or_default();
            let mut versions = list_of(policy()?, "PolicyVersionList").iter();
            let version = versions.find(|version| text(version, "VersionId") == Some(id)).ok_or_else(|| absent("policy version", id))?;
            Ok(vec![part("PolicyVersion", version)])
        }
        "GetAccountAuthorizationDetails" => {
            // Whatever the filter leaves out, the snapshot never held: users, groups.
            let kinds = parameters.words("Filter");
            let wanted = |names: &[&str]| kinds.as_ref().is_none_or(|kinds| names.iter().any(|name| kinds.contains(name)));
            let details = |list: &'a [Value]| Value::Array(list.iter().map(dated).collect());
            let mut body = vec![part("UserDetailList", json!([])), part("GroupDetailList", json!([]))];
            body.push(part("RoleDetailList", if wanted(&["Role"]) { details(roles) } else { json!([]) }));
            let both = ["LocalManagedPolicy", "AWSManagedPolicy"];
            body.push(part("Policies", if wanted(&both) { details(policies) } else { json!([]) }));
            Ok(body)
        }
        _ => Err(question.refuse(Trouble::UnknownOperation, "")),
    }
}

/// Answers that lead on to the operation that was refused.
fn stand_in<'a>(question: &Question<'a>, parameters: &Parameters<'a>) -> Result<Body<'a>, Refusal> {
    let name = |parameter: &str| parameters.text(parameter).unwrap_or_default();
    let role = |name: &str| json!({"Path": "/", "RoleName": name, "RoleId": "AROASIMULATEDROLEID00", "Arn": format!("arn:aws:iam::{}:role/{name}", question.identity.account)});
    Ok(match question.call.operation.name.as_str() {
        "GetInstanceProfile" => {
            let name = name("InstanceProfileName");
            let profile = json!({"Path": "/", "InstanceProfileName": name, "InstanceProfileId": "AIPASIMULATEDPROFILE0",
                "Arn": format!("arn:aws:iam::{}:instance-profile/{name}", question.identity.account), "Roles": [dated(&role(name))]});
            vec![part("InstanceProfile", profile)]
        }
        "GetRole" => vec![part("Role", role(name("RoleName")))],
        "ListAttachedRolePolicies" => {
            name("RoleName");
            vec![part("AttachedPolicies", json!([{"PolicyName": "Simulated", "PolicyArn": "arn:aws:iam::aws:policy/Simulated"}]))]
        }
        "ListRolePolicies" => {
            name("RoleName");
            vec![part("PolicyNames", json!(["simulated"]))]
        }
        "GetRolePolicy" => vec![
            part("RoleName", Value::from(name("RoleName"))),
            part("PolicyName", Value::from(name("PolicyName"))),
            part("PolicyDocument", json!({"Statement": []})),
        ],
        "GetPolicy" => vec![part("Policy", json!({"PolicyName": "Simulated", "Arn": name("PolicyArn"), "DefaultVersionId": "v1"}))],
        "GetPolicyVersion" => {
            let (_, id) = (name("PolicyArn"), name("VersionId"));
            vec![part("PolicyVersion", json!({"VersionId": id, "IsDefaultVersion": true, "Document": {"Statement": []}}))]
        }
        _ => return Err(question.missing(None)),
    })
}

fn member<'a>(value: &'a Value, name: &str) -> Part<'a> {
    Part::Value(value.get(name).map_or(Cow::Owned(Value::Null), Cow::Borrowed))
}

fn only(value: &Value, members: &[&str]) -> Value {
    let kept = members.iter().filter_map(|name| Some(((*name).to_owned(), value.get(*name)?.clone())));
    Value::Object(kept.collect::<Map<_, _>>())
}

/// With the day of its making, and that of the roles within a profile.
fn dated(value: &Value) -> Value {
    let mut value = value.clone();
    if let Value::Object(members) = &mut value {
        members.entry("CreateDate").or_insert_with(|| Value::from(CREATED));
        for inner in ["Roles", "InstanceProfileList", "PolicyVersionList"] {
            if let Some(Value::Array(items)) = members.get_mut(inner) {
                for item in items {
                    *item = dated(item);
                }
            }
        }
    }
    value
}
