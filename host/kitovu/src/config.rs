//! `kitovu.yaml`, read: connections, subjects and their sources, with all that is wrong told at once and in its place.

use std::collections::HashMap;

use serde_json::{Map, Number, Value as Json};

use crate::yaml::{self, At, Fault, Node, Value};

/// The whole file.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Where subjects go by default, as written.
    pub root_dir: String,
    /// The servers.
    pub connections: Vec<Connection>,
    /// What the user studies.
    pub subjects: Vec<Subject>,
    /// Names of files that are left out everywhere.
    pub global_ignore: Vec<String>,
}

/// A plugin with settings.
#[derive(Debug, Clone, PartialEq)]
pub struct Connection {
    /// Its name.
    pub name: String,
    /// The plugin's.
    pub plugin: String,
    /// The plugin's own settings.
    pub settings: Map<String, Json>,
}

/// Something that the user studies.
#[derive(Debug, Clone, PartialEq)]
pub struct Subject {
    /// Its name.
    pub name: String,
    /// Where its files come from.
    pub sources: Vec<Source>,
}

/// A folder of a connection.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// The connection's name.
    pub connection: String,
    /// The folder there.
    pub remote_dir: String,
    /// Where its files go, as written; none: the root folder and the subject's name.
    pub local_dir: Option<String>,
    /// Names of files that are left out.
    pub ignore: Vec<String>,
}

/// What reading found besides.
#[derive(Debug, Clone, PartialEq)]
pub struct Read {
    /// The file.
    pub config: Config,
    /// What deserves a look, by place.
    pub warnings: Vec<Fault>,
}

/// Reads a file.
///
/// # Errors
/// All that is wrong with it, by place.
pub fn read(text: &str) -> Result<Read, Vec<Fault>> {
    let root = yaml::read(text)?;
    let mut reader = Reader::default();
    let config = reader.config(&root);
    reader.faults.sort_by_key(|fault| fault.at);
    reader.warnings.sort_by_key(|fault| fault.at);
    match config {
        Some(config) if reader.faults.is_empty() => Ok(Read { config, warnings: reader.warnings }),
        _ => Err(reader.faults),
    }
}

#[derive(Default)]
struct Reader {
    faults: Vec<Fault>,
    warnings: Vec<Fault>,
}

/// The entries of a mapping, to be taken out one by one.
struct Entries<'a> {
    at: At,
    entries: Vec<&'a (String, At, Node)>,
}

impl<'a> Entries<'a> {
    fn take(&mut self, key: &str) -> Option<&'a Node> {
        let place = self.entries.iter().position(|(name, ..)| name == key)?;
        Some(&self.entries.remove(place).2)
    }
}

impl Reader {
    fn config(&mut self, root: &Node) -> Option<Config> {
        let mut entries = self.mapping(root, "the file")?;
        let root_dir = self.required(&mut entries, "root-dir", Self::text);
        let connections = self.required(&mut entries, "connections", |reader, node| {
            reader.list(node, "connections", Self::connection)
        });
        // Of those too that are not right otherwise: their sources are not to blame.
        let names = root.entry("connections").map(names).unwrap_or_default();
        let subjects = self.required(&mut entries, "subjects", |reader, node| {
            reader.list(node, "subjects", |reader, node| reader.subject(node, &names))
        });
        let global_ignore = self.texts(entries.take("global-ignore"), "global-ignore");
        self.nothing_else(&entries, "the file");
        Some(Config {
            root_dir: root_dir?,
            connections: self.last_of_each_name(root, connections?),
            subjects: subjects?,
            global_ignore,
        })
    }

    /// Of two connections with one name the later one counts, as it does in kitovu.
    fn last_of_each_name(&mut self, root: &Node, all: Vec<Connection>) -> Vec<Connection> {
        let mut found: Vec<Connection> = Vec::with_capacity(all.len());
        for connection in all {
            match found.iter_mut().find(|other| other.name == connection.name) {
                None => found.push(connection),
                Some(other) => {
                    let message = format!(
                        "two connections are called \"{}\": the later one counts",
                        connection.name
                    );
                    self.warnings.push(Fault::new(root.at, message));
                    *other = connection;
                }
            }
        }
        found
    }

