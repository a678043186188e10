//! A publish: one version of a repository becomes a tree that is served.
//!
//! The path: [`Setup`] gathers what the run needs; a version that is published already as asked ends here → a plugin
//! process is leased → one call, whose events become entries of an open publication (`entries`) → one transaction
//! makes it the current one. Until then nobody sees it; the tree before stays for its grace time.

mod entries;
mod headers;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use wharf_proto::v1::{self, event::Event};
use wharf_store::model::{Attachment, LastRun, PublicationId, Repository};
use wharf_supervisor::{Installed, calls};

use crate::convert;
use crate::engine::Inner;
use crate::host_service::Rights;
use crate::instances;
use crate::jobs::run::JobRun;
use crate::jobs::view::JobResult;
use crate::problem::Problem;

/// What a user may ask of a publish.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PublishOptions {
    /// The version to publish; None: the current one.
    pub version: Option<u64>,
    /// Publish although nothing changed.
    pub full: bool,
}

struct Setup {
    repository: Repository,
    attachment: Attachment,
    plugin: Arc<Installed>,
    component: String,
    plugin_settings: String,
    settings_digest: String,
    version: u64,
    units: u64,
    /// Nothing of the publication before may be taken over.
    full: bool,
}

/// Runs the publish that the job asks for.
pub(crate) async fn run(engine: &Inner, run: &JobRun) -> Result<JobResult, Problem> {
    let options: PublishOptions = serde_json::from_str(&run.job.arguments)?;
    let setup = Setup::load(engine, run, options).await?;
    if setup.stands_already(options) {
        return Ok(JobResult {
            version: Some(setup.version),
            url: setup.url(),
            unchanged: setup.units,
            ..run.result()
        });
    }
    let meta = &engine.store.meta;
    let publication = meta.begin_publication(run.lease, setup.attachment.id, setup.version).await?;
    let process = engine.borrow_process(run, &setup.plugin).await?;
    let grant = engine.grants.grant(setup.rights(run, process.id()))?;
    let context = Inner::job_context(run, &process, grant.token());
    let outcome = drive(engine, run, &setup, &process, context, publication).await;
    drop(grant);
    let result = match outcome {
        Ok(result) => result,
        Err(problem) => {
            process.end(&problem);
            meta.discard_publication(run.lease, publication).await?;
            return Err(problem);
        }
    };
    go_live(engine, run, &setup, publication, result).await
}

async fn go_live(
    engine: &Inner,
    run: &JobRun,
    setup: &Setup,
    publication: PublicationId,
    answer: v1::Result,
) -> Result<JobResult, Problem> {
    let mut result = run.result();
    result.summary = convert::json_object(&answer.summary, "Result.summary")?;
    let state = (!answer.state.is_empty()).then_some(answer.state);
    let outcome = if run.troubled() > 0 { "partial" } else { "succeeded" };
    let last = LastRun {
        finished_ms: crate::clock::now_ms(),
        version: setup.version,
        outcome: outcome.to_owned(),
        settings_digest: setup.settings_digest.clone(),
    };
    let grace = engine.config.publication_grace;
    result.added = engine.store.meta.go_live(run.lease, publication, state, last, grace).await?;
    result.version = Some(setup.version);
    result.url = setup.url();
    result.changed = true;
    Ok(result)
}

