//! What a rule may see of one instance: every field of these types, and nothing else.
//!
//! A fact that could not be learned is absent from the object that a rule's expression sees, and its reason stands in
//! [`FactSheet::unknown`]. The JSON Schema of [`Facts`] is what the rule linter checks paths and literals against.

mod identity;
mod learn;
mod observation;
mod packages;
mod policies;
mod repositories;

use std::collections::BTreeMap;

pub use identity::{CredentialSource, IdentityFacts, PatchPolicyAccessFacts, PermissionFacts};
pub use learn::{AccountNames, Learned, Surroundings, learn};
pub use observation::MODEL_MISMATCH;
pub use packages::{PackageManager, PackagesFacts};
pub use policies::patch_policies;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::known::{Known, MARK, Unknown};

/// One instance as the rules see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    pub account: AccountFacts,
    pub region: RegionFacts,
    pub instance: InstanceFacts,
    pub platform: PlatformFacts,
    pub agent: AgentFacts,
    pub identity: IdentityFacts,
    pub paths: PathsFacts,
    pub policy: PolicyFacts,
}

/// The account that owns the instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountFacts {
    /// Twelve digits.
    pub id: String,
    /// The account's name in the organization; empty outside one.
    pub name: String,
    /// The path of its organizational unit, such as `/Prod/Web`; empty outside an organization.
    pub ou_path: String,
}

/// The Region of the instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegionFacts {
    pub name: String,
    /// Whether Quick Setup patch policies can be deployed there.
    pub has_patch_policies: bool,
}

/// The instance as EC2 describes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InstanceFacts {
    pub id: String,
    pub arn: String,
    /// The `Name` tag; empty when there is none.
    pub name: String,
    pub state: Known<InstanceState>,
    /// The instance type, such as `t3.small`.
    pub r#type: Known<String>,
    /// Whether the type has less than 1 GiB of memory.
    pub has_little_memory: Known<bool>,
    pub metadata_endpoint: Known<Switch>,
    /// Whether another AWS service runs the instance for the customer (EKS Auto Mode, for one).
    pub is_managed_by_aws: bool,
    /// That service's principal; empty when there is none.
    pub managed_by: String,
    /// The instance's tags.
    pub tags: BTreeMap<String, String>,
}

/// The operating system.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlatformFacts {
    /// For people, such as `Ubuntu 22.04`.
    pub name: Known<String>,
    /// The id in the table of operating systems, such as `ubuntu`.
    pub os: Known<String>,
    pub version: Known<String>,
    pub source: PlatformSource,
    /// Whether AWS lists the operating system, its version and architecture as supported by Patch Manager.
    pub is_patchable: Known<bool>,
    /// Why it is, or is not, with the date of the table; one fragment of a sentence.
    pub patchable_because: String,
    /// Whether it takes no packages and is updated as a whole image, by its own updater: Bottlerocket, for one. Patch Manager leaves it alone.
    pub is_updated_as_image: bool,
    /// How it is; one sentence without its full stop, or empty.
    pub updated_as_image_by: String,
    /// Whether the vendor's support has ended at the time of the scan.
    pub is_past_support: Known<bool>,
    /// The last day of the vendor's support, `YYYY-MM-DD`.
    pub support_ends: Known<String>,
    /// Whether AWS's own images of this system come with SSM Agent.
    pub has_preinstalled_agent: Known<bool>,
    /// Whether the agent is installed: it is registered, or comes with the image. Elsewhere somebody may have installed it.
    pub has_agent: Known<bool>,
    pub packages: PackagesFacts,
}

/// SSM Agent as Systems Manager knows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentFacts {
    /// Whether the instance is registered with Systems Manager in its account and Region.
    pub is_registered: Known<bool>,
    pub ping: Known<Ping>,
    /// Four numbers, such as `3.3.40.0`. Unknown while it is not reported.
    pub version: Known<String>,
    /// Version 2.0.834.0, Patch Manager's minimum, or later.
    pub can_patch: Known<bool>,
    /// Version 3.2.582.0, the minimum for the Default Host Management Configuration, or later.
    pub can_use_dhmc: Known<bool>,
    /// Version 3.3.40.0, the first that needs no ec2messages, or later.
    pub needs_no_ec2messages: Known<bool>,
}

/// The network paths that patching needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PathsFacts {
    pub ssm: PathFacts,
    pub ssmmessages: PathFacts,
    pub ec2messages: PathFacts,
    pub s3: PathFacts,
    /// Where the operating system takes patches from: all hosts together.
    pub repository: PathFacts,
}

