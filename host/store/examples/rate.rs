//! How fast the store is: units saved and committed, known ones found, files published and looked up.
//!
//! `cargo run --release -p wharf-store --example rate [UNITS]`. Prints for each step its wall time, the CPU time of the
//! whole process and the rate by CPU time.

use std::error::Error;
use std::io::Write as _;
use std::time::{Duration, Instant};

use wharf_store::Store;
use wharf_store::model::{
    AttachmentId, CommitVersion, Digest, EntryFrom, JobEnd, JobState, KeyField, LastRun, Lease,
    NewArtifact, NewAttachment, NewEntry, NewFile, NewJob, NewUnit, RepositoryId, Source,
    TypeDefinition, TypeId, UnitId, UnitQuery, VersionMode, canonical_key,
};

const BATCH: usize = 1_000;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let count = std::env::args().nth(1).map_or(Ok(63_000), |text| text.parse())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build()?;
    runtime.block_on(run(count))
}

/// The CPU time of this process so far.
fn cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

struct Step {
    begun: Instant,
    cpu: Duration,
}

impl Step {
    fn begin() -> Self {
        Self { begun: Instant::now(), cpu: cpu() }
    }

    fn end(self, what: &str, count: usize) -> Outcome<()> {
        let (wall, cpu) = (self.begun.elapsed(), cpu().saturating_sub(self.cpu));
        let count = u32::try_from(count)?;
        let rate = f64::from(count) / cpu.as_secs_f64();
        writeln!(
            std::io::stdout(),
            "{what:<28} {count:>7}  wall {:>8.1} ms  cpu {:>8.1} ms  {rate:>10.0}/s",
            wall.as_secs_f64() * 1e3,
            cpu.as_secs_f64() * 1e3,
        )?;
        Ok(())
    }
}

struct Bench {
    store: Store,
    repository: RepositoryId,
    attachment: AttachmentId,
    type_id: TypeId,
    definition: TypeDefinition,
}

async fn run(count: usize) -> Outcome<()> {
    for (name, immediate) in [("immediate", true), ("on demand", false)] {
        writeln!(std::io::stdout(), "-- {name}")?;
        let folder = tempfile::tempdir()?;
        let step = Step::begin();
        let store = Store::open(folder.path()).await?;
        step.end("open a new store", 1)?;
        let bench = Bench::new(store).await?;
        bench.all(count, immediate).await?;
        let step = Step::begin();
        bench.store.close().await;
        step.end("close", 1)?;
        let step = Step::begin();
        let store = Store::open(folder.path()).await?;
        store.meta.recover().await?;
        store.meta.repositories().await?;
        step.end("open it again", 1)?;
        let size = std::fs::metadata(folder.path().join("wharf.db"))?.len();
        writeln!(std::io::stdout(), "database: {} bytes a unit", size / count as u64)?;
        store.close().await;
    }
    Ok(())
}

impl Bench {
    async fn new(store: Store) -> Outcome<Self> {
        let field = |name: &str, from_artifact| KeyField { name: name.to_owned(), from_artifact };
        let definition = TypeDefinition {
            id: "file".to_owned(),
            display_name: "File".to_owned(),
            description: "A file".to_owned(),
            unit_key: vec![field("path", false), field("digest", true)],
            search_indexes: Vec::new(),
            referenced_types: Vec::new(),
            version: 1,
            repo_key: vec!["path".to_owned()],
            attributes: None,
        };
        store.meta.register_types("file", "1.0.0", vec![definition.clone()]).await?;
        let type_id = store.meta.type_by_name("file").await?.ok_or("no type")?.id;
        let repository = store.meta.create_repository(&"demo".parse()?, Vec::new()).await?.id;
        let attachment = NewAttachment {
            component: "file.distributor".to_owned(),
            instance: "default".to_owned(),
            role: "distributor".to_owned(),
            settings: serde_json::json!({}),
            path: Some("demo".parse()?),
        };
        let attachment = store.meta.attach(repository, attachment).await?.id;
        Ok(Self { store, repository, attachment, type_id, definition })
    }

    async fn job(&self, operation: &str) -> Outcome<Lease> {
        let job = NewJob {
            operation: operation.to_owned(),
            repository: Some(self.repository),
            attachment: Some(self.attachment),
            arguments: "{}".to_owned(),
            callbacks: Vec::new(),
        };
        let job = self.store.meta.submit_job(job).await?;
        Ok(self.store.meta.claim(job.id).await?.1)
    }

    async fn finish(&self, lease: Lease) -> Outcome<()> {
        let end = JobEnd { state: JobState::Succeeded, problem: None, result: None };
        self.store.meta.finish(lease, end).await?;
        Ok(())
    }

    fn unit(&self, number: usize) -> Outcome<NewUnit> {
        let path = format!("pool/main/{:03}/package-{number:06}_1.0-1_amd64.deb", number % 700);
        let digest = Digest::of(path.as_bytes());
        let key = format!("{{\"path\":\"{path}\"}}");
        let key = canonical_key(&self.definition, &key, "{}", Some(&digest))?;
        let source = Source {
            url: format!("https://mirror.example.org/debian/{path}"),
            headers: std::collections::BTreeMap::new(),
        };
        let file = NewFile {
            path: path.parse()?,
            sha256: Some(digest),
            size: Some(1_024),
            media_type: String::new(),
            digests: vec![format!("sha256:{digest}")],
            sources: vec![source],
        };
        Ok(NewUnit {
            type_id: self.type_id,
            key: key.text,
            key_digest: key.digest,
            repo_key: key.repo_key,
            attributes: "{}".to_owned(),
            files: vec![file],
        })
    }

