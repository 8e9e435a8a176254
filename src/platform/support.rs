//! What AWS and the vendors say of an operating system: does Patch Manager patch it, does the agent run on it, is it still maintained?

use std::fmt::Display;

use jiff::civil::Date;

use super::image::is_cut_down;
use super::tables::{Listed, SupportEnd};
use super::version::{Version, any_contains};
use super::{Answer, Platform, Source, Tables};

/// An answer and why, in a fragment that reads after a colon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Support {
    pub answer: Answer,
    pub reason: String,
}

/// Whether AWS lists the operating system for Patch Manager.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-prerequisites.html#supported-os>
pub fn patch_manager_support(tables: &Tables, platform: &Platform) -> Support {
    let Some(listed) = listed(tables, platform) else {
        return unknown_system(platform);
    };
    let table = &listed.system.patch_manager;
    let version = version(listed, platform);
    let supported = any_contains(&table.supported, version.as_ref());
    let unclear = any_contains(&table.unclear, version.as_ref());
    judge(listed, platform, "Patch Manager", supported, unclear, table.note.as_deref(), &join(&table.supported))
}

/// Whether AWS lists the operating system and the architecture for SSM Agent.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/operating-systems-and-machine-types.html>
pub fn agent_support(tables: &Tables, platform: &Platform) -> Support {
    let Some(listed) = listed(tables, platform) else {
        return unknown_system(platform);
    };
    let table = &listed.system.agent;
    let version = version(listed, platform);
    let supported = table
        .supported
        .iter()
        .map(|machines| machines.versions.contains(version.as_ref()).and(architecture_among(&machines.architectures, platform)))
        .fold(Answer::No, Answer::or);
    let unclear = any_contains(&table.unclear, version.as_ref());
    let lines =
        table.supported.iter().map(|machines| format!("{} ({})", machines.versions, machines.architectures.join(", "))).collect::<Vec<_>>();
    judge(listed, platform, "SSM Agent", supported, unclear, table.note.as_deref(), &join(&lines))
}

/// Whether the images that AWS and the vendors offer bring the agent. An instance of somebody's own image may differ.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/ami-preinstalled-agent.html>
pub fn preinstalled_agent(tables: &Tables, platform: &Platform, image_name: Option<&str>) -> Support {
    let Some(listed) = listed(tables, platform) else {
        return unknown_system(platform);
    };
    let label = platform.label();
    match any_contains(&listed.system.preinstalled_agent, version(listed, platform).as_ref()) {
        Answer::Yes if image_name.is_some_and(|name| is_cut_down(tables, name)) => {
            support(Answer::Unknown, format!("images of {label} come with SSM Agent, but this one is a cut-down variant"))
        }
        Answer::Yes => support(Answer::Yes, format!("images of {label} come with SSM Agent")),
        Answer::No => support(Answer::No, format!("images of {label} come without SSM Agent (AWS's list of {})", listed.as_of)),
        Answer::Unknown => support(
            Answer::Unknown,
            format!("images of some versions of {} come with SSM Agent, and the version is not known", platform.name),
        ),
    }
}

/// When the vendor stops publishing updates, where the version and the date are known.
pub fn vendor_support_end<'a>(tables: &'a Tables, platform: &Platform) -> Option<&'a SupportEnd> {
    let listed = listed(tables, platform)?;
    let version = version(listed, platform);
    listed.system.support_ends.iter().find(|end| end.versions.contains(version.as_ref()) == Answer::Yes)
}

/// Whether the vendor published its last update before `on`.
pub fn vendor_support_over(tables: &Tables, platform: &Platform, on: Date) -> Support {
    match vendor_support_end(tables, platform) {
        Some(end) if on > end.on => support(Answer::Yes, format!("the vendor's support of {} ended on {}", platform.label(), end.on)),
        Some(end) => support(Answer::No, format!("the vendor supports {} until {}", platform.label(), end.on)),
        None => support(Answer::Unknown, format!("it is not known how long the vendor supports {}", platform.label())),
    }
}

/// The operating system as patch baselines name it (`PatchBaseline.OperatingSystem`).
pub fn patch_baseline_operating_system<'a>(tables: &'a Tables, platform: &Platform) -> Option<&'a str> {
    listed(tables, platform)?.system.patch_baseline.as_deref()
}

fn judge(
    listed: &Listed,
    platform: &Platform,
    product: &str,
    supported: Answer,
    unclear: Answer,
    note: Option<&str>,
    versions: &str,
) -> Support {
    let label = platform.label();
    let as_of = listed.as_of;
    match (supported, unclear) {
        (Answer::Yes, _) => support(Answer::Yes, format!("AWS lists {label} for {product} (as of {as_of})")),
        (_, Answer::Yes) => support(Answer::Unknown, format!("{} (as of {as_of})", note.unwrap_or("AWS's list leaves it open"))),
        (Answer::No, Answer::No) if versions.is_empty() => {
            support(Answer::No, format!("AWS's list for {product} has no {} (as of {as_of})", platform.name))
        }
        (Answer::No, Answer::No) => {
            let machine =
                platform.architecture.as_deref().filter(|_| product == "SSM Agent").map(|name| format!(" on {name}")).unwrap_or_default();
            support(Answer::No, format!("AWS's list for {product} has no {label}{machine}, only {versions} (as of {as_of})"))
        }
        _ => support(
            Answer::Unknown,
            format!("AWS lists {} {versions} for {product}, and what runs here is not known well enough to say", platform.name),
        ),
    }
}

/// The architectures that EC2 offers for current operating systems.
const ARCHITECTURES: [&str; 2] = ["x86_64", "arm64"];

fn architecture_among(architectures: &[String], platform: &Platform) -> Answer {
    let has = |wanted: &str| architectures.iter().any(|name| name == wanted);
    match platform.architecture.as_deref() {
        Some(architecture) => has(architecture).into(),
        None if ARCHITECTURES.into_iter().all(has) => Answer::Yes,
        None => Answer::Unknown,
    }
}

pub(super) fn listed<'a>(tables: &'a Tables, platform: &Platform) -> Option<&'a Listed> {
    tables.operating_systems.get(platform.os.as_ref()?)
}

pub(super) fn version(listed: &Listed, platform: &Platform) -> Option<Version> {
    let version = Version::parse(platform.version.as_deref()?)?;
    Some(if listed.system.bare_major_is_minor_zero { version.with_minor() } else { version })
}

pub(super) fn unknown_system(platform: &Platform) -> Support {
    let reason = match platform.source {
        Source::Agent if platform.family.is_none_or(|family| family.name() != platform.name) => {
            format!("the agent reports {:?}, which this program does not know", platform.label())
        }
        _ => "it is not known which operating system the instance runs".to_owned(),
    };
    support(Answer::Unknown, reason)
}

fn support(answer: Answer, reason: String) -> Support {
    Support { answer, reason }
}

fn join(items: &[impl Display]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
