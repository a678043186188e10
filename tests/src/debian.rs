//! Upstreams for apt of every shape: distributions below `dists/` or flat folders, source packages, any set of
//! compressions, dates of choice, signed by a key of their own.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::tree::sha256;

/// Runs a program that must succeed.
///
/// # Panics
/// When it does not.
fn run(folder: &Path, program: &str, arguments: &[&str]) -> Output {
    let output = Command::new(program).args(arguments).current_dir(folder).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}; tests/run installs it"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {errors}");
    output
}

/// A repository in a folder.
#[derive(Debug)]
pub struct Site {
    folder: TempDir,
}

impl Site {
    /// An empty one.
    ///
    /// # Panics
    /// When the folder cannot be made.
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("wharf-site-").tempdir().expect("a folder");
        fs::create_dir(folder.path().join("pool")).expect("a folder");
        Self { folder }
    }

    /// Where it lies.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Makes a package that holds `/usr/share/NAME/version`. Gives its paragraph, with the `Filename` behind `prefix`.
    ///
    /// # Panics
    /// When dpkg-deb does not make it.
    pub fn package(&self, prefix: &str, name: &str, version: &str, architecture: &str) -> String {
        let tree = tempfile::tempdir().expect("a folder");
        let share = tree.path().join("usr/share").join(name);
        fs::create_dir_all(&share).expect("a folder");
        fs::create_dir(tree.path().join("DEBIAN")).expect("a folder");
        fs::write(share.join("version"), format!("{version}\n")).expect("a file");
        let control = format!(
            "Package: {name}\nVersion: {version}\nArchitecture: {architecture}\nMaintainer: T <t@example.org>\n\
             Description: a test\n"
        );
        fs::write(tree.path().join("DEBIAN/control"), &control).expect("a file");
        let plain = version.split_once(':').map_or(version, |(_epoch, rest)| rest);
        let file = format!("pool/{name}_{plain}_{architecture}.deb");
        let (from, to) = (tree.path().to_string_lossy().into_owned(), self.at(&file));
        let to = to.to_string_lossy();
        run(self.folder(), "dpkg-deb", &["--root-owner-group", "-Zgzip", "-b", &from, &to]);
        let bytes = fs::read(self.at(&file)).expect("dpkg-deb made it");
        let (size, digest) = (bytes.len(), sha256(&bytes));
        format!("{control}Filename: {prefix}{file}\nSize: {size}\nSHA256: {digest}\n\n")
    }

    /// Makes a native source package. Gives its paragraph.
    ///
    /// # Panics
    /// When dpkg-source does not make it.
    pub fn source(&self, name: &str, version: &str) -> String {
        let work = tempfile::tempdir().expect("a folder");
        let tree = work.path().join(format!("{name}-{version}"));
        fs::create_dir_all(tree.join("debian/source")).expect("a folder");
        fs::write(tree.join("debian/source/format"), "3.0 (native)\n").expect("a file");
        let control = format!(
            "Source: {name}\nMaintainer: T <t@example.org>\nStandards-Version: 4.6.2\n\nPackage: {name}\n\
             Architecture: all\nDescription: a test\n"
        );
        fs::write(tree.join("debian/control"), control).expect("a file");
        let changes = format!(
            "{name} ({version}) stable; urgency=low\n\n  * Made.\n\n -- T <t@example.org>  Sat, 21 Nov 2026 07:37:04 +0000\n"
        );
        fs::write(tree.join("debian/changelog"), changes).expect("a file");
        fs::write(tree.join("program"), format!("{version}\n")).expect("a file");
        run(work.path(), "dpkg-source", &["-b", &format!("{name}-{version}")]);
        let mut sums = String::new();
        for file in [format!("{name}_{version}.dsc"), format!("{name}_{version}.tar.xz")] {
            let bytes = fs::read(work.path().join(&file)).expect("dpkg-source made it");
            writeln!(sums, " {} {} {file}", sha256(&bytes), bytes.len()).expect("a String");
            fs::write(self.at("pool").join(&file), bytes).expect("a file");
        }
        format!(
            "Package: {name}\nBinary: {name}\nVersion: {version}\nMaintainer: T <t@example.org>\nArchitecture: all\n\
             Format: 3.0 (native)\nDirectory: pool\nChecksums-Sha256:\n{sums}\n"
        )
    }

    /// Writes an index below the folder of a Release, plain and by these programs.
    ///
    /// # Panics
    /// When the folder cannot be written.
    pub fn index(&self, path: &str, text: &str, packers: &[&str]) {
        let file = self.at(path);
        fs::create_dir_all(file.parent().expect("it has one")).expect("a folder");
        fs::write(&file, text).expect("a file");
        let name = file.to_string_lossy().into_owned();
        for packer in packers {
            run(self.folder(), packer, &["-q", "-k", "-f", &name]);
        }
    }

    /// Writes the Release of a folder: these fields, a date, and all indexes below; with SHA512 too, if the fields promise
    /// names by digest.
    ///
    /// # Panics
    /// When the folder cannot be written.
    pub fn release(&self, folder: &str, fields: &str, date: &str) {
        let mut text = format!("{fields}Date: {date}\nSHA256:\n");
        let root = self.at(folder);
        for path in indexes(&root, "") {
            let bytes = fs::read(root.join(&path)).expect("it is there");
            writeln!(text, " {} {} {path}", sha256(&bytes), bytes.len()).expect("a String");
        }
        if fields.contains("Acquire-By-Hash") {
            text.push_str("SHA512:\n");
            for path in indexes(&root, "") {
                let output = run(&root, "sha512sum", &[&path]);
                let hex = String::from_utf8_lossy(&output.stdout[..128]).into_owned();
                let size = fs::metadata(root.join(&path)).expect("it is there").len();
                writeln!(text, " {hex} {size} {path}").expect("a String");
            }
        }
        fs::write(root.join("Release"), text).expect("a file");
    }

    /// A file of it.
    pub fn at(&self, path: &str) -> PathBuf {
        self.folder().join(path)
    }
}

