//! Rows 138 to 140 of the truth table: a fix is tried on the model before it is proposed as proved.

use std::collections::{BTreeMap, BTreeSet};

use patch_preflight::model::Estate;
use patch_preflight::network::{
    Alternative, AnsweredBy, Destination, Goal, Network, Place, PortFamily, Sources, Target, Verdict, Wanted, dependents,
};
use patch_preflight::plan::{Before, Change, Group, Origin, Placement, Proof, Verifier, Whom};
use patch_preflight::report::types::Verified;
use patch_preflight::report::{Form, explain, find};
use patch_preflight::snapshot::ec2::{self, InstanceNetworkInterfaceAttachment};

use crate::hub::{HUB, beside, by_gateway, central, central_egress, peered, two_doors};
use crate::laws::Judge;
use crate::repositories::s3_interface_endpoint;
use crate::topology::{ACCOUNT, ALL_IN, ALL_OUT, REGION, Topology, base, https_to, https_to_list, own_name, route_to, some};

/// What comes of a change that is to help the instance.
fn tried(topology: &Topology, change: &Change) -> Proof {
    tried_for(topology, change, &BTreeSet::from([(ACCOUNT.to_owned(), REGION.to_owned(), "i-1".to_owned())]))
}

fn tried_for(topology: &Topology, change: &Change, whom: &BTreeSet<Whom>) -> Proof {
    let snapshot = topology.snapshot();
    let estate = Estate::new(&snapshot);
    let region = estate.region(ACCOUNT, REGION).unwrap();
    let needs = topology.needs();
    let judged = Network::new(&estate, &topology.assumptions).judge(region, Estate::instances(region)["i-1"], &needs);
    let before =
        Before { account: ACCOUNT, region: REGION, instance: "i-1", needs: &needs, paths: &judged.paths, repository: &judged.repository };
    let verifier = Verifier::new(&estate, &topology.assumptions, [before]);
    verifier.verify(ACCOUNT, REGION, change, &[], whom)
}

/// An interface endpoint in E whose own group lets these blocks in.
fn endpoint(service: &str, lets_in: &[&str]) -> Change {
    endpoint_in(&[("euc1-az1", "subnet-e")], service, lets_in)
}

fn endpoint_in(zones: &[(&str, &str)], service: &str, lets_in: &[&str]) -> Change {
    Change::CreateInterfaceEndpoint {
        vpc: "vpc-1".to_owned(),
        service_name: format!("com.amazonaws.{REGION}.{service}"),
        placement: Placement {
            subnets: zones.iter().map(|(zone, subnet)| ((*zone).to_owned(), (*subnet).to_owned())).collect(),
            vpc_blocks: lets_in.iter().map(|block| (*block).to_owned()).collect(),
            group_name: format!("{service}-endpoint"),
        },
    }
}

#[track_caller]
fn rejected(proof: &Proof, told: &str, broken: &[&str]) {
    let Proof::Rejected { because, breaks } = proof else { panic!("{proof:?}") };
    assert!(because.contains(told), "{because}");
    assert_eq!(breaks, broken);
}

#[track_caller]
fn verified(proof: &Proof) {
    assert!(matches!(proof, Proof::Verified { .. }), "{proof:?}");
}

/// Row 138: the endpoint takes the name for the whole VPC, and lets nobody in.
#[test]
fn an_endpoint_that_would_capture_the_name_is_rejected() {
    rejected(
        &tried(&base().nat(), &endpoint("ssm", &[])),
        "i-1 would lose ssm.eu-central-1.amazonaws.com: reachable before, blocked after",
        &["i-1"],
    );
    verified(&tried(&base(), &endpoint("ssm", &["10.0.0.0/16"])));
}

/// Row 139: AWS refuses private DNS beside a hosted zone, or a second endpoint, of the same name.
#[test]
fn a_name_that_is_taken_is_infeasible() {
    let host = "ssm.eu-central-1.amazonaws.com.";
    let zone = base().hosted_zone(host, &[(host, &own_name("vpce-elsewhere", "ssm"))]);
    rejected(&tried(&zone, &endpoint("ssm", &["10.0.0.0/16"])), "private hosted zone Z1", &[]);
    rejected(&tried(&base().endpoints(), &endpoint("ssm", &["10.0.0.0/16"])), "AWS refuses a second one", &[]);
    let parent = base().hosted_zone("amazonaws.com.", &[]);
    verified(&tried(&parent, &endpoint("ssm", &["10.0.0.0/16"])));
    let asleep = base().endpoints().each_endpoint(|endpoint| endpoint.private_dns_enabled = Some(false));
    verified(&tried(&asleep, &Change::EnablePrivateDns { endpoint: "vpce-ssm".to_owned() }));
}

