//! How an instance stands to the patch policies, as the rules see it.

use super::PolicyFacts;
use crate::identity::{PatchPolicies, PatchPolicy};
use crate::model::Region;
use crate::model::known::Unknown;
use crate::network::PolicyBucket;
use crate::policy::{Origin, Policies, Policy, Reach, Standing};
use crate::snapshot::global::patch_policy_bucket;

/// The policies that target an instance of a Region, or may, as far as they have a bucket: a plan that is new has none before it is made.
/// `reaches` are those of [`Policies::reach`] for the instance.
pub fn patch_policies<'p>(policies: &'p Policies, reaches: &[Reach], region: &Region<'_>) -> PatchPolicies<'p> {
    let targeting = policies.all.iter().zip(reaches).filter_map(|(policy, reach)| {
        let is_targeted = reach.is_covered();
        if is_targeted.is(&false) {
            return None;
        }
        Some((with_bucket(policy)?, is_targeted))
    });
    PatchPolicies { targeting: targeting.collect(), unseen: policies.unseen_in(region) }
}

fn with_bucket(policy: &Policy) -> Option<PatchPolicy<'_>> {
    let name = &policy.name;
    match (&policy.configuration, &policy.origin) {
        (Some(made), _) => {
            Some(PatchPolicy { id: made.id.as_deref(), name, owner: Some(&made.owner), is_attach_allowed: Some(made.is_attach_allowed) })
        }
        (None, Origin::Associations { id, .. }) => Some(PatchPolicy { id: Some(id), name, owner: None, is_attach_allowed: None }),
        (None, _) => None,
    }
}

/// The buckets of those policies, as far as it is known which they are, with what would settle whether the policy targets the instance.
pub(super) fn policy_buckets(policies: &Policies, reaches: &[Reach]) -> Vec<(PolicyBucket, Option<Unknown>)> {
    let targeting = policies.all.iter().zip(reaches).map(|(policy, reach)| (policy, reach.is_covered()));
    let buckets = targeting.filter(|(_, is_targeted)| !is_targeted.is(&false)).filter_map(|(policy, is_targeted)| {
        let Origin::QuickSetup { manager } = &policy.origin else { return None };
        let made = policy.configuration.as_ref()?;
        // Quick Setup puts it where it is at home, beside the configuration manager: arn:aws:ssm-quicksetup:REGION:ACCOUNT:configuration-manager/ID
        let region = manager.split(':').nth(3).filter(|region| !region.is_empty())?.to_owned();
        let bucket = PolicyBucket { name: patch_policy_bucket(&made.owner, made.id.as_ref()?), region };
        Some((bucket, is_targeted.reasons().first().cloned()))
    });
    buckets.collect()
}

impl PolicyFacts {
    pub(super) fn of(standing: Standing, policies: &Policies) -> Self {
        Self {
            are_planned: policies.has_planned(),
            is_missed: standing.is_missed,
            is_outside: standing.is_outside,
            missed_because: standing.missed_because,
            is_covered_twice: standing.is_covered_twice,
            covered_by: standing.covered_by,
            has_baseline: standing.has_baseline,
            without_baseline: standing.without_baseline,
            is_patch_group_ignored: standing.is_patch_group_ignored,
            patch_group: standing.patch_group,
            has_other_scanner: standing.has_other_scanner,
            other_scanners: standing.other_scanners,
            is_over_quota: standing.is_over_quota,
            quota: standing.quota,
        }
    }
}
