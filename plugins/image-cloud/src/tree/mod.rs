//! The root file system of a base image, `rootfs.tar.zst`: read once as a stream, checked, and handed on as a tar
//! archive that containers, squashfs and ISO files are made of.
//!
//! [`Reader`] reads members, [`Rules`] says which may be in an image, [`copy`] does it all: unpacks within limits, checks,
//! leaves out what is excluded, makes no time later than the one asked for, and writes the members in their order. It
//! keeps no file in memory and unpacks none to the disk.

mod copy;
mod member;
mod pax;
mod reader;
mod rules;
#[cfg(test)]
mod tests;
mod writer;

pub use copy::{Copied, Limits, Watch, Watched, copy, copy_plain};
pub use member::{Kind, Member};
pub use reader::Reader;
pub use rules::{Rules, Verdict};

use crate::Error;

/// The most members of a root file system.
pub const MEMBERS: u64 = 1_000_000;
/// What the file is called in a base image.
pub const FILE: &str = "rootfs.tar.zst";

fn malformed(why: &str) -> Error {
    Error::Malformed { file: FILE, why: why.to_owned() }
}

fn limit(what: &str, limit: String) -> Error {
    let what = format!("{FILE}: {what}");
    Error::Limit { what, limit, next: "build the base image anew" }
}
