//! Registers what installed plugins define.
//!
//! A plugin whose definitions do not count is unusable, with the reason; no other one is touched by that. The way
//! through: read all files; who claims a type that another plugin has is refused (F24); so is who refers to types, or
//! imports types, that nobody defines; what is left is registered, plugin by plugin, and the store refuses changes
//! against the rules (F66). Of a plugin in several versions only the one in use counts. Types that no plugin defines
//! any more stay, with their units.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use wharf_store::Store;
use wharf_store::model::{
    ReadType, RegisteredType, Tracked, TypeDefinition, TypeErrors, check_references, read_types,
};
use wharf_supervisor::{Broken, Catalog, Installed, Manifest, Role};

use super::{Type, Types, check_schemas, own};
use crate::error::Error;
use crate::migrations::{self, Behind};

/// What came of it.
pub(crate) struct Registered {
    /// All types.
    pub(crate) types: Arc<Types>,
    /// Why a plugin that was found cannot be used, by name.
    pub(crate) unusable: HashMap<String, Broken>,
    /// Plugins whose data need migrations first.
    pub(crate) behind: HashMap<String, Behind>,
}

/// Registers what every usable plugin defines.
pub(crate) async fn register(store: &Store, catalog: &Catalog) -> Result<Registered, Error> {
    own::register(store).await?;
    let stored = store.meta.types().await?;
    let mut candidates = Candidates::read(catalog);
    candidates.settle_claims(catalog, &stored);
    candidates.settle_names(&stored);
    let behind = candidates.write(store, &stored).await?;
    let stored = store.meta.types().await?;
    // What was refused last may be what others refer to.
    candidates.settle_names(&stored);
    let defined = candidates.defined(catalog, &stored);
    let types = stored.into_iter().map(|registered| {
        let is_defined = defined.contains(&registered.definition.id);
        if !is_defined {
            let (name, plugin) = (&registered.definition.id, &registered.plugin);
            tracing::warn!(r#type = %name, %plugin, "no plugin defines this type any more; it is kept with its units");
        }
        Type::new(registered, is_defined)
    });
    let types = Arc::new(Types::new(types));
    Ok(Registered { types, unusable: candidates.unusable, behind })
}

/// Plugins whose definitions may count, by name.
struct Candidates<'c> {
    accepted: BTreeMap<&'c str, Candidate<'c>>,
    unusable: HashMap<String, Broken>,
}

struct Candidate<'c> {
    plugin: &'c Installed,
    types: Vec<ReadType>,
}

impl<'c> Candidates<'c> {
    fn read(catalog: &'c Catalog) -> Self {
        let mut all = Self { accepted: BTreeMap::new(), unusable: HashMap::new() };
        for plugin in catalog.plugins().iter().filter(|plugin| plugin.broken.is_none()) {
            let name = plugin.manifest.name.as_str();
            if all.accepted.contains_key(name) || all.unusable.contains_key(name) {
                continue;
            }
            let Some(plugin) = catalog.plugin(name) else { continue };
            if name == own::OWNER {
                all.refuse(name, "conflict", "that name is the host's own".to_owned());
                continue;
            }
            match read(plugin) {
                Ok(types) => {
                    all.accepted.insert(name, Candidate { plugin, types });
                }
                Err(errors) => all.refuse(name, "config", errors.to_string()),
            }
        }
        all
    }

    fn refuse(&mut self, name: &str, code: &'static str, reason: String) {
        self.accepted.remove(name);
        self.unusable.insert(name.to_owned(), Broken { code, reason });
    }

    /// Who has each stored type: who registered it, if it may define it still.
    fn owners(&self, catalog: &Catalog, stored: &[RegisteredType]) -> HashMap<String, String> {
        let may_define = |registered: &&RegisteredType| {
            let owner = registered.plugin.as_str();
            match self.accepted.get(owner) {
                _ if owner == own::OWNER => true,
                Some(candidate) => candidate.defines(&registered.definition.id),
                // Its files cannot be read now.
                None => catalog.plugin(owner).is_some(),
            }
        };
        let kept = stored.iter().filter(may_define);
        kept.map(|registered| (registered.definition.id.clone(), registered.plugin.clone()))
            .collect()
    }

    /// Refuses plugins that claim what another one has. First comes who owns a type, then who is first by name.
    fn settle_claims(&mut self, catalog: &Catalog, stored: &[RegisteredType]) {
        let mut owners = self.owners(catalog, stored);
        let names: Vec<&str> = self.accepted.keys().copied().collect();
        for name in names {
            let Some(candidate) = self.accepted.get(name) else { continue };
            let taken = self.taken(catalog, &owners, (name, candidate));
            if taken.is_empty() {
                let ids = candidate.types.iter().map(|read| read.definition.id.clone());
                owners.extend(ids.map(|id| (id, name.to_owned())));
            } else {
                let reason = format!(
                    "it defines types that another plugin has: {}; the first one stays: remove one of the plugins",
                    taken.join("; ")
                );
                self.refuse(name, "conflict", reason);
            }
        }
    }

