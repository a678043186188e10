//! Keeps standard output for the handshake: whatever else is printed before it goes to standard error.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::AsFd;
use std::sync::{Mutex, PoisonError};

use super::super::StartError;

/// The real standard output, once it is kept back. Descriptors belong to the whole process, and so does this.
static REAL: Mutex<Option<File>> = Mutex::new(None);

/// Keeps it back from now on. Twice is as good as once; a failure comes out when the line is to be written.
pub(crate) fn standard_output() {
    let mut real = REAL.lock().unwrap_or_else(PoisonError::into_inner);
    if real.is_none()
        && let Ok(kept) = io::stdout().as_fd().try_clone_to_owned()
        && rustix::stdio::dup2_stdout(io::stderr()).is_ok()
    {
        *real = Some(kept.into());
    }
}

/// Writes to the real standard output, kept back or not.
pub(crate) fn print(text: &str) -> io::Result<()> {
    let mut real = REAL.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(real) = &mut *real {
        return real.write_all(text.as_bytes());
    }
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}

/// Writes the one line. The descriptor stays open: hosts take its end for the end of the process.
pub(crate) fn announce(line: &str) -> Result<(), StartError> {
    let mut real = REAL.lock().unwrap_or_else(PoisonError::into_inner);
    let written = match &mut *real {
        Some(real) => real.write_all(line.as_bytes()),
        None => Err(io::Error::other("it cannot be kept back from other output")),
    };
    written.map_err(|source| StartError::Handshake { source })
}
