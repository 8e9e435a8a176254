//! Lists in small pages, empty pages, and roles that expire while the scan runs.

use simulated_aws::{Trust, Weather};

use super::files::gaps;
use super::served::{Aws, one_region, one_region_of_organization};
use crate::snapshot_files::files;

#[test]
fn small_and_empty_pages_give_the_same_lists() {
    let folder = one_region_of_organization("222222222222", "us-east-1");
    let aws = Aws::serving(folder.path(), Weather { page_limit: Some(2), empty_pages: true, ..Weather::default() });
    let collected = aws.collect();
    let whole = Aws::serving(folder.path(), Weather::default()).collect();
    assert_eq!(files(whole.path()), files(collected.path()));
    assert_eq!(gaps(whole.path()), gaps(collected.path()));
    let calls = aws.server.calls();
    let paged = |operation: &str| calls.iter().filter(|call| call.operation == operation).map(|call| call.page).max();
    assert!(paged("ec2:DescribeInstances") >= Some(2), "{:?}", paged("ec2:DescribeInstances"));
    assert!(paged("organizations:ListAccounts") >= Some(3), "{:?}", paged("organizations:ListAccounts"));
    assert!(calls.iter().all(|call| call.outcome == "ok"), "{calls:?}");
}

/// Whoever throttles by the published rates has nothing to do: the scan stays below them.
#[test]
fn the_published_rates_are_never_reached() {
    let folder = one_region("222222222222", "eu-central-1");
    let aws = Aws::serving(folder.path(), Weather { rates: true, ..Weather::default() });
    aws.collect();
    let refused: Vec<_> = aws.server.calls().into_iter().filter(|call| call.outcome != "ok").collect();
    assert!(refused.is_empty(), "{refused:?}");
}

#[test]
fn the_role_its_external_id_and_its_sessions() {
    let folder = one_region_of_organization("222222222222", "us-east-1");
    let trust = Trust { roles: Some(vec!["audit/Reader".into()]), external_id: Some("acme-7".into()), ..Trust::default() };
    let aws = Aws::serving(folder.path(), Weather { trust, ..Weather::default() });
    let scan = |arguments: &[&str]| aws.run(&[&["scan", "--output", "json", "--fail-on", "never"], arguments].concat());
    let right = ["--role-name", "audit/Reader", "--external-id", "acme-7"];
    assert_eq!(scan(&right).report()["complete"], true);
    for wrong in [&right[..2], &right[2..], &["--role-name", "Reader", "--external-id", "acme-7"]] {
        let ended = scan(wrong);
        let report = ended.report();
        let gaps = report["gaps"].as_array().unwrap();
        assert!(gaps.iter().any(|gap| gap["reason"] == "role_not_assumable" && gap["account_id"] == "222222222222"), "{gaps:?}");
        assert_eq!(ended.code, 3);
    }
    let assumed = aws.server.calls().into_iter().find(|call| call.operation == "sts:AssumeRole").unwrap();
    assert!(assumed.input["Policy"].as_str().unwrap().len() <= 2048);
}
