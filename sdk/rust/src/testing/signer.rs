//! What a fake host signs with.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use tonic::{Response, Status};
use wharf_proto::v1::{self, sign_request::From};

use crate::host::{SignForm, Signed};

type Sign = dyn Fn(SignForm, &[u8]) -> Signed + Send + Sync;

/// The test's own way to sign.
#[derive(Clone)]
pub(super) struct Signer(Arc<Sign>);

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signer")
    }
}

impl Signer {
    pub(super) fn new(sign: impl Fn(SignForm, &[u8]) -> Signed + Send + Sync + 'static) -> Self {
        Self(Arc::new(sign))
    }
}

/// Answers `Host.Sign`, with staged files below `work`.
pub(super) fn sign(
    signer: Option<&Signer>,
    request: v1::SignRequest,
    work: &Path,
) -> Result<Response<v1::SignResponse>, Status> {
    let Some(Signer(sign)) = signer else {
        return Err(Status::permission_denied("the attachment names no key"));
    };
    let form = SignForm::read(&request.format)
        .ok_or_else(|| Status::invalid_argument(request.format.clone()))?;
    let bytes = match request.from {
        Some(From::Inline(bytes)) => bytes,
        Some(From::Staged(name)) => std::fs::read(work.join(name))
            .map_err(|error| Status::invalid_argument(error.to_string()))?,
        None => return Err(Status::invalid_argument("nothing to sign")),
    };
    let Signed { bytes, fingerprint, public_key } = sign(form, &bytes);
    let public_key = public_key.into_bytes();
    Ok(Response::new(v1::SignResponse { signature: bytes, fingerprint, public_key }))
}
