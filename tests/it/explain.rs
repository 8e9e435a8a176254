//! What `explain` says of an instance: where the addresses part, what decided at each hop, and the same in every form.

use patch_preflight::network::PortFamily;
use patch_preflight::network::Target::{self, Repository, S3, Ssm};
use patch_preflight::report::types::Report;
use patch_preflight::report::{Form, explain, find};
use patch_preflight::snapshot::{Directory, Snapshot, ec2};

use crate::laws::Judge;
use crate::process::repository;
use crate::topology::{ALL_IN, ALL_OUT, Topology, allow, base, blackhole, https_group, https_to, https_to_list, route_to, some};

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
    let into_end: Vec<&str> = arrows.iter().filter_map(|arrow| arrow.strip_suffix(" p3")?.split(' ').next_back()).collect();
    assert_eq!(into_end, ["-->", "--x"], "{arrows:#?}");
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

/// What hangs on a fact that is not known is told for each value of it, with the verdict (row 67).
#[test]
fn both_branches_are_shown() {
    let of_ssm = |topology: Topology| -> Vec<String> {
        let text = told(&Judge::new().report(&topology.snapshot()), Form::Text);
        of_path(&text, "ssm.eu-central-1.amazonaws.com").into_iter().map(|line| line.trim().to_owned()).collect()
    };
    let holds = |told: &[String], expected: &[&str]| {
        let mut rest = told.iter();
        for line in expected {
            assert!(rest.any(|told| told.contains(line)), "{line:?} is missing, or out of order, in {told:#?}");
        }
    };
    let asking = |server: &str| base().route("rtb-main", route_to("10.9.0.0/16", "vgw-1")).dns_servers(&[server]);
    holds(
        &of_ssm(asking("10.9.9.9").endpoints()),
        &[
            " is unknown",
            "if DNS answers with vpce-ssm (reachable):",
            "pass    interface endpoint",
            "if DNS answers with public addresses (blocked):",
            "BLOCK   route table        rtb-main: has no route",
            "not known (custom_dns)",
        ],
    );
    // Where all are blocked, each blocker is named with when it is one.
    let closed = of_ssm(asking("10.0.2.53").endpoint_group("sg-e", Vec::new()).endpoint("ssm", &["subnet-e"]));
    holds(
        &closed,
        &[
            " is blocked",
            "if DNS answers with vpce-ssm (blocked):",
            "BLOCK   interface endpoint vpce-ssm: sg-e has no inbound rule",
            "if DNS answers with public addresses (blocked):",
            "BLOCK   route table        rtb-main: has no route",
            "has no route for the service's public addresses, if DNS answers with public addresses",
            "sg-e has no inbound rule, and guards vpce-ssm, if DNS answers with vpce-ssm",
        ],
    );
    let with_ports =
        base().endpoints().ports(PortFamily::Unknown).subnet_acl("subnet-p", &["100 in tcp 49152-65535 0.0.0.0/0 allow", ALL_OUT]);
    holds(
        &of_ssm(with_ports),
        &["if it asks from the ports 32768-60999 (partial):", "if it asks from the ports 49152-65535 (reachable):", "A-47"],
    );
    // What is so under either condition is told with its own.
    let answers_to_few = ["100 in tcp 1024-32767 0.0.0.0/0 allow", ALL_OUT];
    holds(
        &of_ssm(base().endpoints().ports(PortFamily::Unknown).subnet_acl("subnet-p", &answers_to_few)),
        &[
            " is blocked",
            "denies TCP 32768-60999 inbound from 10.0.2.103 (the final deny), if it asks from the ports 32768-60999",
            "denies TCP 49152-65535 inbound from 10.0.2.103 (the final deny), if it asks from the ports 49152-65535",
        ],
    );
    let overlapping = base()
        .nat()
        .prefix_list("pl-a", &["0.0.0.0/1", "128.0.0.0/1"])
        .prefix_list("pl-b", &["0.0.0.0/1", "128.0.0.0/1"])
        .route("rtb-main", route_to("pl-a", "nat-1"))
        .route("rtb-main", blackhole("pl-b", "eni-gone"));
    holds(
        &of_ssm(overlapping),
        &["if the route to pl-a wins (reachable):", "if the route to pl-b wins (blocked):", "has a dead route to pl-b"],
    );
    // Two records for one endpoint, at each of its interfaces, of which one is shut.
    let of_records = |addresses: [&'static str; 2]| {
        let name = "ssm.eu-central-1.amazonaws.com.";
        let both = base().endpoint_group("sg-e", vec![https_to("10.0.0.0/16")]).endpoint("ssm", &["subnet-e", "subnet-u"]);
        of_ssm(both.subnet_acl("subnet-u", &[ALL_OUT]).hosted_zone(name, &[(name, "")]).with(|files| {
            let records = files.record_sets.as_mut().unwrap().resource_record_sets.get_mut("Z1").unwrap();
            records[0].alias_target = None;
            *records = addresses
                .map(|address| {
                    let value = patch_preflight::snapshot::route53::ResourceRecord { value: some(address) };
                    patch_preflight::snapshot::route53::ResourceRecordSet { resource_records: vec![value], ..records[0].clone() }
                })
                .to_vec();
        }))
    };
    let two = ["if DNS answers with vpce-ssm at 10.0.2.103 (reachable):", "if DNS answers with vpce-ssm at 10.0.9.103 (blocked):"];
    holds(&of_records(["10.0.2.103", "10.0.9.103"]), &two);
    holds(&of_records(["10.0.9.103", "10.0.2.103"]), &[two[1], two[0]]);
    // What ends alike is told once.
    let alike = of_ssm(asking("10.0.2.53").endpoints().nat());
    assert!(!alike.iter().any(|line| line.starts_with("if ")), "{alike:#?}");
}

