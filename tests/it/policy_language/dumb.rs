//! A second evaluator, written from AWS's documentation alone. Everything about a request is known to it; what is not known is tried out
//! by whoever asks it. It shares nothing with the engine but the JSON: never read one while writing the other.

use std::collections::BTreeMap;

use serde_json::Value;

/// One request of which everything is known, and the policies as JSON documents.
#[derive(Debug, Clone, Default)]
pub(crate) struct World {
    pub(crate) identity: Vec<Value>,
    pub(crate) boundary: Option<Vec<Value>>,
    pub(crate) session: Option<Vec<Value>>,
    pub(crate) service_control: Vec<Vec<Value>>,
    pub(crate) resource_control: Vec<Vec<Value>>,
    pub(crate) resource: Option<Vec<Value>>,
    pub(crate) endpoint: Option<Vec<Value>>,
    pub(crate) action: String,
    pub(crate) arn: String,
    pub(crate) who: Who,
    pub(crate) resource_account: String,
    /// By key in lower case; a key that is not there is absent.
    pub(crate) context: BTreeMap<String, Vec<String>>,
}

#[derive(Debug, Clone, Default)]
pub(crate) enum Who {
    /// The ARNs of the role and of the session, and the account.
    Role {
        role: String,
        session: String,
        account: String,
    },
    User {
        arn: String,
        account: String,
    },
    Service(String),
    #[default]
    Nobody,
}

pub(crate) fn allows(world: &World) -> bool {
    let account = match &world.who {
        Who::Role { account, .. } | Who::User { account, .. } => Some(account),
        Who::Service(_) | Who::Nobody => None,
    };
    let has_policies = account.is_some();
    let mut everything: Vec<(&Value, bool)> = Vec::new();
    if has_policies {
        everything.extend(world.identity.iter().map(|policy| (policy, false)));
        everything
            .extend(world.boundary.iter().chain(&world.session).chain(&world.service_control).flatten().map(|policy| (policy, false)));
    }
    everything.extend(world.resource_control.iter().chain(&world.resource).chain(&world.endpoint).flatten().map(|policy| (policy, true)));
    for (policy, with_principal) in everything {
        if says(policy, "Deny", world, with_principal, &["*", "session", "role", "account", "not"]) {
            return false;
        }
    }
    let any = |policies: &[Value], with_principal: bool, by: &[&str]| {
        policies.iter().any(|policy| says(policy, "Allow", world, with_principal, by))
    };
    let all_names = ["*", "session", "role", "account", "not"];
    let limit = |policies: &Option<Vec<Value>>| policies.as_ref().is_none_or(|policies| any(policies, false, &all_names));
    if !world.resource_control.iter().all(|level| any(level, true, &all_names)) {
        return false;
    }
    if !world.endpoint.as_ref().is_none_or(|policies| any(policies, true, &all_names)) {
        return false;
    }
    let resource = world.resource.clone().unwrap_or_default();
    if !has_policies {
        return any(&resource, true, &all_names);
    }
    if !world.service_control.iter().all(|level| any(level, false, &all_names)) {
        return false;
    }
    let identity = any(&world.identity, false, &all_names);
    let limits = limit(&world.boundary) && limit(&world.session);
    if account != Some(&world.resource_account) {
        return identity && limits && any(&resource, true, &all_names);
    }
    if any(&resource, true, &["*", "session"]) {
        return true;
    }
    limits && (identity || any(&resource, true, &["role"]))
}

/// Whether a statement with the effect is about the request, by one of the names.
fn says(policy: &Value, effect: &str, world: &World, with_principal: bool, by: &[&str]) -> bool {
    let variables = policy["Version"] == "2012-10-17";
    list(&policy["Statement"]).iter().any(|statement| {
        statement["Effect"] == effect && (!with_principal || by.contains(&named(statement, world))) && covers(statement, variables, world)
    })
}

