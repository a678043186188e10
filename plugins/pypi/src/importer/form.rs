//! The form that twine and uv send with a file: what it says must be so.
//!
//! Source: the "legacy" upload API of PyPI, as the packaging guides describe it. Fields that repeat the metadata are
//! passed over: the metadata itself counts.

use std::fs::File;
use std::io;
use std::path::PathBuf;

use blake2::digest::consts::U32;
use blake2::{Blake2b, Digest};
use md5::Md5;
use serde_json::{Map, Value};
use wharf_sdk::Error;

use crate::filename::{Kind, normal};
use crate::name::normalize;

/// What the file itself says.
pub(super) struct Claim<'a> {
    pub(super) filename: &'a str,
    pub(super) project: &'a str,
    pub(super) version: &'a str,
    pub(super) kind: Kind,
    pub(super) sha256: &'a str,
}

/// Holds a form against its file.
///
/// # Errors
/// The form asks for something else than an upload, or says something else than the file.
pub(super) async fn check(
    form: &Map<String, Value>,
    claim: &Claim<'_>,
    path: PathBuf,
) -> Result<(), Error> {
    let text = |name: &str| form.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    if text(":action") != Some("file_upload") {
        let message = "the form's :action must be file_upload; nothing else is offered here";
        return Err(Error::usage("usage.form", message).at_field("/:action"));
    }
    if text("content") != Some(claim.filename) {
        let message = format!("the file {} is not in the form's field content", claim.filename);
        return Err(Error::usage("usage.form", message).at_field("/content"));
    }
    let differs = |field: &str, said: &str, is: &str| {
        let message =
            format!("{}: the form's {field} is {said:?}, the file says {is:?}", claim.filename);
        Err(Error::usage("content.name", message).at_field(field))
    };
    if let Some(name) = text("name")
        && normalize(name).as_deref() != Some(claim.project)
    {
        return differs("name", name, claim.project);
    }
    if let Some(version) = text("version")
        && normal(version) != claim.version
    {
        return differs("version", version, claim.version);
    }
    let (expected, wheel) = (text("filetype").unwrap_or_default(), claim.kind == Kind::Wheel);
    if (expected == "sdist" && wheel) || (expected == "bdist_wheel" && !wheel) {
        return differs("filetype", expected, if wheel { "bdist_wheel" } else { "sdist" });
    }
    digests(text("sha256_digest"), text("blake2_256_digest"), text("md5_digest"), claim, path).await
}

async fn digests(
    sha256: Option<&str>,
    blake2: Option<&str>,
    md5: Option<&str>,
    claim: &Claim<'_>,
    path: PathBuf,
) -> Result<(), Error> {
    same(claim, "sha256_digest", sha256, claim.sha256)?;
    if blake2.is_none() && md5.is_none() {
        return Ok(());
    }
    let hashing = tokio::task::spawn_blocking(move || hash(path));
    let hashed = hashing.await.unwrap_or_else(|lost| Err(io::Error::other(lost)));
    let (found_blake2, found_md5) = hashed.map_err(|error| {
        let message = format!("{} cannot be read", claim.filename);
        Error::operation("storage.staged", message).caused_by(&error).retryable()
    })?;
    same(claim, "blake2_256_digest", blake2, &found_blake2)?;
    same(claim, "md5_digest", md5, &found_md5)
}

fn same(claim: &Claim<'_>, field: &str, said: Option<&str>, found: &str) -> Result<(), Error> {
    if said.is_none_or(|said| said.eq_ignore_ascii_case(found)) {
        return Ok(());
    }
    let message = format!("{}: its {field} is {found}, not what the form says", claim.filename);
    Err(Error::usage("integrity.digest", message).at_field(field))
}

/// `BLAKE2b` of 256 bits, and MD5: they prove nothing that the SHA-256 does not, but a client that sends a wrong one is to
/// learn it.
fn hash(path: PathBuf) -> io::Result<(String, String)> {
    let mut both = Both { blake2: Blake2b::new(), md5: Md5::new() };
    io::copy(&mut File::open(path)?, &mut both)?;
    Ok((hex(&both.blake2.finalize()), hex(&both.md5.finalize())))
}

struct Both {
    blake2: Blake2b<U32>,
    md5: Md5,
}

impl io::Write for Both {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.blake2.update(bytes);
        self.md5.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
