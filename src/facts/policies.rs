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
    let beside = policies.all.iter().zip(reaches).filter(|(_, reach)| matches!(reach, Reach::Missed(miss) if !miss.code.is_of_account()));
    let beside = beside.map(|(policy, _)| with_bucket(policies, policy, region.account)).collect();
    PatchPolicies { targeting: targeting.collect(), beside, unseen: policies.unseen_in(region) }
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
    PatchPolicy { id, name: &policy.name, owner, home: home(policies, policy, owner), is_attach_allowed, is_planned: policy.is_planned() }
}

/// The buckets of those policies, each with what would settle whether the instance asks for it.
pub(super) fn policy_buckets(policies: &Policies, reaches: &[Reach], region: &Region<'_>) -> Vec<(PolicyBucket, Option<Unknown>)> {
    let targeting = policies.all.iter().zip(reaches).map(|(policy, reach)| (policy, reach.is_covered()));
    let buckets = targeting.filter(|(_, is_targeted)| !is_targeted.is(&false)).flat_map(|(policy, is_targeted)| {
        let PatchPolicy { id, owner, home, .. } = with_bucket(policies, policy, region.account);
        let name = patch_policy_bucket(owner.unwrap_or("*"), id.unwrap_or("*"));
        let perhaps = is_targeted.reasons().first().cloned();
        let (regions, perhaps) = match home {
            Some(home) => (vec![home], perhaps),
            None => (vec![region.name, "*"], perhaps.or_else(|| Some(of_unknown_home(policy, region)))),
        };
        let bucket = move |at: &str| PolicyBucket { name: name.clone(), owner: owner.map(str::to_owned), region: at.to_owned() };
        regions.into_iter().map(|at| (bucket(at), perhaps.clone())).collect::<Vec<_>>()
    });
    buckets.collect()
}

/// The Region of a policy's bucket: where it was made, and of one that is still to be made, where its maker makes all of them.
fn home<'p>(policies: &'p Policies, policy: &'p Policy, maker: Option<&str>) -> Option<&'p str> {
    match (&policy.configuration, &policy.origin) {
        (Some(made), _) => made.home.as_deref(),
        (None, Origin::Planned { .. }) => policies.landscape.homes.get(maker?).map(String::as_str),
        (None, Origin::QuickSetup { .. } | Origin::Associations { .. }) => None,
    }
}

fn of_unknown_home(policy: &Policy, region: &Region<'_>) -> Unknown {
    let settled_by = if policy.is_planned() {
        format!("make the policy in {}, or let the instance reach S3 of the Region where you make it", region.name)
    } else {
        format!("look in Quick Setup in which Region {} was made, and let the instance reach S3 there", policy.name)
    };
    Unknown::new("bucket_region", &policy.name, settled_by)
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
