//! The one thread that writes: takes what is queued, runs it in one transaction, answers after the commit.
//!
//! An operation that fails takes back its own changes and no others. A group is brought to the disk when one of its
//! operations asks for that; the others are then on the disk too, and so is everything committed before.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::{Fail, connect, schema, sql_error};
use crate::error::Error;

/// Operations that wait; those who bring more wait themselves.
const QUEUE: usize = 256;
/// Operations of one transaction.
const GROUP: usize = 64;

/// When a change must be on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::meta) enum Durability {
    /// Before it is answered.
    Now,
    /// With the next change that must.
    Later,
}

/// An operation on its way to the thread.
struct Operation {
    durability: Durability,
    run: Box<Run>,
}

/// Runs an operation, or answers why it cannot be run.
type Run = dyn FnOnce(Result<&Connection, Error>) -> Ran + Send;

/// An operation that ran, and how to answer when its fate is known.
struct Ran {
    good: bool,
    answer: Box<dyn FnOnce(Result<(), Error>) + Send>,
}

/// The thread that writes.
pub(in crate::meta) struct Writer {
    file: PathBuf,
    queue: Mutex<Option<mpsc::Sender<Operation>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Opens the database, brings its schema up to date and starts the thread.
    pub(in crate::meta) fn open(file: &Path) -> Result<Self, Error> {
        let clean = !has_content(&beside(file, "-wal"));
        let old = has_content(file);
        let mut db = connect::writer(file)?;
        if old {
            schema::check(&db, file, clean)?;
        }
        schema::prepare(&mut db, file)?;
        let (queue, operations) = mpsc::channel(QUEUE);
        let group = Group { db, file: file.to_path_buf(), durability: Durability::Now };
        let thread = std::thread::Builder::new()
            .name("wharf-db-writer".to_owned())
            .spawn(move || group.work(operations))
            .map_err(|error| Error::storage("cannot start a thread for", file, error))?;
        Ok(Self {
            file: file.to_path_buf(),
            queue: Mutex::new(Some(queue)),
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Runs a change, and answers when it is committed.
    pub(in crate::meta) async fn run<T: Send + 'static>(
        &self,
        durability: Durability,
        change: impl FnOnce(&Connection) -> Result<T, Fail> + Send + 'static,
    ) -> Result<T, Error> {
        let (answer, answered) = oneshot::channel();
        let file = self.file.clone();
        let run = Box::new(move |db: Result<&Connection, Error>| {
            let outcome = db.and_then(|db| change(db).map_err(|fail| fail.into_error(&file)));
            let good = outcome.is_ok();
            // Nobody may be waiting any more; the change stands all the same.
            let answer = move |fate: Result<(), Error>| {
                drop(answer.send(outcome.and_then(|value| fate.map(|()| value))));
            };
            Ran { good, answer: Box::new(answer) }
        });
        let queue = lock(&self.queue).clone().ok_or(Error::Closed)?;
        queue.send(Operation { durability, run }).await.map_err(|_closed| Error::Closed)?;
        drop(queue);
        answered.await.map_err(|_dropped| Error::Closed)?
    }

    /// Ends the thread when it has run what is queued. Blocks until then.
    pub(in crate::meta) fn close(&self) {
        drop(lock(&self.queue).take());
        if let Some(thread) = lock(&self.thread).take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that writes the database met a bug");
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("file", &self.file).finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

fn has_content(file: &Path) -> bool {
    file.metadata().is_ok_and(|metadata| metadata.len() > 0)
}

/// The thread's own.
struct Group {
    db: Connection,
    file: PathBuf,
    /// What the connection is set to.
    durability: Durability,
}

impl Group {
    fn work(mut self, mut operations: mpsc::Receiver<Operation>) {
        let mut group = Vec::with_capacity(GROUP);
        while let Some(first) = operations.blocking_recv() {
            group.push(first);
            while group.len() < GROUP
                && let Ok(next) = operations.try_recv()
            {
                group.push(next);
            }
            self.run(&mut group);
        }
        if let Err(error) = self.set(Durability::Now) {
            tracing::warn!(%error, "the database cannot be closed in order");
        }
        if let Err((_open, error)) = self.db.close() {
            tracing::warn!(%error, "the database cannot be closed in order");
        }
    }

    /// Runs the operations in one transaction, and answers them.
    fn run(&mut self, group: &mut Vec<Operation>) {
        let now = group.iter().any(|operation| operation.durability == Durability::Now);
        let durability = if now { Durability::Now } else { Durability::Later };
        let mut begun = self.set(durability).and_then(|()| self.begin());
        let mut ran: Vec<Ran> = Vec::with_capacity(group.len());
        for operation in group.drain(..) {
            if begun.is_err() {
                begun = self.begin();
            }
            match &begun {
                Ok(()) => begun = self.run_one(operation, &mut ran),
                Err(error) => {
                    let refused = (operation.run)(Err(sql_error(error, &self.file)));
                    (refused.answer)(Ok(()));
                }
            }
        }
        let fate = match begun {
            Ok(()) => self.db.execute_batch("COMMIT"),
            Err(error) => Err(error),
        };
        if fate.is_err() {
            self.roll_back();
        }
        for Ran { answer, .. } in ran {
            answer(fate.as_ref().map_err(|error| sql_error(error, &self.file)).copied());
        }
    }

    /// Runs one operation. What fails is answered at once, what is good when the group is committed.
    ///
    /// # Errors
    ///
    /// There is no transaction any more.
    fn run_one(&self, operation: Operation, ran: &mut Vec<Ran>) -> rusqlite::Result<()> {
        let others = !ran.is_empty();
        if others {
            self.cached("SAVEPOINT operation")?;
        }
        let outcome = catch_unwind(AssertUnwindSafe(|| (operation.run)(Ok(&self.db))));
        match outcome {
            Ok(done) if done.good => {
                ran.push(done);
                if others { self.cached("RELEASE operation") } else { Ok(()) }
            }
            outcome => {
                let undone = self.undo(others);
                if undone.is_err() {
                    self.lose(ran);
                }
                match outcome {
                    Ok(failed) => (failed.answer)(Ok(())),
                    // Its answer was dropped: the caller is told that the store is closed to it.
                    Err(_panic) => tracing::error!("an operation on the database met a bug"),
                }
                undone
            }
        }
    }

    /// Takes back the last operation.
    fn undo(&self, others: bool) -> rusqlite::Result<()> {
        if self.db.is_autocommit() {
            // SQLite itself gave up the whole transaction: disk full, I/O error.
            return Err(rusqlite::Error::SqliteFailure(
                rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_FULL),
                Some("the transaction was given up: the disk is full or failing".to_owned()),
            ));
        }
        if others {
            self.cached("ROLLBACK TO operation")?;
            return self.cached("RELEASE operation");
        }
        self.db.execute_batch("ROLLBACK")?;
        self.begin()
    }

    /// Answers operations whose transaction is gone.
    fn lose(&self, ran: &mut Vec<Ran>) {
        self.roll_back();
        for Ran { answer, .. } in ran.drain(..) {
            let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
            answer(Err(Error::storage("cannot write the database", &self.file, full)));
        }
    }

    fn begin(&self) -> rusqlite::Result<()> {
        self.cached("BEGIN IMMEDIATE")
    }

    fn roll_back(&self) {
        if !self.db.is_autocommit()
            && let Err(error) = self.db.execute_batch("ROLLBACK")
        {
            tracing::error!(%error, "a transaction cannot be taken back");
        }
    }

    fn cached(&self, sql: &str) -> rusqlite::Result<()> {
        self.db.prepare_cached(sql)?.execute([]).map(drop)
    }

    fn set(&mut self, durability: Durability) -> rusqlite::Result<()> {
        if self.durability != durability {
            self.db.execute_batch(match durability {
                Durability::Now => "PRAGMA synchronous = FULL",
                Durability::Later => "PRAGMA synchronous = NORMAL",
            })?;
            self.durability = durability;
        }
        Ok(())
    }
}
