//! Reaching a server: the one that lives in the data folder, or one inside this process.
//!
//! A command first dials. When nobody answers it takes the folder's lock and serves itself; when
//! the lock is taken meanwhile, somebody is just starting or leaving, and it dials again. A server
//! that is leaving takes no new jobs: a command that brings one waits until it is gone.

mod embedded;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::api::Status;
use crate::app::App;
use crate::client::Client;
use crate::error::Error;
use crate::render;
use crate::render::progress::Bar;

pub(crate) use embedded::Embedded;

/// How long a server that holds the lock may take until it answers.
const PATIENCE: Duration = Duration::from_secs(20);
/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(25);

/// What a command wants of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// To look, or to change something at once: any server that answers will do.
    Answers,
    /// To submit jobs: a server that is leaving will not do.
    Jobs,
}

/// A server that answers.
pub(crate) struct Session {
    /// Its API.
    pub(crate) client: Client,
    /// What it said about itself.
    pub(crate) status: Status,
    embedded: Option<Embedded>,
}

impl Session {
    /// Dials the server of the data folder, or starts one in this process.
    async fn open(app: &App, need: Need) -> Result<Self, Error> {
        let data = app.data_folder()?;
        let client = Client::new(&data);
        let mut silent_since = Instant::now();
        let mut bar = None;
        loop {
            match client.status().await {
                Ok(status) if status.draining && need == Need::Jobs => {
                    bar.get_or_insert_with(|| wait_for(app, &status));
                    silent_since = Instant::now();
                }
                Ok(status) => {
                    warn_of_versions(app, &status);
                    return Ok(Self { client, status, embedded: None });
                }
                Err(error) if nobody(&error) => {
                    match Embedded::start(app, data.clone(), None, None).await? {
                        Ok(embedded) => return Self::with(client, embedded).await,
                        Err(pid) if silent_since.elapsed() > PATIENCE => {
                            return Err(Error::Silent { data, pid });
                        }
                        Err(_pid) => {}
                    }
                }
                // A server that leaves closes its connections.
                Err(Error::Broken { .. }) if silent_since.elapsed() < PATIENCE => {}
                Err(error) => return Err(error),
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// The API of a server inside this process; it is left alone when the session ends.
    pub(crate) async fn own(server: &Embedded) -> Result<Self, Error> {
        let client = Client::new(server.data());
        let status = client.status().await?;
        Ok(Self { client, status, embedded: None })
    }

    async fn with(client: Client, embedded: Embedded) -> Result<Self, Error> {
        match client.status().await {
            Ok(status) => Ok(Self { client, status, embedded: Some(embedded) }),
            Err(error) => {
                embedded.leave().await;
                Err(error)
            }
        }
    }

    /// Whether the server ends with this command.
    pub(crate) fn is_embedded(&self) -> bool {
        self.embedded.is_some()
    }

    /// Leaves; answers how many events for callbacks are left to the next server.
    async fn close(self) -> u64 {
        match self.embedded {
            Some(embedded) => embedded.leave().await,
            None => 0,
        }
    }
}

/// Runs a command against a server, and lets an own server leave in good order afterwards, also
/// when the command failed or was interrupted. A command that met a server just as it began to
/// leave is run again with the next one.
pub(crate) async fn with_server<T>(
    app: &App,
    need: Need,
    command: impl AsyncFn(&Session) -> Result<T, Error>,
) -> Result<T, Error> {
    loop {
        match once(app, need, &command).await {
            Err(Error::Problem(problem)) if problem.code == "draining" => {}
            other => return other,
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn once<T>(
    app: &App,
    need: Need,
    command: &impl AsyncFn(&Session) -> Result<T, Error>,
) -> Result<T, Error> {
    let session = tokio::select! {
        session = Session::open(app, need) => session?,
        () = app.interrupts.unguarded() => return Err(Error::Interrupted),
    };
    let result = tokio::select! {
        result = command(&session) => result,
        () = app.interrupts.unguarded() => Err(Error::Interrupted),
    };
    let left = session.close().await;
    if left > 0 && !app.output.quiet {
        app.output.tell(&render::callback::left(left));
    }
    result
}

/// The server of the data folder, when one runs. Starts none.
pub(crate) async fn running(app: &App) -> Result<Option<(Status, PathBuf)>, Error> {
    let data = app.data_folder()?;
    match Client::new(&data).status().await {
        Ok(status) => Ok(Some((status, socket(&data)))),
        Err(error) if nobody(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Where the server of a data folder answers.
fn socket(data: &Path) -> PathBuf {
    data.join("api.sock")
}

fn nobody(error: &Error) -> bool {
    matches!(error, Error::Unreachable { source, .. }
        if matches!(source.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused))
}

fn wait_for(app: &App, status: &Status) -> Bar {
    let bar = Bar::new(&app.terminal, app.output.quiet);
    bar.say(&format!("waiting until process {} has done its jobs and left", status.pid));
    bar
}

/// F152: another version is told, and works as long as the major is the same.
fn warn_of_versions(app: &App, status: &Status) {
    let own = env!("CARGO_PKG_VERSION");
    if status.version != own && !app.output.quiet {
        app.output.tell(&format!(
            "note: this is wharf {own}, the server (pid {}) is wharf {}",
            status.pid, status.version
        ));
    }
}
