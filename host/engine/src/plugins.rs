//! Installed plugins as people see them, and processes lent to jobs.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use wharf_proto::v1;
use wharf_store::model::LogLevel;
use wharf_supervisor::calls::Bounds;
use wharf_supervisor::{Component, Installed, Lease, Maintainer, State};

use crate::builds::words as target_words;
use crate::engine::{Engine, Inner};
use crate::jobs::run::JobRun;
use crate::jobs::view::PluginProcess;
use crate::migrations::PendingMigration;
use crate::problem::{Class, Problem};

/// A component of an installed plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComponentView {
    /// Its id inside the plugin.
    pub id: String,
    /// importer, distributor, builder, action.
    pub role: String,
    /// Empty: none.
    pub profile: String,
    /// What it can do.
    pub operations: Vec<String>,
    /// Types that it brings in or takes.
    pub types: Vec<String>,
    /// What it builds for or pushes to: a name, or name, version and architecture, where `*` stands for anything.
    pub targets: Vec<String>,
}

/// An installed plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginView {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// One line for people.
    pub description: String,
    /// broken, behind, or what its processes do: stopped, starting, running, backing-off, crash-loop.
    pub state: String,
    /// Why it is not usable now.
    pub reason: Option<String>,
    /// What happened at its last failure, if it works again or may be tried again.
    pub last_failure: Option<String>,
    /// How often it failed in a row up to now.
    pub failures: u32,
    /// How long it is left alone after that.
    pub retry_in: Option<Duration>,
    /// How many processes were started in place of one that failed.
    pub restarts: u32,
    /// How many processes were stopped because nobody used them.
    pub idle_stops: u32,
    /// How many processes were replaced between two jobs because they had done their share.
    pub recycles: u32,
    /// Its processes.
    pub pids: Vec<u32>,
    /// What it offers.
    pub components: Vec<ComponentView>,
    /// Migrations that its data need before it is ready.
    pub pending_migrations: Vec<PendingMigration>,
    /// The folder it was found in.
    pub origin: String,
    /// The file that describes it: `plugin.json`, or Image Factory's `NAME.info`.
    pub file: String,
    /// The link that activated it.
    pub link: Option<String>,
    /// What is started. Empty: that is not known.
    pub program: String,
    /// The program is an interpreter, which runs the plugin by `wharf.compat.imagefactory`.
    pub interpreted: bool,
    /// Whom to tell about a fault: name, address for mail, page.
    pub maintainer: Vec<String>,
    /// Its licence.
    pub license: Option<String>,
    /// What its author should know.
    pub warnings: Vec<String>,
}

impl Engine {
    /// All plugins that were found, usable or not.
    pub fn plugins(&self) -> Vec<PluginView> {
        let states = self.inner.supervisor.states();
        let found = self.inner.catalog.plugins().iter();
        found.map(|plugin| self.plugin_view(plugin, &states)).collect()
    }

    /// Forgets the failures of a plugin, so that it is started again when it is needed next.
    ///
    /// # Errors
    /// `not_found.plugin`, and what makes it unusable: a reset does not mend that.
    pub fn reset_plugin(&self, name: &str) -> Result<PluginView, Problem> {
        let plugin = self.inner.installed(name)?;
        self.inner.supervisor.reset(name);
        Ok(self.plugin_view(plugin, &self.inner.supervisor.states()))
    }

    /// Has the plugin's next job use a new process, and starts it, to see whether it can.
    ///
    /// # Errors
    /// `not_found.plugin`, and why it does not start.
    pub async fn renew_plugin(&self, name: &str) -> Result<PluginProcess, Problem> {
        let plugin = self.inner.installed(name)?;
        self.inner.supervisor.renew(name);
        let lease = self.inner.supervisor.lease(plugin).await?;
        let handshake = lease.handshake();
        Ok(PluginProcess {
            pid: lease.pid(),
            handshake_ms: handshake.took.as_secs_f64() * 1e3,
            tls: handshake.tls,
        })
    }