/// Row 140: a group holds sixty rules, a network ACL twenty entries.
#[test]
fn quotas_are_kept() {
    let rules = |count: u8| (0..count).map(|number| https_to(&format!("10.9.{number}.0/24"))).collect::<Vec<_>>();
    let change = Change::AllowEndpointIngress {
        endpoint: "vpce-ssm".to_owned(),
        group: "sg-e".to_owned(),
        from: Origin::Block("10.0.1.10/32".to_owned()),
    };
    rejected(&tried(&base().endpoints().endpoint_ingress(&rules(60)), &change), "sg-e would have 61 rules", &[]);
    verified(&tried(&base().endpoints().endpoint_ingress(&rules(59)), &change));
    // A customer's prefix list counts as the most entries that it may have.
    let with_list = |most: i32| {
        let mut from_list = https_to_list("pl-c");
        from_list.ip_ranges.clear();
        base().endpoints().prefix_list("pl-c", &["10.9.0.0/16"]).endpoint_ingress(&[from_list]).with(move |files| {
            let list = ec2::ManagedPrefixList { prefix_list_id: some("pl-c"), max_entries: Some(most), ..Default::default() };
            files.managed_prefix_lists.get_or_insert_default().prefix_lists.push(list);
        })
    };
    rejected(&tried(&with_list(60), &change), "sg-e would have 61 rules", &[]);
    verified(&tried(&with_list(59), &change));
    // The deny at the end counts.
    let entries: Vec<String> = (0..19).map(|number| format!("{} in tcp 443 10.9.{number}.0/24 allow", 100 + number)).collect();
    let entries: Vec<&str> = entries.iter().map(String::as_str).chain([ALL_OUT]).collect();
    let change = Change::AllowInNetworkAcl {
        acl: "acl-subnet-p".to_owned(),
        is_egress: false,
        addresses: vec!["0.0.0.0/0".to_owned()],
        ports: (32768, 60999),
        rule_number: Some(90),
    };
    rejected(&tried(&base().nat().subnet_acl("subnet-p", &entries), &change), "acl-subnet-p has 20 entries", &[]);
    verified(&tried(&base().nat().subnet_acl("subnet-p", &entries[1..]), &change));
}

#[test]
fn a_change_that_changes_nothing_is_not_proved() {
    let closed_twice = base().endpoints().endpoint_ingress(&[]).subnet_acl("subnet-e", &[]);
    let change = Change::AllowEndpointIngress {
        endpoint: "vpce-ssm".to_owned(),
        group: "sg-i".to_owned(),
        from: Origin::Block("10.0.1.10/32".to_owned()),
    };
    rejected(&tried(&closed_twice, &change), "it changes nothing for i-1", &[]);
    // One dead end in the place of another.
    let failed = base().gateway_endpoint("rtb-u").with(|files| {
        files.vpc_endpoints.as_mut().unwrap().vpc_endpoints[0].state = some("failed");
        let tables = files.route_tables.as_mut().unwrap().route_tables.iter_mut();
        tables.for_each(|table| table.routes.retain(|route| route.destination_prefix_list_id.is_none()));
    });
    let to_failed = Change::AssociateGatewayEndpoint { endpoint: "vpce-s3".to_owned(), route_table: "rtb-main".to_owned() };
    rejected(&tried(&failed, &to_failed), "it changes nothing for i-1", &[]);
    let by_hand = Change::ByHand { resource: "rtb-main".to_owned(), what: "Think".to_owned() };
    assert!(matches!(tried(&closed_twice, &by_hand), Proof::NotVerifiable { .. }));
}

