//! The tables behind the judgements, from rules/data: what AWS documents, with its date and source.

use regex::Regex;
use serde::Deserialize;

use super::version::{OsVersion, Range};

/// The tables, compiled in, with a user's own entries laid over them.
#[derive(Debug)]
pub struct Tables {
    /// When the table of operating systems was read off AWS's pages.
    pub(super) as_of: String,
    pub(super) systems: Vec<System>,
    pub(super) images: Vec<ImagePattern>,
    pub(super) platform_details: Vec<DetailsPattern>,
    pub(super) regions: Regions,
    pub(super) memory: Memory,
}

/// A table that cannot be read: the fault of whoever wrote it.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    #[error("{file}: {problem}")]
    Malformed { file: String, problem: String },
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct SystemsFile {
    as_of: String,
    #[serde(default)]
    #[expect(dead_code, reason = "for the reader of the table")]
    sources: Vec<String>,
    systems: Vec<System>,
}

/// One operating system.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct System {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) family: Family,
    /// How SSM Agent's `PlatformName` begins.
    pub(super) platform_names: Vec<String>,
    /// Which versions of that name are this system, where several share it.
    #[serde(default)]
    pub(super) owns_versions: Option<Range>,
    #[serde(default)]
    pub(super) patch_manager: Vec<Range>,
    #[serde(default)]
    pub(super) agent: Vec<Range>,
    /// Versions of which AWS's page does not say whether they are meant.
    #[serde(default)]
    pub(super) unsure: Vec<Range>,
    #[serde(default)]
    pub(super) architectures: Vec<String>,
    #[serde(default)]
    pub(super) x86_64_only: Vec<Range>,
    #[serde(default)]
    pub(super) preinstalled_agent: Option<bool>,
    #[serde(default)]
    pub(super) vendor_support: Vec<Support>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    Linux,
    Windows,
    MacOs,
}

/// Until when the vendor supports some versions.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Support {
    from: String,
    to: String,
    pub(super) ends: String,
    #[expect(dead_code, reason = "for the reader of the table")]
    source: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct ImagesFile {
    #[expect(dead_code, reason = "for the reader of the table")]
    as_of: String,
    #[expect(dead_code, reason = "for the reader of the table")]
    sources: Vec<String>,
    images: Vec<ImageRow>,
    platform_details: Vec<DetailsPattern>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct ImageRow {
    owners: Vec<String>,
    name: String,
    os: String,
    #[serde(default)]
    version: Option<String>,
}

/// How an image's owner names the images of one system.
#[derive(Debug)]
pub(super) struct ImagePattern {
    pub(super) owners: Vec<String>,
    pub(super) name: Regex,
    pub(super) os: String,
    pub(super) version: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DetailsPattern {
    pub(super) prefix: String,
    pub(super) os: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Regions {
    #[expect(dead_code, reason = "for the reader of the table")]
    as_of: String,
    #[expect(dead_code, reason = "for the reader of the table")]
    sources: Vec<String>,
    pub(super) with_patch_policies: Vec<String>,
    pub(super) without_ec2messages: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Memory {
    #[expect(dead_code, reason = "for the reader of the table")]
    as_of: String,
    #[expect(dead_code, reason = "for the reader of the table")]
    sources: Vec<String>,
    pub(super) under_one_gib: Vec<String>,
}

const SYSTEMS: (&str, &str) = ("rules/data/operating_systems.yaml", include_str!("../../rules/data/operating_systems.yaml"));
const IMAGES: (&str, &str) = ("rules/data/images.yaml", include_str!("../../rules/data/images.yaml"));
const REGIONS: (&str, &str) = ("rules/data/regions.yaml", include_str!("../../rules/data/regions.yaml"));
const MEMORY: (&str, &str) = ("rules/data/instance_memory.yaml", include_str!("../../rules/data/instance_memory.yaml"));

impl Tables {
    /// The tables compiled into the program.
    ///
    /// # Errors
    /// Only if a table in the program is broken, which a test excludes.
    pub fn builtin() -> Result<Self, TableError> {
        let systems: SystemsFile = parse(SYSTEMS.0, SYSTEMS.1)?;
        check(SYSTEMS.0, &systems.systems)?;
        let images: ImagesFile = parse(IMAGES.0, IMAGES.1)?;
        let pattern = |row: ImageRow| {
            let name =
                Regex::new(&row.name).map_err(|error| TableError::Malformed { file: IMAGES.0.to_owned(), problem: error.to_string() })?;
            Ok(ImagePattern { owners: row.owners, name, os: row.os, version: row.version })
        };
        Ok(Self {
            as_of: systems.as_of,
            systems: systems.systems,
            images: images.images.into_iter().map(pattern).collect::<Result<_, TableError>>()?,
            platform_details: images.platform_details,
            regions: parse(REGIONS.0, REGIONS.1)?,
            memory: parse(MEMORY.0, MEMORY.1)?,
        })
    }

    /// The tables with a user's entries in place of those with the same ids, and with new ones added.
    ///
    /// # Errors
    /// When the user's table is no YAML of the right shape; the error shows the place.
    pub fn with_override(text: &str, file: &str) -> Result<Self, TableError> {
        let mut tables = Self::builtin()?;
        let own: SystemsFile = parse(file, text)?;
        check(file, &own.systems)?;
        tables.as_of = own.as_of;
        for system in own.systems.into_iter().rev() {
            tables.systems.retain(|known| known.id != system.id);
            // The user's own come first, so that they win where names overlap.
            tables.systems.insert(0, system);
        }
        Ok(tables)
    }

    pub(super) fn system(&self, id: &str) -> Option<&System> {
        self.systems.iter().find(|system| system.id == id)
    }
}

fn parse<T: serde::de::DeserializeOwned>(file: &str, text: &str) -> Result<T, TableError> {
    serde_saphyr::from_str(text).map_err(|error| TableError::Malformed { file: file.to_owned(), problem: error.to_string() })
}

/// Versions and dates are read when they are used, so they are checked here.
fn check(file: &str, systems: &[System]) -> Result<(), TableError> {
    for system in systems {
        let malformed =
            |problem: String| TableError::Malformed { file: file.to_owned(), problem: format!("system {}: {problem}", system.id) };
        let ranges =
            system.patch_manager.iter().chain(&system.agent).chain(&system.unsure).chain(&system.x86_64_only).chain(&system.owns_versions);
        for range in ranges {
            range.check().map_err(|error| malformed(error.to_string()))?;
        }
        for support in &system.vendor_support {
            support.date().ok_or_else(|| malformed(format!("{:?} is no date: write it as 2026-11-24", support.ends)))?;
            for version in [&support.from, &support.to] {
                version.parse::<OsVersion>().map_err(|error| malformed(error.to_string()))?;
            }
        }
    }
    Ok(())
}

impl Support {
    pub(super) fn date(&self) -> Option<jiff::civil::Date> {
        self.ends.parse().ok()
    }

    pub(super) fn contains(&self, version: &OsVersion) -> bool {
        Range::new(&self.from, &self.to).contains(version) == Some(true)
    }
}
