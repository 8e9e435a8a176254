//! The tree of organizational units: where an account stands, and which unit a person means.

use std::collections::{BTreeMap, BTreeSet};

use super::SelectionError;
use crate::snapshot::OrganizationFiles;

/// AWS allows five levels below the root; more is a broken snapshot, perhaps a circle.
const DEEPEST: usize = 16;

/// The organization's tree, as far as it is known.
#[derive(Debug)]
pub struct Tree<'a> {
    account_names: BTreeMap<&'a str, &'a str>,
    /// By unit id.
    unit_names: BTreeMap<&'a str, &'a str>,
    /// From an account or unit to what holds it.
    parents: BTreeMap<&'a str, &'a str>,
    /// From an account to the ids above it, the root first, where Organizations told it with the account.
    paths: BTreeMap<&'a str, Vec<&'a str>>,
}

impl<'a> Tree<'a> {
    pub fn new(files: &'a OrganizationFiles) -> Self {
        let mut tree =
            Self { account_names: BTreeMap::new(), unit_names: BTreeMap::new(), parents: BTreeMap::new(), paths: BTreeMap::new() };
        for account in files.accounts.iter().flat_map(|file| &file.accounts) {
            let Some(id) = account.id.as_deref() else { continue };
            if let Some(name) = account.name.as_deref() {
                tree.account_names.insert(id, name);
            }
            if let Some(path) = account.paths.first() {
                let above = path.split('/').filter(|part| part.starts_with("r-") || part.starts_with("ou-")).collect::<Vec<_>>();
                if !above.is_empty() {
                    tree.paths.insert(id, above);
                }
            }
        }
        if let Some(file) = &files.units {
            tree.parents.extend(file.parents.iter().map(|(child, parent)| (child.as_str(), parent.as_str())));
            for unit in &file.organizational_units {
                let Some(id) = unit.id.as_deref() else { continue };
                tree.unit_names.insert(id, unit.name.as_deref().unwrap_or(id));
                if let Some(parent) = unit.parent_id.as_deref() {
                    tree.parents.insert(id, parent);
                }
            }
        }
        tree
    }

    pub fn account_name(&self, account: &str) -> Option<&'a str> {
        self.account_names.get(account).copied()
    }

    /// The path of names to the unit that holds the account, such as `/Prod/Web`; `/` for the root; `None` when it is not known.
    /// A unit whose name is not known stands there with its id.
    pub fn ou_path(&self, account: &str) -> Option<String> {
        self.above(account).map(|above| self.path_of(above.iter().map(String::as_str)))
    }

    /// The ids of what holds the account, the root first; `None` when it is not known.
    pub fn above(&self, account: &str) -> Option<Vec<String>> {
        if let Some(path) = self.paths.get(account) {
            return Some(path.iter().map(|id| (*id).to_owned()).collect());
        }
        let chain = self.chain(self.parents.get(account)?);
        chain.first().is_some_and(|top| top.starts_with("r-")).then_some(chain)
    }

    /// The unit and all that holds it, the root first.
    fn chain(&self, unit: &str) -> Vec<String> {
        let mut chain = vec![unit.to_owned()];
        let mut current = unit;
        while let Some(parent) = self.parents.get(current)
            && chain.len() < DEEPEST
        {
            chain.push((*parent).to_owned());
            current = parent;
        }
        chain.reverse();
        chain
    }

    fn path_of<'i>(&self, chain: impl Iterator<Item = &'i str>) -> String {
        let names: Vec<&str> = chain.filter(|id| !id.starts_with("r-")).map(|id| self.unit_names.get(id).copied().unwrap_or(id)).collect();
        format!("/{}", names.join("/"))
    }

    /// The ids of the units that a person named, each by id or path.
    pub(super) fn resolve_all(&self, units: &[String]) -> Result<Vec<String>, SelectionError> {
        units.iter().map(|unit| self.resolve(unit)).collect()
    }

    /// The id of the unit that a person named, by id or path.
    ///
    /// # Errors
    /// When there is none, or no unit is known at all.
    pub fn resolve(&self, unit: &str) -> Result<String, SelectionError> {
        let known = self.units();
        if known.is_empty() {
            return Err(SelectionError::UnitsUnknown);
        }
        if known.contains_key(unit) {
            return Ok(unit.to_owned());
        }
        let names = unit.trim_matches('/');
        let below_root = names.strip_prefix("Root").filter(|rest| rest.is_empty() || rest.starts_with('/'));
        let wanted = [Some(names), below_root.map(|rest| rest.trim_matches('/'))];
        for path in wanted.into_iter().flatten().map(|names| format!("/{names}")) {
            if let Some((id, _)) = known.iter().find(|(_, known)| **known == path) {
                return Ok((*id).to_owned());
            }
        }
        let options = known.iter().flat_map(|(id, path)| [path.clone(), (*id).to_owned()]);
        let alike = |option: &String| unit.starts_with("ou-") == option.starts_with("ou-");
        let written = if unit.starts_with("ou-") || unit.starts_with('/') { unit.to_owned() } else { format!("/{unit}") };
        Err(SelectionError::NoSuchUnit { unit: unit.to_owned(), near: nearest(&written, options.filter(alike)) })
    }

    /// Every unit and root that is known, with its path.
    fn units(&self) -> BTreeMap<&str, String> {
        let mut ids: BTreeSet<&str> = self.unit_names.keys().copied().collect();
        ids.extend(self.parents.values());
        ids.extend(self.paths.values().flatten());
        let from_paths = |id: &str| {
            let path = self.paths.values().find(|path| path.contains(&id))?;
            Some(path.iter().take_while(|above| **above != id).map(|above| (*above).to_owned()).chain([id.to_owned()]).collect::<Vec<_>>())
        };
        ids.into_iter()
            .map(|id| {
                let chain = if self.parents.contains_key(id) { self.chain(id) } else { from_paths(id).unwrap_or_else(|| self.chain(id)) };
                (id, self.path_of(chain.iter().map(String::as_str)))
            })
            .collect()
    }
}

