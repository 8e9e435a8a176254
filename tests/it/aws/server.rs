//! Starts the simulated AWS, seeds it, and talks to its control paths.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use serde_json::{Value, json};

use crate::process::{program, repository};

/// The organization that the tests share. A test holds it alone, since faults and the record of calls are the server's own.
pub(super) fn organization() -> MutexGuard<'static, Aws> {
    static SHARED: OnceLock<Mutex<Aws>> = OnceLock::new();
    let aws = SHARED.get_or_init(|| Mutex::new(Aws::seeded())).lock().unwrap_or_else(PoisonError::into_inner);
    aws.ask("DELETE", "faults", &json!({}));
    aws.ask("DELETE", "calls", &json!({}));
    aws
}

/// A running server with an organization in it.
pub(super) struct Aws {
    endpoint: String,
    /// What seed.py planted, and what is to be said of it.
    pub(super) planted: Value,
    /// Ends when its standard input is closed, which this process does by ending.
    _process: Child,
}

impl Aws {
    fn seeded() -> Self {
        let mut process =
            python("server.py", &[]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap_or_else(|error| {
                panic!("{error}: run tests/run once, it makes the Python environment at {}", environment().display())
            });
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let endpoint = line.trim().strip_prefix("listening on ").unwrap_or_else(|| panic!("the server says {line:?}")).to_owned();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("planted.json");
        let seeded = python("seed.py", &[&endpoint, file.to_str().unwrap()]).output().unwrap();
        assert!(seeded.status.success(), "{}", String::from_utf8_lossy(&seeded.stderr));
        let planted = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        Self { endpoint, planted, _process: process }
    }

    /// The program with the credentials of the management account, and this server for AWS.
    pub(super) fn program(&self, arguments: &[&str]) -> Command {
        let mut command = program(arguments);
        command.env("AWS_ENDPOINT_URL", &self.endpoint).env("AWS_REGION", "us-east-1");
        command.env("AWS_ACCESS_KEY_ID", "testing").env("AWS_SECRET_ACCESS_KEY", "testing");
        command
    }

    pub(super) fn account(&self, name: &str) -> String {
        self.planted["accounts"][name].as_str().unwrap_or_else(|| panic!("no account {name} in {}", self.planted["accounts"])).to_owned()
    }

    pub(super) fn fail(&self, fault: &Value) {
        self.ask("POST", "faults", fault);
    }

    pub(super) fn calls(&self) -> Vec<Value> {
        self.ask("GET", "calls", &json!({})).as_array().unwrap().clone()
    }

    /// No list gives larger pages than this.
    pub(super) fn page_limit(&self, at_most: Option<u32>) {
        self.ask("POST", "pages", &json!({"at_most": at_most}));
    }

    /// Answers of the plug-in that AWS's models do not allow.
    pub(super) fn drift(&self) -> Value {
        self.ask("GET", "drift", &json!({}))
    }

    /// What the AWS CLI prints for every file of a snapshot.
    pub(super) fn cli_snapshot(&self, folder: &Path) {
        let hubs = self.planted["hubs"].to_string();
        let made = python("cli_snapshot.py", &[&self.endpoint, folder.to_str().unwrap(), &hubs]).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let host = self.endpoint.strip_prefix("http://").unwrap();
        let body = body.to_string();
        let mut stream = TcpStream::connect(host).unwrap();
        write!(
            stream,
            "{method} /preflight/{path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, content) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(" 200 "), "{method} {path} {body}: {answer}");
        serde_json::from_str(content).unwrap()
    }
}

/// Beside the build, where tests/run makes it.
fn environment() -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_patch-preflight")).ancestors().nth(2).unwrap().join("python-for-tests")
}

fn python(script: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(environment().join("bin/python"));
    command.arg(repository("tests/aws").join(script)).args(arguments);
    command
}
