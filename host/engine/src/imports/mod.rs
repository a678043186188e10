//! Images that exist already: a file that a user brought becomes a base image or a target image.
//!
//! The path: the bytes come as an upload of the type wanted → [`Engine::import_image`] stores a job → the job (`run`)
//! looks what the file is (`format`), and makes one unit of it, whose lineage says that it was imported. A base image
//! gets a template too, so that builds can begin with it.
//!
//! Never opens an image with a tool, and changes nothing in it.

pub(crate) mod format;
mod run;

use serde::{Deserialize, Serialize};
use wharf_store::model::UploadId;
use wharf_template::Os;

pub(crate) use self::run::run;
use crate::engine::Engine;
use crate::jobs::view::JobView;
use crate::problem::Problem;
use crate::upload;

/// The operation's word in a job.
pub(crate) const OPERATION: &str = "import_image";
/// Types of units that a file can become without a plugin.
const TYPES: [&str; 2] = ["image_base", "image_target"];

/// Whether uploads of this type are taken by the host itself.
pub(crate) fn takes(kind: &str) -> bool {
    TYPES.contains(&kind)
}

/// What a file is to become.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ImportImage {
    /// The upload with its bytes.
    pub upload: i64,
    /// What the image is called; empty: as its file, without the ending.
    pub name: String,
    /// Of what it is the image.
    pub of: ImportOf,
    /// The architecture.
    pub architecture: String,
}

/// Of what an image is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportOf {
    /// A system: name and version. A base image.
    System {
        /// Of the system.
        name: String,
        /// Of the system.
        version: String,
    },
    /// What this target takes. A target image.
    Target(String),
}

impl Default for ImportOf {
    fn default() -> Self {
        Self::Target(String::new())
    }
}

impl Engine {
    /// Asks for the job that makes an image of an upload.
    ///
    /// # Errors
    /// `not_found.upload`, `usage.files` when it is another repository's, `conflict.unfinished` when bytes are missing,
    /// `usage.image` for words that are none, an architecture that no template has, a target that nobody knows.
    pub async fn import_image(
        &self,
        repository: &str,
        wanted: ImportImage,
    ) -> Result<JobView, Problem> {
        let engine = &self.inner;
        let repository = engine.repository(repository).await?;
        upload::complete(engine, &repository, UploadId(wanted.upload)).await?;
        let words = match &wanted.of {
            ImportOf::System { name, version } => vec![name, version, &wanted.architecture],
            ImportOf::Target(target) => vec![target, &wanted.architecture],
        };
        let is_word = |word: &String| {
            !word.is_empty() && word.len() <= 64 && !word.contains(char::is_control)
        };
        if let Some(bad) = words.into_iter().find(|word| !is_word(word)) {
            let message = format!("{bad:?} is no name of a system, a target or an architecture");
            return Err(Problem::usage("usage.image", message));
        }
        check_architecture(&wanted.architecture)?;
        if let ImportOf::Target(target) = &wanted.of {
            engine.check_target(target)?;
        }
        let arguments = serde_json::to_string(&wanted)?;
        engine.submit_on(OPERATION, Some(repository.id), arguments).await
    }
}

fn check_architecture(name: &str) -> Result<(), Problem> {
    if Os::ARCHITECTURES.contains(&name) {
        return Ok(());
    }
    let message = format!("{name:?} is no architecture that templates know");
    let known = Os::ARCHITECTURES.join(", ");
    Err(Problem::usage("usage.image", message).help(format!("known are {known}")))
}
