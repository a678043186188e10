//! What must be true at each start: a plugin lies where nobody can change it who must not (F7,
//! F64), and says about itself what its manifest says (F25).

use std::io;
use std::sync::Arc;

use wharf_proto::v1::DescribeResponse;

use crate::catalog::{Component, Installed};
use crate::error::Error;

/// Whether a plugin still lies where it may (F7, F64).
pub(super) async fn site(plugin: &Arc<Installed>) -> Result<(), Error> {
    let looked = Arc::clone(plugin);
    match tokio::task::spawn_blocking(move || looked.misplaced()).await {
        Ok(None) => Ok(()),
        Ok(Some(problem)) => Err(Error::Policy { plugin: plugin.manifest.name.clone(), problem }),
        Err(error) => {
            let problem = format!("{} could not be looked at", plugin.folder.display());
            Err(Error::config(problem, io::Error::other(error)))
        }
    }
}

/// The first difference that matters, in words.
pub(super) fn difference(plugin: &Installed, said: &DescribeResponse) -> Option<String> {
    let manifest = &plugin.manifest;
    if said.name != manifest.name {
        return Some(format!("it calls itself {:?}, its manifest {:?}", said.name, manifest.name));
    }
    if said.version != manifest.version.to_string() {
        return Some(format!(
            "it is version {:?}, its manifest is of version {}",
            said.version, manifest.version
        ));
    }
    manifest.components.iter().find_map(|component| component_difference(component, said)).or_else(
        || {
            let unknown = said
                .components
                .iter()
                .find(|said| !manifest.components.iter().any(|component| component.id == said.id));
            unknown.map(|said| format!("it offers {:?}, which its manifest does not name", said.id))
        },
    )
}

fn component_difference(component: &Component, said: &DescribeResponse) -> Option<String> {
    let id = &component.id;
    let Some(found) = said.components.iter().find(|said| said.id == *id) else {
        return Some(format!("it does not offer {id:?}, which its manifest names"));
    };
    if found.role != component.role.as_str() {
        return Some(format!(
            "its {id:?} is {:?}, its manifest says {}",
            found.role, component.role
        ));
    }
    let missing = component.operations.iter().find(|name| !found.operations.contains(name));
    missing.map(|name| format!("its {id:?} does not offer {name:?}, which its manifest names"))
}
