//! The steps of the demo.

use std::collections::HashSet;
use std::net::SocketAddr;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use serde_json::{Map, Value};

use super::account::{Account, Downloaded};
use super::download::{Comparison, Site, Tally, Truth};
use super::manifest::{self, Entry};
use super::source::{Lists, SUMS, Source};
use crate::api::{
    Attachment, CreateRepository, Job, Plugin, Problem, Progress, PublishRequest, PutAttachment,
    Repository, SyncRequest,
};
use crate::app::App;
use crate::client::encode;
use crate::commands;
use crate::error::Error;
use crate::exit::Exit;
use crate::render::progress::Bar;
use crate::session::Session;

/// The repository, and the path it is published under.
const NAME: &str = "demo";
/// How often progress is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// A demo under way.
pub(super) struct Show<'a> {
    pub(super) app: &'a App,
    pub(super) source: &'a Source,
    pub(super) session: &'a Session,
}

impl Show<'_> {
    /// Attaches, syncs, publishes, downloads, compares, syncs again.
    pub(super) async fn play(&self, account: &mut Account<'_>) -> Result<Exit, Error> {
        self.attach().await?;
        let plugins: Vec<Plugin> = self.session.client.get("plugins").await?;
        let sync = self.sync().await?;
        account.plugin(&plugins, &sync)?;
        account.sync(&sync)?;
        let publish = self.publish().await?;
        let url = self.session.status.content.clone().unwrap_or_default();
        account.publish(&publish, &format!("{url}/content/{NAME}/"), &self.source.lists())?;
        let site = self.site()?;
        let (downloaded, comparison) = self.compare(&site).await?;
        account.downloaded(&downloaded)?;
        account.compared(&comparison, &downloaded)?;
        let again = self.sync().await?;
        account.again(&again)?;
        Ok(self.verdict(&[&sync, &publish, &again], &downloaded, &comparison))
    }

    async fn attach(&self) -> Result<(), Error> {
        let client = &self.session.client;
        let body = CreateRepository { name: NAME.to_owned(), types: Vec::new() };
        let _made: Repository = client.post("repositories", &body).await?;
        self.put(self.source.origin.component, self.source.settings()).await?;
        let lists = self.source.lists();
        let mut settings = Map::new();
        settings.insert("manifest".to_owned(), Value::from(lists.manifest));
        settings.insert("sha256sums".to_owned(), Value::from(lists.sums));
        self.put("file.distributor", settings).await
    }

    async fn put(&self, component: &str, settings: Map<String, Value>) -> Result<(), Error> {
        let path = format!("repositories/{NAME}/attachments/{}", encode(component));
        let body = PutAttachment { settings };
        let _attached: Attachment = self.session.client.put(&path, &body).await?;
        Ok(())
    }

    async fn sync(&self) -> Result<Job, Error> {
        let path = format!("repositories/{NAME}/sync");
        let job = self.session.client.post(&path, &SyncRequest::default()).await?;
        self.follow(job).await
    }

    async fn publish(&self) -> Result<Job, Error> {
        let path = format!("repositories/{NAME}/publish");
        let jobs: Vec<Job> = self.session.client.post(&path, &PublishRequest::default()).await?;
        let job = jobs.into_iter().next().ok_or_else(|| Error::Answer {
            request: format!("POST {path}"),
            reason: "no job was made".to_owned(),
        })?;
        self.follow(job).await
    }

    /// A job that ended badly ends the demo.
    async fn follow(&self, job: Job) -> Result<Job, Error> {
        let job = commands::follow(self.app, self.session, None, job).await?;
        match (&job.problem, Exit::of_job(&job)) {
            (_, Exit::DONE | Exit::PARTIAL) => Ok(job),
            (Some(problem), _) => Err(Problem::clone(problem).into()),
            (None, _) => Err(Error::Answer {
                request: format!("job {}", job.id),
                reason: format!("it {} without a reason", job.state.as_str()),
            }),
        }
    }

    fn site(&self) -> Result<Site, Error> {
        let content = self.session.status.content.as_deref().unwrap_or_default();
        let address: SocketAddr =
            content.trim_start_matches("http://").parse().map_err(|_invalid| Error::Answer {
                request: "GET /api/v1/status".to_owned(),
                reason: format!("content is served at {content:?}"),
            })?;
        Ok(Site { address, root: format!("/content/{NAME}/") })
    }

    async fn compare(&self, site: &Site) -> Result<(Downloaded, Comparison), Error> {
        let started = Instant::now();
        let Lists { manifest, sums } = self.source.lists();
        let list = site.text(&manifest).await?;
        let sums = if sums { Some(site.text(SUMS).await?) } else { None };
        let entries = manifest::read(&list, &manifest)?;
        let lists_agree = sums.as_ref().is_none_or(|sums| agree(&entries, sums));
        let lists = (list.len() + sums.as_ref().map_or(0, String::len)) as u64;
        let entries = Arc::new(entries);
        let tally = Arc::new(Tally::default());
        let bar = Bar::new(&self.app.terminal, self.app.output.quiet);
        let mut comparing = std::pin::pin!(site.compare(
            Arc::clone(&entries),
            Arc::clone(&self.source.truth),
            Arc::clone(&tally)
        ));
        let mut look = tokio::time::interval(LOOK);
        let comparison = loop {
            tokio::select! {
                compared = &mut comparing => break compared?,
                _ = look.tick() => bar.steps("demo", &progress(&tally, &entries, started)),
            }
        };
        let files = tally.files.load(Ordering::Relaxed) + 1 + u64::from(sums.is_some());
        let bytes = tally.bytes.load(Ordering::Relaxed) + lists;
        let seconds = started.elapsed().as_secs_f64();
        let missing = missing(self.source, &entries);
        Ok((Downloaded { files, bytes, seconds, missing, lists_agree }, comparison))
    }

    /// Whether what was shown is what was claimed.
    fn verdict(&self, jobs: &[&Job], downloaded: &Downloaded, comparison: &Comparison) -> Exit {
        let missing = !downloaded.missing.is_empty();
        let again = jobs.last().and_then(|job| job.result.as_ref());
        let changed = again.is_some_and(|result| result.added + result.removed > 0);
        if !comparison.wrong.is_empty() || !downloaded.lists_agree {
            return Exit::FAILED;
        }
        let upstream = matches!(*self.source.truth, Truth::Digests(_));
        if upstream
            && (missing || changed)
            && jobs.iter().all(|job| Exit::of_job(job) == Exit::DONE)
        {
            return Exit::FAILED;
        }
        let partial = jobs.iter().any(|job| Exit::of_job(job) != Exit::DONE);
        if partial || missing || changed || !comparison.moved.is_empty() {
            return Exit::PARTIAL;
        }
        Exit::DONE
    }
}

