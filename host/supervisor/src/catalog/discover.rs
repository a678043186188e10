//! Looks through the search path.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use semver::Version;

use super::component::Component;
use super::manifest::Manifest;
use super::place::places;
use super::read::read;
use super::search::SearchPath;
use super::site::Site;

/// All plugins that were found.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    plugins: Vec<Arc<Installed>>,
    conflicts: Vec<Conflict>,
}

/// One plugin in one version.
#[derive(Clone, Debug)]
pub struct Installed {
    /// What it says. Of a plugin whose manifest cannot be read only the name is known: that of its
    /// folder.
    pub manifest: Manifest,
    /// Where it lies.
    pub folder: PathBuf,
    /// The file that says so: `plugin.json`, or Image Factory's `NAME.info`.
    pub file: PathBuf,
    /// The link that activated it.
    pub link: Option<PathBuf>,
    /// Its program is an interpreter, which runs it by `wharf.compat.imagefactory` of the SDK for Python.
    pub interpreted: bool,
    /// The program for this platform.
    pub executable: PathBuf,
    /// Its type definitions, unread.
    pub types: Vec<TypeFile>,
    /// What its author should know.
    pub warnings: Vec<String>,
    /// Why it cannot be used. `None`: it can.
    pub broken: Option<Broken>,
    /// Where it may lie; looked at again before each start. `None`: anywhere.
    pub site: Option<Site>,
}

/// Why a plugin cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The class word of the fault: `config`, or `policy` when somebody could change it who must not
    /// (F7).
    pub code: &'static str,
    /// What is wrong, where, and what to do.
    pub reason: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

/// A file of type definitions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeFile {
    /// Where it lies.
    pub path: PathBuf,
    /// What it says.
    pub text: String,
}

/// A plugin that was found twice in the same version (F24). The first one counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The plugin's name.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// Where the one lies that counts.
    pub kept: PathBuf,
    /// Where the other one lies.
    pub ignored: PathBuf,
}

impl Installed {
    /// What is wrong now with where it lies (F7). Blocks.
    pub(crate) fn misplaced(&self) -> Option<String> {
        let files = [&self.executable, &self.file].into_iter().chain(&self.link);
        self.site.as_ref()?.flaw(&self.folder, files.map(PathBuf::as_path))
    }
}

impl Catalog {
    /// Reads all manifests and the files they name. Starts nothing. What cannot be read becomes a
    /// broken plugin.
    pub fn discover(path: &SearchPath) -> Self {
        let mut found: BTreeMap<(String, Version), Arc<Installed>> = BTreeMap::new();
        let mut conflicts = Vec::new();
        for root in &path.roots {
            for place in places(root) {
                let plugin = read(place, root, path);
                let key = (plugin.manifest.name.clone(), plugin.manifest.version.clone());
                match found.get(&key) {
                    // Found in its folder and by its link.
                    Some(first) if first.file == plugin.file && first.broken.is_none() => {}
                    Some(first) => {
                        let (name, version) = key;
                        let (kept, ignored) = (first.folder.clone(), plugin.folder);
                        conflicts.push(Conflict { name, version, kept, ignored });
                    }
                    None => drop(found.insert(key, Arc::new(plugin))),
                }
            }
        }
        Self { plugins: found.into_values().collect(), conflicts }
    }

    /// All, broken ones too, by name and version.
    pub fn plugins(&self) -> &[Arc<Installed>] {
        &self.plugins
    }

    /// The newest usable version; if there is none, the newest.
    pub fn plugin(&self, name: &str) -> Option<&Arc<Installed>> {
        let named = self.plugins.iter().filter(|plugin| plugin.manifest.name == name);
        named.max_by_key(|plugin| (plugin.broken.is_none(), &plugin.manifest.version))
    }

    /// By address, `PLUGIN.COMPONENT`, in the version that [`Catalog::plugin`] gives.
    pub fn component(&self, address: &str) -> Option<(&Arc<Installed>, &Component)> {
        let (name, id) = address.split_once('.')?;
        let plugin = self.plugin(name)?;
        let component = plugin.manifest.components.iter().find(|component| component.id == id)?;
        Some((plugin, component))
    }

