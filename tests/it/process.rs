//! Runs the real program in an environment of its own, and shows arguments, exit code, stdout and stderr as one text.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// The program with nothing of the tester's environment that could change what it says.
pub(crate) fn program<A: AsRef<OsStr>>(arguments: &[A]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_patch-preflight"));
    command.args(arguments).env_clear().stdin(Stdio::null()).env("COLUMNS", "120");
    // No configuration of AWS's is found, and nothing is asked of an instance metadata service.
    command.env("HOME", "/nonexistent").env("AWS_EC2_METADATA_DISABLED", "true");
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command
}

pub(crate) fn run<A: AsRef<OsStr>>(arguments: &[A]) -> Output {
    program(arguments).output().expect("the program starts")
}

pub(crate) fn code(output: &Output) -> i32 {
    output.status.code().expect("the program ends by itself")
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("the program prints UTF-8")
}

/// Everything that a run shows, as one text.
pub(crate) fn shown(output: &Output) -> String {
    format!("exit code {}\n--- stdout\n{}--- stderr\n{}", code(output), text(&output.stdout), text(&output.stderr))
}

/// The JSON report of a run.
pub(crate) fn report(output: &Output) -> serde_json::Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("no JSON report: {error}\n{}", shown(output)))
}

/// A path below the repository.
pub(crate) fn repository(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The ids of the rules of an area.
#[cfg(feature = "aws")]
pub(crate) fn rules_of(area: &str) -> std::collections::BTreeSet<String> {
    let files = std::fs::read_dir(repository("rules").join(area)).unwrap().map(|entry| entry.unwrap().path());
    files.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}

/// The rules about roles that fire by the role alone; the other one takes a network without ec2messages, which the sample organization has.
#[cfg(feature = "aws")]
pub(crate) fn rules_of_roles() -> std::collections::BTreeSet<String> {
    let mut rules = rules_of("identity");
    assert!(rules.remove("role-needs-ec2messages"));
    rules
}

pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let (path, target) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(path, target).unwrap();
        }
    }
}
