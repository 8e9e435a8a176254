//! Whatever goes wrong ends in a complete report or an honest gap: no panic, no hang, no `ready` on missing facts, no lost account.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;
use simulated_aws::{Fault, Kind, Latency, Trouble, Weather};

use super::served::{Aws, Ended, ended, one_region, one_region_of_organization};

const ACCOUNT: &str = "222222222222";
const REGION: &str = "us-east-1";
/// Scans wait most of their time.
const SIDE_BY_SIDE: usize = 24;

struct Case {
    operation: &'static str,
    page: u32,
    kind: Kind,
    /// How many calls go wrong; all of them when nothing is said.
    times: Option<u32>,
}

/// Each kind of fault, and the operations and pages that it befalls in turn.
fn cases() -> Vec<Case> {
    use Trouble as T;
    const EACH: usize = 4;
    let refuse = |trouble| Kind::Refuse { trouble };
    let kinds = [
        refuse(T::AccessDenied),
        refuse(T::Throttled),
        refuse(T::InternalError),
        refuse(T::Unavailable),
        refuse(T::ExpiredToken),
        refuse(T::BadCredentials),
        refuse(T::UnknownOperation),
        refuse(T::BadParameter),
        refuse(T::NotFound),
        Kind::ScpDenied,
        Kind::GatewayTimeout,
        Kind::Reset,
        Kind::HalfBody,
        Kind::SlowBody { milliseconds: 500 },
        Kind::NoAnswer { milliseconds: 300 },
        Kind::EmptyBody,
        Kind::Truncated,
        Kind::Malformed,
        Kind::HtmlError,
        Kind::HtmlPage,
        Kind::UnknownEnums,
        Kind::UnknownMembers,
    ];
    let places = [
        ("ec2:DescribeInstances", 1),
        ("ec2:DescribeNetworkInterfaces", 2),
        ("ssm:DescribeInstanceInformation", 1),
        ("iam:GetInstanceProfile", 1),
        ("ec2:DescribeRouteTables", 2),
        ("ssm:GetServiceSetting", 1),
        ("route53:ListHostedZonesByVPC", 1),
        ("ec2:DescribeInstances", 2),
        ("ssm:DescribeInstanceInformation", 2),
        ("ec2:DescribeVpcEndpoints", 1),
        ("iam:ListAttachedRolePolicies", 1),
        ("ec2:DescribeVpcAttribute", 1),
        ("route53resolver:ListResolverRules", 1),
        ("ssm:ListAssociations", 1),
        ("ec2:DescribeRegions", 1),
        ("iam:GetPolicyVersion", 1),
        ("ec2:DescribeSubnets", 2),
    ];
    let mut places = places.iter().cycle();
    let mut cases = Vec::new();
    for kind in kinds {
        for (operation, page) in places.by_ref().take(EACH) {
            cases.push(Case { operation, page: *page, kind: kind.clone(), times: None });
        }
    }
    // An answer that says nothing, or half, and looks like a whole one is the most dangerous, wherever it comes.
    for operation in [
        "ec2:DescribeNetworkAcls",
        "ssm:DescribeInstanceInformation",
        "ssm:ListAssociations",
        "route53resolver:ListResolverRules",
        "route53resolver:ListFirewallRuleGroupAssociations",
        "route53profiles:ListProfileAssociations",
    ] {
        cases.push(Case { operation, page: 1, kind: Kind::EmptyBody, times: None });
    }
    for operation in [
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeRouteTables",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeVpnGateways",
        "iam:GetRole",
        "route53:ListHostedZonesByVPC",
    ] {
        cases.push(Case { operation, page: 1, kind: Kind::Truncated, times: None });
    }
    for operation in ["ec2:DescribeInstances", "ssm:DescribeInstanceInformation", "ec2:DescribeRouteTables"] {
        cases.push(Case { operation, page: 1, kind: Kind::RepeatedToken, times: None });
    }
    // What passes is asked again, and the scan is as whole as if nothing had been.
    for kind in [refuse(T::Throttled), refuse(T::InternalError), refuse(T::Unavailable), Kind::Reset, Kind::HalfBody] {
        for operation in ["ec2:DescribeInstances", "ssm:DescribeInstanceInformation", "iam:GetRole"] {
            cases.push(Case { operation, page: 1, kind: kind.clone(), times: Some(1) });
        }
    }
    cases
}

