//! Writing bytes: gzip by several threads, archives whose members are sized when they are done, digests on the way.

mod archive;
mod gzip;
mod sum;

pub(crate) use archive::Archive;
pub(crate) use gzip::gzip;
pub(crate) use sum::{Digest, Sum, sha256};
