//! The organization, as far as a policy's targets need it.

use std::collections::BTreeMap;

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
    /// The accounts that a policy is deployed to; `None` when the organization is not known well enough.
    pub fn accounts<'l>(&'l self, policy: &'l Policy) -> Option<Vec<&'l str>> {
        let mut accounts: Vec<&str> = policy.accounts.iter().map(String::as_str).collect();
        if !policy.units.is_empty() {
            let units = policy.units.iter().map(|unit| unit.id.as_deref()).collect::<Option<Vec<&str>>>()?;
            for account in self.active.as_ref()? {
                let above = self.above.get(account)?;
                let is_skipped = self.management_account.as_ref() == Some(account);
                if above.iter().any(|id| units.contains(&id.as_str())) && !is_skipped {
                    accounts.push(account);
                }
            }
        }
        accounts.sort_unstable();
        accounts.dedup();
        Some(accounts)
    }

    /// The account in which a policy for nodes of an account is made: the account itself where it is chosen by itself.
    pub fn maker<'l>(&'l self, policy: &Policy, account: &'l str) -> Option<&'l str> {
        if policy.accounts.iter().any(|chosen| chosen == account) { Some(account) } else { self.management_account.as_deref() }
    }

    /// The product of accounts and Regions, where it is known.
    pub fn deployments(&self, policy: &Policy) -> Option<usize> {
        Some(self.accounts(policy)?.len().saturating_mul(policy.regions.len()))
    }
}
