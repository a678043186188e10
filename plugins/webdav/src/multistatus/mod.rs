//! What a server answers when it is asked what a folder holds: a `multistatus`, read as it comes.
//!
//! Names count in the namespace `DAV:` only, whatever prefix they have. Of properties only those count that come with a
//! good status. A document that does not end, brings a type definition or entities of its own, nests without end or lists
//! too much is refused as a whole: what is missing in a listing would be taken for deleted (F103). Source: RFC 4918, 13, 14
//! and 15.

use quick_xml::NsReader;
use quick_xml::events::{BytesRef, Event};
use quick_xml::name::{Namespace, ResolveResult};
use tokio::io::{AsyncBufRead, AsyncReadExt as _};

use crate::revision::{Tag as ETag, seconds};

/// The most bytes of an answer.
const MAX_ANSWER: u64 = 64 << 20;
/// The most entries of a folder.
const MAX_ENTRIES: usize = 100_000;
/// The deepest element.
const MAX_DEPTH: usize = 64;
/// The most bytes of a value that is looked at.
const MAX_VALUE: usize = 16 << 10;

/// What is told of one resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// Its address, as the server writes it.
    pub href: String,
    /// Why nothing else is told of it: a status of HTTP.
    pub refused: Option<u16>,
    /// `None`: the server does not say it.
    pub is_folder: Option<bool>,
    /// In bytes.
    pub size: Option<u64>,
    /// Seconds since 1970.
    pub changed: Option<u64>,
    /// Its entity tag.
    pub tag: Option<ETag>,
}

/// Why an answer is of no use.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ReadError {
    /// It is no XML, or it broke off.
    #[error("{0}")]
    Xml(#[from] quick_xml::Error),
    /// It is about something else.
    #[error("it is no multistatus of WebDAV")]
    Stranger,
    /// It ends in the middle.
    #[error("it ends too early")]
    Cut,
    /// A type definition, or an entity that only such a one defines.
    #[error("it has a type definition or entities of its own")]
    Entities,
    /// One without an address.
    #[error("it lists something without saying where it is")]
    Nameless,
    /// Elements inside each other.
    #[error("its elements lie deeper than {MAX_DEPTH}")]
    Deep,
    /// A name or an address.
    #[error("a value has more than {} KiB", MAX_VALUE >> 10)]
    Value,
    /// Entries, or bytes.
    #[error("it has more than {MAX_ENTRIES} entries or {} MiB", MAX_ANSWER >> 20)]
    Large,
}

/// Elements that matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tag {
    Multistatus,
    Response,
    Href,
    Status,
    Propstat,
    Prop,
    Kind,
    Collection,
    Size,
    Changed,
    Label,
    Other,
}

impl Tag {
    /// What an element of the namespace `DAV:` is, by its name and the element around it.
    fn inside(above: Option<Self>, name: &str) -> Self {
        match (above, name) {
            (None, "multistatus") => Self::Multistatus,
            (Some(Self::Multistatus), "response") => Self::Response,
            (Some(Self::Response), "href") => Self::Href,
            (Some(Self::Response), "propstat") => Self::Propstat,
            (Some(Self::Response | Self::Propstat), "status") => Self::Status,
            (Some(Self::Propstat), "prop") => Self::Prop,
            (Some(Self::Prop), "resourcetype") => Self::Kind,
            (Some(Self::Kind), "collection") => Self::Collection,
            (Some(Self::Prop), "getcontentlength") => Self::Size,
            (Some(Self::Prop), "getlastmodified") => Self::Changed,
            (Some(Self::Prop), "getetag") => Self::Label,
            _ => Self::Other,
        }
    }

    fn has_value(self) -> bool {
        matches!(self, Self::Href | Self::Status | Self::Size | Self::Changed | Self::Label)
    }
}

/// Reads an answer to its end.
///
/// # Errors
/// It is of no use.
pub async fn read<R: AsyncBufRead + Unpin>(answer: R) -> Result<Vec<Response>, ReadError> {
    let mut xml = NsReader::from_reader(answer.take(MAX_ANSWER));
    xml.config_mut().expand_empty_elements = true;
    let mut reading = Reading::default();
    let read = reading.read(&mut xml).await;
    if xml.get_mut().limit() == 0 {
        return Err(ReadError::Large);
    }
    read.map(|()| reading.all)
}

/// How far a document is.
#[derive(Default)]
struct Reading {
    open: Vec<Tag>,
    value: String,
    response: Response,
    part: Part,
    begun: bool,
    all: Vec<Response>,
}

/// A `propstat`: properties with one status.
#[derive(Default)]
struct Part {
    told: Response,
    status: Option<u16>,
}

