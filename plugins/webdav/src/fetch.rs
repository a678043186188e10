//! The bytes of one file.
//!
//! They come in pieces of a megabyte: to the host, or into a file that the host takes over. What may be gone on with is what
//! has a strong tag, because only that vouches for the bytes before; a file without one that is more than a piece is staged,
//! so that the host never has a beginning of it. A connection that breaks is made again once, for what is missing. The
//! revision that counts is that of the answer: where it is not the listed one, the host is told. A file of several pieces
//! is looked at again when all have come: it must not have been written to meanwhile.

use bytes::{Bytes, BytesMut};
use reqwest::{Response, StatusCode};
use wharf_http::Lost;
use wharf_sdk::{Context, Error, Progress, Staging};

use crate::failure::{Asked, Case};
use crate::head::{Head, Listed, ends_at};
use crate::place::file_address;
use crate::revision::Revision;
use crate::session::Dav;

/// Bytes that one message to the host may hold.
const PIECE: usize = 1 << 20;
/// From this size on a file is staged: the host then hashes it only when it is whole, and that must be worth it.
const STAGED: u64 = 8 << 20;

/// One file that the host wants.
pub(crate) struct Wanted<'a> {
    pub(crate) dav: &'a Dav,
    /// From the mirrored folder.
    pub(crate) path: &'a str,
    /// Below the root.
    pub(crate) full: &'a str,
    pub(crate) listed: Listed,
    /// The first byte that the host lacks.
    pub(crate) offset: u64,
}

/// How far a file is.
struct Taken {
    /// What came is of this revision.
    revision: Option<Revision>,
    /// The next byte that the host, or the staged file, lacks.
    offset: u64,
    /// Of the whole.
    size: Option<u64>,
    staging: Option<Staging>,
}

impl Taken {
    /// Whether what comes belongs behind what is there.
    fn goes_on_with(&self, head: &Head) -> bool {
        let same = self.revision.as_ref().is_some_and(|revision| head.is(revision));
        let whole = head.size.is_none_or(|size| self.size.is_none_or(|known| known == size));
        same && whole && head.from <= self.offset
    }
}

/// What ended a try.
enum Trouble {
    Lost(Lost),
    Told(Error),
}

impl From<reqwest::Error> for Trouble {
    fn from(error: reqwest::Error) -> Self {
        Self::Lost(Lost::of(&error))
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Told(error)
    }
}

/// Hands the file to the host.
pub(crate) async fn fetch(wanted: &Wanted<'_>, context: &Context) -> Result<(), Error> {
    let revision = wanted.listed.revision.clone().filter(|_revision| wanted.offset > 0);
    let mut taken = Taken { revision, offset: wanted.offset, size: None, staging: None };
    let mut tried = wanted.take(&mut taken, context).await;
    if let Err(Trouble::Lost(Lost::Broken(_))) = &tried
        && taken.offset > wanted.offset
        && taken.revision.as_ref().is_some_and(|revision| revision.strong().is_some())
    {
        tried = wanted.take(&mut taken, context).await;
    }
    tried.map_err(|trouble| match trouble {
        Trouble::Told(error) => error,
        Trouble::Lost(lost) => wanted.case().lost(lost),
    })?;
    match taken.staging {
        Some(staging) => staging.hand_over(context).await,
        None => Ok(()),
    }
}

