//! The engine's handle and what all its parts share.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use wharf_store::Store;
use wharf_store::model::{Job, JobId};
use wharf_supervisor::{Broken, Catalog, Installed, Mask, Role, Supervisor};

use crate::callbacks;
use crate::claims::Claims;
use crate::config::Config;
use crate::content::OnDemand;
use crate::error::Error;
use crate::fetch::Fetcher;
use crate::gc;
use crate::history;
use crate::host_service::{self, FEATURES, Grants};
use crate::jobs::view::JobView;
use crate::jobs::{Board, Plugins, dispatch};
use crate::migrations::{self, Standings};
use crate::problem::Problem;
use crate::schedules;
use crate::secrets::Secrets;
use crate::signing::Keys;
use crate::staging;
use crate::unit_types::{self, Registered, Types};
use crate::upload;

/// Runs syncs and publishes. A cheap handle; clones share one engine.
#[derive(Clone)]
pub struct Engine {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) config: Config,
    pub(crate) store: Store,
    pub(crate) catalog: Catalog,
    pub(crate) supervisor: Supervisor,
    pub(crate) fetcher: Fetcher,
    pub(crate) grants: Grants,
    pub(crate) claims: Arc<Claims>,
    pub(crate) keys: Keys,
    pub(crate) secrets: Secrets,
    pub(crate) callbacks: callbacks::Desk,
    pub(crate) board: Board,
    pub(crate) types: Arc<Types>,
    /// Why a plugin that was found cannot be used, by name.
    pub(crate) unusable: HashMap<String, Broken>,
    /// Which plugins wait for migrations.
    pub(crate) standings: Standings,
    pub(crate) on_demand: OnDemand,
    pub(crate) uploading: upload::Busy,
    /// Wakes the task that runs schedules.
    pub(crate) schedules_changed: Notify,
    pub(crate) stop: CancellationToken,
    tasks: TaskTracker,
}

impl Engine {
    /// Opens the data folder, finds the plugins, registers their types, and takes up the jobs that an earlier host
    /// left. Starts no plugin. The caller holds a [`Claim`](crate::Claim) to the folder for as long as the engine lives.
    pub async fn open(config: Config) -> Result<Self, Error> {
        let store = Store::open(&config.data).await?;
        staging::clean(&store).await?;
        let catalog = Catalog::discover(&config.search);
        let Registered { types, unusable, behind } = unit_types::register(&store, &catalog).await?;
        let fetcher = Fetcher::new(config.fetch.clone())?;
        let desk_of_callbacks = callbacks::Desk::new(&config.callbacks)?;
        let grants = Grants::default();
        let keys = Keys::open(&config.data).await;
        let keys = keys.map_err(|problem| Error::Keys(Box::new(problem)))?;
        let secrets = Secrets::open(&config.data, &config.secrets).await;
        let secrets = secrets.map_err(|problem| Error::Secrets(Box::new(problem)))?;
        let parts = (store.clone(), fetcher.clone(), keys.clone(), secrets.clone());
        let claims = Arc::new(Claims::new(config.queues.clone(), config.keep_free));
        let desk = (Arc::clone(&types), Arc::clone(&claims));
        let services = host_service::routes(grants.clone(), parts, desk);
        let supervisor = Supervisor::new(supervision(&config, services, &secrets));
        let on_demand = store.blobs.job_folder(JobId(0)).await?;
        let inner = Arc::new(Inner {
            store,
            catalog,
            supervisor,
            fetcher,
            grants,
            claims,
            keys,
            secrets,
            callbacks: desk_of_callbacks,
            board: Board::new(config.wait_for_work),
            types,
            unusable,
            standings: Standings::new(behind),
            on_demand: OnDemand::new(on_demand),
            uploading: upload::Busy::default(),
            schedules_changed: Notify::new(),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            config,
        });
        inner.sweep_uploads().await?;
        for job in inner.store.meta.recover().await? {
            tracing::warn!(job = job.id.0, state = ?job.state, "a job was cut off by the end of the host");
        }
        for job in inner.store.meta.queued().await? {
            inner.enqueue(&job);
        }
        inner.tasks.spawn(dispatch::dispatch(Arc::clone(&inner)));
        inner.tasks.spawn(callbacks::keep(Arc::clone(&inner)));
        if let Some(every) = inner.config.gc_every {
            let engine = Arc::clone(&inner);
            inner.tasks.spawn(async move { gc::now_and_then(&engine, every, &engine.stop).await });
        }
        if inner.config.resident {
            inner.tell_ties();
            inner.tasks.spawn(schedules::keep(Arc::clone(&inner)));
            inner.tasks.spawn(history::keep(Arc::clone(&inner)));
            inner.tasks.spawn(upload::keep(Arc::clone(&inner)));
        }
        Ok(Self { inner })
    }

