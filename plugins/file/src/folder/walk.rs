//! Walking a folder: every file once, ordered by its path's bytes, without following a link out of it.
//!
//! Blocking, and without recursion: depth is the file system's business, not the stack's.

use std::fs::{self, Metadata};
use std::io;
use std::ops::ControlFlow;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;
use std::vec::IntoIter;

use super::exclude::Exclude;
use crate::path::{check, shown};

/// Something below the folder.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// From the folder down; for names that cannot be carried, as people read it.
    pub(super) path: String,
    pub(super) item: Item,
}

/// What it is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Item {
    /// A file; its bytes lie at `source`, which is another path when a link leads there.
    File { source: String, size: u64, modified_ms: i64, revision: String },
    /// Nothing that could be taken.
    Skipped { code: &'static str, why: String },
    /// A file or folder that should have been taken.
    Failed { code: &'static str, why: String },
}

/// One folder on the way.
struct Level {
    /// With `/` at the end; empty at the top.
    prefix: String,
    entries: IntoIter<Entry>,
}

struct Entry {
    /// `Err`: the name is not UTF-8, as people read it.
    name: Result<String, String>,
    folder: bool,
}

impl Entry {
    /// Orders siblings such that whole paths come in the order of their bytes.
    fn order(&self) -> Vec<u8> {
        let (Ok(name) | Err(name)) = &self.name;
        let mut order = name.clone().into_bytes();
        if self.folder {
            order.push(b'/');
        }
        order
    }
}

/// Tells everything below `root`, until told to stop.
///
/// # Errors
/// When the folder itself cannot be read. What is wrong below it is told, not returned.
pub(super) fn walk(
    root: &Path,
    exclude: &Exclude,
    mut tell: impl FnMut(Found) -> ControlFlow<()>,
) -> io::Result<()> {
    let mut levels = vec![Level { prefix: String::new(), entries: entries(root)? }];
    while let Some(level) = levels.last_mut() {
        let Some(Entry { name, folder }) = level.entries.next() else {
            levels.pop();
            continue;
        };
        let step = visit(root, &level.prefix, name, folder, exclude);
        let told = match step {
            Step::Nothing => ControlFlow::Continue(()),
            Step::Tell(found) => tell(found),
            Step::Enter(prefix) => match entries(&root.join(&prefix)) {
                Ok(entries) => {
                    levels.push(Level { prefix, entries });
                    ControlFlow::Continue(())
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => tell(vanished(prefix)),
                Err(error) => {
                    let why = format!("the folder cannot be read: {error}");
                    tell(Found {
                        path: prefix,
                        item: Item::Failed { code: "source.unreadable", why },
                    })
                }
            },
        };
        if told.is_break() {
            break;
        }
    }
    Ok(())
}

enum Step {
    Nothing,
    Tell(Found),
    Enter(String),
}

fn entries(folder: &Path) -> io::Result<IntoIter<Entry>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let name = entry.file_name().into_string();
        let name = name.map_err(|name| shown(&name.to_string_lossy()));
        entries.push(Entry { name, folder });
    }
    entries.sort_by_cached_key(Entry::order);
    Ok(entries.into_iter())
}

fn visit(
    root: &Path,
    prefix: &str,
    name: Result<String, String>,
    folder: bool,
    exclude: &Exclude,
) -> Step {
    let name = match name {
        Ok(name) => name,
        Err(lossy) => {
            let why = "the name is not UTF-8; rename it".to_owned();
            return Step::Tell(failed(format!("{}{lossy}", shown(prefix)), "content.name", why));
        }
    };
    let path = format!("{prefix}{name}");
    if exclude.fits(&path, &name, folder) {
        return Step::Nothing;
    }
    if let Err(refusal) = check(&path) {
        return Step::Tell(failed(shown(&path), "content.path", refusal.to_string()));
    }
    if folder { Step::Enter(path + "/") } else { Step::Tell(look(root, path)) }
}

fn failed(path: String, code: &'static str, why: String) -> Found {
    Found { path, item: Item::Failed { code, why } }
}

fn vanished(path: String) -> Found {
    let why = "it vanished while the folder was listed".to_owned();
    Found { path, item: Item::Skipped { code: "source.vanished", why } }
}

/// What a path that is no folder is.
fn look(root: &Path, path: String) -> Found {
    match source_and_metadata(root, &path) {
        Ok((source, metadata)) => {
            let (size, modified_ms) = (metadata.len(), modified_ms(&metadata));
            let revision = revision(&metadata);
            Found { path, item: Item::File { source, size, modified_ms, revision } }
        }
        Err(Unusable::Vanished) => vanished(path),
        Err(Unusable::Unreadable(error)) => failed(path, "source.unreadable", error.to_string()),
        Err(unusable) => {
            let why = unusable.to_string();
            Found { path, item: Item::Skipped { code: "source.special", why } }
        }
    }
}

