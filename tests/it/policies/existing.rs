//! Policies that exist, as Quick Setup and associations tell of them.

use patch_preflight::snapshot::global::ConfigurationManager;
use patch_preflight::snapshot::{Directory, Snapshot};
use serde_json::{Value, json};

use super::{files, rows, told, word};
use crate::process::{report, repository, run};

/// Without a plan the policies that exist are told, and who is not meant by them is no miss.
#[test]
fn existing_policies_are_read_from_quick_setup_and_from_associations() {
    let report = report(&run(&["scan", "--demo", "--output", "json"]));
    let policies: Vec<(String, String, u64, u64)> = rows(&report["policies"])
        .map(|policy| {
            let counts = &policy["counts"];
            (
                word(&policy["name"]),
                word(&policy["origin"]),
                counts["targeted"].as_u64().unwrap(),
                counts["covered_twice"].as_u64().unwrap(),
            )
        })
        .collect();
    let expected = [
        ("canary-nightly", "quick_setup", 2, 0),
        ("dev-pilot", "quick_setup", 9, 1),
        ("edge-weekly", "quick_setup", 1, 0),
        ("shop-weekly", "quick_setup", 2, 0),
        ("windows-by-hand", "associations", 1, 1),
    ];
    assert_eq!(policies, expected.map(|(name, origin, targeted, twice)| (name.to_owned(), origin.to_owned(), targeted, twice)));
    let missed: Vec<String> = rows(&report["findings"])
        .filter(|finding| finding["rule_id"] == "missed-by-every-policy")
        .map(|finding| word(&finding["message"]))
        .collect();
    let [only] = missed.as_slice() else { panic!("{missed:#?}") };
    assert!(only.contains("dev-pilot: it has no tag Pilot (wanted: \"yes\")"), "{only}");
    assert!(!only.contains("windows-by-hand"), "a list of instances misses nobody: {only}");
}

/// What, the ids in the names of associations, what Quick Setup says, a tag of the node; its readiness, what each policy does, the problems.
type DeploymentCase<'c> =
    (&'c str, Option<&'c [&'c str]>, &'c Value, Option<(String, String)>, &'c str, &'c [(&'c str, &'c str)], &'c [&'c str]);

/// Gives the roles of an account what Quick Setup attaches.
fn attach(snapshot: &mut Snapshot, account: &str, id: &str) {
    let policy = json!({"PolicyName": "AWSQuickSetupPatchPolicyBaselineAccess", "PolicyArn": "arn:aws:iam::aws:policy/AWSQuickSetupPatchPolicyBaselineAccess"});
    for role in &mut snapshot.accounts.get_mut(account).unwrap().global.iam.as_mut().unwrap().role_detail_list {
        role.attached_managed_policies.push(serde_json::from_value(policy.clone()).unwrap());
        role.tags.push(patch_preflight::snapshot::ec2::Tag { key: format!("QSConfigId-{id}"), value: id.to_owned() });
    }
}

