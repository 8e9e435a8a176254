//! Which operating system an instance runs: what the agent says, else what the image's owner called the image, else EC2's platform details.

use super::tables::{Family, System, Tables};
use super::version::OsVersion;

/// What is seen of an instance's operating system, from the best source to the least.
#[derive(Debug, Clone, Default)]
pub struct Observed<'a> {
    /// `Linux`, `Windows` or `MacOS`, as the agent reports it.
    pub platform_type: Option<&'a str>,
    pub platform_name: Option<&'a str>,
    pub platform_version: Option<&'a str>,
    pub image_name: Option<&'a str>,
    pub image_owner: Option<&'a str>,
    pub image_owner_alias: Option<&'a str>,
    /// EC2's `Platform`: `windows`, or absent, which proves nothing.
    pub platform: Option<&'a str>,
    pub platform_details: Option<&'a str>,
    pub usage_operation: Option<&'a str>,
    pub instance_type: Option<&'a str>,
    pub architecture: Option<&'a str>,
}

/// An operating system as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Platform {
    /// The id in the table of operating systems. A name that the table does not have is no id.
    pub os: Option<String>,
    /// For people, such as `Ubuntu 22.04`.
    pub name: String,
    pub version: Option<String>,
    pub architecture: Option<String>,
    pub source: Source,
    /// Known more often than the system itself.
    pub family: Option<Family>,
}

/// Where the operating system was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    Agent,
    Image,
    PlatformDetails,
    Unknown,
}

pub fn identify(tables: &Tables, observed: &Observed<'_>) -> Platform {
    by_agent(tables, observed).or_else(|| by_image(tables, observed)).or_else(|| by_details(tables, observed)).unwrap_or_else(|| Platform {
        os: None,
        name: "an unknown operating system".to_owned(),
        version: None,
        architecture: observed.architecture.map(str::to_owned),
        source: Source::Unknown,
        family: family(observed),
    })
}

fn by_agent(tables: &Tables, observed: &Observed<'_>) -> Option<Platform> {
    let name = observed.platform_name?;
    let raw = observed.platform_version.unwrap_or_default();
    let begins = |system: &&System| {
        system.platform_names.iter().any(|known| name.get(..known.len()).is_some_and(|start| start.eq_ignore_ascii_case(known)))
    };
    let version = |system: &System| {
        if system.family == Family::Windows { windows_release(name, raw) } else { Some(raw.to_owned()).filter(|raw| !raw.is_empty()) }
    };
    let owns = |system: &&System| match &system.owns_versions {
        None => true,
        Some(range) => raw.parse::<OsVersion>().is_ok_and(|version| range.contains(&version) == Some(true)),
    };
    match tables.systems.iter().filter(begins).find(owns) {
        Some(system) => Some(found(system, version(system), observed, Source::Agent)),
        // The agent names a system that the table does not have: known by name, and in no matrix.
        None => Some(Platform {
            os: None,
            name: format!("{name} {raw}").trim().to_owned(),
            version: Some(raw.to_owned()).filter(|raw| !raw.is_empty()),
            architecture: observed.architecture.map(str::to_owned),
            source: Source::Agent,
            family: family(observed),
        }),
    }
}

fn by_image(tables: &Tables, observed: &Observed<'_>) -> Option<Platform> {
    let name = observed.image_name?;
    let owners = [observed.image_owner, observed.image_owner_alias];
    let is_owned = |known: &[String]| owners.iter().flatten().any(|owner| known.iter().any(|known| known == owner));
    let pattern = tables.images.iter().find(|pattern| is_owned(&pattern.owners) && pattern.name.is_match(name))?;
    let captures = pattern.name.captures(name)?;
    let captured = captures.name("version").map(|version| match captures.name("minor") {
        Some(minor) => format!("{}.{}", version.as_str(), minor.as_str()),
        None => version.as_str().to_owned(),
    });
    let system = tables.system(&pattern.os)?;
    Some(found(system, captured.or_else(|| pattern.version.clone()), observed, Source::Image))
}

fn by_details(tables: &Tables, observed: &Observed<'_>) -> Option<Platform> {
    let details = observed.platform_details?;
    let pattern = tables.platform_details.iter().find(|pattern| details.starts_with(&pattern.prefix))?;
    Some(found(tables.system(&pattern.os)?, None, observed, Source::PlatformDetails))
}

fn found(system: &System, version: Option<String>, observed: &Observed<'_>, source: Source) -> Platform {
    // A system that owns its versions has the version in its name already.
    let name = match &version {
        Some(version) if system.owns_versions.is_none() => format!("{} {version}", system.name),
        _ => system.name.clone(),
    };
    Platform {
        os: Some(system.id.clone()),
        name,
        version,
        architecture: observed.architecture.map(str::to_owned),
        source,
        family: Some(system.family),
    }
}

/// The release of Windows Server: from the caption, else from the build number
/// (<https://learn.microsoft.com/en-us/windows-server/get-started/windows-server-release-info>).
fn windows_release(caption: &str, version: &str) -> Option<String> {
    let year = caption.split(|c: char| !c.is_ascii_digit()).find(|word| word.len() == 4 && word.starts_with("20"));
    if let Some(year) = year {
        return Some(year.to_owned());
    }
    let build = version.split('.').nth(2)?;
    let release = match build {
        "9200" | "9600" => "2012",
        "14393" => "2016",
        "17763" => "2019",
        "20348" => "2022",
        "26100" => "2025",
        _ => return None,
    };
    Some(release.to_owned())
}

/// Linux, Windows or macOS, from whatever tells it.
fn family(observed: &Observed<'_>) -> Option<Family> {
    let is = |value: Option<&str>, word: &str| value.is_some_and(|value| value.eq_ignore_ascii_case(word));
    if is(observed.platform_type, "Linux") {
        return Some(Family::Linux);
    }
    if is(observed.platform_type, "Windows")
        || is(observed.platform, "windows")
        || observed.platform_details.is_some_and(|details| details.starts_with("Windows"))
    {
        return Some(Family::Windows);
    }
    // EC2 calls macOS "Linux/UNIX" too; only a Mac runs it.
    if is(observed.platform_type, "MacOS") || observed.instance_type.is_some_and(|kind| kind.starts_with("mac")) {
        return Some(Family::MacOs);
    }
    let is_linux = |details: &str| ["Linux", "Red Hat", "SUSE", "Ubuntu"].iter().any(|start| details.starts_with(start));
    observed.platform_details.is_some_and(is_linux).then_some(Family::Linux)
}
