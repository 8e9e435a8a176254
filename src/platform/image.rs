//! What the image and EC2's billing fields tell of the operating system.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::tables::Edition;
use super::{Family, Observed, Tables};

/// `rules/data/images.yaml`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Images {
    pub(super) as_of: Edition,
    pub(super) source: Vec<String>,
    #[serde(rename = "images")]
    pub(super) known: Vec<Image>,
    pub(super) cut_down: Vec<String>,
    pub(super) platform_details: Vec<PlatformDetails>,
    pub(super) usage_operations: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Image {
    pub(super) os: String,
    #[serde(default)]
    owners: Vec<String>,
    #[serde(default)]
    aliases: Vec<String>,
    names: Vec<String>,
    version: Option<String>,
    components: Option<usize>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PlatformDetails {
    starts_with: String,
    pub(super) os: Option<String>,
    pub(super) family: Family,
}

/// The operating system's id and version by the image, when owner and name are both known ones.
pub(super) fn identify_image<'a>(tables: &'a Tables, observed: &Observed<'_>) -> Option<(&'a str, Option<String>)> {
    let name = observed.image_name?;
    tables.images.known.iter().find_map(|image| {
        let trusted = observed.image_owner.is_some_and(|owner| image.owners.iter().any(|known| known == owner))
            || observed.image_owner_alias.is_some_and(|alias| image.aliases.iter().any(|known| known == alias));
        if !trusted {
            return None;
        }
        let found = image.names.iter().find_map(|pattern| fit(pattern, name))?;
        let version = image.version.clone().or_else(|| match image.components {
            Some(count) => Some(found.split('.').take(count).collect::<Vec<_>>().join(".")),
            None => Some(found),
        });
        Some((image.os.as_str(), version.filter(|version| !version.is_empty())))
    })
}

/// Whether the image is a cut-down variant of its operating system's usual one.
pub(super) fn is_cut_down(tables: &Tables, image_name: &str) -> bool {
    tables.images.cut_down.iter().any(|pattern| fit(pattern, image_name).is_some())
}

/// What the billing fields tell, by `PlatformDetails` or else by `UsageOperation`.
pub(super) fn billing<'a>(tables: &'a Tables, observed: &Observed<'_>) -> Option<&'a PlatformDetails> {
    let by_operation = || observed.usage_operation.and_then(|operation| tables.images.usage_operations.get(operation)).map(String::as_str);
    let details = observed.platform_details.or_else(by_operation)?;
    tables.images.platform_details.iter().find(|known| details.starts_with(&known.starts_with))
}

/// The version that the placeholders of `pattern` find in `name`, empty without a placeholder; `None` when the name does not fit.
fn fit(pattern: &str, name: &str) -> Option<String> {
    let Some(first) = pattern.chars().next() else {
        return name.is_empty().then(String::new);
    };
    if let Some(rest) = pattern.strip_prefix('*') {
        return (0..=name.len()).find_map(|skipped| fit(rest, name.get(skipped..)?));
    }
    for (placeholder, dots) in [("{version}", true), ("{major}", false), ("{minor}", false)] {
        if let Some(rest) = pattern.strip_prefix(placeholder) {
            let after = name.trim_start_matches(|character: char| character.is_ascii_digit() || (dots && character == '.'));
            let number = name.strip_suffix(after)?;
            if number.is_empty() || number.starts_with('.') || number.ends_with('.') {
                return None;
            }
            let later = fit(rest, after)?;
            return Some(if later.is_empty() { number.to_owned() } else { format!("{number}.{later}") });
        }
    }
    fit(pattern.strip_prefix(first)?, name.strip_prefix(first)?)
}
