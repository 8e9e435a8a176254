//! What AWS refuses is told, the rest is judged, and nothing is ready on missing facts.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::server::{Aws, organization};
use crate::process::{code, report, shown, text};

fn scan(aws: &Aws, arguments: &[&str]) -> (i32, Value) {
    let output = aws.program(&[&["scan", "--output", "json"], arguments].concat()).output().unwrap();
    (code(&output), report(&output))
}

fn readiness(report: &Value) -> BTreeMap<String, String> {
    let row = |each: &Value| (each["instance_id"].as_str().unwrap().to_owned(), each["readiness"].as_str().unwrap().to_owned());
    report["instances"].as_array().unwrap().iter().map(row).collect()
}

fn gap<'r>(report: &'r Value, account: &str, operation: &str) -> &'r Value {
    let gaps = report["gaps"].as_array().unwrap();
    gaps.iter().find(|gap| gap["account_id"] == account && gap["operation"] == operation).unwrap_or_else(|| panic!("{operation}: {gaps:?}"))
}

fn status(report: &Value, account: &str) -> String {
    let accounts = report["accounts"].as_array().unwrap();
    accounts.iter().find(|each| each["id"] == account).unwrap()["status"].as_str().unwrap().to_owned()
}

#[test]
fn the_rest_is_judged_and_each_refusal_is_told() {
    let aws = organization();
    let [shut, fenced, curious, busy] = ["web", "data", "dev", "legacy"].map(|name| aws.account(name));
    let denied = "User: arn:aws:sts::1:assumed-role/R/s is not authorized to perform: x with an explicit deny in a service control policy";
    aws.fail(&json!({"service": "sts", "action": "AssumeRole", "account": shut, "code": "AccessDenied", "status": 403,
        "message": "User is not authorized to perform: sts:AssumeRole"}));
    aws.fail(&json!({"service": "ec2", "account": fenced, "region": "eu-west-1", "code": "UnauthorizedOperation", "status": 403, "message": denied}));
    aws.fail(&json!({"service": "ec2", "action": "DescribeVpcEndpoints", "account": curious, "code": "UnauthorizedOperation", "status": 403,
        "message": format!("You are not authorized to perform this operation. Encoded authorization failure message: {}", "aB3x".repeat(60))}));
    aws.fail(
        &json!({"service": "ec2", "action": "DescribeSubnets", "account": busy, "times": 2, "code": "RequestLimitExceeded", "status": 503,
        "message": "Request limit exceeded."}),
    );
    let (exit, report) = scan(&aws, &["--org", "--fail-on", "never"]);
    assert_eq!(exit, 3, "what was not read is never clean");
    assert_eq!(report["complete"], false);

    assert_eq!(
        (status(&report, &shut).as_str(), &gap(&report, &shut, "sts:AssumeRole")["reason"]),
        ("unreadable", &json!("role_not_assumable"))
    );
    assert_eq!(gap(&report, &fenced, "ec2:DescribeInstances")["reason"], "scp_denied");
    assert_eq!(status(&report, &curious), "partial");
    let endpoints = gap(&report, &curious, "ec2:DescribeVpcEndpoints");
    assert_eq!(endpoints["reason"], "access_denied");
    assert!(!endpoints["message"].as_str().unwrap().contains("aB3x"), "secrets are removed: {endpoints}");
    assert_eq!(status(&report, &busy), "scanned", "AWS asked to slow down, and got what it asked for");

    let planted = aws.planted["instances"].as_object().unwrap();
    let said = readiness(&report);
    for (id, expected) in planted {
        let (account, region) = (expected["account"].as_str().unwrap(), expected["region"].as_str().unwrap());
        if account == shut || (account == fenced && region == "eu-west-1") {
            assert_eq!(said.get(id), None, "{id} could not be seen");
        } else if account == curious {
            assert_ne!(said[id], "ready", "{id} ({}): its endpoints were not seen", expected["name"]);
        } else {
            assert_eq!(said[id], expected["readiness"].as_str().unwrap(), "{id} ({})", expected["name"]);
        }
    }
}

/// A page that fails half-way makes the list unknown, never short.
#[test]
fn a_list_that_breaks_off_is_unknown() {
    let aws = organization();
    let account = aws.account("web");
    aws.page_limit(Some(2));
    aws.fail(&json!({"service": "ssm", "action": "DescribeInstanceInformation", "account": account, "page": 2, "code": "InternalServerError", "status": 500,
        "message": "An error occurred on the server side."}));
    aws.fail(&json!({"service": "ec2", "action": "DescribeInstances", "account": aws.account("data"), "region": "eu-west-1", "page": 2,
        "code": "UnauthorizedOperation", "status": 403, "message": "You are not authorized to perform this operation."}));
    let (exit, report) = scan(&aws, &["--org", "--fail-on", "never", "--region", "eu-west-1"]);
    aws.page_limit(None);
    assert_eq!(exit, 3);
    assert_eq!(gap(&report, &account, "ssm:DescribeInstanceInformation")["reason"], "error");
    let said = readiness(&report);
    for (id, expected) in aws.planted["instances"].as_object().unwrap() {
        if expected["region"] != "eu-west-1" {
            continue;
        }
        let is_stopped = expected["fail"].as_array().unwrap().contains(&json!("instance-stopped"));
        // Whether a stopped instance is registered is not asked.
        if expected["account"] == account.as_str() && !is_stopped {
            assert_ne!(said[id], "ready", "{id}: nobody knows whether it is registered");
        } else if expected["account"] == aws.account("data").as_str() {
            assert_eq!(said.get(id), None, "half a list of instances is none");
        }
    }
}

#[test]
fn nothing_readable_is_code_4_with_the_reason() {
    let aws = organization();
    aws.fail(&json!({"service": "ec2", "code": "UnauthorizedOperation", "status": 403, "message": "You are not authorized to perform this operation."}));
    let output = aws.program(&["scan"]).output().unwrap();
    assert_eq!(code(&output), 4, "{}", shown(&output));
    let told = text(&output.stderr);
    assert!(told.contains("ec2:DescribeRegions") && told.contains("not authorized"), "{told}");
}

#[test]
fn an_organization_that_cannot_be_read_says_what_to_do() {
    let aws = organization();
    aws.fail(&json!({"service": "organizations", "code": "AWSOrganizationsNotInUseException", "status": 400,
        "message": "Your account is not a member of an organization."}));
    let output = aws.program(&["scan", "--org"]).output().unwrap();
    assert_eq!(code(&output), 4, "{}", shown(&output));
    assert!(text(&output.stderr).contains("--account"), "{}", shown(&output));
}

#[test]
fn credentials_that_sts_refuses_are_told() {
    let aws = organization();
    aws.fail(&json!({"service": "sts", "action": "GetCallerIdentity", "code": "ExpiredToken", "status": 403,
        "message": "The security token included in the request is expired"}));
    let output = aws.program(&["scan", "--org"]).output().unwrap();
    assert_eq!(code(&output), 4, "{}", shown(&output));
    assert!(text(&output.stderr).contains("expired"), "{}", shown(&output));
}
