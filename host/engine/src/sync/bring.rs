//! An upload, by the same way as a sync: what a user brought becomes units, which are added to the version.
//!
//! It counts as no run of the importer: what that keeps for its next sync stays, and the next sync looks at everything
//! anew, because the version is not the one that it left.

use serde_json::{Map, Value};
use wharf_proto::v1;
use wharf_store::model::CommitVersion;

use super::draft::Draft;
use super::setup::Setup;
use super::{SyncOptions, pass};
use crate::convert::{Bytes, Pending};
use crate::engine::Inner;
use crate::instances::settings::{Mode, OnFileError, Policy};
use crate::jobs::run::JobRun;
use crate::jobs::view::{BroughtUnit, JobResult};
use crate::problem::Problem;

/// Files that a user brought, staged in the job's folder, and what the user said of them.
pub(crate) struct Brought {
    /// The type of the units; empty: the plugin finds out.
    pub(crate) kind: String,
    /// JSON object, or empty.
    pub(crate) key: String,
    /// JSON object, or empty.
    pub(crate) attributes: String,
    pub(crate) files: Vec<BroughtFile>,
}

/// One of them.
pub(crate) struct BroughtFile {
    /// As the user calls it.
    pub(crate) name: String,
    /// Its place in the job's folder.
    pub(crate) place: String,
    pub(crate) file: v1::File,
}

impl Brought {
    pub(super) fn request(
        &self,
        context: v1::JobContext,
        attachment: v1::Attachment,
    ) -> v1::UploadRequest {
        v1::UploadRequest {
            context: Some(context),
            attachment: Some(attachment),
            r#type: self.kind.clone(),
            key: self.key.clone(),
            attributes: self.attributes.clone(),
            files: self.files.iter().map(|brought| brought.file.clone()).collect(),
        }
    }

    /// Which of the files a declared unit was made of.
    pub(super) fn became(&self, unit: &Pending) -> impl Iterator<Item = BroughtUnit> {
        let places = unit.files.iter().filter_map(|file| match &file.bytes {
            Bytes::Staged(path) => Some(path.as_str()),
            _ => None,
        });
        let files = places.filter_map(|place| self.files.iter().find(|it| it.place == place));
        files.map(|file| {
            let key: Map<String, Value> =
                serde_json::from_str(&unit.declared_key).unwrap_or_default();
            BroughtUnit {
                file: file.name.clone(),
                kind: unit.definition.id.clone(),
                unit: words(unit, &key),
                key,
            }
        })
    }
}

/// The values of a key in the type's order, less what the bytes say.
fn words(unit: &Pending, key: &Map<String, Value>) -> String {
    let fields = unit.definition.unit_key.iter().filter(|field| !field.from_artifact);
    let values = fields.filter_map(|field| key.get(&field.name));
    let word = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    values.map(word).collect::<Vec<_>>().join(" ")
}

/// Makes units of what was brought, and a version that holds them too.
pub(crate) async fn bring(
    engine: &Inner,
    run: &JobRun,
    brought: Brought,
) -> Result<JobResult, Problem> {
    let mut setup = Setup::load(engine, run, SyncOptions::default()).await?;
    setup.brought = Some(brought);
    setup.settings.policy = Policy::Immediate;
    setup.settings.on_file_error = OnFileError::Fail;
    let mirrors = setup.settings.mode == Mode::Mirror && setup.attachment.last.is_some();
    setup.settings.mode = Mode::Additive;
    let draft = pass(engine, run, &setup).await?;
    run.check_cancelled()?;
    // All or nothing: who brings files is there to be told.
    if run.troubled() > 0 {
        let told = run.result().items.into_iter().find_map(|item| item.problem);
        let told = told.unwrap_or_else(|| Problem::protocol("the plugin left out a file"));
        return Err(told);
    }
    if draft.declared == 0 {
        return Err(Problem::protocol("the plugin made no unit of what was uploaded"));
    }
    if mirrors {
        let text =
            "this repository mirrors a source: its next sync takes out what the source lacks";
        run.warn("mirror", format!("{text}; mode=additive keeps it"), "").await;
    }
    finish(engine, run, &setup, draft).await
}

async fn finish(
    engine: &Inner,
    run: &JobRun,
    setup: &Setup,
    draft: Draft,
) -> Result<JobResult, Problem> {
    let commit = CommitVersion {
        repository: setup.repository.id,
        base: setup.base,
        mode: setup.store_mode(),
        present: draft.present,
        removed: draft.removed,
        info: draft.metadata.unwrap_or_default(),
        attachment: None,
        state: None,
        outcome: String::new(),
        settings_digest: String::new(),
    };
    let committed = engine.store.meta.commit_version(run.lease, commit).await?;
    let mut result = JobResult {
        summary: draft.summary,
        added: committed.added,
        removed: committed.removed,
        unchanged: committed.unchanged,
        version: Some(committed.version.unwrap_or(setup.base)),
        changed: committed.version.is_some(),
        ..run.result()
    };
    if result.changed && setup.settings.auto_publish {
        result.follow_ups = engine.publish_all(&setup.repository.name, run).await;
    }
    Ok(result)
}
