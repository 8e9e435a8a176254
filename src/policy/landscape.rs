//! The organization, as far as a policy's targets need it.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::Policy;

/// Who stands where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Landscape {
    /// From an account to the ids of what holds it, the root first; an account whose place is not known is absent.
    pub above: BTreeMap<String, Vec<String>>,
    /// The accounts that StackSets deploys to: the active ones. `None` when the organization could not be listed.
    pub active: Option<Vec<String>>,
    /// `None` when the organization could not be described, or there is none.
    pub management_account: Option<String>,
    /// From an account to the Region in which Quick Setup makes its configurations, as those that there are tell
    /// (<https://docs.aws.amazon.com/systems-manager/latest/userguide/quick-setup-getting-started.html>).
    pub homes: BTreeMap<String, String>,
    /// The Regions that Quick Setup deploys patch policies to.
    pub supported_regions: Vec<String>,
}

impl Landscape {
    /// How many accounts a policy for organizational units is deployed to: those that surely are below them, and those that may be.
    fn accounts_below(&self, policy: &Policy) -> RangeInclusive<usize> {
        let chosen: Vec<&str> = policy.units.iter().filter_map(|unit| unit.id.as_deref()).collect();
        let is_whole = chosen.len() == policy.units.len();
        let Some(active) = &self.active else { return 0..=usize::MAX };
        let (mut surely, mut perhaps) = (0, 0);
        for account in active.iter().filter(|account| self.management_account.as_ref() != Some(account)) {
            match self.above.get(account) {
                Some(above) if above.iter().any(|id| chosen.contains(&id.as_str())) => surely += 1,
                Some(_) if is_whole => {}
                Some(_) | None => perhaps += 1,
            }
        }
        surely..=surely + perhaps
    }

    /// The product of accounts and Regions, at least and at most. An account that is chosen by itself has a configuration of its own.
    pub fn deployments(&self, policy: &Policy) -> RangeInclusive<usize> {
        let regions = policy.regions.len();
        let accounts = if policy.units.is_empty() { 1..=1 } else { self.accounts_below(policy) };
        accounts.start().saturating_mul(regions)..=accounts.end().saturating_mul(regions)
    }

    /// The account in which a policy for nodes of an account is made: the account itself where it is chosen by itself.
    pub fn maker<'l>(&'l self, policy: &Policy, account: &'l str) -> Option<&'l str> {
        if policy.accounts.iter().any(|chosen| chosen == account) { Some(account) } else { self.management_account.as_deref() }
    }

    /// Whether a policy is made in an account; `None` where the management account is not known.
    pub(super) fn is_made_in(&self, policy: &Policy, account: &str) -> Option<bool> {
        if policy.accounts.iter().any(|chosen| chosen == account) {
            return Some(true);
        }
        if policy.units.is_empty() {
            return Some(false);
        }
        self.management_account.as_deref().map(|management| management == account)
    }
}
