//! The report for people: how it stands, why, and what to do, grouped so that ten thousand instances stay readable.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;

use comfy_table::{Attribute, Cell, CellAlignment, Color, ContentArrangement, Table};

use super::plain;
use super::types::{AccountStatus, Counts, Finding, FindingStatus, Fix, Instance, PolicyOrigin, Readiness, Report, Severity, Verified};
use crate::facts::MODEL_MISMATCH;

/// How the table is drawn.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// Columns of the terminal.
    pub width: u16,
    pub color: bool,
    /// Everything, however long.
    pub wide: bool,
}

/// How many rows of each table are shown unless everything is asked for.
const SHOWN: usize = 25;

pub(super) fn render(report: &Report, look: Look) -> String {
    let mut text = String::new();
    headline(&mut text, report);
    let _ = writeln!(text, "\n{}", estate(report, look));
    systems(&mut text, report, look);
    policies(&mut text, report, look);
    causes(&mut text, report, look);
    fixes(&mut text, report, look);
    instances(&mut text, report, look);
    unread(&mut text, report, look);
    text
}

fn count(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

fn headline(text: &mut String, report: &Report) {
    let summary = &report.summary;
    let scanned =
        report.accounts.iter().filter(|account| matches!(account.status, AccountStatus::Scanned | AccountStatus::Partial)).count();
    let when = report.captured_at.as_deref().map(|at| format!(", as of {}", plain(at))).unwrap_or_default();
    let _ = writeln!(
        text,
        "{} in {}{when}",
        count(summary.instances, "instance"),
        count(u64::try_from(scanned).unwrap_or(u64::MAX), "account")
    );
    let _ = writeln!(
        text,
        "{} ready · {} not ready · {} unknown · {} excluded · {} managed by Systems Manager",
        summary.ready, summary.not_ready, summary.unknown, summary.excluded, summary.managed
    );
    agreement(text, report);
}

/// How far the model can be trusted here: what it says of the paths that were seen to work.
fn agreement(text: &mut String, report: &Report) {
    const NAMED: usize = 5;
    let agreement = &report.summary.agreement;
    let seen = agreement.agree + agreement.mismatch;
    if seen == 0 {
        return;
    }
    let rate = agreement.agree * 100 / seen;
    let _ = writeln!(text, "The model finds open what was seen in use: {} of {} ({rate} %)", agreement.agree, count(seen, "instance"));
    let is_mismatch = |instance: &&Instance| instance.notes.iter().any(|note| note.starts_with(MODEL_MISMATCH));
    let ids: Vec<&str> = report.instances.iter().filter(is_mismatch).map(|instance| instance.instance_id.as_str()).collect();
    if !ids.is_empty() {
        let named = ids.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
        let more = ids.len().saturating_sub(NAMED);
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        let _ = writeln!(text, "{MODEL_MISMATCH}: `patch-preflight explain` tells what may be why of {named}{more}");
    }
}

fn table(look: Look, header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic).set_width(look.width);
    if look.color {
        table.enforce_styling();
    } else {
        table.force_no_tty();
    }
    table.set_header(header.iter().map(|title| Cell::new(title).add_attribute(Attribute::Bold)).collect::<Vec<_>>());
    table
}

fn number(value: u64, color: Color) -> Cell {
    let cell = Cell::new(value).set_alignment(CellAlignment::Right);
    if value == 0 { cell } else { cell.fg(color) }
}

fn counts(counts: &Counts) -> Vec<Cell> {
    vec![
        Cell::new(counts.instances).set_alignment(CellAlignment::Right),
        number(counts.ready, Color::Green),
        number(counts.not_ready, Color::Red),
        number(counts.unknown, Color::Yellow),
        Cell::new(counts.excluded).set_alignment(CellAlignment::Right),
        Cell::new(counts.managed).set_alignment(CellAlignment::Right),
    ]
}

