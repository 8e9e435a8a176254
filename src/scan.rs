//! From a snapshot to a report: the whole thinking half in one pure function.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::{Date, date};
use jiff::tz::Offset;

use crate::assess::{AccountDirectory, Assessed, assess, assess_policies, mark, verifier};
use crate::facts::Surroundings;
use crate::model::{Assumption, Assumptions, Estate};
use crate::platform::{self, Mirrors, Tables};
use crate::policy::{Landscape, Origin, Policies, Policy, PolicyError};
use crate::report::types::{Account, AccountStatus, Report};
use crate::report::{self, Frame};
use crate::rules::{RuleError, RuleSet};
use crate::scope::{Decision, Regions, Scope, Selection, SelectionError, Tree};
use crate::snapshot::{Gap, Snapshot};

/// How to judge.
#[derive(Debug)]
pub struct Judging<'s> {
    pub rules: &'s RuleSet,
    pub tables: &'s Tables,
    pub assumptions: Assumptions,
    pub mirrors: &'s Mirrors,
    /// The patch policies that are planned; their units are looked up in the snapshot.
    pub policies: &'s [Policy],
}

#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    #[error(transparent)]
    Selection(#[from] SelectionError),
    #[error(transparent)]
    Policy(#[from] PolicyError),
    #[error(transparent)]
    Rule(#[from] RuleError),
}

/// Judges what was chosen of a snapshot. The same snapshot gives the same report.
///
/// # Errors
/// When the choice names what the snapshot does not have, or a rule is broken.
pub fn scan(snapshot: &Snapshot, selection: &Selection, judging: &Judging<'_>) -> Result<Report, ScanError> {
    let scope = scope(snapshot, selection)?;
    if let Regions::Named(names) = &selection.regions {
        for name in names {
            check_region(snapshot, name)?;
        }
    }
    let directory = directory(snapshot, &scope);
    let chosen: BTreeSet<&str> =
        scope.accounts.iter().filter(|account| account.decision == Decision::Scan).map(|account| account.id.as_str()).collect();
    let is_chosen_region = |region: &str| match &selection.regions {
        Regions::Enabled => true,
        Regions::Named(names) => names.iter().any(|name| name == region),
    };
    let estate = Estate::new(snapshot);
    let written_at = snapshot.manifest.captured_at.as_deref();
    let captured_at = written_at.and_then(|text| text.parse::<Timestamp>().ok());
    let judge = |assumptions: &Assumptions| -> Result<(Policies, Vec<Assessed>), ScanError> {
        let policies = patch_policies(&estate, judging.policies, judging.tables, assumptions)?;
        let surroundings = Surroundings { tables: judging.tables, mirrors: judging.mirrors, policies: &policies, captured_at };
        let is_chosen = |account: &str, region: &str| chosen.contains(account) && is_chosen_region(region);
        let assessed = assess(&estate, judging.rules, &directory, surroundings, assumptions, is_chosen)?;
        Ok((policies, assessed))
    };
    let (policies, mut assessed) = judge(&judging.assumptions)?;
    let vouched = mark(&mut assessed, &judging.assumptions, |assumptions| judge(assumptions).map(|(_, assessed)| assessed))?;
    let today = captured_at.map_or(FIRST_DAY, |at| Offset::UTC.to_datetime(at).date());
    let concerns = |gap: &&Gap| {
        // Of an account that is not listed nobody knows whether it was meant, unless the accounts are named.
        let is_listed = scope.accounts.iter().any(|account| account.id == gap.account_id);
        let is_of_all = ["organizations:", "ssm-quicksetup:"].iter().any(|service| gap.operation.starts_with(service));
        let is_chosen = chosen.contains(gap.account_id.as_str()) || (!is_listed && (selection.accounts.is_empty() || is_of_all));
        is_chosen && gap.region.as_deref().is_none_or(is_chosen_region)
    };
    let gaps: Vec<Gap> = snapshot.manifest.gaps.iter().filter(concerns).cloned().collect();
    let frame = Frame {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        rules_digest: judging.rules.digest(),
        captured_at: written_at.map(str::to_owned),
        accounts: scope
            .accounts
            .iter()
            .map(|account| account_of(snapshot, &directory, &account.id, &account.decision, &gaps, is_chosen_region))
            .collect(),
        policies: assess_policies(&estate, &policies, &assessed, today),
        gaps,
        notes: snapshot.manifest.notes.iter().cloned().chain(scope.notes).chain(vouched).collect::<BTreeSet<_>>().into_iter().collect(),
    };
    let verifier = verifier(&estate, &judging.assumptions, &assessed);
    Ok(report::build(frame, &assessed, &verifier))
}

/// The patch policies that exist and those that are planned.
///
/// # Errors
/// When a plan names a unit or a policy that there is not, or two share a name.
pub fn patch_policies(estate: &Estate<'_>, plans: &[Policy], tables: &Tables, assumptions: &Assumptions) -> Result<Policies, PolicyError> {
    let tree = Tree::new(&estate.snapshot.organization);
    let mut policies = Policies::gather(estate, planned(plans, &tree)?, landscape(estate.snapshot, &tree, tables));
    policies.are_all_seen = assumptions.contains(&Assumption::NoUnseenPatchPolicies);
    policies.check()?;
    Ok(policies)
}

/// The day from which schedules are compared when the snapshot does not tell its own.
const FIRST_DAY: Date = date(2026, 1, 1);

/// The planned policies with their units looked up; where the tree is not known, an id is taken for itself.
fn planned(policies: &[Policy], tree: &Tree<'_>) -> Result<Vec<Policy>, PolicyError> {
    let mut policies = policies.to_vec();
    for policy in &mut policies {
        for unit in &mut policy.units {
            match tree.resolve(&unit.written) {
                Ok(id) => unit.id = Some(id),
                Err(SelectionError::UnitsUnknown) => {
                    let is_id = unit.written.starts_with("ou-") || unit.written.starts_with("r-");
                    unit.id = is_id.then(|| unit.written.clone());
                }
                Err(error) => {
                    let file = if let Origin::Planned { file } = &policy.origin { file.clone() } else { policy.name.clone() };
                    return Err(PolicyError::Target { file, problem: error.to_string() });
                }
            }
        }
    }
    Ok(policies)
}

fn landscape(snapshot: &Snapshot, tree: &Tree<'_>, tables: &Tables) -> Landscape {
    let listed = snapshot.organization.accounts.as_ref().map(|file| &file.accounts);
    let ids = listed.into_iter().flatten().filter_map(|account| account.id.as_ref()).chain(snapshot.accounts.keys());
    let is_active =
        |account: &&crate::snapshot::global::Account| account.standing().is_none_or(|state| state.eq_ignore_ascii_case("ACTIVE"));
    let management = snapshot.organization.organization.as_ref().and_then(|file| file.organization.master_account_id.clone());
    Landscape {
        above: ids.filter_map(|id| Some((id.clone(), tree.above(id)?))).collect(),
        active: listed.map(|accounts| accounts.iter().filter(is_active).filter_map(|account| account.id.clone()).collect()),
        management_account: management,
        homes: homes(snapshot),
        supported_regions: platform::regions_with_patch_policies(tables).map(str::to_owned).collect(),
    }
}

/// Where the configuration managers of an account agree.
fn homes(snapshot: &Snapshot) -> BTreeMap<String, String> {
    let files = snapshot.accounts.iter().filter_map(|(account, seen)| Some((account, seen.global.quick_setup.as_ref()?)));
    let managers = files.flat_map(|(account, file)| file.configuration_managers.iter().map(move |manager| (account.as_str(), manager)));
    let mut homes: BTreeMap<&str, BTreeSet<Option<&str>>> = BTreeMap::new();
    for (collected_in, manager) in managers {
        homes.entry(manager.account().unwrap_or(collected_in)).or_default().insert(manager.region());
    }
    let only = homes.into_iter().filter(|(_, regions)| regions.len() == 1);
    only.filter_map(|(account, regions)| Some((account.to_owned(), regions.into_iter().next()??.to_owned()))).collect()
}

/// The accounts in scope: those that the user chose, or everything that the snapshot holds.
fn scope(snapshot: &Snapshot, selection: &Selection) -> Result<Scope, SelectionError> {
    selection.check()?;
    let caller = snapshot.manifest.caller.as_ref().map(|caller| caller.account_id.as_str());
    let mut selection = selection.clone();
    let is_narrowed = !(selection.accounts.is_empty() && selection.ous.is_empty());
    if !is_narrowed && snapshot.organization.accounts.is_some() && is_whole_organization(snapshot) {
        selection.organization = true;
    }
    if selection.needs_organization() {
        let collected: Vec<&str> = snapshot.accounts.keys().map(String::as_str).collect();
        let mut scope = selection.select_with(&snapshot.organization, caller, &collected)?;
        for account in &mut scope.accounts {
            // Whoever took the snapshot may have left more out.
            let skipped = snapshot.manifest.accounts.get(&account.id).and_then(|account| account.skipped.as_ref());
            if let (Decision::Scan, Some(why)) = (&account.decision, skipped) {
                account.decision = Decision::Skip(why.clone());
            }
        }
        return Ok(scope);
    }
    let mut accounts: Vec<String> = snapshot.accounts.keys().chain(snapshot.manifest.accounts.keys()).cloned().collect();
    // An account without a folder is known by its gap.
    accounts.extend(snapshot.manifest.gaps.iter().filter(|gap| gap.operation == "sts:AssumeRole").map(|gap| gap.account_id.clone()));
    accounts.sort();
    accounts.dedup();
    if is_narrowed {
        for id in &selection.accounts {
            if !accounts.contains(id) {
                return Err(SelectionError::NoSuchAccount { id: id.clone(), near: accounts });
            }
        }
        accounts.clone_from(&selection.accounts);
    }
    if accounts.is_empty() {
        return Err(SelectionError::NothingLeft);
    }
    let chosen = Selection { accounts, exclude_accounts: selection.exclude_accounts.clone(), ..Selection::default() };
    let mut scope = chosen.select(&snapshot.organization, caller)?;
    for account in &mut scope.accounts {
        if let Some(why) = snapshot.manifest.accounts.get(&account.id).and_then(|account| account.skipped.as_ref()) {
            account.decision = Decision::Skip(why.clone());
        }
    }
    Ok(scope)
}

/// A Region that no account of the snapshot was looked at in is a slip of the pen, and not a Region without instances.
fn check_region(snapshot: &Snapshot, name: &str) -> Result<(), SelectionError> {
    let seen = snapshot.accounts.values().flat_map(|account| account.regions.keys());
    let told = snapshot.manifest.accounts.values().flat_map(|account| account.regions.keys());
    let missed = snapshot.manifest.gaps.iter().filter_map(|gap| gap.region.as_ref());
    let known: BTreeSet<&String> = seen.chain(told).chain(missed).collect();
    if known.iter().any(|known| *known == name) {
        return Ok(());
    }
    Err(SelectionError::NoSuchRegion { region: name.to_owned(), near: known.into_iter().cloned().collect() })
}

/// Whether the snapshot means to hold the organization: more than one account was looked at, or tried.
fn is_whole_organization(snapshot: &Snapshot) -> bool {
    let tried: BTreeSet<&String> = snapshot
        .accounts
        .keys()
        .chain(snapshot.manifest.accounts.keys())
        .chain(snapshot.manifest.gaps.iter().map(|gap| &gap.account_id))
        .collect();
    tried.len() > 1
}

fn directory(snapshot: &Snapshot, scope: &Scope) -> AccountDirectory {
    let tree = Tree::new(&snapshot.organization);
    let name = |id: &str| (tree.account_name(id).unwrap_or_default().to_owned(), tree.ou_path(id).unwrap_or_default());
    let ids = scope.accounts.iter().map(|account| &account.id).chain(snapshot.accounts.keys());
    let names: BTreeMap<String, (String, String)> = ids.map(|id| (id.clone(), name(id))).collect();
    AccountDirectory { partition: partition(snapshot), names }
}

/// The partition: as recorded, or as the Regions' names tell.
fn partition(snapshot: &Snapshot) -> String {
    if let Some(partition) = &snapshot.manifest.partition {
        return partition.clone();
    }
    let mut regions = snapshot.accounts.values().flat_map(|account| account.regions.keys());
    match regions.next() {
        Some(region) if region.starts_with("cn-") => "aws-cn",
        Some(region) if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    }
    .to_owned()
}

/// The Regions of an account, chosen ones alone, that are there or promised, and whose instances nobody saw though no gap says why.
fn unread_regions<'s>(snapshot: &'s Snapshot, id: &str, is_chosen: impl Fn(&str) -> bool) -> Vec<&'s str> {
    let seen = snapshot.accounts.get(id).map(|account| &account.regions);
    let promised = snapshot.manifest.accounts.get(id).map(|account| &account.regions);
    let names: BTreeSet<&str> =
        seen.into_iter().flat_map(BTreeMap::keys).chain(promised.into_iter().flat_map(BTreeMap::keys)).map(String::as_str).collect();
    let is_seen = |name: &str| seen.and_then(|regions| regions.get(name)).is_some_and(|files| files.instances.is_some());
    let is_told = |name: &str| {
        let mut of_account = snapshot.manifest.gaps.iter().filter(|gap| gap.account_id == id);
        of_account.any(|gap| gap.region.as_deref().is_none_or(|region| region == name))
    };
    names.into_iter().filter(|name| is_chosen(name) && !is_seen(name) && !is_told(name)).collect()
}

