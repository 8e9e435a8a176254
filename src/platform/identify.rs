//! Which operating system an instance runs: the agent wins over the image, and the image over what EC2 tells.

use super::hardware::is_mac;
use super::image::{billing, identify_image};
use super::tables::OperatingSystem;
use super::version::Version;
use super::{Answer, Family, Observed, Platform, Source, Tables};

/// The operating system, its version and where that was learned.
pub fn identify(tables: &Tables, observed: &Observed<'_>) -> Platform {
    let guess = by_agent(tables, observed).or_else(|| by_image(tables, observed)).or_else(|| by_instance(tables, observed));
    let (os, reported_name, version, source) = match guess {
        Some(Guess { os, reported_name, version, source }) => (os, reported_name, version, source),
        None => (None, None, None, Source::Unknown),
    };
    let system = os.as_ref().and_then(|id| tables.operating_systems.get(id)).map(|listed| &listed.system);
    let family = reported_family(observed).or_else(|| system.map(|system| system.family)).or_else(|| instance_family(tables, observed));
    let name = system
        .map(|system| system.name.clone())
        .or(reported_name)
        .unwrap_or_else(|| family.map_or("unknown operating system", Family::name).to_owned());
    let source = if source == Source::Unknown && family.is_some() { family_source(observed) } else { source };
    Platform { os, name, version, architecture: observed.architecture.map(architecture), source, family }
}

struct Guess {
    os: Option<String>,
    reported_name: Option<String>,
    version: Option<String>,
    source: Source,
}

/// An agent's word ends the search, even for a system that the table does not have: the image may be of before an upgrade.
fn by_agent(tables: &Tables, observed: &Observed<'_>) -> Option<Guess> {
    let reported_name = said(observed.platform_name)?;
    let reported_version = said(observed.platform_version);
    let name = plain(reported_name);
    let version = reported_version.and_then(Version::parse);
    let mut best: Option<(usize, bool, &String, &OperatingSystem)> = None;
    for (id, listed) in &tables.operating_systems {
        for alternative in &listed.system.reported_as {
            let known = plain(&alternative.name);
            let fits = rest_of(&name, &known).is_some()
                && alternative
                    .version
                    .as_ref()
                    .is_none_or(|versions| version.is_some() && versions.contains(version.as_ref()) == Answer::Yes);
            let rank = (known.len(), alternative.version.is_some());
            if fits && best.is_none_or(|(length, versioned, ..)| rank > (length, versioned)) {
                best = Some((rank.0, rank.1, id, &listed.system));
            }
        }
    }
    let version = match best {
        Some((_, _, _, system)) if !system.builds.is_empty() => windows_version(system, &name, reported_version),
        _ => reported_version.map(str::to_owned),
    };
    Some(Guess { os: best.map(|(_, _, id, _)| id.clone()), reported_name: Some(reported_name.to_owned()), version, source: Source::Agent })
}

/// Windows' name tells its year ("Microsoft Windows Server 2012 R2 Standard"), and its version the build.
fn windows_version(system: &OperatingSystem, name: &str, build: Option<&str>) -> Option<String> {
    let from_name = || {
        let rest = system.reported_as.iter().find_map(|alternative| rest_of(name, &plain(&alternative.name)))?;
        let mut words = rest.split_whitespace();
        let year = words.next().filter(|word| word.len() == 4 && word.bytes().all(|byte| byte.is_ascii_digit()))?;
        let second = words.next().is_some_and(|word| word == "r2");
        Some(if second { format!("{year} R2") } else { year.to_owned() })
    };
    let from_build = || {
        let build = build?;
        system.builds.iter().find(|(known, _)| rest_of(build, known).is_some()).map(|(_, version)| version.clone())
    };
    from_name().or_else(from_build)
}

fn by_image(tables: &Tables, observed: &Observed<'_>) -> Option<Guess> {
    let (id, version) = identify_image(tables, observed)?;
    let family = tables.operating_systems.get(id)?.system.family;
    if reported_family(observed).is_some_and(|reported| reported != family) {
        return None;
    }
    Some(Guess { os: Some(id.to_owned()), reported_name: None, version, source: Source::Image })
}

fn by_instance(tables: &Tables, observed: &Observed<'_>) -> Option<Guess> {
    let os = if observed.instance_type.is_some_and(is_mac) { "macos".to_owned() } else { billing(tables, observed)?.os.clone()? };
    let family = tables.operating_systems.get(&os)?.system.family;
    if reported_family(observed).is_some_and(|reported| reported != family) {
        return None;
    }
    Some(Guess { os: Some(os), reported_name: None, version: None, source: Source::PlatformDetails })
}

/// What the agent says of the family.
fn reported_family(observed: &Observed<'_>) -> Option<Family> {
    match said(observed.platform_type)?.to_ascii_lowercase().as_str() {
        "linux" => Some(Family::Linux),
        "windows" => Some(Family::Windows),
        "macos" => Some(Family::MacOs),
        _ => None,
    }
}

/// What EC2 says of the family. An absent `Platform` proves nothing.
fn instance_family(tables: &Tables, observed: &Observed<'_>) -> Option<Family> {
    if observed.instance_type.is_some_and(is_mac) {
        return Some(Family::MacOs);
    }
    if observed.platform.is_some_and(|platform| platform.eq_ignore_ascii_case("windows")) {
        return Some(Family::Windows);
    }
    billing(tables, observed).map(|known| known.family)
}

fn family_source(observed: &Observed<'_>) -> Source {
    if reported_family(observed).is_some() { Source::Agent } else { Source::PlatformDetails }
}

fn said(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

/// Lower case, single spaces, and without the marks that older Windows puts into its name.
fn plain(name: &str) -> String {
    let name = name.to_lowercase().replace(['®', '™'], "").replace("(r)", "");
    name.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What follows `beginning`, when `text` begins with it as whole words.
fn rest_of<'a>(text: &'a str, beginning: &str) -> Option<&'a str> {
    text.strip_prefix(beginning).filter(|rest| !rest.starts_with(char::is_alphanumeric))
}

/// EC2 says `x86_64_mac` and `arm64_mac` of Mac instances.
fn architecture(text: &str) -> String {
    text.strip_suffix("_mac").unwrap_or(text).to_owned()
}
