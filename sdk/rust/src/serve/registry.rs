//! Who answers for which component.

use std::collections::BTreeMap;
use std::sync::Arc;

use tonic::Status;
use wharf_proto::v1;

use super::manifest::{Manifest, TypeDefinition};
use crate::{Action, Builder, Component, Distributor, Hooks, Importer, Migration, Migrations};

/// An answer for one component.
pub(crate) enum Role {
    Importer(Arc<dyn Importer>),
    Distributor(Arc<dyn Distributor>),
    Builder(Arc<dyn Builder>),
    Action(Arc<dyn Action>),
}

impl Role {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Importer(_) => "importer",
            Self::Distributor(_) => "distributor",
            Self::Builder(_) => "builder",
            Self::Action(_) => "action",
        }
    }

    fn component(&self) -> Arc<dyn Component> {
        match self {
            Self::Importer(it) => Arc::<dyn Importer>::clone(it),
            Self::Distributor(it) => Arc::<dyn Distributor>::clone(it),
            Self::Builder(it) => Arc::<dyn Builder>::clone(it),
            Self::Action(it) => Arc::<dyn Action>::clone(it),
        }
    }
}

/// The manifest and the answers for its components.
pub(crate) struct Registry {
    manifest: Manifest,
    types: Vec<TypeDefinition>,
    components: BTreeMap<String, Role>,
    migrations: Option<Arc<dyn Migrations>>,
    hooks: Option<Arc<dyn Hooks>>,
}

impl Registry {
    pub(crate) fn new(
        manifest: Manifest,
        types: Vec<TypeDefinition>,
        components: BTreeMap<String, Role>,
        migrations: Option<Arc<dyn Migrations>>,
        hooks: Option<Arc<dyn Hooks>>,
    ) -> Self {
        Self { manifest, types, components, migrations, hooks }
    }

    /// Who answers hooks.
    pub(crate) fn hooks(&self) -> Result<Arc<dyn Hooks>, Status> {
        let none = || Status::unimplemented("this plugin subscribes to no hooks");
        self.hooks.as_ref().map(Arc::clone).ok_or_else(none)
    }

    /// The migrations that the manifest names.
    pub(crate) fn migrations(&self) -> v1::MigrationsResponse {
        self.manifest.migrations()
    }

    /// A migration, and who runs it.
    pub(crate) fn migration(
        &self,
        number: u32,
        dry_run: bool,
    ) -> Result<(Migration, Arc<dyn Migrations>), Status> {
        let (plugin, named) = (self.name(), self.manifest.migration(number));
        match (named, &self.migrations) {
            (Some(name), Some(migrations)) => {
                let migration = Migration { number, name: name.to_owned(), dry_run };
                Ok((migration, Arc::clone(migrations)))
            }
            _ => Err(Status::not_found(format!("plugin {plugin} has no migration {number}"))),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.manifest.name
    }

    pub(crate) fn version(&self) -> &str {
        &self.manifest.version
    }

    pub(crate) fn types(&self) -> &[TypeDefinition] {
        &self.types
    }

    pub(crate) fn describe(&self) -> v1::DescribeResponse {
        self.manifest.describe(&self.types)
    }

    /// Whether a component has this role.
    pub(crate) fn has(&self, role: &str) -> bool {
        self.components.values().any(|component| component.name() == role)
    }

    pub(crate) fn component(&self, id: &str) -> Result<Arc<dyn Component>, Status> {
        self.role(id).map(Role::component)
    }

    pub(crate) fn importer(&self, id: &str) -> Result<Arc<dyn Importer>, Status> {
        match self.role(id)? {
            Role::Importer(it) => Ok(Arc::clone(it)),
            other => Err(wrong_role(id, other, "an importer")),
        }
    }

    pub(crate) fn distributor(&self, id: &str) -> Result<Arc<dyn Distributor>, Status> {
        match self.role(id)? {
            Role::Distributor(it) => Ok(Arc::clone(it)),
            other => Err(wrong_role(id, other, "a distributor")),
        }
    }

    pub(crate) fn builder(&self, id: &str) -> Result<Arc<dyn Builder>, Status> {
        match self.role(id)? {
            Role::Builder(it) => Ok(Arc::clone(it)),
            other => Err(wrong_role(id, other, "a builder")),
        }
    }

    pub(crate) fn action(&self, id: &str) -> Result<Arc<dyn Action>, Status> {
        match self.role(id)? {
            Role::Action(it) => Ok(Arc::clone(it)),
            other => Err(wrong_role(id, other, "an action")),
        }
    }

    fn role(&self, id: &str) -> Result<&Role, Status> {
        self.components.get(id).ok_or_else(|| {
            let name = self.name();
            Status::not_found(format!("plugin {name} has no component {id:?}"))
        })
    }
}

fn wrong_role(id: &str, is: &Role, wanted: &str) -> Status {
    Status::unimplemented(format!("component {id:?} is a {}, not {wanted}", is.name()))
}
