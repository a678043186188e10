//! The bytes of one file.
//!
//! A file that fits into one answer is one round trip: opened, read and closed by one request. A larger one is read in
//! pieces, several of them on their way, each asked for by its place, so what broke off goes on where it was over a new
//! connection, as long as the file is still the same one. The pieces go to the host as they come; those of a large file,
//! unless the host asks for its end only, into a file that the host takes over. The revision that counts is that of the
//! opened file: where it is not the listed one, the host is told.

use std::sync::Arc;

use futures_util::{StreamExt as _, stream};
use smb2::client::stream::open_file_reader;
use smb2::{Error as Smb, FileReader};
use wharf_sdk::{Context, Error, Progress, Staging};

use crate::failure;
use crate::revision::Revision;
use crate::session::{Session, Share};
use crate::settings::Settings;
use crate::walk::full;

/// Bytes asked for at once: what one message to the host may hold.
const PIECE: u64 = 1 << 20;
/// Pieces on their way.
const PIECES: usize = 4;
/// From this size on a file is staged: the host then hashes it only when it is whole, and that must be worth it.
const STAGED: u64 = 8 << 20;
/// Connections that one file may use up.
const TRIES: usize = 2;

/// One file that the host wants.
pub(crate) struct Wanted<'a> {
    pub(crate) settings: &'a Settings,
    /// From the mirrored folder.
    pub(crate) path: &'a str,
    /// As it was listed.
    pub(crate) listed: Option<Revision>,
    /// The first byte that the host asked for.
    pub(crate) asked: u64,
    /// The next byte that it, or the staged file, lacks.
    pub(crate) offset: u64,
    /// Where the bytes of a large file go.
    pub(crate) staging: Option<Staging>,
}

/// What ended a try.
enum Trouble {
    Smb(Smb),
    Told(Error),
}

impl From<Smb> for Trouble {
    fn from(error: Smb) -> Self {
        Self::Smb(error)
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Told(error)
    }
}

/// Hands the file to the host.
pub(crate) async fn fetch(
    mut wanted: Wanted<'_>,
    session: &Session,
    context: &Context,
) -> Result<(), Error> {
    for again in (0..TRIES).rev() {
        let share = session.share(&wanted.settings.server, context).await?;
        match wanted.hand_over(&share, context).await {
            Ok(()) => return Ok(()),
            Err(Trouble::Told(error)) => return Err(error),
            // Who shares the connection sees that it is gone, too.
            Err(Trouble::Smb(error)) if again > 0 && failure::is_lost(&error) => {
                share.connection.mark_dead();
            }
            Err(Trouble::Smb(error)) => {
                return Err(failure::file(&wanted.settings.server, wanted.path, &error));
            }
        }
    }
    Ok(())
}

impl Wanted<'_> {
    async fn hand_over(&mut self, share: &Share, context: &Context) -> Result<(), Trouble> {
        let limit = share.connection.quick_read_limit();
        let small = self.listed.filter(|listed| listed.size <= limit);
        if let (Some(listed), 0) = (small, self.offset) {
            match self.whole(share, listed, context).await {
                // It grew.
                Err(Trouble::Smb(Smb::FileTooLargeForSingleRead { .. })) => {}
                ended => return ended,
            }
        }
        self.by_pieces(share, context).await
    }

    async fn whole(
        &self,
        share: &Share,
        listed: Revision,
        context: &Context,
    ) -> Result<(), Trouble> {
        let path = full(self.settings, self.path);
        let mut connection = share.connection.clone();
        let read =
            share.tree.read_file_compound_sized_with_info(&mut connection, &path, listed.size);
        let (bytes, info) = read.await?;
        let now = Revision::new(info.size, info.modified);
        if bytes.len() as u64 != now.size {
            return Err(failure::changing(&self.settings.server, self.path).into());
        }
        self.tell_revision(now, context).await?;
        context.chunk(bytes).await?;
        Ok(())
    }

    async fn by_pieces(&mut self, share: &Share, context: &Context) -> Result<(), Trouble> {
        let path = full(self.settings, self.path);
        let connection = share.connection.clone();
        let reader = open_file_reader(Arc::clone(&share.tree), connection, &path).await?;
        let now = Revision::new(reader.info().size, reader.info().modified);
        if self.offset == 0 {
            self.tell_revision(now, context).await?;
            self.listed = Some(now);
        } else if self.listed != Some(now) {
            // What the host has is the beginning of another file. It asks from the start when it is told so before any
            // bytes of this call, and at the next call if there were some.
            if self.offset == self.asked {
                context.revision(now.to_string()).await?;
            }
            return Err(failure::changing(&self.settings.server, self.path).into());
        }
        if self.offset == 0 && now.size >= STAGED && self.staging.is_none() {
            self.staging = Some(Staging::create(context).await?);
        }
        self.pour(&reader, now.size, context).await?;
        reader.close().await?;
        // Every piece came, but not all of one state, if it was written to meanwhile.
        let info = share.tree.stat(&mut share.connection.clone(), &path).await?;
        if Revision::new(info.size, info.modified) != now {
            return Err(failure::changing(&self.settings.server, self.path).into());
        }
        if let Some(staging) = self.staging.take() {
            staging.hand_over(context).await?;
        }
        Ok(())
    }

    /// Brings the pieces to where they belong, and notes how far that is.
    async fn pour(
        &mut self,
        reader: &FileReader,
        size: u64,
        context: &Context,
    ) -> Result<(), Trouble> {
        let (begin, staging) = (self.offset, self.staging.as_ref());
        let (server, path) = (&self.settings.server, self.path);
        let bring = async |piece: u64| {
            let place = begin + piece * PIECE;
            let bytes = reader.read_at(place, PIECE).await?;
            if bytes.len() as u64 != PIECE.min(size - place) {
                return Err(Trouble::Told(failure::changing(server, path)));
            }
            let Some(staging) = staging else { return Ok(bytes) };
            staging.write(bytes, place).await?;
            Ok(Vec::new())
        };
        let count = size.saturating_sub(begin).div_ceil(PIECE);
        let mut pieces = stream::iter(0..count).map(bring).buffered(PIECES);
        while let Some(piece) = pieces.next().await {
            let bytes = piece?;
            self.offset = size.min(self.offset + PIECE);
            match staging {
                None => context.chunk(bytes).await?,
                // Also tells the host that the call goes on.
                Some(_) => context.progress(Progress::new(self.offset, size).unit("bytes")).await,
            }
        }
        Ok(())
    }

    async fn tell_revision(&self, now: Revision, context: &Context) -> Result<(), Error> {
        if self.listed == Some(now) {
            return Ok(());
        }
        context.revision(now.to_string()).await
    }
}
