//! A page on its way out: both representations, as variants of the folder that clients ask for.

use std::fs;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use wharf_sdk::{Context, Error, PublishedFile};

use super::project::File;
use crate::index::{HTML, JSON};
use crate::unit::sha256;

/// The most bytes that travel inside a message.
const MAX_INLINE_BYTES: usize = 64 << 10;
/// What an address keeps as it is, besides letters and digits of ASCII.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'!')
    .remove(b'+');
/// HTML as it was called before it had a name of its own.
const OLD_HTML: &str = "text/html; charset=utf-8";
/// Pages of less are not worth an encoding.
const MIN_PACKED: usize = 1_024;
/// How long clients and proxies may keep what is published.
pub(super) const CACHED: &str = "cache-control";
/// A page: new versions should be seen soon, and asking again costs little.
const SHORTLY: &str = "max-age=60";
/// A file: its address holds its digest.
pub(super) const FOR_EVER: &str = "max-age=31536000, immutable";
/// The folder of all pages, with a slash at its end.
pub(super) const SIMPLE: &str = "simple/";

/// Where a file is, as seen from the page of its project.
///
/// Everything but what no address needs to escape is escaped: names of files are upstream's.
pub(super) fn link(file: &File, project: &str) -> String {
    let path = file.path(project);
    format!("../../{}", utf8_percent_encode(&path, ESCAPED))
}

/// A page in both representations.
pub(super) struct Page {
    /// Below the tree, with a slash at its end.
    folder: String,
    json: Vec<u8>,
    html: Vec<u8>,
}

impl Page {
    pub(super) fn new(folder: String, json: Vec<u8>, html: Vec<u8>) -> Self {
        Self { folder, json, html }
    }

    /// Changes with anything of the page. Neither representation says all that the other one says.
    pub(super) fn digest(&self) -> String {
        let hex = sha256(&[self.json.as_slice(), &self.html].concat());
        hex.get(..32).unwrap_or(&hex).to_owned()
    }

    /// Tells the host. JSON comes first: it is what whoever takes anything gets. Whoever takes gzip gets it: clients ask
    /// for pages far more often than they change, so they are packed once, here.
    pub(super) async fn send(self, modified_ms: i64, context: &Context) -> Result<(), Error> {
        let Self { folder, json, html } = self;
        let paths = [format!("{folder}index.v1.json"), format!("{folder}index.html")];
        for (path, bytes, media_type) in [(&paths[0], json, JSON), (&paths[1], html, OLD_HTML)] {
            if bytes.len() >= MIN_PACKED {
                let packed = format!("{path}.gz");
                let file = staged(&packed, pack(&bytes)?, context)?.header(CACHED, SHORTLY);
                context.file(file.modified_ms(modified_ms)).await?;
                for media_type in names(media_type) {
                    context.encoded_variant(&folder, &packed, media_type, "gzip").await?;
                }
            }
            let file = staged(path, bytes, context)?.media_type(media_type);
            context.file(file.modified_ms(modified_ms).header(CACHED, SHORTLY)).await?;
        }
        let [json, html] = &paths;
        context.variant(&folder, json, JSON, &["application/vnd.pypi.simple.latest+json"]).await?;
        context.variant(&folder, html, HTML, &["application/vnd.pypi.simple.latest+html"]).await?;
        context.variant(&folder, html, OLD_HTML, &[]).await
    }
}

/// The media types under which a representation is asked for.
fn names(media_type: &'static str) -> &'static [&'static str] {
    if media_type == JSON { &[JSON] } else { &[HTML, OLD_HTML] }
}

/// gzip without name and time: equal pages give equal bytes.
fn pack(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let packed = encoder.write_all(bytes).and_then(|()| encoder.finish());
    packed.map_err(|error| {
        Error::fault("internal.gzip", "a page cannot be compressed").caused_by(&error)
    })
}

/// Small files travel with the message, others lie in the work folder.
fn staged(path: &str, bytes: Vec<u8>, context: &Context) -> Result<PublishedFile, Error> {
    if bytes.len() <= MAX_INLINE_BYTES {
        return Ok(PublishedFile::inline(path, bytes));
    }
    let name = path.replace('/', "--");
    fs::write(context.in_work_dir(&name), &bytes).map_err(|error| {
        let message = format!("{path} cannot be written to the work folder");
        Error::operation("storage.staged", message).caused_by(&error).retryable()
    })?;
    Ok(PublishedFile::staged(path, name))
}
