//! The linter: because an absent fact is "unknown", a misspelt one would look unknown too. So every path, every word and every type is
//! checked when a rule is loaded.

use super::expr::{Kind, Mistake, Node};
use super::schema::{FactSchema, Type};

/// The functions that a rule may call, and their operators.
const FUNCTIONS: [&str; 15] =
    ["_&&_", "_||_", "!_", "_?_:_", "_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_", "startsWith", "endsWith", "contains", "matches", "size"];

/// What is wrong with an expression, in the order of the source.
pub(super) fn check(schema: &FactSchema, tree: &Node) -> Vec<Mistake> {
    let mut linter = Linter { schema, mistakes: Vec::new(), variables: Vec::new(), guarded: guarded(tree) };
    let kind = linter.kind(tree);
    if !matches!(kind, Type::Truth | Type::Any) {
        linter.mistakes.push(Mistake { at: tree.at, message: "the expression is neither true nor false".to_owned() });
    }
    linter.mistakes.sort_by_key(|mistake| mistake.at);
    linter.mistakes
}

/// The most similar of some names, as a hint.
pub(super) fn hint<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> String {
    let nearest = known.into_iter().map(|known| (strsim::osa_distance(name, known), known)).min();
    match nearest {
        Some((distance, known)) if distance <= name.len().max(3) / 2 => format!("; did you mean {known:?}?"),
        _ => String::new(),
    }
}

struct Linter<'s> {
    schema: &'s FactSchema,
    mistakes: Vec<Mistake>,
    /// The macros' own variables, the innermost last.
    variables: Vec<(String, Type)>,
    /// The keys that the expression asks for with `in`: map and key as written.
    guarded: Vec<(String, String)>,
}

/// All `"X" in map` of an expression.
fn guarded(node: &Node) -> Vec<(String, String)> {
    match &node.kind {
        Kind::Call(name, parts) => {
            let own = match (name.as_str(), parts.as_slice()) {
                ("@in", [Node { kind: Kind::Text(key), .. }, Node { kind: Kind::Path(map), .. }]) => Some((map.join("."), key.clone())),
                _ => None,
            };
            own.into_iter().chain(parts.iter().flat_map(guarded)).collect()
        }
        Kind::List(parts) | Kind::Macro { parts, .. } => parts.iter().flat_map(guarded).collect(),
        _ => Vec::new(),
    }
}

