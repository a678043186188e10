//! A plugin inside a test, or inside any other program.

use std::fmt;
use std::io;
use std::thread::JoinHandle;

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;
use wharf_peer::{Address, Connection, Security, channel};
use wharf_proto::handshake::Environment;

use super::life::{self, Announcement, Life};
use super::stop::Watch;
use super::{Reattach, Server, StartError, edge};

/// A plugin that runs on a thread of this program. Dropping it ends it at once; [`Running::stop`] ends it in order.
pub struct Running {
    description: Reattach,
    address: Address,
    security: Option<Security>,
    stop: CancellationToken,
    hurry: CancellationToken,
    ended: Option<oneshot::Receiver<Result<(), StartError>>>,
    thread: Option<JoinHandle<()>>,
}

pub(super) async fn start(server: Server) -> Result<Running, StartError> {
    let (stop, hurry) = (CancellationToken::new(), CancellationToken::new());
    let (announced, announcement) = oneshot::channel();
    let (end, ended) = oneshot::channel();
    let security = server.settings.tls.clone();
    let life = Life {
        server,
        environment: Environment::default(),
        watch: || Ok(Watch::Nothing),
        printed: None,
        announce: |announcement: Announcement| {
            // Whoever started this has lost interest; the end follows.
            drop(announced.send((announcement.app, announcement.address)));
            Ok(None)
        },
        stop: stop.clone(),
        hurry: hurry.clone(),
    };
    let runtime = edge::runtime(life.server.settings.threads)?;
    let thread = std::thread::Builder::new().name("plugin".to_owned()).spawn(move || {
        let served = runtime.block_on(life::live(life));
        runtime.shutdown_background();
        // Nobody may be waiting for it.
        drop(end.send(served));
    });
    let thread = thread.map_err(StartError::system("thread"))?;
    // If the wait for it is given up, the thread is to end too.
    let starting = hurry.clone().drop_guard();
    let Ok((app, address)) = announcement.await else {
        return Err(ended.await.unwrap_or(Ok(())).err().unwrap_or(StartError::Vanished));
    };
    starting.disarm();
    Ok(Running {
        description: Reattach::new(app, &address),
        address,
        security,
        stop,
        hurry,
        ended: Some(ended),
        thread: Some(thread),
    })
}

impl Running {
    /// By what a host attaches to it.
    pub fn reattach(&self) -> &Reattach {
        &self.description
    }

    /// A channel to it, as a host has it.
    ///
    /// # Errors
    /// It has ended.
    pub async fn channel(&self) -> io::Result<Channel> {
        let (address, security) = (self.address.clone(), self.security.clone());
        let connect = move || connect(address.clone(), security.clone());
        let first = connect().await?;
        channel(first, connect).await.map_err(io::Error::other)
    }

    /// Ends it in order, as a host does, and waits for that.
    ///
    /// # Errors
    /// It did not end well.
    pub async fn stop(mut self) -> Result<(), StartError> {
        self.stop.cancel();
        match self.ended.take() {
            Some(ended) => ended.await.unwrap_or(Err(StartError::Vanished)),
            None => Ok(()),
        }
    }
}

async fn connect(address: Address, security: Option<Security>) -> io::Result<Connection> {
    let socket = wharf_peer::dial(&address, None).await.map_err(io::Error::other)?;
    socket.into_client(security.as_ref()).await
}

impl Drop for Running {
    fn drop(&mut self) {
        self.hurry.cancel();
        if let Some(thread) = self.thread.take() {
            // Its panic has been told.
            drop(thread.join());
        }
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").field("description", &self.description).finish_non_exhaustive()
    }
}
