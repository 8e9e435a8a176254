//! Loads rules: YAML, then the linter, then the cases' shape. What is wrong is told with file, line and column.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};

use super::expr::{Expression, Mistake};
use super::file::{Expectation, RuleFile, Template};
use super::schema::FactSchema;
use super::{Rule, lint};

static BUILTIN: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/rules");

/// The parser recurses: a debug build needs more than a thread of the test harness has.
const STACK: usize = 16 << 20;

/// A rule that cannot be used. Each variant is the fault of the rule or the command line, but for the last two, which may be the program's.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    #[error("cannot read {path}")]
    Io { path: String, source: std::io::Error },
    #[error("{path}: {problem}")]
    Malformed { path: String, problem: String },
    #[error("there is already a rule {id}: give yours another name, and switch the other off with --rule {id}=off")]
    Taken { id: String },
    #[error("there is no rule {id:?}{hint}; `patch-preflight rules list` lists them")]
    NoSuchRule { id: String, hint: String },
    #[error("rule {id} cannot be evaluated: {problem}; report this with the snapshot")]
    Evaluation { id: String, problem: String },
    #[error("rule {id} is unknown although none of what it reads is ({reads}); report this with the snapshot")]
    Unexplained { id: String, reads: String },
    #[error("the facts cannot be written as JSON: {0}")]
    Facts(#[from] serde_json::Error),
}

pub(super) fn builtin() -> Result<Vec<Rule>, RuleError> {
    let mut files = Vec::new();
    for area in BUILTIN.dirs().filter(|area| area.path() != Path::new("data")) {
        for file in area.files() {
            let text = file.contents_utf8().unwrap_or_default().to_owned();
            files.push((Path::new("rules").join(file.path()), text));
        }
    }
    load(files)
}

pub(super) fn folder(folder: &Path) -> Result<Vec<Rule>, RuleError> {
    let mut files = Vec::new();
    read(folder, &mut files)?;
    if files.is_empty() {
        return Err(RuleError::Malformed {
            path: folder.display().to_string(),
            problem: "the folder holds no rule: a rule is a file <id>.yaml".to_owned(),
        });
    }
    load(files)
}

fn read(folder: &Path, files: &mut Vec<(PathBuf, String)>) -> Result<(), RuleError> {
    let failed = |path: &Path| {
        let path = path.display().to_string();
        |source| RuleError::Io { path, source }
    };
    let entries = std::fs::read_dir(folder).map_err(failed(folder))?;
    let mut paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>().map_err(failed(folder))?;
    paths.sort();
    for path in paths {
        // Not through symbolic links, which may lead round in a circle.
        let kind = std::fs::symlink_metadata(&path).map_err(failed(&path))?;
        if kind.is_dir() {
            read(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml") {
            let text = std::fs::read_to_string(&path).map_err(failed(&path))?;
            files.push((path, text));
        }
    }
    Ok(())
}

fn load(files: Vec<(PathBuf, String)>) -> Result<Vec<Rule>, RuleError> {
    let work = move || {
        let schema = FactSchema::new();
        files.into_iter().map(|(path, text)| rule(&schema, &path, text)).collect()
    };
    let failed = |problem: String| RuleError::Malformed { path: "rules".to_owned(), problem };
    let thread = std::thread::Builder::new().stack_size(STACK).spawn(work).map_err(|error| failed(error.to_string()))?;
    thread.join().unwrap_or_else(|_| Err(failed("an expression cannot be parsed".to_owned())))
}

fn rule(schema: &FactSchema, path: &Path, text: String) -> Result<Rule, RuleError> {
    let shown = path.display().to_string();
    let malformed = |problem: String| RuleError::Malformed { path: shown.clone(), problem };
    let id = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
    let is_kebab =
        !id.is_empty() && id.split('-').all(|word| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()));
    if !is_kebab {
        return Err(malformed(format!("{id:?} is no id of a rule: name the file in lower case with hyphens, after what is broken")));
    }
    let file: RuleFile = serde_saphyr::from_str(&text).map_err(|error| malformed(error.to_string()))?;
    let when = file.when.as_deref().map(|source| expression(schema, &shown, &text, "when", source)).transpose()?;
    let fail_if = expression(schema, &shown, &text, "fail_if", &file.fail_if)?;
    let message = Template::parse(&file.message).map_err(|problem| malformed(format!("message: {problem}")))?;
    for (field, path) in message.paths().map(|path| ("message", path)).chain(file.resource.as_deref().map(|path| ("resource", path))) {
        if let Err(known) = schema.look_up(path.split('.')) {
            let last = path.rsplit('.').next().unwrap_or(path);
            return Err(malformed(format!("{field}: there is no fact {path}{}", lint::hint(last, known.iter().map(String::as_str)))));
        }
    }
    let network =
        matches!(file.fix, Some(super::FixGenerator::NetworkPath | super::FixGenerator::NetworkRoute | super::FixGenerator::NetworkEgress));
    if network && file.target.is_none() {
        return Err(malformed("target is missing: a rule with a network fix names the path that it judges".to_owned()));
    }
    let mut reads: BTreeSet<String> = fail_if.tree().paths();
    reads.extend(when.iter().flat_map(|when| when.tree().paths()));
    cases_suffice(schema, &file, &reads).map_err(malformed)?;
    Ok(Rule { id, severity: file.severity, source: text, when, fail_if, message, reads, file })
}

