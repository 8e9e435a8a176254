//! A snapshot, served, and the program pointed at it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use simulated_aws::{Server, Store, Weather};
use tempfile::TempDir;

use crate::process::{copy, program, repository, text};

/// Longer than any scan of these tests takes, however busy the machine is.
const PATIENCE: Duration = Duration::from_mins(3);

pub(super) struct Aws {
    pub(super) server: Server,
    pub(super) has_organization: bool,
}

/// How a run ended.
pub(super) struct Ended {
    pub(super) code: i32,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl Aws {
    pub(super) fn serving(folder: &Path, weather: Weather) -> Self {
        let store = Store::read(folder).unwrap();
        let server = Server::start(store, weather).unwrap();
        Self { server, has_organization: folder.join("organization").exists() }
    }

    pub(super) fn program(&self, arguments: &[&str]) -> Command {
        let mut command = program(arguments);
        let credentials = self.server.credentials();
        command.env("AWS_ENDPOINT_URL", self.server.endpoint()).env("AWS_REGION", "us-east-1");
        command.env("AWS_ACCESS_KEY_ID", credentials.access_key_id).env("AWS_SECRET_ACCESS_KEY", credentials.secret_access_key);
        command
    }

    /// Runs to the end, with `--org` where there is an organization. A run that does not end is a failure.
    pub(super) fn run(&self, arguments: &[&str]) -> Ended {
        let scope: &[&str] = if self.has_organization { &["--org"] } else { &[] };
        ended(&mut self.program(&[arguments, scope].concat()))
    }

    /// What `collect` writes of it.
    pub(super) fn collect(&self) -> TempDir {
        self.collect_with(&[])
    }

    pub(super) fn collect_with(&self, more: &[&str]) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        let ended = self.run(&[&["collect", folder.path().to_str().unwrap()], more].concat());
        assert!([0, 3].contains(&ended.code), "exit code {}\n{}", ended.code, ended.stderr);
        folder
    }
}

/// A program that does not end is a failure, and ends by itself when the server is gone.
pub(super) fn ended(command: &mut Command) -> Ended {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (sender, receiver) = std::sync::mpsc::channel();
    // Nobody listens any more once the patience is at its end.
    std::thread::spawn(move || sender.send(child.wait_with_output()));
    let output = receiver.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("the program did not end: {command:?}")).unwrap();
    Ended { code: output.status.code().unwrap_or(-1), stdout: text(&output.stdout), stderr: text(&output.stderr) }
}

impl Ended {
    pub(super) fn report(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("no JSON report: {error}\nexit code {}\n{}\n{}", self.code, self.stdout, self.stderr))
    }
}

/// Every snapshot of the folder `fixtures`.
pub(super) fn fixtures() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(repository("fixtures")).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<PathBuf> = entries.filter(|path| path.join("snapshot.json").is_file()).collect();
    found.sort();
    assert!(!found.is_empty());
    found
}

/// One account of the sample organization with one of its Regions, as a snapshot of its own.
pub(super) fn one_region(account: &str, region: &str) -> TempDir {
    let folder = alone(account, region);
    // Without an organization Quick Setup of the account itself is asked.
    let global = folder.path().join(account).join("global");
    std::fs::write(global.join("ssm-quicksetup-get-configuration-manager.json"), r#"{"ConfigurationManagers": []}"#).unwrap();
    std::fs::write(global.join("s3-get-bucket-policy.json"), r#"{"BucketPolicies": {}}"#).unwrap();
    folder
}

fn alone(account: &str, region: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let from = repository("fixtures/demo-org").join(account);
    for part in ["global", region] {
        copy(&from.join(part), &folder.path().join(account).join(part));
    }
    folder
}

/// [`one_region`] in an organization with its management account.
pub(super) fn one_region_of_organization(account: &str, region: &str) -> TempDir {
    let folder = alone(account, region);
    let sample = repository("fixtures/demo-org");
    copy(&sample.join("organization"), &folder.path().join("organization"));
    let management = "111111111111";
    for part in ["global", region] {
        copy(&sample.join(management).join(part), &folder.path().join(management).join(part));
    }
    // The others are closed, so that nobody looks for them.
    let list = folder.path().join("organization/organizations-list-accounts.json");
    let mut accounts: Value = serde_json::from_slice(&std::fs::read(&list).unwrap()).unwrap();
    for each in accounts["Accounts"].as_array_mut().unwrap() {
        if each["Id"] != account && each["Id"] != management {
            each["State"] = "SUSPENDED".into();
        }
    }
    std::fs::write(list, accounts.to_string()).unwrap();
    folder
}
