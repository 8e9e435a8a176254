//! What is known of a request's condition keys.

use std::collections::BTreeMap;

/// The condition keys of one request. A key that nobody has said anything about is unknown, never absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    /// By the key in lower case: AWS's keys, those of tags included, are not case-sensitive
    /// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html>).
    keys: BTreeMap<String, KeyValue>,
    /// Prefixes under which every key that is not in `keys` is absent.
    complete: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyValue {
    /// One value, or those of a key with several; no values at all are AWS's empty set.
    Known(Vec<String>),
    /// The request surely does not carry the key.
    Absent,
    /// It may be absent or have any value; the text says why that is not known.
    Unknown(String),
    /// One of these, where `None` stands for a request without the key; the text says why it is not known which.
    OneOf(Vec<Option<String>>, String),
    /// A date: this one or a later one; the text says why it is not known which.
    Since(String, String),
}

static NOBODY_SAID: KeyValue = KeyValue::Unknown(String::new());
static ABSENT: KeyValue = KeyValue::Absent;

impl Context {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn set(&mut self, key: &str, value: KeyValue) {
        self.keys.insert(key.to_lowercase(), value);
    }

    #[must_use]
    pub fn known(mut self, key: &str, value: impl Into<String>) -> Self {
        self.set(key, KeyValue::Known(vec![value.into()]));
        self
    }

    #[must_use]
    pub fn absent(mut self, key: &str) -> Self {
        self.set(key, KeyValue::Absent);
        self
    }

    #[must_use]
    pub fn unknown(mut self, key: &str, why: impl Into<String>) -> Self {
        self.set(key, KeyValue::Unknown(why.into()));
        self
    }

    #[must_use]
    pub fn one_of(mut self, key: &str, possible: &[Option<&str>], why: impl Into<String>) -> Self {
        self.set(key, KeyValue::OneOf(possible.iter().map(|value| value.map(str::to_owned)).collect(), why.into()));
        self
    }

    #[must_use]
    pub fn since(mut self, key: &str, earliest: impl Into<String>, why: impl Into<String>) -> Self {
        self.set(key, KeyValue::Since(earliest.into(), why.into()));
        self
    }

    /// Says that every other key under the prefix is absent: `aws:PrincipalTag/` once all tags of a role are known, or "" for all keys.
    #[must_use]
    pub fn nothing_else_under(mut self, prefix: &str) -> Self {
        self.complete.push(prefix.to_lowercase());
        self
    }

    pub fn get(&self, key: &str) -> &KeyValue {
        let key = key.to_lowercase();
        match self.keys.get(&key) {
            Some(value) => value,
            None if self.complete.iter().any(|prefix| key.starts_with(prefix.as_str())) => &ABSENT,
            None => &NOBODY_SAID,
        }
    }
}
