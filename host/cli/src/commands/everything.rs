//! `wharf sync --all`: every repository by its importer, all at the same time, and then every folder.
//!
//! What goes wrong with one repository is that one's: the others go on, and the worst outcome decides the exit status.
//! A folder is left alone when its sync failed, so that nobody takes it for up to date.

use futures_util::future::join_all;
use serde_json::json;

use super::{decide, run};
use crate::api::{Class, Job, JobState, Problem, PublishRequest, Repository, SyncRequest};
use crate::app::App;
use crate::args::Sync;
use crate::client::encode;
use crate::error::Error;
use crate::exit::Exit;
use crate::interrupts::Guard;
use crate::render;
use crate::render::json::JobLine;
use crate::render::progress::Bar;
use crate::session::{Need, Session, with_server};

/// Of an importer that only takes uploads.
const NO_SOURCE: &str = "config.no_source";

/// What came of one repository.
struct Outcome {
    repository: String,
    jobs: Vec<Job>,
    /// Why a job could not even be asked for.
    problem: Option<Problem>,
}

impl Outcome {
    fn exit(&self) -> Exit {
        let refused = self.problem.as_ref().map(|problem| Exit::of_class(problem.class));
        let all = self.jobs.iter().map(Exit::of_job).chain(refused);
        all.max_by_key(|exit| exit.gravity()).unwrap_or(Exit::DONE)
    }

    /// A problem among those of other repositories.
    fn own(&self, problem: Problem) -> Problem {
        Problem { message: format!("{}: {}", self.repository, problem.message), ..problem }
    }
}

/// `wharf sync --all`
pub(super) async fn sync(app: &App, args: &Sync) -> Result<Exit, Error> {
    with_server(app, Need::Jobs, async |session| {
        let guard = app.interrupts.guard();
        let all: Vec<Repository> = session.client.get("repositories").await?;
        let bound = |repository: &&Repository| !repository.attachments.is_empty();
        let bar = Bar::new(&app.terminal, app.output.quiet);
        let one = |repository| one(session, &guard, &bar, args, repository);
        let outcomes = join_all(all.iter().filter(bound).map(one)).await;
        drop(bar);
        let mut outcomes = outcomes.into_iter().collect::<Result<Vec<_>, _>>()?;
        for (outcome, repository) in outcomes.iter_mut().zip(all.iter().filter(bound)) {
            ask(app, session, &guard, args, repository, outcome).await?;
        }
        tell(app, session, &outcomes)
    })
    .await
}

async fn one(
    session: &Session,
    guard: &Guard<'_>,
    bar: &Bar,
    args: &Sync,
    repository: &Repository,
) -> Result<Outcome, Error> {
    let name = repository.name.clone();
    let mut outcome = Outcome { repository: name, jobs: Vec::new(), problem: None };
    match steps(session, guard, bar, args, repository, &mut outcome.jobs).await {
        // The next server takes the command up again.
        Err(Error::Problem(problem)) if problem.code != "draining" => {
            outcome.problem = Some(*problem);
        }
        other => other?,
    }
    Ok(outcome)
}

async fn steps(
    session: &Session,
    guard: &Guard<'_>,
    bar: &Bar,
    args: &Sync,
    repository: &Repository,
    ended: &mut Vec<Job>,
) -> Result<(), Error> {
    let at = format!("repositories/{}", encode(&repository.name));
    let follow = async |job| session.client.follow(job, Some(guard), |job, _| bar.job(job)).await;
    if repository.attachments.iter().any(|attachment| attachment.role == "importer") {
        let (full, dry_run) = (args.full, args.dry_run);
        let body = SyncRequest { full, dry_run, ..SyncRequest::default() };
        let job: Job = session.client.post(&format!("{at}/sync"), &body).await?;
        let job = follow(job).await?;
        if job.problem.as_ref().is_some_and(|problem| problem.code == NO_SOURCE) {
            return Ok(());
        }
        let good = matches!(job.state, JobState::Succeeded | JobState::Partial);
        ended.push(job);
        if !good {
            return Ok(());
        }
    }
    for attachment in &repository.attachments {
        let later = decide::asks(attachment) && !args.dry_run;
        if !super::folder::is_folder(&attachment.component) || later || guard.arrived() {
            continue;
        }
        let through = Some(render::repo::address(attachment));
        let body = PublishRequest { through, dry_run: args.dry_run, ..PublishRequest::default() };
        let jobs: Vec<Job> = session.client.post(&format!("{at}/publish"), &body).await?;
        for job in jobs {
            ended.push(follow(job).await?);
        }
    }
    Ok(())
}

