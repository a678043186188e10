//! Units: known, saved, searched; their files and the addresses of their bytes.

use serde_json::json;
use wharf_store::model::{
    Digest, FieldEquals, NewUnit, Selector, TypeId, UnitId, UnitQuery, VersionMode, canonical_key,
};

use crate::support::{Fixture, artifact, repository, source};

#[tokio::test]
async fn what_is_known_says_member_and_complete() {
    let fixture = Fixture::new().await;
    let meta = &fixture.store.meta;
    let lease = fixture.lease("sync").await;
    let ids = fixture.save(lease, &[("a", "1"), ("b", "2")]).await;
    meta.save_artifacts(lease, vec![artifact("1")]).await.unwrap();
    meta.commit_version(lease, fixture.version(0, VersionMode::Mirror, &ids[1..])).await.unwrap();
    let keys = [("a", "1"), ("b", "2"), ("a", "2")]
        .map(|(path, bytes)| (fixture.type_id, fixture.key(path, bytes.as_bytes()).digest));
    let known = meta.known(fixture.repository, keys.to_vec()).await.unwrap();
    let known: Vec<_> =
        known.iter().map(|known| known.map(|k| (k.unit, k.member, k.complete))).collect();
    assert_eq!(known, [Some((ids[0], false, true)), Some((ids[1], true, false)), None]);
    let other_type = vec![(TypeId(99), keys[0].1)];
    assert_eq!(meta.known(fixture.repository, other_type).await.unwrap(), [None]);
    let sizes = meta.artifacts(vec![Digest::of(b"1"), Digest::of(b"2"), Digest::of(b"3")]).await;
    assert_eq!(sizes.unwrap(), [Some(1), None, None]);
}

#[tokio::test]
async fn saving_again_finds_the_unit_and_adds_what_is_new() {
    let fixture = Fixture::new().await;
    let meta = &fixture.store.meta;
    let lease = fixture.lease("sync").await;
    let mut unit = fixture.unit("a", b"1");
    unit.files[0].sha256 = None;
    unit.files[0].size = None;
    let save = async |units: Vec<NewUnit>, artifacts| {
        meta.save_units(lease, fixture.repository, units, artifacts).await
    };
    let first = save(vec![unit.clone()], Vec::new()).await.unwrap()[0];
    assert!(first.created && !first.member);
    unit.files[0].sha256 = Some(Digest::of(b"1"));
    unit.files.push(fixture.unit("a.sig", b"sig").files[0].clone());
    let second = save(vec![unit.clone()], vec![artifact("1")]).await.unwrap()[0];
    assert_eq!((second.unit, second.created), (first.unit, false));
    let rows = meta.units_by_id(vec![first.unit, UnitId(99)], true).await.unwrap();
    assert_eq!(rows.len(), 1);
    let files: Vec<_> =
        rows[0].files.iter().map(|f| (f.path.as_str(), f.size, f.present)).collect();
    assert_eq!(files, [("a", Some(1), true), ("a.sig", Some(3), false)]);
    assert_eq!(rows[0].files[0].digests, ["md5:00"], "a sha256 is not stored twice");
    // Other bytes for the same unit: the whole batch is refused.
    unit.files[0].sha256 = Some(Digest::of(b"other"));
    let error = save(vec![fixture.unit("new", b"n"), unit], Vec::new()).await.unwrap_err();
    assert_eq!(error.code(), "content.conflict");
    let key = (fixture.type_id, fixture.key("new", b"n").digest);
    assert_eq!(meta.known(fixture.repository, vec![key]).await.unwrap(), [None]);
}

#[tokio::test]
async fn two_repositories_share_a_unit_and_keep_their_own_sources() {
    let fixture = Fixture::new().await;
    let meta = &fixture.store.meta;
    fixture.sync(0, VersionMode::Mirror, &[("a", "1")]).await;
    let (other, importer, _) = repository(&fixture.store, "other").await;
    let lease = crate::support::lease(&fixture.store, "sync", other, importer).await;
    let mut unit = fixture.unit("a", b"1");
    unit.files[0].sources = vec![source("elsewhere"), source("third")];
    let saved = meta.save_units(lease, other, vec![unit.clone()], Vec::new()).await.unwrap()[0];
    assert!(!saved.created && !saved.member);
    let mut commit = fixture.version(0, VersionMode::Mirror, &[saved.unit]);
    commit.repository = other;
    commit.attachment = Some(importer);
    meta.commit_version(lease, commit).await.unwrap();
    let path = "a".parse().unwrap();
    let sources = async || {
        let found = meta.sources(saved.unit, &path).await.unwrap();
        let found = found.into_iter().map(|found| (found.repository, found.source.url));
        found.collect::<Vec<_>>()
    };
    let url = |path: &str| source(path).url;
    let both = [(fixture.repository, url("a")), (other, url("elsewhere")), (other, url("third"))];
    assert_eq!(sources().await, both);
    unit.files[0].sources = vec![source("new")];
    meta.save_units(lease, other, vec![unit], Vec::new()).await.unwrap();
    assert_eq!(sources().await, [(fixture.repository, url("a")), (other, url("new"))]);
    meta.delete_repository("demo").await.unwrap();
    assert_eq!(sources().await, [(other, url("new"))]);
    let query = UnitQuery::default();
    assert_eq!(meta.units(other, 1, query).await.unwrap()[0].id, saved.unit);
}

