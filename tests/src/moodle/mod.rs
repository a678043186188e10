//! A Moodle-speaking server on loopback: the functions of the web service that list courses and what they hold, and files
//! by their addresses, for one user with one key.
//!
//! As strict as the real one: a wrong key, an unknown function or course, another user's courses are refused in Moodle's
//! own words, objects with HTTP status 200. What tests tell it to do wrong it does once. A thread for each connection;
//! dropping the [`Moodle`] cuts all connections and joins all threads.

mod answer;
mod file;
mod wire;

use std::collections::HashMap;
use std::io::{BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::wait;

pub use file::File;

/// The user's key.
pub const TOKEN: &str = "5ecbe7ac0ffee0123456789abcdef012";

/// A running server.
#[derive(Debug)]
pub struct Moodle {
    port: u16,
    shared: Arc<Shared>,
    threads: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    /// With what it speaks TLS.
    tls: Option<Arc<ServerConfig>>,
    state: Mutex<State>,
    connections: Mutex<Connections>,
    /// Nobody listens any more.
    closed: Condvar,
}

#[derive(Debug, Default)]
struct Connections {
    port: u16,
    ends: bool,
    is_closed: bool,
    open: HashMap<u64, TcpStream>,
}

#[derive(Debug, Default)]
struct State {
    site: String,
    courses: Vec<Course>,
    seen: Vec<String>,
    targets: Vec<String>,
    /// Function or file, and what it is answered next time.
    tricks: HashMap<String, Trick>,
}

#[derive(Debug, Default)]
struct Course {
    id: u64,
    name: String,
    is_hidden: bool,
    files: Vec<File>,
    after_listing: Option<Afterwards>,
}

/// What happens to a course's files once they are listed.
struct Afterwards(Change);

type Change = Box<dyn FnOnce(&mut Vec<File>) + Send>;

impl std::fmt::Debug for Afterwards {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Afterwards")
    }
}

/// What one answer does wrong.
#[derive(Debug, Clone)]
pub enum Trick {
    /// This status, type and body instead.
    Say(u16, &'static str, String),
    /// The connection breaks after so many bytes of the body.
    Cut(usize),
    /// So does it, and then nobody is there any more, until [`Moodle::restart`].
    Die(usize),
    /// A file as a server sends it that knows no ranges.
    Whole,
}

impl Moodle {
    /// Starts one without courses.
    ///
    /// # Panics
    /// When nothing can listen on loopback.
    pub fn start() -> Self {
        Self::start_with(Shared::default())
    }

    /// Starts one that speaks TLS.
    ///
    /// # Panics
    /// When nothing can listen on loopback.
    pub fn start_secure(tls: Arc<ServerConfig>) -> Self {
        Self::start_with(Shared { tls: Some(tls), ..Shared::default() })
    }

    fn start_with(shared: Shared) -> Self {
        let mut moodle = Self { port: 0, shared: Arc::new(shared), threads: None };
        moodle.restart();
        lock(&moodle.shared.state).site = moodle.url();
        moodle
    }

    /// Where the site begins.
    pub fn url(&self) -> String {
        let scheme = if self.shared.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://127.0.0.1:{}", self.port)
    }

    /// Adds a course.
    pub fn course(&self, id: u64, name: &str) {
        let name = name.to_owned();
        lock(&self.shared.state).courses.push(Course { id, name, ..Course::default() });
    }

    /// Shows a course's name, but not what it holds.
    pub fn hide(&self, id: u64) {
        self.with(id, |course| course.is_hidden = true);
    }

    /// Puts a file into a course, or another edition in its place.
    pub fn put(&self, course: u64, file: File) {
        self.with(course, |course| file.into_place(&mut course.files));
    }

    /// Takes all files of this name out of a course.
    pub fn remove(&self, course: u64, name: &str) {
        self.with(course, |course| course.files.retain(|file| file.name != name));
    }