/// One network path.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PathFacts {
    /// The name that the agent resolves.
    pub host: String,
    pub verdict: Known<PathVerdict>,
    /// What blocks the path, or that nothing does; one fragment of a sentence.
    pub summary: String,
    /// The first resource to change; empty when nothing blocks.
    pub blocking_resource: String,
    /// Whether the subnet's routes lead the traffic nowhere (no route, a dead route, no endpoint attached).
    pub is_route_missing: Known<bool>,
    /// Whether the security groups of the instance keep the traffic in.
    pub is_egress_closed: Known<bool>,
    /// Whether anything else blocks the path.
    pub is_blocked_elsewhere: Known<bool>,
    /// Whether the policy of an endpoint on the path refuses what the agent asks for, which ends in an error 403 on a path that works.
    pub is_refused: Known<bool>,
    /// The endpoint whose policy refuses it; empty when none does.
    pub refusing_endpoint: String,
    /// What the policy does not allow, as a fragment of a sentence; empty when it allows everything.
    pub refusal: String,
}

/// The patch policies, planned with `--policy` and existing, that are for the instance or miss it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyFacts {
    /// Whether any policy was given with `--policy`.
    pub are_planned: bool,
    /// Whether no policy targets the instance, although one is planned, or one that exists is meant for its account and Region.
    pub is_missed: Known<bool>,
    /// Whether policies are planned and none is for the instance, so that it is judged by nothing else.
    pub is_outside: Known<bool>,
    /// Why each policy misses it; empty when there is none to tell of.
    pub missed_because: String,
    /// Whether two policies or more target the instance.
    pub is_covered_twice: Known<bool>,
    /// The names of the policies that target it; empty when none does.
    pub covered_by: String,
    /// Whether policies target the instance, and none of them is deployed to its account and Region.
    pub is_undeployed: Known<bool>,
    /// What is lacking there; one fragment of a sentence, or empty.
    pub undeployed_because: String,
    /// Whether each policy that targets the instance has a patch baseline for its operating system.
    pub has_baseline: Known<bool>,
    /// The policies without one, and the operating system; empty when there are none.
    pub without_baseline: String,
    /// Whether a policy targets the instance, and it is in a patch group with a baseline, which policies pass over.
    pub is_patch_group_ignored: Known<bool>,
    /// The patch group of its tag; empty when it has none.
    pub patch_group: String,
    /// Whether a policy targets the instance, and something else scans it for patches too.
    pub has_other_scanner: Known<bool>,
    /// What does; empty when nothing is known to.
    pub other_scanners: String,
    /// Whether a policy targets the instance, and a quota of Systems Manager is exceeded with it.
    pub is_over_quota: Known<bool>,
    /// Which, and how far; one fragment of a sentence.
    pub quota: String,
}