impl Linter<'_> {
    fn mistake(&mut self, at: usize, message: String) -> Type {
        self.mistakes.push(Mistake { at, message });
        Type::Any
    }

    fn kind(&mut self, node: &Node) -> Type {
        match &node.kind {
            Kind::Text(_) => Type::Text(None),
            Kind::Number => Type::Number,
            Kind::Truth => Type::Truth,
            Kind::Path(members) => self.path(node.at, members),
            Kind::List(parts) => {
                let kinds: Vec<Type> = parts.iter().map(|part| self.kind(part)).collect();
                Type::List(Box::new(kinds.into_iter().next().unwrap_or(Type::Any)))
            }
            Kind::Index(map, key) => self.index(node.at, map, key),
            Kind::Call(name, parts) => self.call(node.at, name, parts),
            Kind::Macro { range, variable, own, parts } => {
                let element = match self.kind(range) {
                    Type::List(element) => *element,
                    Type::Map(_) => Type::Text(None),
                    Type::Any => Type::Any,
                    _ => self.mistake(range.at, "this fact has no elements".to_owned()),
                };
                let outer = self.variables.len();
                self.variables.push((variable.clone(), element));
                self.variables.extend(own.iter().map(|name| (name.clone(), Type::Any)));
                for part in parts {
                    self.kind(part);
                }
                self.variables.truncate(outer);
                Type::Truth
            }
            Kind::Unsupported(what) => self.mistake(node.at, format!("a rule cannot use {what}")),
        }
    }

    fn path(&mut self, at: usize, members: &[String]) -> Type {
        let Some(first) = members.first() else { return Type::Any };
        if let Some((_, kind)) = self.variables.iter().rev().find(|(name, _)| name == first) {
            let kind = kind.clone();
            return match members {
                [_] => kind,
                _ => self.mistake(at, format!("{first} has no members")),
            };
        }
        match self.schema.look_up(members.iter().map(String::as_str)) {
            Ok(entry) => entry.kind,
            Err(known) => {
                let path = members.join(".");
                let wrong = members
                    .iter()
                    .find(|member| !known.contains(member) && self.schema.look_up([member.as_str()]).is_err())
                    .unwrap_or(first);
                let message = format!("there is no fact {path}{}", hint(wrong, known.iter().map(String::as_str)));
                self.mistake(at, message)
            }
        }
    }

    fn index(&mut self, at: usize, map: &Node, key: &Node) -> Type {
        let kind = self.kind(map);
        self.kind(key);
        let (Kind::Path(members), Kind::Text(key)) = (&map.kind, &key.kind) else {
            return self.mistake(at, "an index is a map of the facts with a text in brackets".to_owned());
        };
        let path = members.join(".");
        if !self.guarded.iter().any(|(map, guarded)| *map == path && guarded == key) {
            self.mistake(at, format!("ask first whether the key is there, or a missing one looks unknown: \"{key}\" in {path} && …"));
        }
        match kind {
            Type::Map(value) => *value,
            Type::Any => Type::Any,
            _ => self.mistake(at, format!("{path} is no map")),
        }
    }

    fn call(&mut self, at: usize, name: &str, parts: &[Node]) -> Type {
        let kinds: Vec<Type> = parts.iter().map(|part| self.kind(part)).collect();
        match (name, parts, kinds.as_slice()) {
            ("_&&_" | "_||_" | "!_", _, _) => {
                for (part, kind) in parts.iter().zip(&kinds) {
                    if !matches!(kind, Type::Truth | Type::Any) {
                        self.mistake(part.at, "this is neither true nor false".to_owned());
                    }
                }
                Type::Truth
            }
            ("_?_:_", [_, _, _], [_, then, _]) => then.clone(),
            ("@in", [_, right], [kind, Type::List(element)]) => {
                self.same(at, kind, element);
                if let Kind::List(words) = &right.kind {
                    for word in words {
                        self.word(kind, word);
                    }
                }
                Type::Truth
            }
            // The last is what the macros are made of.
            ("@in", [_, _], [Type::Text(_), Type::Map(_)] | [_, Type::Any]) | ("@not_strictly_false", _, _) => Type::Truth,
            ("@in", _, _) => self.mistake(at, "`in` needs a list or a map on its right".to_owned()),
            ("_==_" | "_!=_" | "_<_" | "_<=_" | "_>_" | "_>=_", [left, right], [left_kind, right_kind]) => {
                self.same(at, left_kind, right_kind);
                self.word(left_kind, right);
                self.word(right_kind, left);
                Type::Truth
            }
            ("startsWith" | "endsWith" | "contains" | "matches", [_, _], [left, right]) => {
                self.same(at, left, &Type::Text(None));
                self.same(at, right, &Type::Text(None));
                Type::Truth
            }
            ("size", [_], _) => Type::Number,
            _ => self.mistake(at, format!("a rule cannot call {name}{}", hint(name, FUNCTIONS))),
        }
    }

    fn same(&mut self, at: usize, left: &Type, right: &Type) {
        let is_same = matches!(
            (left, right),
            (Type::Any, _) | (_, Type::Any) | (Type::Truth, Type::Truth) | (Type::Text(_), Type::Text(_)) | (Type::Number, Type::Number)
        );
        if !is_same {
            self.mistake(at, format!("{} is compared with {}, which is never equal", describe(left), describe(right)));
        }
    }

    /// A text that is compared with a fact of few words must be one of them.
    fn word(&mut self, kind: &Type, node: &Node) {
        if let (Type::Text(Some(words)), Kind::Text(text)) = (kind, &node.kind)
            && !words.contains(text)
        {
            let known = words.join(", ");
            self.mistake(node.at, format!("{text:?} is none of {known}{}", hint(text, words.iter().map(String::as_str))));
        }
    }
}

fn describe(kind: &Type) -> &'static str {
    match kind {
        Type::Truth => "a truth value",
        Type::Text(_) => "a text",
        Type::Number => "a number",
        Type::List(_) => "a list",
        Type::Map(_) | Type::Object => "an object",
        Type::Any => "something",
    }
}
