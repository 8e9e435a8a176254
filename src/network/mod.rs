//! May this instance open this flow? Name → addresses → route → security groups and network ACLs, both ways → the next hop.
//!
//! Targets are sets of addresses, and so the answer is a set of flows: all of them pass (reachable), none (blocked), or some (partial).
//! What is not known is carried as two sets, the flows that surely pass and those that may; the verdict is taken once, at the end.

mod dns;
mod endpoint_policy;
mod local;
mod nat;
mod network_acl;
mod next_hop;
mod path;
mod route;
mod security_group;
mod set;
mod source;
mod target;
mod trace;
mod verdict;

use crate::model::known::{Known, Unknown};
use crate::model::{Estate, Region};
use crate::snapshot::ec2::Instance;
use source::Source;

pub use set::{FlowSet, IntervalSet};
pub use verdict::{Blocker, Code, Decision, Destination, Hop, HopKind, Path, Place, Target, Verdict, Via};

/// From which ports an operating system opens connections (<https://docs.aws.amazon.com/vpc/latest/userguide/vpc-network-acls.html#nacl-ephemeral-ports>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PortFamily {
    /// 32768–60999, the kernel's default.
    Linux,
    /// 49152–65535: Windows Server 2008 and later, and macOS.
    WindowsOrMac,
    /// Either of them.
    Unknown,
}

impl PortFamily {
    fn ranges(self) -> &'static [(u32, u32)] {
        match self {
            Self::Linux => &[(32768, 60999)],
            Self::WindowsOrMac => &[(49152, 65535)],
            Self::Unknown => &[(32768, 60999), (49152, 65535)],
        }
    }
}

/// What the user vouches for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Assumptions {
    /// No private hosted zone and no resolver rule overrides a name of AWS's: for snapshots without those files.
    pub no_private_dns_overrides: bool,
}

/// What decides whether an instance needs ec2messages at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ec2Messages {
    /// Whether the Region has the service.
    pub exists: bool,
    /// Whether the agent is known to be at version 3.3.40.0 or later, which prefers ssmmessages.
    pub agent_prefers_ssmmessages: bool,
}

/// Judges the instance's paths, in the order of [`Target::ALL`].
pub fn judge(
    estate: &Estate<'_>,
    region: &Region<'_>,
    instance: &Instance,
    ports: PortFamily,
    ec2messages: Ec2Messages,
    assumptions: Assumptions,
) -> Vec<Path> {
    let source = Source::of(estate, region, instance);
    let mut paths: Vec<Path> = Target::ALL
        .iter()
        .map(|target| match &source {
            Known::Known(source) => path::judge(source, *target, ports, assumptions),
            Known::Unknown(why) => nowhere(region, *target, why),
        })
        .collect();
    let ssmmessages_works = paths.iter().any(|path| path.target == Target::SsmMessages && path.verdict == Verdict::Reachable);
    if !ec2messages.exists || (ec2messages.agent_prefers_ssmmessages && ssmmessages_works) {
        for path in paths.iter_mut().filter(|path| path.target == Target::Ec2Messages) {
            path.verdict = Verdict::NotNeeded;
            path.via = Via::None;
            path.blockers.clear();
            path.unknowns.clear();
            path.hops.clear();
            path.notes = vec![if ec2messages.exists {
                "The agent uses ssmmessages, which it reaches, and needs no ec2messages.".to_owned()
            } else {
                format!("{} has no ec2messages.", region.name)
            }];
        }
    }
    paths
}

/// The path of an instance whose place in the network is not known.
fn nowhere(region: &Region<'_>, target: Target, why: &[Unknown]) -> Path {
    Path {
        target,
        host: target::host(region.name, target),
        port: 443,
        verdict: Verdict::Unknown,
        via: Via::None,
        blockers: Vec::new(),
        unknowns: why.to_vec(),
        hops: Vec::new(),
        notes: Vec::new(),
    }
}
