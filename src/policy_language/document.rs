//! Reads policy documents. What cannot be read is kept as such: it makes answers unknown, and is never skipped.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>.

use serde_json::{Map, Value};

use super::condition::{Condition, Operator};
use super::principal::Name;
use super::statement::{Listed, Statement};

/// The longest text that is read. AWS's own limits are 6,144 characters for a managed policy and 20,480 for a bucket's or an endpoint's.
const MAX_CHARACTERS: usize = 256 * 1024;

/// What stands for a document that nobody has.
pub(super) const NOT_COLLECTED: &str = "a document that was not collected";

/// A policy document with a name to report it by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    pub name: String,
    /// Whether `Version` is one with policy variables.
    pub(super) has_variables: bool,
    pub(super) statements: Vec<Statement>,
    /// What could not be read of the document around its statements.
    pub(super) unreadable: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    Allow,
    Deny,
}

impl Policy {
    /// Reads a document that is JSON already, or a text in which it is written.
    pub fn parse(name: impl Into<String>, document: &Value) -> Self {
        match document {
            Value::String(text) => Self::parse_text(name, text),
            Value::Object(members) => Self::read(name.into(), members),
            _ => Self::unreadable(name.into(), "a document that is no object"),
        }
    }

    /// Reads JSON, plain or percent-encoded as IAM's API returns it.
    pub fn parse_text(name: impl Into<String>, text: &str) -> Self {
        if text.len() > MAX_CHARACTERS {
            return Self::unreadable(name.into(), "a document longer than any policy");
        }
        let text = text.trim();
        let json = if text.starts_with('%') { percent_decoded(text) } else { Some(text.to_owned()) };
        match json.and_then(|json| serde_json::from_str(&json).ok()) {
            Some(Value::Object(members)) => Self::read(name.into(), &members),
            _ => Self::unreadable(name.into(), "a document that is no JSON object"),
        }
    }

    /// The same without the accounts that its statements of these effects name as principals.
    #[must_use]
    pub fn without_accounts(&self, effects: &[Effect]) -> Self {
        let mut policy = self.clone();
        let concerned = policy.statements.iter_mut().filter(|statement| statement.effect.is_none_or(|effect| effects.contains(&effect)));
        for principals in concerned.filter_map(|statement| statement.principals.as_mut()).filter(|principals| !principals.is_negated) {
            principals.items.retain(|name| !name.is_account());
        }
        policy
    }

    /// A policy that applies, but whose document nobody has: it may allow and deny anything.
    pub fn not_collected(name: impl Into<String>) -> Self {
        Self::unreadable(name.into(), NOT_COLLECTED)
    }

    /// What of the document could not be read, for a person.
    pub fn unreadable_parts(&self) -> Vec<String> {
        let within = |statement: &Statement| {
            let label = statement.label.clone();
            statement.unreadable.iter().map(move |part| format!("statement {label}: {part}")).collect::<Vec<_>>()
        };
        self.unreadable.iter().cloned().chain(self.statements.iter().flat_map(within)).collect()
    }

    fn unreadable(name: String, what: &str) -> Self {
        Self { name, has_variables: true, statements: Vec::new(), unreadable: vec![what.to_owned()] }
    }

    fn read(name: String, members: &Map<String, Value>) -> Self {
        let mut policy = Self { name, has_variables: false, statements: Vec::new(), unreadable: Vec::new() };
        for (member, value) in members {
            match (member.as_str(), value) {
                ("Version", Value::String(version)) if version == "2012-10-17" => policy.has_variables = true,
                ("Version", Value::String(version)) if version == "2008-10-17" => {}
                ("Id", _) => {}
                ("Statement", Value::Array(list)) => {
                    policy.statements = list.iter().zip(1..).map(|(value, number)| read_statement(value, number)).collect();
                }
                ("Statement", one @ Value::Object(_)) => policy.statements = vec![read_statement(one, 1)],
                _ => policy.unreadable.push(format!("the member {member}")),
            }
        }
        if !members.contains_key("Statement") {
            policy.unreadable.push("a document without statements".to_owned());
        }
        policy
    }
}

