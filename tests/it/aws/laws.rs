//! The laws of docs/snapshot.md on a live organization.

use std::collections::BTreeMap;
use std::path::Path;

use patch_preflight::snapshot::{Directory, Snapshot};
use serde_json::Value;

use super::server::{Aws, organization};
use crate::process::{code, report, run, shown};

fn collect(aws: &Aws, folder: &Path) {
    let output = aws.program(&["collect", folder.to_str().unwrap(), "--org"]).output().unwrap();
    assert_eq!(code(&output), 0, "{}", shown(&output));
}

/// Law 2, and the same answer when AWS gives its lists in small pages.
#[test]
fn live_and_offline_give_the_same_report() {
    let aws = organization();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().to_str().unwrap();
    aws.page_limit(Some(2));
    let output = aws.program(&["scan", "--org", "--output", "json", "--save-snapshot", folder]).output().unwrap();
    aws.page_limit(None);
    assert_eq!(code(&output), 1, "{}", shown(&output));
    let offline = run(&["scan", "--snapshot", folder, "--output", "json"]);
    assert_eq!(code(&offline), 1, "{}", shown(&offline));
    assert_eq!(report(&offline), report(&output));
}

/// Law 1, against a client of other people: for every file, what the AWS CLI prints is what `collect` writes.
#[test]
fn what_is_collected_is_what_the_aws_cli_prints() {
    let aws = organization();
    let (ours, theirs, read) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    collect(&aws, ours.path());
    aws.cli_snapshot(theirs.path());
    // Read and written once, so that members which the snapshot does not name are left out of the comparison.
    Snapshot::read(&Directory(theirs.path().to_owned())).unwrap().write(read.path()).unwrap();
    let (ours, theirs) = (files(ours.path()), files(read.path()));
    let names = |files: &BTreeMap<String, Value>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&ours), names(&theirs));
    assert!(ours.len() > 200, "{}", ours.len());
    for (name, value) in &ours {
        assert_eq!(*value, theirs[name], "{name}");
    }
}

/// Every file of a snapshot but its manifest, with the lists in one order.
fn files(folder: &Path) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(here) = open.pop() {
        for entry in std::fs::read_dir(here).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.file_name().unwrap() != "snapshot.json" {
                let mut value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
                in_order(&mut value);
                all.insert(path.strip_prefix(folder).unwrap().display().to_string(), value);
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
            // One moment, written in two ways.
            if let Ok(time) = text.parse::<jiff::Timestamp>() {
                *text = time.to_string();
            }
        }
        _ => {}
    }
}
