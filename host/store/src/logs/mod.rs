//! What jobs said: one file for each job, one JSON object on each line, numbered from 0 on.
//!
//! ```text
//! DATA/logs/JOB.log      {"n":0,"ms":1764000000000,"level":"info","text":"...","fields":{"k":"v"}}
//! ```
//!
//! A log only grows, up to a bound; then it says so and takes no more. Nothing is brought to the disk on purpose: after
//! a power cut the last lines may lack, and a line that was cut off is dropped.

mod file;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use self::file::Log;
use crate::error::Error;
use crate::model::{JobId, LogLine};

/// Logs that stay at hand although nobody uses them just now.
const AT_HAND: usize = 64;

/// The logs of all jobs. A cheap handle.
#[derive(Debug, Clone)]
pub struct Logs {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    folder: PathBuf,
    most: u64,
    logs: Mutex<HashMap<JobId, Arc<Log>>>,
}

impl Logs {
    /// Opens the logs of a data folder. Blocks.
    ///
    /// # Errors
    ///
    /// [`Error::Storage`].
    pub fn open_in(data: &Path) -> Result<Self, Error> {
        Self::open_with(data, file::MOST)
    }

    /// As [`Logs::open_in`], with another bound of a log, in bytes.
    fn open_with(data: &Path, most: u64) -> Result<Self, Error> {
        use std::os::unix::fs::DirBuilderExt as _;
        let folder = data.join("logs");
        match std::fs::DirBuilder::new().mode(0o700).create(&folder) {
            Err(error) if !folder.is_dir() => {
                return Err(Error::storage("cannot make", &folder, error));
            }
            _ => {}
        }
        Ok(Self { inner: Arc::new(Inner { folder, most, logs: Mutex::default() }) })
    }

    /// Adds lines to a job's log, and numbers them. What is beyond the bound is dropped, with a mark.
    ///
    /// # Errors
    ///
    /// [`Error::Storage`]; then none of the lines was added.
    pub async fn append(&self, job: JobId, lines: Vec<LogLine>) -> Result<(), Error> {
        let log = self.log(job);
        crate::blocking(move || log.append(lines)).await
    }

    /// Reads lines from number `from` on, at most `limit` (0: 1,000), and the number to go on from. A job without a log
    /// has no lines.
    ///
    /// # Errors
    ///
    /// [`Error::Storage`].
    pub async fn read(
        &self,
        job: JobId,
        from: u64,
        limit: usize,
    ) -> Result<(Vec<LogLine>, u64), Error> {
        let log = self.log(job);
        let limit = if limit == 0 { 1_000 } else { limit };
        crate::blocking(move || log.read(from, limit)).await
    }

    /// Waits until a job's log has a line of number `next`. Waits for ever if it never gets one. Cancel safe.
    pub async fn wait(&self, job: JobId, next: u64) {
        let log = self.log(job);
        let mut end = log.follow();
        let loading = Arc::clone(&log);
        if let Err(error) = crate::blocking(move || loading.load()).await {
            // Nothing to wait for can be seen; whoever reads next is told why.
            tracing::warn!(%job, %error, "the job's log cannot be followed");
        }
        if end.wait_for(|end| *end > next).await.is_err() {
            // Cannot be: `log` holds the other end.
            std::future::pending::<()>().await;
        }
    }

    /// Removes the logs that nothing was written to since then, in milliseconds since 1970, but those at hand. With
    /// `dry` they are only counted. Answers how many, and their bytes.
    ///
    /// # Errors
    ///
    /// [`Error::Storage`].
    pub async fn remove_older(&self, before_ms: i64, dry: bool) -> Result<(u64, u64), Error> {
        let logs = self.clone();
        crate::blocking(move || logs.remove_older_blocking(before_ms, dry)).await
    }

    fn remove_older_blocking(&self, before_ms: i64, dry: bool) -> Result<(u64, u64), Error> {
        use std::os::unix::fs::MetadataExt as _;
        let folder = &self.inner.folder;
        let failed = |error| Error::storage("cannot read", folder, error);
        let (mut count, mut bytes) = (0, 0);
        for entry in std::fs::read_dir(folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            let job = name.to_str().and_then(|name| name.strip_suffix(".log")?.parse().ok());
            let (Some(job), Ok(about)) = (job.map(JobId), entry.metadata()) else { continue };
            if about.mtime().saturating_mul(1_000) >= before_ms {
                continue;
            }
            // Nobody gets it at hand while it is removed.
            let mut logs = self.logs();
            if logs.get(&job).is_some_and(|log| Arc::strong_count(log) > 1) {
                continue;
            }
            logs.remove(&job);
            if dry || std::fs::remove_file(entry.path()).is_ok() {
                count += 1;
                bytes += about.len();
            }
        }
        Ok((count, bytes))
    }

    fn log(&self, job: JobId) -> Arc<Log> {
        let mut logs = self.logs();
        if logs.len() > AT_HAND {
            logs.retain(|_, log| Arc::strong_count(log) > 1);
        }
        let new =
            || Arc::new(Log::new(self.inner.folder.join(format!("{job}.log")), self.inner.most));
        Arc::clone(logs.entry(job).or_insert_with(new))
    }

    fn logs(&self) -> MutexGuard<'_, HashMap<JobId, Arc<Log>>> {
        self.inner.logs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
