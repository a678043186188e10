//! Versions: mirror, additive, places, moved bases, no change.

use proptest::prelude::*;
use wharf_store::model::{Committed, UnitId, UnitQuery, VersionMode};

use crate::support::Fixture;

const MIRROR: VersionMode = VersionMode::Mirror;
const ADDITIVE: VersionMode = VersionMode::Additive;

fn outcome(committed: Committed) -> (Option<u64>, u64, u64, u64) {
    (committed.version, committed.added, committed.removed, committed.unchanged)
}

#[tokio::test]
async fn a_mirror_holds_what_is_present() {
    let fixture = Fixture::new().await;
    let first = fixture.sync(0, MIRROR, &[("a", "1"), ("b", "1"), ("c", "1")]).await;
    assert_eq!(outcome(first), (Some(1), 3, 0, 0));
    let second = fixture.sync(1, MIRROR, &[("b", "1"), ("c", "2"), ("d", "1")]).await;
    assert_eq!(outcome(second), (Some(2), 2, 2, 1));
    assert_eq!(fixture.paths(0).await, Vec::<String>::new());
    assert_eq!(fixture.paths(1).await, ["a", "b", "c"]);
    assert_eq!(fixture.paths(2).await, ["b", "c", "d"]);
    let back = fixture.sync(2, MIRROR, &[("a", "1"), ("b", "1"), ("c", "1")]).await;
    assert_eq!(outcome(back), (Some(3), 2, 2, 1));
    assert_eq!(fixture.units(3).await, fixture.units(1).await);
    let versions = fixture.store.meta.versions(fixture.repository).await.unwrap();
    let counts: Vec<_> = versions.iter().map(|v| (v.number, v.units, v.added, v.removed)).collect();
    assert_eq!(counts, [(0, 0, 0, 0), (1, 3, 3, 0), (2, 3, 2, 2), (3, 3, 2, 2)]);
}

#[tokio::test]
async fn an_additive_version_keeps_the_rest_and_replaces_what_stood_in_a_place() {
    let fixture = Fixture::new().await;
    fixture.sync(0, ADDITIVE, &[("a", "1"), ("b", "1")]).await;
    let second = fixture.sync(1, ADDITIVE, &[("b", "2"), ("c", "1")]).await;
    assert_eq!(outcome(second), (Some(2), 2, 1, 1));
    assert_eq!(fixture.paths(2).await, ["a", "b", "c"]);
    let lease = fixture.lease("sync").await;
    let a = fixture.save(lease, &[("a", "1")]).await[0];
    let mut commit = fixture.version(2, ADDITIVE, &[]);
    commit.removed = vec![a, UnitId(9_999)];
    let third = fixture.store.meta.commit_version(lease, commit).await.unwrap();
    assert_eq!(outcome(third), (Some(3), 0, 1, 2));
    assert_eq!(fixture.paths(3).await, ["b", "c"]);
    assert_eq!(fixture.paths(2).await, ["a", "b", "c"]);
}

#[tokio::test]
async fn in_a_mirror_too_a_new_unit_takes_the_place_of_one_that_was_kept() {
    let fixture = Fixture::new().await;
    fixture.sync(0, MIRROR, &[("a", "1"), ("b", "1")]).await;
    let second = fixture.sync(1, MIRROR, &[("a", "1"), ("a", "2"), ("b", "1")]).await;
    assert_eq!(outcome(second), (Some(2), 1, 1, 1));
    assert_eq!(fixture.paths(2).await, ["a", "b"]);
}

#[tokio::test]
async fn two_new_units_in_one_place_are_refused_and_both_are_named() {
    let fixture = Fixture::new().await;
    let lease = fixture.lease("sync").await;
    let present = fixture.save(lease, &[("a", "1"), ("a", "2")]).await;
    let commit = fixture.version(0, MIRROR, &present);
    let error = fixture.store.meta.commit_version(lease, commit).await.unwrap_err();
    assert_eq!(error.code(), "content.conflict");
    for bytes in ["1", "2"] {
        let digest = wharf_store::model::Digest::of(bytes.as_bytes()).to_hex();
        assert!(error.to_string().contains(&digest), "{error}");
    }
}

