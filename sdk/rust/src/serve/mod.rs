//! Being a plugin: from the first look at the environment to the orderly end.
//!
//! The order matters and is the contract's: manifest, cookie, version, certificate, socket, signals, then the
//! one line on standard output, then calls until somebody wants the plugin to stop. Whatever fails before the
//! line is told on standard error, with exit status 1, and nothing on standard output.

mod accept;
mod edge;
mod goplugin;
mod health;
mod listen;
mod logging;
mod manifest;
mod panics;
mod registry;
mod service;
mod stop;
pub(crate) mod stream;

pub(crate) use manifest::TypeDefinition;
pub(crate) use registry::Registry;
pub(crate) use service::routes;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tracing::level_filters::LevelFilter;

use crate::{Action, Builder, Distributor, Importer};
use manifest::Manifest;
use registry::Role;

/// What a cancelled call gets to end by itself. A go-plugin host kills two seconds after it asked for the end.
const GRACE: Duration = Duration::from_millis(1_200);

/// A plugin: its manifest, and what answers for each of the manifest's components.
///
/// The manifest is the one truth about what the plugin is and offers: `Plugin.Describe` is derived from it, and
/// a component without an answer, or an answer without a component, is told at start and in every test.
pub struct Plugin {
    manifest: Result<Manifest, StartError>,
    components: BTreeMap<String, Role>,
    types: Vec<String>,
    grace: Duration,
    threads: usize,
    log_level: LevelFilter,
}

impl Plugin {
    /// A plugin with this manifest: `include_str!("../plugin.json")`.
    pub fn new(manifest: &str) -> Self {
        Self {
            manifest: Manifest::read(manifest),
            components: BTreeMap::new(),
            types: Vec::new(),
            grace: GRACE,
            threads: 0,
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
    pub fn log_level(mut self, level: LevelFilter) -> Self {
        self.log_level = level;
        self
    }

    /// Serves until the host wants the plugin to stop. Call it in `main` and return what it gives.
    pub fn serve(self) -> ExitCode {
        match edge::serve(self) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                edge::complain(&error);
                ExitCode::FAILURE
            }
        }
    }

    /// Holds components and manifest against each other.
    pub(crate) fn check(self) -> Result<Checked, StartError> {
        let Self { manifest, components, types, grace, threads, log_level } = self;
        let manifest = manifest?;
        manifest.check(&components)?;
        let types = manifest::read_types(&types)?;
        let registry = Registry::new(manifest, types, components);
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

/// Why a plugin cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum StartError {
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
    #[error("the program registers component {id:?}, which plugin.json does not name.")]
    Unnamed { id: String },
    #[error(
        "This is {name} {version}, a plugin of wharf. It does nothing when run by hand.\n\
         wharf starts it by itself when it is needed: put its folder where wharf looks for plugins.\n\
         `wharf plugin list` shows those that wharf finds."
    )]
    NotLaunched { name: String, version: String },
    #[error("PLUGIN_CLIENT_CERT does not hold a certificate: {source}")]
    HostCertificate { source: wharf_proto::tls::Error },
    #[error("TLS cannot be set up: {source}")]
    Tls { source: wharf_proto::tls::Error },
    #[error("no socket can be made at {path}: {source}")]
    Socket { path: std::path::PathBuf, source: std::io::Error },
    #[error(
        "the socket's path {path} has {length} bytes, and the system takes {max}.\n\
         Give PLUGIN_UNIX_SOCKET_DIR a shorter folder."
    )]
    LongPath { path: std::path::PathBuf, length: usize, max: usize },
    #[error("PLUGIN_UNIX_SOCKET_GROUP names the group {group:?}, which this system does not have.")]
    UnknownGroup { group: String },
    #[error("the {what} cannot be set up: {source}")]
    System { what: &'static str, source: std::io::Error },
    #[error("the handshake cannot be written to standard output: {source}")]
    Handshake { source: std::io::Error },
    #[error("serving failed: {source}")]
    Serve { source: tonic::transport::Error },
}
