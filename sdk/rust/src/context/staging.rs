//! A large file on its way: written into the job's folder piece by piece, and named to the host when it is whole.
//!
//! Pieces may come in any order, each is written at its own place, off the runtime. A file that is not handed over is
//! removed, however the call ends. Never hashes anything: what the bytes are is the host's to find out.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;

use tempfile::{Builder, TempPath};
use tokio::task::spawn_blocking;

use super::Context;
use crate::{Error, printable};

/// Letters of a path in a message.
const SHOWN: usize = 200;

/// A fetched item's file in the work folder, which nobody else knows of until it is handed over. For items so large that
/// they cost less as a file, which the host reads once, than as chunks.
#[derive(Debug)]
pub struct Staging {
    file: Arc<File>,
    path: TempPath,
}

impl Staging {
    /// Makes an empty one.
    ///
    /// # Errors
    /// `storage.write`: the work folder takes no more.
    pub async fn create(context: &Context) -> Result<Self, Error> {
        let folder = context.work_dir().to_owned();
        let made = blocking(context.work_dir(), move || {
            Builder::new().prefix("staged-").tempfile_in(folder)
        });
        let (file, path) = made.await?.into_parts();
        Ok(Self { file: Arc::new(file), path })
    }

    /// Writes a piece at its place, a number of bytes from the beginning.
    ///
    /// # Errors
    /// `storage.write`: the work folder takes no more.
    pub async fn write(
        &self,
        bytes: impl AsRef<[u8]> + Send + 'static,
        place: u64,
    ) -> Result<(), Error> {
        let file = Arc::clone(&self.file);
        blocking(&self.path, move || file.write_all_at(bytes.as_ref(), place)).await
    }

    /// Names the file to the host, whose it is from then on.
    ///
    /// # Errors
    /// [`Error::cancelled`]; `storage.write`.
    pub async fn hand_over(self, context: &Context) -> Result<(), Error> {
        let Self { file, path } = self;
        drop(file);
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // Before it is named: the host may be done with it sooner than this call.
        let kept = path.keep().map_err(|error| failed(&error.path, &error.error))?;
        let named = context.staged(name).await;
        if named.is_err() {
            // The host removes the folder with all that is left in it.
            drop(std::fs::remove_file(kept));
        }
        named
    }
}

async fn blocking<T: Send + 'static>(
    path: &Path,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Error> {
    let done = spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)));
    done.map_err(|error| failed(path, &error))
}

fn failed(path: &Path, error: &io::Error) -> Error {
    let place = printable(&path.display().to_string(), SHOWN);
    let message = format!(
        "{place}: {error}; the host's data folder needs space for what is fetched, and the right to write"
    );
    Error::operation("storage.write", message)
}
