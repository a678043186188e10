//! What jobs hold while they work, beside repositories: locks by name, places in queues, space on a disk. Plugins ask for it
//! by Host.Acquire; what they do not give back is taken back when the job ends, however it ends.
//!
//! All of it is advice between jobs of this host: nobody is kept from writing to a disk. The book (`book`) is memory: a host
//! that starts has no running jobs, so nothing is held.

mod book;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::fs::{stat, statvfs};
use tokio::sync::Notify;
use tokio::time::{Instant, interval, timeout_at};
use tokio_util::sync::CancellationToken;

use self::book::Book;
pub(crate) use self::book::{Thing, Want};
use crate::problem::Problem;

/// The longest wait of one call; who still wants it asks again.
const LONGEST: Duration = Duration::from_hours(1);
/// How often free space is looked at while somebody waits for it: others than jobs use disks too.
const LOOK: Duration = Duration::from_secs(2);
/// The most that one job holds at a time.
const MAX_GRANTS: usize = 1_000;
const MAX_NAME: usize = 256;

/// What jobs hold.
#[derive(Debug)]
pub(crate) struct Claims {
    book: Mutex<Book>,
    changed: Notify,
    widths: BTreeMap<String, u64>,
    keep_free: u64,
}

impl Claims {
    /// `widths`: places of queues by name; all others have one. `keep_free`: bytes of each disk that nobody is granted.
    pub(crate) fn new(widths: BTreeMap<String, u64>, keep_free: u64) -> Self {
        Self { book: Mutex::default(), changed: Notify::new(), widths, keep_free }
    }

    /// A queue, by its name.
    pub(crate) fn queue(&self, name: String) -> Thing {
        let width = self.widths.get(&name).copied().unwrap_or(1);
        Thing::Queue { name, width }
    }

    /// Waits until the job has it.
    ///
    /// # Errors
    /// `conflict.busy` when it cannot be had in time, `usage.claim` when it never can, `limit.claims`, `cancelled`.
    pub(crate) async fn acquire(
        &self,
        job: i64,
        (want, place): (Want, &Path),
        wait: Duration,
        cancel: &CancellationToken,
    ) -> Result<u64, Problem> {
        self.possible(job, &want)?;
        let deadline = Instant::now() + wait.min(LONGEST);
        let standing = Standing { claims: self, place: self.book().stand(&want.thing) };
        let mut looks = interval(LOOK);
        loop {
            let changed = self.changed.notified();
            let free =
                if matches!(want.thing, Thing::Space { .. }) { self.free(place)? } else { 0 };
            if let Some(grant) = self.book().take(standing.place, job, &want, free) {
                return Ok(grant);
            }
            let again = async {
                tokio::select! {
                    () = changed => {}
                    () = async { loop { looks.tick().await; if free > 0 { break } } } => {}
                }
            };
            tokio::select! {
                () = cancel.cancelled() => return Err(Problem::cancelled()),
                ended = timeout_at(deadline, again) => {
                    if ended.is_err() {
                        return Err(self.busy(&want));
                    }
                }
            }
        }
    }

    /// Gives a grant back. Says whether the job had it.
    pub(crate) fn release(&self, job: i64, grant: u64) -> bool {
        let had = self.book().release(job, grant);
        self.changed.notify_waiters();
        had
    }

    /// The job is over: everything that it has is taken back.
    pub(crate) fn end(&self, job: i64) {
        if self.book().end(job) {
            self.changed.notify_waiters();
        }
    }

    /// The file system of a path that exists, as something to have space of.
    pub(crate) fn space(place: &Path) -> Result<Thing, Problem> {
        let found = stat(place).map_err(|error| unreadable(place, error))?;
        Ok(Thing::Space { device: found.st_dev })
    }

    fn possible(&self, job: i64, want: &Want) -> Result<(), Problem> {
        let impossible = |message: String| Err(Problem::usage("usage.claim", message));
        match &want.thing {
            Thing::Lock(name) | Thing::Queue { name, .. }
                if name.is_empty() || name.len() > MAX_NAME =>
            {
                return impossible(format!("a name has 1 to {MAX_NAME} bytes"));
            }
            Thing::Queue { name, width } if want.amount > *width => {
                return impossible(format!(
                    "{} places of the queue {name} are wanted, which has {width}",
                    want.amount
                ));
            }
            Thing::Lock(name) if self.book().holders(&want.thing).contains(&job) => {
                return impossible(format!("the job has the lock {name} already"));
            }
            _ => {}
        }
        if self.book().count(job) >= MAX_GRANTS {
            let message = format!("a job holds at most {MAX_GRANTS} things at a time");
            return Err(Problem::operation("limit.claims", message));
        }
        Ok(())
    }

