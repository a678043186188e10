//! `server.json`: how a command finds the server of a data folder.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{Error, folder};

/// Who serves a data folder. It is true while the folder's lock is held, and may outlive a server
/// that was killed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The server's process.
    pub pid: u32,
    /// When it started, in milliseconds since 1970.
    pub started_ms: i64,
    /// Its version.
    pub version: String,
    /// Where it answers API requests.
    pub socket: PathBuf,
    /// Where it serves published content, such as `http://127.0.0.1:8080`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// It lives inside a command and leaves when that is done.
    #[serde(default)]
    pub embedded: bool,
}

impl Record {
    /// The record in a data folder; none: no server has started, or it has left.
    ///
    /// # Errors
    /// The file cannot be read, or holds something else.
    pub fn read(data: &Path) -> io::Result<Option<Self>> {
        match fs::read(Self::path(data)) {
            Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Where the record of a data folder is.
    pub(crate) fn path(data: &Path) -> PathBuf {
        data.join("server.json")
    }

    /// Replaces the record: a reader finds the old one or the new one, never a part.
    ///
    /// # Errors
    /// [`Error::Folder`].
    pub(crate) fn write(&self, data: &Path) -> Result<(), Error> {
        let path = Self::path(data);
        let draft = path.with_extension("json.new");
        let write = || {
            let mut file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&draft)?;
            file.write_all(&serde_json::to_vec_pretty(self)?)?;
            fs::rename(&draft, &path)
        };
        write().map_err(folder("write", &path))
    }

    #[cfg(test)]
    pub(crate) fn sample(data: &Path) -> Self {
        Self {
            pid: 4711,
            started_ms: 1,
            version: "0.1.0".to_owned(),
            socket: data.join("api.sock"),
            content: None,
            embedded: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let data = tempfile::tempdir().unwrap();
        assert_eq!(Record::read(data.path()).unwrap(), None);
        let record = Record::sample(data.path());
        record.write(data.path()).unwrap();
        assert_eq!(Record::read(data.path()).unwrap(), Some(record));
        fs::write(Record::path(data.path()), "{").unwrap();
        assert!(Record::read(data.path()).is_err());
    }
}