#[tokio::test]
async fn without_a_change_there_is_no_version_but_the_run_is_noted() {
    let fixture = Fixture::new().await;
    let meta = &fixture.store.meta;
    fixture.sync(0, MIRROR, &[("a", "1"), ("b", "1")]).await;
    let lease = fixture.lease("sync").await;
    let present = fixture.save(lease, &[("a", "1"), ("b", "1")]).await;
    let mut commit = fixture.version(1, MIRROR, &present);
    commit.present[0].1 = Some("r1".to_owned());
    commit.state = Some(b"kept".to_vec());
    commit.outcome = "partial".to_owned();
    commit.settings_digest = "s".to_owned();
    let committed = meta.commit_version(lease, commit.clone()).await.unwrap();
    assert_eq!(outcome(committed), (None, 0, 0, 2));
    let attachment = meta.attachment(fixture.importer).await.unwrap().unwrap();
    let last = attachment.last.unwrap();
    assert_eq!(attachment.state, b"kept");
    assert_eq!(
        (last.version, last.outcome.as_str(), last.settings_digest.as_str()),
        (1, "partial", "s")
    );
    let places = ["a", "b", "c"].map(|path| fixture.key(path, b"").repo_key.unwrap());
    let members = meta.members_by_repo_key(fixture.repository, places.to_vec()).await.unwrap();
    let revisions: Vec<_> =
        members.iter().map(|m| m.as_ref().map(|m| m.revision.as_deref())).collect();
    assert_eq!(revisions, [Some(Some("r1")), Some(None), None]);
    // Of one unit named twice the last revision counts, none given keeps what is there, and so does a state.
    commit.present = vec![
        (present[0], Some("r2".to_owned())),
        (present[1], Some("r3".to_owned())),
        (present[0], None),
    ];
    commit.state = None;
    meta.commit_version(lease, commit).await.unwrap();
    let members = meta.members_by_repo_key(fixture.repository, places.to_vec()).await.unwrap();
    assert_eq!(members[0].as_ref().unwrap().revision.as_deref(), Some("r2"));
    assert_eq!(members[1].as_ref().unwrap().revision.as_deref(), Some("r3"));
    assert_eq!(meta.attachment(fixture.importer).await.unwrap().unwrap().state, b"kept");
}

#[tokio::test]
async fn f91_a_version_builds_on_the_newest_or_is_refused() {
    let fixture = Fixture::new().await;
    let meta = &fixture.store.meta;
    let lease = fixture.lease("sync").await;
    let a = fixture.save(lease, &[("a", "1")]).await;
    let b = fixture.save(lease, &[("b", "1")]).await;
    meta.commit_version(lease, fixture.version(0, MIRROR, &a)).await.unwrap();
    let error = meta.commit_version(lease, fixture.version(0, MIRROR, &b)).await.unwrap_err();
    assert_eq!(error.code(), "conflict.base_moved");
    assert_eq!(fixture.paths(1).await, ["a"]);
    let missing = meta.commit_version(lease, fixture.version(1, MIRROR, &[UnitId(777)])).await;
    assert_eq!(missing.unwrap_err().code(), "not_found.unit");
    let nowhere = meta.units(fixture.repository, 7, UnitQuery::default()).await.unwrap_err();
    assert_eq!(nowhere.code(), "not_found.version");
}

