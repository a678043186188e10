//! Starts processes of the subject and makes calls to them, each case from the beginning.
//!
//! [`Bench`] lives as long as the verification, [`Stage`] as long as one process. A stage that is dropped kills what
//! it started; nothing is left behind.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::{Mutex, OnceCell};
use tokio_util::sync::CancellationToken;
use wharf_proto::v1;
use wharf_supervisor::{
    Bounds, CallError, Component, EnvPolicy, Events, Guardian, Launch, Process, Role, StopStep,
    calls, standard_runtime_dir,
};

use crate::desk::{Desk, FEATURES, Open, Script};
use crate::error::Error;
use crate::operation::{Asked, Operation};
use crate::sample::Sample;
use crate::subject::Subject;
use crate::units::Stock;
use crate::verdict::{Finding, Verdict, ended_badly, failed, skipped};
use crate::watch::{Run, watch};

/// For each step of a stop, as go-plugin's hosts have it.
pub(crate) const GRACE: Duration = Duration::from_secs(2);
/// What a call may be silent for: the contract's own limit is minutes, which no author waits for.
pub(crate) const STALL: Duration = Duration::from_secs(20);
/// A short call that waits for nobody.
pub(crate) const SHORT: Duration = Duration::from_secs(5);
/// Units of a repository that is neither empty nor large.
const FEW: u32 = 3;
/// A folder for sockets with a longer name leaves them no room.
const LONGEST_FOLDER: usize = 55;

type Rehearsals = HashMap<(String, Operation), Arc<OnceCell<Verdict<Arc<Run>>>>>;

/// Everything that the cases share.
pub(crate) struct Bench<'a> {
    pub(crate) subject: &'a Subject,
    guardian: Guardian,
    start_timeout: Duration,
    sockets: TempDir,
    work: TempDir,
    rehearsals: Mutex<Rehearsals>,
}

/// One running process and what it may ask.
pub(crate) struct Stage<'a> {
    pub(crate) process: Process,
    pub(crate) desk: Arc<Desk>,
    bench: &'a Bench<'a>,
}

/// A call to be made.
#[derive(Clone, Copy)]
pub(crate) struct Ask<'a> {
    pub(crate) component: &'a Component,
    pub(crate) operation: Operation,
}

impl Ask<'_> {
    pub(crate) fn is(&self, operation: Operation) -> bool {
        self.operation == operation
    }
}

impl<'a> Bench<'a> {
    /// # Errors
    /// [`Error::Folder`].
    pub(crate) fn new(
        subject: &'a Subject,
        guardian: Guardian,
        start_timeout: Duration,
    ) -> Result<Self, Error> {
        Ok(Self {
            subject,
            guardian,
            start_timeout,
            sockets: folder(&sockets_parent())?,
            work: folder(&std::env::temp_dir())?,
            rehearsals: Mutex::default(),
        })
    }

    /// A start like a host's, with a desk's services.
    pub(crate) fn launch(&self, desk: &Arc<Desk>) -> Launch {
        let installed = &self.subject.installed;
        let manifest = &installed.manifest;
        let mut launch = Launch::new(&installed.executable)
            .name(&manifest.name)
            .args(&manifest.args)
            .env(EnvPolicy::Allow(manifest.requires.environment.clone()))
            .runtime_dir(self.sockets.path())
            .current_dir(self.work.path())
            .start_timeout(self.start_timeout)
            .stop_times(GRACE, GRACE)
            .guardian(self.guardian.clone())
            .host_services(desk.routes());
        for (name, value) in &manifest.env {
            launch = launch.set_env(name, value);
        }
        launch
    }