fn read_statement(value: &Value, number: usize) -> Statement {
    let mut statement = Statement {
        label: format!("#{number}"),
        effect: None,
        actions: None,
        resources: None,
        principals: None,
        conditions: Vec::new(),
        unreadable: Vec::new(),
    };
    let Value::Object(members) = value else {
        statement.unreadable.push("a statement that is no object".to_owned());
        return statement;
    };
    for (member, value) in members {
        if statement.read_member(member, value).is_none() {
            statement.unreadable.push(format!("the member {member}"));
        }
    }
    for (member, is_there) in [("Effect", members.contains_key("Effect")), ("Action", statement.actions.is_some())] {
        if !is_there && statement.unreadable.is_empty() {
            statement.unreadable.push(format!("a statement without {member}"));
        }
    }
    statement
}

impl Statement {
    /// `None` for a member that is not known, is there twice in effect (`Action` and `NotAction`), or has no shape that it may have.
    fn read_member(&mut self, member: &str, value: &Value) -> Option<()> {
        let (base, is_negated) = member.strip_prefix("Not").map_or((member, false), |base| (base, true));
        match base {
            "Sid" if !is_negated => {
                // IAM takes an empty one for none, and gives it back.
                let sid = value.as_str()?;
                if !sid.is_empty() {
                    sid.clone_into(&mut self.label);
                }
                Some(())
            }
            "Effect" if !is_negated => {
                self.effect = match value.as_str()? {
                    "Allow" => Some(Effect::Allow),
                    "Deny" => Some(Effect::Deny),
                    _ => return None,
                };
                Some(())
            }
            "Action" => put(&mut self.actions, Listed { is_negated, items: texts(value)? }),
            "Resource" => put(&mut self.resources, Listed { is_negated, items: texts(value)? }),
            "Principal" => put(&mut self.principals, Listed { is_negated, items: names(value)? }),
            "Condition" if !is_negated => {
                for (operator, keys) in value.as_object()? {
                    self.read_conditions(operator, keys);
                }
                Some(())
            }
            _ => None,
        }
    }

    fn read_conditions(&mut self, name: &str, keys: &Value) {
        let (Some(operator), Value::Object(keys)) = (Operator::parse(name), keys) else {
            self.unreadable.push(format!("the condition {name}"));
            return;
        };
        for (key, values) in keys {
            match scalars(values) {
                Some(values) => self.conditions.push(Condition { operator, key: key.clone(), values }),
                None => self.unreadable.push(format!("the values of {key} under {name}")),
            }
        }
    }
}

fn put<T>(place: &mut Option<T>, value: T) -> Option<()> {
    // Two that exclude each other: neither can be believed, and the statement may match whatever they say.
    if place.take().is_some() {
        return None;
    }
    *place = Some(value);
    Some(())
}

/// A text, or a list of at least one.
fn texts(value: &Value) -> Option<Vec<String>> {
    one_or_more(value, |value| value.as_str().map(ToOwned::to_owned))
}

/// Condition values may be written as numbers and truth values, too.
fn scalars(value: &Value) -> Option<Vec<String>> {
    one_or_more(value, |value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        _ => None,
    })
}

fn one_or_more<T>(value: &Value, read: impl Fn(&Value) -> Option<T>) -> Option<Vec<T>> {
    match value {
        Value::Array(list) if list.is_empty() => None,
        Value::Array(list) => list.iter().map(read).collect(),
        one => Some(vec![read(one)?]),
    }
}

fn names(value: &Value) -> Option<Vec<Name>> {
    let Value::Object(kinds) = value else {
        return (value.as_str()? == "*").then(|| vec![Name::Everyone]);
    };
    let mut names = Vec::new();
    for (kind, ids) in kinds {
        for id in texts(ids)? {
            names.push(match (kind.as_str(), id.as_str()) {
                ("AWS", "*") => Name::Everyone,
                ("AWS", _) => Name::Aws(id),
                ("Service", _) => Name::Service(id),
                ("Federated", _) => Name::Federated,
                ("CanonicalUser", _) => Name::CanonicalUser,
                _ => return None,
            });
        }
    }
    (!names.is_empty()).then_some(names)
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    let hexadecimal = |bytes: &mut std::str::Bytes<'_>| bytes.next().and_then(|byte| char::from(byte).to_digit(16));
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let (high, low) = (hexadecimal(&mut bytes)?, hexadecimal(&mut bytes)?);
            decoded.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            decoded.push(byte);
        }
    }
    String::from_utf8(decoded).ok()
}
