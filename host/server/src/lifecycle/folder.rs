//! What a server keeps in its data folder while it has the right to it.
//!
//! ```text
//! DATA/             0700, claimed by `lock`
//!   server.json     who the server is; written last at start, removed first at the end
//!   api.sock        0600
//! ```

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use wharf_engine::Claim;

use super::record::Record;
use crate::error::{Error, folder};

/// Takes the data folder, and clears away what a dead server left. Blocks for the time of a few system calls.
///
/// # Errors
/// [`Error::Locked`] while another server lives; [`Error::Exposed`]; [`Error::Folder`].
pub(crate) fn take(data: &Path) -> Result<Claim, Error> {
    let claim = Claim::take(data).map_err(refused)?;
    clear(&claim)?;
    Ok(claim)
}

/// Removes what tells others of a server: its record and its socket.
pub(crate) fn clear(claim: &Claim) -> Result<(), Error> {
    for path in [Record::path(claim.data()), socket_path(claim.data())] {
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(folder("remove", path)(error));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Where the server of a data folder answers API requests.
pub(crate) fn socket_path(data: &Path) -> PathBuf {
    data.join("api.sock")
}

fn refused(error: wharf_store::Error) -> Error {
    match error {
        wharf_store::Error::Locked { path: data } => {
            let pid = Record::read(&data).ok().flatten().map(|record| record.pid);
            Error::Locked { socket: socket_path(&data), pid, data }
        }
        wharf_store::Error::Exposed { path } => Error::Exposed { path },
        wharf_store::Error::Storage { doing, path, source } => {
            Error::Folder { action: doing.trim_start_matches("cannot "), path, source }
        }
        other => Error::Engine(Box::new(other.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_dead_server_left_is_cleared_under_the_lock_only() {
        let data = tempfile::tempdir().unwrap();
        let claim = take(data.path()).unwrap();
        let record = Record::sample(data.path());
        record.write(data.path()).unwrap();
        fs::write(socket_path(data.path()), "").unwrap();
        let Err(Error::Locked { pid: Some(pid), socket, .. }) = take(data.path()) else {
            panic!("the folder was given twice");
        };
        assert_eq!(pid, record.pid);
        assert!(socket.exists());
        drop(claim);
        let _claim = take(data.path()).unwrap();
        assert!(!socket_path(data.path()).exists());
        assert!(!Record::path(data.path()).exists());
    }
}
