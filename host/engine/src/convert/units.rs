//! Declared units: wire units become [`Pending`] ones, checked against their type (F65).

use std::sync::Arc;

use wharf_proto::v1;
use wharf_store::model::{
    CanonicalKey, ChangedFile, ChangedUnit, Digest, NewFile, NewUnit, RelativePath, Source, Staged,
    TypeDefinition, TypeId, UnitId, UnitRow, canonical_key, repo_key,
};
use wharf_supervisor::Manifest;

use crate::engine::Inner;
use crate::problem::Problem;
use crate::unit_types::Type;

/// A declared unit on its way into the store.
pub(crate) struct Pending {
    pub(crate) type_id: TypeId,
    pub(crate) definition: Arc<TypeDefinition>,
    /// None while a key field waits for the digest of the bytes.
    pub(crate) key: Option<CanonicalKey>,
    /// The key as it was declared: a JSON object.
    pub(crate) declared_key: String,
    /// The place in the repository, if the type has places.
    pub(crate) repo_key: Option<[u8; 32]>,
    /// JSON object.
    pub(crate) attributes: String,
    pub(crate) files: Vec<PendingFile>,
    /// What the listing said.
    pub(crate) revision: Option<String>,
}

/// A file of a declared unit.
pub(crate) struct PendingFile {
    pub(crate) path: RelativePath,
    pub(crate) size: Option<u64>,
    pub(crate) sha256: Option<Digest>,
    /// As declared, the sha256 one included.
    pub(crate) digests: Vec<String>,
    pub(crate) bytes: Bytes,
    pub(crate) eager: bool,
    pub(crate) media_type: String,
}

/// Where a file's bytes are.
pub(crate) enum Bytes {
    /// At one of these addresses.
    Sources(Vec<Source>),
    /// In the job's folder, under this relative path.
    Staged(RelativePath),
    /// Here.
    Inline(Vec<u8>),
    /// In the store already, by their sha256.
    Stored,
    /// To be asked for by Importer.Fetch.
    Fetched,
}

impl Pending {
    /// For people: the path of the unit's file, or its key.
    pub(crate) fn name(&self) -> &str {
        self.files.first().map_or(self.declared_key.as_str(), |file| file.path.as_str())
    }

    /// What tells this unit from others: its key's digest, or its place while the key waits.
    pub(crate) fn identity(&self) -> &[u8; 32] {
        match (&self.key, &self.repo_key) {
            (Some(key), _) => &key.digest,
            (None, Some(place)) => place,
            (None, None) => &[0; 32],
        }
    }

    /// Whether the bytes can be had later.
    pub(crate) fn can_wait(&self) -> bool {
        self.key.is_some()
            && self.files.iter().all(|file| matches!(file.bytes, Bytes::Sources(_) | Bytes::Stored))
    }

    /// Completes the key now that the bytes are known.
    pub(crate) fn complete_key(&mut self) -> Result<(), Problem> {
        if self.key.is_none() {
            let digest = self.files.first().and_then(|file| file.sha256.as_ref());
            let key = canonical_key(&self.definition, &self.declared_key, &self.attributes, digest)
                .map_err(|error| refused(&self.definition, &self.declared_key, &error))?;
            self.key = Some(key);
        }
        Ok(())
    }
}

impl PendingFile {
    /// Holds bytes against what was announced of them.
    pub(crate) fn check(&self, staged: &Staged) -> Result<(), Problem> {
        self.check_size(staged.size)?;
        match self.sha256 {
            Some(expected) if expected != staged.digest => Err(Problem::operation(
                "integrity.digest",
                format!("{}: sha256 is {}, announced was {expected}", self.path, staged.digest),
            )
            .at(self.path.to_string())),
            _ => Ok(()),
        }
    }

    /// Holds a size against the one that was announced.
    pub(crate) fn check_size(&self, size: u64) -> Result<(), Problem> {
        match self.size {
            Some(expected) if expected != size => Err(Problem::operation(
                "integrity.size",
                format!("{} has {size} bytes, announced were {expected}", self.path),
            )
            .at(self.path.to_string())),
            _ => Ok(()),
        }
    }
}

