//! The addresses behind a public name, as a set that surely contains them.

use std::sync::LazyLock;

use ipnet::Ipv4Net;

use super::set::IntervalSet;
use super::verdict::{Destination, Target};
use crate::model::Region;

/// A target's addresses, and whether each of them is an answer that DNS may give.
#[derive(Debug, Clone)]
pub(super) struct Addresses {
    pub(super) set: IntervalSet,
    pub(super) is_exact: bool,
    pub(super) destination: Destination,
}

/// IPv4 blocks that no public service answers from (<https://www.iana.org/assignments/iana-ipv4-special-registry>).
const NOT_PUBLIC: [&str; 14] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
];

static PUBLIC: LazyLock<IntervalSet> = LazyLock::new(|| {
    let blocks: Vec<Ipv4Net> = NOT_PUBLIC.iter().filter_map(|block| block.parse().ok()).collect();
    IntervalSet::everything().difference(&IntervalSet::nets(&blocks))
});

/// The public addresses of a service: for S3 the Region's prefix list, for the others every public address less those of S3 and
/// `DynamoDB`, which have lists of their own.
pub(super) fn public_addresses(region: &Region<'_>, target: Target) -> Addresses {
    if target == Target::S3
        && let Some((id, list)) = region.service_prefix_list("s3")
        && let Some(entries) = list.entries.as_ref().filter(|entries| !entries.is_empty())
    {
        return Addresses { set: IntervalSet::nets(entries), is_exact: true, destination: Destination::PrefixList(id.to_owned()) };
    }
    let mut set = PUBLIC.clone();
    if target != Target::S3 {
        for service in ["s3", "dynamodb"] {
            let entries = region.service_prefix_list(service).and_then(|(_, list)| list.entries.as_ref());
            set = set.difference(&entries.map(IntervalSet::nets).unwrap_or_default());
        }
    }
    Addresses { set, is_exact: false, destination: Destination::Internet }
}

/// The name that the agent resolves.
pub(super) fn host(region: &str, target: Target) -> String {
    let suffix = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    format!("{}.{region}.{suffix}", target.service())
}

/// A name that is really asked for: of S3 a bucket's, which lies below the service's
/// (<https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-operations-s3-buckets.html>).
pub(super) fn asked_host(region: &str, target: Target) -> String {
    let host = host(region, target);
    if target == Target::S3 { format!("aws-ssm-{region}.{host}") } else { host }
}