    fn connection(&mut self, node: &Node) -> Option<Connection> {
        let mut entries = self.mapping(node, "a connection")?;
        let name = self.required(&mut entries, "name", Self::text);
        let plugin = self.required(&mut entries, "plugin", Self::text);
        let places: HashMap<&str, At> =
            entries.entries.iter().map(|(key, at, _)| (key.as_str(), *at)).collect();
        let mut settings = Map::new();
        for (key, _at, value) in &entries.entries {
            settings.insert(key.clone(), json(value));
        }
        if let Some(plugin) = &plugin {
            crate::builtin::check(plugin, &settings, |key, message| {
                let at = key.and_then(|key| places.get(key).copied()).unwrap_or(node.at);
                self.faults.push(Fault::new(at, message));
            });
        }
        Some(Connection { name: name?, plugin: plugin?, settings })
    }

    fn subject(&mut self, node: &Node, connections: &[String]) -> Option<Subject> {
        let mut entries = self.mapping(node, "a subject")?;
        let name = self.required(&mut entries, "name", Self::text);
        let sources = self.required(&mut entries, "sources", |reader, node| {
            reader.list(node, "sources", |reader, node| reader.source(node, connections))
        });
        self.nothing_else(&entries, "a subject");
        Some(Subject { name: name?, sources: sources? })
    }

    fn source(&mut self, node: &Node, connections: &[String]) -> Option<Source> {
        let mut entries = self.mapping(node, "a source")?;
        let connection = self.required(&mut entries, "connection", |reader, node| {
            let name = reader.text(node)?;
            if !connections.contains(&name) {
                let there = connections.join(", ");
                let message = format!("there is no connection \"{name}\"; there are: {there}");
                reader.faults.push(Fault::new(node.at, message));
            }
            Some(name)
        });
        let remote_dir = self.required(&mut entries, "remote-dir", Self::text);
        let local_dir = entries.take("local-dir").and_then(|node| self.text(node));
        let ignore = self.texts(entries.take("ignore"), "ignore");
        self.nothing_else(&entries, "a source");
        Some(Source { connection: connection?, remote_dir: remote_dir?, local_dir, ignore })
    }

    fn mapping<'a>(&mut self, node: &'a Node, what: &str) -> Option<Entries<'a>> {
        if let Value::Mapping(map) = &node.value {
            return Some(Entries { at: node.at, entries: map.iter().collect() });
        }
        let message = format!("{what} is a mapping of keys and values, not {}", node.value.kind());
        self.faults.push(Fault::new(node.at, message));
        None
    }

    fn required<'a, T>(
        &mut self,
        entries: &mut Entries<'a>,
        key: &str,
        read: impl FnOnce(&mut Self, &'a Node) -> Option<T>,
    ) -> Option<T> {
        if let Some(node) = entries.take(key) {
            return read(self, node);
        }
        self.faults.push(Fault::new(entries.at, format!("the key \"{key}\" is missing")));
        None
    }

    fn text(&mut self, node: &Node) -> Option<String> {
        match &node.value {
            Value::Text(text, plain) if !plain || matches!(scalar(text), Json::String(_)) => {
                if text.is_empty() {
                    self.faults.push(Fault::new(node.at, "it must not be empty"));
                }
                Some(text.clone())
            }
            Value::Text(text, _) => {
                let message =
                    format!("{text:?} is no text; write it in quotes if it is meant as one");
                self.faults.push(Fault::new(node.at, message));
                None
            }
            other => {
                self.faults
                    .push(Fault::new(node.at, format!("it is a text, not {}", other.kind())));
                None
            }
        }
    }

    fn list<T>(
        &mut self,
        node: &Node,
        what: &str,
        mut read: impl FnMut(&mut Self, &Node) -> Option<T>,
    ) -> Option<Vec<T>> {
        match &node.value {
            Value::List(list) => Some(list.iter().filter_map(|node| read(self, node)).collect()),
            other => {
                let message = format!("{what} is a list, not {}", other.kind());
                self.faults.push(Fault::new(node.at, message));
                None
            }
        }
    }

    fn texts(&mut self, node: Option<&Node>, what: &str) -> Vec<String> {
        node.and_then(|node| self.list(node, what, Self::text)).unwrap_or_default()
    }

    fn nothing_else(&mut self, entries: &Entries<'_>, what: &str) {
        for (key, at, _) in &entries.entries {
            self.faults.push(Fault::new(*at, format!("{what} has no key \"{key}\"")));
        }
    }
}