    /// Changes a course as soon as it was listed.
    pub fn after_listing(&self, course: u64, change: impl FnOnce(&mut Vec<File>) + Send + 'static) {
        self.with(course, |course| course.after_listing = Some(Afterwards(Box::new(change))));
    }

    fn with(&self, id: u64, change: impl FnOnce(&mut Course)) {
        let mut state = lock(&self.shared.state);
        change(state.courses.iter_mut().find(|course| course.id == id).expect("a course"));
    }

    /// The next answer to a function, or for a file by its name, is this one.
    pub fn once(&self, asked: &str, trick: Trick) {
        lock(&self.shared.state).tricks.insert(asked.to_owned(), trick);
    }

    /// What was asked for since the last look: functions, and files as `NAME` or `NAME from BYTE`.
    pub fn seen(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.shared.state).seen)
    }

    /// Whether the key, or any other, ever stood in an address.
    pub fn saw_a_key_in_an_address(&self) -> bool {
        lock(&self.shared.state).targets.iter().any(|it| it.contains("token") || it.contains(TOKEN))
    }

    /// Ends it: its clients see broken connections, and then nobody there.
    pub fn kill(&mut self) {
        let Some(threads) = self.threads.take() else { return };
        self.shared.close();
        for connection in lock(&self.shared.connections).open.values() {
            // One that is closed already is what we want.
            drop(connection.shutdown(Shutdown::Both));
        }
        drop(threads.join());
    }

    /// Starts it again after [`Moodle::kill`], on the same port.
    ///
    /// # Panics
    /// When nothing can listen there.
    pub fn restart(&mut self) {
        self.kill();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, self.port)).expect("a free port");
        self.port = listener.local_addr().expect("it is bound").port();
        *lock(&self.shared.connections) = Connections { port: self.port, ..Connections::default() };
        let shared = Arc::clone(&self.shared);
        self.threads = Some(thread::spawn(move || accept(&shared, listener)));
    }
}

impl Drop for Moodle {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Shared {
    /// Nobody gets in any more.
    fn close(&self) {
        let port = {
            let mut connections = lock(&self.connections);
            connections.ends = true;
            connections.port
        };
        // Wakes the acceptor, which then sees the mark.
        drop(TcpStream::connect((Ipv4Addr::LOCALHOST, port)));
        let open = |connections: &mut Connections| !connections.is_closed;
        drop(self.closed.wait_timeout_while(lock(&self.connections), wait::PATIENCE, open));
    }
}

fn accept(shared: &Shared, listener: TcpListener) {
    thread::scope(|scope| {
        for number in 0_u64.. {
            let Ok((stream, _address)) = listener.accept() else { continue };
            let mut connections = lock(&shared.connections);
            if connections.ends {
                break;
            }
            let Ok(double) = stream.try_clone() else { continue };
            connections.open.insert(number, double);
            drop(connections);
            scope.spawn(move || {
                talk(shared, &stream);
                drop(stream.shutdown(Shutdown::Both));
                lock(&shared.connections).open.remove(&number);
            });
        }
        drop(listener);
        lock(&shared.connections).is_closed = true;
        shared.closed.notify_all();
    });
}

fn talk(shared: &Shared, stream: &TcpStream) {
    drop(stream.set_nodelay(true));
    match shared.tls.clone().map(ServerConnection::new) {
        None => serve(shared, stream),
        Some(Ok(connection)) => serve(shared, StreamOwned::new(connection, stream)),
        Some(Err(error)) => panic!("TLS cannot be spoken: {error}"),
    }
}

fn serve(shared: &Shared, stream: impl Read + Write) {
    let mut reader = BufReader::new(stream);
    while let Some(request) = wire::read(&mut reader) {
        // Nobody is there any more, over older connections either.
        if lock(&shared.connections).ends {
            return;
        }
        let answer = answer::answer(&mut lock(&shared.state), &request);
        if answer.dies {
            shared.close();
        }
        if !wire::write(reader.get_mut(), &answer) {
            return;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