fn account_of(
    snapshot: &Snapshot,
    directory: &AccountDirectory,
    id: &str,
    decision: &Decision,
    gaps: &[Gap],
    is_chosen_region: impl Fn(&str) -> bool,
) -> Account {
    let (name, ou_path) = directory.names.get(id).cloned().unwrap_or_default();
    let of_account = || gaps.iter().filter(|gap| gap.account_id == id && gap.leaves_something_unread());
    let has_regions = snapshot.accounts.get(id).is_some_and(|account| account.regions.values().any(|region| region.instances.is_some()));
    let unread = unread_regions(snapshot, id, is_chosen_region);
    let (status, reason) = match decision {
        Decision::Skip(why) => (AccountStatus::Skipped, why.clone()),
        Decision::Scan => match (has_regions, of_account().next()) {
            (true, None) if !unread.is_empty() => {
                let files = unread.iter().map(|region| format!("{region}/ec2-describe-instances.json"));
                (AccountStatus::Partial, format!("{} was not collected", files.collect::<Vec<_>>().join(", ")))
            }
            (true, None) => (AccountStatus::Scanned, String::new()),
            (true, Some(_)) => (AccountStatus::Partial, format!("{} calls gave no whole answer", of_account().count())),
            (false, Some(gap)) => (AccountStatus::Unreadable, format!("{} ({}): {}", gap.operation, gap.reason.as_str(), gap.message)),
            (false, None) => (AccountStatus::Unreadable, "the snapshot holds nothing of it".to_owned()),
        },
    };
    Account { id: id.to_owned(), name, ou_path, status, reason }
}
