//! Laws 1 and 2 of docs/snapshot.md, for every fixture and for generated organizations, and the number of calls that it takes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use patch_preflight::snapshot::ec2::DescribeInstances;
use patch_preflight::snapshot::{Directory, RegionFiles, Snapshot};
use serde_json::{Value, json};
use simulated_aws::generate::{Organization, PASSWORD, Size, organization};
use simulated_aws::{Fault, Kind, Trouble, Weather};

use super::calls::assert_documented;
use super::files::{assert_same, gaps};
use super::served::{Aws, ended, fixtures, one_region_of_organization};
use crate::process::{rules_of_roles, run};
use crate::snapshot_files::files;

/// Scans once, and holds what came of it against all that must be true of it. The operations that it took.
fn hold(folder: &Path, weather: Weather, more: &[&str]) -> BTreeSet<String> {
    let is_plain = !weather.empty_pages;
    let aws = Aws::serving(folder, weather);
    let saved = tempfile::tempdir().unwrap();
    let arguments = ["scan", "--output", "json", "--fail-on", "never", "--save-snapshot", saved.path().to_str().unwrap()];
    let live = aws.run(&[&arguments, more].concat()).report();
    assert_same(folder, saved.path());
    assert_eq!(gaps(folder), gaps(saved.path()));
    assert_eq!(offline(saved.path()), live);
    // No more than this can be the same: what was seen some time ago proves less today.
    assert_eq!(readiness(&offline(folder)), readiness(&live));
    if is_plain {
        assert_documented(&Snapshot::read(&Directory(saved.path().to_owned())).unwrap(), &aws.server.calls());
        // What a scan wrote is the same after being served and collected again, and nothing was left out of it.
        let again = Aws::serving(saved.path(), Weather::default()).collect_with(more);
        assert_eq!(files(saved.path()), files(again.path()));
        assert_eq!(gaps(saved.path()), gaps(again.path()));
    }
    aws.server.calls().into_iter().map(|call| call.operation).collect()
}

#[test]
fn the_laws_hold_for_every_fixture() {
    for folder in fixtures() {
        hold(&folder, Weather::default(), &[]);
    }
}

#[test]
fn the_laws_hold_for_generated_organizations_and_they_are_judged_as_planted() {
    let operations: BTreeSet<String> = std::thread::scope(|scope| {
        let sizes =
            [(1, Size { accounts: 3, regions: 2, instances: 8 }, false), (2, Size { accounts: 2, regions: 1, instances: 60 }, true)];
        let scans = sizes.map(|(seed, size, empty_pages)| {
            scope.spawn(move || {
                let folder = tempfile::tempdir().unwrap();
                let served = folder.path().join("served");
                let planted = organization(seed, &size);
                planted.write(&served).unwrap();
                assert_planted(&planted, &offline(&served));
                hold(&served, Weather { empty_pages, ..Weather::default() }, &["--connection-status", "--installed-packages"])
            })
        });
        scans.into_iter().flat_map(|scan| scan.join().unwrap()).collect()
    });
    // The printed permissions are those that a scan uses: none is missing, and none stands there for nothing.
    let listed = crate::process::text(&run(&["permissions", "list"]).stdout);
    let listed: BTreeSet<String> = listed.lines().filter_map(|line| Some(line.split_whitespace().next()?.to_owned())).collect();
    assert_eq!(operations, listed);
}

/// Many organizations, offline: what was planted is what is said.
#[test]
fn generated_organizations_are_judged_as_planted() {
    let mut never = rules_of_roles();
    for seed in 0..16 {
        let planted = organization(seed, &Size { accounts: 2, regions: 1, instances: 40 });
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("planted");
        planted.write(&folder).unwrap();
        assert_planted(&planted, &offline(&folder));
        for expected in planted.expected.values() {
            never.retain(|rule| !expected["fail"].as_array().unwrap().contains(&json!(rule)));
        }
    }
    assert!(never.is_empty(), "nobody planted {never:?}");
}

/// A patch policy may take its baselines from a Region of the management account where nothing runs.
#[test]
fn the_baselines_of_policies_are_collected_where_there_are_no_instances() {
    let mut snapshot = Snapshot::read(&Directory(crate::process::repository("fixtures/staggered-org"))).unwrap();
    let management = snapshot.accounts.get_mut("111111111111").unwrap();
    let definition = &mut management.global.quick_setup.as_mut().unwrap().configuration_managers[0].configuration_definitions[0];
    let baselines =
        json!({"AMAZON_LINUX_2023": {"value": "pb-05ca1e00000000001", "label": "staging", "description": "", "disabled": false}});
    for (name, value) in [("PatchBaselineRegion", "eu-central-1".to_owned()), ("SelectedPatchBaselines", baselines.to_string())] {
        definition.parameters.insert(name.to_owned(), value);
    }
    let home = management.regions.get_mut("eu-central-1").unwrap();
    *home = RegionFiles {
        instances: Some(DescribeInstances { reservations: Vec::new() }),
        patch_baselines: home.patch_baselines.take(),
        patch_baseline_details: home.patch_baseline_details.take(),
        ..RegionFiles::default()
    };
    // Its role was that of its only instance.
    management.global.iam = None;
    let folder = tempfile::tempdir().unwrap();
    snapshot.write(folder.path()).unwrap();
    hold(folder.path(), Weather::default(), &[]);
}

