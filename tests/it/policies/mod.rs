//! Patch policies, planned and existing, on the organization that patches in three steps and on the sample: every planted case, and nothing else.

mod baselines;
mod existing;
mod plans;

use std::collections::{BTreeMap, BTreeSet};

use patch_preflight::snapshot::{RegionFiles, Snapshot};
use serde_json::{Value, json};

use crate::process::{report, repository, run};

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

/// Files of a Region in which something runs or is looked for.
pub(crate) fn files<'s>(snapshot: &'s mut Snapshot, account: &str) -> &'s mut RegionFiles {
    snapshot.accounts.get_mut(account).unwrap().regions.get_mut("eu-central-1").unwrap()
}

/// The codes of what is said, each with how sure it is and its message.
fn told(policy: &Value) -> BTreeMap<String, String> {
    let findings = rows(&policy["findings"]).map(|finding| {
        let level = if finding["status"] == "unknown" { "unknown".to_owned() } else { word(&finding["severity"]) };
        (word(&finding["code"]), format!("{level}: {}", word(&finding["message"])))
    });
    findings.collect()
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
