//! What judges a snapshot, as the command line and its files say. Everything that can be wrong with them is found before AWS is asked anything.

use std::path::Path;

use anyhow::Context as _;

use super::Failure;
use super::arguments::JudgingArguments;
use crate::model::Assumptions;
use crate::platform::{Mirrors, Tables};
use crate::policy::{self, Nodes, Policy};
use crate::report::types::Report;
use crate::rules::RuleSet;
use crate::scan::{Judging, scan};
use crate::scope::Selection;
use crate::snapshot::Snapshot;

/// What `--rules`, `--mirrors`, `--policy` and their like hold, read.
pub(crate) struct Judge {
    rules: RuleSet,
    tables: Tables,
    mirrors: Mirrors,
    policies: Vec<Policy>,
    assumptions: Assumptions,
}

impl Judge {
    pub(crate) fn read(arguments: &JudgingArguments) -> Result<Self, Failure> {
        let tables = tables(arguments)?;
        Ok(Self {
            rules: rules(arguments)?,
            mirrors: mirrors(arguments, &tables)?,
            tables,
            policies: policies(arguments)?,
            assumptions: arguments.assume.iter().cloned().collect(),
        })
    }

    /// The resource groups that the plans target.
    pub(crate) fn resource_groups(&self) -> Vec<String> {
        let of_plan = |policy: &Policy| match &policy.nodes {
            Nodes::ResourceGroup(name) => Some(name.clone()),
            _ => None,
        };
        self.policies.iter().filter_map(of_plan).collect()
    }

    pub(crate) fn report(&self, snapshot: &Snapshot, selection: &Selection) -> Result<Report, Failure> {
        let Self { rules, tables, mirrors, policies, assumptions } = self;
        let judging = Judging { rules, tables, assumptions: assumptions.clone(), mirrors, policies };
        scan(snapshot, selection, &judging).map_err(Failure::usage)
    }
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
    let text = text_of(file)?;
    Tables::with_override(&text, &file.display().to_string()).map_err(Failure::usage)
}

fn mirrors(arguments: &JudgingArguments, tables: &Tables) -> Result<Mirrors, Failure> {
    let Some(file) = &arguments.mirrors else { return Ok(Mirrors::default()) };
    let text = text_of(file)?;
    Mirrors::parse(&text, &file.display().to_string(), tables).map_err(Failure::usage)
}

fn policies(arguments: &JudgingArguments) -> Result<Vec<Policy>, Failure> {
    let mut policies = Vec::new();
    for file in &arguments.policy {
        let text = text_of(file)?;
        policies.extend(policy::parse(&text, &file.display().to_string()).map_err(Failure::usage)?);
    }
    Ok(policies)
}

fn text_of(file: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display())).map_err(Failure::usage)
}
