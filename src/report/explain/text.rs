//! An explanation for the terminal.

use std::fmt::Write as _;

use super::chain::Chain;
use super::{Evidence, blocked_by, decision, finding, head, heading, not_known, note, notes_of_no_path, way, word};
use crate::report::plain;

pub(super) fn write(evidence: &Evidence<'_>) -> String {
    let instance = evidence.instance;
    let mut text = head(instance).join("\n  ");
    text.push('\n');
    for found in &evidence.findings {
        let _ = writeln!(text, "\n{}", finding(found));
        for (title, commands) in evidence.fixes_of(found) {
            let _ = writeln!(text, "  {title}");
            for command in commands {
                let _ = writeln!(text, "       {command}");
            }
        }
    }
    for path in &instance.paths {
        let _ = writeln!(text, "\n{}", heading(path));
        hops(&mut text, &Chain::of(&path.hops), 1, "  ");
        for line in blocked_by(path).chain(path.unknowns.iter().map(not_known)).chain(path.notes.iter().map(|told| note(told))) {
            let _ = writeln!(text, "  {line}");
        }
    }
    for told in notes_of_no_path(instance) {
        let _ = writeln!(text, "\n{}", note(told));
    }
    text
}

/// Numbered on from the hops before; what stands side by side has the same numbers.
fn hops(text: &mut String, chain: &Chain<'_>, first: usize, margin: &str) {
    for (hop, number) in chain.hops.iter().zip(first..) {
        let (decision, kind) = (decision(hop.decision), word(&hop.kind));
        let _ = writeln!(text, "{margin}{number:>2} {decision:<7} {kind:<18} {}: {}", plain(&hop.resource), plain(&hop.because));
    }
    for (name, part) in &chain.ways {
        let _ = writeln!(text, "{margin}{}:", way(name));
        hops(text, part, first + chain.hops.len(), &format!("{margin}  "));
    }
}
