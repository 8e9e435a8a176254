//! The server: one thread a connection, the record of calls, and the control path.

use std::io::{self, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use socket2::SockRef;

use crate::answer::{Question, answer};
use crate::credentials::{self, Credentials};
use crate::http::{Connection, Request, Response};
use crate::paging::{self, Place};
use crate::refusal::{Refusal, Trouble};
use crate::render::{self, Oddities};
use crate::request::{Call, Scope, call, scope};
use crate::store::Store;
use crate::weather::{Asked, Kind, Sky, Weather};
use crate::wire::{Protocol, Service, Table, TableError};

const CONTROL: &str = "/simulated/";
/// In so many pieces a slow body comes.
const PIECES: usize = 10;
const HTML: &str =
    "<!DOCTYPE html>\n<html><head><title>500 Internal Server Error</title></head><body><h1>Oops</h1><p>Please try again.</body></html>\n";

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Table(#[from] TableError),
    #[error("cannot listen on the loopback interface: {0}")]
    Io(#[from] io::Error),
}

/// One call, as it was answered.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Recorded {
    /// Since the server started.
    pub milliseconds: u64,
    pub account: String,
    pub region: String,
    /// As IAM writes it; for a call that nobody knows, what there is to tell of it.
    pub operation: String,
    /// Counted from 1.
    pub page: u32,
    /// Whether the operation is in the table.
    pub is_known: bool,
    /// `ok`, the error's code, or the kind of the fault.
    pub outcome: String,
    pub input: Value,
}

/// A running server. It ends when it is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    table: Table,
    store: Store,
    sky: RwLock<Arc<Sky>>,
    calls: Mutex<Vec<Recorded>>,
    started: Instant,
    /// To be shut when the server ends. Weak, so that a connection closes when its own thread lets go of it.
    open: Mutex<Vec<Weak<TcpStream>>>,
    is_stopping: AtomicBool,
    answered: AtomicU64,
}

impl Server {
    /// Serves the snapshot on a free port.
    pub fn start(store: Store, weather: Weather) -> Result<Self, StartError> {
        Self::start_on(0, store, weather)
    }

    pub fn start_on(port: u16, store: Store, weather: Weather) -> Result<Self, StartError> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            table: Table::builtin()?,
            store,
            sky: RwLock::new(Arc::new(Sky::new(weather))),
            calls: Mutex::default(),
            started: Instant::now(),
            open: Mutex::default(),
            is_stopping: AtomicBool::new(false),
            answered: AtomicU64::new(0),
        });
        let of_acceptor = Arc::clone(&shared);
        let acceptor = std::thread::Builder::new().name("accept".to_owned()).spawn(move || accept(&listener, &of_acceptor))?;
        Ok(Self { address, shared, acceptor: Some(acceptor) })
    }

    /// For `AWS_ENDPOINT_URL`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Of the account where the snapshot was taken from.
    pub fn credentials(&self) -> Credentials {
        Credentials::of_account(&self.shared.store.caller())
    }

    /// The Region to start from.
    pub fn home(&self) -> &str {
        self.shared.store.home()
    }

    pub fn set_weather(&self, weather: Weather) {
        self.shared.set_weather(weather);
    }

    pub fn calls(&self) -> Vec<Recorded> {
        lock(&self.shared.calls).clone()
    }

    pub fn forget_calls(&self) {
        lock(&self.shared.calls).clear();
    }

    /// Blocks for as long as the server runs.
    pub fn wait(mut self) {
        if let Some(acceptor) = self.acceptor.take() {
            // A panic of the acceptor has been printed, and there is nothing left to wait for.
            let _ = acceptor.join();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.is_stopping.store(true, Ordering::SeqCst);
        // Wakes the acceptor up.
        let _ = TcpStream::connect(self.address);
        for stream in lock(&self.shared.open).iter().filter_map(Weak::upgrade) {
            let _ = stream.shutdown(Shutdown::Both);
        }
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

/// A poisoned lock holds whole values: each change of them is one push or one assignment.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.is_stopping.load(Ordering::SeqCst) {
            break;
        }
        let Ok(stream) = stream.map(Arc::new) else { continue };
        {
            let mut open = lock(&shared.open);
            open.retain(|stream| stream.strong_count() > 0);
            open.push(Arc::downgrade(&stream));
        }
        let shared = Arc::clone(shared);
        // Without a thread the client sees a closed connection, as with any server under load.
        let _ = std::thread::Builder::new().name("connection".to_owned()).spawn(move || serve(&stream, &shared));
    }
}

