//! Pushes of images that are still to be built: planned with the build, refused before anything of it starts.

use serde_json::{Map, Value};

use super::order::{Image, Order};
use super::provider::Provider;
use crate::engine::Inner;
use crate::instances::schema;
use crate::jobs::view::JobView;
use crate::problem::Problem;
use wharf_store::model::{NewCallback, RepositoryId};

/// The most providers of one request.
const MAX_PROVIDERS: usize = 64;

/// Where the images of a build go: each to every provider that takes its target.
pub(crate) struct Plan<'a> {
    providers: Vec<Provider<'a>>,
}

impl<'a> Plan<'a> {
    /// Finds the providers.
    ///
    /// # Errors
    /// `not_found.provider`, `usage.provider` for one that would take none of the images.
    pub(crate) async fn make(
        engine: &'a Inner,
        names: &[String],
        targets: &[String],
    ) -> Result<Self, Problem> {
        if names.len() > MAX_PROVIDERS {
            let message = format!("{} providers; at most {MAX_PROVIDERS} at once", names.len());
            return Err(Problem::usage("usage.provider", message));
        }
        if !names.is_empty() && targets.is_empty() {
            let message = "only what is built for a target can be pushed";
            return Err(Problem::usage("usage.targets", message)
                .help("name what is to be made: --target TARGET"));
        }
        let mut providers: Vec<Provider<'a>> = Vec::new();
        for name in names {
            let provider = engine.provider(name).await?;
            if !targets.iter().any(|target| provider.takes(target)) {
                let message =
                    format!("{} takes no images for {}", provider.address, targets.join(", "));
                return Err(Problem::usage("usage.provider", message)
                    .help("`wharf targets` shows which component pushes what"));
            }
            if providers.iter().all(|other| other.address != provider.address) {
                providers.push(provider);
            }
        }
        Ok(Self { providers })
    }

    /// The schemas of what pushes may be told.
    pub(crate) fn schemas(&self) -> impl Iterator<Item = Option<&Value>> {
        self.providers.iter().map(|provider| provider.component.arguments_schema.as_ref())
    }

    /// Reads what was given for the whole build.
    ///
    /// # Errors
    /// `usage.settings`.
    pub(crate) fn check(&self, given: &Map<String, Value>) -> Result<(), Problem> {
        self.providers.iter().try_for_each(|provider| own(provider, given).map(drop))
    }

    /// Asks for the pushes of what a job will make for a target.
    pub(crate) async fn submit(
        &self,
        engine: &Inner,
        repository: RepositoryId,
        (job, target): (i64, &str),
        (given, callbacks): (&Map<String, Value>, &[NewCallback]),
    ) -> Result<Vec<JobView>, Problem> {
        let mut jobs = Vec::new();
        for provider in self.providers.iter().filter(|provider| provider.takes(target)) {
            let parameters = own(provider, given)?;
            let order = Order { image: Image::Job(job), parameters, again: false };
            let callbacks = callbacks.to_vec();
            jobs.push(engine.ask_for_push(repository, provider, &order, callbacks).await?);
        }
        Ok(jobs)
    }
}

/// Of the build's parameters those that this provider knows; of one that takes anything, all.
fn own(provider: &Provider<'_>, given: &Map<String, Value>) -> Result<Map<String, Value>, Problem> {
    let schema = provider.component.arguments_schema.as_ref();
    let known = schema::properties(schema);
    let takes = |key: &String| {
        known.is_some_and(|known| known.contains_key(key)) || schema::takes_anything(schema)
    };
    let own = given.iter().filter(|(key, _value)| takes(key));
    provider.parameters(&own.map(|(key, value)| (key.clone(), value.clone())).collect())
}
