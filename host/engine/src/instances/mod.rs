//! Components bound to repositories: attach, detach, and what a run needs of a binding.

pub(crate) mod settings;

use std::sync::Arc;

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use wharf_proto::v1;
use wharf_store::model::{Attachment, Job, NewAttachment, PathError, RelativePath, Repository};
use wharf_supervisor::{Component, Installed, Role, calls};

use self::settings::{Fault, refused};
use crate::engine::{Engine, Inner};
use crate::fetch::Trust;
use crate::problem::Problem;
use crate::repositories::AttachmentView;

/// How long a plugin may take to check settings.
const CHECK: std::time::Duration = std::time::Duration::from_secs(30);

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

    /// Without the instance.
    pub(crate) fn component(&self) -> String {
        format!("{}.{}", self.plugin, self.component)
    }
}

impl Inner {
    /// A component that can be used.
    pub(crate) fn component(
        &self,
        address: &Address,
    ) -> Result<(&Arc<Installed>, &Component), Problem> {
        let plugin = self.plugin(&address.plugin)?;
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
        let (plugin, component) = engine.component(&address)?;
        if !matches!(component.role, Role::Importer | Role::Distributor) {
            return Err(Problem::usage(
                "usage.role",
                format!("{} is no importer or distributor", address.component()),
            ));
        }
        let schema = component.attachment_schema.as_ref();
        let mut parted = settings::read(component.role, schema, &settings)?;
        parted.plugin = check(engine, plugin, component, &repository, parted.plugin).await?;
        let path = (component.role == Role::Distributor).then(|| {
            let path = parted.host.get("path").and_then(Value::as_str);
            path.map_or_else(|| repository.name.to_string(), str::to_owned)
        });
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
        let wanted = attachments.into_iter().find(|attachment| {
            attachment.component == address.component() && attachment.instance == address.instance
        });
        let wanted = wanted.ok_or_else(|| {
            Problem::usage(
                "not_found.attachment",
                format!("{component} is not attached to {}", repository.name),
            )
        })?;
        Ok(meta.detach(wanted.id).await?)
    }
}

fn checked_base_path(path: &str) -> Result<RelativePath, Problem> {
    let path = path.trim_matches('/');
    path.parse().map_err(|error: PathError| {
        refused(&[Fault { field: "/path".to_owned(), message: error.to_string() }])
    })
}

/// Asks the plugin about its part of the settings.
async fn check(
    engine: &Inner,
    plugin: &Arc<Installed>,
    component: &Component,
    repository: &Repository,
    values: Map<String, Value>,
) -> Result<Map<String, Value>, Problem> {
    let process = engine.supervisor.lease(plugin).await?;
    let request = v1::CheckRequest {
        component: component.id.clone(),
        scope: v1::CheckScope::Attachment.into(),
        values: Value::Object(values.clone()).to_string(),
        repository: repository.name.to_string(),
        previous: String::new(),
    };
    let answer = match calls::check(&process, request, &calls::Bounds::new(CHECK)).await {
        Ok(answer) => answer,
        Err(calls::CallError::Unimplemented { .. }) => return Ok(values),
        Err(error) => return Err(error.into()),
    };
    if !answer.errors.is_empty() {
        let faults: Vec<Fault> = answer
            .errors
            .into_iter()
            .map(|error| Fault { field: error.field, message: error.message })
            .collect();
        return Err(refused(&faults));
    }
    for warning in answer.warnings {
        tracing::warn!(component = %component.id, field = %warning.field, "{}", warning.message);
    }
    match crate::convert::json_object(&answer.normalised, "CheckResponse.normalised")? {
        Some(Value::Object(normalised)) => Ok(normalised),
        _ => Ok(values),
    }
}

/// The repository and the attachment that a job is about.
pub(crate) async fn of_job(engine: &Inner, job: &Job) -> Result<(Repository, Attachment), Problem> {
    let gone = || Problem::usage("not_found.attachment", "what the job was for is gone");
    let meta = &engine.store.meta;
    let attachment = meta.attachment(job.attachment.ok_or_else(gone)?).await?.ok_or_else(gone)?;
    let repository = meta.repository_by_id(attachment.repository).await?.ok_or_else(gone)?;
    Ok((repository, attachment))
}

/// An attachment together with the component that it names.
pub(crate) struct Bound {
    pub(crate) plugin: Arc<Installed>,
    pub(crate) component: Component,
    host: Map<String, Value>,
    own: Map<String, Value>,
}

impl Bound {
    pub(crate) fn resolve(engine: &Inner, attachment: &Attachment) -> Result<Self, Problem> {
        let address = Address::parse(&attachment.component)?;
        let (plugin, component) = engine.component(&address)?;
        let all = attachment.settings.as_object().cloned().unwrap_or_default();
        let schema = component.attachment_schema.as_ref();
        let parted = settings::read(component.role, schema, &all)?;
        Ok(Self {
            plugin: Arc::clone(plugin),
            component: component.clone(),
            host: parted.host,
            own: parted.plugin,
        })
    }

    /// The host's part of the settings.
    pub(crate) fn host_settings<T: serde::de::DeserializeOwned>(&self) -> Result<T, Problem> {
        Ok(serde_json::from_value(Value::Object(self.host.clone()))?)
    }

    /// The plugin's part: a JSON object.
    pub(crate) fn plugin_settings(&self) -> String {
        Value::Object(self.own.clone()).to_string()
    }

    /// Tells whether any setting, or the plugin's version, differs from an earlier run's.
    pub(crate) fn digest(&self) -> String {
        let mut hasher = Sha256::new();
        for part in [&self.host, &self.own] {
            hasher.update(Value::Object(part.clone()).to_string());
            hasher.update([0]);
        }
        hasher.update(self.plugin.manifest.version.to_string());
        wharf_store::model::Digest(hasher.finalize().into()).to_hex()
    }

    /// What downloads of this attachment may reach: what the user typed, and the setting `allow_hosts`.
    pub(crate) fn trust(&self) -> Trust {
        self.trusted(Trust::public())
    }

    /// The same, in addition to what is trusted already.
    pub(crate) fn trusted(&self, trust: Trust) -> Trust {
        let typed = self.own.values().filter_map(Value::as_str).fold(trust, Trust::typed);
        let allowed = self.host.get("allow_hosts").and_then(Value::as_array).into_iter().flatten();
        allowed.filter_map(Value::as_str).fold(typed, Trust::host)
    }
}
