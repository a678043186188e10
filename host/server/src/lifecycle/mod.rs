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
mod threads;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;
use wharf_engine::{Claim, Engine};

use self::folder::socket_path;
use self::guests::Guests;
pub(crate) use self::guests::Serving;
use self::listen::Door;
pub use self::record::Record;
pub use self::socket::connect;
use self::threads::Threads;
use crate::api::callback_document;
use crate::app::App;
use crate::error::Error;
use crate::forms::{self, Wire};
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
    /// What the engine needs to know, the data folder with it.
    pub engine: wharf_engine::Config,
    /// Where to serve published content over TCP; port 0: any free one.
    pub listen: Option<SocketAddr>,
    /// The server lives inside a command. Jobs that an earlier server left wait until it is asked for
    /// a job itself.
    pub embedded: bool,
}

/// A running server. Dropping it ends its connections; [`Server::shutdown`] ends it in order.
pub struct Server {
    app: Arc<App>,
    content: Option<SocketAddr>,
    callers: Arc<Guests>,
    // What follows is dropped in this order: the folder is given back last.
    _end_connections: DropGuard,
    _threads: Option<Threads>,
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
        let claim = claim(settings.data).await?;
        settings.data = claim.data().to_owned();
        settings.wait_for_work = embedded;
        settings.resident = !embedded;
        settings.callbacks.document = callback_document();
        let tcp = listen.map(ContentDoor::open).transpose()?;
        let content = tcp.as_ref().map(|door| door.address);
        let unix = socket::bind(claim.data())?;
        let engine = Engine::open(settings).await.map_err(|error| Error::Engine(error.into()))?;
        let stop = CancellationToken::new();
        let app = Arc::new(App {
            engine,
            data: claim.data().to_owned(),
            started_ms,
            content: content.map(|address| format!("http://{address}")),
            tracker: TaskTracker::new(),
            threads: Handle::current(),
            stop: stop.clone(),
            forms: Semaphore::new(forms::AT_ONCE),
            draining: AtomicBool::new(false),
            working: AtomicBool::new(!embedded),
        });
        let callers = Guests::new(API_GUESTS, stop.clone());
        let house = House::of_api(Arc::clone(&app));
        app.tracker.spawn(door(&app, house, Arc::clone(&callers)).attend(unix));
        let threads = tcp.map(|tcp| tcp.attend(&app));
        let server = Self {
            app,
            content,
            callers,
            _end_connections: stop.drop_guard(),
            _threads: threads,
            claim,
        };
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

    /// Waits until no job runs or is about to, and no other process has asked for anything for a
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
        self.app.stop.cancel();
        self.app.tracker.close();
        self.app.tracker.wait().await;
        self.app.engine.shutdown().await;
        if let Err(error) = folder::clear(&self.claim) {
            tracing::warn!(%error, "the server's record stays behind; the next server removes it");
        }
        drop(self.claim);
    }

    fn is_idle(&self) -> bool {
        !self.app.has_work() && self.callers.quiet(SILENCE)
    }

    fn announce(&self, embedded: bool) -> Result<(), Error> {
        let record = Record {
            pid: std::process::id(),
            started_ms: self.app.started_ms,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            socket: socket_path(self.claim.data()),
            content: self.app.content.clone(),
            embedded,
        };
        record.write(self.claim.data())
    }
}

async fn claim(data: PathBuf) -> Result<Claim, Error> {
    tokio::task::spawn_blocking(move || folder::take(&data)).await.map_err(Error::Lost)?
}

fn door(app: &App, house: Arc<House>, guests: Arc<Guests>) -> Door {
    Door { house, guests, tracker: app.tracker.clone(), stop: app.stop.clone() }
}

/// The listener for published content, on threads of its own.
struct ContentDoor {
    listener: TcpListener,
    address: SocketAddr,
    threads: Threads,
}

impl ContentDoor {
    fn open(address: SocketAddr) -> Result<Self, Error> {
        let open = || {
            let threads = Threads::start()?;
            let _inside = threads.handle().enter();
            let listener = listen::bind(address)?;
            Ok((listener.local_addr()?, listener, threads))
        };
        let (bound, listener, threads) =
            open().map_err(|source| Error::Listen { address, source })?;
        Ok(Self { listener, address: bound, threads })
    }

    fn attend(self, app: &Arc<App>) -> Threads {
        let guests = Guests::new(CONTENT_GUESTS, app.stop.clone());
        let local = self.address.ip().to_canonical().is_loopback();
        let wire = if local { Wire::Local } else { Wire::Open };
        let door = door(app, House::of_content(Arc::clone(app), wire), guests);
        app.tracker.spawn_on(door.attend(self.listener), self.threads.handle());
        self.threads
    }
}
