//! What a `kitovu.yaml` becomes: an instance for each connection, a repository for each source, and a folder for each.
//!
//! A subject with one source is a repository of its name. One with several has a repository for each, because a
//! repository mirrors one source; they have the subject as a label in common, and may share a folder: what stands there
//! already of another one is never overwritten.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use crate::builtin;
use crate::config::{Config, Source};

/// What is to be made.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize)]
pub struct Plan {
    /// Of the connections.
    pub instances: Vec<Instance>,
    /// Of the sources.
    pub repositories: Vec<Repository>,
}

/// An instance of an importer.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Instance {
    /// Its name.
    pub name: String,
    /// The component: `smb.importer`.
    pub component: String,
    /// The settings, a secret's name among them.
    pub settings: Map<String, Value>,
    /// The secret that must be there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<Secret>,
}

/// A secret that kitovu keeps in the keyring.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Secret {
    /// Its name on this host.
    pub name: String,
    /// What it is, for people.
    pub what: String,
}

/// A repository with its importer and its folder.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Repository {
    /// Its name.
    pub name: String,
    /// The subject, as written.
    pub subject: String,
    /// The importer: `smb.importer@school`.
    pub importer: String,
    /// The importer's settings.
    pub settings: Map<String, Value>,
    /// The user's folder, absolute.
    pub folder: PathBuf,
}

/// Makes the plan. `home` is what `~` stands for, `base` where relative folders begin.
pub fn plan(config: &Config, home: &Path, base: &Path) -> Plan {
    let mut plan = Plan::default();
    let mut names = HashSet::new();
    let mut connections = BTreeMap::new();
    for connection in &config.connections {
        let component = component(&connection.plugin);
        let name = free(&connection.name, 64, &mut names);
        let mut settings = connection.settings.clone();
        for (key, value) in builtin::defaults(&connection.plugin) {
            settings.entry(*key).or_insert_with(|| Value::from(*value));
        }
        let secret = builtin::secret(&connection.plugin).map(|(key, what)| {
            settings.insert(key.to_owned(), Value::from(name.clone()));
            Secret {
                name: name.clone(),
                what: format!("{what} of the connection {}", connection.name),
            }
        });
        connections.insert(connection.name.clone(), format!("{component}@{name}"));
        plan.instances.push(Instance { name, component, settings, secret });
    }
    let mut names = HashSet::new();
    let root = absolute(&config.root_dir, home, base);
    for subject in &config.subjects {
        for source in &subject.sources {
            let Some(importer) = connections.get(&source.connection).cloned() else { continue };
            let folder = match &source.local_dir {
                Some(folder) => absolute(folder, home, base),
                None => root.join(file_name(&subject.name)),
            };
            plan.repositories.push(Repository {
                name: free(&subject.name, 100, &mut names),
                subject: subject.name.clone(),
                importer,
                settings: settings(source, &config.global_ignore),
                folder,
            });
        }
    }
    plan
}

fn component(plugin: &str) -> String {
    if plugin.contains('.') { plugin.to_owned() } else { format!("{plugin}.importer") }
}

fn settings(source: &Source, global: &[String]) -> Map<String, Value> {
    let mut ignore = global.to_vec();
    ignore.extend(source.ignore.iter().filter(|name| !global.contains(name)).cloned());
    let mut settings = Map::from_iter([("remote_dir".to_owned(), json!(source.remote_dir))]);
    if !ignore.is_empty() {
        settings.insert("ignore".to_owned(), json!(ignore));
    }
    settings
}

/// A name that the host takes, and that nobody has yet.
fn free(wanted: &str, most: usize, taken: &mut HashSet<String>) -> String {
    let fits = |character: char| character.is_ascii_alphanumeric() || "._".contains(character);
    let parts = wanted.split(|character| !fits(character)).filter(|part| !part.is_empty());
    let name: String = parts.collect::<Vec<_>>().join("-").chars().take(most - 4).collect();
    let name = name.trim_matches(['-', '.']);
    let name = if name.is_empty() || name == "default" { "kitovu" } else { name };
    let numbered = (2..1_000).map(|number| format!("{name}-{number}"));
    let mut tries = std::iter::once(name.to_owned()).chain(numbered);
    let free = tries.find(|name| !taken.contains(&name.to_lowercase()));
    let free = free.unwrap_or_else(|| name.to_owned());
    taken.insert(free.to_lowercase());
    free
}

/// A subject's name as one part of a path.
fn file_name(subject: &str) -> String {
    let name = subject.replace(['/', '\0'], "_");
    if matches!(name.as_str(), "." | "..") { "_".to_owned() } else { name }
}

fn absolute(text: &str, home: &Path, base: &Path) -> PathBuf {
    let path = match text.strip_prefix('~') {
        Some("") => home.to_owned(),
        Some(rest) if rest.starts_with('/') => home.join(rest.trim_start_matches('/')),
        _ => base.join(text),
    };
    path.components().filter(|part| *part != std::path::Component::CurDir).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "\
root-dir: ~/studies
global-ignore: [Thumbs.db]
connections:
  - {name: My school, plugin: smb, hostname: h, username: u}
  - {name: my-school, plugin: other, x: 1}
subjects:
  - name: Maths & more
    sources:
      - {connection: My school, remote-dir: M, ignore: [a, Thumbs.db]}
      - {connection: my-school, remote-dir: N, local-dir: notes}
";

    #[test]
    fn connections_become_instances_and_sources_repositories() {
        let config = crate::read(FILE).unwrap().config;
        let plan = plan(&config, Path::new("/home/u"), Path::new("/base"));
        let names: Vec<_> =
            plan.instances.iter().map(|it| (it.name.as_str(), it.component.as_str())).collect();
        assert_eq!(names, [("My-school", "smb.importer"), ("my-school-2", "other.importer")]);
        let secret = plan.instances[0].secret.as_ref().unwrap();
        assert_eq!(
            (secret.name.as_str(), &plan.instances[0].settings["password"]),
            ("My-school", &json!("My-school"))
        );
        assert_eq!(plan.instances[0].settings["share"], json!("skripte"));
        let [one, two] = plan.repositories.as_slice() else { panic!("{plan:?}") };
        assert_eq!((one.name.as_str(), two.name.as_str()), ("Maths-more", "Maths-more-2"));
        assert_eq!(one.folder, Path::new("/home/u/studies/Maths & more"));
        assert_eq!(one.settings["ignore"], json!(["Thumbs.db", "a"]));
        assert_eq!(
            (two.folder.as_path(), two.importer.as_str()),
            (Path::new("/base/notes"), "other.importer@my-school-2")
        );
    }

    #[test]
    fn names_of_folders_do_not_climb() {
        assert_eq!((file_name("../x"), file_name("..")), (".._x".to_owned(), "_".to_owned()));
    }
}
