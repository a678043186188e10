//! Secret keys on the disk: `DATA/keys/NAME.asc`, a file for each, for the host alone.
//!
//! A key is written beside its place, brought to the disk, and given its name, which must be free: after a crash there is
//! the whole key or none. Never logs what a file holds. All of it blocks.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::problem::Problem;

const FOLDER: &str = "keys";
const SUFFIX: &str = ".asc";
/// Files that are being written; one that a crash left holds a key that nobody was told of.
const NEW: &str = ".new-";
/// The largest file that is read.
const MAX_BYTES: u64 = 1 << 20;

/// The folder of the keys.
#[derive(Debug)]
pub(super) struct KeyFolder {
    path: PathBuf,
}

impl KeyFolder {
    /// The folder, made and closed to others if need be.
    pub(super) fn open(data: &Path) -> Result<Self, Problem> {
        let path = data.join(FOLDER);
        let folder = Self { path };
        folder.close_to_others().map_err(|error| folder.problem("make", &error))?;
        folder.clean().map_err(|error| folder.problem("clean", &error))?;
        Ok(folder)
    }

    fn close_to_others(&self) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.path)?;
        fs::set_permissions(&self.path, Permissions::from_mode(0o700))
    }

    fn clean(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(NEW) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    /// The names of all keys, in order.
    pub(super) fn names(&self) -> Result<Vec<String>, Problem> {
        let read = || -> io::Result<Vec<String>> {
            let mut names = Vec::new();
            for entry in fs::read_dir(&self.path)? {
                let file = entry?.file_name();
                let name = file.to_str().and_then(|file| file.strip_suffix(SUFFIX));
                names.extend(name.filter(|name| is_name(name)).map(str::to_owned));
            }
            names.sort_unstable();
            Ok(names)
        };
        read().map_err(|error| self.problem("read", &error))
    }

    /// The text of a key; `None`: there is none of this name.
    pub(super) fn read(&self, name: &str) -> Result<Option<String>, Problem> {
        let Some(path) = self.file(name) else { return Ok(None) };
        let read = || -> io::Result<String> {
            use io::Read as _;
            let mut text = String::new();
            File::open(&path)?.take(MAX_BYTES).read_to_string(&mut text)?;
            Ok(text)
        };
        match read() {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.problem("read a key of", &error)),
        }
    }

    /// Fails unless a key of this name could be kept: before one is made for it, which takes its time.
    pub(super) fn check_free(&self, name: &str) -> Result<(), Problem> {
        let path = self.file(name).ok_or_else(|| bad_name(name))?;
        if path.exists() { Err(taken(name)) } else { Ok(()) }
    }

    /// Keeps a key under a name that is free.
    pub(super) fn create(&self, name: &str, text: &str) -> Result<(), Problem> {
        let path = self.file(name).ok_or_else(|| bad_name(name))?;
        let write = || -> io::Result<()> {
            // Made for its owner alone.
            let mut file = tempfile::Builder::new().prefix(NEW).tempfile_in(&self.path)?;
            file.write_all(text.as_bytes())?;
            file.as_file().sync_all()?;
            file.persist_noclobber(&path).map_err(|error| error.error)?;
            File::open(&self.path)?.sync_all()
        };
        match write() {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(taken(name)),
            Err(error) => Err(self.problem("write a key to", &error)),
        }
    }

    /// Takes a key away; says whether there was one.
    pub(super) fn remove(&self, name: &str) -> Result<bool, Problem> {
        let Some(path) = self.file(name) else { return Ok(false) };
        match fs::remove_file(path).and_then(|()| File::open(&self.path)?.sync_all()) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(self.problem("remove a key from", &error)),
        }
    }

    /// Where a key lies. What is no name leads nowhere (F108).
    fn file(&self, name: &str) -> Option<PathBuf> {
        is_name(name).then(|| self.path.join(format!("{name}{SUFFIX}")))
    }

    fn problem(&self, doing: &str, error: &io::Error) -> Problem {
        let message = format!("cannot {doing} the folder {}: {error}", self.path.display());
        Problem::operation("storage.keys", message)
            .help("check the disk's space and the folder's rights")
    }
}

/// Whether a text can name a key: it becomes part of a path.
fn is_name(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=64).contains(&text.len()) && !text.starts_with(['.', '-']) && text.bytes().all(fits)
}

fn taken(name: &str) -> Problem {
    Problem::usage("conflict.exists", format!("there is a key \"{name}\" already"))
        .help(format!("take another name, or first `wharf key delete {name}`"))
}

fn bad_name(name: &str) -> Problem {
    let shown: String = name.chars().take(80).collect();
    Problem::usage(
        "usage.name",
        format!(
            "{shown:?} is no name for a key: use 1 to 64 of A-Z a-z 0-9 . _ -, neither . nor - first"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("it is there").permissions().mode() & 0o777
    }

    #[test]
    fn keys_are_for_their_owner_alone_and_never_replaced() {
        let data = tempfile::tempdir().expect("a folder");
        fs::create_dir(data.path().join(FOLDER)).expect("a folder");
        let folder = KeyFolder::open(data.path()).expect("it opens");
        folder.create("main", "secret").expect("it is written");
        let file = data.path().join("keys/main.asc");
        assert_eq!((mode(&data.path().join(FOLDER)), mode(&file)), (0o700, 0o600));
        let again = folder.create("main", "other").expect_err("the name is taken");
        assert_eq!(again.code, "conflict.exists");
        assert_eq!(folder.read("main").expect("it reads").as_deref(), Some("secret"));
        fs::write(data.path().join("keys/.new-x"), "half").expect("a file");
        let folder = KeyFolder::open(data.path()).expect("it opens");
        assert_eq!(folder.names().expect("they are listed"), ["main"]);
        assert!(!data.path().join("keys/.new-x").exists(), "what a crash left is gone");
        assert!(folder.remove("main").expect("it goes") && !folder.remove("main").expect("gone"));
    }

    #[test]
    fn f108_names_with_paths_in_them_lead_nowhere() {
        let data = tempfile::tempdir().expect("a folder");
        let folder = KeyFolder::open(data.path()).expect("it opens");
        fs::write(data.path().join("outside.asc"), "x").expect("a file");
        for name in ["../outside", "/etc/x", "a/b", "", ".", "..", ".hidden", "-x", "a\0b", "a b"] {
            assert_eq!(folder.create(name, "x").expect_err(name).code, "usage.name", "{name:?}");
            assert!(folder.read(name).expect(name).is_none() && !folder.remove(name).expect(name));
        }
    }
}