/// Up to five of the options that look most like what was written.
pub(super) fn nearest(written: &str, options: impl Iterator<Item = String>) -> Vec<String> {
    let limit = (written.chars().count() / 3).max(2);
    let mut scored: Vec<(usize, String)> = options
        .map(|option| (distance(&written.to_lowercase(), &option.to_lowercase()), option))
        .filter(|(distance, _)| *distance <= limit)
        .collect();
    scored.sort();
    scored.dedup();
    scored.into_iter().take(5).map(|(_, option)| option).collect()
}

/// How many characters have to be put in, taken out or replaced (Levenshtein).
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (line, from) in left.chars().enumerate() {
        let mut next = vec![line + 1];
        for (column, to) in right.iter().enumerate() {
            let above = row.get(column + 1).copied().unwrap_or(usize::MAX - 1);
            let diagonal = row.get(column).copied().unwrap_or(usize::MAX - 1);
            let before = next.last().copied().unwrap_or(usize::MAX - 1);
            next.push((above + 1).min(before + 1).min(diagonal + usize::from(from != *to)));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Tree, distance};
    use crate::snapshot::OrganizationFiles;
    use crate::snapshot::global::{Account, ListAccounts, OrganizationalUnit, OrganizationalUnits};

    #[test]
    fn distances() {
        for (left, right, expected) in [("", "", 0), ("abc", "abc", 0), ("abc", "acb", 2), ("", "ab", 2), ("kitten", "sitting", 3)] {
            assert_eq!(distance(left, right), expected, "{left} {right}");
        }
    }

    #[test]
    fn paths_of_accounts() {
        let account = |id: &str, path: &str| Account {
            id: Some(id.into()),
            name: Some("web".into()),
            paths: if path.is_empty() { vec![] } else { vec![path.into()] },
            ..Account::default()
        };
        let accounts = vec![
            account("111111111111", "o-1/r-1/111111111111/"),
            account("222222222222", "o-1/r-1/ou-1-a/ou-1-b/222222222222/"),
            account("333333333333", ""),
            account("444444444444", ""),
        ];
        let unit = |id: &str, name: &str, parent: &str| OrganizationalUnit {
            id: Some(id.into()),
            name: Some(name.into()),
            parent_id: Some(parent.into()),
        };
        let files = OrganizationFiles {
            accounts: Some(ListAccounts { accounts }),
            units: Some(OrganizationalUnits {
                organizational_units: vec![unit("ou-1-a", "Prod", "r-1"), unit("ou-1-c", "C", "ou-1-d"), unit("ou-1-d", "D", "ou-1-c")],
                parents: [("333333333333".to_owned(), "ou-1-a".to_owned()), ("555555555555".to_owned(), "ou-1-c".to_owned())].into(),
            }),
            organization: None,
            policies: None,
        };
        let tree = Tree::new(&files);
        assert_eq!(tree.ou_path("111111111111").as_deref(), Some("/"));
        assert_eq!(tree.ou_path("222222222222").as_deref(), Some("/Prod/ou-1-b"));
        assert_eq!(tree.ou_path("333333333333").as_deref(), Some("/Prod"));
        assert_eq!(tree.ou_path("444444444444"), None);
        assert_eq!(tree.ou_path("555555555555"), None, "a circle has no path");
        assert_eq!(tree.account_name("222222222222"), Some("web"));
    }
}
