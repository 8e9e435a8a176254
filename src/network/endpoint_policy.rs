//! Endpoint policies: whether one lets everything through, as AWS's default does.
//!
//! Anything narrower is not judged yet, and makes the path unknown rather than reachable: a request that a policy refuses fails like one that
//! gets no answer. Source: <https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html>.

use serde_json::Value;

use super::goal::Goal;
use super::verdict::Target;
use crate::model::known::Unknown;
use crate::snapshot::ec2::VpcEndpoint;

/// Why it is not known whether the endpoint's policy lets the agent's requests through; `None` when it surely does.
pub(super) fn doubt(endpoint: &VpcEndpoint, goal: &Goal) -> Option<Unknown> {
    let target = if goal.answered_by.is_s3() { Target::S3 } else { goal.target };
    // Without a document the endpoint has AWS's default, which allows everything.
    let document = endpoint.policy_document.as_deref()?;
    if allows_everything(document, target) {
        return None;
    }
    let id = endpoint.vpc_endpoint_id.as_deref().unwrap_or_default();
    let needed = match target {
        Target::S3 => "s3:GetObject on the buckets that patching reads (https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-operations-s3-buckets.html)".to_owned(),
        other => format!("the agent's {} requests", other.service()),
    };
    Some(Unknown::new(
        "endpoint_policy",
        id,
        format!("check that the policy of {id} allows {needed}: it is not AWS's default, and this version does not judge it"),
    ))
}

fn allows_everything(document: &str, target: Target) -> bool {
    let Ok(policy) = serde_json::from_str::<Value>(document) else { return false };
    let statements = match policy.get("Statement") {
        Some(Value::Array(statements)) => statements.iter().collect(),
        Some(statement @ Value::Object(_)) => vec![statement],
        _ => Vec::new(),
    };
    let has_deny = statements.iter().any(|statement| statement.get("Effect").and_then(Value::as_str) != Some("Allow"));
    !has_deny && statements.iter().any(|statement| is_open(statement, target))
}

fn is_open(statement: &Value, target: Target) -> bool {
    let holds = |member: &str, words: &[&str]| match statement.get(member) {
        Some(Value::String(word)) => words.contains(&word.as_str()),
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).any(|word| words.contains(&word)),
        _ => false,
    };
    let all_of_service = format!("{}:*", target.service());
    let is_for_everybody = holds("Principal", &["*"])
        || statement.get("Principal").and_then(|principal| principal.get("AWS")).and_then(Value::as_str) == Some("*");
    is_for_everybody && holds("Action", &["*", &all_of_service]) && holds("Resource", &["*"]) && statement.get("Condition").is_none()
}

#[cfg(test)]
mod tests {
    use super::{Target, allows_everything};

    #[test]
    fn only_the_open_policy_is_open() {
        let cases = [
            (r#"{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}"#, true),
            (
                r#"{"Version": "2008-10-17", "Statement": {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": ["s3:*"], "Resource": ["*"]}}"#,
                true,
            ),
            (r#"{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "ssm:*", "Resource": "*"}]}"#, false),
            (r#"{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "arn:aws:s3:::mine/*"}]}"#, false),
            (r#"{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*", "Condition": {}}]}"#, false),
            (
                r#"{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}, {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}]}"#,
                false,
            ),
            (r#"{"Statement": []}"#, false),
            ("not JSON", false),
        ];
        for (document, expected) in cases {
            assert_eq!(allows_everything(document, Target::S3), expected, "{document}");
        }
    }
}
