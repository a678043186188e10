//! A server inside this process.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use wharf_engine::{SecretPlace, SecretsConfig};
use wharf_server::{Config, Server};
use wharf_supervisor::SearchPath;

use crate::api::{Class, Problem};
use crate::app::App;
use crate::args::SecretsIn;
use crate::error::Error;

/// How long a server that ends may take; plugins are given less than that.
const FAREWELL: Duration = Duration::from_secs(30);
/// How long callbacks are waited for at the end of a command.
const CALLBACKS: Duration = Duration::from_secs(10);

/// A server that ends with this process.
pub(crate) struct Embedded {
    server: Server,
}

impl Embedded {
    /// Starts a server for this data folder. With `listen` it also serves content there. The inner
    /// error is the process that has the folder already, when it is known.
    pub(crate) async fn start(
        app: &App,
        data: PathBuf,
        listen: Option<SocketAddr>,
        gc_every: Option<Duration>,
    ) -> Result<Result<Self, Option<u32>>, Error> {
        Self::start_with(app, data, (listen, gc_every), |_engine| {}).await
    }

    /// The same, with an engine that is configured further.
    pub(crate) async fn start_with(
        app: &App,
        data: PathBuf,
        (listen, gc_every): (Option<SocketAddr>, Option<Duration>),
        configure: impl FnOnce(&mut wharf_engine::Config),
    ) -> Result<Result<Self, Option<u32>>, Error> {
        let search = SearchPath::standard(&data, &app.environment.plugin_path, &app.executable)
            .with_python(app.environment.python.clone());
        let runtime = app.runtime_folder(&data)?;
        let mut engine = wharf_engine::Config::new(data, search, runtime);
        engine.gc_every = gc_every;
        engine.zone = app.zone.clone();
        // Only a server that stays forgets jobs.
        engine.history = app.serve.as_ref().and_then(|serve| serve.history);
        if let Some(serve) = &app.serve {
            engine.queues.clone_from(&serve.queues);
            engine.keep_free = serve.keep_free;
        }
        engine.secrets =
            SecretsConfig { place: place(app.secrets), bus: app.environment.bus.clone() };
        if !app.executable.with_file_name("wharf-launch").exists() {
            // Installed alone; `main` begins with `guardian_main`.
            engine.guardian = wharf_supervisor::Guardian::CurrentExe;
        }
        configure(&mut engine);
        let config = Config { engine, listen, embedded: listen.is_none() };
        match Server::start(config).await {
            Ok(server) => Ok(Ok(Self { server })),
            Err(wharf_server::Error::Locked { pid, .. }) => Ok(Err(pid)),
            Err(error) => Err(problem(&error).into()),
        }
    }

    /// Its data folder.
    pub(crate) fn data(&self) -> PathBuf {
        self.server.data().to_owned()
    }

    /// The engine inside, for those who develop a plugin.
    pub(crate) fn engine(&self) -> &wharf_engine::Engine {
        self.server.engine()
    }

    /// Takes no new jobs, finishes what other commands brought, tells callbacks what they can be told within a short
    /// time, and ends. Answers how many events are left to the next server.
    pub(crate) async fn leave(self) -> u64 {
        self.server.drain();
        self.server.idle().await;
        let left = self.server.engine().settle_callbacks(CALLBACKS).await;
        self.stop().await;
        left.unwrap_or_else(|problem| {
            tracing::warn!(%problem, "callbacks cannot be looked for");
            0
        })
    }

    /// Ends; jobs that run go back to the queue.
    pub(crate) async fn stop(self) {
        if tokio::time::timeout(FAREWELL, self.server.shutdown()).await.is_err() {
            tracing::warn!("the server did not end in time and is cut off");
        }
    }
}

fn place(wish: SecretsIn) -> SecretPlace {
    match wish {
        SecretsIn::Auto => SecretPlace::Auto,
        SecretsIn::Keyring => SecretPlace::Keyring,
        SecretsIn::File => SecretPlace::File,
    }
}

/// Why no server could be started, the causes joined into one sentence.
fn problem(error: &wharf_server::Error) -> Problem {
    let mut message = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let text = cause.to_string();
        if !message.ends_with(&text) {
            message.push_str(": ");
            message.push_str(&text);
        }
        source = cause.source();
    }
    let (class, code, help) = match error {
        wharf_server::Error::Exposed { .. } => (Class::Usage, "policy.data_folder", None),
        wharf_server::Error::Folder { .. } => (
            Class::Operation,
            "storage.data_folder",
            Some("name another data folder with --data or WHARF_DATA"),
        ),
        wharf_server::Error::Listen { .. } => {
            (Class::Usage, "usage.listen", Some("name another address with --listen"))
        }
        wharf_server::Error::Engine(_) => (Class::Operation, "storage.open", None),
        _ => (Class::Fault, "internal", None),
    };
    let (code, help) = (code.to_owned(), help.map(str::to_owned));
    Problem { class, code, message, at: None, help, details: None }
}
