//! How an instance stands to the patch policies, as the rules see it.

use super::PolicyFacts;
use crate::identity::{PatchPolicies, PatchPolicy};
use crate::model::Region;
use crate::model::known::Unknown;
use crate::network::PolicyBucket;
use crate::policy::{Origin, Policies, Policy, Reach, Standing};
use crate::snapshot::global::patch_policy_bucket;

/// The policies that target an instance of a Region, or may. `reaches` are those of [`Policies::reach`] for the instance.
pub fn patch_policies<'p>(policies: &'p Policies, reaches: &[Reach], region: &Region<'p>) -> PatchPolicies<'p> {
    let targeting = policies.all.iter().zip(reaches).filter_map(|(policy, reach)| {
        let is_targeted = reach.is_covered();
        if is_targeted.is(&false) {
            return None;
        }
        Some((with_bucket(policies, policy, region.account), is_targeted))
    });
    PatchPolicies { targeting: targeting.collect(), unseen: policies.unseen_in(region) }
}

fn with_bucket<'p>(policies: &'p Policies, policy: &'p Policy, account: &'p str) -> PatchPolicy<'p> {
    let (id, owner) = match (&policy.configuration, &policy.origin) {
        (Some(made), _) => (made.id.as_deref(), Some(made.owner.as_str())),
        (None, Origin::Planned { .. }) => (None, policies.landscape.maker(policy, account)),
        (None, Origin::Associations { id, .. }) => (Some(id.as_str()), None),
        (None, Origin::QuickSetup { .. }) => (None, None),
    };
    // AWS's default is not to.
    let is_attach_allowed = policy.attaches.or(policy.is_planned().then_some(false));
    PatchPolicy { id, name: &policy.name, owner, is_attach_allowed, is_planned: policy.is_planned() }
}

/// The buckets of those policies, `*` for what is not known of their names, with what would settle whether the policy targets the instance.
pub(super) fn policy_buckets(policies: &Policies, reaches: &[Reach], region: &Region<'_>) -> Vec<(PolicyBucket, Option<Unknown>)> {
    let targeting = policies.all.iter().zip(reaches).map(|(policy, reach)| (policy, reach.is_covered()));
    let buckets = targeting.filter(|(_, is_targeted)| !is_targeted.is(&false)).filter_map(|(policy, is_targeted)| {
        let home = match &policy.origin {
            // Quick Setup puts it where it is at home, beside the configuration manager: arn:aws:ssm-quicksetup:REGION:ACCOUNT:configuration-manager/ID
            Origin::QuickSetup { manager } => manager.split(':').nth(3).filter(|home| !home.is_empty()),
            // Where a plan is going to be made it does not tell: the instance's Region stands for it.
            Origin::Planned { .. } => None,
            Origin::Associations { .. } => return None,
        };
        let PatchPolicy { id, owner, .. } = with_bucket(policies, policy, region.account);
        let name = patch_policy_bucket(owner.unwrap_or("*"), id.unwrap_or("*"));
        let bucket = PolicyBucket { name, region: home.unwrap_or(region.name).to_owned() };
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
            is_undeployed: standing.is_undeployed,
            undeployed_because: standing.undeployed_because,
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