async fn drive(
    engine: &Inner,
    run: &JobRun,
    setup: &Setup,
    process: &wharf_supervisor::Lease,
    context: v1::JobContext,
    publication: PublicationId,
) -> Result<v1::Result, Problem> {
    let request = setup.request(context);
    let mut events = calls::publish(process, request, &engine.bounds(run)).await?;
    let previous = setup.attachment.publication;
    let now_ms = crate::clock::now_ms();
    let target = entries::Target { engine, run, publication, previous, now_ms };
    while let Some(event) = events.next().await? {
        match event {
            Event::Files(files) => {
                let count = target.files(files).await?;
                run.counted("", "files", count);
            }
            Event::PassThrough(pass) => target.pass_through(pass).await?,
            Event::Reuse(reuse) => target.reuse(reuse).await?,
            Event::Aliases(aliases) => target.aliases(aliases).await?,
            Event::Variants(variants) => target.variants(variants).await?,
            Event::Items(items) => {
                for item in items.items {
                    convert::tell_item(run, item).await;
                }
            }
            Event::Result(result) => return Ok(result),
            Event::Checkpoint(_) => {}
            Event::Job(_) | Event::Output(_) => {
                return Err(convert::not_driven("publish", &event));
            }
            other => convert::tell(run, other).await?,
        }
    }
    Err(Problem::protocol("the stream ended without a result"))
}

impl Setup {
    async fn load(engine: &Inner, run: &JobRun, options: PublishOptions) -> Result<Self, Problem> {
        let (repository, attachment) = instances::of_job(engine, &run.job).await?;
        let bound = instances::Bound::resolve(engine, &attachment)?;
        let number = options.version.unwrap_or(repository.current_version);
        let version = engine.store.meta.version(repository.id, number).await?.ok_or_else(|| {
            Problem::usage(
                "not_found.version",
                format!("repository {} has no version {number}", repository.name),
            )
            .help(format!("`wharf repo versions {}` lists them", repository.name))
        })?;
        let settings_digest = bound.digest();
        let before = attachment.last.as_ref().filter(|_| attachment.publication.is_some());
        let good =
            |last: &LastRun| last.outcome == "succeeded" && last.settings_digest == settings_digest;
        Ok(Self {
            version: number,
            units: version.units,
            full: options.full || !before.is_some_and(good),
            component: bound.component.id.clone(),
            plugin_settings: bound.plugin_settings(),
            settings_digest,
            plugin: bound.plugin,
            repository,
            attachment,
        })
    }

    /// Whether this very version is published with these very settings.
    fn stands_already(&self, options: PublishOptions) -> bool {
        !options.full
            && self.attachment.publication.is_some()
            && self.attachment.last.as_ref().is_some_and(|last| {
                last.version == self.version
                    && last.outcome == "succeeded"
                    && last.settings_digest == self.settings_digest
            })
    }

    fn url(&self) -> Option<String> {
        self.attachment.path.as_ref().map(|path| format!("/content/{path}/"))
    }

    fn rights(&self, run: &JobRun, process: u64) -> Rights {
        Rights {
            process,
            job: run.id(),
            repository: self.repository.id,
            version: self.version,
            attachment: self.attachment.id,
            settings: self.plugin_settings.clone(),
            folder: Arc::clone(&run.folder),
            trust: Arc::default(),
            meter: Arc::clone(&run.meter),
            cancel: run.cancel.clone(),
        }
    }

    fn request(&self, context: v1::JobContext) -> v1::PublishRequest {
        let last = self.attachment.last.as_ref();
        v1::PublishRequest {
            context: Some(context),
            attachment: Some(v1::Attachment {
                instance: Some(v1::Instance {
                    component: self.component.clone(),
                    name: self.attachment.instance.clone(),
                    settings: self.plugin_settings.clone(),
                    secrets: Vec::new(),
                }),
                repository: self.repository.name.to_string(),
                settings: self.plugin_settings.clone(),
                state: self.attachment.state.clone(),
            }),
            version: self.version,
            units: self.units,
            previous: self.attachment.publication.map(|id| v1::Publication {
                id: id.0.unsigned_abs(),
                version: last.map(|last| last.version).unwrap_or_default(),
                identifier: String::new(),
            }),
            timestamp_ms: crate::clock::now_ms(),
            base_path: self.attachment.path.clone().unwrap_or_default(),
            base_url: String::new(),
            full: self.full,
            signing: Vec::new(),
        }
    }
}
