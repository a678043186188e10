//! A Python package index made of small valid distributions, and the clients that install from one.
//!
//! The distributions are made by `make.py`: whoever has pip has a Python. [`Index::write`] writes the pages as a static
//! server has them, for an [`Upstream`](crate::Upstream).

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

const MAKE: &str = include_str!("make.py");

/// An index in a folder: pages below `simple/`, files below `files/`.
#[derive(Debug)]
pub struct Index {
    folder: TempDir,
    /// Entries of pages by project.
    projects: BTreeMap<String, Vec<Value>>,
}

impl Index {
    /// An index without projects.
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("wharf-index-").tempdir().expect("a folder");
        fs::create_dir(folder.path().join("files")).expect("a folder");
        let index = Self { folder, projects: BTreeMap::new() };
        index.write();
        index
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Makes distributions: each with `name` and `version`, and if need be `kind` (`sdist`), `requires`,
    /// `requires_python`, `body`, `yanked`.
    pub fn add(&mut self, specs: &[Value]) {
        let files = self.folder().join("files");
        let mut child = Command::new(tool("python"))
            .args(["-c", MAKE])
            .arg(files)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python starts");
        let input = child.stdin.take().expect("it is piped");
        serde_json::to_writer(input, specs).expect("it reads");
        let output = child.wait_with_output().expect("our own child");
        let made: Vec<Value> = serde_json::from_slice(&output.stdout).expect("it prints JSON");
        for (spec, made) in specs.iter().zip(made) {
            let name =
                spec["name"].as_str().expect("a name").to_lowercase().replace(['_', '.'], "-");
            self.projects.entry(name).or_default().push(entry(spec, &made));
        }
        self.write();
    }

    /// The entries of a project's page, to be changed; [`Index::write`] makes them known.
    pub fn entries(&mut self, project: &str) -> &mut Vec<Value> {
        self.projects.entry(project.to_owned()).or_default()
    }

    /// Removes a project.
    pub fn remove(&mut self, project: &str) {
        self.projects.remove(project);
        fs::remove_dir_all(self.folder().join("simple").join(project)).expect("it was there");
        self.write();
    }

    /// The SHA-256 of a file.
    pub fn sha256(&self, filename: &str) -> String {
        let mut all = self.projects.values().flatten();
        let entry = all.find(|entry| entry["filename"] == filename).expect("it was made");
        entry["hashes"]["sha256"].as_str().expect("a digest").to_owned()
    }

    /// The SHA-256 of a file, from its bytes.
    pub fn sha256_of(&self, filename: &str) -> String {
        let bytes = fs::read(self.folder().join("files").join(filename)).expect("it was made");
        crate::tree::sha256(&bytes)
    }

    /// Writes all pages.
    pub fn write(&self) {
        let simple = self.folder().join("simple");
        fs::create_dir_all(&simple).expect("a folder");
        let names: Vec<Value> = self.projects.keys().map(|name| json!({ "name": name })).collect();
        let list = json!({ "meta": { "api-version": "1.1" }, "projects": names });
        fs::write(simple.join("index.v1.json"), list.to_string()).expect("a file");
        for (name, entries) in &self.projects {
            let folder = simple.join(name);
            fs::create_dir_all(&folder).expect("a folder");
            let page = json!({
                "meta": { "api-version": "1.1" }, "name": name, "versions": [], "files": entries,
            });
            fs::write(folder.join("index.v1.json"), page.to_string()).expect("a file");
            fs::write(folder.join("index.html"), html(entries)).expect("a file");
        }
    }

    /// Leaves HTML alone, as old servers do.
    pub fn without_json(&self) {
        for name in self.projects.keys() {
            let page = self.folder().join("simple").join(name).join("index.v1.json");
            fs::remove_file(page).expect("it was written");
        }
    }
}

impl Default for Index {
    fn default() -> Self {
        Self::new()
    }
}

