//! A plugin and a fake host, joined in memory.

use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;
use std::sync::Mutex;

use futures_util::{StreamExt, stream};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use tempfile::TempDir;
use tokio::io::DuplexStream;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::Status;
use tonic::service::Routes;
use tonic::transport::{Channel, Server};
use tower::service_fn;
use wharf_proto::v1;
use wharf_proto::v1::plugin_client::PluginClient;

use super::host::FakeHost;
use super::{Call, Run, Running};
use crate::context::Calls;
use crate::host::{Dialer, endpoint};
use crate::serve::{Registry, services};
use crate::{Error, Outcome, Plugin};

/// Bytes that a connection in memory holds, and its windows.
const PIPE: usize = 1 << 20;
const WINDOW: u32 = 1 << 20;

/// A plugin that runs inside the test.
///
/// Dropping it ends the plugin's calls and removes its work folder.
pub struct Harness {
    pub(super) channel: Channel,
    pub(super) registry: Arc<Registry>,
    pub(super) work: TempDir,
    stop: CancellationToken,
    _servers: JoinSet<()>,
}

impl Harness {
    /// Starts the plugin beside a fake host. Must be called on a Tokio runtime.
    ///
    /// # Panics
    /// When the plugin and its manifest disagree, or there is no room for the work folder.
    #[expect(clippy::panic, reason = "a harness says what is wrong by failing the test")]
    pub fn start(plugin: Plugin, host: FakeHost) -> Self {
        let plugin = plugin.check().unwrap_or_else(|error| panic!("{error}"));
        let work = tempfile::tempdir().unwrap_or_else(|error| panic!("no work folder: {error}"));
        let mut servers = JoinSet::new();
        let to_host = in_memory(&mut servers, host.routes(work.path()));
        let stop = CancellationToken::new();
        let calls = Calls {
            tasks: TaskTracker::new(),
            stop: stop.clone(),
            grace: plugin.grace,
            dialer: Dialer::ready(to_host),
        };
        let channel = in_memory(&mut servers, services(&plugin.registry, &calls).into());
        Self { channel, registry: plugin.registry, work, stop, _servers: servers }
    }

    /// A call to a component, to be filled in and made.
    pub fn call(&self, component: &str) -> Call<'_> {
        Call::new(self, component)
    }

    /// Makes `Plugin.Migrate`: the units that the migration changes. Its units are those of the fake host.
    ///
    /// # Panics
    /// When the plugin breaks the contract; says how.
    pub async fn migrate(&self, number: u32) -> Run {
        let request = v1::MigrateRequest { context: Some(self.context()), number, dry_run: false };
        let mut client = PluginClient::new(self.channel.clone());
        let events = client.migrate(request).await;
        let run = Running::new(events, Arc::clone(&self.registry)).finish().await;
        let named = run.units.iter().all(|unit| unit.id > 0);
        assert!(named, "contract: a migration changes units that are there, by their id");
        run
    }

    /// Makes `Plugin.Hook` for `before:STEP` or `after:STEP`; subject: what the step is about, a struct or map.
    /// [`Call::hook`] says more of the component and the step.
    ///
    /// # Errors
    /// What the call failed with.
    ///
    /// # Panics
    /// When the subject cannot be written as JSON.
    pub async fn hook<T: Serialize + ?Sized>(
        &self,
        name: &str,
        subject: &T,
    ) -> Result<v1::HookResponse, Status> {
        self.call("").hook(name, subject).await
    }

    /// As [`Harness::hook`] for `after:STEP`, and says how the step ended: with an outcome, or with an error.
    ///
    /// # Errors
    /// What the call failed with.
    ///
    /// # Panics
    /// When the subject cannot be written as JSON.
    pub async fn hook_after<T: Serialize + ?Sized>(
        &self,
        name: &str,
        subject: &T,
        ended: Result<Outcome, Error>,
    ) -> Result<v1::HookResponse, Status> {
        self.call("").hook_after(name, subject, ended).await
    }

    /// What a call is told about its job.
    pub(super) fn context(&self) -> v1::JobContext {
        v1::JobContext {
            host_address: "memory".to_owned(),
            token: "test-token".to_owned(),
            job: 1,
            work_dir: self.work_dir().to_string_lossy().into_owned(),
            attempt: 1,
            ..v1::JobContext::default()
        }
    }

    /// A channel to the plugin, for calls that [`Call`] does not make. Nothing is held against the contract.
    pub fn channel(&self) -> Channel {
        self.channel.clone()
    }

    /// The folder that calls stage their files in.
    pub fn work_dir(&self) -> &Path {
        self.work.path()
    }

    /// What the plugin says of itself.
    ///
    /// # Panics
    /// When the call fails.
    #[expect(clippy::expect_used, reason = "a harness says what is wrong by failing the test")]
    pub async fn describe(&self) -> v1::DescribeResponse {
        let mut client = PluginClient::new(self.channel.clone());
        let answer = client.describe(v1::DescribeRequest::default()).await;
        answer.expect("Describe is answered").into_inner()
    }

    /// Asks the plugin to stop, as a host's Shutdown does: running calls are cancelled, new ones refused.
    pub fn stop(&self) {
        self.stop.cancel();
    }
}

impl Drop for Harness {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Serves on one end of a pipe and gives a channel on the other.
fn in_memory(servers: &mut JoinSet<()>, routes: Routes) -> Channel {
    let (near, far) = tokio::io::duplex(PIPE);
    let incoming = stream::iter([Ok::<_, Infallible>(far)]).chain(stream::pending());
    servers.spawn(async move {
        let server = Server::builder()
            .initial_stream_window_size(WINDOW)
            .initial_connection_window_size(WINDOW)
            .add_routes(routes);
        drop(server.serve_with_incoming(incoming).await);
    });
    let near = Arc::new(Mutex::new(Some(near)));
    endpoint().connect_with_connector_lazy(service_fn(move |_uri| {
        let near = take(&near);
        async move {
            near.map(TokioIo::new).ok_or_else(|| std::io::Error::other("the one pipe is used up"))
        }
    }))
}

fn take(near: &Mutex<Option<DuplexStream>>) -> Option<DuplexStream> {
    near.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take()
}