    fn plugin_view(
        &self,
        plugin: &Arc<Installed>,
        states: &[wharf_supervisor::PluginState],
    ) -> PluginView {
        let manifest = &plugin.manifest;
        let state = states.iter().find(|state| state.name == manifest.name);
        let in_use =
            self.inner.catalog.plugin(&manifest.name).is_some_and(|it| Arc::ptr_eq(it, plugin));
        let unusable = || self.inner.unusable.get(&manifest.name).filter(|_| in_use);
        let broken = plugin.broken.as_ref().or_else(unusable).map(|broken| broken.reason.clone());
        let behind = self.inner.standings.behind(&manifest.name);
        let behind = behind.filter(|_| in_use && broken.is_none());
        let failure = state.and_then(|state| state.reason.clone());
        let (reason, last_failure) = match state.map(|state| state.state) {
            _ if broken.is_some() => (broken.clone(), failure),
            _ if behind.is_some() => (behind.as_ref().map(|behind| behind.reason()), failure),
            Some(State::BackingOff | State::CrashLoop) => (failure, None),
            _ => (None, failure),
        };
        PluginView {
            name: manifest.name.clone(),
            version: manifest.version.to_string(),
            description: manifest.description.clone(),
            state: match (&broken, &behind, state) {
                (Some(_), ..) => "broken".to_owned(),
                (None, Some(_), _) => "behind".to_owned(),
                (None, None, Some(state)) => state.state.as_str().to_owned(),
                (None, None, None) => "stopped".to_owned(),
            },
            pending_migrations: behind.map(|behind| behind.told()).unwrap_or_default(),
            reason,
            last_failure,
            failures: state.map_or(0, |state| state.failures),
            retry_in: state.and_then(|state| state.retry_in),
            restarts: state.map_or(0, |state| state.restarts),
            idle_stops: state.map_or(0, |state| state.idle_stops),
            recycles: state.map_or(0, |state| state.recycles),
            pids: state.map(|state| state.pids.clone()).unwrap_or_default(),
            components: manifest
                .components
                .iter()
                .map(|component| ComponentView {
                    id: component.id.clone(),
                    role: component.role.to_string(),
                    profile: component.profile.clone(),
                    operations: component.operations.clone(),
                    types: component.content_types.clone(),
                    targets: patterns(component),
                })
                .collect(),
            origin: plugin.folder.display().to_string(),
            file: plugin.file.display().to_string(),
            link: plugin.link.as_ref().map(|link| link.display().to_string()),
            program: plugin.executable.display().to_string(),
            interpreted: plugin.interpreted,
            maintainer: manifest.maintainer.as_ref().map(told).unwrap_or_default(),
            license: manifest.license.clone(),
            warnings: plugin.warnings.clone(),
        }
    }
}

/// Its targets in words.
fn patterns(component: &Component) -> Vec<String> {
    let words = component.targets.iter().filter_map(target_words);
    words.map(|words| words.join(" ")).collect()
}

/// What is known of a maintainer.
fn told(maintainer: &Maintainer) -> Vec<String> {
    let Maintainer { name, email, url } = maintainer;
    [name, email, url].into_iter().flatten().filter(|it| !it.is_empty()).cloned().collect()
}

/// A process that works for one job, to be given back or thrown away.
pub(crate) struct Borrowed(Lease);

impl Deref for Borrowed {
    type Target = Lease;

    fn deref(&self) -> &Lease {
        &self.0
    }
}

impl Borrowed {
    /// The job ended badly: after a fault the process is not used again.
    pub(crate) fn end(self, problem: &Problem) {
        if problem.class == Class::Fault {
            self.0.discard();
        }
    }
}

impl Inner {
    /// The installed plugins that can be used.
    pub(crate) fn usable_plugins(&self) -> impl Iterator<Item = &Arc<Installed>> {
        self.catalog.plugins().iter().filter(|plugin| {
            self.plugin(&plugin.manifest.name).is_ok_and(|usable| Arc::ptr_eq(usable, plugin))
        })
    }

    /// A process of this plugin for one job, started if need be.
    pub(crate) async fn borrow_process(
        &self,
        run: &JobRun,
        plugin: &Arc<Installed>,
    ) -> Result<Borrowed, Problem> {
        self.process_until(run, plugin, &run.cancel).await
    }

    /// The same for work that something else than the job's end calls off.
    pub(crate) async fn process_until(
        &self,
        run: &JobRun,
        plugin: &Arc<Installed>,
        cancel: &CancellationToken,
    ) -> Result<Borrowed, Problem> {
        let lease = tokio::select! {
            lease = self.supervisor.lease(plugin) => lease?,
            () = cancel.cancelled() => return Err(Problem::cancelled()),
        };
        let handshake = lease.handshake();
        let manifest = &plugin.manifest;
        let text = format!(
            "plugin {} {}, process {}, attempt {}",
            manifest.name,
            manifest.version,
            lease.pid(),
            run.job.attempts
        );
        run.log(LogLevel::Info, text).await;
        run.works_in(PluginProcess {
            pid: lease.pid(),
            handshake_ms: handshake.took.as_secs_f64() * 1e3,
            tls: handshake.tls,
        });
        Ok(Borrowed(lease))
    }

    /// The limits of a long call for this job.
    pub(crate) fn bounds(&self, run: &JobRun) -> Bounds {
        Bounds::new(self.config.stall_timeout).cancel(run.cancel.clone())
    }

    /// What a call is told about the job and the way to the host.
    pub(crate) fn job_context(run: &JobRun, process: &Lease, token: &str) -> v1::JobContext {
        v1::JobContext {
            host_address: process.host_address().unwrap_or_default().to_owned(),
            token: token.to_owned(),
            job: run.id().unsigned_abs(),
            deadline_ms: 0,
            work_dir: run.folder.path().display().to_string(),
            traceparent: String::new(),
            attempt: run.job.attempts,
        }
    }
}
