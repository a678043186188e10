//! `wharf build` and `wharf targets`.

use std::io::Read as _;
use std::path::Path;

use super::attach::settings;
use super::run;
use crate::api::{BuildRequest, BuildTemplate, Building, Job, JobState, Target};
use crate::app::App;
use crate::args::Build;
use crate::client::encode;
use crate::error::Error;
use crate::exit::Exit;
use crate::render;
use crate::render::json::BuildLine;
use crate::session::{Need, with_server};

/// The longest template, or file of additions, that is read, in bytes.
const MAX_TEMPLATE: u64 = 4 << 20;

/// `wharf build`
pub(super) async fn build(app: &App, args: Build) -> Result<Exit, Error> {
    let body = BuildRequest {
        template: args.template.as_deref().map(template).transpose()?,
        base: args.base,
        targets: args.targets,
        parameters: settings(args.parameters)?,
        additions: args.additions.as_deref().map(read).transpose()?.unwrap_or_default(),
        builders: args.builders,
        rebuild: args.rebuild,
        push: args.push,
        snapshot: args.snapshot,
        callbacks: args.callbacks.wanted(),
    };
    with_server(app, Need::Jobs, async |session| {
        if !args.waiting.stays() {
            run::can_leave(session)?;
        }
        let guard = app.interrupts.guard();
        let path = format!("repositories/{}/build", encode(&args.repo));
        let building: Building = session.client.post(&path, &body).await?;
        if let Some(base) = building.base.filter(|_| body.base.is_none()) {
            app.output.note(&render::image::there(base))?;
        }
        let base = building.base;
        if !args.waiting.stays() {
            for job in &building.jobs {
                run::left(app, job)?;
            }
            tell(app, base, building.jobs.first(), &building.jobs)?;
            return Ok(Exit::DONE);
        }
        let mut ended: Vec<Job> = Vec::with_capacity(building.jobs.len());
        for job in building.jobs {
            ended.push(run::follow(app, session, Some(&guard), job).await?);
        }
        for job in &ended {
            if waited_for_one_of(&ended, job) {
                run::tell_account(app, session, job)?;
            } else {
                run::tell_one(app, session, job)?;
            }
        }
        let worst = run::worst(&ended);
        tell(app, base, worst, &ended)?;
        Ok(worst.map_or(Exit::DONE, Exit::of_job))
    })
    .await
}

/// Whether it was skipped because of another of these jobs, which tells why.
fn waited_for_one_of(jobs: &[Job], job: &Job) -> bool {
    let after = job.subject.as_ref().and_then(|subject| subject.after);
    job.state == JobState::Skipped && jobs.iter().any(|other| Some(other.id) == after)
}

/// Tells programs, in one form whatever the number of jobs.
fn tell(app: &App, base: Option<i64>, worst: Option<&Job>, jobs: &[Job]) -> Result<(), Error> {
    if app.output.is_json() {
        app.output.json(&BuildLine::new(base, worst, jobs))?;
    }
    Ok(())
}

fn template(path: &Path) -> Result<BuildTemplate, Error> {
    let name = if path == Path::new("-") { None } else { path.file_name() };
    let name = name.unwrap_or_default().to_string_lossy().into_owned();
    Ok(BuildTemplate { name, text: read(path)? })
}

/// The text of a file, or of standard input.
fn read(path: &Path) -> Result<String, Error> {
    let unreadable = |source| Error::File { action: "read", path: path.to_owned(), source };
    let mut text = String::new();
    let read = if path == Path::new("-") {
        std::io::stdin().take(MAX_TEMPLATE + 1).read_to_string(&mut text)
    } else {
        let file = std::fs::File::open(path).map_err(unreadable)?;
        file.take(MAX_TEMPLATE + 1).read_to_string(&mut text)
    };
    read.map_err(unreadable)?;
    if text.len() as u64 > MAX_TEMPLATE {
        return Err(Error::usage(
            format!("{} has more than {MAX_TEMPLATE} bytes", path.display()),
            "a template names large files by their addresses: type=\"url\"",
        ));
    }
    Ok(text)
}

/// `wharf targets`
pub(super) async fn targets(app: &App) -> Result<Exit, Error> {
    with_server(app, Need::Answers, async |session| {
        let targets: Vec<Target> = session.client.get("targets").await?;
        if app.output.is_json() {
            app.output.json(&targets)?;
        } else if targets.is_empty() {
            app.output.note(
                "no installed plugin builds images; `wharf plugin list` shows what is installed",
            )?;
        } else {
            app.output.data(&render::image::targets(&targets, app.terminal.width))?;
        }
        Ok(Exit::DONE)
    })
    .await
}
