//! What clients read first, and what tells them who made it.
//!
//! Where the host signs, `InRelease` holds the `Release` in a signature, `Release.gpg` has one of exactly the bytes of
//! `Release`, and the key lies at the root of the tree, named like the repository. Sources: apt-secure(8), RFC 9580.

use serde::{Deserialize, Serialize};
use wharf_sdk::{Context, Error, PublishedFile, SignForm, Signed};

use super::unwritten;

/// The most bytes that travel inside a message.
const MAX_INLINE_BYTES: usize = 64 << 10;
const TEXT: &str = "text/plain";
const SIGNATURE: &str = "application/pgp-signature";
const KEY: &str = "application/pgp-keys";

/// The key that a publication was signed with, as clients are told of it.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct Signer {
    pub(super) fingerprint: String,
    /// Armored.
    pub(super) public_key: String,
}

/// Publishes entry points.
pub(super) struct Entries<'a> {
    context: &'a Context,
    modified_ms: i64,
    signs: bool,
    key_path: String,
}

impl<'a> Entries<'a> {
    pub(super) fn new(
        context: &'a Context,
        seconds: i64,
        signing: &[String],
        repository: &str,
    ) -> Self {
        Self {
            context,
            modified_ms: seconds.saturating_mul(1_000),
            signs: !signing.is_empty(),
            key_path: format!("{repository}.asc"),
        }
    }

    /// A distribution's; says who signed it.
    pub(super) async fn distribution(
        &self,
        number: usize,
        distribution: &str,
        text: String,
    ) -> Result<Option<Signer>, Error> {
        let path = |name: &str| format!("dists/{distribution}/{name}");
        let staged = |name: &str| format!("{name}-{number}");
        let mut signer = None;
        if self.signs {
            let bytes = || text.clone().into_bytes();
            let clear = self.context.sign(SignForm::Clear, bytes()).await?;
            let detached = self.context.sign(SignForm::DetachedArmored, bytes()).await?;
            self.file(path("InRelease"), staged("inrelease"), clear.bytes, TEXT).await?;
            let Signed { bytes, fingerprint, public_key } = detached;
            self.file(path("Release.gpg"), staged("release-gpg"), bytes, SIGNATURE).await?;
            signer = Some(Signer { fingerprint, public_key });
        }
        self.file(path("Release"), staged("release"), text.into_bytes(), TEXT).await?;
        Ok(signer)
    }

    /// The key, for those who are to trust it.
    pub(super) async fn key(&self, signer: &Signer) -> Result<(), Error> {
        let bytes = signer.public_key.clone().into_bytes();
        self.file(self.key_path.clone(), "key".to_owned(), bytes, KEY).await
    }

    async fn file(
        &self,
        path: String,
        staged: String,
        bytes: Vec<u8>,
        media_type: &str,
    ) -> Result<(), Error> {
        let file = if bytes.len() > MAX_INLINE_BYTES {
            std::fs::write(self.context.in_work_dir(&staged), bytes)
                .map_err(|error| unwritten(&error))?;
            PublishedFile::staged(path, staged)
        } else {
            PublishedFile::inline(path, bytes)
        };
        let file = file.media_type(media_type).modified_ms(self.modified_ms).entry_point();
        self.context.file(file).await
    }
}
