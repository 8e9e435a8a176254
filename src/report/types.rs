//! The report, schema version 1: what users and CI depend on. Members may be added; none changes its meaning.
//!
//! Every list is sorted by its ids, so that two reports can be compared with plain tools.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::facts::{Ping, PlatformSource};
use crate::model::known::Unknown;
use crate::network::{Decision, HopKind, Target, Verdict, Via};
use crate::policy::MissCode;
use crate::snapshot::GapReason;

pub const SCHEMA_VERSION: u32 = 1;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    pub schema_version: u32,
    pub tool: Tool,
    /// When AWS was looked at; absent when the snapshot does not tell.
    pub captured_at: Option<String>,
    /// Whether everything in scope could be read.
    pub complete: bool,
    pub summary: Summary,
    pub accounts: Vec<Account>,
    pub instances: Vec<Instance>,
    pub findings: Vec<Finding>,
    pub fixes: Vec<Fix>,
    /// The patch policies, planned with `--policy` and existing.
    #[serde(default)]
    pub policies: Vec<Policy>,
    pub gaps: Vec<Gap>,
    /// Remarks about the scan as a whole, in whole sentences.
    pub notes: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Tool {
    pub name: String,
    pub version: String,
    /// `sha256:` and the digest of the rules that judged, with their levels.
    pub rules_digest: String,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    pub instances: u64,
    pub ready: u64,
    pub not_ready: u64,
    pub unknown: u64,
    pub excluded: u64,
    /// Registered with Systems Manager, whether ready or not.
    pub managed: u64,
    /// Not registered, the stopped ones among them; where Systems Manager could not be asked, neither.
    #[serde(default)]
    pub unmanaged: u64,
    pub by_account: Vec<AccountCounts>,
    pub by_region: Vec<RegionCounts>,
    pub by_ou: Vec<OuCounts>,
    #[serde(default)]
    pub by_os: Vec<OsCounts>,
    pub by_rule: Vec<RuleCounts>,
    pub agreement: Agreement,
}

