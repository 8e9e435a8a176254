//! Runs the cases in the rules' files: each lays a few facts over a healthy instance.

use std::fmt;

use serde_json::Value;

use super::expr::Scope;
use super::file::{Case, Expectation};
use super::{Outcome, Rule, RuleError, RuleSet};
use crate::facts::{FactSheet, Facts};
use crate::model::known::Unknown;

/// How one case went.
#[derive(Debug)]
pub struct CaseResult {
    pub rule_id: String,
    pub case: String,
    expected: Expectation,
    got: Expectation,
}

impl CaseResult {
    pub fn passed(&self) -> bool {
        self.expected == self.got
    }
}

impl fmt::Display for CaseResult {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if self.passed() { "ok" } else { "FAILED" };
        write!(formatter, "{word}: {}: {}: expected {:?}, got {:?}", self.rule_id, self.case, self.expected, self.got)
    }
}

pub(super) fn run(rules: &RuleSet) -> Result<Vec<CaseResult>, RuleError> {
    let mut results = Vec::new();
    for rule in rules.all() {
        for case in &rule.file.cases {
            let sheet = sheet(rule, case)?;
            let got = outcome(rule, &sheet)?;
            results.push(CaseResult { rule_id: rule.id.clone(), case: case.name.clone(), expected: case.expect, got });
        }
    }
    Ok(results)
}

/// The facts of a case, checked against their types.
fn sheet(rule: &Rule, case: &Case) -> Result<FactSheet, RuleError> {
    let mut value = serde_json::to_value(Facts::healthy())?;
    if let Some(given) = &case.given {
        overlay(&mut value, given);
    }
    let malformed = |error: serde_json::Error| RuleError::Malformed {
        path: format!("rule {}", rule.id),
        problem: format!("case {:?}: {error}", case.name),
    };
    let facts: Facts = serde_json::from_value(value).map_err(malformed)?;
    let mut sheet = facts.sheet()?;
    for path in &case.unknown {
        let (parent, name) = path.rsplit_once('.').unwrap_or(("", path));
        let holder = parent.split('.').filter(|name| !name.is_empty()).try_fold(&mut sheet.value, |value, name| value.get_mut(name));
        if let Some(Value::Object(members)) = holder {
            members.remove(name);
        }
        sheet.unknown.insert(path.clone(), vec![Unknown::new("case", path.as_str(), "the case leaves it out")]);
    }
    Ok(sheet)
}

fn overlay(value: &mut Value, given: &Value) {
    match (value, given) {
        (Value::Object(members), Value::Object(own)) => {
            for (name, given) in own {
                overlay(members.entry(name.clone()).or_insert(Value::Null), given);
            }
        }
        (value, given) => *value = given.clone(),
    }
}

fn outcome(rule: &Rule, sheet: &FactSheet) -> Result<Expectation, RuleError> {
    let evaluation = |problem| RuleError::Evaluation { id: rule.id.clone(), problem };
    let scope = Scope::new(&sheet.value).map_err(evaluation)?;
    if let Some(when) = &rule.when
        && when.evaluate(&scope).map_err(evaluation)? == super::Truth::False
    {
        return Ok(Expectation::Skip);
    }
    Ok(match rule.outcome(&scope)? {
        Some(Outcome::Fail) => Expectation::Fail,
        Some(Outcome::Unknown) => {
            // An unknown without a reason is a mistake in the rule or in the facts.
            rule.judgement(Outcome::Unknown, sheet)?;
            Expectation::Unknown
        }
        None => Expectation::Pass,
    })
}