macro_rules! words {
    ($($(#[$meta:meta])* pub enum $name:ident { $( $(#[$variant_meta:meta])* $variant:ident = $word:literal ),* $(,)? })*) => {$(
        $(#[$meta])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
        )]
        pub enum $name { $( $(#[$variant_meta])* #[serde(rename = $word)] $variant, )* }

        impl $name {
            pub const ALL: &'static [Self] = &[$( Self::$variant, )*];

            pub fn as_str(self) -> &'static str {
                match self { $( Self::$variant => $word, )* }
            }

            /// The value that AWS's word means, without regard to case; `None` for a word that is not known here.
            pub fn from_word(word: &str) -> Option<Self> {
                match () {
                    $( () if word.eq_ignore_ascii_case($word) => Some(Self::$variant), )*
                    () => None,
                }
            }
        }
    )*};
}

pub(crate) use words;

words! {
    /// An instance's state, in EC2's words.
    pub enum InstanceState {
        Pending = "pending",
        Running = "running",
        ShuttingDown = "shutting-down",
        Terminated = "terminated",
        Stopping = "stopping",
        Stopped = "stopped",
    }
    pub enum Switch { Enabled = "enabled", Disabled = "disabled" }
    /// Where the operating system was read from.
    pub enum PlatformSource { Agent = "agent", Image = "image", PlatformDetails = "platform_details", Unknown = "unknown" }
    /// The agent's last sign of life, as Systems Manager reports it; `none` when the instance never registered.
    pub enum Ping { Online = "online", ConnectionLost = "connection_lost", Inactive = "inactive", None = "none" }
    /// Whether a path works. An unknown verdict is an absent one.
    pub enum PathVerdict { Reachable = "reachable", Partial = "partial", Blocked = "blocked", NotNeeded = "not_needed" }
}

/// Facts as a rule's expression sees them, with the reasons of those that are absent.
#[derive(Debug, Clone, PartialEq)]
pub struct FactSheet {
    /// The object under which `instance.id` and its like are looked up; unknown facts are absent.
    pub value: Value,
    /// By dotted path, such as `agent.ping`.
    pub unknown: BTreeMap<String, Vec<Unknown>>,
}

impl Facts {
    /// The facts as one object, the unknown ones taken out and kept with their reasons.
    ///
    /// # Errors
    /// Only if the facts cannot be written as JSON, which would be a bug.
    pub fn sheet(&self) -> Result<FactSheet, serde_json::Error> {
        let mut value = serde_json::to_value(self)?;
        let mut unknown = BTreeMap::new();
        take_unknown(&mut value, "", &mut unknown)?;
        Ok(FactSheet { value, unknown })
    }

    /// An instance with nothing wrong: what the cases in a rule's file start from.
    pub fn healthy() -> Self {
        let path = |service: &str| PathFacts {
            host: format!("{service}.eu-central-1.amazonaws.com"),
            verdict: Known::Known(PathVerdict::Reachable),
            summary: "nothing blocks it".to_owned(),
            blocking_resource: String::new(),
            is_route_missing: Known::Known(false),
            is_egress_closed: Known::Known(false),
            is_blocked_elsewhere: Known::Known(false),
            is_refused: Known::Known(false),
            refusing_endpoint: String::new(),
            refusal: String::new(),
        };
        Self {
            account: AccountFacts { id: "111111111111".to_owned(), name: "example".to_owned(), ou_path: "/Prod".to_owned() },
            region: RegionFacts { name: "eu-central-1".to_owned(), has_patch_policies: true },
            instance: InstanceFacts {
                id: "i-0example".to_owned(),
                arn: "arn:aws:ec2:eu-central-1:111111111111:instance/i-0example".to_owned(),
                name: "example".to_owned(),
                state: Known::Known(InstanceState::Running),
                r#type: Known::Known("t3.small".to_owned()),
                has_little_memory: Known::Known(false),
                metadata_endpoint: Known::Known(Switch::Enabled),
                is_managed_by_aws: false,
                managed_by: String::new(),
                tags: BTreeMap::new(),
            },
            platform: PlatformFacts {
                name: Known::Known("Amazon Linux 2023".to_owned()),
                os: Known::Known("amazon-linux-2023".to_owned()),
                version: Known::Known("2023".to_owned()),
                source: PlatformSource::Agent,
                is_patchable: Known::Known(true),
                patchable_because: "Patch Manager supports Amazon Linux 2023".to_owned(),
                is_updated_as_image: false,
                updated_as_image_by: String::new(),
                is_past_support: Known::Known(false),
                support_ends: Known::Known("2029-06-30".to_owned()),
                has_preinstalled_agent: Known::Known(true),
                has_agent: Known::Known(true),
                packages: PackagesFacts::healthy(),
            },
            agent: AgentFacts {
                is_registered: Known::Known(true),
                ping: Known::Known(Ping::Online),
                version: Known::Known("3.3.2299.0".to_owned()),
                can_patch: Known::Known(true),
                can_use_dhmc: Known::Known(true),
                needs_no_ec2messages: Known::Known(true),
            },
            identity: IdentityFacts::healthy(),
            paths: PathsFacts {
                ssm: path("ssm"),
                ssmmessages: path("ssmmessages"),
                ec2messages: PathFacts { verdict: Known::Known(PathVerdict::NotNeeded), ..path("ec2messages") },
                s3: path("s3"),
                repository: path("repository"),
            },
            policy: PolicyFacts {
                are_planned: false,
                is_missed: Known::Known(false),
                is_outside: Known::Known(false),
                missed_because: String::new(),
                is_covered_twice: Known::Known(false),
                covered_by: "production".to_owned(),
                is_undeployed: Known::Known(false),
                undeployed_because: String::new(),
                has_baseline: Known::Known(true),
                without_baseline: String::new(),
                is_patch_group_ignored: Known::Known(false),
                patch_group: String::new(),
                has_other_scanner: Known::Known(false),
                other_scanners: String::new(),
                is_over_quota: Known::Known(false),
                quota: String::new(),
            },
        }
    }
}

fn take_unknown(value: &mut Value, path: &str, unknown: &mut BTreeMap<String, Vec<Unknown>>) -> Result<(), serde_json::Error> {
    let Value::Object(members) = value else { return Ok(()) };
    let mut absent = Vec::new();
    for (name, member) in members.iter_mut() {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        match member.get(MARK).filter(|reasons| reasons.is_array()) {
            Some(reasons) => {
                unknown.insert(path, serde_json::from_value(reasons.clone())?);
                absent.push(name.clone());
            }
            None => take_unknown(member, &path, unknown)?,
        }
    }
    for name in absent {
        members.remove(&name);
    }
    Ok(())
}