/// By which name a resource-based statement means the principal, "" for not at all.
fn named(statement: &Value, world: &World) -> &'static str {
    if let Some(exempt) = statement.get("NotPrincipal") {
        if world.boundary.is_some() {
            return "not";
        }
        let exempt = list(&exempt["AWS"]);
        let has = |text: &str| exempt.iter().any(|one| one == text);
        let is_exempt = match &world.who {
            Who::Role { role, account, .. } => has(role) && has(&format!("arn:aws:iam::{account}:root")),
            Who::User { arn, account } => has(arn) && has(&format!("arn:aws:iam::{account}:root")),
            _ => false,
        };
        return if is_exempt { "" } else { "not" };
    }
    let principal = &statement["Principal"];
    if principal == "*" {
        return "*";
    }
    let aws = list(&principal["AWS"]);
    let has = |text: &str| aws.iter().any(|one| one == text);
    if has("*") {
        return "*";
    }
    match &world.who {
        Who::Role { session, .. } if has(session) => "session",
        Who::User { arn, .. } if has(arn) => "session",
        Who::Role { role, .. } if has(role) => "role",
        Who::Role { account, .. } | Who::User { account, .. } if has(account) || has(&format!("arn:aws:iam::{account}:root")) => "account",
        Who::Service(service) if list(&principal["Service"]).iter().any(|one| one == service) => "session",
        _ => "",
    }
}

fn covers(statement: &Value, variables: bool, world: &World) -> bool {
    let action = |pattern: &Value| like(&wild(&pattern.as_str().unwrap().to_lowercase()), &world.action.to_lowercase());
    let actions = match statement.get("NotAction") {
        Some(except) => !list(except).iter().any(action),
        None => list(&statement["Action"]).iter().any(action),
    };
    let resource = |pattern: &Value| {
        let mut pattern = pattern.as_str().unwrap().to_owned();
        while pattern.starts_with("arn:") && pattern.split(':').count() < 6 {
            pattern.push_str(":*");
        }
        substitute(&pattern, variables, &world.context).is_some_and(|pattern| like(&pattern, &world.arn))
    };
    let resources = match (statement.get("NotResource"), statement.get("Resource")) {
        (Some(except), _) => !list(except).iter().any(resource),
        (None, Some(resources)) => list(resources).iter().any(resource),
        (None, None) => true,
    };
    let mut conditions = true;
    for (operator, keys) in statement.get("Condition").and_then(Value::as_object).into_iter().flatten() {
        for (key, wanted) in keys.as_object().unwrap() {
            conditions &= condition(operator, world.context.get(&key.to_lowercase()), &list(wanted), variables, &world.context);
        }
    }
    actions && resources && conditions
}

fn condition(
    operator: &str,
    found: Option<&Vec<String>>,
    wanted: &[Value],
    variables: bool,
    context: &BTreeMap<String, Vec<String>>,
) -> bool {
    let wanted: Vec<String> = wanted.iter().map(|value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)).collect();
    let found = found.cloned().unwrap_or_default();
    if operator == "Null" {
        return wanted.iter().any(|wanted| (wanted == "true") == found.is_empty());
    }
    let (set, operator) = operator.split_once(':').unwrap_or(("", operator));
    let (operator, if_exists) = operator.strip_suffix("IfExists").map_or((operator, false), |operator| (operator, true));
    let negated = operator.contains("Not");
    let operator = operator.replace("Not", "");
    if found.is_empty() {
        return match set {
            "ForAllValues" => true,
            "ForAnyValue" => if_exists,
            _ => if_exists || negated,
        };
    }
    let one = |found: &String| wanted.iter().any(|wanted| matches(&operator, wanted, found, variables, context)) != negated;
    if set == "ForAllValues" { found.iter().all(one) } else { found.iter().any(one) }
}