fn entry(spec: &Value, made: &Value) -> Value {
    let filename = made["filename"].as_str().expect("a name");
    let mut entry = json!({
        "filename": filename, "url": format!("../../files/{filename}"), "size": made["size"],
        "hashes": { "sha256": made["sha256"] },
    });
    if let Some(metadata) = made.get("metadata") {
        entry["core-metadata"] = json!({ "sha256": metadata });
    }
    if let Some(requires) = spec.get("requires_python") {
        entry["requires-python"] = requires.clone();
    }
    if let Some(yanked) = spec.get("yanked") {
        entry["yanked"] = yanked.clone();
    }
    entry
}

/// The names of these tests hold nothing that needs escaping but `>` and `<`.
fn html(entries: &[Value]) -> String {
    let mut page = "<!DOCTYPE html><html><body>\n".to_owned();
    for entry in entries {
        let text = |value: &Value| value.as_str().unwrap_or_default().replace('>', "&gt;");
        let (name, url) = (text(&entry["filename"]), text(&entry["url"]));
        let digest = text(&entry["hashes"]["sha256"]);
        page = page + "<a href=\"" + &url + "#sha256=" + &digest + "\"";
        if let Some(sha256) = entry["core-metadata"]["sha256"].as_str() {
            page = page + " data-core-metadata=\"sha256=" + sha256 + "\"";
        }
        if let Some(requires) = entry.get("requires-python") {
            page = page + " data-requires-python=\"" + &text(requires) + "\"";
        }
        page = page + ">" + &name + "</a><br>\n";
    }
    page + "</body></html>\n"
}

/// A program that `tests/tool` knows, or the `python` beside it.
///
/// # Panics
/// When it is not to be had.
pub fn tool(name: &str) -> PathBuf {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tool");
    let asked = if name == "python" { "pip" } else { name };
    let output = Command::new(script).arg(asked).output().expect("tests/tool is a program");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name} is not to be had: {errors}");
    let path = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    path.with_file_name(name)
}

/// The `python` beside a program that `tests/tool` knows, which has what that program needs.
///
/// # Panics
/// When it is not to be had.
pub fn beside(name: &str) -> PathBuf {
    tool(name).with_file_name("python")
}

/// One of the two clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    /// pip.
    Pip,
    /// uv.
    Uv,
}

impl Client {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Pip, Self::Uv];

    /// Installs below `target` from the index at `url`: requirements and options.
    pub fn install(self, url: &str, target: &Path, arguments: &[&str]) -> Output {
        let mut command = match self {
            Self::Pip => {
                Self::Pip.command(&["install", "--disable-pip-version-check", "--no-cache-dir"])
            }
            Self::Uv => Self::Uv.command(&["pip", "install", "--no-cache", "--no-config"]),
        };
        if self == Self::Uv {
            command.arg("--python").arg(tool("python"));
        }
        command.arg("--index-url").arg(url).arg("--target").arg(target).args(arguments);
        self.run(command, target)
    }

    /// Installs below `target` with nothing but this configuration file: requirements and options.
    ///
    /// # Panics
    /// When it is not pip.
    pub fn install_configured(self, file: &Path, target: &Path, arguments: &[&str]) -> Output {
        assert_eq!(self, Self::Pip, "uv reads no pip.conf");
        let mut command = self.command(&["install", "--no-cache-dir"]);
        command.arg("--target").arg(target).args(arguments).env("PIP_CONFIG_FILE", file);
        self.run(command, target)
    }

    /// Runs it with these arguments.
    pub fn call(self, home: &Path, arguments: &[&str]) -> Output {
        self.run(self.command(arguments), home)
    }

    fn command(self, arguments: &[&str]) -> Command {
        let mut command = Command::new(tool(if self == Self::Pip { "pip" } else { "uv" }));
        command.env_clear().args(arguments);
        command
    }

    /// Nothing of this machine's settings is heard.
    fn run(self, mut command: Command, home: &Path) -> Output {
        command.env("HOME", home).env("PATH", "/usr/bin:/bin").stdin(Stdio::null());
        command.output().unwrap_or_else(|error| panic!("{self:?}: {error}"))
    }
}

/// The version of a module that was installed below a folder.
pub fn installed(target: &Path, module: &str) -> Option<String> {
    let text = fs::read_to_string(target.join(format!("{module}.py"))).ok()?;
    let version = text.lines().find_map(|line| line.strip_prefix("VERSION = "))?;
    Some(version.trim_matches('\'').to_owned())
}
