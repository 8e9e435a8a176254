//! A fact, or why it is not known.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Why something is not known, and what would settle it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Unknown {
    /// A stable word: `fact_not_collected`, `custom_dns`, `owner_account_not_collected`, …
    pub code: String,
    /// The resource, file or call that the missing knowledge is about.
    pub resource: String,
    /// What the reader can do to settle it, as a sentence without a full stop.
    pub settled_by: String,
}

impl Unknown {
    pub fn new(code: &str, resource: impl Into<String>, settled_by: impl Into<String>) -> Self {
        Self { code: code.to_owned(), resource: resource.into(), settled_by: settled_by.into() }
    }
}

/// A fact that was learned, or the reasons why it was not. Unknown is neither true nor false, and never a default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known<T> {
    Known(T),
    Unknown(Vec<Unknown>),
}

/// The member that marks an unknown fact in serialised facts; a fact sheet takes it out again.
pub(crate) const MARK: &str = "$unknown";

impl<T> Known<T> {
    pub fn unknown(code: &str, resource: impl Into<String>, settled_by: impl Into<String>) -> Self {
        Self::Unknown(vec![Unknown::new(code, resource, settled_by)])
    }

    pub fn as_ref(&self) -> Known<&T> {
        match self {
            Self::Known(value) => Known::Known(value),
            Self::Unknown(why) => Known::Unknown(why.clone()),
        }
    }

    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Known<U> {
        match self {
            Self::Known(value) => Known::Known(change(value)),
            Self::Unknown(why) => Known::Unknown(why),
        }
    }

    pub fn and_then<U>(self, next: impl FnOnce(T) -> Known<U>) -> Known<U> {
        match self {
            Self::Known(value) => next(value),
            Self::Unknown(why) => Known::Unknown(why),
        }
    }

    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown(_) => None,
        }
    }

    pub fn into_known(self) -> Option<T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown(_) => None,
        }
    }

    pub fn reasons(&self) -> &[Unknown] {
        match self {
            Self::Known(_) => &[],
            Self::Unknown(why) => why,
        }
    }

    pub fn is(&self, value: &T) -> bool
    where
        T: PartialEq,
    {
        self.known() == Some(value)
    }
}

/// Kleene's three values; an unknown keeps the reasons of both sides.
impl Known<bool> {
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Known(false), _) | (_, Self::Known(false)) => Self::Known(false),
            (Self::Known(true), rest) | (rest, Self::Known(true)) => rest,
            (Self::Unknown(mut why), Self::Unknown(more)) => {
                why.extend(more);
                why.sort();
                why.dedup();
                Self::Unknown(why)
            }
        }
    }

    #[must_use]
    pub fn or(self, other: Self) -> Self {
        self.negate().and(other.negate()).negate()
    }

    #[must_use]
    pub fn negate(self) -> Self {
        self.map(|holds| !holds)
    }
}

impl<T: Serialize> Serialize for Known<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Known(value) => value.serialize(serializer),
            Self::Unknown(why) => std::collections::BTreeMap::from([(MARK, why)]).serialize(serializer),
        }
    }
}

/// Reads a learned fact only: rule cases name what is unknown apart from what is given.
impl<'de, T: DeserializeOwned> Deserialize<'de> for Known<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self::Known)
    }
}

/// The keyword that marks a fact in the schema which may be unknown.
pub(crate) const MAY_BE_UNKNOWN: &str = "x-may-be-unknown";

impl<T: JsonSchema> JsonSchema for Known<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("Known{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = T::json_schema(generator);
        schema.insert(MAY_BE_UNKNOWN.to_owned(), true.into());
        schema
    }
}
