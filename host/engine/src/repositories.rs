//! Repositories, their versions and attachments; and the jobs that are asked of them.

use wharf_store::model::{
    Attachment, DiffEntry, JobFilter, JobId, LogLine, NameError, NewJob, Repository, UnitId,
    Version,
};

use crate::engine::{Engine, Inner};
use crate::instances::Address;
use crate::jobs::run::JobRun;
use crate::jobs::view::JobView;
use crate::jobs::{Cancelled, stored_view};
use crate::problem::Problem;
use crate::publish::PublishOptions;
use crate::sync::SyncOptions;

/// A repository with what is attached to it.
#[derive(Debug, Clone)]
pub struct RepositoryView {
    /// The stored row.
    pub repository: Repository,
    /// In the order they were attached.
    pub attachments: Vec<AttachmentView>,
}

/// Some differences between two versions.
#[derive(Debug, Clone)]
pub struct DiffPage {
    /// In the order of the units' numbers.
    pub entries: Vec<DiffEntry>,
    /// For the page after this one, if there may be one.
    pub cursor: Option<String>,
}

/// A component bound to a repository.
#[derive(Debug, Clone)]
pub struct AttachmentView {
    /// The stored row.
    pub attachment: Attachment,
}

impl From<Attachment> for AttachmentView {
    fn from(attachment: Attachment) -> Self {
        Self { attachment }
    }
}

impl Inner {
    pub(crate) async fn repository(&self, name: &str) -> Result<Repository, Problem> {
        let missing = || {
            Problem::usage("not_found.repository", format!("there is no repository \"{name}\""))
                .help("`wharf repo list` shows those there are")
        };
        self.store.meta.repository(name).await?.ok_or_else(missing)
    }

    async fn view(&self, repository: Repository) -> Result<RepositoryView, Problem> {
        let attachments = self.store.meta.attachments(repository.id).await?;
        let attachments = attachments.into_iter().map(AttachmentView::from).collect();
        Ok(RepositoryView { repository, attachments })
    }

    async fn submit(
        &self,
        operation: &str,
        attachment: &Attachment,
        arguments: String,
    ) -> Result<JobView, Problem> {
        let job = self
            .store
            .meta
            .submit_job(NewJob {
                operation: operation.to_owned(),
                repository: Some(attachment.repository),
                attachment: Some(attachment.id),
                arguments,
            })
            .await?;
        tracing::info!(job = job.id.0, operation, component = %attachment.component, "job queued");
        let view = self.board.enqueue(&job, &self.stop);
        self.board.open();
        Ok(view)
    }

    /// The attachments of one role that a request means: all of them.
    async fn attached(
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

    /// Publishes after a sync, as far as the attachments ask for it.
    pub(crate) async fn publish_all(&self, name: &str, run: &JobRun) {
        let outcome = async {
            let repository = self.repository(name).await?;
            for attachment in self.attached(&repository, "distributor").await? {
                let arguments = serde_json::to_string(&PublishOptions::default())?;
                self.submit("publish", &attachment, arguments).await?;
            }
            Ok::<_, Problem>(())
        };
        if let Err(problem) = outcome.await {
            run.warn("auto_publish", problem.message, "").await;
        }
    }
}

impl Engine {
    /// Makes an empty repository. `types`: what it may hold; empty means anything.
    pub async fn create_repository(
        &self,
        name: &str,
        types: Vec<String>,
    ) -> Result<RepositoryView, Problem> {
        let checked = name.parse().map_err(|error: NameError| {
            Problem::usage("usage.name", format!("\"{name}\" is no name for a repository: {error}"))
        })?;
        if let Some(unknown) = types.iter().find(|name| !self.inner.types.contains_key(*name)) {
            let mut known: Vec<&str> = self.inner.types.keys().map(String::as_str).collect();
            known.sort_unstable();
            return Err(Problem::usage(
                "not_found.type",
                format!("there is no type \"{unknown}\""),
            )
            .help(format!("there are: {}", known.join(", "))));
        }
        let repository = self.inner.store.meta.create_repository(&checked, types).await?;
        self.inner.view(repository).await
    }

    /// All repositories, by name.
    pub async fn repositories(&self) -> Result<Vec<RepositoryView>, Problem> {
        let mut views = Vec::new();
        for repository in self.inner.store.meta.repositories().await? {
            views.push(self.inner.view(repository).await?);
        }
        Ok(views)
    }

    /// One repository.
    pub async fn repository(&self, name: &str) -> Result<RepositoryView, Problem> {
        let repository = self.inner.repository(name).await?;
        self.inner.view(repository).await
    }

    /// Deletes a repository with its versions and publications. Bytes stay in the store.
    pub async fn delete_repository(&self, name: &str) -> Result<(), Problem> {
        let repository = self.inner.repository(name).await?;
        Ok(self.inner.store.meta.delete_repository(repository.name.as_str()).await?)
    }

    /// The versions of a repository, newest first.
    pub async fn versions(&self, name: &str) -> Result<Vec<Version>, Problem> {
        let repository = self.inner.repository(name).await?;
        Ok(self.inner.store.meta.versions(repository.id).await?)
    }