/// One row for each organizational unit, account and Region.
fn estate(report: &Report, look: Look) -> String {
    let mut rows: BTreeMap<(&str, &str, &str), Counts> = BTreeMap::new();
    let of_account: HashMap<&str, (&str, &str)> =
        report.accounts.iter().map(|account| (account.id.as_str(), (account.ou_path.as_str(), account.name.as_str()))).collect();
    for instance in &report.instances {
        let ou = of_account.get(instance.account_id.as_str()).map_or("", |(ou, _)| ou);
        let row = rows.entry((ou, &instance.account_id, &instance.region)).or_default();
        row.instances += 1;
        *match instance.readiness {
            Readiness::Ready => &mut row.ready,
            Readiness::NotReady => &mut row.not_ready,
            Readiness::Unknown => &mut row.unknown,
            Readiness::Excluded => &mut row.excluded,
        } += 1;
        row.managed += u64::from(instance.agent.managed == Some(true));
        row.unmanaged += u64::from(instance.agent.managed == Some(false));
    }
    let mut rows: Vec<_> = rows.into_iter().collect();
    let hidden = if look.wide { 0 } else { rows.len().saturating_sub(SHOWN) };
    if hidden > 0 {
        // The rows with the most to do stay; they are shown in their own order.
        rows.sort_by_key(|(place, counts)| (std::cmp::Reverse((counts.not_ready + counts.unknown, counts.instances)), *place));
        rows.truncate(SHOWN);
        rows.sort_by_key(|(place, _)| *place);
    }
    let mut table = table(look, &["OU", "Account", "Region", "Instances", "Ready", "Not ready", "Unknown", "Excluded", "Managed"]);
    for ((ou, account, region), row) in rows {
        let name = of_account.get(account).map_or("", |(_, name)| name);
        let account = if name.is_empty() { account.to_owned() } else { format!("{} ({account})", plain(name)) };
        table.add_row([vec![Cell::new(plain(ou)), Cell::new(account), Cell::new(plain(region))], counts(&row)].concat());
    }
    if hidden > 0 {
        table.add_row(vec![format!("… and {hidden} more rows with less to do: --wide shows them all")]);
    }
    table.add_row([vec![Cell::new("all"), Cell::new(""), Cell::new("")], counts(&report.summary.counts())].concat());
    table.to_string()
}

/// One row for each operating system, where there is more than one.
fn systems(text: &mut String, report: &Report, look: Look) {
    if report.summary.by_os.len() < 2 {
        return;
    }
    let mut table = table(look, &["Operating system", "Instances", "Ready", "Not ready", "Unknown", "Excluded", "Managed", "Unmanaged"]);
    let hidden = if look.wide { 0 } else { report.summary.by_os.len().saturating_sub(SHOWN) };
    for row in report.summary.by_os.iter().take(report.summary.by_os.len() - hidden) {
        let words: Vec<&str> = row.os.iter().chain(&row.version).map(String::as_str).collect();
        let name = if row.os.is_none() { "not known".to_owned() } else { plain(&words.join(" ")) };
        let unmanaged = vec![Cell::new(row.counts.unmanaged).set_alignment(CellAlignment::Right)];
        table.add_row([vec![Cell::new(name)], counts(&row.counts), unmanaged].concat());
    }
    let _ = writeln!(text, "\nOperating systems\n{table}");
    if hidden > 0 {
        let _ = writeln!(text, "… and {hidden} more: --wide shows them all");
    }
}

/// The patch policies: whom they reach, and what is wrong with each as a whole.
fn policies(text: &mut String, report: &Report, look: Look) {
    if report.policies.is_empty() {
        return;
    }
    let right = |number: u64| Cell::new(number).set_alignment(CellAlignment::Right);
    let mut table = table(look, &["Policy", "Origin", "Targeted", "Ready", "Will fail", "Unknown", "Twice", "Missed", "Missed because"]);
    for policy in &report.policies {
        let origin = match policy.origin {
            PolicyOrigin::Planned => "planned",
            PolicyOrigin::QuickSetup => "Quick Setup",
            PolicyOrigin::Associations => "associations",
        };
        let misses = policy.misses.iter().map(|miss| format!("{} {}", miss.instances, miss.code.words())).collect::<Vec<_>>().join(", ");
        let counts = &policy.counts;
        table.add_row(vec![
            Cell::new(plain(&policy.name)),
            Cell::new(origin),
            right(counts.targeted),
            number(counts.ready, Color::Green),
            number(counts.will_fail, Color::Red),
            number(counts.unknown, Color::Yellow),
            number(counts.covered_twice, Color::Yellow),
            right(counts.missed),
            Cell::new(misses),
        ]);
    }
    let _ = writeln!(text, "\nPatch policies\n{table}");
    for policy in &report.policies {
        for baseline in &policy.baselines {
            if let (Some(id), Some(approves)) = (&baseline.id, &baseline.approves) {
                let system = &baseline.operating_system;
                let _ = writeln!(text, "  {}: {} for {system} approves {}", plain(&policy.name), plain(id), plain(approves));
            }
        }
        for finding in &policy.findings {
            let level = if finding.status == FindingStatus::Unknown { "unknown" } else { finding.severity.as_str() };
            let _ = writeln!(text, "  {level}: {}: {} [{}]", plain(&policy.name), plain(&finding.message), finding.code);
        }
    }
}

