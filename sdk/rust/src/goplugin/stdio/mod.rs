//! What the plugin's code prints, on its way to the host.
//!
//! Standard output is the handshake's before the line, and the code's afterwards. So [`reserve`] keeps the real one
//! back as early as it can and points descriptor 1 at standard error; once the line is written, [`Printed::capture`]
//! points it at a pipe, which a thread of its own ([`reader`]) empties into a [`Buffer`], from which the stdio service
//! takes. Descriptor 2 goes the same way only if it is asked for. At the end both go back to the real standard error,
//! and what is left in the pipes is handed out.
//!
//! Child processes inherit the pipes, so what they print goes the same way.

mod buffer;
mod pulse;
mod reader;
pub(crate) mod reserve;
mod unread;

pub(super) use buffer::Buffer;

use std::io::{self, Write as _};
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::timeout;

use super::logging::Journal;
use pulse::Pulse;
use reader::Reader;

/// What the author's code gets to let go of standard output, which it may have locked, at the end.
const FLUSH: Duration = Duration::from_millis(50);

/// Where something was printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Stdout,
    Stderr,
}

/// The plugin's output while it serves.
pub(super) struct Printed {
    buffer: Arc<Buffer>,
    journal: Journal,
    readers: Vec<Reader>,
    minding: JoinSet<()>,
}

impl Printed {
    /// For a plugin whose output is to be captured: what the stdio service takes from.
    pub(super) fn new(journal: Journal) -> Self {
        Self { buffer: Arc::default(), journal, readers: Vec::new(), minding: JoinSet::new() }
    }

    pub(super) fn buffer(&self) -> Arc<Buffer> {
        Arc::clone(&self.buffer)
    }

    /// Points descriptor 1, and descriptor 2 if that is wanted, at pipes from now on.
    pub(super) fn capture(&mut self, stderr: bool) -> io::Result<()> {
        let sources = [Some(Source::Stdout), stderr.then_some(Source::Stderr)];
        for source in sources.into_iter().flatten() {
            let (pipe, inlet) = io::pipe()?;
            let pulse = Pulse::of(&Handle::current());
            self.readers.push(Reader::start(source, pipe, Arc::clone(&self.buffer), pulse)?);
            match source {
                Source::Stdout => rustix::stdio::dup2_stdout(&inlet)?,
                Source::Stderr => rustix::stdio::dup2_stderr(&inlet)?,
            }
        }
        if !stderr {
            self.minding.spawn(unread::mind(self.journal.clone()));
        }
        Ok(())
    }

    /// Gives both descriptors back, takes what the pipes still hold, and waits until callers have taken all of it;
    /// without a caller it is lost. The caller of this sets the limit of time.
    pub(super) async fn finish(&mut self) {
        // From here on no writer waits, so neither can this one.
        self.buffer.close();
        drop(timeout(FLUSH, spawn_blocking(|| io::stdout().flush())).await);
        self.minding.abort_all();
        unread::give_back(&self.journal);
        self.readers.drain(..).for_each(Reader::finish);
        self.buffer.taken().await;
    }
}
