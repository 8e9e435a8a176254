//! Reads a snapshot from a folder, or from the one compiled into the program.

use std::path::{Path, PathBuf};

use include_dir::Dir;
use serde::de::DeserializeOwned;

use super::json::{self, Misread};
use super::{AccountSnapshot, FORMAT, GlobalFiles, Manifest, OrganizationFiles, RegionFiles, Snapshot, VERSION};

/// A snapshot that cannot be used. Each variant is the fault of the folder, not of the program.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("cannot read {path}")]
    Io { path: String, source: std::io::Error },
    #[error("{path} is not a folder: give the folder that `patch-preflight collect` wrote")]
    NotAFolder { path: String },
    #[error("{path}: {place}: {problem}; {remedy}")]
    Malformed { path: String, place: String, problem: String, remedy: &'static str },
    #[error("{path} is encoded in {encoding}: save it as UTF-8, in Windows PowerShell with `aws … | Out-File -Encoding utf8`")]
    Encoding { path: String, encoding: &'static str },
    #[error(
        "{path} has format {format:?} version {version}, and this program reads {FORMAT:?} version {VERSION}: use the program that wrote it, or a newer one"
    )]
    Format { path: String, format: String, version: u32 },
    #[error("{path} holds no snapshot: no snapshot.json, and no folder named after a twelve-digit account id")]
    Empty { path: String },
}

/// Where a snapshot's files come from. Paths are relative, with `/`.
pub trait Files {
    /// The names of the folders in `folder` (`""` is the top).
    ///
    /// # Errors
    /// When the folder cannot be listed.
    fn folders(&self, folder: &str) -> Result<Vec<String>, ReadError>;
    /// A file's bytes; `None` when there is no such file.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, ReadError>;
    /// The path as a person would write it, for messages.
    fn display(&self, path: &str) -> String;
}

/// A folder on disk.
#[derive(Debug, Clone)]
pub struct Directory(pub PathBuf);

/// A folder compiled into the program.
#[derive(Debug, Clone, Copy)]
pub struct Embedded(pub &'static Dir<'static>);

impl Files for Directory {
    fn folders(&self, folder: &str) -> Result<Vec<String>, ReadError> {
        let path = self.0.join(folder);
        let failed = |source| ReadError::Io { path: path.display().to_string(), source };
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&path).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if entry.path().is_dir()
                && let Ok(name) = entry.file_name().into_string()
            {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, ReadError> {
        match std::fs::read(self.0.join(path)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(ReadError::Io { path: self.display(path), source }),
        }
    }

    fn display(&self, path: &str) -> String {
        self.0.join(path).display().to_string()
    }
}

impl Files for Embedded {
    fn folders(&self, folder: &str) -> Result<Vec<String>, ReadError> {
        let dir = if folder.is_empty() { Some(self.0) } else { self.0.get_dir(folder) };
        let names = dir.into_iter().flat_map(Dir::dirs).filter_map(|dir| dir.path().file_name()?.to_str().map(str::to_owned));
        let mut names: Vec<_> = names.collect();
        names.sort();
        Ok(names)
    }

    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, ReadError> {
        Ok(self.0.get_file(path).map(|file| file.contents().to_vec()))
    }

    fn display(&self, path: &str) -> String {
        Path::new("sample organization").join(path).display().to_string()
    }
}

pub(super) fn snapshot(files: &dyn Files) -> Result<Snapshot, ReadError> {
    let manifest: Option<Manifest> = file(files, "", "snapshot.json")?;
    if let Some(manifest) = &manifest
        && (manifest.format != FORMAT || manifest.version != VERSION)
    {
        return Err(ReadError::Format { path: files.display("snapshot.json"), format: manifest.format.clone(), version: manifest.version });
    }
    let mut snapshot = Snapshot { organization: OrganizationFiles::read(files, "organization")?, ..Snapshot::default() };
    let has_manifest = manifest.is_some();
    snapshot.manifest = manifest.unwrap_or_default();
    for account in files.folders("")? {
        if is_account_id(&account) {
            let content = self::account(files, &account)?;
            snapshot.accounts.insert(account, content);
        }
    }
    if !has_manifest && snapshot.accounts.is_empty() {
        return Err(ReadError::Empty { path: files.display("") });
    }
    Ok(snapshot)
}

fn account(files: &dyn Files, account: &str) -> Result<AccountSnapshot, ReadError> {
    let mut content = AccountSnapshot { global: GlobalFiles::read(files, &format!("{account}/global"))?, ..AccountSnapshot::default() };
    for region in files.folders(account)? {
        if region != "global" {
            let folder = format!("{account}/{region}");
            let read = RegionFiles::read(files, &folder)?;
            check_ids(files, &folder, &read)?;
            content.regions.insert(region, read);
        }
    }
    Ok(content)
}

/// An instance or node without an id would be lost without a word.
fn check_ids(files: &dyn Files, folder: &str, region: &RegionFiles) -> Result<(), ReadError> {
    let instances = region.instances.iter().flat_map(|file| &file.reservations).flat_map(|reservation| &reservation.instances);
    let nodes = region.instance_information.iter().flat_map(|file| &file.instance_information_list);
    let kinds = [
        ("ec2-describe-instances.json", instances.clone().count(), instances.filter(|instance| instance.instance_id.is_some()).count()),
        ("ssm-describe-instance-information.json", nodes.clone().count(), nodes.filter(|node| node.instance_id.is_some()).count()),
    ];
    match kinds.into_iter().find(|(_, all, named)| all != named) {
        None => Ok(()),
        Some((file, all, named)) => Err(ReadError::Malformed {
            path: files.display(&format!("{folder}/{file}")),
            place: format!("{} of {all} entries", all - named),
            problem: "InstanceId is missing".to_owned(),
            remedy: remedy(file),
        }),
    }
}

/// One file, or `None` when it was not collected.
pub(super) fn file<T: DeserializeOwned>(files: &dyn Files, folder: &str, name: &str) -> Result<Option<T>, ReadError> {
    let path = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
    let Some(bytes) = files.read(&path)? else { return Ok(None) };
    let text = decode(&bytes).map_err(|encoding| ReadError::Encoding { path: files.display(&path), encoding })?;
    let malformed = |Misread { place, problem }| ReadError::Malformed { path: files.display(&path), place, problem, remedy: remedy(name) };
    Ok(Some(json::from_str(text).map_err(malformed)?))
}

/// The text of a file, or in what else it is encoded: the redirection of Windows PowerShell writes UTF-16.
fn decode(bytes: &[u8]) -> Result<&str, &'static str> {
    if let [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [b'{' | b'[', 0, ..] | [0, b'{' | b'[', ..] = bytes {
        return Err("UTF-16");
    }
    // A byte order mark is no part of the text.
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    std::str::from_utf8(text).map_err(|_| "something else than UTF-8")
}

/// What to do about a file that cannot be read. Not all of them are what the AWS CLI prints.
fn remedy(name: &str) -> &'static str {
    match name {
        "snapshot.json" => "mend it, or use it as `patch-preflight collect` wrote it",
        "organizational-units.json" | "organization-policies.json" => {
            "mend it as docs/snapshot.md describes it, or delete it to have it count as not collected"
        }
        _ => "save the file again with `aws … --output json`, or delete it to have it count as not collected",
    }
}

pub(crate) fn is_account_id(name: &str) -> bool {
    name.len() == 12 && name.bytes().all(|byte| byte.is_ascii_digit())
}