/// What the sample's own fixes come to: every change to the network is tried, and none is rejected.
#[test]
fn a_gateway_endpoint_is_tried_with_its_route() {
    let dead = base().route("rtb-main", crate::topology::blackhole("pl-s3", "vpce-gone"));
    let change = Change::CreateGatewayEndpoint {
        vpc: "vpc-1".to_owned(),
        service_name: format!("com.amazonaws.{REGION}.s3"),
        route_tables: BTreeSet::from(["rtb-main".to_owned()]),
    };
    verified(&tried(&dead, &change));
    assert_eq!(dead.path(Target::S3).blockers[0].code.as_str(), "BAD_STATE_ROUTE");
    let elsewhere = base().gateway_endpoint("rtb-u").route("rtb-u", route_to("10.9.0.0/16", "pcx-1"));
    verified(&tried(&elsewhere, &Change::AssociateGatewayEndpoint { endpoint: "vpce-s3".to_owned(), route_table: "rtb-main".to_owned() }));
}

/// What is changed is the hub's; whom it helps is the spoke's.
#[test]
fn a_change_in_the_hub_is_tried_for_the_spoke() {
    let closed = central().hub(|files| {
        let groups = &mut files.security_groups.as_mut().unwrap().security_groups;
        groups.iter_mut().find(|group| group.group_id.as_deref() == Some("sg-h-e")).unwrap().ip_permissions = Vec::new();
    });
    let let_in = |address: &str| Change::AllowEndpointIngress {
        endpoint: "vpce-h-ssm".to_owned(),
        group: "sg-h-e".to_owned(),
        from: Origin::Block(format!("{address}/32")),
    };
    verified(&tried(&closed, &let_in("10.0.1.10")));
    rejected(&tried(&closed, &let_in("10.0.1.11")), "it changes nothing for i-1", &[]);
}

/// A path that an endpoint's policy refuses is no path.
#[test]
fn a_change_that_leads_to_a_refusal_is_rejected() {
    let refusing = |topology: Topology| {
        let policy = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}]}"#;
        let topology = topology.gateway_endpoint("rtb-u").with(|files| {
            let tables = files.route_tables.as_mut().unwrap().route_tables.iter_mut();
            tables.for_each(|table| table.routes.retain(|route| route.destination_prefix_list_id.is_none()));
        });
        topology.each_endpoint(|endpoint| endpoint.policy_document = Some(policy.to_owned()))
    };
    let change = Change::AssociateGatewayEndpoint { endpoint: "vpce-s3".to_owned(), route_table: "rtb-main".to_owned() };
    rejected(&tried(&refusing(base().nat()), &change), "reachable before, reachable, but vpce-s3 ", &["i-1"]);
    rejected(&tried(&refusing(base()), &change), "it does not help i-1: the path would be reachable, but vpce-s3 ", &[]);
}

/// What a policy refused before is no reason against a change that mends the network.
#[test]
fn one_of_two_hindrances_is_worth_mending_beside_a_refusal() {
    let policy = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}]}"#;
    let topology = base().endpoint_group("sg-e", Vec::new()).endpoint("ssm", &["subnet-e"]).each_endpoint(|endpoint| {
        endpoint.policy_document = Some(policy.to_owned());
    });
    let topology = topology.subnet_acl("subnet-p", &["100 in tcp 443 0.0.0.0/0 allow", ALL_OUT]);
    let let_in = Change::AllowEndpointIngress {
        endpoint: "vpce-ssm".to_owned(),
        group: "sg-e".to_owned(),
        from: Origin::Block("10.0.0.0/16".to_owned()),
    };
    assert_eq!(topology.path(Target::Ssm).blockers.len(), 2);
    verified(&tried(&topology, &let_in));
}

/// What lies behind is in the way before and after: here both doors of the hub.
#[test]
fn the_first_of_several_hindrances_is_worth_mending() {
    let shut = two_doors(central(), "enable").hub_acl("subnet-hp", &[ALL_IN]).egress(&[]);
    let to = Destination::Blocks(vec!["10.100.2.103/32".to_owned()]);
    verified(&tried(&shut, &Change::AllowEgress { group: "sg-i".to_owned(), to, owner: None, port: 443 }));
}

