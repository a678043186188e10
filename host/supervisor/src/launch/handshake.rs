//! The first line of standard output, and what this host makes of it.
//!
//! [`Reader`] cuts lines off the pipe and keeps what came behind them, [`read`] finds the handshake
//! among them, [`multiplexing`] judges its seventh field. What the fields mean is settled in
//! [`wharf_proto::handshake`].

use std::io;

use tokio::io::AsyncReadExt as _;
use tracing::Level;
use wharf_proto::handshake::{Line, MAX_LINE_BYTES};

use super::output::Logs;
use super::runner::Pipe;
use crate::text::excerpt;

/// How much of a line is shown.
const SHOWN_BYTES: usize = 200;
const LEAST_FIELDS: usize = 4;
/// The field about multiplexing, counted from 0.
const MULTIPLEXING: usize = 6;

/// Why there is no handshake.
#[derive(Debug)]
pub(super) enum NoLine {
    /// Standard output was closed before.
    Ended,
    Unreadable(io::Error),
    Wrong(String),
}

/// Standard output, and what has been read of it.
pub(super) struct Reader {
    pub(super) pipe: Pipe,
    /// Read, and not taken as a line.
    pub(super) rest: Vec<u8>,
}

impl Reader {
    pub(super) fn new(pipe: Pipe) -> Self {
        Self { pipe, rest: Vec::with_capacity(1024) }
    }

    /// The next line without its line feed; at the end of the pipe, what is left; or a byte more
    /// than a line may have (F15), so that the parser refuses it. `None`: the pipe has ended.
    async fn line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut searched = 0;
        loop {
            let fresh = self.rest.get(searched..).unwrap_or_default();
            if let Some(place) = fresh.iter().position(|&byte| byte == b'\n') {
                let rest = self.rest.split_off(searched + place + 1);
                let mut line = std::mem::replace(&mut self.rest, rest);
                line.pop();
                return Ok(Some(line));
            }
            if self.rest.len() > MAX_LINE_BYTES {
                return Ok(Some(std::mem::take(&mut self.rest)));
            }
            searched = self.rest.len();
            if self.pipe.read_buf(&mut self.rest).await? == 0 {
                let last = std::mem::take(&mut self.rest);
                return Ok(Some(last).filter(|last| !last.is_empty()));
            }
        }
    }
}

/// The handshake with its text. Up to `skip` lines before it that cannot be one are logged and
/// passed over.
pub(super) async fn read(
    reader: &mut Reader,
    mut skip: u32,
    logs: &Logs,
) -> Result<(Line, String), NoLine> {
    loop {
        let line = reader.line().await.map_err(NoLine::Unreadable)?.ok_or(NoLine::Ended)?;
        let text = String::from_utf8_lossy(&line);
        match Line::parse(&line) {
            Ok(parsed) => return Ok((parsed, text.into_owned())),
            Err(_no_handshake) if skip > 0 && is_something_else(&text) => {
                skip -= 1;
                let text = excerpt(&text, SHOWN_BYTES);
                logs.note(Level::WARN, &format!("passed over before the handshake: {text}"));
            }
            Err(error) => return Err(NoLine::Wrong(error.to_string())),
        }
    }
}

/// A handshake has four fields or more, and begins with a number.
fn is_something_else(text: &str) -> bool {
    let first = text.split('|').next().unwrap_or_default().trim();
    text.len() < MAX_LINE_BYTES
        && (text.split('|').count() < LEAST_FIELDS || first.parse::<i64>().is_err())
}

/// Whether the plugin multiplexes. What it says unasked means nothing.
///
/// # Errors
/// The host asked, and the plugin does not; what to do about it.
pub(super) fn multiplexing(asked: bool, line: &Line, text: &str) -> Result<bool, String> {
    if !asked {
        return Ok(false);
    }
    match (line.multiplexing, text.trim().split('|').nth(MULTIPLEXING)) {
        (Some(true), _) => Ok(true),
        (Some(false), _) => {
            Err("this host asked for gRPC broker multiplexing, which the plugin does not support"
                .to_owned())
        }
        (None, Some(field)) => Err(format!(
            "its handshake says \"{}\" about gRPC broker multiplexing, which is no boolean",
            excerpt(field, SHOWN_BYTES)
        )),
        (None, None) => Err("this host asked for gRPC broker multiplexing, which the plugin does \
             not know; rebuild it with go-plugin 1.6 or newer, or do not ask for it"
            .to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::output::Logging;
    use super::*;

    async fn read_all(text: &'static [u8], skip: u32) -> (Result<Line, String>, Vec<u8>) {
        let mut reader = Reader::new(Box::new(text));
        let logs = Logs::new("p".into(), 1, &Logging::default());
        let read = read(&mut reader, skip, &logs).await;
        let line = read.map(|(line, _)| line).map_err(|problem| format!("{problem:?}"));
        (line, reader.rest)
    }

    #[tokio::test]
    async fn what_comes_behind_the_handshake_is_kept() {
        let (line, rest) = read_all(b"1|7|unix|/s|grpc|\nmore\nand more", 0).await;
        assert_eq!((line.unwrap().app, rest.as_slice()), (7, &b"more\nand more"[..]));
        // H27
        let (line, rest) = read_all(b"1|7|unix|/s|grpc|", 0).await;
        assert_eq!((line.unwrap().app, rest.as_slice()), (7, &b""[..]));
    }

    #[tokio::test]
    async fn only_so_many_lines_are_passed_over_and_none_that_looks_like_a_handshake() {
        let banner = b"Welcome\n\na|b|c|d|e\n1|7|unix|/s|grpc|\nx";
        let (line, rest) = read_all(banner, 3).await;
        assert_eq!((line.unwrap().app, rest.as_slice()), (7, &b"x"[..]));
        for skip in 0..3 {
            assert!(read_all(banner, skip).await.0.unwrap_err().contains("Wrong"), "{skip}");
        }
        let wrong = b"2|7|unix|/s|grpc|\n1|7|unix|/s|grpc|\n";
        assert!(read_all(wrong, 9).await.0.unwrap_err().contains("core protocol version 2"));
        assert!(read_all(b"Welcome\n", 9).await.0.unwrap_err().contains("Ended"));
    }

    // H71, H72, H73, H74, H75
    #[test]
    fn the_seventh_field_matters_when_it_was_asked_for() {
        let judge = |asked, rest: &str| {
            let text = format!("1|1|unix|/s|grpc|{rest}");
            multiplexing(asked, &Line::parse(text.as_bytes()).unwrap(), &text)
        };
        assert_eq!(judge(true, "|T|x"), Ok(true));
        assert!(judge(true, "").unwrap_err().contains("1.6"));
        assert!(judge(true, "|false").unwrap_err().contains("does not support"));
        assert!(judge(true, "|maybe").unwrap_err().contains("\"maybe\""));
        for rest in ["", "|true", "|false", "|maybe"] {
            assert_eq!(judge(false, rest), Ok(false));
        }
    }
}
