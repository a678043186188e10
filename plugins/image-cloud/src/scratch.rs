//! A build's own folder below the job's, and handing over what was made in it. Whatever ends the build without an image
//! removes the folder.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use tempfile::TempDir;
use wharf_sdk::{Context, Done, File, Unit};

use crate::Error;
use crate::order::Order;

/// The type of what this plugin makes; it is the host's own.
const IMAGE: &str = "image_target";

/// The folder.
pub(crate) struct Scratch {
    folder: TempDir,
}

/// An image that is done.
pub(crate) struct Image {
    /// What its name ends in, without a point.
    pub(crate) extension: &'static str,
    /// Its media type.
    pub(crate) media_type: &'static str,
    /// What a client needs to know, as a JSON object.
    pub(crate) attributes: Value,
}

impl Scratch {
    /// A new folder.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub(crate) fn new(context: &Context) -> Result<Self, Error> {
        let folder = tempfile::Builder::new().prefix("image-").tempdir_in(context.work_dir());
        Ok(Self { folder: folder.map_err(Error::io("making a folder"))? })
    }

    /// A file in it.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Where the image is to be.
    pub(crate) fn image(&self, order: &Order, extension: &str) -> PathBuf {
        self.file(&format!("{}.{extension}", order.name))
    }

    /// Declares the image to the host, which takes the file.
    ///
    /// # Errors
    /// [`wharf_sdk::Error::cancelled`], and a fault when there is no file.
    pub(crate) async fn hand_over(
        self,
        context: &Context,
        order: &Order,
        image: Image,
    ) -> Result<Done, Error> {
        let Image { extension, media_type, attributes } = image;
        let path = self.image(order, extension);
        let lost = || Error::Fault(format!("{} is not where it was made", path.display()));
        let staged = path.strip_prefix(context.work_dir()).ok().and_then(Path::to_str);
        let size =
            path.symlink_metadata().ok().filter(std::fs::Metadata::is_file).map(|it| it.len());
        let (staged, size) = staged.zip(size).ok_or_else(lost)?;
        let name = format!("{}.{extension}", order.name);
        let file = File::at(name).media_type(media_type).size(size).staged(staged);
        let attributes = attributes.as_object().cloned().unwrap_or_else(Map::new);
        let unit = Unit::new(IMAGE).key_json("{}").attributes(&attributes)?.file(file);
        context.unit(unit).await?;
        context.flush().await?;
        // From here on the folder is the host's, which removes it with the job's.
        drop(self.folder.keep());
        Ok(Done::changed())
    }
}
