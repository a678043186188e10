//! The unit that a push is about: found by its number, or as what a job built, and held on to.

use serde_json::Value;
use wharf_store::model::{JobId, JobState, RepositoryId, UnitId, UnitRow};

use super::order::Image;
use super::{PROVIDER_TYPE, TARGET_TYPE};
use crate::engine::Inner;
use crate::jobs::run::JobRun;
use crate::jobs::view::JobResult;
use crate::problem::Problem;

/// The code of what ends a job because the one that it waited for did not work.
pub(crate) const IMAGE_MISSING: &str = "conflict.image";

/// A unit of this type, and the repository that works on it: one whose newest version holds it, else one that had it.
pub(super) async fn asked_for(
    engine: &Inner,
    unit: i64,
    kind: &str,
) -> Result<(UnitRow, RepositoryId), Problem> {
    let row = of_type(engine, UnitId(unit), kind).await?;
    let holdings = engine.store.meta.holdings(row.id).await?;
    let newest = holdings.iter().find(|holding| holding.removed_in.is_none());
    let holding = newest.or(holdings.first()).ok_or_else(|| gone(row.id))?;
    let repository = engine.repository(&holding.repository).await?;
    Ok((row, repository.id))
}

/// The image that a job pushes, which stays until the job ends.
pub(super) async fn hold(engine: &Inner, run: &JobRun, image: Image) -> Result<UnitRow, Problem> {
    let unit = match image {
        Image::Unit(unit) => UnitId(unit),
        Image::Job(job) => built_by(engine, JobId(job)).await?,
    };
    if !engine.store.meta.hold_units(run.lease, vec![unit]).await?.contains(&true) {
        return Err(gone(unit));
    }
    let row = of_type(engine, unit, TARGET_TYPE).await?;
    match row.files.iter().find(|file| !file.present || file.sha256.is_none()) {
        None => Ok(row),
        Some(file) => {
            let message = format!("the bytes of image {unit}'s {} are not in the store", file.path);
            Err(Problem::operation("storage.damaged", message).help("build the image anew"))
        }
    }
}

/// A unit, with its files.
pub(super) async fn of_type(engine: &Inner, unit: UnitId, kind: &str) -> Result<UnitRow, Problem> {
    let found = engine.store.meta.units_by_id(vec![unit], true).await?.pop();
    let row = found.ok_or_else(|| gone(unit))?;
    let is = engine.types.name(row.type_id);
    if is.as_deref() == Some(kind) {
        return Ok(row);
    }
    let wanted = match kind {
        PROVIDER_TYPE => "no provider image: that is what a push makes of a target image",
        _ => "no target image: build it for a target first, and push what comes of it",
    };
    Err(Problem::usage("usage.image", format!("unit {unit} is {wanted}"))
        .help("`wharf image list` shows images and their numbers"))
}

/// A word of a unit's key or attributes.
pub(super) fn word(object: &str, field: &str) -> Result<String, Problem> {
    let object: Value = serde_json::from_str(object)?;
    Ok(object.get(field).and_then(Value::as_str).unwrap_or_default().to_owned())
}

fn gone(unit: UnitId) -> Problem {
    Problem::usage("not_found.unit", format!("there is no unit {unit}"))
        .help("`wharf image list` shows images and their numbers")
}

/// The image that a job built.
async fn built_by(engine: &Inner, id: JobId) -> Result<UnitId, Problem> {
    let failed = |state: &str| {
        let message = format!("job {id}, which was to build the image, {state}");
        Problem::usage(IMAGE_MISSING, message).help(format!("`wharf job show {id}` tells why"))
    };
    let job = engine.store.meta.job(id).await?.ok_or_else(|| failed("is gone"))?;
    if !matches!(job.state, JobState::Succeeded | JobState::Partial) {
        return Err(failed(&format!("ended as {}", job.state)));
    }
    let result: JobResult = serde_json::from_str(job.result.as_deref().unwrap_or("{}"))?;
    result.unit.map(UnitId).ok_or_else(|| failed("made none"))
}
