//! The policy that a session is limited to, whatever its role may do.
//!
//! Of IAM's language as much as a session of the scanner needs: actions that are allowed and denied on every resource. Whatever else
//! stands in a policy is refused when the role is assumed, so that nothing is passed over.

use serde_json::Value;

use crate::store::text;

/// What of the policy is not honoured.
pub(crate) fn trouble(policy: &Value) -> Option<String> {
    const MEMBERS: [&str; 4] = ["Sid", "Effect", "Action", "Resource"];
    let statements = statements(policy);
    if statements.is_empty() {
        return Some("it has no statement".to_owned());
    }
    statements.iter().find_map(|statement| {
        let unknown = statement.as_object()?.keys().find(|name| !MEMBERS.contains(&name.as_str()));
        let is_effect = matches!(text(statement, "Effect"), Some("Allow" | "Deny"));
        let actions = words(statement, "Action");
        match unknown {
            Some(name) => Some(format!("the simulated AWS does not honour the element {name}")),
            None if !is_effect => Some("Effect is neither Allow nor Deny".to_owned()),
            None if words(statement, "Resource") != ["*"] => Some("the simulated AWS honours no Resource but *".to_owned()),
            None if actions.is_empty() => Some("a statement has no Action".to_owned()),
            None => actions.iter().find(|action| action.contains('?')).map(|action| format!("the simulated AWS does not honour {action}")),
        }
    })
}

/// Whether the policy lets the action pass: some statement allows it, and none denies it.
pub(crate) fn allows(policy: &Value, action: &str) -> bool {
    let meant = statements(policy).iter().filter(|statement| words(statement, "Action").iter().any(|pattern| is_like(pattern, action)));
    let effects: Vec<&str> = meant.filter_map(|statement| text(statement, "Effect")).collect();
    effects.contains(&"Allow") && !effects.contains(&"Deny")
}

/// A policy with one statement may leave the list out.
fn statements(policy: &Value) -> &[Value] {
    match policy.get("Statement") {
        Some(Value::Array(statements)) => statements,
        Some(statement @ Value::Object(_)) => std::slice::from_ref(statement),
        _ => &[],
    }
}

/// One word, or a list of them.
fn words<'v>(statement: &'v Value, member: &str) -> Vec<&'v str> {
    match statement.get(member) {
        Some(Value::Array(words)) => words.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(word)) => vec![word],
        _ => Vec::new(),
    }
}

/// Names of actions do not mind capitals, and `*` stands for any text.
fn is_like(pattern: &str, action: &str) -> bool {
    let (pattern, action) = (pattern.to_ascii_lowercase(), action.to_ascii_lowercase());
    let mut pieces = pattern.split('*');
    let Some(mut rest) = pieces.next().and_then(|first| action.strip_prefix(first)) else { return false };
    let Some(last) = pieces.next_back() else { return rest.is_empty() };
    for piece in pieces {
        let Some((_, after)) = rest.split_once(piece) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{allows, trouble};

    #[test]
    fn an_action_passes_when_it_is_allowed_and_not_denied() {
        let policy = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Resource": "*", "Action": ["ec2:Describe*", "ssm:*Inventory", "iam:Get*Policy*", "sts:AssumeRole"]},
            {"Effect": "Deny", "Resource": "*", "Action": "ec2:describeInstanceAttribute"}]});
        assert_eq!(trouble(&policy), None);
        for action in ["ec2:DescribeVpcs", "ssm:GetInventory", "iam:GetRolePolicy", "iam:GetPolicyVersion", "sts:AssumeRole"] {
            assert!(allows(&policy, action), "{action}");
        }
        for action in ["ec2:DescribeInstanceAttribute", "ssm:GetInventorySchema", "iam:GetRole", "sts:AssumeRoleWithSAML", "s3:GetObject"] {
            assert!(!allows(&policy, action), "{action}");
        }
    }

    #[test]
    fn what_is_not_honoured_is_told() {
        let with = |member: &str, value| {
            let mut statement = json!({"Effect": "Allow", "Resource": "*", "Action": "ec2:*"});
            statement[member] = value;
            trouble(&json!({"Statement": statement}))
        };
        assert_eq!(with("Sid", json!("Look")), None);
        for (member, value) in [
            ("Condition", json!({})),
            ("Resource", json!("arn:aws:ec2:::vpc/vpc-1")),
            ("Effect", json!("allow")),
            ("Action", json!([])),
            ("Action", json!("ec2:Describe?pcs")),
        ] {
            assert!(with(member, value).is_some(), "{member}");
        }
        assert!(trouble(&json!({})).is_some());
    }
}
