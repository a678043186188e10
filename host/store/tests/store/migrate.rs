//! Migrations in the store: all of it at once or nothing, by what two units may not become one, what files may do.

use std::collections::HashMap;

use serde_json::json;
use wharf_store::Error;
use wharf_store::model::{
    ChangedFile, ChangedUnit, Digest, KeyField, Lease, Migrated, Migration, NewArtifact,
    TypeDefinition, UnitId, UnitQuery, VersionMode,
};

use super::support::{Fixture, definition};

/// The definition with another key: the path alone, and the place by color.
fn other() -> TypeDefinition {
    TypeDefinition {
        version: 2,
        unit_key: vec![KeyField { name: "path".to_owned(), from_artifact: false }],
        repo_key: vec!["color".to_owned(), "path".to_owned()],
        search_indexes: Vec::new(),
        ..definition()
    }
}

fn migration(number: u32, types: Vec<TypeDefinition>) -> Migration {
    let (plugin, plugin_version) = ("file".to_owned(), "2.0.0".to_owned());
    Migration { plugin, plugin_version, number, types }
}

impl Fixture {
    fn changed(&self, unit: UnitId) -> ChangedUnit {
        let (key, attributes) = (String::new(), String::new());
        ChangedUnit { unit, type_id: self.type_id, key, attributes, files: Vec::new() }
    }

    async fn stage(
        &self,
        lease: Lease,
        kind: TypeDefinition,
        units: Vec<ChangedUnit>,
    ) -> Result<(), Error> {
        let definitions = HashMap::from([(self.type_id, kind)]);
        self.store.meta.stage_changes(lease, definitions, units).await
    }

    async fn migrate(&self, units: Vec<ChangedUnit>, number: u32) -> Result<Migrated, Error> {
        let lease = self.lease("migrate").await;
        let staged = self.stage(lease, definition(), units).await;
        let done = match staged {
            Ok(()) => self.store.meta.migrate(lease, migration(number, Vec::new())).await,
            Err(error) => Err(error),
        };
        self.store.meta.discard_changes(lease).await.unwrap();
        self.finish(lease).await;
        done
    }

    async fn rows(&self) -> Vec<(UnitId, String, String, Vec<String>)> {
        let query = UnitQuery { with_files: true, ..UnitQuery::default() };
        let rows = self.store.meta.units(self.repository, 1, query).await.unwrap();
        let files = |row: &wharf_store::model::UnitRow| {
            row.files.iter().map(|file| file.path.to_string()).collect()
        };
        rows.iter()
            .map(|row| (row.id, row.key.clone(), row.attributes.clone(), files(row)))
            .collect()
    }
}

