//! Who may import whom: data flows one way, from the snapshot to the report.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::process::repository;

/// For each module, the modules that it may name. `cli` knows everybody.
fn allowed() -> BTreeMap<&'static str, &'static [&'static str]> {
    let nobody: &[&str] = &[];
    BTreeMap::from([
        ("snapshot", nobody),
        ("scope", &["snapshot"]),
        ("permissions", nobody),
        ("model", &["snapshot"]),
        ("policy_language", nobody),
        ("network", &["model", "snapshot", "facts", "policy_language"]),
        ("identity", &["model", "scope", "snapshot", "policy_language"]),
        ("platform", &["model", "snapshot"]),
        ("policy", &["model", "snapshot"]),
        ("facts", &["model", "snapshot", "network", "identity", "platform", "policy"]),
        ("rules", &["facts", "model", "network", "report"]),
        ("plan", &["rules", "facts", "model", "snapshot", "network"]),
        ("assess", &["plan", "rules", "facts", "identity", "model", "snapshot", "network", "policy", "report"]),
        ("report", &["assess", "plan", "facts", "model", "network", "policy", "snapshot"]),
        ("scan", &["assess", "report", "rules", "facts", "identity", "model", "network", "platform", "policy", "scope", "snapshot"]),
        ("aws", &["snapshot", "scope", "permissions"]),
        ("exit", nobody),
    ])
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn each_source() -> Vec<(String, String)> {
    let root = repository("src");
    let read = |path: PathBuf| (path.strip_prefix(&root).unwrap().display().to_string(), std::fs::read_to_string(&path).unwrap());
    sources(&root).into_iter().map(read).collect()
}

#[test]
fn modules_import_only_what_lies_below_them() {
    let allowed = allowed();
    let mut wrong = Vec::new();
    for (path, source) in each_source() {
        let module = path.split(['/', '.']).next().unwrap().to_owned();
        if ["cli", "main", "lib"].contains(&module.as_str()) {
            continue;
        }
        let Some(may) = allowed.get(module.as_str()) else {
            wrong.push(format!("{path}: module {module} has no row in this test"));
            continue;
        };
        for (number, line) in source.lines().enumerate() {
            let mut rest = line;
            while let Some((_, after)) = rest.split_once("crate::") {
                let named: String = after.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
                if named != module && !may.contains(&named.as_str()) {
                    wrong.push(format!("{path}:{}: {module} may not name {named}", number + 1));
                }
                rest = after;
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_the_looking_half_names_the_sdk_or_waits() {
    let mut wrong = Vec::new();
    for (path, source) in each_source() {
        let is_aws = path.starts_with("aws/") || path == "aws.rs";
        for (number, line) in source.lines().enumerate() {
            let code = line.trim_start();
            if !is_aws
                && !code.starts_with("//")
                && ["aws_sdk", "aws_config", "aws_smithy", "aws_types", "aws_credential", "tokio::", ".await"]
                    .iter()
                    .any(|word| code.contains(word))
            {
                wrong.push(format!("{path}:{}: {line}", number + 1));
            }
            if !path.ends_with("rules/expr.rs") && code.starts_with("use cel") {
                wrong.push(format!("{path}:{}: only rules/expr.rs may name cel", number + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
