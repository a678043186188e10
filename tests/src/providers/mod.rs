//! Providers that images are pushed to, on loopback: Debian's registry, moto's S3 behind a check of signatures, and a
//! Glance of our own.
//!
//! Each is a process; dropping it ends it. Faults are asked for over HTTP, below `/-/` (see `faults.py`).

mod registry;

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

pub use self::registry::Registry;
use crate::http::{self, Request};
use crate::python;

/// Where the servers' programs are.
const PLACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/providers");
/// The access key of [`S3`], and the user of [`Glance`] and [`Registry`].
pub const USER: &str = "pusher";
/// The secret of all of them.
pub const PASSWORD: &str = "correct horse battery";
/// The bucket of [`S3`], and the project of [`Glance`].
pub const PROJECT: &str = "images";

/// A server that can be asked for faults.
#[derive(Debug)]
pub struct Server {
    process: Child,
    /// HOST:PORT
    pub address: String,
}

impl Server {
    fn start(python: &Path, script: &str) -> Self {
        let mut process = Command::new(python)
            .arg(Path::new(PLACE).join(script))
            .args([USER, PASSWORD, PROJECT])
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", python.display()));
        let mut line = String::new();
        let stdout = process.stdout.take().expect("a pipe");
        BufReader::new(stdout).read_line(&mut line).expect("a pipe");
        let port: u16 =
            line.trim().parse().unwrap_or_else(|_error| panic!("{script} did not start"));
        Self { process, address: format!("127.0.0.1:{port}") }
    }

    /// The next `times` requests whose line has this text in it are answered with 503.
    pub fn fail(&self, text: &str, times: u32) {
        self.control("PUT", &format!("/-/fail?match={text}&times={times}"));
    }

    /// The next request whose line has this text in it is held until its client is gone.
    pub fn hold(&self, text: &str) {
        self.control("PUT", &format!("/-/hold?match={text}"));
    }

    /// How many requests were held.
    pub fn held(&self) -> u64 {
        self.control("GET", "/-/held").as_u64().expect("a number")
    }

    /// Lines of requests so far that have all of these texts in them.
    pub fn requests(&self, texts: &[&str]) -> usize {
        let lines = self.control("GET", "/-/lines");
        let lines = lines.as_array().expect("a list").iter().filter_map(Value::as_str);
        lines.filter(|line| texts.iter().all(|text| line.contains(text))).count()
    }

    fn control(&self, method: &str, path: &str) -> Value {
        let request = Request { method, path, headers: &[], body: b"" };
        let answer = http::request(&self.address, &request).expect("the server answers");
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.json()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// S3-compatible storage with one bucket.
#[derive(Debug)]
pub struct S3(Server);

impl S3 {
    /// Starts it.
    pub fn start() -> Self {
        Self(Server::start(&python::beside("moto_server"), "s3.py"))
    }

    /// What asks for faults.
    pub fn server(&self) -> &Server {
        &self.0
    }

    /// Puts an object, as anybody could.
    pub fn put(&self, key: &str, text: &str) {
        self.ask("PUT", key, text);
    }

    /// Begins an upload that nobody ends.
    pub fn begin(&self, key: &str) {
        self.ask("POST", &format!("{key}?uploads"), "");
    }

    fn ask(&self, method: &str, key: &str, text: &str) {
        let path = format!("/{PROJECT}/{key}");
        let signed =
            format!("AWS4-HMAC-SHA256 Credential={USER}/20260101/us-east-1/s3/aws4_request");
        let headers = [("Authorization", signed.as_str())];
        let request = Request { method, path: &path, headers: &headers, body: text.as_bytes() };
        let answer = http::request(&self.0.address, &request).expect("the server answers");
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    /// What boto3 sees in the bucket: `objects` with `sha256`, `etag` and `metadata`, by key, and `uploads`, the keys of
    /// those that were begun and not ended.
    pub fn look(&self) -> Value {
        let port = self.0.address.rsplit(':').next().expect("a port");
        let output = Command::new(python::beside("moto_server"))
            .arg(Path::new(PLACE).join("look.py"))
            .args([port, USER, PASSWORD, PROJECT])
            .output()
            .expect("python is there");
        let errors = String::from_utf8_lossy(&output.stderr);
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_error| panic!("{errors}"))
    }
}

/// Keystone and Glance.
#[derive(Debug)]
pub struct Glance(Server);

impl Glance {
    /// Starts them.
    pub fn start() -> Self {
        Self(Server::start(Path::new("python3"), "glance.py"))
    }

    /// What asks for faults.
    pub fn server(&self) -> &Server {
        &self.0
    }

    /// All images.
    pub fn images(&self) -> Vec<Value> {
        self.0.control("GET", "/-/images").as_array().expect("a list").clone()
    }
}