impl Reading {
    async fn read<R: AsyncBufRead + Unpin>(
        &mut self,
        xml: &mut NsReader<R>,
    ) -> Result<(), ReadError> {
        let mut buffer = Vec::new();
        loop {
            let (namespace, event) = xml.read_resolved_event_into_async(&mut buffer).await?;
            match event {
                Event::Start(start) => {
                    let ours = namespace == ResolveResult::Bound(Namespace("DAV:"));
                    self.open(ours, start.local_name().as_ref())?;
                }
                Event::End(_) => self.close()?,
                Event::Text(text) => self.value(&text.xml10_content())?,
                Event::CData(text) => self.value(&text.xml10_content())?,
                Event::GeneralRef(reference) => self.value(character(&reference)?.as_str())?,
                Event::DocType(_) => return Err(ReadError::Entities),
                Event::Eof => break,
                Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            }
            buffer.clear();
        }
        match (self.begun, self.open.is_empty()) {
            (true, true) => Ok(()),
            (true, false) => Err(ReadError::Cut),
            (false, _) => Err(ReadError::Stranger),
        }
    }

    fn open(&mut self, ours: bool, name: &str) -> Result<(), ReadError> {
        if self.open.len() == MAX_DEPTH {
            return Err(ReadError::Deep);
        }
        let tag = if ours { Tag::inside(self.open.last().copied(), name) } else { Tag::Other };
        if self.open.is_empty() {
            if tag != Tag::Multistatus || self.begun {
                return Err(ReadError::Stranger);
            }
            self.begun = true;
        }
        if tag.has_value() {
            self.value.clear();
        }
        self.open.push(tag);
        Ok(())
    }

    fn value(&mut self, text: &str) -> Result<(), ReadError> {
        if !self.open.last().is_some_and(|tag| tag.has_value()) {
            return Ok(());
        }
        if self.value.len() + text.len() > MAX_VALUE {
            return Err(ReadError::Value);
        }
        self.value.push_str(text);
        Ok(())
    }

    fn close(&mut self) -> Result<(), ReadError> {
        let (closed, value) = (self.open.pop(), self.value.trim());
        let told = &mut self.part.told;
        match closed {
            Some(Tag::Href) if self.response.href.is_empty() => {
                value.clone_into(&mut self.response.href);
            }
            Some(Tag::Status) if self.open.last() == Some(&Tag::Propstat) => {
                self.part.status = status(value);
            }
            Some(Tag::Status) => {
                self.response.refused = status(value).filter(|status| !is_good(*status));
            }
            Some(Tag::Kind) => told.is_folder = Some(told.is_folder == Some(true)),
            Some(Tag::Collection) => told.is_folder = Some(true),
            Some(Tag::Size) => told.size = value.parse().ok(),
            Some(Tag::Changed) => told.changed = seconds(value),
            Some(Tag::Label) => told.tag = ETag::read(value),
            Some(Tag::Propstat) => self.take_part(),
            Some(Tag::Response) => return self.take_response(),
            _ => {}
        }
        Ok(())
    }

    /// Takes over the properties that are told, and why what kind of thing it is is not.
    fn take_part(&mut self) {
        let Part { told, status } = std::mem::take(&mut self.part);
        let all = &mut self.response;
        if status.is_some_and(is_good) {
            all.is_folder = told.is_folder.or(all.is_folder);
            all.size = told.size.or(all.size);
            all.changed = told.changed.or(all.changed);
            all.tag = told.tag.or_else(|| all.tag.take());
        } else if told.is_folder.is_some() && all.refused.is_none() {
            all.refused = status;
        }
    }

    fn take_response(&mut self) -> Result<(), ReadError> {
        let mut response = std::mem::take(&mut self.response);
        if response.href.is_empty() {
            return Err(ReadError::Nameless);
        }
        if self.all.len() == MAX_ENTRIES {
            return Err(ReadError::Large);
        }
        if response.is_folder.is_some() {
            response.refused = None;
        }
        self.all.push(response);
        Ok(())
    }
}

/// `HTTP/1.1 200 OK`
fn status(text: &str) -> Option<u16> {
    text.split_whitespace().nth(1)?.parse().ok()
}

fn is_good(status: u16) -> bool {
    (200..300).contains(&status)
}

/// What stands between `&` and `;`: a number, or one of the five that need no definition.
fn character(reference: &BytesRef<'_>) -> Result<String, ReadError> {
    if let Some(character) = reference.resolve_char_ref()? {
        return Ok(character.to_string());
    }
    let known = quick_xml::escape::resolve_xml_entity(reference);
    known.map(str::to_owned).ok_or(ReadError::Entities)
}

#[cfg(test)]
mod tests;