/// Files of the source that are not published.
fn missing(source: &Source, entries: &[Entry]) -> Vec<String> {
    let published: HashSet<&str> = entries.iter().map(|entry| entry.path.as_str()).collect();
    let files = source.extent.files.iter();
    let mut missing: Vec<String> =
        files.filter(|path| !published.contains(path.as_str())).cloned().collect();
    missing.sort();
    missing
}

/// Whether the two published lists name the same digests.
fn agree(entries: &[Entry], sums: &str) -> bool {
    let mut digests: Vec<&str> = entries.iter().map(|entry| entry.sha256.as_str()).collect();
    digests.sort_unstable();
    digests == manifest::sums(sums)
}

fn progress(tally: &Tally, entries: &[Entry], started: Instant) -> Progress {
    let bytes = tally.bytes.load(Ordering::Relaxed);
    let seconds = started.elapsed().as_secs_f64().max(0.001);
    let rate = crate::render::text::whole(crate::render::text::approximate(bytes) / seconds);
    Progress {
        phase: "download".to_owned(),
        done: tally.files.load(Ordering::Relaxed),
        total: Some(entries.len() as u64),
        unit: "files".to_owned(),
        bytes,
        bytes_total: Some(entries.iter().map(|entry| entry.size).sum()),
        rate,
        activity: String::new(),
    }
}
