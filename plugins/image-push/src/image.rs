//! The image that a call is about: the one unit that the host answers, and its main file.

use serde::Deserialize;
use wharf_sdk::{Context, Error, Query};

/// An image.
#[derive(Clone, Debug)]
pub(crate) struct Image {
    /// The template's name.
    pub(crate) name: String,
    pub(crate) architecture: String,
    /// The job that made it: tells images of one name apart.
    pub(crate) build: u64,
    /// The format of its file, as the builder says it; empty: not known.
    pub(crate) format: String,
    pub(crate) file: File,
}

/// A file in the host's store.
#[derive(Clone, Debug)]
pub(crate) struct File {
    /// Its name.
    pub(crate) name: String,
    pub(crate) size: u64,
    /// Hex digits.
    pub(crate) sha256: String,
    pub(crate) media_type: String,
}

#[derive(Deserialize)]
struct Key {
    name: String,
    #[serde(default)]
    architecture: String,
    build: u64,
}

#[derive(Deserialize)]
struct Attributes {
    #[serde(default)]
    format: String,
}

impl Image {
    /// Asks the host for it.
    pub(crate) async fn of(context: &Context) -> Result<Self, Error> {
        let mut pages = context.units(Query::all()).await?;
        let units = pages.next().await?.unwrap_or_default();
        let [unit] = units.as_slice() else {
            let message = format!("the host hands out {} units, not the one image", units.len());
            return Err(Error::fault("internal.host", message));
        };
        let Key { name, architecture, build } = unit.read_key()?;
        let Attributes { format } = unit.read_attributes()?;
        let mut files = unit.files();
        let (Some(file), None) = (files.next(), files.next()) else {
            let message = format!(
                "the image has {} files; an image that is pushed is one file",
                unit.files().len()
            );
            return Err(Error::usage("usage.image", message));
        };
        let missing = || Error::fault("internal.host", "the host does not tell size and sha256");
        let file = File {
            name: file.path().rsplit('/').next().unwrap_or_default().to_owned(),
            size: file.bytes().ok_or_else(missing)?,
            sha256: file.hex("sha256").ok_or_else(missing)?.to_owned(),
            media_type: file.media_type().unwrap_or("application/octet-stream").to_owned(),
        };
        Ok(Self { name, architecture, build, format, file })
    }

    /// A file name that no other image has: `web-12.qcow2`. The same each time, so that what a push left that broke off
    /// is found again.
    pub(crate) fn file_name(&self) -> String {
        let name = &self.file.name;
        let (stem, ending) = match name.find('.') {
            Some(dot) if dot > 0 => name.split_at(dot),
            _ => (name.as_str(), ""),
        };
        format!("{stem}-{}{ending}", self.build)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_after_the_build_and_keeps_its_whole_ending() {
        let named = |name: &str| {
            let file = File {
                name: name.to_owned(),
                size: 0,
                sha256: String::new(),
                media_type: String::new(),
            };
            let [image, architecture, format] = [String::new(), String::new(), String::new()];
            Image { name: image, architecture, build: 7, format, file }.file_name()
        };
        assert_eq!(named("web.oci.tar"), "web-7.oci.tar");
        assert_eq!(named("web"), "web-7");
        assert_eq!(named(".web"), ".web-7");
    }
}
