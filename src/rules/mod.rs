//! Rules: YAML files whose conditions are CEL over the facts of one instance, with three values.
//!
//! Rust reasons, rules select and word. A rule sees nothing but [`crate::facts::Facts`]; what is unknown makes it unknown, with the reason.

mod cases;
mod expr;
mod file;
mod lint;
mod load;
mod page;
mod schema;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::facts::FactSheet;
use crate::model::known::Unknown;
use crate::network::Target;
use crate::report::types::Severity;
use expr::{Expression, Scope, Truth};
use file::{RuleFile, Template, look_up};

pub use cases::CaseResult;
pub use file::FixGenerator;
pub use load::RuleError;

/// The active rules, by id.
#[derive(Debug)]
pub struct RuleSet {
    rules: BTreeMap<String, Rule>,
    aliases: BTreeMap<String, String>,
    /// The rules that are switched off.
    off: BTreeSet<String>,
}

/// One rule.
#[derive(Debug)]
pub struct Rule {
    id: String,
    file: RuleFile,
    /// The text of its file, for the digest.
    source: String,
    severity: Severity,
    when: Option<Expression>,
    fail_if: Expression,
    message: Template,
    /// The paths of the facts that its conditions read.
    reads: BTreeSet<String>,
}

/// A rule's level, as the user sets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    Off,
    On(Severity),
}

impl std::str::FromStr for Level {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "off" => Ok(Self::Off),
            "note" => Ok(Self::On(Severity::Note)),
            "warning" => Ok(Self::On(Severity::Warning)),
            "error" => Ok(Self::On(Severity::Error)),
            _ => Err(()),
        }
    }
}

/// What a rule says of an instance that it does not pass.
#[derive(Debug)]
pub struct Judgement<'r> {
    pub rule: &'r Rule,
    pub outcome: Outcome,
    pub severity: Severity,
    pub resource: String,
    pub message: String,
    /// The facts that the rule read, as far as they are known.
    pub evidence: BTreeMap<String, Value>,
    pub unknowns: Vec<Unknown>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Fail,
    Unknown,
}

/// The facts that take an instance out of every rule but those that ask for them: nobody can patch what another AWS service runs or what takes
/// no packages, and no plan concerns what is outside of it.
const EXCLUDES: [&str; 3] = ["instance.is_managed_by_aws", "platform.is_updated_as_image", "policy.is_outside"];

impl RuleSet {
    /// The rules compiled into the program.
    ///
    /// # Errors
    /// Only if one of them is broken, which a test excludes.
    pub fn builtin() -> Result<Self, RuleError> {
        let mut set = Self { rules: BTreeMap::new(), aliases: BTreeMap::new(), off: BTreeSet::new() };
        set.add(load::builtin()?)?;
        Ok(set)
    }

    /// Adds the rules of a folder and its subfolders.
    ///
    /// # Errors
    /// When a file cannot be read or does not load, or its id is taken.
    pub fn add_folder(&mut self, folder: &Path) -> Result<(), RuleError> {
        self.add(load::folder(folder)?)
    }

    fn add(&mut self, rules: Vec<Rule>) -> Result<(), RuleError> {
        for rule in rules {
            if self.rules.contains_key(&rule.id) || self.aliases.contains_key(&rule.id) {
                return Err(RuleError::Taken { id: rule.id });
            }
            for alias in &rule.file.aliases {
                self.aliases.insert(alias.clone(), rule.id.clone());
            }
            self.rules.insert(rule.id.clone(), rule);
        }
        Ok(())
    }

    /// Sets a rule's level.
    ///
    /// # Errors
    /// When there is no such rule; the error names the nearest.
    pub fn set_level(&mut self, id: &str, level: Level) -> Result<(), RuleError> {
        let id = self.get(id)?.id.clone();
        match level {
            Level::Off => {
                self.off.insert(id);
            }
            Level::On(severity) => {
                self.off.remove(&id);
                if let Some(rule) = self.rules.get_mut(&id) {
                    rule.severity = severity;
                }
            }
        }
        Ok(())
    }

    /// A rule by its id or an alias.
    ///
    /// # Errors
    /// When there is none; the error names the nearest.
    pub fn get(&self, id: &str) -> Result<&Rule, RuleError> {
        let known = self.aliases.get(id).map_or(id, String::as_str);
        self.rules
            .get(known)
            .ok_or_else(|| RuleError::NoSuchRule { id: id.to_owned(), hint: lint::hint(id, self.rules.keys().map(String::as_str)) })
    }

    /// The rules, by id; those that are switched off among them.
    pub fn all(&self) -> impl Iterator<Item = &Rule> {
        self.rules.values()
    }

