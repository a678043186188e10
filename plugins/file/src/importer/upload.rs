//! A file that a user brings stands at the path that the user names, or at its own name.

use serde::{Deserialize, Serialize};
use wharf_sdk::{Context, Done, Error, File, Unit, UploadRequest};

use crate::FILE;
use crate::path::{self, shown};

/// What users may say of the key.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    #[serde(default)]
    relative_path: Option<String>,
}

#[derive(Serialize)]
struct Key<'a> {
    relative_path: &'a str,
    sha256: &'a str,
}

/// Declares every file.
pub(super) async fn upload(request: &UploadRequest, context: &Context) -> Result<Done, Error> {
    if !matches!(request.kind.as_str(), "" | FILE) {
        let message = format!("this importer makes units of type {FILE}, not {}", request.kind);
        return Err(Error::usage("usage.type", message).at_field("/type"));
    }
    let told: Told = request.key()?;
    if told.relative_path.is_some() && request.files.len() != 1 {
        let message =
            "one relative_path cannot be the path of several files; upload them one by one";
        return Err(Error::usage("usage.key", message).at_field("/key/relative_path"));
    }
    for file in &request.files {
        let info = file.info();
        let at = told.relative_path.as_deref().unwrap_or(info.path());
        path::check(at).map_err(|refusal| {
            let message = format!("{} cannot be the path of a file: {refusal}", shown(at));
            Error::usage("content.path", message).at_field("/key/relative_path")
        })?;
        let (Some(sha256), Some(staged)) = (info.hex("sha256"), info.staged_path()) else {
            let message = "the host brought a file without its digest and place";
            return Err(Error::fault("protocol.upload", message));
        };
        let mut stored = File::at(at).sha256(sha256).staged(staged);
        if let Some(size) = info.bytes() {
            stored = stored.size(size);
        }
        let key = Key { relative_path: at, sha256 };
        context.unit(Unit::new(FILE).key(&key)?.file(stored)).await?;
    }
    Ok(Done::changed().announced(u64::try_from(request.files.len()).unwrap_or(u64::MAX)))
}
