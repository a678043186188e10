//! One migration: one call of the plugin, whose units are checked and staged, then one transaction.

use std::collections::HashMap;
use std::sync::Arc;

use wharf_proto::v1::{self, event::Event};
use wharf_store::model::{
    ChangedUnit, Migrated, Migration as Change, RegisteredType, TypeDefinition, TypeId,
};
use wharf_supervisor::{Installed, Lease, Migration, calls};

use super::standing::Behind;
use crate::convert;
use crate::engine::Inner;
use crate::host_service::{Only, Rights};
use crate::jobs::run::JobRun;
use crate::jobs::view::MigrationReport;
use crate::problem::Problem;
use crate::unit_types::Type;

pub(super) struct Step<'a> {
    pub(super) engine: &'a Inner,
    pub(super) run: &'a JobRun,
    pub(super) plugin: &'a Arc<Installed>,
    pub(super) process: &'a Lease,
    pub(super) behind: &'a Behind,
    pub(super) migration: &'a Migration,
    pub(super) dry_run: bool,
}

/// The plugin's types as they are after the migration, by name.
type Own = HashMap<String, Type>;

impl Step<'_> {
    /// Runs it. Whatever ends it before its transaction leaves everything as it was.
    pub(super) async fn run(&self) -> Result<MigrationReport, Problem> {
        let (meta, lease) = (&self.engine.store.meta, self.run.lease);
        meta.discard_changes(lease).await?;
        let outcome = self.stage_and_apply().await;
        // What stays is seen by nobody, and gone with the next attempt or the next start.
        if (outcome.is_err() || self.dry_run)
            && let Err(error) = meta.discard_changes(lease).await
        {
            tracing::warn!(job = self.run.id(), %error, "staged changes stay for now");
        }
        let migrated = outcome?;
        if !self.dry_run {
            let name = &self.plugin.manifest.name;
            self.engine.types.refresh(meta.types().await?, name);
            self.engine.standings.advance(name, self.migration.number);
        }
        Ok(self.report(migrated))
    }

    async fn stage_and_apply(&self) -> Result<Migrated, Problem> {
        let due = self.behind.due(self.migration.number);
        let own = self.own(&due).await?;
        self.call(&own).await?;
        if self.run.troubled() > 0 {
            let count = self.run.troubled();
            return Err(Problem::operation(
                "content.migration",
                format!("{count} units could not be migrated; a migration is whole or not at all"),
            ));
        }
        self.run.check_cancelled()?;
        let manifest = &self.plugin.manifest;
        let change = Change {
            plugin: manifest.name.clone(),
            plugin_version: manifest.version.to_string(),
            number: self.migration.number,
            types: due,
        };
        let (meta, lease) = (&self.engine.store.meta, self.run.lease);
        Ok(if self.dry_run {
            meta.try_migration(lease, change).await?
        } else {
            meta.migrate(lease, change).await?
        })
    }

    /// The types whose units it may read and change: those of the plugin, and those that it will define.
    async fn own(&self, due: &[TypeDefinition]) -> Result<Own, Problem> {
        let name = &self.plugin.manifest.name;
        let next = |id: &str| due.iter().find(|definition| definition.id == id);
        let mut own = Own::new();
        for stored in self.engine.store.meta.types().await? {
            let new = next(&stored.definition.id).cloned();
            if stored.plugin == *name || new.is_some() {
                let definition = new.unwrap_or_else(|| stored.definition.clone());
                let kind = Type::new(RegisteredType { definition, ..stored }, true);
                own.insert(kind.definition.id.clone(), kind);
            }
        }
        Ok(own)
    }

    /// Makes the call and stages what it sends.
    async fn call(&self, own: &Own) -> Result<(), Problem> {
        let definitions: HashMap<TypeId, TypeDefinition> =
            own.values().map(|kind| (kind.id, (*kind.definition).clone())).collect();
        let grant = self.engine.grants.grant(self.rights(definitions.keys().copied().collect()))?;
        let request = v1::MigrateRequest {
            context: Some(Inner::job_context(self.run, self.process, grant.token())),
            number: self.migration.number,
            dry_run: self.dry_run,
        };
        let bounds = self.engine.bounds(self.run);
        let mut events = calls::migrate(self.process, request, &bounds).await?;
        while let Some(event) = events.next().await? {
            match event {
                Event::Units(units) => {
                    let changed = self.changed(own, units)?;
                    let count = changed.len() as u64;
                    let meta = &self.engine.store.meta;
                    meta.stage_changes(self.run.lease, definitions.clone(), changed).await?;
                    self.run.counted("migrating", "units", count);
                }
                Event::Items(items) => {
                    for item in items.items {
                        convert::tell_item(self.run, item).await;
                    }
                }
                Event::Result(_) => return Ok(()),
                Event::Checkpoint(_) => {}
                Event::Job(_) | Event::Output(_) => {
                    return Err(convert::not_driven("migration", &event));
                }
                other => convert::tell(self.run, other).await?,
            }
        }
        Err(Problem::protocol("the stream ended without a result"))
    }

    fn changed(&self, own: &Own, units: v1::Units) -> Result<Vec<ChangedUnit>, Problem> {
        if units.units.len() > wharf_proto::MAX_BATCH {
            return Err(Problem::protocol(format!(
                "a batch of {} units; at most {} may come in one message",
                units.units.len(),
                wharf_proto::MAX_BATCH
            )));
        }
        let mut changed = Vec::with_capacity(units.units.len());
        for unit in units.units {
            let kind = own.get(&unit.r#type).ok_or_else(|| {
                Problem::protocol(format!(
                    "plugin {} sent a unit of type \"{}\", which is none of its own",
                    self.plugin.manifest.name, unit.r#type
                ))
            })?;
            changed.push(convert::changed_unit(kind, unit)?);
        }
        Ok(changed)
    }

    fn rights(&self, types: Vec<TypeId>) -> Rights {
        Rights { only: Some(Only::Types(types)), ..Rights::least(self.run, self.process.id()) }
    }

    fn report(&self, migrated: Migrated) -> MigrationReport {
        let Migrated { changed, rekeyed, first } = migrated;
        let told = |(old, new): (String, String)| {
            if old == new {
                format!("{old}: other attributes or files")
            } else {
                format!("{old} -> {new}")
            }
        };
        MigrationReport {
            number: self.migration.number,
            name: self.migration.name.clone(),
            changed,
            rekeyed,
            first: first.into_iter().map(told).collect(),
        }
    }
}
