//! Asking a plugin about settings: before they are stored, before a run, and when a user wants to know.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;
use wharf_proto::v1;
use wharf_store::model::{Attachment, AttachmentId, Repository, RepositoryId};
use wharf_supervisor::{Component, Installed, Lease, calls};

use super::settings::{Fault, refused};
use super::{Bound, schema};
use crate::engine::Inner;
use crate::host_service::Rights;
use crate::problem::Problem;
use crate::staging::Folder;

/// How long a plugin may take to check settings. It may ask a server.
const CHECK: Duration = Duration::from_secs(30);

/// What a plugin says of settings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// Whose settings they are: `smb.importer@school`, with the repository if they are bound to one.
    pub of: String,
    /// What is wrong: field and reason. Empty: the settings are good.
    pub errors: Vec<(String, String)>,
    /// What deserves a look.
    pub warnings: Vec<(String, String)>,
}

/// What is to be checked.
pub(super) struct Question<'a> {
    pub(super) plugin: &'a Arc<Installed>,
    pub(super) component: &'a Component,
    pub(super) scope: v1::CheckScope,
    /// Empty for an instance.
    pub(super) repository: &'a str,
    pub(super) values: Map<String, Value>,
}

/// Asks the plugin about its part of the settings; answers them as they are to be kept.
///
/// # Errors
/// `usage.settings`, naming every field that the plugin does not like.
pub(super) async fn check(
    engine: &Inner,
    question: Question<'_>,
) -> Result<Map<String, Value>, Problem> {
    let values = question.values.clone();
    let id = question.component.id.clone();
    let Some(answer) = ask(engine, question).await? else { return Ok(values) };
    if !answer.errors.is_empty() {
        let faults = answer.errors.into_iter();
        let faults: Vec<Fault> =
            faults.map(|error| Fault { field: error.field, message: error.message }).collect();
        return Err(refused(&faults));
    }
    for warning in answer.warnings {
        tracing::warn!(component = %id, field = %warning.field, "{}", warning.message);
    }
    match crate::convert::json_object(&answer.normalised, "CheckResponse.normalised")? {
        Some(Value::Object(normalised)) => Ok(normalised),
        _ => Ok(values),
    }
}

/// Asks the plugin, and tells what it says.
pub(super) async fn report(
    engine: &Inner,
    of: String,
    question: Question<'_>,
) -> Result<CheckReport, Problem> {
    let answer = ask(engine, question).await?.unwrap_or_default();
    let told = |problems: Vec<v1::FieldProblem>| {
        let told = |it: v1::FieldProblem| (it.field.trim_start_matches('/').to_owned(), it.message);
        problems.into_iter().map(told).collect()
    };
    Ok(CheckReport { of, errors: told(answer.errors), warnings: told(answer.warnings) })
}

/// None: the plugin checks nothing. What it answers holds no secret that it was handed.
async fn ask(engine: &Inner, question: Question<'_>) -> Result<Option<v1::CheckResponse>, Problem> {
    let Question { plugin, component, scope, repository, values } = question;
    let process = engine.supervisor.lease(plugin).await?;
    let schema = schema::effective(component);
    let secrets: BTreeSet<String> =
        schema::secrets(schema.as_ref(), &values).map(|(_key, name)| name.to_owned()).collect();
    let settings = Value::Object(values).to_string();
    let cancel = engine.stop.child_token();
    let grant = if secrets.is_empty() {
        None
    } else {
        let rights = rights(&process, settings.clone(), secrets, cancel.clone());
        Some(engine.grants.grant(rights)?)
    };
    let context = grant.as_ref().map(|grant| v1::JobContext {
        host_address: process.host_address().unwrap_or_default().to_owned(),
        token: grant.token().to_owned(),
        deadline_ms: u64::try_from(CHECK.as_millis()).unwrap_or(u64::MAX),
        ..v1::JobContext::default()
    });
    let request = v1::CheckRequest {
        component: component.id.clone(),
        scope: scope.into(),
        values: settings,
        repository: repository.to_owned(),
        previous: String::new(),
        context,
    };
    let bounds = calls::Bounds::new(CHECK).cancel(cancel);
    let redactor = &engine.secrets.redactor;
    let mut answer = match calls::check(&process, request, &bounds).await {
        Ok(answer) => answer,
        Err(calls::CallError::Unimplemented { .. }) => return Ok(None),
        Err(error) => return Err(redactor.problem(error.into())),
    };
    for problem in answer.errors.iter_mut().chain(&mut answer.warnings) {
        problem.message = redactor.text(&problem.message).into_owned();
    }
    if redactor.text(&answer.normalised) != answer.normalised {
        return Err(Problem::protocol("the plugin put a secret into its settings")
            .at(plugin.manifest.name.clone()));
    }
    Ok(Some(answer))
}

/// No job, no repository: secrets and settings alone.
fn rights(
    process: &Lease,
    settings: String,
    secrets: BTreeSet<String>,
    cancel: CancellationToken,
) -> Rights {
    Rights {
        process: process.id(),
        job: 0,
        repository: RepositoryId(0),
        version: 0,
        attachment: AttachmentId(0),
        only: None,
        settings,
        signing_key: None,
        secrets,
        audit: Arc::default(),
        folder: Arc::new(Folder::new(std::path::PathBuf::new())),
        trust: Arc::default(),
        meter: Arc::default(),
        cancel,
    }
}

/// Settings may name only secrets that there are.
///
/// # Errors
/// `usage.settings`, naming the settings, and not what was written there: it may be the secret itself.
pub(super) async fn check_secrets(
    engine: &Inner,
    component: &Component,
    settings: &Map<String, Value>,
) -> Result<(), Problem> {
    let schema = schema::effective(component);
    let mut faults = Vec::new();
    for (key, name) in schema::secrets(schema.as_ref(), settings) {
        if !engine.secrets.has(name).await? {
            let message = "there is no secret of the name that is written here".to_owned();
            faults.push(Fault { field: format!("/{key}"), message });
        }
    }
    if faults.is_empty() {
        return Ok(());
    }
    Err(refused(&faults).help(
        "`wharf secret set NAME` keeps a value, `wharf secret list` shows the names; the value itself never goes here",
    ))
}

impl Inner {
    /// Has a plugin check the settings of a binding.
    pub(crate) async fn check_attachment(
        &self,
        repository: &Repository,
        attachment: &Attachment,
    ) -> Result<CheckReport, Problem> {
        let bound = Bound::resolve(self, attachment)?;
        let of = format!("{} of {}", attachment.address(), repository.name);
        report(self, of, bound.question(repository)).await
    }
}