/// However many interfaces an endpoint has, what is in the way to each of them is one thing.
#[test]
fn an_endpoint_helps_whatever_the_number_of_its_zones() {
    let zones = [("euc1-az1", "subnet-e"), ("euc1-az2", "subnet-2"), ("euc1-az3", "subnet-3"), ("euc1-az4", "subnet-4")];
    let topology = base().egress(&[https_to("192.168.0.0/16")]).with(|files| {
        let subnets = &mut files.subnets.as_mut().unwrap().subnets;
        let own = subnets[1].clone();
        subnets.extend(zones[1..].iter().zip(20..).map(|((zone, id), third)| ec2::Subnet {
            subnet_id: some(id),
            cidr_block: Some(format!("10.0.{third}.0/24")),
            availability_zone_id: some(zone),
            ..own.clone()
        }));
    });
    for count in 1..=zones.len() {
        verified(&tried(&topology, &endpoint_in(&zones[..count], "ssm", &["10.0.0.0/16"])));
    }
}

/// What is in the way under several conditions is one hindrance: to tell it apart makes a change no worse.
#[test]
fn what_hangs_on_conditions_counts_once() {
    let topology = base().endpoint_group("sg-e", Vec::new()).endpoint("ssm", &["subnet-e"]).dns_servers(&["10.0.2.53"]);
    let topology = topology.ports(PortFamily::Unknown).subnet_acl("subnet-e", &[ALL_IN, "100 out udp 1024-65535 0.0.0.0/0 allow"]);
    let let_out = Change::AllowInNetworkAcl {
        acl: "acl-subnet-e".to_owned(),
        is_egress: true,
        addresses: vec!["10.0.1.0/24".to_owned()],
        ports: (32768, 60999),
        rule_number: Some(90),
    };
    verified(&tried(&topology, &let_out));
}

/// What passes in part goes on to do so where more is let through, whatever is not known of the rest.
#[test]
fn to_let_more_pass_takes_nothing() {
    let to_few = ["100 in tcp 50000-55000 0.0.0.0/0 allow", ALL_OUT];
    let let_in = |ports: (u16, u16)| Change::AllowInNetworkAcl {
        acl: "acl-subnet-p".to_owned(),
        is_egress: false,
        addresses: vec!["0.0.0.0/0".to_owned()],
        ports,
        rule_number: Some(90),
    };
    let any_system = base().nat().ports(PortFamily::Unknown).subnet_acl("subnet-p", &to_few);
    assert_eq!(any_system.path(Target::Ssm).verdict, Verdict::Partial);
    verified(&tried(&any_system, &let_in((32768, 60999))));
}

/// What keeps every name from being answered is to be mended first, whatever is behind the names.
#[test]
fn a_resolver_is_worth_its_while() {
    let on = Change::EnableVpcAttribute { vpc: "vpc-1".to_owned(), attribute: "enableDnsSupport".to_owned() };
    verified(&tried(&base().dns_attributes(false, true), &on));
    verified(&tried(&base().endpoint_group("sg-e", Vec::new()).endpoint("ssm", &["subnet-e"]).dns_attributes(false, true), &on));
    rejected(&tried(&base().dns_attributes(true, true), &on), "it changes nothing for i-1", &[]);
}

/// Whoever runs a command needs the credentials of the account that has what it changes.
#[test]
fn a_fix_is_for_the_account_that_has_what_it_changes() {
    let report = Judge::new().report(&by_gateway(vec![]).zone_to_hub().snapshot());
    let of_endpoints: Vec<&str> =
        report.fixes.iter().filter(|fix| fix.kind == "allow-endpoint-ingress").map(|fix| fix.account_id.as_str()).collect();
    assert!(!of_endpoints.is_empty() && of_endpoints.iter().all(|account| *account == HUB), "{:#?}", report.fixes);
    let text = explain(&report, find(&report, "i-1")[0], Form::Text).unwrap();
    assert!(text.contains(&format!("fix in account {HUB}: Allow inbound")), "{text}");
}

/// EC2 takes a number of a network ACL once in each direction.
#[test]
fn the_entries_of_one_network_acl_have_numbers_of_their_own() {
    let topology = base().endpoints().gateway_endpoint("rtb-main").amazon_linux_2023().subnet_acl(
        "subnet-p",
        &["100 out tcp 443 0.0.0.0/0 deny", "100 in tcp 1024-65535 0.0.0.0/0 deny", "200 in all * 0.0.0.0/0 allow"],
    );
    let report = Judge::new().report(&topology.snapshot());
    let commands = report.fixes.iter().flat_map(|fix| &fix.commands.aws_cli).filter(|line| line.contains("create-network-acl-entry"));
    let slot = |line: &String| {
        let words: Vec<&str> = line.split(' ').collect();
        let after = |option: &str| words.iter().skip_while(|word| **word != option).nth(1).map(|word| (*word).to_owned());
        (after("--network-acl-id"), line.contains("--egress"), after("--rule-number"))
    };
    let slots: Vec<_> = commands.map(slot).collect();
    assert!(slots.len() > 2, "{:#?}", report.fixes);
    assert_eq!(slots.iter().collect::<BTreeSet<_>>().len(), slots.len(), "{slots:?}");
}

