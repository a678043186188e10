//! Component `folder`: the image's file is copied into a folder, complete or not at all, beside a file with its digest.
//!
//! The identifier is the file's address. Only files in the folder that the settings name are made and removed, and only
//! such as a push left: those that are what the digest beside them says. They are read for that, because size and time
//! of another file may be the same.

use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tokio::fs;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use url::Url;
use wharf_sdk::{
    Check, Checked, Component, Context, Distributor, Done, Error, Progress, PublishRequest,
    UnpublishRequest, async_trait,
};

use crate::image::{File, Image};
use crate::stream::{self, Meter, Part};
use crate::undo::or_undo;

/// The ending of the file with the digest.
const DIGEST: &str = ".sha256";
/// The ending of a file that is not complete.
const PART: &str = ".wharf-part";
/// So much of a file is read at once.
const CHUNK: usize = 1 << 20;

#[derive(Clone, Debug, Deserialize, Serialize)]
struct Place {
    path: PathBuf,
}

#[derive(Debug, Deserialize)]
struct Settings {
    path: PathBuf,
    name: Option<String>,
}

/// The component.
pub(crate) struct Shelf;

#[async_trait]
impl Component for Shelf {
    async fn check(&self, check: Check) -> Result<Checked, Error> {
        let place: Place = check.values()?;
        let checked = Checked::good();
        if !place.path.is_absolute() {
            return checked
                .error("/path", "config.path", "it must begin with /")
                .normalised(&place);
        }
        let checked = match fs::metadata(&place.path).await {
            Ok(there) if there.is_dir() => checked,
            Ok(_) => checked.error("/path", "config.path", "it is no folder"),
            Err(error) => {
                checked.error("/path", "config.path", format!("make the folder first: {error}"))
            }
        };
        checked.normalised(&place)
    }
}

#[async_trait]
impl Distributor for Shelf {
    async fn publish(&self, request: PublishRequest, context: &Context) -> Result<Done, Error> {
        let settings: Settings = request.attachment.settings()?;
        let image = Image::of(context).await?;
        let name = settings.name.unwrap_or_else(|| image.file_name());
        check_name(&name)?;
        let target = Target::new(&settings.path, &name);
        let there = target.look(context).await?;
        let is_there = !request.full && there.holds(&image.file);
        if !is_there {
            if !there.gives_way_to(&image.file) {
                let message = format!(
                    "{} is there already, and no push made it; name another one (--param name=...), or take it away",
                    target.file.display()
                );
                return Err(Error::usage("conflict.exists", message).at_field("/name"));
            }
            let work = target.write(context, &image.file);
            or_undo(context, work, async || target.clear().await).await?;
        }
        let identifier = target.identifier()?;
        if let Some(before) = request.previous.filter(|before| before.identifier != identifier) {
            Target::of(&settings.path, &before.identifier)?.retire(context).await?;
        }
        let done = if is_there { Done::unchanged() } else { Done::changed() };
        done.identifier(identifier).outputs(&json!({ "path": target.file }))
    }

    async fn unpublish(&self, request: UnpublishRequest, context: &Context) -> Result<Done, Error> {
        let settings: Settings = request.attachment.settings()?;
        Target::of(&settings.path, &request.publication.identifier)?.remove(context).await?;
        Ok(Done::changed())
    }
}

/// What becomes of one image.
struct Target {
    file: PathBuf,
    digest: PathBuf,
    part: PathBuf,
}

impl Target {
    fn new(folder: &Path, name: &str) -> Self {
        let beside = |ending: &str| folder.join(format!("{name}{ending}"));
        let part = folder.join(format!(".{name}{PART}"));
        Self { file: folder.join(name), digest: beside(DIGEST), part }
    }

    /// Reads an identifier of this folder.
    fn of(folder: &Path, identifier: &str) -> Result<Self, Error> {
        let path = Url::parse(identifier).ok().and_then(|url| url.to_file_path().ok());
        let name = path.as_ref().filter(|path| path.parent() == Some(folder));
        let name = name.and_then(|path| path.file_name()?.to_str());
        match name {
            Some(name) if check_name(name).is_ok() => Ok(Self::new(folder, name)),
            _ => {
                let message = format!(
                    "{identifier} is not in {}: was the setting path changed since it was pushed?",
                    folder.display()
                );
                Err(Error::usage("config.path", message).at_field("/path"))
            }
        }
    }

    fn identifier(&self) -> Result<String, Error> {
        let url = Url::from_file_path(&self.file);
        let url = url
            .map_err(|()| Error::usage("config.path", "it must begin with /").at_field("/path"))?;
        Ok(url.into())
    }

    /// What is here. A file with a digest beside it is read.
    async fn look(&self, context: &Context) -> Result<There, Error> {
        if !exists(&self.file).await? {
            return Ok(There::Nothing);
        }
        let told = match fs::read_to_string(&self.digest).await {
            Ok(told) => told,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(There::Strange),
            Err(error) => return Err(failed(&self.digest, &error)),
        };
        let digest = sha256(context, &self.file).await?;
        let is_told = told.split(' ').next() == Some(&digest);
        Ok(if is_told { There::Left(digest) } else { There::Swapped(digest) })
    }

