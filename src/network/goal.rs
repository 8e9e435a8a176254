//! What an instance asks for: a name, a port, and where the answers come from, as a set that surely contains them.

use std::sync::LazyLock;

use ipnet::IpNet;

use super::set::IntervalSet;
use super::verdict::{Destination, Target};
use crate::model::Region;

/// A service that an instance must reach.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Goal {
    pub target: Target,
    /// The name that is asked for, as the report prints it.
    pub host: String,
    /// A name that is really asked for: of S3 a bucket's, which lies below the service's
    /// (<https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-operations-s3-buckets.html>).
    pub asked: String,
    /// TCP.
    pub port: u16,
    pub answered_by: AnsweredBy,
    /// Whether the public name has an IPv6 address; `None` when that is not known.
    pub has_ipv6: Option<bool>,
    /// Whether the instance asks DNS for it; what stands on the node as an address it does not.
    pub is_resolved: bool,
}

/// Who has the addresses behind a public name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum AnsweredBy {
    /// A service of AWS's that an interface endpoint may answer for, under this name.
    Service(&'static str),
    /// S3, under the names that an interface endpoint may answer for.
    S3,
    /// S3 under its dual-stack names, which an interface endpoint for IPv4 does not answer for.
    DualStackS3,
    /// Anybody on the internet: no endpoint can carry it.
    Internet,
    /// A host of the user's own, at these addresses.
    Addresses(Vec<IpNet>),
}

impl AnsweredBy {
    /// How the name of a VPC endpoint's service ends.
    pub(super) fn service(&self) -> Option<&'static str> {
        match self {
            Self::Service(service) => Some(service),
            Self::S3 | Self::DualStackS3 => Some("s3"),
            Self::Internet | Self::Addresses(_) => None,
        }
    }

    pub(super) fn is_s3(&self) -> bool {
        matches!(self, Self::S3 | Self::DualStackS3)
    }
}

impl Goal {
    /// A service that every managed instance needs.
    pub fn of_service(region: &str, target: Target) -> Self {
        let suffix = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        let service = target.service();
        let host = format!("{service}.{region}.{suffix}");
        let (asked, answered_by) = match target {
            Target::S3 => (format!("aws-ssm-{region}.{host}"), AnsweredBy::S3),
            _ => (host.clone(), AnsweredBy::Service(service)),
        };
        // The names in amazonaws.com have IPv4 addresses alone (<https://docs.aws.amazon.com/general/latest/gr/ssm.html>).
        Self { target, host, asked, port: 443, answered_by, has_ipv6: Some(false), is_resolved: true }
    }

    /// A host that patches come from; `*.` before it stands for any name below it.
    pub fn of_repository(host: &str, port: u16, answered_by: AnsweredBy, has_ipv6: Option<bool>, is_resolved: bool) -> Self {
        let asked = host.strip_prefix("*.").unwrap_or(host).to_owned();
        Self { target: Target::Repository, host: host.to_owned(), asked, port, answered_by, has_ipv6, is_resolved }
    }
}

/// The addresses of a goal, and whether each of them is an answer that DNS may give.
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

fn blocks(text: &[&str]) -> IntervalSet {
    let nets: Vec<IpNet> = text.iter().filter_map(|block| block.parse().ok()).collect();
    IntervalSet::nets(&nets)
}

static PUBLIC_IPV4: LazyLock<IntervalSet> = LazyLock::new(|| blocks(&["0.0.0.0/0"]).difference(&blocks(&NOT_PUBLIC)));

/// Global unicast, less what is for documentation (<https://www.iana.org/assignments/iana-ipv6-special-registry>).
static PUBLIC_IPV6: LazyLock<IntervalSet> = LazyLock::new(|| blocks(&["2000::/3"]).difference(&blocks(&["2001:db8::/32", "2002::/16"])));

/// The public IPv4 addresses: for S3 the Region's prefix list, for the others every public address less those of S3 and `DynamoDB`, which
/// have lists of their own.
pub(super) fn public_ipv4(region: &Region<'_>, answered_by: &AnsweredBy) -> Addresses {
    if let AnsweredBy::Addresses(blocks) = answered_by {
        let set = IntervalSet::nets(blocks);
        return Addresses { set, is_exact: true, destination: Destination::Internet };
    }
    if answered_by.is_s3()
        && let Some((id, list)) = region.service_prefix_list("s3")
        && let Some(entries) = list.entries.as_ref().filter(|entries| entries.iter().any(|entry| entry.addr().is_ipv4()))
    {
        let set = IntervalSet::nets(entries.iter().filter(|entry| entry.addr().is_ipv4()));
        return Addresses { set, is_exact: true, destination: Destination::PrefixList(id.to_owned()) };
    }
    let mut set = PUBLIC_IPV4.clone();
    if !answered_by.is_s3() {
        for service in ["s3", "dynamodb"] {
            let entries = region.service_prefix_list(service).and_then(|(_, list)| list.entries.as_ref());
            set = set.difference(&entries.map(IntervalSet::nets).unwrap_or_default());
        }
    }
    Addresses { set, is_exact: false, destination: Destination::Internet }
}

/// The public IPv6 addresses: which of them a service has, no list tells.
pub(super) fn public_ipv6(vpc_blocks: &[IpNet]) -> Addresses {
    // The VPC's own block is public too, and no service of anybody else's is in it.
    Addresses { set: PUBLIC_IPV6.difference(&IntervalSet::nets(vpc_blocks)), is_exact: false, destination: Destination::InternetIpv6 }
}

/// What DNS64 makes of the public IPv4 addresses (<https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-nat64-dns64.html>).
pub(super) fn by_nat64(region: &Region<'_>, answered_by: &AnsweredBy) -> Addresses {
    let ipv4 = public_ipv4(region, answered_by);
    Addresses { set: ipv4.set.to_nat64(), destination: Destination::Nat64, ..ipv4 }
}