/// (<https://docs.aws.amazon.com/cli/latest/reference/ec2/create-network-acl-entry.html>)
#[test]
fn the_entries_of_ipv6_have_an_option_of_their_own() {
    let allow = |address: &str| {
        let addresses = vec![address.to_owned()];
        let change =
            Change::AllowInNetworkAcl { acl: "acl-1".to_owned(), is_egress: true, addresses, ports: (443, 443), rule_number: Some(90) };
        change.commands(REGION).join("; ")
    };
    assert!(allow("2a05:d014::/32").ends_with("--ipv6-cidr-block 2a05:d014::/32 --rule-action allow"));
    assert!(allow("52.219.0.0/16").ends_with("--cidr-block 52.219.0.0/16 --rule-action allow"));
}

/// An endpoint goes where the primary interface is, in whatever order the interfaces are listed.
#[test]
fn an_endpoint_stands_beside_the_primary_interface() {
    let with_second = |is_first: bool| {
        base().instance(move |instance| {
            let mut second = instance.network_interfaces[0].clone();
            second.network_interface_id = Some("eni-2".to_owned());
            second.subnet_id = Some("subnet-u".to_owned());
            second.attachment = Some(InstanceNetworkInterfaceAttachment { device_index: Some(1), ..Default::default() });
            instance.network_interfaces.insert(usize::from(!is_first), second);
        })
    };
    for is_first in [false, true] {
        let report = Judge::new().report(&with_second(is_first).snapshot());
        let lines = report.fixes.iter().flat_map(|fix| &fix.commands.aws_cli);
        let creating: Vec<_> = lines.filter(|line| line.contains("create-vpc-endpoint") && line.contains("Interface")).collect();
        assert!(!creating.is_empty() && creating.iter().all(|line| line.contains("--subnet-ids subnet-p")), "{creating:?}");
    }
}

/// What would break others is not offered as a fix in any form.
#[test]
fn a_rejected_fix_is_told_without_its_commands() {
    let mut report = Judge::new().report(&base().snapshot());
    let fix = report.fixes.iter_mut().find(|fix| fix.kind == "create-gateway-endpoint").unwrap();
    fix.verified = Verified::Rejected;
    fix.because = "i-2 would lose a path".to_owned();
    fix.breaks = vec!["i-2".to_owned()];
    let title = fix.title.clone();
    for form in [Form::Text, Form::Mermaid] {
        let told = explain(&report, find(&report, "i-1")[0], form).unwrap();
        assert!(told.contains("rejected fix: ") && told.contains("it would break i-2"), "{told}");
        assert!(!told.contains("--vpc-endpoint-type Gateway"), "{told}");
        assert!(!told.contains(&format!("fix: {title}\n")), "{told}");
    }
}

/// A path that DNS tells apart only after the change has none of its own to be held against, and moves no other one's place.
#[test]
fn paths_are_held_against_what_they_were() {
    let own = own_name("vpce-s3", "s3");
    let mirror = AnsweredBy::Addresses(vec!["93.184.216.34/32".parse().unwrap()]);
    let wanted = Wanted { goal: Goal::of_repository("mirror.corp", 443, mirror, None, false), perhaps: None };
    let mut topology = s3_interface_endpoint(base().nat(), "dualstack")
        .hosted_zone("s3.eu-central-1.amazonaws.com.", &[("aws-ssm-eu-central-1.s3.eu-central-1.amazonaws.com.", &own)])
        .dns_attributes(false, true);
    topology.sources = Sources::Known(vec![Alternative { doubt: None, wanted: vec![wanted] }]);
    verified(&tried(&topology, &Change::EnableVpcAttribute { vpc: "vpc-1".to_owned(), attribute: "enableDnsSupport".to_owned() }));
}

