//! The facts about what a patch run needs of the operating system: its package manager, Python, and what unpacks packages.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::words;
use crate::model::Region;
use crate::model::known::{Known, Unknown};
use crate::platform::{self, Platform, Python, Tables};
use crate::snapshot::ssm::InstalledPackage;

/// What a patch run needs of the operating system.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PackagesFacts {
    /// `other` for what none of them patches (Windows, macOS), and for what the table does not have.
    pub manager: PackageManager,
    /// Whether the installed packages are known: State Manager gathered `AWS:Application` of the node.
    pub is_list_known: bool,
    /// Whether a Python was found, so that its version can be asked for.
    pub is_python_found: bool,
    /// Whether a Python is on PATH that Patch Manager counts; from the installed packages where they are known, else
    /// as the vendor's images are; a patch run of late proves one.
    pub has_python: Known<bool>,
    /// Its first two numbers, such as `3.9`.
    pub python: Known<String>,
    /// Above 3.12, the newest that Patch Manager names.
    pub is_python_too_new: Known<bool>,
    /// Whether zstd, xz and unzip are installed, which DNF systems may need.
    pub has_archive_tools: Known<bool>,
    /// Those that are not, with commas between them.
    pub missing_archive_tools: String,
}

words! {
    /// What Patch Manager patches a system by.
    pub enum PackageManager { Yum = "yum", Dnf = "dnf", Apt = "apt", Zypper = "zypper", Other = "other" }
}

impl PackagesFacts {
    /// A run that came to its end has found its Python: `has_run`.
    pub(super) fn of(tables: &Tables, platform: &Platform, region: &Region<'_>, id: &str, has_run: bool) -> Self {
        let packages = packages(region, id);
        let python = platform::python(tables, platform, packages.as_deref());
        // Where nobody asked for the packages, the inventory may have them.
        let or_ask = if region.files.installed_packages.is_none() { ", or scan with --installed-packages" } else { "" };
        let on_node = |command: &str| Unknown::new("not_in_inventory", id, format!("run `{command}` on {id}{or_ask}"));
        let look = || vec![on_node("command -v python3 python; python3 --version")];
        let which_python = || Known::Unknown(look());
        let missing = packages.as_deref().map(platform::missing_archive_tools);
        Self {
            manager: match platform::package_manager(tables, platform) {
                Some(platform::PackageManager::Yum) => PackageManager::Yum,
                Some(platform::PackageManager::Dnf) => PackageManager::Dnf,
                Some(platform::PackageManager::Apt) => PackageManager::Apt,
                Some(platform::PackageManager::Zypper) => PackageManager::Zypper,
                None => PackageManager::Other,
            },
            is_list_known: packages.is_some(),
            is_python_found: matches!(python, Python::Version(_) | Python::Some),
            has_python: match &python {
                Python::Version(_) | Python::Some => Known::Known(true),
                Python::Missing | Python::Unknown if has_run => Known::Known(true),
                Python::Missing => Known::Known(false),
                Python::Unknown => which_python(),
            },
            is_python_too_new: match &python {
                Python::Version(version) => platform::is_python_too_new(version).map_or_else(which_python, Known::Known),
                Python::Missing => Known::Known(false),
                Python::Some | Python::Unknown => which_python(),
            },
            has_archive_tools: missing
                .as_ref()
                .map_or_else(|| Known::Unknown(vec![on_node("command -v zstd xz unzip")]), |missing| Known::Known(missing.is_empty())),
            missing_archive_tools: missing.unwrap_or_default().join(", "),
            python: match python {
                Python::Version(version) => Known::Known(version),
                Python::Some | Python::Missing | Python::Unknown => Known::Unknown(look()),
            },
        }
    }

    pub(super) fn healthy() -> Self {
        Self {
            manager: PackageManager::Dnf,
            is_list_known: true,
            is_python_found: true,
            has_python: Known::Known(true),
            python: Known::Known("3.9".to_owned()),
            is_python_too_new: Known::Known(false),
            has_archive_tools: Known::Known(true),
            missing_archive_tools: String::new(),
        }
    }
}

/// The names and versions of the installed packages; `None` where nobody gathered them.
fn packages<'a>(region: &Region<'a>, id: &str) -> Option<Vec<(&'a str, &'a str)>> {
    let listed = region.files.installed_packages.as_ref()?.entries.get(id)?;
    let package = |package: &'a InstalledPackage| Some((package.name.as_deref()?, package.version.as_deref().unwrap_or_default()));
    let packages: Vec<(&str, &str)> = listed.iter().filter_map(package).collect();
    // No system is without packages: an empty list is one that was not gathered.
    (!packages.is_empty()).then_some(packages)
}
