//! What an instance asks for: a name, a port, and where the answers come from, as a set that surely contains them.

use std::net::IpAddr;
use std::sync::LazyLock;

use ipnet::IpNet;

use super::protocol::Protocol;
use super::set::{IPV4, IntervalSet};
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
    pub(super) protocol: Protocol,
    pub port: u16,
    pub answered_by: AnsweredBy,
    /// The zone with which the private DNS of an endpoint for the service answers, if the name lies in one.
    pub private_zone: Option<String>,
    /// Whether the public name has an IPv6 address; `None` when that is not known.
    pub has_ipv6: Option<bool>,
    /// Whether the instance asks DNS for it; what stands on the node as an address it does not.
    pub is_resolved: bool,
    /// What it asks for there, which the policy of an endpoint must allow.
    pub requests: Requests,
}

/// What an instance asks a service for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Requests {
    /// Nothing that an endpoint's policy could refuse.
    None,
    /// Objects of these buckets of AWS's.
    OfAws(Buckets),
    /// Objects of buckets whose names AWS does not publish.
    UnknownBuckets,
    /// Objects of a bucket of the organization's, as the instance's role; `owner` is the bucket's account, where it is known.
    OfRole { bucket: String, owner: Option<String> },
    /// These actions, as the instance's role.
    Signed(Vec<&'static str>),
}

/// Buckets of AWS's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Buckets {
    /// Read without a signature.
    pub unsigned: Vec<String>,
    /// Read by an address that AWS has signed, as `SnapshotDownloadUrl` of
    /// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetDeployablePatchSnapshotForInstance.html>.
    pub presigned: Option<String>,
}

/// What the agent asks Systems Manager for in a run of a patch policy, which is an association: of AWS's own policy for managed nodes what a run
/// cannot do without
/// (<https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonSSMManagedInstanceCore.html>).
const SSM: [&str; 9] = [
    "ssm:UpdateInstanceInformation",
    "ssm:ListInstanceAssociations",
    "ssm:DescribeAssociation",
    "ssm:GetDocument",
    "ssm:DescribeDocument",
    "ssm:GetDeployablePatchSnapshotForInstance",
    "ssm:PutInventory",
    "ssm:PutComplianceItems",
    "ssm:UpdateInstanceAssociationStatus",
];
const SSM_MESSAGES: [&str; 4] =
    ["ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel", "ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel"];
const EC2_MESSAGES: [&str; 6] = [
    "ec2messages:AcknowledgeMessage",
    "ec2messages:DeleteMessage",
    "ec2messages:FailMessage",
    "ec2messages:GetEndpoint",
    "ec2messages:GetMessages",
    "ec2messages:SendReply",
];

/// The bucket in which Quick Setup keeps the baselines of a patch policy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PolicyBucket {
    /// `*` stands for what is not known of it.
    pub name: String,
    /// The account whose it is; `None` where that is not known.
    pub owner: Option<String>,
    /// Where it stands; `*` for any Region but the instance's.
    pub region: String,
}

const COMMERCIAL: &str = "amazonaws.com";

/// What the names of AWS's services in a Region end with (<https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html>).
fn domain(region: &str) -> &'static str {
    match region.split('-').next() {
        Some("cn") => "amazonaws.com.cn",
        Some("eusc") => "amazonaws.eu",
        _ => COMMERCIAL,
    }
}

/// Who has the addresses behind a public name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum AnsweredBy {
    /// A service of AWS's that an interface endpoint may answer for, under this name.
    Service(&'static str),
    /// S3, under the names that an interface endpoint may answer for.
    S3,
    /// S3 in another Region, under the names that an interface endpoint for that Region may answer for; `*` where it is not known which one.
    S3Elsewhere(String),
    /// S3 under its dual-stack names, which an interface endpoint for IPv4 does not answer for.
    DualStackS3,
    /// Anybody on the internet: no endpoint can carry it.
    Internet,
    /// A host of the user's own, at these addresses.
    Addresses(Vec<IpNet>),
    /// A host of the user's own, whose addresses nobody told.
    Undeclared,
}