/// AWS looks for a group in the account of the rule, unless its own is named.
#[test]
fn a_group_of_another_account_is_named_with_it() {
    let owner = |owner: Option<&str>| Group { id: "sg-i".to_owned(), owner: owner.map(str::to_owned) };
    let into = |group: Group| {
        let change = Change::AllowEndpointIngress { endpoint: "vpce-1".to_owned(), group: "sg-e".to_owned(), from: Origin::Group(group) };
        change.commands(REGION).join("; ")
    };
    assert!(into(owner(Some(HUB))).contains("UserIdGroupPairs=[{UserId=222222222222,GroupId=sg-i}]"), "{}", into(owner(Some(HUB))));
    assert!(into(owner(None)).contains("UserIdGroupPairs=[{GroupId=sg-i}]"));
    // The hub's endpoint beyond a peering connection, in both directions.
    let report = Judge::new().report(&peered(vec![], "active").egress(&[]).snapshot());
    let lines: Vec<&String> = report.fixes.iter().flat_map(|fix| &fix.commands.aws_cli).collect();
    let told = |of: &str, group: String| lines.iter().any(|line| line.contains(of) && line.contains(&group));
    assert!(told("egress", format!("UserId={HUB},GroupId=sg-h-e")), "{lines:#?}");
    assert!(told("ingress", format!("UserId={ACCOUNT},GroupId=sg-i")), "{lines:#?}");
}

/// Where the hub's resolver answers for a spoke, a name that changes in the hub changes there too.
#[test]
fn a_change_of_names_is_tried_for_those_who_ask_there() {
    let asks_the_hub = by_gateway(vec![]).nat().dns_servers(&["10.100.1.53"]);
    let snapshot = asks_the_hub.snapshot();
    let estate = Estate::new(&snapshot);
    let there: BTreeMap<_, _> = dependents(&estate, &asks_the_hub.assumptions);
    assert_eq!(there.get(&(REGION, "vpc-h")), Some(&BTreeSet::from(["vpc-1"])), "{there:?}");
    let of_hub = Change::CreateInterfaceEndpoint {
        vpc: "vpc-h".to_owned(),
        service_name: format!("com.amazonaws.{REGION}.ssm"),
        placement: Placement {
            subnets: BTreeMap::from([("euc1-az1".to_owned(), "subnet-he".to_owned())]),
            vpc_blocks: vec!["10.100.0.0/16".to_owned()],
            group_name: "ssm-endpoint".to_owned(),
        },
    };
    rejected(
        &tried_for(&asks_the_hub, &of_hub, &BTreeSet::new()),
        "i-1 would lose ssm.eu-central-1.amazonaws.com: reachable before, unknown after",
        &["i-1"],
    );
    let forwards = beside(vec![]).forward_rule_to("corp.", &["10.100.1.53"]).snapshot();
    assert!(dependents(&Estate::new(&forwards), &asks_the_hub.assumptions).contains_key(&(REGION, "vpc-h")));
    assert!(dependents(&Estate::new(&beside(vec![]).snapshot()), &asks_the_hub.assumptions).is_empty());
}

/// A gateway endpoint carries nothing that comes from another VPC.
#[test]
fn a_route_of_the_hub_is_tried_for_those_whom_it_leads() {
    let of_hub = Change::CreateGatewayEndpoint {
        vpc: "vpc-h".to_owned(),
        service_name: format!("com.amazonaws.{REGION}.s3"),
        route_tables: BTreeSet::from(["rtb-h-main".to_owned()]),
    };
    let Proof::Rejected { breaks, because } = tried_for(&central_egress(), &of_hub, &BTreeSet::new()) else { panic!() };
    assert_eq!(breaks, ["i-1"], "{because}");
}

/// A way of which nobody knows where it ends keeps an instance from being ready.
#[test]
fn what_becomes_unknown_is_not_unblocked() {
    let proof = tried(
        &base().route("rtb-main", route_to("0.0.0.0/0", "vgw-1")).egress(&[]),
        &Change::AllowEgress { group: "sg-i".to_owned(), to: Destination::Internet, owner: None, port: 443 },
    );
    let Proof::Verified { still, .. } = proof else { panic!("{proof:?}") };
    assert!(still.len() == 1 && still.values().all(|targets| targets.contains(&Target::Ssm)), "{still:?}");
}

