//! `patch-preflight rules`.

use std::fmt::Write as _;

use super::arguments::{RulesArguments, RulesCommand};
use super::{Failure, output};
use crate::exit::Exit;
use crate::rules::RuleSet;

pub(crate) fn run(arguments: &RulesArguments) -> Result<Exit, Failure> {
    let mut rules = RuleSet::builtin().map_err(Failure::usage)?;
    for folder in &arguments.rules {
        rules.add_folder(folder).map_err(Failure::usage)?;
    }
    let mut text = String::new();
    match &arguments.command {
        RulesCommand::List => {
            let width = rules.all().map(|rule| rule.id().len()).max().unwrap_or_default();
            for rule in rules.all() {
                let _ = writeln!(text, "{:<width$} {:<8} {}", rule.id(), rule.severity().as_str(), rule.title());
            }
            output::print(text.as_bytes())
        }
        RulesCommand::Show { id } => {
            let rule = rules.get(id).map_err(Failure::usage)?;
            output::print(rule.page().as_bytes())
        }
        RulesCommand::Test { folder } => {
            if let Some(folder) = folder {
                rules.add_folder(folder).map_err(Failure::usage)?;
            }
            let results = rules.test_cases().map_err(Failure::usage)?;
            let failed = results.iter().filter(|result| !result.passed()).count();
            for result in results.iter().filter(|result| !result.passed()) {
                let _ = writeln!(text, "{result}");
            }
            let _ = writeln!(text, "{} rules, {} cases, {failed} failed", rules.all().count(), results.len());
            output::print(text.as_bytes())?;
            Ok(if failed == 0 { Exit::Clean } else { Exit::Findings })
        }
    }
}
