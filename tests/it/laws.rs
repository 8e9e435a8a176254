//! The laws of snapshots, on the sample organization. (Laws 1 and 2, on a live AWS, are in `aws.rs`.)

use std::collections::BTreeMap;

use patch_preflight::network::{Assumptions, Verdict};
use patch_preflight::platform::{Mirrors, Tables};
use patch_preflight::report::types::{Readiness, Report};
use patch_preflight::rules::RuleSet;
use patch_preflight::scan::{Judging, scan};
use patch_preflight::scope::Selection;
use patch_preflight::snapshot::{Directory, RegionFiles, Snapshot};

use crate::process::repository;

fn sample() -> Snapshot {
    Snapshot::read(&Directory(repository("fixtures/demo-org"))).unwrap()
}

struct Judge {
    rules: RuleSet,
    tables: Tables,
}

impl Judge {
    fn new() -> Self {
        Self { rules: RuleSet::builtin().unwrap(), tables: Tables::builtin().unwrap() }
    }

    fn report(&self, snapshot: &Snapshot) -> Report {
        let judging =
            Judging { rules: &self.rules, tables: &self.tables, assumptions: Assumptions::default(), mirrors: &Mirrors::default() };
        scan(snapshot, &Selection::default(), &judging).unwrap()
    }
}

#[test]
fn what_is_written_is_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let snapshot = sample();
    snapshot.write(folder.path()).unwrap();
    assert_eq!(Snapshot::read(&Directory(folder.path().to_owned())).unwrap(), snapshot);
}

#[test]
fn the_same_snapshot_gives_the_same_report() {
    let judge = Judge::new();
    let json = |report: &Report| serde_json::to_string(report).unwrap();
    assert_eq!(json(&judge.report(&sample())), json(&judge.report(&sample())));
}

/// Law 4: a file that is taken away may make an answer unknown. It never makes a blocked path reachable, nor an instance ready.
#[test]
fn taking_a_file_away_never_makes_anything_better() {
    let judge = Judge::new();
    let whole = sample();
    let before = judge.report(&whole);
    let of = |report: &Report| -> BTreeMap<(String, String), (Readiness, Vec<Verdict>)> {
        let row = |instance: &patch_preflight::report::types::Instance| {
            let verdicts = instance.paths.iter().map(|path| path.verdict).collect();
            ((instance.account_id.clone(), instance.instance_id.clone()), (instance.readiness, verdicts))
        };
        report.instances.iter().map(row).collect()
    };
    let expected = of(&before);
    for (file, _) in RegionFiles::FILES {
        let mut less = whole.clone();
        let mut took = false;
        for account in less.accounts.values_mut() {
            for region in account.regions.values_mut() {
                took |= region.forget(file);
            }
        }
        if !took || *file == "ec2-describe-instances.json" {
            continue;
        }
        for (instance, (readiness, verdicts)) in of(&judge.report(&less)) {
            let (readiness_before, verdicts_before) = &expected[&instance];
            let is_better = readiness == Readiness::Ready && *readiness_before != Readiness::Ready;
            assert!(!is_better, "without {file}, {instance:?} went from {readiness_before:?} to ready");
            for (after, before) in verdicts.iter().zip(verdicts_before) {
                // Which of the services is needed may itself become unknown, and then the path is judged again.
                let is_allowed = after == before || *after == Verdict::Unknown || *before == Verdict::NotNeeded;
                assert!(is_allowed, "without {file}, a path of {instance:?} went from {before:?} to {after:?}");
            }
        }
    }
}

/// No panic, whatever a file holds: every file of the sample, cut short and with bytes turned over, ends in a report or in an error.
#[test]
fn a_damaged_file_never_ends_in_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    let whole = sample();
    whole.write(folder.path()).unwrap();
    let judge = Judge::new();
    let account = folder.path().join("222222222222");
    let region = std::fs::read_dir(&account)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.join("ec2-describe-vpcs.json").exists())
        .unwrap();
    let mut seed: u64 = 0x5eed;
    let mut next = move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap()
    };
    for entry in std::fs::read_dir(&region).unwrap() {
        let path = entry.unwrap().path();
        let content = std::fs::read(&path).unwrap();
        for _ in 0..12 {
            let mut damaged = content.clone();
            let position = next() % damaged.len();
            if next() % 3 == 0 {
                damaged.truncate(position);
            } else {
                damaged[position] = b"0\"[]{},:x"[next() % 9];
            }
            std::fs::write(&path, damaged).unwrap();
            if let Ok(snapshot) = Snapshot::read(&Directory(folder.path().to_owned())) {
                judge.report(&snapshot);
            }
        }
        std::fs::write(&path, content).unwrap();
    }
}
