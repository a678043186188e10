//! A small apt repository in memory, and what tests read of a run.
#![allow(dead_code, reason = "each test program uses what it needs")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use wharf_sdk::testing::{FakeHost, Harness};

/// Where it is.
pub(crate) const URL: &str = "https://x.example/debian";

/// Hex digits of a digest.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// A paragraph of `Packages`.
pub(crate) fn package(name: &str, version: &str, architecture: &str) -> String {
    let body = format!("{name} {version} {architecture}");
    let file = version.split_once(':').map_or(version, |(_, rest)| rest);
    format!(
        "Package: {name}\nVersion: {version}\nArchitecture: {architecture}\nOdd-Field: kept\n\
         Filename: pool/main/{name}_{file}_{architecture}.deb\nSize: {}\nMD5sum: 00\nSHA256: {}\n\
         Description: about {name}\n long\n .\n more\n\n",
        body.len(),
        sha256(body.as_bytes()),
    )
}

/// A distribution on its way.
#[derive(Clone, Default)]
pub(crate) struct Upstream {
    /// Fields of the Release.
    pub(crate) fields: String,
    /// Files below the distribution's folder.
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    /// Files that are listed and not served.
    pub(crate) unserved: Vec<String>,
    /// Whether files are served by digest, too.
    pub(crate) by_hash: bool,
    /// Whether there is an `InRelease`.
    pub(crate) signed: bool,
}

impl Upstream {
    /// One that offers amd64 and main.
    pub(crate) fn new() -> Self {
        let fields = "Origin: Test\nSuite: stable\nCodename: trixie\n\
            Date: Sat, 21 Nov 2026 07:37:04 UTC\nArchitectures: amd64 arm64\nComponents: main\n";
        Self { fields: fields.to_owned(), signed: true, ..Self::default() }
    }

    /// A file as it is.
    pub(crate) fn file(mut self, path: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.files.insert(path.to_owned(), bytes.into());
        self
    }

    /// An index, plain but not served, gz and xz.
    pub(crate) fn index(mut self, path: &str, text: &str) -> Self {
        self.unserved.push(path.to_owned());
        let gz = gz(text.as_bytes());
        let mut xz = liblzma::write::XzEncoder::new(Vec::new(), 1);
        xz.write_all(text.as_bytes()).unwrap();
        let xz = xz.finish().unwrap();
        self.file(path, text).file(&format!("{path}.gz"), gz).file(&format!("{path}.xz"), xz)
    }

    /// The text of its Release.
    pub(crate) fn release(&self) -> String {
        let mut text = self.fields.clone();
        if self.by_hash {
            text.push_str("Acquire-By-Hash: yes\n");
        }
        text.push_str("SHA256:\n");
        for (path, bytes) in &self.files {
            writeln!(text, " {} {} {path}", sha256(bytes), bytes.len()).unwrap();
        }
        text
    }

    /// Puts it into a host's reach, below this folder of the repository.
    pub(crate) fn serve(&self, mut host: FakeHost, folder: &str) -> FakeHost {
        let release = self.release();
        let at = |path: &str| format!("{URL}/{folder}{path}");
        if self.signed {
            let frame = "-----BEGIN PGP SIGNATURE-----\n\nabc\n-----END PGP SIGNATURE-----\n";
            let signed =
                format!("-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n{release}{frame}");
            host = host.file(&at("InRelease"), signed);
        }
        host = host.file(&at("Release"), release);
        for (path, bytes) in self.files.iter().filter(|(path, _)| !self.unserved.contains(path)) {
            if self.by_hash {
                let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                host = host.file(
                    &at(&format!("{folder}/by-hash/SHA256/{}", sha256(bytes))),
                    bytes.clone(),
                );
            } else {
                host = host.file(&at(path), bytes.clone());
            }
        }
        host
    }

    /// A harness with the plugin, and this as the distribution `stable`.
    pub(crate) fn harness(&self) -> (Harness, FakeHost) {
        let host = self.serve(FakeHost::new(), "dists/stable/");
        (Harness::start(wharf_plugin_deb::plugin(), host.clone()), host)
    }
}

/// gzip.
pub(crate) fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Settings of an importer.
pub(crate) fn settings(more: &Value) -> Value {
    let mut settings = json!({ "url": URL, "suites": ["stable"], "architectures": ["amd64"] });
    for (key, value) in more.as_object().unwrap() {
        settings[key] = value.clone();
    }
    settings
}

/// A JSON text.
pub(crate) fn read(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}