#[test]
fn every_fault_ends_in_a_complete_report_or_an_honest_gap() {
    let folder = one_region(ACCOUNT, REGION);
    let cases = cases();
    assert!(cases.len() >= 60, "{}", cases.len());
    hold(folder.path(), &cases);
}

#[test]
fn faults_of_the_organization_lose_no_account() {
    let kinds = [
        Kind::Refuse { trouble: Trouble::AccessDenied },
        Kind::Refuse { trouble: Trouble::InternalError },
        Kind::Refuse { trouble: Trouble::ExpiredToken },
        Kind::Reset,
        Kind::EmptyBody,
        Kind::Malformed,
        Kind::HtmlPage,
        Kind::UnknownEnums,
    ];
    let places = [
        ("organizations:ListAccounts", 2),
        ("organizations:ListAccountsForParent", 1),
        ("sts:AssumeRole", 1),
        ("organizations:DescribeOrganization", 1),
        ("ssm-quicksetup:ListConfigurationManagers", 1),
        ("organizations:ListRoots", 1),
        ("sts:GetCallerIdentity", 1),
    ];
    let mut cases = Vec::new();
    for (at, kind) in kinds.iter().enumerate() {
        for (operation, page) in places.iter().cycle().skip(at).take(3) {
            cases.push(Case { operation, page: *page, kind: kind.clone(), times: None });
        }
    }
    let folder = one_region_of_organization(ACCOUNT, REGION);
    hold(folder.path(), &cases);
}

/// Much goes wrong at once, by chance.
#[test]
fn storms_end_honestly() {
    let kinds = [
        Kind::Refuse { trouble: Trouble::Throttled },
        Kind::Refuse { trouble: Trouble::InternalError },
        Kind::Refuse { trouble: Trouble::AccessDenied },
        Kind::Reset,
        Kind::HalfBody,
        Kind::Truncated,
        Kind::HtmlError,
    ];
    let folder = one_region(ACCOUNT, REGION);
    let before = scan(&Aws::serving(folder.path(), Weather::default())).report();
    std::thread::scope(|scope| {
        for seed in 1..=8 {
            let (kinds, before, folder) = (&kinds, &before, folder.path());
            scope.spawn(move || {
                let faults = kinds.iter().map(|kind| Fault { probability: Some(0.04), kind: kind.clone(), ..Fault::default() });
                let latency = Some(Latency { least: 5, spread: 20, one_in: 20, slow: 300 });
                let weather = Weather { seed, latency, page_limit: Some(2), faults: faults.collect(), ..Weather::default() };
                let ended = scan(&Aws::serving(folder, weather));
                judge_end(before, &ended, false, false).unwrap_or_else(|what| panic!("seed {seed}: {what}"));
            });
        }
    });
}

fn scan(aws: &Aws) -> Ended {
    let scope: &[&str] = if aws.has_organization { &["--org"] } else { &[] };
    let mut command = aws.program(&[&["scan", "--output", "json", "--fail-on", "never", "--region", REGION], scope].concat());
    ended(command.env("AWS_MAX_ATTEMPTS", "2"))
}

