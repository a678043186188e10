//! What one job builds, as it is kept with the job, and what it must wait for.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use wharf_proto::v1;
use wharf_store::model::{Digest, Job};

use super::additions::Addition;
use super::choose::{Chosen, Staged};
use super::recipe::{self, Recipe};
use super::{BASE_TYPE, OPERATION, TARGET_TYPE};
use crate::hooks::{Subscription, Told};
use crate::jobs::view::Subject;
use crate::problem::Problem;
use crate::pushes::PROVIDER_TYPE;

/// A step on the way from a template to an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Stage {
    /// The installed system.
    Base,
    /// What one target takes.
    Target,
    /// What a provider makes itself.
    Snapshot,
}

impl Stage {
    /// The type of the unit that it makes.
    pub(super) const fn makes(self) -> &'static str {
        match self {
            Self::Base => BASE_TYPE,
            Self::Target => TARGET_TYPE,
            Self::Snapshot => PROVIDER_TYPE,
        }
    }

    const fn step(self) -> &'static str {
        match self {
            Self::Base => "build.base",
            Self::Target => "build.target",
            Self::Snapshot => "build.snapshot",
        }
    }

    /// What hooks of the making of such an image subscribe to.
    pub(super) const fn subscription(self, target: &str) -> Subscription<'_> {
        Subscription { step: self.step(), target, kind: self.makes(), stage: self.as_str() }
    }

    /// As manifests and people say it.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Target => "target",
            Self::Snapshot => "snapshot",
        }
    }

    pub(super) fn wire(self) -> v1::Stage {
        match self {
            Self::Base => v1::Stage::Base,
            Self::Target => v1::Stage::Target,
            Self::Snapshot => v1::Stage::Snapshot,
        }
    }
}

/// The base image that a target's image is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Base {
    /// What this job makes.
    Job(i64),
    /// This unit.
    Unit(i64),
}

/// A component that has a part in a build, and what it is told.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Part {
    /// `PLUGIN.COMPONENT`, with `@INSTANCE` where there are several.
    pub(super) component: String,
    pub(super) parameters: Map<String, Value>,
}

/// One image to be built.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Order {
    pub(super) stage: Stage,
    /// Who builds.
    #[serde(flatten)]
    pub(super) by: Part,
    /// Who makes the base ready for the target first: the builder of its system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) customiser: Option<Part>,
    /// What components that have hooks are told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) hooks: Vec<Told>,
    /// What the image gets besides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) additions: Vec<Addition>,
    /// The template's name.
    pub(super) name: String,
    /// Name, version and architecture of the system.
    pub(super) system: [String; 3],
    /// Empty for a base image.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) target: String,
    /// The template in its one form: JSON.
    pub(super) template: String,
    /// The digest of all that says how the image is made.
    pub(super) recipe: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) base: Option<Base>,
    /// Who makes a snapshot, by its name; empty for other images.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) provider: String,
}

impl Order {
    pub(super) fn base(recipe: &Recipe, by: &Staged) -> Self {
        Self::new(Stage::Base, recipe, by).sealed(by)
    }

    /// The image of one target. `customiser`: who can change the base for it. Nobody needs the template's passwords any
    /// more, for they are in the base.
    pub(super) fn target(
        recipe: &Recipe,
        (target, by): (&str, &Staged),
        (customiser, additions): (Option<&Chosen>, Vec<Addition>),
        base: Option<Base>,
    ) -> Result<Self, Problem> {
        let order = Self {
            target: target.to_owned(),
            customiser: customiser.map(Part::from),
            additions,
            base,
            ..Self::new(Stage::Target, recipe, by)
        };
        let order = order.sealed(by);
        let template = recipe::without_passwords(&order.template)?.to_string();
        Ok(Self { template, ..order })
    }

    /// The image of one target that this provider makes.
    pub(super) fn snapshot(recipe: &Recipe, (target, by): (&str, &Staged), provider: &str) -> Self {
        let (target, provider) = (target.to_owned(), provider.to_owned());
        Self { target, provider, ..Self::new(Stage::Snapshot, recipe, by) }.sealed(by)
    }

    fn new(stage: Stage, recipe: &Recipe, by: &Staged) -> Self {
        let told = |hook: &Chosen| Told {
            component: hook.address.clone(),
            parameters: hook.parameters.clone(),
        };
        Self {
            stage,
            by: Part::from(&by.by),
            customiser: None,
            hooks: by.hooks.iter().map(told).collect(),
            additions: Vec::new(),
            name: recipe.name.clone(),
            system: recipe.system().map(str::to_owned),
            target: String::new(),
            template: recipe.text.clone(),
            recipe: String::new(),
            base: None,
            provider: String::new(),
        }
    }

    /// With the digest of the template and of who works on it in which way.
    fn sealed(mut self, by: &Staged) -> Self {
        let mut made = Sha256::new();
        let mut part = |text: &str| {
            made.update((text.len() as u64).to_le_bytes());
            made.update(text);
        };
        part(&self.template);
        for chosen in std::iter::once(&by.by).chain(&by.hooks) {
            part(&chosen.address);
            part(&chosen.version);
            part(&Value::Object(chosen.settings.clone()).to_string());
            part(&Value::Object(chosen.parameters.clone()).to_string());
        }
        self.recipe = Digest(made.finalize().into()).to_string();
        self
    }
}

impl From<&Chosen> for Part {
    fn from(chosen: &Chosen) -> Self {
        Self { component: chosen.address.clone(), parameters: chosen.parameters.clone() }
    }
}

/// What a job builds.
pub(crate) fn subject(job: &Job) -> Option<Subject> {
    /// An order, less what is long.
    #[derive(Deserialize)]
    struct Short {
        name: String,
        #[serde(default)]
        target: String,
        #[serde(default)]
        base: Option<Base>,
    }

    let order = (job.operation == OPERATION).then_some(&job.arguments);
    let Short { name, target, base } = serde_json::from_str(order?).ok()?;
    let (image, after) = match base {
        Some(Base::Unit(image)) => (Some(image), None),
        Some(Base::Job(job)) => (None, Some(job)),
        None => (None, None),
    };
    let target = Some(target).filter(|target| !target.is_empty());
    Some(Subject { name: Some(name), target, image, after })
}
