//! Wheels and source distributions that users bring, by `wharf upload` or from twine and uv.
//!
//! A file is opened as far as its metadata, which must agree with the file's name (F118). Of a wheel the metadata is
//! stored beside it, so that clients resolve without touching the wheel. A name that the repository has with other
//! bytes is refused: whoever pinned the old ones would get a broken install. Once the file was taken out of the
//! repository its name is free again. That takes the right to change the repository and not only a token, and whoever
//! does it wants just that: a file that should never have been there, in its right form.

use std::collections::BTreeSet;
use std::fs::{self, File};

use serde::Deserialize;
use serde_json::{Map, Value};
use wharf_sdk::{Context, Done, Error, FileInfo, Query, Unit, UploadRequest};

use super::declare::media_type;
use super::form;
use crate::filename::{self, Distribution, Kind};
use crate::name::normalize;
use crate::package::{self, Metadata, PackageError};
use crate::unit::{FILE, FileAttributes, FileKey, METADATA, PROJECT, ProjectAttributes, sha256};

/// What the user said.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    /// The fields of a form, as twine and uv send it.
    #[serde(default)]
    form: Option<Map<String, Value>>,
}

/// A file that was looked at.
struct Opened {
    filename: String,
    sha256: String,
    project: String,
    distribution: Distribution,
    metadata: Metadata,
}

/// Declares every file, and the projects that the repository does not have yet.
pub(super) async fn upload(request: &UploadRequest, context: &Context) -> Result<Done, Error> {
    if !matches!(request.kind.as_str(), "" | FILE) {
        let message = format!("uploads become units of type {FILE}, not {}", request.kind);
        return Err(Error::usage("usage.type", message).at_field("/type"));
    }
    let told: Told = request.attributes()?;
    let mut projects = BTreeSet::new();
    let mut declared = 0;
    for (number, file) in request.files.iter().enumerate() {
        let info = file.info();
        let opened = open(info, context).await?;
        if let Some(form) = &told.form {
            form::check(form, &opened.claim(), context.in_work_dir(staged(info)?)).await?;
        }
        refuse_other_bytes(&opened, context).await?;
        context.unit(unit(&opened, info, number, context)?).await?;
        declared += 1;
        if projects.insert(opened.project.clone()) && !is_known(&opened.project, context).await? {
            context.unit(ProjectAttributes::default().unit(&opened.project)?).await?;
            declared += 1;
        }
    }
    Ok(Done::changed().announced(declared))
}

impl Opened {
    fn claim(&self) -> form::Claim<'_> {
        form::Claim {
            filename: &self.filename,
            project: &self.project,
            version: &self.distribution.version,
            kind: self.distribution.kind,
            sha256: &self.sha256,
        }
    }
}

fn staged(info: FileInfo<'_>) -> Result<&str, Error> {
    info.staged_path().ok_or_else(|| {
        Error::fault("protocol.upload", "the host brought a file without saying where it is")
    })
}

/// Reads a file's metadata and holds it against its name.
async fn open(info: FileInfo<'_>, context: &Context) -> Result<Opened, Error> {
    let filename = info.path().rsplit('/').next().unwrap_or_default().to_owned();
    let sha256 = info.hex("sha256").ok_or_else(|| {
        Error::fault("protocol.upload", "the host brought a file without its sha256")
    })?;
    let kind = kind(&filename)?;
    let (path, name) = (context.in_work_dir(staged(info)?), filename.clone());
    let reading = tokio::task::spawn_blocking(move || {
        let file = File::open(path).map_err(PackageError::from)?;
        package::read(file, &name, kind)
    });
    let metadata =
        reading.await.unwrap_or_else(|lost| Err(PackageError::Read(std::io::Error::other(lost))));
    let metadata = metadata.map_err(|error| {
        let message = format!("{filename} is no Python distribution: {error}");
        Error::usage("content.package", message).for_item(&filename)
    })?;
    let (project, distribution) = identity(&filename, &metadata)?;
    Ok(Opened { sha256: sha256.to_owned(), filename, project, distribution, metadata })
}

