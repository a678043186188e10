//! What tells whether a file changed: its size, and when it was last written, to the tenth of a microsecond.
//!
//! Both stand in the listing of a folder, so they cost nothing. Whole seconds would not do: two versions of one size may be
//! written in one second. Source: MS-FSCC, 2.4.8 (times of a listing) and MS-DTYP, 2.3.3 (FILETIME).

use std::fmt;
use std::str::FromStr;

use smb2::pack::FileTime;

/// Of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Revision {
    /// In bytes.
    pub(crate) size: u64,
    /// Steps of 100 ns since 1601.
    pub(crate) written: u64,
}

impl Revision {
    pub(crate) fn new(size: u64, modified: FileTime) -> Self {
        Self { size, written: modified.0 }
    }

    /// Milliseconds since 1970; 0 for what lies before.
    pub(crate) fn modified_ms(self) -> i64 {
        /// From 1601 to 1970.
        const EPOCH_MS: u64 = 11_644_473_600_000;
        i64::try_from((self.written / 10_000).saturating_sub(EPOCH_MS)).unwrap_or(i64::MAX)
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.size, self.written)
    }
}

/// It is none that was written here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is not SIZE-TIME")]
pub(crate) struct NoRevision;

impl FromStr for Revision {
    type Err = NoRevision;

    fn from_str(text: &str) -> Result<Self, NoRevision> {
        let (size, written) = text.split_once('-').ok_or(NoRevision)?;
        let number = |text: &str| text.parse().map_err(|_error| NoRevision);
        Ok(Self { size: number(size)?, written: number(written)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_is_read_as_it_is_written() {
        let revision = Revision::new(20_480, FileTime(133_770_816_000_000_001));
        assert_eq!(revision.to_string().parse(), Ok(revision));
        for wrong in ["", "1", "1-", "-1", "a-b", "1-2-3"] {
            assert_eq!(wrong.parse::<Revision>(), Err(NoRevision), "{wrong}");
        }
    }

    #[test]
    fn a_tenth_of_a_microsecond_is_another_revision() {
        let at = |ticks| Revision::new(1, FileTime(ticks)).to_string();
        assert_ne!(at(133_770_816_000_000_000), at(133_770_816_000_000_001));
    }

    #[test]
    fn times_are_milliseconds_of_our_age() {
        let at = |ticks| Revision::new(1, FileTime(ticks)).modified_ms();
        assert_eq!(at(116_444_736_000_000_000 + 15_000), 1);
        assert_eq!(at(0), 0);
    }
}
