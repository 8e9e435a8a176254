//! Where a snapshot comes from: AWS, a folder, or the sample organization.

use include_dir::{Dir, include_dir};

use super::Failure;
use super::arguments::{AccessArguments, Global, SelectionArguments};
use crate::snapshot::{Directory, Embedded, Snapshot};

static SAMPLE_ORGANIZATION: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/fixtures/demo-org");

/// What was seen, and whether Ctrl-C cut it short.
pub(crate) struct Seen {
    pub(crate) snapshot: Snapshot,
    pub(crate) interrupted: bool,
}

pub(crate) fn from_folder(folder: &std::path::Path) -> Result<Seen, Failure> {
    if !folder.is_dir() {
        return Err(Failure::usage(crate::snapshot::ReadError::NotAFolder { path: folder.display().to_string() }));
    }
    let snapshot = Snapshot::read(&Directory(folder.to_owned())).map_err(Failure::usage)?;
    Ok(Seen { snapshot, interrupted: false })
}

pub(crate) fn sample() -> Result<Seen, Failure> {
    let snapshot = Snapshot::read(&Embedded(&SAMPLE_ORGANIZATION)).map_err(Failure::usage)?;
    Ok(Seen { snapshot, interrupted: false })
}

/// `resource_groups` are those of plans, which nobody targets yet.
#[cfg(feature = "aws")]
pub(crate) fn from_aws(
    selection: &SelectionArguments,
    resource_groups: &[String],
    access: &AccessArguments,
    global: &Global,
) -> Result<Seen, Failure> {
    use crate::aws::{LookError, Request, look};
    use crate::platform::{Tables, regions_with_patch_policies};
    let request = Request {
        selection: selection.selection(),
        quick_setup_regions: regions_with_patch_policies(&Tables::builtin().map_err(Failure::usage)?).map(str::to_owned).collect(),
        connection_status: selection.connection_status,
        installed_packages: selection.installed_packages,
        resource_groups: resource_groups.to_vec(),
        role_name: access.role_name.clone(),
        external_id: access.external_id.clone(),
        profile: access.profile.clone(),
        endpoint_url: access.endpoint_url.clone(),
        ..Request::default()
    };
    let progress = super::progress::Bar::new(global);
    let seen = look(&request, &progress);
    progress.finish();
    match seen {
        Ok(seen) => Ok(Seen { snapshot: seen.snapshot, interrupted: seen.interrupted }),
        Err(LookError::Selection(error)) => Err(Failure::usage(error)),
        Err(error @ LookError::Interrupted) => Err(Failure { exit: crate::exit::Exit::Interrupted, error: error.into() }),
        Err(error) => Err(Failure::nothing(error)),
    }
}

#[cfg(not(feature = "aws"))]
pub(crate) fn from_aws(_: &SelectionArguments, _: &[String], _: &AccessArguments, _: &Global) -> Result<Seen, Failure> {
    Err(Failure::usage(anyhow::anyhow!(
        "this build cannot look at AWS: use --demo or --snapshot DIR, or build without --no-default-features"
    )))
}
