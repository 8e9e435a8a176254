//! `patch-preflight explain`.

use anyhow::Context as _;

use super::arguments::{ExplainArguments, ExplainFormat};
use super::judge::Judge;
use super::{Failure, output, source};
use crate::exit::Exit;
use crate::report::types::{Report, SCHEMA_VERSION};
use crate::report::{Form, explain, find};
use crate::rules::RuleSet;
use crate::scope::Selection;

pub(crate) fn run(arguments: &ExplainArguments) -> Result<Exit, Failure> {
    if !arguments.id.starts_with("i-") {
        let mut rules = RuleSet::builtin().map_err(Failure::usage)?;
        for folder in &arguments.judging.rules {
            rules.add_folder(folder).map_err(Failure::usage)?;
        }
        return output::print(rules.get(&arguments.id).map_err(Failure::usage)?.page().as_bytes());
    }
    let report = report(arguments)?;
    let found = find(&report, &arguments.id);
    if found.is_empty() {
        let (id, seen) = (&arguments.id, report.instances.len());
        return Err(Failure::usage(anyhow::anyhow!("{id} is not among the {seen} instances: check the id, the account and the Region")));
    }
    let form = match arguments.format {
        ExplainFormat::Text => Form::Text,
        ExplainFormat::Json => Form::Json,
        ExplainFormat::Mermaid => Form::Mermaid,
    };
    for instance in found {
        output::print(explain(&report, instance, form).map_err(Failure::usage)?.as_bytes())?;
    }
    Ok(Exit::Clean)
}

fn report(arguments: &ExplainArguments) -> Result<Report, Failure> {
    let judge = Judge::read(&arguments.judging)?;
    let seen = match (&arguments.report, &arguments.snapshot) {
        (Some(file), _) => return saved(file),
        (None, Some(folder)) => source::from_folder(folder)?,
        (None, None) if arguments.demo => source::sample()?,
        (None, None) => {
            return Err(Failure::usage(anyhow::anyhow!(
                "where is {} to be found? Give --snapshot DIR (from collect or scan --save-snapshot), --report FILE (from scan --output json), or --demo",
                arguments.id
            )));
        }
    };
    judge.report(&seen.snapshot, &Selection::default())
}

fn saved(file: &std::path::Path) -> Result<Report, Failure> {
    let read = || -> anyhow::Result<Report> {
        let report: Report = serde_json::from_slice(&std::fs::read(file)?)?;
        anyhow::ensure!(
            report.schema_version == SCHEMA_VERSION,
            "it has schema version {}, and this program reads {SCHEMA_VERSION}",
            report.schema_version
        );
        Ok(report)
    };
    read().with_context(|| format!("cannot read {} as a JSON report of scan", file.display())).map_err(Failure::usage)
}
