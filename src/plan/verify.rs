//! Proves a change on the model: made to a copy of the snapshot and judged again, it must help those it is for and take nothing from anybody.
//!
//! What is proved is proved of the model, not of AWS.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::apply::{self, Refusal};
use super::change::Change;
use crate::model::Estate;
use crate::network::{Assumptions, Needs, Network, Path, Verdict};
use crate::snapshot::{AccountSnapshot, Snapshot};

/// An instance as it was judged.
#[derive(Debug, Clone, Copy)]
pub struct Before<'s> {
    pub account: &'s str,
    pub region: &'s str,
    pub instance: &'s str,
    pub needs: &'s Needs,
    pub paths: &'s [Arc<Path>],
    pub repository: &'s Path,
}

/// What came of trying a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// It helps everybody it is for, and breaks nothing.
    Verified {
        because: String,
    },
    NotVerifiable {
        because: String,
    },
    /// It does not help, breaks something for these instances, or AWS would refuse it.
    Rejected {
        because: String,
        breaks: Vec<String>,
    },
}

/// Tries changes on the model, one at a time.
#[derive(Debug)]
pub struct Verifier<'s> {
    snapshot: &'s Snapshot,
    assumptions: &'s Assumptions,
    /// By account and Region.
    before: BTreeMap<(&'s str, &'s str), Vec<Before<'s>>>,
}

impl<'s> Verifier<'s> {
    pub fn new(snapshot: &'s Snapshot, assumptions: &'s Assumptions, all: impl IntoIterator<Item = Before<'s>>) -> Self {
        let mut before: BTreeMap<_, Vec<Before<'s>>> = BTreeMap::new();
        for each in all {
            before.entry((each.account, each.region)).or_default().push(each);
        }
        Self { snapshot, assumptions, before }
    }

    /// Tries a change that is to help these instances of an account's Region.
    pub fn verify(&self, account: &str, region: &str, change: &Change, helped: &BTreeSet<String>) -> Proof {
        let mut copy = self.of_region(region);
        // What is changed may be the owner's of a shared VPC.
        let holders = std::iter::once(account.to_owned()).chain(copy.accounts.keys().filter(|id| *id != account).cloned());
        let holders: Vec<String> = holders.collect();
        let Some((holder, vpc)) = holders.into_iter().find_map(|holder| {
            let vpc = apply::vpc_of(change, copy.accounts.get(&holder)?.regions.get(region)?)?;
            Some((holder, vpc))
        }) else {
            let because = match apply::apply(change, &mut crate::snapshot::RegionFiles::default()) {
                Err(Refusal::NotModelled(why)) => why.to_owned(),
                _ => "what it changes was not collected".to_owned(),
            };
            return Proof::NotVerifiable { because };
        };
        let Some(files) = copy.accounts.get_mut(&holder).and_then(|account| account.regions.get_mut(region)) else {
            return Proof::NotVerifiable { because: "what it changes was not collected".to_owned() };
        };
        match apply::apply(change, files) {
            Ok(()) => {}
            Err(Refusal::NotModelled(why)) => return Proof::NotVerifiable { because: why.to_owned() },
            Err(Refusal::Infeasible(because)) => return Proof::Rejected { because, breaks: Vec::new() },
        }
        self.compare(&copy, account, region, &vpc, helped)
    }

    /// The Region of every account, and the Regions beside it, without what the network does not need.
    fn of_region(&self, region: &str) -> Snapshot {
        let accounts = self.snapshot.accounts.iter().map(|(id, account)| {
            let regions = account.regions.iter().filter(|(name, files)| *name == region || files.peering_connections.is_some());
            let regions = regions.map(|(name, files)| (name.clone(), files.clone())).collect();
            (id.clone(), AccountSnapshot { regions, ..AccountSnapshot::default() })
        });
        Snapshot { accounts: accounts.collect(), organization: self.snapshot.organization.clone(), ..Snapshot::default() }
    }

    fn compare(&self, copy: &Snapshot, account: &str, region_name: &str, vpc: &str, helped: &BTreeSet<String>) -> Proof {
        let estate = Estate::new(copy);
        let network = Network::new(&estate, self.assumptions);
        let mut breaks = BTreeSet::new();
        let mut lost = None;
        let mut unhelped = BTreeSet::new();
        let mut others = 0;
        // A shared VPC holds instances of other accounts too.
        for region in estate.regions().filter(|region| region.name == region_name) {
            let instances = Estate::instances(region);
            for before in self.before.get(&(region.account, region.name)).into_iter().flatten() {
                let Some(instance) = instances.get(before.instance).filter(|instance| instance.vpc_id.as_deref() == Some(vpc)) else {
                    continue;
                };
                let after = network.judge(region, instance, before.needs);
                let pairs: Vec<(&Path, &Path)> = before
                    .paths
                    .iter()
                    .map(Arc::as_ref)
                    .zip(after.paths.iter().map(Arc::as_ref))
                    .chain(std::iter::once((before.repository, &after.repository)))
                    .collect();
                if let Some((was, is)) = pairs.iter().find(|(was, is)| is_worse(was.verdict, is.verdict)) {
                    breaks.insert(before.instance.to_owned());
                    lost.get_or_insert_with(|| {
                        format!(
                            "{} would lose {}: {} before, {} after",
                            before.instance,
                            was.host,
                            was.verdict.as_str(),
                            is.verdict.as_str()
                        )
                    });
                }
                let is_better = pairs.iter().any(|(was, is)| is.blockers.len() < was.blockers.len() || is_worse(is.verdict, was.verdict));
                let is_meant = region.account == account && helped.contains(before.instance);
                if is_meant && !is_better {
                    unhelped.insert(before.instance.to_owned());
                }
                others += usize::from(!is_meant && is_better);
            }
        }
        let breaks: Vec<String> = breaks.into_iter().collect();
        if let Some(because) = lost {
            return Proof::Rejected { because, breaks };
        }
        if let Some(first) = unhelped.first() {
            let because = match unhelped.len() - 1 {
                0 => format!("on the model it changes nothing for {first}"),
                more => format!("on the model it changes nothing for {first} and {more} more"),
            };
            return Proof::Rejected { because, breaks };
        }
        let and_others = if others == 0 { String::new() } else { format!("; it helps {others} more of {vpc}") };
        Proof::Verified {
            because: format!("tried on the model: it removes what it is to remove, and nothing in {vpc} gets worse{and_others}"),
        }
    }
}

/// Whether a path works for less than before.
fn is_worse(was: Verdict, is: Verdict) -> bool {
    let rank = |verdict: Verdict| match verdict {
        Verdict::Reachable | Verdict::NotNeeded => 3,
        Verdict::Partial => 2,
        Verdict::Unknown => 1,
        Verdict::Blocked => 0,
    };
    rank(is) < rank(was)
}
