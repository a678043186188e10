//! Staying with jobs until they end: progress, log lines when asked for, the account at the end.

use crate::api::{Class, Job};
use crate::app::App;
use crate::client::Following;
use crate::error::Error;
use crate::exit::Exit;
use crate::interrupts::Guard;
use crate::render::json::{JobLine, JobLines};
use crate::render::progress::Bar;
use crate::render::{self, LABEL, styled};
use crate::session::Session;

/// Follows a job to its end, showing how far it is. The first signal under `guard` cancels it.
pub(crate) async fn follow(
    app: &App,
    session: &Session,
    guard: Option<&Guard<'_>>,
    job: Job,
) -> Result<Job, Error> {
    let bar = Bar::new(&app.terminal, app.output.quiet);
    let id = job.id;
    let ended = session.client.follow(job, guard, |job, following| match following {
        Following::Goes => bar.job(job),
        Following::Cancels => bar.above(|| {
            app.output.tell(&format!(
                "cancelling job {id}; Ctrl-C again leaves at once, then `wharf job show {id}` tells how it ended"
            ));
        }),
    });
    if app.verbose == 0 {
        return ended.await;
    }
    let (job, ()) = tokio::try_join!(ended, tell_log(app, session, id, &bar))?;
    Ok(job)
}

/// Writes the job's log to standard error while it grows.
async fn tell_log(app: &App, session: &Session, id: i64, bar: &Bar) -> Result<(), Error> {
    let mut from = 0;
    loop {
        let page = session.client.logs(id, from, true).await?;
        let clock = app.clock();
        bar.above(|| {
            for line in &page.lines {
                app.output.tell(&render::log::line(line, &clock));
            }
        });
        from = page.next;
        if page.ended {
            return Ok(());
        }
    }
}

/// Tells how jobs ended, for people and for programs.
pub(super) fn tell(app: &App, session: &Session, jobs: &[Job]) -> Result<Exit, Error> {
    for job in jobs {
        tell_one(app, session, job)?;
    }
    let worst = worst(jobs);
    if app.output.is_json() {
        match jobs {
            [job] => app.output.json(&JobLine::from(job))?,
            jobs => app.output.json(&JobLines::new(worst, jobs))?,
        }
    }
    Ok(worst.map_or(Exit::DONE, Exit::of_job))
}

/// The one that ended worst.
pub(super) fn worst(jobs: &[Job]) -> Option<&Job> {
    jobs.iter().max_by_key(|job| Exit::of_job(job).gravity())
}

/// Tells people how one job ended: the account on standard output, a problem on standard error.
pub(super) fn tell_one(app: &App, session: &Session, job: &Job) -> Result<(), Error> {
    tell_account(app, session, job)?;
    if let Some(problem) = &job.problem {
        let mut text = render::problem::render(problem);
        if problem.class != Class::Cancelled {
            let label = styled(LABEL, "log: ");
            text = format!("{text}\n  {label} wharf job logs {}", job.id);
        }
        app.output.tell(&text);
    }
    Ok(())
}

/// Tells people what one job did, and nothing of what went wrong.
pub(super) fn tell_account(app: &App, session: &Session, job: &Job) -> Result<(), Error> {
    let content = session.status.content.as_deref();
    render::job::ended(job, content).map_or(Ok(()), |text| app.output.note(&text))
}

/// A job's end without being asked to stay: where to look for it.
pub(super) fn leave(app: &App, jobs: &[Job]) -> Result<Exit, Error> {
    for job in jobs {
        left(app, job)?;
    }
    if app.output.is_json() {
        match jobs {
            [job] => app.output.json(&JobLine::from(job))?,
            jobs => app.output.json(&JobLines::new(jobs.first(), jobs))?,
        }
    }
    Ok(Exit::DONE)
}

/// Tells people where to look for a job.
pub(super) fn left(app: &App, job: &Job) -> Result<(), Error> {
    let (id, state) = (job.id, job.state.as_str());
    let what = render::image::about(job).map(|about| format!(", {} {about}", job.operation));
    app.output.note(&format!(
        "job {id}{} {state}: `wharf job show {id}` tells how it goes",
        what.map(|what| what + ",").unwrap_or_default()
    ))
}

/// Refuses to leave a job to a server that ends with this command.
pub(super) fn can_leave(session: &Session) -> Result<(), Error> {
    if session.is_embedded() {
        return Err(Error::usage(
            "no server is running that could go on with the job",
            "start one with `wharf serve`, or leave out --no-wait",
        ));
    }
    Ok(())
}