fn severity(level: Severity) -> Cell {
    let color = match level {
        Severity::Error => Color::Red,
        Severity::Warning => Color::Yellow,
        Severity::Note => Color::Blue,
    };
    Cell::new(level.as_str()).fg(color)
}

/// The causes, the worst and the widest first.
fn causes(text: &mut String, report: &Report, look: Look) {
    let mut rules: Vec<_> = report.summary.by_rule.iter().collect();
    if rules.is_empty() {
        return;
    }
    rules.sort_by_key(|rule| {
        (std::cmp::Reverse(rule.severity), std::cmp::Reverse(rule.fail), std::cmp::Reverse(rule.unknown), &rule.rule_id)
    });
    let mut table = table(look, &["Cause", "Rule", "Severity", "Instances", "Not known for"]);
    for rule in rules {
        table.add_row(vec![
            Cell::new(&rule.title),
            Cell::new(&rule.rule_id),
            severity(rule.severity),
            number(rule.fail, Color::Red),
            number(rule.unknown, Color::Yellow),
        ]);
    }
    let _ = writeln!(text, "\nWhy\n{table}");
}

/// The fixes in the order in which they are shown and numbered: those that help most first.
fn ranked(report: &Report) -> Vec<&Fix> {
    // What was tried and does not help is in the JSON report, with the reason.
    let mut fixes: Vec<&Fix> = report.fixes.iter().filter(|fix| fix.verified != Verified::Rejected).collect();
    fixes.sort_by_key(|fix| {
        (std::cmp::Reverse(fix.unblocks.len()), std::cmp::Reverse(fix.helps.len()), &fix.account_id, &fix.region, &fix.resource, &fix.id)
    });
    fixes
}

fn fixes(text: &mut String, report: &Report, look: Look) {
    if report.fixes.is_empty() {
        return;
    }
    let fixes = ranked(report);
    let hidden = if look.wide { 0 } else { fixes.len().saturating_sub(SHOWN) };
    let _ = writeln!(text, "\nWhat to do (nothing is changed for you; each command is for the account it names)");
    for (position, fix) in fixes.iter().take(fixes.len() - hidden).enumerate() {
        let unblocks = match (fix.unblocks.len(), fix.helps.len()) {
            (0, helps) => format!("helps {helps}, together with other fixes"),
            (unblocks, 0) => format!("unblocks {unblocks}"),
            (unblocks, helps) => format!("unblocks {unblocks}, helps {helps} more"),
        };
        let _ = writeln!(text, "{:>3}. {} [{} {}; {unblocks}]", position + 1, plain(&fix.title), fix.account_id, plain(&fix.region));
        for command in &fix.commands.aws_cli {
            let _ = writeln!(text, "       {}", plain(command));
        }
    }
    if hidden > 0 {
        let _ = writeln!(text, "     … and {hidden} more: --wide shows them all");
    }
}

