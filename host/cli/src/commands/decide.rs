//! Folders with `on_conflict=ask`: who sits at the terminal decides about each file that was changed here and upstream,
//! and then the folder is brought up to date.
//!
//! A run that does nothing tells the files first. Where nobody can be asked, and in the form for programs, such a file
//! stays as it is with upstream's beside it, as with `keep-local`, and that is told.

use serde_json::{Value, json};

use super::{folder, run, secret};
use crate::api::{Attachment, Job, JobState, PublishRequest, Repository, Resolution};
use crate::app::App;
use crate::client::encode;
use crate::error::Error;
use crate::interrupts::Guard;
use crate::render;
use crate::render::text::{exact, many};
use crate::session::Session;

const SETTING: &str = "on_conflict";
/// What can be answered: by the first letter.
const ANSWERS: [&str; 4] = ["local", "remote", "both", "not now"];

/// Whether conflicts of this folder are to be asked about.
pub(super) fn asks(attachment: &Attachment) -> bool {
    folder::is_folder(&attachment.component)
        && attachment.settings.get(SETTING).and_then(Value::as_str) == Some("ask")
}

/// The folders that a run concerns and that ask.
pub(super) fn asking<'a>(repository: &'a Repository, body: &PublishRequest) -> Vec<&'a Attachment> {
    let short = |address: &str| address.trim_start_matches("wharf.").to_owned();
    let meant = |attachment: &&Attachment| {
        let through = body.through.as_deref().map(short);
        through.is_none_or(|through| through == short(&render::repo::address(attachment)))
    };
    let settled = body.settings.contains_key(SETTING);
    let folders = repository.attachments.iter().filter(|it| !settled && asks(it));
    folders.filter(meant).collect()
}

/// Brings one of them up to date.
pub(super) async fn publish(
    app: &App,
    session: &Session,
    guard: &Guard<'_>,
    repository: &Repository,
    attachment: &Attachment,
    mut body: PublishRequest,
) -> Result<Vec<Job>, Error> {
    body.through = Some(render::repo::address(attachment));
    if app.output.is_json() || !secret::can_ask() {
        body.settings.insert(SETTING.to_owned(), json!("keep-local"));
        let jobs = publish_now(app, session, guard, repository, &body).await?;
        tell_kept(app, repository, &jobs);
        return Ok(jobs);
    }
    let callbacks = Vec::new();
    let dry = PublishRequest { dry_run: true, callbacks, ..body.clone() };
    let told = publish_now(app, session, guard, repository, &dry).await?;
    if told.iter().any(|job| job.state != JobState::Succeeded) {
        return Ok(told);
    }
    for path in told.iter().flat_map(conflicts) {
        let question = format!(
            "{}: {} was changed here and upstream. Keep (l)ocal, take (r)emote, keep (b)oth, (n)ot now? ",
            exact(&repository.name),
            exact(path)
        );
        let answer = tokio::select! {
            answer = secret::word(&question, &ANSWERS) => answer?,
            () = guard.first() => return Err(Error::Interrupted),
        };
        body.resolve.extend(resolution(answer).map(|resolution| (path.to_owned(), resolution)));
    }
    publish_now(app, session, guard, repository, &body).await
}

async fn publish_now(
    app: &App,
    session: &Session,
    guard: &Guard<'_>,
    repository: &Repository,
    body: &PublishRequest,
) -> Result<Vec<Job>, Error> {
    let path = format!("repositories/{}/publish", encode(&repository.name));
    let jobs: Vec<Job> = session.client.post(&path, body).await?;
    let mut ended = Vec::with_capacity(jobs.len());
    for job in jobs {
        ended.push(run::follow(app, session, Some(guard), job).await?);
    }
    Ok(ended)
}

fn resolution(answer: &str) -> Option<Resolution> {
    match answer {
        "local" => Some(Resolution::Local),
        "remote" => Some(Resolution::Remote),
        "both" => Some(Resolution::Both),
        _ => None,
    }
}

/// The files that a dry run says are in conflict.
fn conflicts(job: &Job) -> impl Iterator<Item = &str> {
    let summary = job.result.as_ref().map(|result| &result.summary);
    let files = summary.and_then(|it| it.get("files")?.as_array()).into_iter().flatten();
    files
        .filter(|file| file.get("action").and_then(Value::as_str) == Some("conflict"))
        .filter_map(|file| file.get("path")?.as_str())
}

fn tell_kept(app: &App, repository: &Repository, jobs: &[Job]) {
    let results = jobs.iter().filter_map(|job| job.result.as_ref());
    let beside = |it: &crate::api::JobResult| it.summary.get("counts")?.get("beside")?.as_u64();
    let count: u64 = results.filter_map(beside).sum();
    if count > 0 {
        app.output.tell(&format!(
            "{}: nobody can be asked here (on_conflict=ask), so {} changed here and upstream stayed, with upstream's \
             beside it",
            exact(&repository.name),
            many(count, "file", "files")
        ));
    }
}
