//! Files of a publication: what the plugin names becomes entries; generated files become blobs first.

use wharf_proto::v1::{self, published_file::From};
use wharf_store::model::{
    Digest, EntryFrom, NewArtifact, NewEntry, NewVariant, PublicationId, RelativePath, Staged,
    UnitId,
};

use super::headers;
use crate::engine::Inner;
use crate::jobs::run::JobRun;
use crate::problem::Problem;
use crate::staging;

/// The publication that is being made.
pub(super) struct Target<'a> {
    pub(super) engine: &'a Inner,
    pub(super) run: &'a JobRun,
    pub(super) publication: PublicationId,
    pub(super) previous: Option<PublicationId>,
    /// The time of files that name none.
    pub(super) now_ms: i64,
}

impl Target<'_> {
    /// Saves a batch; says how many files it held.
    pub(super) async fn files(&self, files: v1::PublishedFiles) -> Result<u64, Problem> {
        if files.files.len() > wharf_proto::MAX_BATCH {
            return Err(Problem::protocol("more than 1,000 files in one message"));
        }
        let mut entries = Vec::with_capacity(files.files.len());
        let mut staged = Vec::new();
        let mut named = Vec::new();
        for file in files.files {
            entries.push(self.entry(file, &mut staged, &mut named).await?);
        }
        self.check_named(named).await?;
        let count = entries.len() as u64;
        let meta = &self.engine.store.meta;
        if !staged.is_empty() {
            let artifact = |file: &Staged| NewArtifact { digest: file.digest, size: file.size };
            let artifacts = staged.iter().map(artifact).collect();
            self.engine.store.blobs.adopt(staged).await?;
            meta.save_artifacts(self.run.lease, artifacts).await?;
        }
        meta.save_entries(self.run.lease, self.publication, entries).await?;
        Ok(count)
    }

    async fn entry(
        &self,
        file: v1::PublishedFile,
        staged: &mut Vec<Staged>,
        named: &mut Vec<Digest>,
    ) -> Result<NewEntry, Problem> {
        let path = path(&file.path)?;
        let from = match file.from {
            Some(From::Unit(unit)) => EntryFrom::UnitFile(
                UnitId(i64::try_from(unit.unit).unwrap_or_default()),
                self::path(&unit.path)?,
            ),
            Some(From::Digest(digest)) => {
                let digest = digest.parse().map_err(|error| {
                    Problem::protocol(format!("{path}: the digest is not one: {error}"))
                })?;
                named.push(digest);
                EntryFrom::Artifact(digest)
            }
            Some(From::Staged(from)) => {
                let file = staging::hash_below(self.run.folder.path(), &self::path(&from)?).await?;
                let from = EntryFrom::Artifact(file.digest);
                staged.push(file);
                from
            }
            Some(From::Inline(bytes)) if bytes.len() <= wharf_proto::MAX_INLINE_BYTES => {
                let file = staging::write(&self.run.folder.fresh(), bytes).await?;
                let from = EntryFrom::Artifact(file.digest);
                staged.push(file);
                from
            }
            Some(From::Inline(_)) => {
                return Err(Problem::protocol(format!("{path}: too much inline; stage it")));
            }
            None => return Err(Problem::protocol(format!("{path}: a file without bytes"))),
        };
        Ok(NewEntry {
            headers: headers::checked(&path, file.headers)?,
            path,
            from,
            media_type: file.media_type,
            modified_ms: if file.modified_ms > 0 { file.modified_ms } else { self.now_ms },
            entry_point: file.entry_point,
        })
    }

    /// Digests that the plugin names must be in the store.
    async fn check_named(&self, named: Vec<Digest>) -> Result<(), Problem> {
        if named.is_empty() {
            return Ok(());
        }
        let stored = self.engine.store.meta.hold_artifacts(self.run.lease, named.clone()).await?;
        match named.iter().zip(stored).find(|(_, stored)| stored.is_none()) {
            Some((digest, _)) => Err(Problem::protocol(format!(
                "sha256:{digest} is published, but not in the store"
            ))),
            None => Ok(()),
        }
    }

    pub(super) async fn pass_through(&self, pass: v1::PassThrough) -> Result<(), Problem> {
        let prefix = prefix(&pass.prefix)?;
        let types = pass
            .types
            .iter()
            .map(|name| {
                let kind = self.engine.types.get(name).ok_or_else(|| {
                    Problem::protocol(format!("PassThrough names the unknown type \"{name}\""))
                })?;
                Ok(kind.id)
            })
            .collect::<Result<_, Problem>>()?;
        let meta = &self.engine.store.meta;
        let (lease, publication) = (self.run.lease, self.publication);
        meta.pass_through(lease, publication, &prefix, types, self.now_ms).await?;
        Ok(())
    }

    pub(super) async fn reuse(&self, reuse: v1::Reuse) -> Result<(), Problem> {
        let prefix = prefix(&reuse.prefix)?;
        let previous = self
            .previous
            .filter(|previous| previous.0.unsigned_abs() == reuse.publication)
            .ok_or_else(|| {
                Problem::protocol("Reuse names a publication that is not the previous")
            })?;
        let meta = &self.engine.store.meta;
        meta.reuse(self.run.lease, self.publication, previous, &prefix).await?;
        Ok(())
    }

    pub(super) async fn variants(&self, variants: v1::Variants) -> Result<(), Problem> {
        if variants.variants.len() > wharf_proto::MAX_BATCH {
            return Err(Problem::protocol("more than 1,000 variants in one message"));
        }
        let variants = variants.variants.into_iter().map(variant).collect::<Result<_, _>>()?;
        let meta = &self.engine.store.meta;
        Ok(meta.save_variants(self.run.lease, self.publication, variants).await?)
    }

    pub(super) async fn aliases(&self, aliases: v1::Aliases) -> Result<(), Problem> {
        let mut entries = Vec::with_capacity(aliases.aliases.len());
        for alias in aliases.aliases {
            entries.push(self.alias(&alias).await?);
        }
        let meta = &self.engine.store.meta;
        Ok(meta.save_entries(self.run.lease, self.publication, entries).await?)
    }

    /// A redirect, or the same bytes under a second name.
    async fn alias(&self, alias: &v1::Alias) -> Result<NewEntry, Problem> {
        if let Some(folder) = alias.target.strip_suffix('/').filter(|_| alias.redirect) {
            return self.to_folder(&alias.path, folder).await;
        }
        let (path, target) = (path(&alias.path)?, path(&alias.target)?);
        let meta = &self.engine.store.meta;
        let entry = meta.entry(self.publication, target.as_str()).await?.ok_or_else(|| {
            Problem::protocol(format!("the alias {path} names {target}, which is not published"))
        })?;
        let from = match (alias.redirect, entry.unit, entry.sha256) {
            (true, _, _) => EntryFrom::Redirect(target.to_string()),
            (false, Some((unit, file)), _) => EntryFrom::UnitFile(unit, file),
            (false, None, Some(digest)) => EntryFrom::Artifact(digest),
            (false, None, None) => {
                return Err(Problem::protocol(format!("the alias {path} names another alias")));
            }
        };
        Ok(NewEntry {
            path,
            from,
            media_type: entry.media_type,
            modified_ms: entry.modified_ms,
            entry_point: false,
            headers: entry.headers,
        })
    }
}

