//! A project as a version of a repository holds it, gathered from its units.

use std::collections::BTreeMap;
use std::str::FromStr as _;

use pep440_rs::Version;
use wharf_sdk::{Error, Unit};

use crate::index::Status;
use crate::unit::{
    FILE, FileAttributes, FileKey, METADATA, PROJECT, ProjectAttributes, ProjectKey,
};

/// Digits of a file's digest in its address: enough that no two files ever share one.
const DIGITS: usize = 32;

/// A project with all its files.
#[derive(Debug, Default)]
pub(super) struct Project {
    pub(super) name: String,
    pub(super) status: Option<Status>,
    pub(super) files: Vec<File>,
    yanked: BTreeMap<String, String>,
}

/// A file of a project.
#[derive(Debug)]
pub(super) struct File {
    pub(super) filename: String,
    pub(super) sha256: String,
    pub(super) size: Option<u64>,
    pub(super) version: String,
    pub(super) requires_python: Option<String>,
    pub(super) upload_time: Option<String>,
    /// The reason may be empty.
    pub(super) yanked: Option<String>,
    /// The digest of its metadata file, if that is known.
    pub(super) metadata: Option<String>,
    /// The unit's number.
    pub(super) unit: u64,
}

impl File {
    /// Where it is published: a place that is its own for ever.
    pub(super) fn path(&self, project: &str) -> String {
        let digits = self.sha256.get(..DIGITS).unwrap_or(&self.sha256);
        format!("{}/{digits}/{}", folder(project), self.filename)
    }

    /// The name of its metadata file, in its unit and beside it.
    pub(super) fn metadata_name(&self) -> String {
        format!("{}{METADATA}", self.filename)
    }
}

/// Where the files of a project are published.
pub(super) fn folder(project: &str) -> String {
    format!("files/{project}")
}

/// Which project a unit belongs to.
pub(super) fn name_of(unit: &Unit) -> Result<String, Error> {
    match unit.kind() {
        PROJECT => Ok(unit.read_key::<ProjectKey>()?.name),
        _ => Ok(unit.read_attributes::<FileAttributes>()?.name),
    }
}

impl Project {
    pub(super) fn named(name: String) -> Self {
        Self { name, ..Self::default() }
    }

    /// Adds one of its units.
    pub(super) fn add(&mut self, unit: &Unit) -> Result<(), Error> {
        match unit.kind() {
            PROJECT => {
                let told: ProjectAttributes = unit.read_attributes()?;
                (self.status, self.yanked) = (told.status, told.yanked);
            }
            FILE => self.files.push(file(unit)?),
            _ => {}
        }
        Ok(())
    }

    /// All units are there: the files are brought into order, by version and name.
    pub(super) fn complete(&mut self) {
        for file in &mut self.files {
            file.yanked = self.yanked.get(&file.filename).cloned();
        }
        let rank = |file: &File| {
            let version = Version::from_str(&file.version).ok();
            (version, file.version.clone(), file.filename.clone())
        };
        self.files.sort_by_cached_key(rank);
    }

    /// The versions that it has files of, in order.
    pub(super) fn versions(&self) -> Vec<&str> {
        let mut versions: Vec<&str> = self.files.iter().map(|file| file.version.as_str()).collect();
        versions.dedup();
        versions
    }
}

fn file(unit: &Unit) -> Result<File, Error> {
    let FileKey { filename, sha256 } = unit.read_key()?;
    let attributes: FileAttributes = unit.read_attributes()?;
    let of_name = |name: &str| unit.files().find(|file| file.path() == name);
    let (bytes, metadata) = (of_name(&filename), of_name(&format!("{filename}{METADATA}")));
    let sha256 = sha256.or_else(|| Some(bytes?.hex("sha256")?.to_owned()));
    Ok(File {
        sha256: sha256.ok_or_else(|| {
            Error::fault("protocol.unit", format!("the unit of {filename} has no sha256"))
        })?,
        size: bytes.and_then(wharf_sdk::FileInfo::bytes),
        metadata: metadata.and_then(|file| file.hex("sha256")).map(str::to_owned),
        version: attributes.version,
        requires_python: attributes.requires_python,
        upload_time: attributes.upload_time,
        yanked: None,
        unit: unit.id(),
        filename,
    })
}
