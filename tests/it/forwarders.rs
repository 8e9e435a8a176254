//! Instances in a VPC to which a route leads, or which patches come from: AWS's side of them is judged.

use patch_preflight::model::{Assumption, Assumptions};
use patch_preflight::network::Target::{Repository, S3, Ssm};
use patch_preflight::network::Verdict::{Blocked, Reachable, Unknown};
use patch_preflight::network::{AnsweredBy, Authorization};
use patch_preflight::snapshot::ec2::{self, IpPermission};

use crate::exact;
use crate::hub::{by_gateway, peered};
use crate::topology::{ALL_OUT, Topology, all_to, base, group_id, https_group, https_to, https_to_list, route_to, security_group, some};
use crate::truth_table::check;

/// An instance's interface in a subnet, guarded by `sg-nat`.
fn interface(id: &str, subnet: &str, address: &str) -> ec2::NetworkInterface {
    ec2::NetworkInterface {
        network_interface_id: some(id),
        attachment: Some(ec2::NetworkInterfaceAttachment { instance_id: some("i-nat"), ..Default::default() }),
        subnet_id: some(subnet),
        vpc_id: some("vpc-1"),
        private_ip_address: some(address),
        source_dest_check: Some(false),
        association: Some(ec2::NetworkInterfaceAssociation { public_ip: some("203.0.113.9"), ..Default::default() }),
        groups: vec![group_id("sg-nat")],
        ..Default::default()
    }
}

fn with_interface(topology: Topology, interface: ec2::NetworkInterface, ingress: Vec<IpPermission>, egress: Vec<IpPermission>) -> Topology {
    topology.with(|files| {
        files.network_interfaces.as_mut().unwrap().network_interfaces.push(interface);
        files.security_groups.as_mut().unwrap().security_groups.push(security_group("sg-nat", ingress, egress));
    })
}

/// A NAT instance in the public subnet.
fn nat_instance(ingress: Vec<IpPermission>, egress: Vec<IpPermission>) -> Topology {
    let interface = interface("eni-nat", "subnet-u", "10.0.9.7");
    with_interface(base().route("rtb-main", route_to("0.0.0.0/0", "eni-nat")), interface, ingress, egress)
}

fn open() -> Topology {
    nat_instance(vec![https_to("10.0.0.0/16")], vec![all_to("0.0.0.0/0")])
}

fn vouched(mut topology: Topology) -> Topology {
    topology.assumptions = Assumptions::from([Assumption::LeadsToInternet("eni-nat".to_owned())]);
    topology
}

fn change(topology: Topology, change: impl FnOnce(&mut ec2::NetworkInterface)) -> Topology {
    topology.with(|files| change(files.network_interfaces.as_mut().unwrap().network_interfaces.last_mut().unwrap()))
}

