//! The rows of the truth table in which something was seen at work: what it proves, what it does not, and what is told when the model disagrees.

use patch_preflight::network::{Target, Verdict};
use patch_preflight::report::types::{Instance, Report};
use patch_preflight::snapshot::{Directory, Snapshot, ssm};

use crate::laws::Judge;
use crate::topology::{ALL_OUT, Topology, base, some};

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

fn channel(topology: Topology, status: &'static str) -> Topology {
    topology.with(|files| {
        let answer = ssm::ConnectionStatus { target: some("i-1"), status: some(status) };
        files.connection_statuses = Some(ssm::GetConnectionStatus { connection_statuses: [("i-1".to_owned(), answer)].into() });
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

/// Without a manifest nobody knows when the last ping was: it is no sign of life, however new beside the others.
#[test]
fn without_a_capture_time_nothing_is_fresh() {
    let folder = tempfile::tempdir().unwrap();
    let (given, bare) = (folder.path().join("given"), folder.path().join("bare"));
    let mut snapshot = node(base(), "Online", "2026-11-20T10:00:00Z").snapshot();
    snapshot.manifest.captured_at = some(NOW);
    snapshot.write(&given).unwrap();
    snapshot.write(&bare).unwrap();
    std::fs::remove_file(bare.join("snapshot.json")).unwrap();
    for folder in [given, bare] {
        let report = Judge::new().report(&Snapshot::read(&Directory(folder)).unwrap());
        assert!(failing(&report).contains(&"ssm-path-blocked"), "{:?}", failing(&report));
    }
}

/// That a connection works proves nothing of a path that works for a part of them (decision 8).
#[test]
fn a_sign_of_life_does_not_heal_what_works_for_a_part() {
    let topology = base()
        .endpoints()
        .gateway_endpoint("rtb-main")
        .subnet_acl("subnet-p", &["100 in tcp 32768-40000 0.0.0.0/0 allow", "101 in tcp 443 0.0.0.0/0 allow", ALL_OUT]);
    let (report, instance) = judged(&node(topology, "Online", "2026-11-23T09:58:00Z"));
    assert_eq!(verdict(&instance, Target::Ssm), Verdict::Partial);
    assert!(failing(&report).contains(&"ssm-path-blocked"), "{:?}", failing(&report));
    assert_eq!(mismatch(&instance), None);
}

/// An agent that is online has got past the policy of its endpoint.
#[test]
fn a_refusal_that_was_none_is_a_mismatch() {
    let refusing = |action: &str| {
        let document = format!(
            r#"{{"Statement": [{{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}},
                {{"Effect": "Deny", "Principal": "*", "Action": "{action}", "Resource": "*"}}]}}"#
        );
        let topology = base().endpoints().each_endpoint(|each| each.policy_document = Some(document.clone()));
        judged(&node(topology, "Online", "2026-11-23T09:58:00Z"))
    };
    let (report, instance) = refusing("ssm:UpdateInstanceInformation");
    assert!(mismatch(&instance).is_some_and(|note| note.contains("the policy of vpce-ssm")), "{:?}", instance.notes);
    assert!(!failing(&report).contains(&"ssm-endpoint-policy-denies"), "{:?}", failing(&report));
    assert_eq!((report.summary.agreement.agree, report.summary.agreement.mismatch), (0, 1));
    // What else is refused, it has not shown.
    let (report, instance) = refusing("ssm:GetDocument");
    assert_eq!(mismatch(&instance), None);
    assert!(failing(&report).contains(&"ssm-endpoint-policy-denies"), "{:?}", failing(&report));
}

