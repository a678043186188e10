//! The rules of a manifest's list of migrations.
//!
//! Numbers say in which order data was changed, and the host keeps the last one that was: a list in which they are
//! doubled or out of order has no meaning, and makes the plugin unusable.

use super::manifest::{Manifest, Migration};

/// The first broken rule, in words.
pub(super) fn check(manifest: &Manifest) -> Result<(), String> {
    let removed = manifest.removed_up_to.unwrap_or(0);
    let mut before = 0;
    for migration in &manifest.migrations {
        let number = migration.number;
        if number == 0 {
            return Err("numbers begin with 1".into());
        }
        if number == before {
            return Err(format!("number {number} stands twice"));
        }
        if number < before {
            return Err(format!("number {number} stands behind {before}; they run in order"));
        }
        if number <= removed {
            return Err(format!("number {number} is among those that removed_up_to says are gone"));
        }
        check_one(migration)?;
        before = number;
    }
    let hint = manifest.removed_hint.as_deref().unwrap_or_default();
    if removed > 0 && hint.trim().is_empty() {
        return Err("removed_up_to needs removed_hint: what older data needs first".into());
    }
    Ok(())
}

fn check_one(migration: &Migration) -> Result<(), String> {
    let number = migration.number;
    if migration.name.trim().is_empty() {
        return Err(format!("number {number} has no name"));
    }
    match (&migration.kind, migration.from, migration.to) {
        (None, None, None) | (Some(_), _, None) | (Some(_), None, Some(_)) => Ok(()),
        (None, ..) => Err(format!("number {number} names versions of no type")),
        (Some(_), Some(from), Some(to)) if from < to => Ok(()),
        (Some(kind), Some(from), Some(to)) => {
            Err(format!("number {number} leads type {kind} from {from} to {to}, which is no way"))
        }
    }
}
