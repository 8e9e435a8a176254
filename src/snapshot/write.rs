//! Writes a snapshot as a folder of JSON files.

use std::path::Path;

use serde::Serialize;

use super::Snapshot;

#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error("cannot write {path}")]
    Io { path: String, source: std::io::Error },
    #[error("{path} is not empty: give a new folder, since what an earlier snapshot left there would count as seen")]
    NotEmpty { path: String },
    #[error("cannot write {path} as JSON")]
    Json { path: String, source: serde_json::Error },
}

/// Whether a snapshot may be written there: a new folder, which is made, or an empty one.
pub(super) fn check(folder: &Path) -> Result<(), WriteError> {
    let is_empty = std::fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none());
    if !is_empty {
        return Err(WriteError::NotEmpty { path: folder.display().to_string() });
    }
    create(folder)?;
    let probe = folder.join("snapshot.json");
    let io = |source| WriteError::Io { path: folder.display().to_string(), source };
    std::fs::write(&probe, "").map_err(io)?;
    std::fs::remove_file(&probe).map_err(io)
}

pub(super) fn snapshot(snapshot: &Snapshot, folder: &Path) -> Result<(), WriteError> {
    check(folder)?;
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
