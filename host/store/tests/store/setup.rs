//! Types, repositories, attachments, opening and closing.

use serde_json::json;
use wharf_store::model::{NewAttachment, NewJob, RegisteredType, TypeDefinition};
use wharf_store::{Error, Store};

use crate::support::{Fixture, definition, repository};

async fn register(
    fixture: &Fixture,
    plugin: &str,
    definition: &TypeDefinition,
) -> Result<(), Error> {
    fixture.store.meta.register_types(plugin, "2.0.0", vec![definition.clone()]).await
}

#[tokio::test]
async fn types_that_did_not_change_write_nothing() {
    let fixture = Fixture::new().await;
    let log = fixture.folder.path().join("wharf.db-wal");
    let before = std::fs::metadata(&log).unwrap().modified().unwrap();
    register(&fixture, "file", &definition()).await.unwrap();
    assert_eq!(fixture.store.meta.recover().await.unwrap(), []);
    assert_eq!(std::fs::metadata(&log).unwrap().modified().unwrap(), before);
    let types = fixture.store.meta.types().await.unwrap();
    let registered = RegisteredType {
        id: fixture.type_id,
        plugin: "file".to_owned(),
        plugin_version: "1.0.0".to_owned(),
        definition: definition(),
    };
    assert_eq!(types, [registered]);
}

#[tokio::test]
async fn a_type_that_another_plugin_takes_over_keeps_its_number() {
    let fixture = Fixture::new().await;
    register(&fixture, "heir", &definition()).await.unwrap();
    let found = fixture.store.meta.type_by_name("file").await.unwrap().unwrap();
    let got = (found.id, found.plugin.as_str(), found.plugin_version.as_str());
    assert_eq!(got, (fixture.type_id, "heir", "2.0.0"));
}

#[tokio::test]
async fn f66_a_type_that_changed_against_the_rules_is_refused_with_the_difference() {
    let fixture = Fixture::new().await;
    let mut described = definition();
    described.description = "Another".to_owned();
    let mut keyed = definition();
    keyed.version = 2;
    keyed.unit_key.pop();
    let mut placed = definition();
    placed.version = 2;
    placed.repo_key.clear();
    let cases = [
        ("file", described.clone(), vec!["description", "A file", "Another", "version"]),
        ("file", keyed, vec!["unit_key", "migration", "digest"]),
        ("file", placed, vec!["repo_key", "migration", "path"]),
        ("other", described.clone(), vec!["plugin file 1.0.0", "Another"]),
    ];
    for (plugin, definition, words) in cases {
        let error = register(&fixture, plugin, &definition).await.unwrap_err();
        assert!(error.is_refusal());
        assert_eq!(error.code(), "config.type");
        for word in words {
            assert!(error.to_string().contains(word), "{word} is missing in: {error}");
        }
    }
    described.version = 2;
    described.search_indexes.push(vec!["path".to_owned(), "it.is".to_owned()]);
    register(&fixture, "file", &described).await.unwrap();
    let stored = fixture.store.meta.type_by_name("file").await.unwrap().unwrap();
    assert_eq!((stored.id, stored.definition), (fixture.type_id, described));
    let error = register(&fixture, "file", &definition()).await.unwrap_err();
    assert!(error.to_string().contains("version 2 is registered"), "{error}");
}

#[tokio::test]
async fn all_types_that_are_refused_are_named_and_none_of_the_plugins_is_written() {
    let fixture = Fixture::new().await;
    let mut fresh = definition();
    fresh.id = "fresh".to_owned();
    let mut changed = definition();
    changed.description = "Another".to_owned();
    let types = vec![fresh.clone(), changed.clone()];
    fixture.store.meta.register_types("file", "2.0.0", types).await.unwrap_err();
    assert_eq!(fixture.store.meta.type_by_name("fresh").await.unwrap(), None);
    register(&fixture, "file", &fresh).await.unwrap();
    fresh.display_name = "Stale".to_owned();
    let types = vec![changed, fresh];
    let error = fixture.store.meta.register_types("file", "2.0.0", types).await.unwrap_err();
    for words in ["type file: it changed", "type fresh: it changed", "Stale"] {
        assert!(error.to_string().contains(words), "{words} is missing in: {error}");
    }
}

#[tokio::test]
async fn a_repository_has_the_empty_version_0_and_one_name() {
    let fixture = Fixture::new().await;
    let meta = &fixture.store.meta;
    let found = meta.repository("demo").await.unwrap().unwrap();
    assert_eq!((found.id, found.current_version, found.units), (fixture.repository, 0, 0));
    assert_eq!(meta.repository_by_id(found.id).await.unwrap(), Some(found));
    let versions = meta.versions(fixture.repository).await.unwrap();
    assert_eq!(versions.iter().map(|version| version.number).collect::<Vec<_>>(), [0]);
    assert_eq!(fixture.units(0).await, []);
    let again = meta.create_repository(&"demo".parse().unwrap(), Vec::new()).await;
    assert_eq!(again.unwrap_err().code(), "conflict.exists");
    assert_eq!(meta.repository("other").await.unwrap(), None);
}

