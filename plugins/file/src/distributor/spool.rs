//! A list that is sent inline while it is small, and staged in the work folder when it grows.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use wharf_sdk::{Error, PublishedFile};

/// The most bytes that travel inside a message.
const MAX_INLINE_BYTES: usize = 64 << 10;

/// A list on its way.
pub(super) struct Spool {
    name: String,
    path: PathBuf,
    text: Vec<u8>,
    file: Option<BufWriter<File>>,
}

impl Spool {
    pub(super) fn new(name: &str, work_dir: &Path) -> Self {
        let path = work_dir.join(name);
        Self { name: name.to_owned(), path, text: Vec::new(), file: None }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Lets `write` append to the list.
    pub(super) fn add(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Result<(), Error> {
        write(&mut self.text);
        if self.text.len() > MAX_INLINE_BYTES {
            self.spill().map_err(|error| self.failed(&error))?;
        }
        Ok(())
    }

    fn spill(&mut self) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(BufWriter::new(File::create_new(&self.path)?)),
        };
        file.write_all(&self.text)?;
        self.text.clear();
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<PublishedFile, Error> {
        if self.file.is_none() {
            return Ok(PublishedFile::inline(self.name, self.text));
        }
        let spilled = self.spill();
        let flushed = spilled.and_then(|()| self.file.as_mut().map_or(Ok(()), Write::flush));
        flushed.map_err(|error| self.failed(&error))?;
        Ok(PublishedFile::staged(self.name.clone(), self.name))
    }

    fn failed(&self, error: &io::Error) -> Error {
        let message = format!("{} cannot be written to {}", self.name, self.path.display());
        Error::operation("storage.staged", message).caused_by(error).retryable()
    }
}
