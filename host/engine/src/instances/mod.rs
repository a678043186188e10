//! Components bound to repositories: attach, detach, and what a run needs of a binding. Named instances, whose settings
//! lie under those of a binding, are in `named`; what a plugin is asked about settings is in `check`.

mod check;
pub(crate) mod fingerprint;
pub(crate) mod layers;
mod named;
pub(crate) mod schema;
pub(crate) mod settings;

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value};
use wharf_proto::v1;
use wharf_store::model::{Attachment, Job, NewAttachment, PathError, RelativePath, Repository};
use wharf_supervisor::{Component, Installed, Role};

pub use self::check::CheckReport;
use self::check::Question;
use self::fingerprint::Fingerprint;
pub use self::named::InstanceView;
use self::settings::{DistributorSettings, Fault, SIGNING_KEY, refused};
use crate::engine::{Engine, Inner};
use crate::fetch::Trust;
use crate::problem::Problem;
use crate::publish::folder;
use crate::repositories::AttachmentView;
use crate::runs;
use crate::sync::Ignore;

/// An address of a component: `PLUGIN.COMPONENT`, with `@INSTANCE` when there are several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) plugin: String,
    pub(crate) component: String,
    pub(crate) instance: String,
}

impl Address {
    pub(crate) fn parse(text: &str) -> Result<Self, Problem> {
        let (component, instance) = text.split_once('@').unwrap_or((text, "default"));
        // The one component of the host's own has a short name.
        let component = if component == "folder" { folder::COMPONENT } else { component };
        match component.split_once('.') {
            Some((plugin, component))
                if !plugin.is_empty() && !component.is_empty() && !instance.is_empty() =>
            {
                Ok(Self {
                    plugin: plugin.to_owned(),
                    component: component.to_owned(),
                    instance: instance.to_owned(),
                })
            }
            _ => Err(Problem::usage(
                "usage.component",
                format!(
                    "\"{text}\" names no component: write PLUGIN.COMPONENT, as in file.importer"
                ),
            )),
        }
    }

    /// The implicit instance of a component.
    pub(crate) fn default_of(plugin: &str, component: &str) -> Self {
        let [plugin, component, instance] = [plugin, component, "default"].map(str::to_owned);
        Self { plugin, component, instance }
    }

    /// Without the instance.
    pub(crate) fn component(&self) -> String {
        format!("{}.{}", self.plugin, self.component)
    }

    /// Whether it is this one's.
    pub(crate) fn names(&self, attachment: &Attachment) -> bool {
        attachment.component == self.component() && attachment.instance == self.instance
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.instance.as_str() {
            "default" => f.write_str(&self.component()),
            instance => write!(f, "{}@{instance}", self.component()),
        }
    }
}

impl Inner {
    /// A component that can be used.
    pub(crate) fn component(
        &self,
        address: &Address,
    ) -> Result<(&Arc<Installed>, &Component), Problem> {
        component_of(self.plugin(&address.plugin)?, address)
    }
}

fn component_of<'a>(
    plugin: &'a Arc<Installed>,
    address: &Address,
) -> Result<(&'a Arc<Installed>, &'a Component), Problem> {
    let components = &plugin.manifest.components;
    let component = components.iter().find(|component| component.id == address.component);
    let component = component.ok_or_else(|| {
        let names: Vec<String> = components
            .iter()
            .map(|component| format!("{}.{}", address.plugin, component.id))
            .collect();
        Problem::usage(
            "not_found.component",
            format!("plugin {} has no component \"{}\"", address.plugin, address.component),
        )
        .help(format!("it has: {}", names.join(", ")))
    })?;
    Ok((plugin, component))
}

impl Engine {
    /// Binds a component to a repository, or gives an existing binding new settings. `settings` are text as typed, or
    /// values. The plugin checks them before anything is stored.
    pub async fn attach(
        &self,
        repository: &str,
        component: &str,
        settings: Map<String, Value>,
    ) -> Result<AttachmentView, Problem> {
        let engine = &self.inner;
        let address = Address::parse(component)?;
        let repository = engine.repository(repository).await?;
        if address.component() == folder::COMPONENT {
            let given = layers::without_nulls(settings);
            return engine.attach_folder(&address, &repository, &given).await;
        }
        let (plugin, component) = engine.component(&address)?;
        if !matches!(component.role, Role::Importer | Role::Distributor) {
            return Err(Problem::usage(
                "usage.role",
                format!("{} is no importer or distributor", address.component()),
            ));
        }
        let schema = schema::effective(component);
        let given = layers::without_nulls(settings);
        let mut all = engine.inherited(&address, component).await?.unwrap_or_default();
        all.extend(given.clone());
        let mut parted = settings::read(component.role, schema.as_ref(), &all)?;
        check::check_secrets(engine, component, &parted.plugin).await?;
        let question = Question {
            plugin,
            component,
            scope: v1::CheckScope::Attachment,
            repository: &repository.name,
            values: parted.plugin,
        };
        let checked = check::check(engine, question).await?;
        parted.plugin = named::own(component, &given, checked);
        check_signing_key(engine, component, &parted.host).await?;
        check_ignore(component, &parted.host)?;
        let path = (component.role == Role::Distributor).then(|| {
            let path = parted.host.get("path").and_then(Value::as_str);
            path.map_or_else(|| repository.name.to_string(), str::to_owned)
        });
        let own: DistributorSettings = match component.role {
            Role::Distributor => serde_json::from_value(Value::Object(parted.host.clone()))?,
            _ => DistributorSettings::default(),
        };
        if let Some(leader) = &own.after {
            let all = engine.store.meta.attachments(repository.id).await?;
            follows(&address, leader, &all)?;
        }
        let mut all = parted.plugin;
        all.extend(parted.host);
        let attachment = engine
            .store
            .meta
            .attach(
                repository.id,
                NewAttachment {
                    component: address.component(),
                    instance: address.instance,
                    role: component.role.to_string(),
                    settings: Value::Object(all),
                    path: path.map(|path| checked_base_path(&path)).transpose()?,
                },
            )
            .await?;
        Ok(AttachmentView::from(attachment))
    }