#[test]
fn nat_instances() {
    let no_ingress = || nat_instance(vec![], vec![all_to("0.0.0.0/0")]);
    let no_egress = || nat_instance(vec![https_to("10.0.1.0/24")], vec![https_to("10.0.0.0/8")]);
    let by_group = || nat_instance(vec![https_group("sg-i")], vec![all_to("0.0.0.0/0")]);
    let acl = |entries: &[&str]| open().subnet_acl("subnet-u", entries);
    let in_from_outside = "100 in tcp 1024-65535 0.0.0.0/0 allow";
    let (to_it, out_from_it) = ("110 in tcp 443 10.0.1.0/24 allow", "100 out tcp 443 0.0.0.0/0 allow");
    let answers = "110 out tcp 1024-65535 10.0.1.0/24 allow";
    let private = || change(open(), |interface| interface.association = None);
    let inside = || change(open(), |interface| interface.subnet_id = some("subnet-e"));
    // Neither of the two has a public address.
    let second = || {
        private().with(|files| {
            let interfaces = &mut files.network_interfaces.as_mut().unwrap().network_interfaces;
            interfaces.push(ec2::NetworkInterface { network_interface_id: some("eni-nat-2"), ..interfaces[0].clone() });
        })
    };
    let shown_by_instance = || {
        private().with(|files| {
            let interfaces = vec![ec2::InstanceNetworkInterface::default(); 2];
            let instance = ec2::Instance { instance_id: some("i-nat"), network_interfaces: interfaces, ..Default::default() };
            let reservation = ec2::Reservation { instances: vec![instance], ..Default::default() };
            files.instances.as_mut().unwrap().reservations.push(reservation);
        })
    };
    // What another interface of it sends on crosses other subnets.
    let beside = || {
        second().with(|files| {
            let interfaces = &mut files.network_interfaces.as_mut().unwrap().network_interfaces;
            let own = interfaces.iter_mut().find(|own| own.network_interface_id.as_deref() == Some("eni-nat"));
            own.unwrap().subnet_id = some("subnet-p");
        })
    };
    check(vec![
        ("125", open(), Ssm, Unknown, &["os_forwarding"]),
        ("125, the user knows", vouched(open()), Ssm, Reachable, &[]),
        ("its group lets nobody in", no_ingress(), Ssm, Blocked, &["SG_HAS_NO_RULES"]),
        ("its group lets nobody in, whatever the user knows", vouched(no_ingress()), Ssm, Blocked, &["SG_HAS_NO_RULES"]),
        ("its group lets nothing out but perhaps a tunnel", vouched(no_egress()), Ssm, Unknown, &["os_tunnel"]),
        (
            "its group lets a part out but perhaps a tunnel",
            vouched(nat_instance(vec![https_to("10.0.0.0/16")], vec![https_to("52.0.0.0/8")])),
            Ssm,
            Unknown,
            &["os_tunnel"],
        ),
        ("its group names the instance's", vouched(by_group()), Ssm, Reachable, &[]),
        ("its network ACL denies", acl(&[]), Ssm, Blocked, &["SUBNET_ACL_RESTRICTION"]),
        ("its network ACL denies, whatever the user knows", vouched(acl(&[])), Ssm, Blocked, &["SUBNET_ACL_RESTRICTION"]),
        ("its network ACL lets answers in alone", acl(&[in_from_outside]), Ssm, Blocked, &["SUBNET_ACL_RESTRICTION"]),
        (
            "its network ACL lets all through that is needed",
            vouched(acl(&[
                in_from_outside,
                "110 in tcp 443 10.0.1.0/24 allow",
                "100 out tcp 443 0.0.0.0/0 allow",
                "110 out tcp 1024-65535 10.0.1.0/24 allow",
            ])),
            Ssm,
            Reachable,
            &[],
        ),
        ("without a public address", vouched(private()), Ssm, Unknown, &["os_tunnel"]),
        ("in a subnet that leads back to it", vouched(inside()), Ssm, Reachable, &[]),
        ("by another interface it may leave", vouched(second()), Ssm, Reachable, &[]),
        ("by another interface that only the instance shows", vouched(shown_by_instance()), Ssm, Reachable, &[]),
        ("its network ACL lets no answer out", acl(&[in_from_outside, to_it, out_from_it]), Ssm, Blocked, &["SUBNET_ACL_RESTRICTION"]),
        ("its network ACL lets nothing out to the internet", acl(&[in_from_outside, to_it, answers]), Ssm, Unknown, &["os_tunnel"]),
        ("in the instance's own subnet", vouched(beside()), Ssm, Reachable, &[]),
        ("there, where the network ACL sees neither of the ways", vouched(beside().subnet_acl("subnet-p", &[])), Ssm, Reachable, &[]),
    ]);
}

/// Once the instance's own group lets it out, a tunnel may yet bring it on.
#[test]
fn what_a_tunnel_may_pass_is_not_in_the_way_for_sure() {
    let shut = || nat_instance(vec![https_to("10.0.0.0/16")], vec![]);
    let no_acl = open().subnet_acl("subnet-u", &["100 in tcp 443 10.0.1.0/24 allow", "100 out tcp 1024-65535 10.0.1.0/24 allow"]);
    exact::check(vec![
        ("its group", shut(), Ssm, Unknown, &[], &["os_forwarding", "os_tunnel"]),
        ("and the instance's", shut().egress(&[]), Ssm, Blocked, &["SG_HAS_NO_RULES"], &[]),
        ("its network ACL, and the instance's group", no_acl.egress(&[]), Ssm, Blocked, &["SG_HAS_NO_RULES"], &[]),
    ]);
}

