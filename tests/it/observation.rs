//! The rows of the truth table in which something was seen at work: what it proves, what it does not, and what is told when the model disagrees.

use patch_preflight::network::{Target, Verdict};
use patch_preflight::report::types::{Instance, Report};
use patch_preflight::snapshot::ssm;

use crate::laws::Judge;
use crate::topology::{Topology, base, some};

const NOW: &str = "2026-11-23T10:00:00Z";

fn node(topology: Topology, ping: &'static str, at: &'static str) -> Topology {
    topology.with(|files| {
        files.instance_information = Some(ssm::DescribeInstanceInformation {
            instance_information_list: vec![ssm::InstanceInformation {
                instance_id: some("i-1"),
                ping_status: some(ping),
                last_ping_date_time: some(at),
                agent_version: some("3.3.4624.0"),
                platform_type: some("Linux"),
                platform_name: some("Amazon Linux"),
                platform_version: some("2023"),
                ..Default::default()
            }],
        });
    })
}

fn unregistered(topology: Topology) -> Topology {
    topology.with(|files| files.instance_information = Some(ssm::DescribeInstanceInformation { instance_information_list: vec![] }))
}

fn patched(topology: Topology, at: &'static str) -> Topology {
    topology.with(|files| {
        let state = ssm::InstancePatchState {
            instance_id: some("i-1"),
            operation: some("Scan"),
            operation_end_time: some(at),
            failed_count: Some(0),
            ..Default::default()
        };
        files.patch_states = Some(ssm::DescribeInstancePatchStates { instance_patch_states: vec![state] });
    })
}

fn judged(topology: &Topology) -> (Report, Instance) {
    let mut snapshot = topology.snapshot();
    snapshot.manifest.captured_at = some(NOW);
    let report = Judge::new().report(&snapshot);
    let instance = report.instances[0].clone();
    (report, instance)
}

fn verdict(instance: &Instance, target: Target) -> Verdict {
    instance.paths.iter().find(|path| path.target == target).unwrap().verdict
}

/// The rules that fail.
fn failing(report: &Report) -> Vec<&str> {
    let failing = report.findings.iter().filter(|finding| finding.status == patch_preflight::report::types::FindingStatus::Fail);
    failing.map(|finding| finding.rule_id.as_str()).collect()
}

fn mismatch(instance: &Instance) -> Option<&str> {
    instance.notes.iter().find(|note| note.starts_with("MODEL_MISMATCH")).map(String::as_str)
}

/// Rows 41 and 129: the agent reports over a path that the model finds closed.
#[test]
fn a_sign_of_life_stands_beside_the_verdict() {
    let (report, instance) = judged(&node(base().endpoints().egress(&[]), "Online", "2026-11-23T09:58:00Z"));
    assert_eq!(verdict(&instance, Target::Ssm), Verdict::Blocked);
    assert!(!failing(&report).contains(&"ssm-path-blocked"), "{:?}", failing(&report));
    assert_eq!((report.summary.agreement.agree, report.summary.agreement.mismatch), (0, 1));
    let told = mismatch(&instance).unwrap();
    let causes = [
        "1. a proxy",
        "2. the network was changed",
        "3. a connection from before",
        "4. there is a hop",
        "5. the agent is configured",
        "6. the model is wrong",
    ];
    let places: Vec<_> = causes.iter().map(|cause| told.find(cause).unwrap_or_else(|| panic!("{cause} is missing in {told}"))).collect();
    assert!(places.is_sorted(), "{told}");
    // Where no security group is to blame, no connection outlives one.
    let (_, instance) = judged(&node(base(), "Online", "2026-11-23T09:58:00Z"));
    assert!(!mismatch(&instance).unwrap().contains("from before"), "{:?}", instance.notes);
}

/// Row 130: being online says nothing of S3.
#[test]
fn being_online_proves_one_path() {
    let (report, instance) = judged(&node(base().endpoints(), "Online", "2026-11-23T09:58:00Z"));
    assert_eq!((verdict(&instance, Target::Ssm), verdict(&instance, Target::S3)), (Verdict::Reachable, Verdict::Blocked));
    assert!(failing(&report).contains(&"s3-route-missing"), "{:?}", failing(&report));
    assert_eq!(mismatch(&instance), None);
    assert_eq!((report.summary.agreement.agree, report.summary.agreement.mismatch), (1, 0));
}

/// Rows 131 and 132: the network is in order, so that the cause is elsewhere.
#[test]
fn silence_on_an_open_path_has_another_cause() {
    for (topology, told) in [
        (node(base().endpoints(), "ConnectionLost", "2026-11-01T00:00:00Z"), "The agent has stopped reporting"),
        (unregistered(base().endpoints()), "The instance never registered"),
    ] {
        let (_, instance) = judged(&topology);
        assert_eq!(verdict(&instance, Target::Ssm), Verdict::Reachable);
        assert!(instance.notes.iter().any(|note| note.starts_with(told)), "{:?}", instance.notes);
    }
    let (_, instance) = judged(&unregistered(base()));
    assert!(!instance.notes.iter().any(|note| note.contains("never registered")), "{:?}", instance.notes);
}

/// Row 133: what was three days ago is not now.
#[test]
fn an_old_sign_of_life_proves_nothing() {
    let (report, instance) = judged(&node(base(), "Online", "2026-11-20T10:00:00Z"));
    assert_eq!(verdict(&instance, Target::Ssm), Verdict::Blocked);
    assert!(failing(&report).contains(&"ssm-path-blocked"), "{:?}", failing(&report));
    assert_eq!(mismatch(&instance), None);
    assert_eq!((report.summary.agreement.agree, report.summary.agreement.mismatch), (0, 0));
}

/// A patch operation that came to its end has read from S3 and from the repositories.
#[test]
fn a_patch_operation_proves_two_paths() {
    let online = |topology: Topology| node(topology, "Online", "2026-11-23T09:58:00Z");
    let (report, instance) = judged(&patched(online(base().endpoints()), "2026-11-23T03:00:00Z"));
    assert_eq!(verdict(&instance, Target::S3), Verdict::Blocked);
    assert!(!failing(&report).contains(&"s3-route-missing"), "{:?}", failing(&report));
    assert!(!failing(&report).contains(&"repository-path-blocked"), "{:?}", failing(&report));
    assert!(
        mismatch(&instance).unwrap().contains("a patch operation (Scan) came to its end at 2026-11-23T03:00:00Z"),
        "{:?}",
        instance.notes
    );
    let (report, instance) = judged(&patched(online(base().endpoints()), "2026-11-20T03:00:00Z"));
    assert!(failing(&report).contains(&"s3-route-missing"), "{:?}", failing(&report));
    assert_eq!(mismatch(&instance), None);
}

/// One that failed may have failed for want of what it should have reached; and what is to come proves nothing.
#[test]
fn a_failed_operation_and_a_ping_to_come_prove_nothing() {
    let online = |at| node(base().endpoints(), "Online", at);
    let failed = patched(online("2026-11-23T09:58:00Z"), "2026-11-23T03:00:00Z").with(|files| {
        files.patch_states.as_mut().unwrap().instance_patch_states[0].failed_count = Some(12);
    });
    let (report, instance) = judged(&failed);
    assert!(failing(&report).contains(&"s3-route-missing"), "{:?}", failing(&report));
    assert_eq!(mismatch(&instance), None);
    let (report, _) = judged(&node(base(), "Online", "2027-11-23T09:58:00Z"));
    assert!(failing(&report).contains(&"ssm-path-blocked"), "{:?}", failing(&report));
}
