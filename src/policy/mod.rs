//! Patch policies, planned and existing: whom each targets and whom it misses, what else scans the same node, and which environment gets a patch
//! first. <https://docs.aws.amazon.com/systems-manager/latest/userguide/quick-setup-patch-manager.html>

mod approvals;
mod association;
mod baseline;
mod deployment;
mod existing;
mod file;
mod import;
mod landscape;
mod order;
mod parameters;
mod problem;
mod resource_group;
mod schedule;
mod standing;
mod target;
mod words;
mod yaml;

use std::collections::{BTreeMap, BTreeSet};

pub use approvals::Approvals;
pub use baseline::{Delay, Listing};
pub use deployment::{Deployment, Missing, NotDeployed};
pub use file::{PolicyError, json_schema, parse};
pub use landscape::Landscape;
pub use order::{Premature, premature};
pub use problem::{Problem, Seen, problems};
pub use schedule::{Schedule, ScheduleError};
pub use standing::{Standing, standing};
pub use target::{Miss, MissCode, Node, Reach};

use crate::model::known::Unknown;
use crate::model::{Estate, Region};
use crate::snapshot::ssm::Target;

/// The largest number of instances that can be chosen by hand.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/quick-setup-patch-manager.html>
pub const MOST_INSTANCES: usize = 25;
/// The largest product of accounts and Regions that Quick Setup deploys to.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/quick-setup-getting-started.html>
pub const MOST_DEPLOYMENTS: usize = 10_000;

/// One patch policy.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    pub name: String,
    pub origin: Origin,
    /// The names of the policies that are to have a patch first.
    pub after: Vec<String>,
    pub units: Vec<Unit>,
    /// Chosen by themselves, not through a unit. Without units and accounts it is not known where the policy is for.
    pub accounts: Vec<String>,
    /// Without any it is not known which.
    pub regions: Vec<String>,
    pub nodes: Nodes,
    pub baselines: Baselines,
    /// Where baselines of the user's own are looked for; `None` when nobody said.
    pub baseline_region: Option<String>,
    pub scan: Option<Schedule>,
    /// `None` when the policy only scans.
    pub install: Option<Schedule>,
    /// A number, or a percentage with its sign.
    pub concurrency: Option<String>,
    pub error_threshold: Option<String>,
    /// "Add required IAM policies to existing instance profiles attached to your instances"; `None` when nobody said.
    pub attaches: Option<bool>,
    /// What Quick Setup holds of it; `None` for what is not made yet, and for what only associations tell of.
    pub configuration: Option<Configuration>,
    /// Of one that Quick Setup holds.
    pub deployment: Deployment,
}

/// A policy as Quick Setup keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configuration {
    /// In the names of its associations, of its bucket and of the tag that the bucket asks of a role. That it is the one of the definition is
    /// seen in public snapshots, and not documented.
    pub id: Option<String>,
    /// The account in which it was made.
    pub owner: String,
    /// The Region in which it was made, and where its bucket is; `None` when its ARN is not known.
    pub home: Option<String>,
}

/// Where a policy is known from.
#[derive(Debug, Clone, PartialEq)]
pub enum Origin {
    /// A file of the user's.
    Planned { file: String },
    /// A configuration manager of Quick Setup, by its ARN, in the account that deploys it.
    QuickSetup { manager: String },
    /// The State Manager associations that Quick Setup left behind, with the id in their names. Its baselines are not known.
    Associations {
        id: String,
        names: Vec<String>,
        /// The policies of Quick Setup's that they may be of, whose own were not found.
        perhaps: Vec<String>,
    },
}

/// An organizational unit, or the root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// As it was written: an id, or a path of names.
    pub written: String,
    /// `None` when the organization's tree is not known.
    pub id: Option<String>,
}

/// Which nodes of the chosen accounts and Regions.
#[derive(Debug, Clone, PartialEq)]
pub enum Nodes {
    All,
    Tag {
        key: String,
        value: String,
    },
    ResourceGroup(String),
    Instances(Vec<String>),
    /// The targets of an association.
    Targets(Vec<Target>),
    /// A member of the configuration that would tell is not there, or not understood.
    Unknown {
        member: &'static str,
    },
}

/// The patch baselines of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Baselines {
    /// AWS's own for every operating system.
    OfAws,
    /// By Patch Manager's word for the operating system; one that is missing has none.
    Chosen(BTreeMap<String, Baseline>),
    /// Nobody said, or not so that it is understood.
    Unknown,
}

/// The patch baseline for one operating system.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Baseline {
    /// `pb-…` or an ARN; `None` for AWS's own, or for one that is still to be made.
    pub id: Option<String>,
    pub is_of_aws: bool,
    /// As the plan says.
    pub approve_after_days: Option<u16>,
    /// What it approves, where it exists and was read; `None` for AWS's own.
    pub approvals: Option<Approvals>,
    /// Whether it is there where the policy looks for it.
    pub listing: Listing,
}

impl Policy {
    pub fn is_planned(&self) -> bool {
        matches!(self.origin, Origin::Planned { .. })
    }
}

/// Every policy that is known, with what is needed to tell whom it targets.
#[derive(Debug, Clone, Default)]
pub struct Policies {
    /// By name: the planned ones, and the existing ones that none of them replaces.
    pub all: Vec<Policy>,
    pub landscape: Landscape,
    /// Why Quick Setup may hold policies beside them; `None` when it was read.
    pub unseen: Option<Unknown>,
    /// The user vouches that there are no others.
    pub are_all_seen: bool,
}

