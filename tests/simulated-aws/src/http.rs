//! Just enough of HTTP/1.1, on plain sockets.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;

const LARGEST_HEAD: usize = 64 * 1024;
const LARGEST_BODY: usize = 16 * 1024 * 1024;
const MOST_HEADERS: usize = 64;

#[derive(Debug, Default)]
pub(crate) struct Request {
    pub method: String,
    pub target: String,
    /// Names in small letters.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Not decoded.
    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    pub(crate) fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }

    pub(crate) fn wants_close(&self) -> bool {
        self.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"))
    }
}

/// A connection, with what was read of it and belongs to the next request.
#[derive(Debug)]
pub(crate) struct Connection<'a> {
    stream: &'a TcpStream,
    rest: Vec<u8>,
}

impl<'a> Connection<'a> {
    pub(crate) fn new(stream: &'a TcpStream) -> Self {
        Self { stream, rest: Vec::new() }
    }

    /// The next request; `None` when the client has no more. Nonsense is an error, and ends the connection.
    pub(crate) fn request(&mut self) -> io::Result<Option<Request>> {
        let nonsense = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
        let (mut request, head) = loop {
            let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
            let mut parsed = httparse::Request::new(&mut headers);
            match parsed.parse(&self.rest).map_err(|error| nonsense(&error.to_string()))? {
                httparse::Status::Complete(length) => {
                    let header = |header: &httparse::Header<'_>| {
                        (header.name.to_ascii_lowercase(), String::from_utf8_lossy(header.value).into_owned())
                    };
                    let request = Request {
                        method: parsed.method.unwrap_or_default().to_owned(),
                        target: parsed.path.unwrap_or_default().to_owned(),
                        headers: parsed.headers.iter().map(header).collect(),
                        body: Vec::new(),
                    };
                    break (request, length);
                }
                httparse::Status::Partial if self.rest.len() > LARGEST_HEAD => return Err(nonsense("the head is too large")),
                httparse::Status::Partial => {
                    if self.more()? == 0 {
                        return if self.rest.is_empty() { Ok(None) } else { Err(nonsense("half a request")) };
                    }
                }
            }
        };
        self.rest.drain(..head);
        let length = request.header("content-length").map_or(Ok(0), str::parse).map_err(|_| nonsense("no length"))?;
        if length > LARGEST_BODY || request.header("transfer-encoding").is_some() {
            return Err(nonsense("a body that is too large, or of unknown length"));
        }
        if request.header("expect").is_some() {
            self.stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        while self.rest.len() < length {
            if self.more()? == 0 {
                return Err(nonsense("half a body"));
            }
        }
        request.body = self.rest.drain(..length).collect();
        Ok(Some(request))
    }

    fn more(&mut self) -> io::Result<usize> {
        let mut buffer = [0; 16 * 1024];
        let read = self.stream.read(&mut buffer)?;
        self.rest.extend_from_slice(buffer.get(..read).unwrap_or_default());
        Ok(read)
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Response {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

impl Response {
    pub(crate) fn json(status: u16, value: &serde_json::Value) -> Self {
        Self { status, headers: vec![("Content-Type", "application/json".to_owned())], body: value.to_string().into_bytes() }
    }

    /// Head and body; the head always tells the length of the whole body.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.head();
        bytes.extend_from_slice(&self.body);
        bytes
    }

    pub(crate) fn head(&self) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} {}\r\nContent-Length: {}\r\n", self.status, reason(self.status), self.body.len());
        for (name, value) in &self.headers {
            head.push_str(name);
            head.push_str(": ");
            head.push_str(value);
            head.push_str("\r\n");
        }
        head.push_str("\r\n");
        head.into_bytes()
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Unknown",
    }
}
