//! An explanation as a flowchart: every hop with its reason, parts of the addresses side by side, and around them what is said beside the hops.

use std::fmt::Write as _;

use super::chain::Chain;
use super::{Evidence, blocked_by, finding, head, heading, not_known, note, notes_of_no_path, way, word};
use crate::network::{Decision, Verdict};
use crate::report::plain;
use crate::report::types::{FindingStatus, Hop, Path, Severity};

pub(super) fn write(evidence: &Evidence<'_>) -> String {
    let instance = evidence.instance;
    let mut chart = Chart { text: "flowchart LR\n".to_owned() };
    chart.node("instance", &label(&head(instance)), None);
    for (found, number) in evidence.findings.iter().zip(0..) {
        let id = format!("f{number}");
        let class = match (found.status, found.severity) {
            (FindingStatus::Unknown, _) => Decision::Unknown,
            (FindingStatus::Fail, Severity::Error) => Decision::Block,
            (FindingStatus::Fail, Severity::Warning | Severity::Note) => Decision::Part,
        };
        chart.remark("instance", &id, &[finding(found)], Some(class));
        for ((title, commands), number) in evidence.fixes_of(found).zip(0..) {
            let lines: Vec<String> = std::iter::once(title).chain(commands).collect();
            chart.remark(&id, &format!("{id}x{number}"), &lines, None);
        }
    }
    for (path, lane) in instance.paths.iter().zip(0..) {
        chart.path(path, &format!("p{lane}"));
    }
    for (told, number) in notes_of_no_path(instance).zip(0..) {
        chart.remark("instance", &format!("n{number}"), &[note(told)], None);
    }
    chart.text.push_str("  classDef pass fill:#e6f4ea,stroke:#137333\n  classDef part fill:#fef7e0,stroke:#b06000\n");
    chart.text.push_str("  classDef block fill:#fce8e6,stroke:#c5221f\n  classDef unknown fill:#f1f3f4,stroke:#5f6368\n");
    chart.text
}

struct Chart {
    text: String,
}

impl Chart {
    fn node(&mut self, id: &str, shape: &str, class: Option<Decision>) {
        let _ = writeln!(self.text, "  {id}{shape}{}", class.map(|decision| format!(":::{}", self::class(decision))).unwrap_or_default());
    }

    /// Something that is said of a node and that no traffic passes.
    fn remark(&mut self, of: &str, id: &str, lines: &[String], class: Option<Decision>) {
        self.node(id, &label(lines), class);
        let _ = writeln!(self.text, "  {of} -.- {id}");
    }

    fn path(&mut self, path: &Path, lane: &str) {
        let of = match path.verdict {
            Verdict::Reachable | Verdict::NotNeeded => Decision::Pass,
            Verdict::Partial => Decision::Part,
            Verdict::Blocked => Decision::Block,
            Verdict::Unknown => Decision::Unknown,
        };
        self.node(lane, &format!("([{}])", quoted(&[heading(path)])), Some(of));
        let mut number = 0;
        self.chain(&Chain::of(&path.hops), lane, &mut number, Start { before: "instance".to_owned(), way: None, is_blocked: false });
        let blockers = blocked_by(path).map(|line| (line, Decision::Block));
        let unknowns = path.unknowns.iter().map(|unknown| (not_known(unknown), Decision::Unknown));
        let remarks = blockers.chain(unknowns).map(|(line, decision)| (line, Some(decision)));
        let notes = path.notes.iter().map(|told| (note(told), None));
        for ((line, class), number) in remarks.chain(notes).zip(0..) {
            self.remark(lane, &format!("{lane}r{number}"), &[line], class);
        }
    }

    /// From the hop before to the end of the lane, or to where the addresses part, and on from there by each way.
    fn chain(&mut self, chain: &Chain<'_>, lane: &str, number: &mut usize, mut at: Start) {
        for hop in &chain.hops {
            let id = format!("{lane}h{number}");
            *number += 1;
            self.node(&id, &label(&lines(hop)), Some(hop.decision));
            self.arrow(&at, &id, "-->");
            at = Start { before: id, way: None, is_blocked: at.is_blocked || hop.decision == Decision::Block };
        }
        if chain.ways.is_empty() {
            // What a hop has stopped does not arrive.
            self.arrow(&at, lane, if at.is_blocked { "--x" } else { "-->" });
        }
        for (name, part) in &chain.ways {
            self.chain(part, lane, number, Start { way: Some(way(name)), ..at.clone() });
        }
    }

    fn arrow(&mut self, from: &Start, to: &str, arrow: &str) {
        let named = from.way.as_ref().map(|way| format!("|{}|", quoted(std::slice::from_ref(way)))).unwrap_or_default();
        let _ = writeln!(self.text, "  {} {arrow}{named} {to}", from.before);
    }
}

/// Where an arrow starts.
#[derive(Clone)]
struct Start {
    before: String,
    /// The addresses that take it, where not all do.
    way: Option<String>,
    is_blocked: bool,
}

fn lines(hop: &Hop) -> [String; 3] {
    [word(&hop.kind), hop.resource.clone(), hop.because.clone()]
}

fn class(decision: Decision) -> &'static str {
    match decision {
        Decision::Pass => "pass",
        Decision::Part => "part",
        Decision::Block => "block",
        Decision::Unknown => "unknown",
    }
}

fn label(lines: &[String]) -> String {
    format!("[{}]", quoted(lines))
}

/// A quoted label: names come from a snapshot, and must not be able to end it or to stand for another character
/// (<https://mermaid.js.org/syntax/flowchart.html#entity-codes-to-escape-characters>).
fn quoted(lines: &[String]) -> String {
    let escaped = |line: &String| {
        let mut escaped = String::with_capacity(line.len());
        for c in plain(line).chars() {
            match c {
                '#' => escaped.push_str("#35;"),
                '&' => escaped.push_str("#amp;"),
                '"' => escaped.push_str("#quot;"),
                '<' => escaped.push_str("#lt;"),
                '>' => escaped.push_str("#gt;"),
                other => escaped.push(other),
            }
        }
        escaped
    };
    let lines: Vec<String> = lines.iter().filter(|line| !line.is_empty()).map(escaped).collect();
    format!("\"{}\"", lines.join("<br>"))
}