/// What was refused once is refused again: a snapshot with gaps leads to the same gaps.
#[test]
fn gaps_are_served_as_gaps() {
    let refuse = |operation: &str, trouble| Fault { operation: Some(operation.into()), kind: Kind::Refuse { trouble }, ..Fault::default() };
    let member = |fault: Fault| Fault { account: Some("222222222222".into()), ..fault };
    let faults = vec![
        member(refuse("ec2:DescribeVpcEndpoints", Trouble::AccessDenied)),
        member(refuse("ec2:DescribeVpcAttribute", Trouble::InternalError)),
        member(refuse("iam:GetPolicyVersion", Trouble::AccessDenied)),
        member(refuse("ssm:GetServiceSetting", Trouble::UnknownOperation)),
        member(refuse("route53resolver:ListResolverRules", Trouble::Throttled)),
        member(refuse("route53resolver:ListFirewallRuleGroupAssociations", Trouble::AccessDenied)),
        member(refuse("route53profiles:ListProfileAssociations", Trouble::InternalError)),
        member(refuse("route53:ListHostedZonesByVPC", Trouble::AccessDenied)),
        member(refuse("ssm:DescribePatchBaselines", Trouble::AccessDenied)),
        member(refuse("ssm:DescribeMaintenanceWindows", Trouble::AccessDenied)),
        member(Fault { operation: Some("ssm:DescribeInstanceInformation".into()), kind: Kind::ScpDenied, ..Fault::default() }),
        member(Fault { operation: Some("ec2:DescribeNatGateways".into()), kind: Kind::GatewayTimeout, ..Fault::default() }),
        refuse("organizations:ListAccountsForParent", Trouble::AccessDenied),
    ];
    let folder = one_region_of_organization("222222222222", "us-east-1");
    assert_gaps_are_served(folder.path(), faults, 14);
}

/// As above, of what is asked by id.
#[test]
fn gaps_of_what_profiles_and_firewalls_name_are_served_as_gaps() {
    let generated = tempfile::tempdir().unwrap();
    let served = generated.path().join("served");
    organization(4, &Size { accounts: 2, regions: 2, instances: 4 }).write(&served).unwrap();
    let operations = [
        "route53:GetHostedZone",
        "route53resolver:ListFirewallDomainLists",
        "route53resolver:ListFirewallDomains",
        "route53resolver:ListFirewallRules",
        "route53profiles:ListProfileResourceAssociations",
        "ssm:DescribeMaintenanceWindowTargets",
        "ssm:GetPatchBaseline",
    ];
    std::thread::scope(|scope| {
        for operation in operations {
            let kind = Kind::Refuse { trouble: Trouble::AccessDenied };
            let fault = Fault { operation: Some(operation.into()), kind, ..Fault::default() };
            scope.spawn(|| assert_gaps_are_served(&served, vec![fault], 2));
        }
    });
}

/// AWS tells the configuration of a baseline's repositories, passwords and all. A snapshot keeps their names.
#[test]
fn the_passwords_of_repositories_are_not_kept() {
    let generated = tempfile::tempdir().unwrap();
    let served = generated.path().join("served");
    organization(5, &Size { accounts: 2, regions: 1, instances: 2 }).write(&served).unwrap();
    let collected = Aws::serving(&served, Weather::default()).collect();
    let kept = files(collected.path());
    let mut baselines = kept.keys().filter(|name| name.ends_with("ssm-get-patch-baseline.json"));
    let (name, None) = (baselines.next().unwrap(), baselines.next()) else { panic!("{:?}", kept.keys()) };
    let text = |folder: &Path| std::fs::read_to_string(folder.join(name)).unwrap();
    assert!(text(&served).contains(PASSWORD));
    assert!(text(collected.path()).contains("mirror") && !text(collected.path()).contains(PASSWORD));
}

/// As above, of what is asked of each node: one channel that AWS does not tell of is a gap, and the others are kept.
#[test]
fn a_channel_that_is_not_told_is_a_gap() {
    let generated = tempfile::tempdir().unwrap();
    let served = generated.path().join("served");
    organization(6, &Size { accounts: 2, regions: 1, instances: 6 }).write(&served).unwrap();
    let faults = vec![Fault {
        operation: Some("ssm:GetConnectionStatus".into()),
        times: Some(1),
        kind: Kind::Refuse { trouble: Trouble::AccessDenied },
        ..Fault::default()
    }];
    let aws = Aws::serving(&served, Weather { faults, ..Weather::default() });
    let once = aws.collect_with(&["--connection-status"]);
    let [[account, region, ..]] = gaps(once.path()).try_into().unwrap();
    let kept = |folder: &Path| {
        let mut files = files(folder);
        let file = files.remove(&format!("{account}/{region}/ssm-get-connection-status.json")).unwrap();
        file["ConnectionStatuses"].as_object().unwrap().clone()
    };
    let (whole, rest) = (kept(&served), kept(once.path()));
    assert_eq!(rest.len() + 1, whole.len());
    assert!(rest.iter().all(|(id, status)| whole[id] == *status));
    let twice = Aws::serving(once.path(), Weather::default()).collect_with(&["--connection-status"]);
    assert_eq!(gaps(once.path()), gaps(twice.path()));
    assert_eq!(files(once.path()), files(twice.path()));
}

