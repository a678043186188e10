//! Images: what is built, and who builds it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{CallbackRequest, Job};

/// Body of `POST /api/v1/repositories/NAME/build`. Either `template` or `base` must be there.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(examples(json!({"base": 12, "targets": ["vsphere", "docker"], "parameters": {"timeout": 600}})))]
pub struct BuildRequest {
    /// What the images are made from: a template in TDL, TOML or JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<BuildTemplate>,
    /// Or a base image, by the number of its unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<i64>,
    /// What they are for; empty: only the base image is made.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<String>,
    /// Parameters of the components that build.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub parameters: Map<String, Value>,
    /// What the images of targets get besides: an XML document of `include` elements with packages and repositories, each
    /// for a target, system, version and architecture, or the first few of these; the most exact one counts.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub additions: String,
    /// Components that are to build, whichever fits better: `PLUGIN.COMPONENT`, with `@INSTANCE` where there are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub builders: Vec<String>,
    /// Make the base image although there is one that was made the same way.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub rebuild: bool,
    /// Providers that the images are brought to, each to those that take it: names of instances.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub push: Vec<String>,
    /// The provider that is to make the images of the targets itself, of the template: the name of an instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<String>,
    /// Who is told how the jobs go, that of the base image and those of pushes too.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub callbacks: Vec<CallbackRequest>,
}

/// Body of `POST /api/v1/repositories/NAME/import-image`. Either `os` and `os_version` or `target` must be there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"upload": 3, "target": "openstack-kvm", "architecture": "x86_64"})))]
pub struct ImportImageRequest {
    /// The number of the upload with its bytes, which was begun with the type `image_base` or `image_target`.
    pub upload: i64,
    /// What the image is called. Default: as its file, without the ending.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The system that a base image holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub os: Option<String>,
    /// The system's version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub os_version: Option<String>,
    /// What a target image is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The architecture: `x86_64`.
    pub architecture: String,
}

/// Body of `POST /api/v1/units/NUMBER/push`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"provider": "registry", "parameters": {"tag": "v2"}})))]
pub struct PushRequest {
    /// The provider: the name of an instance, or `PLUGIN.COMPONENT` where instances have no settings.
    pub provider: String,
    /// What this push alone is told.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub parameters: Map<String, Value>,
    /// Push although the provider has it already; what was there before is taken away.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
    /// Who is told how it goes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub callbacks: Vec<CallbackRequest>,
}

/// A template.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BuildTemplate {
    /// The name of its file, which tells its form: `.tdl`, `.xml`, `.toml`, `.json`. Empty: the text tells it.
    pub name: String,
    /// The text.
    pub text: String,
}

/// What became of a wish for images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Building {
    /// The job of the base image, if one must be made, then those of the targets, in the order asked, then pushes.
    pub jobs: Vec<Job>,
    /// The base image that is there already and is used, by the number of its unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<i64>,
}

/// Something that images can be built for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Target {
    /// A name, or name, version and architecture of a system; `*` stands for any.
    pub target: String,
    /// `base`: a system that is installed. `target`: what is made of it. `push`: what is brought to a provider.
    pub stage: String,
    /// Who builds it; the first is taken unless another one is asked for.
    pub components: Vec<TargetComponent>,
}

/// Who builds for a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TargetComponent {
    /// `PLUGIN.COMPONENT`
    pub component: String,
    /// Why it stands where it does.
    pub because: String,
}