#[tokio::test]
async fn bytes_that_a_client_brought_are_noted_once() {
    let fixture = Fixture::new().await;
    let meta = &fixture.store.meta;
    let lease = fixture.lease("sync").await;
    let mut unit = fixture.unit("a", b"1");
    unit.files[0].sha256 = None;
    let unit =
        meta.save_units(lease, fixture.repository, vec![unit], Vec::new()).await.unwrap()[0].unit;
    let path = "a".parse().unwrap();
    let present = fixture.version(0, VersionMode::Mirror, &[unit]);
    meta.commit_version(lease, present).await.unwrap();
    let holds = meta.version_holds(fixture.repository, 1, Digest::of(b"1"));
    assert!(!holds.await.unwrap());
    meta.artifact_added(unit, &path, Digest::of(b"1"), 1).await.unwrap();
    meta.artifact_added(unit, &path, Digest::of(b"1"), 1).await.unwrap();
    for (version, held) in [(0, false), (1, true)] {
        let holds = meta.version_holds(fixture.repository, version, Digest::of(b"1"));
        assert_eq!(holds.await.unwrap(), held);
    }
    let other = meta.artifact_added(unit, &path, Digest::of(b"2"), 1).await.unwrap_err();
    assert_eq!(other.code(), "content.conflict");
    let file = meta.artifact_added(unit, &"b".parse().unwrap(), Digest::of(b"1"), 1).await;
    assert_eq!(file.unwrap_err().code(), "not_found.file");
    let nobody = meta.artifact_added(UnitId(99), &path, Digest::of(b"1"), 1).await;
    assert_eq!(nobody.unwrap_err().code(), "not_found.unit");
}

#[tokio::test]
async fn a_repository_that_names_its_types_takes_no_others() {
    let fixture = Fixture::new().await;
    let meta = &fixture.store.meta;
    for (name, types, taken) in [("none", "deb", false), ("some", "file", true)] {
        let types = vec![types.to_owned()];
        let id = meta.create_repository(&name.parse().unwrap(), types).await.unwrap().id;
        let lease = crate::support::lease(&fixture.store, "sync", id, fixture.importer).await;
        let saved = meta.save_units(lease, id, vec![fixture.unit("a", b"1")], Vec::new()).await;
        assert_eq!(
            saved.map(drop).map_err(|error| error.code()).err(),
            (!taken).then_some("policy.type")
        );
    }
}

#[tokio::test]
async fn members_are_found_by_all_keys_and_fields() {
    let fixture = Fixture::new().await;
    let meta = &fixture.store.meta;
    let lease = fixture.lease("sync").await;
    let paths = ["a", "bb", "ccc", "dddd", "gone"];
    let units: Vec<(&str, &str)> = paths.iter().map(|path| (*path, "1")).collect();
    let ids = fixture.save(lease, &units).await;
    meta.commit_version(lease, fixture.version(0, VersionMode::Mirror, &ids)).await.unwrap();
    let commit = fixture.version(1, VersionMode::Mirror, &ids[..4]);
    meta.commit_version(lease, commit).await.unwrap();
    let matching = async |type_id, selector| {
        meta.members_matching(fixture.repository, type_id, selector).await.unwrap()
    };
    let own = Some(fixture.type_id);
    assert_eq!(matching(own, Selector::All).await, ids[..4]);
    assert_eq!(matching(None, Selector::All).await, ids[..4]);
    assert_eq!(matching(Some(TypeId(99)), Selector::All).await, []);
    let keys = ["gone", "bb", "never"].map(|path| fixture.key(path, b"1").digest);
    assert_eq!(matching(own, Selector::Keys(keys.to_vec())).await, [ids[1]]);
    let field = |name: &str, value: &str| Selector::Field {
        name: name.to_owned(),
        value: value.to_owned(),
    };
    for type_id in [None, own] {
        assert_eq!(matching(type_id, field("color", "1")).await, [ids[0], ids[3]]);
        assert_eq!(matching(type_id, field("path", "\"ccc\"")).await, [ids[2]]);
        assert_eq!(matching(type_id, field("color", "\"1\"")).await, []);
        assert_eq!(matching(type_id, field("nothing", "null")).await, ids[..4]);
    }
    for (name, value) in [("it's", "1"), ("color", "{"), ("x\") --", "1")] {
        let error = meta.members_matching(fixture.repository, own, field(name, value)).await;
        assert_eq!(error.unwrap_err().code(), "usage.field");
    }
}

