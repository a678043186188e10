//! Asking for jobs: a sync by a repository's importer, a publish by each of its distributors.
//!
//! What is asked is checked here, settings for one run included, so that whoever asks is told at once; what comes of it
//! is a job. Syncs that are to be followed by a publish, and schedules, ask here too.

use std::collections::HashMap;

use serde_json::{Map, Value};
use wharf_store::model::{Asker, Attachment, JobId, NewCallback, NewJob, Repository, RepositoryId};

use crate::engine::{Engine, Inner};
use crate::instances::{self, Address, Bound, settings::DistributorSettings};
use crate::jobs::run::JobRun;
use crate::jobs::view::JobView;
use crate::problem::Problem;
use crate::publish::{PublishOptions, folder};
use crate::sync::SyncOptions;

/// Who looks at settings for one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Checked {
    /// The schema alone: the plugin was asked before.
    Schema,
    /// The schema, then the plugin.
    Plugin,
}

impl Inner {
    /// Stores a job and queues it.
    pub(crate) async fn submit_for(
        &self,
        job: NewJob,
        asked_by: Asker,
    ) -> Result<JobView, Problem> {
        let job = self.store.meta.submit_job_for(job, asked_by).await?;
        let component = job.component.as_deref().unwrap_or_default();
        tracing::info!(job = job.id.0, operation = %job.operation, component, "job queued");
        let view = self.enqueue(&job);
        self.board.open();
        self.callbacks.wake();
        Ok(view)
    }

    /// Asks for a job that a component, or a plugin as a whole, does without being attached, on behalf of a user.
    pub(crate) async fn submit_unattached(
        &self,
        operation: &str,
        repository: Option<RepositoryId>,
        (component, arguments): (&str, String),
        callbacks: Vec<NewCallback>,
    ) -> Result<JobView, Problem> {
        let operation = operation.to_owned();
        let job = NewJob { operation, repository, attachment: None, arguments, callbacks };
        let job = self.store.meta.submit_unattached_job(job, component).await?;
        tracing::info!(job = job.id.0, operation = %job.operation, component, "job queued");
        let view = self.enqueue(&job);
        self.board.open();
        self.callbacks.wake();
        Ok(view)
    }

    /// Asks for a job that no attachment does, on behalf of a user.
    pub(crate) async fn submit_on(
        &self,
        operation: &str,
        repository: Option<RepositoryId>,
        arguments: String,
    ) -> Result<JobView, Problem> {
        let operation = operation.to_owned();
        let callbacks = Vec::new();
        let job = NewJob { operation, repository, attachment: None, arguments, callbacks };
        self.submit_for(job, Asker::User).await
    }

    /// The attachments of one role that a request means: all of them.
    pub(crate) async fn attached(
        &self,
        repository: &Repository,
        role: &str,
    ) -> Result<Vec<Attachment>, Problem> {
        let all = self.store.meta.attachments(repository.id).await?;
        let found: Vec<Attachment> =
            all.into_iter().filter(|attachment| attachment.role == role).collect();
        if found.is_empty() {
            let example = if role == "importer" {
                format!("wharf attach {} file.importer --set url=URL", repository.name)
            } else {
                format!("wharf attach {} file.distributor", repository.name)
            };
            return Err(Problem::usage(
                "not_found.attachment",
                format!("repository {} has no {role}", repository.name),
            )
            .help(format!("attach one, for example: {example}")));
        }
        Ok(found)
    }

    /// Publishes after a new version, as far as the attachments ask for it; the jobs.
    pub(crate) async fn publish_all(&self, name: &str, run: &JobRun) -> Vec<i64> {
        let mut jobs = Vec::new();
        let outcome = async {
            let options = PublishOptions::default();
            for job in self.publishing(name, &options, Checked::Schema).await? {
                jobs.push(self.submit_for(job, Asker::Job(JobId(run.id()))).await?.id);
            }
            Ok::<_, Problem>(())
        };
        if let Err(problem) = outcome.await {
            run.warn("auto_publish", problem.message, "").await;
        }
        jobs
    }

    /// The job of a sync.
    pub(crate) async fn syncing(
        &self,
        name: &str,
        options: &SyncOptions,
        by: Checked,
    ) -> Result<NewJob, Problem> {
        let repository = self.repository(name).await?;
        let mut importers = self.attached(&repository, "importer").await?;
        let attachment = importers.swap_remove(0);
        let settings =
            self.checked_override(&repository, &attachment, options.settings.clone(), by).await?;
        let arguments = serde_json::to_string(&SyncOptions { settings, ..options.clone() })?;
        let callbacks = self.checked_callbacks(&options.callbacks).await?;
        Ok(NewJob { callbacks, ..new_job("sync", &attachment, arguments) })
    }