/// At least one case that fails and one that passes, and one that is unknown if anything that the rule reads may be.
fn cases_suffice(schema: &FactSchema, file: &RuleFile, reads: &BTreeSet<String>) -> Result<(), String> {
    let has = |expected: Expectation| file.cases.iter().any(|case| case.expect == expected);
    let may_be_unknown = reads.iter().any(|path| schema.look_up(path.split('.')).is_ok_and(|entry| entry.may_be_unknown));
    for (is_there, word) in
        [(has(Expectation::Fail), "fail"), (has(Expectation::Pass), "pass"), (has(Expectation::Unknown) || !may_be_unknown, "unknown")]
    {
        if !is_there {
            return Err(format!("cases: there is none that expects {word}"));
        }
    }
    for path in file.cases.iter().flat_map(|case| &case.unknown) {
        match schema.look_up(path.split('.')) {
            Ok(entry) if entry.may_be_unknown => {}
            Ok(_) => return Err(format!("cases: {path} is always known")),
            Err(known) => {
                let last = path.rsplit('.').next().unwrap_or(path);
                return Err(format!("cases: there is no fact {path}{}", lint::hint(last, known.iter().map(String::as_str))));
            }
        }
    }
    Ok(())
}

fn expression(schema: &FactSchema, path: &str, text: &str, field: &str, source: &str) -> Result<Expression, RuleError> {
    let told = |mistakes: &[Mistake]| RuleError::Malformed { path: path.to_owned(), problem: show(text, field, source, mistakes) };
    let expression = Expression::compile(source).map_err(|mistake| told(&[mistake]))?;
    match lint::check(schema, expression.tree()).as_slice() {
        [] => Ok(expression),
        mistakes => Err(told(mistakes)),
    }
}

/// The mistakes, each with its line and column in the file where the expression stands on one line there, and a caret under the place.
fn show(text: &str, field: &str, source: &str, mistakes: &[Mistake]) -> String {
    let mut shown = String::new();
    for mistake in mistakes {
        let before = source.get(..mistake.at).unwrap_or(source);
        let line = source.get(before.rfind('\n').map_or(0, |end| end + 1)..).and_then(|rest| rest.lines().next()).unwrap_or_default();
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count();
        let place = text
            .lines()
            .enumerate()
            .find_map(|(number, full)| full.find(line).filter(|_| !line.is_empty()).map(|start| (number + 1, start + column + 1)));
        let place = place.map_or_else(String::new, |(line, column)| format!("line {line}, column {column}, "));
        if !shown.is_empty() {
            shown.push('\n');
        }
        let _ = write!(shown, "{place}{field}: {}\n  | {line}\n  | {}^", mistake.message, " ".repeat(column));
    }
    shown
}