    fn busy(&self, want: &Want) -> Problem {
        let holders: Vec<String> =
            self.book().holders(&want.thing).iter().map(|job| format!("job {job}")).collect();
        let by = if holders.is_empty() {
            String::new()
        } else {
            format!(", {} has it", holders.join(", "))
        };
        let message = match &want.thing {
            Thing::Lock(name) => format!("the lock {name} is not free{by}"),
            Thing::Queue { name, .. } => format!("the queue {name} is full{by}"),
            Thing::Space { .. } => format!("there is no space of {} bytes left{by}", want.amount),
        };
        Problem::operation("conflict.busy", message)
    }

    /// Bytes of the file system that may be granted, if nothing is yet.
    fn free(&self, place: &Path) -> Result<u64, Problem> {
        let state = statvfs(place).map_err(|error| unreadable(place, error))?;
        Ok(state.f_bavail.saturating_mul(state.f_frsize).saturating_sub(self.keep_free))
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place among those who wait, given up when the wait ends.
struct Standing<'a> {
    claims: &'a Claims,
    place: u64,
}

impl Drop for Standing<'_> {
    fn drop(&mut self) {
        self.claims.book().leave(self.place);
        self.claims.changed.notify_waiters();
    }
}

fn unreadable(place: &Path, error: rustix::io::Errno) -> Problem {
    Problem::operation("storage.read", format!("{}: {error}", place.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock() -> (Want, &'static Path) {
        (Want { thing: Thing::Lock("disk".to_owned()), amount: 1 }, Path::new("/"))
    }

    fn claims() -> Claims {
        Claims::new(BTreeMap::from([("local".to_owned(), 2)]), 0)
    }

    #[tokio::test(start_paused = true)]
    async fn a_job_waits_for_what_another_one_has_until_that_one_ends() {
        let (claims, cancel) = (claims(), CancellationToken::new());
        claims.acquire(1, lock(), Duration::ZERO, &cancel).await.expect("it is free");
        let busy = claims.acquire(2, lock(), Duration::from_secs(1), &cancel).await;
        let busy = busy.expect_err("job 1 has it");
        assert_eq!(
            (busy.code.as_str(), busy.message.contains("job 1 has it")),
            ("conflict.busy", true)
        );
        let waits = claims.acquire(2, lock(), Duration::from_mins(1), &cancel);
        let ends = async {
            tokio::task::yield_now().await;
            claims.end(1);
        };
        let (granted, ()) = tokio::join!(waits, ends);
        let grant = granted.expect("it is free again");
        assert!(claims.release(2, grant));
        let own = claims.acquire(2, lock(), Duration::ZERO, &cancel).await.expect("it is free");
        let twice = claims.acquire(2, lock(), Duration::from_mins(1), &cancel).await;
        assert_eq!(twice.expect_err("it waits for itself").code, "usage.claim");
        assert!(claims.release(2, own));
    }

    #[tokio::test(start_paused = true)]
    async fn a_cancelled_wait_leaves_no_place_behind() {
        let (claims, cancel) = (claims(), CancellationToken::new());
        let one = claims.acquire(1, lock(), Duration::ZERO, &cancel).await.expect("it is free");
        let stop = CancellationToken::new();
        stop.cancel();
        let stopped = claims.acquire(2, lock(), Duration::from_mins(1), &stop).await;
        assert_eq!(stopped.expect_err("it was stopped").code, "cancelled");
        assert!(claims.release(1, one));
        claims.acquire(3, lock(), Duration::ZERO, &cancel).await.expect("nobody is before it");
    }

    #[tokio::test]
    async fn what_can_never_be_had_is_refused_at_once() {
        let (claims, cancel) = (claims(), CancellationToken::new());
        let want = |thing, amount| (Want { thing, amount }, Path::new("/"));
        for asked in [
            want(claims.queue("local".to_owned()), 3),
            want(claims.queue("other".to_owned()), 2),
            want(Thing::Lock(String::new()), 1),
        ] {
            let refused = claims.acquire(1, asked, Duration::from_mins(1), &cancel).await;
            assert_eq!(refused.expect_err("it is not to be had").code, "usage.claim");
        }
        let space = Claims::space(Path::new("/")).expect("it exists");
        let much = claims.acquire(1, want(space.clone(), u64::MAX), Duration::ZERO, &cancel).await;
        assert_eq!(much.expect_err("no disk has it").code, "conflict.busy");
        claims.acquire(1, want(space, 1), Duration::ZERO, &cancel).await.expect("a byte");
    }
}