/// Checks a declared unit: its type, its key, its paths and digests.
pub(crate) fn pending(
    engine: &Inner,
    manifest: &Manifest,
    unit: v1::Unit,
    revision: Option<String>,
) -> Result<Pending, Problem> {
    let kind = engine.declared_type(manifest, &unit.r#type)?;
    let attributes = if unit.attributes.is_empty() { "{}".to_owned() } else { unit.attributes };
    kind.check_attributes(&attributes)?;
    let files: Vec<PendingFile> =
        unit.files.into_iter().map(pending_file).collect::<Result<_, _>>()?;
    let digest = files.first().and_then(|file| file.sha256.as_ref());
    let waits =
        digest.is_none() && kind.definition.unit_key.iter().any(|field| field.from_artifact);
    let (key, place) = if waits {
        (None, repo_key(&kind.definition, &unit.key, &attributes))
    } else {
        match canonical_key(&kind.definition, &unit.key, &attributes, digest) {
            Ok(key) => {
                let place = key.repo_key;
                (Some(key), Ok(place))
            }
            Err(error) => (None, Err(error)),
        }
    };
    let repo_key = place.map_err(|error| refused(&kind.definition, &unit.key, &error))?;
    let revision = revision.or_else(|| weak_revision(&files).filter(|_| waits));
    Ok(Pending {
        type_id: kind.id,
        definition: Arc::clone(&kind.definition),
        key,
        declared_key: unit.key,
        repo_key,
        attributes,
        files,
        revision,
    })
}

/// A declared unit, all of whose bytes are known, as it is stored; and its revision.
pub(crate) fn new_unit(pending: Pending) -> Result<(NewUnit, Option<String>), Problem> {
    let Some(key) = pending.key else {
        return Err(Problem::protocol("a unit's key is not complete after its bytes came"));
    };
    let files = pending.files.into_iter().map(|file| NewFile {
        path: file.path,
        sha256: file.sha256,
        size: file.size,
        media_type: file.media_type,
        digests: file.digests,
        sources: match file.bytes {
            Bytes::Sources(sources) => sources,
            _ => Vec::new(),
        },
    });
    let unit = NewUnit {
        type_id: pending.type_id,
        key: key.text,
        key_digest: key.digest,
        repo_key: key.repo_key,
        attributes: pending.attributes,
        files: files.collect(),
    };
    Ok((unit, pending.revision))
}

/// What tells whether a file changed when its sha256 is not announced: whatever digests are.
fn weak_revision(files: &[PendingFile]) -> Option<String> {
    let [file] = files else { return None };
    let has_address = matches!(file.bytes, Bytes::Sources(_)) && !file.digests.is_empty();
    has_address.then(|| file.digests.join(" "))
}

/// Keeps with a unit when its file was last changed, as a listing says, where the unit's type has room for it.
pub(crate) fn note_modified(engine: &Inner, unit: &mut v1::Unit, modified_ms: i64) {
    const FIELD: &str = "modified_ms";
    let text = if unit.attributes.is_empty() { "{}" } else { &unit.attributes };
    let (Some(kind), Ok(mut attributes)) =
        (engine.types.get(&unit.r#type), serde_json::from_str::<serde_json::Value>(text))
    else {
        return;
    };
    let Some(object) = attributes.as_object_mut() else { return };
    if modified_ms != 0 && !object.contains_key(FIELD) {
        object.insert(FIELD.to_owned(), modified_ms.into());
        let text = attributes.to_string();
        if kind.check_attributes(&text).is_ok() {
            unit.attributes = text;
        }
    }
}

fn refused(definition: &TypeDefinition, key: &str, error: &dyn std::error::Error) -> Problem {
    Problem::protocol(format!("a unit of type {} with key {key}: {error}", definition.id))
}

fn pending_file(file: v1::File) -> Result<PendingFile, Problem> {
    let path = path(&file.path)?;
    let sha256 = file.digests.iter().find_map(|digest| digest.strip_prefix("sha256:"));
    let sha256 = sha256.map(str::parse::<Digest>).transpose().map_err(|error| {
        Problem::operation(
            "content.digest",
            format!("the digest of \"{path}\" is not one: {error}"),
        )
        .at(path.to_string())
    })?;
    let bytes = match (file.staged, file.inline) {
        (Some(_), Some(_)) => {
            return Err(Problem::protocol(format!("{path} is both staged and inline")));
        }
        (Some(staged), None) => Bytes::Staged(self::path(&staged)?),
        (None, Some(inline)) if inline.len() > wharf_proto::MAX_INLINE_BYTES => {
            return Err(Problem::protocol(format!(
                "{path} has {} bytes inline; at most {} may, stage it instead",
                inline.len(),
                wharf_proto::MAX_INLINE_BYTES
            )));
        }
        (None, Some(inline)) => Bytes::Inline(inline),
        (None, None) if !file.sources.is_empty() => {
            Bytes::Sources(file.sources.into_iter().map(store_source).collect())
        }
        (None, None) if sha256.is_some() => Bytes::Stored,
        (None, None) => Bytes::Fetched,
    };
    Ok(PendingFile {
        path,
        size: file.size,
        sha256,
        digests: file.digests,
        bytes,
        eager: file.eager,
        media_type: file.media_type,
    })
}

/// A unit that a migration changes. Its type is one of the plugin's; what is empty stays.
pub(crate) fn changed_unit(kind: &Type, unit: v1::Unit) -> Result<ChangedUnit, Problem> {
    let name = &kind.definition.id;
    let id = i64::try_from(unit.id).ok().filter(|id| *id > 0).ok_or_else(|| {
        Problem::protocol(format!(
            "a migrated unit of type {name} names no unit: send the id that QueryUnits gave it"
        ))
    })?;
    if !unit.attributes.is_empty() {
        kind.check_attributes(&unit.attributes)?;
    }
    let files = unit.files.into_iter().map(pending_file).map(|file| {
        let PendingFile { path, sha256, bytes, media_type, .. } = file?;
        match bytes {
            Bytes::Stored | Bytes::Fetched => Ok(ChangedFile { path, sha256, media_type }),
            _ => Err(Problem::protocol(format!("{path}: a migration brings no bytes"))),
        }
    });
    Ok(ChangedUnit {
        unit: UnitId(id),
        type_id: kind.id,
        key: unit.key,
        attributes: unit.attributes,
        files: files.collect::<Result<_, Problem>>()?,
    })
}

/// A path that a plugin names. F98: anything that could leave its folder is refused.
fn path(text: &str) -> Result<RelativePath, Problem> {
    text.parse().map_err(|error| {
        Problem::operation("content.path", format!("{text:?} is no safe relative path: {error}"))
            .at(text.escape_debug().to_string())
    })
}

pub(crate) fn store_source(source: v1::Source) -> Source {
    Source { url: source.url, headers: source.headers.into_iter().collect() }
}

/// The digests of these keys (JSON objects) of one type.
pub(crate) fn key_digests(kind: &Type, keys: &[String]) -> Result<Vec<[u8; 32]>, Problem> {
    keys.iter()
        .map(|key| {
            canonical_key(&kind.definition, key, "{}", None)
                .map(|key| key.digest)
                .map_err(|error| refused(&kind.definition, key, &error))
        })
        .collect()
}

/// A stored unit as a plugin sees it.
pub(crate) fn wire_unit(type_name: &str, unit: UnitRow) -> v1::Unit {
    let files = unit.files.into_iter().map(|file| {
        let mut digests = file.digests;
        if let Some(sha256) = file.sha256 {
            let sha256 = format!("sha256:{sha256}");
            if !digests.contains(&sha256) {
                digests.insert(0, sha256);
            }
        }
        v1::File {
            path: file.path.to_string(),
            size: file.size,
            digests,
            media_type: file.media_type,
            ..v1::File::default()
        }
    });
    v1::Unit {
        r#type: type_name.to_owned(),
        key: unit.key,
        attributes: unit.attributes,
        files: files.collect(),
        links: Vec::new(),
        id: u64::try_from(unit.id.0).unwrap_or_default(),
    }
}

impl Type {
    /// Holds attributes against the schema that the type declares, if it declares one.
    fn check_attributes(&self, attributes: &str) -> Result<(), Problem> {
        let Some(schema) = &self.attributes else { return Ok(()) };
        let name = &self.definition.id;
        let values: serde_json::Value = serde_json::from_str(attributes).map_err(|error| {
            Problem::protocol(format!("attributes of a unit of type {name} are not JSON: {error}"))
        })?;
        schema.validate(&values).map_err(|error| {
            let place = error.instance_path();
            Problem::protocol(format!("attributes of a unit of type {name}, at {place}: {error}"))
        })
    }
}

impl Inner {
    /// A type that this plugin declares (F65).
    pub(crate) fn declared_type(
        &self,
        manifest: &Manifest,
        name: &str,
    ) -> Result<Arc<Type>, Problem> {
        let declares = manifest
            .components
            .iter()
            .flat_map(|component| component.content_types.iter().chain(&component.produces))
            .any(|declared| declared == name);
        self.types.get(name).filter(|_| declares).ok_or_else(|| {
            Problem::protocol(format!(
                "plugin {} sent a unit of type \"{name}\", which its manifest does not declare",
                manifest.name
            ))
        })
    }
}
