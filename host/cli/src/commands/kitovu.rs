//! `wharf kitovu ...`: reads the file here, by the user who types, and makes what it says over the API.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use wharf_kitovu::{Fault, Instance as Planned, MAX_BYTES, Plan, Repository as PlannedRepository};

use super::{attach, secret};
use crate::api::{
    ChangeInstance, ChangeRepository, CreateInstance, CreateRepository, Instance, Repository,
    Secret,
};
use crate::app::App;
use crate::args::KitovuImport;
use crate::client::{Client, encode};
use crate::error::Error;
use crate::exit::Exit;
use crate::render;
use crate::session::{Need, with_server};

/// The label that says of which subject a repository is.
const LABEL: &str = "subject";

/// `wharf kitovu validate`
pub(super) fn validate(app: &App, file: &Path) -> Result<Exit, Error> {
    let text = read(file)?;
    let (faults, warnings) = match wharf_kitovu::read(&text) {
        Ok(read) => (Vec::new(), read.warnings),
        Err(faults) => (faults, Vec::new()),
    };
    app.output.note(&render::kitovu::checked(file, &faults, &warnings))?;
    if app.output.is_json() {
        let told = |faults: &[Fault]| faults.iter().map(told).collect::<Vec<_>>();
        app.output.json(&json!({
            "file": file, "errors": told(&faults), "warnings": told(&warnings),
        }))?;
    }
    Ok(if faults.is_empty() { Exit::DONE } else { Exit::of_class(crate::api::Class::Usage) })
}

fn told(fault: &Fault) -> Value {
    json!({ "line": fault.at.line, "column": fault.at.column, "message": fault.message })
}

/// `wharf kitovu import`
pub(super) async fn import(app: &App, args: KitovuImport) -> Result<Exit, Error> {
    let plan = plan(app, &args.file)?;
    if args.dry_run {
        app.output.note(&render::kitovu::planned(&plan, "would be made"))?;
        if app.output.is_json() {
            app.output.json(&json!({ "dry_run": true, "plan": plan }))?;
        }
        return Ok(Exit::DONE);
    }
    let asked = ask_for_secrets(app, &plan).await?;
    with_server(app, Need::Answers, async |session| {
        for (name, value) in &asked {
            secret::keep(&session.client, name, value).await?;
        }
        for instance in &plan.instances {
            make_instance(&session.client, instance).await?;
        }
        for repository in &plan.repositories {
            make_repository(&session.client, repository).await?;
        }
        app.output.note(&render::kitovu::planned(&plan, "made"))?;
        if app.output.is_json() {
            app.output.json(&json!({ "dry_run": false, "plan": plan }))?;
        }
        Ok(Exit::DONE)
    })
    .await
}

fn read(file: &Path) -> Result<String, Error> {
    let failed = |source| Error::File { action: "read", path: file.to_path_buf(), source };
    let mut text = String::new();
    let opened = std::fs::File::open(file).map_err(failed)?;
    opened.take(MAX_BYTES as u64 + 1).read_to_string(&mut text).map_err(failed)?;
    Ok(text)
}

fn plan(app: &App, file: &Path) -> Result<Plan, Error> {
    let text = read(file)?;
    let read = wharf_kitovu::read(&text).map_err(|faults| {
        let told = render::bare(&render::kitovu::checked(file, &faults, &[]));
        Error::usage(told, "mend these; `wharf kitovu validate` tells them again")
    })?;
    for warning in &read.warnings {
        app.output.tell(&render::kitovu::fault(file, "warning", warning));
    }
    let base = std::env::current_dir().map_err(|source| Error::File {
        action: "find",
        path: PathBuf::from("."),
        source,
    })?;
    let home = app.environment.home.clone().unwrap_or_else(|| base.clone());
    Ok(wharf_kitovu::plan(&read.config, &home, &base))
}

/// The values of secrets that are not there yet, as the user types them. Nothing is made before all are known.
async fn ask_for_secrets(app: &App, plan: &Plan) -> Result<Vec<(String, String)>, Error> {
    let there: Vec<Secret> =
        with_server(app, Need::Answers, async |session| session.client.get("secrets").await)
            .await?;
    let missing: Vec<&wharf_kitovu::Secret> = plan
        .instances
        .iter()
        .filter_map(|instance| instance.secret.as_ref())
        .filter(|secret| !there.iter().any(|known| known.name == secret.name))
        .collect();
    if !missing.is_empty() && !secret::can_ask() {
        let names: Vec<&str> = missing.iter().map(|secret| secret.name.as_str()).collect();
        return Err(Error::usage(
            format!("these secrets are not set: {}", names.join(", ")),
            format!("set each first: wharf secret set {} -", names.first().unwrap_or(&"NAME")),
        ));
    }
    let mut asked = Vec::new();
    for wanted in missing {
        let question = format!("Enter the {}: ", render::text::one_line(&wanted.what));
        asked.push((wanted.name.clone(), secret::ask(app, &question).await?));
    }
    Ok(asked)
}

/// Makes an instance, or gives the one that is there these settings and no others.
async fn make_instance(client: &Client, planned: &Planned) -> Result<(), Error> {
    let Planned { name, component, settings, .. } = planned;
    let all: Vec<Instance> = client.get("instances").await?;
    let Some(there) = all.into_iter().find(|instance| instance.name == *name) else {
        let (name, component, settings) = (name.clone(), component.clone(), settings.clone());
        let body = CreateInstance { name, component, settings };
        client.post::<Instance>("instances", &body).await?;
        return Ok(());
    };
    if there.component != *component {
        return Err(Error::usage(
            format!("the instance {name} is one of {}, and not of {component}", there.component),
            "give the connection another name, or remove the instance",
        ));
    }
    let gone = there.settings.keys().filter(|key| !settings.contains_key(*key));
    let mut changed: Map<String, Value> = gone.map(|key| (key.clone(), Value::Null)).collect();
    changed.extend(settings.clone());
    let body = ChangeInstance { settings: changed };
    client.patch::<Instance>(&format!("instances/{}", encode(name)), &body).await?;
    Ok(())
}

/// Makes a repository, or takes the one that is there if it is of this subject, and attaches importer and folder.
async fn make_repository(client: &Client, planned: &PlannedRepository) -> Result<(), Error> {
    let all: Vec<Repository> = client.get("repositories").await?;
    let name = &planned.name;
    match all.iter().find(|repository| repository.name == *name) {
        None => {
            let body = CreateRepository { name: name.clone(), types: Vec::new() };
            client.post::<Repository>("repositories", &body).await?;
            let labels = [(LABEL.to_owned(), Some(planned.subject.clone()))].into();
            let body = ChangeRepository { labels, ..ChangeRepository::default() };
            client.patch::<Repository>(&format!("repositories/{}", encode(name)), &body).await?;
        }
        Some(there) if there.labels.get(LABEL) == Some(&planned.subject) => {}
        Some(_other) => {
            return Err(Error::usage(
                format!(
                    "there is a repository {name} already, which is not of the subject {}",
                    planned.subject
                ),
                format!(
                    "delete it, or say that it is: wharf repo label {name} {LABEL}={}",
                    planned.subject
                ),
            ));
        }
    }
    attach::put(client, name, &planned.importer, &planned.settings).await?;
    let path = planned.folder.to_string_lossy().into_owned();
    let folder = Map::from_iter([("path".to_owned(), Value::from(path))]);
    attach::put(client, name, "folder", &folder).await?;
    Ok(())
}
