//! Cuts a stream of bytes into lines of at most 64 KiB.

use super::logs::{Logs, Source};

/// A longer line is passed on in pieces of this many bytes, which are never read as JSON.
const MAX_LINE: usize = 64 << 10;

/// One stream that is being cut.
#[derive(Debug)]
pub(crate) struct Lines {
    source: Source,
    open: Vec<u8>,
    /// A piece of the open line has been passed on already.
    in_pieces: bool,
    /// A crash report has begun; what follows belongs to it.
    panicking: bool,
}

impl Lines {
    pub(crate) fn new(source: Source) -> Self {
        Self { source, open: Vec::new(), in_pieces: false, panicking: false }
    }

    /// Takes more bytes and passes on all lines that they complete.
    pub(crate) fn push(&mut self, bytes: &[u8], logs: &Logs) {
        for part in bytes.split_inclusive(|&byte| byte == b'\n') {
            if let Some(end) = part.strip_suffix(b"\n") {
                self.extend(end, logs);
                self.close(logs);
            } else {
                self.extend(part, logs);
            }
        }
    }

    /// Passes on a last line without an end.
    pub(crate) fn finish(&mut self, logs: &Logs) {
        if !self.open.is_empty() {
            self.close(logs);
        }
    }

    fn extend(&mut self, mut bytes: &[u8], logs: &Logs) {
        while self.open.len() + bytes.len() > MAX_LINE {
            let (head, tail) = bytes.split_at(MAX_LINE - self.open.len());
            self.open.extend_from_slice(head);
            bytes = tail;
            self.in_pieces = true;
            logs.piece(self.source, &self.open);
            self.open.clear();
        }
        self.open.extend_from_slice(bytes);
    }

    fn close(&mut self, logs: &Logs) {
        let line = self.open.strip_suffix(b"\r").unwrap_or(&self.open);
        if self.in_pieces {
            logs.piece(self.source, line);
        } else {
            logs.line(self.source, line, &mut self.panicking);
        }
        self.in_pieces = false;
        self.open.clear();
    }
}
