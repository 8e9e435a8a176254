//! What `explain` says of an instance: where the addresses part, what decided at each hop, and the same in every form.

use patch_preflight::network::Target::{S3, Ssm};
use patch_preflight::report::types::Report;
use patch_preflight::report::{Form, explain, find};
use patch_preflight::snapshot::{Directory, Snapshot};

use crate::laws::Judge;
use crate::process::repository;
use crate::topology::{Topology, base, blackhole, route_to};

fn told(report: &Report, form: Form) -> String {
    explain(report, find(report, "i-1")[0], form).unwrap()
}

/// The lines of the text that are about one path.
fn of_path<'t>(text: &'t str, host: &str) -> Vec<&'t str> {
    let lines = text.lines().skip_while(|line| !line.starts_with(&format!("{host}:")));
    lines.take_while(|line| !line.is_empty()).collect()
}

/// Two of three blocks go by the gateway endpoint, the third into a dead route.
fn parted() -> Topology {
    base().gateway_endpoint("rtb-main").route("rtb-main", blackhole("52.219.168.0/22", "vgw-1"))
}

#[test]
fn addresses_that_part_stand_side_by_side() {
    let report = Judge::new().report(&parted().snapshot());
    let text = told(&report, Form::Text);
    let lines = of_path(&text, "s3.eu-central-1.amazonaws.com");
    let expected = [
        (" 1 pass    name ", 2),
        ("to 3.5.134.0/23, 52.219.140.0/24:", 2),
        (" 2 pass    security group ", 4),
        (" 6 pass    gateway endpoint ", 4),
        ("to 52.219.168.0/22:", 2),
        (" 2 pass    security group ", 4),
        (" 5 BLOCK   route table ", 4),
    ];
    let mut rest = lines.iter();
    for (begins, margin) in expected {
        let is_it = |line: &&&str| line.strip_prefix(&" ".repeat(margin)).is_some_and(|line| line.starts_with(begins));
        assert!(rest.any(|line| is_it(&line)), "{begins:?} is missing, or out of order, in\n{text}");
    }
    assert!(lines[0].ends_with(" is partial"), "what most addresses go by is no way: {}", lines[0]);
    let json: serde_json::Value = serde_json::from_str(&told(&report, Form::Json)).unwrap();
    let hops = json["instance"]["paths"][3]["hops"].as_array().unwrap();
    let dead = hops.iter().find(|hop| hop["decision"] == "block").unwrap();
    assert_eq!(dead["way"], serde_json::json!(["52.219.168.0/22"]));
    assert!(hops[0].get("way").is_none(), "the name is every address's: {hops:#?}");
}

/// An arrow goes to each way, and what a hop has stopped does not arrive.
#[test]
fn a_diagram_has_an_arrow_for_each_way() {
    let diagram = told(&Judge::new().report(&parted().snapshot()), Form::Mermaid);
    let of_s3 = |line: &&str| line.trim_start().starts_with("p3");
    let arrows: Vec<&str> = diagram.lines().filter(of_s3).filter(|line| line.contains("--")).map(str::trim).collect();
    let from_name: Vec<&&str> = arrows.iter().filter(|arrow| arrow.starts_with("p3h0 ")).collect();
    assert_eq!(from_name.len(), 2, "{arrows:#?}");
    assert!(from_name[0].starts_with("p3h0 -->|\"to 3.5.134.0/23, 52.219.140.0/24\"| p3h"), "{from_name:?}");
    assert!(from_name[1].starts_with("p3h0 -->|\"to 52.219.168.0/22\"| p3h"), "{from_name:?}");
    let into_end: Vec<&str> = arrows.iter().filter(|arrow| arrow.ends_with(" p3")).map(|arrow| &arrow[arrow.len() - 6..]).collect();
    assert_eq!(into_end, ["--> p3", "--x p3"], "{arrows:#?}");
}

