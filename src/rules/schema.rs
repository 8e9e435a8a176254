//! The types of the facts, read from their JSON Schema: what a path leads to.

use serde_json::Value;

use crate::facts::Facts;

/// What a fact is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Type {
    Truth,
    /// A text; with its words where only some are possible.
    Text(Option<Vec<String>>),
    Number,
    List(Box<Type>),
    Map(Box<Type>),
    Object,
    /// Something that the linter does not follow.
    Any,
}

/// A fact in the schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) kind: Type,
    /// Whether the fact may be unknown.
    pub(super) may_be_unknown: bool,
}

/// The schema of the facts.
#[derive(Debug)]
pub(super) struct FactSchema(Value);

impl FactSchema {
    pub(super) fn new() -> Self {
        Self(schemars::schema_for!(Facts).to_value())
    }

    /// What a dotted path leads to; if nothing, the names that would have been possible at the first wrong step.
    pub(super) fn look_up<'p>(&self, path: impl IntoIterator<Item = &'p str>) -> Result<Entry, Vec<String>> {
        let mut schema = &self.0;
        for name in path {
            let members = self.resolve(schema).get("properties").and_then(Value::as_object);
            match members.and_then(|members| members.get(name)) {
                Some(member) => schema = member,
                None => return Err(members.map(|members| members.keys().cloned().collect()).unwrap_or_default()),
            }
        }
        let may_be_unknown = schema.get(crate::model::known::MAY_BE_UNKNOWN).is_some();
        Ok(Entry { kind: self.kind(schema), may_be_unknown })
    }

    fn resolve<'s>(&'s self, schema: &'s Value) -> &'s Value {
        match schema.get("$ref").and_then(Value::as_str).and_then(|reference| reference.strip_prefix('#')) {
            Some(pointer) => self.0.pointer(pointer).unwrap_or(schema),
            None => schema,
        }
    }

    fn kind(&self, schema: &Value) -> Type {
        let schema = self.resolve(schema);
        let word = |value: &Value| value.as_str().map(str::to_owned);
        if let Some(words) = schema.get("enum").and_then(Value::as_array) {
            return Type::Text(Some(words.iter().filter_map(word).collect()));
        }
        if let Some(choices) = schema.get("oneOf").and_then(Value::as_array) {
            // schemars writes an enum with documented variants as single choices.
            let single = |choice: &Value| choice.get("const").and_then(word);
            let several = |choice: &Value| {
                choice.get("enum").and_then(Value::as_array).map(|words| words.iter().filter_map(word).collect::<Vec<_>>())
            };
            let words: Option<Vec<Vec<String>>> =
                choices.iter().map(|choice| several(choice).or_else(|| single(choice).map(|word| vec![word]))).collect();
            return words.map_or(Type::Any, |words| Type::Text(Some(words.concat())));
        }
        match schema.get("type").and_then(Value::as_str) {
            Some("boolean") => Type::Truth,
            Some("string") => Type::Text(None),
            Some("integer" | "number") => Type::Number,
            Some("array") => Type::List(Box::new(schema.get("items").map_or(Type::Any, |items| self.kind(items)))),
            Some("object") if schema.get("properties").is_some() => Type::Object,
            Some("object") => Type::Map(Box::new(schema.get("additionalProperties").map_or(Type::Any, |values| self.kind(values)))),
            _ => Type::Any,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{FactSchema, Type};

    #[test]
    fn paths_lead_to_their_types() {
        let schema = FactSchema::new();
        let kind = |path: &str| schema.look_up(path.split('.'));
        assert_eq!(kind("identity.has_instance_profile").unwrap().kind, Type::Truth);
        assert!(!kind("identity.has_instance_profile").unwrap().may_be_unknown);
        let ping = kind("agent.ping").unwrap();
        assert!(ping.may_be_unknown);
        assert_eq!(ping.kind, Type::Text(Some(["online", "connection_lost", "inactive", "none"].map(str::to_owned).to_vec())));
        assert_eq!(kind("instance.tags").unwrap().kind, Type::Map(Box::new(Type::Text(None))));
        assert!(kind("paths.ssm.verdict").unwrap().may_be_unknown);
        assert!(kind("agent.pong").unwrap_err().contains(&"ping".to_owned()));
    }
}
