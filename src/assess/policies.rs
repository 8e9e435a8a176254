//! Judges each patch policy by the instances that it targets and misses.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::{Assessed, readiness};
use crate::facts::InstanceState;
use crate::model::Estate;
use crate::policy::{MissCode, Policies, Policy, Problem, Reach, Seen, problems};
use crate::report::types::{PolicyCounts, PolicyOutcome, Readiness};

/// The rule on what a policy lacks that another one may have.
const NO_BASELINE: &str = "no-baseline-for-system";

/// One policy, judged.
#[derive(Debug, Clone)]
pub struct AssessedPolicy {
    pub policy: Policy,
    pub counts: PolicyCounts,
    /// How many instances it misses for each reason.
    pub misses: BTreeMap<MissCode, u64>,
    pub problems: Vec<Problem>,
}

impl Assessed {
    /// Gone, or patched by another AWS service: no policy's concern.
    fn is_no_node(&self) -> bool {
        let instance = &self.learned.facts.instance;
        instance.is_managed_by_aws || matches!(instance.state.known(), Some(InstanceState::Terminated | InstanceState::ShuttingDown))
    }

    /// Its readiness but for the baselines of its policies, of which another one may have none.
    fn readiness_beside_baselines(&self) -> Readiness {
        match self.readiness {
            Readiness::Excluded => Readiness::Excluded,
            _ => readiness(&self.findings.iter().filter(|finding| finding.rule_id != NO_BASELINE)),
        }
    }

    /// What becomes of the instance under a policy that does this with it.
    pub fn outcome(&self, policy: &Policy, reach: &Reach) -> PolicyOutcome {
        let has_baseline = policy.has_baseline(self.learned.patched_as.as_deref(), &self.instance_id);
        match (reach, self.readiness_beside_baselines()) {
            _ if self.is_no_node() => PolicyOutcome::Excluded,
            (Reach::Missed(_), _) => PolicyOutcome::Missed,
            (Reach::NotDeployed(missing), _) if missing.doubt.is_none() => PolicyOutcome::WillFail,
            (Reach::Covered | Reach::NotDeployed(_), Readiness::NotReady) => PolicyOutcome::WillFail,
            (Reach::Covered | Reach::NotDeployed(_), _) if has_baseline.is(&false) => PolicyOutcome::WillFail,
            (Reach::Unknown(_) | Reach::NotDeployed(_), _) | (Reach::Covered, Readiness::Unknown) => PolicyOutcome::Unknown,
            (Reach::Covered, _) if has_baseline.known().is_none() => PolicyOutcome::Unknown,
            (Reach::Covered, Readiness::Ready | Readiness::Excluded) => PolicyOutcome::Ready,
        }
    }
}

/// Judges the policies, in their order. `today` is the day of the snapshot.
pub fn assess_policies(estate: &Estate<'_>, policies: &Policies, assessed: &[Assessed], today: Date) -> Vec<AssessedPolicy> {
    let (mut all, mut seen) = (Vec::new(), Vec::new());
    for (position, policy) in policies.all.iter().enumerate() {
        let (own, counted) = count(position, policy, assessed);
        all.push(counted);
        seen.push(own);
    }
    let instances: BTreeSet<&str> = assessed.iter().map(|each| each.instance_id.as_str()).collect();
    for (position, policy) in all.iter_mut().enumerate() {
        policy.problems = problems(estate, policies, position, &seen, &instances, today);
    }
    all
}

fn count(position: usize, policy: &Policy, assessed: &[Assessed]) -> (Seen, AssessedPolicy) {
    let mut seen = Seen::default();
    let mut counts = PolicyCounts::default();
    let mut misses = BTreeMap::new();
    for each in assessed {
        let Some(reach) = each.learned.reaches.get(position) else { continue };
        let outcome = each.outcome(policy, reach);
        match reach {
            _ if outcome == PolicyOutcome::Excluded => {}
            Reach::Unknown(_) => {
                seen.doubtful += 1;
                counts.unknown += 1;
            }
            Reach::Missed(miss) => {
                counts.missed += 1;
                *misses.entry(miss.code).or_insert(0) += 1;
                let is_reached = each.learned.reaches.iter().any(|reach| !matches!(reach, Reach::Missed(_)));
                seen.passed_over += usize::from(miss.code == MissCode::ManagementAccount && !is_reached);
            }
            Reach::Covered | Reach::NotDeployed(_) => {
                seen.targeted += 1;
                let place = || (each.account_id.clone(), each.region.clone());
                if let Reach::NotDeployed(missing) = reach {
                    seen.undeployed.entry(place()).or_insert((0, missing.doubt.is_none())).0 += 1;
                }
                if let Some(system) = &each.learned.patched_as {
                    *seen.systems.entry(system.clone()).or_insert(0) += 1;
                }
                seen.on_centos_stream += usize::from(each.learned.facts.platform.os.known().is_some_and(|os| os == "centos-stream"));
                counts.targeted += 1;
                *match outcome {
                    PolicyOutcome::WillFail => &mut counts.will_fail,
                    PolicyOutcome::Unknown => &mut counts.unknown,
                    _ => &mut counts.ready,
                } += 1;
                counts.covered_twice += u64::from(each.learned.facts.policy.is_covered_twice.is(&true));
                if each.learned.facts.agent.is_registered.is(&true) {
                    let run = seen.runs.entry(place()).or_insert((0, 0));
                    run.0 += 1;
                    run.1 += usize::from(*reach == Reach::Covered && outcome == PolicyOutcome::WillFail);
                }
            }
        }
    }
    (seen, AssessedPolicy { policy: policy.clone(), counts, misses, problems: Vec::new() })
}