/// Where the nodes are not known, nobody can be asked for a channel; and without the option nobody is.
#[test]
fn channels_are_asked_for_when_they_shall_be() {
    let folder = crate::process::repository("fixtures/demo-org");
    let operation = "ssm:GetConnectionStatus";
    let nodes = Fault {
        operation: Some("ssm:DescribeInstanceInformation".into()),
        kind: Kind::Refuse { trouble: Trouble::AccessDenied },
        ..Fault::default()
    };
    let asked = |weather: Weather, more: &[&str]| {
        let aws = Aws::serving(&folder, weather);
        let collected = aws.collect_with(&[&["--region", "us-east-1", "--exclude-account", "222222222222"], more].concat());
        let calls = aws.server.calls().into_iter().filter(|call| call.operation == operation).count();
        let kept = files(collected.path()).get("444444444444/us-east-1/ssm-get-connection-status.json").cloned();
        (calls, kept, gaps(collected.path()).into_iter().filter(|gap| gap[2] == operation).count())
    };
    let served = files(&folder)["444444444444/us-east-1/ssm-get-connection-status.json"].clone();
    assert_eq!(asked(Weather::default(), &[]), (0, None, 0));
    assert_eq!(asked(Weather::default(), &["--connection-status"]), (2, Some(served), 0));
    assert_eq!(asked(Weather { faults: vec![nodes.clone()], ..Weather::default() }, &[]), (0, None, 0));
    assert_eq!(asked(Weather { faults: vec![nodes], ..Weather::default() }, &["--connection-status"]), (0, None, 1));
}

/// As above, of a network that others depend on: its gaps are its own, but for the records of its zones.
#[test]
fn gaps_of_hubs_are_served_as_gaps() {
    let refuse = |operation: &str, region: Option<&str>| Fault {
        account: Some("222222222222".into()),
        region: region.map(Into::into),
        operation: Some(operation.into()),
        kind: Kind::Refuse { trouble: Trouble::AccessDenied },
        ..Fault::default()
    };
    let faults = vec![
        refuse("ec2:DescribeNatGateways", Some("eu-central-1")),
        refuse("ec2:DescribeVpcAttribute", None),
        refuse("ec2:SearchTransitGatewayRoutes", None),
        refuse("ec2:DescribeVpcEndpoints", Some("us-east-1")),
        refuse("route53:ListResourceRecordSets", None),
    ];
    assert_gaps_are_served(&crate::process::repository("fixtures/hub-org"), faults, 7);
}

fn assert_gaps_are_served(folder: &Path, faults: Vec<Fault>, least: usize) {
    let collect = |folder: &Path, weather: Weather| {
        let (aws, collected) = (Aws::serving(folder, weather), tempfile::tempdir().unwrap());
        let mut command = aws.program(&["collect", collected.path().to_str().unwrap(), "--org"]);
        ended(command.env("AWS_MAX_ATTEMPTS", "1"));
        collected
    };
    let once = collect(folder, Weather { faults, ..Weather::default() });
    let twice = collect(once.path(), Weather::default());
    assert!(gaps(once.path()).len() >= least, "{:?}", gaps(once.path()));
    assert_eq!(gaps(once.path()), gaps(twice.path()));
    assert_eq!(files(once.path()), files(twice.path()));
}

fn assert_planted(planted: &Organization, report: &Value) {
    let findings: BTreeMap<&str, &Value> =
        report["findings"].as_array().unwrap().iter().map(|finding| (finding["id"].as_str().unwrap(), finding)).collect();
    let instances = report["instances"].as_array().unwrap();
    assert_eq!(instances.len(), planted.expected.len());
    for instance in instances {
        let own: Vec<&Value> = instance["findings"].as_array().unwrap().iter().map(|id| findings[id.as_str().unwrap()]).collect();
        let rules = |status: &str| -> BTreeSet<&str> {
            own.iter().filter(|finding| finding["status"] == status).map(|finding| finding["rule_id"].as_str().unwrap()).collect()
        };
        let said = json!({"name": instance["name"], "readiness": instance["readiness"], "fail": rules("fail"), "unknown": rules("unknown"),
            "account_id": instance["account_id"], "region": instance["region"]});
        assert_eq!(said, planted.expected[instance["instance_id"].as_str().unwrap()]);
    }
}

fn offline(folder: &Path) -> Value {
    crate::process::report(&run(&["scan", "--snapshot", folder.to_str().unwrap(), "--output", "json", "--fail-on", "never"]))
}

fn readiness(report: &Value) -> Vec<(String, String)> {
    let word = |each: &Value, name: &str| each[name].as_str().unwrap().to_owned();
    report["instances"].as_array().unwrap().iter().map(|each| (word(each, "instance_id"), word(each, "readiness"))).collect()
}