impl Default for Site {
    fn default() -> Self {
        Self::new()
    }
}

/// Indexes below a folder, by path.
fn indexes(root: &Path, below: &str) -> Vec<String> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(root.join(below)).expect("our folder").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if below.is_empty() { name.clone() } else { format!("{below}/{name}") };
        if entry.path().is_dir() && name != "pool" {
            paths.extend(indexes(root, &path));
        } else if ["Packages", "Sources", "Contents", "Translation"]
            .iter()
            .any(|stem| name.starts_with(stem))
        {
            paths.push(path);
        }
    }
    paths.sort();
    paths
}

/// A date as `date` writes it, so many seconds from now.
///
/// # Panics
/// When there is no `date`.
pub fn date(seconds: i64) -> String {
    let when = format!("now {seconds:+} seconds");
    let output = run(Path::new("/"), "date", &["-u", "-d", &when, "+%a, %d %b %Y %H:%M:%S UTC"]);
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// A key of upstream's.
#[derive(Debug)]
pub struct Key {
    home: TempDir,
}

impl Key {
    /// Makes one.
    ///
    /// # Panics
    /// When gpg does not.
    pub fn new() -> Self {
        let home = tempfile::Builder::new().prefix("wharf-key-").tempdir().expect("a folder");
        let key = Self { home };
        let make = ["--quick-gen-key", "upstream@example.org", "ed25519", "sign", "never"];
        key.gpg(&make);
        let file = key.public();
        key.gpg(&["--armor", "--output", &file.to_string_lossy(), "--export"]);
        key
    }

    /// Signs the Release of a folder: `InRelease`, `Release.gpg`.
    ///
    /// # Panics
    /// When gpg does not.
    pub fn sign(&self, folder: &Path) {
        let at = |name: &str| folder.join(name).to_string_lossy().into_owned();
        let (release, clear, detached) = (at("Release"), at("InRelease"), at("Release.gpg"));
        self.gpg(&["--yes", "--output", &clear, "--clear-sign", &release]);
        self.gpg(&["--yes", "--armor", "--output", &detached, "--detach-sign", &release]);
    }

    /// The file with the public key, armoured.
    pub fn public(&self) -> PathBuf {
        self.home.path().join("upstream.asc")
    }

    fn gpg(&self, arguments: &[&str]) {
        let home = self.home.path().to_string_lossy().into_owned();
        let common = ["--homedir", &home, "--batch", "--quiet", "--passphrase", ""];
        run(self.home.path(), "gpg", &[&common[..], arguments].concat());
    }
}

impl Default for Key {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Key {
    /// gpg leaves an agent behind.
    fn drop(&mut self) {
        let home = self.home.path().to_string_lossy().into_owned();
        let ended = Command::new("gpgconf").args(["--homedir", &home, "--kill", "all"]).output();
        drop(ended);
    }
}
