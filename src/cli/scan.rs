//! `patch-preflight scan`.

use super::arguments::{FailOn, Global, Incomplete, ScanArguments};
use super::judge::Judge;
use super::source::{self, Seen};
use super::{Failure, output};
use crate::exit::Exit;
use crate::report::types::{AccountStatus, FindingStatus, PolicyFinding, Report};
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
    let counts = |finding: &&crate::report::types::Finding| {
        finding.status == FindingStatus::Fail && finding.muted.is_none() && fail_on.counts(finding.severity)
    };
    let is_counted = |finding: &PolicyFinding| finding.status == FindingStatus::Fail && fail_on.counts(finding.severity);
    let has_policy_finding = report.policies.iter().flat_map(|policy| &policy.findings).any(is_counted);
    if has_policy_finding || report.findings.iter().find(counts).is_some() {
        return Exit::Findings;
    }
    if report.accounts.iter().all(|account| account.status == AccountStatus::Unreadable) {
        return Exit::Nothing;
    }
    let is_unknown = |finding: &crate::report::types::Finding| {
        finding.status == FindingStatus::Unknown && finding.muted.is_none() && fail_on.counts(finding.severity)
    };
    let is_unknown_of_policy = |finding: &PolicyFinding| finding.status == FindingStatus::Unknown && fail_on.counts(finding.severity);
    let has_unknown =
        report.findings.iter().any(is_unknown) || report.policies.iter().flat_map(|policy| &policy.findings).any(is_unknown_of_policy);
    let is_known = report.complete && report.summary.unknown == 0 && !has_unknown;
    if !is_known && incomplete == Incomplete::Fail { Exit::Incomplete } else { Exit::Clean }
}
