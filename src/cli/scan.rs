//! `patch-preflight scan`.

use anyhow::Context as _;

use super::arguments::{Assumption, FailOn, Global, Incomplete, JudgingArguments, ScanArguments};
use super::source::{self, Seen};
use super::{Failure, output};
use crate::exit::Exit;
use crate::network::Assumptions;
use crate::platform::{Mirrors, Tables};
use crate::policy::{self, Policy};
use crate::report::types::{AccountStatus, FindingStatus, PolicyFinding, Report};
use crate::rules::RuleSet;
use crate::scan::{Judging, scan};
use crate::scope::Selection;
use crate::snapshot::Snapshot;

pub(crate) fn run(arguments: &ScanArguments, global: &Global) -> Result<Exit, Failure> {
    // Everything that can be wrong with the command line is found before AWS is asked anything.
    output::check(&arguments.output)?;
    let selection = arguments.selection.selection();
    selection.check().map_err(Failure::usage)?;
    if let Some(folder) = &arguments.save_snapshot {
        Snapshot::check_folder(folder).map_err(Failure::usage)?;
    }
    let (rules, tables, policies) = (rules(&arguments.judging)?, tables(&arguments.judging)?, policies(&arguments.judging)?);
    let Seen { snapshot, interrupted } = match (&arguments.snapshot, arguments.demo) {
        (Some(folder), _) => source::from_folder(folder)?,
        (None, true) => source::sample()?,
        (None, false) => source::from_aws(&arguments.selection, &arguments.access, global)?,
    };
    if let Some(folder) = &arguments.save_snapshot {
        snapshot.write(folder).map_err(Failure::usage)?;
        output::remark(global, &format!("snapshot written to {}", folder.display()));
    }
    if interrupted {
        output::remark(global, "interrupted: the report holds what was seen by then, and the rest is not known");
    }
    let mirrors = mirrors(&arguments.judging, &tables)?;
    let judging =
        Judging { rules: &rules, tables: &tables, assumptions: assumptions(&arguments.judging), mirrors: &mirrors, policies: &policies };
    let report = scan(&snapshot, &selection, &judging).map_err(Failure::usage)?;
    output::write(&report, &arguments.output, arguments.wide, global)?;
    Ok(if interrupted { Exit::Interrupted } else { exit(&report, arguments.fail_on, arguments.incomplete) })
}

/// Judges a snapshot that is there already.
pub(crate) fn judge(snapshot: &Snapshot, selection: &Selection, arguments: &JudgingArguments) -> Result<Report, Failure> {
    let (rules, tables, policies) = (rules(arguments)?, tables(arguments)?, policies(arguments)?);
    let mirrors = mirrors(arguments, &tables)?;
    let judging = Judging { rules: &rules, tables: &tables, assumptions: assumptions(arguments), mirrors: &mirrors, policies: &policies };
    scan(snapshot, selection, &judging).map_err(Failure::usage)
}

fn assumptions(arguments: &JudgingArguments) -> Assumptions {
    let mut assumptions = Assumptions::default();
    for assumption in &arguments.assume {
        match assumption {
            Assumption::NoPrivateDnsOverrides => assumptions.no_private_dns_overrides = true,
            Assumption::DnsFirewallPassesAwsNames => assumptions.dns_firewall_passes_aws_names = true,
            Assumption::NoOrganizationPolicies => assumptions.no_organization_policies = true,
            Assumption::NoUnseenPatchPolicies => assumptions.no_unseen_patch_policies = true,
            Assumption::QuickSetupBucketPolicies => assumptions.quick_setup_bucket_policies = true,
            Assumption::LeadsToInternet(id) => {
                assumptions.leads_to_internet.insert(id.clone());
            }
        }
    }
    assumptions
}

fn rules(arguments: &JudgingArguments) -> Result<RuleSet, Failure> {
    let mut rules = RuleSet::builtin().map_err(Failure::usage)?;
    for folder in &arguments.rules {
        rules.add_folder(folder).map_err(Failure::usage)?;
    }
    for setting in &arguments.rule {
        let (id, level) = setting
            .split_once('=')
            .with_context(|| format!("--rule {setting}: write it as ID=off, note, warning or error"))
            .map_err(Failure::usage)?;
        let level = level
            .parse()
            .map_err(|()| Failure::usage(anyhow::anyhow!("--rule {setting}: {level:?} is no level: use off, note, warning or error")))?;
        rules.set_level(id, level).map_err(Failure::usage)?;
    }
    Ok(rules)
}

fn tables(arguments: &JudgingArguments) -> Result<Tables, Failure> {
    let Some(file) = &arguments.operating_systems else { return Tables::builtin().map_err(Failure::usage) };
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display())).map_err(Failure::usage)?;
    Tables::with_override(&text, &file.display().to_string()).map_err(Failure::usage)
}

fn mirrors(arguments: &JudgingArguments, tables: &Tables) -> Result<Mirrors, Failure> {
    let Some(file) = &arguments.mirrors else { return Ok(Mirrors::default()) };
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display())).map_err(Failure::usage)?;
    Mirrors::parse(&text, &file.display().to_string(), tables).map_err(Failure::usage)
}

fn policies(arguments: &JudgingArguments) -> Result<Vec<Policy>, Failure> {
    let mut policies = Vec::new();
    for file in &arguments.policy {
        let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display())).map_err(Failure::usage)?;
        policies.extend(policy::parse(&text, &file.display().to_string()).map_err(Failure::usage)?);
    }
    Ok(policies)
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
    let is_known = report.complete && report.summary.unknown == 0;
    if !is_known && incomplete == Incomplete::Fail { Exit::Incomplete } else { Exit::Clean }
}