impl AnsweredBy {
    /// How the name of a VPC endpoint's service ends.
    pub(super) fn service(&self) -> Option<&'static str> {
        match self {
            Self::Service(service) => Some(service),
            Self::S3 | Self::DualStackS3 | Self::S3Elsewhere(_) => Some("s3"),
            Self::Internet | Self::Addresses(_) | Self::Undeclared => None,
        }
    }

    /// S3 in the instance's Region.
    pub(super) fn is_s3(&self) -> bool {
        matches!(self, Self::S3 | Self::DualStackS3)
    }
}

impl Goal {
    /// Whether it is the host at an address, and no other.
    pub(super) fn is_at(&self, address: IpAddr) -> bool {
        matches!(&self.answered_by, AnsweredBy::Addresses(nets) if IntervalSet::nets(nets).difference(&IntervalSet::address(address)).is_empty())
    }

    /// A service that every managed instance needs. `buckets` are those of S3 that patching reads in the Region, `None` where their names are not
    /// known.
    pub fn of_service(region: &str, target: Target, buckets: Option<&Buckets>) -> Self {
        let suffix = domain(region);
        let service = target.service();
        let host = format!("{service}.{region}.{suffix}");
        let (asked, answered_by) = match target {
            Target::S3 => (format!("aws-ssm-{region}.{host}"), AnsweredBy::S3),
            _ => (host.clone(), AnsweredBy::Service(service)),
        };
        let requests = match target {
            Target::Ssm => Requests::Signed(SSM.to_vec()),
            Target::SsmMessages => Requests::Signed(SSM_MESSAGES.to_vec()),
            Target::Ec2Messages => Requests::Signed(EC2_MESSAGES.to_vec()),
            Target::S3 => buckets.map_or(Requests::UnknownBuckets, |buckets| Requests::OfAws(buckets.clone())),
            Target::Repository => Requests::None,
        };
        // The names in amazonaws.com have IPv4 addresses alone (<https://docs.aws.amazon.com/general/latest/gr/ssm.html>).
        let private_zone = Some(host.clone());
        Self {
            target,
            host,
            asked,
            protocol: Protocol::Tcp,
            port: 443,
            answered_by,
            private_zone,
            has_ipv6: Some(false),
            is_resolved: true,
            requests,
        }
    }

    /// From where a patch run downloads the snapshot of its baseline: a bucket of S3 by its own name
    /// (<https://docs.aws.amazon.com/cli/latest/reference/ssm/get-deployable-patch-snapshot-for-instance.html>, the example). `None` where AWS does
    /// not publish which bucket that is.
    pub fn of_snapshot(region: &str, buckets: Option<&Buckets>) -> Option<Self> {
        let bucket = buckets?.presigned.clone()?;
        let of_s3 = Self::of_service(region, Target::S3, None);
        let host = format!("{bucket}.{}", of_s3.host);
        let requests = Requests::OfAws(Buckets { presigned: Some(bucket), ..Buckets::default() });
        Some(Self { asked: host.clone(), host, requests, ..of_s3 })
    }

    /// The same by the old name without a Region, which the example has in us-east-1. No endpoint answers for it
    /// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/privatelink-interface-endpoints.html>).
    pub fn of_snapshot_without_region(region: &str, buckets: Option<&Buckets>) -> Option<Self> {
        let named = Self::of_snapshot(region, buckets).filter(|_| region == "us-east-1")?;
        let host = format!("{}.s3.{COMMERCIAL}", buckets?.presigned.as_ref()?);
        Some(Self { asked: host.clone(), host, private_zone: None, ..named })
    }

    /// From where a patch run downloads its program, on every operating system: S3 by its dual-stack name, the bucket in the path
    /// (<https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-troubleshooting.html>, "Unable to download payload").
    /// `None` where it is asked for by the plain name.
    pub fn of_payload(region: &str, buckets: Option<&Buckets>) -> Option<Self> {
        let has_dual_stack = domain(region) == COMMERCIAL && !region.starts_with("us-gov-");
        let host = format!("s3.dualstack.{region}.{COMMERCIAL}");
        let of_s3 = Self::of_service(region, Target::S3, buckets);
        let private_zone = Some(host.clone());
        let payload = Self { asked: host.clone(), host, private_zone, answered_by: AnsweredBy::DualStackS3, has_ipv6: Some(true), ..of_s3 };
        has_dual_stack.then_some(payload)
    }

