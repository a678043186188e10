//! The one who lends.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use semver::Version;
use tokio::runtime::Handle;
use tokio::sync::{Notify, OnceCell};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{info, warn};
use wharf_proto::v1::{DescribeRequest, DescribeResponse};

use super::config::Config;
use super::idle::{Watch, stop_idle};
use super::lease::Lease;
use super::pool::{Discard, PluginState, Pool};
use super::recycle::resident_bytes;
use super::verify::{difference, site};
use crate::calls::{self, Bounds};
use crate::catalog::{Broken, Installed, Manifest};
use crate::connect::{Process, Reattach};
use crate::error::Error;
use crate::launch::folder::HostFolder;
use crate::launch::{Launch, Limits};
use crate::time::after;

/// The longest time that a manifest may ask for, so that no plugin keeps its host from ending.
const LONGEST_GRACE: Duration = Duration::from_mins(1);

/// A plugin in one version.
pub(super) type Key = (String, Version);

/// Owns the processes of all plugins. Clones are handles on the same one; with the last handle, and
/// the last [`Lease`], all processes die.
#[derive(Clone)]
pub struct Supervisor {
    shared: Arc<Shared>,
}

pub(super) struct Shared {
    config: Config,
    folder: OnceCell<Arc<HostFolder>>,
    pools: Mutex<BTreeMap<Key, Pool>>,
    /// Processes that are being ended, and the task that finds idle ones.
    ending: TaskTracker,
    pub(super) watching_idle: AtomicBool,
    /// Whoever waits for a process should look again.
    changed: Notify,
    closed: CancellationToken,
}