    /// What differs between two versions, in pages. Defaults: the current version against the one before.
    pub async fn diff(
        &self,
        name: &str,
        from: Option<u64>,
        to: Option<u64>,
        cursor: Option<String>,
        limit: usize,
    ) -> Result<DiffPage, Problem> {
        let after =
            cursor.map(|text| text.parse().map(UnitId)).transpose().map_err(|_not_one| {
                Problem::usage(
                    "usage.cursor",
                    "the cursor is not one that a page of differences gave",
                )
            })?;
        let repository = self.inner.repository(name).await?;
        let to = to.unwrap_or(repository.current_version);
        let from = from.unwrap_or(to.saturating_sub(1));
        let meta = &self.inner.store.meta;
        for number in [from, to] {
            if meta.version(repository.id, number).await?.is_none() {
                return Err(Problem::usage(
                    "not_found.version",
                    format!("repository {name} has no version {number}"),
                ));
            }
        }
        let entries = meta.diff(repository.id, from, to, after, limit).await?;
        let full = entries.len() == limit;
        let cursor = entries.last().filter(|_| full).map(|entry| entry.unit.0.to_string());
        Ok(DiffPage { entries, cursor })
    }

    /// Asks for a sync by the repository's importer.
    pub async fn sync(&self, name: &str, options: SyncOptions) -> Result<JobView, Problem> {
        let repository = self.inner.repository(name).await?;
        let mut importers = self.inner.attached(&repository, "importer").await?;
        let attachment = importers.swap_remove(0);
        self.inner.component(&Address::parse(&attachment.component)?)?;
        let arguments = serde_json::to_string(&options)?;
        self.inner.submit("sync", &attachment, arguments).await
    }

    /// Asks for a publish by each of the repository's distributors.
    pub async fn publish(
        &self,
        name: &str,
        options: PublishOptions,
    ) -> Result<Vec<JobView>, Problem> {
        let repository = self.inner.repository(name).await?;
        if let Some(number) = options.version {
            let version = self.inner.store.meta.version(repository.id, number).await?;
            version.ok_or_else(|| {
                Problem::usage(
                    "not_found.version",
                    format!("repository {name} has no version {number}"),
                )
                .help(format!("`wharf repo versions {name}` lists them"))
            })?;
        }
        let mut jobs = Vec::new();
        for attachment in self.inner.attached(&repository, "distributor").await? {
            self.inner.component(&Address::parse(&attachment.component)?)?;
            let arguments = serde_json::to_string(&options)?;
            jobs.push(self.inner.submit("publish", &attachment, arguments).await?);
        }
        Ok(jobs)
    }

    /// One job.
    pub async fn job(&self, id: i64) -> Result<JobView, Problem> {
        if let Some(watch) = self.inner.board.watch(JobId(id)) {
            return Ok(watch.borrow().clone());
        }
        let job = self.inner.store.meta.job(JobId(id)).await?;
        job.as_ref().map(stored_view).ok_or_else(|| no_job(id))
    }

    /// Follows a job that is queued or running; None when it has ended.
    pub fn watch(&self, id: i64) -> Option<tokio::sync::watch::Receiver<JobView>> {
        self.inner.board.watch(JobId(id))
    }

    /// Waits until a job has ended, well or badly. Cancel safe.
    pub async fn ended(&self, id: i64) -> Result<JobView, Problem> {
        if let Some(mut news) = self.watch(id) {
            // An error means that the job was forgotten; the store knows why.
            drop(news.wait_for(|view| view.state.is_end()).await);
        }
        self.job(id).await
    }

    /// Jobs, newest first.
    pub async fn jobs(&self, filter: JobFilter) -> Result<Vec<JobView>, Problem> {
        let jobs = self.inner.store.meta.jobs(filter).await?;
        Ok(jobs
            .iter()
            .map(|job| {
                let live = self.inner.board.watch(job.id);
                live.map_or_else(|| stored_view(job), |watch| watch.borrow().clone())
            })
            .collect())
    }

    /// How many jobs wait, and how many run.
    pub fn job_counts(&self) -> (usize, usize) {
        self.inner.board.counts()
    }

    /// Asks a job to stop. A job that has ended stays as it is.
    pub async fn cancel(&self, id: i64) -> Result<JobView, Problem> {
        match self.inner.board.cancel(JobId(id)) {
            Some(Cancelled::Waiting) => {
                if let Some(job) = self.inner.store.meta.cancel_queued(JobId(id)).await? {
                    self.inner.board.end(&job);
                }
            }
            Some(Cancelled::Running) | None => {}
        }
        self.job(id).await
    }

    /// Lines of a job's log from number `from` on, and the number to go on with.
    pub async fn logs(
        &self,
        id: i64,
        from: u64,
        limit: usize,
    ) -> Result<(Vec<LogLine>, u64), Problem> {
        self.job(id).await?;
        Ok(self.inner.store.logs.read(JobId(id), from, limit).await?)
    }

    /// Waits until a job's log grows behind line `next`. Cancel safe.
    pub async fn logs_grow(&self, id: i64, next: u64) {
        self.inner.store.logs.wait(JobId(id), next).await;
    }
}

fn no_job(id: i64) -> Problem {
    Problem::usage("not_found.job", format!("there is no job {id}"))
        .help("`wharf job list` shows the latest")
}
