//! Organizations: the accounts, the tree of units above them, and the policies that are attached to it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Parameters, Question, items, list, part};
use crate::refusal::{Refusal, Trouble};
use crate::render::{Body, Part};
use crate::store::text;

const TREE: &str = "organizational-units.json";
const POLICIES: &str = "organization-policies.json";

pub(super) fn answer<'a>(question: &Question<'a>, parameters: &Parameters<'a>) -> Result<Body<'a>, Refusal> {
    let store = question.store;
    let account = &question.identity.account;
    question.stop_at_gap()?;
    if store.organization.is_empty() && store.gaps_of_service(account, "organizations").is_empty() {
        return Err(Refusal::new("AWSOrganizationsNotInUseException", 400, "Your account is not a member of an organization."));
    }
    let operation = question.call.operation.name.as_str();
    // A delegated administrator may ask, and whoever the snapshot was taken by was one.
    let may_ask = store.management_account().is_none_or(|management| management == account) || store.caller() == *account;
    if operation != "DescribeOrganization" && !may_ask {
        return Err(question.refuse(Trouble::AccessDenied, "You don't have permissions to access this resource."));
    }
    match operation {
        "DescribeOrganization" => {
            let file = store.organization.get("organizations-describe-organization.json");
            let organization = file.and_then(|file| file.get("Organization")).ok_or_else(|| question.missing(None))?;
            Ok(vec![part("Organization", organization)])
        }
        "ListAccounts" => {
            let file = store.organization.get("organizations-list-accounts.json");
            let accounts = items(file, "Accounts").ok_or_else(|| question.missing(None))?;
            Ok(vec![list("Accounts", accounts)])
        }
        "ListPolicies" | "DescribePolicy" | "ListTargetsForPolicy" => of_policies(question, parameters, operation),
        _ => of_tree(question, parameters, operation),
    }
}

fn of_policies<'a>(question: &Question<'a>, parameters: &Parameters<'a>, operation: &str) -> Result<Body<'a>, Refusal> {
    let file = question.store.organization.get(POLICIES).ok_or_else(|| question.missing(None))?;
    let all = items(Some(file), "Policies").unwrap_or_default();
    let summary = |policy: &Value| {
        let members = policy.as_object().into_iter().flatten().filter(|(name, _)| *name != "Content");
        Value::Object(members.map(|(name, value)| (name.clone(), value.clone())).collect())
    };
    if operation == "ListPolicies" {
        let kind = parameters.text("Filter");
        let of_kind = all.iter().filter(|policy| text(policy, "Type") == kind).map(summary);
        return Ok(vec![part("Policies", Value::Array(of_kind.collect()))]);
    }
    let id = parameters.text("PolicyId").unwrap_or_default();
    let policy = all.iter().find(|policy| text(policy, "Id") == Some(id));
    let policy =
        policy.ok_or_else(|| question.refuse(Trouble::NotFound, "We can't find a policy with the PolicyId that you specified."))?;
    if operation == "DescribePolicy" {
        let content = policy.get("Content").ok_or_else(|| question.missing(None))?;
        return Ok(vec![part("Policy", json!({"PolicySummary": summary(policy), "Content": content}))]);
    }
    let targets =
        file.get("Targets").and_then(|targets| targets.get(id)).and_then(Value::as_array).ok_or_else(|| question.missing(None))?;
    let told = targets.iter().filter_map(Value::as_str).map(|target| {
        let kind = if target.starts_with("r-") {
            "ROOT"
        } else if target.starts_with("ou-") {
            "ORGANIZATIONAL_UNIT"
        } else {
            "ACCOUNT"
        };
        json!({"TargetId": target, "Name": target, "Type": kind})
    });
    Ok(vec![part("Targets", Value::Array(told.collect()))])
}

fn of_tree<'a>(question: &Question<'a>, parameters: &Parameters<'a>, operation: &str) -> Result<Body<'a>, Refusal> {
    let Some(tree) = question.store.organization.get(TREE) else { return without_tree(question, parameters, operation) };
    let units = items(Some(tree), "OrganizationalUnits").unwrap_or_default();
    let parents = tree.get("Parents").and_then(Value::as_object);
    let is_unit = |id: &str| units.iter().any(|unit| text(unit, "Id") == Some(id));
    let all_parents = parents.into_iter().flat_map(serde_json::Map::values).filter_map(Value::as_str);
    let unit_parents = units.iter().filter_map(|unit| text(unit, "ParentId"));
    let roots: BTreeSet<&str> = all_parents.chain(unit_parents).filter(|id| !is_unit(id)).collect();
    if operation == "ListRoots" {
        let roots = roots.iter().map(|root| json!({"Id": root, "Arn": arn(question, &format!("root/{}/{root}", organization_id(question))), "Name": "Root", "PolicyTypes": []}));
        return Ok(vec![part("Roots", Value::Array(roots.collect()))]);
    }
    let parent = parameters.text("ParentId").unwrap_or_default();
    if !roots.contains(parent) && !is_unit(parent) {
        return Err(question.refuse(Trouble::NotFound, "You specified parent that doesn't exist."));
    }
    if operation == "ListOrganizationalUnitsForParent" {
        let below = units.iter().filter(|unit| text(unit, "ParentId") == Some(parent)).map(|unit| {
            let id = text(unit, "Id").unwrap_or_default();
            json!({"Id": id, "Arn": arn(question, &format!("ou/{}/{id}", organization_id(question))), "Name": unit.get("Name")})
        });
        return Ok(vec![part("OrganizationalUnits", Value::Array(below.collect()))]);
    }
    let listed = question.store.listed_accounts();
    let below = parents.into_iter().flatten().filter(|(id, above)| above.as_str() == Some(parent) && !is_unit(id));
    let members = below.map(|(id, _)| {
        let known = listed.iter().find(|account| text(account, "Id") == Some(id));
        known.cloned().unwrap_or_else(|| json!({"Id": id}))
    });
    Ok(vec![part("Accounts", Value::Array(members.collect()))])
}

/// The tree could not be read: the gap of the operation that failed was told before, and those that come first in a walk still answer.
fn without_tree<'a>(question: &Question<'a>, parameters: &Parameters<'a>, operation: &str) -> Result<Body<'a>, Refusal> {
    let account = &question.identity.account;
    let later: &[&str] = match operation {
        "ListRoots" => &["ListOrganizationalUnitsForParent", "ListAccountsForParent"],
        "ListOrganizationalUnitsForParent" => &["ListAccountsForParent"],
        _ => &[],
    };
    let fails_later = later.iter().any(|name| question.store.gap(account, None, &format!("organizations:{name}")).is_some());
    if !fails_later {
        return Err(question.missing(None));
    }
    parameters.take("ParentId");
    Ok(match operation {
        "ListRoots" => vec![part("Roots", json!([{"Id": "r-simu", "Name": "Root"}]))],
        _ => vec![(std::borrow::Cow::Borrowed("OrganizationalUnits"), Part::List(Vec::new()))],
    })
}

fn organization_id<'a>(question: &Question<'a>) -> &'a str {
    let file = question.store.organization.get("organizations-describe-organization.json");
    file.and_then(|file| file.pointer("/Organization/Id")).and_then(Value::as_str).unwrap_or("o-simulated0")
}

fn arn(question: &Question<'_>, resource: &str) -> String {
    let management = question.store.management_account().unwrap_or(&question.identity.account);
    format!("arn:{}:organizations::{management}:{resource}", question.store.partition())
}
