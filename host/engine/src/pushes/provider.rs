//! Providers: what a name means, what it takes, and with which settings it is asked.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use wharf_proto::v1;
use wharf_store::model::{Digest, UnitId};
use wharf_supervisor::{Component, Installed};

use crate::builds;
use crate::engine::Inner;
use crate::instances::settings::read_schema;
use crate::instances::{Address, schema};
use crate::problem::Problem;

/// The profile of distributors that bring images elsewhere.
pub(crate) const PROFILE: &str = "push";

/// An instance that images can be pushed to.
pub(crate) struct Provider<'a> {
    pub(super) plugin: &'a Arc<Installed>,
    pub(crate) component: &'a Component,
    pub(super) address: Address,
    settings: Map<String, Value>,
}

/// What a call is made with.
pub(crate) struct Told {
    /// Of the instance.
    pub(super) instance: String,
    /// The same under the parameters of this push.
    pub(super) all: String,
    pub(super) secrets: BTreeSet<String>,
}

impl Inner {
    /// The provider of this name.
    pub(crate) async fn provider(&self, name: &str) -> Result<Provider<'_>, Problem> {
        let named = self.store.meta.instance(name).await?;
        let address = match named {
            Some(instance) => Address::parse(&format!("{}@{name}", instance.component))?,
            None if name.contains('.') => Address::parse(name)?,
            None => return Err(unknown(name)),
        };
        let (plugin, component) = self.component(&address)?;
        if !builds::pushes(component) {
            let message = format!("{address} pushes no images");
            return Err(Problem::usage("usage.role", message)
                .help("`wharf targets` shows the components that do"));
        }
        let settings = self.instance_settings(&address, component).await?;
        Ok(Provider { plugin, component, address, settings })
    }
}

fn unknown(name: &str) -> Problem {
    let shown: String = name.chars().take(80).collect();
    Problem::usage("not_found.provider", format!("there is no provider {shown:?}"))
        .help("`wharf instance list` shows instances; `wharf targets` shows the components that push, of which `wharf instance create` makes one")
}

impl Provider<'_> {
    /// `PLUGIN.COMPONENT@INSTANCE`
    pub(crate) fn words(&self) -> String {
        self.address.to_string()
    }

    /// Component and version, for the record of an image.
    pub(super) fn maker(&self) -> String {
        format!("{} {}", self.address.component(), self.plugin.manifest.version)
    }

    /// The name of the plugin that knows it.
    pub(crate) fn plugin_name(&self) -> &str {
        &self.plugin.manifest.name
    }

    /// As a plugin is told of it.
    pub(crate) fn instance(&self, told: &Told) -> v1::Instance {
        v1::Instance {
            component: self.component.id.clone(),
            name: self.address.instance.clone(),
            settings: told.instance.clone(),
            secrets: told.secrets.iter().cloned().collect(),
        }
    }

    pub(crate) fn takes(&self, target: &str) -> bool {
        builds::takes(self.component, target)
    }

    /// Refuses images that the component's targets leave out.
    pub(crate) fn check_takes(&self, target: &str) -> Result<(), Problem> {
        if self.takes(target) {
            return Ok(());
        }
        let message = format!("{} takes no images for {target}", self.address);
        Err(Problem::usage("usage.provider", message)
            .help("`wharf targets` shows which component pushes what"))
    }

    /// Of what was given, read by the schema of this component's arguments.
    pub(super) fn parameters(
        &self,
        given: &Map<String, Value>,
    ) -> Result<Map<String, Value>, Problem> {
        match &self.component.arguments_schema {
            Some(schema) => read_schema(schema, given),
            None if given.is_empty() => Ok(Map::new()),
            None => {
                let message = format!("{} takes no parameters", self.address.component());
                Err(Problem::usage("usage.settings", message))
            }
        }
    }

    pub(crate) fn told(&self, parameters: &Map<String, Value>) -> Told {
        let mut all = self.settings.clone();
        all.extend(parameters.clone());
        let schemas = [&self.component.instance_schema, &self.component.arguments_schema];
        let named = schemas.into_iter().flat_map(|it| schema::secrets(it.as_ref(), &all));
        Told {
            instance: Value::Object(self.settings.clone()).to_string(),
            secrets: named.map(|(_key, name)| name.to_owned()).collect(),
            all: Value::Object(all).to_string(),
        }
    }

    /// The digest of all that says what lies where: the same image, pushed there in the same way, has the same.
    pub(super) fn recipe(&self, image: UnitId, parameters: &Map<String, Value>) -> String {
        let mut made = Sha256::new();
        for part in [image.0.to_string(), self.address.to_string(), self.told(parameters).all] {
            made.update((part.len() as u64).to_le_bytes());
            made.update(part);
        }
        Digest(made.finalize().into()).to_string()
    }
}
