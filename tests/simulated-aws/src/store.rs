//! The snapshot that is served: its files as plain JSON in the shapes of the AWS CLI.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::refusal::{Refusal, Trouble};

/// A folder that cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("cannot read {}: {source}", path.display())]
    Io { path: PathBuf, source: std::io::Error },
    #[error("{} is no JSON: {source}", path.display())]
    Json { path: PathBuf, source: serde_json::Error },
    #[error("{} holds no account: no folder with twelve digits", path.display())]
    Empty { path: PathBuf },
}

/// Files by name.
pub(crate) type Files = BTreeMap<String, Value>;

#[derive(Debug, Clone, Default)]
pub struct Account {
    pub global: Files,
    /// The Regions that are on.
    pub regions: BTreeMap<String, Files>,
}

#[derive(Debug, Clone, Default)]
pub struct Store {
    pub manifest: Value,
    pub organization: Files,
    pub accounts: BTreeMap<String, Account>,
}

impl Store {
    pub fn read(folder: &Path) -> Result<Self, StoreError> {
        let mut store = Self { organization: files(&folder.join("organization"))?, ..Self::default() };
        store.manifest = match folder.join("snapshot.json") {
            path if path.exists() => json(&path)?,
            _ => Value::Null,
        };
        for name in names(folder)?.into_iter().filter(|name| is_account_id(name)) {
            let mut account = Account::default();
            for place in names(&folder.join(&name))? {
                let path = folder.join(&name).join(&place);
                if place == "global" {
                    account.global = files(&path)?;
                } else if path.is_dir() {
                    account.regions.insert(place, files(&path)?);
                }
            }
            store.accounts.insert(name, account);
        }
        // Regions of which nothing was kept, and accounts that could not be entered, are there nevertheless.
        for (id, entry) in members(&store.manifest, "accounts") {
            let account = store.accounts.entry(id.clone()).or_default();
            for (region, _) in members(entry, "regions") {
                account.regions.entry(region.clone()).or_default();
            }
        }
        for listed in store.listed_accounts().iter().filter_map(|listed| text(listed, "Id")).map(str::to_owned).collect::<Vec<_>>() {
            store.accounts.entry(listed).or_default();
        }
        if store.accounts.is_empty() {
            return Err(StoreError::Empty { path: folder.to_owned() });
        }
        Ok(store)
    }

    /// The account that looked: where a scan starts.
    pub fn caller(&self) -> String {
        let said = self.manifest.pointer("/caller/account_id").and_then(Value::as_str);
        let first = || self.accounts.keys().next().map_or("", String::as_str);
        said.or_else(|| self.management_account()).unwrap_or_else(first).to_owned()
    }

    /// A Region that is on for the caller: us-east-1 where it is.
    pub fn home(&self) -> &str {
        const USUAL: &str = "us-east-1";
        let regions = self.accounts.get(&self.caller()).map(|account| &account.regions);
        let first = regions.filter(|regions| !regions.contains_key(USUAL)).and_then(|regions| regions.keys().next());
        first.map_or(USUAL, String::as_str)
    }

    pub fn caller_arn(&self) -> Option<&str> {
        self.manifest.pointer("/caller/arn").and_then(Value::as_str).filter(|arn| !arn.is_empty())
    }

    pub fn partition(&self) -> &str {
        self.manifest.get("partition").and_then(Value::as_str).unwrap_or("aws")
    }

    pub fn management_account(&self) -> Option<&str> {
        self.organization.get("organizations-describe-organization.json")?.pointer("/Organization/MasterAccountId")?.as_str()
    }

    pub fn listed_accounts(&self) -> &[Value] {
        let file = self.organization.get("organizations-list-accounts.json");
        file.and_then(|file| file.get("Accounts")).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
    }

