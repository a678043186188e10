//! Reads a tar archive member by member, whatever it claims: every length has a limit before memory is taken for it.
//!
//! ustar, GNU's long names and pax headers are understood; sparse members, volumes and other rarities are refused,
//! because programs read them in different ways. Fields of a header are the `tar` crate's to parse; its reader is not
//! used, since it takes names of any length into memory and cuts pax records at line feeds. Nothing is unpacked here.

use std::io::{self, Read};

use tar::{EntryType, Header};

use super::member::{Kind, Member};
use super::{FILE, limit, malformed, pax};
use crate::Error;

const BLOCK: usize = 512;
const BLOCK_BYTES: u64 = 512;
/// The most bytes of one extension header.
const EXTENSION_BYTES: u64 = 1 << 20;
/// The most bytes of a path, and of what a link leads to.
const PATH_BYTES: u64 = 4096;
/// Extended attributes of one member that are kept.
const XATTR: &[u8] = b"SCHILY.xattr.";

/// Reads members in order.
pub struct Reader<R> {
    input: R,
    /// Headers that were read, and how many may be: each member may have one before it.
    headers: u64,
    most: u64,
    /// Bytes of the member last given that were not read yet.
    left: u64,
    /// Bytes that fill its last block.
    padding: u64,
}

/// What extension headers said about the next member.
#[derive(Default)]
struct Extension {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
    uid: Option<u64>,
    gid: Option<u64>,
    xattrs: Vec<(String, Vec<u8>)>,
}

impl<R: Read> Reader<R> {
    /// Begins at the archive's first byte. It may have so many members.
    pub fn new(input: R, members: u64) -> Self {
        Self { input, headers: 0, most: members.saturating_mul(2), left: 0, padding: 0 }
    }

    /// The next member; `None` at the archive's end.
    ///
    /// # Errors
    /// [`Error::Malformed`], [`Error::Limit`], and what reading fails with.
    #[expect(
        clippy::should_implement_trait,
        reason = "the data of a member are read between two of them"
    )]
    pub fn next(&mut self) -> Result<Option<Member>, Error> {
        self.skip_rest()?;
        let mut extension = Extension::default();
        let mut extended = false;
        loop {
            let Some(header) = self.header()? else {
                let cut = "an extension header has no member behind it";
                return if extended { Err(malformed(cut)) } else { Ok(None) };
            };
            if !self.extend(&header, &mut extension)? {
                return self.member(&header, extension).map(Some);
            }
            extended = true;
        }
    }

    fn header(&mut self) -> Result<Option<Header>, Error> {
        let mut block = [0; BLOCK];
        self.input.read_exact(&mut block).map_err(read_error)?;
        if block.iter().all(|byte| *byte == 0) {
            self.end()?;
            return Ok(None);
        }
        self.headers += 1;
        if self.headers > self.most {
            return Err(too_many(self.most / 2));
        }
        let header = Header::from_byte_slice(&block).clone();
        let sum = |bytes: &[u8]| bytes.iter().map(|byte| u32::from(*byte)).sum::<u32>();
        let (before, field, behind) = (&block[..148], 8 * u32::from(b' '), &block[156..]);
        let sound = header.cksum().is_ok_and(|found| found == sum(before) + field + sum(behind));
        let broken = || malformed(&format!("header {} has a wrong checksum", self.headers));
        sound.then_some(header).map(Some).ok_or_else(broken)
    }

    /// Behind the end mark there may be zeros only.
    fn end(&mut self) -> Result<(), Error> {
        let mut block = [0; 8192];
        loop {
            match self.input.read(&mut block).map_err(read_error)? {
                0 => return Ok(()),
                read if block.iter().take(read).all(|byte| *byte == 0) => {}
                _ => return Err(malformed("there is something behind the archive's end mark")),
            }
        }
    }

    /// Takes up an extension header; false for any other.
    fn extend(&mut self, header: &Header, extension: &mut Extension) -> Result<bool, Error> {
        match header.entry_type() {
            EntryType::GNULongName => extension.path = Some(self.long(header)?),
            EntryType::GNULongLink => extension.link = Some(self.long(header)?),
            EntryType::XHeader => {
                let bytes = self.extension(header, EXTENSION_BYTES)?;
                for (key, value) in pax::records(&bytes).map_err(malformed)? {
                    extension.take(key, value)?;
                }
            }
            EntryType::XGlobalHeader => {
                let bytes = self.extension(header, EXTENSION_BYTES)?;
                let records = pax::records(&bytes).map_err(malformed)?;
                if records.iter().any(|(key, _value)| *key != b"comment") {
                    return Err(malformed("it has a header for all members at once"));
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn long(&mut self, header: &Header) -> Result<Vec<u8>, Error> {
        let mut name = self.extension(header, PATH_BYTES + 1)?;
        while name.last() == Some(&0) {
            name.pop();
        }
        Ok(name)
    }

    fn extension(&mut self, header: &Header, most: u64) -> Result<Vec<u8>, Error> {
        let size = header.entry_size().map_err(|error| malformed(&error.to_string()))?;
        if size > most {
            return Err(limit("a name or an extension header", format!("{most} bytes")));
        }
        self.begin_data(size);
        let mut bytes = Vec::new();
        self.data().read_to_end(&mut bytes).map_err(read_error)?;
        self.skip_rest()?;
        Ok(bytes)
    }

    fn member(&mut self, header: &Header, extension: Extension) -> Result<Member, Error> {
        let numbers = || -> io::Result<(u32, u64, u64, u64, u64)> {
            let (uid, gid) = (header.uid()?, header.gid()?);
            Ok((header.mode()?, uid, gid, header.mtime()?, header.entry_size()?))
        };
        let (mode, uid, gid, mtime, size) =
            numbers().map_err(|error| malformed(&error.to_string()))?;
        let own_link = || header.link_name_bytes().map(std::borrow::Cow::into_owned);
        let path = extension.path.unwrap_or_else(|| header.path_bytes().into_owned());
        let size = extension.size.unwrap_or(size);
        let member = Member {
            kind: kind(header.entry_type(), &path)?,
            mode: mode & 0o7777,
            uid: extension.uid.unwrap_or(uid),
            gid: extension.gid.unwrap_or(gid),
            mtime,
            size,
            link: extension.link.or_else(own_link).unwrap_or_default(),
            xattrs: extension.xattrs,
            path,
        };
        if size > 0 && member.kind != Kind::File {
            return Err(malformed(&format!("{} is no file, and has bytes", member.shown())));
        }
        if i64::try_from(mtime).is_err() {
            return Err(malformed(&format!("{} has an impossible time", member.shown())));
        }
        self.begin_data(size);
        Ok(member)
    }

    fn begin_data(&mut self, size: u64) {
        self.left = size;
        self.padding = (BLOCK_BYTES - size % BLOCK_BYTES) % BLOCK_BYTES;
    }

    /// The bytes of the member last given, as far as they were not read.
    pub fn data(&mut self) -> impl Read + '_ {
        Data(self)
    }

    fn skip_rest(&mut self) -> Result<(), Error> {
        let rest = self.left.saturating_add(self.padding);
        let skipped = io::copy(&mut (&mut self.input).take(rest), &mut io::sink());
        if skipped.map_err(read_error)? < rest {
            return Err(read_error(io::ErrorKind::UnexpectedEof.into()));
        }
        (self.left, self.padding) = (0, 0);
        Ok(())
    }
}

struct Data<'a, R>(&'a mut Reader<R>);

impl<R: Read> Read for Data<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let reader = &mut *self.0;
        let read = (&mut reader.input).take(reader.left).read(buffer)?;
        let bytes = u64::try_from(read).unwrap_or(u64::MAX);
        if bytes == 0 && reader.left > 0 && !buffer.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        reader.left -= bytes;
        Ok(read)
    }
}

