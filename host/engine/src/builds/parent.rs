//! The base image of a target's image: found, held on to, and its files copied into the job's folder, where the plugin
//! may do with them what it likes. Linked instead, a plugin could change bytes that others read.

use std::path::PathBuf;

use wharf_proto::v1;
use wharf_store::model::{JobId, JobState, UnitId, UnitRow};

use super::BASE_TYPE;
use super::order::Base;
use crate::convert;
use crate::engine::Inner;
use crate::jobs::run::JobRun;
use crate::jobs::view::JobResult;
use crate::problem::Problem;
use crate::staging;

/// The code of what ends a job because the one that it waited for did not work.
pub(crate) const BASE_MISSING: &str = "conflict.base";
/// The folder of the copies, in the job's own.
const FOLDER: &str = "parent";

/// Finds the base image and copies its files.
pub(super) async fn stage(engine: &Inner, run: &JobRun, base: Base) -> Result<v1::Unit, Problem> {
    let unit = match base {
        Base::Unit(unit) => UnitId(unit),
        Base::Job(job) => made_by(engine, JobId(job)).await?,
    };
    let gone = || Problem::usage("not_found.unit", format!("the base image, unit {unit}, is gone"));
    let meta = &engine.store.meta;
    if !meta.hold_units(run.lease, vec![unit]).await?.contains(&true) {
        return Err(gone());
    }
    let row = meta.units_by_id(vec![unit], true).await?.pop().ok_or_else(gone)?;
    let copies = copies(engine, run, &row)?;
    staging::blocking(move || copies.into_iter().try_for_each(copy)).await?;
    let mut wire = convert::wire_unit(BASE_TYPE, row);
    for file in &mut wire.files {
        file.staged = Some(format!("{FOLDER}/{}", file.path));
    }
    Ok(wire)
}

/// The image that a job made.
async fn made_by(engine: &Inner, id: JobId) -> Result<UnitId, Problem> {
    let failed = |state: &str| {
        let message = format!("job {id}, which was to make the base image, {state}");
        Problem::usage(BASE_MISSING, message).help(format!("`wharf job show {id}` tells why"))
    };
    let job = engine.store.meta.job(id).await?.ok_or_else(|| failed("is gone"))?;
    if !matches!(job.state, JobState::Succeeded | JobState::Partial) {
        return Err(failed(&format!("ended as {}", job.state)));
    }
    let result: JobResult = serde_json::from_str(job.result.as_deref().unwrap_or("{}"))?;
    result.unit.map(UnitId).ok_or_else(|| failed("made none"))
}

fn copies(
    engine: &Inner,
    run: &JobRun,
    unit: &UnitRow,
) -> Result<Vec<(PathBuf, PathBuf)>, Problem> {
    let folder = run.folder.path().join(FOLDER);
    let copy = |file: &wharf_store::model::FileRow| {
        let digest = file.sha256.filter(|_| file.present).ok_or_else(|| {
            let message =
                format!("the bytes of the base image's {} are not in the store", file.path);
            Problem::operation("storage.damaged", message)
                .help("build the base image anew: --rebuild")
        })?;
        Ok((engine.store.blobs.path(digest), folder.join(file.path.as_str())))
    };
    unit.files.iter().map(copy).collect()
}

fn copy((from, to): (PathBuf, PathBuf)) -> Result<(), Problem> {
    let failed = |error: std::io::Error| {
        Problem::operation("storage.write", format!("{}: {error}", to.display()))
            .help("check the disk's space and the folder's rights")
    };
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let mut read = std::fs::File::open(&from).map_err(failed)?;
    let mut written = std::fs::File::create_new(&to).map_err(failed)?;
    std::io::copy(&mut read, &mut written).map_err(failed)?;
    Ok(())
}
