//! All registered types, at hand. They change while the host runs when a migration brings new definitions.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use wharf_store::model::{RegisteredType, TypeId};

use super::Type;

/// The types, by name.
pub(crate) struct Types {
    all: RwLock<HashMap<String, Arc<Type>>>,
}

impl Types {
    pub(crate) fn new(types: impl IntoIterator<Item = Type>) -> Self {
        let types = types.into_iter().map(|kind| (kind.definition.id.clone(), Arc::new(kind)));
        Self { all: RwLock::new(types.collect()) }
    }

    pub(crate) fn get(&self, name: &str) -> Option<Arc<Type>> {
        self.read().get(name).cloned()
    }

    pub(crate) fn all(&self) -> Vec<Arc<Type>> {
        self.read().values().cloned().collect()
    }

    /// The name of one.
    pub(crate) fn name(&self, id: TypeId) -> Option<String> {
        self.read().values().find(|kind| kind.id == id).map(|kind| kind.definition.id.clone())
    }

    /// Their names, in order.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.read().keys().cloned().collect();
        names.sort_unstable();
        names
    }

    /// Their names, by number.
    pub(crate) fn numbers(&self) -> HashMap<TypeId, String> {
        self.read().iter().map(|(name, kind)| (kind.id, name.clone())).collect()
    }

    /// Takes over what is stored, after a migration of this plugin.
    pub(crate) fn refresh(&self, stored: Vec<RegisteredType>, plugin: &str) {
        let mut all = self.all.write().unwrap_or_else(PoisonError::into_inner);
        for registered in stored {
            let name = registered.definition.id.clone();
            let known = all.get(&name);
            if known.is_none_or(|known| *known.definition != registered.definition) {
                let defined =
                    registered.plugin == plugin || known.is_some_and(|known| known.defined);
                all.insert(name, Arc::new(Type::new(registered, defined)));
            }
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, HashMap<String, Arc<Type>>> {
        self.all.read().unwrap_or_else(PoisonError::into_inner)
    }
}
