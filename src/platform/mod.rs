//! The operating system of an instance: which it is, and whether AWS and its vendor still support it.
//!
//! Tables are in rules/data, with their sources and dates.

mod identify;
mod tables;
#[cfg(test)]
mod tests;
mod version;

use jiff::civil::Date;

pub use identify::{Observed, Platform, Source, identify};
pub use tables::{Family, TableError, Tables};
pub use version::{AgentVersion, OsVersion, VersionError};

use tables::System;

/// A table's answer. Unknown where the table has no row, or the row does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Yes,
    No,
    Unknown,
}

/// Whether Patch Manager can patch the platform, and why, as a fragment of a sentence.
pub fn patch_manager_support(tables: &Tables, platform: &Platform) -> (Answer, String) {
    supported(tables, platform, "Patch Manager", |system| &system.patch_manager)
}

/// Whether SSM Agent runs on the platform, and why, as a fragment of a sentence.
pub fn agent_support(tables: &Tables, platform: &Platform) -> (Answer, String) {
    supported(tables, platform, "SSM Agent", |system| &system.agent)
}

fn supported<'t>(
    tables: &'t Tables,
    platform: &Platform,
    who: &str,
    ranges: impl Fn(&'t System) -> &'t Vec<version::Range>,
) -> (Answer, String) {
    let name = &platform.name;
    let as_of = &tables.as_of;
    let Some(system) = platform.os.as_deref().and_then(|os| tables.system(os)) else {
        return (Answer::Unknown, "the operating system is not known".to_owned());
    };
    let ranges = ranges(system);
    if ranges.is_empty() {
        return (Answer::No, format!("{who} does not support {name} (as of {as_of})"));
    }
    let Some(version) = platform.version.as_deref().and_then(|version| version.parse::<OsVersion>().ok()) else {
        return (Answer::Unknown, format!("the version of {} is not known", system.name));
    };
    if system.unsure.iter().any(|range| range.contains(&version) == Some(true)) {
        return (Answer::Unknown, format!("AWS does not say whether {who} supports {name} (as of {as_of})"));
    }
    let answers: Vec<Option<bool>> = ranges.iter().map(|range| range.contains(&version)).collect();
    if !answers.contains(&Some(true)) {
        return if answers.contains(&None) {
            (Answer::Unknown, format!("the minor release of {name} is not known, and {who} supports some only (as of {as_of})"))
        } else {
            (Answer::No, format!("{who} does not support {name} (as of {as_of})"))
        };
    }
    if let Some(architecture) = &platform.architecture {
        let is_limited = system.x86_64_only.iter().any(|range| range.contains(&version) == Some(true)) && architecture != "x86_64";
        if is_limited || !(system.architectures.is_empty() || system.architectures.contains(architecture)) {
            return (Answer::No, format!("{who} does not support {name} on {architecture} (as of {as_of})"));
        }
    }
    (Answer::Yes, format!("{who} supports {name} (as of {as_of})"))
}

/// The last day of the vendor's standard support, where the table has it.
pub fn vendor_support_end(tables: &Tables, platform: &Platform) -> Option<Date> {
    let system = tables.system(platform.os.as_deref()?)?;
    let version = platform.version.as_deref()?.parse::<OsVersion>().ok()?;
    system.vendor_support.iter().find(|support| support.contains(&version))?.date()
}

/// Whether the owner's images of the system come with SSM Agent.
pub fn preinstalled_agent(tables: &Tables, platform: &Platform) -> (Answer, String) {
    match platform.os.as_deref().and_then(|os| tables.system(os)).and_then(|system| system.preinstalled_agent) {
        Some(true) => (Answer::Yes, format!("images of {} come with SSM Agent", platform.name)),
        Some(false) => (Answer::No, format!("images of {} come without SSM Agent", platform.name)),
        None => (Answer::Unknown, "look on the instance whether SSM Agent is installed".to_owned()),
    }
}

/// Whether an instance type has less than 1 GiB of memory.
pub fn has_under_one_gib(tables: &Tables, instance_type: &str) -> (Answer, String) {
    let answer = if tables.memory.under_one_gib.iter().any(|small| small == instance_type) { Answer::Yes } else { Answer::No };
    (answer, String::new())
}

/// Whether Quick Setup patch policies can be deployed to a Region.
pub fn patch_policies_supported(tables: &Tables, region: &str) -> bool {
    tables.regions.with_patch_policies.iter().any(|with| with == region)
}

/// Whether a Region has ec2messages, by the table alone.
pub fn region_has_ec2messages(tables: &Tables, region: &str) -> Answer {
    if tables.regions.without_ec2messages.iter().any(|without| without == region) { Answer::No } else { Answer::Yes }
}
