//! The steps of the demo.

use std::net::SocketAddr;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use serde_json::{Map, Value};

use super::account::{Account, Downloaded};
use super::download::{Comparison, Site, Tally, Truth};
use super::manifest::{self, Entry};
use super::source::Source;
use crate::api::{
    Attachment, CreateRepository, Job, Plugin, Problem, Progress, PublishRequest, PutAttachment,
    Repository, SyncRequest,
};
use crate::app::App;
use crate::client::encode;
use crate::commands;
use crate::error::Error;
use crate::exit::Exit;
use crate::interrupts::Guard;
use crate::render::progress::Bar;
use crate::session::Session;

/// The repository, and the path it is published under.
const NAME: &str = "demo";
/// What is published beside the content.
const LISTS: [&str; 2] = ["PULP_MANIFEST", "SHA256SUMS"];
/// How often progress is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// A demo under way.
pub(super) struct Show<'a> {
    pub(super) app: &'a App,
    pub(super) guard: &'a Guard<'a>,
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
        account.publish(&publish, &format!("{url}/content/{NAME}/"))?;
        let site = self.site()?;
        let (downloaded, comparison) = self.compare(&site).await?;
        account.downloaded(&downloaded)?;
        account.compared(&comparison, self.source)?;
        let again = self.sync().await?;
        account.again(&again)?;
        Ok(self.verdict(&[&sync, &publish, &again], &downloaded, &comparison))
    }

    async fn attach(&self) -> Result<(), Error> {
        let client = &self.session.client;
        let body = CreateRepository { name: NAME.to_owned(), types: Vec::new() };
        let _made: Repository = client.post("repositories", &body).await?;
        let origin = &self.source.origin;
        let mut settings = Map::new();
        settings.insert(origin.key.to_owned(), Value::from(origin.value.as_str()));
        if !self.source.without.is_empty() {
            settings.insert("exclude".to_owned(), Value::from(self.source.without.clone()));
        }
        self.put(origin.component, settings).await?;
        self.put("file.distributor", Map::new()).await
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
        let job = commands::follow(self.app, self.session, self.guard, job).await?;
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
        let list = site.text(LISTS[0]).await?;
        let sums = site.text(LISTS[1]).await?;
        let entries = manifest::read(&list, LISTS[0])?;
        let lists_agree = agree(&entries, &sums);
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
        let files = tally.files.load(Ordering::Relaxed) + LISTS.len() as u64;
        let lists = (list.len() + sums.len()) as u64;
        let bytes = tally.bytes.load(Ordering::Relaxed) + lists;
        let seconds = started.elapsed().as_secs_f64();
        Ok((
            Downloaded { files, bytes, seconds, listed: entries.len() as u64, lists_agree },
            comparison,
        ))
    }

    /// Whether what was shown is what was claimed.
    fn verdict(&self, jobs: &[&Job], downloaded: &Downloaded, comparison: &Comparison) -> Exit {
        let missing = downloaded.listed != self.source.extent.files;
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