fn serve(stream: &TcpStream, shared: &Shared) {
    let _ = stream.set_nodelay(true);
    let mut connection = Connection::new(stream);
    // Whatever ends the loop, the client sees that the connection ends.
    while let Ok(Some(request)) = connection.request() {
        let wants_close = request.wants_close();
        let is_sent = match shared.reply(&request) {
            Reply::Whole(response) => send(stream, &response.bytes()),
            Reply::Broken(response, kind) => break_off(stream, &response, &kind),
        };
        if is_sent.is_err() || wants_close {
            break;
        }
    }
}

fn send(mut stream: &TcpStream, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes)
}

/// Sends an answer so that it does not arrive whole, or not soon. An error ends the connection.
fn break_off(stream: &TcpStream, response: &Response, kind: &Kind) -> io::Result<()> {
    let end = || Err(io::Error::other("broken off by order of the weather"));
    match kind {
        Kind::Reset => {
            // Without lingering, closing sends a reset.
            SockRef::from(stream).set_linger(Some(Duration::ZERO))?;
            end()
        }
        Kind::HalfBody => {
            let (half, _) = response.body.split_at(response.body.len() / 2);
            send(stream, &[&response.head(), half].concat())?;
            end()
        }
        Kind::SlowBody { milliseconds } => {
            send(stream, &response.head())?;
            let size = (response.body.len() / PIECES).max(1);
            for piece in response.body.chunks(size) {
                std::thread::sleep(Duration::from_millis(milliseconds / 10));
                send(stream, piece)?;
            }
            Ok(())
        }
        Kind::NoAnswer { milliseconds } => {
            std::thread::sleep(Duration::from_millis(*milliseconds));
            end()
        }
        _ => send(stream, &response.bytes()),
    }
}

enum Reply {
    Whole(Response),
    Broken(Response, Kind),
}

/// What is known of a request before it is answered.
struct Asker<'a> {
    account: &'a str,
    region: &'a str,
    place: Option<Place>,
}

impl Shared {
    fn reply(&self, request: &Request) -> Reply {
        if let Some(path) = request.path().strip_prefix(CONTROL) {
            return Reply::Whole(self.control(request, path));
        }
        let Some(scope) = scope(request) else {
            return Reply::Whole(Response::json(403, &json!({"message": "The request is not signed."})));
        };
        let identity = credentials::identity(&scope.access_key_id, request.header("x-amz-security-token"));
        let account = identity.as_ref().map_or("", |identity| identity.account.as_str());
        let call = match call(&self.table, &scope, request) {
            Ok(call) => call,
            Err(unknown) => {
                self.record(account, &scope.region, &unknown.operation, 1, "unknown operation", Value::Null);
                let Some(service) = unknown.service else {
                    return Reply::Whole(Response::json(404, &json!({"message": format!("Unknown service: {}", scope.signing_name)})));
                };
                return Reply::Whole(self.refuse(service, &Refusal::of(&service.name, Trouble::UnknownOperation, "")));
            }
        };
        let place = paging::place(&call);
        let operation = format!("{}:{}", call.service.name, call.operation.name);
        let asker = Asker { account, region: &scope.region, place };
        let (reply, outcome) = self.answer(&call, &operation, &asker, identity.as_ref(), &scope);
        let page = place.map_or(0, |place| place.page);
        self.record(account, &scope.region, &operation, page, &outcome, Value::Object(call.input));
        reply
    }

