//! From AWS-CLI-shaped JSON to the bytes of each protocol, by the table alone.

use std::borrow::Cow;
use std::fmt::Write as _;

use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::wire::{Kind, Operation, Protocol, Service, Shape, Shapes};

/// One member of an answer. Lists are borrowed item by item, because a page is a piece of a file.
#[derive(Debug, Clone)]
pub enum Part<'a> {
    Value(Cow<'a, Value>),
    List(Vec<&'a Value>),
}

impl From<Value> for Part<'_> {
    fn from(value: Value) -> Self {
        Self::Value(Cow::Owned(value))
    }
}

impl<'a> From<&'a Value> for Part<'a> {
    fn from(value: &'a Value) -> Self {
        Self::Value(Cow::Borrowed(value))
    }
}

/// The members of an answer.
pub type Body<'a> = Vec<(Cow<'a, str>, Part<'a>)>;

/// What is strange about an answer, by order of the weather.
#[derive(Debug, Clone, Default)]
pub struct Oddities {
    /// Stands for every value of an enumeration.
    pub enums: Option<&'static str>,
    /// Every structure has a member more than the model.
    pub members: bool,
}

const FUTURE_MEMBER: &str = "simulatedFutureMember";

/// The answer's body.
pub fn body(service: &Service, operation: &Operation, body: &Body<'_>, request_id: &str, oddities: &Oddities) -> String {
    let shapes = &service.outputs;
    let mut writer = Writer { text: String::with_capacity(1024), shapes, oddities };
    if let Some(payload) = &operation.payload {
        let whole = body.iter().find(|(name, _)| name == payload);
        if let Some((_, Part::Value(value))) = whole {
            writer.text.push_str(value.as_str().unwrap_or_default());
        }
        return writer.text;
    }
    if service.protocol.is_xml() {
        writer.document(service, operation, body, request_id);
    } else {
        writer.object(operation.output, body);
    }
    writer.text
}

/// The members of a value that the table does not name, with their place; they would be lost on the wire.
pub fn unnamed_members(shapes: &Shapes, kind: Kind, value: &Value, place: &str, found: &mut Vec<String>) {
    match (shapes.get(kind), value) {
        (Some(Shape::Structure { members, .. }), Value::Object(object)) => {
            for (name, value) in object {
                match members.get(name) {
                    Some(member) => unnamed_members(shapes, member.kind, value, &format!("{place}.{name}"), found),
                    None => found.push(format!("{place}.{name}")),
                }
            }
        }
        (Some(Shape::List { item, .. }), Value::Array(items)) => {
            for value in items {
                unnamed_members(shapes, *item, value, place, found);
            }
        }
        (Some(Shape::Map { value: kind, .. }), Value::Object(object)) => {
            for value in object.values() {
                unnamed_members(shapes, *kind, value, place, found);
            }
        }
        _ => {}
    }
}

struct Writer<'a> {
    text: String,
    shapes: &'a Shapes,
    oddities: &'a Oddities,
}

