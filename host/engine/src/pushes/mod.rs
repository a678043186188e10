//! Pushes: images brought to a provider, and taken away there again.
//!
//! A provider is an instance of a distributor of profile push. The path: [`Engine::push`], or a build that is to push
//! what it makes (`planned`), finds the provider and whether it takes the image (`provider`), and stores a job; the
//! push of an image that is still to be built waits for it. A job (`run`) is one call of the component (`call`), which
//! may read this one image (`image`); what the provider calls it is kept as a unit of type `image_provider` (`keep`).
//! [`Engine::unpublish`] takes both away (`unpublish`), unless a later push has the place by now (`known`).
//!
//! Never reads an image's bytes, and knows nothing of what a provider is.

mod call;
mod image;
mod keep;
mod known;
mod order;
mod planned;
mod provider;
mod run;
mod unpublish;

use serde_json::{Map, Value};

pub(crate) use self::call::{identifies, keeps_no_secret};
pub(crate) use self::image::IMAGE_MISSING;
pub(crate) use self::keep::Record;
use self::known::Place;
pub(crate) use self::order::subject;
use self::order::{Image, Order};
pub(crate) use self::planned::Plan;
pub(crate) use self::provider::{PROFILE, Provider};
pub(crate) use self::run::run;
pub(crate) use self::unpublish::run as run_unpublish;
use crate::callbacks::Callback;
use crate::engine::{Engine, Inner};
use crate::jobs::view::JobView;
use crate::problem::Problem;
use wharf_store::model::{NewCallback, RepositoryId};

/// The operation's word in a job.
pub(crate) const OPERATION: &str = "push";
/// And of the way back.
pub(crate) const UNPUBLISH: &str = "unpublish";
/// What is pushed.
const TARGET_TYPE: &str = "image_target";
/// What comes of it.
pub(crate) const PROVIDER_TYPE: &str = "image_provider";

/// Where an image is to go.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PushOptions {
    /// The provider: the name of an instance, or `PLUGIN.COMPONENT` where instances have no settings.
    pub provider: String,
    /// What this push alone is told, by the component's schema of arguments: text as typed, or values.
    pub parameters: Map<String, Value>,
    /// Push although the provider has it already.
    pub again: bool,
    /// Who is told how it goes.
    pub callbacks: Vec<Callback>,
}

impl Engine {
    /// Asks for a target image to be brought to a provider.
    ///
    /// # Errors
    /// `not_found.unit`, `not_found.provider`, `usage.image` when the unit is no target image, `usage.provider` when the
    /// provider does not take it, `usage.settings`, `usage.callback`, `not_found.secret`.
    pub async fn push(&self, image: i64, options: PushOptions) -> Result<JobView, Problem> {
        let engine = &self.inner;
        let (row, repository) = image::asked_for(engine, image, TARGET_TYPE).await?;
        let provider = engine.provider(&options.provider).await?;
        provider.check_takes(&image::word(&row.key, "target")?)?;
        let parameters = provider.parameters(&options.parameters)?;
        let order = Order { image: Image::Unit(image), parameters, again: options.again };
        let callbacks = engine.checked_callbacks(&options.callbacks).await?;
        engine.ask_for_push(repository, &provider, &order, callbacks).await
    }

    /// Asks for an image to be taken away at its provider.
    ///
    /// # Errors
    /// `not_found.unit`, also when it was taken away before; `usage.image` when the unit is no provider image,
    /// `conflict.replaced` when another one has its place now, `not_found.*` when its provider is gone.
    pub async fn unpublish(&self, pushed: i64) -> Result<JobView, Problem> {
        let engine = &self.inner;
        let (row, repository) = image::asked_for(engine, pushed, PROVIDER_TYPE).await?;
        if !Place::of(engine, &row).await?.is_own(row.id)? {
            return Err(unpublish::gone(row.id));
        }
        let provider = engine.provider(&image::word(&row.key, "provider")?).await?;
        let order = serde_json::to_string(&unpublish::Order { pushed })?;
        let address = provider.words();
        engine.submit_unattached(UNPUBLISH, Some(repository), (&address, order), Vec::new()).await
    }
}

impl Inner {
    async fn ask_for_push(
        &self,
        repository: RepositoryId,
        provider: &Provider<'_>,
        order: &Order,
        callbacks: Vec<NewCallback>,
    ) -> Result<JobView, Problem> {
        let arguments = serde_json::to_string(order)?;
        let address = provider.words();
        self.submit_unattached(OPERATION, Some(repository), (&address, arguments), callbacks).await
    }
}