impl Wanted<'_> {
    fn case(&self) -> Case<'_> {
        Case { server: &self.dav.server, asked: Asked::File(self.path), full: self.full }
    }

    /// Takes what is missing.
    async fn take(&self, taken: &mut Taken, context: &Context) -> Result<(), Trouble> {
        let address = file_address(&self.dav.root, self.full);
        let tag = taken.revision.as_ref().and_then(Revision::strong);
        let rest = tag.filter(|_tag| taken.offset > 0).map(|tag| (taken.offset, tag));
        let is_rest = rest.is_some();
        let response = self.dav.get(address, rest).await?;
        if is_rest && ends_at(&response, taken.offset) {
            return Ok(self.still_is(taken).await?);
        }
        let head = self.head(&response)?;
        if taken.offset == 0 && head.from == 0 {
            self.begin(&head, taken, context).await?;
        } else {
            self.go_on(&head, taken, context).await?;
        }
        taken.size = head.size.or(taken.size);
        self.pour(response, &head, taken, context).await?;
        if let Some(size) = taken.size.filter(|size| *size != taken.offset) {
            return Err(self.case().torn(taken.offset, size).into());
        }
        Ok(self.still_is(taken).await?)
    }

    /// All of it comes.
    async fn begin(&self, head: &Head, taken: &mut Taken, context: &Context) -> Result<(), Error> {
        let now = head.other_than(&self.listed);
        if let Some(now) = &now {
            context.revision(now.to_string()).await?;
        }
        // By what the host has, it asks for the rest.
        let known = now.as_ref().or(self.listed.revision.as_ref());
        if must_be_staged(head.size, known.and_then(Revision::strong).is_some()) {
            taken.staging = Some(Staging::create(context).await?);
        }
        taken.revision = head.revision();
        Ok(())
    }

    /// The rest of it comes. If it is that of another file than the one whose beginning the host has, it asks from the
    /// start when it is told so before any bytes of this call, and at the next call if there were some.
    async fn go_on(&self, head: &Head, taken: &Taken, context: &Context) -> Result<(), Error> {
        if taken.goes_on_with(head) {
            return Ok(());
        }
        let now = match &taken.revision {
            Some(known) => head.like(known),
            None => head.revision(),
        };
        if let Some(now) = now.filter(|_now| taken.offset == self.offset) {
            context.revision(now.to_string()).await?;
        }
        Err(self.case().changing())
    }

    fn head(&self, response: &Response) -> Result<Head, Error> {
        match Head::read(response) {
            Some(head) => Ok(head),
            None if response.status() == StatusCode::RANGE_NOT_SATISFIABLE
                || response.status() == StatusCode::PARTIAL_CONTENT =>
            {
                Err(self.case().changing())
            }
            None => Err(self.case().status(response)),
        }
    }

    /// Brings the pieces to where they belong, and notes how far that is.
    async fn pour(
        &self,
        mut response: Response,
        head: &Head,
        taken: &mut Taken,
        context: &Context,
    ) -> Result<(), Trouble> {
        // A server that knows no ranges sends all.
        let mut skip = taken.offset - head.from;
        let mut gathered = BytesMut::new();
        while let Some(mut bytes) = response.chunk().await? {
            let had = skip.min(bytes.len() as u64);
            skip -= had;
            drop(bytes.split_to(usize::try_from(had).unwrap_or(bytes.len())));
            gathered.extend_from_slice(&bytes);
            while gathered.len() >= PIECE {
                self.put(gathered.split_to(PIECE).freeze(), taken, context).await?;
            }
        }
        if !gathered.is_empty() {
            self.put(gathered.freeze(), taken, context).await?;
        }
        Ok(())
    }

    async fn put(&self, piece: Bytes, taken: &mut Taken, context: &Context) -> Result<(), Error> {
        let (place, end) = (taken.offset, taken.offset + piece.len() as u64);
        match &taken.staging {
            None => context.chunk(piece).await?,
            Some(staging) => {
                staging.write(piece, place).await?;
                // Also tells the host that the call goes on.
                let size = taken.size.unwrap_or_default();
                context.progress(Progress::new(end, size).unit("bytes")).await;
            }
        }
        taken.offset = end;
        Ok(())
    }

    /// Whether all pieces are of one state. A server that answers no such question is believed.
    async fn still_is(&self, taken: &Taken) -> Result<(), Error> {
        let (Some(revision), true) = (&taken.revision, taken.offset > PIECE as u64) else {
            return Ok(());
        };
        let address = file_address(&self.dav.root, self.full);
        let asked = self.dav.head(address).await;
        let response = asked.map_err(|error| self.case().lost(Lost::of(&error)))?;
        match Head::read(&response) {
            Some(head) if head.contradicts(revision) => Err(self.case().changing()),
            None if response.status() == StatusCode::NOT_FOUND => Err(self.case().vanished()),
            _ => Ok(()),
        }
    }
}

/// Large files, and those that could not be gone on with if the host had a part of them.
fn must_be_staged(size: Option<u64>, is_strong: bool) -> bool {
    size.is_none_or(|size| size >= STAGED || (size > PIECE as u64 && !is_strong))
}
