//! What an instance runs: its operating system and version, and what AWS and the vendor say about them.
//!
//! Everything here is a pure function of what was observed and of the tables in `rules/data`, each of which names its sources and its date.

mod agent_version;
mod hardware;
mod identify;
mod image;
mod mirror;
mod packages;
mod region;
mod repository;
mod support;
mod tables;
#[cfg(test)]
mod tests;
mod version;

use serde::Deserialize;

pub use agent_version::{AgentVersion, AgentVersionError};
pub use hardware::has_under_one_gib;
pub use identify::identify;
pub use mirror::{AppliesTo, Declared, Mirror, Mirrors, Tag, Traits};
pub use packages::{PackageManager, Python, is_python_too_new, missing_archive_tools, package_manager, python};
pub use region::{PatchBuckets, patch_buckets, patch_policies_supported, region_has_ec2messages, regions_with_patch_policies};
pub use repository::{Alternative, FoundBy, Needed, Port, Repositories, Repository, ServedBy, all_reached, repositories, updated_as_image};
pub use support::{
    Support, agent_support, patch_baseline_operating_system, patch_manager_support, preinstalled_agent, vendor_support_end,
    vendor_support_over,
};
pub use tables::{Evidence, Origin, SupportEnd, TableError, Tables};

/// What was seen of one instance, as AWS spells it. Whatever was not seen is `None`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Observed<'a> {
    /// `InstanceInformation.PlatformType`: `Linux`, `Windows` or `MacOS`.
    pub platform_type: Option<&'a str>,
    /// `InstanceInformation.PlatformName`, as the agent reports it.
    pub platform_name: Option<&'a str>,
    /// `InstanceInformation.PlatformVersion`, as the agent reports it; of Windows the build.
    pub platform_version: Option<&'a str>,
    /// `ImageMetadata.Name`
    pub image_name: Option<&'a str>,
    /// `ImageMetadata.OwnerId`
    pub image_owner: Option<&'a str>,
    /// `ImageMetadata.ImageOwnerAlias`
    pub image_owner_alias: Option<&'a str>,
    /// `Instance.Platform`: `windows`, or absent, which proves nothing.
    pub platform: Option<&'a str>,
    /// `Instance.PlatformDetails`
    pub platform_details: Option<&'a str>,
    /// `Instance.UsageOperation`
    pub usage_operation: Option<&'a str>,
    /// `Instance.InstanceType`
    pub instance_type: Option<&'a str>,
    /// `Instance.Architecture`
    pub architecture: Option<&'a str>,
}

/// What an instance runs, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Platform {
    /// The id in the table of operating systems, such as `amazon-linux-2023`.
    pub os: Option<String>,
    /// For a person to read, without the version unless the name contains it.
    pub name: String,
    /// As a person would say it: `24.04`, `8.10`, `2012 R2`.
    pub version: Option<String>,
    /// `x86_64`, `arm64` or `i386`.
    pub architecture: Option<String>,
    pub source: Source,
    /// May be known although the operating system is not.
    pub family: Option<Family>,
}

impl Platform {
    /// The name with the version.
    pub fn label(&self) -> String {
        match &self.version {
            Some(version) if !self.name.split_whitespace().any(|word| word == version) => format!("{} {version}", self.name),
            _ => self.name.clone(),
        }
    }
}

/// Where the knowledge of the operating system comes from, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The agent reported it, and knows of upgrades in place.
    Agent,
    /// The image that the instance was started from.
    Image,
    /// What EC2 itself tells of the instance: the billing fields, `Platform`, and the instance type of a Mac.
    PlatformDetails,
    Unknown,
}

/// Decides the ephemeral ports, among other things.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    Linux,
    Windows,
    MacOs,
}

impl Family {
    /// What to call it when nothing more is known.
    pub fn name(self) -> &'static str {
        match self {
            Self::Linux => "Linux",
            Self::Windows => "Windows",
            Self::MacOs => "macOS",
        }
    }
}

/// Yes, no, or cannot be told: Kleene's three values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Yes,
    No,
    Unknown,
}

impl Answer {
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Yes, Self::Yes) => Self::Yes,
            _ => Self::Unknown,
        }
    }

    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Yes, _) | (_, Self::Yes) => Self::Yes,
            (Self::No, Self::No) => Self::No,
            _ => Self::Unknown,
        }
    }
}

impl From<bool> for Answer {
    fn from(value: bool) -> Self {
        if value { Self::Yes } else { Self::No }
    }
}
