//! `cases.yaml`, a row a case: what the engine says of it, and that the second evaluator agrees.

use std::collections::{BTreeMap, BTreeSet};

use patch_preflight::policy_language::{Context, KeyValue, Layers, Policies, Policy, Principal, Request, Resource, Verdict, evaluate};
use serde::Deserialize;
use serde_json::{Value, json};

use super::dumb::{self, Who, World};
use crate::process::repository;

pub(super) const ACCOUNT: &str = "111122223333";
pub(super) const ROLE: &str = "arn:aws:iam::111122223333:role/app/node";
pub(super) const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/node/i-0abc";

/// Cases that share policies. What a case does not say is as its group says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    title: String,
    /// What the second evaluator is too dumb for.
    #[serde(default)]
    only_the_engine: bool,
    #[serde(default)]
    policies: Written,
    #[serde(default)]
    asked: Asked,
    cases: Vec<Case>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    #[serde(default)]
    action: Option<String>,
    #[serde(default)]
    on: Option<String>,
    #[serde(default)]
    on_some: Option<String>,
    #[serde(default)]
    context: BTreeMap<String, Value>,
    #[serde(default)]
    who: Option<String>,
    #[serde(default)]
    owner: Option<String>,
    #[serde(default)]
    policies: Written,
    expect: String,
    /// Which key, statement or kind of policy the reason must name.
    #[serde(default)]
    because: Option<String>,
}

