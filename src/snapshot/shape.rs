//! The one way a type of the AWS CLI's output is declared here.

/// Whether a value says nothing, so that it is left out of the file as AWS leaves it out.
pub(crate) fn says_nothing<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
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
