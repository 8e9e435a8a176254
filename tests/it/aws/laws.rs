//! The laws of docs/snapshot.md on a live organization.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::server::{Aws, organization};
use crate::process::{code, report, run, shown};
use crate::snapshot_files::files;

fn collect(aws: &Aws, folder: &Path) {
    let output =
        aws.program(&["collect", folder.to_str().unwrap(), "--org", "--connection-status", "--installed-packages"]).output().unwrap();
    assert_eq!(code(&output), 0, "{}", shown(&output));
}

/// Law 2, and the same answer when AWS gives its lists in small pages.
#[test]
fn live_and_offline_give_the_same_report() {
    let aws = organization();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().to_str().unwrap();
    aws.page_limit(Some(2));
    let output = aws
        .program(&["scan", "--org", "--connection-status", "--installed-packages", "--output", "json", "--save-snapshot", folder])
        .output()
        .unwrap();
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
    let (ours, theirs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    collect(&aws, ours.path());
    aws.cli_snapshot(theirs.path());
    let (ours, theirs) = (files(ours.path()), files(theirs.path()));
    let names = |files: &BTreeMap<String, Value>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&ours), names(&theirs));
    assert!(ours.len() > 200, "{}", ours.len());
    for (name, value) in &ours {
        assert_eq!(*value, theirs[name], "{name}");
    }
}
