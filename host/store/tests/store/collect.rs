//! What nobody needs goes, and nothing else, whatever runs meanwhile and wherever it is cut off (F89, F90).

use std::collections::BTreeSet;

use proptest::prelude::*;
use wharf_store::Store;
use wharf_store::blobs::list::FOLDERS;
use wharf_store::model::{
    Digest, Lease, NewArtifact, RepositoryChange, Staged, UnitId, UnitQuery, VersionMode,
};

use crate::support::{Fixture, lease};

/// A sync that mirrors these texts, one step after the other; between two of them anything may happen.
struct Sync<'a> {
    fixture: &'a Fixture,
    texts: Vec<u8>,
    lease: Lease,
    step: u8,
    missing: Vec<Digest>,
    present: Vec<UnitId>,
}

impl<'a> Sync<'a> {
    async fn begin(fixture: &'a Fixture, texts: Vec<u8>) -> Self {
        let lease = fixture.lease("sync").await;
        Self { fixture, texts, lease, step: 0, missing: Vec::new(), present: Vec::new() }
    }

    fn digests(&self) -> Vec<Digest> {
        self.texts.iter().map(|text| Digest::of(text.to_string().as_bytes())).collect()
    }

    /// Says whether there is more to do.
    async fn step(&mut self) -> bool {
        let Fixture { store, repository, .. } = self.fixture;
        self.step += 1;
        match self.step {
            1 => {
                let digests = self.digests();
                let found = store.meta.hold_artifacts(self.lease, digests.clone()).await.unwrap();
                let pairs = digests.into_iter().zip(found);
                self.missing =
                    pairs.filter(|(_, size)| size.is_none()).map(|(digest, _)| digest).collect();
            }
            2 => {
                let folder = store.blobs.job_folder(self.lease.job).await.unwrap();
                let mut staged = Vec::new();
                for text in &self.texts {
                    let bytes = text.to_string();
                    let digest = Digest::of(bytes.as_bytes());
                    if self.missing.contains(&digest) {
                        let path = folder.join(&bytes);
                        std::fs::write(&path, &bytes).unwrap();
                        staged.push(Staged { path, digest, size: bytes.len() as u64 });
                    }
                }
                store.blobs.adopt(staged).await.unwrap();
            }
            3 => {
                let units = self.texts.iter().map(|text| {
                    self.fixture.unit(&format!("f{text}"), text.to_string().as_bytes())
                });
                let artifacts =
                    self.missing.iter().map(|digest| NewArtifact { digest: *digest, size: 1 });
                let saved = store.meta.save_units(
                    self.lease,
                    *repository,
                    units.collect(),
                    artifacts.collect(),
                );
                self.present = saved.await.unwrap().into_iter().map(|saved| saved.unit).collect();
            }
            4 => {
                let base = store.meta.repository("demo").await.unwrap().unwrap().current_version;
                let commit = self.fixture.version(base, VersionMode::Mirror, &self.present);
                store.meta.commit_version(self.lease, commit).await.unwrap();
            }
            _ => {
                store.blobs.remove_job_folder(self.lease.job).await.unwrap();
                self.fixture.finish(self.lease).await;
                return false;
            }
        }
        true
    }
}

/// A collection, one step after the other, working on what an earlier step saw.
struct Collection<'a> {
    store: &'a Store,
    lease: Lease,
    step: u8,
    units: Vec<UnitId>,
    bytes: Vec<Digest>,
}

impl<'a> Collection<'a> {
    async fn begin(fixture: &'a Fixture) -> Self {
        let store = &fixture.store;
        let lease = lease(store, "gc", fixture.repository, fixture.importer).await;
        Self { store, lease, step: 0, units: Vec::new(), bytes: Vec::new() }
    }

    async fn step(&mut self) -> bool {
        let meta = &self.store.meta;
        self.step += 1;
        match self.step {
            1 => self.units = meta.orphans(None, 1_000).await.unwrap(),
            2 => drop(meta.drop_units(self.lease, self.units.clone()).await.unwrap()),
            3 => self.bytes = blobs(self.store).await.into_iter().collect(),
            4 => self.bytes = meta.unneeded(self.bytes.clone()).await.unwrap(),
            5 => self.bytes = meta.forget_bytes(self.lease, self.bytes.clone()).await.unwrap(),
            6 => {
                let files = std::mem::take(&mut self.bytes);
                meta.remove_files(self.lease, &self.store.blobs, files).await.unwrap();
            }
            7 => drop(meta.forget_absent(self.lease, 0).await.unwrap()),
            _ => return false,
        }
        true
    }

    async fn finish(mut self, fixture: &Fixture) {
        while self.step().await {}
        fixture.finish(self.lease).await;
    }
}

