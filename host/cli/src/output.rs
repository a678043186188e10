//! The two outputs of the program: results to standard output, everything else to standard error.
//!
//! Nobody reading on (`wharf job list | head -1`) is no error: summaries are dropped, lists end
//! quietly (F150). Colours are written always and removed by the stream when they are not wanted.

use std::io::{self, BufWriter, Write};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use crate::args::Format;
use crate::error::Error;

/// Where a command writes.
pub(crate) struct Output {
    /// How results are written.
    pub(crate) format: Format,
    /// No summaries.
    pub(crate) quiet: bool,
    out: Mutex<Out>,
    err: Mutex<Box<dyn Write + Send>>,
}

struct Out {
    writer: Box<dyn Write + Send>,
    /// Nobody reads any more.
    closed: bool,
}

impl Output {
    /// Standard output and standard error.
    pub(crate) fn standard(format: Format, quiet: bool) -> Self {
        let out = BufWriter::with_capacity(64 * 1024, anstream::stdout());
        Self::new(format, quiet, Box::new(out), Box::new(anstream::stderr()))
    }

    /// These two writers.
    pub(crate) fn new(
        format: Format,
        quiet: bool,
        out: Box<dyn Write + Send>,
        err: Box<dyn Write + Send>,
    ) -> Self {
        Self {
            format,
            quiet,
            out: Mutex::new(Out { writer: out, closed: false }),
            err: Mutex::new(err),
        }
    }

    /// Whether results are for programs.
    pub(crate) fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// Writes what was asked for, such as a list: `--quiet` does not silence it. Fails with
    /// [`Error::ClosedOutput`] when nobody reads.
    pub(crate) fn data(&self, text: &str) -> Result<(), Error> {
        self.write(text)
    }

    /// Writes a summary for people and shows it at once.
    pub(crate) fn note(&self, text: &str) -> Result<(), Error> {
        if self.quiet || self.is_json() {
            return Ok(());
        }
        match self.write(text).and_then(|()| self.flush()) {
            Err(Error::ClosedOutput) => Ok(()),
            other => other,
        }
    }

    /// Writes one object on a line of its own.
    pub(crate) fn json(&self, object: &impl Serialize) -> Result<(), Error> {
        let text = serde_json::to_string(object)
            .map_err(|error| Error::Output(io::Error::other(error)))?;
        match self.write(&text).and_then(|()| self.flush()) {
            Err(Error::ClosedOutput) => Ok(()),
            other => other,
        }
    }

    /// Writes text as it is, without a line end of its own.
    pub(crate) fn raw(&self, text: &str) -> Result<(), Error> {
        self.to_out(|writer| writer.write_all(text.as_bytes()))
    }

    /// Hands on what is buffered.
    pub(crate) fn flush(&self) -> Result<(), Error> {
        self.to_out(|writer| writer.flush())
    }

    /// Tells people something on standard error. When that fails there is nobody left to tell.
    pub(crate) fn tell(&self, text: &str) {
        let mut err = self.err.lock().unwrap_or_else(PoisonError::into_inner);
        let _unheard = writeln!(err, "{text}").and_then(|()| err.flush());
    }

    fn write(&self, text: &str) -> Result<(), Error> {
        self.to_out(|writer| {
            writer.write_all(text.as_bytes())?;
            writer.write_all(b"\n")
        })
    }

    fn to_out(&self, act: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Error> {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        if out.closed {
            return Err(Error::ClosedOutput);
        }
        match act(&mut *out.writer) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                out.closed = true;
                Err(Error::ClosedOutput)
            }
            Err(error) => Err(Error::Output(error)),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Arc;

    use super::*;

    /// A writer that keeps what it got.
    #[derive(Clone, Default)]
    pub(crate) struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Kept {
        pub(crate) fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    struct Closed;

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
    }

    #[test]
    fn f150_a_closed_reader_ends_lists_and_is_no_error_for_summaries() {
        let output = Output::new(Format::Text, false, Box::new(Closed), Box::new(Closed));
        assert!(matches!(output.data("x"), Err(Error::ClosedOutput)));
        output.note("x").unwrap();
        output.tell("x");
    }

    #[test]
    fn quiet_silences_summaries_and_not_data() {
        let kept = Kept::default();
        let output = Output::new(Format::Text, true, Box::new(kept.clone()), Box::new(io::sink()));
        output.note("summary").unwrap();
        output.data("list").unwrap();
        output.flush().unwrap();
        assert_eq!(kept.text(), "list\n");
    }
}
