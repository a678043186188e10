//! The job that makes an image of one upload. The upload goes when the version stands, or when nothing can come of it;
//! a job that is cut off before makes the same unit again.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use wharf_store::model::{
    FieldEquals, NewArtifact, NewFile, NewUnit, PathError, RelativePath, Repository, Staged,
    UnitId, UnitQuery, Upload, UploadId, canonical_key,
};

use super::format::{self, Format, recognise};
use super::{ImportImage, ImportOf};
use crate::clock;
use crate::edit;
use crate::engine::Inner;
use crate::jobs::run::JobRun;
use crate::jobs::view::JobResult;
use crate::problem::Problem;
use crate::staging;
use crate::upload;

/// How often the commit is tried when other jobs commit at the same time.
const TRIES: usize = 100;
/// Letters of a name.
const NAME_CHARS: usize = 64;
/// The field of an image's key that says which job made it.
const BUILD: &str = "build";
/// The file of a base image that holds its template.
const TEMPLATE: &str = "template.json";
const TEMPLATE_TYPE: &str = "application/vnd.wharf.template+json";

/// What is known of the file.
struct Brought {
    /// As the user calls it.
    file: String,
    format: Format,
    staged: Staged,
}

/// Runs the import that the job asks for.
pub(crate) async fn run(engine: &Inner, run: &JobRun) -> Result<JobResult, Problem> {
    let wanted: ImportImage = serde_json::from_str(&run.job.arguments)?;
    let repository = edit::repository(engine, run).await?;
    let upload = upload::complete(engine, &repository, UploadId(wanted.upload)).await?;
    let outcome = import((engine, run), &wanted, &upload).await;
    if let Err(problem) = outcome.as_ref()
        && !is_of_no_use(problem)
    {
        return outcome.map_err(|problem| stays(problem, &repository, &upload));
    }
    if let Err(problem) = engine.forget(vec![upload.id]).await {
        run.warn("uploads", format!("the uploaded bytes stay behind: {problem}"), "").await;
    }
    outcome
}

/// Whether what came can never become what was asked for.
fn is_of_no_use(problem: &Problem) -> bool {
    problem.code.starts_with("usage.") || problem.is_integrity()
}

fn stays(problem: Problem, repository: &Repository, upload: &Upload) -> Problem {
    let (name, id) = (&repository.name, upload.id);
    let forget = format!("the upload is kept; `wharf upload {name} --forget {id}` forgets it");
    let help = match &problem.help {
        Some(help) => format!("{help}; {forget}"),
        None => forget,
    };
    problem.help(help)
}

async fn import(
    (engine, run): (&Inner, &JobRun),
    wanted: &ImportImage,
    upload: &Upload,
) -> Result<JobResult, Problem> {
    let staged = upload::stage(engine, upload, &run.folder).await?;
    if let Some(expected) = upload.sha256.filter(|expected| *expected != staged.digest) {
        let message = format!(
            "{}: the sha256 of what came is {}, announced was {expected}",
            upload.name, staged.digest
        );
        return Err(Problem::operation("integrity.digest", message).help("upload it again"));
    }
    let format = look(&staged.path, staged.size).await?;
    let format = format.ok_or_else(|| {
        let message = format!("{} is no image of a kind that is known by its bytes", upload.name);
        Problem::usage("usage.image", message)
            .help("known are qcow2, vmdk, vhd, vhdx, vdi, iso, squashfs, ova, tar archives and raw disks with a boot sector")
    })?;
    let brought = Brought { file: upload.name.clone(), format, staged };
    let unit = save(engine, run, wanted, brought).await?;
    let mut tries = 0;
    let (result, before) = loop {
        let repository = edit::repository(engine, run).await?;
        let before = alike(engine, &repository, unit).await;
        let outcome = edit::add(engine, run, &repository, unit).await;
        tries += 1;
        match outcome {
            Err(problem) if problem.code == "conflict.base_moved" && tries < TRIES => {}
            // Not to know it is no reason to fail: the image is there.
            outcome => break (outcome?, before.unwrap_or_default()),
        }
    };
    for image in before {
        let text = format!("takes the place of image {image} in the newest version");
        run.warn("image.replaced", text, "").await;
    }
    let JobResult { added, removed, unchanged, version, changed, .. } = result;
    let unit = Some(unit.0);
    Ok(JobResult { added, removed, unchanged, version, changed, unit, ..run.result() })
}

