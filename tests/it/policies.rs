//! Patch policies, planned and existing, on the organization that patches in three steps and on the sample: every planted case, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::process::{code, copy, report, repository, run, shown, text};
use patch_preflight::snapshot::global::ConfigurationManager;
use patch_preflight::snapshot::ssm::GetPatchBaseline;
use patch_preflight::snapshot::{Directory, RegionFiles, Snapshot};

fn path(below: &str) -> String {
    repository(below).display().to_string()
}

/// A scan of the staggered organization under some of its planned policies.
fn staggered(policies: &[&str]) -> Value {
    let mut arguments =
        vec!["scan".to_owned(), "--snapshot".to_owned(), path("fixtures/staggered-org"), "--output".to_owned(), "json".to_owned()];
    for policy in policies {
        arguments.extend(["--policy".to_owned(), path(&format!("fixtures/staggered-policies/{policy}.yaml"))]);
    }
    report(&run(&arguments))
}

pub(crate) fn rows(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

pub(crate) fn word(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[test]
fn each_planted_case_is_found_and_nothing_else() {
    let report = staggered(&["test", "staging", "production"]);
    let expected: BTreeMap<String, Value> =
        serde_json::from_slice(&std::fs::read(repository("fixtures/staggered-org.expected.json")).unwrap()).unwrap();
    let findings: BTreeMap<String, &Value> = rows(&report["findings"]).map(|finding| (word(&finding["id"]), finding)).collect();
    let mut wrong = Vec::new();
    let instances: Vec<&Value> = rows(&report["instances"]).collect();
    assert_eq!(instances.len(), expected.len());
    for instance in instances {
        let expected = &expected[instance["instance_id"].as_str().unwrap()];
        let name = word(&instance["name"]);
        let mut compare = |what: &str, is: Value, should: &Value| {
            if is != *should {
                wrong.push(format!("{name}: {what} is {is}, expected {should}"));
            }
        };
        compare("readiness", instance["readiness"].clone(), &expected["readiness"]);
        let rules: BTreeSet<String> = rows(&instance["findings"]).map(|id| word(&findings[id.as_str().unwrap()]["rule_id"])).collect();
        compare("rules", json!(rules), &expected["rules"]);
        assert!(
            rows(&instance["findings"]).all(|id| findings[id.as_str().unwrap()]["status"] == "fail"),
            "{name}: nothing is unknown here"
        );
        let said = |policy: &Value| {
            let word = if policy["code"].is_null() { &policy["outcome"] } else { &policy["code"] };
            (policy["name"].as_str().unwrap().to_owned(), word.clone())
        };
        let policies: serde_json::Map<String, Value> = rows(&instance["policies"]).map(said).collect();
        compare("policies", Value::Object(policies), &expected["policies"]);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A code, its severity, and words of its message.
type Told = (&'static str, &'static str, &'static str);

/// By hand: the codes of what is wrong with each policy as a whole, with words that its message must have.
#[test]
fn what_is_wrong_with_a_policy_as_a_whole_is_told() {
    let report = staggered(&["test", "staging", "production"]);
    let expected: [(&str, &[Told]); 3] = [
        (
            "production",
            &[
                ("approval_delay_ignored", "warning", "UBUNTU do not wait"),
                ("baseline_not_found", "error", "111111111111 eu-central-1 has no such baseline"),
                ("before_earlier_environment", "warning", "UBUNTU can get a patch before test has had it"),
                ("error_threshold", "warning", "1 of 4 nodes in 444444444444 eu-central-1"),
                ("no_baseline", "error", "no patch baseline for WINDOWS, which 1 of its instances run"),
                ("untested_system", "warning", "staging patches no UBUNTU"),
            ],
        ),
        ("staging", &[("management_account_skipped", "error", "1 of its instances are missed")]),
        ("test", &[]),
    ];
    let policies: Vec<&Value> = rows(&report["policies"]).collect();
    assert_eq!(policies.len(), expected.len(), "the plan takes the place of the existing policy \"production\": {policies:#?}");
    for (policy, (name, expected)) in policies.into_iter().zip(expected) {
        assert_eq!((policy["name"].as_str(), policy["origin"].as_str()), (Some(name), Some("planned")));
        let found: Vec<(String, String)> =
            rows(&policy["findings"]).map(|finding| (word(&finding["code"]), word(&finding["severity"]))).collect();
        let codes: Vec<(String, String)> =
            expected.iter().map(|(code, severity, _)| ((*code).to_owned(), (*severity).to_owned())).collect();
        let mut sorted = found.clone();
        sorted.sort();
        assert_eq!(sorted, codes, "{name}: {:#}", policy["findings"]);
        for (code, _, words) in expected {
            let finding = rows(&policy["findings"]).find(|finding| finding["code"] == *code).unwrap();
            assert!(word(&finding["message"]).contains(words), "{name}: {finding}");
        }
    }
    let counts = |name: &str| rows(&report["policies"]).find(|policy| policy["name"] == name).unwrap()["counts"].clone();
    let of = |targeted: u64, ready: u64, will_fail: u64, missed: u64, twice: u64| json!({"targeted": targeted, "ready": ready, "will_fail": will_fail, "unknown": 0, "missed": missed, "covered_twice": twice});
    assert_eq!(counts("test"), of(2, 2, 0, 11, 0));
    assert_eq!(counts("staging"), of(3, 2, 1, 10, 1));
    assert_eq!(counts("production"), of(5, 4, 1, 8, 1));
}

#[test]
fn the_organization_view_counts_managed_and_unmanaged() {
    let summary = staggered(&[])["summary"].clone();
    assert_eq!((&summary["managed"], &summary["unmanaged"]), (&json!(12), &json!(1)));
    let by_os: BTreeMap<String, (u64, u64)> = rows(&summary["by_os"])
        .map(|row| (word(&row["os"]), (row["counts"]["managed"].as_u64().unwrap(), row["counts"]["unmanaged"].as_u64().unwrap())))
        .collect();
    let expected = [("amazon-linux-2023", (9, 1)), ("ubuntu", (2, 0)), ("windows-server", (1, 0))];
    assert_eq!(by_os, expected.into_iter().map(|(os, counts)| (os.to_owned(), counts)).collect());
    let staging = rows(&summary["by_ou"]).find(|row| row["ou_path"] == "/Staging").unwrap();
    assert_eq!((&staging["counts"]["managed"], &staging["counts"]["unmanaged"]), (&json!(2), &json!(1)));
}

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

#[test]
fn a_plan_is_read_from_what_the_aws_cli_prints() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("production.json");
    let baseline = json!({"value": "pb-0123456789abcdef0", "label": "AWS's own"});
    let baselines = json!({"AMAZON_LINUX_2023": baseline, "UBUNTU": baseline, "WINDOWS": baseline}).to_string();
    let mut manager = json!({
        "ManagerArn": "arn:aws:ssm-quicksetup:eu-central-1:111111111111:configuration-manager/7cac1a1b-5f0b-4c4d-9f07-000000000001",
        "Name": "production", "CreatedAt": "2026-11-01T00:00:00+00:00",
        "ConfigurationDefinitions": [{"Type": "AWSQuickSetupType-PatchPolicy", "Id": "pr0d1", "Parameters": {
            "PatchPolicyName": "production", "TargetOrganizationalUnits": "ou-11de-produc01", "TargetRegions": "eu-central-1,us-east-1",
            "TargetType": "*", "ConfigurationOptionsPatchOperation": "ScanAndInstall",
            "ConfigurationOptionsInstallValue": "cron(0 2 ? * SUN *)", "PatchBaselineUseDefault": "default", "SelectedPatchBaselines": baselines}}],
    });
    let scan = |manager: &Value| {
        std::fs::write(&file, manager.to_string()).unwrap();
        report(&run(&["scan", "--snapshot", &path("fixtures/staggered-org"), "--policy", file.to_str().unwrap(), "--output", "json"]))
    };
    // Nobody lets Quick Setup attach what the roles lack, and without it none of them reads the policy's bucket.
    let bare = scan(&manager);
    assert_eq!(bare["policies"][0]["counts"]["will_fail"], 5, "{}", bare["policies"]);
    let told: BTreeSet<String> =
        rows(&bare["findings"]).filter(|finding| finding["severity"] == "error").map(|finding| word(&finding["rule_id"])).collect();
    assert_eq!(told, ["patch-policy-bucket-not-readable".to_owned()].into());
    manager["ConfigurationDefinitions"][0]["Parameters"]["IsPolicyAttachAllowed"] = json!("true");
    let report = scan(&manager);
    assert_eq!(report["policies"][0]["counts"]["ready"], 5, "{}", report["policies"]);
    assert_eq!(report["policies"][0]["findings"], json!([]));
    assert_eq!(report["policies"].as_array().unwrap().len(), 1);
    // Which baselines it chooses nobody knows without the list.
    manager["ConfigurationDefinitions"][0]["Parameters"]["SelectedPatchBaselines"] = json!("");
    assert_eq!(scan(&manager)["policies"][0]["counts"]["unknown"], 5);
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

/// What the plan says of a baseline beside its id, what the baseline says, the codes that are told with words of each, and the days.
type BaselineCase = (&'static str, Option<Value>, &'static [(&'static str, &'static str)], Value);

const OF_STAGING: &str = "pb-05ca1e00000000001";

/// What is said of staging, planned after test, in the staggered organization with a few things changed.
fn staging_with(change: impl FnOnce(&mut Snapshot), baselines: &str) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let mut snapshot = Snapshot::read(&Directory(repository("fixtures/staggered-org"))).unwrap();
    change(&mut snapshot);
    let (written, file) = (folder.path().join("snapshot"), folder.path().join("plan.yaml"));
    snapshot.write(&written).unwrap();
    let plan = format!(
        "name: staging\nafter: [test]\ntargets: {{organizational_units: [/Staging], regions: [eu-central-1]}}\nbaselines: {{{baselines}}}\n\
         baseline_region: eu-central-1\nschedule: {{install: cron(0 2 ? * THU *)}}\n"
    );
    std::fs::write(&file, plan).unwrap();
    let (snapshot, test) = (written.display().to_string(), path("fixtures/staggered-policies/test.yaml"));
    let report =
        report(&run(&["scan", "--snapshot", &snapshot, "--policy", &test, "--policy", file.to_str().unwrap(), "--output", "json"]));
    rows(&report["policies"]).find(|policy| policy["name"] == "staging").unwrap().clone()
}

/// Files of a Region in which something runs or is looked for.
pub(crate) fn files<'s>(snapshot: &'s mut Snapshot, account: &str) -> &'s mut RegionFiles {
    snapshot.accounts.get_mut(account).unwrap().regions.get_mut("eu-central-1").unwrap()
}

/// Puts what staging's baseline says where it is looked for; `None` is what nobody collected.
fn put_baseline(snapshot: &mut Snapshot, system: &str, held: Option<Value>) {
    let home = files(snapshot, "111111111111");
    home.patch_baseline_details = held.map(|mut held| {
        held["OperatingSystem"] = json!(system);
        GetPatchBaseline { patch_baselines: [(OF_STAGING.to_owned(), serde_json::from_value(held).unwrap())].into() }
    });
    let listed = &mut home.patch_baselines.as_mut().unwrap().baseline_identities;
    listed.iter_mut().find(|one| one.baseline_id.as_deref() == Some(OF_STAGING)).unwrap().operating_system = Some(system.to_owned());
}

/// The codes of what is said, each with how sure it is and its message.
fn told(policy: &Value) -> BTreeMap<String, String> {
    let findings = rows(&policy["findings"]).map(|finding| {
        let level = if finding["status"] == "unknown" { "unknown".to_owned() } else { word(&finding["severity"]) };
        (word(&finding["code"]), format!("{level}: {}", word(&finding["message"])))
    });
    findings.collect()
}

/// What a baseline says holds over what the plan says of it. Test installs on Mondays, and its baseline approves at once.
#[test]
fn an_existing_baseline_is_judged_by_what_it_approves() {
    let held = |rules: Value, named: &[&str]| Some(json!({"ApprovalRules": {"PatchRules": rules}, "ApprovedPatches": named}));
    let after = |days: u16| json!({"ApproveAfterDays": days});
    let seven = ", approve_after_days: 7";
    let cases: [BaselineCase; 10] = [
        ("", held(json!([after(7)]), &[]), &[], json!(7)),
        ("", held(json!([after(0)]), &[]), &[("before_earlier_environment", "warning: AMAZON_LINUX_2023 can get a patch")], json!(0)),
        (seven, held(json!([after(7)]), &[]), &[], json!(7)),
        (
            seven,
            held(json!([after(8)]), &[]),
            &[(
                "approval_delay_differs",
                "warning: patch baseline pb-05ca1e00000000001 for AMAZON_LINUX_2023 approves after 8 days, and the plan says 7",
            )],
            json!(8),
        ),
        (seven, held(json!([after(7), after(14)]), &[]), &[("approval_delay_differs", "after 7 to 14 days")], Value::Null),
        ("", held(json!([after(7)]), &["kernel*"]), &[("before_earlier_environment", "unknown: ")], Value::Null),
        (
            "",
            held(json!([{"ApproveUntilDate": "2026-06-30"}]), &[]),
            &[
                ("approves_up_to_a_date", "warning: the rules of patch baseline pb-05ca1e00000000001"),
                ("before_earlier_environment", "unknown: "),
            ],
            Value::Null,
        ),
        ("", held(json!([]), &[]), &[("baseline_approves_nothing", "error: ")], Value::Null),
        (seven, None, &[("baseline_not_read", "unknown: ")], json!(7)),
        ("", None, &[("baseline_not_read", "unknown: "), ("before_earlier_environment", "unknown: ")], Value::Null),
    ];
    for (more, baseline, expected, days) in cases {
        let what = format!("{baseline:?}{more}");
        let is_read = baseline.is_some();
        let planned = format!("AMAZON_LINUX_2023: {{id: {OF_STAGING}{more}}}");
        let staging = staging_with(|snapshot| put_baseline(snapshot, "AMAZON_LINUX_2023", baseline), &planned);
        let found = told(&staging);
        let mut codes: Vec<&str> = expected.iter().map(|(code, _)| *code).collect();
        codes.sort_unstable();
        assert_eq!(found.keys().collect::<Vec<_>>(), codes, "{what}: {found:#?}");
        assert!(expected.iter().all(|(code, words)| found[*code].contains(words)), "{what}: {found:#?}");
        assert_eq!(staging["baselines"][0]["approve_after_days"], days, "{what}");
        assert_eq!(staging["baselines"][0]["approves"].is_string(), is_read, "{what}");
    }
}

#[test]
fn a_baseline_for_another_system_serves_nobody() {
    let change = |snapshot: &mut Snapshot| put_baseline(snapshot, "UBUNTU", Some(json!({"ApprovalRules": {"PatchRules": []}})));
    let staging = staging_with(change, &format!("AMAZON_LINUX_2023: {{id: {OF_STAGING}}}"));
    let expected = format!("error: patch baseline {OF_STAGING} is for UBUNTU, and not for AMAZON_LINUX_2023");
    assert_eq!(told(&staging).get("baseline_for_another_system"), Some(&expected));
}

/// The repositories of `CentOS` Stream have no update notices: what is no security update must be taken too.
#[test]
fn a_baseline_that_finds_nothing_on_centos_stream_is_told() {
    let code = "nothing_for_centos_stream";
    let cases = [
        (json!([{"ApproveAfterDays": 7}]), "CentOS Stream", true),
        (json!([{"ApproveAfterDays": 7, "EnableNonSecurity": false}]), "CentOS Stream", true),
        (json!([{"ApproveAfterDays": 7}, {"ApproveAfterDays": 7, "EnableNonSecurity": true}]), "CentOS Stream", false),
        (json!([{"ApproveAfterDays": 7}]), "CentOS Linux", false),
    ];
    for (rules, name, expected) in cases {
        let change = |snapshot: &mut Snapshot| {
            put_baseline(snapshot, "CENTOS", Some(json!({"ApprovalRules": {"PatchRules": rules.clone()}})));
            for node in &mut files(snapshot, "333333333333").instance_information.as_mut().unwrap().instance_information_list {
                (node.platform_name, node.platform_version) = (Some(name.to_owned()), Some("9".to_owned()));
            }
        };
        let found = told(&staging_with(change, &format!("CENTOS: {{id: {OF_STAGING}}}, AMAZON_LINUX_2023: {{}}")));
        assert_eq!(found.contains_key(code), expected, "{rules} on {name}: {found:#?}");
        assert!(!expected || found[code].starts_with("error: ") && found[code].contains("which 2 of its instances run"), "{found:#?}");
    }
}

/// What one policy lacks is not laid at another's door: the nodes of both are not ready, and the first one patches them.
#[test]
fn a_policy_without_a_baseline_spoils_itself_alone() {
    let folder = tempfile::tempdir().unwrap();
    let windows = folder.path().join("windows.yaml");
    let plan = "name: windows\ntargets: {organizational_units: [/Test], regions: [eu-central-1]}\nbaselines: {WINDOWS: {}}\nattach_policies: true\n";
    std::fs::write(&windows, plan).unwrap();
    let (snapshot, test) = (path("fixtures/staggered-org"), path("fixtures/staggered-policies/test.yaml"));
    let report =
        report(&run(&["scan", "--snapshot", &snapshot, "--policy", &test, "--policy", windows.to_str().unwrap(), "--output", "json"]));
    let counts = |name: &str| rows(&report["policies"]).find(|policy| policy["name"] == name).unwrap()["counts"].clone();
    assert_eq!((&counts("test")["ready"], &counts("test")["will_fail"]), (&json!(2), &json!(0)));
    assert_eq!((&counts("windows")["ready"], &counts("windows")["will_fail"]), (&json!(0), &json!(2)));
    let web = rows(&report["instances"]).find(|instance| instance["name"] == "test-web-01").unwrap();
    assert_eq!(web["readiness"], "not_ready");
}

/// Nothing definite is said of a resource group whose query was not collected; nor without the organization's tree.
#[test]
fn what_is_not_known_of_a_plan_is_unknown() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("group.yaml");
    let scan = |text: &str, snapshot: &str| {
        std::fs::write(&file, text).unwrap();
        report(&run(&["scan", "--snapshot", snapshot, "--policy", file.to_str().unwrap(), "--output", "json"]))
    };
    let group = "name: group\ntargets: {accounts: ['222222222222'], regions: [eu-central-1], resource_group: web}\n";
    let found = scan(group, &path("fixtures/staggered-org"));
    let counts = &found["policies"][0]["counts"];
    assert_eq!((&counts["targeted"], &counts["unknown"], &counts["missed"]), (&json!(0), &json!(2), &json!(11)));
    let of_test = |instance: &&Value| instance["account_id"] == "222222222222" && instance["region"] == "eu-central-1";
    for instance in rows(&found["instances"]).filter(of_test) {
        assert_eq!(instance["policies"][0]["outcome"], "unknown");
        assert_ne!(instance["readiness"], "excluded", "it may be targeted, and so it is judged");
    }
    // Whoever may be in it may need the baseline that the policy does not have.
    let for_windows = format!("{group}baselines: {{WINDOWS: {{}}}}\nattach_policies: true\n");
    let found = scan(&for_windows, &path("fixtures/staggered-org"));
    assert!(rows(&found["instances"]).filter(of_test).all(|instance| instance["readiness"] == "unknown"), "{:#}", found["instances"]);
    // In which of two accounts a baseline of yours is looked for depends on the node.
    let of_two = "name: two\ntargets: {accounts: ['222222222222', '333333333333'], regions: [eu-central-1]}\nattach_policies: true\nbaseline_region: eu-central-1\n";
    let found = scan(&format!("{of_two}baselines: {{AMAZON_LINUX_2023: {{id: pb-0abc}}}}\n"), &path("fixtures/staggered-org"));
    let two = |found: &Value| rows(&found["policies"]).find(|policy| policy["name"] == "two").unwrap()["counts"].clone();
    assert_eq!((&two(&found)["targeted"], &two(&found)["ready"]), (&json!(5), &json!(0)));
    let of_aws = "arn:aws:ssm:eu-central-1:075727635805:patchbaseline/pb-0abc";
    let found = scan(&format!("{of_two}baselines: {{AMAZON_LINUX_2023: {{id: '{of_aws}'}}}}\n"), &path("fixtures/staggered-org"));
    assert_eq!(two(&found)["ready"], 3);
    // An account's own baseline is no more AWS's when it is named by ARN.
    let own = "arn:aws:ssm:eu-central-1:222222222222:patchbaseline/pb-0abc";
    let found = scan(&format!("{of_two}baselines: {{AMAZON_LINUX_2023: {{id: '{own}'}}}}\n"), &path("fixtures/staggered-org"));
    assert_eq!((&two(&found)["targeted"], &two(&found)["ready"]), (&json!(5), &json!(0)));
    // The same snapshot with the group's query.
    let asked = folder.path().join("asked");
    copy(&repository("fixtures/staggered-org"), &asked);
    let query = json!({"ResourceTypeFilters": ["AWS::EC2::Instance"], "TagFilters": [{"Key": "Name", "Values": ["test-web-01"]}]});
    let queries = json!({"GroupQueries": {"web": {"GroupQuery": {"GroupName": "web", "ResourceQuery": {"Type": "TAG_FILTERS_1_0", "Query": query.to_string()}}}}});
    std::fs::write(asked.join("222222222222/eu-central-1/resource-groups-get-group-query.json"), queries.to_string()).unwrap();
    let found = scan(group, asked.to_str().unwrap());
    let counts = &found["policies"][0]["counts"];
    assert_eq!((&counts["targeted"], &counts["unknown"], &counts["missed"]), (&json!(1), &json!(0), &json!(12)));
    let missed = rows(&found["instances"]).find(|instance| instance["name"] == "test-web-02").unwrap();
    assert_eq!(missed["policies"][0]["because"], "it is not in resource group web");
    // The same snapshot without the organization.
    let bare = folder.path().join("bare");
    copy(&repository("fixtures/staggered-org"), &bare);
    std::fs::remove_dir_all(bare.join("organization")).unwrap();
    let found = scan("name: all\ntargets: {organizational_units: [ou-11de-test0001], regions: [eu-central-1]}\n", bare.to_str().unwrap());
    assert_eq!(found["policies"][0]["counts"]["targeted"], 0);
    assert_eq!(found["policies"][0]["counts"]["missed"], 2, "two instances are in other Regions: {}", found["policies"][0]["misses"]);
    assert_eq!(found["policies"][0]["counts"]["unknown"], 11);
}

#[test]
fn what_quick_setup_cannot_deploy_reaches_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("plan.yaml");
    let cases = [
        ("accounts: ['222222222222'], regions: [eu-central-1], instances: [{ids}]", "too_many_instances"),
        ("organizational_units: [/Test], regions: [eu-central-1], resource_group: web", "resource_group_of_many_accounts"),
        ("organizational_units: [/Test], regions: [ap-northeast-3]", "region_not_supported"),
        ("organizational_units: [/Sandbox], regions: [eu-west-3]", "nothing_targeted"),
        ("accounts: ['222222222222'], regions: [eu-central-1], instances: [i-0123456789abcdef0]", "instance_not_found"),
    ];
    let ids: Vec<String> = (0..26).map(|n| format!("i-{n:017x}")).collect();
    for (targets, expected) in cases {
        let targets = targets.replace("{ids}", &ids.join(", "));
        std::fs::write(&file, format!("name: plan\ntargets: {{{targets}}}\n")).unwrap();
        let arguments = ["scan", "--snapshot", &path("fixtures/staggered-org"), "--policy", file.to_str().unwrap(), "--output", "json"];
        let report = report(&run(&arguments));
        let codes: Vec<String> = rows(&report["policies"][0]["findings"]).map(|finding| word(&finding["code"])).collect();
        assert!(codes.iter().any(|code| code == expected), "{targets}: {codes:?}");
        assert_eq!(report["policies"][0]["counts"]["ready"], 0, "{targets}");
        // Who would be a member of the group does not matter then.
        let is_group = expected == "resource_group_of_many_accounts";
        assert!(!is_group || rows(&report["policies"][0]["misses"]).any(|miss| miss["code"] == expected), "{}", report["policies"]);
    }
}