    /// Writes beside, then renames: the digest last, so that whoever sees it finds the whole file.
    async fn write(&self, context: &Context, file: &File) -> Result<(), Error> {
        let meter = Meter::new(context, file);
        let whole = Part { offset: 0, size: file.size };
        let mut chunks = std::pin::pin!(stream::metered((context, &meter), file, whole));
        let mut part =
            fs::File::create(&self.part).await.map_err(|error| failed(&self.part, &error))?;
        while let Some(chunk) = chunks.try_next().await? {
            part.write_all(&chunk).await.map_err(|error| failed(&self.part, &error))?;
        }
        part.sync_all().await.map_err(|error| failed(&self.part, &error))?;
        rename(&self.part, &self.file).await?;
        let name = self.file.file_name().unwrap_or_default().to_string_lossy();
        let line = format!("{}  {name}\n", file.sha256);
        fs::write(&self.part, line).await.map_err(|error| failed(&self.part, &error))?;
        rename(&self.part, &self.digest).await
    }

    /// Takes back what was begun. A file without its digest is not complete.
    async fn clear(&self) -> Result<(), Error> {
        remove(&self.part).await?;
        if exists(&self.digest).await? { Ok(()) } else { remove(&self.file).await }
    }

    /// Takes all of it away, if it is what a push left.
    async fn remove(&self, context: &Context) -> Result<(), Error> {
        if self.look(context).await?.is_others() {
            let message = format!(
                "{} is not what the push left there, and stays: its SHA-256 is not the one in {}; move it elsewhere, then \
                 unpublish again",
                self.file.display(),
                self.digest.display()
            );
            return Err(Error::usage("conflict.changed", message));
        }
        self.delete().await
    }

    /// Takes away what another file has taken over from. What no push left stays.
    async fn retire(&self, context: &Context) -> Result<(), Error> {
        if self.look(context).await?.is_others() {
            let text = format!("{} is another file by now and stays", self.file.display());
            return context.warn("replaced", text, &self.file.display().to_string()).await;
        }
        self.delete().await
    }

    async fn delete(&self) -> Result<(), Error> {
        remove(&self.file).await?;
        remove(&self.digest).await
    }
}

/// What is found at a target.
enum There {
    Nothing,
    /// What a push left; its digest.
    Left(String),
    /// Something else than the digest beside it says; its own.
    Swapped(String),
    /// What no digest tells of.
    Strange,
}

impl There {
    /// Whether a push of this very file left it.
    fn holds(&self, file: &File) -> bool {
        matches!(self, Self::Left(digest) if *digest == file.sha256)
    }

    /// Whether a push of this file may write here.
    fn gives_way_to(&self, file: &File) -> bool {
        match self {
            // A push that broke off between the file and its digest.
            Self::Swapped(digest) => *digest == file.sha256,
            _ => !self.is_others(),
        }
    }

    /// Whether somebody else put it here.
    fn is_others(&self) -> bool {
        matches!(self, Self::Swapped(_) | Self::Strange)
    }
}

/// The digest of a file.
async fn sha256(context: &Context, path: &Path) -> Result<String, Error> {
    let error = |error: io::Error| failed(path, &error);
    let mut file = fs::File::open(path).await.map_err(error)?;
    let total = file.metadata().await.map_err(error)?.len();
    let mut sum = Sha256::new();
    let mut buffer = Vec::with_capacity(CHUNK);
    let mut done = 0;
    while file.read_buf(&mut buffer).await.map_err(error)? > 0 {
        if context.is_cancelled() {
            return Err(Error::cancelled());
        }
        sum.update(&buffer);
        done += buffer.len() as u64;
        buffer.clear();
        let progress = Progress::new(done, total.max(done)).unit("bytes").phase("comparing");
        context.progress(progress).await;
    }
    let digest = Bytes::copy_from_slice(&sum.finalize());
    Ok(format!("{digest:x}"))
}

/// A name of a file in the folder, and of no other place.
fn check_name(name: &str) -> Result<(), Error> {
    let plain = !name.starts_with('.') && !name.contains(|it: char| it == '/' || it.is_control());
    if plain && !name.is_empty() && name.len() <= 200 && !name.ends_with(DIGEST) {
        return Ok(());
    }
    let message = format!(
        "{name:?} is no name for the file of an image: it begins with no dot and has no slash"
    );
    Err(Error::usage("config.name", message).at_field("/name"))
}

async fn exists(path: &Path) -> Result<bool, Error> {
    fs::try_exists(path).await.map_err(|error| failed(path, &error))
}

async fn rename(from: &Path, to: &Path) -> Result<(), Error> {
    fs::rename(from, to).await.map_err(|error| failed(to, &error))
}

async fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path).await {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(path, &error)),
        _ => Ok(()),
    }
}

fn failed(path: &Path, error: &io::Error) -> Error {
    let message = format!("{}: {error}; look at the folder's rights and room", path.display());
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied => {
            Error::usage("config.path", message).at_field("/path")
        }
        _ => Error::operation("storage.write", message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_leads_into_its_own_folder_only() {
        let folder = Path::new("/srv/images");
        let target = Target::new(folder, "web 1.qcow2");
        let identifier = target.identifier().unwrap();
        assert_eq!(Target::of(folder, &identifier).unwrap().file, target.file);
        for wrong in [
            "file:///srv/images/../x",
            "file:///srv/other/a",
            "file:///srv/images/.web",
            "file:///srv/images/sub/a",
            "web",
        ] {
            assert!(Target::of(folder, wrong).is_err(), "{wrong}");
        }
    }
}
