//! A publish: one version of a repository becomes a tree that is served.
//!
//! The path: [`Setup`] gathers what the run needs; a version that is published already as asked ends here → a plugin
//! process is leased → one call, whose events become entries of an open publication (`entries`) → one transaction
//! makes it the current one. Until then nobody sees it; the tree before stays for its grace time.
//!
//! A tree that is still here from an earlier publication of the same version goes live again: its files are taken
//! over, and the plugin is asked for fresh entry points only, because clients take none that look older than theirs.

mod client;
mod entries;
pub(crate) mod folder;
mod headers;
mod skip;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use self::client::{ClientConfig, ClientFile};
pub use self::folder::Resolution;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use wharf_proto::v1::{self, event::Event};
use wharf_store::model::{Attachment, LastRun, LogLevel, PublicationId, Repository};
use wharf_supervisor::{Installed, calls};

use crate::callbacks::Callback;
use crate::convert;
use crate::engine::Inner;
use crate::host_service::Rights;
use crate::instances::{self, PluginSettings};
use crate::jobs::run::JobRun;
use crate::jobs::view::JobResult;
use crate::problem::Problem;
use crate::runs;

/// What a user may ask of a publish.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PublishOptions {
    /// The version to publish; None: the current one, or what the distributor that it comes after has published.
    pub version: Option<u64>,
    /// Publish although nothing changed.
    pub full: bool,
    /// Folders only: tell what would be done, and do nothing.
    pub dry_run: bool,
    /// Folders only: decisions about files that were changed on both sides, by path.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub resolve: BTreeMap<String, Resolution>,
    /// One distributor only: its address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub through: Option<String>,
    /// Settings for this run only; null takes the repository's value away.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub settings: Map<String, Value>,
    /// Who is told how it goes. Kept with the job's row, not in its arguments.
    #[serde(skip)]
    pub callbacks: Vec<Callback>,
}

struct Setup {
    repository: Repository,
    attachment: Attachment,
    plugin: Arc<Installed>,
    component: String,
    plugin_settings: PluginSettings,
    fingerprint: String,
    signing_key: Option<String>,
    version: u64,
    units: u64,
    /// Nothing of the publication before may be taken over.
    full: bool,
    /// Why there is nothing to do.
    skipped_because: Option<String>,
    /// A superseded publication of this very version, made with these very settings.
    earlier: Option<PublicationId>,
}

/// Runs the publish that the job asks for.
pub(crate) async fn run(engine: &Inner, run: &JobRun) -> Result<JobResult, Problem> {
    if run.job.component.as_deref().is_some_and(folder::is_address) {
        return Box::pin(folder::run(engine, run)).await;
    }
    let options: PublishOptions = serde_json::from_str(&run.job.arguments)?;
    let setup = Setup::load(engine, run, options).await?;
    let meta = &engine.store.meta;
    if let Some(why) = &setup.skipped_because {
        run.log(LogLevel::Info, format!("skipped: {why}")).await;
        return skipped(engine, run, &setup, why).await;
    }
    let publication = meta.begin_publication(run.lease, setup.attachment.id, setup.version).await?;
    let process = engine.borrow_process(run, &setup.plugin).await?;
    let grant = engine.grants.grant(setup.rights(run, process.id()))?;
    let context = Inner::job_context(run, &process, grant.token());
    let call = Call { engine, run, setup: &setup, process: &process, context, publication };
    let outcome = call.make().await;
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

/// Nothing was to be done. It counts as a run of the distributor all the same.
async fn skipped(
    engine: &Inner,
    run: &JobRun,
    setup: &Setup,
    why: &str,
) -> Result<JobResult, Problem> {
    let result = JobResult { skipped_because: Some(why.to_owned()), ..run.result() };
    let Some(last) =
        setup.attachment.last.clone().filter(|_| setup.attachment.publication.is_some())
    else {
        return Ok(result);
    };
    let again = LastRun { finished_ms: crate::clock::now_ms(), ..last };
    engine.store.meta.keep_version(run.lease, setup.attachment.id, None, again).await?;
    let (version, url) = (Some(setup.version), setup.url());
    Ok(JobResult { version, url, unchanged: setup.units, ..result })
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
        settings_digest: setup.fingerprint.clone(),
    };
    let grace = engine.config.publication_grace;
    result.added = engine.store.meta.go_live(run.lease, publication, state, last, grace).await?;
    result.version = Some(setup.version);
    result.url = setup.url();
    result.changed = true;
    Ok(result)
}

/// What a call of the plugin works with.
struct Call<'a> {
    engine: &'a Inner,
    run: &'a JobRun,
    setup: &'a Setup,
    process: &'a wharf_supervisor::Lease,
    context: v1::JobContext,
    publication: PublicationId,
}

