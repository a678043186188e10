//! What a place holds: its metadata, its program, its types; or why it is not usable.
//!
//! A `plugin.json` names the program. A `NAME.info` names none: it is the executable of its name beside it, else an
//! interpreter that runs it. Starts nothing.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::discover::{Broken, Installed, TypeFile};
use super::info::{self, Info};
use super::manifest::Manifest;
use super::place::{MANIFEST, Place};
use super::python;
use super::search::{Root, RootKind, SearchPath};
use super::site::Site;

/// More is no manifest.
const MAX_MANIFEST_BYTES: u64 = 16 << 20;
/// More is no definition of types.
const MAX_TYPES_BYTES: u64 = 1 << 20;

/// The name of this platform in a manifest's `executable`.
const PLATFORM: &str = if cfg!(target_arch = "x86_64") { "linux-amd64" } else { "linux-arm64" };

/// Reads what a place holds. What cannot be read becomes a broken plugin.
pub(super) fn read(place: Place, root: &Root, path: &SearchPath) -> Installed {
    let site = Site::new(root, &path.trust);
    match place {
        Place::Folder(folder) => read_folder(&folder, root.binaries.as_deref(), site),
        Place::Info(file) => read_info(&file, &path.python, site),
        Place::Link(link, Err(reason)) => {
            let broken = Broken { code: "config", reason };
            unreadable(&link, link.parent().unwrap_or(&link), broken, site)
        }
        // Whoever may write the link decides what is started; the link's own way is looked at besides.
        Place::Link(link, Ok(place)) => {
            let (Place::Folder(file) | Place::Info(file) | Place::Link(file, _)) = place.as_ref();
            let folder = if file.is_dir() { file } else { file.parent().unwrap_or(file) };
            let there = Root { folder: folder.to_owned(), kind: RootKind::Plugins, binaries: None };
            let flaw = Site::new(&there, &path.trust).flaw(folder, [link.as_path()]);
            let plugin = read(*place, &there, path);
            let refused = flaw.map(|reason| Broken { code: "policy", reason });
            Installed { link: Some(link), broken: refused.or(plugin.broken), ..plugin }
        }
    }
}

/// A plugin of Image Factory.
fn read_info(file: &Path, pythons: &[PathBuf], site: Site) -> Installed {
    let folder = file.parent().unwrap_or(file);
    let parsed = read_text(file, info::MAX_BYTES)
        .map_err(|error| format!("{}: {error}", file.display()))
        .and_then(|text| {
            let told = |faults: Vec<info::Fault>| {
                let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
                format!("{}: {}", file.display(), faults.join("; "))
            };
            Info::read(&text).map_err(told)
        })
        .and_then(|info| {
            let (manifest, text) = info.manifest(file).map_err(|error| error.to_string())?;
            Ok((info.warnings, manifest, text))
        });
    let (warnings, mut manifest, text) = match parsed {
        Ok(parsed) => parsed,
        Err(reason) => {
            let broken = Broken { code: "config", reason };
            return unreadable(file, folder, broken, site);
        }
    };
    let beside = file.with_extension("");
    let runs = |path: &Path| {
        fs::metadata(path).is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0)
    };
    let interpreted = !runs(&beside);
    let executable = if interpreted {
        manifest.args = python::arguments(file, text);
        python::find(folder, pythons).map_err(|problem| format!("{}: {problem}", file.display()))
    } else {
        Ok(beside)
    };
    let flaw = site.flaw(folder, [file].into_iter().chain(executable.as_deref().ok()));
    let refused = flaw.map(|reason| Broken { code: "policy", reason });
    let unusable = executable.as_ref().err().cloned();
    Installed {
        folder: folder.to_owned(),
        file: file.to_owned(),
        link: None,
        interpreted,
        executable: executable.unwrap_or_default(),
        types: Vec::new(),
        warnings,
        broken: refused.or(unusable.map(|reason| Broken { code: "config", reason })),
        site: Some(site),
        manifest,
    }
}

/// In the place of one of which only a name is known.
fn unreadable(file: &Path, folder: &Path, broken: Broken, site: Site) -> Installed {
    let flaw = site.flaw(folder, [file]).map(|reason| Broken { code: "policy", reason });
    let named = if file.ends_with(MANIFEST) { folder.file_name() } else { file.file_stem() };
    let name = named.unwrap_or_default().to_string_lossy();
    let name = if file.ends_with(MANIFEST) { name.into_owned() } else { info::name(&name) };
    Installed {
        manifest: Manifest::unreadable(&name),
        folder: folder.to_owned(),
        file: file.to_owned(),
        link: None,
        interpreted: false,
        executable: PathBuf::new(),
        types: Vec::new(),
        warnings: Vec::new(),
        broken: Some(flaw.unwrap_or(broken)),
        site: Some(site),
    }
}

fn read_folder(folder: &Path, binaries: Option<&Path>, site: Site) -> Installed {
    let file = folder.join(MANIFEST);
    let unusable = |reason| Broken { code: "config", reason };
    let refused = |reason| Broken { code: "policy", reason };
    let parsed = read_text(&file, MAX_MANIFEST_BYTES)
        .map_err(|error| format!("{}: {error}", file.display()))
        .and_then(|text| Manifest::parse(&file, &text).map_err(|error| error.to_string()));
    let (manifest, warnings) = match parsed {
        Ok(parsed) => parsed,
        Err(reason) => {
            return unreadable(&file, folder, unusable(reason), site);
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
        link: None,
        interpreted: false,
        executable: executable.unwrap_or_default(),
        types: types.unwrap_or_default(),
        warnings,
        broken: flaw.or(unusable),
        site: Some(site),
        manifest,
        file,
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
        let problem = match most >> 20 {
            0 => format!("larger than {} KiB", most >> 10),
            many => format!("larger than {many} MiB"),
        };
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