#[tokio::test]
async fn a_repository_goes_with_all_that_is_its_own_but_not_under_a_job() {
    let fixture = Fixture::new().await;
    let meta = &fixture.store.meta;
    fixture.sync(0, wharf_store::model::VersionMode::Mirror, &[("a", "1")]).await;
    let lease = fixture.lease("sync").await;
    let busy = meta.delete_repository("demo").await.unwrap_err();
    assert_eq!(busy.code(), "conflict.in_use");
    assert_eq!(meta.detach(fixture.importer).await.unwrap_err().code(), "conflict.in_use");
    fixture.finish(lease).await;
    meta.delete_repository("demo").await.unwrap();
    assert_eq!(meta.repository("demo").await.unwrap(), None);
    assert_eq!(meta.attachment(fixture.importer).await.unwrap(), None);
    let job = meta.job(lease.job).await.unwrap().unwrap();
    assert_eq!((job.repository.as_deref(), job.repository_id), (Some("demo"), None));
    assert_eq!(job.component.as_deref(), Some("file.importer"));
    let gone = meta.delete_repository("demo").await.unwrap_err();
    assert_eq!(gone.code(), "not_found.repository");
    let (again, ..) = repository(&fixture.store, "demo").await;
    assert!(again > fixture.repository, "numbers are never used twice");
}

fn attachment(component: &str, path: Option<&str>) -> NewAttachment {
    NewAttachment {
        component: component.to_owned(),
        instance: "default".to_owned(),
        role: "distributor".to_owned(),
        settings: json!({}),
        path: path.map(|path| path.parse().unwrap()),
    }
}

#[tokio::test]
async fn attaching_again_replaces_the_settings_and_keeps_the_number() {
    let fixture = Fixture::new().await;
    let meta = &fixture.store.meta;
    let before = meta.attachment(fixture.importer).await.unwrap().unwrap();
    let mut new = attachment("file.importer", None);
    new.settings = json!({ "url": "elsewhere" });
    let after = meta.attach(fixture.repository, new.clone()).await.unwrap();
    assert_eq!((after.id, &after.settings), (before.id, &new.settings));
    assert!(after.settings_changed_ms >= before.settings_changed_ms);
    new.instance = "second".to_owned();
    let second = meta.attach(fixture.repository, new).await.unwrap();
    assert_ne!(second.id, before.id);
    let all = meta.attachments(fixture.repository).await.unwrap();
    let ids: Vec<_> = all.iter().map(|attachment| attachment.id).collect();
    assert_eq!(ids, [fixture.importer, fixture.distributor, second.id]);
    meta.detach(second.id).await.unwrap();
    assert_eq!(meta.detach(second.id).await.unwrap_err().code(), "not_found.attachment");
}

#[tokio::test]
async fn no_publication_lies_in_another() {
    let fixture = Fixture::new().await;
    let meta = &fixture.store.meta;
    meta.attach(fixture.repository, attachment("a.b", Some("x/y"))).await.unwrap();
    for taken in ["demo", "demo/below", "x", "x/y", "x/y/z"] {
        let error =
            meta.attach(fixture.repository, attachment("c.d", Some(taken))).await.unwrap_err();
        assert_eq!(error.code(), "conflict.path", "{taken}");
    }
    for free in ["demo2", "dem", "x/z", "x-y", "demo2"] {
        meta.attach(fixture.repository, attachment("c.d", Some(free))).await.unwrap();
    }
}

#[tokio::test]
async fn state_is_replaced_only_by_who_read_it_last() {
    let fixture = Fixture::new().await;
    let meta = &fixture.store.meta;
    let (id, key) = (fixture.importer, "cursor");
    assert_eq!(meta.get_state(id, key).await.unwrap(), None);
    assert_eq!(meta.put_state(id, key, 0, b"one".to_vec()).await.unwrap(), 1);
    assert_eq!(meta.put_state(id, key, 1, b"two".to_vec()).await.unwrap(), 2);
    for wrong in [0, 1, 3] {
        let error = meta.put_state(id, key, wrong, Vec::new()).await.unwrap_err();
        assert!(matches!(error, Error::StateMoved { found: 2, .. }), "{error}");
    }
    assert_eq!(meta.get_state(id, key).await.unwrap(), Some((2, b"two".to_vec())));
}

#[tokio::test]
async fn a_closed_store_says_so_and_opens_again_with_all_it_had() {
    let fixture = Fixture::new().await;
    let store = fixture.store.clone();
    fixture.store.close().await;
    assert_eq!(store.meta.repositories().await.unwrap_err().code(), "storage.closed");
    assert_eq!(store.meta.delete_repository("demo").await.unwrap_err().code(), "storage.closed");
    assert!(store.meta.lookup_blocking("demo").is_err());
    let store = Store::open(fixture.folder.path()).await.unwrap();
    assert_eq!(store.meta.repositories().await.unwrap().len(), 1);
    let job = NewJob {
        operation: "sync".to_owned(),
        repository: Some(fixture.repository),
        attachment: None,
        arguments: "{}".to_owned(),
        callbacks: Vec::new(),
    };
    store.meta.submit_job(job).await.unwrap();
    store.close().await;
    store.close().await;
}

#[tokio::test]
async fn f86_a_damaged_database_is_refused() {
    let fixture = Fixture::new().await;
    let units: Vec<String> = (0..500).map(|n| format!("dir/{n}")).collect();
    let units: Vec<(&str, &str)> = units.iter().map(|path| (path.as_str(), "x")).collect();
    fixture.sync(0, wharf_store::model::VersionMode::Mirror, &units).await;
    fixture.store.close().await;
    let file = fixture.folder.path().join("wharf.db");
    let whole = std::fs::read(&file).unwrap();
    std::fs::write(&file, &whole[..whole.len() - 8192]).unwrap();
    let error = Store::open(fixture.folder.path()).await.unwrap_err();
    assert_eq!(error.code(), "storage.damaged", "{error}");
    std::fs::write(&file, b"this is no database, however long it may be".repeat(200)).unwrap();
    let error = Store::open(fixture.folder.path()).await.unwrap_err();
    assert_eq!(error.code(), "storage.damaged", "{error}");
    std::fs::write(&file, whole).unwrap();
    Store::open(fixture.folder.path()).await.unwrap().close().await;
}
