//! What a plugin writes besides its handshake, drained for as long as it lives.
//!
//! [`drain_stdout`] reads what comes behind the handshake, [`read_stderr`] the log. [`Logs`] is where
//! all of it ends: `tracing`, whoever listens, and a short tail for error messages. A [`RawWriter`] gets the bytes as they came.
//!
//! A plugin never blocks on a full pipe, and nothing here grows with what it writes (F61, F62).

mod lines;
mod log_line;
mod logs;
mod mask;
mod raw;
mod timestamp;

pub(crate) use lines::Lines;
pub use log_line::LogLine;
pub(crate) use log_line::{Entry, announced, parse};
pub(crate) use logs::{Logs, Source};
pub use mask::Mask;
pub(crate) use raw::{Raw, RawWriter};

use std::fmt;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tracing::level_filters::LevelFilter;

use crate::text::excerpt;

/// How much of a stray line is shown.
const SHOWN_BYTES: usize = 200;
const READ_BYTES: usize = 16 << 10;

/// What a caller wants of a plugin's log.
pub(crate) struct Logging {
    /// The name of the host's own logger.
    pub(crate) host: String,
    /// Lines of a lower level are dropped. The tail and the raw copy have them all the same.
    pub(crate) level: LevelFilter,
    pub(crate) raw: Option<RawWriter>,
    /// Passes over the lines and the tail; never over the raw copy.
    pub(crate) mask: Mask,
}

impl Default for Logging {
    fn default() -> Self {
        Self {
            host: "wharf".to_owned(),
            level: LevelFilter::TRACE,
            raw: None,
            mask: Mask::default(),
        }
    }
}

impl fmt::Debug for Logging {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logging")
            .field("host", &self.host)
            .field("level", &self.level)
            .finish_non_exhaustive()
    }
}

/// Throws away what a plugin prints after its handshake, with one warning about the first of it
/// (F62).
pub(crate) async fn drain_stdout(
    mut stdout: impl AsyncRead + Unpin,
    rest: Vec<u8>,
    logs: Arc<Logs>,
) {
    let mut buffer = rest;
    let mut warned = false;
    loop {
        if !warned && !buffer.is_empty() {
            warned = true;
            let text = excerpt(&String::from_utf8_lossy(&buffer), SHOWN_BYTES);
            logs.note(
                tracing::Level::WARN,
                &format!("standard output is not for logs and is thrown away: {text}"),
            );
        }
        buffer.clear();
        buffer.reserve(READ_BYTES);
        match stdout.read_buf(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
    }
}

/// Reads standard error to its end, line by line, and copies it as it is to `raw`.
pub(crate) async fn read_stderr(
    mut stderr: impl AsyncRead + Unpin,
    logs: Arc<Logs>,
    raw: Option<RawWriter>,
) {
    let mut raw = Raw::new(raw, "standard error");
    let mut lines = Lines::new(Source::Stderr);
    let mut buffer = vec![0; READ_BYTES];
    loop {
        tokio::select! {
            read = stderr.read(&mut buffer) => match read {
                Ok(0) | Err(_) => break,
                Ok(count) => {
                    let bytes = buffer.get(..count).unwrap_or_default();
                    lines.push(bytes, &logs);
                    raw.copy(bytes, &logs).await;
                }
            },
            () = logs.quiet_over() => logs.tell_dropped(),
        }
    }
    lines.finish(&logs);
    logs.tell_dropped();
}