/// Where the bytes of a file lie, from the folder down.
pub(super) fn source(root: &Path, path: &str) -> Result<String, Unusable> {
    source_and_metadata(root, path).map(|(source, _)| source)
}

/// Why there are no bytes to take.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unusable {
    #[error("it is gone")]
    Vanished,
    #[error("it cannot be read: {0}")]
    Unreadable(io::Error),
    #[error("it is a {0}, not a file")]
    Special(&'static str),
    #[error("it is a link that leads nowhere")]
    DeadLink,
    #[error("it is a link out of the folder, to {0}")]
    LinkOut(String),
    #[error("it is a link to a folder, which is not followed")]
    LinkToFolder,
}

fn source_and_metadata(root: &Path, path: &str) -> Result<(String, Metadata), Unusable> {
    let metadata = fs::symlink_metadata(root.join(path)).map_err(unreadable)?;
    if metadata.is_symlink() {
        return follow(root, path);
    }
    plain(&metadata)?;
    Ok((path.to_owned(), metadata))
}

/// Follows a link as long as it stays in the folder.
fn follow(root: &Path, path: &str) -> Result<(String, Metadata), Unusable> {
    let target = match fs::canonicalize(root.join(path)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(Unusable::DeadLink),
        other => other.map_err(unreadable)?,
    };
    let real_root = fs::canonicalize(root).map_err(unreadable)?;
    let Some(source) = target.strip_prefix(&real_root).ok().and_then(Path::to_str) else {
        return Err(Unusable::LinkOut(shown(&target.to_string_lossy())));
    };
    let metadata = fs::symlink_metadata(&target).map_err(unreadable)?;
    if metadata.is_dir() {
        return Err(Unusable::LinkToFolder);
    }
    plain(&metadata)?;
    Ok((source.to_owned(), metadata))
}

fn unreadable(error: io::Error) -> Unusable {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Unusable::Vanished,
        _ => Unusable::Unreadable(error),
    }
}

fn plain(metadata: &Metadata) -> Result<(), Unusable> {
    let kind = metadata.file_type();
    if kind.is_file() {
        return Ok(());
    }
    Err(Unusable::Special(if kind.is_fifo() {
        "named pipe"
    } else if kind.is_socket() {
        "socket"
    } else if kind.is_dir() {
        "folder"
    } else {
        "device"
    }))
}

fn modified_ms(metadata: &Metadata) -> i64 {
    metadata.mtime().saturating_mul(1_000).saturating_add(metadata.mtime_nsec() / 1_000_000)
}

