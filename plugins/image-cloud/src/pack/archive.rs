//! A tar archive whose members are written in place: a header that is left empty first is filled when the member's size
//! and name are known. So nothing large is written twice.
//!
//! All members are files of mode 0644 that belong to root and have one time, in ustar's form: the same members make the
//! same bytes.

use std::fs::File;
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use tar::{EntryType, Header};

use crate::Error;

const BLOCK: u64 = 512;
const EMPTY: [u8; 512] = [0; 512];

/// An archive that is being written.
pub(crate) struct Archive {
    file: File,
    mtime: u64,
}

/// Where a member's bytes lie that come later.
pub(crate) struct Reserved(u64);

fn writing() -> impl FnOnce(io::Error) -> Error {
    Error::io("writing the image")
}

impl Archive {
    /// A new file. The members' time is in seconds since 1970.
    ///
    /// # Errors
    /// [`Error::Io`], here and in every method.
    pub(crate) fn create(path: &Path, mtime: u64) -> Result<Self, Error> {
        let file = File::create_new(path).map_err(writing())?;
        Ok(Self { file, mtime })
    }

    /// The time of the members that follow.
    pub(crate) fn set_mtime(&mut self, mtime: u64) {
        self.mtime = mtime;
    }

    /// A member whose bytes are at hand.
    pub(crate) fn put(&mut self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        self.stream(|mut file| {
            file.write_all(bytes).map_err(writing())?;
            Ok((name.to_owned(), ()))
        })
    }

    /// A member that `write` writes, where the file stands, and names when it is done.
    pub(crate) fn stream<T>(
        &mut self,
        write: impl FnOnce(&File) -> Result<(String, T), Error>,
    ) -> Result<T, Error> {
        self.file.write_all(&EMPTY).map_err(writing())?;
        let begin = self.file.stream_position().map_err(writing())?;
        let (name, made) = write(&self.file)?;
        self.close(begin, &name).map_err(writing())?;
        Ok(made)
    }

    fn close(&mut self, begin: u64, name: &str) -> io::Result<()> {
        let end = self.file.stream_position()?;
        let size = end - begin;
        let header = header(name, size, self.mtime)?;
        self.file.seek(SeekFrom::Start(begin - BLOCK))?;
        self.file.write_all(header.as_bytes())?;
        self.file.seek(SeekFrom::Start(end))?;
        let padding = usize::try_from((BLOCK - size % BLOCK) % BLOCK).map_err(io::Error::other)?;
        self.file.write_all(EMPTY.get(..padding).unwrap_or_default())
    }

    /// A member of `size` bytes that come later.
    pub(crate) fn reserve(&mut self, name: &str, size: usize) -> Result<Reserved, Error> {
        let position = self.file.stream_position().map_err(writing())?;
        self.put(name, &vec![0; size])?;
        Ok(Reserved(position + BLOCK))
    }

    /// The bytes of a reserved member, as many as were reserved.
    pub(crate) fn fill(&mut self, place: &Reserved, bytes: &[u8]) -> Result<(), Error> {
        let mut fill = || {
            let end = self.file.stream_position()?;
            self.file.seek(SeekFrom::Start(place.0))?;
            self.file.write_all(bytes)?;
            self.file.seek(SeekFrom::Start(end))
        };
        fill().map(drop).map_err(writing())
    }

    /// Ends the archive.
    pub(crate) fn finish(mut self) -> Result<(), Error> {
        self.file.write_all(&EMPTY).and_then(|()| self.file.write_all(&EMPTY)).map_err(writing())
    }
}

fn header(name: &str, size: u64, mtime: u64) -> io::Result<Header> {
    let mut header = Header::new_ustar();
    header.set_path(name)?;
    header.set_entry_type(EntryType::Regular);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(mtime);
    header.set_size(size);
    header.set_cksum();
    Ok(header)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn members_that_were_sized_and_filled_later_are_read_as_any_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.tar");
        let mut archive = Archive::create(&path, 5).unwrap();
        let later = archive.reserve("b.mf", 3).unwrap();
        archive
            .stream(|mut file| Ok(("c".to_owned(), file.write_all(&[7; 700]).unwrap())))
            .unwrap();
        archive.fill(&later, b"sum").unwrap();
        archive.put("d", b"last").unwrap();
        archive.finish().unwrap();
        let mut archive = tar::Archive::new(File::open(path).unwrap());
        let mut found = Vec::new();
        for entry in archive.entries().unwrap() {
            let (mut entry, mut bytes) = (entry.unwrap(), Vec::new());
            entry.read_to_end(&mut bytes).unwrap();
            assert_eq!(entry.header().mtime().unwrap(), 5);
            found.push((entry.path().unwrap().to_string_lossy().into_owned(), bytes));
        }
        let wanted = [("b.mf", b"sum".to_vec()), ("c", vec![7; 700]), ("d", b"last".to_vec())];
        assert_eq!(found, wanted.map(|(name, bytes)| (name.to_owned(), bytes)));
    }
}
