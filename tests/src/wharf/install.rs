//! Putting a plugin of this checkout where a test's host finds it.
//!
//! The manifest is the plugin's own but for one thing: its `env` carries the test's mark, so that its processes can be
//! found. The executable is that of this build.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::TestHost;

impl TestHost {
    /// Where plugins are installed.
    pub fn plugins(&self) -> PathBuf {
        self.folder().join("plugins")
    }

    /// Installs `tests/plugins/NAME`, `plugins/NAME`, or the example NAME of the Rust SDK.
    pub fn install(&self, name: &str) {
        self.install_with(name, |_manifest| {});
    }

    /// Installs the script plugin that gets the handshake wrong, with these arguments.
    pub fn install_handshake(&self, arguments: &[&str]) {
        self.install_with("handshake", |manifest| manifest["args"] = json!(arguments));
    }

    /// Installs an example of an SDK in another language, as its own `check` built it: it stays where it is, and a
    /// script starts it there.
    ///
    /// # Panics
    /// When it was not built.
    pub fn install_example(&self, language: &str, name: &str) {
        let sdks = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("sdk");
        let source = sdks.join(language).join("examples").join(name);
        self.install_script(name, &source);
    }

    /// Installs the plugin of a folder, which stays where it is: a script starts it there.
    ///
    /// # Panics
    /// When it was not built.
    pub fn install_script(&self, name: &str, source: &Path) {
        let target = self.plugins().join(name);
        fs::create_dir_all(target.join("bin")).expect("a folder");
        let manifest = fs::read_to_string(source.join("plugin.json")).expect("a manifest");
        let mut manifest: Value = serde_json::from_str(&manifest).expect("the manifest is JSON");
        let path = manifest["executable"]["any"].as_str().expect("one for all platforms");
        let program = source.join(path);
        assert!(program.is_file(), "{} is not built; run tests/run", program.display());
        let script = target.join("bin/start");
        fs::write(&script, format!("#!/bin/sh\nexec '{}' \"$@\"\n", program.display()))
            .expect("a file");
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("our own file");
        copy(&source.join("types"), &target.join("types")).expect("types can be copied");
        if source.join("verify").is_dir() {
            fs::copy(source.join("verify.json"), target.join("verify.json")).expect("a file");
            copy(&source.join("verify"), &target.join("verify")).expect("samples can be copied");
        }
        manifest["executable"] = json!({ "any": "bin/start" });
        manifest["env"]["WHARF_TEST"] = json!(self.mark());
        let text = serde_json::to_string_pretty(&manifest).expect("JSON can be written");
        fs::write(target.join("plugin.json"), text).expect("a file");
    }

    /// Installs a plugin after a change of its manifest.
    ///
    /// # Panics
    /// When there is no such plugin, or it was not built.
    pub fn install_with(&self, name: &str, change: impl FnOnce(&mut Value)) {
        let source = source(name);
        let target = self.plugins().join(name);
        copy(&source, &target).expect("the plugin can be copied");
        let manifest = fs::read_to_string(source.join("plugin.json")).expect("a manifest");
        let mut manifest: Value = serde_json::from_str(&manifest).expect("the manifest is JSON");
        let executables = manifest["executable"].as_object().expect("executables").clone();
        for path in executables.values().filter_map(Value::as_str) {
            provide(&source, &target, path);
        }
        manifest["env"]["WHARF_TEST"] = json!(self.mark());
        change(&mut manifest);
        let text = serde_json::to_string_pretty(&manifest).expect("JSON can be written");
        fs::write(target.join("plugin.json"), text).expect("a file");
    }
}

/// The plugin's folder in the checkout.
fn source(name: &str) -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let rooms = [tests.join("plugins"), tests.with_file_name("plugins")];
    let example = tests.with_file_name("sdk").join("rust/examples").join(name);
    let mut rooms = rooms.iter().map(|room| room.join(name));
    rooms.find(|folder| folder.is_dir()).unwrap_or(example)
}

/// Everything but source code.
fn copy(source: &Path, target: &Path) -> io::Result<()> {
    fs::create_dir_all(target)?;
    for entry in fs::read_dir(source)? {
        let entry = entry?;
        let name = entry.file_name();
        let code = entry.path().extension().is_some_and(|extension| extension == "rs");
        if entry.file_type()?.is_dir() {
            if name != "src" && name != "tests" {
                copy(&entry.path(), &target.join(name))?;
            }
        } else if !code {
            fs::copy(entry.path(), target.join(name))?;
        }
    }
    Ok(())
}

/// Puts the executable in its place: a script comes with the folder, a program from the build.
fn provide(source: &Path, target: &Path, path: &str) {
    let place = target.join(path);
    if source.join(path).exists() {
        let executable = fs::Permissions::from_mode(0o755);
        return fs::set_permissions(&place, executable).expect("our own file");
    }
    fs::create_dir_all(place.parent().expect("below the folder")).expect("a folder");
    let example = Path::new("examples").join(source.file_name().expect("a name"));
    let built = built(&example).filter(|_| source.to_string_lossy().contains("/sdk/"));
    let base = place.file_name().expect("a name").to_string_lossy().into_owned();
    link(&built.unwrap_or_else(|| program(&base)), &place);
}

/// Puts a program in another place.
///
/// # Panics
/// When that is not possible.
pub fn link(program: &Path, place: &Path) {
    // What an earlier installation left may be the program itself: a copy onto that would empty it.
    let _nothing_there = fs::remove_file(place);
    if fs::hard_link(program, place).is_err() {
        fs::copy(program, place).expect("the program can be copied");
    }
}

/// A program of this build.
///
/// # Panics
/// When it was not built.
pub fn program(name: &str) -> PathBuf {
    built(Path::new(name)).unwrap_or_else(|| {
        panic!("{name} is not built; run tests/run, or `cargo build --workspace --bins --examples`")
    })
}

/// What this build has at a path below its folder of programs.
fn built(path: &Path) -> Option<PathBuf> {
    let own = std::env::current_exe().expect("/proc is there");
    let folders = own.ancestors().skip(1).take(3);
    folders.map(|folder| folder.join(path)).find(|path| path.is_file())
}