/// Runs all cases side by side, and tells of all that are wrong.
fn hold(folder: &Path, cases: &[Case]) {
    let whole = scan(&Aws::serving(folder, Weather::default()));
    assert_eq!(whole.code, 0, "{}", whole.stderr);
    let before = whole.report();
    let next = AtomicUsize::new(0);
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..SIDE_BY_SIDE {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let fault = Fault {
                        operation: Some(case.operation.to_owned()),
                        page: Some(case.page),
                        times: case.times,
                        kind: case.kind.clone(),
                        ..Fault::default()
                    };
                    let aws = Aws::serving(folder, Weather { page_limit: Some(2), faults: vec![fault], ..Weather::default() });
                    let ended = scan(&aws);
                    let has_happened = aws
                        .server
                        .calls()
                        .iter()
                        .any(|call| call.operation == case.operation && call.page == case.page && call.outcome != "ok");
                    if let Err(what) = judge(case, &before, &ended, has_happened) {
                        let name = format!("{:?} on page {} of {} ({:?} times)", case.kind, case.page, case.operation, case.times);
                        wrong.lock().unwrap().push(format!("{name}: {what}"));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} of {} faults:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

fn judge(case: &Case, before: &Value, ended: &Ended, has_happened: bool) -> Result<(), String> {
    if !has_happened {
        return Err("the fault befell nothing".to_owned());
    }
    judge_end(before, ended, case.kind == Kind::UnknownEnums, case.times.is_some())
}

/// `may_differ`: the answers were other ones; `must_be_whole`: what went wrong has passed.
fn judge_end(before: &Value, ended: &Ended, may_differ: bool, must_be_whole: bool) -> Result<(), String> {
    if ended.stderr.contains("panicked") || ![0, 3, 4].contains(&ended.code) {
        return Err(format!("exit code {}: {}", ended.code, ended.stderr));
    }
    // Headers and bodies of answers belong in no report, nor do the SDK's own words for them.
    let told = format!("{}{}", ended.stdout, ended.stderr);
    if ["raw: Response", "SdkBody", "DispatchFailure {"].iter().any(|insides| told.contains(insides)) {
        return Err(format!("tells the insides of the SDK: {told}"));
    }
    if ended.code == 4 {
        // Nothing could be seen: the reason is told, and no report pretends.
        let is_told = !ended.stderr.trim().is_empty() && ended.stdout.trim().is_empty();
        return if is_told { Ok(()) } else { Err(format!("code 4 without a reason: {} {}", ended.stdout, ended.stderr)) };
    }
    let after: Value = serde_json::from_str(&ended.stdout).map_err(|error| format!("no report: {error} {}", ended.stderr))?;
    let ids = |report: &Value| report["accounts"].as_array().unwrap().iter().map(|each| each["id"].clone()).collect::<Vec<_>>();
    if ids(&after) != ids(before) {
        return Err(format!("accounts were {:?} and are {:?}", ids(before), ids(&after)));
    }
    let (was, is) = (readiness(before), readiness(&after));
    for (id, now) in &is {
        if now == "ready" && was.get(id).is_none_or(|before| before != "ready") {
            return Err(format!("{id} was {:?} and is ready", was.get(id)));
        }
    }
    let is_complete = after["complete"] == true;
    let gaps = after["gaps"].as_array().unwrap();
    if !is_complete && gaps.is_empty() {
        return Err("incomplete, and no gap says why".to_owned());
    }
    let is_known = is_complete && after["summary"]["unknown"] == 0;
    if (ended.code == 0) != is_known {
        return Err(format!("exit code {}, and everything is known is {is_known}", ended.code));
    }
    // Values that nobody knows yet, and services that are not offered, may make an answer unknown without a gap.
    let may_differ = may_differ || gaps.iter().any(|gap| gap["reason"] == "unsupported");
    if is_complete && !may_differ && said(before) != said(&after) {
        return Err(format!("complete, and different: was {was:?}, is {is:?}"));
    }
    if must_be_whole && !is_complete {
        return Err(format!("passed, and yet left gaps: {gaps:?}"));
    }
    Ok(())
}

/// All that a report says of instances, accounts and their findings.
fn said(report: &Value) -> [&Value; 4] {
    ["instances", "findings", "fixes", "accounts"].map(|part| &report[part])
}

fn readiness(report: &Value) -> BTreeMap<String, String> {
    let row = |each: &Value| (each["instance_id"].as_str().unwrap().to_owned(), each["readiness"].as_str().unwrap().to_owned());
    report["instances"].as_array().unwrap().iter().map(row).collect()
}
