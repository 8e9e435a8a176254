//! A whole organization, looked at and judged: every planted defect is named, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::server::organization;
use crate::process::{code, report, rules_of_roles, shown};

fn words(value: &Value) -> BTreeSet<String> {
    value.as_array().into_iter().flatten().map(|word| word.as_str().unwrap().to_owned()).collect()
}

/// What is said of each instance, in the words of the seed's expectations.
fn said(report: &Value) -> BTreeMap<String, BTreeMap<String, Value>> {
    let findings: BTreeMap<&str, &Value> =
        report["findings"].as_array().unwrap().iter().map(|finding| (finding["id"].as_str().unwrap(), finding)).collect();
    let of = |instance: &Value| {
        let own: Vec<&Value> = words(&instance["findings"]).iter().map(|id| findings[id.as_str()]).collect();
        let rules = |status: &str| -> BTreeSet<&str> {
            own.iter().filter(|finding| finding["status"] == status).map(|finding| finding["rule_id"].as_str().unwrap()).collect()
        };
        BTreeMap::from([
            ("name".to_owned(), instance["name"].clone()),
            ("account".to_owned(), instance["account_id"].clone()),
            ("region".to_owned(), instance["region"].clone()),
            ("readiness".to_owned(), instance["readiness"].clone()),
            ("fail".to_owned(), serde_json::json!(rules("fail"))),
            ("unknown".to_owned(), serde_json::json!(rules("unknown"))),
        ])
    };
    report["instances"].as_array().unwrap().iter().map(|each| (each["instance_id"].as_str().unwrap().to_owned(), of(each))).collect()
}

