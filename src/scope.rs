//! Which accounts are in scope: what the user chose, laid over what Organizations told. Used for a live scan and for a snapshot alike.

mod tree;

use std::collections::BTreeSet;

use crate::snapshot::OrganizationFiles;
use crate::snapshot::global::Account;

pub use tree::Tree;

/// What the user chose.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// The whole organization, unless `accounts` or `ous` narrow it down.
    pub organization: bool,
    /// Twelve-digit account ids.
    pub accounts: Vec<String>,
    /// Organizational units with all that is below them: an id (`ou-…`, `r-…`) or a path of names (`/Prod/Web`, `Root/Prod/Web`).
    pub ous: Vec<String>,
    pub exclude_accounts: Vec<String>,
    pub exclude_ous: Vec<String>,
    pub regions: Regions,
}

/// Which Regions of each account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Regions {
    /// Every Region that is enabled in the account.
    #[default]
    Enabled,
    Named(Vec<String>),
}

/// Every account that is known, with what becomes of it, sorted by id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    pub accounts: Vec<ScopedAccount>,
    /// Things worth telling, in whole sentences.
    pub notes: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopedAccount {
    pub id: String,
    pub name: Option<String>,
    pub decision: Decision,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    Scan,
    /// Left out on purpose, and why.
    Skip(String),
}

/// A choice that cannot be carried out: the fault of the command line, except for the last two, where the organization cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectionError {
    #[error("{0:?} is not an account id: an account id is twelve digits")]
    NotAnAccountId(String),
    #[error("account {id} is not in the organization{}", perhaps(.near))]
    NoSuchAccount { id: String, near: Vec<String> },
    #[error("there is no organizational unit {unit:?}{}", perhaps(.near))]
    NoSuchUnit { unit: String, near: Vec<String> },
    #[error("the snapshot holds nothing of Region {region}{}", perhaps(.near))]
    NoSuchRegion { region: String, near: Vec<String> },
    #[error("nothing is left to scan: every chosen account is excluded or not active")]
    NothingLeft,
    #[error("which account to scan is not known: choose with --account")]
    NoCaller,
    #[error(
        "the organization's accounts cannot be listed: scan from the management account or a delegated administrator, or choose with --account"
    )]
    AccountsUnknown,
    #[error("the organization's units cannot be listed: scan from the management account, or choose with --account")]
    UnitsUnknown,
}

fn perhaps(options: &[String]) -> String {
    if options.is_empty() { String::new() } else { format!(" (perhaps {})", options.join(", ")) }
}

impl Selection {
    /// Whether the organization has to be read to carry the choice out.
    pub fn needs_organization(&self) -> bool {
        self.organization || !self.ous.is_empty() || !self.exclude_ous.is_empty()
    }

    /// What is wrong with the choice whatever the organization looks like.
    ///
    /// # Errors
    /// When an account id is not twelve digits.
    pub fn check(&self) -> Result<(), SelectionError> {
        match self.accounts.iter().chain(&self.exclude_accounts).find(|id| !is_account_id(id)) {
            Some(id) => Err(SelectionError::NotAnAccountId(id.clone())),
            None => Ok(()),
        }
    }

    /// Decides on every account that is known.
    ///
    /// # Errors
    /// When the choice names what is not there, leaves nothing, or needs an organization that could not be read.
    pub fn select(&self, files: &OrganizationFiles, caller: Option<&str>) -> Result<Scope, SelectionError> {
        self.select_with(files, caller, &[])
    }

    /// The same, where accounts were collected that the organization's list may lack: they are never passed over in silence.
    ///
    /// # Errors
    /// As [`Selection::select`].
    pub fn select_with(&self, files: &OrganizationFiles, caller: Option<&str>, collected: &[&str]) -> Result<Scope, SelectionError> {
        self.check()?;
        let tree = Tree::new(files);
        let mut scope = match &files.accounts {
            Some(_) if self.needs_organization() => self.select_listed(files, &tree, collected)?,
            None if self.needs_organization() => return Err(SelectionError::AccountsUnknown),
            _ => self.select_unlisted(&tree, caller)?,
        };
        scope.accounts.sort_by(|left, right| left.id.cmp(&right.id));
        if scope.accounts.iter().any(|account| account.decision == Decision::Scan) { Ok(scope) } else { Err(SelectionError::NothingLeft) }
    }

