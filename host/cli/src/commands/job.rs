//! `wharf job ...`

use serde_json::json;

use super::{callback, run};
use crate::api::Job;
use crate::app::App;
use crate::args::JobList;
use crate::client::encode;
use crate::error::Error;
use crate::exit::Exit;
use crate::render;
use crate::render::json::JobLine;
use crate::session::{Need, with_server};

/// `wharf job list`
pub(super) async fn list(app: &App, args: JobList) -> Result<Exit, Error> {
    with_server(app, Need::Answers, async |session| {
        let mut path = format!("jobs?limit={}", args.limit);
        for (name, value) in [("repository", &args.repo), ("state", &args.state)] {
            if let Some(value) = value {
                path = format!("{path}&{name}={}", encode(value));
            }
        }
        let jobs: Vec<Job> = session.client.get(&path).await?;
        if app.output.is_json() {
            let jobs: Vec<JobLine> = jobs.iter().map(JobLine::from).collect();
            app.output.json(&json!({ "jobs": jobs }))?;
        } else if jobs.is_empty() {
            app.output.note("no such jobs")?;
        } else {
            app.output.data(&render::job::table(&jobs, &app.clock(), app.terminal.width))?;
        }
        Ok(Exit::DONE)
    })
    .await
}

/// `wharf job show`
pub(super) async fn show(app: &App, id: i64) -> Result<Exit, Error> {
    with_server(app, Need::Answers, async |session| {
        let job: Job = session.client.get(&format!("jobs/{id}")).await?;
        if app.output.is_json() {
            app.output.json(&JobLine::from(&job))?;
        } else {
            let callbacks = callback::of_job(session, id).await?;
            app.output.data(&render::job::details(&job, &callbacks, &app.clock()))?;
        }
        Ok(Exit::DONE)
    })
    .await
}

/// `wharf job logs`: lines as they come; in JSON one object a line, the job last.
pub(super) async fn logs(app: &App, id: i64, follow: bool) -> Result<Exit, Error> {
    with_server(app, Need::Answers, async |session| {
        let mut from = 0;
        let mut empty = true;
        loop {
            let page = session.client.logs(id, from, follow).await?;
            let clock = app.clock();
            for line in &page.lines {
                if app.output.is_json() {
                    app.output.json(line)?;
                } else {
                    app.output.data(&render::log::line(line, &clock))?;
                }
            }
            app.output.flush()?;
            empty = empty && page.lines.is_empty();
            let progressed = page.next > from;
            from = page.next;
            if page.ended || !(follow || progressed) {
                break;
            }
        }
        if app.output.is_json() {
            let job: Job = session.client.get(&format!("jobs/{id}")).await?;
            app.output.json(&JobLine::from(&job))?;
        } else if empty && !app.output.quiet {
            app.output.tell(&format!("the log of job {id} is empty"));
        }
        Ok(Exit::DONE)
    })
    .await
}

/// `wharf job cancel`: done when the job has ended.
pub(super) async fn cancel(app: &App, id: i64) -> Result<Exit, Error> {
    with_server(app, Need::Answers, async |session| {
        let guard = app.interrupts.guard();
        let before: Job = session.client.get(&format!("jobs/{id}")).await?;
        let job = if before.state.is_final() {
            before
        } else {
            let job = session.client.cancel(id).await?;
            run::follow(app, session, Some(&guard), job).await?
        };
        app.output.note(&format!("job {id} {}", job.state.as_str()))?;
        if app.output.is_json() {
            app.output.json(&JobLine::from(&job))?;
        }
        Ok(Exit::DONE)
    })
    .await
}
