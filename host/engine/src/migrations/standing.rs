//! How far the data of a plugin are, held against what the installed version knows.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use wharf_store::Store;
use wharf_store::model::{RegisteredType, Tracked, TypeDefinition};
use wharf_supervisor::{Broken, Manifest, Migration};

use super::PendingMigration;
use crate::error::Error;

/// A plugin whose data need migrations first.
#[derive(Debug, Clone)]
pub(crate) struct Behind {
    plugin: String,
    pending: Vec<Migration>,
    /// What it defines; registered by its migrations.
    types: Vec<TypeDefinition>,
}

impl Behind {
    /// In a few words, with what to do.
    pub(crate) fn reason(&self) -> String {
        format!("{}: `wharf plugin migrate {}`", self.words(), self.plugin)
    }

    /// In a few words.
    pub(crate) fn words(&self) -> String {
        match self.pending.len() {
            1 => "behind: 1 migration to run".to_owned(),
            several => format!("behind: {several} migrations to run"),
        }
    }

    /// Those to run, in order.
    pub(crate) fn pending(&self) -> &[Migration] {
        &self.pending
    }

    /// The same, for people.
    pub(crate) fn told(&self) -> Vec<PendingMigration> {
        let told = |migration: &Migration| PendingMigration {
            number: migration.number,
            name: migration.name.clone(),
        };
        self.pending.iter().map(told).collect()
    }

    /// The definitions that hold from this number on: of each type with the last migration that names it, of the others
    /// with the last one of all.
    pub(crate) fn due(&self, number: u32) -> Vec<TypeDefinition> {
        let last = self.pending.last().map(|migration| migration.number);
        let due = |definition: &&TypeDefinition| {
            let naming = self.naming(&definition.id).last().map(|migration| migration.number);
            naming.or(last) == Some(number)
        };
        self.types.iter().filter(due).cloned().collect()
    }

    fn naming(&self, kind: &str) -> impl Iterator<Item = &Migration> {
        self.pending.iter().filter(move |migration| migration.kind.as_deref() == Some(kind))
    }

    /// The types whose keys may change, because a migration that was not run yet names them.
    ///
    /// # Errors
    /// Migrations that do not lead from what is stored to what is defined, in words.
    pub(crate) fn covered(&self, stored: &[RegisteredType]) -> Result<Vec<String>, String> {
        let mut covered = Vec::new();
        for definition in &self.types {
            let id = &definition.id;
            let Some(last) = self.naming(id).last() else { continue };
            if let Some(to) = last.to.filter(|to| u64::from(*to) != definition.version) {
                let (number, version) = (last.number, definition.version);
                return Err(format!(
                    "migration {number} leads type {id} to version {to}, but its definition is of version {version}"
                ));
            }
            let here = stored.iter().find(|stored| stored.definition.id == *id);
            let here = here.map(|stored| stored.definition.version);
            let first = self.naming(id).next();
            if let Some((from, here)) = first.and_then(|first| first.from).zip(here)
                && u64::from(from) > here
            {
                return Err(format!(
                    "its first migration of type {id} begins with version {from}, stored is version {here}"
                ));
            }
            covered.push(id.clone());
        }
        Ok(covered)
    }
}

/// Whether the data of a plugin fit it. `None`: they do.
///
/// # Errors
/// They are ahead of it (F78), or older than what it can migrate.
pub(crate) fn judge(
    manifest: &Manifest,
    tracked: &Tracked,
    types: Vec<TypeDefinition>,
) -> Result<Option<Behind>, Broken> {
    let (name, newest) = (&manifest.name, manifest.newest_migration());
    let refuse = |reason| Err(Broken { code: "policy", reason });
    let Tracked { number, plugin_version: by, .. } = tracked;
    if *number > newest {
        let version = &manifest.version;
        let knows = match newest {
            0 => "knows no migration".to_owned(),
            newest => format!("knows {newest}"),
        };
        return refuse(format!(
            "its data was migrated to {number} by {name} {by}; version {version} {knows}; install {by} or later"
        ));
    }
    if let Some(removed) = manifest.removed_up_to.filter(|removed| *number < *removed) {
        let first = manifest.removed_hint.as_deref().unwrap_or_default();
        return refuse(format!(
            "its data had migration {number} last, those up to {removed} were removed: data older than that needs {first} first"
        ));
    }
    let pending = manifest.migrations.iter().filter(|migration| migration.number > *number);
    let pending: Vec<Migration> = pending.cloned().collect();
    if pending.is_empty() {
        return Ok(None);
    }
    Ok(Some(Behind { plugin: name.clone(), pending, types }))
}

/// How far the data of these plugins are. Those that were never seen are noted: they have nothing to catch up with if no
/// unit of theirs is stored and they say so (`fast_forward`).
pub(crate) async fn standings(
    store: &Store,
    manifests: &[&Manifest],
) -> Result<HashMap<String, Tracked>, Error> {
    let seen = |tracked: Vec<Tracked>| -> HashMap<String, Tracked> {
        tracked.into_iter().map(|tracked| (tracked.plugin.clone(), tracked)).collect()
    };
    let known = seen(store.meta.tracked().await?);
    let mut first = Vec::new();
    for manifest in manifests.iter().filter(|manifest| !known.contains_key(&manifest.name)) {
        let newest = manifest.newest_migration();
        let fresh = newest > 0 && !store.meta.has_units_of(&manifest.name).await?;
        let number = match (fresh, manifest.fast_forward) {
            (true, true) => newest,
            (true, false) => manifest.removed_up_to.unwrap_or(0),
            (false, _) => 0,
        };
        first.push((manifest.name.clone(), number, manifest.version.to_string()));
    }
    if first.is_empty() {
        return Ok(known);
    }
    store.meta.track_first(first).await?;
    Ok(seen(store.meta.tracked().await?))
}