fn matches(operator: &str, wanted: &str, found: &str, variables: bool, context: &BTreeMap<String, Vec<String>>) -> bool {
    let order = |found: f64, wanted: f64| match operator.trim_start_matches("Numeric").trim_start_matches("Date") {
        "Equals" => (found - wanted).abs() < f64::EPSILON,
        "LessThan" => found < wanted,
        "LessThanEquals" => found <= wanted,
        "GreaterThan" => found > wanted,
        "GreaterThanEquals" => found >= wanted,
        other => panic!("{other}"),
    };
    let seconds = |text: &str| {
        text.parse().unwrap_or_else(|_| {
            let full = if text.contains('T') { text.to_owned() } else { format!("{text}T00:00:00Z") };
            full.parse::<jiff::Timestamp>()
                .unwrap()
                .to_string()
                .parse::<jiff::Timestamp>()
                .unwrap()
                .as_second()
                .to_string()
                .parse()
                .unwrap()
        })
    };
    let Some(text) = substitute(wanted, variables, context) else { return false };
    match operator {
        "StringEquals" => plain(&text) == found,
        "StringEqualsIgnoreCase" => plain(&text).to_lowercase() == found.to_lowercase(),
        "StringLike" => like(&text, found),
        "ArnEquals" | "ArnLike" => {
            let (pattern, arn): (Vec<&str>, Vec<&str>) = (text.splitn(6, ':').collect(), found.splitn(6, ':').collect());
            pattern.len() == arn.len() && pattern.iter().zip(&arn).all(|(pattern, part)| like(pattern, part))
        }
        "Bool" => wanted.to_lowercase() == found.to_lowercase(),
        "BinaryEquals" => wanted == found,
        "IpAddress" => {
            let (network, bits) = wanted.split_once('/').unwrap_or((wanted, "128"));
            let number = |text: &str| match text.parse().unwrap() {
                std::net::IpAddr::V4(address) => (32, u128::from(u32::from(address))),
                std::net::IpAddr::V6(address) => (128, u128::from(address)),
            };
            let ((width, network), (other, address)) = (number(network), number(found));
            let rest = width - bits.parse::<u32>().unwrap().min(width);
            width == other && (rest == 128 || network >> rest == address >> rest)
        }
        date if date.starts_with("Date") => order(seconds(found), seconds(wanted)),
        _ => order(found.parse().unwrap(), wanted.parse().unwrap()),
    }
}

/// The two wildcards, told from the same characters in a variable's value.
const MANY: char = '\u{E000}';
const ONE: char = '\u{E001}';

fn wild(text: &str) -> String {
    text.replace('*', &MANY.to_string()).replace('?', &ONE.to_string())
}

fn plain(text: &str) -> String {
    text.replace(MANY, "*").replace(ONE, "?")
}

fn substitute(text: &str, variables: bool, context: &BTreeMap<String, Vec<String>>) -> Option<String> {
    let Some((before, after)) = text.split_once("${").filter(|_| variables) else { return Some(wild(text)) };
    let (name, rest) = after.split_once('}').unwrap();
    let value = match name {
        "*" | "?" | "$" => name.to_owned(),
        _ => {
            let (key, default) = name.split_once(',').map_or((name, None), |(key, default)| (key, Some(default.trim().trim_matches('\''))));
            let value = context.get(&key.trim().to_lowercase()).and_then(|values| values.first());
            value.cloned().or(default.map(ToOwned::to_owned))?
        }
    };
    Some(wild(before) + &value + &substitute(rest, variables, context)?)
}

fn like(pattern: &str, text: &str) -> bool {
    let mut rest = pattern.chars();
    let tail = |text: &str| text.chars().skip(1).collect::<String>();
    match rest.next() {
        None => text.is_empty(),
        Some(MANY) => like(rest.as_str(), text) || (!text.is_empty() && like(pattern, &tail(text))),
        Some(ONE) => !text.is_empty() && like(rest.as_str(), &tail(text)),
        Some(c) => text.starts_with(c) && like(rest.as_str(), &tail(text)),
    }
}

fn list(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(list) => list.clone(),
        Value::Null => Vec::new(),
        one => vec![one.clone()],
    }
}
