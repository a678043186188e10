//! A store in a folder of its own, with one type, one repository and what attaches to it.

use serde_json::json;
use tempfile::TempDir;
use wharf_store::Store;
use wharf_store::model::{
    AttachmentId, CanonicalKey, CommitVersion, Committed, Digest, JobEnd, JobState, KeyField,
    Lease, NewArtifact, NewAttachment, NewFile, NewJob, NewUnit, RepositoryId, Source,
    TypeDefinition, TypeId, UnitId, UnitQuery, UnitRow, VersionMode, canonical_key,
};

pub(crate) struct Fixture {
    pub(crate) store: Store,
    pub(crate) type_id: TypeId,
    pub(crate) definition: TypeDefinition,
    pub(crate) repository: RepositoryId,
    pub(crate) importer: AttachmentId,
    pub(crate) distributor: AttachmentId,
    pub(crate) folder: TempDir,
}

/// A type whose key says which bytes, and whose place says where.
pub(crate) fn definition() -> TypeDefinition {
    let field = |name: &str, from_artifact| KeyField { name: name.to_owned(), from_artifact };
    TypeDefinition {
        id: "file".to_owned(),
        display_name: "File".to_owned(),
        description: "A file".to_owned(),
        unit_key: vec![field("path", false), field("digest", true)],
        search_indexes: vec![vec!["color".to_owned()]],
        referenced_types: Vec::new(),
        version: 1,
        repo_key: vec!["path".to_owned()],
        attributes: None,
    }
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).await.unwrap();
        let definition = definition();
        store.meta.register_types("file", "1.0.0", vec![definition.clone()]).await.unwrap();
        let type_id = store.meta.type_by_name("file").await.unwrap().unwrap().id;
        let (repository, importer, distributor) = repository(&store, "demo").await;
        Self { store, type_id, definition, repository, importer, distributor, folder }
    }

    pub(crate) async fn lease(&self, operation: &str) -> Lease {
        lease(&self.store, operation, self.repository, self.importer).await
    }

    pub(crate) async fn finish(&self, lease: Lease) {
        let end = JobEnd { state: JobState::Succeeded, problem: None, result: None };
        self.store.meta.finish(lease, end).await.unwrap();
    }

    pub(crate) fn key(&self, path: &str, bytes: &[u8]) -> CanonicalKey {
        let key = json!({ "path": path }).to_string();
        canonical_key(&self.definition, &key, "{}", Some(&Digest::of(bytes))).unwrap()
    }

    pub(crate) fn unit(&self, path: &str, bytes: &[u8]) -> NewUnit {
        let key = self.key(path, bytes);
        NewUnit {
            type_id: self.type_id,
            key: key.text,
            key_digest: key.digest,
            repo_key: key.repo_key,
            attributes: json!({ "color": path.len() % 3 }).to_string(),
            files: vec![NewFile {
                path: path.parse().unwrap(),
                sha256: Some(Digest::of(bytes)),
                size: Some(bytes.len() as u64),
                media_type: "text/plain".to_owned(),
                digests: vec!["md5:00".to_owned(), format!("sha256:{}", Digest::of(bytes))],
                sources: vec![source(path)],
            }],
        }
    }

    /// Saves units that are as (path, bytes), without their bytes.
    pub(crate) async fn save(&self, lease: Lease, units: &[(&str, &str)]) -> Vec<UnitId> {
        let units = units.iter().map(|(path, bytes)| self.unit(path, bytes.as_bytes()));
        let units = units.collect();
        let meta = &self.store.meta;
        let saved = meta.save_units(lease, self.repository, units, Vec::new()).await.unwrap();
        saved.into_iter().map(|saved| saved.unit).collect()
    }

    pub(crate) fn version(
        &self,
        base: u64,
        mode: VersionMode,
        present: &[UnitId],
    ) -> CommitVersion {
        CommitVersion {
            repository: self.repository,
            base,
            mode,
            present: present.iter().map(|unit| (*unit, None)).collect(),
            removed: Vec::new(),
            info: String::new(),
            attachment: Some(self.importer),
            state: None,
            outcome: "succeeded".to_owned(),
            settings_digest: String::new(),
        }
    }

    /// One whole sync of units that are as (path, bytes).
    pub(crate) async fn sync(
        &self,
        base: u64,
        mode: VersionMode,
        units: &[(&str, &str)],
    ) -> Committed {
        let lease = self.lease("sync").await;
        let present = self.save(lease, units).await;
        let commit = self.version(base, mode, &present);
        let committed = self.store.meta.commit_version(lease, commit).await.unwrap();
        self.finish(lease).await;
        committed
    }

    pub(crate) async fn units(&self, version: u64) -> Vec<UnitRow> {
        let query = UnitQuery { with_files: true, ..UnitQuery::default() };
        self.store.meta.units(self.repository, version, query).await.unwrap()
    }

    /// The paths of a version's units, with the first letters of their digests left out.
    pub(crate) async fn paths(&self, version: u64) -> Vec<String> {
        let units = self.units(version).await;
        let mut paths: Vec<String> =
            units.iter().map(|unit| unit.files[0].path.to_string()).collect();
        paths.sort();
        paths
    }
}

pub(crate) fn source(path: &str) -> Source {
    Source { url: format!("https://example.org/{path}"), ..Source::default() }
}

pub(crate) fn artifact(bytes: &str) -> NewArtifact {
    NewArtifact { digest: Digest::of(bytes.as_bytes()), size: bytes.len() as u64 }
}

/// A repository with an importer and a distributor that publishes under its name.
pub(crate) async fn repository(
    store: &Store,
    name: &str,
) -> (RepositoryId, AttachmentId, AttachmentId) {
    let id = store.meta.create_repository(&name.parse().unwrap(), Vec::new()).await.unwrap().id;
    let attachment = |role: &str, path: Option<&str>| NewAttachment {
        component: format!("file.{role}"),
        instance: "default".to_owned(),
        role: role.to_owned(),
        settings: json!({ "url": "https://example.org/" }),
        path: path.map(|path| path.parse().unwrap()),
    };
    let importer = store.meta.attach(id, attachment("importer", None)).await.unwrap().id;
    let distributor = attachment("distributor", Some(name));
    let distributor = store.meta.attach(id, distributor).await.unwrap().id;
    (id, importer, distributor)
}

pub(crate) async fn lease(
    store: &Store,
    operation: &str,
    repository: RepositoryId,
    attachment: AttachmentId,
) -> Lease {
    let job = NewJob {
        operation: operation.to_owned(),
        repository: Some(repository),
        attachment: Some(attachment),
        arguments: "{}".to_owned(),
        callbacks: Vec::new(),
    };
    let job = store.meta.submit_job(job).await.unwrap();
    store.meta.claim(job.id).await.unwrap().1
}
