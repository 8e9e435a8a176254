//! Law 1 of docs/snapshot.md, file by file.

use std::path::Path;

use serde_json::Value;

use crate::snapshot_files::files;

const ROLES: &str = "iam-get-account-authorization-details.json";
const BASELINES: &str = "ssm-get-default-patch-baseline.json";
/// What is asked of each node, with an option alone.
const OF_NODES: [&str; 2] = ["ssm-get-connection-status.json", "ssm-list-inventory-entries.json"];

/// Law 1: what was collected is what was served.
///
/// Some files of a snapshot may tell more than a scan asks for: an account where no role is in use is not asked for its roles, only the
/// operating systems that a node runs are asked for their default baseline, and whose channel is open and which packages are installed is
/// asked with `--connection-status` and `--installed-packages` alone.
pub(super) fn assert_same(served: &Path, collected: &Path) {
    let (mut served, collected) = (files(served), files(collected));
    served.retain(|name, value| {
        // With its option each Region with instances has the file.
        let was_asked = OF_NODES.iter().all(|file| !name.ends_with(file) || collected.keys().any(|name| name.ends_with(file)));
        collected.contains_key(name) || was_asked && !(name.ends_with(ROLES) && value["RoleDetailList"] == Value::Array(Vec::new()))
    });
    for (name, value) in served.iter_mut().filter(|(name, _)| name.ends_with(BASELINES)) {
        let asked = collected[name]["DefaultPatchBaselines"].as_object().unwrap();
        value["DefaultPatchBaselines"].as_object_mut().unwrap().retain(|system, _| asked.contains_key(system));
    }
    assert_eq!(served.keys().collect::<Vec<_>>(), collected.keys().collect::<Vec<_>>());
    for (name, value) in &served {
        assert_eq!(*value, collected[name], "{name}");
    }
}

/// The gaps of a manifest, without what AWS said and the request's id.
pub(super) fn gaps(folder: &Path) -> Vec<[String; 4]> {
    let Ok(manifest) = std::fs::read(folder.join("snapshot.json")) else { return Vec::new() };
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    let word = |gap: &Value, name: &str| gap[name].as_str().unwrap_or_default().to_owned();
    let row = |gap: &Value| ["account_id", "region", "operation", "reason"].map(|name| word(gap, name));
    let mut gaps: Vec<_> = manifest["gaps"].as_array().into_iter().flatten().map(row).collect();
    gaps.sort();
    gaps
}