/// Brings the folders up to date that ask, one after the other: there is one terminal.
async fn ask(
    app: &App,
    session: &Session,
    guard: &Guard<'_>,
    args: &Sync,
    repository: &Repository,
    outcome: &mut Outcome,
) -> Result<(), Error> {
    let went = |job: &Job| matches!(job.state, JobState::Succeeded | JobState::Partial);
    if args.dry_run || outcome.problem.is_some() || !outcome.jobs.iter().all(went) {
        return Ok(());
    }
    for folder in repository.attachments.iter().filter(|it| decide::asks(it)) {
        if guard.arrived() {
            return Ok(());
        }
        let body = PublishRequest::default();
        match decide::publish(app, session, guard, repository, folder, body).await {
            Ok(jobs) => outcome.jobs.extend(jobs),
            Err(Error::Problem(problem)) if problem.code != "draining" => {
                outcome.problem = Some(*problem);
            }
            Err(other) => return Err(other),
        }
    }
    Ok(())
}

fn tell(app: &App, session: &Session, outcomes: &[Outcome]) -> Result<Exit, Error> {
    for outcome in outcomes {
        for job in outcome.jobs.iter().filter(|job| is_news(job)) {
            let problem = job.problem.clone().map(|problem| outcome.own(problem));
            run::tell_one(app, session, &Job { problem, ..job.clone() })?;
        }
        if let Some(problem) = &outcome.problem {
            app.output.tell(&render::problem::render(&outcome.own(problem.clone())));
        }
    }
    let worst = outcomes.iter().map(Outcome::exit).max_by_key(|exit| exit.gravity());
    let worst = worst.unwrap_or(Exit::DONE);
    let jobs: Vec<&Job> = outcomes.iter().flat_map(|outcome| &outcome.jobs).collect();
    let cancelled = Exit::of_class(Class::Cancelled);
    let named = |wanted: &dyn Fn(Exit) -> bool| -> Vec<&str> {
        let found = outcomes.iter().filter(|outcome| wanted(outcome.exit()));
        found.map(|outcome| outcome.repository.as_str()).collect()
    };
    let trouble = named(&|exit| exit != Exit::DONE);
    let stopped = named(&|exit| exit == cancelled);
    app.output.note(&render::folder::everything(outcomes.len(), &jobs, &trouble, &stopped))?;
    if app.output.is_json() {
        let problems: Vec<_> = outcomes
            .iter()
            .filter_map(|it| {
                Some(json!({ "repository": it.repository, "problem": it.problem.as_ref()? }))
            })
            .collect();
        let lines: Vec<JobLine> = jobs.iter().map(|job| JobLine::from(*job)).collect();
        app.output.json(&json!({
            "repositories": outcomes.len(),
            "trouble": trouble,
            "cancelled": stopped,
            "exit": worst.code(),
            "dry_run": jobs.iter().any(|job| job.result.as_ref().is_some_and(|result| result.dry_run)),
            "totals": render::folder::totals(&jobs),
            "problems": problems,
            "jobs": lines,
        }))?;
    }
    Ok(worst)
}

/// What people want to see: a change, or trouble.
fn is_news(job: &Job) -> bool {
    let result = job.result.as_ref();
    let quiet = result.is_some_and(|it| it.added + it.removed + it.warnings == 0 && !it.changed);
    job.state != JobState::Succeeded || !quiet
}
