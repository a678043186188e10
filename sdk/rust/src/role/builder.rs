//! Making content from a recipe.

use serde::de::DeserializeOwned;
use tonic::async_trait;
use wharf_proto::v1;

use super::Component;
use crate::model::{Contribution, Instance, Unit, from_object};
use crate::{Context, Done, Error, Stage};

/// Makes content from a recipe.
#[async_trait]
pub trait Builder: Component {
    /// Makes one unit of one stage: [`Context::unit`] with a staged file.
    async fn build(&self, request: BuildRequest, context: &Context) -> Result<Done, Error> {
        let _ = (request, context);
        Err(Error::not_offered("build"))
    }
}

/// What is built for. An empty field is "any".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Target {
    /// Its name, such as `openstack-kvm`.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The architecture, such as `x86_64`.
    pub architecture: String,
}

impl From<v1::Target> for Target {
    fn from(wire: v1::Target) -> Self {
        let v1::Target { name, version, architecture } = wire;
        Self { name, version, architecture }
    }
}

/// What `build` works with.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BuildRequest {
    /// The instance.
    pub instance: Instance,
    /// Which stage to make.
    pub stage: Stage,
    /// The recipe's media type.
    pub template_type: String,
    /// The recipe.
    pub template: Vec<u8>,
    /// What is built for.
    pub target: Target,
    /// The unit of the stage before. Its files are staged below [`Context::work_dir`](crate::Ask::work_dir), as the call's own: they may be
    /// changed, used up, or handed on.
    pub parent: Option<Unit>,
    /// JSON object, as text.
    pub parameters_text: String,
    /// What hooks and earlier steps gave, in order.
    pub contributions: Vec<Contribution>,
    /// The provider that a snapshot is made on.
    pub provider: Option<Instance>,
}

impl BuildRequest {
    /// Reads the parameters into the author's own type.
    ///
    /// # Errors
    /// A usage error that says what does not fit.
    pub fn parameters<T: DeserializeOwned>(&self) -> Result<T, Error> {
        from_object("the parameters", &self.parameters_text)
    }

    /// Where a file of the parent was staged, relative to [`Context::work_dir`](crate::Ask::work_dir), by its path in the unit: what
    /// [`crate::File::staged`] takes when it is handed on.
    pub fn parent_file(&self, path: &str) -> Option<&str> {
        let mut files = self.parent.as_ref()?.files();
        files.find(|file| file.path() == path)?.staged_path()
    }
}

impl From<v1::BuildRequest> for BuildRequest {
    fn from(wire: v1::BuildRequest) -> Self {
        let stage = wire.stage();
        let template = wire.template.unwrap_or_default();
        let target = wire.target.unwrap_or_default();
        Self {
            instance: wire.instance.unwrap_or_default().into(),
            stage,
            template_type: template.media_type,
            template: template.content,
            target: target.into(),
            parent: wire.parent.map(Unit::from),
            parameters_text: wire.parameters,
            contributions: wire.contributions.into_iter().map(Contribution::from).collect(),
            provider: wire.provider.map(Instance::from),
        }
    }
}