/// A layer is a statement, a list of statements, `{document: …}` as it is, or "unknown".
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Written {
    identity: Option<Value>,
    boundary: Option<Value>,
    session: Option<Value>,
    service_control: Option<Vec<Value>>,
    resource_control: Option<Vec<Value>>,
    resource: Option<Value>,
    endpoint: Option<Value>,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Asked {
    action: Option<String>,
    on: Option<String>,
    on_some: Option<String>,
    /// A text, a list of texts, or null for an absent key. A key that is not here is unknown.
    context: BTreeMap<String, Value>,
    /// "role" (the default), "role without session name", "anonymous", a service or a user's ARN.
    who: Option<String>,
    /// The account that owns the resource; "unknown" when it is not known.
    owner: Option<String>,
}

fn groups() -> Vec<Group> {
    let text = std::fs::read_to_string(repository("tests/it/policy_language/cases.yaml")).unwrap();
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{error}"))
}

fn document(layer: &Value) -> Option<Value> {
    match layer {
        Value::String(word) if word == "unknown" => None,
        Value::Object(members) if members.contains_key("document") => Some(members["document"].clone()),
        statements => Some(json!({"Version": "2012-10-17", "Statement": statements})),
    }
}

fn policies(layer: Option<&Value>) -> Policies {
    match layer.map(document) {
        None => Policies::None,
        Some(None) => Policies::Unknown("not collected".to_owned()),
        Some(Some(document)) => Policies::Known(vec![Policy::parse("the policy", &document)]),
    }
}

/// The case with everything that its group says for it.
fn complete(group: &Group, case: &Case) -> (Written, Asked) {
    let (shared, own) = (&group.policies, &case.policies);
    let written = Written {
        identity: own.identity.clone().or(shared.identity.clone()),
        boundary: own.boundary.clone().or(shared.boundary.clone()),
        session: own.session.clone().or(shared.session.clone()),
        service_control: own.service_control.clone().or(shared.service_control.clone()),
        resource_control: own.resource_control.clone().or(shared.resource_control.clone()),
        resource: own.resource.clone().or(shared.resource.clone()),
        endpoint: own.endpoint.clone().or(shared.endpoint.clone()),
    };
    let shared = &group.asked;
    let (on, on_some) = if case.on.is_some() || case.on_some.is_some() { (&case.on, &case.on_some) } else { (&shared.on, &shared.on_some) };
    let asked = Asked {
        action: case.action.clone().or(shared.action.clone()),
        on: on.clone(),
        on_some: on_some.clone(),
        context: shared.context.clone().into_iter().chain(case.context.clone()).collect(),
        who: case.who.clone().or(shared.who.clone()),
        owner: case.owner.clone().or(shared.owner.clone()),
    };
    (written, asked)
}

impl Asked {
    fn principal(&self) -> Principal {
        match self.who.as_deref().unwrap_or("role") {
            "role" => Principal::Role { arn: ROLE.to_owned(), session: Some("i-0abc".to_owned()) },
            "role without session name" => Principal::Role { arn: ROLE.to_owned(), session: None },
            "anonymous" => Principal::Anonymous,
            arn if arn.starts_with("arn:") => Principal::User { arn: arn.to_owned() },
            service => Principal::Service(service.to_owned()),
        }
    }

    fn texts(value: &Value) -> Option<Vec<String>> {
        match value {
            Value::Null => None,
            Value::Array(list) => Some(list.iter().map(|value| value.as_str().unwrap().to_owned()).collect()),
            Value::String(text) => Some(vec![text.clone()]),
            other => Some(vec![other.to_string()]),
        }
    }

    fn context(&self) -> Context {
        let mut context = Context::new();
        for (key, value) in &self.context {
            context.set(key, Self::texts(value).map_or(KeyValue::Absent, KeyValue::Known));
        }
        context
    }
}

#[test]
fn every_case_is_decided_as_the_table_says() {
    let mut wrong = Vec::new();
    let mut count = 0;
    let mut seen = BTreeSet::new();
    for group in groups() {
        for (number, case) in group.cases.iter().enumerate() {
            let (written, asked) = complete(&group, case);
            let levels = |levels: &Option<Vec<Value>>| levels.iter().flatten().map(|level| policies(Some(level))).collect();
            let layers = Layers {
                identity: policies(written.identity.as_ref()),
                boundary: policies(written.boundary.as_ref()),
                session: policies(written.session.as_ref()),
                service_control: levels(&written.service_control),
                resource_control: levels(&written.resource_control),
                resource: policies(written.resource.as_ref()),
                endpoint: policies(written.endpoint.as_ref()),
            };
            let (principal, context) = (asked.principal(), asked.context());
            let owner = asked.owner.as_deref().unwrap_or(ACCOUNT);
            let request = Request {
                action: asked.action.as_deref().unwrap_or("s3:GetObject"),
                resource: match (&asked.on, &asked.on_some) {
                    (_, Some(pattern)) => Resource::Pattern(pattern),
                    (on, None) => Resource::Exact(on.as_deref().unwrap_or("arn:aws:s3:::bucket/key")),
                },
                principal: &principal,
                resource_account: Some(owner).filter(|owner| *owner != "unknown"),
                context: &context,
            };
            let decision = evaluate(&layers, &request);
            let verdict = word(decision.verdict);
            count += 1;
            seen.insert(verdict);
            let reason = format!("{:?}", decision.reason);
            if verdict != case.expect || case.because.as_ref().is_some_and(|because| !reason.contains(because)) {
                wrong.push(format!(
                    "{}, case {}: {verdict}, expected {} because of {:?}: {reason}",
                    group.title,
                    number + 1,
                    case.expect,
                    case.because
                ));
            }
            if !group.only_the_engine && !is_dumb_content(decision.verdict, &written, &asked) {
                wrong.push(format!("{}, case {}: the second evaluator disagrees with {verdict}", group.title, number + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count >= 150 && seen.len() == 3, "only {count} cases");
    println!("{count} cases");
}

pub(super) fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Allow => "allow",
        Verdict::Deny => "deny",
        Verdict::Unknown => "unknown",
    }
}

/// Whether everything that the unknown may turn out to be bears the verdict out.
fn is_dumb_content(verdict: Verdict, written: &Written, asked: &Asked) -> bool {
    let text = serde_json::to_string(&[&written.identity, &written.boundary, &written.session, &written.resource, &written.endpoint])
        .unwrap()
        + &serde_json::to_string(&[&written.service_control, &written.resource_control]).unwrap();
    if text.contains("\"unknown\"") {
        return true;
    }
    let one = |layer: &Option<Value>| layer.as_ref().map(|layer| vec![document(layer).unwrap()]);
    let levels = |levels: &Option<Vec<Value>>| levels.iter().flatten().map(|level| vec![document(level).unwrap()]).collect();
    let who = match asked.principal() {
        Principal::Role { arn, .. } => Who::Role { role: arn, session: SESSION.to_owned(), account: ACCOUNT.to_owned() },
        // The cases name their roles.
        Principal::SomeRole { .. } => return false,
        Principal::User { arn } => Who::User { account: arn.split(':').nth(4).unwrap().to_owned(), arn },
        Principal::Service(service) => Who::Service(service),
        Principal::Anonymous => Who::Nobody,
    };
    let world = World {
        identity: one(&written.identity).unwrap_or_default(),
        boundary: one(&written.boundary),
        session: one(&written.session),
        service_control: levels(&written.service_control),
        resource_control: levels(&written.resource_control),
        resource: one(&written.resource),
        endpoint: one(&written.endpoint),
        action: asked.action.clone().unwrap_or("s3:GetObject".to_owned()),
        arn: String::new(),
        who,
        resource_account: String::new(),
        context: asked.context.iter().filter_map(|(key, value)| Some((key.to_lowercase(), Asked::texts(value)?))).collect(),
    };
    let said: BTreeSet<String> = asked.context.keys().map(|key| key.to_lowercase()).collect();
    let mut worlds = vec![world];
    for (key, values) in keys_and_values(&text) {
        if said.contains(&key) {
            continue;
        }
        let with = |world: &World, value: &String| World {
            context: world.context.clone().into_iter().chain([(key.clone(), vec![value.clone()])]).collect(),
            ..world.clone()
        };
        worlds = worlds
            .iter()
            .flat_map(|world| values.iter().map(|value| with(world, value)).chain([world.clone()]).collect::<Vec<_>>())
            .collect();
    }
    let arns: Vec<String> = match (&asked.on, &asked.on_some) {
        (_, Some(pattern)) => ["", "1", "-1/key", "444455556666-abcde/baseline_overrides.json"]
            .iter()
            .map(|text| pattern.replace('*', text).replace('?', "1"))
            .collect(),
        (on, None) => vec![on.clone().unwrap_or("arn:aws:s3:::bucket/key".to_owned())],
    };
    let owners = match asked.owner.as_deref() {
        Some("unknown") => vec![ACCOUNT, "444455556666"],
        owner => vec![owner.unwrap_or(ACCOUNT)],
    };
    let mut bears_out = true;
    for world in worlds {
        for arn in &arns {
            for owner in &owners {
                let world = World { arn: arn.clone(), resource_account: (*owner).to_owned(), ..world.clone() };
                bears_out &= match verdict {
                    Verdict::Allow => dumb::allows(&world),
                    Verdict::Deny => !dumb::allows(&world),
                    Verdict::Unknown => true,
                };
            }
        }
    }
    bears_out
}

/// For each condition key of the policies, values that may make a difference.
fn keys_and_values(text: &str) -> Vec<(String, Vec<String>)> {
    let mut keys = BTreeSet::new();
    for part in text.split(['"', '{', '}', ',']) {
        let is_key = part.contains(':') && !part.contains(' ') && !part.starts_with("arn:") && !part.starts_with("For");
        if is_key && (part.starts_with("aws:") || part.starts_with("s3:x") || part.starts_with("s3:max")) {
            keys.insert(part.to_lowercase());
        }
    }
    let values: BTreeSet<String> = text
        .split('"')
        .filter(|part| part.len() > 1 && part.chars().all(|c| c.is_ascii_alphanumeric() || "-/.:".contains(c)))
        .filter(|part| !part.starts_with("s3:") && !part.starts_with("aws:") && !part.starts_with("For"))
        .map(ToOwned::to_owned)
        .collect();
    let is_plain = !["Numeric", "Date", "IpAddress"].iter().any(|kind| text.contains(kind));
    let values: Vec<String> = if is_plain { values.into_iter().take(12).collect() } else { Vec::new() };
    keys.into_iter().map(|key| (key, values.clone())).collect()
}