    /// Judges one instance: what fails, and what is not known.
    ///
    /// # Errors
    /// When a rule cannot be evaluated, or is unknown although nothing that it reads is.
    pub fn judge(&self, sheet: &FactSheet) -> Result<Vec<Judgement<'_>>, RuleError> {
        let scope = Scope::new(&sheet.value).map_err(|problem| RuleError::Evaluation { id: "facts".to_owned(), problem })?;
        let holds = |fact: &&&str| look_up(&sheet.value, fact) == Some(&Value::Bool(true));
        let excludes = EXCLUDES.iter().find(holds);
        let mut judgements = Vec::new();
        for rule in self.rules.values().filter(|rule| !self.off.contains(&rule.id)) {
            if excludes.is_some_and(|fact| !rule.reads.contains(*fact)) {
                continue;
            }
            if let Some(outcome) = rule.outcome(&scope)? {
                judgements.push(rule.judgement(outcome, sheet)?);
            }
        }
        Ok(judgements)
    }

    /// `sha256:` and the digest of the active rules with their levels.
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        for rule in self.rules.values().filter(|rule| !self.off.contains(&rule.id)) {
            for part in [&rule.id, rule.severity.as_str(), &rule.source] {
                hash.update(part.as_bytes());
                hash.update([0]);
            }
        }
        hash.finalize().iter().fold("sha256:".to_owned(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    /// Runs the cases in the rules' files.
    ///
    /// # Errors
    /// When a case does not fit the facts.
    pub fn test_cases(&self) -> Result<Vec<CaseResult>, RuleError> {
        cases::run(self)
    }
}

impl Rule {
    pub fn id(&self) -> &str {
        &self.id
    }

    pub fn title(&self) -> &str {
        &self.file.title
    }

    pub fn severity(&self) -> Severity {
        self.severity
    }

    pub fn target(&self) -> Option<Target> {
        self.file.target
    }

    pub fn fix(&self) -> Option<FixGenerator> {
        self.file.fix
    }

    /// The rule's page, as Markdown.
    pub fn page(&self) -> String {
        page::render(self)
    }

    /// `None` when the rule passes or does not apply.
    fn outcome(&self, scope: &Scope) -> Result<Option<Outcome>, RuleError> {
        let evaluate =
            |expression: &Expression| expression.evaluate(scope).map_err(|problem| RuleError::Evaluation { id: self.id.clone(), problem });
        let applies = self.when.as_ref().map_or(Ok(Truth::True), evaluate)?;
        if applies == Truth::False {
            return Ok(None);
        }
        Ok(match (applies, evaluate(&self.fail_if)?) {
            (_, Truth::False) => None,
            (Truth::True, Truth::True) => Some(Outcome::Fail),
            _ => Some(Outcome::Unknown),
        })
    }

    fn judgement(&self, outcome: Outcome, sheet: &FactSheet) -> Result<Judgement<'_>, RuleError> {
        let read = |path: &String| Some((path.clone(), look_up(&sheet.value, path)?.clone()));
        let evidence: BTreeMap<String, Value> = self.reads.iter().filter_map(read).collect();
        let text = |path: &str| look_up(&sheet.value, path).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
        let resource = self.file.resource.as_deref().and_then(text).or_else(|| text("instance.id")).unwrap_or_default();
        let mut unknowns = Vec::new();
        let message = match outcome {
            Outcome::Fail => self.message.render(&sheet.value),
            Outcome::Unknown => {
                unknowns = self.reasons(sheet);
                let Some(first) = unknowns.first() else {
                    return Err(RuleError::Unexplained {
                        id: self.id.clone(),
                        reads: self.reads.iter().cloned().collect::<Vec<_>>().join(", "),
                    });
                };
                format!("It is not known {}: {} ({})", self.file.question, first.settled_by, first.resource)
            }
        };
        Ok(Judgement { rule: self, outcome, severity: self.severity, resource, message, evidence, unknowns })
    }

    /// The recorded reasons of the facts that the rule read and that are not known.
    fn reasons(&self, sheet: &FactSheet) -> Vec<Unknown> {
        let concerns = |unknown: &str| {
            self.reads
                .iter()
                .any(|path| path == unknown || unknown.starts_with(&format!("{path}.")) || path.starts_with(&format!("{unknown}.")))
        };
        let mut reasons: Vec<Unknown> =
            sheet.unknown.iter().filter(|(path, _)| concerns(path)).flat_map(|(_, why)| why.iter().cloned()).collect();
        reasons.sort();
        reasons.dedup();
        reasons
    }
}