    /// The jobs of a publish, in an order in which each finds what it comes after.
    pub(crate) async fn publishing(
        &self,
        name: &str,
        options: &PublishOptions,
        by: Checked,
    ) -> Result<Vec<NewJob>, Problem> {
        let repository = self.repository(name).await?;
        if let Some(number) = options.version {
            self.version(&repository, number).await?;
        }
        let distributors = self.attached(&repository, "distributor").await?;
        let callbacks = self.checked_callbacks(&options.callbacks).await?;
        let mut jobs = Vec::new();
        let mut distributors = through(distributors, &repository, options.through.as_deref())?;
        if options.dry_run || !options.resolve.is_empty() {
            distributors.retain(folder::is_folder);
            if distributors.is_empty() {
                let message =
                    format!("{} has no folder, and only folders can do that", repository.name);
                return Err(Problem::usage("usage.not_offered", message).help(format!(
                    "attach one: wharf attach {} folder --set path=FOLDER",
                    repository.name
                )));
            }
        }
        for attachment in distributors {
            let settings = self
                .checked_override(&repository, &attachment, options.settings.clone(), by)
                .await?;
            let arguments = serde_json::to_string(&PublishOptions { settings, ..options.clone() })?;
            let callbacks = callbacks.clone();
            jobs.push(NewJob { callbacks, ..new_job("publish", &attachment, arguments) });
        }
        Ok(jobs)
    }

    /// Settings for one run, read by the schema's types and checked as if they were to stay.
    async fn checked_override(
        &self,
        repository: &Repository,
        attachment: &Attachment,
        overriding: Map<String, Value>,
        by: Checked,
    ) -> Result<Map<String, Value>, Problem> {
        if folder::is_folder(attachment) {
            Self::folder_override(attachment, &overriding)?;
            return Ok(overriding);
        }
        if overriding.is_empty() {
            self.component(&Address::parse(&attachment.component)?)?;
            return Ok(overriding);
        }
        let bound = Bound::overridden(self, attachment, &overriding)?;
        if by == Checked::Plugin {
            instances::check_bound(self, &bound, repository).await?;
        }
        Ok(bound.values(&overriding))
    }
}

impl Engine {
    /// Asks for a sync by the repository's importer.
    pub async fn sync(&self, name: &str, options: SyncOptions) -> Result<JobView, Problem> {
        let job = self.inner.syncing(name, &options, Checked::Plugin).await?;
        self.inner.submit_for(job, Asker::User).await
    }

    /// Asks for a publish by each of the repository's distributors, or by one of them.
    pub async fn publish(
        &self,
        name: &str,
        options: PublishOptions,
    ) -> Result<Vec<JobView>, Problem> {
        let mut views = Vec::new();
        for job in self.inner.publishing(name, &options, Checked::Plugin).await? {
            views.push(self.inner.submit_for(job, Asker::User).await?);
        }
        Ok(views)
    }
}

pub(crate) fn new_job(operation: &str, attachment: &Attachment, arguments: String) -> NewJob {
    NewJob {
        operation: operation.to_owned(),
        repository: Some(attachment.repository),
        attachment: Some(attachment.id),
        arguments,
        callbacks: Vec::new(),
    }
}

/// The distributors that are asked, those that come after others behind them.
fn through(
    mut distributors: Vec<Attachment>,
    repository: &Repository,
    wanted: Option<&str>,
) -> Result<Vec<Attachment>, Problem> {
    let ranks: HashMap<String, usize> =
        distributors.iter().map(|one| (one.address(), rank(one, &distributors))).collect();
    distributors.sort_by_key(|one| ranks.get(&one.address()).copied());
    let Some(wanted) = wanted else { return Ok(distributors) };
    let address = Address::parse(wanted)?;
    let there: Vec<String> = distributors.iter().map(Attachment::address).collect();
    distributors.retain(|one| address.names(one));
    if distributors.is_empty() {
        return Err(Problem::usage(
            "not_found.attachment",
            format!("{wanted} is no distributor of {}", repository.name),
        )
        .help(format!("it has: {}", there.join(", "))));
    }
    Ok(distributors)
}

/// How many others one comes after. Attaching refuses circles; should there be one even so, it ends.
fn rank(one: &Attachment, all: &[Attachment]) -> usize {
    let mut found = one;
    for rank in 0..all.len() {
        match after(found).and_then(|leader| all.iter().find(|other| leader.names(other))) {
            Some(leader) => found = leader,
            None => return rank,
        }
    }
    all.len()
}

/// The distributor that one comes after.
pub(crate) fn after(attachment: &Attachment) -> Option<Address> {
    let settings: DistributorSettings =
        serde_json::from_value(attachment.settings.clone()).unwrap_or_default();
    settings.after.and_then(|address| Address::parse(&address).ok())
}
