//! Whether a policy that exists is deployed: what Quick Setup says of it, and whether State Manager has its associations.
//! <https://docs.aws.amazon.com/quick-setup/latest/APIReference/API_StatusSummary.html>

use super::{Origin, Policy, listed};
use crate::model::Region;
use crate::model::known::Unknown;
use crate::snapshot::global::StatusSummary;

/// What is known of a policy's deployment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Deployment {
    /// What Quick Setup says failed or was stopped.
    pub failures: Vec<StatusSummary>,
    /// Where the policy is for, and State Manager, which was asked, has none of its associations.
    pub missing: Vec<Missing>,
}

/// An account and Region without associations of the policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    pub account: String,
    pub region: String,
    /// The ids in the names of associations that may be its own: nobody else's are known to be.
    pub perhaps: Vec<String>,
}

/// Why a policy that targets a node is not taken to run on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotDeployed {
    /// A fragment of a sentence.
    pub because: String,
    /// `None` when it surely is not deployed.
    pub doubt: Option<Unknown>,
}

impl Deployment {
    pub(super) fn of(summaries: &[StatusSummary]) -> Self {
        let is_bad = |word: &str| word.contains("FAILED") || word.contains("STOPPED");
        let failures = summaries.iter().filter(|summary| summary.status.as_deref().is_some_and(is_bad));
        Self { failures: failures.cloned().collect(), missing: Vec::new() }
    }
}

/// Without an association nothing runs.
pub(super) fn not_deployed(policy: &Policy, region: &Region<'_>) -> Option<NotDeployed> {
    if !matches!(policy.origin, Origin::QuickSetup { .. }) {
        return None;
    }
    let (name, place) = (&policy.name, format!("{} {}", region.account, region.name));
    if region.files.associations.is_none() {
        let because = format!("whether State Manager has associations of {name} in {place} was not collected");
        return Some(NotDeployed { because, doubt: Some(region.not_collected("ssm:ListAssociations")) });
    }
    let missing = policy.deployment.missing.iter().find(|missing| missing.account == region.account && missing.region == region.name)?;
    let has_failed = policy.deployment.failures.iter().any(is_of_deployment);
    let because = format!("State Manager has no association of {name} in {place}");
    Some(match missing.perhaps.as_slice() {
        [] if has_failed => NotDeployed { because: format!("{because}, and its deployment failed"), doubt: None },
        [] => {
            let settled_by =
                format!("look up in Quick Setup whether {name} is deployed to {place}: State Manager has none of its associations there");
            NotDeployed { because, doubt: Some(Unknown::new("policy_not_deployed", name, settled_by)) }
        }
        perhaps => {
            let them = listed(perhaps);
            let settled_by = format!("look up in Quick Setup whether {them}, in the names of associations of {place}, is the id of {name}");
            NotDeployed {
                because: format!("{because}, unless {them} is its id"),
                doubt: Some(Unknown::new("policy_not_deployed", name, settled_by)),
            }
        }
    })
}

/// And not of what is done to the nodes afterwards.
pub(super) fn is_of_deployment(summary: &StatusSummary) -> bool {
    summary.status_type.as_deref().is_none_or(|kind| kind == "Deployment")
}
