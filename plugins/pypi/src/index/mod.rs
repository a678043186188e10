//! Pages of a simple repository: what an index says about a project, and which projects it has.
//!
//! Two representations of the same, JSON (`json`, PEP 691 with 592, 658, 700, 714, 792) and HTML (`html`, PEP 503 with
//! 592, 658, 714). A file that makes no sense is skipped and counted, as clients do; a page that makes no sense is an
//! error. Nothing is fetched here.

pub mod html;
pub mod json;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use url::Url;

/// The largest project page; those of the largest projects have some 30 MB.
pub const MAX_PAGE_BYTES: u64 = 128 << 20;
/// The largest list of projects.
pub const MAX_LIST_BYTES: u64 = 512 << 20;
/// The most files on one page; the largest real ones have some 20,000.
pub const MAX_FILES: usize = 500_000;
/// The most projects of an index.
pub const MAX_PROJECTS: usize = 5_000_000;
/// The longest text of a file's field that is kept: addresses, reasons, requirements.
pub const MAX_FIELD_BYTES: usize = 8 << 10;

/// The representation that is asked for first.
pub const JSON: &str = "application/vnd.pypi.simple.v1+json";
/// The same in HTML.
pub const HTML: &str = "application/vnd.pypi.simple.v1+html";
/// What is sent as `Accept`: JSON, else HTML under its new name, else under its old one.
pub const ACCEPT: &str = "application/vnd.pypi.simple.v1+json, \
     application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01";

/// What an index says about a project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The files that make sense, in the page's order.
    pub files: Vec<File>,
    /// How many others there are.
    pub skipped: usize,
    /// The project's status, if the page tells one.
    pub status: Option<Status>,
}

/// A file of a project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct File {
    /// Its name, as it is written; see [`crate::filename`].
    pub filename: String,
    /// Where it is, absolute, without fragment.
    pub url: String,
    /// Hex digits by the algorithm's name, both lower case.
    pub hashes: BTreeMap<String, String>,
    /// In bytes.
    pub size: Option<u64>,
    /// As it is written; it need not be valid.
    pub requires_python: Option<String>,
    /// What is known of its metadata file.
    pub metadata: Metadata,
    /// Why nobody should use it any more; the reason may be empty.
    pub yanked: Option<String>,
    /// As it is written.
    pub upload_time: Option<String>,
}

/// Whether a file's core metadata can be had beside it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Metadata {
    /// No.
    #[default]
    Missing,
    /// Yes, but nobody says with which digest.
    There,
    /// Yes, with this SHA-256.
    Sha256(String),
}

/// What a project is up to. Source: PEP 792.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Status {
    /// `active`, `archived`, `quarantined`, `deprecated`, or what comes next.
    pub status: String,
    /// In the words of its people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Why a page cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// Not JSON, or not of that shape.
    #[error("it is not the JSON of a simple repository: {0}")]
    Json(#[from] serde_json::Error),
    /// A version that changes the meaning of what is known.
    #[error("it is of version {0}, of which nothing is known here; only versions 1.x are")]
    Version(String),
    /// More than any project has.
    #[error("it lists more than {0} entries")]
    Many(usize),
    /// Of neither representation.
    #[error("it is {0:?}, neither JSON nor HTML of a simple repository")]
    MediaType(String),
}

/// How a page is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// PEP 691.
    Json,
    /// PEP 503.
    Html,
}

impl Format {
    /// By what the server calls it; static servers that call it nothing in particular are known by the first byte.
    ///
    /// # Errors
    /// [`PageError::MediaType`].
    pub fn of(media_type: &str, bytes: &[u8]) -> Result<Self, PageError> {
        let media_type = media_type.split(';').next().unwrap_or_default().trim();
        let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
        match (media_type.to_ascii_lowercase().as_str(), first) {
            (JSON | "application/json", _) | ("" | "application/octet-stream", Some(b'{')) => {
                Ok(Self::Json)
            }
            (HTML | "text/html", _) | ("" | "application/octet-stream", Some(b'<')) => {
                Ok(Self::Html)
            }
            (other, _) => Err(PageError::MediaType(other.chars().take(100).collect())),
        }
    }
}

/// Reads the page of a project that came from `base` in the end.
///
/// # Errors
/// Why it cannot be read.
pub fn page(format: Format, bytes: &[u8], base: &Url) -> Result<Page, PageError> {
    match format {
        Format::Json => json::page(bytes, base),
        Format::Html => html::page(&String::from_utf8_lossy(bytes), base),
    }
}

/// Reads the names of all projects, normalised, each once, in order. Names that are none are left out.
///
/// # Errors
/// Why it cannot be read.
pub fn projects(format: Format, bytes: &[u8]) -> Result<Vec<String>, PageError> {
    let mut names = match format {
        Format::Json => json::projects(bytes)?,
        Format::Html => html::projects(&String::from_utf8_lossy(bytes))?,
    };
    names.sort_unstable();
    names.dedup();
    Ok(names)
}

/// The version of the interface that a page announces: 1.x is understood, whatever x adds.
fn check_version(version: &str) -> Result<(), PageError> {
    let major = version.split('.').next().unwrap_or_default();
    if major == "1" { Ok(()) } else { Err(PageError::Version(version.chars().take(20).collect())) }
}

/// An address of a file: absolute, of the web, without credentials and fragment. The fragment comes apart.
fn locate(base: &Url, link: &str) -> Option<(String, Option<String>)> {
    if link.len() > MAX_FIELD_BYTES {
        return None;
    }
    let mut url = base.join(link).ok()?;
    let fragment = url.fragment().map(str::to_owned);
    url.set_fragment(None);
    let plain = url.username().is_empty() && url.password().is_none();
    (matches!(url.scheme(), "http" | "https") && plain).then(|| (url.into(), fragment))
}

/// A digest: its algorithm in lower case and its digits, if the digits are some.
fn digest(algorithm: &str, hex: &str) -> Option<(String, String)> {
    let length = match algorithm.to_ascii_lowercase().as_str() {
        "sha256" => 64,
        "sha384" => 96,
        "sha512" => 128,
        // Weak ones prove nothing and are not kept.
        _ => return None,
    };
    let good = hex.len() == length && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    good.then(|| (algorithm.to_ascii_lowercase(), hex.to_ascii_lowercase()))
}

/// A text that is kept only if it is of a sensible length.
fn bounded(text: String) -> Option<String> {
    (text.len() <= MAX_FIELD_BYTES).then_some(text)
}
