//! A project as a version of a repository holds it, gathered from its units.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr as _;

use pep440_rs::Version;
use wharf_sdk::{Error, Unit};

use crate::index::Status;
use crate::name::normalize;
use crate::unit::{
    ADDED, AddedAttributes, AddedKey, FILE, FileAttributes, FileKey, METADATA, PROJECT,
    ProjectAttributes, ProjectKey,
};

/// Digits of a file's digest in its address: enough that no two files ever share one.
const DIGITS: usize = 32;

/// A project with all its files.
#[derive(Debug, Default)]
pub(super) struct Project {
    pub(super) name: String,
    pub(super) status: Option<Status>,
    index: Option<String>,
    pub(super) files: Vec<File>,
    yanked: BTreeMap<String, String>,
    /// By the name of the file: wheel, digest and number of the unit.
    added: BTreeMap<String, (String, String, u64)>,
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
    /// The unit that has its metadata file.
    pub(super) metadata_unit: u64,
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
        ADDED => Ok(unit.read_attributes::<AddedAttributes>()?.name),
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
                (self.status, self.yanked, self.index) = (told.status, told.yanked, told.index);
            }
            FILE => self.files.push(file(unit)?),
            ADDED => {
                let key: AddedKey = unit.read_key()?;
                let told: AddedAttributes = unit.read_attributes()?;
                let own = unit.files().next().and_then(|file| file.hex("sha256"));
                if let Some(hex) = own.map(str::to_owned).or(key.sha256) {
                    self.added.insert(key.filename, (told.wheel, hex, unit.id()));
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// All units are there: the files are brought into order, by version and name.
    pub(super) fn complete(&mut self) {
        for file in &mut self.files {
            file.yanked = self.yanked.get(&file.filename).cloned();
            let added = self.added.get(&file.metadata_name());
            let added =
                added.filter(|(wheel, ..)| file.metadata.is_none() && *wheel == file.sha256);
            if let Some((_, hex, unit)) = added {
                (file.metadata, file.metadata_unit) = (Some(hex.clone()), *unit);
            }
        }
        let rank = |file: &File| {
            let version = Version::from_str(&file.version).ok();
            (version, file.version.clone(), file.filename.clone())
        };
        self.files.sort_by_cached_key(rank);
    }

    /// The page that it is a mirror of. A project that is the repository's own is none, and tells clients so by that: they
    /// may then refuse to take it for one of the same name elsewhere.
    pub(super) fn tracks(&self) -> Option<String> {
        self.index.as_ref().map(|index| format!("{index}{}/", self.name))
    }

    /// How the names of its files spell its own, where that is not the normalised form. People write it so in addresses.
    pub(super) fn spellings(&self) -> BTreeSet<&str> {
        let spelling = |file: &'_ File| -> Option<usize> {
            let before = file.filename.find(&format!("-{}", file.version))?;
            let text = file.filename.get(..before)?;
            let good = text != self.name && normalize(text).as_ref() == Some(&self.name);
            good.then_some(before)
        };
        self.files.iter().filter_map(|file| file.filename.get(..spelling(file)?)).collect()
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
        metadata_unit: unit.id(),
        unit: unit.id(),
        filename,
    })
}
