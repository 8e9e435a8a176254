//! How an instance stands to the patch policies, as the rules see it.

use super::PolicyFacts;
use crate::identity::PatchPolicy;
use crate::model::known::Known;
use crate::policy::{Policies, Reach, Standing};

/// The policies that target an instance, or may, and whose bucket is known: those that Quick Setup holds. `reaches` are those of
/// [`Policies::reach`] for the instance.
pub fn patch_policies<'p>(policies: &'p Policies, reaches: &[Reach]) -> Vec<(PatchPolicy<'p>, Known<bool>)> {
    let targeting = policies.all.iter().zip(reaches).filter_map(|(policy, reach)| {
        let configuration = policy.configuration.as_ref()?;
        let is_targeted = reach.is_covered();
        let of_quick_setup = PatchPolicy {
            id: configuration.id.as_deref(),
            name: &policy.name,
            owner: &configuration.owner,
            is_attach_allowed: configuration.is_attach_allowed,
        };
        (!is_targeted.is(&false)).then_some((of_quick_setup, is_targeted))
    });
    targeting.collect()
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
