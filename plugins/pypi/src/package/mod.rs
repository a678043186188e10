//! What a distribution file says of itself: a wheel or source distribution, opened only as far as its metadata.
//!
//! Nothing inside is trusted, least of all sizes: an archive may be made to unpack without end, to hold one member
//! twice so that two readers see two packages, or to lead out of its folder. Nothing is ever written.

mod headers;
mod sdist;
mod wheel;
mod zip;

use std::fs::File;
use std::io;

pub use headers::{CoreMetadata, HeaderError};

use crate::filename::Kind;

/// The longest metadata file. Real ones reach some 200 KiB, which is the text for people.
pub const MAX_METADATA: u64 = 4 << 20;

/// Why a file is no distribution.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PackageError {
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Read(#[from] io::Error),
    /// It is no ZIP archive, or a broken one.
    #[error("it is no sound ZIP archive: {0}")]
    Zip(String),
    /// It has more members than anybody needs.
    #[error("it has more than {0} members")]
    Members(usize),
    /// A member leads out of the archive's folder, or has a name that none can have.
    #[error("its member {0:?} has a name that leads elsewhere")]
    Path(String),
    /// One member is there twice.
    #[error("it has the member {0:?} twice")]
    Twice(String),
    /// The metadata file is not there.
    #[error("it has no {0}")]
    Missing(&'static str),
    /// There are several, and nobody could say which counts.
    #[error("it has several {0}")]
    Several(&'static str),
    /// The metadata file is compressed in a way that is not read.
    #[error("its metadata is compressed or encrypted in a way that no installer reads")]
    Compression,
    /// The metadata file is too long.
    #[error("its metadata is longer than {MAX_METADATA} bytes")]
    Long,
    /// It unpacks to more than is looked at.
    #[error("it unpacks to more than {0} bytes before its metadata comes")]
    Bomb(u64),
    /// The metadata file is not one.
    #[error("its metadata is not right: {0}")]
    Headers(#[from] HeaderError),
    /// A kind of file that is not opened.
    #[error("only wheels, .tar.gz and .zip can be uploaded")]
    Kind,
}

/// The metadata of a distribution, as bytes and read.
#[derive(Debug)]
pub struct Metadata {
    /// The file, byte for byte.
    pub bytes: Vec<u8>,
    /// What it says.
    pub read: CoreMetadata,
}

/// Reads the metadata of a distribution with this name.
///
/// # Errors
/// Why it is none.
pub fn read(file: File, filename: &str, kind: Kind) -> Result<Metadata, PackageError> {
    let bytes = match kind {
        Kind::Wheel => wheel::metadata(file, filename)?,
        Kind::Sdist if filename.strip_suffix(".zip").is_some() => sdist::from_zip(file)?,
        Kind::Sdist if filename.ends_with(".tar.gz") => sdist::from_tar(file)?,
        Kind::Sdist | Kind::Other => return Err(PackageError::Kind),
    };
    let read = CoreMetadata::read(&bytes)?;
    Ok(Metadata { bytes, read })
}

/// Whether a member's name stays inside the archive's folder.
fn stays_inside(name: &str) -> bool {
    let name = name.strip_suffix('/').unwrap_or(name);
    let plain = |part: &str| !matches!(part, "" | "." | "..");
    let drive = name.as_bytes().get(1) == Some(&b':');
    name.split('/').all(plain) && !name.contains(['\\', '\0']) && !drive
}
