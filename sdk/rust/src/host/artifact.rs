//! Bytes in the host's store.

use bytes::{Bytes, BytesMut};
use futures_util::stream;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::mpsc;
use tonic::Streaming;
use wharf_proto::{MAX_BATCH, v1};

use super::Host;
use crate::Error;

/// The most bytes of one piece.
const CHUNK: usize = 512 << 10;
/// Pieces that may wait for the host.
const WAITING: usize = 2;

/// What the store made of bytes that it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stored {
    /// `sha256:HEX`.
    pub digest: String,
    /// Bytes.
    pub size: u64,
}

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

    pub(crate) async fn put_artifact(
        &self,
        from: impl AsyncRead + Send + Unpin,
    ) -> Result<Stored, Error> {
        let mut client = self.client()?;
        let (sender, mut pieces) = mpsc::channel(WAITING);
        let sending = async {
            // A broken read keeps the channel open until the call is gone: its end would look like that of the bytes.
            match send_pieces(from, &sender).await {
                Ok(()) => {
                    drop(sender);
                    Ok(())
                }
                Err(error) => Err((error, Some(sender))),
            }
        };
        let pieces = stream::poll_fn(move |poller| pieces.poll_recv(poller));
        let storing = async {
            let answer = client.put_artifact(pieces).await;
            answer.map_err(|status| (Error::from_status("PutArtifact", &status), None))
        };
        let ((), answer) = tokio::try_join!(sending, storing).map_err(|(error, _channel)| error)?;
        let v1::PutArtifactResponse { digest, size } = answer.into_inner();
        Ok(Stored { digest, size })
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

/// Sends all that can be read. Why the host takes no more is told by its answer.
async fn send_pieces(
    mut from: impl AsyncRead + Unpin,
    to: &mpsc::Sender<v1::ArtifactChunk>,
) -> Result<(), Error> {
    loop {
        let mut data = BytesMut::with_capacity(CHUNK);
        let read = from.read_buf(&mut data).await.map_err(|error| {
            Error::operation("storage.read", "what is to be stored cannot be read")
                .caused_by(&error)
        })?;
        if read == 0 || to.send(v1::ArtifactChunk { data: data.freeze() }).await.is_err() {
            return Ok(());
        }
    }
}