    fn answer(
        &self,
        call: &Call<'_>,
        operation: &str,
        asker: &Asker<'_>,
        identity: Option<&credentials::Identity>,
        scope: &Scope,
    ) -> (Reply, String) {
        let sky = Arc::clone(&self.sky.read().unwrap_or_else(PoisonError::into_inner));
        if let Some(wait) = sky.latency() {
            std::thread::sleep(wait);
        }
        let refuse = |refusal: &Refusal| (Reply::Whole(self.refuse(call.service, refusal)), refusal.code.clone());
        let is_paged = call.operation.pages.as_ref().is_some_and(|pages| call.input.contains_key(&pages.size));
        if sky.weather.rates && !sky.buckets.take(asker.account, asker.region, operation, is_paged, Instant::now()) {
            return refuse(&Refusal::of(&call.service.name, Trouble::Throttled, ""));
        }
        let page = asker.place.map_or(0, |place| place.page);
        let fault = sky.fault(Asked { account: asker.account, region: asker.region, operation, page });
        if let Some(refusal) = fault.and_then(|fault| fault.refusal(operation)) {
            return refuse(&refusal);
        }
        let Some(identity) = identity else {
            return refuse(&Refusal::of(&call.service.name, Trouble::BadCredentials, ""));
        };
        let Some(place) = asker.place else {
            return refuse(&Refusal::of(&call.service.name, Trouble::BadToken, ""));
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let question = Question {
            store: &self.store,
            weather: &sky.weather,
            call,
            identity,
            region: &scope.region,
            place,
            repeats_token: fault == Some(&Kind::RepeatedToken),
            now: i64::try_from(now).unwrap_or(i64::MAX),
        };
        let body = match answer(&question) {
            Ok(body) => body,
            Err(refusal) => return refuse(&refusal),
        };
        let oddities = Oddities {
            enums: (fault == Some(&Kind::UnknownEnums)).then_some("simulated-future-value"),
            members: fault == Some(&Kind::UnknownMembers),
        };
        let request_id = self.request_id();
        let text = render::body(call.service, call.operation, &body, &request_id, &oddities);
        let response = response(call.service, 200, text, request_id);
        match fault {
            None => (Reply::Whole(response), "ok".to_owned()),
            Some(kind) => (disturbed(response, kind), kind.name()),
        }
    }

    fn refuse(&self, service: &Service, refusal: &Refusal) -> Response {
        let request_id = self.request_id();
        // Without a code there is no document: a load balancer spoke, and not the service.
        let text = if refusal.code.is_empty() { String::new() } else { refusal.document(service, &request_id) };
        let mut response = response(service, refusal.status, text, request_id);
        if !service.protocol.is_xml() {
            response.headers.push(("x-amzn-ErrorType", refusal.code.clone()));
        }
        response
    }

    fn request_id(&self) -> String {
        let number = self.answered.fetch_add(1, Ordering::Relaxed);
        format!("51a01a7e-0000-4000-8000-{number:012x}")
    }

    fn record(&self, account: &str, region: &str, operation: &str, page: u32, outcome: &str, input: Value) {
        let recorded = Recorded {
            milliseconds: u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX),
            account: account.to_owned(),
            region: region.to_owned(),
            operation: operation.to_owned(),
            page,
            is_known: self.table.operation(operation).is_some(),
            outcome: outcome.to_owned(),
            input,
        };
        lock(&self.calls).push(recorded);
    }

    fn set_weather(&self, weather: Weather) {
        *self.sky.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(Sky::new(weather));
    }

    /// `weather` and `calls`, to read, to set and to forget.
    fn control(&self, request: &Request, path: &str) -> Response {
        match (request.method.as_str(), path) {
            ("GET", "weather") => {
                let sky = self.sky.read().unwrap_or_else(PoisonError::into_inner);
                Response::json(200, &json!(sky.weather))
            }
            ("PUT", "weather") => match serde_json::from_slice(&request.body) {
                Ok(weather) => {
                    self.set_weather(weather);
                    Response::json(200, &json!({}))
                }
                Err(error) => Response::json(400, &json!({"message": error.to_string()})),
            },
            ("GET", "calls") => Response::json(200, &json!(*lock(&self.calls))),
            ("DELETE", "calls") => {
                lock(&self.calls).clear();
                Response::json(200, &json!({}))
            }
            _ => Response::json(404, &json!({"message": "GET or PUT weather, GET or DELETE calls"})),
        }
    }
}

fn response(service: &Service, status: u16, text: String, request_id: String) -> Response {
    let kind = match service.protocol {
        Protocol::Ec2 => "text/xml;charset=UTF-8",
        Protocol::Query | Protocol::RestXml => "text/xml",
        Protocol::Json => "application/x-amz-json-1.1",
        Protocol::RestJson => "application/json",
    };
    Response { status, headers: vec![("x-amzn-RequestId", request_id), ("Content-Type", kind.to_owned())], body: text.into_bytes() }
}

fn disturbed(mut response: Response, kind: &Kind) -> Reply {
    let html = |response: &mut Response, status| {
        response.status = status;
        response.headers = vec![("Content-Type", "text/html".to_owned())];
        response.body = HTML.as_bytes().to_vec();
    };
    match kind {
        Kind::EmptyBody => response.body.clear(),
        Kind::Truncated => response.body.truncate(response.body.len() / 3 * 2),
        Kind::Malformed => {
            response.body.truncate(response.body.len() / 3 * 2);
            response.body.extend_from_slice(b"<&{\"");
        }
        Kind::HtmlError => html(&mut response, 500),
        Kind::HtmlPage => html(&mut response, 200),
        Kind::Reset | Kind::HalfBody | Kind::SlowBody { .. } | Kind::NoAnswer { .. } => return Reply::Broken(response, kind.clone()),
        _ => {}
    }
    Reply::Whole(response)
}
