//! The tables of `rules/data`, compiled in, and a user's own list of operating systems over them.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, de};

use super::Family;
use super::hardware::InstanceMemory;
use super::image::Images;
use super::packages::PythonTable;
use super::region::Regions;
use super::repository::RepositoryTable;
use super::version::Versions;

const OPERATING_SYSTEMS: &str = include_str!("../../rules/data/operating_systems.yaml");
const IMAGES: &str = include_str!("../../rules/data/images.yaml");
const REGIONS: &str = include_str!("../../rules/data/regions.yaml");
const INSTANCE_MEMORY: &str = include_str!("../../rules/data/instance_memory.yaml");
const REPOSITORIES: &str = include_str!("../../rules/data/repositories.yaml");
const PYTHON: &str = include_str!("../../rules/data/python.yaml");

/// Everything that this module knows about AWS and the vendors.
#[derive(Debug, Clone)]
pub struct Tables {
    /// By id.
    pub(super) operating_systems: BTreeMap<String, Listed>,
    pub(super) images: Images,
    pub(super) regions: Regions,
    pub(super) instance_memory: InstanceMemory,
    pub(super) repositories: RepositoryTable,
    pub(super) python: PythonTable,
}

/// A table that cannot be used. For a compiled-in file a bug in this program, otherwise the fault of the user's file.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// No YAML, or not of the documented shape. `problem` names the line and shows it.
    #[error("{file}: {problem}")]
    Malformed { file: String, problem: String },
}

impl Tables {
    /// The tables as this program was released with.
    pub fn builtin() -> Result<Self, TableError> {
        let mut tables = Self {
            operating_systems: BTreeMap::new(),
            images: parse(IMAGES, "rules/data/images.yaml")?,
            regions: parse(REGIONS, "rules/data/regions.yaml")?,
            instance_memory: parse(INSTANCE_MEMORY, "rules/data/instance_memory.yaml")?,
            repositories: parse(REPOSITORIES, "rules/data/repositories.yaml")?,
            python: parse(PYTHON, "rules/data/python.yaml")?,
        };
        tables.list(OPERATING_SYSTEMS, "rules/data/operating_systems.yaml")?;
        Ok(tables)
    }

    /// The compiled-in tables, with the operating systems of a file of the same shape as `rules/data/operating_systems.yaml` added, or put
    /// in the place of those with the same id. `file_name` is for the message of an error.
    pub fn with_override(yaml_text: &str, file_name: &str) -> Result<Self, TableError> {
        let mut tables = Self::builtin()?;
        tables.list(yaml_text, file_name)?;
        Ok(tables)
    }

    /// Where and when that was read which the table says of an operating system.
    pub fn operating_system_origin(&self, id: &str) -> Option<Origin<'_>> {
        self.operating_systems.get(id).map(|listed| Origin { as_of: listed.as_of, sources: &listed.source })
    }

    /// Where and when that was read which the tables say of images, Regions, instance types, repositories and Python, in this order.
    pub fn other_origins(&self) -> [Origin<'_>; 5] {
        [
            Origin { as_of: self.images.as_of.0, sources: &self.images.source },
            Origin { as_of: self.regions.as_of.0, sources: &self.regions.source },
            Origin { as_of: self.instance_memory.as_of.0, sources: &self.instance_memory.source },
            Origin { as_of: self.repositories.as_of.0, sources: &self.repositories.source },
            Origin { as_of: self.python.as_of.0, sources: &self.python.source },
        ]
    }

    fn list(&mut self, yaml_text: &str, file_name: &str) -> Result<(), TableError> {
        let file: OperatingSystems = parse(yaml_text, file_name)?;
        let Edition(as_of) = file.as_of;
        for (id, system) in file.systems {
            self.operating_systems.insert(id, Listed { as_of, source: file.source.clone(), system });
        }
        Ok(())
    }
}

pub(super) fn parse<T: DeserializeOwned>(yaml_text: &str, file_name: &str) -> Result<T, TableError> {
    serde_saphyr::from_str(yaml_text).map_err(|error| {
        let problem = error.render().replace("--> <input>", &format!("--> {file_name}"));
        let problem = problem.strip_prefix("error: ").unwrap_or(&problem).to_owned();
        TableError::Malformed { file: file_name.to_owned(), problem }
    })
}

/// Where a table's statements come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin<'a> {
    /// The day on which the table was compared with its sources.
    pub as_of: Date,
    /// URLs.
    pub sources: &'a [String],
}

/// An operating system, with where and when that was read.
#[derive(Debug, Clone)]
pub(super) struct Listed {
    pub(super) as_of: Date,
    pub(super) source: Vec<String>,
    pub(super) system: OperatingSystem,
}

/// `rules/data/operating_systems.yaml`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct OperatingSystems {
    as_of: Edition,
    source: Vec<String>,
    #[serde(rename = "operating_systems")]
    systems: BTreeMap<String, OperatingSystem>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OperatingSystem {
    pub(super) name: String,
    pub(super) family: Family,
    pub(super) reported_as: Vec<ReportedAs>,
    /// Windows: `PlatformVersion` to version.
    #[serde(default)]
    pub(super) builds: BTreeMap<String, String>,
    /// Whether a version without a minor number is the one with minor number 0.
    #[serde(default)]
    pub(super) bare_major_is_minor_zero: bool,
    /// `PatchBaseline.OperatingSystem`
    pub(super) patch_baseline: Option<String>,
    pub(super) patch_manager: PatchManagerVersions,
    pub(super) agent: AgentVersions,
    #[serde(default)]
    pub(super) preinstalled_agent: Vec<Versions>,
    #[serde(default)]
    pub(super) support_ends: Vec<SupportEnd>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReportedAs {
    pub(super) name: String,
    pub(super) version: Option<Versions>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PatchManagerVersions {
    pub(super) supported: Vec<Versions>,
    #[serde(default)]
    pub(super) unclear: Vec<Versions>,
    pub(super) note: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AgentVersions {
    pub(super) supported: Vec<AgentMachines>,
    #[serde(default)]
    pub(super) unclear: Vec<Versions>,
    pub(super) note: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AgentMachines {
    pub(super) versions: Versions,
    pub(super) architectures: Vec<String>,
}

/// When a vendor stops publishing updates without extra payment.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SupportEnd {
    pub(super) versions: Versions,
    /// The last day with updates.
    #[serde(deserialize_with = "date")]
    pub on: Date,
    pub evidence: Evidence,
    /// The vendor's page.
    pub source: String,
}

/// How well a date or a host is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Evidence {
    /// Read on the vendor's or AWS's own page.
    Documented,
    /// Seen in the output or the configuration of other people's instances.
    FieldReport,
    /// As others tell it.
    GeneralKnowledge,
}

/// The day on which a table was compared with its sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Edition(pub(super) Date);

impl<'de> Deserialize<'de> for Edition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        date(deserializer).map(Self)
    }
}

fn date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Date, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(|_| de::Error::custom(format!("{text:?} is no date: write it as 2026-11-24")))
}
