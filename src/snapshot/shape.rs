//! The one way a type of the AWS CLI's output is declared here.

use jiff::{SignedDuration, Timestamp, Unit};
use serde::de::Error as _;
use serde::{Deserialize as _, Deserializer};
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
        #[serde(rename_all = "PascalCase", default)]
        pub struct $name {
            $(
                $(#[$field_meta])*
                #[serde(skip_serializing_if = "crate::snapshot::shape::says_nothing")]
                pub $field: $kind,
            )*
        }
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
        #[serde(rename_all = "PascalCase")]
        pub struct $name {
            $( $(#[$field_meta])* pub $field: $kind, )*
        }
    )*};
}

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
