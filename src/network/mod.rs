//! May this instance open this flow? Name → addresses → route → security groups and network ACLs, both ways → the next hop.
//!
//! Targets are sets of addresses, and so the answer is a set of flows: all of them pass (reachable), none (blocked), or some (partial).
//! What is not known is carried as two sets, the flows that surely pass and those that may; the verdict is taken once, at the end.

mod boundary;
mod dns;
mod egress;
mod endpoint_policy;
mod goal;
mod hosted_zone;
mod interface_endpoint;
mod internet;
mod journey;
mod local;
mod nat;
mod network_acl;
mod next_hop;
mod path;
mod peering;
mod position;
mod private_dns;
mod repository;
mod route;
mod security_group;
mod set;
mod source;
mod trace;
mod transit_gateway;
mod transit_route;
mod verdict;
mod world;

use std::collections::BTreeSet;

use crate::model::known::{Known, Unknown};
use crate::model::{Estate, Region};
use crate::snapshot::ec2::Instance;
use source::Source;

pub use goal::{AnsweredBy, Goal};
pub use repository::{Alternative, Sources, Wanted};
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
    fn ranges(self) -> &'static [(u16, u16)] {
        match self {
            Self::Linux => &[(32768, 60999)],
            Self::WindowsOrMac => &[(49152, 65535)],
            Self::Unknown => &[(32768, 60999), (49152, 65535)],
        }
    }
}

/// What the user vouches for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Assumptions {
    /// No private hosted zone and no resolver rule overrides a name of AWS's: for snapshots without those files.
    pub no_private_dns_overrides: bool,
    /// Gateways and attachments (`vgw-…`, `tgw-attach-…`) behind which the internet is reached, and by which the answers come back.
    pub leads_to_internet: BTreeSet<String>,
}

/// What decides whether an instance needs ec2messages at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ec2Messages {
    /// Whether the Region has the service.
    pub exists: bool,
    /// Whether the agent is known to be at version 3.3.40.0 or later, which prefers ssmmessages.
    pub agent_prefers_ssmmessages: bool,
}

/// Everything that is said of an instance's paths.
#[derive(Debug, Clone)]
pub struct Judged {
    /// To the services, in the order of [`Target::SERVICES`], then to each port of each host that patches come from.
    pub paths: Vec<Path>,
    /// The one verdict over all that patches need: host and port are those that decide it.
    pub repository: Path,
}

/// What an instance needs, as far as it is known.
#[derive(Debug, Clone)]
pub struct Needs {
    pub ports: PortFamily,
    pub ec2messages: Ec2Messages,
    pub sources: Sources,
}

/// Judges the instance's paths.
pub fn judge(estate: &Estate<'_>, region: &Region<'_>, instance: &Instance, needs: &Needs, assumptions: &Assumptions) -> Judged {
    let source = Source::of(estate, region, instance);
    let others = Source::others(estate, region, instance);
    let path_to = |goal: &Goal| match &source {
        Known::Known(source) => {
            let mut path = path::judge(source, goal, needs.ports, assumptions);
            for other in &others {
                let verdict = path::judge(other, goal, needs.ports, assumptions).verdict;
                path.notes.extend(disagreement(source, other, path.verdict, verdict));
            }
            blame_port_80(&mut path, || path::judge(source, &Goal { port: 443, ..goal.clone() }, needs.ports, assumptions).verdict);
            path
        }
        Known::Unknown(why) => nowhere(goal, why),
    };
    let mut paths: Vec<Path> = Target::SERVICES.iter().map(|target| path_to(&Goal::of_service(region.name, *target))).collect();
    let ec2messages = needs.ec2messages;
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
    let (to_repositories, repository) = repository::judge(&needs.sources, path_to);
    paths.extend(to_repositories);
    Judged { paths, repository }
}

/// A rule that lets HTTPS out and not HTTP is the usual reason why packages do not come, and has a name of its own.
fn blame_port_80(path: &mut Path, verdict_of_https: impl FnOnce() -> Verdict) {
    let is_of_port = |blocker: &&mut Blocker| matches!(blocker.place, Place::InstanceEgress { .. } | Place::NetworkAcl { .. });
    if path.target != Target::Repository || path.port != 80 || !path.blockers.iter_mut().any(|blocker| is_of_port(&blocker)) {
        return;
    }
    if verdict_of_https() == Verdict::Reachable {
        path.blockers.iter_mut().filter(is_of_port).for_each(|blocker| blocker.code = Code::RepoPort80Blocked);
    }
}

/// The primary interface decides; that another one would decide differently is worth a remark (decision 6 of docs/reachability.md).
fn disagreement(source: &Source<'_, '_>, other: &Source<'_, '_>, verdict: Verdict, of_other: Verdict) -> Option<String> {
    (verdict != of_other).then(|| {
        format!(
            "The instance's other interface {} would be {}; its primary interface {} decides, which is {}.",
            other.interface,
            of_other.as_str(),
            source.interface,
            verdict.as_str()
        )
    })
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
        notes: Vec::new(),
    }
}
