//! Those who read: four threads behind a bounded queue, and any thread that may wait. Each question sees one snapshot.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::{Fail, connect, sql_error};
use crate::error::Error;

/// Threads that answer those who must not wait.
const THREADS: usize = 4;
/// Questions that wait for a thread; those who bring more wait themselves.
const QUEUE: usize = 256;
/// Connections, those of threads that wait for themselves included.
const CONNECTIONS: usize = 8;
/// How long a thread waits for a connection.
const PATIENCE: Duration = Duration::from_secs(30);

type Question = Box<dyn FnOnce(&Pool) + Send>;

/// Those who read.
pub(in crate::meta) struct Readers {
    pool: Arc<Pool>,
    queue: Mutex<Option<mpsc::Sender<Question>>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Readers {
    /// Starts the threads. Connections are opened when they are needed.
    pub(in crate::meta) fn new(file: &Path) -> Result<Self, Error> {
        let pool = Arc::new(Pool {
            file: file.to_path_buf(),
            state: Mutex::new(State::default()),
            free: Condvar::new(),
        });
        let (queue, questions) = mpsc::channel::<Question>(QUEUE);
        let questions = Arc::new(Mutex::new(questions));
        let start = |number: usize| {
            let (pool, questions) = (Arc::clone(&pool), Arc::clone(&questions));
            std::thread::Builder::new()
                .name(format!("wharf-db-reader{number}"))
                .spawn(move || answer_all(&pool, &questions))
                .map_err(|error| Error::storage("cannot start a thread for", file, error))
        };
        let threads = (0..THREADS).map(start).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { pool, queue: Mutex::new(Some(queue)), threads: Mutex::new(threads) })
    }

    /// Asks on one of the threads.
    pub(in crate::meta) async fn run<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Connection) -> Result<T, Fail> + Send + 'static,
    ) -> Result<T, Error> {
        let (answer, answered) = oneshot::channel();
        // Nobody may be waiting any more.
        let question: Question = Box::new(move |pool| drop(answer.send(pool.ask(question))));
        let queue = lock(&self.queue).clone().ok_or(Error::Closed)?;
        queue.send(question).await.map_err(|_closed| Error::Closed)?;
        drop(queue);
        answered.await.map_err(|_dropped| Error::Closed)?
    }

    /// Asks on the calling thread, which waits.
    pub(in crate::meta) fn run_here<T>(
        &self,
        question: impl FnOnce(&Connection) -> Result<T, Fail>,
    ) -> Result<T, Error> {
        self.pool.ask(question)
    }

    /// Answers what is queued, ends the threads and closes the connections. Blocks until then.
    pub(in crate::meta) fn close(&self) {
        drop(lock(&self.queue).take());
        for thread in lock(&self.threads).drain(..) {
            if thread.join().is_err() {
                tracing::error!("a thread that reads the database met a bug");
            }
        }
        let mut state = lock(&self.pool.state);
        state.closed = true;
        state.idle.clear();
        drop(state);
        self.pool.free.notify_all();
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for Readers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Readers").field("file", &self.pool.file).finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn answer_all(pool: &Pool, questions: &Mutex<mpsc::Receiver<Question>>) {
    loop {
        // The one that holds the lock waits for a question, the others for the lock.
        let question = lock(questions).blocking_recv();
        let Some(question) = question else { return };
        if catch_unwind(AssertUnwindSafe(|| question(pool))).is_err() {
            tracing::error!("a question to the database met a bug");
        }
    }
}

/// Connections that are shared out.
struct Pool {
    file: PathBuf,
    state: Mutex<State>,
    free: Condvar,
}

#[derive(Default)]
struct State {
    idle: Vec<Connection>,
    open: usize,
    closed: bool,
}

impl Pool {
    fn ask<T>(&self, question: impl FnOnce(&Connection) -> Result<T, Fail>) -> Result<T, Error> {
        let borrowed = self.borrow()?;
        let db = borrowed.connection()?;
        let snapshot = |sql| db.prepare_cached(sql)?.execute([]).map(drop);
        snapshot("BEGIN").map_err(|error| sql_error(&error, &self.file))?;
        let outcome = question(db);
        snapshot("COMMIT").map_err(|error| sql_error(&error, &self.file))?;
        outcome.map_err(|fail| fail.into_error(&self.file))
    }

    fn borrow(&self) -> Result<Borrowed<'_>, Error> {
        let mut state = lock(&self.state);
        loop {
            if state.closed {
                return Err(Error::Closed);
            }
            if let Some(db) = state.idle.pop() {
                return Ok(Borrowed { pool: self, db: Some(db) });
            }
            if state.open < CONNECTIONS {
                state.open += 1;
                drop(state);
                // Counted already: given back by the drop, also when opening fails.
                let mut borrowed = Borrowed { pool: self, db: None };
                borrowed.db = Some(connect::reader(&self.file)?);
                return Ok(borrowed);
            }
            let (again, waited) =
                self.free.wait_timeout(state, PATIENCE).unwrap_or_else(PoisonError::into_inner);
            state = again;
            if waited.timed_out() && state.idle.is_empty() {
                let busy = std::io::Error::from(std::io::ErrorKind::ResourceBusy);
                return Err(Error::storage("cannot read the database", &self.file, busy));
            }
        }
    }
}

/// A connection that goes back to its pool.
struct Borrowed<'a> {
    pool: &'a Pool,
    db: Option<Connection>,
}

impl Borrowed<'_> {
    fn connection(&self) -> Result<&Connection, Error> {
        self.db.as_ref().ok_or(Error::Closed)
    }
}

impl Drop for Borrowed<'_> {
    fn drop(&mut self) {
        let mut state = lock(&self.pool.state);
        match self.db.take() {
            // One that still holds a snapshot met a bug: it is closed.
            Some(db) if db.is_autocommit() && !state.closed => state.idle.push(db),
            _ => state.open -= 1,
        }
        drop(state);
        self.pool.free.notify_one();
    }
}
