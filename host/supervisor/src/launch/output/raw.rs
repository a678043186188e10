//! A byte-identical copy of what a plugin writes, for a caller that wants one.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tokio::time::timeout;
use tracing::Level;

use super::logs::Logs;

/// Where a copy goes. It is written to and flushed by pieces of at most 16 KiB, and dropped at the
/// end of the stream. While it does not take its bytes, reading stands still; one that takes longer
/// than ten seconds, or fails, gets no more.
///
/// The lock is never waited for: it only makes the value one that several threads may see, as the
/// rest of a [`crate::Launch`] is.
pub(crate) struct RawWriter(Mutex<Box<dyn AsyncWrite + Send + Unpin>>);

impl RawWriter {
    pub(crate) fn new(writer: impl AsyncWrite + Send + Unpin + 'static) -> Self {
        Self(Mutex::new(Box::new(writer)))
    }

    fn writer(&mut self) -> &mut (dyn AsyncWrite + Send + Unpin) {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A plugin's pipe must not stay full because of a copy.
const PATIENCE: Duration = Duration::from_secs(10);

/// A copy, as long as its writer is good.
pub(crate) struct Raw {
    writer: Option<RawWriter>,
    /// What is copied, in words.
    of: &'static str,
}

impl Raw {
    pub(crate) fn new(writer: Option<RawWriter>, of: &'static str) -> Self {
        Self { writer, of }
    }

    pub(crate) async fn copy(&mut self, bytes: &[u8], logs: &Logs) {
        let Some(writer) = self.writer.as_mut().map(RawWriter::writer) else { return };
        let write = async {
            writer.write_all(bytes).await?;
            writer.flush().await
        };
        let problem = match timeout(PATIENCE, write).await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.to_string(),
            Err(_elapsed) => format!("nothing was taken for {} s", PATIENCE.as_secs()),
        };
        self.writer = None;
        logs.note(Level::WARN, &format!("the copy of {} ends early: {problem}", self.of));
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, duplex};

    use super::super::Logging;
    use super::*;

    #[tokio::test]
    async fn a_writer_that_fails_gets_no_more_and_the_log_goes_on() {
        let logs = Logs::new("p".into(), 1, &Logging::default());
        let mut listener = logs.listen();
        let (writer, mut reader) = duplex(64);
        let mut raw = Raw::new(Some(RawWriter::new(writer)), "this");
        raw.copy(b"one", &logs).await;
        let mut read = [0; 3];
        reader.read_exact(&mut read).await.unwrap();
        assert_eq!(&read, b"one");
        drop(reader);
        for _more in 0..2 {
            raw.copy(b"two", &logs).await;
        }
        let said = listener.try_recv().unwrap();
        assert_eq!(said.level, Level::WARN);
        assert!(said.text.starts_with("the copy of this ends early"), "{}", said.text);
        listener.try_recv().unwrap_err();
    }
}
