//! The report: one versioned set of types, and one file a format.

mod build;
mod explain;
mod fixes;
mod policies;
mod table;
pub mod types;

pub use build::{Frame, build};
pub use explain::{Form, explain, find};
pub use table::Look;
use types::Report;

/// A report's format. It never changes the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// For people.
    Table,
    /// The whole report, schema version 1.
    Json,
}

impl Format {
    pub const ALL: [Self; 2] = [Self::Table, Self::Json];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Json => "json",
        }
    }
}

/// Text from AWS without control characters: a name must not be able to draw on the terminal.
fn plain(text: &str) -> String {
    // Those that turn the direction of writing draw too.
    let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().filter(|c| !c.is_control() && !turns(*c)).collect()
}

/// Renders a report.
///
/// # Errors
/// Only if the report cannot be written as JSON, which would be a bug.
pub fn render(report: &Report, format: Format, look: Look) -> Result<String, serde_json::Error> {
    match format {
        Format::Table => Ok(table::render(report, look)),
        Format::Json => serde_json::to_string_pretty(report).map(|text| text + "\n"),
    }
}

/// The JSON Schema of the report, generated from its types.
///
/// # Errors
/// Only if the schema cannot be written as JSON, which would be a bug.
pub fn json_schema() -> Result<String, serde_json::Error> {
    let mut schema = schemars::schema_for!(Report);
    schema.insert("title".to_owned(), "patch-preflight report, schema version 1".into());
    serde_json::to_string_pretty(&schema).map(|text| text + "\n")
}
