//! `patch-preflight collect`.

use super::arguments::{CollectArguments, Global};
use super::source::{self, Seen};
use super::{Failure, output};
use crate::exit::Exit;
use crate::snapshot::Snapshot;

pub(crate) fn run(arguments: &CollectArguments, global: &Global) -> Result<Exit, Failure> {
    Snapshot::check_folder(&arguments.folder).map_err(Failure::usage)?;
    let Seen { snapshot, interrupted } = source::from_aws(&arguments.selection, &arguments.resource_group, &arguments.access, global)?;
    snapshot.write(&arguments.folder).map_err(Failure::usage)?;
    let gaps = snapshot.manifest.gaps.iter().filter(|gap| gap.leaves_something_unread()).count();
    let folder = arguments.folder.display();
    if gaps == 0 {
        output::remark(global, &format!("snapshot of {} accounts written to {folder}", snapshot.accounts.len()));
    } else {
        output::remark(
            global,
            &format!(
                "snapshot of {} accounts written to {folder}; {gaps} calls gave no whole answer (see snapshot.json)",
                snapshot.accounts.len()
            ),
        );
    }
    Ok(match () {
        () if interrupted => Exit::Interrupted,
        () if gaps > 0 => Exit::Incomplete,
        () => Exit::Clean,
    })
}
