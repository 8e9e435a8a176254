//! What a fact's absence does to a path: it never makes one better.

use patch_preflight::network::Target::Ssm;
use patch_preflight::network::Verdict::{Blocked, Reachable, Unknown};
use patch_preflight::snapshot::ec2::VpcCidrBlockAssociation;

use crate::topology::{Topology, all_v6, base, blackhole, some};
use crate::truth_table::check;

/// The internet in two halves to an endpoint of a firewall that is gone, by a list of the customer's.
fn by_dead_firewall() -> Topology {
    let route = blackhole("pl-halves", "vpce-gone");
    base().nat().prefix_list("pl-halves", &["0.0.0.0/1", "128.0.0.0/1"]).route("rtb-main", route)
}

#[test]
fn a_list_without_its_entries_is_no_list_of_awss() {
    let without_entries = || by_dead_firewall().with(|files| files.prefix_list_entries = None);
    let without_lists = || without_entries().with(|files| files.managed_prefix_lists = None);
    let with_empty_entries = || {
        without_lists()
            .with(|files| files.prefix_list_entries = Some(patch_preflight::snapshot::ec2::GetManagedPrefixListEntries::default()))
    };
    let without_endpoints = || without_lists().with(|files| files.vpc_endpoints = None);
    check(vec![
        ("all is known", by_dead_firewall(), Ssm, Blocked, &["BAD_STATE_ROUTE"]),
        ("the entries are not", without_entries(), Ssm, Unknown, &["fact_not_collected"]),
        ("nor the lists", without_lists(), Ssm, Unknown, &["fact_not_collected"]),
        ("no entries were seen", with_empty_entries(), Ssm, Unknown, &["fact_not_collected"]),
        ("nor the endpoints", without_endpoints(), Ssm, Unknown, &["fact_not_collected"]),
        // A gateway endpoint's list is AWS's, whatever it holds.
        ("a gateway endpoint's", base().nat().gateway_endpoint("rtb-main").with(|files| files.prefix_lists = None), Ssm, Reachable, &[]),
    ]);
}

#[test]
fn block_public_access_without_a_mode_is_not_off() {
    let without_mode = base().nat().with(|files| {
        files.block_public_access.as_mut().unwrap().vpc_block_public_access_options.internet_gateway_block_mode = None;
    });
    check(vec![("no mode is told", without_mode, Ssm, Unknown, &["fact_not_collected"])]);
}

/// A VPC may have blocks of public addresses: no service is in them, so that they are no part of the way out.
#[test]
fn the_vpcs_own_blocks_are_no_services() {
    let of_public_addresses = base().nat().with(|files| {
        let vpc = &mut files.vpcs.as_mut().unwrap().vpcs[0];
        vpc.cidr_block_association_set = vec![VpcCidrBlockAssociation { cidr_block: some("21.5.0.0/16"), ..Default::default() }];
    });
    check(vec![("a second block of public addresses", of_public_addresses, Ssm, Reachable, &[])]);
}

/// IPv6 blocks hold no IPv4 address, also where those stand for IPv4 ones.
#[test]
fn a_rule_of_one_family_lets_no_other_out() {
    let mapped = || base().nat().egress(&[all_v6("::ffff:0:0/97"), all_v6("::ffff:8000:0/97")]);
    check(vec![("IPv4 as IPv6 maps it", mapped(), Ssm, Blocked, &["ENI_SG_RULES_MISMATCH"])]);
}
