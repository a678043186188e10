//! An HTTP/1.1 server on loopback that serves a folder, counts what is asked for, and misbehaves on request.
//!
//! Written by hand, because no well-kept server lies about lengths. A thread for each connection; dropping the
//! [`Upstream`] cuts all connections and joins all threads.

mod answer;
mod trick;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::io::{BufRead as _, BufReader};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use percent_encoding::percent_decode_str;

pub use trick::Trick;

use crate::wait;

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

#[derive(Default)]
struct Shared {
    folder: PathBuf,
    stop: AtomicBool,
    /// All requests, and a bell for those who wait for one.
    seen: Mutex<Vec<Seen>>,
    bell: Condvar,
    tricks: Mutex<Tricks>,
    connections: Mutex<HashMap<u64, TcpStream>>,
    /// Held answers go on when this is set.
    released: Mutex<bool>,
    release: Condvar,
}

#[derive(Default)]
struct Tricks {
    once: HashMap<String, VecDeque<Trick>>,
    always: HashMap<String, Trick>,
}

impl Upstream {
    /// Serves the files below a folder.
    pub fn of(folder: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
        let address = listener.local_addr().expect("it is bound");
        let shared = Arc::new(Shared { folder: folder.to_owned(), ..Shared::default() });
        let house = Arc::clone(&shared);
        let threads = thread::spawn(move || accept(&house, &listener));
        Self { address, shared, threads: Some(threads) }
    }

    /// The address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address)
    }

    /// Answers the next requests for a path so, one trick a request; then properly again.
    pub fn once(&self, path: &str, tricks: impl IntoIterator<Item = Trick>) {
        lock(&self.shared.tricks).once.entry(path.to_owned()).or_default().extend(tricks);
    }

    /// Answers every request for a path so.
    pub fn always(&self, path: &str, trick: Trick) {
        lock(&self.shared.tricks).always.insert(path.to_owned(), trick);
    }

    /// Answers all requests properly again.
    pub fn behave(&self) {
        *lock(&self.shared.tricks) = Tricks::default();
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

    /// How many requests there were for a path.
    pub fn count(&self, path: &str) -> usize {
        lock(&self.shared.seen).iter().filter(|seen| seen.path == path).count()
    }

    /// How many requests there were in all.
    pub fn total(&self) -> usize {
        lock(&self.shared.seen).len()
    }

    /// Forgets all requests.
    pub fn forget(&self) {
        lock(&self.shared.seen).clear();
    }

    /// Waits for a request for this path.
    ///
    /// # Panics
    /// When none comes.
    pub fn wait_for(&self, path: &str) {
        let seen = lock(&self.shared.seen);
        let missing = |seen: &mut Vec<Seen>| !seen.iter().any(|seen| seen.path == path);
        let (_seen, timeout) = self
            .shared
            .bell
            .wait_timeout_while(seen, wait::PATIENCE, missing)
            .unwrap_or_else(PoisonError::into_inner);
        assert!(!timeout.timed_out(), "nobody asked for {path}");
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
            if let Ok(double) = stream.try_clone() {
                lock(&shared.connections).insert(number, double);
            }
            // The mark may have been set between the look above and this entry.
            if shared.stop.load(Ordering::SeqCst) {
                break;
            }
            let shared = Arc::clone(shared);
            scope.spawn(move || {
                serve(&shared, &stream);
                drop(stream.shutdown(Shutdown::Both));
                lock(&shared.connections).remove(&number);
            });
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
        let trick = lock(&shared.tricks).next(&request.path);
        let (status, goes_on) = answer::answer(shared, stream, &request, trick.as_ref());
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
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|count| *count > 0)?;
    let mut words = line.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|count| *count > 0)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let path = target.split('?').next().unwrap_or_default().trim_start_matches('/');
    let path = percent_decode_str(path).decode_utf8_lossy().into_owned();
    Some(Seen { method, path, headers, status: 0 })
}

impl Tricks {
    fn next(&mut self, path: &str) -> Option<Trick> {
        let once = self.once.get_mut(path).and_then(VecDeque::pop_front);
        once.or_else(|| self.always.get(path).cloned())
    }
}

impl Shared {
    /// Waits until the test lets go on, or has ended.
    fn hold(&self) {
        let released = lock(&self.released);
        let held = |released: &mut bool| !*released && !self.stop.load(Ordering::SeqCst);
        let patience = Duration::from_mins(2);
        drop(self.release.wait_timeout_while(released, patience, held));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
