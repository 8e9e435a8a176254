//! The report's fixes: shared between findings, in the account that has what is changed, each tried on the model.

use std::collections::{BTreeMap, BTreeSet};

use super::build::stable_id;
use super::types::{Commands, FindingStatus, Fix, Readiness, Severity, Verified};
use crate::assess::{Assessed, Found};
use crate::network::Target;
use crate::plan::{Change, Proof, Verifier, Whom};

/// The account and the Region in which a change is made, and its key.
type Key = (String, String, String);

/// Shares fixes between findings, and counts for each whom it helps.
#[derive(Debug)]
pub(super) struct FixPlan<'v, 's> {
    verifier: &'v Verifier<'s>,
    fixes: BTreeMap<Key, Planned>,
}

#[derive(Debug)]
struct Planned {
    id: String,
    change: Change,
    /// The instances with an error that this change clears.
    instances: BTreeSet<Whom>,
}

/// What an instance needs in all.
struct Need {
    /// `None` where an error has no change that clears it.
    changes: Option<BTreeSet<Key>>,
    /// What its errors are about.
    targets: BTreeSet<Target>,
}

impl<'v, 's> FixPlan<'v, 's> {
    pub(super) fn new(verifier: &'v Verifier<'s>) -> Self {
        Self { verifier, fixes: BTreeMap::new() }
    }

    fn key(&self, assessed: &Assessed, change: &Change) -> Key {
        let (account, region) = self.verifier.home(&assessed.account_id, &assessed.region, change);
        (account.to_owned(), region.to_owned(), change.key())
    }

    pub(super) fn add(&mut self, assessed: &Assessed, found: &Found) -> Vec<String> {
        let mut ids = Vec::new();
        for change in &found.changes {
            let key = self.key(assessed, change);
            let id = stable_id(&[&key.0, &key.1, &key.2]);
            let planned =
                self.fixes.entry(key).or_insert_with(|| Planned { id: id.clone(), change: change.clone(), instances: BTreeSet::new() });
            planned.change.absorb(change.clone());
            planned.instances.insert(whom(assessed));
            ids.push(id);
        }
        ids.sort();
        ids.dedup();
        ids
    }

    fn need(&self, assessed: &Assessed) -> Need {
        let mut need = Need { changes: Some(BTreeSet::new()), targets: BTreeSet::new() };
        let has_changes = assessed.findings.iter().any(|found| !found.changes.is_empty());
        for found in assessed.findings.iter().filter(|found| found.severity == Severity::Error) {
            // "Not registered" follows from the other causes where there are any.
            if found.changes.is_empty() && !(found.status == FindingStatus::Fail && found.rule_id == "not-registered" && has_changes) {
                need.changes = None;
            }
            if let Some(changes) = &mut need.changes {
                changes.extend(found.changes.iter().map(|change| self.key(assessed, change)));
            }
            need.targets.extend(found.target);
        }
        need
    }

    pub(super) fn finish(mut self, assessed: &[Assessed]) -> Vec<Fix> {
        let not_ready = assessed.iter().filter(|each| each.readiness == Readiness::NotReady);
        let needs: BTreeMap<Whom, Need> = not_ready.map(|each| (whom(each), self.need(each))).collect();
        let mut taken = BTreeMap::new();
        for ((account, region, _), planned) in &mut self.fixes {
            self.verifier.number(account, region, &mut planned.change, &mut taken);
        }
        let mut fixes: Vec<Fix> = self.fixes.iter().map(|(key, planned)| self.fix(key, planned, &needs)).collect();
        fixes.sort_by(|left, right| left.id.cmp(&right.id));
        fixes
    }

    fn fix(&self, key: &Key, planned: &Planned, needs: &BTreeMap<Whom, Need>) -> Fix {
        let (account_id, region, _) = key;
        let (proof, because, breaks, still) = match self.proof(key, planned) {
            Proof::Verified { because, still } => (Verified::Verified, because, Vec::new(), still),
            Proof::NotVerifiable { because } => (Verified::NotVerifiable, because, Vec::new(), BTreeMap::new()),
            Proof::Rejected { because, breaks } => (Verified::Rejected, because, breaks, BTreeMap::new()),
        };
        // A look at the instance says what to do, and does not do it.
        let is_cure = !matches!(planned.change, Change::RunDiagnosis { .. });
        let alone = |instance: &&Whom| {
            let Some(need) = needs.get(*instance) else { return false };
            let is_all = need.changes.as_ref().is_some_and(|changes| changes.iter().all(|needed| needed == key));
            let stays = still.get(*instance).is_some_and(|still| !still.is_disjoint(&need.targets));
            is_cure && is_all && !stays
        };
        let (unblocks, helps): (Vec<&Whom>, Vec<&Whom>) = planned.instances.iter().partition(alone);
        let ids = |instances: Vec<&Whom>| {
            // What is rejected helps nobody.
            let instances = if proof == Verified::Rejected { Vec::new() } else { instances };
            let mut ids: Vec<String> = instances.into_iter().map(|(_, _, id)| id.clone()).collect();
            ids.sort();
            ids
        };
        Fix {
            id: planned.id.clone(),
            kind: planned.change.kind().to_owned(),
            title: planned.change.title(),
            resource: planned.change.resource().to_owned(),
            unblocks: ids(unblocks),
            helps: ids(helps),
            breaks,
            verified: proof,
            because,
            // What is rejected nobody should run.
            commands: Commands {
                aws_cli: if proof == Verified::Rejected { Vec::new() } else { planned.change.commands(region) },
                terraform: None,
                cloudformation: None,
            },
            monthly_cost_usd: None,
            undo: planned.change.undo().to_owned(),
            account_id: account_id.clone(),
            region: region.clone(),
        }
    }

    /// What comes of the change by itself, or else of it after those without which private DNS has no effect.
    fn proof(&self, key: &Key, planned: &Planned) -> Proof {
        let (account, region, _) = key;
        let verify = |beside: &[&Change]| self.verifier.verify(account, region, &planned.change, beside, &planned.instances);
        let alone = verify(&[]);
        let is_of_private_dns = |change: &Change| {
            matches!(change, Change::CreateInterfaceEndpoint { .. } | Change::EnablePrivateDns { .. } | Change::EnableVpcAttribute { .. })
        };
        if !matches!(&alone, Proof::Rejected { breaks, .. } if breaks.is_empty()) || !is_of_private_dns(&planned.change) {
            return alone;
        }
        // Fixes for other instances are not needed for these.
        let is_beside = |(other, candidate): &(&Key, &Planned)| {
            (&other.0, &other.1) == (account, region)
                && *other != key
                && is_of_private_dns(&candidate.change)
                && !candidate.instances.is_disjoint(&planned.instances)
        };
        let beside: Vec<&Change> = self.fixes.iter().filter(is_beside).map(|(_, other)| &other.change).collect();
        let has_attribute = beside.iter().chain([&&planned.change]).any(|change| matches!(change, Change::EnableVpcAttribute { .. }));
        if !has_attribute {
            return alone;
        }
        match verify(&beside) {
            Proof::Verified { because, still } => {
                Proof::Verified { because: format!("{because}, together with the other fixes for private DNS"), still }
            }
            _ => alone,
        }
    }
}

fn whom(assessed: &Assessed) -> Whom {
    (assessed.account_id.clone(), assessed.region.clone(), assessed.instance_id.clone())
}
