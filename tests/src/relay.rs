//! A relay on loopback that writes down what a client and a server say to each other: some clients cannot be asked what
//! they sent, and the host under test keeps no log of requests.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

/// A running relay.
#[derive(Debug)]
pub struct Relay {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    said: Mutex<Vec<u8>>,
    stop: AtomicBool,
}

impl Relay {
    /// One that leads to `target`, HOST:PORT.
    pub fn to(target: &str) -> Self {
        let target = target.to_owned();
        Self::leading(move || TcpStream::connect(&target).expect("the server listens"))
    }

    /// One that leads to a Unix socket, for clients that know TCP only.
    pub fn to_socket(target: &Path) -> Self {
        let target = target.to_owned();
        Self::leading(move || {
            let stream = UnixStream::connect(&target).expect("the server listens");
            // Reading, writing and shutting down are the same calls for both kinds.
            TcpStream::from(OwnedFd::from(stream))
        })
    }

    fn leading(connect: impl Fn() -> TcpStream + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
        let address = listener.local_addr().expect("it is bound");
        let shared = Arc::new(Shared::default());
        let house = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            thread::scope(|scope| {
                while let Ok((client, _)) = listener.accept() {
                    if house.stop.load(Ordering::SeqCst) {
                        break;
                    }
                    let server = connect();
                    let ends = [(&client, &server), (&server, &client)].map(|(from, to)| {
                        (from.try_clone().expect("a handle"), to.try_clone().expect("a handle"))
                    });
                    for (from, to) in ends {
                        let house = &house;
                        scope.spawn(move || pass(from, to, &house.said));
                    }
                }
            });
        });
        Self { address, shared, thread: Some(thread) }
    }

    /// HOST:PORT of the relay.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// What was said since the last time, both ways, in lower case; bodies too.
    pub fn take(&self) -> String {
        let mut said = self.shared.said.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&std::mem::take(&mut *said)).to_ascii_lowercase()
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, said: &Mutex<Vec<u8>>) {
    let mut buffer = [0; 16 << 10];
    while let Ok(read) = from.read(&mut buffer) {
        said.lock().unwrap_or_else(PoisonError::into_inner).extend(&buffer[..read]);
        if read == 0 || to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    // The other side may have gone already.
    drop(to.shutdown(Shutdown::Both));
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}