#[tokio::test]
async fn units_come_in_pages_and_in_any_order() {
    let fixture = Fixture::new().await;
    let meta = &fixture.store.meta;
    let paths: Vec<String> = (0..25).map(|n| format!("{}{n}", "x".repeat(n % 4))).collect();
    let units: Vec<(&str, &str)> = paths.iter().map(|path| (path.as_str(), "1")).collect();
    fixture.sync(0, VersionMode::Mirror, &units).await;
    let mut query = UnitQuery { limit: 10, types: vec![fixture.type_id], ..UnitQuery::default() };
    let mut seen = Vec::new();
    loop {
        let page = meta.units(fixture.repository, 1, query.clone()).await.unwrap();
        let Some(last) = page.last() else { break };
        assert!(page.len() <= 10 && page.iter().all(|unit| unit.files.is_empty()));
        query.after = Some(last.id);
        seen.extend(page.iter().map(|unit| unit.id));
    }
    let all =
        meta.unit_ids(fixture.repository, 1, Vec::new(), Vec::new(), Vec::new()).await.unwrap();
    assert_eq!((seen.len(), &seen), (25, &all));
    let ordered = async |types: Vec<TypeId>, filter: Vec<FieldEquals>| {
        let order = vec!["color".to_owned(), "path".to_owned()];
        let ids = meta.unit_ids(fixture.repository, 1, types, filter, order).await.unwrap();
        let rows = meta.units_by_id(ids.clone(), false).await.unwrap();
        assert_eq!(rows.iter().map(|row| row.id).collect::<Vec<_>>(), ids);
        let fields = rows.iter().map(|row| {
            let key: serde_json::Value = serde_json::from_str(&row.key).unwrap();
            let attributes: serde_json::Value = serde_json::from_str(&row.attributes).unwrap();
            (attributes["color"].as_u64().unwrap(), key["path"].as_str().unwrap().to_owned())
        });
        fields.collect::<Vec<_>>()
    };
    let mut expected: Vec<(u64, String)> =
        paths.iter().map(|path| (path.len() as u64 % 3, path.clone())).collect();
    expected.sort();
    assert_eq!(ordered(Vec::new(), Vec::new()).await, expected);
    assert_eq!(ordered(vec![fixture.type_id], Vec::new()).await, expected);
    expected.retain(|(color, _)| *color == 2);
    let color = vec![FieldEquals { name: "color".to_owned(), value: json!(2).to_string() }];
    assert_eq!(ordered(vec![fixture.type_id, TypeId(99)], color.clone()).await, expected);
    assert_eq!(ordered(vec![fixture.type_id], color).await, expected);
}

#[tokio::test]
async fn f99_names_that_look_alike_are_two_units() {
    let fixture = Fixture::new().await;
    let names = [("a", "1"), ("A", "1"), ("\u{e9}", "1"), ("e\u{301}", "1")];
    let committed = fixture.sync(0, VersionMode::Mirror, &names).await;
    assert_eq!(committed.added, 4);
    let key = json!({ "path": "a" }).to_string();
    let again = canonical_key(&fixture.definition, &key, "{}", Some(&Digest::of(b"1"))).unwrap();
    assert_eq!(again, fixture.key("a", b"1"));
}

#[tokio::test]
async fn lost_bytes_are_wanted_until_they_are_here_again_or_no_version_needs_them() {
    let fixture = Fixture::new().await;
    let meta = &fixture.store.meta;
    let lease = fixture.lease("sync").await;
    let units = fixture.save(lease, &[("a", "1"), ("b", "2")]).await;
    meta.save_artifacts(lease, vec![artifact("1")]).await.unwrap();
    meta.commit_version(lease, fixture.version(0, VersionMode::Mirror, &units)).await.unwrap();
    let (digest, path) = (Digest::of(b"1"), "a".parse().unwrap());
    let stored = async || {
        let stored = meta.stored(Some(fixture.repository), 0, 9).await.unwrap();
        assert_eq!(
            meta.count_stored(None).await.unwrap(),
            (stored.len() as u64, stored.len() as u64)
        );
        stored.iter().map(|stored| (stored.digest, stored.lost)).collect::<Vec<_>>()
    };
    assert_eq!(stored().await, [(digest, false)], "what was never here is no loss");
    meta.lost(lease, digest).await.unwrap();
    assert_eq!(stored().await, [(digest, true)]);
    assert_eq!(meta.artifacts(vec![digest]).await.unwrap(), [None]);
    meta.artifact_added(units[0], &path, digest, 1).await.unwrap();
    assert_eq!(stored().await, [(digest, false)]);
    meta.lost(lease, digest).await.unwrap();
    meta.found(lease, digest).await.unwrap();
    assert_eq!(stored().await, [(digest, false)]);
    assert_eq!(meta.artifacts(vec![digest]).await.unwrap(), [Some(1)]);
    meta.lost(lease, digest).await.unwrap();
    meta.commit_version(lease, fixture.version(1, VersionMode::Mirror, &units[1..])).await.unwrap();
    assert_eq!(stored().await, [(digest, true)], "an older version needs it");
    fixture.finish(lease).await;
    meta.delete_version("demo", 1).await.unwrap();
    assert_eq!(stored().await, []);
}
