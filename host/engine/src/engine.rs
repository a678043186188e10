//! The engine's handle and what all its parts share.

use std::collections::HashMap;
use std::sync::Arc;

use jsonschema::Validator;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use wharf_store::Store;
use wharf_store::model::{JobId, TypeDefinition, TypeId};
use wharf_supervisor::{Catalog, Installed, Supervisor};

use crate::config::Config;
use crate::content::OnDemand;
use crate::error::Error;
use crate::fetch::Fetcher;
use crate::host_service::{self, FEATURES, Grants};
use crate::jobs::{Board, dispatch};
use crate::problem::Problem;

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
    pub(crate) board: Board,
    pub(crate) types: HashMap<String, Type>,
    /// Why a plugin that was found cannot be used, by name.
    pub(crate) unusable: HashMap<String, String>,
    pub(crate) on_demand: OnDemand,
    pub(crate) stop: CancellationToken,
    tasks: TaskTracker,
}

/// A registered type.
#[derive(Clone)]
pub(crate) struct Type {
    pub(crate) id: TypeId,
    pub(crate) definition: Arc<TypeDefinition>,
    /// What attributes must look like.
    pub(crate) attributes: Option<Arc<Validator>>,
}

impl Type {
    fn new(id: TypeId, definition: TypeDefinition) -> Self {
        let schema = definition.attributes.as_ref();
        let attributes = schema.and_then(|schema| jsonschema::validator_for(schema).ok());
        Self { id, attributes: attributes.map(Arc::new), definition: Arc::new(definition) }
    }
}

impl Engine {
    /// Opens the data folder, finds the plugins, registers their types, and takes up the jobs that an earlier host
    /// left. Starts no plugin.
    pub async fn open(config: Config) -> Result<Self, Error> {
        let store = Store::open(&config.data).await?;
        store.blobs.clean().await?;
        let catalog = Catalog::discover(&config.search);
        let (types, unusable) = register_types(&store, &catalog).await?;
        let fetcher = Fetcher::new(config.fetch.clone())?;
        let grants = Grants::default();
        let services = host_service::routes(grants.clone(), store.clone(), fetcher.clone(), &types);
        let supervisor = Supervisor::new(supervision(&config, services));
        let on_demand = store.blobs.job_folder(JobId(0)).await?;
        let inner = Arc::new(Inner {
            store,
            catalog,
            supervisor,
            fetcher,
            grants,
            board: Board::new(config.wait_for_work),
            types,
            unusable,
            on_demand: OnDemand::new(on_demand),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            config,
        });
        for job in inner.store.meta.recover().await? {
            tracing::warn!(job = job.id.0, state = ?job.state, "a job was cut off by the end of the host");
        }
        for job in inner.store.meta.queued().await? {
            inner.board.enqueue(&job, &inner.stop);
        }
        inner.tasks.spawn(dispatch::dispatch(Arc::clone(&inner)));
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
    /// A plugin that can be used, by name.
    pub(crate) fn plugin(&self, name: &str) -> Result<&Arc<Installed>, Problem> {
        let installed = self.catalog.plugin(name).ok_or_else(|| {
            Problem::usage("not_found.plugin", format!("there is no plugin \"{name}\""))
                .help("`wharf plugin list` shows what is installed")
        })?;
        let broken = installed.broken.as_ref().map(|broken| (broken.code, &broken.reason));
        match broken.or_else(|| self.unusable.get(name).map(|reason| ("config", reason))) {
            Some((code, reason)) => Err(Problem::usage(
                &format!("{code}.plugin"),
                format!("plugin {name} is not usable: {reason}"),
            )
            .at(installed.folder.display().to_string())),
            None => Ok(installed),
        }
    }
}

fn supervision(config: &Config, services: tonic::service::Routes) -> wharf_supervisor::Config {
    let mut supervision = wharf_supervisor::Config::new(&config.runtime);
    supervision.start_timeout = config.start_timeout;
    supervision.heartbeat = config.heartbeat;
    supervision.heartbeat_timeout = config.heartbeat_timeout;
    supervision.grace = config.grace;
    supervision.term_grace = config.grace;
    supervision.max_idle = config.jobs;
    supervision.idle = config.idle;
    supervision.guardian = config.guardian.clone();
    supervision.host_services = Some(services);
    supervision.features = FEATURES.iter().map(|feature| (*feature).to_owned()).collect();
    supervision
}

/// Registers what every usable plugin declares. A plugin whose types are refused is unusable; the others are not
/// touched by that.
async fn register_types(
    store: &Store,
    catalog: &Catalog,
) -> Result<(HashMap<String, Type>, HashMap<String, String>), Error> {
    let mut unusable = HashMap::new();
    for plugin in catalog.plugins().iter().filter(|plugin| plugin.broken.is_none()) {
        let manifest = &plugin.manifest;
        let files: Vec<(String, String)> = plugin
            .types
            .iter()
            .map(|file| (file.path.display().to_string(), file.text.clone()))
            .collect();
        let types = wharf_store::model::read_types(&files).map_err(|error| error.to_string());
        let types = match types.and_then(usable_schemas) {
            Ok(types) => types,
            Err(reason) => {
                unusable.insert(manifest.name.clone(), reason);
                continue;
            }
        };
        let version = manifest.version.to_string();
        let registered = store.meta.register_types(&manifest.name, &version, types).await;
        match registered {
            Ok(()) => {}
            Err(error) if error.is_refusal() => {
                unusable.insert(manifest.name.clone(), error.to_string());
            }
            Err(error) => return Err(error.into()),
        }
    }
    let types = store
        .meta
        .types()
        .await?
        .into_iter()
        .map(|(id, definition)| (definition.id.clone(), Type::new(id, definition)));
    Ok((types.collect(), unusable))
}

/// Types whose attribute schemas can be used, or which one cannot.
fn usable_schemas(types: Vec<TypeDefinition>) -> Result<Vec<TypeDefinition>, String> {
    for definition in &types {
        if let Some(schema) = &definition.attributes {
            jsonschema::validator_for(schema)
                .map_err(|error| format!("type {}: attributes: {error}", definition.id))?;
        }
    }
    Ok(types)
}