#[test]
fn a_schedule_whose_years_are_past_is_an_error_of_the_policy() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("plan.yaml");
    let plan = "name: plan\ntargets: {organizational_units: [/Test], regions: [eu-central-1]}\n\
                schedule: {scan: rate(1 day), install: cron(0 2 ? * SUN 2020)}\n";
    std::fs::write(&file, plan).unwrap();
    let arguments = ["scan", "--snapshot", &path("fixtures/staggered-org"), "--policy", file.to_str().unwrap(), "--output", "json"];
    let report = report(&run(&arguments));
    let plan = rows(&report["policies"]).find(|policy| policy["name"] == "plan").unwrap();
    let expected = "error: its schedule to install, cron(0 2 ? * SUN 2020), never runs again";
    assert_eq!(told(plan).get("schedule_is_over").map(String::as_str), Some(expected));
}

/// The management account's instance is in another Region anyway.
#[test]
fn the_region_comes_before_the_management_account() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("plan.yaml");
    for (regions, expected) in
        [("ap-northeast-3", "region_not_chosen"), ("us-east-1", "region_not_chosen"), ("eu-central-1", "management_account")]
    {
        std::fs::write(&file, format!("name: plan\ntargets: {{organizational_units: [/], regions: [{regions}]}}\n")).unwrap();
        let arguments = ["scan", "--snapshot", &path("fixtures/staggered-org"), "--policy", file.to_str().unwrap(), "--output", "json"];
        let report = report(&run(&arguments));
        let runner = rows(&report["instances"]).find(|instance| instance["name"] == "deploy-runner").unwrap();
        let plan = rows(&runner["policies"]).find(|policy| policy["name"] == "plan").unwrap();
        assert_eq!(plan["code"], expected, "{regions}");
        let policy = rows(&report["policies"]).find(|policy| policy["name"] == "plan").unwrap();
        assert_eq!(told(policy).contains_key("management_account_skipped"), expected == "management_account", "{regions}");
    }
}