/// Other images of the newest version that are called the same in all words of the key, and were made by another job.
async fn alike(
    engine: &Inner,
    repository: &Repository,
    unit: UnitId,
) -> Result<Vec<UnitId>, Problem> {
    let meta = &engine.store.meta;
    let row = meta.units_by_id(vec![unit], false).await?.pop();
    let row = row.ok_or_else(|| Problem::fault("internal", "the saved unit is gone"))?;
    let key: Map<String, Value> = serde_json::from_str(&row.key)?;
    let words = key.into_iter().filter(|(name, _)| name != BUILD);
    let equals = |(name, value): (String, Value)| FieldEquals { name, value: value.to_string() };
    let filter = words.map(equals).collect();
    let query = UnitQuery { types: vec![row.type_id], filter, ..UnitQuery::default() };
    let found = meta.units(repository.id, repository.current_version, query).await?;
    Ok(found.into_iter().map(|row| row.id).filter(|id| *id != unit).collect())
}

/// Reads both ends of a file.
async fn look(path: &Path, size: u64) -> Result<Option<Format>, Problem> {
    let path: PathBuf = path.to_owned();
    staging::blocking(move || {
        let failed = |error: std::io::Error| Problem::operation("storage.read", error.to_string());
        let file = File::open(&path).map_err(failed)?;
        let read = |at: u64, most: usize| -> Result<Vec<u8>, Problem> {
            let length = usize::try_from(size - at).unwrap_or(usize::MAX).min(most);
            let mut bytes = vec![0; length];
            file.read_exact_at(&mut bytes, at).map_err(failed)?;
            Ok(bytes)
        };
        let head = read(0, format::HEAD)?;
        let tail = read(size.saturating_sub(format::TAIL as u64), format::TAIL)?;
        Ok(recognise(&head, &tail, size))
    })
    .await
}

/// Saves the unit and its bytes; it is in no version yet.
async fn save(
    engine: &Inner,
    run: &JobRun,
    wanted: &ImportImage,
    brought: Brought,
) -> Result<UnitId, Problem> {
    let name = name(wanted, &brought);
    let (type_id, key, path) = match &wanted.of {
        ImportOf::System { name: os, version } => {
            let key = json!({
                "name": name, "os": os, "os_version": version, "architecture": wanted.architecture,
                BUILD: run.id(),
            });
            ("image_base", key, base_file(&brought)?.to_owned())
        }
        ImportOf::Target(target) => {
            let key = json!({
                "name": name, "target": target, "architecture": wanted.architecture, BUILD: run.id(),
            });
            ("image_target", key, format!("{}.{}", safe(&name), brought.format.ending))
        }
    };
    let attributes = attributes(&brought);
    let mut staged = vec![(path, brought.format.media_type, brought.staged)];
    if let ImportOf::System { name: os, version } = &wanted.of {
        let template = template(&name, (os, version, &wanted.architecture), &brought.file);
        let written = staging::write(&run.folder.fresh(), template.into_bytes()).await?;
        staged.push((TEMPLATE.to_owned(), TEMPLATE_TYPE, written));
    }
    let missing = || Problem::fault("internal", "the types of images are not registered");
    let kind = engine.types.get(type_id).ok_or_else(missing)?;
    let key = canonical_key(&kind.definition, &key.to_string(), &attributes, None)
        .map_err(|error| Problem::fault("internal", error.to_string()))?;
    let (mut files, mut artifacts, mut bytes) = (Vec::new(), Vec::new(), Vec::new());
    for (path, media_type, staged) in staged {
        let path: Result<RelativePath, PathError> = path.parse();
        files.push(NewFile {
            path: path.map_err(|error| Problem::fault("internal", error.to_string()))?,
            sha256: Some(staged.digest),
            size: Some(staged.size),
            media_type: media_type.to_owned(),
            digests: Vec::new(),
            sources: Vec::new(),
        });
        artifacts.push(NewArtifact { digest: staged.digest, size: staged.size });
        bytes.push(staged);
    }
    engine.store.blobs.adopt(bytes).await?;
    let unit = NewUnit {
        type_id: kind.id,
        key: key.text,
        key_digest: key.digest,
        repo_key: key.repo_key,
        attributes,
        files,
    };
    let repository = edit::repository(engine, run).await?;
    let saved =
        engine.store.meta.save_units(run.lease, repository.id, vec![unit], artifacts).await?;
    let saved = saved.into_iter().next();
    saved.map(|saved| saved.unit).ok_or_else(|| Problem::fault("internal", "no unit was saved"))
}

