//! One instance, the way a person reads it: what it is, what was found, and each path hop by hop. As text, JSON or a Mermaid diagram, which all say
//! the same.

mod chain;
mod mermaid;
mod text;

use serde::Serialize;

use super::plain;
use super::types::{Blocker, Finding, FindingStatus, Fix, Instance, Path, Report, Verified};
use crate::model::known::Unknown;
use crate::network::{Decision, Verdict, Via};

/// How an explanation is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Text,
    Json,
    /// <https://mermaid.js.org/syntax/flowchart.html>
    Mermaid,
}

/// Everything that a report holds of one instance.
#[derive(Debug, Serialize)]
struct Evidence<'r> {
    instance: &'r Instance,
    findings: Vec<&'r Finding>,
    fixes: Vec<&'r Fix>,
}

impl Evidence<'_> {
    /// The fixes of a finding, with their commands.
    fn fixes_of<'e>(&'e self, finding: &'e Finding) -> impl Iterator<Item = (String, Vec<String>)> + 'e {
        self.fixes.iter().filter(|fix| finding.fixes.contains(&fix.id)).map(|each| fix(self.instance, each))
    }
}

/// The instances of the report with this id: more than one only where a hand-made snapshot repeats it.
pub fn find<'r>(report: &'r Report, instance_id: &str) -> Vec<&'r Instance> {
    report.instances.iter().filter(|instance| instance.instance_id == instance_id).collect()
}

/// Explains one instance of the report.
///
/// # Errors
/// Only if the evidence cannot be written as JSON, which would be a bug.
pub fn explain(report: &Report, instance: &Instance, form: Form) -> Result<String, serde_json::Error> {
    let findings: Vec<&Finding> = report.findings.iter().filter(|finding| instance.findings.contains(&finding.id)).collect();
    let fixes = report.fixes.iter().filter(|fix| findings.iter().any(|finding| finding.fixes.contains(&fix.id))).collect();
    let evidence = Evidence { instance, findings, fixes };
    match form {
        Form::Text => Ok(text::write(&evidence)),
        Form::Json => serde_json::to_string_pretty(&evidence).map(|text| text + "\n"),
        Form::Mermaid => Ok(mermaid::write(&evidence)),
    }
}

/// What the instance is: one line for each thing that is told of it, the first with its name.
fn head(instance: &Instance) -> Vec<String> {
    let name = if instance.name.is_empty() { String::new() } else { format!(" ({})", plain(&instance.name)) };
    let (account, region) = (&instance.account_id, plain(&instance.region));
    let mut lines = vec![format!("{}{name} in {account} {region}: {}", instance.instance_id, instance.readiness.words())];
    lines.extend(instance.excluded_because.iter().map(|because| format!("left out: {}", plain(because))));
    lines.extend([platform(instance), agent(instance)]);
    for policy in &instance.policies {
        let because = if policy.because.is_empty() { String::new() } else { format!(" ({})", plain(&policy.because)) };
        lines.push(format!("patch policy {}: {}{because}", plain(&policy.name), policy.outcome.words()));
    }
    lines
}

fn platform(instance: &Instance) -> String {
    let platform = &instance.platform;
    let parts: Vec<&str> = [&platform.os, &platform.version, &platform.architecture].into_iter().flatten().map(String::as_str).collect();
    if parts.is_empty() {
        "operating system: not known".to_owned()
    } else {
        format!("operating system: {} (from {})", plain(&parts.join(" ")), platform.source.as_str().replace('_', " "))
    }
}

fn agent(instance: &Instance) -> String {
    let agent = &instance.agent;
    match (agent.managed, &agent.version) {
        (None, _) => "SSM Agent: not known, Systems Manager could not be asked".to_owned(),
        (Some(false), _) => format!("SSM Agent: not registered; the instance is {}", plain(&instance.state)),
        (Some(true), version) => {
            let ping = agent.ping.map_or("of unknown status", |ping| ping.as_str()).replace('_', " ");
            let last = agent.last_ping_at.as_deref().map(|at| format!(", last ping {}", plain(at))).unwrap_or_default();
            format!("SSM Agent: version {}, {ping}{last}", plain(version.as_deref().unwrap_or("not reported")))
        }
    }
}

fn finding(finding: &Finding) -> String {
    let status = match finding.status {
        FindingStatus::Fail => finding.severity.as_str(),
        FindingStatus::Unknown => "unknown",
    };
    format!("{status}: {} [{}]", plain(&finding.message), finding.rule_id)
}

/// The change, and the commands that make it. What is rejected is told with its reason, and has none.
fn fix(instance: &Instance, fix: &Fix) -> (String, Vec<String>) {
    let title = plain(&fix.title);
    if fix.verified == Verified::Rejected {
        let breaks = if fix.breaks.is_empty() { String::new() } else { format!("; it would break {}", plain(&fix.breaks.join(", "))) };
        return (format!("rejected fix: {title}: {}{breaks}", plain(&fix.because)), Vec::new());
    }
    // Whoever runs the commands needs the credentials of the account that has what they change.
    let account = if fix.account_id == instance.account_id { String::new() } else { format!(" in account {}", plain(&fix.account_id)) };
    let region = if fix.region == instance.region { String::new() } else { format!(" in {}", plain(&fix.region)) };
    (format!("fix{account}{region}: {title}"), fix.commands.aws_cli.iter().map(|command| plain(command)).collect())
}

fn heading(path: &Path) -> String {
    let via = match (path.verdict, path.via) {
        (_, Via::None) => String::new(),
        (Verdict::Reachable | Verdict::Partial, via) => format!(" via {}", word(&via)),
        _ => String::new(),
    };
    format!("{}:{} is {}{via}", plain(&path.host), path.port, word(&path.verdict))
}

/// What is in the way of a path, one line each. Where the path is not blocked, each is in the way of a part of it.
fn blocked_by(path: &Path) -> impl Iterator<Item = String> {
    let how_far = if path.verdict == Verdict::Blocked { "" } else { " in part" };
    let told =
        move |blocker: &Blocker| format!("blocked{how_far} by {}: {} {}", blocker.code, plain(&blocker.resource), plain(&blocker.detail));
    path.blockers.iter().map(told)
}

fn not_known(unknown: &Unknown) -> String {
    format!("not known ({}): {}; settled if you {}", unknown.code, plain(&unknown.resource), plain(&unknown.settled_by))
}

/// The instance's notes but those that stand beside a path.
fn notes_of_no_path(instance: &Instance) -> impl Iterator<Item = &String> {
    instance.notes.iter().filter(|note| !instance.paths.iter().any(|path| path.notes.contains(note)))
}

fn note(note: &str) -> String {
    format!("Note: {}", plain(note))
}

/// Where a part of the addresses goes by itself, or on what the hops hang.
fn way(way: &str) -> String {
    if way.starts_with("if ") { plain(way) } else { format!("to {}", plain(way)) }
}

/// The word of an enumeration as the report writes it, with spaces.
fn word(value: &impl Serialize) -> String {
    let word = serde_json::to_value(value).ok();
    word.as_ref().and_then(|word| word.as_str()).unwrap_or_default().replace('_', " ")
}

fn decision(decision: Decision) -> &'static str {
    match decision {
        Decision::Pass => "pass",
        Decision::Part => "part",
        Decision::Block => "BLOCK",
        Decision::Unknown => "unknown",
    }
}
