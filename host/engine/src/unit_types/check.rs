//! Looks at files of type definitions for who writes them. Needs no host, no data folder, no plugin.

use serde_json::json;
use wharf_store::model::{
    ReadType, TypeDefinition, TypeErrors, TypeFault, check_references, read_types,
};

use super::check_schemas;
use crate::problem::Problem;

/// In whose terms a definition is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TypeForm {
    /// As Pulp 2 would read it too.
    Pulp2,
    /// With wharf's additions.
    Wharf,
}

/// A definition that was found good.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedType {
    /// The file, as it was named.
    pub file: String,
    /// In whose terms it is written.
    pub form: TypeForm,
    /// What it becomes.
    pub definition: TypeDefinition,
    /// What its author should know.
    pub notes: Vec<String>,
}

/// Looks at files of type definitions, given as (path, text), all together. `known` are types that these files may
/// refer to without defining them.
///
/// # Errors
/// `config.types` with all offenders of the first class that has any: `details` has `fault` and `offenders`.
pub fn check_types(
    files: &[(String, String)],
    known: &[String],
) -> Result<Vec<CheckedType>, Problem> {
    let types = read_types(files).map_err(problem)?;
    let here = |name: &str| types.iter().any(|read| read.definition.id == name);
    check_references(&types, |name| here(name) || known.iter().any(|known| known == name))
        .map_err(problem)?;
    check_schemas(&types).map_err(problem)?;
    Ok(types.into_iter().map(checked).collect())
}

fn problem(errors: TypeErrors) -> Problem {
    let TypeErrors { fault, offenders } = errors;
    let message = format!("{}:\n{}", fault.words(), offenders.join("\n"));
    let details = json!({ "fault": fault.code(), "offenders": offenders });
    let problem = Problem::usage("config.types", message).details(details);
    match help(fault) {
        Some(help) => problem.help(help),
        None => problem,
    }
}

const fn help(fault: TypeFault) -> Option<&'static str> {
    match fault {
        TypeFault::NotAnObject => {
            Some("of a plugin, check the files that \"types\" in its plugin.json names")
        }
        TypeFault::MissingRoot => Some("write {\"types\": [...]}, as for Pulp 2"),
        TypeFault::InvalidAttribute | TypeFault::MissingAttribute => Some(
            "id, display_name, description and unit_key must be there; search_indexes, \
             referenced_types, version, repo_key and attributes may be",
        ),
        TypeFault::UndefinedReference => {
            Some("give the files that define them too, or name each with --known TYPE")
        }
        _ => None,
    }
}

fn checked(read: ReadType) -> CheckedType {
    let notes = notes(&read);
    let form = if read.additions.is_empty() { TypeForm::Pulp2 } else { TypeForm::Wharf };
    CheckedType { file: read.file, form, definition: read.definition, notes }
}

fn notes(read: &ReadType) -> Vec<String> {
    let definition = &read.definition;
    let mut notes = Vec::new();
    if read.additions.is_empty() {
        notes.push(
            "it becomes version 1; when the definition changes, add a greater \"version\""
                .to_owned(),
        );
        notes.push(
            "units never take each other's place in a repository; \"repo_key\" would say when"
                .to_owned(),
        );
        notes.push("attributes may be anything; \"attributes\" would say what".to_owned());
    }
    if definition.search_indexes.iter().any(|index| index.iter().eq(key(definition))) {
        notes.push(
            "the search index that is the unit_key could go: that is indexed anyway".to_owned(),
        );
    }
    notes
}

fn key(definition: &TypeDefinition) -> impl Iterator<Item = &String> {
    definition.unit_key.iter().map(|field| &field.name)
}
