//! Making content from a recipe.

use serde::de::DeserializeOwned;
use tonic::async_trait;
use wharf_proto::v1;

use super::Component;
use crate::model::{Instance, Unit, from_object};
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
    /// What is built for: name, version, architecture; an empty one is "any".
    pub target: (String, String, String),
    /// The unit of the stage before, its files staged read-only below [`Context::work_dir`].
    pub parent: Option<Unit>,
    /// JSON object, as text.
    pub parameters_text: String,
    /// What hooks and earlier steps gave, in order.
    pub contributions: Vec<v1::Contribution>,
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
            target: (target.name, target.version, target.architecture),
            parent: wire.parent.map(Unit::from),
            parameters_text: wire.parameters,
            contributions: wire.contributions,
            provider: wire.provider.map(Instance::from),
        }
    }
}
