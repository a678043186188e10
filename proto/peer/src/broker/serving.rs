//! A server on a brokered connection, bound to whoever holds it.

use std::fmt;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::service::Routes;
use tonic::transport::Server;
use tracing::{debug, warn};

use crate::channel::{CONNECTION_WINDOW, STREAM_WINDOW};
use crate::incoming::Incoming;

/// What calls that run get when their server is stopped; as long as go-plugin waits for a plugin.
const GRACE: Duration = Duration::from_secs(2);

/// A brokered server. Dropping it ends the server at once, with its connections, and removes its socket.
pub struct Serving {
    stop: CancellationToken,
    task: JoinSet<()>,
    cut: DropGuard,
}

impl Serving {
    pub(super) fn start(incoming: Incoming, routes: Routes, stop: CancellationToken) -> Self {
        let cut = incoming.cut().drop_guard();
        let serving = Server::builder()
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .add_routes(routes)
            .serve_with_incoming_shutdown(incoming, stop.clone().cancelled_owned());
        let mut task = JoinSet::new();
        task.spawn(async move {
            if let Err(error) = serving.await {
                warn!(%error, "a brokered server ended");
            }
        });
        Self { stop, task, cut }
    }

    /// Takes no more calls, gives those that run 2 s to end, and ends the others.
    ///
    /// # Cancel safety
    /// Calls that still run are ended.
    pub async fn stop(mut self) {
        self.stop.cancel();
        if timeout(GRACE, self.task.join_next()).await.is_err() {
            debug!("calls of a brokered server were cut off");
        }
        drop(self.cut);
        self.task.shutdown().await;
    }
}

impl fmt::Debug for Serving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serving").finish_non_exhaustive()
    }
}
