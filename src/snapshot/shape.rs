//! The one way a type of the AWS CLI's output is declared here.

use jiff::{SignedDuration, Timestamp, Unit};
use serde::de::{Error as _, Visitor};
use serde::{Deserialize as _, Deserializer, forward_to_deserialize_any};
use serde_json::Value;

/// Whether a value says nothing, so that it is left out of the file as AWS leaves it out.
pub(crate) fn says_nothing<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A point in time: text as AWS CLI version 2 prints it, or the seconds since 1970 that version 1 prints for JSON protocols
/// (<https://docs.aws.amazon.com/cli/latest/userguide/cliv2-migration-changes.html>).
pub(crate) fn time<'de, D: Deserializer<'de>>(input: D) -> Result<Option<String>, D::Error> {
    match Value::deserialize(input)? {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        Value::Number(number) => {
            let seconds = number.as_f64().and_then(|seconds| SignedDuration::try_from_secs_f64(seconds).ok());
            let time = seconds.and_then(|seconds| Timestamp::UNIX_EPOCH.checked_add(seconds).ok());
            let time = time.and_then(|time| time.round(Unit::Millisecond).ok());
            time.map(|time| Some(time.to_string())).ok_or_else(|| D::Error::custom(format!("{number} is no point in time")))
        }
        other => Err(D::Error::custom(format!("{other} is no point in time"))),
    }
}

/// Reads structs from objects alone: serde would take the members of one from a list too, by their position.
pub(crate) struct ByName<D>(pub(crate) D);

impl<'de, D: Deserializer<'de>> Deserializer<'de> for ByName<D> {
    type Error = D::Error;

    fn deserialize_struct<V: Visitor<'de>>(self, _: &'static str, _: &'static [&'static str], visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_map(visitor)
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct newtype_struct seq tuple
        tuple_struct map enum identifier ignored_any
    }
}

/// Has structs with `#[serde(remote = "Self")]` read by the names of their members alone
/// (<https://serde.rs/remote-derive.html>: the derived functions become the struct's own, and the traits are left to be implemented).
macro_rules! by_name {
    ($($name:ident),*) => {$(
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
                Self::deserialize(crate::snapshot::shape::ByName(input))
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
                Self::serialize(self, output)
            }
        }
    )*};
}

/// Declares structs in the shape that the AWS CLI prints: members in `PascalCase`, absent when empty, unknown members ignored.
macro_rules! shape {
    ($(
        $(#[$meta:meta])*
        pub struct $name:ident {
            $( $(#[$field_meta:meta])* $field:ident : $kind:ty ),* $(,)?
        }
    )*) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(remote = "Self", rename_all = "PascalCase", default)]
        pub struct $name {
            $(
                $(#[$field_meta])*
                #[serde(skip_serializing_if = "crate::snapshot::shape::says_nothing")]
                pub $field: $kind,
            )*
        }
        crate::snapshot::shape::by_name!($name);
    )*};
}

/// Declares the content of one file: one call's output, all pages merged, whose lists stand there even when they are empty.
macro_rules! output {
    ($(
        $(#[$meta:meta])*
        pub struct $name:ident {
            $( $(#[$field_meta:meta])* $field:ident : $kind:ty ),* $(,)?
        }
    )*) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(remote = "Self", rename_all = "PascalCase")]
        pub struct $name {
            $( $(#[$field_meta])* pub $field: $kind, )*
        }
        crate::snapshot::shape::by_name!($name);
    )*};
}

pub(crate) use by_name;
pub(crate) use output;
pub(crate) use shape;

#[cfg(test)]
mod tests {
    use crate::snapshot::ssm::InstanceInformation;

    #[test]
    fn both_versions_of_the_aws_cli_are_read() {
        let cases = [
            (r#""2026-11-23T09:58:00+00:00""#, Some("2026-11-23T09:58:00+00:00")),
            ("1795556860.417", Some("2026-11-24T21:47:40.417Z")),
            ("1795556860", Some("2026-11-24T21:47:40Z")),
            ("null", None),
        ];
        for (written, expected) in cases {
            let node: InstanceInformation = serde_json::from_str(&format!(r#"{{"LastPingDateTime": {written}}}"#)).unwrap();
            assert_eq!(node.last_ping_date_time.as_deref(), expected, "{written}");
        }
        for wrong in ["1e300", "[]", "true"] {
            assert!(serde_json::from_str::<InstanceInformation>(&format!(r#"{{"LastPingDateTime": {wrong}}}"#)).is_err(), "{wrong}");
        }
    }
}
