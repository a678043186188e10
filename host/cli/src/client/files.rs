//! A file of a unit, written to this machine: streamed beside its place, held against its digest, then named.

use std::fs::Permissions;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use http_body_util::BodyExt as _;
use sha2::{Digest as _, Sha256};

use super::{Client, encode, hex, read, refusal};
use crate::api::UnitFile;
use crate::error::Error;

impl Client {
    /// Writes a file of a unit to `to`, which must not exist; how many bytes it has. `told` hears how many came so far.
    pub(crate) async fn save(
        &self,
        unit: i64,
        file: &UnitFile,
        to: &Path,
        told: impl Fn(u64),
    ) -> Result<u64, Error> {
        let path = format!("/api/v1/units/{unit}/files/{}", encode(&file.path));
        let request = format!("GET {path}");
        let broken = |reason: String| Error::Broken { request: request.clone(), reason };
        let unwritable = |source| Error::File { action: "write", path: to.to_owned(), source };
        let mut connection = self.connect().await?;
        let response = connection.get(&path).await.map_err(|error| broken(error.to_string()))?;
        if !response.status().is_success() {
            let (status, bytes) = read(Ok(response)).await.map_err(broken)?;
            return Err(refusal(status, &bytes, &request).into());
        }
        let folder = to.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // The user's own umask decides who may read it.
        let beside =
            tempfile::Builder::new().permissions(Permissions::from_mode(0o666)).tempfile_in(folder);
        let mut beside = beside.map_err(unwritable)?;
        let (mut hasher, mut size) = (Sha256::new(), 0);
        let mut body = response.into_body();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| broken(error.to_string()))?;
            let Ok(data) = frame.into_data() else { continue };
            beside.write_all(&data).map_err(unwritable)?;
            hasher.update(&data);
            size += data.len() as u64;
            told(size);
        }
        let found = hex(hasher.finalize().into());
        if file.sha256.as_ref().is_some_and(|announced| *announced != found) {
            return Err(broken(format!("the sha256 of what came is {found}")));
        }
        beside.as_file().sync_all().map_err(unwritable)?;
        beside.persist_noclobber(to).map_err(|error| unwritable(error.error))?;
        Ok(size)
    }
}
