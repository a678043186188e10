//! Packages and the repositories that they come from.

use std::collections::HashSet;

use crate::fields::Fields;
use crate::model::{Package, Repository};
use crate::node::{Node, Value};
use crate::problem::{Place, Problems};

use super::MAX_ENTRIES;

/// Packages, each with its place.
pub(crate) fn packages(fields: &mut Fields<'_>) -> Vec<(Package, Place)> {
    fields.list("packages", MAX_ENTRIES, package)
}

fn package(node: Node, path: &str, problems: &mut Problems) -> Option<(Package, Place)> {
    let mut fields = Fields::of(node, path, problems);
    let name = fields.required("name", "the package's name");
    let repository = fields.optional("repository").map(|(text, _)| text);
    let file = fields.optional("file").map(|(text, _)| text);
    let arguments = fields.list("arguments", MAX_ENTRIES, line);
    let place = fields.place();
    fields.finish();
    Some((Package { name: name?.0, repository, file, arguments }, place))
}

fn line(node: Node, path: &str, problems: &mut Problems) -> Option<String> {
    match node.value {
        Value::Text(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        _ => {
            problems.add(node.place, path, "expected a text that is not empty");
            None
        }
    }
}

/// Repositories, each under a name of its own.
pub(crate) fn repositories(fields: &mut Fields<'_>) -> Vec<Repository> {
    let mut names = HashSet::new();
    fields.list("repositories", MAX_ENTRIES, |node, path, problems| {
        let place = node.place;
        let repository = repository(node, path, problems)?;
        if !names.insert(repository.name.clone()) {
            let message = format!("there is a repository {:?} already", repository.name);
            problems.add(place, path, message);
        }
        Some(repository)
    })
}

fn repository(node: Node, path: &str, problems: &mut Problems) -> Option<Repository> {
    let mut fields = Fields::of(node, path, problems);
    let name = fields.required("name", "the repository's name");
    let url = fields.required("url", "the repository's address");
    let signed = fields.switch("signed", false);
    let persisted = fields.switch("persisted", true);
    let sslverify = fields.switch("sslverify", false);
    fields.finish();
    Some(Repository { name: name?.0, url: url?.0, signed, persisted, sslverify })
}

/// A package comes from a repository that the template has.
pub(super) fn known_repositories(
    packages: &[(Package, Place)],
    repositories: &[Repository],
    fields: &mut Fields<'_>,
) {
    let names: HashSet<&str> = repositories.iter().map(|one| one.name.as_str()).collect();
    for (package, place) in packages {
        if let Some(wanted) = package.repository.as_deref().filter(|name| !names.contains(name)) {
            let message = format!("package {:?}: no repository is called {wanted:?}", package.name);
            fields.problem(*place, "packages", message);
        }
    }
}
