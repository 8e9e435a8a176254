//! JSON, and the place of what is wrong in it.

use serde::de::DeserializeOwned;

/// What is wrong with a text.
pub(crate) struct Misread {
    /// The member where one can be named, with line and column.
    pub(crate) place: String,
    pub(crate) problem: String,
}

pub(crate) fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, Misread> {
    let mut json = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| misread(&error.path().to_string(), error.inner()))?;
    json.end().map_err(|error| misread("", &error))?;
    Ok(value)
}

fn misread(path: &str, error: &serde_json::Error) -> Misread {
    let at = format!("line {}, column {}", error.line(), error.column());
    // Where the text ends too early, the last member cannot be named.
    let place = match path.trim_end_matches('?').trim_end_matches('.') {
        "" => at,
        member => format!("{member} ({at})"),
    };
    let text = error.to_string();
    // serde_json ends its message with the position that `place` already tells.
    let problem = text.split(" at line ").next().unwrap_or(&text).to_owned();
    Misread { place, problem }
}