#[tokio::test]
async fn differences_are_told_between_any_two_versions() {
    let fixture = Fixture::new().await;
    let meta = &fixture.store.meta;
    fixture.sync(0, MIRROR, &[("a", "1"), ("b", "1")]).await;
    fixture.sync(1, MIRROR, &[("b", "1"), ("c", "1")]).await;
    fixture.sync(2, MIRROR, &[("a", "1"), ("b", "1"), ("d", "1")]).await;
    let diff = async |from, to| {
        let mut found = Vec::new();
        let mut after = None;
        loop {
            let page = meta.diff(fixture.repository, from, to, after, 1).await.unwrap();
            let Some(last) = page.last() else { return found };
            after = Some(last.unit);
            for entry in page {
                let key: serde_json::Value = serde_json::from_str(&entry.key).unwrap();
                let sign = if entry.added { '+' } else { '-' };
                found.push(format!("{sign}{}", key["path"].as_str().unwrap()));
                assert_eq!(entry.type_name, "file");
            }
        }
    };
    assert_eq!(diff(0, 1).await, ["+a", "+b"]);
    assert_eq!(diff(1, 2).await, ["-a", "+c"]);
    assert_eq!(diff(1, 3).await, ["+d"], "a unit that left and came back is no difference");
    assert_eq!(diff(3, 1).await, ["-d"]);
    assert_eq!(diff(2, 2).await, Vec::<String>::new());
    let error = meta.diff(fixture.repository, 0, 9, None, 0).await.unwrap_err();
    assert_eq!(error.code(), "not_found.version");
}

/// What a version must hold, by the rules: path to bytes.
type Model = std::collections::BTreeMap<u8, u8>;

fn expected(base: &Model, mode: VersionMode, units: &Model, removed: &[u8]) -> Model {
    let mut next = if mode == MIRROR { Model::new() } else { base.clone() };
    for path in removed {
        next.remove(path);
    }
    next.extend(units);
    next
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn any_row_of_commits_gives_the_versions_that_the_rules_say(
        steps in prop::collection::vec(
            (
                any::<bool>(),
                prop::collection::btree_map(0_u8..6, 0_u8..3, 0..5),
                prop::collection::vec(0_u8..6, 0..3),
            ),
            1..7,
        )
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let fixture = Fixture::new().await;
            let mut models = vec![Model::new()];
            for (mirror, units, removed) in steps {
                let mode = if mirror { MIRROR } else { ADDITIVE };
                let base = models.last().unwrap().clone();
                let next = expected(&base, mode, &units, &removed);
                let lease = fixture.lease("sync").await;
                let named = |(path, bytes): (&u8, &u8)| (path.to_string(), bytes.to_string());
                let present: Vec<(String, String)> = units.iter().map(named).collect();
                let present: Vec<(&str, &str)> =
                    present.iter().map(|(path, bytes)| (path.as_str(), bytes.as_str())).collect();
                let present = fixture.save(lease, &present).await;
                let gone: Vec<(String, String)> = base
                    .iter()
                    .filter(|(path, _)| removed.contains(path) && !units.contains_key(path))
                    .map(named)
                    .collect();
                let gone: Vec<(&str, &str)> =
                    gone.iter().map(|(path, bytes)| (path.as_str(), bytes.as_str())).collect();
                let number = models.len() as u64 - 1;
                let mut commit = fixture.version(number, mode, &present);
                commit.removed = fixture.save(lease, &gone).await;
                let committed = fixture.store.meta.commit_version(lease, commit).await.unwrap();
                let kept = base.iter().filter(|(path, bytes)| next.get(path) == Some(bytes)).count() as u64;
                let (old, new) = (base.len() as u64, next.len() as u64);
                assert_eq!(
                    outcome(committed),
                    ((base != next).then_some(number + 1), new - kept, old - kept, kept)
                );
                if base != next {
                    models.push(next);
                }
                fixture.finish(lease).await;
            }
            for (number, model) in models.iter().enumerate() {
                let units = fixture.units(number as u64).await;
                let found: Model = units
                    .iter()
                    .map(|unit| {
                        let digest = unit.files[0].sha256.unwrap();
                        let bytes = (0..3_u8)
                            .find(|bytes| wharf_store::model::Digest::of(bytes.to_string().as_bytes()) == digest);
                        (unit.files[0].path.as_str().parse().unwrap(), bytes.unwrap())
                    })
                    .collect();
                assert_eq!(units.len(), found.len());
                assert_eq!(&found, model, "version {number}");
            }
        });
    }
}