/// The plugins that are behind now.
#[derive(Debug, Default)]
pub(crate) struct Standings {
    behind: RwLock<HashMap<String, Arc<Behind>>>,
}

impl Standings {
    pub(crate) fn new(behind: HashMap<String, Behind>) -> Self {
        let behind = behind.into_iter().map(|(name, behind)| (name, Arc::new(behind)));
        Self { behind: RwLock::new(behind.collect()) }
    }

    /// What a plugin needs first; `None`: nothing.
    pub(crate) fn behind(&self, plugin: &str) -> Option<Arc<Behind>> {
        self.behind.read().unwrap_or_else(PoisonError::into_inner).get(plugin).cloned()
    }

    /// A plugin's data had this migration now.
    pub(crate) fn advance(&self, plugin: &str, number: u32) {
        let mut all = self.behind.write().unwrap_or_else(PoisonError::into_inner);
        let Some(behind) = all.remove(plugin) else { return };
        let mut behind = Arc::unwrap_or_clone(behind);
        behind.pending.retain(|migration| migration.number > number);
        if !behind.pending.is_empty() {
            all.insert(plugin.to_owned(), Arc::new(behind));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::{Value, json};

    use super::*;

    fn manifest(more: &Value) -> Manifest {
        let mut text = json!({
            "manifest_version": 1, "name": "deb", "version": "1.3.0",
            "protocol": { "versions": [1] }, "executable": { "any": "x" },
            "components": [{ "id": "go", "role": "action", "operations": ["run"] }],
        });
        text.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        Manifest::parse(Path::new("plugin.json"), &text.to_string()).unwrap().0
    }

    fn at(number: u32) -> Tracked {
        let (plugin, plugin_version) = ("deb".to_owned(), "2.0.0".to_owned());
        Tracked { plugin, number, plugin_version, applied_ms: 0 }
    }

    fn kind(version: u64) -> TypeDefinition {
        serde_json::from_value(json!({
            "id": "deb", "display_name": "", "description": "", "version": version,
            "unit_key": [{ "name": "x" }],
        }))
        .unwrap()
    }

    fn three() -> Manifest {
        manifest(&json!({ "migrations": [
            { "number": 1, "name": "a", "type": "deb", "from": 1, "to": 2 },
            { "number": 2, "name": "b", "type": "deb", "from": 2, "to": 3 },
            { "number": 5, "name": "c" },
        ] }))
    }

    // F78
    #[test]
    fn data_of_a_newer_plugin_are_refused_with_both_numbers_and_the_way_out() {
        let reason = judge(&three(), &at(7), Vec::new()).unwrap_err();
        assert_eq!(
            (reason.code, reason.reason.as_str()),
            (
                "policy",
                "its data was migrated to 7 by deb 2.0.0; version 1.3.0 knows 5; install 2.0.0 or later"
            )
        );
        let none = judge(&manifest(&json!({})), &at(1), Vec::new()).unwrap_err();
        assert!(none.reason.contains("knows no migration"), "{none}");
    }

    #[test]
    fn what_was_not_run_yet_is_to_be_run_in_order() {
        let numbers = |number| {
            let behind = judge(&three(), &at(number), Vec::new()).unwrap();
            behind.map(|behind| behind.told().iter().map(|one| one.number).collect::<Vec<_>>())
        };
        assert_eq!(numbers(0), Some(vec![1, 2, 5]));
        assert_eq!(numbers(2), Some(vec![5]));
        assert_eq!(numbers(3), Some(vec![5]));
        assert_eq!(numbers(5), None);
        let behind = judge(&three(), &at(2), Vec::new()).unwrap().unwrap();
        assert_eq!(behind.reason(), "behind: 1 migration to run: `wharf plugin migrate deb`");
    }

    #[test]
    fn data_older_than_what_was_removed_are_told_what_they_need_first() {
        let removed = json!({ "removed_up_to": 3, "removed_hint": "version 1.1",
            "migrations": [{ "number": 4, "name": "d" }] });
        let reason = judge(&manifest(&removed), &at(2), Vec::new()).unwrap_err();
        assert!(reason.reason.contains("needs version 1.1 first"), "{reason}");
        assert!(judge(&manifest(&removed), &at(3), Vec::new()).unwrap().is_some());
    }

    #[test]
    fn a_definition_holds_from_the_last_migration_that_names_its_type() {
        let mut other = kind(1);
        "other".clone_into(&mut other.id);
        let behind = judge(&three(), &at(0), vec![kind(3), other]).unwrap().unwrap();
        let due = |number| {
            behind.due(number).into_iter().map(|definition| definition.id).collect::<Vec<_>>()
        };
        assert_eq!((due(1).len(), due(2), due(5)), (0, vec!["deb".into()], vec!["other".into()]));
    }

    #[test]
    fn keys_may_change_where_migrations_lead_from_what_is_stored_to_what_is_defined() {
        let stored = |version| {
            let (plugin, plugin_version) = ("deb".to_owned(), "1.0.0".to_owned());
            let id = wharf_store::model::TypeId(1);
            [RegisteredType { id, plugin, plugin_version, definition: kind(version) }]
        };
        let covered = |number, defined, here| {
            let behind = judge(&three(), &at(number), vec![kind(defined)]).unwrap().unwrap();
            behind.covered(&stored(here))
        };
        assert_eq!(covered(0, 3, 1), Ok(vec!["deb".to_owned()]));
        assert!(covered(0, 4, 1).unwrap_err().contains("to version 3"));
        assert!(covered(1, 3, 1).unwrap_err().contains("begins with version 2"));
        assert_eq!(covered(2, 4, 3), Ok(Vec::new()));
    }
}