impl Target<'_> {
    /// A redirect to a folder that has files.
    async fn to_folder(&self, from: &str, folder: &str) -> Result<NewEntry, Problem> {
        let (from, folder) = (path(from)?, path(folder)?);
        let meta = &self.engine.store.meta;
        let files = meta.entries(self.publication, folder.as_str(), None, 1).await?;
        if files.is_empty() {
            return Err(Problem::protocol(format!(
                "the alias {from} names {folder}/, where nothing is published"
            )));
        }
        Ok(NewEntry {
            path: from,
            from: EntryFrom::Redirect(format!("{folder}/")),
            media_type: String::new(),
            modified_ms: self.now_ms,
            entry_point: false,
            headers: Vec::new(),
        })
    }
}

/// A representation whose media types can be held against what clients accept.
fn variant(variant: v1::Variant) -> Result<NewVariant, Problem> {
    let folder = variant.path.strip_suffix('/');
    path(folder.unwrap_or(&variant.path))?;
    for media_type in variant.also.iter().chain([&variant.media_type]) {
        let essence = media_type.split(';').next().unwrap_or_default();
        let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'*' && byte != b',';
        if !essence.contains('/') || !essence.bytes().all(plain) {
            let problem = format!("{}: {media_type:?} is no media type of a variant", variant.path);
            return Err(Problem::protocol(problem));
        }
    }
    if !matches!(variant.encoding.as_str(), "" | "gzip") {
        let problem =
            format!("{}: {:?} is no encoding of a variant", variant.path, variant.encoding);
        return Err(Problem::protocol(problem));
    }
    if let Some(odd) = variant.also.iter().find(|it| it.contains([';', ' '])) {
        return Err(Problem::protocol(format!("{}: {odd:?} has parameters", variant.path)));
    }
    Ok(NewVariant {
        target: path(&variant.target)?,
        path: variant.path,
        media_type: variant.media_type,
        also: variant.also,
        encoding: variant.encoding,
    })
}

/// A checked path, or nothing.
fn prefix(text: &str) -> Result<String, Problem> {
    if text.is_empty() { Ok(String::new()) } else { path(text).map(|path| path.to_string()) }
}

fn path(text: &str) -> Result<RelativePath, Problem> {
    text.parse()
        .map_err(|error| Problem::protocol(format!("{text:?} is no safe relative path: {error}")))
}
