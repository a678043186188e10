//! Sending a file piece by piece, from wherever the server says.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderValue, Method};
use sha2::{Digest as _, Sha256};

use super::{Client, hex};
use crate::api::Upload;
use crate::error::Error;

/// Bytes of one piece: what is lost at most when a connection breaks.
const PIECE: usize = 8 << 20;
/// How long a server may be gone in the middle of an upload.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(100);

/// A file to be sent, and what it is now.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// Its name.
    pub(crate) name: String,
    /// Its size in bytes.
    pub(crate) size: u64,
    /// Its SHA-256 in hex digits.
    pub(crate) sha256: String,
    file: Arc<File>,
}

impl Outgoing {
    /// Opens a file and reads it once.
    pub(crate) async fn read(path: &Path) -> Result<Self, Error> {
        let path = path.to_owned();
        let unreadable = path.clone();
        let read = tokio::task::spawn_blocking(move || Self::read_blocking(path));
        let read = read.await.unwrap_or_else(|lost| Err(io::Error::other(lost)));
        read.map_err(|source| Error::File { action: "read", path: unreadable, source })
    }

    fn read_blocking(path: PathBuf) -> io::Result<Self> {
        let mut file = File::open(&path)?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"));
        }
        let name = path.file_name().and_then(|name| name.to_str()).map(str::to_owned);
        let name = name.ok_or_else(|| io::Error::other("its name is no UTF-8"))?;
        let mut hasher = Sha256::new();
        let size = io::copy(&mut file, &mut HashWriter(&mut hasher))?;
        let sha256 = hex(hasher.finalize().into());
        Ok(Self { path, name, size, sha256, file: Arc::new(file) })
    }

    /// The next piece.
    async fn piece(&self, offset: u64) -> Result<Bytes, Error> {
        let file = Arc::clone(&self.file);
        let left = usize::try_from(self.size.saturating_sub(offset)).unwrap_or(usize::MAX);
        let read = tokio::task::spawn_blocking(move || {
            let mut bytes = vec![0; left.min(PIECE)];
            file.read_exact_at(&mut bytes, offset).map(|()| Bytes::from(bytes))
        });
        let read = read.await.unwrap_or_else(|lost| Err(io::Error::other(lost)));
        let path = self.path.clone();
        read.map_err(|source| Error::File { action: "read", path, source })
    }
}

/// Hashes what is copied into it.
struct HashWriter<'a>(&'a mut Sha256);

impl io::Write for HashWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Client {
    /// Sends what lacks of an upload; `seen` is told how many bytes are there. A server that is gone for a moment is
    /// waited for.
    pub(crate) async fn send_file(
        &self,
        file: &Outgoing,
        mut upload: Upload,
        mut seen: impl FnMut(u64),
    ) -> Result<Upload, Error> {
        let mut well = Instant::now();
        seen(upload.received);
        while upload.received < file.size {
            let piece = file.piece(upload.received).await?;
            let path = format!("uploads/{}?offset={}", upload.id, upload.received);
            match self.send_bytes(&path, piece).await {
                Ok(now) => {
                    upload = now;
                    well = Instant::now();
                    seen(upload.received);
                }
                Err(error) if is_passing(&error) && well.elapsed() < PATIENCE => {
                    tokio::time::sleep(PAUSE).await;
                    if let Ok(now) = self.get::<Upload>(&format!("uploads/{}", upload.id)).await {
                        upload = now;
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(upload)
    }

    async fn send_bytes(&self, path: &str, piece: Bytes) -> Result<Upload, Error> {
        let media = HeaderValue::from_static("application/octet-stream");
        self.exchange(Method::PUT, path, media, piece).await
    }
}

/// Whether another attempt may go well: the connection broke, or somebody was faster.
fn is_passing(error: &Error) -> bool {
    match error {
        Error::Broken { .. } | Error::Unreachable { .. } | Error::Deadline { .. } => true,
        Error::Problem(problem) => {
            matches!(problem.code.as_str(), "conflict.offset" | "conflict.upload" | "usage.body")
        }
        _ => false,
    }
}
