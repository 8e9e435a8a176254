//! How fast the server is: requests of one client that waits for each answer, and of several side by side.

use std::fmt::Write as _;
use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::generate::{Size, organization};
use crate::{Credentials, Server, Store, Weather};

const FOR: Duration = Duration::from_secs(2);
const SIDE_BY_SIDE: usize = 8;

/// A call, and what is measured with it.
struct Probe {
    title: &'static str,
    service: &'static str,
    target: Option<&'static str>,
    body: &'static str,
}

const PROBES: [Probe; 4] = [
    Probe { title: "sts:GetCallerIdentity", service: "sts", target: None, body: "Action=GetCallerIdentity&Version=2011-06-15" },
    Probe {
        title: "ssm:GetServiceSetting",
        service: "ssm",
        target: Some("AmazonSSM.GetServiceSetting"),
        body: r#"{"SettingId":"/ssm/managed-instance/default-ec2-instance-management-role"}"#,
    },
    Probe { title: "ec2:DescribeVpcs", service: "ec2", target: None, body: "Action=DescribeVpcs&Version=2016-11-15&MaxResults=1000" },
    Probe {
        title: "ec2:DescribeInstances, 1,000 instances",
        service: "ec2",
        target: None,
        body: "Action=DescribeInstances&Version=2016-11-15&MaxResults=1000",
    },
];

/// Serves a Region with 1,000 instances and asks; a table of what came of it.
pub fn run() -> io::Result<String> {
    let folder = std::env::temp_dir().join(format!("simulated-aws-{}", std::process::id()));
    let size = Size { accounts: 2, regions: 1, instances: 1000 };
    let generated = organization(1, &size);
    let snapshot = folder.join("snapshot");
    generated.write(&snapshot)?;
    let store = Store::read(&snapshot).map_err(io::Error::other);
    std::fs::remove_dir_all(&folder)?;
    let store = store?;
    let account = store.accounts.keys().next_back().cloned().unwrap_or_default();
    let server = Server::start(store, Weather::default()).map_err(io::Error::other)?;
    let address = server.endpoint().trim_start_matches("http://").to_owned();
    let mut told = String::new();
    for probe in &PROBES {
        let request = request(probe, &Credentials::of_account(&account));
        let (alone, bytes) = ask(&address, &request)?;
        let together = std::thread::scope(|scope| {
            let asking: Vec<_> = (0..SIDE_BY_SIDE).map(|_| scope.spawn(|| ask(&address, &request))).collect();
            asking.into_iter().filter_map(|thread| thread.join().ok()?.ok()).map(|(rate, _)| rate).sum::<f64>()
        });
        let _ = writeln!(told, "{}: {alone:.0} a second alone, {together:.0} by {SIDE_BY_SIDE} clients; {bytes} bytes each", probe.title);
        server.forget_calls();
    }
    Ok(told)
}

fn request(probe: &Probe, credentials: &Credentials) -> Vec<u8> {
    let kind = if probe.target.is_some() { "application/x-amz-json-1.1" } else { "application/x-www-form-urlencoded" };
    let target = probe.target.map(|target| format!("X-Amz-Target: {target}\r\n")).unwrap_or_default();
    let (key, service, length, body) = (&credentials.access_key_id, probe.service, probe.body.len(), probe.body);
    format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\n{target}Content-Length: {length}\r\n\
         Authorization: AWS4-HMAC-SHA256 Credential={key}/20261123/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0\r\n\r\n{body}"
    )
    .into_bytes()
}

/// Requests a second over one connection, and how large the answer is.
fn ask(address: &str, request: &[u8]) -> io::Result<(f64, usize)> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let (mut count, mut size) = (0_u32, 0);
    let started = Instant::now();
    while started.elapsed() < FOR {
        stream.write_all(request)?;
        size = answer(&mut stream)?;
        count += 1;
    }
    Ok((f64::from(count) / started.elapsed().as_secs_f64(), size))
}

/// Reads one answer, and returns the length of its body.
fn answer(stream: &mut TcpStream) -> io::Result<usize> {
    let mut received = Vec::new();
    let mut buffer = vec![0; 256 * 1024];
    let whole = loop {
        let read = stream.read(&mut buffer)?;
        received.extend_from_slice(buffer.get(..read).unwrap_or_default());
        if let Some(whole) = length(&received)? {
            break whole;
        }
        if read == 0 {
            return Err(io::Error::other("the server ended the connection"));
        }
    };
    let (head, body) = whole;
    let mut left = (head + body).saturating_sub(received.len());
    while left > 0 {
        let read = stream.read(&mut buffer)?;
        if read == 0 {
            return Err(io::Error::other("the server ended the connection"));
        }
        left = left.saturating_sub(read);
    }
    Ok(body)
}

/// The lengths of head and body, once the head is there. Whatever is not status 200 is an error.
fn length(received: &[u8]) -> io::Result<Option<(usize, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut response = httparse::Response::new(&mut headers);
    match response.parse(received).map_err(io::Error::other)? {
        httparse::Status::Partial => Ok(None),
        httparse::Status::Complete(head) => {
            if response.code != Some(200) {
                return Err(io::Error::other(String::from_utf8_lossy(received).into_owned()));
            }
            let header = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
            let body = header.and_then(|header| std::str::from_utf8(header.value).ok()?.parse().ok());
            Ok(Some((head, body.unwrap_or_default())))
        }
    }
}
