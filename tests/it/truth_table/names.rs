//! The rows about names.

use patch_preflight::network::Target::{Ec2Messages, S3, Ssm, SsmMessages};
use patch_preflight::network::Verdict::{Blocked, Reachable, Unknown};

use super::{check, eps, full};
use crate::topology::{Topology, base, https_group, https_to, route_to};

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
        ("68", eps().dns_servers(&["10.9.9.9"]).nat().route("rtb-main", route_to("10.9.0.0/16", "vgw-1")), Ssm, Reachable, &[]),
        (
            "68, and the server is looked for on the internet",
            eps().dns_servers(&["10.9.9.9"]).nat(),
            Ssm,
            Blocked,
            &["IGW_DESTINATION_ADDRESS_NOT_IN_RFC1918_EGRESS"],
        ),
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
