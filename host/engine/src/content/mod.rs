//! Published content: a path becomes bytes. Bytes that the store lacks are fetched once for all who wait
//! ([`OnDemand`]); nothing unverified is ever given out whole.

mod on_demand;

use std::fs::File;

use wharf_store::model::{Digest, Header, Listing, Lookup, PublishedEntry, Variant};

use crate::engine::{Engine, Inner};
use crate::fetch::Reader;
use crate::problem::Problem;

pub(crate) use on_demand::{OnDemand, restore};

/// What stands at a published path.
#[derive(Debug)]
pub enum Content {
    /// A file whose bytes are here.
    File(FileContent),
    /// Several representations: choose one for [`Engine::content_of`]. What is sent to whoever likes several equally
    /// comes first.
    Variants(Vec<Variant>),
    /// A directory, sorted by name.
    Directory(Listing),
    /// A directory that was asked for without its slash.
    DirectorySlash,
    /// Look there instead, relative to the publication.
    Redirect(String),
    /// Nothing.
    NotFound,
}

/// A published file.
#[derive(Debug)]
pub struct FileContent {
    /// None while the bytes were never here.
    pub digest: Option<Digest>,
    /// None when upstream never said.
    pub size: Option<u64>,
    /// Empty: not known.
    pub media_type: String,
    /// Milliseconds since 1970.
    pub modified_ms: i64,
    /// Sent along.
    pub headers: Vec<Header>,
    /// How the bytes are encoded; empty: not.
    pub encoding: String,
    /// Where to read.
    pub body: Body,
}

/// Where a published file's bytes come from.
#[derive(Debug)]
pub enum Body {
    /// From the store.
    Blob(File),
    /// From upstream, by [`Engine::fetch_content`].
    Remote(Box<RemoteFile>),
}

/// A published file that has to be fetched first.
#[derive(Debug, Clone)]
pub struct RemoteFile(pub(crate) PublishedEntry);

impl Engine {
    /// Looks a path up, and opens the file that is there. Blocks for some ten microseconds: for a thread that may.
    ///
    /// # Errors
    ///
    /// `storage.*`, `integrity.lost` when the database knows bytes that the disk has lost.
    pub fn content(&self, path: &str) -> Result<Content, Problem> {
        match self.inner.store.meta.lookup_blocking(path)? {
            Lookup::File(PublishedEntry { redirect: Some(target), .. }) => {
                Ok(Content::Redirect(target))
            }
            Lookup::File(entry) => self.inner.open(&entry).map(Content::File),
            Lookup::Variants(variants) => Ok(Content::Variants(variants)),
            Lookup::Directory(listing) => Ok(Content::Directory(listing)),
            Lookup::RedirectToSlash => Ok(Content::DirectorySlash),
            Lookup::NotFound => Ok(Content::NotFound),
        }
    }

    /// Opens the file of a representation. Blocks as [`Engine::content`] does.
    ///
    /// # Errors
    ///
    /// As [`Engine::content`]; `not_found.content` when the publication went away meanwhile.
    pub fn content_of(&self, variant: &Variant) -> Result<FileContent, Problem> {
        let entry = self.inner.store.meta.entry_blocking(variant.publication, &variant.target)?;
        let entry = entry.ok_or_else(|| {
            Problem::usage("not_found.content", format!("{} is published no more", variant.target))
        })?;
        let file = self.inner.open(&entry)?;
        let encoding = variant.encoding.clone();
        Ok(FileContent { media_type: variant.media_type.clone(), encoding, ..file })
    }

    /// Begins to fetch a file that was never here, or joins those who wait for it already. Returns when its first
    /// bytes may be read.
    pub async fn fetch_content(&self, remote: &RemoteFile) -> Result<Reader, Problem> {
        on_demand::fetch(&self.inner, &remote.0).await
    }
}

impl Inner {
    fn open(&self, entry: &PublishedEntry) -> Result<FileContent, Problem> {
        let mut content = FileContent {
            digest: entry.sha256,
            size: entry.size,
            media_type: entry.media_type.clone(),
            modified_ms: entry.modified_ms,
            headers: entry.headers.clone(),
            encoding: String::new(),
            body: Body::Remote(Box::new(RemoteFile(entry.clone()))),
        };
        let Some(digest) = entry.sha256.filter(|_| entry.present) else { return Ok(content) };
        match self.store.blobs.open_blocking(digest)? {
            // Cut off or grown: not the bytes that it is called by, so they are fetched again, or missed.
            Some((_, size)) if entry.size.is_some_and(|wanted| wanted != size) => {
                tracing::error!(%digest, size, wanted = entry.size, "a blob has another size than it should");
                if entry.unit.is_some() { Ok(content) } else { Err(lost(digest)) }
            }
            Some((file, size)) => {
                content.size = Some(size);
                content.body = Body::Blob(file);
                Ok(content)
            }
            None if entry.unit.is_some() => Ok(content),
            None => Err(lost(digest)),
        }
    }
}

fn lost(digest: Digest) -> Problem {
    Problem::operation(
        "integrity.lost",
        format!("the bytes sha256:{digest} are gone from the store"),
    )
    .help("publish the repository again with --full: `wharf verify` tells which")
}
