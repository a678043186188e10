//! Where files lie in a published tree.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasher, RandomState};

/// What became of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    /// Nothing was there: the file must be published.
    Free,
    /// The same file is there.
    Same,
    /// Another file is there.
    Other,
}

/// The places that are taken: a hash of each path, and one of the digest that lies there.
pub(super) struct Pool {
    hasher: (RandomState, RandomState),
    taken: HashMap<(u64, u64), u64>,
}

impl Pool {
    pub(super) fn new() -> Self {
        Self { hasher: (RandomState::new(), RandomState::new()), taken: HashMap::new() }
    }

    pub(super) fn look(&self, path: &str, sha256: &str) -> Slot {
        match self.taken.get(&self.place(path)) {
            None => Slot::Free,
            Some(digest) if *digest == self.hasher.0.hash_one(sha256) => Slot::Same,
            Some(_) => Slot::Other,
        }
    }

    pub(super) fn take(&mut self, path: &str, sha256: &str) {
        let (place, digest) = (self.place(path), self.hasher.0.hash_one(sha256));
        if let Entry::Vacant(free) = self.taken.entry(place) {
            free.insert(digest);
        }
    }

    fn place(&self, path: &str) -> (u64, u64) {
        (self.hasher.0.hash_one(path), self.hasher.1.hash_one(path))
    }

    /// The first folder where these files, names with digests, have room: the usual one, else one that is named by a
    /// digest. Two distributions may have equal names for different files.
    pub(super) fn folder(
        &self,
        component: &str,
        source: &str,
        sha256: &str,
        files: &[(&str, &str)],
    ) -> String {
        let usual = format!("pool/{component}/{}/{source}", prefix(source));
        let room = files
            .iter()
            .all(|(name, digest)| self.look(&format!("{usual}/{name}"), digest) != Slot::Other);
        if room { usual } else { format!("{usual}/{}", sha256.get(..16).unwrap_or(sha256)) }
    }
}

/// The first letter of a source package; of libraries, that behind `lib` too. Source: Debian's archive.
fn prefix(source: &str) -> &str {
    let length = if source.starts_with("lib") && source.len() > 3 { 4 } else { 1 };
    source.get(..length).unwrap_or(source)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_lie_by_their_first_letters() {
        for (source, expected) in [("hello", "h"), ("libc6", "libc"), ("lib", "l"), ("0ad", "0")] {
            assert_eq!(prefix(source), expected);
        }
    }

    #[test]
    fn files_of_one_name_and_different_bytes_lie_apart() {
        let mut pool = Pool::new();
        let usual = pool.folder("main", "a", "1234567890abcdef00", &[("a_1.deb", "12")]);
        assert_eq!(usual, "pool/main/a/a");
        assert_eq!(pool.look("pool/main/a/a/a_1.deb", "12"), Slot::Free);
        pool.take("pool/main/a/a/a_1.deb", "12");
        assert_eq!(pool.look("pool/main/a/a/a_1.deb", "12"), Slot::Same);
        assert_eq!(pool.folder("main", "a", "12", &[("a_1.deb", "12")]), usual);
        let other = pool.folder("main", "a", "abcdefabcdefabcdef", &[("a_1.deb", "ab")]);
        assert_eq!(other, "pool/main/a/a/abcdefabcdefabcd");
    }
}