impl Supervisor {
    /// Starts nothing and touches nothing yet.
    pub fn new(config: Config) -> Self {
        let shared = Shared {
            config,
            folder: OnceCell::new(),
            pools: Mutex::default(),
            ending: TaskTracker::new(),
            watching_idle: AtomicBool::new(false),
            changed: Notify::new(),
            closed: CancellationToken::new(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Lends a process of `plugin`: an idle one if there is one, else a new one, after the pause
    /// that its last failures call for.
    ///
    /// # Errors
    /// Those of [`Launch::start`]; `policy` when the plugin contradicts its manifest, or somebody
    /// could change it who must not (F7); `config` when it is broken; `launch` in a crash loop;
    /// `cancelled` after [`Supervisor::shutdown`].
    ///
    /// # Cancel safety
    /// A start under way is undone.
    pub async fn lease(&self, plugin: &Arc<Installed>) -> Result<Lease, Error> {
        let name = plugin.manifest.name.clone();
        if let Some(Broken { code, reason }) = plugin.broken.clone() {
            return Err(match code {
                "policy" => Error::Policy { plugin: name, problem: reason },
                _ => Error::Broken { plugin: name, reason },
            });
        }
        let key = (name.clone(), plugin.manifest.version.clone());
        loop {
            let changed = self.shared.changed.notified();
            if self.shared.closed.is_cancelled() {
                return Err(Error::Closed { plugin: name });
            }
            match self.shared.lend_or_wait(&key, plugin)? {
                Next::Lent(process, description) => {
                    return Ok(self.lease_of(key, process, description));
                }
                Next::Start(starting) => {
                    let lent = self.start(&key, plugin).await;
                    drop(starting);
                    let (process, description) = lent?;
                    return Ok(self.lease_of(key, process, description));
                }
                // What ended the wait is seen above.
                Next::Wait(pause) => tokio::select! {
                    () = sleep(pause) => {}
                    () = changed => {}
                    () = self.shared.closed.cancelled() => {}
                },
            }
        }
    }

    /// Every plugin that was asked for, by name and version.
    pub fn states(&self) -> Vec<PluginState> {
        let mut pools = self.shared.pools();
        pools.values_mut().map(|pool| pool.state(&self.shared.config)).collect()
    }

    /// Forgets the failures of a plugin, so that it is tried again at once.
    pub fn reset(&self, name: &str) {
        for pool in self.shared.pools().values_mut().filter(|pool| pool.name() == name) {
            pool.backoff.reset();
        }
        self.shared.changed.notify_waiters();
    }

    /// Has the next lease of a plugin use a new process: idle ones are stopped, lent ones when they
    /// are given back. Its failures are forgotten.
    pub fn renew(&self, name: &str) {
        let mut pools = self.shared.pools();
        for pool in pools.values_mut().filter(|pool| pool.name() == name) {
            pool.backoff.reset();
            for process in pool.retire_all() {
                self.shared.end(Discard::Stop(process), &Handle::current());
            }
        }
        self.shared.changed.notify_waiters();
    }

    /// Ends all processes, lent ones too, at the same time, and lends nothing any more. Returns
    /// when none is left.
    pub async fn shutdown(&self) {
        self.shared.closed.cancel();
        let processes: Vec<Process> =
            self.shared.pools().values_mut().flat_map(Pool::take_all).collect();
        let mut stops = JoinSet::new();
        for process in processes {
            stops.spawn(async move { process.stop().await });
        }
        while stops.join_next().await.is_some() {}
        self.shared.ending.close();
        self.shared.ending.wait().await;
    }

    fn lease_of(&self, key: Key, process: Process, description: Arc<DescribeResponse>) -> Lease {
        Lease {
            process,
            description,
            shared: Arc::clone(&self.shared),
            key,
            discard: AtomicBool::new(false),
            runtime: Handle::current(),
        }
    }

    async fn start(
        &self,
        key: &Key,
        plugin: &Arc<Installed>,
    ) -> Result<(Process, Arc<DescribeResponse>), Error> {
        if let Err(error) = site(plugin).await {
            warn!(plugin = key.0, code = error.code(), %error, "plugin was not started");
            if let Some(pool) = self.shared.pools().get_mut(key) {
                pool.backoff.refused(error.to_string());
            }
            return Err(error);
        }
        let started = tokio::select! {
            started = self.shared.start(plugin) => started,
            () = self.shared.closed.cancelled() => Err(Error::Closed { plugin: key.0.clone() }),
        };
        let mut pools = self.shared.pools();
        let pool = pools.entry(key.clone()).or_insert_with(|| Pool::new(Arc::clone(plugin)));
        match started {
            // A process that is added now would outlive the shutdown.
            Ok(_) if self.shared.closed.is_cancelled() => {
                Err(Error::Closed { plugin: key.0.clone() })
            }
            Ok((process, description)) => {
                let description = Arc::new(description);
                pool.add(process.clone(), Arc::clone(&description));
                Ok((process, description))
            }
            Err(error) => {
                warn!(plugin = key.0, code = error.code(), %error, "plugin failed to start");
                // What an operator must set right is no reason to make the next try wait.
                if !matches!(error.code(), "config" | "cancelled") {
                    pool.failed(&self.shared.config, error.to_string());
                }
                Err(error)
            }
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // Ends what only waits for a time.
        self.closed.cancel();
    }
}

impl fmt::Debug for Supervisor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Supervisor").field("states", &self.states()).finish_non_exhaustive()
    }
}

/// What a lease comes to.
enum Next {
    Lent(Process, Arc<DescribeResponse>),
    Start(Starting),
    Wait(Duration),
}

/// Counts a start for as long as it lives.
struct Starting {
    shared: Arc<Shared>,
    key: Key,
}

impl Drop for Starting {
    fn drop(&mut self) {
        if let Some(pool) = self.shared.pools().get_mut(&self.key) {
            pool.start_over();
        }
        self.shared.changed.notify_waiters();
    }
}

impl Shared {
    fn lend_or_wait(self: &Arc<Self>, key: &Key, plugin: &Arc<Installed>) -> Result<Next, Error> {
        let mut pools = self.pools();
        let pool = pools.entry(key.clone()).or_insert_with(|| Pool::new(Arc::clone(plugin)));
        for worn in pool.take_worn(&self.config) {
            self.end(worn, &Handle::current());
        }
        if let Some((process, description)) = pool.lend(&self.config) {
            return Ok(Next::Lent(process, description));
        }
        let Some(pause) = pool.backoff.pause(Instant::now()) else {
            // After a failure one tries, and the others learn from it.
            if pool.backoff.failures() > 0 && pool.is_starting() {
                return Ok(Next::Wait(self.config.start_timeout));
            }
            pool.starting();
            return Ok(Next::Start(Starting { shared: Arc::clone(self), key: key.clone() }));
        };
        let failures = pool.backoff.failures();
        if failures >= self.config.crash_loop {
            let reason = pool.backoff.reason().unwrap_or_default().to_owned();
            return Err(Error::CrashLoop {
                plugin: key.0.clone(),
                failures,
                retry_in: pause,
                reason,
            });
        }
        Ok(Next::Wait(pause))
    }

    async fn start(&self, plugin: &Installed) -> Result<(Process, DescribeResponse), Error> {
        let config = &self.config;
        let manifest = &plugin.manifest;
        let folder = self.folder.get_or_try_init(|| self.make_folder()).await?;
        if let Some(running) = config.attached.get(&manifest.name) {
            let process = self.attach(plugin, running.clone(), folder).await?;
            let description = self.describe(plugin, &process).await?;
            return Ok((process, description));
        }
        let mut launch = Launch::new(&plugin.executable)
            .name(&manifest.name)
            .args(&manifest.args)
            .env(config.env.granting(&manifest.requires.environment))
            .in_host_folder(Arc::clone(folder))
            .start_timeout(config.start_timeout)
            .heartbeat(config.heartbeat, config.heartbeat_timeout)
            .stop_times(grace(manifest, config.grace), config.term_grace)
            .max_message_bytes(config.max_message_bytes)
            .limits(
                config
                    .limits
                    .and(Limits { open_files: manifest.limits.open_files, ..Limits::default() }),
            )
            .guardian(config.guardian.clone())
            .mask(config.mask.clone());
        for (name, value) in &manifest.env {
            launch = launch.set_env(name, value);
        }
        if let Some(routes) = config.host_services.clone() {
            launch = launch.host_services(routes);
        }
        let process = launch.start().await?;
        let description = self.describe(plugin, &process).await?;
        Ok((process, description))
    }

    /// A process that belongs to a debugger, whatever its description says: it is never ended.
    async fn attach(
        &self,
        plugin: &Installed,
        running: Reattach,
        folder: &Arc<HostFolder>,
    ) -> Result<Process, Error> {
        let name = &plugin.manifest.name;
        let described = running.clone();
        let looked = tokio::task::spawn_blocking(move || described.is_private()).await;
        let looked = looked.unwrap_or_else(|error| Err(error.to_string()));
        looked.map_err(|problem| Error::Policy { plugin: name.clone(), problem })?;
        let config = &self.config;
        let mut launch = Launch::reattach(Reattach { test: true, ..running })
            .name(name)
            .in_host_folder(Arc::clone(folder))
            .start_timeout(config.start_timeout)
            .max_message_bytes(config.max_message_bytes);
        if let Some(routes) = config.host_services.clone() {
            launch = launch.host_services(routes);
        }
        launch.start().await
    }

    async fn make_folder(&self) -> Result<Arc<HostFolder>, Error> {
        let parent = self.config.runtime_dir.clone();
        let made = tokio::task::spawn_blocking(move || HostFolder::create(&parent)).await;
        let folder = made.unwrap_or_else(|error| {
            Err(Error::config("the runtime folder was not made", std::io::Error::other(error)))
        })?;
        info!(folder = %folder.path().display(), "sockets of plugins are kept here");
        Ok(Arc::new(folder))
    }

    async fn describe(
        &self,
        plugin: &Installed,
        process: &Process,
    ) -> Result<DescribeResponse, Error> {
        let request = DescribeRequest {
            host_version: env!("CARGO_PKG_VERSION").to_owned(),
            features: self.config.features.clone(),
            ..DescribeRequest::default()
        };
        let bounds = Bounds::new(self.config.start_timeout);
        let name = || plugin.manifest.name.clone();
        let said = calls::describe(process, request, &bounds).await;
        let said = said.map_err(|source| Error::FirstCall { plugin: name(), source })?;
        match difference(plugin, &said) {
            None => Ok(said),
            Some(problem) => Err(Error::Policy { plugin: name(), problem }),
        }
    }

    pub(super) fn give_back(
        self: &Arc<Self>,
        key: &Key,
        process: &Process,
        discard: bool,
        runtime: &Handle,
    ) {
        let resident =
            self.config.max_resident_bytes.and_then(|_limit| resident_bytes(process.pid()));
        let given = {
            let mut pools = self.pools();
            let Some(pool) = pools.get_mut(key) else { return };
            let given = pool.give_back(&self.config, process, discard, resident);
            if pool.idle_since().is_some() && self.config.idle.is_some() {
                self.watch_idle(runtime);
            }
            given
        };
        if let Some(discard) = given {
            self.end(discard, runtime);
        }
    }

    /// Asked for with the books locked, as is [`Shared::stop_idle`], so that no idle process is left
    /// without the task.
    fn watch_idle(self: &Arc<Self>, runtime: &Handle) {
        if !self.watching_idle.swap(true, Ordering::Relaxed) {
            let watch = Watch(Arc::downgrade(self));
            self.ending.spawn_on(stop_idle(watch, self.closed.clone()), runtime);
        }
    }

    /// Stops what nobody has used for long enough, and says when to look again. `None`: nothing is
    /// idle.
    pub(super) fn stop_idle(&self, now: Instant) -> Option<Instant> {
        let idle = self.config.idle?;
        let mut pools = self.pools();
        for pool in pools.values_mut() {
            for process in pool.take_idle(&self.config, idle, now) {
                let (plugin, pid) = (process.name(), process.pid());
                info!(plugin, pid, ?idle, "nobody uses this process; it is stopped");
                self.end(Discard::Stop(process), &Handle::current());
            }
        }
        let oldest = pools.values().filter_map(Pool::idle_since).min();
        self.watching_idle.store(oldest.is_some(), Ordering::Relaxed);
        oldest.map(|since| after(since, idle))
    }

    fn end(&self, discard: Discard, runtime: &Handle) {
        let process = match discard {
            Discard::Stop(process) => process,
            Discard::Recycle(process, worn) => {
                let (plugin, pid) = (process.name(), process.pid());
                info!(plugin, pid, why = %worn, "this process has done its share; the next job gets a new one");
                process
            }
            Discard::Kill(process) => {
                process.kill();
                process
            }
        };
        let end = async move {
            process.stop().await;
        };
        self.ending.spawn_on(end, runtime);
    }

    /// A panic elsewhere cannot leave half-made entries behind.
    fn pools(&self) -> MutexGuard<'_, BTreeMap<Key, Pool>> {
        self.pools.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long processes of a plugin have for an orderly stop: as long as the component that wants most to tidy up in.
fn grace(manifest: &Manifest, usual: Duration) -> Duration {
    let wanted = manifest.components.iter().filter_map(|component| component.grace_ms).max();
    wanted.map_or(usual, Duration::from_millis).clamp(usual, usual.max(LONGEST_GRACE))
}
