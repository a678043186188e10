//! The part of `plugin.json` that the plugin itself goes by.

use std::collections::BTreeMap;

use serde::Deserialize;
use wharf_proto::v1;

use super::PluginError;
use super::registry::Role;

/// What `Describe` needs; the host reads the rest.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Manifest {
    pub(crate) name: String,
    pub(crate) version: String,
    #[serde(default)]
    components: Vec<Component>,
    #[serde(default)]
    migrations: Vec<Migration>,
    #[serde(default)]
    fast_forward: bool,
    #[serde(default)]
    removed_up_to: u32,
    #[serde(default)]
    removed_hint: String,
}

#[derive(Clone, Debug, Deserialize)]
struct Migration {
    number: u32,
    name: String,
}

#[derive(Clone, Debug, Deserialize)]
struct Component {
    id: String,
    role: String,
    #[serde(default)]
    profile: String,
    #[serde(default)]
    operations: Vec<String>,
    #[serde(default)]
    content_types: Vec<String>,
    #[serde(default)]
    produces: Vec<String>,
    #[serde(default)]
    hooks: Vec<serde::de::IgnoredAny>,
}

impl Manifest {
    pub(crate) fn read(text: &str) -> Result<Self, PluginError> {
        serde_json::from_str(text).map_err(|source| PluginError::Manifest { source })
    }

    /// Every component has an answer of its role, and every answer a component.
    pub(crate) fn check(&self, registered: &BTreeMap<String, Role>) -> Result<(), PluginError> {
        for Component { id, role, .. } in &self.components {
            let found = registered.get(id).map_or("nothing under that id", Role::name);
            if found != role {
                let (id, role) = (id.clone(), role.clone());
                return Err(PluginError::Component { id, role, registered: found });
            }
        }
        let unnamed = registered.keys().find(|id| self.components.iter().all(|c| c.id != **id));
        unnamed.map_or(Ok(()), |id| Err(PluginError::Unnamed { id: id.clone() }))
    }

    /// Whoever names migrations runs them, and the other way round.
    pub(crate) fn check_migrations(&self, registered: bool) -> Result<(), PluginError> {
        agree("migrations", !self.migrations.is_empty(), registered)
    }

    /// Whoever subscribes to hooks answers them, and the other way round.
    pub(crate) fn check_hooks(&self, registered: bool) -> Result<(), PluginError> {
        let named = self.components.iter().any(|component| !component.hooks.is_empty());
        agree("hooks", named, registered)
    }

    pub(crate) fn migrations(&self) -> v1::MigrationsResponse {
        let wire = |it: &Migration| v1::Migration { number: it.number, name: it.name.clone() };
        v1::MigrationsResponse {
            migrations: self.migrations.iter().map(wire).collect(),
            fast_forward: self.fast_forward,
            removed_up_to: self.removed_up_to,
            removed_hint: self.removed_hint.clone(),
        }
    }

    /// What the migration of this number does.
    pub(crate) fn migration(&self, number: u32) -> Option<&str> {
        let found = self.migrations.iter().find(|migration| migration.number == number);
        found.map(|migration| migration.name.as_str())
    }

    pub(crate) fn describe(&self, types: &[TypeDefinition]) -> v1::DescribeResponse {
        let components = self.components.iter().map(Component::describe).collect();
        v1::DescribeResponse {
            name: self.name.clone(),
            version: self.version.clone(),
            components,
            types: types.iter().map(|kind| kind.id.clone()).collect(),
            features: Vec::new(),
        }
    }
}

fn agree(what: &'static str, named: bool, registered: bool) -> Result<(), PluginError> {
    match (named, registered) {
        (true, false) => Err(PluginError::Unregistered { what }),
        (false, true) => Err(PluginError::NotNamed { what }),
        _ => Ok(()),
    }
}

impl Component {
    fn describe(&self) -> v1::Component {
        let mut types = self.content_types.clone();
        types.extend(self.produces.iter().filter(|t| !self.content_types.contains(t)).cloned());
        v1::Component {
            id: self.id.clone(),
            role: self.role.clone(),
            profile: self.profile.clone(),
            operations: self.operations.clone(),
            types,
        }
    }
}

/// What the plugin itself goes by of a type definition.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct TypeDefinition {
    pub(crate) id: String,
    unit_key: KeyFields,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum KeyFields {
    One(KeyField),
    Many(Vec<KeyField>),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum KeyField {
    Plain(String),
    Ruled { name: String, from: Option<String> },
}

impl TypeDefinition {
    /// The fields of the key, each with whether the host can fill it.
    pub(crate) fn key_fields(&self) -> impl Iterator<Item = (&str, bool)> {
        let fields = match &self.unit_key {
            KeyFields::One(field) => std::slice::from_ref(field),
            KeyFields::Many(fields) => fields.as_slice(),
        };
        fields.iter().map(|field| match field {
            KeyField::Plain(name) => (name.as_str(), false),
            KeyField::Ruled { name, from } => (name.as_str(), from.is_some()),
        })
    }
}

pub(crate) fn read_types(texts: &[String]) -> Result<Vec<TypeDefinition>, PluginError> {
    #[derive(Deserialize)]
    struct Document {
        types: Vec<TypeDefinition>,
    }
    let mut types = Vec::new();
    for text in texts {
        let document: Document =
            serde_json::from_str(text).map_err(|source| PluginError::Types { source })?;
        types.extend(document.types);
    }
    Ok(types)
}