    /// Without an organization: the accounts that were named, or the caller's own.
    fn select_unlisted(&self, tree: &Tree<'_>, caller: Option<&str>) -> Result<Scope, SelectionError> {
        let ids: BTreeSet<&str> = match self.accounts.as_slice() {
            [] => BTreeSet::from([caller.ok_or(SelectionError::NoCaller)?]),
            named => named.iter().map(String::as_str).collect(),
        };
        let decide = |id: &str| ScopedAccount {
            id: id.to_owned(),
            name: tree.account_name(id).map(str::to_owned),
            decision: if self.exclude_accounts.iter().any(|out| out == id) {
                skip("excluded with --exclude-account")
            } else {
                Decision::Scan
            },
        };
        Ok(Scope { accounts: ids.into_iter().map(decide).collect(), notes: Vec::new() })
    }

    fn select_listed(&self, files: &OrganizationFiles, tree: &Tree<'_>, collected: &[&str]) -> Result<Scope, SelectionError> {
        let mut listed: Vec<(&str, Option<&Account>)> = files.accounts.iter().flat_map(|file| &file.accounts).filter_map(with_id).collect();
        let unlisted: Vec<&str> = collected.iter().copied().filter(|id| !listed.iter().any(|(known, _)| known == id)).collect();
        listed.extend(unlisted.into_iter().map(|id| (id, None)));
        for id in self.accounts.iter().chain(&self.exclude_accounts) {
            if !listed.iter().any(|(known, _)| known == id) {
                let near = tree::nearest(id, listed.iter().map(|(known, _)| (*known).to_owned()));
                return Err(SelectionError::NoSuchAccount { id: id.clone(), near });
            }
        }
        let units = tree.resolve_all(&self.ous)?;
        let excluded = tree.resolve_all(&self.exclude_ous)?;
        let mut scope = Scope::default();
        for (id, account) in listed {
            let above = tree.above(id);
            if account.is_some() && above.is_none() && !(units.is_empty() && excluded.is_empty()) {
                return Err(SelectionError::UnitsUnknown);
            }
            let above = above.unwrap_or_default();
            let within = |chosen: &[String]| above.iter().any(|unit| chosen.contains(unit));
            let narrowed = !(self.accounts.is_empty() && self.ous.is_empty());
            let chosen = !narrowed || self.accounts.iter().any(|chosen| chosen == id) || within(&units);
            let decision = if !chosen {
                skip("not chosen with --account or --ou")
            } else if self.exclude_accounts.iter().any(|out| out == id) {
                skip("excluded with --exclude-account")
            } else if within(&excluded) {
                skip("excluded with --exclude-ou")
            } else if let Some(account) = account {
                by_state(id, account, &mut scope.notes)
            } else {
                scope.notes.push(format!(
                    "Organizations does not list account {id}, of which something was collected; it is judged all the same."
                ));
                Decision::Scan
            };
            let name = account.and_then(|account| account.name.clone());
            scope.accounts.push(ScopedAccount { id: id.to_owned(), name, decision });
        }
        Ok(scope)
    }
}

fn skip(why: &str) -> Decision {
    Decision::Skip(why.to_owned())
}

fn with_id(account: &Account) -> Option<(&str, Option<&Account>)> {
    account.id.as_deref().map(|id| (id, Some(account)))
}

fn by_state(id: &str, account: &Account, notes: &mut Vec<String>) -> Decision {
    match account.standing() {
        None => {
            notes.push(format!("Organizations tells no state for account {id}; it is taken for active."));
            Decision::Scan
        }
        Some(state) if state.eq_ignore_ascii_case("ACTIVE") => Decision::Scan,
        Some(state) => Decision::Skip(format!("the account is not active: its state in the organization is {state}")),
    }
}

fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::{Decision, Scope, Selection, SelectionError};
    use crate::snapshot::OrganizationFiles;
    use crate::snapshot::global::{Account, ListAccounts, OrganizationalUnit, OrganizationalUnits};

    const MANAGEMENT: &str = "111111111111";
    const WEB: &str = "222222222222";
    const DATABASE: &str = "333333333333";
    const CLOSED: &str = "444444444444";

    fn account(id: &str, state: Option<&str>, status: Option<&str>) -> Account {
        Account {
            id: Some(id.into()),
            name: Some(format!("name-{id}")),
            state: state.map(Into::into),
            status: status.map(Into::into),
            ..Account::default()
        }
    }

    fn unit(id: &str, name: &str, parent: &str) -> OrganizationalUnit {
        OrganizationalUnit { id: Some(id.into()), name: Some(name.into()), parent_id: Some(parent.into()) }
    }

    /// Root: management. /Prod: database. /Prod/Web: web. /Suspended: closed.
    fn organization() -> OrganizationFiles {
        let accounts = vec![
            account(MANAGEMENT, Some("ACTIVE"), None),
            account(WEB, None, Some("ACTIVE")),
            account(DATABASE, None, None),
            account(CLOSED, Some("PENDING_CLOSURE"), Some("ACTIVE")),
        ];
        let units = vec![
            unit("ou-ab12-prod0000", "Prod", "r-ab12"),
            unit("ou-ab12-web00000", "Web", "ou-ab12-prod0000"),
            unit("ou-ab12-susp0000", "Suspended", "r-ab12"),
        ];
        let parents = [(MANAGEMENT, "r-ab12"), (WEB, "ou-ab12-web00000"), (DATABASE, "ou-ab12-prod0000"), (CLOSED, "ou-ab12-susp0000")];
        OrganizationFiles {
            organization: None,
            policies: None,
            accounts: Some(ListAccounts { accounts }),
            units: Some(OrganizationalUnits {
                organizational_units: units,
                parents: parents.into_iter().map(|(child, parent)| (child.to_owned(), parent.to_owned())).collect(),
            }),
        }
    }

    fn strings(values: &[&str]) -> Vec<String> {
        values.iter().map(|value| (*value).to_owned()).collect()
    }

    fn scanned(selection: &Selection, files: &OrganizationFiles) -> Vec<String> {
        let scope = selection.select(files, Some(MANAGEMENT)).unwrap();
        scope.accounts.into_iter().filter(|account| account.decision == Decision::Scan).map(|account| account.id).collect()
    }

    #[test]
    fn units_mean_their_subtree_however_they_are_written() {
        let cases: &[(&str, &[&str])] = &[
            ("/Prod", &[WEB, DATABASE]),
            ("Prod/Web", &[WEB]),
            ("Root/Prod/Web/", &[WEB]),
            ("ou-ab12-prod0000", &[WEB, DATABASE]),
            ("/", &[MANAGEMENT, WEB, DATABASE]),
            ("Root", &[MANAGEMENT, WEB, DATABASE]),
            ("r-ab12", &[MANAGEMENT, WEB, DATABASE]),
        ];
        for (unit, expected) in cases {
            let selection = Selection { ous: strings(&[unit]), ..Selection::default() };
            assert_eq!(scanned(&selection, &organization()), strings(expected), "{unit}");
        }
    }

    #[test]
    fn choices_combine_and_exclusions_win() {
        let files = organization();
        let all = Selection { organization: true, ..Selection::default() };
        assert_eq!(scanned(&all, &files), strings(&[MANAGEMENT, WEB, DATABASE]));
        let without_web = Selection { exclude_ous: strings(&["/Prod/Web"]), ..all.clone() };
        assert_eq!(scanned(&without_web, &files), strings(&[MANAGEMENT, DATABASE]));
        let both = Selection { accounts: strings(&[MANAGEMENT]), ous: strings(&["/Prod"]), exclude_accounts: strings(&[WEB]), ..all };
        assert_eq!(scanned(&both, &files), strings(&[MANAGEMENT, DATABASE]));
    }

    #[test]
    fn without_a_choice_only_the_callers_account() {
        assert_eq!(scanned(&Selection::default(), &OrganizationFiles::default()), strings(&[MANAGEMENT]));
        let named = Selection { accounts: strings(&[WEB, DATABASE]), ..Selection::default() };
        assert_eq!(scanned(&named, &OrganizationFiles::default()), strings(&[WEB, DATABASE]));
    }

    #[test]
    fn an_account_that_is_not_active_is_skipped_and_one_without_a_state_is_told() {
        let scope = Selection { organization: true, ..Selection::default() }.select(&organization(), None).unwrap();
        let closed = scope.accounts.iter().find(|account| account.id == CLOSED).unwrap();
        assert_eq!(closed.decision, Decision::Skip("the account is not active: its state in the organization is PENDING_CLOSURE".into()));
        assert_eq!(scope.notes, ["Organizations tells no state for account 333333333333; it is taken for active."]);
    }

    #[test]
    fn an_account_that_the_organization_does_not_list_is_judged_all_the_same() {
        const UNLISTED: &str = "555555555555";
        let files = organization();
        let scope = |selection: Selection| selection.select_with(&files, None, &[WEB, UNLISTED]).unwrap();
        let decision = |scope: &Scope| scope.accounts.iter().find(|account| account.id == UNLISTED).map(|account| account.decision.clone());
        let whole = scope(Selection { organization: true, ..Selection::default() });
        assert_eq!((decision(&whole), whole.accounts.len()), (Some(Decision::Scan), 5));
        let told = "Organizations does not list account 555555555555, of which something was collected; it is judged all the same.";
        assert!(whole.notes.iter().any(|note| note == told), "{:?}", whole.notes);
        let named = Selection { organization: true, accounts: strings(&[UNLISTED]), ..Selection::default() };
        assert_eq!(decision(&scope(named)), Some(Decision::Scan));
        let excluded = Selection { organization: true, exclude_accounts: strings(&[UNLISTED]), ..Selection::default() };
        assert_eq!(decision(&scope(excluded)), Some(Decision::Skip("excluded with --exclude-account".into())));
        // Where it stands is not known.
        let below = scope(Selection { ous: strings(&["/Prod"]), ..Selection::default() });
        assert_eq!(decision(&below), Some(Decision::Skip("not chosen with --account or --ou".into())));
    }

    #[test]
    fn what_is_not_there_is_named_with_what_is_near() {
        let files = organization();
        let select = |selection: Selection| selection.select(&files, Some(MANAGEMENT)).unwrap_err().to_string();
        assert_eq!(
            select(Selection { ous: strings(&["/Prod/Wbe"]), ..Selection::default() }),
            r#"there is no organizational unit "/Prod/Wbe" (perhaps /Prod/Web)"#
        );
        assert_eq!(
            select(Selection { ous: strings(&["/prod"]), ..Selection::default() }),
            r#"there is no organizational unit "/prod" (perhaps /Prod)"#
        );
        assert_eq!(
            select(Selection { organization: true, exclude_accounts: strings(&["222222222223"]), ..Selection::default() }),
            "account 222222222223 is not in the organization (perhaps 222222222222)"
        );
        assert_eq!(
            select(Selection { accounts: strings(&["12345"]), ..Selection::default() }),
            r#""12345" is not an account id: an account id is twelve digits"#
        );
        let unknown = Selection { organization: true, ..Selection::default() }.select(&OrganizationFiles::default(), None);
        assert_eq!(unknown, Err(SelectionError::AccountsUnknown));
        let excluded = Selection { exclude_accounts: strings(&[MANAGEMENT]), ..Selection::default() };
        assert_eq!(excluded.select(&files, Some(MANAGEMENT)), Err(SelectionError::NothingLeft));
    }

    #[test]
    fn without_the_tree_units_cannot_be_chosen_but_paths_of_accounts_do() {
        let mut files = organization();
        files.units = None;
        let by_id = Selection { ous: strings(&["ou-ab12-web00000"]), ..Selection::default() };
        assert_eq!(by_id.select(&files, None), Err(SelectionError::UnitsUnknown));
        for account in &mut files.accounts.as_mut().unwrap().accounts {
            let middle = if account.id.as_deref() == Some(WEB) { "ou-ab12-prod0000/ou-ab12-web00000/" } else { "" };
            account.paths = vec![format!("o-a1b2c3/r-ab12/{middle}{}/", account.id.clone().unwrap())];
        }
        assert_eq!(scanned(&by_id, &files), strings(&[WEB]));
    }
}
