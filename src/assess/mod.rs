//! Judges every instance of a snapshot: facts, rules, readiness, and the changes that would mend what is wrong.

mod policies;
mod vouched;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::facts::{AccountNames, InstanceState, Learned, Surroundings, learn};
use crate::identity::{Identities, Vouched};
use crate::model::known::Unknown;
use crate::model::{Assumption, Assumptions, Estate, Region};
use crate::network::{Network, Target};
use crate::plan::{Before, Change, Patient, Verifier, changes};
use crate::report::types::{FindingStatus, Readiness, Severity};
use crate::rules::{Outcome, RuleError, RuleSet};
use crate::snapshot::ec2::Instance;

pub use policies::{AssessedPolicy, assess_policies};
pub use vouched::mark;

/// One instance, judged.
#[derive(Debug, Clone)]
pub struct Assessed {
    pub account_id: String,
    pub region: String,
    pub instance_id: String,
    pub learned: Learned,
    pub readiness: Readiness,
    pub excluded_because: Option<String>,
    pub findings: Vec<Found>,
}

/// Tries changes on the model, against what was judged.
pub fn verifier<'s>(estate: &'s Estate<'s>, assumptions: &'s Assumptions, assessed: &'s [Assessed]) -> Verifier<'s> {
    Verifier::new(estate, assumptions, assessed.iter().map(Assessed::before))
}

impl Assessed {
    /// The instance as it was judged, for a change to be held against.
    fn before(&self) -> Before<'_> {
        Before {
            account: &self.account_id,
            region: &self.region,
            instance: &self.instance_id,
            needs: &self.learned.needs,
            paths: &self.learned.paths,
            repository: &self.learned.repository,
        }
    }
}

/// What errors leave of an instance that is not excluded.
fn readiness<'f>(findings: &(impl Iterator<Item = &'f Found> + Clone)) -> Readiness {
    let has_error = |status| findings.clone().any(|found| found.severity == Severity::Error && found.status == status);
    match () {
        () if has_error(FindingStatus::Fail) => Readiness::NotReady,
        () if has_error(FindingStatus::Unknown) => Readiness::Unknown,
        () => Readiness::Ready,
    }
}

/// What one rule found on one instance.
#[derive(Debug, Clone)]
pub struct Found {
    pub rule_id: String,
    pub title: String,
    pub severity: Severity,
    pub status: FindingStatus,
    pub target: Option<Target>,
    pub resource: String,
    pub message: String,
    pub evidence: BTreeMap<String, Value>,
    pub unknowns: Vec<Unknown>,
    pub changes: Vec<Change>,
}

/// Who owns what, by account id.
#[derive(Debug, Clone, Default)]
pub struct AccountDirectory {
    pub partition: String,
    /// From account id to name and path of the organizational unit.
    pub names: BTreeMap<String, (String, String)>,
}

impl AccountDirectory {
    fn of<'s>(&'s self, id: &'s str) -> AccountNames<'s> {
        let (name, ou_path) = self.names.get(id).map_or(("", ""), |(name, ou_path)| (name, ou_path));
        AccountNames { id, name, ou_path, partition: &self.partition }
    }
}

/// Judges every instance of the chosen Regions, by account, Region and id.
pub fn assess(
    estate: &Estate<'_>,
    rules: &RuleSet,
    directory: &AccountDirectory,
    surroundings: Surroundings<'_>,
    assumptions: &Assumptions,
    is_chosen: impl Fn(&str, &str) -> bool,
) -> Result<Vec<Assessed>, RuleError> {
    let network = Network::new(estate, assumptions);
    let vouched = Vouched {
        no_control_policies: assumptions.contains(&Assumption::NoOrganizationPolicies),
        bucket_policies_as_written: assumptions.contains(&Assumption::QuickSetupBucketPolicies),
    };
    let identities = Identities::new(estate.snapshot, vouched);
    let mut all = Vec::new();
    for region in estate.regions().filter(|region| is_chosen(region.account, region.name)) {
        for (id, instance) in Estate::instances(region) {
            let names = directory.of(region.account);
            let learned = learn(&network, &identities, region, instance, names, surroundings);
            all.push(judge(estate, region, instance, id, learned, rules)?);
        }
    }
    Ok(all)
}

fn judge(
    estate: &Estate<'_>,
    region: &Region<'_>,
    instance: &Instance,
    id: &str,
    mut learned: Learned,
    rules: &RuleSet,
) -> Result<Assessed, RuleError> {
    let state = learned.facts.instance.state.known().copied();
    let is_gone = matches!(state, Some(InstanceState::Terminated | InstanceState::ShuttingDown));
    let mut findings = Vec::new();
    if is_gone {
        // Nothing is left for a remark to be about.
        learned.notes.clear();
    } else {
        let sheet = learned.facts.sheet().map_err(RuleError::from)?;
        for judgement in rules.judge(&sheet)? {
            let patient = Patient { estate, region, instance, learned: &learned };
            let fails = judgement.outcome == Outcome::Fail;
            findings.push(Found {
                rule_id: judgement.rule.id().to_owned(),
                title: judgement.rule.title().to_owned(),
                severity: judgement.severity,
                status: if fails { FindingStatus::Fail } else { FindingStatus::Unknown },
                target: judgement.rule.target(),
                resource: judgement.resource,
                message: judgement.message,
                evidence: judgement.evidence,
                unknowns: judgement.unknowns,
                changes: judgement
                    .rule
                    .fix()
                    .filter(|_| fails)
                    .map(|fix| changes(patient, fix, judgement.rule.target()))
                    .unwrap_or_default(),
            });
        }
    }
    let excluded_because = if is_gone {
        state.map(|state| format!("the instance is {}", state.as_str()))
    } else if learned.facts.instance.is_managed_by_aws {
        Some(match learned.facts.instance.managed_by.as_str() {
            "" => "another AWS service manages and patches it".to_owned(),
            principal => format!("{principal} manages and patches it"),
        })
    } else if learned.facts.platform.is_updated_as_image {
        Some(learned.facts.platform.updated_as_image_by.clone())
    } else if learned.facts.policy.is_outside.is(&true) {
        Some(format!("no patch policy targets it ({})", learned.facts.policy.missed_because))
    } else {
        None
    };
    let readiness = if excluded_because.is_some() { Readiness::Excluded } else { readiness(&findings.iter()) };
    Ok(Assessed {
        account_id: region.account.to_owned(),
        region: region.name.to_owned(),
        instance_id: id.to_owned(),
        learned,
        readiness,
        excluded_because,
        findings,
    })
}
