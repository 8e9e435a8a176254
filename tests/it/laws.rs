//! The laws of snapshots, on the sample organization. (Laws 1 and 2, on a live AWS, are in `aws.rs`.)

use std::collections::BTreeMap;

use patch_preflight::model::{Assumptions, Estate};
use patch_preflight::network::{Alternative, AnsweredBy, Ec2Messages, Goal, Needs, Network, PortFamily, Sources, Target, Verdict, Wanted};
use patch_preflight::platform::{Mirrors, Tables};
use patch_preflight::report::types::{Readiness, Report};
use patch_preflight::rules::RuleSet;
use patch_preflight::scan::{Judging, scan};
use patch_preflight::scope::Selection;
use patch_preflight::snapshot::{Directory, GlobalFiles, OrganizationFiles, RegionFiles, Snapshot};

use crate::process::repository;

fn sample() -> Snapshot {
    Snapshot::read(&Directory(repository("fixtures/demo-org"))).unwrap()
}

/// Every fixture, by name.
fn fixtures() -> Vec<(String, Snapshot)> {
    let folders = std::fs::read_dir(repository("fixtures")).unwrap().map(|entry| entry.unwrap().path());
    let mut fixtures: Vec<_> = folders
        .filter(|path| path.join("snapshot.json").exists())
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), Snapshot::read(&Directory(path)).unwrap()))
        .collect();
    fixtures.sort_by(|left, right| left.0.cmp(&right.0));
    assert!(fixtures.iter().any(|(name, _)| name == "demo-org"));
    fixtures
}

pub(crate) struct Judge {
    rules: RuleSet,
    tables: Tables,
}

impl Judge {
    pub(crate) fn new() -> Self {
        Self { rules: RuleSet::builtin().unwrap(), tables: Tables::builtin().unwrap() }
    }

    pub(crate) fn report(&self, snapshot: &Snapshot) -> Report {
        self.report_assuming(snapshot, Assumptions::default())
    }