/// A gateway endpoint to which its subnet leads refuses nothing for sure: perhaps the traffic never gets there.
#[test]
fn what_may_pass_by_an_endpoint_is_not_refused_for_sure() {
    let nothing = r#"{"Version": "2012-10-17", "Statement": []}"#;
    let refusing = |topology: Topology| {
        topology.gateway_endpoint("rtb-u").each_endpoint(|endpoint| endpoint.policy_document = Some(nothing.to_owned()))
    };
    let shut = || nat_instance(vec![https_to("10.0.0.0/16")], vec![]);
    let is_refused = |topology: Topology| matches!(refusing(topology).path(S3).authorization, Authorization::Denied { .. });
    assert!(is_refused(vouched(open())), "it forwards, as the user says");
    assert!(!is_refused(open()), "nobody says that it does");
    assert!(!is_refused(vouched(shut())), "a tunnel alone gets away");
}

/// What comes by a transit gateway shows its group where the gateway and both attachments say so
/// (<https://docs.aws.amazon.com/vpc/latest/tgw/tgw-vpc-attachments.html#vpc-attachment-security>).
#[test]
fn a_nat_instance_of_the_hub_may_know_the_instance_by_its_group() {
    let in_hub = |ingress: Vec<IpPermission>| {
        let interface = ec2::NetworkInterface { vpc_id: some("vpc-h"), ..interface("eni-nat", "subnet-hu", "10.100.9.7") };
        let topology = by_gateway(vec![]).route("rtb-main", route_to("0.0.0.0/0", "tgw-1"));
        vouched(topology.hub_route("rtb-h-main", route_to("0.0.0.0/0", "eni-nat")).hub(|files| {
            files.network_interfaces.as_mut().unwrap().network_interfaces.push(interface);
            files.security_groups.as_mut().unwrap().security_groups.push(security_group("sg-nat", ingress, vec![all_to("0.0.0.0/0")]));
        }))
    };
    let by_group = |referencing: Option<&'static str>| {
        in_hub(vec![https_group("sg-i")]).attachments(move |each| {
            let security_group_referencing_support = referencing.map(str::to_owned);
            each.options = Some(ec2::TransitGatewayVpcAttachmentOptions { security_group_referencing_support, ..Default::default() });
        })
    };
    check(vec![
        ("by its addresses", in_hub(vec![https_to("10.0.0.0/16")]), Ssm, Reachable, &[]),
        ("by its group, which is shown as far as the attachment tells", by_group(Some("enable")), Ssm, Unknown, &["fact_not_collected"]),
        ("by its group, which is not shown", by_group(Some("disable")), Ssm, Blocked, &["SG_REFERENCING_SUPPORT"]),
        ("by its group, which may be shown", by_group(None), Ssm, Unknown, &["fact_not_collected"]),
    ]);
}

/// The instance takes its packages from a mirror at an address.
fn mirror(topology: Topology, address: &str) -> Topology {
    topology.patched_from(&[("mirror.corp", 443, AnsweredBy::Addresses(vec![format!("{address}/32").parse().unwrap()]))])
}

/// A mirror in the VPC, guarded by the group `sg-nat` with these rules.
pub(crate) fn mirror_beside(subnet: &str, address: &str, ingress: Vec<IpPermission>) -> Topology {
    mirror(with_interface(base(), interface("eni-mirror", subnet, address), ingress, vec![]), address)
}

