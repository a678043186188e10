//! Types of units: those that plugins define and the few of the host's own (`own`), registered when the host starts, and
//! files of definitions looked at for who writes them.
//!
//! `register` decides which plugin's definitions count, and makes a plugin unusable whose do not; `check` reads files
//! alone, without a host. What a definition says is read by the store's `read_types`; attribute schemas are tried here.

mod check;
mod own;
mod register;
mod table;

use std::sync::Arc;

use jsonschema::Validator;
use wharf_store::model::{RegisteredType, TypeDefinition, TypeErrors, TypeFault, TypeId};

pub use self::check::{CheckedType, TypeForm, check_types};
pub(crate) use self::register::{Registered, register};
pub(crate) use self::table::Types;
use crate::engine::Engine;
use crate::problem::Problem;

/// A registered type.
pub(crate) struct Type {
    pub(crate) id: TypeId,
    pub(crate) definition: Arc<TypeDefinition>,
    /// What attributes must look like.
    pub(crate) attributes: Option<Arc<Validator>>,
    /// Who registered it, and in which version.
    plugin: (String, String),
    /// Whether that plugin defines it still.
    defined: bool,
}

impl Type {
    /// The plugin that registered it.
    pub(crate) fn owner(&self) -> &str {
        &self.plugin.0
    }

    pub(crate) fn new(registered: RegisteredType, defined: bool) -> Self {
        let RegisteredType { id, plugin, plugin_version, definition } = registered;
        let schema = definition.attributes.as_ref();
        let attributes = schema.and_then(|schema| jsonschema::validator_for(schema).ok());
        Self {
            id,
            attributes: attributes.map(Arc::new),
            definition: Arc::new(definition),
            plugin: (plugin, plugin_version),
            defined,
        }
    }
}

/// A type as people see it.
#[derive(Debug, Clone, PartialEq)]
pub struct TypeView {
    /// What it looks like.
    pub definition: TypeDefinition,
    /// The plugin that registered it.
    pub plugin: String,
    /// That plugin's version, when the definition changed last.
    pub plugin_version: String,
    /// Whether an installed plugin defines it. If none does, the type and its units are kept.
    pub defined: bool,
    /// The components of usable plugins that bring it in or take it, as `PLUGIN.COMPONENT`.
    pub components: Vec<String>,
}

impl Engine {
    /// The types that plugins brought, by name.
    pub fn types(&self) -> Vec<TypeView> {
        let mut types: Vec<TypeView> =
            self.inner.types.all().iter().map(|kind| self.type_view(kind)).collect();
        types.sort_by(|left, right| left.definition.id.cmp(&right.definition.id));
        types
    }

    /// One of them.
    ///
    /// # Errors
    /// `not_found.type`.
    pub fn unit_type(&self, name: &str) -> Result<TypeView, Problem> {
        let kind = self.inner.types.get(name).ok_or_else(|| {
            Problem::usage("not_found.type", format!("there is no type \"{name}\""))
                .help("`wharf type list` shows those that plugins define")
        })?;
        Ok(self.type_view(&kind))
    }

    fn type_view(&self, kind: &Type) -> TypeView {
        let name = &kind.definition.id;
        let mut components = Vec::new();
        for plugin in self.inner.catalog.plugins() {
            let manifest = &plugin.manifest;
            if !self.inner.plugin(&manifest.name).is_ok_and(|usable| Arc::ptr_eq(usable, plugin)) {
                continue;
            }
            let named = manifest.components.iter().filter(|component| {
                component.content_types.contains(name) || component.produces.contains(name)
            });
            components.extend(named.map(|component| format!("{}.{}", manifest.name, component.id)));
        }
        TypeView {
            definition: (*kind.definition).clone(),
            plugin: kind.plugin.0.clone(),
            plugin_version: kind.plugin.1.clone(),
            defined: kind.defined,
            components,
        }
    }
}

/// Refuses attribute schemas that cannot be used, all of them. Addresses outside the schema are not followed.
fn check_schemas(types: &[wharf_store::model::ReadType]) -> Result<(), TypeErrors> {
    let mut offenders = Vec::new();
    for read in types {
        if let Some(schema) = &read.definition.attributes
            && let Err(error) = jsonschema::validator_for(schema)
        {
            let id = &read.definition.id;
            offenders.push(format!(
                "{}: {id}: at {:?}: {error}",
                read.file,
                error.instance_path().as_str()
            ));
        }
    }
    if offenders.is_empty() {
        return Ok(());
    }
    Err(TypeErrors { fault: TypeFault::UnusableSchema, offenders })
}

#[cfg(test)]
mod tests;
