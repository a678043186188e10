//! A plugin of wharf: a manifest, and what answers for each of its components.
//!
//! It is a set of services like any other, so [`crate::goplugin`] serves it. Here is what is wharf's own: the manifest
//! is held against the program before anything else, and calls run as jobs with a way back to the host.

mod manifest;
mod registry;
mod service;

pub(crate) use manifest::TypeDefinition;
pub(crate) use registry::Registry;
pub(crate) use service::services;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tracing::level_filters::LevelFilter;
use wharf_proto::{APP_PROTOCOL_VERSIONS, COOKIE_KEY, COOKIE_VALUE, v1};

use crate::context::Calls;
use crate::goplugin::{GRACE, Server, exit, reserve_if_launched};
use crate::{Action, Builder, Distributor, Hooks, Importer, Migrations};
use manifest::Manifest;
use registry::Role;

/// A plugin: its manifest, and what answers for each of the manifest's components.
///
/// The manifest is the one truth about what the plugin is and offers: `Plugin.Describe` is derived from it, and
/// a component without an answer, or an answer without a component, is told at start and in every test.
pub struct Plugin {
    manifest: Result<Manifest, PluginError>,
    components: BTreeMap<String, Role>,
    types: Vec<String>,
    migrations: Option<Arc<dyn Migrations>>,
    hooks: Option<Arc<dyn Hooks>>,
    grace: Duration,
    threads: usize,
    log_level: LevelFilter,
}

impl Plugin {
    /// A plugin with this manifest: `include_str!("../plugin.json")`. Make it the first thing in `main`: whatever is
    /// printed from here on stays out of the handshake.
    pub fn new(manifest: &str) -> Self {
        reserve_if_launched(COOKIE_KEY, COOKIE_VALUE);
        Self {
            manifest: Manifest::read(manifest),
            components: BTreeMap::new(),
            types: Vec::new(),
            migrations: None,
            hooks: None,
            grace: GRACE,
            threads: 1,
            log_level: LevelFilter::DEBUG,
        }
    }

    /// Answers for an importer component.
    #[must_use]
    pub fn importer(self, id: &str, importer: impl Importer) -> Self {
        self.component(id, Role::Importer(Arc::new(importer)))
    }

    /// Answers for a distributor component.
    #[must_use]
    pub fn distributor(self, id: &str, distributor: impl Distributor) -> Self {
        self.component(id, Role::Distributor(Arc::new(distributor)))
    }

    /// Answers for a builder component.
    #[must_use]
    pub fn builder(self, id: &str, builder: impl Builder) -> Self {
        self.component(id, Role::Builder(Arc::new(builder)))
    }

    /// Answers for an action component.
    #[must_use]
    pub fn action(self, id: &str, action: impl Action) -> Self {
        self.component(id, Role::Action(Arc::new(action)))
    }

    fn component(mut self, id: &str, role: Role) -> Self {
        self.components.insert(id.to_owned(), role);
        self
    }

    /// The text of a file of type definitions that the manifest names: `include_str!("../types/x.json")`.
    /// Optional: with it, `Describe` names the types too, and the test harness holds units against them.
    #[must_use]
    pub fn types(mut self, text: &str) -> Self {
        self.types.push(text.to_owned());
        self
    }

    /// Runs the migrations that the manifest names.
    #[must_use]
    pub fn migrations(mut self, migrations: impl Migrations) -> Self {
        self.migrations = Some(Arc::new(migrations));
        self
    }

    /// Answers for the hooks that the manifest's components subscribe to.
    #[must_use]
    pub fn hooks(mut self, hooks: impl Hooks) -> Self {
        self.hooks = Some(Arc::new(hooks));
        self
    }

    /// Runs calls on this many threads. Without it they share one, which answers fastest: enough for plugins
    /// that wait for others and move long work to `spawn_blocking`.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// What a cancelled call gets to end by itself before it is dropped; 1.2 seconds without this.
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// The lowest level of `tracing` events that go to the host; debug without this. Those of the libraries
    /// underneath are sent from warnings on.
    #[must_use]
    pub fn log_level(mut self, level: impl Into<LevelFilter>) -> Self {
        self.log_level = level.into();
        self
    }

    /// Serves until the host wants the plugin to stop. Call it in `main` and return what it gives.
    pub fn serve(self) -> ExitCode {
        match self.check() {
            Ok(plugin) => plugin.server().serve(),
            Err(error) => exit(Err(error)),
        }
    }

    /// Serves without a host, for a debugger: prints the description that `wharf plugin dev --reattach` takes, and
    /// listens without TLS in a private folder. Ctrl-C ends it.
    pub fn debug(self) -> ExitCode {
        match self.check() {
            Ok(plugin) => plugin.server().debug(),
            Err(error) => exit(Err(error)),
        }
    }

    /// Holds components and manifest against each other.
    pub(crate) fn check(self) -> Result<Checked, PluginError> {
        let Self { manifest, components, types, migrations, hooks, grace, threads, log_level } =
            self;
        let manifest = manifest?;
        manifest.check(&components)?;
        manifest.check_migrations(migrations.is_some())?;
        manifest.check_hooks(hooks.is_some())?;
        let types = manifest::read_types(&types)?;
        let registry = Registry::new(manifest, types, components, migrations, hooks);
        Ok(Checked { registry: Arc::new(registry), grace, threads, log_level })
    }
}

/// A plugin that agrees with its manifest.
pub(crate) struct Checked {
    pub(crate) registry: Arc<Registry>,
    pub(crate) grace: Duration,
    threads: usize,
    log_level: LevelFilter,
}

impl Checked {
    /// The services of wharf's contract, for every version of it that this SDK speaks.
    fn server(self) -> Server {
        let Self { registry, grace, threads, log_level } = self;
        let server = Server::new(COOKIE_KEY, COOKIE_VALUE)
            .by_hand(by_hand(registry.name(), registry.version()))
            .reflection(v1::FILE_DESCRIPTOR_SET)
            .threads(threads)
            .grace(grace)
            .log_level(log_level);
        APP_PROTOCOL_VERSIONS.iter().fold(server, |server, version| {
            let registry = Arc::clone(&registry);
            server
                .version(*version, move |context| services(&registry, &Calls::new(&context, grace)))
        })
    }
}

fn by_hand(name: &str, version: &str) -> String {
    format!(
        "This is {name} {version}, a plugin of wharf. It does nothing when run by hand.\n\
         wharf starts it by itself when it is needed: put its folder where wharf looks for plugins.\n\
         `wharf plugin list` shows those that wharf finds."
    )
}

/// What is wrong between a plugin and its manifest.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum PluginError {
    #[error(
        "plugin.json cannot be read: {source}\nIt is built into the plugin: mend it and build again."
    )]
    Manifest { source: serde_json::Error },
    #[error("a file of type definitions cannot be read: {source}")]
    Types { source: serde_json::Error },
    #[error(
        "plugin.json names component {id:?} with role {role:?}, but the program registers {registered}.\n\
         Make the calls on Plugin agree with the manifest."
    )]
    Component { id: String, role: String, registered: &'static str },
    #[error("plugin.json names {what}, but the program registers none: Plugin::{what}.")]
    Unregistered { what: &'static str },
    #[error("plugin.json names no {what}, but the program registers some: Plugin::{what}.")]
    NotNamed { what: &'static str },
    #[error("the program registers component {id:?}, which plugin.json does not name.")]
    Unnamed { id: String },
}
