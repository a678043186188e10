//! What a set of services is handed when it is made.

use std::future::Future;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use wharf_peer::{Broker, Security};

/// The plugin around a set of services. Cheap to clone; clones are one and the same.
#[derive(Clone, Debug)]
pub struct Context {
    pub(super) version: u32,
    pub(super) broker: Broker,
    pub(super) security: Option<Security>,
    pub(super) stop: CancellationToken,
    pub(super) tasks: TaskTracker,
}

impl Context {
    /// The version of the application's protocol that host and plugin agreed on.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Further connections to the host or from it, each under a number that one side tells the other in a message of
    /// its own. When the plugin stops, calls through them are not waited for.
    pub fn broker(&self) -> Broker {
        self.broker.clone()
    }

    /// Returns when the plugin is to stop. Calls that run then have the grace time to end; see
    /// [`Server::grace`](super::Server::grace).
    pub async fn stopping(&self) {
        self.stop.cancelled().await;
    }

    /// Whether the plugin is to stop.
    pub fn is_stopping(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// Runs work beside the calls. The plugin waits for it before it ends, as it does for calls: watch
    /// [`Context::stopping`] in whatever goes on for ever.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(work);
    }

    pub(crate) fn tasks(&self) -> TaskTracker {
        self.tasks.clone()
    }

    pub(crate) fn stop(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// The TLS of both directions, if there is any.
    pub(crate) fn security(&self) -> Option<Security> {
        self.security.clone()
    }
}
