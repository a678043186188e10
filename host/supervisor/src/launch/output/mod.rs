//! What a plugin writes: the handshake line first, then anything at all, drained for as long as it
//! lives.
//!
//! [`first_line`] reads the handshake, [`drain_stdout`] the rest of standard output,
//! [`read_stderr`] the log. [`Logs`] is where all of it ends: `tracing`, whoever listens, and a
//! short tail for error messages.
//!
//! A plugin never blocks on a full pipe, and nothing here grows with what it writes (F61, F62).

mod lines;
mod log_line;
mod logs;

pub(crate) use lines::Lines;
pub use log_line::LogLine;
pub(crate) use logs::{Logs, Source};

use std::io;
use std::sync::Arc;

use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe::Receiver;
use wharf_proto::handshake::MAX_LINE_BYTES;

use crate::text::excerpt;

/// How much of a stray line is shown.
const SHOWN_BYTES: usize = 200;
const READ_BYTES: usize = 16 << 10;

/// What came on standard output first.
#[derive(Debug)]
pub(crate) struct First {
    /// Without the line feed. Empty with `ended`: nothing came at all.
    pub(crate) line: Vec<u8>,
    /// What had been read behind it.
    pub(crate) rest: Vec<u8>,
    /// The plugin's end of the pipe is closed.
    pub(crate) ended: bool,
}

/// Reads up to the first line feed, the end of the pipe, or a byte more than a handshake may have
/// (F15): the line is then too long for the parser to accept.
pub(crate) async fn first_line(stdout: &mut Receiver) -> io::Result<First> {
    let mut read = Vec::with_capacity(1024);
    let mut searched = 0;
    loop {
        let ended = stdout.read_buf(&mut read).await? == 0;
        let fresh = read.get(searched..).unwrap_or_default();
        if let Some(place) = fresh.iter().position(|&byte| byte == b'\n') {
            let mut rest = read.split_off(searched + place);
            rest.remove(0);
            return Ok(First { line: read, rest, ended: false });
        }
        if ended || read.len() > MAX_LINE_BYTES {
            return Ok(First { line: read, rest: Vec::new(), ended });
        }
        searched = read.len();
    }
}

/// Throws away what a plugin prints after its handshake, with one warning about the first of it
/// (F62).
pub(crate) async fn drain_stdout(mut stdout: Receiver, rest: Vec<u8>, logs: Arc<Logs>) {
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

/// Reads standard error to its end, line by line.
pub(crate) async fn read_stderr(mut stderr: Receiver, logs: Arc<Logs>) {
    let mut lines = Lines::new(Source::Stderr);
    let mut buffer = vec![0; READ_BYTES];
    loop {
        tokio::select! {
            read = stderr.read(&mut buffer) => match read {
                Ok(0) | Err(_) => break,
                Ok(count) => lines.push(buffer.get(..count).unwrap_or_default(), &logs),
            },
            () = logs.quiet_over() => logs.tell_dropped(),
        }
    }
    lines.finish(&logs);
    logs.tell_dropped();
}