/// What production's web server is under the policies that exist, with other associations in its account and Region.
#[test]
fn a_policy_without_its_associations_is_not_taken_to_run() {
    let association = |id: &str| json!({"AssociationId": format!("a-{id}"), "Name": "AWS-RunPatchBaseline", "AssociationName": format!("AWS-QuickSetup-PatchPolicy-ScanForPatches-LA-{id}"), "Targets": [{"Key": "InstanceIds", "Values": ["*"]}]});
    let failed = json!([{"StatusType": "Deployment", "Status": "FAILED", "StatusMessage": "AccessDenied"}]);
    let remediation = json!([{"StatusType": "AsyncExecutions", "Status": "FAILED"}]);
    let running = json!([{"StatusType": "Deployment", "Status": "DEPLOYING"}]);
    let name = |id: &str, name: &str| Some((format!("QSConfigName-{id}"), name.to_owned()));
    let none = json!([]);
    let cases: [DeploymentCase<'_>; 11] = [
        ("its own", Some(&["pr0d1"]), &none, None, "ready", &[("production", "ready")], &[]),
        ("its own, and a failure elsewhere", Some(&["pr0d1"]), &failed, None, "ready", &[("production", "ready")], &["deployment_failed"]),
        ("its own, and a remediation", Some(&["pr0d1"]), &remediation, None, "ready", &[("production", "ready")], &["deployment_failed"]),
        ("none", Some(&[]), &none, None, "unknown", &[("production", "unknown")], &["policy_not_deployed"]),
        ("none yet", Some(&[]), &running, None, "unknown", &[("production", "unknown")], &["policy_not_deployed"]),
        (
            "none, and the deployment failed",
            Some(&[]),
            &failed,
            None,
            "not_ready",
            &[("production", "will_fail")],
            &["deployment_failed", "policy_not_deployed"],
        ),
        (
            "its own and others",
            Some(&["pr0d1", "zzzzz"]),
            &none,
            None,
            "unknown",
            &[("patch policy zzzzz", "unknown"), ("production", "unknown")],
            &[],
        ),
        (
            "others alone",
            Some(&["zzzzz"]),
            &none,
            None,
            "unknown",
            &[("patch policy zzzzz", "unknown"), ("production", "unknown")],
            &["policy_not_deployed"],
        ),
        (
            "others alone, and the deployment failed",
            Some(&["zzzzz"]),
            &failed,
            None,
            "unknown",
            &[("patch policy zzzzz", "unknown"), ("production", "unknown")],
            &["deployment_failed", "policy_not_deployed"],
        ),
        (
            "others with a name",
            Some(&["zzzzz"]),
            &failed,
            name("zzzzz", "by-hand"),
            "unknown",
            &[("by-hand", "unknown"), ("production", "will_fail")],
            &["deployment_failed", "policy_not_deployed"],
        ),
        ("not collected", None, &none, None, "unknown", &[("production", "unknown")], &["policy_not_deployed"]),
    ];
    let folder = tempfile::tempdir().unwrap();
    let mut wrong = Vec::new();
    for (number, (what, ids, summaries, tag, readiness, outcomes, problems)) in cases.into_iter().enumerate() {
        let mut snapshot = Snapshot::read(&Directory(repository("fixtures/staggered-org"))).unwrap();
        let managers = snapshot.accounts.get_mut("111111111111").unwrap().global.quick_setup.as_mut().unwrap();
        managers.configuration_managers[0].status_summaries = serde_json::from_value(summaries.clone()).unwrap();
        attach(&mut snapshot, "444444444444", "pr0d1");
        let here = files(&mut snapshot, "444444444444");
        let listed = |ids: &[&str]| json!({"Associations": ids.iter().map(|id| association(id)).collect::<Vec<_>>()});
        here.associations = ids.map(|ids| serde_json::from_value(listed(ids)).unwrap());
        let instances = here.instances.as_mut().unwrap().reservations.iter_mut().flat_map(|one| &mut one.instances);
        for instance in instances {
            instance.tags.extend(tag.clone().map(|(key, value)| patch_preflight::snapshot::ec2::Tag { key, value }));
        }
        let written = folder.path().join(number.to_string());
        snapshot.write(&written).unwrap();
        let report = report(&run(&["scan", "--snapshot", written.to_str().unwrap(), "--output", "json"]));
        let web = rows(&report["instances"]).find(|instance| instance["name"] == "prod-web-01").unwrap();
        let found: Vec<(String, String)> = rows(&web["policies"]).map(|policy| (word(&policy["name"]), word(&policy["outcome"]))).collect();
        let production = rows(&report["policies"]).find(|policy| policy["name"] == "production").unwrap();
        let codes: Vec<String> = told(production).into_keys().filter(|code| code.contains("deploy")).collect();
        let expected: Vec<(String, String)> = outcomes.iter().map(|(name, outcome)| ((*name).to_owned(), (*outcome).to_owned())).collect();
        if web["readiness"] != readiness || found != expected || codes != problems {
            wrong.push(format!("{what}: {} {found:?} {codes:?}", web["readiness"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Production's web server is denied S3, so that it will fail; taking a member of its policy away never makes it ready.
#[test]
fn what_quick_setup_does_not_tell_is_unknown() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("snapshot");
    let scan = |change: &dyn Fn(&mut ConfigurationManager)| {
        let mut snapshot = Snapshot::read(&Directory(repository("fixtures/staggered-org"))).unwrap();
        let deny = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::aws-quicksetup-*"}]});
        let iam = snapshot.accounts.get_mut("444444444444").unwrap().global.iam.as_mut().unwrap();
        for role in &mut iam.role_detail_list {
            role.role_policy_list.push(serde_json::from_value(json!({"PolicyName": "no-buckets", "PolicyDocument": deny})).unwrap());
        }
        let managers = snapshot.accounts.get_mut("111111111111").unwrap().global.quick_setup.as_mut().unwrap();
        change(&mut managers.configuration_managers[0]);
        if file.exists() {
            std::fs::remove_dir_all(&file).unwrap();
        }
        snapshot.write(&file).unwrap();
        let report = report(&run(&["scan", "--snapshot", file.to_str().unwrap(), "--output", "json"]));
        let web = rows(&report["instances"]).find(|instance| instance["name"] == "prod-web-01").unwrap();
        word(&web["readiness"])
    };
    assert_eq!(scan(&|_| ()), "not_ready");
    for member in ["TargetRegions", "TargetOrganizationalUnits", "TargetType", "TargetAccounts"] {
        // A policy for units may leave its type out, and the accounts it does not name.
        let expected = if ["TargetType", "TargetAccounts"].contains(&member) { "not_ready" } else { "unknown" };
        let change = |manager: &mut ConfigurationManager| {
            manager.configuration_definitions[0].parameters.remove(member).unwrap();
        };
        assert_eq!(scan(&change), expected, "without {member}");
    }
    assert_eq!(scan(&|manager| manager.configuration_definitions[0].parameters.clear()), "unknown", "without Parameters");
    assert_eq!(scan(&|manager| manager.configuration_definitions[0].r#type = None), "unknown", "without Type");
    assert_eq!(scan(&|manager| manager.configuration_definitions.clear()), "unknown", "without ConfigurationDefinitions");
    assert_eq!(scan(&|manager| manager.manager_arn = None), "not_ready", "without ManagerArn");
    let tags = |manager: &mut ConfigurationManager| {
        manager.configuration_definitions[0].parameters.insert("TargetType".to_owned(), "Tags".to_owned());
    };
    assert_eq!(scan(&tags), "unknown", "by tag, without a tag");
}
