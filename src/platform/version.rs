//! Versions of operating systems, and the ranges in which AWS and the vendors speak of them.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, de};

use super::Answer;

/// Numbers, compared one after the other. How many there are matters: `9` says less than `9.4`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Version(Vec<u32>);

impl Version {
    /// Reads `24.04`, `7.6.2004`, `12 (bookworm)`, `2012 R2` (whose `R2` counts as a minor 2); `None` for what begins with no number.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let rest = text.trim_start_matches(|character: char| character.is_ascii_digit() || character == '.');
        if rest.starts_with(char::is_alphanumeric) {
            return None;
        }
        let numbers = text.strip_suffix(rest)?.trim_end_matches('.');
        let mut numbers = numbers.split('.').map(|part| part.parse().ok()).collect::<Option<Vec<u32>>>()?;
        if rest.split_whitespace().next().is_some_and(|word| word.eq_ignore_ascii_case("R2")) {
            numbers.push(2);
        }
        Some(Self(numbers))
    }

    /// Takes a lone major number for the release with minor number 0.
    pub(super) fn with_minor(mut self) -> Self {
        if self.0.len() == 1 {
            self.0.push(0);
        }
        self
    }

    /// Before, within or after `bound`, which stands for everything that begins with its numbers; `None` when this version says too little.
    fn against(&self, bound: &Self) -> Option<Ordering> {
        for (place, limit) in bound.0.iter().enumerate() {
            match self.0.get(place)?.cmp(limit) {
                Ordering::Equal => {}
                other => return Some(other),
            }
        }
        Some(Ordering::Equal)
    }
}

/// Some versions, with the text they were written as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Versions {
    text: String,
    range: Range,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Range {
    Any,
    From(Version),
    Between(Version, Version),
}

impl Versions {
    pub(super) fn contains(&self, version: Option<&Version>) -> Answer {
        match (&self.range, version) {
            (Range::Any, _) => Answer::Yes,
            (_, None) => Answer::Unknown,
            (Range::From(first), Some(version)) => at_least(version, first),
            (Range::Between(first, last), Some(version)) => at_least(version, first).and(at_most(version, last)),
        }
    }
}

/// Whether one of the ranges contains the version.
pub(super) fn any_contains(ranges: &[Versions], version: Option<&Version>) -> Answer {
    ranges.iter().map(|range| range.contains(version)).fold(Answer::No, Answer::or)
}

fn at_least(version: &Version, bound: &Version) -> Answer {
    version.against(bound).map_or(Answer::Unknown, |ordering| (ordering != Ordering::Less).into())
}

fn at_most(version: &Version, bound: &Version) -> Answer {
    version.against(bound).map_or(Answer::Unknown, |ordering| (ordering != Ordering::Greater).into())
}

impl fmt::Display for Versions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.range {
            Range::Any => formatter.write_str("every version"),
            Range::From(_) => write!(formatter, "{} and later", self.text.trim_end_matches('+')),
            Range::Between(..) => formatter.write_str(&self.text),
        }
    }
}

impl FromStr for Versions {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || format!("{text:?} is no range of versions: write \"8.x\", \"7.5-8.x\", \"15.3+\", \"24.04\" or \"*\"");
        let bound = |text: &str| {
            let text = text.trim();
            let text = text.strip_suffix(".x").unwrap_or(text);
            let numeric = text.chars().all(|character| character.is_ascii_digit() || character == '.') && !text.ends_with('.');
            numeric.then(|| Version::parse(text)).flatten().ok_or_else(error)
        };
        let range = if text == "*" {
            Range::Any
        } else if let Some(first) = text.strip_suffix('+') {
            Range::From(bound(first)?)
        } else if let Some((first, last)) = text.split_once('-') {
            let (first, last) = (bound(first)?, bound(last)?);
            if first.against(&last) == Some(Ordering::Greater) {
                return Err(format!("{text:?} ends before it begins"));
            }
            Range::Between(first, last)
        } else {
            let only = bound(text)?;
            Range::Between(only.clone(), only)
        };
        Ok(Self { text: text.to_owned(), range })
    }
}

impl<'de> Deserialize<'de> for Versions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}
