//! What tells whether a file changed: its size, when it was changed, and its address.
//!
//! All three stand in the listing, so they cost nothing. Moodle's times are whole seconds; the address of most files has a
//! number in it that grows with every upload, so two uploads of one size within a second are told apart all the same.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

use crate::address::Address;

/// Of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revision {
    /// In bytes; 0 for pages, whose size Moodle does not say.
    pub size: u64,
    /// Seconds since 1970.
    pub changed: u64,
    /// The beginning of the SHA-256 of the address.
    address: u64,
}

impl Revision {
    /// As a listing says it.
    pub fn new(size: u64, changed: u64, address: &Address) -> Self {
        let digest = Sha256::digest(address.as_str());
        let beginning = digest.iter().take(8).fold(0, |all, byte| (all << 8) | u64::from(*byte));
        Self { size, changed, address: beginning }
    }

    /// The same file with other contents.
    #[must_use]
    pub fn at(self, size: u64, changed: u64) -> Self {
        Self { size, changed, ..self }
    }

    /// Milliseconds since 1970.
    pub fn changed_ms(self) -> i64 {
        i64::try_from(self.changed.saturating_mul(1_000)).unwrap_or(i64::MAX)
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{:016x}", self.size, self.changed, self.address)
    }
}

/// It is none that was written here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is not SIZE-TIME-ADDRESS")]
pub struct NoRevision;

impl FromStr for Revision {
    type Err = NoRevision;

    fn from_str(text: &str) -> Result<Self, NoRevision> {
        let parts: Vec<&str> = text.split('-').collect();
        let &[size, changed, address] = parts.as_slice() else { return Err(NoRevision) };
        let number = |text: &str| text.parse().map_err(|_error| NoRevision);
        let address = u64::from_str_radix(address, 16).map_err(|_error| NoRevision)?;
        Ok(Self { size: number(size)?, changed: number(changed)?, address })
    }
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;

    fn address(path: &str) -> Address {
        let site = Url::parse("https://m.example").unwrap();
        Address::of(&format!("https://m.example/p.php/{path}"), &site).unwrap()
    }

    #[test]
    fn a_revision_is_read_as_it_is_written() {
        let revision = Revision::new(20_480, 1_770_000_000, &address("3/a.pdf"));
        assert_eq!(revision.to_string().parse(), Ok(revision));
        assert_eq!(revision.at(1, 2).to_string().parse(), Ok(revision.at(1, 2)));
        for wrong in ["", "1-2", "1-2-x", "a-2-0", "1--0", "1-2-0-0"] {
            assert_eq!(wrong.parse::<Revision>(), Err(NoRevision), "{wrong}");
        }
    }

    #[test]
    fn another_upload_in_the_same_second_is_another_revision() {
        let of = |path: &str| Revision::new(1, 7, &address(path)).to_string();
        assert_ne!(of("3/a.pdf"), of("4/a.pdf"));
        assert_eq!(of("3/a.pdf"), of("3/a.pdf"));
    }
}
