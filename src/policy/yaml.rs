//! What is wrong with a YAML file, in words for whoever wrote it.

use std::borrow::Cow;

use serde_saphyr::{Error, MessageFormatter, UserMessageFormatter};

/// The error with its place in the file.
pub(super) fn shown(error: &Error, file: &str) -> String {
    let shown = error.render_with_formatter(&Plain).replace("--> <input>", &format!("--> {file}"));
    shown.strip_prefix("error: ").unwrap_or(&shown).trim_end().to_owned()
}

/// The library's own words name its types and settings where they say what to do.
struct Plain;

impl MessageFormatter for Plain {
    fn format_message<'a>(&self, error: &'a Error) -> Cow<'a, str> {
        match error {
            Error::NullIntoString { .. } => "a value is missing: write one, in quotes if it is empty".into(),
            Error::DuplicateMappingKey { key: Some(key), .. } => format!("{key} stands here a second time: leave one of them").into(),
            Error::DuplicateMappingKey { key: None, .. } => "a member stands here a second time: leave one of them".into(),
            Error::MultipleDocuments { .. } => "a file holds one patch policy: give each its own file, without ---".into(),
            Error::InvalidScalar { .. } | Error::InvalidBooleanStrict { .. } => "true or false is expected".into(),
            Error::Unexpected { expected, .. } => format!("{} is expected", words(expected)).into(),
            Error::Eof { .. } => "the file is empty, or ends too early".into(),
            _ => UserMessageFormatter.format_message(error),
        }
    }
}

fn words(expected: &str) -> &str {
    match expected {
        "mapping start" => "a mapping (member: value)",
        "sequence start" => "a list ([one, another])",
        "string scalar" | "scalar" => "a single value",
        other => other,
    }
}
