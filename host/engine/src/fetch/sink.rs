//! Where the bytes of one HTTP transfer go: memory while they are few, then the staging file.
//!
//! Beyond [`SMALL`] bytes a pile is hashed and written by the blocking pool while the next one arrives, never more
//! than two piles for each transfer. Nothing is synced: the store does that once for a whole batch.

use std::{
    io, mem,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use tokio::task::{JoinHandle, spawn_blocking};

use super::{Error, Follow, notes::Notes, target::Target, verify::Sums};

/// The largest body that is kept in memory and written at once, in bytes.
pub(super) const SMALL: usize = 256 * 1024;

/// The size of a pile.
const PILE: usize = 1 << 20;

/// The same while somebody reads along.
const FOLLOWED_PILE: usize = 64 * 1024;

/// What is announced about the file.
#[derive(Clone, Debug)]
pub(super) struct About {
    pub(super) total: Option<u64>,
    pub(super) media_type: Option<String>,
    /// Written beside the file when it is worth it.
    pub(super) notes: Option<Notes>,
}

#[derive(Debug)]
pub(super) struct Sink {
    path: PathBuf,
    about: About,
    follow: Option<Follow>,
    state: State,
    pile: Vec<Bytes>,
    piled: usize,
}

#[derive(Debug)]
enum State {
    /// All bytes are in the pile, none is hashed.
    Memory(Sums),
    Idle(Target),
    Busy(JoinHandle<io::Result<Target>>),
    /// A write failed, or the file was given up.
    Gone,
}

/// All bytes of a body.
pub(super) enum Arrived {
    /// Few of them: neither written nor hashed.
    Memory(Vec<Bytes>, Sums),
    /// The file holds them.
    File(Target),
}

impl Sink {
    /// For a body from its first byte.
    pub(super) fn new(path: &Path, sums: Sums, about: About, follow: Option<Follow>) -> Self {
        let state = State::Memory(sums);
        Self { path: path.to_owned(), about, follow, state, pile: Vec::new(), piled: 0 }
    }

    /// For the rest of a body.
    pub(super) fn resume(
        path: &Path,
        target: Target,
        about: About,
        follow: Option<Follow>,
    ) -> Self {
        if let Some(follow) = &follow {
            target.announce(follow, about.total, about.media_type.as_deref());
        }
        let state = State::Idle(target);
        Self { path: path.to_owned(), about, follow, state, pile: Vec::new(), piled: 0 }
    }

    /// Takes bytes in, waiting for the disk when it is behind.
    ///
    /// # Errors
    /// `Storage`.
    pub(super) async fn push(&mut self, bytes: Bytes) -> Result<(), Error> {
        self.piled += bytes.len();
        self.pile.push(bytes);
        let enough = match (&self.state, &self.follow) {
            (State::Memory(_), _) => SMALL,
            (_, Some(_)) => FOLLOWED_PILE,
            _ => PILE,
        };
        if self.piled > enough { self.flush().await } else { Ok(()) }
    }

    /// Waits until the file holds all bytes that came, and gives it up; `None`: they are few and in memory.
    ///
    /// # Errors
    /// `Storage`.
    pub(super) async fn settle(&mut self) -> Result<Option<Target>, Error> {
        if matches!(self.state, State::Memory(_)) {
            return Ok(None);
        }
        if self.piled > 0 {
            self.flush().await?;
        }
        match self.idle().await? {
            State::Idle(target) => Ok(Some(target)),
            _ => Ok(None),
        }
    }

    /// As [`Sink::settle`], with what is in memory.
    ///
    /// # Errors
    /// `Storage`.
    pub(super) async fn finish(mut self) -> Result<Arrived, Error> {
        if let Some(target) = self.settle().await? {
            return Ok(Arrived::File(target));
        }
        match self.state {
            State::Memory(sums) => Ok(Arrived::Memory(self.pile, sums)),
            _ => Err(self.error(io::Error::other("an earlier write failed"))),
        }
    }

    async fn flush(&mut self) -> Result<(), Error> {
        let state = self.idle().await?;
        let pile = mem::take(&mut self.pile);
        self.piled = 0;
        let (path, about, follow) = (self.path.clone(), self.about.clone(), self.follow.clone());
        self.state = State::Busy(spawn_blocking(move || {
            let mut target = match state {
                State::Idle(target) => target,
                State::Memory(sums) => {
                    let target = Target::create(&path, sums, about.notes.as_ref())?;
                    if let Some(follow) = &follow {
                        target.announce(follow, about.total, about.media_type.as_deref());
                    }
                    target
                }
                State::Busy(_) | State::Gone => {
                    return Err(io::Error::other("an earlier write failed"));
                }
            };
            for piece in &pile {
                target.add(piece)?;
            }
            if let Some(follow) = &follow {
                follow.written(target.bytes);
            }
            Ok(target)
        }));
        Ok(())
    }

    /// The state when no write is under way, taken out.
    async fn idle(&mut self) -> Result<State, Error> {
        match mem::replace(&mut self.state, State::Gone) {
            State::Busy(write) => {
                let target = write.await.map_err(|error| self.error(error.into()))?;
                Ok(State::Idle(target.map_err(|error| self.error(error))?))
            }
            state => Ok(state),
        }
    }

    fn error(&self, source: io::Error) -> Error {
        Error::Storage { path: self.path.clone(), source }
    }
}
