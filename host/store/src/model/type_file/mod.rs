//! Reads files of type definitions, written as for Pulp 2: `{"types": [...]}`.
//!
//! The way through: `limits` bounds what is read at all, `json` parses, `raw` says what a definition means, `fields`
//! which names can be used. Each step looks at everything before the next begins, and names all that it refuses:
//! JSON, root, attributes, names, doubled types, fields. References to other types are looked at apart, by who knows
//! all types ([`check_references`]). Never opens a file, and knows nothing of what is stored.
//!
//! Beyond Pulp 2 a definition may have `version`, `repo_key` and `attributes`, a field of `unit_key` may be written
//! `{"name": "sha256", "from": "artifact"}`, and names may have digits and dashes. Other names at the root are
//! ignored, as by Pulp 2. Source: Pulp 2's type definitions, and `proto/schema/types.schema.json`.

mod errors;
mod fields;
mod json;
mod limits;
mod raw;

use std::collections::HashMap;

use serde_json::Value;

use self::errors::Offenders;
pub use self::errors::{TypeErrors, TypeFault};
pub(crate) use self::fields::is_field_name;
use self::fields::is_type_name;
use self::limits::cut;
use self::raw::Raw;
use super::TypeDefinition;

/// A definition, and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadType {
    /// The file, as it was named.
    pub file: String,
    /// What it says.
    pub definition: TypeDefinition,
    /// What of it Pulp 2 would refuse. Empty: it is written as for Pulp 2.
    pub additions: Vec<&'static str>,
}

/// Reads type definitions from files, given as (path, text). The path is for messages only.
///
/// # Errors
///
/// Names all offenders of the first class that has any.
pub fn read_types<P: AsRef<str>, T: AsRef<str>>(
    files: &[(P, T)],
) -> Result<Vec<ReadType>, TypeErrors> {
    let mut offenders = Offenders::default();
    limits::check_files(files, &mut offenders);
    offenders.settle(TypeFault::TooLarge)?;
    let parsed = parse(files)?;
    let raw = objects(&roots(&parsed)?)?;
    for raw in &raw {
        raw.unknown_attributes(&mut offenders);
    }
    offenders.settle(TypeFault::InvalidAttribute)?;
    for raw in &raw {
        raw.missing_attributes(&mut offenders);
    }
    offenders.settle(TypeFault::MissingAttribute)?;
    let types: Vec<ReadType> =
        raw.iter().filter_map(|raw| raw.definition(&mut offenders)).collect();
    offenders.settle(TypeFault::InvalidValue)?;
    check_names(&types)?;
    for ReadType { file, definition, .. } in &types {
        limits::check(definition, file, &mut offenders);
    }
    offenders.settle(TypeFault::TooLarge)?;
    for ReadType { file, definition, .. } in &types {
        fields::check(definition, file, &mut offenders);
    }
    offenders.settle(TypeFault::InvalidField)?;
    Ok(types)
}

/// Refuses references to types that nobody knows.
///
/// # Errors
///
/// Names all of them.
pub fn check_references(
    types: &[ReadType],
    is_known: impl Fn(&str) -> bool,
) -> Result<(), TypeErrors> {
    let mut offenders = Offenders::default();
    for ReadType { file, definition, .. } in types {
        for name in definition.referenced_types.iter().filter(|name| !is_known(name)) {
            offenders.add(format!("{file}: {}: {:?}", definition.id, cut(name)));
        }
    }
    offenders.settle(TypeFault::UndefinedReference)
}

fn parse<P: AsRef<str>, T: AsRef<str>>(files: &[(P, T)]) -> Result<Vec<(&str, Value)>, TypeErrors> {
    let mut offenders = Offenders::default();
    let mut parsed = Vec::with_capacity(files.len());
    for (file, text) in files {
        match json::read(text.as_ref()) {
            Ok(value) => parsed.push((file.as_ref(), value)),
            Err(error) => offenders.add(format!("{}: {error}", file.as_ref())),
        }
    }
    offenders.settle(TypeFault::Unparsable)?;
    Ok(parsed)
}

/// What stands in the list `types` of each file.
fn roots<'a>(parsed: &'a [(&'a str, Value)]) -> Result<Vec<(&'a str, &'a Value)>, TypeErrors> {
    let mut offenders = Offenders::default();
    let mut found = Vec::new();
    for (file, root) in parsed {
        match root.get("types").and_then(Value::as_array) {
            Some(list) => found.extend(list.iter().map(|value| (*file, value))),
            None => offenders.add((*file).to_owned()),
        }
    }
    offenders.settle(TypeFault::MissingRoot)?;
    if found.len() > limits::TYPES {
        offenders.add(format!("{} types, at most {} together", found.len(), limits::TYPES));
    }
    offenders.settle(TypeFault::TooLarge)?;
    Ok(found)
}

fn objects<'a>(found: &[(&'a str, &'a Value)]) -> Result<Vec<Raw<'a>>, TypeErrors> {
    let mut offenders = Offenders::default();
    let mut raw = Vec::with_capacity(found.len());
    for (file, value) in found {
        match value.as_object() {
            Some(value) => raw.push(Raw { file, value }),
            None => offenders.add(format!("{file}: {}", cut(&value.to_string()))),
        }
    }
    offenders.settle(TypeFault::NotAnObject)?;
    Ok(raw)
}

/// Names that cannot be used, then those that are there twice.
fn check_names(types: &[ReadType]) -> Result<(), TypeErrors> {
    let mut offenders = Offenders::default();
    for ReadType { file, definition, .. } in types {
        if !is_type_name(&definition.id) {
            offenders.add(format!("{file}: {:?}", cut(&definition.id)));
        }
        for name in definition.referenced_types.iter().filter(|name| !is_type_name(name)) {
            let id = cut(&definition.id);
            offenders.add(format!("{file}: {id}: referenced_types: {:?}", cut(name)));
        }
    }
    offenders.settle(TypeFault::InvalidTypeId)?;
    let mut seen: HashMap<&str, &str> = HashMap::new();
    for ReadType { file, definition, .. } in types {
        match seen.get(definition.id.as_str()) {
            Some(first) => offenders.add(format!("{}: in {first} and in {file}", definition.id)),
            None => {
                seen.insert(&definition.id, file);
            }
        }
    }
    offenders.settle(TypeFault::DuplicateType)
}

#[cfg(test)]
mod tests;
