//! What is generated equals what generates it. `BLESS=1 cargo test --no-default-features generated` writes the files anew.

use serde_json::Value;

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
fn the_schema_of_a_planned_policy() {
    check("docs/patch-policy.schema.json", &text(&run(&["schema", "patch-policy"]).stdout));
}

/// The files of the example keep the schema, and what the page shows of their scan is what the program prints.
#[test]
fn the_page_of_patch_policies() {
    let schema: Value = serde_json::from_slice(&run(&["schema", "patch-policy"]).stdout).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let mut arguments = vec!["scan".to_owned(), "--snapshot".to_owned(), repository("fixtures/staggered-org").display().to_string()];
    for name in ["test", "staging", "production"] {
        let file = repository(&format!("fixtures/staggered-policies/{name}.yaml"));
        let plan: Value = serde_saphyr::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        let errors: Vec<String> = validator.iter_errors(&plan).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{name}: {}", errors.join("\n"));
        arguments.extend(["--policy".to_owned(), file.display().to_string()]);
    }
    let table = text(&run(&arguments).stdout);
    let section = table.split("\n\n").find(|section| section.starts_with("Patch policies")).unwrap();
    check_part("docs/patch-policies.md", "picture", &format!("```text\n{section}\n```\n"));
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

/// A page's part between `<!-- name -->` and `<!-- end -->`.
fn check_part(page: &str, name: &str, content: &str) {
    let whole = std::fs::read_to_string(repository(page)).unwrap();
    let begin = format!("<!-- {name} -->\n");
    let (before, rest) = whole.split_once(&begin).unwrap_or_else(|| panic!("{page} has no part {name}"));
    let (_, after) = rest.split_once("<!-- end -->").unwrap();
    check(page, &format!("{before}{begin}{content}<!-- end -->{after}"));
}

/// The README's pictures share one test: two that write the same file would get into each other's way.
#[test]
fn the_readme() {
    let table = text(&run(&["scan", "--demo"]).stdout);
    check_part("README.md", "picture", &format!("```text\n{}```\n", picture(&table)));
    let list = text(&run(&["rules", "list"]).stdout);
    let row = |line: &str| {
        let mut words = line.split_whitespace();
        let (id, severity) = (words.next().unwrap(), words.next().unwrap());
        format!("| [{id}](docs/rules.md#{id}) | {severity} | {} |\n", words.collect::<Vec<_>>().join(" "))
    };
    check_part("README.md", "rules", &format!("| rule | severity | finds |\n|---|---|---|\n{}", list.lines().map(row).collect::<String>()));
}

/// What is said of each instance of the sample, beside the story that its page tells.
#[test]
fn the_page_of_the_sample() {
    let report = crate::process::report(&run(&["scan", "--demo", "--output", "json"]));
    let list = |name: &str| report[name].as_array().unwrap();
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    let joined = |mut words: Vec<String>| {
        words.sort();
        if words.is_empty() { "–".to_owned() } else { words.join("; ") }
    };
    let of_instance = |instance: &Value| {
        let id = word(&instance["instance_id"]);
        let account = list("accounts").iter().find(|account| account["id"] == instance["account_id"]).unwrap();
        let findings = list("findings").iter().filter(|found| found["instance_id"] == id.as_str());
        let findings = findings.map(|found| {
            let severity = if found["severity"] == "error" { String::new() } else { format!(" ({})", word(&found["severity"])) };
            let doubt = if found["status"] == "unknown" { " is unknown" } else { "" };
            format!("{}{severity}{doubt}", word(&found["rule_id"]))
        });
        let helps =
            |fix: &&Value| ["unblocks", "helps"].iter().any(|part| fix[part].as_array().unwrap().contains(&Value::from(id.as_str())));
        let fixes = list("fixes").iter().filter(helps).map(|fix| word(&fix["title"]));
        let (findings, fixes) = (joined(findings.collect()), joined(fixes.collect()));
        let (name, place) = (word(&instance["name"]), format!("{}, {}", word(&account["name"]), word(&instance["region"])));
        let readiness = word(&instance["readiness"]).replace('_', " ");
        format!("| {name} `{id}` | {place} | {readiness} | {findings} | {fixes} |\n")
    };
    let is_told = |instance: &&Value| {
        instance["readiness"] != "ready" || list("findings").iter().any(|found| found["instance_id"] == instance["instance_id"])
    };
    let (found, quiet): (Vec<&Value>, Vec<&Value>) = list("instances").iter().partition(is_told);
    let rows: String = found.into_iter().map(of_instance).collect();
    let quiet: Vec<String> = quiet.into_iter().map(|instance| word(&instance["name"])).collect();
    let summary = &report["summary"];
    let counts = format!(
        "{} instances: {} ready, {} not ready, {} unknown, {} excluded.\n",
        summary["instances"], summary["ready"], summary["not_ready"], summary["unknown"], summary["excluded"]
    );
    let head = "| Instance | Account, Region | Readiness | Findings | What to do |\n|---|---|---|---|---|\n";
    let rest = format!("\nOf the others there is nothing to report: {}.\n", quiet.join(", "));
    check_part("fixtures/demo-org/README.md", "instances", &format!("{counts}\n{head}{rows}{rest}"));
}

/// The beginning of each section of the table, the rest left out.
fn picture(table: &str) -> String {
    const FROM_EACH: [(&str, usize); 4] = [("", 14), ("Why", 9), ("What to do", 7), ("Instances that", 12)];
    let mut picture = String::new();
    for (title, count) in FROM_EACH {
        let section: Vec<&str> = table.split("\n\n").find(|section| section.starts_with(title)).unwrap().lines().collect();
        let section: Vec<&str> = if title.is_empty() { table.lines().collect() } else { section };
        let shown: Vec<&str> = section.into_iter().take(count).collect();
        picture += &(shown.join("\n") + "\n…\n\n");
    }
    picture.trim_end().to_owned() + "\n"
}

#[test]
fn the_report_keeps_its_schema() {
    let schema: Value = serde_json::from_slice(&run(&["schema"]).stdout).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let report = crate::process::report(&run(&["scan", "--demo", "--output", "json"]));
    let errors: Vec<String> = validator.iter_errors(&report).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{}", errors.join("\n"));
}