impl Extension {
    fn take(&mut self, key: &[u8], value: &[u8]) -> Result<(), Error> {
        let number = || pax::number(value).ok_or_else(|| malformed("a pax record is no number"));
        let long = value.len() > usize::try_from(PATH_BYTES).unwrap_or(usize::MAX);
        match key {
            b"path" | b"linkpath" if long => {
                return Err(limit("a path", format!("{PATH_BYTES} bytes")));
            }
            b"path" => self.path = Some(value.to_vec()),
            b"linkpath" => self.link = Some(value.to_vec()),
            b"size" => self.size = Some(number()?),
            b"uid" => self.uid = Some(number()?),
            b"gid" => self.gid = Some(number()?),
            _ if key.starts_with(b"GNU.sparse.") => {
                return Err(malformed("it has sparse members; write it without --sparse"));
            }
            _ => {
                if let Some(name) = key.strip_prefix(XATTR) {
                    let name = String::from_utf8(name.to_vec());
                    let name =
                        name.map_err(|_| malformed("an extended attribute's name is no text"))?;
                    self.xattrs.push((name, value.to_vec()));
                }
            }
        }
        Ok(())
    }
}

fn kind(kind: EntryType, path: &[u8]) -> Result<Kind, Error> {
    Ok(match kind {
        // Archives from before POSIX tell a folder by its name.
        EntryType::Regular | EntryType::Continuous if path.ends_with(b"/") => Kind::Directory,
        EntryType::Regular | EntryType::Continuous => Kind::File,
        EntryType::Directory => Kind::Directory,
        EntryType::Symlink => Kind::Symlink,
        EntryType::Link => Kind::HardLink,
        EntryType::Fifo => Kind::Fifo,
        EntryType::Char => Kind::Device(false),
        EntryType::Block => Kind::Device(true),
        other => {
            let (letter, path) = (char::from(other.as_byte()), super::member::shown(path));
            return Err(malformed(&format!("{path} is of the unknown kind {letter:?}")));
        }
    })
}

pub(super) fn too_many(most: u64) -> Error {
    limit("the number of its members", most.to_string())
}

/// What a reader failed with, as an error about the archive.
pub(super) fn read_error(error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => malformed("it is cut off"),
        io::ErrorKind::FileTooLarge => Error::Limit {
            what: format!("what {FILE} unpacks to"),
            limit: error.to_string(),
            next: "allow more with max_size_gib, if the base image is to be that large",
        },
        io::ErrorKind::Other | io::ErrorKind::InvalidData => malformed(&error.to_string()),
        _ => Error::Io { doing: format!("reading {FILE}"), source: error },
    }
}
