//! What is generated equals what generates it. `BLESS=1 cargo test --no-default-features generated` writes the files anew.

use crate::process::{repository, run, text};

fn check(path: &str, content: &str) {
    let file = repository(path);
    if std::env::var_os("BLESS").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, content).unwrap();
        return;
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(committed == content, "{path} is not what the program generates: run `BLESS=1 cargo test --no-default-features generated`");
}

#[test]
fn the_schema_of_the_report() {
    check("docs/report.schema.json", &text(&run(&["schema"]).stdout));
}

#[test]
fn the_pages_of_the_rules() {
    let list = text(&run(&["rules", "list"]).stdout);
    let ids: Vec<&str> = list.lines().filter_map(|line| line.split_whitespace().next()).collect();
    let pages: Vec<String> = ids.iter().map(|id| text(&run(&["rules", "show", id]).stdout)).collect();
    let intro = "<!-- Generated from rules/**/*.yaml; see CONTRIBUTING.md. -->\n\n# Rules\n\n";
    check("docs/rules.md", &format!("{intro}{}", pages.join("\n")));
}

#[test]
fn the_permissions() {
    let list = text(&run(&["permissions", "list"]).stdout);
    let rows: Vec<String> =
        list.lines().filter_map(|line| line.split_once(' ')).map(|(name, why)| format!("| `{name}` | {} |", why.trim())).collect();
    let head = "<!-- Generated from src/permissions.rs; see CONTRIBUTING.md. -->\n\n# What the scanner may call, and why\n\n| action | what it is for |\n|---|---|\n";
    check("docs/permissions.md", &format!("{head}{}\n", rows.join("\n")));
}

#[test]
fn the_report_keeps_its_schema() {
    let schema: serde_json::Value = serde_json::from_slice(&run(&["schema"]).stdout).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let report = crate::process::report(&run(&["scan", "--demo", "--output", "json"]));
    let errors: Vec<String> = validator.iter_errors(&report).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{}", errors.join("\n"));
}
