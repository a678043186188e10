//! The rules of a manifest that its types cannot say.

use std::collections::BTreeSet;

use serde_json::Value;
use wharf_proto::handshake::VARIABLES;

use super::component::{Component, Role};
use super::manifest::Manifest;

/// A file may hold any number of types.
const MAX_TYPES_FILES: usize = 64;

impl Manifest {
    /// The first broken rule, in words.
    pub(super) fn check(&self) -> Result<(), String> {
        check_name("name", &self.name)?;
        self.check_protocol()?;
        if self.types.len() > MAX_TYPES_FILES {
            let count = self.types.len();
            return Err(format!("types names {count} files, at most {MAX_TYPES_FILES} are read"));
        }
        let executables = self.executable.values().map(|path| ("executable", path));
        let types = self.types.iter().map(|path| ("types", path));
        executables.chain(types).try_for_each(|(field, path)| check_path(field, path))?;
        let stolen = self.env.keys().find(|name| VARIABLES.contains(&name.as_str()));
        if let Some(name) = stolen {
            return Err(format!("env sets {name}, which belongs to the protocol"));
        }
        super::migrations::check(self).map_err(|problem| format!("migrations: {problem}"))?;
        if self.components.is_empty() {
            return Err("components is empty; a plugin offers at least one".into());
        }
        let mut ids = BTreeSet::new();
        for component in &self.components {
            if !ids.insert(component.id.as_str()) {
                return Err(format!("two components have the id {:?}", component.id));
            }
            component
                .check()
                .map_err(|problem| format!("component {:?}: {problem}", component.id))?;
        }
        Ok(())
    }

    fn check_protocol(&self) -> Result<(), String> {
        let own = wharf_proto::APP_PROTOCOL_VERSIONS;
        if self.protocol.versions.iter().any(|version| own.contains(version)) {
            return Ok(());
        }
        let theirs = &self.protocol.versions;
        Err(format!(
            "it speaks protocol versions {theirs:?}, this host {own:?}; upgrade the older one"
        ))
    }
}

impl Component {
    fn check(&self) -> Result<(), String> {
        check_name("id", &self.id)?;
        let allowed = self.role.operations();
        let foreign = self.operations.iter().find(|name| !allowed.contains(&name.as_str()));
        if let Some(name) = foreign {
            return Err(format!(
                "the operation {name:?} is none of a component of role {}",
                self.role
            ));
        }
        let complete = match self.role {
            Role::Importer => {
                let listing = self.offers("list") && self.offers("fetch");
                self.offers("sync") || listing || self.offers("upload")
            }
            Role::Distributor => self.offers("publish"),
            Role::Builder => self.offers("build"),
            Role::Action => self.offers("run"),
        };
        if !complete {
            let needs = match self.role {
                Role::Importer => "sync, or list and fetch, or upload",
                Role::Distributor => "publish",
                Role::Builder => "build",
                Role::Action => "run",
            };
            return Err(format!("operations must have {needs}"));
        }
        self.check_settings()
    }

    fn check_settings(&self) -> Result<(), String> {
        let properties =
            self.attachment_schema.as_ref().and_then(|schema| schema.get("properties"));
        let Some(properties) = properties.and_then(Value::as_object) else { return Ok(()) };
        let reserved = self.role.reserved_settings();
        match reserved.iter().find(|name| properties.contains_key(**name)) {
            Some(name) => {
                Err(format!("attachment_schema declares {name:?}, which belongs to the host"))
            }
            None => Ok(()),
        }
    }
}

/// Holds a name of a plugin or a component against the rule for such names.
///
/// # Errors
/// The broken rule in words, with `field` for where the name stands.
pub fn check_name(field: &str, name: &str) -> Result<(), String> {
    let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let starts = name.starts_with(|first: char| first.is_ascii_lowercase());
    if starts && name.len() <= 64 && name.bytes().all(legal) {
        return Ok(());
    }
    Err(format!(
        "{field} {name:?} must begin with a lower-case letter and hold at most 64 of a-z, 0-9 and -"
    ))
}

fn check_path(field: &str, path: &str) -> Result<(), String> {
    let harmless = !path.contains(|c: char| c == '\\' || c.is_control());
    let inside = !path.starts_with('/') && path.split('/').all(|segment| segment != "..");
    if harmless && inside && !path.is_empty() {
        return Ok(());
    }
    Err(format!("{field} names {path:?}, which is not a path inside the plugin's folder"))
}
