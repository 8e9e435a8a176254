//! The truth table of network verdicts, the rows that concern one VPC (those of several are in hub.rs). A row is a few words: topology, target, verdict, code.
//!
//! The numbers are those of docs/reachability.md. Expectations are thought out from AWS's documentation, never copied from the output.

use patch_preflight::network::PortFamily;
use patch_preflight::network::Target::{self, Ec2Messages, S3, Ssm, SsmMessages};
use patch_preflight::network::Verdict::{self, Blocked, NotNeeded, Partial, Reachable, Unknown};
use patch_preflight::snapshot::ec2;

use crate::process::repository;
use crate::shared::{let_in_by_group, two_interfaces};
use crate::topology::{
    ALL_IN, ALL_OUT, Topology, acl, all_to, allow, base, blackhole, https_group, https_to, https_to_list, https_v6, propagated, route_to,
    security_group,
};

/// The row's number, its topology, the target, the verdict, and the codes that must be among the blockers (or the unknowns).
pub(crate) type Row = (&'static str, Topology, Target, Verdict, &'static [&'static str]);

pub(crate) fn check(rows: Vec<Row>) {
    let mut wrong = Vec::new();
    for (number, topology, target, verdict, codes) in rows {
        let path = topology.path(target);
        let said: Vec<&str> = path
            .blockers
            .iter()
            .map(|blocker| blocker.code.as_str())
            .chain(path.unknowns.iter().map(|unknown| unknown.code.as_str()))
            .collect();
        let missing: Vec<_> = codes.iter().filter(|code| !said.contains(code)).collect();
        if path.verdict != verdict || !missing.is_empty() {
            wrong.push(format!(
                "row {number} {target:?}: {:?}, expected {verdict:?}; codes {said:?}, expected {codes:?}\n{path:#?}",
                path.verdict
            ));
        }
        // Whatever fails says why, and whatever works blames nobody.
        match path.verdict {
            Blocked | Partial if path.blockers.is_empty() => {
                wrong.push(format!("row {number} {target:?} fails and blames nobody\n{path:#?}"));
            }
            Unknown if path.unknowns.is_empty() => {
                wrong.push(format!("row {number} {target:?} is unknown and does not say why\n{path:#?}"));
            }
            Reachable | NotNeeded if !path.blockers.is_empty() => {
                wrong.push(format!("row {number} {target:?} works and blames\n{path:#?}"));
            }
            _ => {}
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

fn eps() -> Topology {
    base().endpoints()
}

fn full() -> Topology {
    eps().gateway_endpoint("rtb-main")
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn routes() {
    let vpce_gone = |topology: Topology| topology.route("rtb-main", blackhole("pl-s3", "vpce-gone"));
    let explicit = |topology: Topology| {
        topology.with(|files| {
            let mut table = files.route_tables.as_ref().unwrap().route_tables[0].clone();
            table.route_table_id = Some("rtb-p".into());
            table.routes.truncate(1);
            table.associations = vec![ec2::RouteTableAssociation { subnet_id: Some("subnet-p".into()), ..Default::default() }];
            files.route_tables.as_mut().unwrap().route_tables.push(table);
        })
    };
    let filtered = || {
        let mut route = route_to("0.0.0.0/0", "nat-1");
        route.state = Some("filtered".into());
        base().route("rtb-main", route)
    };
    check(vec![
        ("1", base(), Ssm, Blocked, &["NO_ROUTE_TO_DESTINATION", "ENDPOINT_MISSING"]),
        ("1", base(), S3, Blocked, &["NO_ROUTE_TO_DESTINATION", "ENDPOINT_MISSING"]),
        ("2", full(), Ssm, Reachable, &[]),
        ("2", full(), SsmMessages, Reachable, &[]),
        ("2", full(), S3, Reachable, &[]),
        ("3", base().nat(), Ssm, Reachable, &[]),
        ("3", base().nat(), S3, Reachable, &[]),
        ("4", base().nat().route("rtb-main", blackhole("52.0.0.0/8", "eni-gone")), S3, Partial, &["BAD_STATE_ROUTE"]),
        ("5", vpce_gone(base().nat()), S3, Blocked, &["BAD_STATE_ROUTE"]),
        ("5: ssm has no part in the list", vpce_gone(base().nat()), Ssm, Reachable, &[]),
        ("6", eps().route("rtb-main", blackhole("0.0.0.0/0", "nat-gone")), Ssm, Reachable, &[]),
        ("6", eps().route("rtb-main", blackhole("0.0.0.0/0", "nat-gone")), S3, Blocked, &["BAD_STATE_ROUTE"]),
        ("7", full().route("rtb-main", blackhole("52.219.140.0/24", "nat-gone")), S3, Partial, &["BAD_STATE_ROUTE"]),
        ("8", full().route("rtb-main", route_to("52.219.168.0/24", "nat-1")), S3, Reachable, &[]),
        (
            "9",
            base()
                .prefix_list("pl-a", &["52.219.0.0/16"])
                .prefix_list("pl-b", &["52.219.0.0/16"])
                .nat()
                .route("rtb-main", route_to("pl-a", "nat-1"))
                .route("rtb-main", blackhole("pl-b", "eni-gone")),
            S3,
            Unknown,
            &["prefix_list_overlap"],
        ),
        (
            "9, one within the other",
            base()
                .prefix_list("pl-a", &["52.219.0.0/16"])
                .prefix_list("pl-b", &["52.219.128.0/17"])
                .nat()
                .route("rtb-main", route_to("pl-a", "nat-1"))
                .route("rtb-main", blackhole("pl-b", "eni-gone")),
            S3,
            Unknown,
            &["prefix_list_overlap"],
        ),
        (
            "10",
            base()
                .public_address()
                .prefix_list("pl-a", &["52.219.0.0/16"])
                .prefix_list("pl-b", &["52.219.128.0/17"])
                .nat()
                .route("rtb-main", route_to("pl-a", "nat-1"))
                .route("rtb-main", route_to("pl-b", "igw-1")),
            S3,
            Reachable,
            &[],
        ),
        ("11", eps().route("rtb-main", propagated("10.0.2.0/24", "vgw-1")), Ssm, Reachable, &[]),
        ("12", base().nat().route("rtb-main", propagated("0.0.0.0/0", "vgw-1")), Ssm, Reachable, &[]),
        (
            "13",
            base()
                .prefix_list("pl-all", &["0.0.0.0/0"])
                .route("rtb-main", route_to("pl-all", "nat-1"))
                .route("rtb-main", propagated("0.0.0.0/0", "vgw-1")),
            Ssm,
            Reachable,
            &[],
        ),
        ("14", base().prefix_list("pl-all", &["0.0.0.0/0"]).nat().route("rtb-main", blackhole("pl-all", "tgw-1")), Ssm, Reachable, &[]),
        ("15", base().nat(), Ssm, Reachable, &[]),
        ("16", explicit(base().nat()), Ssm, Blocked, &["NO_ROUTE_TO_DESTINATION"]),
        ("17", base().gateway_endpoint("rtb-u"), S3, Blocked, &["NO_ROUTE_TO_DESTINATION"]),
        ("19", eps().route("rtb-main", route_to("10.0.2.0/24", "vpce-gwlb")), Ssm, Unknown, &["gwlb_appliance"]),
        ("20", filtered(), Ssm, Blocked, &["NO_ROUTE_TO_DESTINATION"]),
        (
            "21",
            base().route("rtb-main", route_to("0.0.0.0/0", "arn:aws:networkmanager::core-network")),
            Ssm,
            Unknown,
            &["unsupported_target"],
        ),
        (
            "a gateway of a kind that is not modelled",
            base().route("rtb-main", route_to("0.0.0.0/0", "odb-1")),
            Ssm,
            Unknown,
            &["unsupported_target"],
        ),
        ("117", base().route("rtb-main", route_to("0.0.0.0/0", "pcx-1")), Ssm, Blocked, &["PCX_REQUIRES_ADDRESS_IN_VPC_CIDR"]),
        ("123", base().route("rtb-main", route_to("0.0.0.0/0", "vgw-1")), Ssm, Unknown, &["on_prem"]),
        ("a NAT gateway and the gateway endpoint", base().nat().gateway_endpoint("rtb-main"), Ssm, Reachable, &[]),
        ("the gateway endpoint alone", base().gateway_endpoint("rtb-main"), Ssm, Blocked, &["NO_ROUTE_TO_DESTINATION"]),
    ]);
}

#[test]
fn security_groups() {
    let default_group = |topology: Topology| topology.endpoint_ingress(&[https_group("sg-e")]);
    let two_groups = base()
        .nat()
        .groups(|groups| groups.push(security_group("sg-other", vec![], vec![https_to("0.0.0.0/0")])))
        .egress(&[])
        .member_of(&["sg-i", "sg-other"]);
    check(vec![
        ("23", default_group(eps()), Ssm, Blocked, &["ENI_SG_RULES_MISMATCH"]),
        ("24", default_group(eps()).member_of(&["sg-e", "sg-i"]), Ssm, Reachable, &[]),
        ("25", full().egress(&[]), Ssm, Blocked, &["SG_HAS_NO_RULES"]),
        ("25", full().egress(&[]), S3, Blocked, &["SG_HAS_NO_RULES"]),
        ("26", full().egress(&[https_to_list("pl-s3")]), S3, Reachable, &[]),
        ("26", full().egress(&[https_to_list("pl-s3")]), Ssm, Blocked, &["ENI_SG_RULES_MISMATCH"]),
        ("27", full().egress(&[https_to("10.0.0.0/16")]), Ssm, Reachable, &[]),
        ("27", full().egress(&[https_to("10.0.0.0/16")]), S3, Blocked, &["ENI_SG_RULES_MISMATCH"]),
        ("28", full().egress(&[https_group("sg-e")]), Ssm, Reachable, &[]),
        ("29", eps().nat().egress(&[allow("tcp", 0, 1024, "0.0.0.0/0")]), Ssm, Reachable, &[]),
        ("30", full().egress(&[all_to("10.0.2.0/24")]), Ssm, Reachable, &[]),
        ("30", full().egress(&[all_to("10.0.2.0/24")]), S3, Blocked, &["ENI_SG_RULES_MISMATCH"]),
        ("31", full().egress(&[allow("udp", 443, 443, "0.0.0.0/0")]), Ssm, Blocked, &["PROTOCOL_RESTRICTION"]),
        ("32", two_groups, Ssm, Reachable, &[]),
        ("33", full().egress(&[https_v6("::/0")]), Ssm, Blocked, &["ENI_SG_RULES_MISMATCH"]),
        ("34", eps().endpoint_ingress(&[https_group("sg-deleted")]), Ssm, Blocked, &["ENI_SG_RULES_MISMATCH"]),
        ("35", eps().endpoint_ingress(&[https_to("10.0.1.0/28")]).in_subnet("subnet-p", "10.0.1.5"), Ssm, Reachable, &[]),
        (
            "35",
            eps().endpoint_ingress(&[https_to("10.0.1.0/28")]).in_subnet("subnet-p", "10.0.1.200"),
            Ssm,
            Blocked,
            &["ENI_SG_RULES_MISMATCH"],
        ),
        ("94", eps().endpoint_ingress(&[https_v6("::/0")]), Ssm, Blocked, &["ENI_SG_RULES_MISMATCH"]),
        ("egress to a part of the list", full().egress(&[https_to("52.0.0.0/8")]), S3, Partial, &["PREFIX_LIST_PARTIAL"]),
        ("egress to the list alone", base().nat().egress(&[https_to_list("pl-s3")]), Ssm, Blocked, &["ENI_SG_RULES_MISMATCH"]),
        ("egress to a part of the internet", base().nat().egress(&[https_to("52.0.0.0/8")]), Ssm, Unknown, &["partial_public_range"]),
        ("TCP by its number", full().egress(&[allow("6", 443, 443, "0.0.0.0/0")]), Ssm, Reachable, &[]),
        ("TCP by its number, below the port", full().egress(&[allow("6", 1, 442, "0.0.0.0/0")]), Ssm, Blocked, &["PROTOCOL_RESTRICTION"]),
        ("TCP by its number, above the port", full().egress(&[allow("6", 444, 500, "0.0.0.0/0")]), Ssm, Blocked, &["PROTOCOL_RESTRICTION"]),
        ("a port beside 443", full().egress(&[allow("tcp", 444, 65535, "0.0.0.0/0")]), Ssm, Blocked, &["PROTOCOL_RESTRICTION"]),
        ("a group that is not listed", full().member_of(&["sg-shared"]), Ssm, Unknown, &["fact_not_collected"]),
    ]);
}

#[test]
fn network_acls() {
    let reversed = |topology: Topology| {
        topology.with(|files| files.network_acls.as_mut().unwrap().network_acls.iter_mut().for_each(|acl| acl.entries.reverse()))
    };
    let deny_first = ["100 in tcp 443 0.0.0.0/0 deny", "110 in all * 0.0.0.0/0 allow", ALL_OUT];
    let s3_in = |blocks: &[&str]| -> Vec<String> {
        blocks.iter().enumerate().map(|(position, block)| format!("{} in tcp 1024-65535 {block} allow", 100 + position)).collect()
    };
    let lines = |lines: Vec<String>| -> Vec<&'static str> { lines.into_iter().map(|line| &*line.leak()).collect() };
    let two_of_three = lines([s3_in(&["3.5.134.0/23", "52.219.140.0/24"]), vec![ALL_OUT.to_owned()]].concat());
    let carved = ["90 in tcp 1024-65535 52.219.140.128/25 deny", ALL_IN, ALL_OUT];
    let irrelevant = ["90 in tcp 1024-65535 3.6.0.0/16 deny", ALL_IN, ALL_OUT];
    let two_ways = |topology: Topology, inbound: &'static str| topology.subnet_acl("subnet-p", &[inbound, ALL_OUT]);
    check(vec![
        ("42", eps().subnet_acl("subnet-e", &deny_first), Ssm, Blocked, &["SUBNET_ACL_RESTRICTION"]),
        ("43", reversed(eps().subnet_acl("subnet-e", &deny_first)), Ssm, Blocked, &["SUBNET_ACL_RESTRICTION"]),
        ("44", eps().in_subnet("subnet-e", "10.0.2.10").subnet_acl("subnet-e", &[]), Ssm, Reachable, &[]),
        ("45", two_ways(eps(), "100 in tcp 443 0.0.0.0/0 allow"), Ssm, Blocked, &["SUBNET_ACL_RESTRICTION"]),
        ("46", two_ways(full(), "100 in tcp 1024-65535 10.0.0.0/16 allow"), Ssm, Reachable, &[]),
        ("46", two_ways(full(), "100 in tcp 1024-65535 10.0.0.0/16 allow"), S3, Blocked, &["SUBNET_ACL_RESTRICTION"]),
        ("47", two_ways(eps(), "100 in tcp 49152-65535 0.0.0.0/0 allow"), Ssm, Partial, &["EPHEMERAL_PARTIAL"]),
        ("48", two_ways(eps(), "100 in tcp 49152-65535 0.0.0.0/0 allow").ports(PortFamily::WindowsOrMac), Ssm, Reachable, &[]),
        (
            "47 or 48",
            two_ways(eps(), "100 in tcp 49152-65535 0.0.0.0/0 allow").ports(PortFamily::Unknown),
            Ssm,
            Unknown,
            &["fact_not_collected"],
        ),
        ("49", two_ways(eps(), "100 in tcp 1024-60000 0.0.0.0/0 allow"), Ssm, Partial, &["EPHEMERAL_PARTIAL"]),
        ("50", full().subnet_acl("subnet-p", &two_of_three), S3, Partial, &["PREFIX_LIST_PARTIAL"]),
        ("51", full().subnet_acl("subnet-p", &carved), S3, Partial, &["PREFIX_LIST_PARTIAL"]),
        ("52", full().subnet_acl("subnet-p", &irrelevant), S3, Reachable, &[]),
        (
            "53",
            base().nat().subnet_acl("subnet-u", &["100 in tcp 443 10.0.0.0/16 allow", ALL_OUT]),
            Ssm,
            Blocked,
            &["SUBNET_ACL_RESTRICTION"],
        ),
        (
            "54",
            base().nat().subnet_acl("subnet-u", &[ALL_IN, "90 out all * 10.0.1.0/24 deny", ALL_OUT]),
            Ssm,
            Blocked,
            &["SUBNET_ACL_RESTRICTION"],
        ),
        ("55", two_ways(base().nat(), "100 in tcp 1024-65535 10.0.9.50/32 allow"), Ssm, Blocked, &["SUBNET_ACL_RESTRICTION"]),
        (
            "56",
            base().nat().subnet_acl("subnet-u", &["90 in tcp 443 10.0.0.0/16 allow", "100 in tcp 32768-60999 0.0.0.0/0 allow", ALL_OUT]),
            Ssm,
            Partial,
            &["EPHEMERAL_PARTIAL"],
        ),
        ("57", eps().subnet_acl("subnet-p", &["90 in all * ::/0 deny", ALL_IN, ALL_OUT]), Ssm, Reachable, &[]),
        (
            "outbound denied",
            eps().subnet_acl("subnet-p", &[ALL_IN, "90 out tcp 443 10.0.0.0/8 deny", ALL_OUT]),
            Ssm,
            Blocked,
            &["SUBNET_ACL_RESTRICTION"],
        ),
        (
            "answers out of the endpoint's subnet denied",
            eps().subnet_acl("subnet-e", &[ALL_IN, "100 out tcp 443 0.0.0.0/0 allow"]),
            Ssm,
            Blocked,
            &["SUBNET_ACL_RESTRICTION"],
        ),
        (
            "all blockers at once",
            eps().egress(&[]).endpoint_ingress(&[]).subnet_acl("subnet-p", &[ALL_IN]),
            Ssm,
            Blocked,
            &["SG_HAS_NO_RULES", "SUBNET_ACL_RESTRICTION"],
        ),
    ]);
    let path = eps().egress(&[]).endpoint_ingress(&[]).subnet_acl("subnet-p", &[ALL_IN]).path(Ssm);
    let resources: Vec<&str> = path.blockers.iter().map(|blocker| blocker.resource.as_str()).collect();
    assert_eq!(resources, ["sg-i", "sg-e", "acl-subnet-p"], "every blocker is named, not only the first");
}

#[test]
fn names() {
    let private_dns_off = |topology: Topology| topology.each_endpoint(|endpoint| endpoint.private_dns_enabled = Some(false));
    let closed = |topology: Topology| topology.endpoint_ingress(&[https_group("sg-e")]);
    let ssm = "ssm.eu-central-1.amazonaws.com";
    check(vec![
        ("60", private_dns_off(eps()), Ssm, Blocked, &["DNS_PRIVATE_DNS_OFF", "NO_ROUTE_TO_DESTINATION"]),
        ("61", private_dns_off(eps()).nat(), Ssm, Reachable, &[]),
        ("62", closed(eps()).nat(), Ssm, Blocked, &["DNS_CAPTURED_BY_ENDPOINT", "ENI_SG_RULES_MISMATCH"]),
        ("63", closed(eps()).in_subnet("subnet-u", "10.0.9.10").public_address(), Ssm, Blocked, &["DNS_CAPTURED_BY_ENDPOINT"]),
        ("64", private_dns_off(closed(eps())).nat(), Ssm, Reachable, &[]),
        ("65", eps().dns_attributes(true, false), Ssm, Blocked, &["DNS_VPC_ATTRIBUTE_OFF", "NO_ROUTE_TO_DESTINATION"]),
        ("65", eps().dns_attributes(true, false).nat(), Ssm, Reachable, &[]),
        ("66", full().dns_attributes(false, true), Ssm, Blocked, &["DNS_VPC_ATTRIBUTE_OFF"]),
        ("66", full().dns_attributes(false, true), S3, Blocked, &["DNS_VPC_ATTRIBUTE_OFF"]),
        ("67", eps().dns_servers(&["10.9.9.9"]).route("rtb-main", route_to("10.9.0.0/16", "vgw-1")), Ssm, Unknown, &["custom_dns"]),
        ("67, and no route to the server", eps().dns_servers(&["10.9.9.9"]), Ssm, Blocked, &["NO_ROUTE_TO_DESTINATION"]),
        ("68", eps().dns_servers(&["10.9.9.9"]).nat(), Ssm, Reachable, &[]),
        ("69 Nitro", eps().default_dhcp(), Ssm, Reachable, &[]),
        (
            "69 Xen",
            eps().default_dhcp().instance(|instance| instance.instance_type = Some("t2.micro".into())),
            Ssm,
            Blocked,
            &["DNS_NO_RESOLVER"],
        ),
        ("VPC+2 is Amazon's resolver", eps().dns_servers(&["10.0.0.2"]), Ssm, Reachable, &[]),
        (
            "custom servers without DNS support",
            eps().dns_servers(&["10.9.9.9"]).dns_attributes(false, true),
            Ssm,
            Blocked,
            &["NO_ROUTE_TO_DESTINATION"],
        ),
        ("73", base().nat().hosted_zone("amazonaws.com.", &[]), Ssm, Blocked, &["DNS_PHZ_NXDOMAIN"]),
        ("74", eps().hosted_zone("amazonaws.com.", &[]), Ssm, Reachable, &[]),
        ("75", eps().forward_rule(ssm), Ssm, Unknown, &["on_prem"]),
        ("a rule for a parent leaves the endpoint's zone alone", eps().forward_rule("amazonaws.com"), Ssm, Reachable, &[]),
        ("a zone of another domain", eps().hosted_zone("example.com.", &[]), Ssm, Reachable, &[]),
        ("a zone whose name only looks like a parent", eps().hosted_zone("central-1.amazonaws.com.", &[]), Ssm, Reachable, &[]),
        ("87", eps(), Ec2Messages, Reachable, &[]),
        (
            "90",
            base().endpoint_group("sg-e", vec![https_to("10.0.0.0/16")]).endpoint("ssm", &["subnet-e"]),
            SsmMessages,
            Blocked,
            &["ENDPOINT_MISSING"],
        ),
    ]);
}

#[test]
fn endpoints() {
    let s3_interface = |only_inbound: bool| {
        eps().endpoint("s3", &["subnet-e"]).each_endpoint(move |endpoint| {
            if endpoint.service_name.as_deref().unwrap().rsplit('.').next() == Some("s3") {
                endpoint.dns_options =
                    Some(ec2::DnsOptions { private_dns_only_for_inbound_resolver_endpoint: Some(only_inbound), ..Default::default() });
            }
        })
    };
    let elsewhere = eps().each_endpoint(|endpoint| {
        endpoint.service_name = endpoint.service_name.as_ref().map(|name| name.replace("eu-central-1", "eu-west-1"));
    });
    let two_zones = base()
        .endpoint_group("sg-e", vec![https_to("10.0.0.0/16")])
        .endpoint("ssm", &["subnet-e", "subnet-u"])
        .subnet_acl("subnet-u", &[ALL_OUT]);
    let pending = || eps().each_endpoint(|endpoint| endpoint.state = Some("pendingAcceptance".into()));
    check(vec![
        ("78", s3_interface(true).gateway_endpoint("rtb-main"), S3, Reachable, &[]),
        (
            "79",
            s3_interface(false).endpoint_ingress(&[]).gateway_endpoint("rtb-main"),
            S3,
            Blocked,
            &["SG_HAS_NO_RULES", "DNS_CAPTURED_BY_ENDPOINT"],
        ),
        ("83", pending(), Ssm, Blocked, &["BAD_STATE"]),
        ("83 with a NAT gateway", pending().nat(), Ssm, Reachable, &[]),
        ("84", eps(), Ssm, Reachable, &[]),
        ("85", two_zones, Ssm, Partial, &["SUBNET_ACL_RESTRICTION"]),
        ("86", elsewhere, Ssm, Blocked, &["NO_ROUTE_TO_DESTINATION"]),
        (
            "93",
            eps().each_endpoint(|endpoint| endpoint.vpc_endpoint_type = Some("Tunnel".into())),
            Ssm,
            Blocked,
            &["NO_ROUTE_TO_DESTINATION"],
        ),
        (
            "AWS's word in lower case",
            eps().each_endpoint(|endpoint| endpoint.vpc_endpoint_type = Some("interface".into())),
            Ssm,
            Reachable,
            &[],
        ),
    ]);
    assert_eq!(pending().path(Ssm).blockers[0].code.as_str(), "BAD_STATE", "the endpoint's state is named first");
}

#[test]
fn ec2messages_is_not_always_needed() {
    let mut modern =
        base().endpoint_group("sg-e", vec![https_to("10.0.0.0/16")]).endpoint("ssm", &["subnet-e"]).endpoint("ssmmessages", &["subnet-e"]);
    check(vec![("88", modern.clone(), Ec2Messages, Blocked, &["ENDPOINT_MISSING"])]);
    modern.ec2messages.agent_prefers_ssmmessages = true;
    let mut without_ssmmessages = base();
    without_ssmmessages.ec2messages.agent_prefers_ssmmessages = true;
    let mut young_region = base();
    young_region.ec2messages.exists = false;
    check(vec![
        ("87", modern, Ec2Messages, NotNeeded, &[]),
        ("87 without ssmmessages", without_ssmmessages, Ec2Messages, Blocked, &["ENDPOINT_MISSING"]),
        ("89", young_region, Ec2Messages, NotNeeded, &[]),
    ]);
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table, a few lines a row")]
fn gateways_to_the_internet() {
    let public = || base().in_subnet("subnet-u", "10.0.9.10").public_address();
    let nat_in_private_subnet = base().nat().nat_gateway(|nat| nat.subnet_id = Some("subnet-e".into()));
    let regional = |table: &'static str, zone: &'static str| {
        base().nat().nat_gateway(move |nat| {
            nat.availability_mode = Some("regional".into());
            nat.subnet_id = None;
            nat.route_table_id = Some(table.into());
            nat.nat_gateway_addresses =
                vec![ec2::NatGatewayAddress { availability_zone: Some(zone.into()), ..ec2::NatGatewayAddress::default() }];
        })
    };
    let edge = |topology: Topology, subnet: &str| {
        let route = route_to(subnet, "eni-firewall");
        topology.with(|files| {
            let association = ec2::RouteTableAssociation { gateway_id: Some("igw-1".into()), ..Default::default() };
            let table = ec2::RouteTable {
                route_table_id: Some("rtb-edge".into()),
                vpc_id: Some("vpc-1".into()),
                associations: vec![association],
                routes: vec![route],
                ..Default::default()
            };
            files.route_tables.as_mut().unwrap().route_tables.push(table);
        })
    };
    let nat_instance = |check: Option<bool>| {
        base().route("rtb-main", route_to("0.0.0.0/0", "eni-nat")).with(|files| {
            let attachment = ec2::NetworkInterfaceAttachment { instance_id: Some("i-nat".into()), ..Default::default() };
            let interface = ec2::NetworkInterface {
                network_interface_id: Some("eni-nat".into()),
                attachment: Some(attachment),
                source_dest_check: check,
                ..Default::default()
            };
            files.network_interfaces.as_mut().unwrap().network_interfaces.push(interface);
        })
    };
    let automatic = |topology: Topology| topology.nat_gateway(|nat| nat.auto_provision_zones = Some("enabled".into()));
    let igw_detached = public().with(|files| files.internet_gateways.as_mut().unwrap().internet_gateways[0].attachments.clear());
    check(vec![
        ("a public instance", public(), Ssm, Reachable, &[]),
        ("95", nat_in_private_subnet, Ssm, Blocked, &["CANNOT_ROUTE"]),
        ("96", base().nat().nat_gateway(|nat| nat.state = Some("failed".into())), Ssm, Blocked, &["BAD_STATE"]),
        (
            "97",
            base().nat().nat_gateway(|nat| nat.connectivity_type = Some("private".into())),
            Ssm,
            Blocked,
            &["IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS"],
        ),
        ("99", base().nat().nat_gateway(|nat| nat.subnet_id = Some("subnet-p".into())), Ssm, Blocked, &["CANNOT_ROUTE"]),
        ("100", regional("rtb-u", "eu-central-1a"), Ssm, Reachable, &[]),
        ("101", regional("rtb-main", "eu-central-1a"), Ssm, Blocked, &["CANNOT_ROUTE"]),
        ("102", regional("rtb-u", "eu-central-1b"), Ssm, Unknown, &["regional_nat_az"]),
        ("102 without a way on", regional("rtb-main", "eu-central-1b"), Ssm, Blocked, &["CANNOT_ROUTE"]),
        ("102 while AWS provides the zones", automatic(regional("rtb-u", "eu-central-1b")), Ssm, Reachable, &[]),
        (
            "a regional NAT gateway has no network ACL of its own",
            regional("rtb-u", "eu-central-1a").subnet_acl("subnet-u", &[]),
            Ssm,
            Reachable,
            &[],
        ),
        (
            "a regional NAT gateway under Block Public Access",
            regional("rtb-u", "eu-central-1a").block_public_access("block-bidirectional", &[("subnet-u", "allow-egress")]),
            Ssm,
            Blocked,
            &["VPC_BLOCK_PUBLIC_ACCESS_ENABLED"],
        ),
        ("22", edge(public(), "10.0.9.0/24"), Ssm, Unknown, &["asymmetric"]),
        ("22 for a NAT gateway in that subnet", edge(base().nat(), "10.0.9.0/24"), Ssm, Unknown, &["asymmetric"]),
        ("22 for another subnet", edge(base().nat(), "10.0.2.0/24"), Ssm, Reachable, &[]),
        ("22 behind a definite block", edge(public().egress(&[]), "10.0.9.0/24"), Ssm, Blocked, &["SG_HAS_NO_RULES"]),
        (
            "answers of a NAT gateway through an appliance",
            base().nat().route("rtb-u", route_to("10.0.1.0/24", "vpce-gwlb")),
            Ssm,
            Unknown,
            &["gwlb_appliance"],
        ),
        ("124", nat_instance(Some(true)), Ssm, Blocked, &["ENI_SOURCE_DEST_CHECK_RESTRICTION"]),
        ("125", nat_instance(Some(false)), Ssm, Unknown, &["os_forwarding"]),
        ("125 when the check was not told", nat_instance(None), Ssm, Unknown, &["os_forwarding"]),
        ("103", base().in_subnet("subnet-u", "10.0.9.10"), Ssm, Blocked, &["IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS"]),
        ("105", igw_detached, Ssm, Blocked, &["BAD_STATE"]),
        ("109", base().nat().block_public_access("block-bidirectional", &[]), Ssm, Blocked, &["VPC_BLOCK_PUBLIC_ACCESS_ENABLED"]),
        ("110", base().nat().block_public_access("block-bidirectional", &[("subnet-u", "allow-egress")]), Ssm, Reachable, &[]),
        (
            "111",
            public().block_public_access("block-bidirectional", &[("subnet-u", "allow-egress")]),
            Ssm,
            Blocked,
            &["VPC_BLOCK_PUBLIC_ACCESS_ENABLED"],
        ),
        ("112", public().block_public_access("block-ingress", &[]), Ssm, Blocked, &["VPC_BLOCK_PUBLIC_ACCESS_ENABLED"]),
        ("113", base().nat().block_public_access("block-ingress", &[]), Ssm, Reachable, &[]),
        ("114", full().block_public_access("block-bidirectional", &[]), Ssm, Reachable, &[]),
        ("114", full().block_public_access("block-bidirectional", &[]), S3, Reachable, &[]),
        (
            "excluded both ways",
            public().block_public_access("block-bidirectional", &[("subnet-u", "allow-bidirectional")]),
            Ssm,
            Reachable,
            &[],
        ),
        ("a NAT gateway before S3's gateway endpoint", base().nat().gateway_endpoint("rtb-u"), S3, Reachable, &[]),
    ]);
}

/// Law 4 of the snapshot: taking a file away may turn an answer into `unknown`; it never makes one better.
#[test]
fn taking_a_file_away_never_makes_a_path_better() {
    let closed = || eps().nat().endpoint_ingress(&[]);
    let topologies = vec![
        ("base", base()),
        ("endpoints", full()),
        ("nat", base().nat()),
        ("closed", closed()),
        ("acl", full().subnet_acl("subnet-p", &[ALL_IN])),
        ("custom dns", eps().dns_servers(&["10.9.9.9"])),
        ("phz", base().nat().hosted_zone("amazonaws.com.", &[])),
        ("egress", full().egress(&[https_to("10.0.0.0/16")])),
        ("blackhole", base().nat().route("rtb-main", blackhole("pl-s3", "vpce-gone"))),
        ("gateway only", base().gateway_endpoint("rtb-main")),
        ("egress to the endpoint's group", full().egress(&[https_group("sg-e")])),
        ("egress to the list", full().egress(&[https_to_list("pl-s3")])),
        ("own group", eps().endpoint_ingress(&[https_group("sg-i")])),
        ("block public access", base().nat().block_public_access("block-bidirectional", &[])),
        ("encryption", full().nat().enforcing(&["igw"]).ubuntu()),
        ("encryption, with exclusions", base().nat().enforcing(&["igw", "nat"])),
    ];
    for (name, topology) in topologies {
        let before = topology.paths();
        for (file, _) in patch_preflight::snapshot::RegionFiles::FILES {
            let mut less = topology.clone();
            if *file == "ec2-describe-instances.json" || !less.files.forget(file) {
                continue;
            }
            for (before, after) in before.iter().zip(less.paths()) {
                let is_allowed = after.verdict == before.verdict || after.verdict == Unknown;
                assert!(is_allowed, "{name} without {file}: {:?} was {:?} and is {:?}", before.target, before.verdict, after.verdict);
            }
        }
    }
}

/// What AWS lists in another order is the same network.
#[test]
fn the_order_of_lists_never_matters() {
    let reverse = |topology: &Topology| {
        topology.clone().with(|files| {
            files.route_tables.as_mut().unwrap().route_tables.iter_mut().for_each(|table| table.routes.reverse());
            files.route_tables.as_mut().unwrap().route_tables.reverse();
            files.vpc_endpoints.as_mut().unwrap().vpc_endpoints.reverse();
            files.network_interfaces.as_mut().unwrap().network_interfaces.reverse();
            files.network_acls.as_mut().unwrap().network_acls.iter_mut().for_each(|acl| acl.entries.reverse());
            for group in &mut files.security_groups.as_mut().unwrap().security_groups {
                group.ip_permissions.reverse();
                group.ip_permissions_egress.reverse();
            }
        })
    };
    let two_lists = base()
        .prefix_list("pl-a", &["52.219.0.0/16"])
        .prefix_list("pl-b", &["52.219.0.0/16"])
        .nat()
        .route("rtb-main", route_to("pl-a", "nat-1"))
        .route("rtb-main", blackhole("pl-b", "eni-gone"));
    for topology in [full(), base().nat(), two_lists, full().egress(&[https_to("10.0.0.0/16"), https_to("52.0.0.0/8")])] {
        for (left, right) in topology.paths().into_iter().zip(reverse(&topology).paths()) {
            assert_eq!((left.verdict, left.via, left.blockers), (right.verdict, right.via, right.blockers));
        }
    }
}

/// A hand-trimmed file may lack what decides; that is neither a pass nor a block.
#[test]
fn a_state_that_is_not_told_decides_nothing() {
    let routes = |topology: Topology| {
        topology.with(|files| {
            let tables = files.route_tables.as_mut().unwrap().route_tables.iter_mut();
            tables.flat_map(|table| &mut table.routes).for_each(|route| route.state = None);
        })
    };
    let attachments = |change: fn(&mut ec2::InternetGatewayAttachment)| {
        base().nat().with(|files| {
            files.internet_gateways.as_mut().unwrap().internet_gateways.iter_mut().flat_map(|each| &mut each.attachments).for_each(change);
        })
    };
    let endpoints = |topology: Topology| topology.each_endpoint(|endpoint| endpoint.state = None);
    check(vec![
        ("routes", routes(base().nat()), Ssm, Unknown, &["fact_not_collected"]),
        ("routes to the gateway endpoint", routes(full()), S3, Unknown, &["fact_not_collected"]),
        ("routes inside the VPC are never dead", routes(eps()), Ssm, Reachable, &[]),
        ("routes behind a block", routes(base().nat().egress(&[])), Ssm, Blocked, &["SG_HAS_NO_RULES"]),
        ("the NAT gateway", base().nat().nat_gateway(|nat| nat.state = None), Ssm, Unknown, &["fact_not_collected"]),
        ("the attachment's state", attachments(|each| each.state = None), Ssm, Unknown, &["fact_not_collected"]),
        ("the attachment's VPC", attachments(|each| each.vpc_id = None), Ssm, Unknown, &["fact_not_collected"]),
        ("the interface endpoint, without another way", endpoints(eps()), Ssm, Unknown, &["fact_not_collected"]),
        ("the interface endpoint, with one", endpoints(eps()).nat(), Ssm, Reachable, &[]),
        ("the gateway endpoint", endpoints(full()), S3, Unknown, &["fact_not_collected"]),
    ]);
}

#[test]
fn an_acl_with_half_a_rule_decides_nothing() {
    let broken = full().with(|files| {
        let mut own = acl("acl-p", &["subnet-p"], &[ALL_IN, ALL_OUT]);
        own.entries[0].rule_action = None;
        let acls = &mut files.network_acls.as_mut().unwrap().network_acls;
        acls[0].associations.retain(|association| association.subnet_id.as_deref() != Some("subnet-p"));
        acls.push(own);
    });
    let half_a_permission = full().egress(&[ec2::IpPermission { from_port: None, ..https_to("0.0.0.0/0") }]);
    check(vec![
        ("half a rule", broken, Ssm, Unknown, &["fact_not_collected"]),
        ("half a permission", half_a_permission, Ssm, Unknown, &["fact_not_collected"]),
        ("a block that is none", full().egress(&[https_to("10.0.0.0/99")]), Ssm, Unknown, &["fact_not_collected"]),
    ]);
}

/// Rows whose verdict hangs on what AWS does not document carry the assumption's name.
#[test]
fn assumptions_are_told() {
    let filtered = base().route("rtb-main", ec2::Route { state: Some("filtered".into()), ..route_to("0.0.0.0/0", "nat-1") });
    let ports = eps().subnet_acl("subnet-p", &["100 in tcp 1024-60000 0.0.0.0/0 allow", ALL_OUT]);
    let regional = base().nat().nat_gateway(|nat| {
        nat.availability_mode = Some("regional".into());
        nat.subnet_id = None;
        nat.route_table_id = Some("rtb-u".into());
        nat.auto_provision_zones = Some("enabled".into());
    });
    let two_zones = base()
        .endpoint_group("sg-e", vec![https_to("10.0.0.0/16")])
        .endpoint("ssm", &["subnet-e", "subnet-u"])
        .subnet_acl("subnet-u", &[ALL_OUT]);
    let excluded = base().nat().block_public_access("block-bidirectional", &[("subnet-u", "allow-egress")]);
    let custom_dns = |topology: Topology| topology.dns_servers(&["10.9.9.9"]).nat();
    let of_type = |kind: &str| eps().each_endpoint(|endpoint| endpoint.vpc_endpoint_type = Some(kind.into())).nat();
    let rows = [
        (20, filtered),
        (47, ports),
        (68, custom_dns(eps())),
        (85, two_zones),
        (93, of_type("Tunnel")),
        (101, regional),
        (104, two_interfaces()),
        (110, excluded),
        (128, let_in_by_group()),
    ];
    let page = std::fs::read_to_string(repository("docs/reachability.md")).unwrap();
    let documented: Vec<String> = page.lines().filter_map(|line| Some(line.strip_prefix("| A-")?.split_once(' ')?.0.to_owned())).collect();
    assert_eq!(documented, rows.iter().map(|(number, _)| number.to_string()).collect::<Vec<_>>());
    let carries = |topology: &Topology, number: u8| {
        let mark = format!("Model assumption A-{number}: ");
        topology.path(Ssm).notes.iter().any(|note| note.starts_with(&mark))
    };
    for (number, topology) in rows {
        assert!(carries(&topology, number), "A-{number} is missing: {:?}", topology.path(Ssm).notes);
    }
    assert!(full().paths().iter().all(|path| path.notes.is_empty()));
    // A verdict that does not hang on it does not carry it.
    assert!(carries(&eps().nat().forward_rule("ssm.eu-central-1.amazonaws.com"), 68));
    assert!(!carries(&custom_dns(eps()).egress(&[]), 68), "nothing leaves the instance, whatever the name leads to");
    assert!(!carries(&eps().dns_servers(&["10.9.9.9"]), 68), "an unknown assumes nothing");
    assert!(!carries(&of_type("Gateway"), 93));
    assert!(!carries(&of_type("Tunnel").egress(&[]), 93));
    assert!(!carries(&of_type("Tunnel").each_endpoint(|endpoint| endpoint.private_dns_enabled = Some(false)), 93));
}