    /// What the manifest says of an operation that gave no answer. `region` is `None` for what holds for the whole account.
    pub fn gap(&self, account: &str, region: Option<&str>, operation: &str) -> Option<Refusal> {
        let mut gaps = self.gaps(account).filter(|gap| gap.get("region").and_then(Value::as_str) == region);
        gaps.find(|gap| text(gap, "operation") == Some(operation)).map(|gap| refusal(operation, gap))
    }

    /// The operations of a service that gave no answer for the account as a whole.
    pub fn gaps_of_service(&self, account: &str, service: &str) -> BTreeSet<&str> {
        let names = self.gaps(account).filter_map(|gap| text(gap, "operation"));
        names.filter(|name| name.strip_prefix(service).is_some_and(|rest| rest.starts_with(':'))).collect()
    }

    fn gaps<'s>(&'s self, account: &str) -> impl Iterator<Item = &'s Value> {
        let gaps = self.manifest.get("gaps").and_then(Value::as_array).into_iter().flatten();
        gaps.filter(move |gap| text(gap, "account_id") == Some(account))
    }
}

/// What AWS must have said to leave such a gap.
fn refusal(operation: &str, gap: &Value) -> Refusal {
    let service = operation.split(':').next().unwrap_or_default();
    let message = text(gap, "message").unwrap_or_default();
    let told = |trouble| {
        let refusal = Refusal::of(service, trouble, message);
        // The scanner writes the code before the message.
        match message.strip_prefix(&format!("{}: ", refusal.code)) {
            Some(bare) => Refusal { message: bare.to_owned(), ..refusal },
            None => refusal,
        }
    };
    match text(gap, "reason").unwrap_or_default() {
        "access_denied" | "role_not_assumable" => told(Trouble::AccessDenied),
        "scp_denied" => {
            let refusal = told(Trouble::AccessDenied);
            let policy = "with an explicit deny in a service control policy";
            let message = if refusal.message.contains(policy) { refusal.message } else { format!("{} {policy}", refusal.message) };
            Refusal { message, ..refusal }
        }
        "region_disabled" => told(Trouble::BadCredentials),
        "throttled" => told(Trouble::Throttled),
        "timeout" => Refusal::new("", 504, message),
        "unsupported" if operation == "ssm:GetServiceSetting" => Refusal::new("ServiceSettingNotFound", 400, message),
        "unsupported" => told(Trouble::UnknownOperation),
        _ => told(Trouble::InternalError),
    }
}

/// A member that is text.
pub(crate) fn text<'v>(value: &'v Value, member: &str) -> Option<&'v str> {
    value.get(member)?.as_str()
}

fn members<'v>(value: &'v Value, member: &str) -> impl Iterator<Item = (&'v String, &'v Value)> {
    value.get(member).and_then(Value::as_object).into_iter().flatten()
}

fn is_account_id(name: &str) -> bool {
    name.len() == 12 && name.bytes().all(|byte| byte.is_ascii_digit())
}

fn names(folder: &Path) -> Result<Vec<String>, StoreError> {
    let failed = |source| StoreError::Io { path: folder.to_owned(), source };
    let entries = std::fs::read_dir(folder).map_err(failed)?;
    let mut names = Vec::new();
    for entry in entries {
        names.extend(entry.map_err(failed)?.file_name().into_string());
    }
    names.sort();
    Ok(names)
}

fn files(folder: &Path) -> Result<Files, StoreError> {
    if !folder.is_dir() {
        return Ok(Files::new());
    }
    let mut files = Files::new();
    for name in names(folder)?.into_iter().filter(|name| Path::new(name).extension().is_some_and(|extension| extension == "json")) {
        let value = json(&folder.join(&name))?;
        files.insert(name, value);
    }
    Ok(files)
}

fn json(path: &Path) -> Result<Value, StoreError> {
    let bytes = std::fs::read(path).map_err(|source| StoreError::Io { path: path.to_owned(), source })?;
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    serde_json::from_slice(text).map_err(|source| StoreError::Json { path: path.to_owned(), source })
}
