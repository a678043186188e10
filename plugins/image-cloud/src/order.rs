//! What a build was asked for: the image's name, the files of the base image, what is common to all parameters.
//!
//! Paths of the base image's files come from the host and are checked all the same: a file below the job's folder, and no
//! link. A file that the target needs and the base image lacks is told by name.

use std::fs::File;
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use wharf_sdk::{BuildRequest, Context, Stage, Unit};

use crate::disk::header::{self, HEADER_BYTES, Header};
use crate::{Error, tree};

/// The form of the recipe that the host hands out.
const TEMPLATE: &str = "application/vnd.wharf.template+json";
/// Letters of a file's name before its ending.
const NAME_CHARS: usize = 64;
const TIMEOUT_SECONDS: u64 = 3600;

/// What every builder of this plugin is asked for.
pub(crate) struct Order {
    /// The image's name, made safe for files: ASCII letters, digits, `.`, `_`, `-`.
    pub(crate) name: String,
    /// What the recipe says of the image.
    pub(crate) description: String,
    /// The operating system's name.
    pub(crate) os: String,
    /// The architecture, as the kernel calls it.
    pub(crate) architecture: String,
    /// Whether the base image's disk starts by UEFI.
    pub(crate) uefi: bool,
    /// Time that each tool, and each work on a thread, may take.
    pub(crate) limit: Duration,
    common: Common,
    attributes: Attributes,
    parent: Option<Unit>,
    work_dir: PathBuf,
}

/// The parameters that all components share.
#[derive(Deserialize)]
struct Common {
    #[serde(default)]
    timeout: Option<u64>,
    #[serde(default)]
    timestamp: Option<u64>,
    #[serde(default)]
    max_size_gib: Option<u64>,
}