/// Changes with the bytes, as far as a file system tells: size, time of change in nanoseconds, number of the
/// file, and the time that no program can set back.
fn revision(metadata: &Metadata) -> String {
    format!(
        "{}-{}.{:09}-{}-{}.{:09}",
        metadata.len(),
        metadata.mtime(),
        metadata.mtime_nsec(),
        metadata.ino(),
        metadata.ctime(),
        metadata.ctime_nsec(),
    )
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn found(root: &Path, exclude: &[&str]) -> Vec<Found> {
        let exclude: Vec<String> = exclude.iter().map(|&text| text.to_owned()).collect();
        let mut all = Vec::new();
        walk(root, &Exclude::new(&exclude), |found| {
            all.push(found);
            ControlFlow::Continue(())
        })
        .unwrap();
        all
    }

    fn paths(root: &Path, exclude: &[&str]) -> Vec<String> {
        found(root, exclude).into_iter().map(|found| found.path).collect()
    }

    fn put(root: &Path, path: &str) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "x").unwrap();
    }

    #[test]
    fn files_come_ordered_by_the_bytes_of_their_paths() {
        let root = tempfile::tempdir().unwrap();
        for path in ["a/z", "a-b", "a.txt", "a/b/c", "Z", "é", "b"] {
            put(root.path(), path);
        }
        let paths = paths(root.path(), &[]);
        let mut sorted = paths.clone();
        sorted.sort();
        assert_eq!(paths, sorted);
        assert_eq!(paths, ["Z", "a-b", "a.txt", "a/b/c", "a/z", "b", "é"]);
    }

    #[test]
    fn nothing_is_left_out_unless_asked() {
        let root = tempfile::tempdir().unwrap();
        for path in [".git/x", "target/y", "a", "sub/target/z"] {
            put(root.path(), path);
        }
        assert_eq!(paths(root.path(), &[]), [".git/x", "a", "sub/target/z", "target/y"]);
        assert_eq!(paths(root.path(), &[".git", "/target"]), ["a", "sub/target/z"]);
    }

    #[test]
    fn a_file_has_size_time_and_a_revision_that_changes_with_it() {
        let root = tempfile::tempdir().unwrap();
        put(root.path(), "a");
        let revision = |root: &Path| match found(root, &[]).remove(0).item {
            Item::File { source, size, modified_ms, revision } => {
                assert_eq!((source.as_str(), size), ("a", 1));
                assert!(modified_ms > 1_600_000_000_000);
                revision
            }
            other => panic!("{other:?}"),
        };
        let before = revision(root.path());
        assert_eq!(revision(root.path()), before);
        fs::rename(root.path().join("a"), root.path().join("old")).unwrap();
        put(root.path(), "a");
        fs::remove_file(root.path().join("old")).unwrap();
        assert_ne!(revision(root.path()), before, "another file at the same path");
    }

    #[test]
    fn links_are_followed_inside_and_told_outside_f60() {
        let outside = tempfile::tempdir().unwrap();
        put(outside.path(), "secret");
        let root = tempfile::tempdir().unwrap();
        put(root.path(), "real/file");
        let link = |to: &Path, name: &str| symlink(to, root.path().join(name)).unwrap();
        link(Path::new("real/file"), "inside");
        link(&outside.path().join("secret"), "outside");
        link(outside.path(), "outside-folder");
        link(Path::new("real"), "to-folder");
        link(Path::new("nowhere"), "dead");
        link(Path::new("loop"), "loop");
        let found = found(root.path(), &[]);
        let of = |path: &str| &found.iter().find(|found| found.path == path).unwrap().item;
        assert!(matches!(of("inside"), Item::File { source, .. } if source == "real/file"));
        assert!(
            matches!(of("outside"), Item::Skipped { why, .. } if why.contains("out of the folder"))
        );
        assert!(matches!(of("outside-folder"), Item::Skipped { .. }));
        assert!(
            matches!(of("to-folder"), Item::Skipped { why, .. } if why.contains("not followed"))
        );
        assert!(matches!(of("dead"), Item::Skipped { .. }));
        assert!(matches!(of("loop"), Item::Failed { .. }));
        assert!(!found.iter().any(|found| found.path.contains("secret")));
    }

    #[test]
    fn special_files_are_told_f60() {
        let root = tempfile::tempdir().unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(root.path().join("socket")).unwrap();
        let found = found(root.path(), &[]);
        assert!(matches!(&found[0].item, Item::Skipped { why, .. } if why.contains("socket")));
    }

    #[test]
    fn names_that_cannot_be_carried_fail_by_name_f98() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join(OsStr::from_bytes(b"bad-\xff")), "x").unwrap();
        fs::write(root.path().join("line\nbreak"), "x").unwrap();
        fs::write(root.path().join("back\\slash"), "x").unwrap();
        let found = found(root.path(), &[]);
        assert!(found.iter().all(|found| matches!(found.item, Item::Failed { .. })), "{found:?}");
        let paths: Vec<_> = found.iter().map(|found| found.path.as_str()).collect();
        assert!(paths.contains(&"bad-\u{fffd}"), "{paths:?}");
        assert!(paths.contains(&"line\\u{a}break"), "{paths:?}");
    }

    #[test]
    fn an_unreadable_folder_fails_by_name_and_the_rest_is_listed() {
        let root = tempfile::tempdir().unwrap();
        put(root.path(), "closed/x");
        put(root.path(), "open/y");
        let closed = root.path().join("closed");
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).unwrap();
        let readable = fs::read_dir(&closed).is_ok();
        let found = found(root.path(), &[]);
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
        assert_eq!(found[1].path, "open/y");
        // Root reads everything.
        if !readable {
            assert_eq!(found[0].path, "closed/");
            assert!(matches!(found[0].item, Item::Failed { .. }));
        }
    }

    #[test]
    fn a_deep_folder_does_not_use_up_the_stack_f59() {
        let root = tempfile::tempdir().unwrap();
        let deep = vec!["d"; 1_500].join("/");
        fs::create_dir_all(root.path().join(&deep)).unwrap();
        put(root.path(), &format!("{deep}/file"));
        assert_eq!(paths(root.path(), &[]), [format!("{deep}/file")]);
    }

    #[test]
    fn a_missing_folder_is_an_error() {
        let root = tempfile::tempdir().unwrap();
        let exclude = Exclude::new(&[]);
        assert!(walk(&root.path().join("no"), &exclude, |_| ControlFlow::Continue(())).is_err());
    }
}
