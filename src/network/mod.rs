//! May this instance open this flow? Name → addresses → route → security groups and network ACLs, both ways → the next hop.
//!
//! Targets are sets of addresses, and so the answer is a set of flows: all of them pass (reachable), none (blocked), or some (partial).
//! What is not known is carried as two sets, the flows that surely pass and those that may; the verdict is taken once, at the end.

mod boundary;
mod class;
mod dns;
mod dns_firewall;
mod dns_server;
mod edges;
mod egress;
mod encryption;
mod endpoint_policy;
mod forwarding;
mod goal;
mod host;
mod hosted_zone;
mod ingress;
mod interface_endpoint;
mod internet;
mod journey;
mod local;
mod nat;
mod nat_instance;
mod network_acl;
mod next_hop;
mod path;
mod peering;
mod position;
mod private_dns;
mod protocol;
mod repository;
mod route;
mod security_group;
mod set;
mod source;
mod trace;
mod transit_answers;
mod transit_gateway;
mod transit_route;
mod verdict;
mod world;

use std::sync::Arc;

use crate::model::known::Unknown;

pub use class::Network;
pub use endpoint_policy::DEFAULT_ENDPOINT_POLICY;
pub use forwarding::dependents;
pub use goal::{AnsweredBy, Buckets, Goal, PolicyBucket, Requests};
pub use position::vpc_nets;
pub use repository::{Alternative, Sources, Wanted};
pub use set::{FlowSet, IntervalSet};
pub use verdict::{Authorization, Blocker, Code, Decision, Destination, Hop, HopKind, Path, Place, Target, Verdict, Via};

/// From which ports an operating system opens connections (<https://docs.aws.amazon.com/vpc/latest/userguide/vpc-network-acls.html#nacl-ephemeral-ports>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PortFamily {
    /// 32768–60999, the kernel's default.
    Linux,
    /// 49152–65535: Windows Server 2008 and later, and macOS.
    WindowsOrMac,
    /// Either of them.
    Unknown,
}

impl PortFamily {
    fn ranges(self) -> &'static [(u16, u16)] {
        match self {
            Self::Linux => &[(32768, 60999)],
            Self::WindowsOrMac => &[(49152, 65535)],
            Self::Unknown => &[(32768, 60999), (49152, 65535)],
        }
    }
}

/// What decides whether an instance needs ec2messages at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ec2Messages {
    /// Whether the Region has the service.
    pub exists: bool,
    /// Whether the agent is known to switch ec2messages off where it reaches ssmmessages: it is at version 3.3.40.0 or later, and its role lets it
    /// into ssmmessages.
    pub agent_prefers_ssmmessages: bool,
}

/// Everything that is said of an instance's paths.
#[derive(Debug, Clone)]
pub struct Judged {
    /// To the services, in the order of [`Target::SERVICES`] and of S3 to each name that is needed, then to each port of each host that patches
    /// come from.
    pub paths: Vec<Arc<Path>>,
    /// The one verdict over the names of S3 under which AWS keeps what every patch run reads.
    pub s3: Path,
    /// The same over the buckets of the patch policies.
    pub policy_buckets: Option<Path>,
    /// The one verdict over all that patches need: host and port are those that decide it.
    pub repository: Path,
}

/// What an instance needs, as far as it is known.
#[derive(Debug, Clone)]
pub struct Needs {
    pub ports: PortFamily,
    pub ec2messages: Ec2Messages,
    pub sources: Sources,
    /// The buckets that patching reads; `None` where AWS does not publish their names.
    pub buckets: Option<Buckets>,
    /// The buckets of the patch policies that target it, or that may, with what would settle that.
    pub policy_buckets: Vec<(PolicyBucket, Option<Unknown>)>,
}

impl Needs {
    fn of_s3(&self, region: &str) -> Vec<Wanted> {
        let buckets = self.buckets.as_ref();
        let goals = std::iter::once(Goal::of_service(region, Target::S3, buckets)).chain(Goal::of_payload(region, buckets));
        goals.map(|goal| Wanted { goal, perhaps: None }).collect()
    }

    /// The names that the bucket of the snapshots has, and may have.
    fn of_snapshots(&self, region: &str) -> Vec<Wanted> {
        let buckets = self.buckets.as_ref();
        let named = Goal::of_snapshot(region, buckets).map(|goal| Wanted { goal, perhaps: None });
        let without_region = Goal::of_snapshot_without_region(region, buckets).map(|goal| {
            let settled_by = format!(
                "look at SnapshotDownloadUrl of aws ssm get-deployable-patch-snapshot-for-instance: AWS's example has {}",
                goal.host
            );
            Wanted { goal, perhaps: Some(Unknown::new("snapshot_host", region, settled_by)) }
        });
        named.into_iter().chain(without_region).collect()
    }

    fn of_policy_buckets(&self, region: &str) -> Vec<Wanted> {
        let wanted = |(bucket, perhaps): &(PolicyBucket, Option<Unknown>)| Wanted {
            goal: Goal::of_policy_bucket(region, bucket),
            perhaps: perhaps.clone(),
        };
        self.policy_buckets.iter().map(wanted).collect()
    }
}

/// The path of an instance whose place in the network is not known.
fn nowhere(goal: &Goal, why: &[Unknown]) -> Path {
    Path {
        target: goal.target,
        host: goal.host.clone(),
        port: goal.port,
        verdict: Verdict::Unknown,
        via: Via::None,
        blockers: Vec::new(),
        unknowns: why.to_vec(),
        hops: Vec::new(),
        authorization: Authorization::Allowed,
        notes: Vec::new(),
    }
}
