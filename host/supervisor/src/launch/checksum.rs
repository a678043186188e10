//! A pinned executable: what runs is what was hashed, whatever happens to the file meanwhile (F5,
//! F6).
//!
//! The file is copied into memory while it is hashed, the copy is sealed against every change, and
//! the copy is what the guardian executes. So neither a swap of the path nor a write into the file
//! after the check can matter. Of a script the script is covered, and its interpreter is not.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use rustix::io::Errno;
use sha2::{Digest as _, Sha256};

use crate::error::Error;

const COPY_BYTES: usize = 256 << 10;
const SHA256_BYTES: usize = 32;

/// The SHA-256 that a plugin's executable must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checksum([u8; SHA256_BYTES]);

impl Checksum {
    /// This SHA-256.
    pub fn sha256(digest: [u8; SHA256_BYTES]) -> Self {
        Self(digest)
    }

    /// Reads `sha256:` and 64 hexadecimal digits.
    ///
    /// # Errors
    /// `config`: no algorithm, an unknown one, no digest, or one of another length.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let wrong = |what: &str| {
            let shown = crate::text::excerpt(text, 200);
            let problem = format!("the checksum \"{shown}\" {what}; it is sha256: and 64 digits");
            Error::config(problem, None)
        };
        let (algorithm, digits) =
            text.split_once(':').ok_or_else(|| wrong("names no algorithm"))?;
        if algorithm != "sha256" {
            return Err(wrong("names an algorithm that is not known here"));
        }
        if digits.is_empty() {
            return Err(wrong("is empty"));
        }
        let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
        let bytes: Vec<u8> = pairs.iter().filter_map(|&pair| byte(pair)).collect();
        match <[u8; SHA256_BYTES]>::try_from(bytes) {
            Ok(digest) if rest.is_empty() && pairs.len() == SHA256_BYTES => Ok(Self(digest)),
            _ => Err(wrong("is not hexadecimal or has another length")),
        }
    }
}

fn byte(digits: [u8; 2]) -> Option<u8> {
    let [high, low] = digits.map(|digit| char::from(digit).to_digit(16));
    u8::try_from(high? * 16 + low?).ok()
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A sealed copy of `program`, and its checksum. Blocks.
pub(super) fn sealed_copy(program: &Path) -> io::Result<(OwnedFd, Checksum)> {
    let mut from = File::open(program)?;
    let mut to = File::from(memory_file()?);
    let mut hash = Sha256::new();
    let mut buffer = vec![0; COPY_BYTES];
    loop {
        let count = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let bytes = buffer.get(..count).unwrap_or_default();
        hash.update(bytes);
        to.write_all(bytes)?;
    }
    let seals = SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE;
    fcntl_add_seals(&to, seals)?;
    Ok((to.into(), Checksum(hash.finalize().into())))
}

/// Kernels before 6.3 do not know the flag that says "to be executed", and need none.
fn memory_file() -> io::Result<OwnedFd> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    match memfd_create("plugin", flags | MemfdFlags::EXEC) {
        Err(Errno::INVAL) => Ok(memfd_create("plugin", flags)?),
        made => Ok(made?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // H119
    #[test]
    fn each_flaw_of_a_checksum_is_named() {
        let good = format!("sha256:{}", "0aF".repeat(21) + "1");
        let same = good.to_lowercase();
        assert_eq!(Checksum::parse(&good).unwrap().to_string(), same);
        for (text, flaw) in [
            ("", "no algorithm"),
            ("0011", "no algorithm"),
            ("md5:0011", "not known"),
            ("sha256:", "is empty"),
            ("sha256:00", "length"),
            (&format!("sha256:{}", "x".repeat(64)), "hexadecimal"),
            (&format!("sha256:{}", "0".repeat(65)), "length"),
        ] {
            let error = Checksum::parse(text).unwrap_err();
            assert_eq!(error.code(), "config");
            assert!(error.to_string().contains(flaw), "{error}");
        }
    }

    // F6
    #[test]
    fn a_sealed_copy_cannot_be_changed() {
        let (copy, checksum) = sealed_copy(Path::new("/bin/sh")).unwrap();
        assert_eq!(sealed_copy(Path::new("/bin/sh")).unwrap().1, checksum);
        let mut copy = File::from(copy);
        assert!(copy.write_all(b"x").is_err());
        assert!(copy.set_len(0).is_err());
    }
}