    /// The bucket of a patch policy, which the run reads as the instance's role; `region` is the instance's.
    pub fn of_policy_bucket(region: &str, bucket: &PolicyBucket) -> Self {
        let zone = format!("s3.{}.{}", bucket.region, domain(&bucket.region));
        let host = format!("{}.{zone}", bucket.name);
        let answered_by = if bucket.region == region { AnsweredBy::S3 } else { AnsweredBy::S3Elsewhere(bucket.region.clone()) };
        let requests = Requests::OfRole { bucket: bucket.name.clone(), owner: bucket.owner.clone() };
        Self {
            target: Target::S3,
            asked: host.clone(),
            host,
            protocol: Protocol::Tcp,
            port: 443,
            answered_by,
            private_zone: Some(zone),
            has_ipv6: Some(false),
            is_resolved: true,
            requests,
        }
    }

    /// A host that patches come from; `*.` before it stands for any name below it.
    pub fn of_repository(host: &str, port: u16, answered_by: AnsweredBy, has_ipv6: Option<bool>, is_resolved: bool) -> Self {
        // A bucket's name comes before `.s3.`; where there is none, the whole host is the bucket's name, and lies in no endpoint's zone.
        let of_bucket = host.split_once(".s3.");
        let bucket = of_bucket.map_or(host, |(bucket, _)| bucket).to_owned();
        let is_of_s3 = answered_by.is_s3();
        let private_zone = of_bucket.filter(|_| is_of_s3).map(|(_, rest)| format!("s3.{rest}"));
        let requests = if is_of_s3 { Requests::OfAws(Buckets { unsigned: vec![bucket], presigned: None }) } else { Requests::None };
        let (host, asked) = (host.to_owned(), host.to_owned());
        Self {
            target: Target::Repository,
            host,
            asked,
            protocol: Protocol::Tcp,
            port,
            answered_by,
            private_zone,
            has_ipv6,
            is_resolved,
            requests,
        }
    }

    /// A DNS server of the user's own.
    pub(super) fn of_dns_server(server: IpAddr, protocol: Protocol) -> Self {
        let host = server.to_string();
        let answered_by = AnsweredBy::Addresses(vec![IpNet::from(server)]);
        Self { protocol, ..Self::of_repository(&host, 53, answered_by, None, false) }
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

/// The IPv4 addresses that no internet gateway sends on.
pub(super) fn not_public_ipv4() -> IntervalSet {
    IntervalSet::range(IPV4.0, IPV4.1).difference(&PUBLIC_IPV4)
}

/// Global unicast, less what is for documentation (<https://www.iana.org/assignments/iana-ipv6-special-registry>).
static PUBLIC_IPV6: LazyLock<IntervalSet> = LazyLock::new(|| blocks(&["2000::/3"]).difference(&blocks(&["2001:db8::/32", "2002::/16"])));

/// The public IPv4 addresses: for S3 the Region's prefix list, for the others every public address less those of S3, S3 Express and
/// `DynamoDB`, which have lists of their own.
pub(super) fn public_ipv4(region: &Region<'_>, vpc_blocks: &[IpNet], answered_by: &AnsweredBy) -> Addresses {
    if let AnsweredBy::Addresses(blocks) = answered_by {
        let destination = Destination::Blocks(blocks.iter().map(ToString::to_string).collect());
        return Addresses { set: IntervalSet::nets(blocks), is_exact: true, destination };
    }
    if answered_by.is_s3()
        && let Some((id, list)) = region.service_prefix_list("s3")
        && let Some(entries) = list.entries.as_ref().filter(|entries| entries.iter().any(|entry| entry.addr().is_ipv4()))
    {
        let set = IntervalSet::nets(entries.iter().filter(|entry| entry.addr().is_ipv4()));
        return Addresses { set, is_exact: true, destination: Destination::PrefixList(id.to_owned()) };
    }
    // A VPC may have blocks of public addresses, and no service of anybody else's is in them.
    let mut set = PUBLIC_IPV4.difference(&IntervalSet::nets(vpc_blocks));
    if !answered_by.is_s3() {
        for service in ["s3", "dynamodb", "s3express"] {
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
pub(super) fn by_nat64(region: &Region<'_>, vpc_blocks: &[IpNet], answered_by: &AnsweredBy) -> Addresses {
    let ipv4 = public_ipv4(region, vpc_blocks, answered_by);
    Addresses { set: ipv4.set.to_nat64(), destination: Destination::Nat64, ..ipv4 }
}
