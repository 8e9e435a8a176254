//! The samples: every instance against what its story says, written by hand.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use patch_preflight::network::{Target, Verdict};
use patch_preflight::snapshot::{Directory, Snapshot};

use crate::laws::Judge;
use crate::process::{report, repository, run};

fn strings(value: &Value) -> BTreeSet<String> {
    value.as_array().into_iter().flatten().map(|item| item.as_str().unwrap().to_owned()).collect()
}

#[test]
fn each_instance_is_as_its_story_says() {
    for sample in ["demo-org", "hub-org"] {
        assert_as_told(sample);
    }
}

fn assert_as_told(sample: &str) {
    let expected: BTreeMap<String, Value> =
        serde_json::from_slice(&std::fs::read(repository(&format!("fixtures/{sample}.expected.json"))).unwrap()).unwrap();
    let folder = repository(&format!("fixtures/{sample}"));
    let report = report(&run(&["scan", "--snapshot", folder.to_str().unwrap(), "--output", "json"]));
    let instances = report["instances"].as_array().unwrap();
    let findings: BTreeMap<&str, &Value> =
        report["findings"].as_array().unwrap().iter().map(|finding| (finding["id"].as_str().unwrap(), finding)).collect();
    let mut wrong = Vec::new();
    assert_eq!(instances.len(), expected.len(), "every instance has an expectation");
    for instance in instances {
        let id = instance["instance_id"].as_str().unwrap();
        let Some(expected) = expected.get(id) else {
            wrong.push(format!("{id} has no expectation"));
            continue;
        };
        let name = instance["name"].as_str().unwrap();
        let mut compare = |what: &str, is: String, should: String| {
            if is != should {
                wrong.push(format!("{name} ({id}): {what} is {is}, expected {should}"));
            }
        };
        compare("readiness", instance["readiness"].to_string(), expected["readiness"].to_string());
        let of_status = |status: &str| -> BTreeSet<String> {
            let own = instance["findings"].as_array().unwrap().iter().map(|id| findings[id.as_str().unwrap()]);
            own.filter(|finding| finding["status"] == status).map(|finding| finding["rule_id"].as_str().unwrap().to_owned()).collect()
        };
        compare("failed rules", format!("{:?}", of_status("fail")), format!("{:?}", strings(&expected["rules"])));
        compare("rules not known", format!("{:?}", of_status("unknown")), format!("{:?}", strings(&expected["unknown_rules"])));
        for path in instance["paths"].as_array().unwrap() {
            let target = path["target"].as_str().unwrap();
            if let Some(verdict) = expected["verdicts"].get(target) {
                compare(target, path["verdict"].to_string(), verdict.to_string());
            }
            if let Some(via) = expected["via"].get(target) {
                compare(&format!("{target} via"), path["via"].to_string(), via.to_string());
            }
            let codes: BTreeSet<String> =
                path["blockers"].as_array().unwrap().iter().map(|blocker| blocker["code"].as_str().unwrap().to_owned()).collect();
            let should = strings(&expected["codes"][target]);
            if !should.is_subset(&codes) {
                compare(&format!("{target} codes"), format!("{codes:?}"), format!("{should:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_built_in_rule_fires_and_most_instances_are_ready() {
    let report = report(&run(&["scan", "--demo", "--output", "json"]));
    let fired: BTreeSet<&str> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["status"] == "fail")
        .map(|finding| finding["rule_id"].as_str().unwrap())
        .collect();
    let list = crate::process::text(&run(&["rules", "list"]).stdout);
    let silent: Vec<&str> = list.lines().filter_map(|line| line.split_whitespace().next()).filter(|id| !fired.contains(id)).collect();
    assert!(silent.is_empty(), "these rules never fire in the sample: {silent:?}");
    let summary = &report["summary"];
    assert!(summary["ready"].as_u64() > summary["instances"].as_u64().map(|all| all / 2), "{summary}");
}

/// Three paths die of one route, and one change mends them: no endpoint is built around it.
#[test]
fn a_dead_route_is_mended_where_it_stands() {
    let report = report(&run(&["scan", "--demo", "--output", "json"]));
    let instance = "i-0dc1000000a28140b";
    let concerns = |fix: &&Value| strings(&fix["unblocks"]).union(&strings(&fix["helps"])).any(|id| id == instance);
    let fixes: Vec<&Value> = report["fixes"].as_array().unwrap().iter().filter(concerns).collect();
    let titles: Vec<&str> = fixes.iter().map(|fix| fix["title"].as_str().unwrap()).collect();
    assert_eq!(titles, ["Point the route of rtb-0dc1000040a280000 to 0.0.0.0/0 at a target that exists"]);
}

/// The remark that ec2messages is not needed stands where the agent is let into ssmmessages, and nowhere else.
#[test]
fn ec2messages_is_left_alone_by_whom_ssmmessages_lets_in() {
    let said = |snapshot: &Snapshot, name: &str| {
        let report = Judge::new().report(snapshot);
        let instance = report.instances.iter().find(|instance| instance.name == name).unwrap();
        let path = instance.paths.iter().find(|path| path.target == Target::Ec2Messages);
        (path.map(|path| path.verdict), instance.notes.iter().any(|note| note.contains("needs no ec2messages")))
    };
    let sample = Snapshot::read(&Directory(repository("fixtures/demo-org"))).unwrap();
    for (name, expected) in [
        ("reports-02", (Some(Verdict::NotNeeded), true)),
        // Its role allows ec2messages alone, and neither.
        ("reports-03", (Some(Verdict::Blocked), false)),
        ("ledger-db-01", (Some(Verdict::Reachable), false)),
        ("web-05", (None, false)),
    ] {
        assert_eq!(said(&sample, name), expected, "{name}");
    }
    let mut off = sample.clone();
    let files = off.accounts.get_mut("333333333333").unwrap().regions.get_mut("eu-central-1").unwrap();
    let instances = files.instances.iter_mut().flat_map(|file| &mut file.reservations).flat_map(|reservation| &mut reservation.instances);
    for options in instances.filter_map(|instance| instance.metadata_options.as_mut()) {
        options.http_endpoint = Some("disabled".to_owned());
    }
    assert_eq!(said(&off, "reports-02"), (Some(Verdict::Blocked), false), "without credentials the agent uses nothing");
}

/// A fix that is known to the last word is printed as commands.
#[test]
fn a_role_is_mended_with_commands() {
    let report = report(&run(&["scan", "--demo", "--output", "json"]));
    let commands = |role: &str| {
        let fix = report["fixes"].as_array().unwrap().iter().find(|fix| fix["kind"] == "extend-role" && fix["resource"] == role).unwrap();
        strings(&fix["commands"]["aws_cli"]).into_iter().collect::<Vec<_>>()
    };
    assert_eq!(
        commands("acme-ec2-ssm"),
        [
            "aws iam attach-role-policy --role-name acme-ec2-ssm --policy-arn arn:aws:iam::aws:policy/AWSQuickSetupPatchPolicyBaselineAccess",
            "aws iam tag-role --role-name acme-ec2-ssm --tags Key=QSConfigId-k7m2q,Value=k7m2q",
        ]
    );
    assert_eq!(
        commands("acme-reports-reader"),
        ["aws iam attach-role-policy --role-name acme-reports-reader --policy-arn arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"]
    );
}
