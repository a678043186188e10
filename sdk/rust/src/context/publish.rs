//! What distributors tell: the files of a publication.

use wharf_proto::v1;
use wharf_proto::v1::event::Event;

use super::Context;
use super::batch::Entry;
use crate::Error;
use crate::model::PublishedFile;

impl Context {
    /// A file of the publication.
    ///
    /// # Errors
    /// [`Error::cancelled`]; a fault when the entry alone is larger than a message.
    pub async fn file(&self, file: PublishedFile) -> Result<(), Error> {
        let size = file.wire_size();
        self.add(Entry::File(file.wire), size).await
    }

    /// Every file of every unit of the published version, at its own path below a prefix, which may be empty.
    /// Only units of these types; none means all.
    ///
    /// # Errors
    /// [`Error::cancelled`].
    pub async fn pass_through(&self, prefix: &str, kinds: &[&str]) -> Result<(), Error> {
        let types = kinds.iter().map(|&kind| kind.to_owned()).collect();
        self.send(Event::PassThrough(v1::PassThrough { prefix: prefix.to_owned(), types })).await
    }

    /// Takes over the entries of the previous publication below a prefix unchanged.
    ///
    /// # Errors
    /// [`Error::cancelled`].
    pub async fn reuse(&self, publication: u64, prefix: &str) -> Result<(), Error> {
        self.send(Event::Reuse(v1::Reuse { publication, prefix: prefix.to_owned() })).await
    }

    /// A second name of a published path, with the same bytes.
    ///
    /// # Errors
    /// [`Error::cancelled`].
    pub async fn alias(&self, path: &str, target: &str) -> Result<(), Error> {
        self.second_name(path, target, false).await
    }

    /// A second name of a published path, answered with a redirect.
    ///
    /// # Errors
    /// [`Error::cancelled`].
    pub async fn redirect(&self, path: &str, target: &str) -> Result<(), Error> {
        self.second_name(path, target, true).await
    }

    /// A representation of a path that has several; the host chooses by what the client accepts. `path`: a folder
    /// of the tree with a slash at its end, or a path without a file of its own. `target`: a published file.
    /// `media_type`: sent as it is. `also`: other media types under which clients ask for it. The first variant told
    /// is sent to whoever likes several equally.
    ///
    /// # Errors
    /// [`Error::cancelled`].
    pub async fn variant(
        &self,
        path: &str,
        target: &str,
        media_type: &str,
        also: &[&str],
    ) -> Result<(), Error> {
        let also: Vec<String> = also.iter().map(|&it| it.to_owned()).collect();
        let others: usize = also.iter().map(|it| it.len() + 6).sum();
        let size = path.len() + target.len() + media_type.len() + others + 32;
        let (path, target, media_type) =
            (path.to_owned(), target.to_owned(), media_type.to_owned());
        let variant = v1::Variant { path, target, media_type, also, encoding: String::new() };
        self.add(Entry::Variant(variant), size).await
    }

    /// A published file that is a variant of `path` in an encoding, `gzip`: clients that accept it get this in place of
    /// the variant of the same media type that is not encoded.
    ///
    /// # Errors
    /// [`Error::cancelled`].
    pub async fn encoded_variant(
        &self,
        path: &str,
        target: &str,
        media_type: &str,
        encoding: &str,
    ) -> Result<(), Error> {
        let size = path.len() + target.len() + media_type.len() + encoding.len() + 32;
        let variant = v1::Variant {
            path: path.to_owned(),
            target: target.to_owned(),
            media_type: media_type.to_owned(),
            also: Vec::new(),
            encoding: encoding.to_owned(),
        };
        self.add(Entry::Variant(variant), size).await
    }

    async fn second_name(&self, path: &str, target: &str, redirect: bool) -> Result<(), Error> {
        let size = path.len() + target.len() + 24;
        let alias = v1::Alias { path: path.to_owned(), target: target.to_owned(), redirect };
        self.add(Entry::Alias(alias), size).await
    }
}