async fn blobs(store: &Store) -> BTreeSet<Digest> {
    let mut found = BTreeSet::new();
    for folder in 0..FOLDERS {
        let folder = store.blobs.list(u8::try_from(folder).unwrap()).await.unwrap();
        found.extend(folder.into_iter().map(|found| found.digest));
    }
    found
}

/// Every unit of every version has its bytes. Answers these.
async fn check(fixture: &Fixture) -> BTreeSet<Digest> {
    let mut needed = BTreeSet::new();
    let meta = &fixture.store.meta;
    for version in meta.versions(fixture.repository).await.unwrap() {
        let query = UnitQuery { with_files: true, ..UnitQuery::default() };
        let units = meta.units(fixture.repository, version.number, query).await.unwrap();
        assert_eq!(units.len() as u64, version.units);
        for file in units.iter().flat_map(|unit| &unit.files) {
            let digest = file.sha256.unwrap();
            assert!(file.present, "{} of version {}", file.path, version.number);
            let (blob, _) = fixture.store.blobs.open_blocking(digest).unwrap().expect("its bytes");
            assert_eq!(wharf_store::blobs::hash(blob).unwrap().0, digest);
            needed.insert(digest);
        }
    }
    needed
}

async fn one_version_only(fixture: &Fixture) {
    let change = RepositoryChange { retain: Some(Some(1)), ..RepositoryChange::default() };
    fixture.store.meta.change_repository("demo", change).await.unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(rounds()))]
    // F89
    #[test]
    fn syncs_and_collections_in_any_order_lose_nothing_that_is_needed(
        syncs in prop::collection::vec(prop::collection::btree_set(0_u8..6, 0..4), 1..6),
        order in prop::collection::vec(any::<bool>(), 0..60),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let fixture = Fixture::new().await;
            one_version_only(&fixture).await;
            let mut order = order.into_iter();
            let mut collection = Collection::begin(&fixture).await;
            for texts in syncs {
                let mut sync = Sync::begin(&fixture, texts.into_iter().collect()).await;
                loop {
                    if order.next().unwrap_or(false) {
                        if !collection.step().await {
                            fixture.finish(collection.lease).await;
                            collection = Collection::begin(&fixture).await;
                        }
                    } else if !sync.step().await {
                        break;
                    }
                }
                check(&fixture).await;
            }
            collection.finish(&fixture).await;
            let needed = check(&fixture).await;
            Collection::begin(&fixture).await.finish(&fixture).await;
            assert_eq!(blobs(&fixture.store).await, needed, "what is not needed is gone");
            assert_eq!(check(&fixture).await, needed);
        });
    }

    // F90
    #[test]
    fn a_collection_that_is_cut_off_anywhere_is_finished_by_the_next_one(
        syncs in prop::collection::vec(prop::collection::btree_set(0_u8..6, 0..4), 1..5),
        steps in 0_u8..8,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut fixture = Fixture::new().await;
            one_version_only(&fixture).await;
            for texts in syncs {
                let mut sync = Sync::begin(&fixture, texts.into_iter().collect()).await;
                while sync.step().await {}
            }
            let mut collection = Collection::begin(&fixture).await;
            for _step in 0..steps {
                collection.step().await;
            }
            // The host is gone, and with it all that it held in memory.
            fixture.store.close().await;
            fixture.store = Store::open(fixture.folder.path()).await.unwrap();
            fixture.store.meta.recover().await.unwrap();
            let needed = check(&fixture).await;
            Collection::begin(&fixture).await.finish(&fixture).await;
            assert_eq!(check(&fixture).await, needed);
            assert_eq!(blobs(&fixture.store).await, needed);
        });
    }
}

fn rounds() -> u32 {
    let rounds = std::env::var_os("WHARF_ROUNDS").and_then(|text| text.into_string().ok());
    rounds.and_then(|rounds| rounds.parse().ok()).unwrap_or(25)
}

#[tokio::test]
async fn what_a_running_job_was_told_of_stays_to_its_end() {
    let fixture = Fixture::new().await;
    let meta = &fixture.store.meta;
    let first = fixture.lease("sync").await;
    let units = fixture.save(first, &[("a", "1")]).await;
    fixture.finish(first).await;
    fixture.store.blobs.remove_job_folder(first.job).await.unwrap();
    let second = fixture.lease("sync").await;
    assert_eq!(meta.hold_units(second, vec![units[0], UnitId(99)]).await.unwrap(), [true, false]);
    let gc = fixture.lease("gc").await;
    assert_eq!(meta.drop_units(gc, units.clone()).await.unwrap(), 0);
    fixture.store.blobs.remove_job_folder(second.job).await.unwrap();
    assert_eq!(meta.drop_units(gc, units.clone()).await.unwrap(), 1);
    assert_eq!(meta.hold_units(second, units).await.unwrap(), [false]);
}
