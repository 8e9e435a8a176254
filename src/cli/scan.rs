//! `patch-preflight scan`.

use super::arguments::{FailOn, Global, Incomplete, ScanArguments};
use super::judge::Judge;
use super::source::{self, Seen};
use super::{Failure, output};
use crate::exit::Exit;
use crate::report::types::{AccountStatus, FindingStatus, Report};
use crate::snapshot::Snapshot;

pub(crate) fn run(arguments: &ScanArguments, global: &Global) -> Result<Exit, Failure> {
    // Everything that can be wrong with the command line is found before AWS is asked anything.
    output::check(&arguments.output)?;
    let selection = arguments.selection.selection();
    selection.check().map_err(Failure::usage)?;
    if let Some(folder) = &arguments.save_snapshot {
        Snapshot::check_folder(folder).map_err(Failure::usage)?;
    }
    let judge = Judge::read(&arguments.judging)?;
    let Seen { snapshot, interrupted } = match (&arguments.snapshot, arguments.demo) {
        (Some(folder), _) => source::from_folder(folder)?,
        (None, true) => source::sample()?,
        (None, false) => source::from_aws(&arguments.selection, &judge.resource_groups(), &arguments.access, global)?,
    };
    // A snapshot that cannot be kept is no reason to lose the report.
    let kept = match &arguments.save_snapshot {
        Some(folder) => snapshot.write(folder).map_err(Failure::usage).map(|()| {
            output::remark(global, &format!("snapshot written to {}", folder.display()));
        }),
        None => Ok(()),
    };
    if interrupted {
        output::remark(global, "interrupted: the report holds what was seen by then, and the rest is not known");
    }
    let report = judge.report(&snapshot, &selection)?;
    output::write(&report, &arguments.output, arguments.wide, global)?;
    kept?;
    Ok(if interrupted { Exit::Interrupted } else { exit(&report, arguments.fail_on, arguments.incomplete) })
}

/// Findings outweigh what is not known; what is not known is never clean.
fn exit(report: &Report, fail_on: FailOn, incomplete: Incomplete) -> Exit {
    let has = |status| {
        let of_instances =
            report.findings.iter().filter(|finding| finding.muted.is_none()).map(|finding| (finding.status, finding.severity));
        let of_policies = report.policies.iter().flat_map(|policy| &policy.findings).map(|finding| (finding.status, finding.severity));
        of_instances.chain(of_policies).any(|(found, severity)| found == status && fail_on.counts(severity))
    };
    if has(FindingStatus::Fail) {
        return Exit::Findings;
    }
    if report.accounts.iter().all(|account| account.status == AccountStatus::Unreadable) {
        return Exit::Nothing;
    }
    let is_known = report.complete && report.summary.unknown == 0 && !has(FindingStatus::Unknown);
    if !is_known && incomplete == Incomplete::Fail { Exit::Incomplete } else { Exit::Clean }
}
