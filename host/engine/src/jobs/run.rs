//! One running job, as the code that does its work sees it: cancellation, log, warnings, items, progress.
//!
//! Everything told here is visible at once to those who watch the job; nothing of it decides how the job ends.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use wharf_store::Logs;
use wharf_store::model::{Job, JobState, Lease, LogLevel, LogLine};

use super::told::Told;
use super::view::{
    BroughtUnit, FETCHING, ItemReport, JobResult, JobView, KEPT, MigrationReport, PluginProcess,
    Progress, WarningReport,
};
use crate::clock;
use crate::fetch::Meter;
use crate::problem::Problem;
use crate::secrets::{Audit, Redactor};
use crate::staging::Folder;

/// How often progress is shown.
pub(crate) const TICK: Duration = Duration::from_millis(250);

/// A job in hand: one attempt of it, under one lease.
pub(crate) struct JobRun {
    /// The stored row as it was when the attempt began.
    pub(crate) job: Job,
    /// What every write of this attempt must show.
    pub(crate) lease: Lease,
    /// Fires when the job is to stop.
    pub(crate) cancel: CancellationToken,
    /// The job's own folder, on the store's file system.
    pub(crate) folder: Arc<Folder>,
    /// Counts what is received.
    pub(crate) meter: Arc<Meter>,
    /// Counts the secrets that were handed out.
    pub(crate) audit: Arc<Audit>,
    redactor: Redactor,
    view: watch::Sender<JobView>,
    logs: Logs,
    tally: Mutex<Tally>,
    started: Instant,
}

#[derive(Default)]
struct Tally {
    /// Items that the plugin itself said had failed or were left out.
    named: u64,
    failed: u64,
    skipped: u64,
    warnings: u64,
    warning_codes: BTreeMap<String, u64>,
    items: Vec<ItemReport>,
    warnings_list: Vec<WarningReport>,
    migrations: Vec<MigrationReport>,
    brought: Vec<BroughtUnit>,
    /// Once the plugin has said how far it is.
    told: Option<Told>,
    rate: Rate,
}

/// Bytes a second over the last few ticks.
#[derive(Default)]
struct Rate {
    bytes: u64,
    per_second: u64,
}

impl JobRun {
    pub(crate) fn new(
        job: Job,
        lease: Lease,
        folder: Arc<Folder>,
        cancel: CancellationToken,
        view: watch::Sender<JobView>,
        logs: Logs,
        redactor: Redactor,
    ) -> Self {
        let run = Self {
            job,
            lease,
            cancel,
            folder,
            meter: Arc::default(),
            audit: Arc::default(),
            redactor,
            view,
            logs,
            tally: Mutex::default(),
            started: Instant::now(),
        };
        run.show(|view| {
            view.state = JobState::Running;
            view.attempts = run.job.attempts;
            view.progress = None;
            view.started_ms = run.job.started_ms;
        });
        run
    }

    /// The job's number.
    pub(crate) fn id(&self) -> i64 {
        self.job.id.0
    }

    /// Fails when the job is to stop.
    pub(crate) fn check_cancelled(&self) -> Result<(), Problem> {
        if self.cancel.is_cancelled() { Err(Problem::cancelled()) } else { Ok(()) }
    }

    /// Writes a line to the job's log. A log that cannot be written does not stop the job.
    pub(crate) async fn log(&self, level: LogLevel, text: impl Into<String>) {
        let line = LogLine::new(clock::now_ms(), level, text.into());
        self.log_line(line).await;
    }

    /// Writes a finished line to the job's log.
    pub(crate) async fn log_line(&self, mut line: LogLine) {
        line.text = self.redactor.text(&line.text).into_owned();
        line.fields.values_mut().for_each(|value| *value = self.redactor.text(value).into_owned());
        if let Err(error) = self.logs.append(self.job.id, vec![line]).await {
            tracing::warn!(job = self.id(), %error, "the job's log cannot be written");
        }
    }

    /// Tells the user something; nothing was lost.
    pub(crate) async fn warn(
        &self,
        code: impl Into<String>,
        text: impl Into<String>,
        item: impl Into<String>,
    ) {
        let warning = WarningReport { code: code.into(), text: text.into(), item: item.into() };
        let about = if warning.item.is_empty() {
            warning.text.clone()
        } else {
            format!("{}: {}", warning.item, warning.text)
        };
        let kept = {
            let mut tally = self.tally();
            tally.count(&warning.code);
            let kept = tally.warnings_list.len() < KEPT;
            if kept {
                tally.warnings_list.push(warning);
            }
            kept
        };
        if kept {
            self.log(LogLevel::Warn, about).await;
        }
    }

    /// Counts an item that could not be brought in.
    pub(crate) async fn failed(&self, key: &str, problem: Problem) {
        let text = format!("{key}: {}", problem.message);
        let kept = {
            let mut tally = self.tally();
            tally.failed += 1;
            tally.keep(key, "failed", Some(problem))
        };
        if kept {
            self.log(LogLevel::Error, text).await;
        }
    }

    /// Counts an item that the plugin says has failed.
    pub(crate) async fn named_failed(&self, key: &str, problem: Problem) {
        self.tally().named += 1;
        self.failed(key, problem).await;
    }

    /// Counts an item that the plugin left out on purpose.
    pub(crate) fn named_skipped(&self, key: &str, problem: Option<Problem>) {
        let mut tally = self.tally();
        tally.named += 1;
        tally.skipped += 1;
        tally.keep(key, "skipped", problem);
    }

    /// Notes a migration that was run.
    pub(crate) fn migrated(&self, report: MigrationReport) {
        self.tally().migrations.push(report);
    }

