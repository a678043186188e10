//! The job that makes units of uploaded files: they are staged for the importer, which says what they are, and what it
//! declares is added to the repository in one new version.
//!
//! The uploads go only when the version stands. A job that fails leaves them, so that nobody must send them again.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use wharf_proto::v1;
use wharf_store::model::{Asker, Digest, RelativePath, Repository, Upload, UploadId};

use super::{checked_name, complete, stage};
use crate::engine::{Engine, Inner};
use crate::jobs::run::JobRun;
use crate::jobs::view::{JobResult, JobView};
use crate::problem::Problem;
use crate::runs::new_job;
use crate::sync::{self, Brought, BroughtFile};

/// The most files of one import.
const MAX_FILES: usize = 1_000;
/// The most bytes of key and attributes together; they travel in one message.
const MAX_TEXT: usize = 1 << 20;

/// Which uploads become units, and what is known of them.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ImportOptions {
    /// The files.
    pub files: Vec<ImportFile>,
    /// The type of the units; empty: the importer finds out.
    #[serde(rename = "type")]
    pub kind: String,
    /// Key fields that the importer cannot know, or must agree with.
    pub key: Map<String, Value>,
    /// More for the importer; what a form said is below `form`.
    pub attributes: Map<String, Value>,
    /// The importer; None: whichever of the repository takes uploads.
    #[serde(skip)]
    pub component: Option<String>,
}

/// An upload to be imported.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ImportFile {
    /// Its number.
    pub upload: i64,
    /// Another name than it was begun with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl Engine {
    /// Asks for a job that makes units of uploads, all of them in one new version.
    pub async fn import(&self, name: &str, options: ImportOptions) -> Result<JobView, Problem> {
        let engine = &self.inner;
        let repository = engine.repository(name).await?;
        let attachment =
            engine.uploader(&repository, options.component.as_deref(), &options.kind).await?;
        let text = Value::Object(options.key.clone()).to_string().len()
            + Value::Object(options.attributes.clone()).to_string().len();
        if text > MAX_TEXT {
            let message =
                format!("key and attributes have {text} bytes, at most {MAX_TEXT} may be");
            return Err(Problem::operation("limit.attributes", message));
        }
        chosen(engine, &repository, &options).await?;
        let arguments = serde_json::to_string(&options)?;
        engine.submit_for(new_job("upload", &attachment, arguments), Asker::User).await
    }
}

/// The uploads that are meant, each with its name; all their bytes came.
async fn chosen(
    engine: &Inner,
    repository: &Repository,
    options: &ImportOptions,
) -> Result<Vec<(Upload, RelativePath)>, Problem> {
    if options.files.is_empty() || options.files.len() > MAX_FILES {
        let message =
            format!("an import takes 1 to {MAX_FILES} files, not {}", options.files.len());
        return Err(Problem::usage("usage.files", message).at("uploads"));
    }
    let mut chosen: Vec<(Upload, RelativePath)> = Vec::with_capacity(options.files.len());
    for file in &options.files {
        let upload = complete(engine, repository, UploadId(file.upload)).await?;
        let name = checked_name(file.name.as_deref().unwrap_or(&upload.name))?;
        if chosen.iter().any(|(other, other_name)| other.id == upload.id || *other_name == name) {
            let message = format!("{name} is named twice");
            return Err(Problem::usage("usage.files", message).at("uploads"));
        }
        chosen.push((upload, name));
    }
    Ok(chosen)
}

/// Runs the job.
pub(crate) async fn run(engine: &Inner, run: &JobRun) -> Result<JobResult, Problem> {
    let options: ImportOptions = serde_json::from_str(&run.job.arguments)?;
    let (repository, _attachment) = crate::instances::of_job(engine, &run.job).await?;
    let chosen = match chosen(engine, &repository, &options).await {
        Ok(chosen) => chosen,
        // An attempt before this one was cut off between its version and its end.
        Err(problem) if run.job.attempts > 1 => {
            return already_done(engine, run, &repository, problem).await;
        }
        Err(problem) => return Err(problem),
    };
    let mut files = Vec::with_capacity(chosen.len());
    for (upload, name) in &chosen {
        run.check_cancelled()?;
        files.push(brought(engine, run, upload, name).await?);
    }
    let brought = Brought {
        kind: options.kind,
        key: object(options.key),
        attributes: object(options.attributes),
        files,
    };
    let result = sync::bring(engine, run, brought).await?;
    let ids = chosen.into_iter().map(|(upload, _name)| upload.id).collect();
    if let Err(problem) = engine.forget(ids).await {
        run.warn("uploads", format!("the uploaded bytes stay behind: {problem}"), "").await;
    }
    Ok(result)
}

async fn brought(
    engine: &Inner,
    run: &JobRun,
    upload: &Upload,
    name: &RelativePath,
) -> Result<BroughtFile, Problem> {
    let staged = stage(engine, upload, &run.folder).await?;
    if let Some(expected) = upload.sha256.filter(|expected| *expected != staged.digest) {
        // What came is of no use to anybody, and would only be found again.
        engine.forget(vec![upload.id]).await?;
        return Err(mismatch(name, staged.digest, expected));
    }
    run.meter.add_bytes(usize::try_from(staged.size).unwrap_or(usize::MAX));
    let place = staged.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let file = v1::File {
        path: name.to_string(),
        size: Some(staged.size),
        digests: vec![format!("sha256:{}", staged.digest)],
        staged: Some(place.clone()),
        ..v1::File::default()
    };
    Ok(BroughtFile { name: name.to_string(), place, file })
}

fn mismatch(name: &RelativePath, found: Digest, expected: Digest) -> Problem {
    let message = format!("{name}: the sha256 of what came is {found}, announced was {expected}");
    Problem::operation("integrity.digest", message)
        .at(name.to_string())
        .help("upload it again; the file changed meanwhile, or was damaged on its way")
}

/// What the attempt before made, if it made a version.
async fn already_done(
    engine: &Inner,
    run: &JobRun,
    repository: &Repository,
    problem: Problem,
) -> Result<JobResult, Problem> {
    let versions = engine.store.meta.versions(repository.id).await?;
    let made = versions.into_iter().find(|version| version.job == Some(run.job.id));
    let made = made.ok_or(problem)?;
    Ok(JobResult {
        added: made.added,
        removed: made.removed,
        version: Some(made.number),
        changed: true,
        ..run.result()
    })
}

fn object(map: Map<String, Value>) -> String {
    if map.is_empty() { String::new() } else { Value::Object(map).to_string() }
}