/// A mirror in the hub, beside the attachment: its answers take the way of any other's.
#[test]
fn a_mirror_beside_the_attachment_answers_by_the_routes() {
    let interface = || ec2::NetworkInterface { vpc_id: some("vpc-h"), ..interface("eni-mirror", "subnet-hp", "10.100.1.50") };
    let in_hub = || {
        mirror(by_gateway(vec![]), "10.100.1.50").hub(|files| {
            files.network_interfaces.as_mut().unwrap().network_interfaces.push(interface());
            files.security_groups.as_mut().unwrap().security_groups.push(security_group("sg-nat", vec![https_to("10.0.0.0/16")], vec![]));
        })
    };
    check(vec![
        ("there and back", in_hub(), Repository, Reachable, &[]),
        ("its table has no way back", in_hub().without_hub_route("10.0.0.0/16"), Repository, Blocked, &["NO_ROUTE_TO_DESTINATION"]),
        ("the gateway has no way back", in_hub().without_gateway_route("10.0.0.0/16"), Repository, Unknown, &["asymmetric"]),
        (
            "the instance's network ACL lets no answer in",
            in_hub().subnet_acl("subnet-p", &["100 in tcp 443 0.0.0.0/0 allow", ALL_OUT]),
            Repository,
            Blocked,
            &["SUBNET_ACL_RESTRICTION"],
        ),
    ]);
    // The instance's own group is asked again at the host, and named once.
    let closed = in_hub().egress(&[]).path(Repository);
    let codes: Vec<&str> = closed.blockers.iter().map(|blocker| blocker.code.as_str()).collect();
    assert_eq!(codes, ["SG_HAS_NO_RULES"]);
}

/// A mirror at an address of the VPC.
#[test]
fn hosts_of_the_vpc() {
    let beside = mirror_beside;
    let open = || beside("subnet-e", "10.0.2.50", vec![https_to("10.0.1.0/24")]);
    let answers = "100 out tcp 32768-60999 10.0.1.0/24 allow";
    let among_others = || {
        open().with(|files| {
            let interfaces = &mut files.network_interfaces.as_mut().unwrap().network_interfaces;
            let other = |id: &str, address: &str| ec2::NetworkInterface {
                network_interface_id: some(id),
                private_ip_address: some(address),
                ..interfaces[0].clone()
            };
            let others = [other("eni-a", "10.0.2.51"), ec2::NetworkInterface { vpc_id: some("vpc-2"), ..other("eni-b", "10.0.2.50") }];
            interfaces.extend(others);
        })
    };
    check(vec![
        ("its group lets the instance in", open(), Repository, Reachable, &[]),
        ("its group names the instance's", beside("subnet-e", "10.0.2.50", vec![https_group("sg-i")]), Repository, Reachable, &[]),
        (
            "its group names another",
            beside("subnet-e", "10.0.2.50", vec![https_group("sg-nat")]),
            Repository,
            Blocked,
            &["ENI_SG_RULES_MISMATCH"],
        ),
        ("among other interfaces", among_others(), Repository, Reachable, &[]),
        (
            "its group lets others in",
            beside("subnet-e", "10.0.2.50", vec![https_to("10.9.0.0/16")]),
            Repository,
            Blocked,
            &["ENI_SG_RULES_MISMATCH"],
        ),
        ("its group lets nobody in", beside("subnet-e", "10.0.2.50", vec![]), Repository, Blocked, &["SG_HAS_NO_RULES"]),
        ("it is the instance itself", mirror(base().egress(&[]), "10.0.1.10"), Repository, Reachable, &[]),
        ("the instance lets nothing out", open().egress(&[https_to("10.0.3.0/24")]), Repository, Blocked, &["ENI_SG_RULES_MISMATCH"]),
        ("the instance's network ACL denies", open().subnet_acl("subnet-p", &[]), Repository, Blocked, &["SUBNET_ACL_RESTRICTION"]),
        ("its network ACL denies", open().subnet_acl("subnet-e", &[answers]), Repository, Blocked, &["SUBNET_ACL_RESTRICTION"]),
        (
            "its network ACL lets no answer out",
            open().subnet_acl("subnet-e", &["100 in tcp 443 10.0.1.0/24 allow"]),
            Repository,
            Blocked,
            &["SUBNET_ACL_RESTRICTION"],
        ),
        (
            "its network ACL lets both through",
            open().subnet_acl("subnet-e", &["100 in tcp 443 10.0.1.0/24 allow", answers]),
            Repository,
            Reachable,
            &[],
        ),
        (
            "in the instance's own subnet no network ACL counts",
            beside("subnet-p", "10.0.1.50", vec![https_to("10.0.1.0/24")]).subnet_acl("subnet-p", &[]),
            Repository,
            Reachable,
            &[],
        ),
        ("nobody has the address", mirror(base(), "10.0.2.51"), Repository, Unknown, &["unsupported_target"]),
        (
            "nobody has the address, and nothing gets there",
            mirror(base().subnet_acl("subnet-p", &[]), "10.0.2.51"),
            Repository,
            Blocked,
            &["SUBNET_ACL_RESTRICTION"],
        ),
    ]);
}