fn reasons(topology: &Topology, target: Target, resource: &str) -> Vec<String> {
    topology.path(target).hops.into_iter().filter(|hop| hop.resource == resource).map(|hop| hop.because).collect()
}

/// Who lets traffic through is named as who does not is: the rule, the entry, the route.
#[test]
fn what_passes_names_what_decided() {
    let nat = || base().nat();
    let eps = || base().endpoints();
    let hub = crate::hub::central();
    let halves = nat().egress(&[https_to("128.0.0.0/1"), https_to("0.0.0.0/1"), allow("tcp", 443, 443, "52.0.0.0/8")]);
    let two_groups = eps()
        .member_of(&["sg-i", "sg-j"])
        .endpoint_group("sg-j", vec![])
        .egress(&[allow("udp", 443, 443, "0.0.0.0/0"), allow("tcp", 0, 65535, "10.0.2.0/24")]);
    let narrow = ["90 in tcp 1024-50000 0.0.0.0/0 allow", "80 in tcp 1024-65535 0.0.0.0/0 allow", "70 in all * 9.0.0.0/8 deny", ALL_OUT];
    let cases: Vec<(&str, Topology, Target, &str, &str)> = vec![
        ("a rule for everything", nat(), Ssm, "sg-i", "egress all traffic to 0.0.0.0/0 of sg-i lets it out"),
        (
            "the rules that are needed, the widest first",
            halves,
            Ssm,
            "sg-i",
            "egress TCP 443 to 0.0.0.0/1 of sg-i, egress TCP 443 to 128.0.0.0/1 of sg-i let it out",
        ),
        (
            "a prefix list",
            base().gateway_endpoint("rtb-main").egress(&[https_to_list("pl-s3")]),
            S3,
            "sg-i",
            "egress TCP 443 to pl-s3 of sg-i lets it out",
        ),
        ("a group", eps().egress(&[https_group("sg-e")]), Ssm, "sg-i", "egress TCP 443 to sg-e of sg-i lets it out"),
        (
            "one of two that cover the same, with its group",
            two_groups,
            Ssm,
            "sg-i, sg-j",
            "egress TCP 0-65535 to 10.0.2.0/24 of sg-i lets it out",
        ),
        ("an endpoint's group", eps(), Ssm, "vpce-ssm", "ingress TCP 443 from 10.0.0.0/16 of sg-e lets it in"),
        (
            "an endpoint's group that names the instance's",
            eps().endpoint_ingress(&[https_group("sg-i")]),
            Ssm,
            "vpce-ssm",
            "ingress TCP 443 from sg-i of sg-e lets it in",
        ),
        ("a network ACL outbound", nat(), Ssm, "acl-1", "outbound rule 100 lets it out (TCP 443)"),
        ("a network ACL inbound", nat(), Ssm, "acl-1", "inbound rule 100 lets the answers back in (TCP 32768-60999)"),
        (
            "the number counts, not the order",
            nat().subnet_acl("subnet-p", &narrow),
            Ssm,
            "acl-subnet-p",
            "denies TCP 32768-60999 inbound from 9.0.0.0/8 (rule 70)",
        ),
        (
            "two entries",
            eps().subnet_acl("subnet-p", &["80 in tcp 443 0.0.0.0/0 allow", "90 in tcp 1024-50000 10.0.0.0/8 allow", ALL_IN, ALL_OUT]),
            Ssm,
            "acl-subnet-p",
            "inbound rules 90, 100 let the answers back in (TCP 32768-60999)",
        ),
        ("a local route", eps(), Ssm, "rtb-main", "the route to 10.0.0.0/16 is local"),
        ("a route", nat(), Ssm, "rtb-main", "the route to 0.0.0.0/0 leads to nat-1"),
        ("the route of a transit gateway", hub.clone(), Ssm, "tgw-rtb-1", "the route to 10.100.0.0/16 leads to vpc-h by tgw-attach-h"),
        ("the route back", hub.clone(), Ssm, "tgw-rtb-1", "the route to 10.0.0.0/16 leads the answers to 10.0.1.10 to vpc-1"),
        ("the way to the route back", hub, Ssm, "rtb-h-main", "the route to 10.0.0.0/16 leads the answers to 10.0.1.10 to tgw-1"),
        (
            "a statement of a policy",
            eps().each_endpoint(|endpoint| {
                endpoint.policy_document =
                    some(r#"{"Statement": [{"Sid": "All", "Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}"#);
            }),
            Ssm,
            "vpce-ssm",
            "its policy lets the requests pass (statement All)",
        ),
        (
            "the addresses of a name",
            eps(),
            Ssm,
            "ssm.eu-central-1.amazonaws.com",
            "10.0.2.103: private DNS of vpce-ssm answers for ssm.eu-central-1.amazonaws.com in all of vpc-1",
        ),
    ];
    let mut wrong = Vec::new();
    for (name, topology, target, resource, expected) in cases {
        let told = reasons(&topology, target, resource);
        if !told.iter().any(|because| because == expected) {
            wrong.push(format!("{name}: {told:#?}, expected {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// An entry that takes a part of the ports does not stop the rest.
#[test]
fn a_part_is_told_from_the_whole() {
    use patch_preflight::network::Decision::{Block, Part};
    let decisions = |entries: &[&str]| {
        let path = base().nat().subnet_acl("subnet-p", entries).path(Ssm);
        let of_acl = path.hops.into_iter().filter(|hop| hop.resource == "acl-subnet-p");
        of_acl.map(|hop| hop.decision).collect::<Vec<_>>()
    };
    assert_eq!(decisions(&[ALL_OUT, "100 in tcp 40000-65535 0.0.0.0/0 allow"])[1], Part);
    assert_eq!(decisions(&[ALL_OUT, "100 in tcp 61000-65535 0.0.0.0/0 allow"])[1], Block);
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
        instance.tags = vec![ec2::Tag { key: "Name".to_owned(), value }];
    });
    let diagram = told(&Judge::new().report(&named.snapshot()), Form::Mermaid);
    assert!(diagram.contains("(a#quot;]--#gt;b#35;quot;#lt;i#gt;`#amp;)"), "{diagram}");
}

/// What would help is named in full, with the resource and the words to type.
#[test]
fn the_next_step_is_named() {
    let asleep = || base().endpoint_group("sg-e", vec![https_to("10.0.0.0/16")]).endpoint("s3", &["subnet-e"]);
    let off = asleep().each_endpoint(|endpoint| endpoint.private_dns_enabled = Some(false));
    let inbound = asleep().each_endpoint(|endpoint| {
        endpoint.dns_options = Some(ec2::DnsOptions { private_dns_only_for_inbound_resolver_endpoint: Some(true), ..Default::default() });
    });
    let behind = |target: &str| base().route("rtb-main", route_to("0.0.0.0/0", target));
    let empty = base().route("rtb-main", ec2::Route { nat_gateway_id: some(""), gateway_id: None, ..route_to("0.0.0.0/0", "nat-") });
    let or_declare = "check that the network behind the gateway leads to the service, or declare --assume vgw-1=internet if you know that it leads there and back";
    let cases = [
        ("S3, private DNS off", off.clone(), S3, "vpc-1 has no gateway endpoint for s3, and private DNS of vpce-s3 is off"),
        (
            "S3, private DNS for others",
            inbound,
            S3,
            "vpc-1 has no gateway endpoint for s3, and private DNS of vpce-s3 is for inbound resolver endpoints alone",
        ),
        ("the names of S3 with IPv6", off.amazon_linux_2023(), Repository, "vpc-1 has no gateway endpoint for s3"),
        ("a gateway", behind("vgw-1"), Ssm, or_declare),
        ("a route without a target", empty, Ssm, "collect rtb-main again: its route to 0.0.0.0/0 has no target"),
    ];
    for (name, topology, target, expected) in cases {
        let path = topology.path(target);
        let blockers = path.blockers.iter().map(|blocker| format!("{} {}", blocker.resource, blocker.detail));
        let told: Vec<String> = blockers.chain(path.unknowns.iter().map(|unknown| unknown.settled_by.clone())).collect();
        assert!(told.iter().any(|told| told.starts_with(expected)), "{name}: {told:#?}");
    }
    // What the model follows itself, and what --assume says nothing of, is not to be declared.
    let private = crate::hub::beside(vec![https_to("10.0.0.0/16")]).zone_to_hub().route("rtb-main", route_to("10.100.0.0/16", "vgw-1"));
    for topology in [private, behind("local")] {
        let path = topology.path(Ssm);
        assert!(path.unknowns.iter().all(|unknown| !unknown.settled_by.contains("--assume")), "{path:#?}");
    }
}
