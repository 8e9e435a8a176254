//! The rows that lead through peering connections.

use patch_preflight::network::Target::{S3, Ssm};
use patch_preflight::network::Verdict::{Blocked, Reachable, Unknown};

use super::{peered, peered_across_regions};
use crate::topology::{ALL_OUT, blackhole, https_group, https_to, some};
use crate::truth_table::check;

#[test]
fn peering() {
    let from_group = || vec![https_group("sg-i")];
    let stale = || {
        peered(from_group(), "active").hub(|files| {
            let rules = files.security_groups.as_mut().unwrap().security_groups.iter_mut().flat_map(|group| &mut group.ip_permissions);
            for pair in rules.flat_map(|rule| &mut rule.user_id_group_pairs) {
                pair.peering_status = some("deleted");
            }
        })
    };
    let inspected = peered(vec![https_to("10.0.0.0/16")], "active").without_hub_route("10.0.0.0/16");
    check(vec![
        ("36", peered(from_group(), "active"), Ssm, Reachable, &[]),
        ("36, by block", peered(vec![https_to("10.0.1.0/24")], "active"), Ssm, Reachable, &[]),
        (
            "36, the instance's egress names the hub's group",
            peered(from_group(), "active").egress(&[https_group("sg-h-e")]),
            Ssm,
            Reachable,
            &[],
        ),
        ("36, by a rule that has outlived its connection", stale(), Ssm, Blocked, &["ENI_SG_RULES_MISMATCH"]),
        ("37", peered_across_regions(from_group()), Ssm, Blocked, &["ENI_SG_RULES_MISMATCH"]),
        ("37, by block", peered_across_regions(vec![https_to("10.0.0.0/16")]), Ssm, Reachable, &[]),
        ("92", peered(from_group(), "active"), Ssm, Reachable, &[]),
        ("92", peered(from_group(), "active").hub_endpoint("vpce-h-s3", "Gateway"), S3, Blocked, &["NO_ROUTE_TO_DESTINATION"]),
        ("115", inspected, Ssm, Blocked, &["NO_ROUTE_TO_DESTINATION"]),
        ("116", peered(from_group(), "expired"), Ssm, Blocked, &["BAD_STATE"]),
        (
            "116, by its route",
            peered(from_group(), "expired").with(|files| {
                let table = &mut files.route_tables.as_mut().unwrap().route_tables[0];
                table.routes.retain(|route| route.vpc_peering_connection_id.is_none());
                table.routes.push(blackhole("10.100.0.0/16", "pcx-1"));
            }),
            Ssm,
            Blocked,
            &["BAD_STATE_ROUTE"],
        ),
        (
            "the hub's account was not collected",
            {
                let mut alone = peered(from_group(), "active");
                alone.others.clear();
                alone
            },
            Ssm,
            Unknown,
            &["private_zone_record"],
        ),
        (
            "the network ACL of the hub's endpoints",
            peered(from_group(), "active").hub_acl("subnet-he", &["100 in tcp 443 10.0.1.0/24 deny", ALL_OUT]),
            Ssm,
            Blocked,
            &["SUBNET_ACL_RESTRICTION"],
        ),
    ]);
}
