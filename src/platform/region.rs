//! What the Region decides.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::tables::Edition;
use super::{Answer, Tables};

/// `rules/data/regions.yaml`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Regions {
    pub(super) as_of: Edition,
    pub(super) source: Vec<String>,
    pub(super) patch_policies: BTreeSet<String>,
    launched_since_2024: BTreeSet<String>,
    launched_before_2024: BTreeSet<String>,
    pub(super) buckets: BTreeMap<String, BucketSuffixes>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BucketSuffixes {
    patch_manager: String,
    baseline_snapshot: Option<String>,
}

/// The buckets that patching reads in a Region. AWS owns them, and the agent asks without a signature.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-operations-s3-buckets.html>
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatchBuckets {
    /// The modules of `AWS-RunPatchBaseline`.
    pub documents: String,
    /// The snapshot of the patch baseline.
    pub baseline_snapshot: String,
    /// The patching modules for Linux and Windows.
    pub patch_manager: String,
    /// The patching modules for macOS.
    pub patch_manager_macos: String,
}

/// Whether Quick Setup patch policies work in the Region.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-policies.html>
pub fn patch_policies_supported(tables: &Tables, region: &str) -> bool {
    tables.regions.patch_policies.contains(region)
}

/// The Regions in which they work.
pub fn regions_with_patch_policies(tables: &Tables) -> impl Iterator<Item = &str> {
    tables.regions.patch_policies.iter().map(String::as_str)
}

/// Whether the Region has an ec2messages endpoint, by the table alone: a Region's own list of endpoint services overrules it.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/systems-manager-setting-up-messageAPIs.html>
pub fn region_has_ec2messages(tables: &Tables, region: &str) -> Answer {
    let table = &tables.regions;
    if table.launched_since_2024.contains(region) {
        Answer::No
    } else if table.launched_before_2024.contains(region) || table.buckets.contains_key(region) {
        Answer::Yes
    } else {
        Answer::Unknown
    }
}

/// The buckets of a Region; `None` where AWS does not publish their names, as in the United States government's and China's Regions.
pub fn patch_buckets(tables: &Tables, region: &str) -> Option<PatchBuckets> {
    let suffixes = tables.regions.buckets.get(region)?;
    let patch_manager = &suffixes.patch_manager;
    Some(PatchBuckets {
        documents: format!("aws-ssm-{region}"),
        baseline_snapshot: match &suffixes.baseline_snapshot {
            Some(suffix) => format!("patch-baseline-snapshot-{region}-{suffix}"),
            None => format!("patch-baseline-snapshot-{region}"),
        },
        patch_manager: format!("aws-patch-manager-{region}-{patch_manager}"),
        patch_manager_macos: format!("aws-patchmanager-macos-{region}-{patch_manager}"),
    })
}