    /// A process that answers.
    pub(crate) async fn start(&'a self) -> Verdict<Stage<'a>> {
        let desk = Arc::new(Desk::default());
        let process = self.launch(&desk).start().await?;
        self.meet(process, desk).await
    }

    /// A started process is asked who it is and told what the host offers, as every host does first.
    pub(crate) async fn meet(&'a self, process: Process, desk: Arc<Desk>) -> Verdict<Stage<'a>> {
        let request = v1::DescribeRequest {
            host_version: env!("CARGO_PKG_VERSION").to_owned(),
            features: FEATURES.iter().map(|feature| (*feature).to_owned()).collect(),
            ..v1::DescribeRequest::default()
        };
        let described = calls::describe(&process, request, &Bounds::new(STALL)).await;
        described.map_err(|error| ended_badly(&error))?;
        Ok(Stage { process, desk, bench: self })
    }

    pub(crate) fn sample(&self, component: &Component) -> &Sample {
        self.subject.sample(component)
    }

    /// What a call came to that is made once, in a process of its own, with everything in order.
    pub(crate) async fn rehearsal(&'a self, ask: Ask<'_>) -> Verdict<Arc<Run>> {
        let key = (ask.component.id.clone(), ask.operation);
        let cell = Arc::clone(self.rehearsals.lock().await.entry(key).or_default());
        cell.get_or_init(|| async {
            self.can(ask)?;
            let stage = self.start().await?;
            let run = stage.run(ask, Script::Good, FEW).await?;
            stage.process.stop().await;
            match run.end {
                Err(CallError::Unimplemented { .. }) if ask.operation.is_optional() => {
                    Err(Finding::Beside)
                }
                _ => Ok(Arc::new(run)),
            }
        })
        .await
        .clone()
    }

    /// One that ended well; other cases of the call have nothing to compare with otherwise.
    pub(crate) async fn good(&'a self, ask: Ask<'_>) -> Verdict<Arc<Run>> {
        let run = match self.rehearsal(ask).await {
            Err(Finding::Failed { .. }) => None,
            run => Some(run?),
        };
        match run {
            Some(run) if run.end.is_ok() => Ok(run),
            _ => skipped(
                format!("{} does not end well by itself", ask.operation.call()),
                "see case operation.works of the same call",
            ),
        }
    }

    /// Whether there is all that the call needs.
    pub(crate) fn can(&self, Ask { component, operation }: Ask<'_>) -> Verdict {
        let sample = self.sample(component);
        let missing = sample.missing(component);
        let id = &component.id;
        if let Some(first) = missing.first() {
            let names = missing.join(", ");
            return skipped(
                format!("{id} needs settings that nobody gave: {names}"),
                format!(
                    "put them into verify.json beside plugin.json, or say --set {id}.{first}=..."
                ),
            );
        }
        if operation == Operation::Upload && sample.uploads.is_empty() {
            return skipped(
                format!("nobody said what is uploaded to {id}"),
                "name files in verify.json: \"uploads\" of the component",
            );
        }
        Ok(())
    }

    /// A push is handed one image, whatever the repository holds.
    pub(crate) fn stock(&self, component: &Component, count: u32) -> Arc<Stock> {
        let sample = self.sample(component);
        let count = if pushes(component) { 1 } else { count };
        Arc::new(Stock::of(component, sample, &self.subject.types, count))
    }
}

/// Whether it brings single images to a provider. Source: proto/README.md, section 13.
pub(crate) fn pushes(component: &Component) -> bool {
    component.role == Role::Distributor && component.profile == "push"
}

impl Stage<'_> {
    /// A job of a component, over `count` units.
    pub(crate) fn job(&self, component: &Component, script: Script, count: u32) -> Verdict<Open> {
        let sample = self.bench.sample(component).clone();
        let stock = self.bench.stock(component, count);
        let opened = self.desk.open(self.bench.work.path(), (sample, stock), script);
        opened.map_err(|error| Finding::Skipped {
            reason: format!("no folder for the job could be made: {error}"),
            hint: "make room in the folder for temporary files".to_owned(),
        })
    }

    /// Begins a call.
    pub(crate) async fn begin(
        &self,
        ask: Ask<'_>,
        open: &Open,
        cancel: &CancellationToken,
    ) -> Verdict<Result<Events, CallError>> {
        let asked = self.asked(ask, open).await?;
        let bounds = Bounds::new(STALL).cancel(cancel.clone());
        Ok(asked.begin(ask.operation, &self.process, &bounds).await)
    }

    /// What the call is made with; Fetch needs a listing first.
    pub(crate) async fn asked<'b>(&'b self, ask: Ask<'b>, open: &'b Open) -> Verdict<Asked<'b>> {
        let sample = self.bench.sample(ask.component);
        let uploads = if ask.is(Operation::Upload) {
            stage_files(sample, &open.job.folder)?
        } else {
            Vec::new()
        };
        let item =
            if ask.is(Operation::Fetch) { Some(self.listed(ask.component).await?) } else { None };
        let parent = if ask.is(Operation::Build) {
            sample.recipe.stage_parent(&open.job.folder)?
        } else {
            None
        };
        let identifier = if ask.is(Operation::Unpublish) {
            self.published(ask.component).await?
        } else {
            String::new()
        };
        let component = ask.component.id.as_str();
        Ok(Asked { component, sample, job: &open.job, uploads, item, parent, identifier })
    }

    /// Makes one call and reads it to its end.
    pub(crate) async fn run(&self, ask: Ask<'_>, script: Script, count: u32) -> Verdict<Run> {
        let open = self.job(ask.component, script, count)?;
        self.run_in(ask, &open, None).await
    }

    /// The same in a job of the caller's.
    pub(crate) async fn run_in(
        &self,
        ask: Ask<'_>,
        open: &Open,
        pause: Option<Duration>,
    ) -> Verdict<Run> {
        let mut run = match self.begin(ask, open, &CancellationToken::new()).await? {
            Ok(events) => watch(events, &self.bench.subject.types, ask.operation, pause).await,
            Err(error) => Run::without_events(error),
        };
        run.asked = open.job.asked();
        Ok(run)
    }

    /// An item whose bytes the host would ask for.
    async fn listed(&self, component: &Component) -> Verdict<v1::ListedItem> {
        let list = Ask { component, operation: Operation::List };
        let run = Box::pin(self.run(list, Script::Good, FEW)).await?;
        if let Err(error) = run.end {
            return skipped(format!("the listing failed: {error}"), "see operation.works of List");
        }
        let needs_fetch = |item: &v1::ListedItem| {
            let file = item.unit.as_ref().and_then(|unit| unit.files.first());
            file.is_some_and(|f| f.sources.is_empty() && f.staged.is_none() && f.inline.is_none())
        };
        // Without one, any: the call is declared, and a host may make it.
        let item = run.items.iter().find(|item| needs_fetch(item)).or(run.items.first());
        match item {
            Some(item) => Ok(item.clone()),
            None => skipped(
                "the listing is empty, so there is nothing to fetch",
                "give it something to list: settings in verify.json",
            ),
        }
    }

    /// Publishes something, and says what it is called where it was put.
    async fn published(&self, component: &Component) -> Verdict<String> {
        let publish = Ask { component, operation: Operation::Publish };
        let run = Box::pin(self.run(publish, Script::Good, FEW)).await?;
        match run.end {
            Ok(()) => Ok(run.identifier),
            Err(error) => skipped(
                format!("nothing is published that could be taken back: {error}"),
                "see operation.works of Publish",
            ),
        }
    }

    /// Whether the process still answers everything at once.
    pub(crate) async fn answers(&self, after: &str) -> Verdict {
        let hint = "answer health and short calls from a thread that no long call holds up";
        if let Err(error) = self.process.ping(SHORT).await {
            return failed(format!("health after {after}: {error}"), hint);
        }
        let request = v1::DescribeRequest::default();
        let described = calls::describe(&self.process, request, &Bounds::new(SHORT)).await;
        match described {
            Ok(_) => Ok(()),
            Err(error) => failed(format!("Plugin.Describe after {after}: {error}"), hint),
        }
    }

    /// Ends the process, which must go when it is asked.
    pub(crate) async fn goes(self, when: &str) -> Verdict {
        let stopped = self.process.stop().await;
        let hint = "on plugin.GRPCController.Shutdown end running calls and streams, and exit with status 0 within 2 s";
        match (stopped.step, stopped.exit.code) {
            (StopStep::Shutdown, Some(0)) => Ok(()),
            (StopStep::Shutdown, _) => {
                failed(format!("Shutdown {when}: it {}", stopped.exit), hint)
            }
            (StopStep::AlreadyEnded, _) => {
                failed(format!("it had ended before Shutdown {when}: it {}", stopped.exit), hint)
            }
            (step, _) => {
                let how = if step == StopStep::Terminate { "SIGTERM" } else { "SIGKILL" };
                failed(
                    format!("Shutdown {when} did not end it within {GRACE:?}; it took {how}"),
                    hint,
                )
            }
        }
    }
}

