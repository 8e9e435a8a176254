//! The AWS CLI as a client of other people: for every operation served it prints what the snapshot holds.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use simulated_aws::Weather;
use simulated_aws::generate::{Size, organization};

use super::served::{Aws, fixtures};
use crate::process::repository;

#[test]
fn the_aws_cli_prints_what_the_files_hold() {
    let generated = tempfile::tempdir().unwrap();
    let generated = generated.path().join("generated");
    organization(3, &Size { accounts: 2, regions: 1, instances: 6 }).write(&generated).unwrap();
    let mut never: Option<Vec<String>> = None;
    for folder in fixtures().into_iter().chain([generated]) {
        let aws = Aws::serving(&folder, Weather::default());
        let credentials = aws.server.credentials();
        let mut command = Command::new(python());
        command.arg(repository("tests/simulated-aws/cli_client.py")).arg(aws.server.endpoint()).arg(&folder);
        command.env_clear().env("AWS_ACCESS_KEY_ID", credentials.access_key_id).env("AWS_SECRET_ACCESS_KEY", "simulated");
        let output = command.output().unwrap_or_else(|error| panic!("{error}: run tests/run once, it makes the Python environment"));
        assert!(output.status.success(), "{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let told: Value = serde_json::from_slice(&output.stdout).unwrap();
        let not_asked: Vec<String> = serde_json::from_value(told["not_asked"].clone()).unwrap();
        never = Some(never.map_or(not_asked.clone(), |never| never.into_iter().filter(|name| not_asked.contains(name)).collect()));
    }
    assert_eq!(never, Some(Vec::new()), "every operation that is served is asked for");
}

#[test]
fn the_table_is_what_botocore_gives() {
    let script = repository("tests/simulated-aws/wire_table.py");
    let output = Command::new(python()).arg(script).arg("--check").output().unwrap();
    assert!(output.status.success(), "run wire_table.py: {}", String::from_utf8_lossy(&output.stderr));
}

/// Where tests/run makes it.
fn python() -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_patch-preflight")).ancestors().nth(2).unwrap().join("python-for-tests/bin/python")
}

/// Whatever the program may call is served.
#[test]
fn every_permitted_operation_is_in_the_table() {
    let table = simulated_aws::wire::Table::builtin().unwrap();
    let list = crate::process::text(&crate::process::run(&["permissions", "list"]).stdout);
    let missing: Vec<&str> =
        list.lines().filter_map(|line| line.split_whitespace().next()).filter(|name| table.operation(name).is_none()).collect();
    assert!(missing.is_empty(), "run tests/simulated-aws/wire_table.py: {missing:?}");
}

/// No member of a fixture is lost on the wire.
#[test]
fn every_member_of_the_fixtures_is_in_the_table() {
    let table = simulated_aws::wire::Table::builtin().unwrap();
    let files = patch_preflight::snapshot::RegionFiles::FILES;
    let mut lost = Vec::new();
    for folder in fixtures() {
        for account in std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
            for region in std::fs::read_dir(&account).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
                for (file, operation) in files {
                    let Ok(text) = std::fs::read(region.join(file)) else { continue };
                    let (service, operation) = table.operation(operation).unwrap();
                    let value: Value = serde_json::from_slice(&text).unwrap();
                    let mut found = Vec::new();
                    simulated_aws::render::unnamed_members(&service.outputs, operation.output.unwrap(), &value, file, &mut found);
                    // The outermost member of a file that is kept by id is the snapshot's own.
                    lost.extend(found.into_iter().filter(|place| place.matches('.').count() > 2));
                }
            }
        }
    }
    lost.sort();
    lost.dedup();
    assert!(lost.is_empty(), "{lost:?}");
}