impl Call<'_> {
    /// What was published before and is still here needs fresh entry points only, if the plugin makes them; everything
    /// else is made anew.
    async fn make(&self) -> Result<v1::Result, Problem> {
        let Self { engine, run, setup, process, publication, .. } = *self;
        let bounds = engine.bounds(run);
        if let Some(earlier) = setup.earlier {
            let request = setup.reissue_request(self.context.clone(), earlier);
            let mut events = calls::reissue(process, request, &bounds).await?;
            match events.next().await {
                Err(calls::CallError::Unimplemented { .. }) => {}
                first => {
                    let version = setup.version;
                    let text = format!(
                        "version {version} is still here as publication {earlier}: fresh entry points only"
                    );
                    run.log(LogLevel::Info, text).await;
                    let answer = self.drive(first?, &mut events).await?;
                    engine.store.meta.take_again(run.lease, publication, earlier).await?;
                    return Ok(answer);
                }
            }
        }
        let request = setup.request(self.context.clone());
        let mut events = calls::publish(process, request, &bounds).await?;
        self.drive(events.next().await?, &mut events).await
    }

    /// Turns events into entries, from the first one up to the result.
    async fn drive(
        &self,
        first: Option<Event>,
        events: &mut calls::Events,
    ) -> Result<v1::Result, Problem> {
        let Self { engine, run, setup, publication, .. } = *self;
        let previous = setup.attachment.publication;
        let now_ms = crate::clock::now_ms();
        let target = entries::Target { engine, run, publication, previous, now_ms };
        let mut next = first;
        while let Some(event) = next {
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
            next = events.next().await?;
        }
        Err(Problem::protocol("the stream ended without a result"))
    }
}

impl Setup {
    async fn load(engine: &Inner, run: &JobRun, options: PublishOptions) -> Result<Self, Problem> {
        let (repository, attachment) = instances::of_job(engine, &run.job).await?;
        let mut bound = instances::Bound::overridden(engine, &attachment, &options.settings)?;
        let leader = leader(engine, &attachment).await?;
        let led = leader.as_ref().filter(|leader| leader.publication.is_some());
        let led = led.and_then(|leader| leader.last.as_ref()).map(|last| last.version);
        let number = options.version.or(led).unwrap_or(repository.current_version);
        let version = engine.version(&repository, number).await?;
        let signing_key = bound.signing_key().map(str::to_owned);
        if let Some(name) = &signing_key {
            // Another key under the same name is a change as well.
            bound.fingerprint.settings.push_str(&engine.keys.view(name).await?.fingerprint);
        }
        let fingerprint = bound.fingerprint.to_string();
        let before = attachment.last.as_ref().filter(|_| attachment.publication.is_some());
        let good =
            |last: &LastRun| last.outcome == "succeeded" && last.settings_digest == fingerprint;
        let wish = skip::Wish {
            full: options.full,
            version: number,
            fingerprint: &fingerprint,
            own: &attachment,
            leader: leader.as_ref(),
        };
        let earlier = if options.full {
            None
        } else {
            engine.store.meta.publication_of(attachment.id, number, &fingerprint).await?
        };
        Ok(Self {
            skipped_because: wish.skipped_because(),
            earlier,
            version: number,
            units: version.units,
            full: options.full || !before.is_some_and(good),
            component: bound.component.id.clone(),
            plugin_settings: bound.plugin_settings(),
            fingerprint,
            signing_key,
            plugin: bound.plugin,
            repository,
            attachment,
        })
    }

    fn url(&self) -> Option<String> {
        self.attachment.path.as_ref().map(|path| format!("/content/{path}/"))
    }

    fn rights(&self, run: &JobRun, process: u64) -> Rights {
        Rights {
            repository: self.repository.id,
            version: self.version,
            attachment: self.attachment.id,
            settings: self.plugin_settings.text.clone(),
            secrets: self.plugin_settings.secrets.clone(),
            signing_key: self.signing_key.clone(),
            ..Rights::least(run, process)
        }
    }

    fn wire_attachment(&self) -> v1::Attachment {
        let (settings, state) = (&self.plugin_settings, self.attachment.state.clone());
        convert::attachment(&self.component, &self.attachment, &self.repository, settings, state)
    }

    fn reissue_request(
        &self,
        context: v1::JobContext,
        earlier: PublicationId,
    ) -> v1::ReissueRequest {
        v1::ReissueRequest {
            context: Some(context),
            attachment: Some(self.wire_attachment()),
            publication: Some(v1::Publication {
                id: earlier.0.unsigned_abs(),
                version: self.version,
                identifier: String::new(),
            }),
            timestamp_ms: crate::clock::now_ms(),
            signing: self.signing_key.iter().cloned().collect(),
        }
    }

    fn request(&self, context: v1::JobContext) -> v1::PublishRequest {
        let last = self.attachment.last.as_ref();
        v1::PublishRequest {
            context: Some(context),
            attachment: Some(self.wire_attachment()),
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
            signing: self.signing_key.iter().cloned().collect(),
        }
    }
}

/// The distributor that one comes after, as it stands now.
async fn leader(engine: &Inner, own: &Attachment) -> Result<Option<Attachment>, Problem> {
    let Some(address) = runs::after(own) else { return Ok(None) };
    let all = engine.store.meta.attachments(own.repository).await?;
    let found = all.into_iter().find(|other| address.names(other));
    found.map(Some).ok_or_else(|| {
        Problem::usage(
            "not_found.attachment",
            format!("{} comes after {address}, which is not attached", own.address()),
        )
        .help("attach it, or attach this one again without the setting `after`")
    })
}
