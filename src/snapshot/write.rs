//! Writes a snapshot as a folder of JSON files.

use std::path::Path;

use serde::Serialize;

use super::Snapshot;

#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error("cannot write {path}: {source}")]
    Io { path: String, source: std::io::Error },
    #[error("cannot write {path} as JSON: {source}")]
    Json { path: String, source: serde_json::Error },
}

pub(super) fn snapshot(snapshot: &Snapshot, folder: &Path) -> Result<(), WriteError> {
    create(folder)?;
    snapshot.organization.write(&folder.join("organization"))?;
    for (id, account) in &snapshot.accounts {
        account.global.write(&folder.join(id).join("global"))?;
        for (region, files) in &account.regions {
            files.write(&folder.join(id).join(region))?;
        }
    }
    file(folder, "snapshot.json", Some(&snapshot.manifest))
}

/// Writes one file whole or not at all; `None` was not collected and leaves no file.
pub(super) fn file<T: Serialize>(folder: &Path, name: &str, value: Option<&T>) -> Result<(), WriteError> {
    let Some(value) = value else { return Ok(()) };
    create(folder)?;
    let path = folder.join(name);
    let mut text = serde_json::to_vec_pretty(value).map_err(|source| WriteError::Json { path: path.display().to_string(), source })?;
    text.push(b'\n');
    let unfinished = folder.join(format!(".{name}.unfinished"));
    std::fs::write(&unfinished, text)
        .and_then(|()| std::fs::rename(&unfinished, &path))
        .map_err(|source| WriteError::Io { path: path.display().to_string(), source })
}

fn create(folder: &Path) -> Result<(), WriteError> {
    std::fs::create_dir_all(folder).map_err(|source| WriteError::Io { path: folder.display().to_string(), source })
}