/// The names that connections have.
fn names(connections: &Node) -> Vec<String> {
    let Value::List(list) = &connections.value else { return Vec::new() };
    let name = |node: &Node| match &node.entry("name")?.value {
        Value::Text(name, _plain) => Some(name.clone()),
        _ => None,
    };
    list.iter().filter_map(name).collect()
}

/// A value as settings hold it.
fn json(node: &Node) -> Json {
    match &node.value {
        Value::Text(text, true) => scalar(text),
        Value::Text(text, false) => Json::String(text.clone()),
        Value::List(list) => list.iter().map(json).collect(),
        Value::Mapping(map) => {
            map.iter().map(|(key, _at, node)| (key.clone(), json(node))).collect()
        }
    }
}

/// What a text without quotes stands for, as the YAML 1.1 reader that kitovu uses takes it.
fn scalar(text: &str) -> Json {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Json::Null,
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Json::Bool(true),
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => {
            Json::Bool(false)
        }
        _ => {
            let digits = text.trim_start_matches(['-', '+']);
            let numeric = digits.starts_with(|first: char| first.is_ascii_digit());
            let whole = text.parse::<i64>().ok().map(Number::from);
            let number = whole.or_else(|| Number::from_f64(text.parse().ok()?));
            number.filter(|_| numeric).map_or_else(|| Json::String(text.to_owned()), Json::Number)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "\
root-dir: ~/studies
global-ignore: [Thumbs.db]
connections:
  - name: school
    plugin: smb
    hostname: files.example.org
    username: me
    port: 1445
    is_direct_tcp: yes
subjects:
  - name: Maths
    sources:
      - connection: school
        remote-dir: Maths/2019
        ignore:
          - \"*.tmp\"
";

    #[test]
    fn a_good_file_is_read_with_its_types() {
        let Read { config, warnings } = read(GOOD).unwrap();
        assert_eq!(warnings, []);
        let settings = &config.connections[0].settings;
        assert_eq!(
            Json::Object(settings.clone()),
            serde_json::json!({
                "hostname": "files.example.org", "username": "me", "port": 1445, "is_direct_tcp": true,
            })
        );
        assert_eq!(config.subjects[0].sources[0].ignore, ["*.tmp"]);
        assert_eq!((config.root_dir.as_str(), config.global_ignore.len()), ("~/studies", 1));
    }

    #[test]
    fn all_faults_are_told_at_once_in_their_places() {
        let text = GOOD
            .replace("plugin: smb", "plugni: smb")
            .replace("connection: school", "connection: scool")
            .replace("root-dir: ~/studies", "root-dir: 5")
            .replace("global-ignore: [Thumbs.db]", "colour: red");
        let faults = read(&text).unwrap_err();
        let told: Vec<String> = faults
            .iter()
            .map(|fault| format!("{}:{} {}", fault.at.line, fault.at.column, fault.message))
            .collect();
        for (place, words) in
            [("1:11", "quotes"), ("2:1", "colour"), ("4:5", "plugin"), ("13:21", "scool")]
        {
            assert!(
                told.iter().any(|told| told.starts_with(place) && told.contains(words)),
                "{place} {words}: {told:#?}"
            );
        }
    }

    #[test]
    fn settings_of_the_plugins_that_kitovu_has_are_checked_where_they_stand() {
        let faults = read(&GOOD.replace("username", "usrname").replace("port: 1445", "port: many"))
            .unwrap_err();
        let places: Vec<_> = faults.iter().map(|fault| (fault.at.line, fault.at.column)).collect();
        assert_eq!(places, [(4, 5), (7, 5), (8, 5)], "{faults:#?}");
    }

    #[test]
    fn of_two_connections_with_one_name_the_later_counts() {
        let twice = "  - name: school\n    plugin: moodle\n    url: https://example.org\nsubjects:";
        let Read { config, warnings } = read(&GOOD.replace("subjects:", twice)).unwrap();
        assert_eq!(
            (config.connections.len(), config.connections[0].plugin.as_str()),
            (1, "moodle")
        );
        assert_eq!(warnings.len(), 1);
    }
}
