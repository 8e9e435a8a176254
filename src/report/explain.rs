//! One instance, the way a person reads it: what it is, what was found, and each path hop by hop. As text, JSON or a Mermaid diagram.

use std::fmt::Write as _;

use serde::Serialize;

use super::plain;
use super::types::{Finding, FindingStatus, Fix, Instance, Path, Report};
use crate::network::{Decision, Verdict};

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
        Form::Text => Ok(text(&evidence)),
        Form::Json => serde_json::to_string_pretty(&evidence).map(|text| text + "\n"),
        Form::Mermaid => Ok(mermaid(instance)),
    }
}

fn text(evidence: &Evidence<'_>) -> String {
    let instance = evidence.instance;
    let mut text = String::new();
    let name = if instance.name.is_empty() { String::new() } else { format!(" ({})", plain(&instance.name)) };
    let _ = writeln!(
        text,
        "{}{name} in {} {}: {}",
        instance.instance_id,
        instance.account_id,
        plain(&instance.region),
        instance.readiness.words()
    );
    if let Some(because) = &instance.excluded_because {
        let _ = writeln!(text, "  left out: {}", plain(because));
    }
    let _ = writeln!(text, "  {}", platform(instance));
    let _ = writeln!(text, "  {}", agent(instance));
    for policy in &instance.policies {
        let because = if policy.because.is_empty() { String::new() } else { format!(" ({})", plain(&policy.because)) };
        let _ = writeln!(text, "  patch policy {}: {}{because}", plain(&policy.name), policy.outcome.words());
    }
    for finding in &evidence.findings {
        let status = match finding.status {
            FindingStatus::Fail => finding.severity.as_str(),
            FindingStatus::Unknown => "unknown",
        };
        let _ = writeln!(text, "\n{status}: {} [{}]", plain(&finding.message), finding.rule_id);
        for fix in evidence.fixes.iter().filter(|fix| finding.fixes.contains(&fix.id)) {
            let _ = writeln!(text, "  fix: {}", plain(&fix.title));
            for command in &fix.commands.aws_cli {
                let _ = writeln!(text, "       {}", plain(command));
            }
        }
    }
    for path in &instance.paths {
        let _ = writeln!(text, "\n{}", heading(path));
        for (hop, number) in path.hops.iter().zip(1..) {
            let _ = writeln!(
                text,
                "  {number:>2} {:<7} {:<18} {}: {}",
                decision(hop.decision),
                word(&hop.kind),
                plain(&hop.resource),
                plain(&hop.because)
            );
        }
        for blocker in &path.blockers {
            let _ = writeln!(text, "  blocked by {}: {} {}", blocker.code, plain(&blocker.resource), plain(&blocker.detail));
        }
        for unknown in &path.unknowns {
            let _ = writeln!(
                text,
                "  not known ({}): {}; settled if you {}",
                unknown.code,
                plain(&unknown.resource),
                plain(&unknown.settled_by)
            );
        }
    }
    for note in &instance.notes {
        let _ = writeln!(text, "\nNote: {}", plain(note));
    }
    text
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

fn heading(path: &Path) -> String {
    let via = match path.verdict {
        Verdict::Reachable | Verdict::Partial => format!(" via {}", word(&path.via)),
        _ => String::new(),
    };
    format!("{}:{} is {}{via}", plain(&path.host), path.port, word(&path.verdict))
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

/// Each path as a chain of its hops, left to right.
fn mermaid(instance: &Instance) -> String {
    let mut text = "flowchart LR\n".to_owned();
    let _ = writeln!(text, "  instance[{}]", label(&[&instance.instance_id, &instance.name]));
    for (path, lane) in instance.paths.iter().zip(0..) {
        let mut before = "instance".to_owned();
        for (hop, number) in path.hops.iter().zip(0..) {
            let id = format!("p{lane}h{number}");
            let _ = writeln!(text, "  {before} --> {id}[{}]:::{}", label(&[&word(&hop.kind), &hop.resource]), class(hop.decision));
            before = id;
        }
        let end = label(&[&format!("{}:{}", path.host, path.port), &word(&path.verdict)]);
        let of = match path.verdict {
            Verdict::Reachable | Verdict::NotNeeded => Decision::Pass,
            Verdict::Partial => Decision::Part,
            Verdict::Blocked => Decision::Block,
            Verdict::Unknown => Decision::Unknown,
        };
        let _ = writeln!(text, "  {before} --> p{lane}([{end}]):::{}", class(of));
    }
    text.push_str("  classDef pass fill:#e6f4ea,stroke:#137333\n  classDef part fill:#fef7e0,stroke:#b06000\n");
    text.push_str("  classDef block fill:#fce8e6,stroke:#c5221f\n  classDef unknown fill:#f1f3f4,stroke:#5f6368\n");
    text
}

fn class(decision: Decision) -> &'static str {
    match decision {
        Decision::Pass => "pass",
        Decision::Part => "part",
        Decision::Block => "block",
        Decision::Unknown => "unknown",
    }
}

/// A quoted label: names come from a snapshot, and must not be able to end it.
fn label(lines: &[&str]) -> String {
    let escape = |line: &&str| plain(line).replace('&', "#amp;").replace('"', "#quot;").replace('<', "#lt;").replace('>', "#gt;");
    let lines: Vec<String> = lines.iter().filter(|line| !line.is_empty()).map(escape).collect();
    format!("\"{}\"", lines.join("<br>"))
}
