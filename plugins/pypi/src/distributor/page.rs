//! A page on its way out: both representations, as variants of the folder that clients ask for.

use std::fs;

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

    /// Changes with anything of the page: the JSON says all that the HTML says.
    pub(super) fn digest(&self) -> String {
        let hex = sha256(&self.json);
        hex.get(..32).unwrap_or(&hex).to_owned()
    }

    /// Tells the host. JSON comes first: it is what whoever takes anything gets.
    pub(super) async fn send(self, modified_ms: i64, context: &Context) -> Result<(), Error> {
        let Self { folder, json, html } = self;
        let (json_path, html_path) =
            (format!("{folder}index.v1.json"), format!("{folder}index.html"));
        for (path, bytes, media_type) in
            [(&json_path, json, JSON), (&html_path, html, "text/html; charset=utf-8")]
        {
            let file = staged(path, bytes, context)?;
            context.file(file.media_type(media_type).modified_ms(modified_ms)).await?;
        }
        context
            .variant(&folder, &json_path, JSON, &["application/vnd.pypi.simple.latest+json"])
            .await?;
        context
            .variant(&folder, &html_path, HTML, &["application/vnd.pypi.simple.latest+html"])
            .await?;
        context.variant(&folder, &html_path, "text/html; charset=utf-8", &[]).await
    }
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