/// 625 accounts times 16 Regions are 10,000, and one account more is too many.
#[test]
fn ten_thousand_deployments_are_the_most() {
    let folder = tempfile::tempdir().unwrap();
    let plan = folder.path().join("plan.yaml");
    let regions = "us-east-1, us-east-2, us-west-1, us-west-2, ap-south-1, ap-northeast-1, ap-northeast-2, ap-southeast-1, ap-southeast-2, \
                   ca-central-1, eu-central-1, eu-west-1, eu-west-2, eu-west-3, eu-north-1, sa-east-1";
    let targets = format!("targets: {{organizational_units: [/Test], regions: [{regions}]}}");
    std::fs::write(&plan, format!("name: plan\n{targets}\nattach_policies: true\n")).unwrap();
    for (more, outcome) in [(624, "ready"), (625, "missed")] {
        let mut snapshot = Snapshot::read(&Directory(repository("fixtures/staggered-org"))).unwrap();
        let accounts = &mut snapshot.organization.accounts.as_mut().unwrap().accounts;
        let test = accounts.iter().find(|account| account.id.as_deref() == Some("222222222222")).unwrap().clone();
        accounts.extend((0..more).map(|n| {
            let id = format!("9{n:011}");
            let paths = test.paths.iter().map(|path| path.replace("222222222222", &id)).collect();
            patch_preflight::snapshot::global::Account { id: Some(id), paths, ..test.clone() }
        }));
        let written = folder.path().join(format!("with-{more}"));
        snapshot.write(&written).unwrap();
        let arguments = ["scan", "--snapshot", written.to_str().unwrap(), "--policy", plan.to_str().unwrap(), "--output", "json"];
        let report = report(&run(&arguments));
        let instance = rows(&report["instances"]).find(|instance| instance["name"] == "test-web-01").unwrap();
        assert_eq!(instance["policies"][0]["outcome"], outcome, "{more}: {}", instance["policies"]);
        let codes: Vec<String> = rows(&report["policies"][0]["findings"]).map(|finding| word(&finding["code"])).collect();
        assert_eq!(codes.contains(&"too_many_deployments".to_owned()), outcome == "missed", "{codes:?}");
    }
}