    /// The types of a plugin that another one has, with both origins.
    fn taken(
        &self,
        catalog: &Catalog,
        owners: &HashMap<String, String>,
        (name, candidate): (&str, &Candidate<'_>),
    ) -> Vec<String> {
        let mut taken = Vec::new();
        for read in &candidate.types {
            let id = read.definition.id.as_str();
            if let Some(owner) = owners.get(id).filter(|owner| *owner != name) {
                let origin = self.origin(catalog, owner, id);
                taken.push(format!("{id}: in {origin} of plugin {owner} and in {}", read.file));
            }
        }
        taken
    }

    /// The file in which a plugin defines a type; its folder while that cannot be read.
    fn origin(&self, catalog: &Catalog, plugin: &str, id: &str) -> String {
        let types = self.accepted.get(plugin).map(|candidate| &candidate.types);
        let file = types.into_iter().flatten().find(|read| read.definition.id == id);
        file.map_or_else(
            || {
                let folder =
                    catalog.plugin(plugin).map(|plugin| plugin.folder.display().to_string());
                folder.unwrap_or_default()
            },
            |read| read.file.clone(),
        )
    }

    /// Refuses plugins that name types which nobody defines. Whoever named the types of a refused one is next.
    fn settle_names(&mut self, stored: &[RegisteredType]) {
        loop {
            let accepted = self.accepted.values().flat_map(|candidate| &candidate.types);
            let known: HashSet<String> = stored
                .iter()
                .map(|registered| &registered.definition)
                .chain(accepted.map(|read| &read.definition))
                .map(|definition| definition.id.clone())
                .collect();
            let lacking: Vec<(String, String)> = self
                .accepted
                .iter()
                .filter_map(|(name, candidate)| {
                    Some(((*name).to_owned(), candidate.lacks(|id| known.contains(id))?))
                })
                .collect();
            if lacking.is_empty() {
                return;
            }
            for (name, reason) in lacking {
                self.refuse(&name, "config", reason);
            }
        }
    }

    /// Registers the types of plugins whose data are up to date. Of a plugin that is behind it is only looked at whether
    /// its migrations will be able to: until they ran, an older version of it works as before (F77).
    async fn write(
        &mut self,
        store: &Store,
        stored: &[RegisteredType],
    ) -> Result<HashMap<String, Behind>, Error> {
        let manifests: Vec<&Manifest> =
            self.accepted.values().map(|candidate| &candidate.plugin.manifest).collect();
        let tracked = migrations::standings(store, &manifests).await?;
        let (mut behind, mut refused) = (HashMap::new(), Vec::new());
        for (name, candidate) in &self.accepted {
            let Some(tracked) = tracked.get(*name) else { continue };
            match candidate.stand(store, tracked, stored).await? {
                Ok(None) => {}
                Ok(Some(late)) => drop(behind.insert((*name).to_owned(), late)),
                Err(broken) => refused.push(((*name).to_owned(), broken)),
            }
        }
        for (name, Broken { code, reason }) in refused {
            self.refuse(&name, code, reason);
        }
        Ok(behind)
    }

    /// The types that an installed plugin defines, or may define once it is mended.
    fn defined(&self, catalog: &Catalog, stored: &[RegisteredType]) -> HashSet<String> {
        let accepted = self.accepted.values().flat_map(|candidate| &candidate.types);
        let accepted = accepted.map(|read| read.definition.id.clone());
        let mended = stored.iter().filter(|registered| {
            let owner = registered.plugin.as_str();
            owner == own::OWNER
                || (!self.accepted.contains_key(owner) && catalog.plugin(owner).is_some())
        });
        accepted.chain(mended.map(|registered| registered.definition.id.clone())).collect()
    }
}

impl Candidate<'_> {
    /// Registers its types, or says why it must wait, or why it cannot be used.
    async fn stand(
        &self,
        store: &Store,
        tracked: &Tracked,
        stored: &[RegisteredType],
    ) -> Result<Result<Option<Behind>, Broken>, Error> {
        let manifest = &self.plugin.manifest;
        let types: Vec<TypeDefinition> =
            self.types.iter().map(|read| read.definition.clone()).collect();
        let late = match migrations::judge(manifest, tracked, types.clone()) {
            Ok(late) => late,
            Err(broken) => return Ok(Err(broken)),
        };
        let registered = match &late {
            None => {
                let version = manifest.version.to_string();
                store.meta.register_types(&manifest.name, &version, types).await
            }
            Some(late) => match late.covered(stored) {
                Ok(covered) => store.meta.check_types(&manifest.name, types, covered).await,
                Err(reason) => return Ok(Err(Broken { code: "config", reason })),
            },
        };
        match registered {
            Ok(()) => Ok(Ok(late)),
            Err(error) if error.is_refusal() => {
                Ok(Err(Broken { code: "config", reason: error.to_string() }))
            }
            Err(error) => Err(error.into()),
        }
    }

    fn defines(&self, id: &str) -> bool {
        self.types.iter().any(|read| read.definition.id == id)
    }

    /// The types that it names and nobody knows, in words.
    fn lacks(&self, is_known: impl Fn(&str) -> bool) -> Option<String> {
        let references = check_references(&self.types, &is_known).err();
        if let Some(errors) = references {
            return Some(format!("{errors}; install the plugin that defines them"));
        }
        let made = self.plugin.manifest.components.iter().flat_map(|component| {
            let types = match component.role {
                Role::Importer => component.content_types.as_slice(),
                Role::Builder => component.produces.as_slice(),
                Role::Distributor | Role::Action => &[],
            };
            types.iter().map(|id| (&component.id, id))
        });
        let unknown: Vec<String> = made
            .filter(|(_, id)| !is_known(id))
            .map(|(component, id)| format!("{component}: {id:?}"))
            .collect();
        (!unknown.is_empty()).then(|| {
            format!("its components name types that nobody defines: {}", unknown.join("; "))
        })
    }
}

fn read(plugin: &Installed) -> Result<Vec<ReadType>, TypeErrors> {
    let files: Vec<(String, &str)> = plugin
        .types
        .iter()
        .map(|file| (file.path.display().to_string(), file.text.as_str()))
        .collect();
    let types = read_types(&files)?;
    check_schemas(&types)?;
    Ok(types)
}
