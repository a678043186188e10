//! Versions that go, by hand or because a repository keeps only some: those that stay hold what they held.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use wharf_store::model::{LastRun, RepositoryChange, UnitId, VersionMode};

use crate::support::Fixture;

const MIRROR: VersionMode = VersionMode::Mirror;

async fn retain(fixture: &Fixture, retain: u64) {
    let retain = Some(Some(retain).filter(|retain| *retain > 0));
    let change = RepositoryChange { retain, ..RepositoryChange::default() };
    fixture.store.meta.change_repository("demo", change).await.unwrap();
}

async fn numbers(fixture: &Fixture) -> Vec<u64> {
    let versions = fixture.store.meta.versions(fixture.repository).await.unwrap();
    versions.into_iter().map(|version| version.number).collect()
}

#[tokio::test]
async fn the_newest_versions_are_kept_and_those_that_clients_see() {
    let fixture = Fixture::new().await;
    let meta = &fixture.store.meta;
    fixture.sync(0, MIRROR, &[("a", "1")]).await;
    let lease = fixture.lease("publish").await;
    let publication = meta.begin_publication(lease, fixture.distributor, 1).await.unwrap();
    let last = LastRun {
        finished_ms: 1,
        version: 1,
        outcome: "succeeded".to_owned(),
        settings_digest: String::new(),
    };
    meta.go_live(lease, publication, None, last, std::time::Duration::ZERO).await.unwrap();
    fixture.finish(lease).await;
    assert_eq!(meta.live_versions(fixture.repository).await.unwrap(), [1]);
    retain(&fixture, 2).await;
    for base in 1..5 {
        fixture.sync(base, MIRROR, &[("a", &base.to_string()), ("b", "1")]).await;
    }
    assert_eq!(numbers(&fixture).await, [0, 1, 4, 5]);
    assert_eq!(fixture.paths(1).await, ["a"]);
    assert_eq!(fixture.paths(4).await, ["a", "b"]);
    retain(&fixture, 1).await;
    assert_eq!(numbers(&fixture).await, [0, 1, 5], "fewer count at once");
    let shown = meta.delete_version("demo", 1).await.unwrap_err();
    assert_eq!((shown.code(), shown.to_string().contains("published")), ("conflict.version", true));
    for number in [0, 5] {
        let kept = meta.delete_version("demo", number).await.unwrap_err();
        assert_eq!(kept.code(), "conflict.version");
    }
    assert_eq!(meta.delete_version("demo", 3).await.unwrap_err().code(), "not_found.version");
    retain(&fixture, 0).await;
    fixture.sync(5, MIRROR, &[("c", "1")]).await;
    assert_eq!(numbers(&fixture).await, [0, 1, 5, 6]);
    let lease = fixture.lease("sync").await;
    assert_eq!(meta.delete_version("demo", 5).await.unwrap_err().code(), "conflict.in_use");
    fixture.finish(lease).await;
    meta.delete_version("demo", 5).await.unwrap();
    assert_eq!(numbers(&fixture).await, [0, 1, 6]);
}

#[derive(Debug, Clone)]
enum Step {
    Sync(BTreeMap<u8, u8>),
    Delete(usize),
    Retain(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => prop::collection::btree_map(0_u8..5, 0_u8..3, 0..5).prop_map(Step::Sync),
        2 => (0_usize..8).prop_map(Step::Delete),
        1 => (0_u64..4).prop_map(Step::Retain),
    ]
}

type Units = BTreeSet<UnitId>;

/// Every version holds what it held when it was made, and counts against the one that is before it now.
async fn check(fixture: &Fixture, model: &BTreeMap<u64, Units>, known: &Units) {
    let versions = fixture.store.meta.versions(fixture.repository).await.unwrap();
    let numbers: Vec<u64> = versions.iter().map(|version| version.number).collect();
    assert_eq!(numbers, model.keys().copied().collect::<Vec<_>>());
    let mut before = &Units::new();
    for version in &versions {
        let wanted = &model[&version.number];
        let found: Units =
            fixture.units(version.number).await.into_iter().map(|unit| unit.id).collect();
        assert_eq!(&found, wanted, "version {}", version.number);
        let counts = (version.units, version.added, version.removed);
        let (added, removed) =
            (wanted.difference(before).count(), before.difference(wanted).count());
        assert_eq!(counts, (wanted.len() as u64, added as u64, removed as u64), "{version:?}");
        before = wanted;
    }
    let held: Units = model.values().flatten().copied().collect();
    let orphans: Units =
        fixture.store.meta.orphans(None, 1_000).await.unwrap().into_iter().collect();
    assert_eq!(orphans, known.difference(&held).copied().collect::<Units>());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn whatever_goes_the_others_hold_what_they_held(steps in prop::collection::vec(step(), 1..14)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let fixture = Fixture::new().await;
            let mut model: BTreeMap<u64, Units> = BTreeMap::from([(0, Units::new())]);
            let mut known = Units::new();
            let mut keep = 0;
            for step in steps {
                let newest = *model.keys().next_back().unwrap();
                match step {
                    Step::Sync(units) => {
                        let lease = fixture.lease("sync").await;
                        let named: Vec<(String, String)> = units
                            .iter()
                            .map(|(path, bytes)| (path.to_string(), bytes.to_string()))
                            .collect();
                        let named: Vec<(&str, &str)> =
                            named.iter().map(|(path, bytes)| (&**path, &**bytes)).collect();
                        let present = fixture.save(lease, &named).await;
                        let commit = fixture.version(newest, MIRROR, &present);
                        let committed = fixture.store.meta.commit_version(lease, commit).await;
                        if let Some(number) = committed.unwrap().version {
                            model.insert(number, present.iter().copied().collect());
                        }
                        known.extend(present);
                        fixture.finish(lease).await;
                    }
                    Step::Delete(place) => {
                        let number = *model.keys().nth(place % model.len()).unwrap();
                        let deleted = fixture.store.meta.delete_version("demo", number).await;
                        assert_eq!(deleted.is_ok(), number != 0 && number != newest);
                        if deleted.is_ok() {
                            model.remove(&number);
                        }
                    }
                    Step::Retain(number) => {
                        keep = number;
                        retain(&fixture, number).await;
                    }
                }
                while keep > 0 && model.len() as u64 > keep.max(1) + 1 {
                    let oldest = *model.keys().nth(1).unwrap();
                    model.remove(&oldest);
                }
                check(&fixture, &model, &known).await;
            }
        });
    }
}
