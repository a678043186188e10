//! apt on both sides: a repository made with dpkg-deb, and apt-get with a root of its own.
//!
//! Nothing of the machine's own apt or dpkg is read or changed: configuration, lists, cache and installed packages are
//! below temporary folders.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::tree::sha256;

/// The architecture of all packages here that are not for all.
const ARCHITECTURE: &str = "amd64";

/// Runs a program that must succeed.
///
/// # Panics
/// When it does not.
pub(crate) fn run(program: &str, arguments: &[&str]) -> Output {
    let output = Command::new(program).args(arguments).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}; tests/run installs it"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {errors}");
    output
}

/// A repository with one distribution, `stable`, and one component, `main`.
#[derive(Debug)]
pub struct Archive {
    folder: TempDir,
    /// Paragraphs of Packages, by the name of the file.
    packages: Vec<(String, String)>,
    releases: i64,
    weak: bool,
}

impl Archive {
    /// One without packages; [`Archive::release`] makes it readable.
    ///
    /// # Panics
    /// When the folder cannot be made.
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("wharf-apt-").tempdir().expect("a folder");
        fs::create_dir_all(folder.path().join("pool")).expect("a folder");
        Self { folder, packages: Vec::new(), releases: 0, weak: false }
    }

    /// Where it lies.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Adds a package that holds the file `/usr/share/NAME/version`, compressed as dpkg-deb calls it.
    ///
    /// # Panics
    /// When dpkg-deb does not make it.
    pub fn add(&mut self, name: &str, version: &str, architecture: &str, compression: &str) {
        self.add_with(name, version, (architecture, compression), "");
    }

    /// As [`Archive::add`], with further fields, each with its line break.
    ///
    /// # Panics
    /// When dpkg-deb does not make it.
    pub fn add_with(
        &mut self,
        name: &str,
        version: &str,
        (architecture, compression): (&str, &str),
        fields: &str,
    ) {
        let tree = tempfile::tempdir().expect("a folder");
        let share = tree.path().join("usr/share").join(name);
        fs::create_dir_all(&share).expect("a folder");
        fs::create_dir(tree.path().join("DEBIAN")).expect("a folder");
        fs::write(share.join("version"), format!("{version}\n")).expect("a file");
        let control = format!(
            "Package: {name}\nVersion: {version}\nArchitecture: {architecture}\nMaintainer: T <t@example.org>\n{fields}\
             Description: a test\n of more than\n .\n one line\n"
        );
        fs::write(tree.path().join("DEBIAN/control"), &control).expect("a file");
        let plain = version.split_once(':').map_or(version, |(_epoch, rest)| rest);
        let file = format!("pool/{name}_{plain}_{architecture}.deb");
        let (from, to) = (tree.path().to_string_lossy().into_owned(), self.at(&file));
        let compress = format!("-Z{compression}");
        run("dpkg-deb", &["--root-owner-group", &compress, "-b", &from, &to.to_string_lossy()]);
        let bytes = fs::read(&to).expect("dpkg-deb made it");
        let digest = if self.weak {
            format!("MD5sum: {}\nSHA1: {}", sum("md5sum", &to), sum("sha1sum", &to))
        } else {
            format!("SHA256: {}", sha256(&bytes))
        };
        let placed = format!("Filename: {file}\nSize: {}\n{digest}\n\n", bytes.len());
        self.packages.push((file, control + &placed));
    }

    /// One as they were made long ago: with MD5 and SHA-1, and nothing else.
    pub fn weak() -> Self {
        Self { weak: true, ..Self::new() }
    }

    /// Takes a package out of the index; its file stays.
    pub fn forget(&mut self, name: &str) {
        self.packages.retain(|(file, _)| !file.starts_with(&format!("pool/{name}_")));
    }

    /// Writes the indexes and the Release.
    ///
    /// # Panics
    /// When the folder cannot be written.
    pub fn release(&mut self) {
        self.release_dated(1_780_000_000 + self.releases, "");
    }

    /// Writes the indexes and a Release of this time, in seconds since 1970, with more fields.
    ///
    /// # Panics
    /// When the folder cannot be written.
    pub fn release_dated(&mut self, seconds: i64, more: &str) {
        let dist = self.at("dists/stable");
        let folder = dist.join("main/binary-amd64");
        fs::create_dir_all(&folder).expect("a folder");
        let text: String = self.packages.iter().map(|(_, paragraph)| paragraph.as_str()).collect();
        let plain = folder.join("Packages");
        fs::write(&plain, text).expect("a file");
        run("gzip", &["-nkf", &plain.to_string_lossy()]);
        run("xz", &["-kf", &plain.to_string_lossy()]);
        let date = written_date(seconds);
        self.releases += 1;
        let mut release = format!(
            "Origin: Test\nSuite: stable\nCodename: stable\nDate: {date}\n{more}Architectures: amd64\nComponents: main\n{}:\n",
            if self.weak { "MD5Sum" } else { "SHA256" }
        );
        for name in ["Packages", "Packages.gz", "Packages.xz"] {
            let path = folder.join(name);
            let bytes = fs::read(&path).expect("it was just written");
            let digest = if self.weak { sum("md5sum", &path) } else { sha256(&bytes) };
            writeln!(release, " {digest} {} main/binary-amd64/{name}", bytes.len())
                .expect("a String takes everything");
        }
        fs::write(dist.join("Release"), release).expect("a file");
    }

    fn at(&self, path: &str) -> PathBuf {
        self.folder().join(path)
    }
}