fn attributes(brought: &Brought) -> String {
    let mut attributes = Map::new();
    attributes.insert("format".to_owned(), brought.format.name.into());
    if let Some(size) = brought.format.virtual_size {
        attributes.insert("virtual_size".to_owned(), size.into());
    }
    attributes.insert("imported".to_owned(), brought.file.clone().into());
    attributes.insert("built_ms".to_owned(), clock::now_ms().into());
    Value::Object(attributes).to_string()
}

/// What builders look for in a base image.
fn base_file(brought: &Brought) -> Result<&'static str, Problem> {
    match brought.format.name {
        "qcow2" => Ok("disk.qcow2"),
        "tar.zst" => Ok("rootfs.tar.zst"),
        other => {
            let message = format!(
                "{} is {other}, and a base image is a qcow2 disk or a tar.zst",
                brought.file
            );
            Err(Problem::usage("usage.image", message).help(advice(other)))
        }
    }
}

/// What makes a base image of another kind of file.
fn advice(format: &str) -> &'static str {
    match format {
        "tar" => "if it is a root file system, pack it: zstd FILE -o rootfs.tar.zst",
        "tar.gz" => {
            "if it is a root file system, pack it anew: gzip -dc FILE | zstd -o rootfs.tar.zst"
        }
        "squashfs" => "pack it anew: sqfs2tar FILE | zstd -o rootfs.tar.zst",
        "oci-archive" => {
            "lay its layers into one folder, as umoci unpack does, then pack that with tar and zstd"
        }
        "ova" => {
            "take its disk out with tar -xf FILE, then qemu-img convert -O qcow2 DISK disk.qcow2"
        }
        "iso" => "install it on a disk first: a base image holds an installed system",
        _ => "make one of it first: qemu-img convert -O qcow2 FILE disk.qcow2",
    }
}

/// Builds begin with a template. Where the system came from, nobody said.
fn template(name: &str, (os, version, architecture): (&str, &str, &str), file: &str) -> String {
    json!({
        "name": name,
        "description": format!("imported from {file}"),
        "os": {
            "name": os, "version": version, "arch": architecture,
            "install": { "type": "url", "url": "file:///" },
        },
    })
    .to_string()
}

/// As asked, else as the file, without what comes after its first dot.
fn name(wanted: &ImportImage, brought: &Brought) -> String {
    if !wanted.name.is_empty() {
        return wanted.name.clone();
    }
    let file = brought.file.rsplit('/').next().unwrap_or_default();
    let stem = file.trim_start_matches('.').split('.').next().unwrap_or_default();
    if stem.is_empty() { "image".to_owned() } else { stem.to_owned() }
}

/// Safe for every file system.
fn safe(name: &str) -> String {
    let letter = |it: char| if it.is_ascii_alphanumeric() || "._-".contains(it) { it } else { '_' };
    let safe: String = name.chars().map(letter).take(NAME_CHARS).collect();
    match safe.trim_start_matches('.') {
        "" => "image".to_owned(),
        safe => safe.to_owned(),
    }
}
