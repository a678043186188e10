//! Bytes in the host's store.

use bytes::Bytes;
use tonic::Streaming;
use wharf_proto::{MAX_BATCH, v1};

use super::Host;
use crate::Error;

/// An open file of the store.
pub struct Artifact {
    chunks: Streaming<v1::ArtifactChunk>,
}

impl Artifact {
    /// The next bytes; `None` at the end.
    ///
    /// # Errors
    /// When the call to the host fails.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        let chunk = self.chunks.message().await;
        let chunk = chunk.map_err(|status| Error::from_status("OpenArtifact", &status))?;
        Ok(chunk.map(|chunk| chunk.data))
    }
}

impl Host {
    pub(crate) async fn open_artifact(&self, digest: &str, offset: u64) -> Result<Artifact, Error> {
        let request = v1::OpenArtifactRequest { digest: digest.to_owned(), offset };
        let chunks = self.client()?.open_artifact(request).await;
        let chunks = chunks.map_err(|status| Error::from_status("OpenArtifact", &status))?;
        Ok(Artifact { chunks: chunks.into_inner() })
    }

    pub(crate) async fn has_artifacts(&self, digests: Vec<String>) -> Result<Vec<bool>, Error> {
        let mut client = self.client()?;
        let mut present = Vec::with_capacity(digests.len());
        for batch in digests.chunks(MAX_BATCH) {
            let request = v1::HasArtifactsRequest { digests: batch.to_vec() };
            let answer = client.has_artifacts(request).await;
            let answer = answer.map_err(|status| Error::from_status("HasArtifacts", &status))?;
            present.extend(answer.into_inner().present);
        }
        if present.len() == digests.len() {
            return Ok(present);
        }
        let (asked, got) = (digests.len(), present.len());
        let message = format!("the host answered {got} of {asked} digests");
        Err(Error::fault("protocol.has_artifacts", message))
    }
}
