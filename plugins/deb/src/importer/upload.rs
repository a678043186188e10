//! A `.deb` that a user brings becomes a unit.

use std::io::BufReader;

use wharf_sdk::{Context, Done, Error, File, UploadRequest};

use super::settings::Settings;
use super::units::{self, Place};
use crate::control::Reader;
use crate::names;
use crate::package;
use crate::types::FLAT_COMPONENT;
use crate::version::without_epoch;

/// Reads every brought file and declares it for the first configured distribution and component.
pub(super) async fn upload(request: &UploadRequest, context: &Context) -> Result<Done, Error> {
    let settings = Settings::of(&request.attachment)?;
    let suites = settings.suites();
    let component = settings.components.first().map_or(FLAT_COMPONENT, String::as_str).to_owned();
    let distribution = suites.first().map_or("flat", |suite| &suite.distribution).to_owned();
    let place = Place { settings, distribution, component };
    for file in &request.files {
        declare(&place, file, context).await?;
    }
    Ok(Done::changed().announced(u64::try_from(request.files.len()).unwrap_or(u64::MAX)))
}

async fn declare(place: &Place, file: &File, context: &Context) -> Result<(), Error> {
    let info = file.info();
    let staged = info.staged_path().unwrap_or(info.path()).to_owned();
    let path = context.in_work_dir(&staged);
    let refuse = |error: &dyn std::error::Error| {
        let message = format!("{} is no Debian package: {error}", names::shown(info.path()));
        Error::usage("content.package", message)
    };
    let opened =
        std::fs::File::open(&path).map_err(|error| super::fetch::unreadable(&staged, &error))?;
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
        let message = format!(
            "{} names no usable package, version and architecture",
            names::shown(info.path())
        );
        return Err(Error::usage("content.field", message));
    }
    let sha256 = info.hex("sha256").ok_or_else(|| {
        Error::fault("protocol.upload", "the host brought a file without its sha256")
    })?;
    let name = format!("{package}_{}_{architecture}.deb", without_epoch(&version));
    let unit =
        units::binary_unit(place, &paragraph, &[&package, &version, &architecture, sha256], &name);
    let unit = unit.map_err(|(_name, error)| error)?;
    let mut stored = File::at(name).sha256(sha256).staged(staged);
    if let Some(size) = info.bytes() {
        stored = stored.size(size);
    }
    context.unit(unit.file(stored)).await
}
