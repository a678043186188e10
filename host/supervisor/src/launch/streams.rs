//! The part of a [`Launch`] that says where the plugin's standard streams lead.

use tokio::io::AsyncWrite;
use tracing::level_filters::LevelFilter;

use super::Launch;
use super::output::{Logging, Mask, RawWriter};

/// A plugin's standard input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stdin {
    /// Empty.
    #[default]
    Null,
    /// The host's own, so that the plugin can ask at a terminal.
    Inherit,
}

/// The caller's wishes.
#[derive(Default)]
pub(super) struct Streams {
    pub(super) stdin: Stdin,
    /// How many lines may come before the handshake.
    pub(super) skip_lines: u32,
    pub(super) logging: Logging,
    pub(super) synced: Synced,
}

/// Where the stdio service's two channels go, byte by byte. `None`: into the log, line by line.
#[derive(Default)]
pub(crate) struct Synced {
    pub(crate) stdout: Option<RawWriter>,
    pub(crate) stderr: Option<RawWriter>,
}

impl Launch {
    /// The plugin's standard input. Default: empty.
    pub fn stdin(mut self, stdin: Stdin) -> Self {
        self.streams.stdin = stdin;
        self
    }

    /// Passes over up to `lines` lines on standard output that come before the handshake and cannot
    /// be one: a library's banner. They are logged as warnings. Default: none.
    pub fn skip_lines(mut self, lines: u32) -> Self {
        self.streams.skip_lines = lines;
        self
    }

    /// Under which name of the host the plugin's lines are logged: `HOST.PLUGIN`. Default: `wharf`.
    pub fn log_name(mut self, host: impl Into<String>) -> Self {
        self.streams.logging.host = host.into();
        self
    }

    /// Lines of a lower level are dropped early; with `OFF` all are. Default: none, so that the
    /// `tracing` subscriber and the listeners decide.
    pub fn log_level(mut self, level: LevelFilter) -> Self {
        self.streams.logging.level = level;
        self
    }

    /// What is taken out of the plugin's lines before anybody reads them.
    pub fn mask(mut self, mask: Mask) -> Self {
        self.streams.logging.mask = mask;
        self
    }

    /// Copies standard error to `writer`, byte by byte as the plugin writes it, whatever becomes of
    /// it as a log. While the writer does not take its bytes the plugin is not read; one that fails
    /// or stands still for ten seconds gets no more.
    pub fn raw_stderr(mut self, writer: impl AsyncWrite + Send + Unpin + 'static) -> Self {
        self.streams.logging.raw = Some(RawWriter::new(writer));
        self
    }

    /// Takes what the plugin's code prints after its handshake, as go-plugin's stdio service brings
    /// it, instead of logging it. A slow writer is treated as [`Launch::raw_stderr`] says.
    pub fn sync_stdout(mut self, writer: impl AsyncWrite + Send + Unpin + 'static) -> Self {
        self.streams.synced.stdout = Some(RawWriter::new(writer));
        self
    }

    /// As [`Launch::sync_stdout`], for what the plugin's code prints to its standard error, if the
    /// plugin passes that through the stdio service.
    pub fn sync_stderr(mut self, writer: impl AsyncWrite + Send + Unpin + 'static) -> Self {
        self.streams.synced.stderr = Some(RawWriter::new(writer));
        self
    }
}
