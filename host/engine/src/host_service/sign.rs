//! Signatures with the key that the job's attachment names; with no other, and for no other job.

use std::io::Read as _;

use tonic::{Response, Status};
use wharf_openpgp::Form;
use wharf_proto::v1::{self, sign_request::From};

use super::{Rights, status};
use crate::problem::Problem;
use crate::signing::{Document, Keys, Source};
use crate::staging;

/// The longest text that is signed readably: it comes back in one message. The largest `Release` seen has 300 KB.
const MAX_TEXT: u64 = 2 << 20;
/// What a message may bring along.
const MAX_INLINE: usize = wharf_proto::MAX_MESSAGE_BYTES;

pub(super) async fn sign(
    keys: &Keys,
    rights: &Rights,
    request: v1::SignRequest,
) -> Result<Response<v1::SignResponse>, Status> {
    let key = allowed(rights, &request.service)?;
    let source = source(rights, request.from).await?;
    let document = match request.format.as_str() {
        "clearsign" => Document::Text(text(source).await?),
        "detached-armored" => Document::Bytes(source, Form::Armored),
        "detached-binary" => Document::Bytes(source, Form::Binary),
        other => {
            let known = "clearsign, detached-armored and detached-binary";
            return Err(Status::invalid_argument(format!("{other:?} is none of {known}")));
        }
    };
    let signed = keys.sign(key, document).await.map_err(|problem| status(&problem))?;
    Ok(Response::new(v1::SignResponse {
        signature: signed.bytes,
        fingerprint: signed.fingerprint,
        public_key: signed.public_key.into_bytes(),
    }))
}

/// The key that the job may have used, if it is the one that is meant (F71).
fn allowed<'a>(rights: &'a Rights, wanted: &str) -> Result<&'a str, Status> {
    match rights.signing_key.as_deref() {
        Some(key) if wanted.is_empty() || wanted == key => Ok(key),
        own => {
            tracing::warn!(
                job = rights.job,
                wanted,
                own,
                security = true,
                "a plugin wanted a signature that is not for it"
            );
            Err(Status::permission_denied(
                "the job has something signed only while it publishes, and with the signing_key of its attachment",
            ))
        }
    }
}

async fn source(rights: &Rights, from: Option<From>) -> Result<Source, Status> {
    match from {
        Some(From::Inline(bytes)) if bytes.len() <= MAX_INLINE => Ok(Source::Memory(bytes)),
        Some(From::Inline(_)) => Err(Status::invalid_argument("too much inline; stage it")),
        Some(From::Staged(path)) => {
            let path = path.parse().map_err(|error| {
                Status::invalid_argument(format!("{path:?} is no safe relative path: {error}"))
            })?;
            let opened = staging::open_below(rights.folder.path(), &path).await;
            Ok(Source::File(opened.map_err(|problem| status(&problem))?))
        }
        None => Err(Status::invalid_argument("there is nothing to sign")),
    }
}

async fn text(source: Source) -> Result<String, Status> {
    let bytes = match source {
        Source::Memory(bytes) => bytes,
        Source::File(file) => staging::blocking(move || {
            let mut bytes = Vec::new();
            file.take(MAX_TEXT + 1).read_to_end(&mut bytes).map_err(|error| {
                Problem::operation("storage.staged", format!("the staged text: {error}"))
            })?;
            Ok(bytes)
        })
        .await
        .map_err(|problem| status(&problem))?,
    };
    if bytes.len() as u64 > MAX_TEXT {
        return Err(Status::resource_exhausted(format!("a text has at most {MAX_TEXT} bytes")));
    }
    String::from_utf8(bytes)
        .map_err(|_error| Status::invalid_argument("the text is no UTF-8; sign it detached"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use wharf_store::model::{AttachmentId, RepositoryId};

    use super::*;
    use crate::staging::Folder;

    fn rights(signing_key: Option<&str>) -> Rights {
        Rights {
            process: 1,
            job: 1,
            repository: RepositoryId(1),
            version: 0,
            attachment: AttachmentId(1),
            only: None,
            settings: "{}".to_owned(),
            signing_key: signing_key.map(str::to_owned),
            secrets: std::collections::BTreeSet::new(),
            audit: Arc::default(),
            folder: Arc::new(Folder::new("/nowhere".into())),
            trust: Arc::default(),
            meter: Arc::default(),
            cancel: tokio_util::sync::CancellationToken::new(),
        }
    }

    #[test]
    fn f71_a_job_has_something_signed_with_its_own_key_only() {
        let own = rights(Some("main"));
        assert_eq!(allowed(&own, "").expect("its own"), "main");
        assert_eq!(allowed(&own, "main").expect("its own"), "main");
        for (rights, wanted) in [(&own, "other"), (&rights(None), ""), (&rights(None), "main")] {
            let refused = allowed(rights, wanted).expect_err("not its own");
            assert_eq!(refused.code(), tonic::Code::PermissionDenied);
        }
    }
}
