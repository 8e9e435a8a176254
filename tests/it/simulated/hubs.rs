//! Accounts without instances on which others depend: who is looked into, and what is said where nobody was.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use simulated_aws::{Fault, Kind, Recorded, Trouble, Weather};

use super::files::gaps;
use super::served::{Aws, Ended};
use crate::process::repository;

const MANAGEMENT: &str = "111111111111";
const NETWORK: &str = "222222222222";
const SHOP: &str = "333333333333";
const LAB: &str = "444444444444";

fn served(weather: Weather) -> Aws {
    Aws::serving(&repository("fixtures/hub-org"), weather)
}

/// A scan of chosen accounts, without `--org`.
fn scan(aws: &Aws, arguments: &[&str]) -> Ended {
    super::served::ended(&mut aws.program(&[&["scan", "--output", "json", "--fail-on", "never"], arguments].concat()))
}

/// The Regions of which more was asked than their instances.
fn looked_into(calls: &[Recorded]) -> BTreeSet<(&str, &str)> {
    let network = calls.iter().filter(|call| call.operation == "ec2:DescribeRouteTables");
    network.map(|call| (call.account.as_str(), call.region.as_str())).collect()
}

fn unknowns(report: &Value, name: &str, target: &str) -> BTreeSet<String> {
    let instance = report["instances"].as_array().unwrap().iter().find(|each| each["name"] == name).unwrap();
    let path = instance["paths"].as_array().unwrap().iter().find(|path| path["target"] == target).unwrap();
    assert_eq!(path["verdict"], "unknown", "{name} {target}");
    path["unknowns"].as_array().unwrap().iter().map(|each| each["code"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn only_whom_others_depend_on_is_looked_into() {
    let aws = served(Weather::default());
    aws.collect();
    let calls = aws.server.calls();
    let hubs = [(NETWORK, "eu-central-1"), (NETWORK, "us-east-1")];
    let with_instances = [(SHOP, "eu-central-1"), (LAB, "eu-central-1"), (LAB, "us-east-1")];
    assert_eq!(looked_into(&calls), hubs.into_iter().chain(with_instances).collect());
    // Nothing about instances is asked where there are none, and names are asked of nobody who has no VPC with instances.
    let of = |account: &str, region: &str| -> BTreeMap<&str, usize> {
        let mut operations = BTreeMap::new();
        for call in calls.iter().filter(|call| call.account == account && call.region == region && call.operation != "ec2:DescribeRegions")
        {
            *operations.entry(call.operation.as_str()).or_default() += 1;
        }
        operations
    };
    assert!(of(NETWORK, "eu-central-1").keys().all(|operation| !operation.starts_with("ssm:")));
    assert_eq!(of(NETWORK, "eu-central-1")["ec2:DescribeVpcAttribute"], 2, "of the shared VPC");
    assert_eq!(of(NETWORK, "ap-northeast-3"), BTreeMap::from([("ec2:DescribeInstances", 1)]));
    let of_management = [("ec2:DescribeInstances", 1), ("ssm-quicksetup:ListConfigurationManagers", 1)];
    assert_eq!(of(MANAGEMENT, "eu-central-1"), BTreeMap::from(of_management));
    // Four zones answer for five VPCs; each is asked for once, of its owner.
    let zones: Vec<&str> =
        calls.iter().filter(|call| call.operation == "route53:ListResourceRecordSets").map(|call| call.account.as_str()).collect();
    assert_eq!(zones, [NETWORK; 4]);
    let named: Vec<&str> =
        calls.iter().filter(|call| call.operation == "route53:GetHostedZone").map(|call| call.account.as_str()).collect();
    assert_eq!(named, [NETWORK; 2], "those that a Profile brings");
    assert!(calls.iter().all(|call| call.outcome == "ok"), "{calls:?}");
}

/// A hub that was not chosen is not read, and the report tells to scan it too.
#[test]
fn a_hub_that_was_not_chosen_is_left_alone() {
    let aws = served(Weather::default());
    let report = scan(&aws, &["--account", SHOP, "--account", LAB]).report();
    assert_eq!(looked_into(&aws.server.calls()), BTreeSet::from([(SHOP, "eu-central-1"), (LAB, "eu-central-1"), (LAB, "us-east-1")]));
    assert!(unknowns(&report, "shop-01", "s3").contains("tgw_owner_not_collected"));
    assert!(unknowns(&report, "tenant-01", "ssmmessages").contains("owner_account_not_collected"));
    let of_zones: BTreeSet<(&str, &str)> = report["gaps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|gap| (gap["account_id"].as_str().unwrap(), gap["operation"].as_str().unwrap()))
        .collect();
    let records = "route53:ListResourceRecordSets";
    assert_eq!(of_zones, BTreeSet::from([(SHOP, records), (SHOP, "route53:GetHostedZone"), (LAB, records)]));
    assert!(report["gaps"].to_string().contains(&format!("account {NETWORK} owns private zone")), "{}", report["gaps"]);
}

/// Nor is a Region that was not chosen.
#[test]
fn a_region_that_was_not_chosen_is_left_alone() {
    let aws = served(Weather::default());
    let all = [MANAGEMENT, NETWORK, SHOP, LAB].map(|account| ["--account", account]).concat();
    scan(&aws, &[all.as_slice(), &["--region", "us-east-1"]].concat());
    assert_eq!(looked_into(&aws.server.calls()), BTreeSet::from([(NETWORK, "us-east-1"), (LAB, "us-east-1")]));
}

/// What a hub refuses is its own gap, and makes what goes through it unknown.
#[test]
fn a_hub_that_refuses_is_a_gap() {
    let refuse = |operation: &str| Fault {
        account: Some(NETWORK.into()),
        operation: Some(operation.into()),
        kind: Kind::Refuse { trouble: Trouble::AccessDenied },
        ..Fault::default()
    };
    let aws =
        served(Weather { faults: vec![refuse("ec2:DescribeNatGateways"), refuse("route53:ListResourceRecordSets")], ..Weather::default() });
    let folder = tempfile::tempdir().unwrap();
    let ended = aws.run(&["scan", "--output", "json", "--fail-on", "never", "--save-snapshot", folder.path().to_str().unwrap()]);
    assert_eq!(ended.code, 3);
    let report = ended.report();
    for (account, region, operation) in [
        (NETWORK, "eu-central-1", "ec2:DescribeNatGateways"),
        (NETWORK, "us-east-1", "ec2:DescribeNatGateways"),
        // Where the zones answer.
        (SHOP, "eu-central-1", "route53:ListResourceRecordSets"),
        (LAB, "us-east-1", "route53:ListResourceRecordSets"),
    ] {
        let told = gaps(folder.path());
        assert!(told.iter().any(|gap| gap[..3] == [account, region, operation]), "{account} {region} {operation}: {told:?}");
    }
    assert!(!unknowns(&report, "shop-01", "s3").is_empty());
    assert!(!unknowns(&report, "branch-01", "ssm").is_empty());
    let manifest: Value = serde_json::from_slice(&std::fs::read(folder.path().join("snapshot.json")).unwrap()).unwrap();
    assert_eq!(manifest["accounts"][NETWORK]["regions"]["us-east-1"]["complete"], false);
    assert_eq!(manifest["accounts"][NETWORK]["regions"]["ap-northeast-3"]["complete"], true);
}
