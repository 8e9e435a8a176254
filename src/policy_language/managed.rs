//! AWS managed policies that instances get their permissions from, for a policy whose document was not collected.

use serde::Deserialize;
use serde_json::Value;

use super::document::Policy;

const MANAGED_POLICIES: &str = include_str!("../../rules/data/managed_policies.json");

/// `rules/data/managed_policies.json`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManagedPolicies {
    /// `2026-11-24`
    pub as_of: String,
    pub source: Vec<String>,
    pub policies: Vec<ManagedPolicy>,
}

/// One version of a policy, as AWS published it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManagedPolicy {
    pub name: String,
    /// Below `arn:aws:iam::aws:policy`: "/" or "/service-role/".
    pub path: String,
    /// The default version on the table's date, and when it was made.
    pub version: String,
    pub created: String,
    pub document: Value,
}

impl ManagedPolicies {
    /// The table as this program was released with. An error is a bug in this program.
    pub fn builtin() -> Result<Self, serde_json::Error> {
        serde_json::from_str(MANAGED_POLICIES)
    }

    /// By the policy's ARN, in any partition.
    pub fn by_arn(&self, arn: &str) -> Option<Policy> {
        Some(Policy::parse(arn, &self.entry(arn)?.document))
    }

    /// The row of a policy, by its ARN in any partition.
    pub fn entry(&self, arn: &str) -> Option<&ManagedPolicy> {
        let (_, path_and_name) = arn.split_once(":iam::aws:policy")?;
        self.policies.iter().find(|policy| path_and_name == format!("{}{}", policy.path, policy.name))
    }
}