    async fn all(&self, count: usize, immediate: bool) -> Outcome<()> {
        let step = Step::begin();
        let units = (0..count).map(|number| self.unit(number));
        let units = units.collect::<Outcome<Vec<_>>>()?;
        step.end("make units with their keys", count)?;
        let keys: Vec<_> = units.iter().map(|unit| (self.type_id, unit.key_digest)).collect();
        let places: Vec<_> = units.iter().filter_map(|unit| unit.repo_key).collect();
        let lease = self.job("sync").await?;
        let step = Step::begin();
        for batch in keys.chunks(BATCH) {
            self.store.meta.known(self.repository, batch.to_vec()).await?;
        }
        step.end("known, none is", count)?;
        let present = self.save(lease, units, immediate).await?;
        self.commit(lease, 0, &present).await?;
        self.finish(lease).await?;
        let step = Step::begin();
        for batch in keys.chunks(BATCH) {
            self.store.meta.known(self.repository, batch.to_vec()).await?;
        }
        step.end("known, all are", count)?;
        let step = Step::begin();
        for batch in places.chunks(BATCH) {
            self.store.meta.members_by_repo_key(self.repository, batch.to_vec()).await?;
        }
        step.end("members by place", count)?;
        self.again(&present).await?;
        self.publish(count).await?;
        self.look_up(count)
    }

    async fn save(
        &self,
        lease: Lease,
        units: Vec<NewUnit>,
        immediate: bool,
    ) -> Outcome<Vec<(UnitId, Option<String>)>> {
        let count = units.len();
        let step = Step::begin();
        let mut present = Vec::with_capacity(count);
        let mut units = units.into_iter();
        loop {
            let batch: Vec<NewUnit> = units.by_ref().take(BATCH).collect();
            if batch.is_empty() {
                break;
            }
            let files = batch.iter().flat_map(|unit| &unit.files);
            let artifacts = files
                .filter(|_| immediate)
                .filter_map(|file| Some(NewArtifact { digest: file.sha256?, size: file.size? }))
                .collect();
            let saved =
                self.store.meta.save_units(lease, self.repository, batch, artifacts).await?;
            present.extend(saved.into_iter().map(|saved| (saved.unit, None)));
        }
        step.end("save units", count)?;
        Ok(present)
    }

    async fn commit(
        &self,
        lease: Lease,
        base: u64,
        present: &[(UnitId, Option<String>)],
    ) -> Outcome<()> {
        let step = Step::begin();
        let commit = CommitVersion {
            repository: self.repository,
            base,
            mode: VersionMode::Mirror,
            present: present.to_vec(),
            removed: Vec::new(),
            info: String::new(),
            attachment: Some(self.attachment),
            state: None,
            outcome: "succeeded".to_owned(),
            settings_digest: String::new(),
        };
        self.store.meta.commit_version(lease, commit).await?;
        step.end("commit the version", present.len())
    }

    async fn again(&self, present: &[(UnitId, Option<String>)]) -> Outcome<()> {
        let step = Step::begin();
        let lease = self.job("sync").await?;
        let last = self.last_run();
        self.store.meta.keep_version(lease, self.attachment, None, last).await?;
        self.finish(lease).await?;
        step.end("a job with nothing to do", 1)?;
        let lease = self.job("sync").await?;
        self.commit(lease, 1, present).await?;
        self.finish(lease).await
    }

    fn last_run(&self) -> LastRun {
        LastRun {
            finished_ms: self.attachment.0,
            version: 1,
            outcome: "succeeded".to_owned(),
            settings_digest: String::new(),
        }
    }

    async fn publish(&self, count: usize) -> Outcome<()> {
        let meta = &self.store.meta;
        let lease = self.job("publish").await?;
        let step = Step::begin();
        let publication = meta.begin_publication(lease, self.attachment, 1).await?;
        let mut after = None;
        loop {
            let query = UnitQuery { after, with_files: true, ..UnitQuery::default() };
            let page = meta.units(self.repository, 1, query).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.id);
            let entries = page.iter().flat_map(|unit| {
                unit.files.iter().map(|file| NewEntry {
                    path: file.path.clone(),
                    from: EntryFrom::UnitFile(unit.id, file.path.clone()),
                    media_type: String::new(),
                    modified_ms: 0,
                    entry_point: false,
                    headers: Vec::new(),
                })
            });
            meta.save_entries(lease, publication, entries.collect()).await?;
        }
        step.end("read units, save entries", count)?;
        let step = Step::begin();
        let grace = Duration::from_mins(1);
        meta.go_live(lease, publication, None, self.last_run(), grace).await?;
        step.end("go live", count)?;
        self.finish(lease).await?;
        let lease = self.job("publish").await?;
        let step = Step::begin();
        let publication = meta.begin_publication(lease, self.attachment, 1).await?;
        meta.pass_through(lease, publication, "", Vec::new(), 0).await?;
        meta.go_live(lease, publication, None, self.last_run(), grace).await?;
        step.end("pass through, go live", count)?;
        self.finish(lease).await
    }

    fn look_up(&self, count: usize) -> Outcome<()> {
        let paths = (0..count).map(|number| {
            format!("demo/pool/main/{:03}/package-{number:06}_1.0-1_amd64.deb", number % 700)
        });
        let paths: Vec<String> = paths.collect();
        let step = Step::begin();
        for path in &paths {
            self.store.meta.lookup_blocking(path)?;
        }
        step.end("look up paths", count)?;
        let step = Step::begin();
        for _ in 0..100 {
            self.store.meta.lookup_blocking("demo/pool/main/")?;
        }
        step.end("list 700 directories", 100)
    }
}
