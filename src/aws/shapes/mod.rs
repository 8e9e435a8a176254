//! From the SDK's types to the shapes of the snapshot: the same members under the same names, enumerations as the words AWS sent.
//!
//! The conversion goes by what the snapshot declares: a member that it does not name is not looked at.

mod ec2;
mod global;
mod resource_groups;
mod route53;
mod ssm;

use std::collections::{BTreeMap, HashMap};

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;

/// A value of the SDK as the AWS CLI prints it.
pub(super) trait Shape<T> {
    fn shape(self) -> T;
}

/// Text, and every enumeration of the SDK: real answers hold values that its models do not list, so the word itself is kept.
impl<T: AsRef<str>> Shape<String> for T {
    fn shape(self) -> String {
        self.as_ref().to_owned()
    }
}

impl<From: Shape<To>, To> Shape<Option<To>> for Option<From> {
    fn shape(self) -> Option<To> {
        self.map(Shape::shape)
    }
}

impl<From: Shape<To>, To> Shape<Vec<To>> for Option<Vec<From>> {
    fn shape(self) -> Vec<To> {
        self.unwrap_or_default().shape()
    }
}

impl<From: Shape<To>, To> Shape<Vec<To>> for Vec<From> {
    fn shape(self) -> Vec<To> {
        self.into_iter().map(Shape::shape).collect()
    }
}

impl<From: Shape<To>, To> Shape<BTreeMap<String, To>> for HashMap<String, From> {
    fn shape(self) -> BTreeMap<String, To> {
        self.into_iter().map(|(key, value)| (key, value.shape())).collect()
    }
}

impl<From: Shape<To>, To> Shape<BTreeMap<String, To>> for Option<HashMap<String, From>> {
    fn shape(self) -> BTreeMap<String, To> {
        self.unwrap_or_default().shape()
    }
}

macro_rules! same {
    ($($kind:ty),*) => {$(
        impl Shape<$kind> for $kind {
            fn shape(self) -> $kind {
                self
            }
        }
    )*};
}

same!(bool, i32, i64);

/// A point in time as RFC 3339 in UTC; a time that no calendar holds counts as not told.
pub(super) fn time(value: DateTime) -> Option<String> {
    value.fmt(Format::DateTime).ok()
}

/// Implements [`Shape`] for structs, member by member. After the plain members come `times` (points in time), `present` (members
/// that the SDK takes for granted and the snapshot does not), `present_times`, and `missing` (members that the SDK does not know yet).
macro_rules! shapes {
    ($sdk:ident, $snapshot:ident; $(
        $from:ident => $to:ident { $($field:ident),* $(,)? }
        $(times { $($time:ident),* })? $(present { $($present:ident),* })? $(present_times { $($present_time:ident),* })?
        $(missing { $($missing:ident),* })?
    ;)*) => {$(
        impl $crate::aws::shapes::Shape<$snapshot::$to> for $sdk::$from {
            fn shape(self) -> $snapshot::$to {
                $snapshot::$to {
                    $($field: $crate::aws::shapes::Shape::shape(self.$field),)*
                    $($($time: self.$time.and_then($crate::aws::shapes::time),)*)?
                    $($($present: Some($crate::aws::shapes::Shape::shape(self.$present)),)*)?
                    $($($present_time: $crate::aws::shapes::time(self.$present_time),)*)?
                    $($($missing: None,)*)?
                }
            }
        }
    )*};
}

use shapes;
