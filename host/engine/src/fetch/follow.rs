//! Lets readers have the beginning of a file while its end is still on the way.
//!
//! The last [`HOLD`] bytes stay back until the whole file is verified, so nobody ever holds a complete file whose
//! digest is wrong: a reader of a bad one sees [`Broken`] and resets its connection. Small files are given out only
//! when they are verified.

use std::{fs::File, os::unix::fs::FileExt, sync::Arc};

use bytes::Bytes;
use tokio::{sync::watch, task::spawn_blocking};

use super::{Error, Fetched};

/// How many bytes are held back until the digest is known to match.
pub const HOLD: u64 = 256 * 1024;

/// The largest piece a reader gets.
const PIECE: u64 = 256 * 1024;

/// Put one into [`Request::follow`](super::Request::follow), and take as many readers from it as there are.
#[derive(Clone, Debug)]
pub struct Follow {
    state: watch::Sender<State>,
}

#[derive(Clone, Debug, Default)]
struct State {
    /// Changes whenever the file is started over.
    start: u32,
    file: Option<Arc<File>>,
    written: u64,
    total: Option<u64>,
    media_type: Option<String>,
    ended: Option<Result<u64, Broken>>,
}

/// The transfer failed, so the reader's bytes are not the beginning of a good file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Broken {
    /// The code of the transfer's error, see [`Error::code`].
    pub code: &'static str,
    /// Its message.
    pub message: String,
}

/// What is known when the first bytes are there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Started {
    /// Bytes of the whole file, if announced.
    pub total: Option<u64>,
    /// As the server said.
    pub media_type: Option<String>,
}

impl Default for Follow {
    fn default() -> Self {
        Self { state: watch::Sender::new(State::default()) }
    }
}

impl Follow {
    /// One whose file has no byte yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A reader that begins at this byte.
    pub fn reader(&self, from: u64) -> Reader {
        Reader { state: self.state.subscribe(), at: from, start: None }
    }

    /// The bytes are in this file, so many of them already. Another file than before is a new start.
    pub(super) fn begin(
        &self,
        file: &Arc<File>,
        written: u64,
        total: Option<u64>,
        media_type: Option<&str>,
    ) {
        self.state.send_modify(|state| {
            if !state.file.as_ref().is_some_and(|before| Arc::ptr_eq(before, file)) {
                state.start += 1;
            }
            state.file = Some(Arc::clone(file));
            state.written = written;
            state.total = total;
            state.media_type = media_type.map(str::to_owned);
        });
    }

    /// The file is written up to here.
    pub(super) fn written(&self, bytes: u64) {
        self.state.send_modify(|state| state.written = bytes);
    }

    /// A guard that tells readers how it ended, whatever happens to the transfer.
    pub(super) fn guard(&self) -> Guard {
        Guard { follow: Some(self.clone()) }
    }

    fn end(&self, ended: Result<u64, Broken>) {
        self.state.send_modify(|state| {
            if let Ok(size) = ended {
                state.total = Some(size);
            }
            state.ended = Some(ended);
        });
    }
}

/// Ends the [`Follow`] of a transfer; dropped without word, readers learn that it was given up.
pub(super) struct Guard {
    follow: Option<Follow>,
}

impl Guard {
    pub(super) fn end(mut self, outcome: &Result<Fetched, Error>) {
        let Some(follow) = self.follow.take() else { return };
        follow.end(match outcome {
            Ok(Fetched::Done(done)) => Ok(done.size),
            Ok(Fetched::NotModified) => Err(Broken {
                code: "source.answer",
                message: "the file did not change, nothing came".to_owned(),
            }),
            Err(error) => Err(Broken { code: error.code(), message: error.to_string() }),
        });
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(follow) = &self.follow {
            follow.end(Err(Broken {
                code: "cancelled",
                message: "the transfer was given up".to_owned(),
            }));
        }
    }
}

/// Reads a file that is being fetched, in order.
#[derive(Debug)]
pub struct Reader {
    state: watch::Receiver<State>,
    at: u64,
    start: Option<u32>,
}

impl Reader {
    /// Waits until bytes can be read or the whole file is verified, without reading.
    ///
    /// # Errors
    /// [`Broken`] when the transfer failed.
    ///
    /// # Cancel safety
    /// Safe. It waits as long as the transfer does, whose waits all end.
    pub async fn started(&mut self) -> Result<Started, Broken> {
        let state = self.ready().await?;
        Ok(Started { total: state.total, media_type: state.media_type })
    }

    /// The next piece, at most 256 KiB; `None` when the file ended and is verified.
    ///
    /// # Errors
    /// [`Broken`] when the transfer failed, or had to start over after this reader got bytes.
    ///
    /// # Cancel safety
    /// Safe: a dropped call has consumed nothing.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Broken> {
        let state = self.ready().await?;
        let end = state.readable();
        let Some(file) = state.file.filter(|_| self.at < end) else { return Ok(None) };
        let (at, length) = (self.at, (end - self.at).min(PIECE));
        let piece = spawn_blocking(move || read(&file, at, length)).await;
        let piece = piece
            .map_err(|error| storage(&error.to_string()))?
            .map_err(|error| storage(&error.to_string()))?;
        self.start = Some(state.start);
        self.at += length;
        Ok(Some(piece))
    }

    /// The state once this reader can go on, or is through.
    async fn ready(&mut self) -> Result<State, Broken> {
        let at = self.at;
        let state =
            self.state.wait_for(|state| state.ended.is_some() || state.readable() > at).await;
        let state = state.map_or_else(
            |_closed| {
                Err(Broken { code: "cancelled", message: "the transfer was given up".to_owned() })
            },
            |state| Ok(state.clone()),
        )?;
        if let Some(Err(broken)) = state.ended {
            return Err(broken);
        }
        if self.start.is_some_and(|start| start != state.start) {
            return Err(Broken {
                code: "source.truncated",
                message: "the transfer had to start over; ask again".to_owned(),
            });
        }
        Ok(state)
    }
}

impl State {
    fn readable(&self) -> u64 {
        match self.ended {
            Some(Ok(size)) => size,
            Some(Err(_)) => 0,
            None => self.written.saturating_sub(HOLD),
        }
    }
}

fn read(file: &File, at: u64, length: u64) -> std::io::Result<Bytes> {
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let mut piece = vec![0; length];
    file.read_exact_at(&mut piece, at)?;
    Ok(Bytes::from(piece))
}

fn storage(reason: &str) -> Broken {
    Broken {
        code: "storage.read",
        message: format!("the file that is being fetched cannot be read: {reason}"),
    }
}
