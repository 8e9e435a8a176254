//! A rule's page, generated from its file.

use std::fmt::Write as _;

use super::Rule;

pub(super) fn render(rule: &Rule) -> String {
    let file = &rule.file;
    let mut page = String::new();
    let _ = writeln!(page, "## {}\n\n{}. *{}*, since {}.\n", rule.id, file.title, file.severity.as_str(), file.since);
    if let Some(when) = &file.when {
        let _ = writeln!(page, "When `{}`,", one_line(when));
    }
    let _ = writeln!(page, "it fails if `{}`.\n", one_line(&file.fail_if));
    let _ = writeln!(page, "**Why it matters.** {}\n", file.why.trim());
    let _ = writeln!(page, "**What to do.** {}\n", file.fix_words.trim());
    let _ = writeln!(page, "**When it is wrong.** {}\n", file.false_positives.trim());
    for reference in &file.references {
        let _ = writeln!(page, "- <{reference}>");
    }
    page
}

fn one_line(source: &str) -> String {
    source.split_whitespace().collect::<Vec<_>>().join(" ")
}
