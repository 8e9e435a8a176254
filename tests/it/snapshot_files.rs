//! Snapshots as maps from file to content, to be compared up to order and members that are not modelled.

use std::collections::BTreeMap;
use std::path::Path;

use patch_preflight::snapshot::{Directory, Snapshot};
use serde_json::Value;

/// Every file of a snapshot but its manifest, with the lists in one order and without members that the snapshot does not name.
pub(crate) fn files(folder: &Path) -> BTreeMap<String, Value> {
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
