//! A server's life: one per data folder, found by its socket, gone without a trace.
//!
//! ```text
//! start: lock the folder → listen → open the engine → answer → write server.json
//! end:   stop listening → finish answers → engine down → remove server.json and api.sock → unlock
//! ```
//!
//! A server may live inside a command. It then serves other commands too; when its own is done it
//! takes no new jobs ([`Server::drain`]) and leaves once nobody needs it ([`Server::idle`]).

mod folder;
mod guests;
mod listen;
mod patient;
mod record;
mod socket;

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::net::{TcpListener, UnixListener};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;
use wharf_engine::Engine;

pub(crate) use self::guests::Serving;
pub use self::record::Record;
pub use self::socket::connect;
use self::folder::{Claim, socket_path};
use self::guests::Guests;
use self::listen::Door;
use crate::api;
use crate::app::App;
use crate::error::{Error, folder};
use crate::service::House;

/// Connections at once on the private socket.
const API_GUESTS: usize = 128;
/// Connections at once for published content.
const CONTENT_GUESTS: usize = 512;
/// How long another process must have asked nothing before it no longer holds a leaving server. It
/// is more than enough to ask for a job's log after its end.
const SILENCE: Duration = Duration::from_millis(500);
/// How often a leaving server looks whether it is still needed.
const LOOK: Duration = Duration::from_millis(50);

/// What a server needs to know.
#[derive(Debug, Clone)]
pub struct Config {
    /// What the engine needs to know, the data folder with it. Its `runtime` is the folder in
    /// which the server makes a private folder of its own.
    pub engine: wharf_engine::Config,
    /// Where to serve published content over TCP; port 0: any free one.
    pub listen: Option<SocketAddr>,
    /// The server lives inside a command.
    pub embedded: bool,
}

/// A running server. Dropping it ends its connections; [`Server::shutdown`] ends it in order.
pub struct Server {
    app: Arc<App>,
    content: Option<SocketAddr>,
    callers: Arc<Guests>,
    tracker: TaskTracker,
    stop: CancellationToken,
    // What follows is dropped in this order: the folder is given back last.
    _end_connections: DropGuard,
    runtime: TempDir,
    claim: Claim,
}

impl Server {
    /// Starts a server.
    ///
    /// # Errors
    /// [`Error::Locked`] while another server has the data folder; the other variants name what
    /// could not be used.
    pub async fn start(config: Config) -> Result<Self, Error> {
        let Config { engine: mut settings, listen, embedded } = config;
        let started_ms = jiff::Timestamp::now().as_millisecond();
        let (claim, runtime) = prepare(settings.data.clone(), settings.runtime.clone()).await?;
        settings.data = claim.data().to_owned();
        settings.runtime = runtime.path().to_owned();
        let tcp = match listen {
            Some(address) => Some(take(address).await?),
            None => None,
        };
        let content = tcp.as_ref().map(|(_, address)| *address);
        let unix = socket::bind(claim.data())?;
        let engine = Engine::open(settings).await.map_err(|error| Error::Engine(error.into()))?;
        let stop = CancellationToken::new();
        let app = Arc::new(App::new(
            engine,
            claim.data().to_owned(),
            started_ms,
            content.map(|address| format!("http://{address}")),
            stop.clone(),
        ));
        let server = Self {
            callers: Guests::new(API_GUESTS, stop.clone()),
            tracker: TaskTracker::new(),
            app,
            content,
            _end_connections: stop.clone().drop_guard(),
            stop,
            runtime,
            claim,
        };
        server.open_doors(unix, tcp.map(|(listener, _)| listener));
        server.announce(embedded)?;
        Ok(server)
    }

    /// The engine inside.
    pub fn engine(&self) -> &Engine {
        &self.app.engine
    }

    /// Where published content is served over TCP.
    pub const fn content_address(&self) -> Option<SocketAddr> {
        self.content
    }

    /// The data folder, as an absolute path.
    pub fn data(&self) -> &Path {
        self.claim.data()
    }

    /// Takes no new jobs from now on; what is queued and running goes on.
    pub fn drain(&self) {
        self.app.drain();
    }

    /// Waits until no job is queued or running and no other process has asked for anything for a
    /// moment.
    ///
    /// # Cancel safety
    /// It only looks.
    pub async fn idle(&self) {
        let mut look = tokio::time::interval(LOOK);
        while !self.is_idle() {
            look.tick().await;
        }
    }

    /// Ends the server: answers under way are finished for some seconds, running jobs go back to
    /// the queue, plugins are stopped, and the data folder is free.
    pub async fn shutdown(self) {
        self.stop.cancel();
        self.tracker.close();
        self.tracker.wait().await;
        self.app.engine.shutdown().await;
        if let Err(error) = self.claim.clear() {
            tracing::warn!(%error, "the server's record stays behind; the next server removes it");
        }
        if let Err(error) = self.runtime.close() {
            tracing::debug!(%error, "the runtime folder stays behind");
        }
        drop(self.claim);
    }

    fn is_idle(&self) -> bool {
        let (queued, running) = self.app.engine.job_counts();
        queued + running == 0 && self.callers.quiet(SILENCE)
    }

    fn open_doors(&self, unix: UnixListener, tcp: Option<TcpListener>) {
        let door = |api: bool, guests: Arc<Guests>| Door {
            house: House::new(
                Arc::clone(&self.app),
                api.then(|| api::router(Arc::clone(&self.app))),
            ),
            guests,
            tracker: self.tracker.clone(),
            stop: self.stop.clone(),
        };
        self.tracker.spawn(door(true, Arc::clone(&self.callers)).attend(unix));
        if let Some(tcp) = tcp {
            let guests = Guests::new(CONTENT_GUESTS, self.stop.clone());
            self.tracker.spawn(door(false, guests).attend(tcp));
        }
    }

    fn announce(&self, embedded: bool) -> Result<(), Error> {
        let record = Record {
            pid: std::process::id(),
            started_ms: self.app.started_ms,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            socket: socket_path(self.claim.data()),
            content: self.app.content.clone(),
            embedded,
            runtime: Some(self.runtime.path().to_owned()),
        };
        record.write(self.claim.data())
    }
}

/// Takes the data folder, and makes the private folder for plugin sockets.
async fn prepare(data: PathBuf, parent: PathBuf) -> Result<(Claim, TempDir), Error> {
    let prepare = move || {
        let claim = Claim::take(&data)?;
        std::fs::create_dir_all(&parent).map_err(folder("make", &parent))?;
        let runtime = tempfile::Builder::new()
            .prefix("wharf-")
            .permissions(std::fs::Permissions::from_mode(0o700))
            .tempdir_in(&parent)
            .map_err(folder("make a folder in", parent))?;
        Ok((claim, runtime))
    };
    tokio::task::spawn_blocking(prepare).await.map_err(Error::Lost)?
}

async fn take(address: SocketAddr) -> Result<(TcpListener, SocketAddr), Error> {
    let take = async {
        let listener = TcpListener::bind(address).await?;
        let bound = listener.local_addr()?;
        Ok((listener, bound))
    };
    take.await.map_err(|source| Error::Listen { address, source })
}