/// How many instances there are of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Counts {
    pub instances: u64,
    pub ready: u64,
    pub not_ready: u64,
    pub unknown: u64,
    pub excluded: u64,
    /// Registered with Systems Manager, whether ready or not.
    pub managed: u64,
    /// Not registered, the stopped ones among them; where Systems Manager could not be asked, neither.
    #[serde(default)]
    pub unmanaged: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AccountCounts {
    pub account_id: String,
    pub counts: Counts,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RegionCounts {
    pub region: String,
    pub counts: Counts,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OuCounts {
    pub ou_path: String,
    pub counts: Counts,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OsCounts {
    /// Absent for the instances whose operating system is not known.
    pub os: Option<String>,
    pub version: Option<String>,
    pub counts: Counts,
}

/// How many instances a rule concerns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RuleCounts {
    pub rule_id: String,
    pub severity: Severity,
    pub title: String,
    pub fail: u64,
    pub unknown: u64,
}

/// Over the instances that were seen at work just before the scan or at it: how often the model finds the paths open that they used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Agreement {
    pub agree: u64,
    pub mismatch: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Account {
    pub id: String,
    pub name: String,
    pub ou_path: String,
    pub status: AccountStatus,
    /// Why it is not `scanned`; empty when it is.
    pub reason: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AccountStatus {
    Scanned,
    /// Some Region or call could not be read.
    Partial,
    /// Nothing could be read.
    Unreadable,
    /// Left out on purpose.
    Skipped,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Instance {
    pub account_id: String,
    pub region: String,
    pub instance_id: String,
    pub arn: String,
    pub name: String,
    /// EC2's word, or `unknown`.
    pub state: String,
    pub platform: Platform,
    pub agent: Agent,
    pub readiness: Readiness,
    pub excluded_because: Option<String>,
    pub paths: Vec<Path>,
    /// The ids of its findings.
    pub findings: Vec<String>,
    /// What each patch policy does with it, by the policy's name.
    #[serde(default)]
    pub policies: Vec<InstancePolicy>,
    /// Remarks that change no verdict, in whole sentences.
    pub notes: Vec<String>,
}

/// What one patch policy does with an instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InstancePolicy {
    pub name: String,
    pub outcome: PolicyOutcome,
    /// The kind of reason for which it is missed.
    pub code: Option<MissCode>,
    /// Why; one fragment of a sentence, empty when there is nothing to tell.
    pub because: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PolicyOutcome {
    /// Targeted, and patching will work.
    Ready,
    /// Targeted, and patching will not work.
    WillFail,
    /// It is not known whether it is targeted, or whether patching will work.
    Unknown,
    /// Not targeted.
    Missed,
    /// Gone, or patched by another AWS service.
    Excluded,
}

impl PolicyOutcome {
    pub fn words(self) -> &'static str {
        match self {
            Self::Ready => "targeted and ready",
            Self::WillFail => "targeted but will fail",
            Self::Unknown => "not known",
            Self::Missed => "missed",
            Self::Excluded => "excluded",
        }
    }
}

/// A patch policy, planned or existing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Policy {
    pub name: String,
    pub origin: PolicyOrigin,
    /// The file, the configuration manager's ARN, or the names of the associations.
    pub source: String,
    /// The policies that are to have a patch first.
    pub after: Vec<String>,
    /// As they were written: ids or paths.
    pub organizational_units: Vec<String>,
    /// Chosen by themselves.
    pub accounts: Vec<String>,
    pub regions: Vec<String>,
    /// Which nodes of these places, in words.
    pub nodes: String,
    /// Schedules in UTC; absent when there is none.
    pub scan: Option<String>,
    pub install: Option<String>,
    pub concurrency: Option<String>,
    pub error_threshold: Option<String>,
    /// Empty when AWS's own hold for every operating system, or none is known.
    pub baselines: Vec<PolicyBaseline>,
    pub counts: PolicyCounts,
    /// How many instances it misses for each reason.
    pub misses: Vec<MissCounts>,
    pub findings: Vec<PolicyFinding>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PolicyOrigin {
    Planned,
    QuickSetup,
    Associations,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PolicyBaseline {
    /// Patch Manager's word.
    pub operating_system: String,
    /// Absent for AWS's own, or for one that is still to be made.
    pub id: Option<String>,
    /// One of AWS's own.
    pub is_of_aws: bool,
    /// Days from a patch's release to its approval, where they are known and the same for every patch.
    pub approve_after_days: Option<u16>,
    /// What an existing baseline that is not AWS's own approves, where it was read; one fragment of a sentence.
    #[serde(default)]
    pub approves: Option<String>,
}

/// How many instances a policy targets, and what becomes of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PolicyCounts {
    pub targeted: u64,
    pub ready: u64,
    pub will_fail: u64,
    /// Targeted and not known, or not known to be targeted.
    pub unknown: u64,
    pub missed: u64,
    /// Targeted by another policy as well.
    pub covered_twice: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MissCounts {
    pub code: MissCode,
    pub instances: u64,
}

/// Something wrong with a policy as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PolicyFinding {
    /// A stable word.
    pub code: String,
    pub severity: Severity,
    pub status: FindingStatus,
    pub message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Readiness {
    Ready,
    NotReady,
    Unknown,
    Excluded,
}

impl Summary {
    pub fn counts(&self) -> Counts {
        Counts {
            instances: self.instances,
            ready: self.ready,
            not_ready: self.not_ready,
            unknown: self.unknown,
            excluded: self.excluded,
            managed: self.managed,
            unmanaged: self.unmanaged,
        }
    }
}

impl Readiness {
    pub fn words(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::NotReady => "not ready",
            Self::Unknown => "unknown",
            Self::Excluded => "excluded",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Platform {
    pub os: Option<String>,
    pub version: Option<String>,
    pub architecture: Option<String>,
    pub source: PlatformSource,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Agent {
    /// Absent when Systems Manager could not be asked.
    pub managed: Option<bool>,
    pub ping: Option<Ping>,
    pub version: Option<String>,
    pub last_ping_at: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Path {
    pub target: Target,
    pub host: String,
    pub port: u16,
    pub verdict: Verdict,
    pub via: Via,
    pub blockers: Vec<Blocker>,
    pub unknowns: Vec<Unknown>,
    pub hops: Vec<Hop>,
    /// What the verdict rests on that AWS does not document, and remarks that do not change it, in whole sentences. The instance's notes repeat them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Whether the policies of the endpoints on the path let the requests pass: a layer above the network.
    #[serde(default)]
    pub authorization: Authorization,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Authorization {
    pub verdict: AuthorizationVerdict,
    /// The endpoint whose policy refuses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// What it does not allow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unknowns: Vec<Unknown>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuthorizationVerdict {
    #[default]
    Allowed,
    Denied,
    Unknown,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Blocker {
    /// A stable code: VPC Reachability Analyzer's where it has one.
    pub code: String,
    pub resource: String,
    pub detail: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Hop {
    pub resource: String,
    pub kind: HopKind,
    pub decision: Decision,
    pub because: String,
    /// Which of the path's addresses come by here, where they part, or, beginning with `if`, on what the hop hangs that is not known: from the
    /// widest part to the narrowest. Absent where all of them do; what comes under one name goes on beside what comes under another, not after it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub way: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// Stable: a hash of rule, instance and resource.
    pub id: String,
    pub rule_id: String,
    pub severity: Severity,
    pub status: FindingStatus,
    pub account_id: String,
    pub region: String,
    pub instance_id: String,
    /// What to change.
    pub resource: String,
    pub message: String,
    /// The facts that the rule read, by their path.
    pub evidence: BTreeMap<String, Value>,
    /// The ids of the fixes that clear it.
    pub fixes: Vec<String>,
    pub muted: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    Note,
    Warning,
    Error,
}

impl Severity {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FindingStatus {
    Fail,
    Unknown,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Fix {
    /// Stable: a hash of kind, account, Region and resource.
    pub id: String,
    pub kind: String,
    /// The change in one sentence.
    pub title: String,
    pub account_id: String,
    pub region: String,
    pub resource: String,
    /// Instances for which nothing else stands in the way.
    pub unblocks: Vec<String>,
    /// Instances that need other fixes as well.
    pub helps: Vec<String>,
    /// Instances that would lose a path.
    pub breaks: Vec<String>,
    pub verified: Verified,
    pub because: String,
    pub commands: Commands,
    pub monthly_cost_usd: Option<f64>,
    pub undo: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verified {
    Verified,
    NotVerifiable,
    Rejected,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Commands {
    /// Shell commands, to be run in order.
    pub aws_cli: Vec<String>,
    pub terraform: Option<String>,
    pub cloudformation: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Gap {
    pub account_id: String,
    pub region: Option<String>,
    pub operation: String,
    pub reason: GapReason,
    pub message: String,
}
