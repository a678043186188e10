//! What a user brings becomes units: a `.deb` each one, a `.dsc` one with the files that it lists.

use std::io::BufReader;

use serde::Deserialize;
use wharf_sdk::{Context, Done, Error, File, UploadRequest};

use super::settings::Settings;
use super::source_upload;
use super::units::{self, Place};
use crate::control::Reader;
use crate::names;
use crate::package;
use crate::types::{DEB, FLAT_COMPONENT, SOURCE};
use crate::version::without_epoch;

/// The distribution of packages when neither the user nor the settings name one.
const DISTRIBUTION: &str = "stable";

/// Where the user wants them.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    #[serde(default)]
    distribution: Option<String>,
    #[serde(default)]
    component: Option<String>,
}

/// Reads every brought file and declares it for the distribution and component that the user names, or else for the
/// first that the settings do.
pub(super) async fn upload(request: &UploadRequest, context: &Context) -> Result<Done, Error> {
    if !matches!(request.kind.as_str(), "" | DEB | SOURCE) {
        let message =
            format!("uploads become units of type {DEB} or {SOURCE}, not {}", request.kind);
        return Err(Error::usage("usage.type", message).at_field("/type"));
    }
    let place = place(request)?;
    let brought: Vec<Brought<'_>> =
        request.files.iter().map(Brought::of).collect::<Result<_, _>>()?;
    let (sources, rest) = source_upload::declare(&place, &brought, &request.kind, context).await?;
    let count = sources + rest.len();
    for file in rest {
        declare(&place, file, context).await?;
    }
    Ok(Done::changed().announced(u64::try_from(count).unwrap_or(u64::MAX)))
}

/// A file that a user brought, as the host says that it is.
pub(super) struct Brought<'a> {
    /// As the user calls it, without folders.
    pub(super) name: &'a str,
    /// As the user calls it.
    path: &'a str,
    /// Below the job's folder.
    pub(super) staged: &'a str,
    pub(super) sha256: &'a str,
    pub(super) size: Option<u64>,
}

impl<'a> Brought<'a> {
    fn of(file: &'a File) -> Result<Self, Error> {
        let info = file.info();
        let path = info.path();
        let sha256 = info.hex("sha256").ok_or_else(|| {
            Error::fault("protocol.upload", "the host brought a file without its sha256")
        })?;
        Ok(Self {
            name: path.rsplit('/').next().unwrap_or(path),
            path,
            staged: info.staged_path().unwrap_or(path),
            sha256,
            size: info.bytes(),
        })
    }
}

fn place(request: &UploadRequest) -> Result<Place, Error> {
    let settings = Settings::of(&request.attachment)?;
    let wish: Wish = request.attributes()?;
    for (field, word) in [("distribution", &wish.distribution), ("component", &wish.component)] {
        if word.as_ref().is_some_and(|word| !names::is_area(word)) {
            let message = format!("the {field} has characters that none has");
            return Err(Error::usage("usage.attributes", message).at_field(field));
        }
    }
    let suites = settings.suites();
    let first = || suites.first().map_or(DISTRIBUTION, |suite| &suite.distribution).to_owned();
    let distribution = wish.distribution.unwrap_or_else(first);
    let first = || settings.components.first().map_or(FLAT_COMPONENT, String::as_str).to_owned();
    let component = wish.component.unwrap_or_else(first);
    Ok(Place { settings, distribution, component })
}

/// A name as tools make them, `NAME_VERSION_ARCHITECTURE.deb`, must not contradict what is inside (F118). Other names
/// claim nothing.
fn check_claim(
    filename: &str,
    package: &str,
    version: &str,
    architecture: &str,
) -> Result<(), Error> {
    let stem = filename.rsplit('/').next().unwrap_or(filename).strip_suffix(".deb");
    let parts: Vec<&str> = stem.unwrap_or_default().split('_').collect();
    let [name, claimed, of] = parts[..] else { return Ok(()) };
    // The epoch stands in no file name, unless as `%3a`.
    let claimed = claimed.rsplit("%3a").next().unwrap_or(claimed);
    if (name, claimed, of) == (package, without_epoch(version), architecture) {
        return Ok(());
    }
    let message = format!(
        "{} is called so, but holds {package} {version} for {architecture}; give the file the name of what it holds",
        names::shown(filename)
    );
    Err(Error::usage("content.name", message).for_item(filename))
}

async fn declare(place: &Place, file: &Brought<'_>, context: &Context) -> Result<(), Error> {
    let Brought { path: called, staged, sha256, size, .. } = *file;
    let path = context.in_work_dir(staged);
    let refuse = |error: &dyn std::error::Error| {
        let message = format!("{} is no Debian package: {error}", names::shown(called));
        Error::usage("content.package", message)
    };
    let opened =
        std::fs::File::open(&path).map_err(|error| super::fetch::unreadable(staged, &error))?;
    let control = package::read(BufReader::new(opened)).map_err(|error| refuse(&error))?;
    let mut reader = Reader::new(control.as_slice(), Reader::<&[u8]>::INDEX);
    let paragraph = reader.read_next().map_err(|error| refuse(&error))?;
    let paragraph =
        paragraph.ok_or_else(|| Error::usage("content.package", "its control is empty"))?;
    let word = |name| paragraph.text(name).unwrap_or_default().into_owned();
    let (package, version, architecture) = (word("Package"), word("Version"), word("Architecture"));
    if !names::is_package(&package)
        || !names::is_version(&version)
        || !names::is_architecture(&architecture)
    {
        let message =
            format!("{} names no usable package, version and architecture", names::shown(called));
        return Err(Error::usage("content.field", message));
    }
    check_claim(called, &package, &version, &architecture)?;
    let name = format!("{package}_{}_{architecture}.deb", without_epoch(&version));
    let unit =
        units::binary_unit(place, &paragraph, &[&package, &version, &architecture, sha256], &name);
    let unit = unit.map_err(|(_name, error)| error)?;
    let mut stored = File::at(name).sha256(sha256).staged(staged);
    if let Some(size) = size {
        stored = stored.size(size);
    }
    context.unit(unit.file(stored)).await
}