#[test]
fn a_plan_that_cannot_be_right_is_code_2_and_says_where() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("plan.yaml");
    let snapshot = path("fixtures/staggered-org");
    let least = "name: plan\ntargets: {organizational_units: [/Test], regions: [eu-central-1]}\n";
    let cases = [
        ("name: plan\ntarget: {}\n".to_owned(), "did you mean \"targets\"?"),
        (least.replace("/Test", "/Tset"), "plan.yaml: targets: there is no organizational unit \"/Tset\" (perhaps /Test)"),
        (format!("{least}after: [tets]\n"), "plan.yaml: after: there is no patch policy \"tets\""),
        (format!("{least}after: [plan]\n"), "plan.yaml: after: \"plan\" cannot come after itself"),
        (format!("{least}schedule: {{install: on sundays}}\n"), "write cron(0 2 ? * SUN *)"),
    ];
    for (plan, told) in cases {
        std::fs::write(&file, &plan).unwrap();
        let output = run(&["scan", "--snapshot", &snapshot, "--policy", file.to_str().unwrap()]);
        assert_eq!(code(&output), 2, "{plan}: {}", shown(&output));
        assert!(text(&output.stderr).contains(told), "{plan}: {}", shown(&output));
    }
    // Two that come after each other.
    std::fs::write(&file, format!("{least}after: [other]\n")).unwrap();
    let other = folder.path().join("other.yaml");
    std::fs::write(&other, least.replace("name: plan", "name: other") + "after: [production, plan]\n").unwrap();
    let output = run(&["scan", "--snapshot", &snapshot, "--policy", file.to_str().unwrap(), "--policy", other.to_str().unwrap()]);
    assert_eq!(code(&output), 2);
    let told = "other.yaml: after: the policies come after each other in a circle: other, which comes after plan, which comes after other";
    assert!(text(&output.stderr).contains(told), "{}", shown(&output));
    let twice = path("fixtures/staggered-policies/test.yaml");
    let output = run(&["scan", "--snapshot", &snapshot, "--policy", &twice, "--policy", &twice]);
    assert_eq!(code(&output), 2);
    assert!(text(&output.stderr).contains("give each its own name"), "{}", shown(&output));
    let output = run(&["scan", "--demo", "--policy", "/nonexistent/plan.yaml"]);
    assert!(code(&output) == 2 && text(&output.stderr).contains("/nonexistent/plan.yaml"), "{}", shown(&output));
}

/// The page's plans are the files of the example, and an instance's explanation tells what the plans do with it.
#[test]
fn the_page_shows_the_files() {
    let page = std::fs::read_to_string(repository("docs/patch-policies.md")).unwrap();
    for name in ["test", "staging", "production"] {
        let file = std::fs::read_to_string(repository(&format!("fixtures/staggered-policies/{name}.yaml"))).unwrap();
        assert!(page.contains(&format!("```yaml\n{file}```")), "docs/patch-policies.md does not show {name}.yaml as it is");
    }
    let instance = rows(&staggered(&[])["instances"]).find(|instance| instance["name"] == "staging-web-02").unwrap()["instance_id"].clone();
    let staging = path("fixtures/staggered-policies/staging.yaml");
    let test = path("fixtures/staggered-policies/test.yaml");
    let arguments =
        ["explain", instance.as_str().unwrap(), "--snapshot", &path("fixtures/staggered-org"), "--policy", &test, "--policy", &staging];
    let explained = text(&run(&arguments).stdout);
    assert!(explained.contains("patch policy staging: missed (it has no tag Environment (wanted: \"staging\"))"), "{explained}");
}