    /// What was found twice.
    pub fn conflicts(&self) -> &[Conflict] {
        &self.conflicts
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::path::Path;

    use super::super::place::MANIFEST;
    use super::super::search::{Root, RootKind};
    use super::*;

    fn install(folder: &Path, name: &str, version: &str) {
        fs::create_dir_all(folder).unwrap();
        let manifest = format!(
            r#"{{"manifest_version":1,"name":"{name}","version":"{version}","description":"d",
            "protocol":{{"versions":[1]}},"executable":{{"any":"bin/run-{name}"}},"types":["t.json"],
            "components":[{{"id":"go","role":"action","operations":["run"]}}]}}"#
        );
        fs::write(folder.join(MANIFEST), manifest).unwrap();
        fs::write(folder.join("t.json"), "types").unwrap();
        fs::create_dir_all(folder.join("bin")).unwrap();
        fs::write(folder.join(format!("bin/run-{name}")), "").unwrap();
    }

    fn discover(roots: Vec<Root>) -> Catalog {
        Catalog::discover(&SearchPath { roots, ..SearchPath::default() })
    }

    fn root(folder: &Path, kind: RootKind) -> Root {
        Root { folder: folder.to_owned(), kind, binaries: None }
    }

    // F24
    #[test]
    fn the_first_of_a_version_and_the_newest_of_a_name_count() {
        let home = tempfile::tempdir().unwrap();
        let (data, extra) = (home.path().join("data"), home.path().join("extra"));
        install(&data.join("a/1.9.0"), "a", "1.9.0");
        install(&data.join("a/1.10.0"), "a", "1.10.0");
        install(&extra.join("again"), "a", "1.10.0");
        let roots = vec![root(&data, RootKind::Versions), root(&extra, RootKind::Plugins)];
        let catalog = discover(roots);
        let (plugin, component) = catalog.component("a.go").unwrap();
        assert_eq!(plugin.folder, data.join("a/1.10.0"));
        assert_eq!((component.id.as_str(), &plugin.broken), ("go", &None));
        assert_eq!(plugin.types[0].text, "types");
        assert_eq!(catalog.plugins().len(), 2);
        let conflict = &catalog.conflicts()[0];
        assert_eq!(conflict.kept, data.join("a/1.10.0"));
        assert_eq!(conflict.ignored, extra.join("again"));
        assert!(catalog.component("a.none").is_none() && catalog.component("a").is_none());
    }

    #[test]
    fn broken_plugins_are_listed_with_the_reason_and_stop_no_other() {
        let home = tempfile::tempdir().unwrap();
        let folder = |name: &str| home.path().join(name);
        install(&folder("good"), "good", "1.0.0");
        install(&folder("unbuilt"), "unbuilt", "1.0.0");
        fs::remove_dir_all(folder("unbuilt/bin")).unwrap();
        install(&folder("typeless"), "typeless", "1.0.0");
        fs::remove_file(folder("typeless/t.json")).unwrap();
        install(&folder("vast"), "vast", "1.0.0");
        fs::write(folder("vast/t.json"), " ".repeat((1 << 20) + 1)).unwrap();
        fs::create_dir(folder("mad")).unwrap();
        fs::write(folder("mad").join(MANIFEST), "{").unwrap();
        fs::create_dir(folder("empty")).unwrap();
        let roots = vec![root(home.path(), RootKind::Plugins)];
        let catalog = discover(roots);
        assert_eq!(catalog.plugins().len(), 5);
        assert_eq!(catalog.plugin("good").unwrap().broken, None);
        for (name, says) in [
            ("unbuilt", "bin/run-unbuilt"),
            ("typeless", "t.json"),
            ("vast", "t.json: larger than 1 MiB"),
            ("mad", "plugin.json"),
        ] {
            let broken = catalog.plugin(name).unwrap().broken.clone().unwrap();
            assert_eq!(broken.code, "config");
            assert!(broken.reason.contains(says), "{broken}");
        }
    }

    #[test]
    fn a_checkouts_binary_is_found_by_its_base_name() {
        let home = tempfile::tempdir().unwrap();
        let plugin = home.path().join("plugins/p");
        install(&plugin, "p", "1.0.0");
        fs::rename(plugin.join("bin/run-p"), home.path().join("run-p")).unwrap();
        let binaries = Some(home.path().to_owned());
        let folder = home.path().join("plugins");
        let roots = vec![Root { folder, kind: RootKind::Plugins, binaries }];
        let catalog = discover(roots);
        let found = catalog.plugin("p").unwrap();
        assert_eq!(found.executable, home.path().join("run-p"), "{:?}", found.broken);
    }

    fn info(file: &Path, text: &str) {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    #[test]
    fn a_plugin_of_image_factory_is_found_in_its_folder_and_by_its_link_once() {
        let home = tempfile::tempdir().unwrap();
        let home = home.path().canonicalize().unwrap();
        let text = r#"{"type": "cloud", "targets": ["mock"], "version": "1.0"}"#;
        info(&home.join("packages/MockCloud/MockCloud.info"), text);
        info(&home.join("packages/Prog/Prog.info"), text);
        let program = home.join("packages/Prog/Prog");
        fs::write(&program, "").unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        info(&home.join("packages/Broken/Broken.info"), r#"{"targets": 1}"#);
        fs::create_dir(home.join("plugins.d")).unwrap();
        let link = home.join("plugins.d/MockCloud.info");
        symlink("../packages/MockCloud/MockCloud.info", &link).unwrap();
        symlink("/nowhere.info", home.join("plugins.d/Gone.info")).unwrap();
        let python = home.join("python");
        fs::write(&python, "").unwrap();
        let roots = ["plugins.d", "packages"].map(|name| root(&home.join(name), RootKind::Plugins));
        let path = SearchPath {
            roots: roots.to_vec(),
            python: vec![python.clone()],
            ..SearchPath::default()
        };
        let catalog = Catalog::discover(&path);
        assert_eq!((catalog.plugins().len(), catalog.conflicts()), (4, &[][..]));
        let mock = catalog.plugin("mockcloud").unwrap();
        assert_eq!((&mock.broken, &mock.executable, mock.interpreted), (&None, &python, true));
        assert_eq!(mock.link.as_ref(), Some(&link));
        assert_eq!(mock.file, home.join("packages/MockCloud/MockCloud.info"));
        assert!(mock.manifest.args.iter().any(|arg| arg.ends_with("/MockCloud.info")));
        assert_eq!(mock.misplaced(), None);
        let own = catalog.plugin("prog").unwrap();
        assert_eq!(
            (&own.executable, own.interpreted, own.manifest.args.len()),
            (&program, false, 0)
        );
        for (name, says) in [
            ("broken", "/Broken.info: /type: it is missing"),
            ("broken", "; /targets: it is a number"),
            ("gone", "/Gone.info: it is a link to /nowhere.info"),
        ] {
            let broken = catalog.plugin(name).unwrap().broken.clone().unwrap();
            assert!(broken.reason.contains(says), "{broken}");
        }
    }
}