impl Default for Archive {
    fn default() -> Self {
        Self::new()
    }
}

/// What a program like md5sum says of a file.
fn sum(program: &str, path: &Path) -> String {
    let output = run(program, &[&path.to_string_lossy()]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.split_ascii_whitespace().next().unwrap_or_default().to_owned()
}

/// A date as `date` writes it.
///
/// # Panics
/// When it does not.
pub fn written_date(seconds: i64) -> String {
    let output = run("date", &["-u", "-d", &format!("@{seconds}"), "+%a, %d %b %Y %H:%M:%S UTC"]);
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// apt-get with a root of its own.
#[derive(Debug)]
pub struct Apt {
    folder: TempDir,
}

/// What apt-get said.
#[derive(Debug)]
pub struct Told {
    /// Whether it ended well.
    pub good: bool,
    /// Both outputs.
    pub text: String,
}

impl Apt {
    /// One that uses this line of a sources.list.
    ///
    /// # Panics
    /// When the folder cannot be written.
    pub fn new(source: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("wharf-apt-").tempdir().expect("a folder");
        let at = |path: &str| folder.path().join(path);
        for path in [
            "etc/parts",
            "etc/sources.list.d",
            "etc/preferences.d",
            "etc/trusted.d",
            "lists/partial",
            "cache/archives/partial",
            "downloads",
            "log",
            "root/var/lib/dpkg/info",
            "root/var/lib/dpkg/updates",
            "root/var/lib/dpkg/triggers",
        ] {
            fs::create_dir_all(at(path)).expect("a folder");
        }
        fs::write(at("root/var/lib/dpkg/status"), "").expect("a file");
        fs::write(at("etc/sources.list"), format!("{source}\n")).expect("a file");
        let configuration = CONFIGURATION.replace("ROOT", &folder.path().to_string_lossy());
        let configuration = configuration.replace("ARCHITECTURE", ARCHITECTURE);
        fs::write(at("apt.conf"), configuration).expect("a file");
        Self { folder }
    }

    /// One that uses this text of a sources file in deb822 form.
    ///
    /// # Panics
    /// When the folder cannot be written.
    pub fn with_sources(text: &str) -> Self {
        let apt = Self::new("");
        let file = apt.folder.path().join("etc/sources.list.d/wharf.sources");
        fs::write(file, text).expect("a file");
        apt
    }

    /// The version of a package that would be installed, as `apt-cache policy` tells.
    ///
    /// # Panics
    /// When apt-cache does not tell.
    pub fn candidate(&self, package: &str) -> String {
        let mut command = Command::new("apt-cache");
        command.args(["policy", package]).env("LC_ALL", "C");
        let output = command.env("APT_CONFIG", self.folder.path().join("apt.conf")).output();
        let output = output.expect("apt-cache starts; tests/run installs it");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let candidate = text.lines().find_map(|line| line.trim().strip_prefix("Candidate: "));
        candidate.unwrap_or_else(|| panic!("{text}")).to_owned()
    }

    /// Runs apt-get in the folder for downloads.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn get(&self, arguments: &[&str]) -> Told {
        let mut command = Command::new("apt-get");
        command.arg("-q").args(arguments).current_dir(self.folder.path().join("downloads"));
        for variable in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] {
            command.env_remove(variable);
        }
        command.env("APT_CONFIG", self.folder.path().join("apt.conf")).env("LC_ALL", "C");
        command.env("DEBIAN_FRONTEND", "noninteractive");
        let output = command.output().expect("apt-get starts; tests/run installs it");
        let [out, err] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
        Told { good: output.status.success(), text: format!("{out}{err}") }
    }

    /// Runs apt-get; it must succeed without a warning or an error.
    ///
    /// # Panics
    /// When it does not.
    pub fn ok(&self, arguments: &[&str]) -> String {
        let told = self.get(arguments);
        let clean = !told.text.lines().any(|line| line.starts_with("W:") || line.starts_with("E:"));
        assert!(told.good && clean, "apt-get {arguments:?}: {}", told.text);
        told.text
    }

    /// The content of an installed file.
    ///
    /// # Panics
    /// When it is not there.
    pub fn installed(&self, path: &str) -> String {
        let path = self.folder.path().join("root").join(path);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Where downloads land.
    pub fn downloads(&self) -> PathBuf {
        self.folder.path().join("downloads")
    }

    /// Names of downloaded files, in order; takes them away.
    ///
    /// # Panics
    /// When the folder cannot be read.
    pub fn take_downloads(&self) -> Vec<String> {
        let folder = self.folder.path().join("downloads");
        let mut names = Vec::new();
        for entry in fs::read_dir(folder).expect("our folder").flatten() {
            names.push(entry.file_name().to_string_lossy().into_owned());
            fs::remove_file(entry.path()).expect("our file");
        }
        names.sort();
        names
    }
}

/// Everything of apt below ROOT; date checks on, as some images have them off.
const CONFIGURATION: &str = r#"
Dir "/";
Dir::Etc "ROOT/etc";
Dir::Etc::sourcelist "ROOT/etc/sources.list";
Dir::Etc::sourceparts "ROOT/etc/sources.list.d";
Dir::Etc::main "ROOT/etc/none.conf";
Dir::Etc::parts "ROOT/etc/parts";
Dir::Etc::preferences "ROOT/etc/preferences";
Dir::Etc::preferencesparts "ROOT/etc/preferences.d";
Dir::Etc::trusted "ROOT/etc/trusted.gpg";
Dir::Etc::trustedparts "ROOT/etc/trusted.d";
Dir::State "ROOT";
Dir::State::lists "ROOT/lists";
Dir::State::status "ROOT/root/var/lib/dpkg/status";
Dir::State::extended_states "ROOT/extended_states";
Dir::Cache "ROOT/cache";
Dir::Log "ROOT/log";
APT::Architecture "ARCHITECTURE";
APT::Architectures { "ARCHITECTURE"; };
APT::Sandbox::User "root";
APT::Install-Recommends "false";
Acquire::Check-Valid-Until "true";
Acquire::Check-Date "true";
Acquire::Languages "none";
Acquire::Retries "0";
Acquire::http::Proxy "DIRECT";
Debug::NoLocking "true";
Debug::Acquire::http "true";
Dpkg::Options { "--root=ROOT/root"; "--force-not-root"; "--force-depends"; "--force-architecture"; "--force-script-chrootless"; "--log=ROOT/log/dpkg.log"; };
Dpkg::Use-Pty "false";
"#;
