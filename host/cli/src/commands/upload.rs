//! `wharf upload`: files become units of a repository, all in one version.
//!
//! Every file is hashed first. That digest is announced, so the server holds what came against it, and it is what an
//! upload that broke off is known by: the same command goes on with it.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::{attach, repo, run, uploads as unfinished};
use crate::api::{
    Attachment, CreateRepository, CreateUpload, ImportRequest, ImportUpload, Job, Plugin, Progress,
    Repository, Upload as Begun,
};
use crate::app::App;
use crate::args::Upload;
use crate::client::{Client, Outgoing, encode};
use crate::error::Error;
use crate::exit::Exit;
use crate::render::json::UploadLine;
use crate::render::progress::Bar;
use crate::session::{Need, Session, with_server};

/// `wharf upload`
pub(super) async fn upload(app: &App, args: Upload) -> Result<Exit, Error> {
    if args.unfinished {
        return unfinished::list(app, &args.name).await;
    }
    if !args.forget.is_empty() {
        return unfinished::forget(app, &args.name, &args.forget).await;
    }
    let key = attach::settings(args.key.clone())?;
    let attributes = attach::settings(args.settings.clone())?;
    let bar = Bar::new(&app.terminal, app.output.quiet);
    let mut files = Vec::with_capacity(args.files.len());
    let mut names = HashSet::new();
    for path in &args.files {
        bar.say(&format!("reading {}", path.display()));
        let file = Outgoing::read(path).await?;
        if !names.insert(file.name.clone()) {
            return Err(Error::usage(
                format!("two files are called {}", file.name),
                "upload them one after the other",
            ));
        }
        files.push(file);
    }
    drop(bar);
    with_server(app, Need::Jobs, async |session| {
        prepare(&session.client, &args).await?;
        let (component, kind) = (args.component.clone(), args.kind.clone().unwrap_or_default());
        let uploads = send(app, session, (&args.name, component, kind), &files).await?;
        let request = ImportRequest {
            uploads: uploads.iter().map(|it| ImportUpload { id: it.id, name: None }).collect(),
            component: args.component.clone(),
            kind: args.kind.clone().unwrap_or_default(),
            key: key.clone(),
            attributes: attributes.clone(),
        };
        import(app, session, &args.name, &request).await
    })
    .await
}

/// Sends files into a repository, one after the other; for a component, if one is named, as units of a type.
pub(super) async fn send(
    app: &App,
    session: &Session,
    (name, component, kind): (&str, Option<String>, String),
    files: &[Outgoing],
) -> Result<Vec<Begun>, Error> {
    let client = &session.client;
    let place = format!("repositories/{}/uploads", encode(name));
    let mut unfinished: Vec<Begun> = client.get(&place).await?;
    let bar = Bar::new(&app.terminal, app.output.quiet);
    let total: u64 = files.iter().map(|file| file.size).sum();
    let mut before = 0;
    let mut sent = Vec::with_capacity(files.len());
    for (number, file) in files.iter().enumerate() {
        let same = |it: &Begun| {
            it.name == file.name
                && it.size == Some(file.size)
                && it.sha256.as_ref() == Some(&file.sha256)
        };
        let begun = if let Some(place) = unfinished.iter().position(same) {
            unfinished.swap_remove(place)
        } else {
            let announced = announced(component.clone(), kind.clone(), file);
            client.post(&place, &announced).await?
        };
        let shown = |received: u64| {
            bar.steps(
                name,
                &Progress {
                    phase: "uploading".to_owned(),
                    done: number as u64,
                    total: Some(files.len() as u64),
                    unit: "files".to_owned(),
                    bytes: before + received,
                    bytes_total: Some(total),
                    activity: file.name.clone(),
                    ..Progress::default()
                },
            );
        };
        sent.push(client.send_file(file, begun, shown).await?);
        before += file.size;
    }
    Ok(sent)
}

