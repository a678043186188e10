//! A relay on loopback that lets so many bytes of a server's answers through and then holds them back, so that a test
//! can do something in the middle of a transfer without being fast.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use crate::wait;

/// A running gate. Dropping it ends all connections through it.
#[derive(Debug)]
pub struct Gate {
    address: SocketAddr,
    house: Arc<House>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct House {
    target: SocketAddr,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Bytes that come through before the rest is held back; none: all do.
    left: Option<usize>,
    held: bool,
    stop: bool,
    sockets: Vec<TcpStream>,
}

impl Gate {
    /// One that leads to a port on 127.0.0.1, and is open.
    ///
    /// # Panics
    /// When loopback has no free port.
    pub fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
        let address = listener.local_addr().expect("it is bound");
        let target = SocketAddr::from(([127, 0, 0, 1], port));
        let house =
            Arc::new(House { target, state: Mutex::default(), changed: Condvar::default() });
        let thread = thread::spawn({
            let house = Arc::clone(&house);
            move || house.serve(&listener)
        });
        Self { address, house, thread: Some(thread) }
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// From now on it holds back what comes after so many bytes.
    pub fn close_after(&self, bytes: usize) {
        let mut state = self.house.state();
        state.left = Some(bytes);
        state.held = false;
    }

    /// Waits until something is held back.
    ///
    /// # Panics
    /// When nothing is for too long.
    pub fn wait_held(&self) {
        let held = |state: &mut State| !state.held;
        let waited =
            self.house.changed.wait_timeout_while(self.house.state(), wait::PATIENCE, held);
        let (state, _timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        assert!(state.held, "nothing came to the gate");
    }

    /// Breaks all connections through it, as a network does, and lets new ones through.
    pub fn cut(&self) {
        let sockets = std::mem::take(&mut self.house.state().sockets);
        for socket in sockets {
            // It may be closed already.
            drop(socket.shutdown(Shutdown::Both));
        }
        self.open();
    }

    /// Lets everything through again.
    pub fn open(&self) {
        self.house.state().left = None;
        self.house.changed.notify_all();
    }
}

impl House {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, listener: &TcpListener) {
        thread::scope(|scope| {
            while let Ok((client, _)) = listener.accept() {
                if self.state().stop {
                    break;
                }
                // A server that is gone is a client that is dropped.
                let Ok(server) = TcpStream::connect(self.target) else { continue };
                let double = |stream: &TcpStream| stream.try_clone().expect("a handle");
                self.state().sockets.extend([double(&client), double(&server)]);
                let (asked, asks) = (double(&client), double(&server));
                scope.spawn(move || self.pass(asked, asks, false));
                scope.spawn(move || self.pass(server, client, true));
            }
        });
    }

    fn pass(&self, mut from: TcpStream, mut to: TcpStream, answers: bool) {
        let mut buffer = vec![0; 64 << 10];
        while let Ok(read) = from.read(&mut buffer) {
            if answers {
                self.wait_open(read);
            }
            if read == 0 || to.write_all(&buffer[..read]).is_err() {
                break;
            }
        }
        // The other side may have gone already.
        drop(to.shutdown(Shutdown::Both));
    }

    fn wait_open(&self, bytes: usize) {
        let mut state = self.state();
        if let Some(left) = &mut state.left {
            *left = left.saturating_sub(bytes);
        }
        state.held |= state.left == Some(0);
        self.changed.notify_all();
        let closed = |state: &mut State| state.left == Some(0) && !state.stop;
        drop(self.changed.wait_while(state, closed).unwrap_or_else(PoisonError::into_inner));
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        let sockets = {
            let mut state = self.house.state();
            state.stop = true;
            std::mem::take(&mut state.sockets)
        };
        self.house.changed.notify_all();
        for socket in sockets {
            // It may be closed already.
            drop(socket.shutdown(Shutdown::Both));
        }
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}
