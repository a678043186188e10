//! The plugin under test: where it lies, what its manifest says, and the samples beside it.
//!
//! [`plugin_in`] and [`plugin_of`] find it in a folder or beside an executable. Who could change its files does not
//! matter here: the caller names it, and starts it as any program that is named.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use wharf_supervisor::{
    Catalog, Component, Installed, Manifest, Root, RootKind, SearchPath, Trust,
};

use crate::error::Error;
use crate::sample::{Given, Sample, Samples};
use crate::types::Types;

const MANIFEST: &str = "plugin.json";

/// A plugin, and what its calls are given.
#[derive(Debug)]
pub struct Subject {
    pub(crate) installed: Arc<Installed>,
    pub(crate) types: Types,
    samples: Samples,
}

impl Subject {
    /// Reads manifest, types and samples. `path` is a folder with a `plugin.json`, or the executable that one beside
    /// it names; `binaries` is where the executables of a checkout's plugins lie.
    ///
    /// # Errors
    /// [`Error::NoPlugin`], and [`Error::Sample`] about `verify.json` or what was given.
    pub fn find(path: &Path, binaries: Option<&Path>, given: &[Given]) -> Result<Self, Error> {
        let path = std::path::absolute(path).unwrap_or_else(|_unknown_folder| path.to_owned());
        let refuse =
            |reason: &str| Error::NoPlugin { path: path.clone(), reason: reason.to_owned() };
        let found = if path.is_dir() { plugin_in(&path, binaries) } else { plugin_of(&path) };
        let installed = found.ok_or_else(|| {
            refuse("no plugin.json lies there that names it; name the plugin's folder, or its executable beside it")
        })?;
        if let Some(broken) = &installed.broken {
            return Err(refuse(&broken.reason));
        }
        let types = Types::read(&installed.types).map_err(|reason| refuse(&reason))?;
        let samples = Samples::read(&installed, given)?;
        Ok(Self { installed, types, samples })
    }

    pub(crate) fn manifest(&self) -> &Manifest {
        &self.installed.manifest
    }

    /// What the component's calls are given.
    pub(crate) fn sample(&self, component: &Component) -> &Sample {
        self.samples.of(&component.id)
    }
}

/// The plugin that this folder is.
pub fn plugin_in(folder: &Path, binaries: Option<&Path>) -> Option<Arc<Installed>> {
    let binaries = binaries.map(Path::to_owned);
    folder.join(MANIFEST).is_file().then(|| read(folder, binaries)).flatten()
}

/// The plugin whose manifest names this program: the manifest lies beside it, or one folder above, for programs in
/// `bin`. One that does not name it, or cannot be read, says nothing about it.
pub fn plugin_of(program: &Path) -> Option<Arc<Installed>> {
    let program = program.canonicalize().ok()?;
    let folders = program.ancestors().skip(1).take(2);
    folders.filter(|folder| folder.join(MANIFEST).is_file()).find_map(|folder| {
        let plugin = read(folder, None)?;
        let named = plugin.executable.canonicalize().ok()?;
        (plugin.broken.is_none() && named == program).then_some(plugin)
    })
}

fn read(folder: &Path, binaries: Option<PathBuf>) -> Option<Arc<Installed>> {
    let root = Root { folder: folder.to_owned(), kind: RootKind::Plugins, binaries };
    let search = SearchPath { roots: vec![root], trust: Trust::anyone(), ..SearchPath::default() };
    Catalog::discover(&search).plugins().first().cloned()
}
