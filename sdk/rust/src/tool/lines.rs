//! A stream of bytes as lines of text.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _};

/// A longer line is cut into pieces.
const MAX_LINE_BYTES: usize = 4096;
/// Room for one reading.
const READ_BYTES: usize = 8192;

/// The lines of one pipe. A line ends with a line feed or a carriage return; empty ones are left out.
pub(super) struct Lines<R> {
    pipe: R,
    buffer: Vec<u8>,
    open: bool,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    pub(super) fn new(pipe: R) -> Self {
        Self { pipe, buffer: Vec::new(), open: true }
    }

    /// Whether there may be more to read.
    pub(super) fn is_open(&self) -> bool {
        self.open
    }

    /// Reads what there is. Dropping the future loses nothing.
    pub(super) async fn fill(&mut self) -> io::Result<()> {
        self.buffer.reserve(READ_BYTES);
        self.open = self.pipe.read_buf(&mut self.buffer).await? > 0;
        Ok(())
    }

    /// The next whole line; after the end of the pipe, what is left.
    pub(super) fn pop(&mut self) -> Option<String> {
        loop {
            let end = self.buffer.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            let end = end.filter(|end| *end <= MAX_LINE_BYTES);
            let (text, used) = match end {
                Some(end) => (end, end + 1),
                None if self.buffer.len() > MAX_LINE_BYTES => (MAX_LINE_BYTES, MAX_LINE_BYTES),
                None if !self.open && !self.buffer.is_empty() => {
                    (self.buffer.len(), self.buffer.len())
                }
                None => return None,
            };
            let rest = self.buffer.split_off(used);
            let mut line = std::mem::replace(&mut self.buffer, rest);
            line.truncate(text);
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            if !line.is_empty() {
                return Some(line);
            }
        }
    }

    /// The bytes read so far, whatever they are.
    pub(super) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn lines(bytes: &[u8]) -> Vec<String> {
        let mut lines = Lines::new(bytes);
        let mut found = Vec::new();
        while lines.is_open() {
            lines.fill().await.unwrap();
            found.extend(std::iter::from_fn(|| lines.pop()));
        }
        found
    }

    #[tokio::test]
    async fn lines_end_with_a_line_feed_a_carriage_return_or_the_pipe() {
        assert_eq!(lines(b"a\r\nb\rc\n\n\xffd").await, ["a", "b", "c", "\u{fffd}d"]);
        assert_eq!(lines(b"").await, Vec::<String>::new());
    }

    #[tokio::test]
    async fn a_line_without_end_comes_in_pieces() {
        let found = lines(&[b'x'; MAX_LINE_BYTES * 2 + 1]).await;
        assert_eq!(found.iter().map(String::len).collect::<Vec<_>>(), [4096, 4096, 1]);
    }
}
