//! What is kept of an image at a provider: a unit of type `image_provider` with the provider's name for it, and which image
//! it is.

use serde_json::{Map, Value, json};
use wharf_store::model::{
    NewUnit, Repository, RepositoryId, Selector, UnitId, UnitRow, canonical_key,
};

use super::PROVIDER_TYPE;
use crate::clock;
use crate::edit::{self, Exchange};
use crate::engine::Inner;
use crate::jobs::run::JobRun;
use crate::jobs::view::JobResult;
use crate::problem::Problem;

/// The attribute with the digest of what was pushed where.
pub(super) const RECIPE: &str = "recipe";
/// How often the commit is tried when other jobs commit at the same time.
const TRIES: usize = 100;

/// What a repository's newest version says of an image at a provider.
pub(super) struct Before {
    pub(super) unit: UnitId,
    pub(super) identifier: String,
    /// The job that pushed it.
    pub(super) push: u64,
}

/// The newest record of this very push.
pub(super) async fn before(
    engine: &Inner,
    repository: RepositoryId,
    recipe: &str,
) -> Result<Option<Before>, Problem> {
    let kind = engine.types.get(PROVIDER_TYPE).map(|kind| kind.id);
    let selector =
        Selector::Field { name: RECIPE.to_owned(), value: Value::from(recipe).to_string() };
    let found = engine.store.meta.members_matching(repository, kind, selector).await?;
    let Some(unit) = found.into_iter().max() else { return Ok(None) };
    let row = engine.store.meta.units_by_id(vec![unit], false).await?.pop();
    row.map(|row| read(&row)).transpose()
}

/// Reads the key of a record.
pub(super) fn read(row: &UnitRow) -> Result<Before, Problem> {
    let key: Value = serde_json::from_str(&row.key)?;
    let identifier = key["identifier"].as_str().unwrap_or_default().to_owned();
    Ok(Before { unit: row.id, identifier, push: key["push"].as_u64().unwrap_or_default() })
}

/// What is kept of an image at a provider.
pub(crate) struct Record<'a> {
    pub(crate) name: &'a str,
    pub(crate) target: &'a str,
    pub(crate) architecture: &'a str,
    /// `PLUGIN.COMPONENT@INSTANCE`
    pub(crate) provider: &'a str,
    /// What the provider calls it.
    pub(crate) identifier: &'a str,
    /// The target image that was brought there, if it was not made there.
    pub(crate) image: Option<UnitId>,
    /// The digest of all that says what lies where.
    pub(crate) recipe: &'a str,
    /// Component and version.
    pub(crate) by: &'a str,
    /// What the provider's component was told besides its instance's settings.
    pub(crate) parameters: &'a Map<String, Value>,
    /// The plugin's own words.
    pub(crate) details: Option<Value>,
}

impl Record<'_> {
    /// Keeps it in a new version, even when a stop is wanted by now: it is done there. `replaced`: what it takes the place of.
    pub(crate) async fn keep(
        &self,
        engine: &Inner,
        run: &JobRun,
        repository: &Repository,
        replaced: Option<UnitId>,
    ) -> Result<JobResult, Problem> {
        let identifier = self.identifier;
        let added = self.save(engine, run, repository).await.inspect_err(|_problem| {
            // The one thing that nobody else knows any more.
            tracing::error!(job = run.id(), %identifier, "an image at a provider is not recorded");
        })?;
        let removed = replaced.filter(|unit| *unit != added);
        let exchange = Exchange { added: Some(added), removed };
        let result = commit(engine, run, repository.id, &exchange).await?;
        Ok(JobResult { unit: Some(added.0), identifier: Some(identifier.to_owned()), ..result })
    }

    /// Saves the unit; it is in no version yet.
    async fn save(
        &self,
        engine: &Inner,
        run: &JobRun,
        repository: &Repository,
    ) -> Result<UnitId, Problem> {
        let missing = || Problem::fault("internal", "the type image_provider is not registered");
        let kind = engine.types.get(PROVIDER_TYPE).ok_or_else(missing)?;
        let key = json!({
            "name": self.name, "target": self.target, "architecture": self.architecture,
            "provider": self.provider, "identifier": self.identifier, "push": run.id(),
        });
        let attributes = json!({
            "image": self.image.map(|image| image.0),
            RECIPE: self.recipe,
            "pushed_by": self.by,
            "pushed_ms": clock::now_ms(),
            "parameters": self.parameters,
            "details": self.details,
        })
        .to_string();
        let key = canonical_key(&kind.definition, &key.to_string(), &attributes, None)
            .map_err(|error| Problem::fault("internal", error.to_string()))?;
        let unit = NewUnit {
            type_id: kind.id,
            key: key.text,
            key_digest: key.digest,
            repo_key: key.repo_key,
            attributes,
            files: Vec::new(),
        };
        let saved = engine.store.meta.save_units(run.lease, repository.id, vec![unit], Vec::new());
        let saved = saved.await?.into_iter().next();
        saved.map(|saved| saved.unit).ok_or_else(|| Problem::fault("internal", "no unit was saved"))
    }
}

/// Makes the version that says how things stand at the provider. A wish to stop comes too late for that: it is done
/// there. Others commit too, so the newest version may be another one by now.
pub(super) async fn commit(
    engine: &Inner,
    run: &JobRun,
    repository: RepositoryId,
    exchange: &Exchange,
) -> Result<JobResult, Problem> {
    let gone = || Problem::usage("not_found.repository", "the job's repository is gone");
    let mut tries = 0;
    loop {
        let current = engine.store.meta.repository_by_id(repository).await?.ok_or_else(gone)?;
        let outcome = edit::exchange(engine, run, &current, exchange).await;
        tries += 1;
        match outcome {
            Err(problem) if problem.code == "conflict.base_moved" && tries < TRIES => {}
            outcome => return outcome,
        }
    }
}
