//! Looks through the search path.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use semver::Version;

use super::component::Component;
use super::manifest::Manifest;
use super::search::{Root, RootKind, SearchPath};
use super::site::Site;

const MANIFEST: &str = "plugin.json";
/// More is no manifest.
const MAX_MANIFEST_BYTES: u64 = 16 << 20;
/// More is no definition of types.
const MAX_TYPES_BYTES: u64 = 1 << 20;

/// The name of this platform in a manifest's `executable`.
const PLATFORM: &str = if cfg!(target_arch = "x86_64") { "linux-amd64" } else { "linux-arm64" };

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
        self.site.as_ref()?.flaw(&self.folder, [self.executable.as_path()])
    }
}

impl Catalog {
    /// Reads all manifests and the files they name. Starts nothing. What cannot be read becomes a
    /// broken plugin.
    pub fn discover(path: &SearchPath) -> Self {
        let mut found: BTreeMap<(String, Version), Arc<Installed>> = BTreeMap::new();
        let mut conflicts = Vec::new();
        for root in &path.roots {
            for folder in folders(root) {
                let site = Site::new(root, &path.trust);
                let plugin = read(&folder, root.binaries.as_deref(), site);
                let key = (plugin.manifest.name.clone(), plugin.manifest.version.clone());
                if let Some(first) = found.get(&key) {
                    let (name, version) = key;
                    let (kept, ignored) = (first.folder.clone(), folder);
                    conflicts.push(Conflict { name, version, kept, ignored });
                } else {
                    found.insert(key, Arc::new(plugin));
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

/// Folders with a manifest, sorted.
fn folders(root: &Root) -> Vec<PathBuf> {
    let mut folders = match root.kind {
        RootKind::Versions => {
            subfolders(&root.folder).iter().flat_map(|name| subfolders(name)).collect()
        }
        RootKind::Plugins if root.folder.join(MANIFEST).is_file() => vec![root.folder.clone()],
        RootKind::Plugins => subfolders(&root.folder),
    };
    folders.retain(|folder| folder.join(MANIFEST).is_file());
    folders
}

fn subfolders(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut folders: Vec<_> =
        entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

fn read(folder: &Path, binaries: Option<&Path>, site: Site) -> Installed {
    let file = folder.join(MANIFEST);
    let unusable = |reason| Broken { code: "config", reason };
    let refused = |reason| Broken { code: "policy", reason };
    let parsed = read_text(&file, MAX_MANIFEST_BYTES)
        .map_err(|error| format!("{}: {error}", file.display()))
        .and_then(|text| Manifest::parse(&file, &text).map_err(|error| error.to_string()));
    let (manifest, warnings) = match parsed {
        Ok(parsed) => parsed,
        Err(reason) => {
            let name = folder.file_name().unwrap_or_default().to_string_lossy();
            let flaw = site.flaw(folder, [file.as_path()]);
            return Installed {
                manifest: Manifest::unreadable(&name),
                folder: folder.to_owned(),
                executable: PathBuf::new(),
                types: Vec::new(),
                warnings: Vec::new(),
                broken: Some(flaw.map_or_else(|| unusable(reason), refused)),
                site: Some(site),
            };
        }
    };
    let executable = executable(folder, &manifest, binaries);
    let types: Vec<PathBuf> = manifest.types.iter().map(|name| folder.join(name)).collect();
    let files = [&file].into_iter().chain(executable.as_ref()).chain(&types);
    let flaw = site.flaw(folder, files.map(PathBuf::as_path)).map(refused);
    // What somebody else may have put there is not even read.
    let types = if flaw.is_none() { read_types(types) } else { Ok(Vec::new()) };
    let unusable = types.as_ref().err().or(executable.as_ref().err()).cloned().map(unusable);
    Installed {
        folder: folder.to_owned(),
        executable: executable.unwrap_or_default(),
        types: types.unwrap_or_default(),
        warnings,
        broken: flaw.or(unusable),
        site: Some(site),
        manifest,
    }
}

fn read_types(files: Vec<PathBuf>) -> Result<Vec<TypeFile>, String> {
    let read = |path: PathBuf| {
        let text = read_text(&path, MAX_TYPES_BYTES)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(TypeFile { path, text })
    };
    files.into_iter().map(read).collect()
}

fn read_text(file: &Path, most: u64) -> io::Result<String> {
    // To open a pipe would be to wait for its writer.
    if !fs::metadata(file)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file"));
    }
    let mut text = String::new();
    File::open(file)?.take(most + 1).read_to_string(&mut text)?;
    if u64::try_from(text.len()).unwrap_or(u64::MAX) > most {
        let problem = format!("larger than {} MiB", most >> 20);
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, problem));
    }
    Ok(text)
}

/// The plugin's own file, or the program of that name beside the host's.
fn executable(
    folder: &Path,
    manifest: &Manifest,
    binaries: Option<&Path>,
) -> Result<PathBuf, String> {
    let entries = &manifest.executable;
    let Some(name) = entries.get(PLATFORM).or_else(|| entries.get("any")) else {
        let offered: Vec<_> = entries.keys().map(String::as_str).collect();
        return Err(format!("no executable for {PLATFORM}, only for {}", offered.join(", ")));
    };
    let own = folder.join(name);
    if own.is_file() {
        return Ok(own);
    }
    let base = Path::new(name).file_name().unwrap_or_default();
    let beside = binaries.map(|binaries| binaries.join(base));
    match beside {
        Some(beside) if beside.is_file() => Ok(beside),
        Some(beside) => Err(format!(
            "its executable is neither {} nor {}; is it built?",
            own.display(),
            beside.display()
        )),
        None => Err(format!("its executable {} does not exist", own.display())),
    }
}

#[cfg(test)]
mod tests {
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
}