/// A DNS server behind an instance that forwards: what the server's own group refuses, only a tunnel brings there.
#[test]
fn a_dns_server_behind_a_forwarder() {
    let behind = |ingress: Vec<IpPermission>| {
        let topology = crate::dns_servers::server(ingress).route("rtb-main", route_to("10.0.2.0/24", "eni-nat"));
        let own = interface("eni-nat", "subnet-u", "10.0.9.7");
        with_interface(topology, own, vec![all_to("10.0.0.0/16")], vec![all_to("0.0.0.0/0")])
    };
    check(vec![
        ("its group lets all in", behind(vec![all_to("10.0.0.0/16")]), Ssm, Reachable, &[]),
        ("its group lets nobody in", behind(vec![]), Ssm, Unknown, &["os_tunnel"]),
    ]);
}

/// A rule that names a group means the addresses that have it, or may: of the VPC, or of the one behind a peering connection.
#[test]
fn whom_a_rule_for_a_group_means() {
    let open = || mirror_beside("subnet-e", "10.0.2.50", vec![https_to("10.0.1.0/24")]);
    // A rule for a group of the VPC behind the peering connection.
    let of_peer = || {
        let mut rule = https_group("sg-h-e");
        rule.user_id_group_pairs[0].vpc_peering_connection_id = some("pcx-1");
        rule
    };
    // Whatever has the address beyond, and whatever it carries.
    let by_forwarder = || self::open().egress(&[https_group("sg-i")]).route("rtb-main", route_to("10.0.2.0/24", "eni-nat"));
    check(vec![
        (
            "by way of another instance no rule means anybody by a group",
            mirror(by_forwarder(), "10.0.2.51"),
            Repository,
            Blocked,
            &["ENI_SG_RULES_MISMATCH"],
        ),
        ("the instance's group refers to the mirror's", open().egress(&[https_group("sg-nat")]), Repository, Reachable, &[]),
        ("the instance's group refers to another", open().egress(&[https_group("sg-i")]), Repository, Blocked, &["ENI_SG_RULES_MISMATCH"]),
        (
            "on the internet, which no group is",
            mirror(base().nat().egress(&[https_group("sg-nat")]), "93.184.216.34"),
            Repository,
            Blocked,
            &["ENI_SG_RULES_MISMATCH"],
        ),
        (
            "on the internet, which is beyond no peering connection",
            mirror(peered(vec![], "active").nat().egress(&[of_peer()]), "93.184.216.34"),
            Repository,
            Blocked,
            &["ENI_SG_RULES_MISMATCH"],
        ),
        (
            "beyond the peering connection, where nobody looks",
            mirror(peered(vec![], "active").egress(&[of_peer()]), "10.100.2.50"),
            Repository,
            Unknown,
            &["unsupported_target"],
        ),
        (
            "the instance's group refers to another, and to a list that was not read",
            open().egress(&[https_group("sg-i"), https_to_list("pl-unread")]),
            Repository,
            Unknown,
            &["fact_not_collected"],
        ),
        (
            "nobody has the address, and the instance's group refers to one",
            mirror(base().egress(&[https_group("sg-nat")]), "10.0.2.51"),
            Repository,
            Unknown,
            &["unsupported_target"],
        ),
    ]);
}
