//! Named instances: a component with settings of its own, made once and bound to many repositories.

use serde_json::{Map, Value};
use wharf_proto::v1;
use wharf_store::model::{NamedInstance, UnitId};
use wharf_supervisor::{Component, Role};

use super::check::{self, CheckReport, Question};
use super::{Address, layers, schema, settings};
use crate::engine::{Engine, Inner};
use crate::problem::Problem;

/// The name of the instance that every component has by itself.
const DEFAULT: &str = "default";
/// So many images are named that keep an instance.
const SHOWN: usize = 10;

/// An instance, as users see it.
#[derive(Debug, Clone, PartialEq)]
pub struct InstanceView {
    /// Its name.
    pub name: String,
    /// The component's address.
    pub component: String,
    /// Its settings; secrets stand in them by name.
    pub settings: Map<String, Value>,
    /// Milliseconds since 1970.
    pub created_ms: i64,
    /// When the settings were last changed: milliseconds since 1970.
    pub changed_ms: i64,
    /// Repositories that it is bound to.
    pub used_by: Vec<String>,
}

impl From<NamedInstance> for InstanceView {
    fn from(row: NamedInstance) -> Self {
        let NamedInstance { name, component, settings, created_ms, changed_ms, used_by } = row;
        let settings = settings.as_object().cloned().unwrap_or_default();
        Self { name, component, settings, created_ms, changed_ms, used_by }
    }
}

impl Engine {
    /// Makes an instance. Its settings are held against the component's schema and checked by the plugin.
    ///
    /// # Errors
    /// `usage.name`, `usage.settings`, `conflict.exists`, and what makes the component unusable.
    pub async fn create_instance(
        &self,
        name: &str,
        component: &str,
        settings: Map<String, Value>,
    ) -> Result<InstanceView, Problem> {
        if !is_name(name) {
            return Err(bad_name(name));
        }
        let engine = &self.inner;
        if engine.store.meta.instance(name).await?.is_some() {
            return Err(taken(name));
        }
        let address = Address::parse(component)?;
        let settings = engine.checked_instance(&address, settings).await?;
        let made = engine.store.meta.create_instance(name, &address.component(), settings).await?;
        Ok(made.into())
    }

    /// All instances, by name.
    ///
    /// # Errors
    /// `storage.*`.
    pub async fn instances(&self) -> Result<Vec<InstanceView>, Problem> {
        let rows = self.inner.store.meta.instances().await?;
        Ok(rows.into_iter().map(InstanceView::from).collect())
    }

    /// One instance.
    ///
    /// # Errors
    /// `not_found.instance`.
    pub async fn instance(&self, name: &str) -> Result<InstanceView, Problem> {
        Ok(self.inner.named_instance(name).await?.into())
    }

    /// Changes settings of an instance; null takes one away. All repositories that it is bound to have them from the
    /// next run on.
    ///
    /// # Errors
    /// As [`Engine::create_instance`], and `not_found.instance`.
    pub async fn change_instance(
        &self,
        name: &str,
        settings: Map<String, Value>,
    ) -> Result<InstanceView, Problem> {
        let engine = &self.inner;
        let before = InstanceView::from(engine.named_instance(name).await?);
        let mut all = before.settings;
        all.extend(settings);
        let address = Address::parse(&before.component)?;
        let settings = engine.checked_instance(&address, all).await?;
        Ok(engine.store.meta.change_instance(name, settings).await?.into())
    }

    /// Has the plugin check the settings of an instance, as they are stored.
    ///
    /// # Errors
    /// `not_found.instance`, and what the plugin could not even be asked for.
    pub async fn check_instance(&self, name: &str) -> Result<CheckReport, Problem> {
        let engine = &self.inner;
        let instance = InstanceView::from(engine.named_instance(name).await?);
        let address = Address::parse(&instance.component)?;
        let (plugin, component) = engine.component(&address)?;
        let of = format!("{}@{name}", instance.component);
        let schema = component.instance_schema.as_ref();
        let values = settings::read(Role::Builder, schema, &instance.settings)?.plugin;
        check::check_secrets(engine, component, &values).await?;
        let scope = v1::CheckScope::Instance;
        let question = Question { plugin, component, scope, repository: "", values };
        check::report(engine, of, question).await
    }

    /// Deletes an instance that is bound to no repository and has no images.
    ///
    /// # Errors
    /// `not_found.instance`, `conflict.in_use`.
    pub async fn delete_instance(&self, name: &str) -> Result<(), Problem> {
        let engine = &self.inner;
        let NamedInstance { component, used_by, .. } = engine.named_instance(name).await?;
        let images = engine.records_at(&format!("{component}@{name}"), None).await?;
        if let Some(first) = images.first() {
            return Err(has_images(name, &images, *first));
        }
        if engine.store.meta.delete_instance(name).await? {
            return Ok(());
        }
        let message = format!("the instance \"{name}\" is bound to {}", used_by.join(", "));
        let first = used_by.first().map_or("NAME", String::as_str);
        Err(Problem::usage("conflict.in_use", message)
            .help(format!("detach it first: wharf detach {first} {component}@{name}")))
    }
}

