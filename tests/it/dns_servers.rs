//! DNS servers of the user's own, by the VPC's DHCP options: whether they can be asked, and what stands in the VPC and answers for it.

use patch_preflight::network::Target::{S3, Ssm};
use patch_preflight::network::Verdict::{Blocked, Reachable, Unknown};

use crate::repositories::s3_interface_endpoint;
use crate::topology::{Topology, all_to, allow, base, https_to, route_to};
use crate::truth_table::check;

/// The instance asks this server.
fn asking(servers: &[&str]) -> Topology {
    base().nat().dns_servers(servers)
}

#[test]
fn a_server_must_be_reached() {
    let https_alone = |topology: Topology| topology.egress(&[https_to("0.0.0.0/0")]);
    let with = |more| asking(&["10.0.2.53"]).egress(&[https_to("0.0.0.0/0"), more]);
    let acl = |entries: &[&str]| asking(&["10.0.2.53"]).subnet_acl("subnet-p", entries);
    let everything = ["100 out tcp 0-65535 0.0.0.0/0 allow", "100 in tcp 0-65535 0.0.0.0/0 allow"];
    let and = |more: &[&'static str]| [everything.as_slice(), more].concat();
    check(vec![
        ("no group lets UDP 53 out", https_alone(asking(&["10.0.2.53"])), Ssm, Blocked, &["ENI_SG_RULES_MISMATCH"]),
        ("TCP 53 is no way to ask", with(allow("tcp", 53, 53, "0.0.0.0/0")), Ssm, Blocked, &["ENI_SG_RULES_MISMATCH"]),
        ("to another server", with(allow("udp", 53, 53, "10.0.3.0/24")), Ssm, Blocked, &["ENI_SG_RULES_MISMATCH"]),
        ("by another port", with(allow("udp", 54, 65535, "0.0.0.0/0")), Ssm, Blocked, &["ENI_SG_RULES_MISMATCH"]),
        ("a group lets UDP 53 out", with(allow("udp", 53, 53, "10.0.2.0/24")), Ssm, Reachable, &[]),
        ("by the protocol's number", with(allow("17", 53, 53, "10.0.2.53/32")), Ssm, Reachable, &[]),
        ("Amazon's resolver needs no rule", https_alone(base().nat()), Ssm, Reachable, &[]),
        ("nor does it beside another", https_alone(asking(&["10.0.2.53", "10.0.0.2"])), Ssm, Reachable, &[]),
        ("one of two can be asked", with(allow("udp", 53, 53, "10.0.9.9/32")).dns_servers(&["10.0.2.53", "10.0.9.9"]), Ssm, Reachable, &[]),
        ("the network ACL has no UDP", acl(&everything), Ssm, Blocked, &["SUBNET_ACL_RESTRICTION"]),
        ("it lets no answer in", acl(&and(&["110 out udp 53 0.0.0.0/0 allow"])), Ssm, Blocked, &["SUBNET_ACL_RESTRICTION"]),
        (
            "it lets both through",
            acl(&and(&["110 out udp 53 0.0.0.0/0 allow", "110 in udp 1024-65535 10.0.2.53/32 allow"])),
            Ssm,
            Reachable,
            &[],
        ),
        ("in the subnet itself no network ACL counts", asking(&["10.0.1.53"]).subnet_acl("subnet-p", &everything), Ssm, Reachable, &[]),
        ("nowhere near", asking(&["192.168.77.1"]).route("rtb-main", route_to("10.9.0.0/16", "vgw-1")), Ssm, Reachable, &[]),
        ("behind no route", base().gateway_endpoint("rtb-main").dns_servers(&["192.168.77.1"]), S3, Blocked, &["NO_ROUTE_TO_DESTINATION"]),
        (
            "a private address on the internet",
            base().route("rtb-main", route_to("0.0.0.0/0", "igw-1")).public_address().dns_servers(&["192.168.77.1"]),
            Ssm,
            Blocked,
            &["NO_ROUTE_TO_DESTINATION"],
        ),
        (
            "a public address on the internet",
            base().route("rtb-main", route_to("0.0.0.0/0", "igw-1")).public_address().dns_servers(&["9.9.9.9"]),
            Ssm,
            Reachable,
            &[],
        ),
    ]);
}

/// S3's endpoint may be private to inbound resolver endpoints alone, and a server in the VPC may be one.
#[test]
fn an_inbound_endpoint_answers_with_what_is_private() {
    let closed = |topology: Topology| {
        s3_interface_endpoint(topology, "ipv4").gateway_endpoint("rtb-main").endpoint_ingress(&[]).each_endpoint(|each| {
            if let Some(options) = &mut each.dns_options {
                options.private_dns_only_for_inbound_resolver_endpoint = Some(true);
            }
        })
    };
    let open = |topology: Topology| closed(topology).endpoint_ingress(&[https_to("10.0.0.0/16"), all_to("10.0.0.0/16")]);
    check(vec![
        ("Amazon's resolver", closed(base()), S3, Reachable, &[]),
        ("a server in the VPC", closed(base().dns_servers(&["10.0.2.99"])), S3, Unknown, &["custom_dns"]),
        ("a server in the VPC, and whichever answers is reached", open(base().dns_servers(&["10.0.2.99"])), S3, Reachable, &[]),
        ("a server elsewhere", closed(asking(&["192.168.77.1"])), S3, Reachable, &[]),
    ]);
}