#[tokio::test]
async fn a_changed_definition_rekeys_every_unit_and_remakes_the_indexes() {
    let fixture = Fixture::new().await;
    fixture.sync(0, VersionMode::Mirror, &[("a", "one"), ("b", "two")]).await;
    let meta = &fixture.store.meta;
    let refused = meta.check_types("file", vec![other()], Vec::new()).await.unwrap_err();
    assert!(refused.to_string().contains("without a migration"), "{refused}");
    meta.check_types("file", vec![other()], vec!["file".to_owned()]).await.unwrap();
    let lease = fixture.lease("migrate").await;
    let ids: Vec<UnitId> = fixture.rows().await.into_iter().map(|row| row.0).collect();
    let first =
        ChangedUnit { attributes: json!({ "color": 9 }).to_string(), ..fixture.changed(ids[0]) };
    fixture.stage(lease, other(), vec![first]).await.unwrap();
    let tried = meta.try_migration(lease, migration(1, vec![other()])).await.unwrap();
    assert_eq!(meta.type_by_name("file").await.unwrap().unwrap().definition, definition());
    let done = meta.migrate(lease, migration(1, vec![other()])).await.unwrap();
    assert_eq!((done.changed, done.rekeyed, &done), (2, 2, &tried));
    fixture.finish(lease).await;
    let rows = fixture.rows().await;
    assert_eq!(rows[0].1, r#"{"path":"a"}"#);
    // What left the key stands in the attributes.
    let attributes: serde_json::Value = serde_json::from_str(&rows[1].2).unwrap();
    assert_eq!(attributes, json!({ "color": 1, "digest": Digest::of(b"two").to_hex() }));
    let tracked = meta.tracked().await.unwrap();
    assert_eq!((tracked[0].number, tracked[0].plugin_version.as_str()), (1, "2.0.0"));
    let known =
        meta.unit_ids_of_types(vec![fixture.type_id], Vec::new(), vec!["path".into()]).await;
    assert_eq!(known.unwrap(), ids);
    let lease = fixture.lease("migrate").await;
    let again = meta.migrate(lease, migration(1, Vec::new())).await.unwrap_err();
    assert!(matches!(again, Error::Migrated { found: 1, number: 1, .. }), "{again}");
}

#[tokio::test]
async fn keys_may_be_swapped_and_two_that_become_one_are_named() {
    let fixture = Fixture::new().await;
    fixture.sync(0, VersionMode::Mirror, &[("a", "same"), ("b", "same"), ("c", "same")]).await;
    let before = fixture.rows().await;
    let to = |place: usize, path: &str| {
        let key = json!({ "path": path }).to_string();
        ChangedUnit { key, ..fixture.changed(before[place].0) }
    };
    let swapped = fixture.migrate(vec![to(0, "b"), to(1, "a")], 1).await.unwrap();
    assert_eq!((swapped.changed, swapped.rekeyed), (2, 2));
    let after = fixture.rows().await;
    assert_eq!((&after[0].1, &after[1].1), (&before[1].1, &before[0].1));
    for units in [vec![to(0, "x"), to(1, "x")], vec![to(0, "c")]] {
        let error = fixture.migrate(units, 2).await.unwrap_err();
        let Error::KeyConflict { one, .. } = &error else { panic!("{error}") };
        assert_eq!(*one, after[0].1);
        assert_eq!(fixture.rows().await, after);
    }
}

#[tokio::test]
async fn two_units_of_a_version_may_not_come_into_one_place() {
    let fixture = Fixture::new().await;
    fixture.sync(0, VersionMode::Mirror, &[("a", "one"), ("b", "two")]).await;
    let before = fixture.rows().await;
    let moved =
        ChangedUnit { key: json!({ "path": "b" }).to_string(), ..fixture.changed(before[0].0) };
    let error = fixture.migrate(vec![moved], 1).await.unwrap_err();
    let Error::MovedTogether { repository, version, .. } = &error else { panic!("{error}") };
    assert_eq!((repository.as_str(), *version), ("demo", 1));
    assert_eq!(fixture.rows().await, before);
    assert!(fixture.store.meta.tracked().await.unwrap().is_empty());
}

#[tokio::test]
async fn files_are_renamed_and_added_and_never_change_their_bytes_or_go() {
    let fixture = Fixture::new().await;
    fixture.sync(0, VersionMode::Mirror, &[("a", "one")]).await;
    let unit = fixture.rows().await[0].0;
    let file = |path: &str, bytes: &str| ChangedFile {
        path: path.parse().unwrap(),
        sha256: Some(Digest::of(bytes.as_bytes())),
        media_type: String::new(),
    };
    let with = |files: Vec<ChangedFile>| vec![ChangedUnit { files, ..fixture.changed(unit) }];
    for (files, says) in [
        (vec![file("a", "other")], "brings no bytes"),
        (vec![file("a", "one"), file("more", "unknown")], "brings no bytes"),
        (vec![file("a", "one"), file("a", "one")], "twice"),
    ] {
        let error = fixture.migrate(with(files), 1).await.unwrap_err();
        assert!(error.to_string().contains(says), "{says}: {error}");
    }
    let lease = fixture.lease("sync").await;
    let here = NewArtifact { digest: Digest::of(b"here"), size: 4 };
    fixture.store.meta.save_artifacts(lease, vec![here]).await.unwrap();
    fixture.finish(lease).await;
    let files = vec![file("new/a", "one"), file("more", "here")];
    assert_eq!(fixture.migrate(with(files), 1).await.unwrap().changed, 1);
    assert_eq!(fixture.rows().await[0].3, ["more", "new/a"]);
    let sources = fixture.store.meta.sources(unit, &"new/a".parse().unwrap()).await.unwrap();
    assert_eq!(sources.len(), 1, "the addresses stay");
    let error = fixture.migrate(with(vec![file("new/a", "one")]), 2).await.unwrap_err();
    assert!(error.to_string().contains("takes no file away, and more is gone"), "{error}");
}

#[tokio::test]
async fn changes_of_no_unit_of_another_type_or_without_a_field_of_the_key_are_refused() {
    let fixture = Fixture::new().await;
    fixture.sync(0, VersionMode::Mirror, &[("a", "one")]).await;
    let unit = fixture.rows().await[0].0;
    let nobody = ChangedUnit { unit: UnitId(4711), ..fixture.changed(unit) };
    let foreign = ChangedUnit { type_id: wharf_store::model::TypeId(77), ..fixture.changed(unit) };
    let lacking = ChangedUnit { key: json!({ "other": 1 }).to_string(), ..fixture.changed(unit) };
    let lying = json!({ "path": "a", "digest": Digest::of(b"two").to_hex() });
    let lying = ChangedUnit { key: lying.to_string(), ..fixture.changed(unit) };
    for (changed, says) in
        [(nobody, "4711"), (foreign, "another type"), (lacking, "\"other\""), (lying, "sha256")]
    {
        let error = fixture.migrate(vec![changed], 1).await.unwrap_err();
        assert_eq!(error.code(), "protocol.unit", "{error}");
        assert!(error.to_string().contains(says), "{says}: {error}");
    }
}
