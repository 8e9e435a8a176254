//! Lists in small pages and empty pages, how large the pages are that are asked for, and the published rates.

use std::collections::BTreeMap;

use patch_preflight::snapshot::RegionFiles;
use serde_json::Value;
use simulated_aws::generate::{Size, organization};
use simulated_aws::wire::Table;
use simulated_aws::{Recorded, Weather};

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
    assert_each_page_is_a_call(&files(folder.path()), "222222222222/us-east-1", &calls);
    let paged = |operation: &str| calls.iter().filter(|call| call.operation == operation).map(|call| call.page).max();
    assert!(paged("ec2:DescribeInstances") >= Some(2), "{:?}", paged("ec2:DescribeInstances"));
    assert!(paged("organizations:ListAccounts") >= Some(3), "{:?}", paged("organizations:ListAccounts"));
    assert!(calls.iter().all(|call| call.outcome == "ok"), "{calls:?}");
}

/// The lists of a Region, in pages of two: no page is left out, and none is asked for twice.
fn assert_each_page_is_a_call(files: &BTreeMap<String, Value>, place: &str, calls: &[Recorded]) {
    let table = Table::builtin().unwrap();
    let mut longest = 0;
    for (file, operation) in RegionFiles::FILES {
        let pages = table.operation(operation).unwrap().1.pages.as_ref();
        // Empty pages come in between at Systems Manager, and lists by id have a first page each.
        let Some(pages) = pages.filter(|_| operation.starts_with("ec2:")) else { continue };
        let list = files.get(&format!("{place}/{file}")).and_then(|file| file.get(&pages.members[0]));
        let Some(length) = list.and_then(Value::as_array).map(Vec::len) else { continue };
        let asked: Vec<u32> =
            calls.iter().filter(|call| call.operation == *operation && in_place(call, place)).map(|call| call.page).collect();
        assert_eq!(asked, (1..=u32::try_from(length.div_ceil(2).max(1)).unwrap()).collect::<Vec<_>>(), "{operation}");
        longest = longest.max(asked.len());
    }
    assert!(longest >= 3, "{longest}");
}

fn in_place(call: &Recorded, place: &str) -> bool {
    place == format!("{}/{}", call.account, call.region)
}

/// The sizes of pages that docs/calls.md names.
#[test]
fn pages_are_as_large_as_the_documentation_says() {
    let documented = |operation: &str| match operation {
        "ec2:DescribeEgressOnlyInternetGateways" => 255,
        "ec2:DescribeRouteTables" | "ec2:DescribeManagedPrefixLists" | "ec2:GetManagedPrefixListEntries" => 100,
        "ssm:DescribeInstanceInformation" | "ssm:ListAssociations" | "ssm:ListInventoryEntries" => 50,
        "route53:ListResourceRecordSets" => 300,
        "route53resolver:ListFirewallDomains" => 5000,
        _ if operation.starts_with("ec2:") || operation.starts_with("iam:") => 1000,
        _ if operation.starts_with("organizations:") => 20,
        _ => 100,
    };
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("generated");
    organization(1, &Size { accounts: 2, regions: 1, instances: 2 }).write(&folder).unwrap();
    let aws = Aws::serving(&folder, Weather::default());
    aws.collect();
    let (calls, table) = (aws.server.calls(), Table::builtin().unwrap());
    let lists = calls.iter().filter_map(|call| Some((call, table.operation(&call.operation)?.1.pages.as_ref()?)));
    let sizes: BTreeMap<&str, String> =
        lists.map(|(call, pages)| (call.operation.as_str(), call.input[&pages.size].to_string().replace('"', ""))).collect();
    let expected: BTreeMap<&str, String> = sizes.keys().map(|operation| (*operation, documented(operation).to_string())).collect();
    assert_eq!(sizes, expected);
    assert!(sizes.len() > 30, "{sizes:?}");
}

/// Whoever throttles by the published rates has nothing to do: the scan stays below them.
#[test]
fn the_published_rates_are_never_reached() {
    let folder = one_region("222222222222", "eu-central-1");
    let aws = Aws::serving(folder.path(), Weather { rates: true, ..Weather::default() });
    aws.collect();
    // That the account is in no organization is an answer, and told as an error.
    let answers = ["ok", "AWSOrganizationsNotInUseException"];
    let refused: Vec<_> = aws.server.calls().into_iter().filter(|call| !answers.contains(&call.outcome.as_str())).collect();
    assert!(refused.is_empty(), "{refused:?}");
}