/// The parts of a part: behind a NAT gateway whose own table parts them again.
#[test]
fn parts_part_again() {
    let twice = base()
        .route("rtb-main", route_to("52.219.168.0/22", "nat-1"))
        .route("rtb-main", route_to("3.5.134.0/23", "nat-1"))
        .route("rtb-u", blackhole("3.5.134.0/24", "vgw-1"));
    let ways: Vec<Vec<String>> = twice.path(S3).hops.into_iter().filter(|hop| hop.resource == "rtb-u").map(|hop| hop.way).collect();
    assert!(ways.contains(&vec!["3.5.134.0/23".to_owned(), "3.5.134.0/24".to_owned()]), "{ways:?}");
    assert!(ways.contains(&vec!["52.219.168.0/22".to_owned()]), "{ways:?}");
    assert!(base().nat().path(Ssm).hops.iter().all(|hop| hop.way.is_empty()), "where nothing parts, nothing is named");
    // Many addresses have the name of the route that takes them.
    let halves = base().nat().route("rtb-main", route_to("0.0.0.0/1", "igw-1"));
    let names: Vec<String> = halves.path(Ssm).hops.into_iter().filter_map(|hop| hop.way.first().cloned()).collect();
    assert!(names.contains(&"what the route to 0.0.0.0/1 takes".to_owned()), "{names:?}");
}

/// Everything that the report holds of an instance, in words that a form must have.
fn said(report: &Report, instance_id: &str) -> Vec<String> {
    let mut said = Vec::new();
    for instance in find(report, instance_id) {
        said.extend([instance.instance_id.clone(), instance.readiness.words().to_owned()]);
        said.extend(instance.notes.iter().cloned());
        for finding in report.findings.iter().filter(|finding| instance.findings.contains(&finding.id)) {
            said.push(format!("{} [{}]", finding.message, finding.rule_id));
            for fix in report.fixes.iter().filter(|fix| finding.fixes.contains(&fix.id)) {
                said.extend(fix.commands.aws_cli.iter().cloned().chain([fix.title.clone()]));
            }
        }
        for path in &instance.paths {
            said.push(format!("{}:{} is ", path.host, path.port));
            said.extend(path.blockers.iter().map(|blocker| format!("{}: {} {}", blocker.code, blocker.resource, blocker.detail)));
            said.extend(path.unknowns.iter().map(|unknown| format!("({}): {}", unknown.code, unknown.resource)));
            said.extend(path.unknowns.iter().map(|unknown| unknown.settled_by.clone()));
            said.extend(path.hops.iter().flat_map(|hop| [hop.resource.clone(), hop.because.clone()]));
            said.extend(path.hops.iter().flat_map(|hop| hop.way.clone()));
        }
        for policy in &instance.policies {
            said.push(format!("patch policy {}: {}", policy.name, policy.outcome.words()));
        }
    }
    said
}

#[test]
fn the_diagram_says_what_the_text_says() {
    for fixture in ["demo-org", "hub-org", "staggered-org"] {
        let report = Judge::new().report(&Snapshot::read(&Directory(repository("fixtures").join(fixture))).unwrap());
        for instance in &report.instances {
            let text = explain(&report, instance, Form::Text).unwrap();
            let diagram = explain(&report, instance, Form::Mermaid).unwrap();
            let codes = [("#quot;", "\""), ("#lt;", "<"), ("#gt;", ">"), ("#amp;", "&"), ("#35;", "#")];
            let read = codes.iter().fold(diagram, |diagram, (code, c)| diagram.replace(code, c));
            for words in said(&report, &instance.instance_id) {
                assert!(text.contains(&words), "{words:?} is missing in\n{text}");
                assert!(read.contains(&words), "{words:?} is missing in\n{read}");
            }
        }
    }
}

/// A name must not be able to end a label, nor to stand for what another character means there.
#[test]
fn names_cannot_draw() {
    let named = base().instance(|instance| {
        let value = "a\"]-->b#quot;<i>`&\u{1b}".to_owned();
        instance.tags = vec![patch_preflight::snapshot::ec2::Tag { key: "Name".to_owned(), value }];
    });
    let diagram = told(&Judge::new().report(&named.snapshot()), Form::Mermaid);
    assert!(diagram.contains("(a#quot;]--#gt;b#35;quot;#lt;i#gt;`#amp;)"), "{diagram}");
}
