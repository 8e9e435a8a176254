//! Snapshots compared file by file, up to order and members that are not modelled.

use std::collections::BTreeMap;
use std::path::Path;

use patch_preflight::snapshot::{Directory, Snapshot};
use serde_json::Value;

const ROLES: &str = "iam-get-account-authorization-details.json";
const BASELINES: &str = "ssm-get-default-patch-baseline.json";

/// Every file of a snapshot but its manifest, with the lists in one order and without members that the snapshot does not name.
pub(super) fn files(folder: &Path) -> BTreeMap<String, Value> {
    let normal = tempfile::tempdir().unwrap();
    Snapshot::read(&Directory(folder.to_owned())).unwrap().write(normal.path()).unwrap();
    let mut all = BTreeMap::new();
    let mut open = vec![normal.path().to_owned()];
    while let Some(here) = open.pop() {
        for entry in std::fs::read_dir(here).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.file_name().unwrap() != "snapshot.json" {
                let mut value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
                in_order(&mut value);
                all.insert(path.strip_prefix(normal.path()).unwrap().display().to_string(), value);
            }
        }
    }
    all
}

/// Law 1: what was collected is what was served.
///
/// Two files of a snapshot made by hand may tell more than a scan asks for: an account where no role is in use is not asked for its
/// roles, and only the operating systems that a node runs are asked for their default baseline.
pub(super) fn assert_same(served: &Path, collected: &Path) {
    let (mut served, collected) = (files(served), files(collected));
    served.retain(|name, value| {
        collected.contains_key(name) || !(name.ends_with(ROLES) && value["RoleDetailList"] == Value::Array(Vec::new()))
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

fn in_order(value: &mut Value) {
    match value {
        Value::Array(items) => {
            items.iter_mut().for_each(in_order);
            items.sort_by_cached_key(ToString::to_string);
        }
        Value::Object(members) => members.values_mut().for_each(in_order),
        Value::String(text) => {
            // One moment, written in two ways; JSON's protocols send it as a fraction, so that it comes back with a little less.
            if let Ok(time) = text.parse::<jiff::Timestamp>() {
                *text = time.round(jiff::Unit::Millisecond).unwrap().to_string();
            }
        }
        _ => {}
    }
}