/// Behind a transit gateway an outbound rule that refers to a group means nobody: the endpoint is let in by its addresses.
#[test]
fn an_endpoint_behind_a_transit_gateway_is_named_by_its_addresses() {
    let report = Judge::new().report(&by_gateway(vec![https_to("10.0.0.0/16")]).zone_to_hub().egress(&[]).snapshot());
    let fix = report.fixes.iter().find(|fix| fix.kind == "allow-egress" && fix.title.contains("10.100.")).unwrap();
    assert_eq!(fix.verified, Verified::Verified, "{fix:#?}");
    assert!(fix.commands.aws_cli[0].contains("IpRanges=[{CidrIp=10.100."), "{fix:#?}");
}

/// Of a NAT gateway that tells no address only the subnet is known, and all of it is let in.
#[test]
fn a_sender_whose_address_is_not_known_is_let_in_by_its_subnet() {
    let by_private_nat = by_gateway(vec![]).zone_to_hub().with(|files| {
        let nat = &mut files.nat_gateways.as_mut().unwrap().nat_gateways[0];
        (nat.connectivity_type, nat.nat_gateway_addresses) = (some("private"), vec![]);
        let tables = &mut files.route_tables.as_mut().unwrap().route_tables;
        tables[0].routes.retain(|route| route.transit_gateway_id.is_none());
        tables[0].routes.push(route_to("10.100.0.0/16", "nat-1"));
        tables[1].routes.push(route_to("10.100.0.0/16", "tgw-1"));
    });
    let report = Judge::new().report(&by_private_nat.snapshot());
    let fix = report.fixes.iter().find(|fix| fix.kind == "allow-endpoint-ingress").unwrap();
    assert_eq!(fix.verified, Verified::Verified, "{fix:#?}");
    assert!(fix.commands.aws_cli[0].contains("IpRanges=[{CidrIp=10.0.9.0/24}]"), "{fix:#?}");
}

/// A host of the user's is let in by its address, and not with the whole internet.
#[test]
fn a_mirror_is_named_by_its_address() {
    let places = |topology: Topology| -> Vec<Place> {
        let mirror = AnsweredBy::Addresses(["10.0.2.80/32", "10.0.2.96/32"].map(|address| address.parse().unwrap()).into());
        let path = topology.patched_from(&[("mirror.corp", 443, mirror)]).paths().into_iter().find(|path| path.host == "mirror.corp");
        path.unwrap().blockers.into_iter().map(|blocker| blocker.place).collect()
    };
    let missing = |to: &Destination| [Place::InstanceEgress { groups: vec!["sg-i".to_owned()], to: to.clone(), port: 443 }];
    let both = Destination::Blocks(vec!["10.0.2.80/32".to_owned(), "10.0.2.96/32".to_owned()]);
    assert_eq!(places(base().egress(&[])), missing(&both));
    // What is let out already needs no rule.
    let to = Destination::Blocks(vec!["10.0.2.80/32".to_owned()]);
    assert_eq!(places(base().egress(&[https_to("10.0.2.96/32")])), missing(&to));
    let commands = Change::AllowEgress { group: "sg-i".to_owned(), to, owner: None, port: 443 }.commands(REGION);
    assert!(matches!(commands.as_slice(), [one] if one.contains("IpRanges=[{CidrIp=10.0.2.80/32}]")), "{commands:?}");
}

/// A VPC needs one gateway endpoint, whatever route tables lead to it, and instances share the rule that lets their VPC in.
#[test]
fn fixes_are_shared() {
    let change = |table: &str| Change::CreateGatewayEndpoint {
        vpc: "vpc-1".to_owned(),
        service_name: format!("com.amazonaws.{REGION}.s3"),
        route_tables: BTreeSet::from([table.to_owned()]),
    };
    let (mut first, second) = (change("rtb-1"), change("rtb-2"));
    assert_eq!(first.key(), second.key());
    first.absorb(second);
    assert!(first.commands(REGION)[0].ends_with("--route-table-ids rtb-1 rtb-2"), "{:?}", first.commands(REGION));
    let report = Judge::new().report(&by_gateway(vec![]).zone_to_hub().snapshot());
    let fix = report.fixes.iter().find(|fix| fix.kind == "allow-endpoint-ingress").unwrap();
    assert!(fix.title.starts_with("Allow inbound TCP 443 from 10.0.0.0/16 on "), "{}", fix.title);
}