/// A patch operation that came to its end has read from S3 and, where it would have failed without them, from the repositories.
#[test]
fn a_patch_operation_proves_two_paths() {
    let running = |topology: Topology, name: &'static str, version: &'static str| {
        node(topology, "Online", "2026-11-23T09:58:00Z").with(move |files| {
            let node = &mut files.instance_information.as_mut().unwrap().instance_information_list[0];
            (node.platform_name, node.platform_version) = (some(name), some(version));
        })
    };
    let online = |topology: Topology| running(topology, "Red Hat Enterprise Linux", "9.4");
    for (name, version) in [("Amazon Linux", "2023"), ("Ubuntu", "22.04")] {
        let (report, _) = judged(&patched(running(base().endpoints(), name, version), "2026-11-23T03:00:00Z"));
        assert!(!failing(&report).contains(&"s3-route-missing"), "{:?}", failing(&report));
        assert!(failing(&report).contains(&"repository-path-blocked"), "{name}: {:?}", failing(&report));
    }
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

/// An open channel proves `ssmmessages`, whatever the model says, and nothing else.
#[test]
fn an_open_channel_proves_one_path() {
    const SSM: &str = "ssm-path-blocked";
    const MESSAGES: &str = "ssmmessages-path-blocked";
    let silent = |topology: Topology| node(topology, "Online", "2026-11-20T10:00:00Z");
    // Both paths are blocked in the model; the last ping is old, so that it proves nothing.
    let (report, instance) = judged(&silent(base().endpoints().egress(&[])));
    assert!(failing(&report).contains(&SSM) && failing(&report).contains(&MESSAGES), "{:?}", failing(&report));
    // Early models of the SDK's and documentation write the word with a capital letter.
    for word in ["connected", "Connected"] {
        let (report, proved) = judged(&channel(silent(base().endpoints().egress(&[])), word));
        let rules = failing(&report);
        assert!(!rules.contains(&MESSAGES) && rules.contains(&SSM), "{rules:?}");
        assert!(["s3-egress-blocked", "repository-path-blocked"].iter().all(|rule| rules.contains(rule)), "{rules:?}");
        assert_eq!(proved.paths, instance.paths, "no verdict changes");
        assert_eq!((report.summary.agreement.agree, report.summary.agreement.mismatch), (0, 1));
        let told = mismatch(&proved).unwrap();
        assert!(told.contains("the agent's message channel was open at the scan") && told.contains("ssmmessages."), "{told}");
        assert!(told.contains("3. a connection from before") && told.contains("6. the model is wrong"), "{told}");
    }
    // Where no security group is to blame, no connection outlives one.
    let (_, instance) = judged(&channel(silent(base()), "connected"));
    assert!(!mismatch(&instance).unwrap().contains("from before"), "{:?}", instance.notes);
    // And where the model agrees, nothing is told.
    let (report, instance) = judged(&channel(silent(base().endpoints()), "connected"));
    assert_eq!((report.summary.agreement.agree, report.summary.agreement.mismatch), (1, 0));
    assert!(instance.notes.iter().all(|note| !note.contains("channel")), "{:?}", instance.notes);
}

/// What the model does not know is known by the open channel; it was asked with the snapshot, and needs no time of its own.
#[test]
fn an_open_channel_settles_what_is_not_known() {
    let hidden = || base().endpoints().with(|files| files.vpc_endpoints = None);
    let unknown = |report: &Report| {
        let findings = report.findings.iter().filter(|one| one.status == patch_preflight::report::types::FindingStatus::Unknown);
        findings.map(|one| one.rule_id.clone()).collect::<Vec<_>>()
    };
    let messages = "ssmmessages-path-blocked".to_owned();
    let (report, instance) = judged(&node(hidden(), "Online", "2026-11-23T09:58:00Z"));
    assert_eq!(verdict(&instance, Target::SsmMessages), Verdict::Unknown);
    assert!(unknown(&report).contains(&messages), "{:?}", unknown(&report));
    let open = channel(node(hidden(), "Online", "2026-11-23T09:58:00Z"), "connected");
    let (report, instance) = judged(&open);
    assert_eq!(verdict(&instance, Target::SsmMessages), Verdict::Unknown);
    assert!(!unknown(&report).contains(&messages), "{:?}", unknown(&report));
    let mut snapshot = open.snapshot();
    snapshot.manifest.captured_at = None;
    assert!(!unknown(&Judge::new().report(&snapshot)).contains(&messages));
}

/// A closed channel, a word that is not known, another node's channel and an instance that does not run prove nothing.
#[test]
fn nothing_else_proves_the_channel() {
    let online = |topology: Topology| node(topology, "Online", "2026-11-23T09:58:00Z");
    let closed = || online(base().endpoints().egress(&[]));
    let of_another = channel(closed(), "connected").with(|files| {
        let statuses = &mut files.connection_statuses.as_mut().unwrap().connection_statuses;
        let other = statuses.remove("i-1").unwrap();
        statuses.insert("i-2".to_owned(), other);
    });
    let stopped = channel(closed(), "connected").with(|files| {
        let instance = &mut files.instances.as_mut().unwrap().reservations[0].instances[0];
        instance.state.as_mut().unwrap().name = some("stopped");
    });
    for topology in [channel(closed(), "notconnected"), channel(closed(), "connecting"), channel(closed(), ""), of_another, stopped] {
        let (_, instance) = judged(&topology);
        assert_eq!(verdict(&instance, Target::SsmMessages), Verdict::Blocked);
        assert!(instance.notes.iter().all(|note| !note.contains("message channel")), "{:?}", instance.notes);
    }
    let (report, _) = judged(&channel(closed(), "notconnected"));
    assert!(failing(&report).contains(&"ssmmessages-path-blocked"), "{:?}", failing(&report));
}

/// An agent that reports and has no channel, over a path that the model finds open: a note with the likeliest causes, and no verdict.
#[test]
fn a_closed_channel_on_an_open_path_is_a_note() {
    let online = || node(base().endpoints(), "Online", "2026-11-23T09:58:00Z");
    let is_told = |instance: &Instance| instance.notes.iter().any(|note| note.contains("its message channel is closed"));
    let (without, before) = judged(&online());
    let (with, after) = judged(&channel(online(), "notconnected"));
    assert!(!is_told(&before) && is_told(&after), "{:?}", after.notes);
    assert_eq!((before.readiness, &before.paths, &before.findings), (after.readiness, &after.paths, &after.findings));
    assert_eq!(without.summary.agreement, with.summary.agreement);
    let told = after.notes.iter().find(|note| note.contains("message channel")).unwrap();
    let causes = ["1. the agent uses ec2messages", "2. the policy of an endpoint", "3. a proxy", "4. the firewall of the operating system"];
    let places: Vec<_> = causes.iter().map(|cause| told.find(cause).unwrap_or_else(|| panic!("{cause} is missing in {told}"))).collect();
    assert!(places.is_sorted(), "{told}");
    // Who does not report at all has another trouble, which is told.
    let (_, lost) = judged(&channel(node(base().endpoints(), "ConnectionLost", "2026-11-01T00:00:00Z"), "notconnected"));
    assert!(!is_told(&lost), "{:?}", lost.notes);
    for word in ["connecting", ""] {
        assert!(!is_told(&judged(&channel(online(), word)).1));
    }
}