    pub(crate) fn report_assuming(&self, snapshot: &Snapshot, assumptions: Assumptions) -> Report {
        let judging = Judging { rules: &self.rules, tables: &self.tables, assumptions, mirrors: &Mirrors::default(), policies: &[] };
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

/// What law 4 compares of an instance: its readiness, and the verdict of each path.
type Answers = BTreeMap<(String, String), (Readiness, BTreeMap<(Target, String, u16), Verdict>)>;

fn answers(report: &Report) -> Answers {
    let row = |instance: &patch_preflight::report::types::Instance| {
        let verdicts = instance.paths.iter().map(|path| ((path.target, path.host.clone(), path.port), path.verdict)).collect();
        ((instance.account_id.clone(), instance.instance_id.clone()), (instance.readiness, verdicts))
    };
    report.instances.iter().map(row).collect()
}

/// Law 4: what is taken away may make an answer unknown. It never makes a path reachable that was not, nor an instance ready.
fn nothing_is_better(before: &Answers, after: &Answers, without: &str, wrong: &mut Vec<String>) {
    for (instance, (readiness, verdicts)) in after {
        let Some((readiness_before, verdicts_before)) = before.get(instance) else { continue };
        if *readiness == Readiness::Ready && *readiness_before != Readiness::Ready {
            wrong.push(format!("without {without}, {instance:?} went from {readiness_before:?} to ready"));
        }
        for (path, after) in verdicts {
            let Some(before) = verdicts_before.get(path) else { continue };
            // Which of the services is needed may itself become unknown, and then the path is judged again.
            let was_bad = matches!(before, Verdict::Blocked | Verdict::Partial | Verdict::Unknown);
            if was_bad && matches!(after, Verdict::Reachable | Verdict::NotNeeded) {
                wrong.push(format!("without {without}, {path:?} of {instance:?} went from {before:?} to {after:?}"));
            }
        }
    }
}

#[test]
fn taking_a_file_away_never_makes_anything_better() {
    let judge = Judge::new();
    let mut wrong = Vec::new();
    for (name, whole) in fixtures() {
        let before = answers(&judge.report(&whole));
        for (file, _) in RegionFiles::FILES.iter().filter(|(file, _)| *file != "ec2-describe-instances.json") {
            let mut less = whole.clone();
            let regions = less.accounts.values_mut().flat_map(|account| account.regions.values_mut());
            // Every Region loses it.
            let taken: Vec<bool> = regions.map(|region| region.forget(file)).collect();
            if taken.contains(&true) {
                nothing_is_better(&before, &answers(&judge.report(&less)), &format!("{file} of {name}"), &mut wrong);
            }
        }
        for (file, _) in OrganizationFiles::FILES {
            let mut less = whole.clone();
            less.organization.forget(file);
            nothing_is_better(&before, &answers(&judge.report(&less)), &format!("{file} of {name}"), &mut wrong);
        }
        for (file, _) in GlobalFiles::FILES {
            let mut less = whole.clone();
            for account in less.accounts.values_mut() {
                account.global.forget(file);
            }
            let after = answers(&judge.report(&less));
            nothing_is_better(&before, &after, &format!("{file} of {name}"), &mut wrong);
            // Without roles nobody is, and without Quick Setup anybody may be a target.
            let is_ready = after.values().any(|(readiness, _)| *readiness == Readiness::Ready);
            assert!(!is_ready || *file == "s3-get-bucket-policy.json", "without {file} of {name}");
        }
        // One bucket after the other.
        let mut buckets: Vec<(String, String)> = Vec::new();
        for (account, seen) in &whole.accounts {
            let names = seen.global.bucket_policies.iter().flat_map(|file| file.bucket_policies.keys());
            buckets.extend(names.map(|name| (account.clone(), name.clone())));
        }
        for (account, bucket) in buckets {
            let mut less = whole.clone();
            let file = less.accounts.get_mut(&account).and_then(|seen| seen.global.bucket_policies.as_mut()).unwrap();
            file.bucket_policies.remove(&bucket);
            nothing_is_better(&before, &answers(&judge.report(&less)), &format!("the policy of {bucket}"), &mut wrong);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// An account that Organizations does not list, and of which something was collected, is neither lost nor better.
#[test]
fn an_account_that_is_not_listed_is_not_lost() {
    let judge = Judge::new();
    let mut wrong = Vec::new();
    for (name, whole) in fixtures() {
        let before = answers(&judge.report(&whole));
        for account in whole.accounts.keys() {
            let mut less = whole.clone();
            let Some(listed) = &mut less.organization.accounts else { continue };
            listed.accounts.retain(|listed| listed.id.as_ref() != Some(account));
            let report = judge.report(&less);
            let after = answers(&report);
            assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>(), "without {account} of {name}");
            nothing_is_better(&before, &after, &format!("{account} of {name} in the list"), &mut wrong);
            assert!(report.notes.iter().any(|note| note.contains(account)), "{account} of {name}: {:?}", report.notes);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Lists in which an entry that is missing is not known, rather than not there.
#[test]
fn taking_entries_away_never_makes_anything_better() {
    const GROUPS: usize = 3;
    type Take = fn(&mut RegionFiles, &dyn Fn(usize) -> bool);
    fn stays(goes: &dyn Fn(usize) -> bool) -> impl FnMut() -> bool {
        let mut index = 0;
        move || {
            index += 1;
            !goes(index - 1)
        }
    }
    fn thin<T>(items: Option<&mut Vec<T>>, goes: &dyn Fn(usize) -> bool) {
        let mut stays = stays(goes);
        if let Some(items) = items {
            items.retain(|_| stays());
        }
    }
    fn thin_out<K: Ord, V>(items: Option<&mut BTreeMap<K, V>>, goes: &dyn Fn(usize) -> bool) {
        let mut stays = stays(goes);
        if let Some(items) = items {
            items.retain(|_, _| stays());
        }
    }
    let kinds: [(&str, Take); 21] = [
        ("a VPC", |files, goes| thin(files.vpcs.as_mut().map(|file| &mut file.vpcs), goes)),
        ("the attributes of a VPC", |files, goes| thin(files.vpc_attributes.as_mut().map(|file| &mut file.vpc_attributes), goes)),
        ("a subnet", |files, goes| thin(files.subnets.as_mut().map(|file| &mut file.subnets), goes)),
        ("a security group", |files, goes| thin(files.security_groups.as_mut().map(|file| &mut file.security_groups), goes)),
        ("a network ACL", |files, goes| thin(files.network_acls.as_mut().map(|file| &mut file.network_acls), goes)),
        ("a network interface", |files, goes| thin(files.network_interfaces.as_mut().map(|file| &mut file.network_interfaces), goes)),
        ("a prefix list", |files, goes| thin(files.prefix_lists.as_mut().map(|file| &mut file.prefix_lists), goes)),
        ("a NAT gateway", |files, goes| thin(files.nat_gateways.as_mut().map(|file| &mut file.nat_gateways), goes)),
        ("an internet gateway", |files, goes| thin(files.internet_gateways.as_mut().map(|file| &mut file.internet_gateways), goes)),
        ("a DHCP option set", |files, goes| thin(files.dhcp_options.as_mut().map(|file| &mut file.dhcp_options), goes)),
        ("the metadata of an image", |files, goes| {
            thin(files.image_metadata.as_mut().map(|file| &mut file.instance_image_metadata), goes);
        }),
        ("a transit gateway", |files, goes| thin(files.transit_gateways.as_mut().map(|file| &mut file.transit_gateways), goes)),
        ("an attachment", |files, goes| {
            thin(files.transit_gateway_attachments.as_mut().map(|file| &mut file.transit_gateway_vpc_attachments), goes);
        }),
        ("a peering connection", |files, goes| {
            thin(files.peering_connections.as_mut().map(|file| &mut file.vpc_peering_connections), goes);
        }),
        // What is asked once for each.
        ("the associations of a transit gateway's table", |files, goes| {
            thin_out(files.transit_gateway_associations.as_mut().map(|file| &mut file.associations), goes);
        }),
        ("the routes of a transit gateway's table", |files, goes| {
            thin_out(files.transit_gateway_routes.as_mut().map(|file| &mut file.transit_gateway_routes), goes);
        }),
        ("the private zones of a VPC", |files, goes| {
            thin_out(files.hosted_zones.as_mut().map(|file| &mut file.hosted_zone_summaries), goes);
        }),
        ("the records of a zone", |files, goes| {
            thin_out(files.record_sets.as_mut().map(|file| &mut file.resource_record_sets), goes);
        }),
        ("the entries of a prefix list", |files, goes| {
            thin_out(files.prefix_list_entries.as_mut().map(|file| &mut file.prefix_list_entries), goes);
        }),
        ("the packages of a node", |files, goes| thin_out(files.installed_packages.as_mut().map(|file| &mut file.entries), goes)),
        ("the channel of a node", |files, goes| {
            thin_out(files.connection_statuses.as_mut().map(|file| &mut file.connection_statuses), goes);
        }),
    ];
    let judge = Judge::new();
    let mut wrong = Vec::new();
    for (name, whole) in fixtures() {
        let before = answers(&judge.report(&whole));
        for (kind, take) in kinds {
            for group in 0..GROUPS {
                let mut less = whole.clone();
                for files in less.accounts.values_mut().flat_map(|account| account.regions.values_mut()) {
                    take(files, &|index| index % GROUPS == group);
                }
                nothing_is_better(
                    &before,
                    &answers(&judge.report(&less)),
                    &format!("{kind} of {name} (every third, from {group})"),
                    &mut wrong,
                );
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Judging a class of instances once says of each of them, word for word, what judging it by itself says.
#[test]
fn classes_change_nothing() {
    let assumptions = Assumptions::default();
    let wanted =
        |host: &str, port, answered_by| Wanted { goal: Goal::of_repository(host, port, answered_by, Some(true), true), perhaps: None };
    let wanted = vec![
        wanted("a.s3.dualstack.eu-central-1.amazonaws.com", 443, AnsweredBy::DualStackS3),
        wanted("b.example.com", 80, AnsweredBy::Internet),
    ];
    let needs = Needs {
        ports: PortFamily::Linux,
        ec2messages: Ec2Messages { exists: true, agent_prefers_ssmmessages: false },
        sources: Sources::Known(vec![Alternative { doubt: None, wanted }]),
        buckets: None,
        policy_buckets: Vec::new(),
    };
    for (name, snapshot) in fixtures() {
        let estate = Estate::new(&snapshot);
        let (shared, single) = (Network::new(&estate, &assumptions), Network::new(&estate, &assumptions));
        for region in estate.regions() {
            for (id, instance) in Estate::instances(region) {
                single.forget();
                assert_eq!(shared.judge(region, instance, &needs).paths, single.judge(region, instance, &needs).paths, "{id} of {name}");
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
