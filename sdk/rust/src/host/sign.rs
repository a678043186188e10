//! Signatures with the host's key.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use wharf_proto::v1::{self, sign_request::From};

use super::Host;
use crate::Error;

/// What is larger is staged and not sent along.
const MAX_INLINE: usize = wharf_proto::MAX_INLINE_BYTES;

/// Names files that are signed.
static NUMBER: AtomicU64 = AtomicU64::new(0);

/// How something is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignForm {
    /// The text, at most 2 MiB of it, and its signature in one readable file.
    Clear,
    /// The signature alone, as text.
    DetachedArmored,
    /// The signature alone.
    DetachedBinary,
}

impl SignForm {
    const fn word(self) -> &'static str {
        match self {
            Self::Clear => "clearsign",
            Self::DetachedArmored => "detached-armored",
            Self::DetachedBinary => "detached-binary",
        }
    }

    pub(crate) fn read(word: &str) -> Option<Self> {
        let all = [Self::Clear, Self::DetachedArmored, Self::DetachedBinary];
        all.into_iter().find(|form| form.word() == word)
    }
}

/// A signature, and what clients check it with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signed {
    /// The signature; of a text that is signed readably, the whole.
    pub bytes: Vec<u8>,
    /// The key's: hex digits in upper case.
    pub fingerprint: String,
    /// The public key, armored.
    pub public_key: String,
}

impl Host {
    pub(crate) async fn sign(
        &self,
        form: SignForm,
        bytes: Vec<u8>,
        work_dir: &Path,
    ) -> Result<Signed, Error> {
        let from = if bytes.len() > MAX_INLINE {
            let name = format!(".sign-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
            std::fs::write(work_dir.join(&name), bytes).map_err(|error| {
                let message = "what is to be signed cannot be written to the job's folder";
                Error::operation("storage.staged", message).caused_by(&error).retryable()
            })?;
            From::Staged(name)
        } else {
            From::Inline(bytes)
        };
        let request = v1::SignRequest {
            service: String::new(),
            format: form.word().to_owned(),
            from: Some(from),
        };
        let answer = self.client()?.sign(request).await;
        let answer = answer.map_err(|status| Error::from_status("Sign", &status))?.into_inner();
        let public_key = String::from_utf8(answer.public_key)
            .map_err(|_error| Error::fault("protocol.sign", "the host's public key is no text"))?;
        Ok(Signed { bytes: answer.signature, fingerprint: answer.fingerprint, public_key })
    }
}
