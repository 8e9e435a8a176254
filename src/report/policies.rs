//! The patch policies as the report tells them.

use super::types::{
    FindingStatus, InstancePolicy, MissCounts, Policy, PolicyBaseline, PolicyFinding, PolicyOrigin, PolicyOutcome, Severity,
};
use crate::assess::{Assessed, AssessedPolicy};
use crate::policy::{Approvals, Delay, Nodes, Origin, Problem, Reach};

pub(super) fn policy(assessed: &AssessedPolicy) -> Policy {
    let policy = &assessed.policy;
    let (origin, source) = match &policy.origin {
        Origin::Planned { file } => (PolicyOrigin::Planned, file.clone()),
        Origin::QuickSetup { manager } => (PolicyOrigin::QuickSetup, manager.clone()),
        Origin::Associations { names, .. } => (PolicyOrigin::Associations, names.join(", ")),
    };
    let text = |schedule: &Option<crate::policy::Schedule>| schedule.as_ref().map(|schedule| schedule.text.clone());
    let baselines = policy.baselines.chosen().map(|(system, baseline)| PolicyBaseline {
        operating_system: system.clone(),
        id: baseline.id.clone(),
        is_of_aws: baseline.is_of_aws,
        approve_after_days: match baseline.delay(system) {
            Delay::Days(days) => Some(days),
            Delay::Between(..) | Delay::UntilDate | Delay::Never | Delay::Unknown => None,
        },
        approves: baseline.approvals.as_ref().map(Approvals::words),
    });
    Policy {
        name: policy.name.clone(),
        origin,
        source,
        after: policy.after.clone(),
        organizational_units: policy.units.iter().map(|unit| unit.written.clone()).collect(),
        accounts: policy.accounts.clone(),
        regions: policy.regions.clone(),
        nodes: nodes(&policy.nodes),
        scan: text(&policy.scan),
        install: text(&policy.install),
        concurrency: policy.concurrency.clone(),
        error_threshold: policy.error_threshold.clone(),
        baselines: baselines.collect(),
        counts: assessed.counts,
        misses: assessed.misses.iter().map(|(code, instances)| MissCounts { code: *code, instances: *instances }).collect(),
        findings: assessed.problems.iter().map(finding).collect(),
    }
}

fn nodes(nodes: &Nodes) -> String {
    match nodes {
        Nodes::All => "all managed nodes".to_owned(),
        Nodes::Tag { key, value } => format!("tag {key}={value}"),
        Nodes::ResourceGroup(name) => format!("resource group {name}"),
        Nodes::Unknown { member } => format!("not known ({member})"),
        Nodes::Instances(ids) => format!("{} instances chosen by hand", ids.len()),
        Nodes::Targets(targets) => {
            let word = |target: &crate::snapshot::ssm::Target| {
                format!("{}={}", target.key.as_deref().unwrap_or_default(), target.values.join(","))
            };
            targets.iter().map(word).collect::<Vec<_>>().join(" and ")
        }
    }
}

fn finding(problem: &Problem) -> PolicyFinding {
    PolicyFinding {
        code: problem.code.to_owned(),
        severity: if problem.is_error { Severity::Error } else { Severity::Warning },
        status: if problem.is_known { FindingStatus::Fail } else { FindingStatus::Unknown },
        message: problem.message.clone(),
    }
}

/// What each policy does with an instance.
pub(super) fn of_instance(assessed: &Assessed, policies: &[AssessedPolicy]) -> Vec<InstancePolicy> {
    let each = policies.iter().zip(&assessed.learned.reaches);
    each.map(|(policy, reach)| {
        let outcome = assessed.outcome(&policy.policy, reach);
        let (code, because) = match (reach, outcome) {
            (_, PolicyOutcome::Excluded) => (None, assessed.excluded_because.clone().unwrap_or_default()),
            (Reach::Missed(miss), _) => (Some(miss.code), miss.because.clone()),
            (Reach::Unknown(why), _) => (None, why.iter().map(|why| why.settled_by.as_str()).collect::<Vec<_>>().join("; ")),
            (Reach::NotDeployed(missing), PolicyOutcome::Unknown) => {
                (None, missing.doubt.as_ref().map_or_else(|| missing.because.clone(), |why| why.settled_by.clone()))
            }
            (Reach::NotDeployed(missing), _) if missing.doubt.is_none() => (None, missing.because.clone()),
            (_, PolicyOutcome::WillFail) => {
                let system = assessed.learned.patched_as.as_deref();
                let without = system.filter(|system| policy.policy.has_baseline(Some(system), &assessed.instance_id).is(&false));
                let without = without.map(|system| format!("it has no patch baseline for {system}"));
                (None, rules(assessed, FindingStatus::Fail).into_iter().chain(without).collect::<Vec<_>>().join(", "))
            }
            (_, PolicyOutcome::Unknown) => {
                let has_baseline = policy.policy.has_baseline(assessed.learned.patched_as.as_deref(), &assessed.instance_id);
                let settled_by = has_baseline.reasons().iter().map(|why| why.settled_by.clone());
                (None, rules(assessed, FindingStatus::Unknown).into_iter().chain(settled_by).collect::<Vec<_>>().join(", "))
            }
            (Reach::Covered | Reach::NotDeployed(_), _) => (None, String::new()),
        };
        InstancePolicy { name: policy.policy.name.clone(), outcome, code, because }
    })
    .collect()
}

/// The rules that stand in the way.
fn rules(assessed: &Assessed, status: FindingStatus) -> Vec<String> {
    let errors = assessed.findings.iter().filter(|found| found.severity == Severity::Error && found.status == status);
    let mut ids: Vec<String> = errors.map(|found| found.rule_id.clone()).collect();
    ids.sort_unstable();
    ids
}