impl Policies {
    /// A planned policy takes the place of the existing one with its name, and is what becomes of its configuration.
    pub fn gather(estate: &Estate<'_>, planned: Vec<Policy>, landscape: Landscape) -> Self {
        let mut all = planned;
        let existing = existing::existing(estate, &landscape);
        let unseen = existing::unseen(estate, &landscape);
        let may_become =
            |policy: &Policy, plan: &Policy| policy.name == plan.name && may_be_made_in(policy, plan, &landscape, unseen.is_none());
        // One that is made in several accounts becomes several configurations.
        let is_one = |plan: &Policy| plan.accounts.len() + usize::from(!plan.units.is_empty()) == 1;
        for plan in all.iter_mut().filter(|plan| plan.configuration.is_none() && is_one(plan)) {
            let mut replaced = existing.iter().filter(|policy| policy.configuration.is_some() && may_become(policy, plan));
            if let (Some(only), None) = (replaced.next(), replaced.next()) {
                plan.configuration.clone_from(&only.configuration);
                plan.attaches = plan.attaches.or(only.attaches);
            }
        }
        let is_replaced = |policy: &Policy| all.iter().any(|plan| may_become(policy, plan));
        let kept: Vec<Policy> = existing.into_iter().filter(|policy| !is_replaced(policy)).collect();
        all.extend(kept);
        all.sort_by(|left, right| {
            (&left.name, !left.is_planned(), &left.accounts).cmp(&(&right.name, !right.is_planned(), &right.accounts))
        });
        for policy in &mut all {
            baseline::look_up(estate, &landscape, policy);
        }
        Self { all, unseen, are_all_seen: false, landscape }
    }

    /// What no single file can tell: whether names are unique, and whether each environment's forerunner is there.
    ///
    /// # Errors
    /// When two plans share a name, or one comes after what does not exist, or in the end after itself.
    pub fn check(&self) -> Result<(), PolicyError> {
        let planned: Vec<&Policy> = self.all.iter().filter(|policy| policy.is_planned()).collect();
        for pair in planned.windows(2) {
            if let [one, other] = pair
                && one.name == other.name
            {
                return Err(PolicyError::NotUnique { name: one.name.clone() });
            }
        }
        for policy in planned {
            let Origin::Planned { file } = &policy.origin else { continue };
            for after in &policy.after {
                if !self.all.iter().any(|other| other.name == *after) {
                    let known = self.all.iter().map(|other| &other.name).filter(|name| **name != policy.name);
                    return Err(PolicyError::NoSuchPolicy { file: file.clone(), after: after.clone(), known: known.cloned().collect() });
                }
            }
            if let Some(names) = self.circle(policy) {
                return Err(PolicyError::Circle { file: file.clone(), names });
            }
        }
        Ok(())
    }

    /// The names of the policies after which one comes that comes after it, itself first and last; by itself where it follows itself.
    fn circle(&self, policy: &Policy) -> Option<Vec<String>> {
        let mut ways = vec![vec![policy.name.clone()]];
        let mut seen = BTreeSet::new();
        while let Some(way) = ways.pop() {
            let here = self.all.iter().find(|other| way.last() == Some(&other.name)).map(|here| here.after.as_slice());
            for after in here.unwrap_or_default() {
                if *after == policy.name {
                    return Some(if way.len() == 1 { way } else { [way, vec![after.clone()]].concat() });
                }
                if seen.insert(after) {
                    ways.push([way.clone(), vec![after.clone()]].concat());
                }
            }
        }
        None
    }

    pub fn has_planned(&self) -> bool {
        self.all.iter().any(Policy::is_planned)
    }

    /// Why there may be more policies for a Region than are known. What an account made for itself only its associations tell.
    pub fn unseen_in(&self, region: &Region<'_>) -> Option<Unknown> {
        if self.are_all_seen || !self.landscape.supported_regions.iter().any(|supported| supported == region.name) {
            return None;
        }
        let without_associations = || region.files.associations.is_none().then(|| region.not_collected("ssm:ListAssociations"));
        self.unseen.clone().or_else(without_associations)
    }

    /// What each policy does with a node, in the order of [`Policies::all`].
    pub fn reach(&self, node: &Node<'_, '_>) -> Vec<Reach> {
        self.all.iter().map(|policy| target::reach(policy, node, &self.landscape)).collect()
    }
}

/// Whether an existing policy may be one of the account in which a plan is made. One that only associations tell of was made in the account where
/// they are, or in one whose Quick Setup was not read.
fn may_be_made_in(policy: &Policy, plan: &Policy, landscape: &Landscape, are_all_read: bool) -> bool {
    let accounts: Vec<&str> = match (&policy.configuration, &policy.origin) {
        (Some(configuration), _) => vec![configuration.owner.as_str()],
        (None, Origin::Associations { .. }) if are_all_read => policy.accounts.iter().map(String::as_str).collect(),
        (None, _) => return true,
    };
    accounts.into_iter().any(|account| landscape.is_made_in(plan, account) != Some(false))
}

/// `a`, `a and b`, `a, b and c`.
fn listed(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [only] => only.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}
