//! What the user vouches for is marked wherever a verdict hangs on it, and nowhere else.

use patch_preflight::model::{Assumption, Assumptions};
use patch_preflight::report::types::Report;
use patch_preflight::report::{Form, Format, Look, explain, find, render};

use crate::laws::Judge;
use crate::process::{code, repository, run, shown, text};
use crate::resolver::firewall;
use crate::topology::{Topology, base, route_to};

fn behind(gateway: &str) -> Topology {
    base().route("rtb-main", route_to("0.0.0.0/0", gateway))
}

fn internet(ids: &[&str]) -> Assumptions {
    ids.iter().map(|id| Assumption::LeadsToInternet((*id).to_owned())).collect()
}

fn marks(report: &Report, assumption: &str) -> Vec<String> {
    let begins = format!("Assumed (--assume {assumption}): ");
    find(report, "i-1")[0].notes.iter().filter(|note| note.starts_with(&begins)).cloned().collect()
}

#[test]
fn a_verdict_that_hangs_on_the_users_word_says_so() {
    let no_overrides = || Assumptions::from([Assumption::NoPrivateDnsOverrides]);
    let names_pass = || Assumptions::from([Assumption::DnsFirewallPassesAwsNames]);
    let no_policies = || Assumptions::from([Assumption::NoOrganizationPolicies]);
    let without_zones = |topology: Topology| topology.with(|files| files.hosted_zones = None);
    let without_rules = |topology: Topology| topology.with(|files| files.resolver_rules = None);
    let hidden = |topology: Topology| firewall(topology, &[("BLOCK", "rslvr-fdl-aws", None)]);
    let both = &no_overrides() | &internet(&["vgw-1"]);
    let cases: Vec<(&str, Topology, Assumptions, &str, bool)> = vec![
        ("no zones were collected", without_zones(base().nat()), no_overrides(), "no-private-dns-overrides", true),
        ("no resolver rules were collected", without_rules(base().nat()), no_overrides(), "no-private-dns-overrides", true),
        ("everything was collected", base().nat(), no_overrides(), "no-private-dns-overrides", false),
        (
            "nothing may leave, and what else is missing hangs on it",
            without_zones(base().egress(&[])),
            no_overrides(),
            "no-private-dns-overrides",
            true,
        ),
        ("a name might lead elsewhere", without_zones(base()), no_overrides(), "no-private-dns-overrides", true),
        ("a list is hidden", hidden(base().nat()), names_pass(), "dns-firewall-passes-aws-names", true),
        ("a list is hidden, and what is missing hangs on it", hidden(base()), names_pass(), "dns-firewall-passes-aws-names", true),
        ("no list is there", base().nat(), names_pass(), "dns-firewall-passes-aws-names", false),
        ("a gateway", behind("vgw-1"), internet(&["vgw-1"]), "vgw-1=internet", true),
        ("another gateway", behind("vgw-1"), internet(&["vgw-2"]), "vgw-2=internet", false),
        ("the right one of two", behind("vgw-1"), internet(&["vgw-1", "vgw-2"]), "vgw-1=internet", true),
        ("the wrong one of two", behind("vgw-1"), internet(&["vgw-1", "vgw-2"]), "vgw-2=internet", false),
        ("a gateway that nothing may reach", behind("vgw-1").egress(&[]), internet(&["vgw-1"]), "vgw-1=internet", false),
        ("one of two that are both needed", without_zones(behind("vgw-1")), both.clone(), "vgw-1=internet", true),
        ("the other of two that are both needed", without_zones(behind("vgw-1")), both, "no-private-dns-overrides", true),
        ("policies that take nothing away without a role", base().nat(), no_policies(), "no-organization-policies", false),
    ];
    let judge = Judge::new();
    let mut wrong = Vec::new();
    for (name, topology, assumptions, assumption, hangs) in cases {
        let report = judge.report_assuming(&topology.snapshot(), assumptions);
        let marks = marks(&report, assumption);
        let told = if hangs { "1 instance would be judged otherwise" } else { "No instance would be judged otherwise" };
        let of_scan: Vec<&String> = report.notes.iter().filter(|note| note.contains(assumption) && note.contains(told)).collect();
        if marks.len() != usize::from(hangs) || of_scan.len() != 1 {
            wrong.push(format!("{name}: {marks:?}, {:?}", report.notes));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// In the report for people, in the explanation and in its diagram too.
#[test]
fn every_form_has_the_mark() {
    let assumptions = internet(&["vgw-1"]);
    let report = Judge::new().report_assuming(&behind("vgw-1").snapshot(), assumptions);
    let mark = "Assumed (--assume vgw-1=internet): vgw-1 leads to the internet, and the answers come back by it.";
    let table = render(&report, Format::Table, Look { width: 200, color: false, wide: false }).unwrap();
    assert!(table.contains(mark) && table.contains("Without it 1 instance would be judged otherwise."), "{table}");
    for form in [Form::Text, Form::Json, Form::Mermaid] {
        let told = explain(&report, find(&report, "i-1")[0], form).unwrap();
        assert!(told.contains(mark), "{form:?}: {told}");
    }
}

/// Those that are about roles and policies, on the sample.
#[test]
fn the_real_program_marks_what_was_declared() {
    let folder = repository("fixtures/demo-org");
    let folder = folder.to_str().unwrap();
    let output = run(&["scan", "--snapshot", folder, "--assume", "no-organization-policies", "--fail-on", "never", "--incomplete", "warn"]);
    assert_eq!(code(&output), 0, "{}", shown(&output));
    assert!(text(&output.stdout).contains("Assumed (--assume no-organization-policies): "), "{}", shown(&output));
}