    /// Takes a binding away. What it brought in or published before stays.
    pub async fn detach(&self, repository: &str, component: &str) -> Result<(), Problem> {
        let address = Address::parse(component)?;
        let repository = self.inner.repository(repository).await?;
        let meta = &self.inner.store.meta;
        let attachments = meta.attachments(repository.id).await?;
        let wanted = attachments.into_iter().find(|attachment| address.names(attachment));
        let wanted = wanted.ok_or_else(|| {
            Problem::usage(
                "not_found.attachment",
                format!("{component} is not attached to {}", repository.name),
            )
        })?;
        Ok(meta.detach(wanted.id).await?)
    }
}

/// A key that is to sign must be there, and whoever is to use it must be able to.
async fn check_signing_key(
    engine: &Inner,
    component: &Component,
    host: &Map<String, Value>,
) -> Result<(), Problem> {
    let Some(name) = host.get(SIGNING_KEY).and_then(Value::as_str) else { return Ok(()) };
    let refuse = |message: String| refused(&[Fault { field: format!("/{SIGNING_KEY}"), message }]);
    if !component.offers("sign") {
        return Err(refuse(format!("{} does not sign what it publishes", component.id)));
    }
    match engine.keys.view(name).await {
        Ok(_key) => Ok(()),
        Err(problem) => match problem.help {
            Some(help) => Err(refuse(problem.message).help(help)),
            None => Err(refuse(problem.message)),
        },
    }
}

/// What is left out is left out of a listing.
fn check_ignore(component: &Component, host: &Map<String, Value>) -> Result<(), Problem> {
    let Some(entries) = host.get("ignore") else { return Ok(()) };
    let fault = |field: String, message: String| Err(refused(&[Fault { field, message }]));
    if !component.offers("list") {
        let message =
            format!("{} does not list; only importers that do can leave out items", component.id);
        return fault("/ignore".to_owned(), message);
    }
    let entries: Vec<String> = serde_json::from_value(entries.clone())?;
    match Ignore::new(&entries) {
        Ok(_ignore) => Ok(()),
        Err((place, why)) => fault(format!("/ignore/{place}"), why),
    }
}

/// Refuses to come after something that is no distributor here, or that comes after this one itself.
fn follows(own: &Address, leader: &str, all: &[Attachment]) -> Result<(), Problem> {
    let fault = |message: String| refused(&[Fault { field: "/after".to_owned(), message }]);
    let mut next = Some(Address::parse(leader)?);
    for _link in 0..=all.len() {
        let Some(address) = next else { return Ok(()) };
        if address == *own {
            return Err(fault(format!("{own} would come after itself")));
        }
        let found = all.iter().find(|other| other.role == "distributor" && address.names(other));
        let found = found
            .ok_or_else(|| fault(format!("{address} is no distributor of this repository")))?;
        next = runs::after(found);
    }
    Err(fault(format!("{leader} comes after itself")))
}

/// Asks the plugin about settings for one run.
pub(crate) async fn check_bound(
    engine: &Inner,
    bound: &Bound,
    repository: &Repository,
) -> Result<(), Problem> {
    check::check_secrets(engine, &bound.component, &bound.own).await?;
    check::check(engine, bound.question(repository)).await.map(drop)
}

fn checked_base_path(path: &str) -> Result<RelativePath, Problem> {
    let path = path.trim_matches('/');
    path.parse().map_err(|error: PathError| {
        refused(&[Fault { field: "/path".to_owned(), message: error.to_string() }])
    })
}

/// The repository and the attachment that a job is about.
pub(crate) async fn of_job(engine: &Inner, job: &Job) -> Result<(Repository, Attachment), Problem> {
    let gone = || Problem::usage("not_found.attachment", "what the job was for is gone");
    let meta = &engine.store.meta;
    let attachment = meta.attachment(job.attachment.ok_or_else(gone)?).await?.ok_or_else(gone)?;
    let repository = meta.repository_by_id(attachment.repository).await?.ok_or_else(gone)?;
    Ok((repository, attachment))
}

