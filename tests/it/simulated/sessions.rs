//! The role in each account: its name, its external id, what its sessions may do, and for how long.

use std::collections::BTreeSet;

use serde_json::Value;
use simulated_aws::{Trust, Weather};

use super::served::{Aws, one_region_of_organization};

const ACCOUNT: &str = "222222222222";

fn trusting(trust: Trust) -> Aws {
    let folder = one_region_of_organization(ACCOUNT, "us-east-1");
    Aws::serving(folder.path(), Weather { trust, ..Weather::default() })
}

fn scan(aws: &Aws, arguments: &[&str]) -> (i32, Value) {
    let ended = aws.run(&[&["scan", "--output", "json", "--fail-on", "never"], arguments].concat());
    (ended.code, ended.report())
}

fn gaps(report: &Value) -> BTreeSet<(&str, &str)> {
    let gaps = report["gaps"].as_array().unwrap().iter();
    gaps.map(|gap| (gap["account_id"].as_str().unwrap(), gap["reason"].as_str().unwrap())).collect()
}

#[test]
fn the_role_and_its_external_id() {
    let aws = trusting(Trust { roles: Some(vec!["audit/Reader".into()]), external_id: Some("acme-7".into()), ..Trust::default() });
    let right = ["--role-name", "audit/Reader", "--external-id", "acme-7"];
    assert_eq!(scan(&aws, &right).1["complete"], true);
    for wrong in [&right[..2], &right[2..], &["--role-name", "Reader", "--external-id", "acme-7"]] {
        let (code, report) = scan(&aws, wrong);
        assert_eq!((code, gaps(&report)), (3, BTreeSet::from([(ACCOUNT, "role_not_assumable")])));
    }
}

/// Every session is limited to a policy, which the server holds: the whole scan passes by it.
#[test]
fn each_session_is_limited_by_a_policy() {
    let aws = trusting(Trust::default());
    assert_eq!(scan(&aws, &[]).1["complete"], true);
    let calls = aws.server.calls();
    let mut assumed = calls.iter().filter(|call| call.operation == "sts:AssumeRole").peekable();
    assert!(assumed.peek().is_some() && assumed.all(|call| call.input["Policy"].is_string()), "{calls:?}");
}

/// Sessions that end while the scan runs are begun anew; those that are over before they begin are a gap, and no account is lost.
#[test]
fn sessions_that_end() {
    let short = trusting(Trust { session_seconds: Some(5), ..Trust::default() });
    assert_eq!(scan(&short, &[]).1["complete"], true);
    let calls = short.server.calls();
    assert!(calls.iter().filter(|call| call.operation == "sts:AssumeRole").count() > 1, "{calls:?}");
    let (code, report) = scan(&trusting(Trust { session_seconds: Some(0), ..Trust::default() }), &[]);
    assert_eq!((code, gaps(&report)), (3, BTreeSet::from([(ACCOUNT, "error")])));
    assert!(report["accounts"].as_array().unwrap().iter().any(|account| account["id"] == ACCOUNT), "{report}");
}