/// What is used of the recipe.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Template {
    name: String,
    description: String,
    os: Os,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Os {
    name: String,
    arch: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Attributes {
    boot: String,
    subformat: String,
    virtual_size: u64,
}

impl Order {
    /// Reads a request.
    ///
    /// # Errors
    /// [`Error::Wish`] for a stage or a recipe that is not this plugin's, and what parameters fail with.
    pub(crate) fn read(request: &BuildRequest, context: &Context) -> Result<Self, Error> {
        if request.stage != Stage::Target {
            let wrong = "this builder makes images for targets only, out of a base image";
            return Err(Error::Wish(wrong.to_owned()));
        }
        let template = template(request)?;
        let common: Common = request.parameters()?;
        let attributes: Attributes = match &request.parent {
            Some(parent) => parent.read_attributes()?,
            None => Attributes::default(),
        };
        let architecture = match request.target.architecture.as_str() {
            "" => template.os.arch,
            asked => asked.to_owned(),
        };
        Ok(Self {
            name: safe(&template.name),
            description: template.description,
            os: template.os.name,
            architecture,
            uefi: attributes.boot == "uefi",
            attributes,
            limit: Duration::from_secs(common.timeout.unwrap_or(TIMEOUT_SECONDS)),
            common,
            parent: request.parent.clone(),
            work_dir: context.work_dir().to_owned(),
        })
    }

    /// The time to write into images, in seconds since 1970, if one was asked for.
    pub(crate) fn timestamp(&self, epoch: Option<u64>) -> Option<u64> {
        self.common.timestamp.or(epoch)
    }

    /// The most bytes that the image may hold; `default` is in GiB.
    pub(crate) fn most(&self, default: u64) -> u64 {
        self.common.max_size_gib.unwrap_or(default).saturating_mul(1 << 30)
    }

    /// The base image's disk, looked at.
    ///
    /// # Errors
    /// [`Error::Missing`], and what [`Header::read`] refuses; [`Error::Limit`] for one that is too large.
    pub(crate) fn disk(&self, target: &'static str) -> Result<(PathBuf, Header), Error> {
        const DISK_GIB: u64 = 2040;
        let path = self.file(header::FILE, target)?;
        let (first, bytes) = first_bytes(&path)?;
        let header = Header::read(&first, bytes)?;
        let most = self.most(DISK_GIB);
        if header.virtual_size > most {
            return Err(Error::Limit {
                what: format!("{}: the disk's size, {} bytes,", header::FILE, header.virtual_size),
                limit: format!("{most} bytes"),
                next: "allow more with max_size_gib, if the disk is to be that large",
            });
        }
        Ok((path, header))
    }

    /// The disk of a `vsphere` image that came as the parent, with the disk's size as its guest sees it.
    ///
    /// # Errors
    /// [`Error::Missing`] when its file is not where the host says.
    pub(crate) fn streaming_vmdk(&self) -> Result<Option<(PathBuf, u64)>, Error> {
        let size = self.attributes.virtual_size;
        if self.attributes.subformat != "streamOptimized" || size == 0 {
            return Ok(None);
        }
        let is_vmdk = |name: &str| Path::new(name).extension().is_some_and(|it| it == "vmdk");
        Ok(Some((self.find("*.vmdk", "ova", is_vmdk)?, size)))
    }

    /// The base image's root file system.
    ///
    /// # Errors
    /// [`Error::Missing`].
    pub(crate) fn tree(&self, target: &'static str) -> Result<PathBuf, Error> {
        self.file(tree::FILE, target)
    }

    fn file(&self, name: &'static str, target: &'static str) -> Result<PathBuf, Error> {
        self.find(name, target, |path| path == name)
    }

    fn find(
        &self,
        name: &'static str,
        target: &'static str,
        is_it: impl Fn(&str) -> bool,
    ) -> Result<PathBuf, Error> {
        let missing = || Error::Missing { name, target };
        let mut files = self.parent.iter().flat_map(Unit::files);
        let file = files.find(|file| is_it(file.path())).ok_or_else(missing)?;
        let staged = Path::new(file.staged_path().ok_or_else(missing)?);
        let below = staged.components().all(|part| matches!(part, Component::Normal(_)));
        let path = self.work_dir.join(staged);
        let is_file = below && path.symlink_metadata().is_ok_and(|facts| facts.is_file());
        is_file.then_some(path).ok_or_else(missing)
    }
}

fn template(request: &BuildRequest) -> Result<Template, Error> {
    if request.template.is_empty() {
        return Ok(Template::default());
    }
    if request.template_type != TEMPLATE {
        let kind = &request.template_type;
        return Err(Error::Wish(format!("the recipe is of type {kind:?}, not {TEMPLATE}")));
    }
    let wrong = |error| Error::Wish(format!("the recipe cannot be read: {error}"));
    serde_json::from_slice(&request.template).map_err(wrong)
}

/// A file's first bytes, and how many it has.
fn first_bytes(path: &Path) -> Result<(Vec<u8>, u64), Error> {
    let mut first = Vec::with_capacity(HEADER_BYTES);
    let most = u64::try_from(HEADER_BYTES).unwrap_or(u64::MAX);
    let mut read = || {
        let file = File::open(path)?;
        let bytes = file.metadata()?.len();
        file.take(most).read_to_end(&mut first)?;
        Ok(bytes)
    };
    let bytes = read().map_err(Error::io(format!("reading {}", header::FILE)))?;
    Ok((first, bytes))
}

/// A name as files may have it everywhere.
fn safe(name: &str) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' };
    let name: String = name.chars().map(letter).take(NAME_CHARS).collect();
    let name = name.trim_matches(['.', '-']);
    if name.is_empty() { "image".to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_safe_for_files_everywhere() {
        let names = [
            ("web server", "web-server"),
            ("../../etc/passwd", "etc-passwd"),
            ("--help", "help"),
            ("Größe", "Gr--e"),
            ("", "image"),
            ("...", "image"),
        ];
        for (name, wanted) in names {
            assert_eq!(safe(name), wanted, "{name}");
        }
        assert_eq!(safe(&"x".repeat(300)).len(), NAME_CHARS);
    }
}
