//! Planned policies: what a file says, and what comes of it.

use std::collections::BTreeSet;

use patch_preflight::snapshot::{Directory, Snapshot};
use serde_json::{Value, json};

use super::{path, rows, staggered, told, word};
use crate::process::{code, copy, report, repository, run, shown, text};

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