fn kind(filename: &str) -> Result<Kind, Error> {
    if filename.strip_suffix(".whl").is_some() {
        return Ok(Kind::Wheel);
    }
    if [".tar.gz", ".zip"].iter().any(|end| filename.strip_suffix(end).is_some()) {
        return Ok(Kind::Sdist);
    }
    let message =
        format!("{filename:?} is no wheel, .tar.gz or .zip; nothing else can be uploaded");
    Err(Error::usage("content.filename", message).for_item(filename))
}

/// F118: name and version inside must be those of the file's name.
fn identity(filename: &str, metadata: &Metadata) -> Result<(String, Distribution), Error> {
    let (name, version) = (&metadata.read.name, &metadata.read.version);
    let refused = |why: String| {
        let message = format!("{filename}: {why}");
        Err(Error::usage("content.name", message).for_item(filename))
    };
    let Some(project) = normalize(name) else {
        return refused(format!("its metadata names the project {name:?}, which is no name"));
    };
    let distribution = match filename::read(filename, &project) {
        Ok(distribution) => distribution,
        Err(error) => {
            return refused(format!("its metadata says that it is {name} {version}, but {error}"));
        }
    };
    if filename::normal(version) != distribution.version {
        return refused(format!(
            "its metadata says that it is version {version}, its name says {}",
            distribution.version
        ));
    }
    Ok((project, distribution))
}

/// A name means the same bytes for as long as the repository's newest version has it.
async fn refuse_other_bytes(opened: &Opened, context: &Context) -> Result<(), Error> {
    let query = Query::all().of_type(FILE).field("filename", &opened.filename)?.without_files();
    let mut pages = context.units(query).await?;
    while let Some(units) = pages.next().await? {
        for unit in units {
            let key: FileKey = unit.read_key()?;
            if key.sha256.is_some_and(|sha256| sha256 != opened.sha256) {
                let message = format!(
                    "{} exists already, with other bytes, and whoever pinned those would get a broken install: give it \
                     another version or build number, or take that file out first",
                    opened.filename
                );
                return Err(Error::usage("conflict.file", message).for_item(&opened.filename));
            }
        }
    }
    Ok(())
}

async fn is_known(project: &str, context: &Context) -> Result<bool, Error> {
    let query = Query::all().of_type(PROJECT).field("name", project)?.without_files();
    Ok(context.units(query).await?.next().await?.is_some())
}

fn unit(
    opened: &Opened,
    info: FileInfo<'_>,
    number: usize,
    context: &Context,
) -> Result<Unit, Error> {
    let Opened { filename, distribution, metadata, .. } = opened;
    let key = FileKey { filename: filename.clone(), sha256: Some(opened.sha256.clone()) };
    let attributes = FileAttributes {
        name: opened.project.clone(),
        version: distribution.version.clone(),
        package_type: distribution.kind,
        requires_python: metadata.read.requires_python.clone(),
        upload_time: Some(now()),
    };
    let mut bytes = wharf_sdk::File::at(filename.as_str())
        .sha256(&opened.sha256)
        .staged(staged(info)?)
        .media_type(media_type(distribution.kind));
    if let Some(size) = info.bytes() {
        bytes = bytes.size(size);
    }
    let unit = Unit::new(FILE).key(&key)?.attributes(&attributes)?.file(bytes);
    if distribution.kind != Kind::Wheel {
        return Ok(unit);
    }
    let place = format!("metadata-{number}");
    fs::write(context.in_work_dir(&place), &metadata.bytes).map_err(|error| {
        let message = format!("the metadata of {filename} cannot be written");
        Error::operation("storage.staged", message).caused_by(&error).retryable()
    })?;
    let beside = wharf_sdk::File::at(format!("{filename}{METADATA}"))
        .sha256(&sha256(&metadata.bytes))
        .size(metadata.bytes.len() as u64)
        .staged(place)
        .media_type("text/plain; charset=utf-8");
    Ok(unit.file(beside))
}

/// As pages write it. Source: PEP 700.
fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}