/// XML.
impl Writer<'_> {
    fn document(&mut self, service: &Service, operation: &Operation, body: &Body<'_>, request_id: &str) {
        self.text.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        let root = operation.root.as_str();
        let _ = write!(self.text, "<{root} xmlns=\"{}\">", service.namespace.as_deref().unwrap_or_default());
        if service.protocol == Protocol::Ec2 {
            let _ = write!(self.text, "<requestId>{request_id}</requestId>");
        }
        if let Some(wrapper) = &operation.wrapper {
            let _ = write!(self.text, "<{wrapper}>");
        }
        let members = operation.output.and_then(|kind| self.shapes.members(kind));
        for (name, part) in body {
            let Some(member) = members.and_then(|members| members.get(name.as_ref())) else { continue };
            match part {
                Part::Value(value) => self.element(&member.wire, member.kind, value),
                Part::List(items) => self.list(&member.wire, member.kind, items.iter().copied()),
            }
        }
        self.future_element();
        if let Some(wrapper) = &operation.wrapper {
            let _ = write!(self.text, "</{wrapper}>");
        }
        if service.protocol == Protocol::Query {
            let _ = write!(self.text, "<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>");
        }
        let _ = write!(self.text, "</{root}>");
    }

    fn element(&mut self, name: &str, kind: Kind, value: &Value) {
        match (self.shapes.get(kind), value) {
            (_, Value::Null) => {}
            (Some(Shape::List { .. }), Value::Array(items)) => self.list(name, kind, items.iter()),
            (Some(Shape::Structure { members, required }), Value::Object(object)) => {
                let _ = write!(self.text, "<{name}>");
                for (name, value) in object {
                    if let Some(member) = members.get(name) {
                        self.element(&member.wire, member.kind, value);
                    }
                }
                for name in required.iter().filter(|name| !object.contains_key(*name)) {
                    if let Some((member, value)) = members.get(name).and_then(|member| Some((member, self.made_up(member.kind)?))) {
                        self.element(&member.wire, member.kind, &value);
                    }
                }
                self.future_element();
                let _ = write!(self.text, "</{name}>");
            }
            (Some(Shape::Map { key_name, value_name, value: kind }), Value::Object(object)) => {
                let _ = write!(self.text, "<{name}>");
                for (key, value) in object {
                    let _ = write!(self.text, "<entry><{key_name}>");
                    self.escaped(key);
                    let _ = write!(self.text, "</{key_name}>");
                    self.element(value_name, *kind, value);
                    self.text.push_str("</entry>");
                }
                let _ = write!(self.text, "</{name}>");
            }
            _ => {
                let _ = write!(self.text, "<{name}>");
                self.scalar(kind, value);
                let _ = write!(self.text, "</{name}>");
            }
        }
    }

    fn list<'v>(&mut self, name: &str, kind: Kind, items: impl ExactSizeIterator<Item = &'v Value>) {
        let Some(Shape::List { item_name, item, flat }) = self.shapes.get(kind) else { return };
        if *flat {
            items.for_each(|value| self.element(name, *item, value));
        } else if items.len() == 0 {
            let _ = write!(self.text, "<{name}/>");
        } else {
            let _ = write!(self.text, "<{name}>");
            items.for_each(|value| self.element(item_name, *item, value));
            let _ = write!(self.text, "</{name}>");
        }
    }

    fn scalar(&mut self, kind: Kind, value: &Value) {
        match (kind, value) {
            (Kind::Enum, _) if self.oddities.enums.is_some() => self.text.push_str(self.oddities.enums.unwrap_or_default()),
            (Kind::TimeText | Kind::TimeNumber, value) => {
                let time = time(value).map(|time| time.to_string());
                let time = time.unwrap_or_else(|| value.as_str().unwrap_or_default().to_owned());
                self.escaped(&time);
            }
            (_, Value::String(text)) => self.escaped(text),
            // IAM sends its policy documents percent-encoded; the AWS CLI prints them decoded.
            (_, Value::Object(_) | Value::Array(_)) => {
                let _ = write!(self.text, "{}", utf8_percent_encode(&value.to_string(), NON_ALPHANUMERIC));
            }
            (_, value) => {
                let _ = write!(self.text, "{value}");
            }
        }
    }

    fn escaped(&mut self, text: &str) {
        escape(&mut self.text, text);
    }

    fn future_element(&mut self) {
        if self.oddities.members {
            let _ = write!(self.text, "<{FUTURE_MEMBER}><item><key>1</key></item></{FUTURE_MEMBER}>");
        }
    }
}

