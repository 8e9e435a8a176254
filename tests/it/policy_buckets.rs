//! The bucket of a patch policy that a plan makes or keeps: what lets an instance read it, and what is in the way.

use patch_preflight::snapshot::{Directory, Snapshot};
use serde_json::{Value, json};

use crate::policies::{files, rows, word};
use crate::process::{report, repository, run};

const OF_WORKLOADS: &str = "name: plan\ntargets: {organizational_units: [/Workloads], regions: [eu-central-1]}\nattach_policies: true\n";

fn scan(snapshot: &Snapshot, plan: &str) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let (written, file) = (folder.path().join("snapshot"), folder.path().join("plan.yaml"));
    snapshot.write(&written).unwrap();
    std::fs::write(&file, plan).unwrap();
    report(&run(&["scan", "--snapshot", written.to_str().unwrap(), "--policy", file.to_str().unwrap(), "--output", "json"]))
}

/// The outcome of the plan for the instance of this name, and why.
fn becomes(snapshot: &Snapshot, plan: &str, name: &str) -> (String, String) {
    let report = scan(snapshot, plan);
    let instance = rows(&report["instances"]).find(|instance| instance["name"] == name).unwrap();
    let planned = rows(&instance["policies"]).find(|policy| policy["name"] == "plan").unwrap();
    (word(&planned["outcome"]), word(&planned["because"]))
}

/// A plan of the same name is what becomes of the existing policy, with its bucket; a plan of another name gets one of its own.
#[test]
fn a_plan_keeps_the_bucket_of_the_policy_that_it_replaces() {
    let mut snapshot = Snapshot::read(&Directory(repository("fixtures/staggered-org"))).unwrap();
    let management = snapshot.accounts.get_mut("111111111111").unwrap();
    let definition = &mut management.global.quick_setup.as_mut().unwrap().configuration_managers[0].configuration_definitions[0];
    definition.parameters.insert("IsPolicyAttachAllowed".to_owned(), "false".to_owned());
    for (name, attaches, ready, will_fail) in [
        ("production", "", 0, 3),
        ("production", "true", 2, 1),
        ("another", "", 0, 3),
        ("another", "false", 0, 3),
        ("another", "true", 2, 1),
    ] {
        let attaches = if attaches.is_empty() { String::new() } else { format!("attach_policies: {attaches}\n") };
        let plan = format!("name: {name}\ntargets: {{accounts: ['333333333333'], regions: [eu-central-1]}}\n{attaches}");
        let report = scan(&snapshot, &plan);
        let planned = rows(&report["policies"]).find(|policy| policy["origin"] == "planned").unwrap();
        let counts = &planned["counts"];
        assert_eq!((&counts["ready"], &counts["will_fail"]), (&json!(ready), &json!(will_fail)), "{name} {attaches}: {planned}");
    }
}

/// What becomes of test's web server, whose role has a statement more, under a plan that is new.
#[test]
fn what_keeps_a_role_from_the_bucket_of_a_new_policy_is_there_before_it() {
    let statement = |effect: &str, action: &str| json!({"Effect": effect, "Action": action, "Resource": "*"});
    let reading = || Some(statement("Allow", "s3:GetObject"));
    let cases: [(Option<Value>, &str, &str, &str); 6] = [
        (None, "true", "ready", ""),
        (Some(statement("Deny", "s3:*")), "true", "will_fail", "quick-setup-cannot-attach"),
        (Some(statement("Deny", "s3:*")), "false", "will_fail", "patch-policy-bucket-not-readable"),
        (None, "false", "will_fail", "patch-policy-bucket-not-readable"),
        (reading(), "true", "ready", ""),
        // No role can have the tag before the policy has its id.
        (reading(), "false", "unknown", "patch-policy-bucket-not-readable"),
    ];
    for (statement, attaches, outcome, because) in cases {
        let mut snapshot = Snapshot::read(&Directory(repository("fixtures/staggered-org"))).unwrap();
        let iam = snapshot.accounts.get_mut("222222222222").unwrap().global.iam.as_mut().unwrap();
        for role in &mut iam.role_detail_list {
            let document = statement.as_ref().map(|statement| json!({"Version": "2012-10-17", "Statement": [statement]}));
            role.role_policy_list.extend(
                document.map(|document| serde_json::from_value(json!({"PolicyName": "more", "PolicyDocument": document})).unwrap()),
            );
        }
        let plan =
            format!("name: plan\ntargets: {{organizational_units: [/Test], regions: [eu-central-1]}}\nattach_policies: {attaches}\n");
        assert_eq!(becomes(&snapshot, &plan, "test-web-01"), (outcome.to_owned(), because.to_owned()), "{statement:?} {attaches}");
    }
}

/// The policy of an S3 endpoint is held against the bucket that a plan will have, whatever its name.
#[test]
fn an_endpoint_policy_may_be_in_the_way_of_a_bucket_to_come() {
    let everything = json!({"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"});
    let deny = json!({"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::aws-quicksetup-*"});
    for (statements, outcome, because) in
        [(json!([everything]), "ready", ""), (json!([everything, deny]), "will_fail", "s3-endpoint-policy-denies")]
    {
        let mut snapshot = Snapshot::read(&Directory(repository("fixtures/demo-org"))).unwrap();
        let endpoints = &mut files(&mut snapshot, "222222222222").vpc_endpoints.as_mut().unwrap().vpc_endpoints;
        for endpoint in endpoints.iter_mut().filter(|endpoint| endpoint.vpc_endpoint_type.as_deref() == Some("Gateway")) {
            endpoint.policy_document = Some(json!({"Statement": statements}).to_string());
        }
        assert_eq!(becomes(&snapshot, OF_WORKLOADS, "web-01"), (outcome.to_owned(), because.to_owned()));
    }
}

/// Quick Setup makes a policy, and its bucket, where it is at home. The database reaches S3 of its own Region alone.
#[test]
fn the_bucket_of_a_policy_to_come_is_where_quick_setup_is_at_home() {
    // Where the configuration managers are, as they come, the last one for the rest.
    let cases: [(&[&str], &str, &str); 4] = [
        (&["eu-central-1"], "ready", ""),
        (&["us-east-1"], "will_fail", "s3-egress-blocked, s3-route-missing"),
        (&["us-east-1", "eu-central-1"], "unknown", "s3-path-blocked"),
        (&[], "unknown", "s3-path-blocked"),
    ];
    for (homes, outcome, because) in cases {
        let mut snapshot = Snapshot::read(&Directory(repository("fixtures/demo-org"))).unwrap();
        let managers = &mut snapshot.accounts.get_mut("111111111111").unwrap().global.quick_setup.as_mut().unwrap().configuration_managers;
        if homes.is_empty() {
            managers.clear();
        }
        for (manager, home) in managers.iter_mut().zip(homes.iter().chain(std::iter::repeat(homes.last().unwrap_or(&"")))) {
            manager.manager_arn = manager.manager_arn.as_ref().map(|arn| arn.replace("eu-central-1", home));
        }
        assert_eq!(becomes(&snapshot, OF_WORKLOADS, "orders-db-01"), (outcome.to_owned(), because.to_owned()), "{homes:?}");
    }
}
