//! What is to be done with one file, from three digests: what the repository holds, what stands in the folder, and what
//! both had last. Pure; digests decide, never times.

use serde::{Deserialize, Serialize};
use wharf_store::model::Digest;

/// What happens to a file that was changed on both sides. The setting `on_conflict`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum OnConflict {
    /// It stays; what the repository holds is written beside it.
    #[default]
    KeepLocal,
    /// It is replaced.
    Overwrite,
    /// Nothing is done before somebody decides.
    Ask,
}

/// What happens to a file that the repository has no more. The setting `on_delete`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum OnDelete {
    /// It stays.
    #[default]
    Keep,
    /// It goes, unless it was changed.
    DeleteIfUnmodified,
}

/// How a user decides about one file that was changed on both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Resolution {
    /// The file stays as it is here, until the repository changes again.
    Local,
    /// It becomes what the repository holds.
    Remote,
    /// It stays, and what the repository holds is written beside it.
    Both,
}

/// What stands in the folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Here {
    Nothing,
    /// A file with these bytes.
    File(Digest),
    /// A link, a folder, a device.
    Something,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    /// It is not here yet, or no more.
    New,
    /// It is what both had.
    Unchanged,
    /// It is what the repository holds, and nobody knew.
    Adopted,
    /// It is what both had; the repository went on.
    RemoteChanged,
    /// It was changed here only.
    LocalChanged,
    /// It was changed on both sides, or nobody knows what it was.
    BothChanged,
}

/// Of a file that the repository holds.
pub(super) fn case(remote: Digest, here: Here, base: Option<Digest>) -> Case {
    let local = match here {
        Here::Nothing => return Case::New,
        Here::Something => return Case::BothChanged,
        Here::File(local) => local,
    };
    match base {
        Some(base) if local == remote && base == remote => Case::Unchanged,
        _ if local == remote => Case::Adopted,
        Some(base) if base == remote => Case::LocalChanged,
        Some(base) if local == base => Case::RemoteChanged,
        _ => Case::BothChanged,
    }
}

/// What is to be done with a file that the repository has no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gone {
    /// It is not here either.
    Forget,
    /// It stays, and is remembered.
    Keep,
    /// It goes.
    Delete,
    /// It stays because it was changed, and is the user's from now on.
    Leave,
}

/// Of a file that the repository had.
pub(super) fn gone(here: Here, base: Digest, policy: OnDelete) -> Gone {
    match (here, policy) {
        (Here::Nothing, _) => Gone::Forget,
        (_, OnDelete::Keep) => Gone::Keep,
        (Here::File(local), OnDelete::DeleteIfUnmodified) if local == base => Gone::Delete,
        (_, OnDelete::DeleteIfUnmodified) => Gone::Leave,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_of_three_digests() {
        let [a, b, c] = [1, 2, 3].map(|byte| Digest([byte; 32]));
        for (remote, here, base, expected) in [
            (a, Here::Nothing, None, Case::New),
            (a, Here::Nothing, Some(a), Case::New),
            (a, Here::Nothing, Some(b), Case::New),
            (a, Here::File(a), Some(a), Case::Unchanged),
            (b, Here::File(a), Some(a), Case::RemoteChanged),
            (a, Here::File(b), Some(a), Case::LocalChanged),
            (b, Here::File(c), Some(a), Case::BothChanged),
            (b, Here::File(b), Some(a), Case::Adopted),
            (a, Here::File(a), None, Case::Adopted),
            (a, Here::File(b), None, Case::BothChanged),
            (a, Here::Something, Some(a), Case::BothChanged),
        ] {
            assert_eq!(case(remote, here, base), expected, "{remote:?} {here:?} {base:?}");
        }
    }

    #[test]
    fn every_case_of_a_file_that_upstream_has_no_more() {
        let [a, b] = [1, 2].map(|byte| Digest([byte; 32]));
        let delete = OnDelete::DeleteIfUnmodified;
        assert_eq!(gone(Here::Nothing, a, delete), Gone::Forget);
        assert_eq!(gone(Here::File(a), a, OnDelete::Keep), Gone::Keep);
        assert_eq!(gone(Here::File(b), a, OnDelete::Keep), Gone::Keep);
        assert_eq!(gone(Here::File(a), a, delete), Gone::Delete);
        assert_eq!(gone(Here::File(b), a, delete), Gone::Leave);
        assert_eq!(gone(Here::Something, a, delete), Gone::Leave);
    }
}
