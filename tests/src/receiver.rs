//! A receiver of callbacks: it notes every request with its body, and answers as a test says.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use serde_json::{Value, json};

use crate::{python, wait};

/// Makes signatures by Python's own `hmac`: from a list of `[key, text]` on standard input, the key in base64.
const SIGN: &str = "
import base64, hashlib, hmac, json, sys
sign = lambda key, text: hmac.new(base64.b64decode(key), text.encode(), hashlib.sha256).digest()
print(json.dumps([base64.b64encode(sign(*one)).decode() for one in json.load(sys.stdin)]))
";

/// A running receiver.
#[derive(Debug)]
pub struct Receiver {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    got: Mutex<Vec<Got>>,
    once: Mutex<HashMap<String, VecDeque<Reply>>>,
    always: Mutex<HashMap<String, Reply>>,
    connections: Mutex<Vec<TcpStream>>,
    stop: AtomicBool,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Got {
    /// POST.
    pub method: String,
    /// With its slash.
    pub path: String,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: String,
    /// What it was answered with; 0: nothing.
    pub status: u16,
}

/// How a request is answered.
#[derive(Debug, Clone)]
pub enum Reply {
    /// With a status, further header lines, and a few bytes.
    Status(u16, &'static str),
    /// With a redirect.
    To(String),
    /// Not at all: the connection stands.
    Silence,
}

impl Got {
    /// The body as JSON; null if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// What the event calls itself: `job.running`.
    pub fn kind(&self) -> String {
        self.json()["type"].as_str().unwrap_or_default().to_owned()
    }

    /// The job that the event is about.
    pub fn job(&self) -> i64 {
        self.json()["data"]["id"].as_i64().unwrap_or_default()
    }

    /// A header; empty: it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

impl Receiver {
    /// One that takes everything.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
        let address = listener.local_addr().expect("it is bound");
        let shared = Arc::new(Shared::default());
        let house = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            thread::scope(|scope| {
                while let Ok((stream, _)) = listener.accept() {
                    if house.stop.load(Ordering::SeqCst) {
                        break;
                    }
                    lock(&house.connections).push(stream.try_clone().expect("a handle"));
                    let house = &house;
                    scope.spawn(move || house.attend(&stream));
                }
            });
        });
        Self { address, shared, thread: Some(thread) }
    }

    /// The address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Answers the next requests for a path so, one after the other.
    pub fn once(&self, path: &str, replies: impl IntoIterator<Item = Reply>) {
        lock(&self.shared.once).entry(path.to_owned()).or_default().extend(replies);
    }

    /// Answers all further requests for a path so.
    pub fn always(&self, path: &str, reply: Reply) {
        lock(&self.shared.always).insert(path.to_owned(), reply);
    }

    /// Takes everything again, and closes connections that wait.
    pub fn behave(&self) {
        lock(&self.shared.once).clear();
        lock(&self.shared.always).clear();
        for stream in lock(&self.shared.connections).drain(..) {
            // One that is closed already is what we want.
            drop(stream.shutdown(Shutdown::Both));
        }
    }

    /// All requests for a path so far.
    pub fn got(&self, path: &str) -> Vec<Got> {
        lock(&self.shared.got).iter().filter(|got| got.path == path).cloned().collect()
    }

    /// The requests for a path that were taken, once they are so many.
    ///
    /// # Panics
    /// When fewer come, or more.
    pub fn taken(&self, path: &str, count: usize) -> Vec<Got> {
        let taken = wait::until("the receiver is told", wait::PATIENCE, || {
            let mut got = self.got(path);
            got.retain(|got| (200..300).contains(&got.status));
            (got.len() >= count).then_some(got)
        });
        assert_eq!(taken.len(), count, "{taken:#?}");
        taken
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        self.behave();
        // Wakes the acceptor, which then sees the mark.
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
        self.behave();
    }
}

impl Shared {
    fn attend(&self, stream: &TcpStream) {
        let mut reader = BufReader::new(stream);
        while let Some(mut got) = read(&mut reader) {
            let next = lock(&self.once).get_mut(&got.path).and_then(VecDeque::pop_front);
            let reply = next.or_else(|| lock(&self.always).get(&got.path).cloned());
            let (status, further) = match reply.unwrap_or(Reply::Status(204, "")) {
                Reply::Status(status, further) => (status, further.to_owned()),
                Reply::To(place) => (302, format!("Location: {place}\r\n")),
                Reply::Silence => (0, String::new()),
            };
            got.status = status;
            lock(&self.got).push(got);
            if status == 0 {
                continue;
            }
            let body = if status == 204 { "" } else { "well" };
            let length = body.len();
            let head = format!("HTTP/1.1 {status} So\r\nContent-Length: {length}\r\n{further}\r\n");
            if (&*stream).write_all(format!("{head}{body}").as_bytes()).is_err() {
                return;
            }
        }
    }
}

fn read(reader: &mut BufReader<&TcpStream>) -> Option<Got> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|count| *count > 0)?;
    let mut words = line.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|count| *count > 0)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Got { method, path, headers, body: String::from_utf8(body).ok()?, status: 0 })
}

/// Checks that requests are signed with this key, in base64, by an implementation of its own.
///
/// # Panics
/// When one is not.
pub fn signed_with(key: &str, all: &[Got]) {
    let text = |got: &Got| {
        let (id, time) = (got.header("webhook-id"), got.header("webhook-timestamp"));
        json!([key, format!("{id}.{time}.{}", got.body)])
    };
    let texts: Vec<Value> = all.iter().map(text).collect();
    let mut child = Command::new(python::tool("python"))
        .args(["-c", SIGN])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python starts");
    serde_json::to_writer(child.stdin.take().expect("it is piped"), &texts).expect("it reads");
    let output = child.wait_with_output().expect("our own child");
    let made: Vec<String> = serde_json::from_slice(&output.stdout).expect("it prints JSON");
    let sent: Vec<&str> = all.iter().map(|got| got.header("webhook-signature")).collect();
    let made: Vec<String> = made.iter().map(|made| format!("v1,{made}")).collect();
    assert_eq!(sent, made);
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