/// What a plugin is told of its settings.
#[derive(Debug, Clone)]
pub(crate) struct PluginSettings {
    /// All of them: a JSON object.
    pub(crate) text: String,
    /// Those that are the instance's: a JSON object.
    pub(crate) of_instance: String,
    /// The secrets that they name.
    pub(crate) secrets: BTreeSet<String>,
}

/// An attachment together with the component that it names.
pub(crate) struct Bound {
    pub(crate) plugin: Arc<Installed>,
    pub(crate) component: Component,
    /// What this run was asked to do, for the next one to compare.
    pub(crate) fingerprint: Fingerprint,
    host: Map<String, Value>,
    own: Map<String, Value>,
}

impl Bound {
    /// For a run, with the settings of the repository.
    pub(crate) fn resolve(engine: &Inner, attachment: &Attachment) -> Result<Self, Problem> {
        Self::overridden(engine, attachment, &Map::new())
    }

    /// With settings that count for one run, before those of the repository.
    pub(crate) fn overridden(
        engine: &Inner,
        attachment: &Attachment,
        overriding: &Map<String, Value>,
    ) -> Result<Self, Problem> {
        let address = Address::parse(&attachment.component)?;
        Self::new(engine.component(&address)?, attachment, overriding)
    }

    /// For its settings alone: its plugin may be behind.
    pub(crate) fn unready(engine: &Inner, attachment: &Attachment) -> Result<Self, Problem> {
        let address = Address::parse(&attachment.component)?;
        let plugin = engine.installed(&address.plugin)?;
        Self::new(component_of(plugin, &address)?, attachment, &Map::new())
    }

    fn new(
        (plugin, component): (&Arc<Installed>, &Component),
        attachment: &Attachment,
        overriding: &Map<String, Value>,
    ) -> Result<Self, Problem> {
        let instance = attachment.instance_settings.as_ref().and_then(Value::as_object);
        let mut stored = instance.cloned().unwrap_or_default();
        stored.extend(attachment.settings.as_object().cloned().unwrap_or_default());
        let all = layers::merge(component.role, &stored, overriding)?;
        let schema = schema::effective(component);
        let parted = settings::read(component.role, schema.as_ref(), &all)?;
        let version = plugin.manifest.version.to_string();
        Ok(Self {
            fingerprint: Fingerprint::new(&stored, overriding, &parted.host, &version),
            plugin: Arc::clone(plugin),
            component: component.clone(),
            host: parted.host,
            own: parted.plugin,
        })
    }

    /// The values that count for these keys, read by the schema's types.
    pub(crate) fn values(&self, keys: &Map<String, Value>) -> Map<String, Value> {
        let value = |key: &String| self.host.get(key).or_else(|| self.own.get(key)).cloned();
        keys.keys().map(|key| (key.clone(), value(key).unwrap_or_default())).collect()
    }

    /// The host's part of the settings.
    pub(crate) fn host_settings<T: serde::de::DeserializeOwned>(&self) -> Result<T, Problem> {
        Ok(serde_json::from_value(Value::Object(self.host.clone()))?)
    }

    /// The plugin's part.
    pub(crate) fn plugin_settings(&self) -> PluginSettings {
        let schema = schema::effective(&self.component);
        let secrets = schema::secrets(schema.as_ref(), &self.own);
        let secrets = secrets.map(|(_key, name)| name.to_owned()).collect();
        let shared = schema::properties(self.component.instance_schema.as_ref());
        let is_shared = |key: &str| shared.is_some_and(|shared| shared.contains_key(key));
        let instance = self.own.iter().filter(|(key, _value)| is_shared(key));
        PluginSettings {
            text: Value::Object(self.own.clone()).to_string(),
            of_instance: instance
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect::<Value>()
                .to_string(),
            secrets,
        }
    }

    /// What the plugin is asked about its settings.
    fn question<'a>(&'a self, repository: &'a Repository) -> Question<'a> {
        Question {
            plugin: &self.plugin,
            component: &self.component,
            scope: v1::CheckScope::Attachment,
            repository: &repository.name,
            values: self.own.clone(),
        }
    }

    /// The key that publications are signed with.
    pub(crate) fn signing_key(&self) -> Option<&str> {
        self.host.get(SIGNING_KEY).and_then(Value::as_str)
    }

    /// What downloads of this attachment may reach: what the user typed, and the setting `allow_hosts`. And whether weak
    /// digests count.
    pub(crate) fn trust(&self) -> Trust {
        self.trusted(Trust::public())
    }

    /// The same, in addition to what is trusted already.
    pub(crate) fn trusted(&self, trust: Trust) -> Trust {
        let typed = self.own.values().filter_map(Value::as_str).fold(trust, Trust::typed);
        let allowed = self.host.get("allow_hosts").and_then(Value::as_array).into_iter().flatten();
        let trust = allowed.filter_map(Value::as_str).fold(typed, Trust::host);
        let weak = self.host.get("allow_weak_digests").and_then(Value::as_bool);
        if weak == Some(true) { trust.weak_digests() } else { trust }
    }
}