fn announced(component: Option<String>, kind: String, file: &Outgoing) -> CreateUpload {
    let (size, sha256) = (Some(file.size), Some(file.sha256.clone()));
    CreateUpload { name: file.name.clone(), size, sha256, component, kind }
}

/// Waits for the version, and for the publications that the importer's `auto_publish` asks for.
async fn import(
    app: &App,
    session: &Session,
    name: &str,
    request: &ImportRequest,
) -> Result<Exit, Error> {
    let guard = app.interrupts.guard();
    let path = format!("repositories/{}/import", encode(name));
    let job: Job = session.client.post(&path, request).await?;
    let job = run::follow(app, session, Some(&guard), job).await?;
    run::tell_one(app, session, &job)?;
    let mut published = Vec::new();
    for id in job.result.iter().flat_map(|result| result.follow_ups.iter()) {
        let next: Job = session.client.get(&format!("jobs/{id}")).await?;
        let next = run::follow(app, session, Some(&guard), next).await?;
        run::tell_one(app, session, &next)?;
        published.push(next);
    }
    let worst = published.iter().chain([&job]).max_by_key(|job| Exit::of_job(job).gravity());
    let worst = worst.unwrap_or(&job);
    if app.output.is_json() {
        app.output.json(&UploadLine::new(&job, &published, worst))?;
    }
    Ok(Exit::of_job(worst))
}

/// Makes the repository, and attaches what the user named, as far as that lacks.
async fn prepare(client: &Client, args: &Upload) -> Result<(), Error> {
    let repository = match repo::get(client, &args.name).await {
        Ok(repository) => Some(repository),
        Err(Error::Problem(problem)) if problem.code == "not_found.repository" => None,
        Err(error) => return Err(error),
    };
    let named = args.component.is_some() || args.kind.is_some();
    let imports = |it: &Attachment| it.role == "importer";
    let complete = repository.as_ref().is_some_and(|it| it.attachments.iter().any(imports));
    // What is attached is left as it is: whether it takes this is for the server to say.
    if complete || (repository.is_some() && !named) {
        return Ok(());
    }
    let plugins: Vec<Plugin> = client.get("plugins").await?;
    let (importer, distributor) = wanted(&plugins, args)?;
    let repository: Repository = if let Some(repository) = repository {
        repository
    } else {
        let body = CreateRepository { name: args.name.clone(), types: Vec::new() };
        client.post("repositories", &body).await?
    };
    let settings = Map::from_iter([("auto_publish".to_owned(), Value::Bool(true))]);
    attach::put(client, &args.name, &importer, &settings).await?;
    let publishes = repository.attachments.iter().any(|it| it.role == "distributor");
    if let Some(distributor) = distributor.filter(|_| !publishes) {
        attach::put(client, &args.name, &distributor, &Map::new()).await?;
    }
    Ok(())
}

/// The importer that the user means, and the distributor of its plugin.
fn wanted(plugins: &[Plugin], args: &Upload) -> Result<(String, Option<String>), Error> {
    let mut offered = Vec::new();
    for plugin in plugins {
        let importers = plugin.components.iter().filter(|component| {
            component.role == "importer" && component.operations.iter().any(|it| it == "upload")
        });
        for importer in importers {
            let address = format!("{}.{}", plugin.name, importer.id);
            let by_name = args.component.as_ref().is_some_and(|it| *it == address);
            let by_type = args.component.is_none()
                && args.kind.as_ref().is_some_and(|kind| importer.types.contains(kind));
            if by_name || by_type {
                let distributor = plugin.components.iter().find(|it| it.role == "distributor");
                let distributor = distributor.map(|it| format!("{}.{}", plugin.name, it.id));
                return Ok((address, distributor));
            }
            offered.push(format!("--component {address}"));
        }
    }
    let message = if args.component.is_none() && args.kind.is_none() {
        format!("there is no repository \"{}\"", args.name)
    } else {
        "no plugin takes such uploads".to_owned()
    };
    let help = format!("say what it is to hold, and it is made: {}", offered.join(", "));
    Err(Error::usage(message, help))
}
