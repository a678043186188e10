//! A server on a brokered connection, bound to whoever holds it.

use std::fmt;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic::transport::Server;
use tracing::warn;

use crate::incoming::Incoming;

const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 2 << 20;

/// A brokered server. Dropping it ends the server and removes its socket; calls that run are let to end.
pub struct Serving {
    stop: CancellationToken,
    task: JoinSet<()>,
}

impl Serving {
    pub(super) fn start(incoming: Incoming, routes: Routes, stop: CancellationToken) -> Self {
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
        Self { stop, task }
    }

    /// Takes no more calls and returns when those that run have ended.
    pub async fn stop(mut self) {
        self.stop.cancel();
        while self.task.join_next().await.is_some() {}
    }
}

impl fmt::Debug for Serving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serving").finish_non_exhaustive()
    }
}
