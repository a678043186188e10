//! The outer archive of a `.deb`, member by member. Source: deb(5), ar(5).

use std::io::{self, BufRead, Read};

const MAGIC: &[u8; 8] = b"!<arch>\n";
const HEADER: usize = 60;

/// Why bytes are not such an archive.
#[derive(Debug, thiserror::Error)]
pub enum ArError {
    /// It begins with something else.
    #[error("it does not begin as an archive of ar")]
    Magic,
    /// The head of a member is none.
    #[error("the head of a member breaks the format")]
    Header,
    /// The bytes cannot be read, or end too early.
    #[error("it cannot be read: {0}")]
    Read(#[from] io::Error),
}

/// A member's head.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) size: u64,
}

/// Reads the archive's first bytes.
pub(super) fn begin(input: &mut impl Read) -> Result<(), ArError> {
    let mut magic = [0; MAGIC.len()];
    input.read_exact(&mut magic)?;
    if magic == *MAGIC { Ok(()) } else { Err(ArError::Magic) }
}

/// The next member's head; its bytes follow. `None` at the end.
pub(super) fn next(input: &mut impl BufRead) -> Result<Option<Member>, ArError> {
    if input.fill_buf()?.is_empty() {
        return Ok(None);
    }
    let mut header = [0; HEADER];
    input.read_exact(&mut header)?;
    let part = |from: usize, to: usize| {
        let bytes = header.get(from..to).unwrap_or_default().trim_ascii_end();
        std::str::from_utf8(bytes).map_err(|_not_text| ArError::Header)
    };
    if part(58, 60)? != "`" {
        return Err(ArError::Header);
    }
    let size = crate::names::size(part(48, 58)?).ok_or(ArError::Header)?;
    let name = part(0, 16)?;
    let name = name.strip_suffix('/').unwrap_or(name).to_owned();
    if name.is_empty() { Err(ArError::Header) } else { Ok(Some(Member { name, size })) }
}

/// Passes over a member's bytes, and the one that makes their number even.
pub(super) fn skip(input: &mut impl Read, size: u64) -> Result<(), ArError> {
    let padded = size.saturating_add(size % 2);
    let skipped = io::copy(&mut input.take(padded), &mut io::sink())?;
    // The last member's padding may lack.
    if skipped < size { Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()) } else { Ok(()) }
}