/// JSON.
impl Writer<'_> {
    fn object(&mut self, kind: Option<Kind>, body: &Body<'_>) {
        let members = kind.and_then(|kind| self.shapes.members(kind));
        self.text.push('{');
        for (name, part) in body {
            let Some(member) = members.and_then(|members| members.get(name.as_ref())) else { continue };
            self.name(&member.wire);
            match part {
                Part::Value(value) => self.value(member.kind, value),
                Part::List(items) => {
                    let item = match self.shapes.get(member.kind) {
                        Some(Shape::List { item, .. }) => *item,
                        _ => Kind::Text,
                    };
                    self.items(item, items.iter().copied());
                }
            }
        }
        self.future_member();
        self.text.push('}');
    }

    fn value(&mut self, kind: Kind, value: &Value) {
        match (self.shapes.get(kind), value) {
            (Some(Shape::Structure { members, required }), Value::Object(object)) => {
                self.text.push('{');
                for (name, value) in object {
                    if let Some(member) = members.get(name) {
                        self.name(&member.wire);
                        self.value(member.kind, value);
                    }
                }
                for name in required.iter().filter(|name| !object.contains_key(*name)) {
                    if let Some((member, value)) = members.get(name).and_then(|member| Some((member, self.made_up(member.kind)?))) {
                        self.name(&member.wire);
                        self.value(member.kind, &value);
                    }
                }
                self.future_member();
                self.text.push('}');
            }
            (Some(Shape::Map { value: kind, .. }), Value::Object(object)) => {
                self.text.push('{');
                for (name, value) in object {
                    self.name(name);
                    self.value(*kind, value);
                }
                self.text.push('}');
            }
            (Some(Shape::List { item, .. }), Value::Array(items)) => self.items(*item, items.iter()),
            _ => {
                let scalar = match kind {
                    Kind::Enum => self.oddities.enums.map(Value::from),
                    Kind::TimeNumber => time(value).map(seconds),
                    Kind::TimeText => time(value).map(|time| Value::from(time.to_string())),
                    _ => None,
                };
                let _ = write!(self.text, "{}", scalar.as_ref().unwrap_or(value));
            }
        }
    }

    fn items<'v>(&mut self, item: Kind, items: impl Iterator<Item = &'v Value>) {
        self.text.push('[');
        for value in items {
            if !self.text.ends_with('[') {
                self.text.push(',');
            }
            self.value(item, value);
        }
        self.text.push(']');
    }

    fn name(&mut self, name: &str) {
        if !self.text.ends_with('{') {
            self.text.push(',');
        }
        let _ = write!(self.text, "{}:", Value::from(name));
    }

    fn future_member(&mut self) {
        if self.oddities.members {
            self.name(FUTURE_MEMBER);
            self.text.push_str("{\"Key\":[1]}");
        }
    }
}

impl Writer<'_> {
    /// A member that the model requires and the snapshot does not keep, as far as one can be made up.
    fn made_up(&self, kind: Kind) -> Option<Value> {
        match kind {
            Kind::TimeText | Kind::TimeNumber => Some(Value::from("2020-01-01T00:00:00Z")),
            Kind::Shape(_) => matches!(self.shapes.get(kind), Some(Shape::List { .. })).then(|| Value::Array(Vec::new())),
            _ => None,
        }
    }
}

/// The text with what XML cannot hold replaced.
pub fn escape(into: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '<' => into.push_str("&lt;"),
            '>' => into.push_str("&gt;"),
            '&' => into.push_str("&amp;"),
            '"' => into.push_str("&quot;"),
            '\r' => into.push_str("&#xD;"),
            other => into.push(other),
        }
    }
}

/// A point in time as the AWS CLI prints it: in words, or (in its version 1) in seconds.
fn time(value: &Value) -> Option<Timestamp> {
    match value {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => {
            let whole = number.as_i64();
            let milliseconds = whole.map(|seconds| seconds.saturating_mul(1000)).or_else(|| thousandths(number.as_f64()?));
            Timestamp::from_millisecond(milliseconds?).ok()
        }
        _ => None,
    }
}

fn thousandths(seconds: f64) -> Option<i64> {
    format!("{:.0}", seconds * 1000.0).parse().ok()
}

fn seconds(time: Timestamp) -> Value {
    match time.subsec_nanosecond() {
        0 => Value::from(time.as_second()),
        _ => time.as_duration().as_secs_f64().into(),
    }
}
