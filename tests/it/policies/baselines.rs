//! What the patch baselines of policies approve.

use patch_preflight::snapshot::ssm::GetPatchBaseline;
use patch_preflight::snapshot::{Directory, Snapshot};
use serde_json::{Value, json};

use super::{files, path, rows, told};
use crate::process::{report, repository, run};

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
