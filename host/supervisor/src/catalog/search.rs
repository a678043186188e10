//! Where plugins are looked for, first hit first.

use std::path::{Path, PathBuf};

use super::python;
use super::trust::Trust;

/// The folders that are looked through, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchPath {
    /// The first one that has a plugin's name and version wins.
    pub roots: Vec<Root>,
    /// Who may be able to change a plugin. One that somebody else can change is not started.
    pub trust: Trust,
    /// Interpreters for plugins of Image Factory that name no program; the first that is there is taken, unless the plugin
    /// has an environment of its own, `.venv`.
    pub python: Vec<PathBuf>,
}

/// One folder with plugins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// The folder. It need not exist.
    pub folder: PathBuf,
    /// How plugins lie in it.
    pub kind: RootKind,
    /// Where an executable is looked for by its base name if it is not in the plugin's own folder.
    pub binaries: Option<PathBuf>,
}

/// How plugins lie in a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RootKind {
    /// `NAME/VERSION/plugin.json`, as bundles are unpacked.
    Versions,
    /// `*/plugin.json` or `*/NAME.info`, or the folder is a plugin itself. Links `NAME.info` in it, as in Image Factory's
    /// `plugins.d`, activate what they lead to.
    Plugins,
}

impl SearchPath {
    /// The usual places: `DATA/plugins` with versions; links in `DATA/plugins.d`; `configured` folders; `../lib/wharf/plugins`
    /// beside the executable's folder; and, when the executable lies in a cargo target folder of a
    /// checkout, that checkout's `plugins`, whose binaries lie beside the executable. Trusted is who
    /// can change the executable.
    pub fn standard(data: &Path, configured: &[PathBuf], exe: &Path) -> Self {
        let beside = binaries(exe);
        let plugins =
            |folder: PathBuf| Root { folder, kind: RootKind::Plugins, binaries: beside.clone() };
        let installed =
            Root { folder: data.join("plugins"), kind: RootKind::Versions, binaries: None };
        let links =
            Root { folder: data.join("plugins.d"), kind: RootKind::Plugins, binaries: None };
        let mut roots = vec![installed, links];
        roots.extend(configured.iter().cloned().map(plugins));
        let prefix = exe.parent().and_then(Path::parent);
        roots.extend(prefix.map(|prefix| plugins(prefix.join("lib/wharf/plugins"))));
        roots.extend(checkout(exe).map(|checkout| plugins(checkout.join("plugins"))));
        Self { roots, trust: Trust::of_host(exe), python: python::usual(checkout(exe)) }
    }

    /// Takes this interpreter in the place of the usual ones.
    #[must_use]
    pub fn with_python(self, python: Option<PathBuf>) -> Self {
        match python {
            Some(python) => Self { python: vec![python], ..self },
            None => self,
        }
    }
}

/// The executable's folder; cargo puts tests and examples one level below the programs.
fn binaries(exe: &Path) -> Option<PathBuf> {
    let folder = exe.parent()?;
    let below = folder.file_name().is_some_and(|name| name == "deps" || name == "examples");
    Some(if below { folder.parent()? } else { folder }.to_owned())
}

/// `CHECKOUT` of `CHECKOUT/target/.../EXE`.
fn checkout(exe: &Path) -> Option<&Path> {
    let target =
        exe.ancestors().find(|folder| folder.file_name().is_some_and(|n| n == "target"))?;
    target.parent().filter(|checkout| checkout.join("Cargo.toml").is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_installed_host_looks_in_data_configured_and_beside_itself() {
        let path = SearchPath::standard(
            Path::new("/data"),
            &["/extra".into()],
            Path::new("/usr/bin/wharf"),
        );
        let folders: Vec<_> = path.roots.iter().map(|root| root.folder.as_path()).collect();
        let expected =
            ["/data/plugins", "/data/plugins.d", "/extra", "/usr/lib/wharf/plugins"].map(Path::new);
        assert_eq!(folders, expected);
    }

    #[test]
    fn a_built_checkout_finds_its_own_plugins() {
        let checkout = tempfile::tempdir().unwrap();
        std::fs::write(checkout.path().join("Cargo.toml"), "").unwrap();
        let profile = checkout.path().join("target/debug");
        for exe in [profile.join("wharf"), profile.join("deps/test-1")] {
            let path = SearchPath::standard(Path::new("/data"), &[], &exe);
            let last = path.roots.last().unwrap();
            assert_eq!(last.folder, checkout.path().join("plugins"));
            assert_eq!(last.binaries.as_deref(), Some(profile.as_path()));
        }
    }
}
