//! Takes away what nobody needs any more, as a job that others need not wait for.
//!
//! The path: uploads that nobody goes on with → superseded publications whose grace time is over → versions that their repositories do not keep → units
//! that no version holds → bytes that nothing refers to, if they are older than the protection time, so that what a
//! failed sync has fetched already is still there for the next one. What a running job holds on to stays, whatever its
//! age; see the store's pins. Logs that nothing was written to for months go last. Cut off anywhere, the next run does the
//! rest (F90).

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use wharf_store::blobs::list::{FOLDERS, Found};
use wharf_store::model::{LogLevel, UnitId};

use crate::clock;
use crate::engine::{Engine, Inner};
use crate::jobs::run::JobRun;
use crate::jobs::view::{JobResult, JobView};
use crate::problem::Problem;

/// The operation, as jobs are called by it.
pub(crate) const OPERATION: &str = "gc";
/// Units and blobs of one step; others that write wait that long.
const STEP: usize = 500;
const DAY_MS: u64 = 24 * 3_600_000;
/// How soon after a start a run that is overdue begins, if it is not to be more often than that.
const SOON: Duration = Duration::from_mins(5);

/// How much is taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GcOptions {
    /// Bytes that came so lately stay, in milliseconds.
    pub protect_ms: u64,
    /// Count only; take nothing away.
    pub dry_run: bool,
}

impl Default for GcOptions {
    fn default() -> Self {
        Self { protect_ms: DAY_MS, dry_run: false }
    }
}

/// What was taken away, or would be.
#[derive(Debug, Default, Serialize)]
struct Freed {
    publications: u64,
    versions: u64,
    units: u64,
    blobs: u64,
    bytes: u64,
}

impl Engine {
    /// Asks for what nobody needs to be taken away.
    pub async fn gc(&self, options: GcOptions) -> Result<JobView, Problem> {
        submit(&self.inner, options).await
    }
}

async fn submit(engine: &Inner, options: GcOptions) -> Result<JobView, Problem> {
    let arguments = serde_json::to_string(&options)?;
    engine.submit_on(OPERATION, None, arguments).await
}

/// Asks for a run now and then, until the engine stops.
pub(crate) async fn now_and_then(engine: &Inner, every: Duration, stop: &CancellationToken) {
    let soon = SOON.min(every);
    let every_ms = i64::try_from(every.as_millis()).unwrap_or(i64::MAX);
    loop {
        let last = engine.store.meta.last_run(OPERATION).await.unwrap_or_default();
        let since = last.map_or(i64::MAX, |last| clock::now_ms().saturating_sub(last));
        let wait = u64::try_from(every_ms.saturating_sub(since)).unwrap_or(0);
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(Duration::from_millis(wait).max(soon)) => {}
        }
        if let Err(problem) = submit(engine, GcOptions::default()).await {
            tracing::warn!(%problem, "what nobody needs any more cannot be looked for");
        }
    }
}

/// Runs the job.
pub(crate) async fn run(engine: &Inner, run: &JobRun) -> Result<JobResult, Problem> {
    let options: GcOptions = serde_json::from_str(&run.job.arguments)?;
    let mut freed = Freed::default();
    let gc = Gc { engine, run, options };
    if !options.dry_run {
        engine.expire().await?;
    }
    gc.publications(&mut freed).await?;
    gc.versions(&mut freed).await?;
    gc.units(&mut freed).await?;
    gc.bytes(&mut freed).await?;
    let Freed { publications, versions, units, blobs, bytes } = &freed;
    let text = format!(
        "{publications} publications, {versions} versions, {units} units, {blobs} blobs of {bytes} bytes"
    );
    run.log(LogLevel::Info, text).await;
    Ok(JobResult {
        removed: freed.units,
        changed: !options.dry_run && freed.units + freed.blobs + freed.versions > 0,
        dry_run: options.dry_run,
        summary: Some(serde_json::to_value(&freed)?),
        ..run.result()
    })
}

struct Gc<'a> {
    engine: &'a Inner,
    run: &'a JobRun,
    options: GcOptions,
}

impl Gc<'_> {
    async fn publications(&self, freed: &mut Freed) -> Result<(), Problem> {
        let meta = &self.engine.store.meta;
        let now_ms = clock::now_ms();
        for publication in meta.expired_publications(now_ms).await? {
            self.run.check_cancelled()?;
            let gone = self.options.dry_run
                || meta.drop_expired(self.run.lease, publication, now_ms).await?;
            freed.publications += u64::from(gone);
        }
        Ok(())
    }

    async fn versions(&self, freed: &mut Freed) -> Result<(), Problem> {
        if self.options.dry_run {
            return Ok(());
        }
        let meta = &self.engine.store.meta;
        for repository in meta.retaining().await? {
            self.run.check_cancelled()?;
            freed.versions += meta.drop_old_versions(self.run.lease, repository).await?;
        }
        Ok(())
    }

    async fn units(&self, freed: &mut Freed) -> Result<(), Problem> {
        let meta = &self.engine.store.meta;
        let mut after: Option<UnitId> = None;
        loop {
            self.run.check_cancelled()?;
            let orphans = meta.orphans(after, STEP).await?;
            let Some(last) = orphans.last() else { return Ok(()) };
            after = Some(*last);
            freed.units += if self.options.dry_run {
                orphans.len() as u64
            } else {
                meta.drop_units(self.run.lease, orphans).await?
            };
            self.run.counted("units", "units", freed.units);
        }
    }

    /// A dry run counts the bytes of units that would go too, but not of versions that would.
    async fn bytes(&self, freed: &mut Freed) -> Result<(), Problem> {
        let meta = &self.engine.store.meta;
        let mut from = Some(0);
        while let Some(next) = from.filter(|_| !self.options.dry_run) {
            self.run.check_cancelled()?;
            (from, _) = meta.forget_absent(self.run.lease, next).await?;
        }
        let protect = i64::try_from(self.options.protect_ms).unwrap_or(i64::MAX);
        let before_ms = clock::now_ms().saturating_sub(protect);
        for folder in 0..FOLDERS {
            self.run.check_cancelled()?;
            let folder = u8::try_from(folder).unwrap_or(u8::MAX);
            let found = self.engine.store.blobs.list(folder).await?;
            let old: Vec<Found> =
                found.into_iter().filter(|found| found.changed_ms <= before_ms).collect();
            for step in old.chunks(STEP) {
                self.step(step, freed).await?;
            }
            self.run.counted("bytes", "folders", 1);
        }
        Ok(())
    }

    async fn step(&self, step: &[Found], freed: &mut Freed) -> Result<(), Problem> {
        let meta = &self.engine.store.meta;
        let digests = step.iter().map(|found| found.digest).collect();
        let unneeded = meta.unneeded(digests).await?;
        if unneeded.is_empty() {
            return Ok(());
        }
        if self.options.dry_run {
            freed.blobs += unneeded.len() as u64;
            let of = |found: &&Found| unneeded.contains(&found.digest);
            freed.bytes += step.iter().filter(of).map(|found| found.size).sum::<u64>();
            return Ok(());
        }
        let forgotten = meta.forget_bytes(self.run.lease, unneeded).await?;
        freed.blobs += forgotten.len() as u64;
        let blobs = &self.engine.store.blobs;
        freed.bytes += meta.remove_files(self.run.lease, blobs, forgotten).await?;
        Ok(())
    }
}
