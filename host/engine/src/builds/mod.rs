//! Builds: images made from a recipe. A template becomes a base image, a base image becomes the images of targets.
//!
//! The path: [`Engine::build`] reads the template (`recipe`), chooses a component for each stage (`select`, `choose`) and
//! stores one job a stage (`asked`); those of targets wait for the job of their base, unless the repository holds one that was made
//! the same way. A job (`run`) asks the hooks, has the base of a target's image made ready by the builder of its system,
//! with what hooks and the user add (`customise`, `additions`), and calls the component (`call`): it is handed the template
//! and copies of the base's files (`parent`), and makes one unit, whose key and lineage are the host's to write (`keep`).
//! Where a provider is to make the image itself, one job is all (`snapshot`).
//!
//! Never runs a tool, and knows nothing of what an image is made of: that is what plugins are for.

mod additions;
mod asked;
mod call;
mod choose;
mod customise;
mod keep;
mod order;
mod parent;
mod recipe;
mod run;
mod select;
mod snapshot;
mod targets;
mod ties;

use serde_json::{Map, Value};
use wharf_store::model::Repository;

use self::asked::Asked;
pub(crate) use self::order::subject;
pub(crate) use self::parent::BASE_MISSING;
pub(crate) use self::run::run;
pub(crate) use self::select::{pushes, takes};
pub(crate) use self::targets::words;
pub use self::targets::{ComponentTargets, TargetView};
use crate::callbacks::Callback;
use crate::engine::Engine;
use crate::jobs::view::JobView;
use crate::problem::Problem;

/// The operation's word in a job.
pub(crate) const OPERATION: &str = "build";
/// Types of the host's own.
const BASE_TYPE: &str = "image_base";
const TARGET_TYPE: &str = "image_target";
/// The most targets of one request.
const MAX_TARGETS: usize = 64;

/// What images are wanted.
#[derive(Debug, Clone, Default)]
pub struct BuildOptions {
    /// What they are made from.
    pub from: BuildFrom,
    /// What they are for; empty: the base image alone is wanted.
    pub targets: Vec<String>,
    /// Parameters of the components that build them: text as typed, or values.
    pub parameters: Map<String, Value>,
    /// What the images of targets get besides: an XML document of `include` elements; empty: nothing.
    pub additions: String,
    /// Components that are to build, whatever fits better: `PLUGIN.COMPONENT`, with `@INSTANCE` where there are several.
    pub builders: Vec<String>,
    /// Build the base image although there is one that was made the same way.
    pub rebuild: bool,
    /// Providers that the images are brought to: each to those that take it.
    pub push: Vec<String>,
    /// The provider that is to make the images itself, of the template: nothing is built here.
    pub snapshot: Option<String>,
    /// Who is told how the jobs go.
    pub callbacks: Vec<Callback>,
}

/// What images are made from.
#[derive(Debug, Clone)]
pub enum BuildFrom {
    /// A template: TDL, TOML or JSON.
    Template {
        /// The name of its file, which tells the form; empty: the text tells it.
        name: String,
        /// The text.
        text: String,
    },
    /// A base image, by the number of its unit.
    Base(i64),
}

impl Default for BuildFrom {
    fn default() -> Self {
        Self::Template { name: String::new(), text: String::new() }
    }
}

/// What became of a request.
#[derive(Debug, Clone)]
pub struct Building {
    /// The jobs: that of the base image, if it must be made, then those of the targets in the order asked, then pushes.
    pub jobs: Vec<JobView>,
    /// The base image that is used as it is.
    pub base: Option<i64>,
}

impl Engine {
    /// Asks for images. The repository is made when there is none.
    ///
    /// # Errors
    /// `usage.template` and `usage.additions` with all that is wrong, `not_found.builder`, `usage.settings`,
    /// `usage.targets`, `not_found.unit`, `not_found.provider`, `usage.provider`, `usage.snapshot`, `usage.callback`,
    /// `not_found.secret`.
    pub async fn build(
        &self,
        repository: &str,
        options: BuildOptions,
    ) -> Result<Building, Problem> {
        let asked = Asked::check(&self.inner, &options).await?;
        let repository = self.image_repository(repository).await?;
        asked.submit(&self.inner, &repository).await
    }

    async fn image_repository(&self, name: &str) -> Result<Repository, Problem> {
        match self.inner.repository(name).await {
            Err(problem) if problem.code == "not_found.repository" => {
                self.create_repository(name, Vec::new()).await?;
                self.inner.repository(name).await
            }
            found => found,
        }
    }
}