fn codes(report: &Value, instance: &str, target: &str) -> BTreeSet<String> {
    let instance = report["instances"].as_array().unwrap().iter().find(|each| each["instance_id"] == instance).unwrap();
    let path = instance["paths"].as_array().unwrap().iter().find(|path| path["target"] == target).unwrap();
    path["blockers"].as_array().unwrap().iter().map(|blocker| blocker["code"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn each_planted_defect_is_named_and_no_other() {
    let aws = organization();
    let output = aws.program(&["scan", "--org", "--output", "json"]).output().unwrap();
    assert_eq!(code(&output), 1, "{}", shown(&output));
    let report = report(&output);
    let said = said(&report);
    let planted = aws.planted["instances"].as_object().unwrap();
    let mut wrong = Vec::new();
    for (id, expected) in planted {
        let Some(said) = said.get(id) else {
            wrong.push(format!("{id} ({}) was not seen", expected["name"]));
            continue;
        };
        for (what, is) in said {
            let mut should = expected[what].clone();
            if should.is_array() {
                should = serde_json::json!(words(&should));
            }
            if *is != should {
                wrong.push(format!("{id} ({}): {what} is {is}, planted was {should}", expected["name"]));
            }
        }
        for (target, should) in expected["codes"].as_object().into_iter().flatten() {
            let is = codes(&report, id, target);
            if is != words(should) {
                wrong.push(format!("{id} ({}): {target} is blocked by {is:?}, planted was {should}", expected["name"]));
            }
        }
    }
    wrong.extend(said.keys().filter(|id| !planted.contains_key(*id)).map(|id| format!("{id} was not planted")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let fail: BTreeSet<String> = planted.values().flat_map(|expected| words(&expected["fail"])).collect();
    let never: Vec<String> = rules_of_roles().difference(&fail).cloned().collect();
    assert!(never.is_empty(), "nobody planted {never:?}");
    assert_eq!(report["complete"], true, "{}", report["gaps"]);
    assert_eq!(aws.drift(), serde_json::json!([]), "the simulated AWS answers in AWS's shapes");
}

#[test]
fn accounts_are_chosen_and_left_out() {
    let aws = organization();
    let of = |arguments: &[&str]| -> BTreeMap<String, String> {
        let arguments = [&["scan", "--output", "json", "--fail-on", "never", "--incomplete", "warn"], arguments].concat();
        let output = aws.program(&arguments).output().unwrap();
        assert_eq!(code(&output), 0, "{}", shown(&output));
        let row = |account: &Value| (account["id"].as_str().unwrap().to_owned(), account["status"].as_str().unwrap().to_owned());
        report(&output)["accounts"].as_array().unwrap().iter().map(row).collect()
    };
    let scanned = |arguments: &[&str]| -> Vec<String> {
        of(arguments).into_iter().filter(|(_, status)| status == "scanned").map(|(id, _)| id).collect()
    };
    let management = aws.planted["management"].as_str().unwrap().to_owned();
    assert_eq!(scanned(&["--region", "us-east-1"]), [management.as_str()], "the caller's own account by default");
    let legacy = words(&aws.planted["ous"]["/Legacy"]);
    assert_eq!(scanned(&["--ou", "/Legacy", "--region", "us-east-1"]).into_iter().collect::<BTreeSet<_>>(), legacy);
    let workloads: BTreeSet<String> =
        ["/Workloads", "/Workloads/Prod", "/Workloads/Dev"].iter().flat_map(|ou| words(&aws.planted["ous"][*ou])).collect();
    assert_eq!(scanned(&["--ou", "Root/Workloads", "--region", "us-east-1"]).into_iter().collect::<BTreeSet<_>>(), workloads);
    let one = workloads.first().unwrap();
    assert_eq!(scanned(&["--account", one, "--region", "eu-west-1"]), [one.as_str()]);
    let rest = of(&["--org", "--exclude-ou", "/Workloads", "--exclude-account", legacy.first().unwrap(), "--region", "us-east-1"]);
    let left: BTreeSet<String> = rest.iter().filter(|(_, status)| *status == "scanned").map(|(id, _)| id.clone()).collect();
    assert!(left.contains(&management) && left.is_disjoint(&workloads) && !left.contains(legacy.first().unwrap()), "{rest:?}");
}

/// Every call is on the list that `permissions` prints, none of them can write, and the role is cut down by a session policy.
#[test]
fn only_permitted_calls_are_made() {
    let aws = organization();
    let output = aws
        .program(&["scan", "--org", "--connection-status", "--installed-packages", "--external-id", "acme-7", "--output", "json"])
        .output()
        .unwrap();
    assert_eq!(code(&output), 1, "{}", shown(&output));
    let printed = crate::process::text(&crate::process::run(&["permissions", "list"]).stdout);
    let allowed: BTreeSet<&str> = printed.lines().filter_map(|line| line.split_whitespace().next()).collect();
    let calls = aws.calls();
    assert!(calls.len() > 100, "{}", calls.len());
    let mut seen = BTreeSet::new();
    for call in &calls {
        let (service, action) = (call["service"].as_str().unwrap_or_default(), call["action"].as_str().unwrap());
        assert!(allowed.contains(format!("{service}:{action}").as_str()), "{service}:{action} is not on the printed list");
        let reads = ["Describe", "Get", "List", "Search", "AssumeRole"].iter().any(|verb| action.starts_with(verb));
        assert!(reads, "{service}:{action} may write");
        seen.insert(format!("{service}:{action}"));
        if action == "AssumeRole" {
            assert_eq!(call["external_id"], "acme-7");
            assert_eq!(call["role_session_name"], "patch-preflight");
            let policy: Value = serde_json::from_str(call["policy"].as_str().expect("a session policy")).unwrap();
            assert_eq!(policy["Statement"][0]["Effect"], "Allow");
        }
    }
    let never: Vec<&&str> = allowed.iter().filter(|action| !seen.contains(**action)).collect();
    assert!(never.is_empty(), "asked for and never used: {never:?}");
}

/// A Region without instances costs one call unless it is a hub, and no list is asked for once an instance.
#[test]
fn calls_do_not_grow_with_instances() {
    let aws = organization();
    let output = aws.program(&["collect", tempfile::tempdir().unwrap().path().to_str().unwrap(), "--org"]).output().unwrap();
    assert_eq!(code(&output), 0, "{}", shown(&output));
    let mut of_region: BTreeMap<(String, String), BTreeMap<String, usize>> = BTreeMap::new();
    for call in aws.calls() {
        let word = |name: &str| call[name].as_str().unwrap_or_default().to_owned();
        if !["ec2", "ssm"].contains(&word("service").as_str()) || word("action") == "DescribeRegions" {
            continue;
        }
        let place = (word("account"), word("region"));
        *of_region.entry(place).or_default().entry(format!("{}:{}", word("service"), word("action"))).or_default() += 1;
    }
    let occupied: BTreeSet<(String, String)> = aws.planted["instances"]
        .as_object()
        .unwrap()
        .values()
        .map(|each| (each["account"].as_str().unwrap().to_owned(), each["region"].as_str().unwrap().to_owned()))
        .collect();
    let hubs: BTreeSet<(String, String)> = serde_json::from_value(aws.planted["hubs"].clone()).unwrap();
    for (place, calls) in &of_region {
        if occupied.contains(place) || hubs.contains(place) {
            // One for each VPC, prefix list, transit gateway route table or operating system, never for each instance.
            let by_id = [
                "ec2:DescribeVpcAttribute",
                "ec2:GetManagedPrefixListEntries",
                "ec2:GetTransitGatewayRouteTableAssociations",
                "ec2:GetTransitGatewayRouteTablePropagations",
                "ec2:SearchTransitGatewayRoutes",
                "ssm:GetDefaultPatchBaseline",
            ];
            let often: Vec<_> = calls.iter().filter(|(action, count)| **count > 1 && !by_id.contains(&action.as_str())).collect();
            assert!(often.is_empty(), "{place:?}: {often:?}");
            let of_nodes = calls.keys().any(|action| action.starts_with("ssm:"));
            assert!(calls.contains_key("ec2:DescribeRouteTables") && of_nodes == occupied.contains(place), "{place:?}: {calls:?}");
        } else {
            assert_eq!(*calls, BTreeMap::from([("ec2:DescribeInstances".to_owned(), 1)]), "{place:?} has no instances");
        }
    }
    assert!(of_region.len() > 50, "every enabled Region of every account was looked at: {}", of_region.len());
}
