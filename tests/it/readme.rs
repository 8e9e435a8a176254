//! The examples of the README and of docs/patch-policies.md, run as they stand.

use crate::process::{repository, run};

/// The commands in a page's shell blocks that call the program, and the exit code that the block's comment promises.
fn examples(page: &str) -> Vec<(Vec<String>, i32)> {
    let readme = std::fs::read_to_string(repository(page)).unwrap();
    let mut examples = Vec::new();
    let mut is_shell = false;
    for line in readme.lines() {
        if line.starts_with("```") {
            is_shell = line == "```sh";
            continue;
        }
        let Some(command) = line.trim().strip_prefix("patch-preflight ").filter(|_| is_shell) else { continue };
        let (command, comment) = command.split_once(" # ").unwrap_or((command, ""));
        let Some((_, promised)) = comment.split_once("exit code ") else { continue };
        let promised = promised.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap();
        examples.push((command.split_whitespace().map(str::to_owned).collect(), promised));
    }
    examples
}

#[test]
fn examples_do_what_their_comments_promise() {
    let examples_of_readme = examples("README.md");
    assert!(examples_of_readme.len() >= 5, "the README shows how the program is used: {examples_of_readme:?}");
    let others = examples("docs/patch-policies.md");
    assert!(!others.is_empty(), "the page shows how a plan is judged");
    for (arguments, promised) in examples_of_readme.into_iter().chain(others) {
        let arguments: Vec<String> = {
            let here = |word: String, folder: &str| word.replace(&format!("{folder}/"), &format!("{}/", repository(folder).display()));
            arguments.into_iter().map(|word| here(here(word, "fixtures"), "docs")).collect()
        };
        let output = run(&arguments);
        assert_eq!(crate::process::code(&output), promised, "{arguments:?}: {}", crate::process::shown(&output));
    }
}
