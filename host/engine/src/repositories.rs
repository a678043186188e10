//! Repositories, their versions and attachments; and the jobs on them. Asking for jobs is in `runs`.

use wharf_store::model::{
    Attachment, DiffEntry, JobFilter, JobId, LogLine, NameError, Repository, RepositoryChange,
    UnitId, Version,
};

use crate::engine::{Engine, Inner};
use crate::jobs::view::JobView;
use crate::jobs::{Cancelled, stored_view};
use crate::labels;
use crate::problem::Problem;

/// A repository with what is attached to it.
#[derive(Debug, Clone)]
pub struct RepositoryView {
    /// The stored row.
    pub repository: Repository,
    /// In the order they were attached.
    pub attachments: Vec<AttachmentView>,
}

/// A version of a repository.
#[derive(Debug, Clone)]
pub struct VersionView {
    /// The stored row.
    pub version: Version,
    /// Clients see it now.
    pub published: bool,
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

    /// A version of a repository.
    pub(crate) async fn version(
        &self,
        repository: &Repository,
        number: u64,
    ) -> Result<Version, Problem> {
        let found = self.store.meta.version(repository.id, number).await?;
        found.ok_or_else(|| {
            let name = &repository.name;
            Problem::usage(
                "not_found.version",
                format!("repository {name} has no version {number}"),
            )
            .help(format!("`wharf repo versions {name}` lists them"))
        })
    }

    async fn view(&self, repository: Repository) -> Result<RepositoryView, Problem> {
        let attachments = self.store.meta.attachments(repository.id).await?;
        let attachments = attachments.into_iter().map(AttachmentView::from).collect();
        Ok(RepositoryView { repository, attachments })
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
        if let Some(unknown) = types.iter().find(|name| self.inner.types.get(name).is_none()) {
            let known = self.inner.types.names();
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

    /// The versions of a repository, the oldest first.
    pub async fn versions(&self, name: &str) -> Result<Vec<VersionView>, Problem> {
        let repository = self.inner.repository(name).await?;
        let live = self.inner.store.meta.live_versions(repository.id).await?;
        let versions = self.inner.store.meta.versions(repository.id).await?;
        let view = |version: Version| VersionView {
            published: live.binary_search(&version.number).is_ok(),
            version,
        };
        Ok(versions.into_iter().map(view).collect())
    }

    /// Changes what users say of a repository.
    ///
    /// # Errors
    /// `not_found.repository`; `usage.label` for a name or value that cannot be one.
    pub async fn change_repository(
        &self,
        name: &str,
        change: RepositoryChange,
    ) -> Result<RepositoryView, Problem> {
        self.inner.repository(name).await?;
        labels::check(&change.labels)?;
        let changed = self.inner.store.meta.change_repository(name, change).await?;
        self.inner.view(changed).await
    }

    /// Deletes one version. The one behind it holds what it held.
    ///
    /// # Errors
    /// `not_found.*`, `conflict.version`, `conflict.in_use`.
    pub async fn delete_version(&self, name: &str, number: u64) -> Result<(), Problem> {
        let repository = self.inner.repository(name).await?;
        self.inner.version(&repository, number).await?;
        Ok(self.inner.store.meta.delete_version(name, number).await?)
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
            self.inner.version(&repository, number).await?;
        }
        let entries = meta.diff(repository.id, from, to, after, limit).await?;
        let full = entries.len() == limit;
        let cursor = entries.last().filter(|_| full).map(|entry| entry.unit.0.to_string());
        Ok(DiffPage { entries, cursor })
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
                    self.inner.callbacks.wake();
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