impl Inner {
    async fn named_instance(&self, name: &str) -> Result<NamedInstance, Problem> {
        self.store.meta.instance(name).await?.ok_or_else(|| {
            let shown: String = name.chars().take(80).collect();
            Problem::usage("not_found.instance", format!("there is no instance {shown:?}"))
                .help("`wharf instance list` shows those there are")
        })
    }

    /// The settings of the instance that an address names. A name without settings of its own is a mark to tell
    /// bindings apart, where the component asks for none.
    pub(crate) async fn inherited(
        &self,
        address: &Address,
        component: &Component,
    ) -> Result<Option<Map<String, Value>>, Problem> {
        let found = self.store.meta.instance(&address.instance).await?;
        let found = found.filter(|instance| instance.component == address.component());
        if let Some(instance) = found {
            return Ok(instance.settings.as_object().cloned());
        }
        let wants_named = component.instances.as_deref() == Some("named");
        let is_default = address.instance == DEFAULT;
        if (is_default && wants_named) || (!is_default && component.instance_schema.is_some()) {
            let name = if is_default { "NAME" } else { &address.instance };
            let message =
                format!("{} has no instance \"{}\"", address.component(), address.instance);
            return Err(Problem::usage("not_found.instance", message).help(format!(
                "make it: wharf instance create {name} {} --set KEY=VALUE",
                address.component()
            )));
        }
        Ok(None)
    }

    /// The settings of the instance that an address names, held against the component's schema.
    pub(crate) async fn instance_settings(
        &self,
        address: &Address,
        component: &Component,
    ) -> Result<Map<String, Value>, Problem> {
        let inherited = self.inherited(address, component).await?.unwrap_or_default();
        Ok(settings::read(Role::Builder, component.instance_schema.as_ref(), &inherited)?.plugin)
    }

    async fn checked_instance(
        &self,
        address: &Address,
        given: Map<String, Value>,
    ) -> Result<Value, Problem> {
        let (plugin, component) = self.component(address)?;
        let Some(schema) = component.instance_schema.as_ref() else {
            let message = format!("{} has no settings of an instance", address.component());
            return Err(Problem::usage("usage.instance", message).help(format!(
                "attach it as often as you like, with a name of your own: {}@NAME",
                address.component()
            )));
        };
        let given = layers::without_nulls(given);
        // The host owns settings of attachments only.
        let values = settings::read(Role::Builder, Some(schema), &given)?.plugin;
        check::check_secrets(self, component, &values).await?;
        let scope = v1::CheckScope::Instance;
        let question = Question { plugin, component, scope, repository: "", values };
        check::check(self, question).await.map(Value::Object)
    }
}

/// Whether a text can name an instance: it stands behind the `@` of an address.
fn is_name(text: &str) -> bool {
    crate::secrets::is_name(text) && text != DEFAULT
}

fn bad_name(name: &str) -> Problem {
    let shown: String = name.chars().take(80).collect();
    let message = format!(
        "{shown:?} is no name for an instance: use 1 to 64 of A-Z a-z 0-9 . _ -, neither . nor - first, and not \"default\""
    );
    Problem::usage("usage.name", message)
}

fn has_images(name: &str, images: &[UnitId], first: UnitId) -> Problem {
    let mut shown: Vec<String> = images.iter().take(SHOWN).map(UnitId::to_string).collect();
    if images.len() > SHOWN {
        shown.push(format!("and {} more", images.len() - SHOWN));
    }
    let message = format!("images were pushed to the instance \"{name}\": {}", shown.join(", "));
    Problem::usage("conflict.in_use", message).help(format!(
        "take them away there first: wharf image unpublish {first}; what is to stay there is forgotten by \
         wharf unit remove REPOSITORY {first}"
    ))
}

fn taken(name: &str) -> Problem {
    Problem::usage("conflict.exists", format!("there is an instance \"{name}\" already"))
        .help(format!("change it: wharf instance set {name} --set KEY=VALUE"))
}

/// What an attachment keeps of settings that hold those of its instance too: what was given, and what is none of the
/// instance's. What the instance says stays the instance's to change.
pub(super) fn own(
    component: &Component,
    given: &Map<String, Value>,
    mut all: Map<String, Value>,
) -> Map<String, Value> {
    let shared = schema::properties(component.instance_schema.as_ref());
    let is_shared = |key: &String| shared.is_some_and(|shared| shared.contains_key(key));
    all.retain(|key, _value| given.contains_key(key) || !is_shared(key));
    all
}
