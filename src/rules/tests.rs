//! The rule set as a whole: the built-in rules hold, and every mistake that a rule's author can make is told with its place.

use std::path::Path;

use super::{Level, Outcome, RuleError, RuleSet};
use crate::facts::{Facts, InstanceState};
use crate::model::known::Known;
use crate::report::types::Severity;

const GOOD: &str = r#"title: It is stopped
question: whether it runs
severity: warning
since: 0.1.0
fail_if: instance.state == "stopped"
message: "{instance.id} is {instance.state}"
why: It matters.
fix_words: Start it.
false_positives: None.
references: [https://example.com]
cases:
  - {name: stopped, given: {instance: {state: stopped}}, expect: fail}
  - {name: running, expect: pass}
  - {name: not known, unknown: [instance.state], expect: unknown}
"#;

fn load(name: &str, text: &str) -> Result<RuleSet, RuleError> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("deeper")).unwrap();
    std::fs::write(folder.path().join("deeper").join(name), text).unwrap();
    let mut rules = RuleSet::builtin()?;
    rules.add_folder(folder.path())?;
    Ok(rules)
}

#[test]
fn the_built_in_rules_load_and_their_cases_hold() {
    let rules = RuleSet::builtin().unwrap();
    assert!(rules.all().count() >= 19);
    let failed: Vec<String> = rules.test_cases().unwrap().iter().filter(|result| !result.passed()).map(ToString::to_string).collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn a_healthy_instance_has_no_finding() {
    let rules = RuleSet::builtin().unwrap();
    let sheet = Facts::healthy().sheet().unwrap();
    let found: Vec<String> = rules.judge(&sheet).unwrap().iter().map(|judgement| judgement.message.clone()).collect();
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn a_users_rule_judges_beside_the_built_in_ones() {
    let mut rules = load("stopped-here.yaml", GOOD).unwrap();
    assert!(rules.test_cases().unwrap().iter().all(super::CaseResult::passed));
    let mut facts = Facts::healthy();
    facts.instance.state = Known::Known(InstanceState::Stopped);
    let of = |rules: &RuleSet| -> Vec<(String, Severity)> {
        let sheet = facts.sheet().unwrap();
        rules.judge(&sheet).unwrap().iter().map(|judgement| (judgement.rule.id().to_owned(), judgement.severity)).collect()
    };
    let both = [("instance-stopped".to_owned(), Severity::Note), ("stopped-here".to_owned(), Severity::Warning)];
    assert_eq!(of(&rules), both);
    let before = rules.digest();
    rules.set_level("instance-stopped", Level::Off).unwrap();
    rules.set_level("stopped-here", Level::On(Severity::Error)).unwrap();
    assert_eq!(of(&rules), [("stopped-here".to_owned(), Severity::Error)]);
    assert_ne!(rules.digest(), before, "the digest tells with which levels was judged");
    assert!(rules.set_level("instance-stoped", Level::Off).unwrap_err().to_string().contains("instance-stopped"));
}

#[test]
fn what_is_unknown_is_told_with_its_reason() {
    let rules = RuleSet::builtin().unwrap();
    let mut facts = Facts::healthy();
    facts.agent.is_registered = Known::unknown("fact_not_collected", "ssm:DescribeInstanceInformation in 1/r", "add the action");
    let sheet = facts.sheet().unwrap();
    let judgements = rules.judge(&sheet).unwrap();
    let first = judgements.iter().find(|judgement| judgement.rule.id() == "not-registered").unwrap();
    assert_eq!(first.outcome, Outcome::Unknown);
    assert_eq!(
        first.message,
        "It is not known whether the instance is registered with Systems Manager: add the action (ssm:DescribeInstanceInformation in 1/r)"
    );
}

/// An unknown without a reason is a bug in a rule or in the facts, and says so.
#[test]
fn an_unexplained_unknown_is_an_error() {
    let rules = RuleSet::builtin().unwrap();
    let mut sheet = Facts::healthy().sheet().unwrap();
    sheet.value["agent"].as_object_mut().unwrap().remove("is_registered");
    assert!(matches!(rules.judge(&sheet), Err(RuleError::Unexplained { .. })));
}

#[test]
fn what_another_service_manages_is_left_to_it() {
    let rules = RuleSet::builtin().unwrap();
    let mut facts = Facts::healthy();
    facts.instance.is_managed_by_aws = true;
    facts.agent.is_registered = Known::Known(false);
    let sheet = facts.sheet().unwrap();
    let ids: Vec<&str> = rules.judge(&sheet).unwrap().iter().map(|judgement| judgement.rule.id()).collect();
    assert_eq!(ids, ["managed-by-aws-service"]);
    facts.instance.is_managed_by_aws = false;
    facts.platform.is_updated_as_image = true;
    facts.platform.is_patchable = Known::Known(false);
    let sheet = facts.sheet().unwrap();
    let ids: Vec<&str> = rules.judge(&sheet).unwrap().iter().map(|judgement| judgement.rule.id()).collect();
    assert_eq!(ids, ["updated-as-image"]);
}

/// Each mistake, made in the good rule, and what must be told of it.
#[test]
fn mistakes_are_told_with_their_place() {
    let with_condition = |condition: &str| GOOD.replace(r#"instance.state == "stopped""#, condition);
    let rows: [(String, &[&str]); 22] = [
        (with_condition("instnce.state == \"stopped\""), &["line 5, column 10", "there is no fact instnce.state", "\"instance\"?"]),
        (with_condition("instance.stat == \"stopped\""), &["there is no fact instance.stat", "\"state\"?", "  | ", "^"]),
        (with_condition("instance.state == \"stoped\""), &["\"stoped\" is none of", "\"stopped\"?"]),
        (with_condition("'\"stoped\" == instance.state'"), &["\"stoped\" is none of"]),
        (with_condition("instance.state in [\"stopped\", \"haltd\"]"), &["\"haltd\" is none of"]),
        (with_condition("instance.state == 3"), &["a text is compared with a number"]),
        (with_condition("identity.has_instance_profile == \"true\""), &["a truth value is compared with a text"]),
        (with_condition("instance.tags[\"Team\"] == \"web\""), &["ask first whether the key is there", "\"Team\" in instance.tags && …"]),
        (with_condition("'instance.tags.exists(key, kee == \"x\")'"), &["there is no fact kee"]),
        (with_condition("instance.id.startWith(\"i\")"), &["a rule cannot call startWith", "\"startsWith\"?"]),
        (with_condition("has(instance.id)"), &["a rule cannot use has()"]),
        (with_condition("instance.id"), &["neither true nor false"]),
        (with_condition("identity.has_instance_profile && instance.id"), &["this is neither true nor false"]),
        (with_condition("instance.state =="), &["line 5"]),
        (GOOD.replace("{instance.state}", "{instance.mood}"), &["message: there is no fact instance.mood"]),
        (GOOD.replace("severity: warning", "severity: fatal"), &["fatal"]),
        (GOOD.replace("since: 0.1.0", "since: 0.1.0\nsince: 0.2.0"), &["duplicate"]),
        (GOOD.replace("since: 0.1.0", "since: 0.1.0\nfix: reboot-everything"), &["reboot-everything", "network-path"]),
        (GOOD.replace("since: 0.1.0", "since: 0.1.0\nfix: network-path"), &["target is missing"]),
        (GOOD.replace("since: 0.1.0", "since: 0.1.0\ncolour: red"), &["colour"]),
        (GOOD.replace(", expect: unknown}", ", expect: fail}"), &["cases: there is none that expects unknown"]),
        (GOOD.replace("unknown: [instance.state]", "unknown: [instance.id]"), &["cases: instance.id is always known"]),
    ];
    for (text, told) in rows {
        let error = load("my-rule.yaml", &text).map(|_| ()).unwrap_err().to_string();
        for part in told {
            assert!(error.contains(part), "{part:?} is missing in\n{error}\nfor\n{text}");
        }
        assert!(error.contains("my-rule.yaml"), "{error}");
    }
}

#[test]
fn a_case_is_checked_against_the_facts() {
    for (wrong, told) in [("{state: halted}", "halted"), ("{colour: red}", "colour"), ("{state: 3}", "invalid type")] {
        let rules = load("my-rule.yaml", &GOOD.replace("{state: stopped}", wrong)).unwrap();
        let error = rules.test_cases().map(|_| ()).unwrap_err().to_string();
        assert!(error.contains(told) && error.contains("my-rule"), "{error}");
    }
}

#[test]
fn names_are_kebab_case_and_taken_once() {
    for name in ["My_Rule.yaml", "Rule.yaml", "-x.yaml"] {
        assert!(load(name, GOOD).map(|_| ()).unwrap_err().to_string().contains("name the file in lower case"), "{name}");
    }
    let taken = load("not-registered.yaml", GOOD).map(|_| ()).unwrap_err().to_string();
    assert!(taken.contains("there is already a rule not-registered"), "{taken}");
    assert!(RuleSet::builtin().unwrap().add_folder(Path::new("/nonexistent")).is_err());
}