/// The instances that are not ready or not known, with the reasons.
fn instances(text: &mut String, report: &Report, look: Look) {
    let findings: HashMap<&str, &Finding> = report.findings.iter().map(|finding| (finding.id.as_str(), finding)).collect();
    let concerns: Vec<&Instance> =
        report.instances.iter().filter(|instance| matches!(instance.readiness, Readiness::NotReady | Readiness::Unknown)).collect();
    if concerns.is_empty() {
        return;
    }
    let numbers: HashMap<&str, usize> = ranked(report).iter().zip(1..).map(|(fix, number)| (fix.id.as_str(), number)).collect();
    let hidden = if look.wide { 0 } else { concerns.len().saturating_sub(SHOWN) };
    let mut table = table(look, &["Instance", "Account, Region", "Readiness", "Because", "Fixes"]);
    for instance in concerns.iter().take(concerns.len() - hidden) {
        let own = instance.findings.iter().filter_map(|id| findings.get(id.as_str()).copied());
        let mut errors: Vec<&Finding> = own.filter(|finding| finding.severity == Severity::Error).collect();
        errors.sort_by_key(|finding| (finding.status == FindingStatus::Unknown, &finding.rule_id));
        let reasons: Vec<String> = errors.iter().map(|finding| format!("• {}", plain(&finding.message))).collect();
        let own_fixes = errors.iter().flat_map(|finding| &finding.fixes).filter_map(|id| numbers.get(id.as_str()).copied());
        let own_fixes: BTreeSet<usize> = own_fixes.collect();
        let own_fixes = own_fixes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        let name = if instance.name.is_empty() {
            instance.instance_id.clone()
        } else {
            format!("{}\n{}", plain(&instance.name), instance.instance_id)
        };
        let color = if instance.readiness == Readiness::NotReady { Color::Red } else { Color::Yellow };
        table.add_row(vec![
            Cell::new(name),
            Cell::new(format!("{}\n{}", instance.account_id, plain(&instance.region))),
            Cell::new(instance.readiness.words()).fg(color),
            Cell::new(reasons.join("\n")),
            Cell::new(own_fixes).set_alignment(CellAlignment::Right),
        ]);
    }
    let _ = writeln!(text, "\nInstances that are not ready\n{table}");
    if hidden > 0 {
        let _ = writeln!(text, "… and {hidden} more: --wide shows them all, --output json=FILE keeps them");
    }
}

/// What could not be read, and why.
fn unread(text: &mut String, report: &Report, look: Look) {
    let left_out: Vec<_> =
        report.accounts.iter().filter(|account| !account.reason.is_empty() && account.status != AccountStatus::Partial).collect();
    if !left_out.is_empty() {
        let mut table = table(look, &["Account", "Status", "Because"]);
        for account in left_out {
            let status = match account.status {
                AccountStatus::Scanned => "scanned",
                AccountStatus::Partial => "partial",
                AccountStatus::Unreadable => "unreadable",
                AccountStatus::Skipped => "skipped",
            };
            let name = if account.name.is_empty() { account.id.clone() } else { format!("{} ({})", plain(&account.name), account.id) };
            table.add_row(vec![name, status.to_owned(), plain(&account.reason)]);
        }
        let _ = writeln!(text, "\nAccounts not scanned\n{table}");
    }
    if !report.gaps.is_empty() {
        let mut grouped: BTreeMap<(&str, &str, &str), (usize, &str)> = BTreeMap::new();
        for gap in &report.gaps {
            let entry = grouped
                .entry((&gap.account_id, &gap.operation, gap.reason.as_str()))
                .or_insert((0, gap.region.as_deref().unwrap_or("all Regions")));
            entry.0 += 1;
        }
        let hidden = if look.wide { 0 } else { grouped.len().saturating_sub(SHOWN) };
        let mut table = table(look, &["Account", "Call", "Reason", "Where", "What to do"]);
        for ((account, operation, reason), (times, region)) in grouped.iter().take(grouped.len() - hidden) {
            let place = if *times == 1 { plain(region) } else { format!("{} and {} more", plain(region), times - 1) };
            let remedy = report.gaps.iter().find(|gap| gap.reason.as_str() == *reason).map_or("", |gap| gap.reason.remedy());
            table.add_row(vec![plain(account), plain(operation), (*reason).to_owned(), place, remedy.to_owned()]);
        }
        let _ = writeln!(text, "\nNot read, and so not known\n{table}");
        if hidden > 0 {
            let _ = writeln!(text, "… and {hidden} more: --wide shows them all");
        }
    }
    for note in &report.notes {
        let _ = writeln!(text, "\nNote: {}", plain(note));
    }
    if !report.complete {
        let _ = writeln!(text, "\nThe scan is incomplete: what was not read is counted as unknown, never as ready.");
    }
}
