//! The package manager by which Patch Manager patches a system, the Python that it needs for that, and the tools that unpack what DNF downloads.
//!
//! Sources: <https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-prerequisites.html>,
//! <https://docs.aws.amazon.com/systems-manager/latest/userguide/inventory-schema.html>.

use serde::Deserialize;

use super::tables::Edition;
use super::version::{Version, Versions};
use super::{Answer, Platform, Tables};

/// `rules/data/python.yaml`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PythonTable {
    pub(super) as_of: Edition,
    pub(super) source: Vec<String>,
    systems: Vec<Row>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    os: String,
    versions: Versions,
    manager: PackageManager,
    #[serde(default)]
    python: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PackageManager {
    Yum,
    Dnf,
    Apt,
    Zypper,
}

/// What is known of the Python on a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Python {
    /// The version; the lowest of several.
    Version(String),
    /// One is there; its version is not known.
    Some,
    /// None that Patch Manager would find.
    Missing,
    Unknown,
}

/// The newest that Patch Manager names.
const NEWEST_PYTHON: (u32, u32) = (3, 12);
/// What DNF systems may lack: `No such file or directory: b'zstd'`.
const ARCHIVE_TOOLS: [&str; 3] = ["zstd", "xz", "unzip"];

/// `None` for a system that no package manager of the table patches, and for one that is not known.
pub fn package_manager(tables: &Tables, platform: &Platform) -> Option<PackageManager> {
    row(tables, platform).map(|row| row.manager)
}

/// From the names and versions of the installed packages where they are known, else from what the vendor's images come with.
pub fn python(tables: &Tables, platform: &Platform, packages: Option<&[(&str, &str)]>) -> Python {
    let Some(row) = row(tables, platform) else { return Python::Unknown };
    let Some(packages) = packages else {
        return match row.python.as_deref() {
            // Where the image has none, somebody may have installed one since.
            None | Some("none") => Python::Unknown,
            Some("some") => Python::Some,
            Some(version) => Python::Version(version.to_owned()),
        };
    };
    let found: Vec<&(&str, &str)> = packages.iter().filter(|(name, _)| is_python(row.manager, name)).collect();
    if found.is_empty() {
        return Python::Missing;
    }
    let version = |(_, version): &&(&str, &str)| numbers(version);
    match found.iter().filter_map(version).min() {
        Some((major, minor)) => Python::Version(format!("{major}.{minor}")),
        None => Python::Some,
    }
}

/// Whether a version is above what Patch Manager names; `None` for what is no version.
pub fn is_python_too_new(version: &str) -> Option<bool> {
    Some(numbers(version)? > NEWEST_PYTHON)
}

/// The tools of DNF systems that are not among the installed packages.
pub fn missing_archive_tools(packages: &[(&str, &str)]) -> Vec<&'static str> {
    ARCHIVE_TOOLS.into_iter().filter(|tool| !packages.iter().any(|(name, _)| name == tool)).collect()
}

fn row<'t>(tables: &'t Tables, platform: &Platform) -> Option<&'t Row> {
    let os = platform.os.as_deref()?;
    let version = platform.version.as_deref().and_then(Version::parse);
    tables.python.systems.iter().find(|row| row.os == os && row.versions.contains(version.as_ref()) == Answer::Yes)
}

/// Whether a package puts a Python on PATH that Patch Manager counts: `platform-python` is none.
fn is_python(manager: PackageManager, name: &str) -> bool {
    let Some(rest) = name.strip_prefix("python") else { return false };
    let is_number =
        |text: &str| text.starts_with(|digit: char| digit.is_ascii_digit()) && text.chars().all(|c| c.is_ascii_digit() || c == '.');
    match manager {
        PackageManager::Apt => matches!(rest, "3" | "3-minimal"),
        PackageManager::Zypper => matches!(rest, "3" | "3-base" | "" | "-base"),
        PackageManager::Yum | PackageManager::Dnf => rest.is_empty() || is_number(rest),
    }
}

/// The first two numbers of a package's version, whose epoch stands before a colon.
fn numbers(version: &str) -> Option<(u32, u32)> {
    let version = version.split_once(':').map_or(version, |(_, version)| version);
    let mut parts = version.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    Some((parts.next()?.ok()?, parts.next()?.ok()?))
}
