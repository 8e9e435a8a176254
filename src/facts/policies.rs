//! How an instance stands to the patch policies, as the rules see it.

use super::PolicyFacts;
use crate::policy::{Policies, Standing};

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