/// A call that may end with a result or an expected error, and in no other way.
pub(crate) fn ended_somehow(run: &Run) -> Verdict {
    match &run.end {
        Ok(()) | Err(CallError::Plugin(_)) => Ok(()),
        Err(error) => Err(ended_badly(error)),
    }
}

fn stage_files(sample: &Sample, folder: &Path) -> Verdict<Vec<v1::File>> {
    let mut files = Vec::new();
    for (number, place) in sample.uploads.iter().enumerate() {
        let bytes = std::fs::read(place).map_err(|error| Finding::Skipped {
            reason: format!("{} cannot be read: {error}", place.display()),
            hint: "mend \"uploads\" in verify.json".to_owned(),
        })?;
        let staged = format!("upload-{number}");
        let written = std::fs::write(folder.join(&staged), &bytes);
        written.map_err(|error| Finding::Skipped {
            reason: format!("{} cannot be staged: {error}", place.display()),
            hint: "make room in the folder for temporary files".to_owned(),
        })?;
        files.push(v1::File {
            path: place.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            size: u64::try_from(bytes.len()).ok(),
            digests: vec![format!("sha256:{}", crate::units::sha256(&bytes))],
            staged: Some(staged),
            ..v1::File::default()
        });
    }
    Ok(files)
}

fn sockets_parent() -> PathBuf {
    let temporary = std::env::temp_dir();
    let places = [standard_runtime_dir(Path::new("")), temporary.clone(), PathBuf::from("/tmp")];
    let fits = |place: &&PathBuf| place.is_absolute() && place.as_os_str().len() <= LONGEST_FOLDER;
    places.iter().find(fits).unwrap_or(&temporary).clone()
}

fn folder(parent: &Path) -> Result<TempDir, Error> {
    let made = tempfile::Builder::new().prefix("verify-").tempdir_in(parent);
    made.map_err(|source| Error::Folder { path: parent.to_owned(), source })
}
