//! Files that the plugin itself must read, downloaded by the host.

use std::collections::HashMap;
use std::path::PathBuf;
use std::vec::IntoIter;

use tonic::Streaming;
use wharf_proto::{MAX_BATCH, v1};

use super::Host;
use crate::Error;

/// One file to download.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Download {
    wire: v1::Download,
}

impl Download {
    /// From this address.
    pub fn from_url(url: impl Into<String>) -> Self {
        Self::default().or_from(url, HashMap::new())
    }

    /// Another address to try when those before fail, with request headers.
    #[must_use]
    pub fn or_from(mut self, url: impl Into<String>, headers: HashMap<String, String>) -> Self {
        self.wire.sources.push(v1::Source { url: url.into(), headers });
        self
    }

    /// The size that the file must have.
    #[must_use]
    pub fn size(mut self, bytes: u64) -> Self {
        self.wire.size = Some(bytes);
        self
    }

    /// A digest that the file must have, as `ALGORITHM:HEX`.
    #[must_use]
    pub fn digest(mut self, digest: impl Into<String>) -> Self {
        self.wire.digests.push(digest.into());
        self
    }

    /// Bytes after which the host gives up.
    #[must_use]
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.wire.max_bytes = bytes;
        self
    }

    /// The validators of an earlier download; empty ones are left out. Unchanged files are not sent again.
    #[must_use]
    pub fn unless_unchanged(mut self, etag: &str, last_modified: &str) -> Self {
        etag.clone_into(&mut self.wire.if_none_match);
        last_modified.clone_into(&mut self.wire.if_modified_since);
        self
    }
}

/// A finished download.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Downloaded {
    /// The file, relative to [`Context::work_dir`](crate::Ask::work_dir); `None` when nothing changed.
    pub staged: Option<PathBuf>,
    /// Bytes.
    pub size: u64,
    /// `sha256:HEX`.
    pub digest: String,
    /// Nothing changed since the validators were given out.
    pub not_modified: bool,
    /// The validator to give back next time, as the server wrote it; may be empty.
    pub etag: String,
    /// The date to give back next time, as the server wrote it; may be empty.
    pub last_modified: String,
    /// Where it came from in the end, after redirects.
    pub final_url: String,
    /// What the server called it.
    pub media_type: String,
}

impl Downloaded {
    fn read(wire: v1::Downloaded) -> Result<Self, Error> {
        if let Some(error) = wire.error {
            return Err(error.into());
        }
        let staged = (!wire.not_modified).then(|| PathBuf::from(wire.staged));
        Ok(Self {
            staged,
            size: wire.size,
            digest: wire.digest,
            not_modified: wire.not_modified,
            etag: wire.etag,
            last_modified: wire.last_modified,
            final_url: wire.final_url,
            media_type: wire.media_type,
        })
    }
}

/// The answers to a list of downloads, in the order in which they are done.
pub struct Downloads {
    host: Host,
    rest: IntoIter<Download>,
    current: Streaming<v1::Downloaded>,
    first: usize,
    asked: usize,
}

impl Downloads {
    /// The next finished download, with its place in the list; `None` when all are answered.
    ///
    /// # Errors
    /// When the call to the host fails; the failure of one download is in its own answer.
    pub async fn next(&mut self) -> Result<Option<(usize, Result<Downloaded, Error>)>, Error> {
        loop {
            let answer = self.current.message().await;
            if let Some(wire) = answer.map_err(|status| Error::from_status("Download", &status))? {
                let index = self.first + usize::try_from(wire.index).unwrap_or(usize::MAX);
                return Ok(Some((index, Downloaded::read(wire))));
            }
            let batch: Vec<_> = self.rest.by_ref().take(MAX_BATCH).collect();
            if batch.is_empty() {
                return Ok(None);
            }
            self.first += self.asked;
            self.asked = batch.len();
            self.current = self.host.ask(batch).await?;
        }
    }
}

impl Host {
    pub(crate) async fn download(&self, downloads: Vec<Download>) -> Result<Downloads, Error> {
        let mut rest = downloads.into_iter();
        let batch: Vec<_> = rest.by_ref().take(MAX_BATCH).collect();
        let asked = batch.len();
        let current = self.ask(batch).await?;
        Ok(Downloads { host: self.clone(), rest, current, first: 0, asked })
    }

    async fn ask(&self, batch: Vec<Download>) -> Result<Streaming<v1::Downloaded>, Error> {
        let items = batch.into_iter().map(|download| download.wire).collect();
        let answers = self.client()?.download(v1::DownloadRequest { items }).await;
        let answers = answers.map_err(|status| Error::from_status("Download", &status))?;
        Ok(answers.into_inner())
    }
}
