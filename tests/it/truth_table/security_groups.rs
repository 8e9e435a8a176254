//! The rows about security groups.

use patch_preflight::network::Target::{S3, Ssm};
use patch_preflight::network::Verdict::{Blocked, Partial, Reachable, Unknown};

use super::{check, eps, full};
use crate::topology::{Topology, all_to, allow, base, https_group, https_to, https_to_list, https_v6, security_group};

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
