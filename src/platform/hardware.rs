//! What the instance type tells.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::tables::Edition;
use super::{Answer, Tables};

/// `rules/data/instance_memory.yaml`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InstanceMemory {
    pub(super) as_of: Edition,
    pub(super) source: Vec<String>,
    /// Instance type to GiB.
    pub(super) below_one_gib: BTreeMap<String, f64>,
    at_least_one_gib: BTreeSet<String>,
    undecided_sizes: BTreeSet<String>,
}

/// Whether an instance type has less than 1 GiB of memory, where AWS warns of patching running out of it.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-troubleshooting.html>
pub fn has_under_one_gib(tables: &Tables, instance_type: &str) -> Answer {
    let table = &tables.instance_memory;
    if table.below_one_gib.contains_key(instance_type) {
        return Answer::Yes;
    }
    if table.at_least_one_gib.contains(instance_type) {
        return Answer::No;
    }
    match instance_type.split_once('.') {
        Some((family, size)) if !family.is_empty() && !size.is_empty() && !table.undecided_sizes.contains(size) => Answer::No,
        _ => Answer::Unknown,
    }
}

/// Mac instances run macOS, which their billing fields call `Linux/UNIX`: `mac1.metal`, `mac2-m2pro.metal`.
pub(super) fn is_mac(instance_type: &str) -> bool {
    instance_type.strip_prefix("mac").is_some_and(|rest| rest.starts_with(|character: char| character.is_ascii_digit() || character == '-'))
}