    /// Stops: running jobs are cancelled and go back to the queue for the next start, plugins are stopped, the
    /// database is closed.
    pub async fn shutdown(&self) {
        self.inner.stop.cancel();
        self.inner.tasks.close();
        self.inner.tasks.wait().await;
        self.inner.on_demand.shutdown().await;
        self.inner.supervisor.shutdown().await;
        self.inner.store.close().await;
    }
}

impl Inner {
    /// Queues a stored job.
    pub(crate) fn enqueue(&self, job: &Job) -> JobView {
        self.board.enqueue(job, self.plugins_of(job), &self.stop)
    }

    /// Whose units a job works with. An importer brings what it declares and nothing else (F65); whatever reads a
    /// version may meet units of anybody.
    fn plugins_of(&self, job: &Job) -> Plugins {
        let component = job.component.as_deref().unwrap_or_default();
        if job.operation == migrations::OPERATION {
            return Plugins::Alone(component.to_owned());
        }
        match self.catalog.component(component) {
            Some((plugin, component)) if component.role == Role::Importer => {
                let types = component.content_types.iter();
                let owners =
                    types.filter_map(|name| Some(self.types.get(name)?.owner().to_owned()));
                Plugins::Of(owners.chain([plugin.manifest.name.clone()]).collect())
            }
            _ => Plugins::Any,
        }
    }

    /// A plugin that is ready, by name.
    pub(crate) fn plugin(&self, name: &str) -> Result<&Arc<Installed>, Problem> {
        let plugin = self.installed(name)?;
        match self.standings.behind(name) {
            Some(behind) => Err(Problem::usage(
                "policy.behind",
                format!("plugin {name} is not ready: {}", behind.words()),
            )
            .at(name)
            .help(format!(
                "`wharf plugin {0} {name}` runs them, with --dry-run it tells what they would change",
                migrations::OPERATION
            ))),
            None => Ok(plugin),
        }
    }

    /// A plugin that can be used, by name, if only to migrate its data.
    pub(crate) fn installed(&self, name: &str) -> Result<&Arc<Installed>, Problem> {
        let installed = self.catalog.plugin(name).ok_or_else(|| {
            Problem::usage("not_found.plugin", format!("there is no plugin \"{name}\""))
                .help("`wharf plugin list` shows what is installed")
        })?;
        match installed.broken.as_ref().or_else(|| self.unusable.get(name)) {
            Some(Broken { code, reason }) => Err(Problem::usage(
                &format!("{code}.plugin"),
                format!("plugin {name} is not usable: {reason}"),
            )
            .at(installed.folder.display().to_string())),
            None => Ok(installed),
        }
    }
}

fn supervision(
    config: &Config,
    services: tonic::service::Routes,
    secrets: &Secrets,
) -> wharf_supervisor::Config {
    let redactor = secrets.redactor.clone();
    let mut supervision = wharf_supervisor::Config::new(&config.runtime);
    supervision.start_timeout = config.start_timeout;
    supervision.heartbeat = config.heartbeat;
    supervision.heartbeat_timeout = config.heartbeat_timeout;
    supervision.grace = config.grace;
    supervision.term_grace = config.grace;
    supervision.max_idle = config.jobs;
    supervision.idle = config.idle;
    supervision.guardian = config.guardian.clone();
    supervision.mask = Mask::new(move |text| redactor.text(text).into_owned());
    supervision.host_services = Some(services);
    supervision.attached.clone_from(&config.attached);
    supervision.features = FEATURES.iter().map(|feature| (*feature).to_owned()).collect();
    supervision
}
