//! Versions of operating systems and of SSM Agent: compared number by number, never as text.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

/// A version of an operating system: `8.10` is later than `8.9`, and `9` says nothing about its minor release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OsVersion(Vec<u32>);

/// A text that begins with no number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no version: a version is numbers with dots, such as 8.10 or 3.3.40.0")]
pub struct VersionError(String);

impl FromStr for OsVersion {
    type Err = VersionError;

    /// Reads the numbers at the beginning; what follows (`(Core)`, `LTS`) is left.
    fn from_str(text: &str) -> Result<Self, VersionError> {
        let start: String = text.trim().chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
        let numbers: Result<Vec<u32>, _> = start.trim_end_matches('.').split('.').map(str::parse).collect();
        numbers.map(Self).map_err(|_| VersionError(text.to_owned()))
    }
}

/// Versions from one to another, both included; `to: "8"` includes every 8.x.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Range {
    from: String,
    to: String,
}

impl Range {
    /// Whether the version is in the range; `None` when its minor release decides and is not known.
    pub(super) fn contains(&self, version: &OsVersion) -> Option<bool> {
        let (Ok(from), Ok(to)) = (self.from.parse::<OsVersion>(), self.to.parse::<OsVersion>()) else { return None };
        if version.common(&to) == Ordering::Greater {
            return Some(false);
        }
        match version.common(&from) {
            Ordering::Less => Some(false),
            Ordering::Greater => Some(true),
            // As far as both are written they are equal; a shorter version may be earlier.
            Ordering::Equal if version.0.len() < from.0.len() && from.0.iter().skip(version.0.len()).any(|number| *number > 0) => None,
            Ordering::Equal => Some(true),
        }
    }

    pub(super) fn new(from: &str, to: &str) -> Self {
        Self { from: from.to_owned(), to: to.to_owned() }
    }

    pub(super) fn check(&self) -> Result<(), VersionError> {
        self.from.parse::<OsVersion>()?;
        self.to.parse::<OsVersion>().map(|_| ())
    }
}

impl OsVersion {
    /// Compares as many numbers as both have.
    fn common(&self, other: &Self) -> Ordering {
        self.0.iter().zip(&other.0).map(|(left, right)| left.cmp(right)).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }
}

/// A version of SSM Agent: four numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct AgentVersion([u32; 4]);

impl AgentVersion {
    /// The minimum for Patch Manager (<https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-prerequisites.html>).
    pub const PATCHING_MINIMUM: Self = Self([2, 0, 834, 0]);
    /// The minimum for the Default Host Management Configuration
    /// (<https://docs.aws.amazon.com/systems-manager/latest/userguide/fleet-manager-default-host-management-configuration.html>).
    pub const DHMC_MINIMUM: Self = Self([3, 2, 582, 0]);
    /// The first that prefers ssmmessages
    /// (<https://docs.aws.amazon.com/systems-manager/latest/userguide/systems-manager-setting-up-messageAPIs.html>).
    pub const WITHOUT_EC2MESSAGES: Self = Self([3, 3, 40, 0]);
}

impl FromStr for AgentVersion {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        let mut version = [0; 4];
        let mut slots = version.iter_mut();
        for part in text.trim().split('.') {
            let slot = slots.next().ok_or_else(|| VersionError(text.to_owned()))?;
            *slot = part.parse().map_err(|_| VersionError(text.to_owned()))?;
        }
        Ok(Self(version))
    }
}

impl fmt::Display for AgentVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch, build] = self.0;
        write!(formatter, "{major}.{minor}.{patch}.{build}")
    }
}

#[cfg(test)]
mod tests {
    use super::{AgentVersion, OsVersion, Range};

    #[test]
    fn ranges_compare_numbers() {
        let cases = [
            ("8.10", "8.3", "9", Some(true)),
            ("8.2", "8.3", "9", Some(false)),
            ("8.10", "8", "8.9", Some(false)),
            ("9", "8", "9", Some(true)),
            ("9.7", "8", "9", Some(true)),
            ("10", "8", "9", Some(false)),
            ("7", "7.5", "9", None),
            ("8", "7.5", "9", Some(true)),
            ("15", "15.3", "15", None),
            ("7", "7.0", "7.5", Some(true)),
            ("7.6.2004", "7", "7", Some(true)),
        ];
        for (version, from, to, expected) in cases {
            let range = Range { from: from.to_owned(), to: to.to_owned() };
            assert_eq!(range.contains(&version.parse::<OsVersion>().unwrap()), expected, "{version} in {from} to {to}");
        }
    }

    #[test]
    fn agents_compare_numbers() {
        let version = |text: &str| text.parse::<AgentVersion>().unwrap();
        assert!(version("3.3.987.0") < version("3.3.4624.0"));
        assert!(version("2.0.834.0") >= AgentVersion::PATCHING_MINIMUM);
        assert!(version("3.3.40") >= AgentVersion::WITHOUT_EC2MESSAGES);
        for junk in ["", "latest", "3.3.x", "1.2.3.4.5", "-1.0", "99999999999.0"] {
            assert!(junk.parse::<AgentVersion>().is_err(), "{junk}");
        }
    }
}
