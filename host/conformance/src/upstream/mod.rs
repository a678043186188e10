//! An HTTP/1.1 server on loopback that serves a folder, notes what is asked for, and misbehaves as a plan says.
//!
//! Written by hand, because no well-kept server lies about lengths. A thread for each connection; dropping the
//! [`Upstream`] cuts all connections and joins all threads. Never for anything but tests: it reads whole files.

mod answer;
mod trick;

use std::collections::{BTreeMap, HashMap};
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use percent_encoding::percent_decode_str;

pub use trick::Trick;

/// What one connection may send as a line, and how many of them.
const MAX_LINE: u64 = 16 << 10;
const MAX_HEADERS: usize = 100;
/// Further connections are closed at once.
const MAX_CONNECTIONS: usize = 512;
/// How long an answer is held back.
const HOLD: Duration = Duration::from_mins(2);

/// A running server.
pub struct Upstream {
    address: SocketAddr,
    shared: Arc<Shared>,
    threads: Option<JoinHandle<()>>,
}

/// A request as it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// GET or HEAD.
    pub method: String,
    /// Decoded, without the leading slash and without query.
    pub path: String,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    /// How it was answered; 0: not yet, or not at all.
    pub status: u16,
}

/// How one request is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// With a file below the folder, or what the trick makes of it.
    File {
        /// Below the folder.
        path: String,
        /// What goes wrong.
        trick: Option<Trick>,
    },
    /// With this text.
    Text(String),
}

type Choose = Box<dyn Fn(&Seen) -> Plan + Send + Sync>;

struct Shared {
    folder: PathBuf,
    choose: Choose,
    stop: AtomicBool,
    /// All requests, and a bell for those who wait for one.
    seen: Mutex<Vec<Seen>>,
    bell: Condvar,
    connections: Mutex<HashMap<u64, TcpStream>>,
    /// Held answers go on when this is set.
    released: Mutex<bool>,
    release: Condvar,
}

impl Upstream {
    /// Serves the files below a folder, each request as `choose` says.
    ///
    /// # Errors
    /// Nothing can listen there.
    pub fn serve(
        folder: &Path,
        address: SocketAddr,
        choose: impl Fn(&Seen) -> Plan + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            folder: folder.to_owned(),
            choose: Box::new(choose),
            stop: AtomicBool::new(false),
            seen: Mutex::default(),
            bell: Condvar::new(),
            connections: Mutex::default(),
            released: Mutex::default(),
            release: Condvar::new(),
        });
        let house = Arc::clone(&shared);
        let threads = thread::Builder::new().spawn(move || accept(&house, &listener))?;
        Ok(Self { address, shared, threads: Some(threads) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Lets go on what [`Trick::Hold`] and [`Trick::Stall`] hold, now and later.
    pub fn release(&self) {
        *lock(&self.shared.released) = true;
        self.shared.release.notify_all();
    }

    /// All requests so far.
    pub fn seen(&self) -> Vec<Seen> {
        lock(&self.shared.seen).clone()
    }

    /// Forgets all requests.
    pub fn forget(&self) {
        lock(&self.shared.seen).clear();
    }

    /// Waits for a request for this path. False: none came in time.
    pub fn is_asked_for(&self, path: &str, patience: Duration) -> bool {
        let seen = lock(&self.shared.seen);
        let missing = |seen: &mut Vec<Seen>| !seen.iter().any(|seen| seen.path == path);
        let waited = self.shared.bell.wait_timeout_while(seen, patience, missing);
        let (_seen, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        !timeout.timed_out()
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        self.release();
        for connection in lock(&self.shared.connections).values() {
            // One that is closed already is what we want.
            drop(connection.shutdown(Shutdown::Both));
        }
        // Wakes the acceptor, which then sees the mark.
        drop(TcpStream::connect(self.address));
        if let Some(threads) = self.threads.take() {
            drop(threads.join());
        }
    }
}

fn accept(shared: &Arc<Shared>, listener: &TcpListener) {
    thread::scope(|scope| {
        for (number, stream) in (0_u64..).zip(listener.incoming()) {
            if shared.stop.load(Ordering::SeqCst) {
                break;
            }
            let Ok(stream) = stream else { continue };
            if lock(&shared.connections).len() >= MAX_CONNECTIONS {
                continue;
            }
            if let Ok(double) = stream.try_clone() {
                lock(&shared.connections).insert(number, double);
            }
            // The mark may have been set between the look above and this entry.
            if shared.stop.load(Ordering::SeqCst) {
                break;
            }
            let house = Arc::clone(shared);
            let serves = move || {
                serve(&house, &stream);
                drop(stream.shutdown(Shutdown::Both));
                lock(&house.connections).remove(&number);
            };
            if thread::Builder::new().spawn_scoped(scope, serves).is_err() {
                lock(&shared.connections).remove(&number);
            }
        }
    });
}

fn serve(shared: &Shared, stream: &TcpStream) {
    drop(stream.set_nodelay(true));
    let mut reader = BufReader::new(stream);
    while let Some(request) = read(&mut reader) {
        let place = {
            let mut seen = lock(&shared.seen);
            seen.push(request.clone());
            seen.len() - 1
        };
        shared.bell.notify_all();
        let plan = (shared.choose)(&request);
        let (status, goes_on) = answer::answer(shared, stream, &request, &plan);
        if let Some(entry) = lock(&shared.seen).get_mut(place) {
            entry.status = status;
        }
        let closes = request.headers.get("connection").is_some_and(|word| word == "close");
        if !goes_on || closes || shared.stop.load(Ordering::SeqCst) {
            return;
        }
    }
}

fn read(reader: &mut BufReader<&TcpStream>) -> Option<Seen> {
    let line = line(reader)?;
    let mut words = line.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = BTreeMap::new();
    for _ in 0..MAX_HEADERS {
        let line = self::line(reader)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let path = target.split('?').next().unwrap_or_default().trim_start_matches('/');
    let path = percent_decode_str(path).decode_utf8_lossy().into_owned();
    Some(Seen { method, path, headers, status: 0 })
}

fn line(reader: &mut BufReader<&TcpStream>) -> Option<String> {
    let mut line = String::new();
    reader.take(MAX_LINE).read_line(&mut line).ok().filter(|count| *count > 0)?;
    Some(line)
}

impl Shared {
    /// Waits until held answers are released, or the server ends.
    fn hold(&self) {
        let released = lock(&self.released);
        let held = |released: &mut bool| !*released && !self.stop.load(Ordering::SeqCst);
        drop(self.release.wait_timeout_while(released, HOLD, held));
    }

    /// # Errors
    /// The server ends.
    fn pause(&self, time: Duration) -> io::Result<()> {
        let released = lock(&self.released);
        let goes_on = |_released: &mut bool| !self.stop.load(Ordering::SeqCst);
        drop(self.release.wait_timeout_while(released, time, goes_on));
        if self.stop.load(Ordering::SeqCst) {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