    /// Notes what a file that the user brought became.
    pub(crate) fn became(&self, unit: BroughtUnit) {
        let mut tally = self.tally();
        if tally.brought.len() < KEPT {
            tally.brought.push(unit);
        }
    }

    /// Items that the plugin itself said had failed or were left out.
    pub(crate) fn named_by_plugin(&self) -> u64 {
        self.tally().named
    }

    /// Items that failed or were skipped so far.
    pub(crate) fn troubled(&self) -> u64 {
        let tally = self.tally();
        tally.failed + tally.skipped
    }

    /// Whether an item failed because its bytes were not what the index promised.
    pub(crate) fn saw_integrity_failure(&self) -> bool {
        let tally = self.tally();
        tally.items.iter().any(|item| item.problem.as_ref().is_some_and(Problem::is_integrity))
    }

    /// Forgets failed and skipped items: the work starts over.
    pub(crate) fn start_over(&self) {
        let mut tally = self.tally();
        tally.named = 0;
        tally.failed = 0;
        tally.skipped = 0;
        tally.items.clear();
    }

    /// Shows how far the work is. Watchers see it with the next tick.
    pub(crate) fn progress(&self, change: impl FnOnce(&mut Progress)) {
        self.view.send_if_modified(|view| {
            let progress = view.progress.get_or_insert_default();
            change(progress);
            progress.total =
                if progress.total == 0 { 0 } else { progress.total.max(progress.done) };
            false
        });
    }

    /// Shows how far the plugin says it is.
    pub(crate) async fn told(&self, mut said: Progress) {
        for text in [&mut said.phase, &mut said.unit, &mut said.activity] {
            *text = self.redactor.text(text).into_owned();
        }
        let flaw = self.tally().told.get_or_insert_default().clamp(&mut said);
        self.progress(|shown| {
            if shown.phase != FETCHING {
                let Progress { bytes, rate, .. } = *shown;
                *shown = Progress { bytes, rate, ..said };
            }
        });
        if let Some(flaw) = flaw {
            self.warn("progress", format!("the plugin says that it has done {flaw}"), "").await;
        }
    }

    /// Shows what the host itself counts, as long as the plugin says nothing.
    pub(crate) fn counted(&self, phase: &str, unit: &str, count: u64) {
        if self.tally().told.is_some() {
            return;
        }
        self.progress(|shown| {
            if shown.phase != FETCHING {
                shown.done += count;
                unit.clone_into(&mut shown.unit);
                phase.clone_into(&mut shown.phase);
            }
        });
    }

    /// So many files more are to be fetched; from now on these are what is counted.
    pub(crate) fn fetching(&self, files: u64) {
        if files == 0 {
            return;
        }
        self.progress(|progress| {
            if progress.phase != FETCHING {
                let begun = Progress { phase: FETCHING.to_owned(), ..Progress::default() };
                *progress = Progress { unit: "files".to_owned(), ..begun };
            }
            progress.total += files;
        });
    }

    /// Brings watchers up to date; called every [`TICK`].
    pub(crate) fn tick(&self) {
        let bytes = self.meter.bytes();
        let rate = {
            let mut tally = self.tally();
            let fresh = bytes.saturating_sub(tally.rate.bytes) * 1_000 / as_millis(TICK).max(1);
            tally.rate.bytes = bytes;
            tally.rate.per_second = (tally.rate.per_second * 3 + fresh) / 4;
            tally.rate.per_second
        };
        self.show(|view| {
            let progress = view.progress.get_or_insert_default();
            progress.bytes = bytes;
            if progress.phase == FETCHING {
                progress.done = self.meter.files();
            }
            progress.rate = rate;
        });
    }

    /// Shows which process works on the job.
    pub(crate) fn works_in(&self, process: PluginProcess) {
        self.show(|view| view.plugin = Some(process));
    }

    /// What is known of the result apart from what was brought in.
    pub(crate) fn result(&self) -> JobResult {
        let tally = self.tally();
        JobResult {
            failed: tally.failed,
            skipped: tally.skipped,
            warnings: tally.warnings,
            warning_codes: tally.warning_codes.clone(),
            items: tally.items.clone(),
            warnings_list: tally.warnings_list.clone(),
            migrations: tally.migrations.clone(),
            brought: tally.brought.clone(),
            bytes: self.meter.bytes(),
            downloads: self.meter.requests(),
            seconds: self.started.elapsed().as_secs_f64(),
            plugin: self.view.borrow().plugin.clone(),
            secrets: self.audit.told(),
            dry_run: is_dry(&self.job.arguments),
            ..JobResult::default()
        }
    }

    fn show(&self, change: impl FnOnce(&mut JobView)) {
        self.view.send_modify(|view| {
            change(view);
            view.revision += 1;
        });
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the code of a warning becomes when there are too many different ones.
const OTHER: &str = "other";

impl Tally {
    fn count(&mut self, code: &str) {
        self.warnings += 1;
        let room = self.warning_codes.len() < KEPT || self.warning_codes.contains_key(code);
        let code = if room { code } else { OTHER };
        *self.warning_codes.entry(code.to_owned()).or_default() += 1;
    }

    fn keep(&mut self, key: &str, outcome: &str, problem: Option<Problem>) -> bool {
        let kept = self.items.len() < KEPT;
        if kept {
            let (key, outcome) = (key.to_owned(), outcome.to_owned());
            self.items.push(ItemReport { key, outcome, problem });
        }
        kept
    }
}

/// Whether these arguments of a job ask for a dry run.
fn is_dry(arguments: &str) -> bool {
    let arguments: serde_json::Value = serde_json::from_str(arguments).unwrap_or_default();
    arguments.get("dry_run").and_then(serde_json::Value::as_bool).unwrap_or_default()
}

fn as_millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
