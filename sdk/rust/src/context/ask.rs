//! What a call can ask of the host.

use bytes::Bytes;

use super::Context;
use crate::Error;
use crate::host::{
    Artifact, Download, Downloaded, Downloads, Query, SignForm, Signed, State, StateScope,
    UnitPages,
};

impl Context {
    /// Has the host download one file into the work folder.
    ///
    /// # Errors
    /// What the host says about this download; [`Error::cancelled`].
    pub async fn download(&self, download: Download) -> Result<Downloaded, Error> {
        let mut downloads = self.download_all(vec![download]).await?;
        match self.or_cancelled(downloads.next()).await? {
            Some((_, outcome)) => outcome,
            None => Err(Error::fault("internal.host", "the host left a download unanswered")),
        }
    }

    /// Has the host download many files; each is answered as it is done.
    ///
    /// # Errors
    /// What the host says about the request; [`Error::cancelled`].
    pub async fn download_all(&self, downloads: Vec<Download>) -> Result<Downloads, Error> {
        self.or_cancelled(self.inner.host.download(downloads)).await
    }

    /// Units of the job's version, in pages.
    ///
    /// # Errors
    /// What the host says about the query; [`Error::cancelled`].
    pub async fn units(&self, query: Query) -> Result<UnitPages, Error> {
        self.or_cancelled(self.inner.host.query(query)).await
    }

    /// Which of these digests, each `sha256:HEX`, the host has bytes for; in the order asked.
    ///
    /// # Errors
    /// What the host says; [`Error::cancelled`].
    pub async fn has_artifacts(&self, digests: Vec<String>) -> Result<Vec<bool>, Error> {
        self.or_cancelled(self.inner.host.has_artifacts(digests)).await
    }

    /// Reads the bytes of a file that the job may read, by `sha256:HEX`, from an offset.
    ///
    /// # Errors
    /// What the host says; [`Error::cancelled`].
    pub async fn open_artifact(&self, digest: &str, offset: u64) -> Result<Artifact, Error> {
        self.or_cancelled(self.inner.host.open_artifact(digest, offset)).await
    }

    /// A secret of the call's instance, by one of the names that the instance lists.
    ///
    /// # Errors
    /// What the host says; [`Error::cancelled`].
    pub async fn secret(&self, name: &str) -> Result<Bytes, Error> {
        self.or_cancelled(self.inner.host.secret(name)).await
    }

    /// Has the host sign something with the key that the attachment names, of which the request tells in `signing`.
    ///
    /// # Errors
    /// What the host says, for example that the attachment names none; [`Error::cancelled`].
    pub async fn sign(&self, form: SignForm, bytes: Vec<u8>) -> Result<Signed, Error> {
        self.or_cancelled(self.inner.host.sign(form, bytes, self.work_dir())).await
    }

    /// A small piece of the plugin's own state; `None` when there is none.
    ///
    /// # Errors
    /// What the host says; [`Error::cancelled`].
    pub async fn get_state(&self, scope: StateScope, key: &str) -> Result<Option<State>, Error> {
        self.or_cancelled(self.inner.host.get_state(scope, key)).await
    }

    /// Replaces a piece of state, at most 64 KiB; `revision` is that of the state it replaces, 0 when there is
    /// none. Counts only if the job succeeds, unless `durable`. Answers the new revision.
    ///
    /// # Errors
    /// An operation error with code `conflict` when somebody else was faster; [`Error::cancelled`].
    pub async fn put_state(
        &self,
        scope: StateScope,
        key: &str,
        state: State,
        durable: bool,
    ) -> Result<u64, Error> {
        self.or_cancelled(self.inner.host.put_state(scope, key, state, durable)).await
    }
}
