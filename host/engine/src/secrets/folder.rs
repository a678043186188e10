//! Secrets on the disk: `DATA/secrets/NAME.secret`, a file for each, encrypted with the key in `DATA/secrets/key`.
//!
//! Each is sealed by XChaCha20-Poly1305 under a fresh nonce, with its name bound to it, so that no file can take the
//! place of another. What it protects against, and what not: whoever has the database, a log, a backup of single files
//! or a glance at the folder learns nothing; whoever may read all of the data folder has the key too. A file appears
//! whole, by one rename. Never logs what a file holds. All of it blocks.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};

use super::is_name;
use crate::problem::Problem;

const FOLDER: &str = "secrets";
const KEY: &str = "key";
const SUFFIX: &str = ".secret";
/// Files that are being written.
const NEW: &str = ".new-";
const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;
/// The first byte of a file: how the rest is to be read.
const FORM: u8 = 1;
/// The largest file that is read.
const MAX_BYTES: u64 = 1 << 20;

/// The folder of the secrets.
#[derive(Debug)]
pub(super) struct SecretFolder {
    path: PathBuf,
}

impl SecretFolder {
    /// The folder, made and closed to others if need be.
    pub(super) fn open(data: &Path) -> Result<Self, Problem> {
        let folder = Self { path: data.join(FOLDER) };
        let make = || -> io::Result<()> {
            DirBuilder::new().recursive(true).mode(0o700).create(&folder.path)?;
            fs::set_permissions(&folder.path, Permissions::from_mode(0o700))?;
            for entry in fs::read_dir(&folder.path)? {
                let entry = entry?;
                if entry.file_name().to_string_lossy().starts_with(NEW) {
                    fs::remove_file(entry.path())?;
                }
            }
            Ok(())
        };
        make().map_err(|error| folder.problem("make", &error))?;
        Ok(folder)
    }

    /// The names of all secrets, in order, and when each was last set: milliseconds since 1970.
    pub(super) fn list(&self) -> Result<Vec<(String, i64)>, Problem> {
        let read = || -> io::Result<Vec<(String, i64)>> {
            let mut found = Vec::new();
            for entry in fs::read_dir(&self.path)? {
                let entry = entry?;
                let file = entry.file_name();
                let name = file.to_str().and_then(|file| file.strip_suffix(SUFFIX));
                let Some(name) = name.filter(|name| is_name(name)) else { continue };
                let set = entry.metadata()?.modified()?.duration_since(UNIX_EPOCH);
                let set = set.map(|since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX));
                found.push((name.to_owned(), set.unwrap_or(0)));
            }
            found.sort_unstable();
            Ok(found)
        };
        read().map_err(|error| self.problem("read", &error))
    }

    /// Whether there is a secret of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.file(name).is_some_and(|path| path.exists())
    }

    /// Keeps a value under a name; one that was there is replaced.
    pub(super) fn set(&self, name: &str, value: &[u8]) -> Result<(), Problem> {
        let path = self.file(name).ok_or_else(|| super::bad_name(name))?;
        let sealed = self.seal(name, value)?;
        let write = || -> io::Result<()> {
            let mut file = self.new_file()?;
            file.write_all(&sealed)?;
            file.as_file().sync_all()?;
            file.persist(&path).map_err(|error| error.error)?;
            File::open(&self.path)?.sync_all()
        };
        write().map_err(|error| self.problem("write a secret to", &error))
    }

    /// The value of a secret; `None`: there is none of this name.
    pub(super) fn get(&self, name: &str) -> Result<Option<Vec<u8>>, Problem> {
        let Some(path) = self.file(name) else { return Ok(None) };
        let sealed = match read(&path) {
            Ok(sealed) => sealed,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.problem("read a secret of", &error)),
        };
        let opened = match sealed.split_first() {
            Some((&FORM, rest)) if rest.len() > NONCE_BYTES => {
                let (nonce, body) = rest.split_at(NONCE_BYTES);
                let nonce = <[u8; NONCE_BYTES]>::try_from(nonce).map(XNonce::from).ok();
                let payload = Payload { msg: body, aad: name.as_bytes() };
                let cipher = self.cipher()?;
                nonce.and_then(|nonce| cipher.decrypt(&nonce, payload).ok())
            }
            _ => None,
        };
        opened.map(Some).ok_or_else(|| {
            let message =
                format!("the secret \"{name}\" was not sealed with this host's key, or is damaged");
            Problem::operation("storage.secrets", message)
                .help(format!("set it again: wharf secret set {name}"))
        })
    }

    /// Takes a secret away; says whether there was one.
    pub(super) fn remove(&self, name: &str) -> Result<bool, Problem> {
        let Some(path) = self.file(name) else { return Ok(false) };
        match fs::remove_file(path).and_then(|()| File::open(&self.path)?.sync_all()) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(self.problem("remove a secret from", &error)),
        }
    }

    fn seal(&self, name: &str, value: &[u8]) -> Result<Vec<u8>, Problem> {
        let nonce: [u8; NONCE_BYTES] = random()?;
        let payload = Payload { msg: value, aad: name.as_bytes() };
        let body = self.cipher()?.encrypt(&XNonce::from(nonce), payload);
        let body = body.map_err(|_too_long| {
            Problem::usage("usage.secret", "the value is too long to be sealed")
        })?;
        Ok([&[FORM], nonce.as_slice(), body.as_slice()].concat())
    }

    /// The host's key, made when it is first needed and there is nothing yet that it would have to open.
    fn cipher(&self) -> Result<XChaCha20Poly1305, Problem> {
        let path = self.path.join(KEY);
        let bytes = match read(&path) {
            Ok(bytes) => {
                check_closed(&path)?;
                bytes
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if !self.list()?.is_empty() {
                    let message =
                        format!("the key {} of the stored secrets is gone", path.display());
                    return Err(Problem::operation("storage.secrets", message).help(
                        "bring it back from a backup, or forget the secrets and set them again",
                    ));
                }
                self.make_key(&path)?
            }
            Err(error) => return Err(self.problem("read the key of", &error)),
        };
        XChaCha20Poly1305::new_from_slice(&bytes).map_err(|_length| {
            let message = format!("{} is no key: it has not {KEY_BYTES} bytes", path.display());
            Problem::operation("storage.secrets", message).help("bring it back from a backup")
        })
    }

    fn make_key(&self, path: &Path) -> Result<Vec<u8>, Problem> {
        let key: [u8; KEY_BYTES] = random()?;
        let write = || -> io::Result<()> {
            let mut file = self.new_file()?;
            file.write_all(&key)?;
            file.as_file().sync_all()?;
            file.persist_noclobber(path).map_err(|error| error.error)?;
            File::open(&self.path)?.sync_all()
        };
        write().map_err(|error| self.problem("write the key to", &error))?;
        Ok(key.to_vec())
    }

    /// Made for its owner alone.
    fn new_file(&self) -> io::Result<tempfile::NamedTempFile> {
        tempfile::Builder::new().prefix(NEW).tempfile_in(&self.path)
    }

    /// Where a secret lies. What is no name leads nowhere (F108).
    fn file(&self, name: &str) -> Option<PathBuf> {
        is_name(name).then(|| self.path.join(format!("{name}{SUFFIX}")))
    }

    fn problem(&self, doing: &str, error: &io::Error) -> Problem {
        let message = format!("cannot {doing} the folder {}: {error}", self.path.display());
        Problem::operation("storage.secrets", message)
            .help("check the disk's space and the folder's rights")
    }
}

/// A key that others may read is no key (F153).
fn check_closed(path: &Path) -> Result<(), Problem> {
    let mode = fs::metadata(path).map_or(0, |metadata| metadata.mode() & 0o077);
    if mode == 0 {
        return Ok(());
    }
    let message = format!("{} can be read by others, so its secrets are not used", path.display());
    Err(Problem::usage("policy.secrets", message).help(format!(
        "chmod 600 {}, and set the secrets anew if somebody may have read it",
        path.display()
    )))
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn random<const N: usize>() -> Result<[u8; N], Problem> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened() -> (tempfile::TempDir, SecretFolder) {
        let data = tempfile::tempdir().expect("a folder");
        let folder = SecretFolder::open(data.path()).expect("it opens");
        (data, folder)
    }

    #[test]
    fn a_value_comes_back_and_stands_in_no_file() {
        let (data, folder) = opened();
        folder.set("school", b"correct horse").expect("it is kept");
        folder.set("school", b"battery staple").expect("it is replaced");
        assert_eq!(
            folder.get("school").expect("it opens").as_deref(),
            Some(&b"battery staple"[..])
        );
        for entry in fs::read_dir(data.path().join(FOLDER)).expect("the folder") {
            let entry = entry.expect("an entry");
            let bytes = fs::read(entry.path()).expect("it reads");
            assert!(!bytes.windows(7).any(|part| part == b"battery"), "{:?}", entry.path());
            assert_eq!(entry.metadata().expect("it is there").mode() & 0o777, 0o600);
        }
        assert!(
            folder.remove("school").expect("it goes") && !folder.remove("school").expect("gone")
        );
        assert_eq!(folder.get("school").expect("nothing"), None);
    }

    #[test]
    fn a_file_under_another_name_and_a_damaged_one_are_refused() {
        let (data, folder) = opened();
        folder.set("a", b"one").expect("it is kept");
        let at = |name: &str| data.path().join(FOLDER).join(name);
        fs::copy(at("a.secret"), at("b.secret")).expect("a copy");
        assert_eq!(folder.get("b").expect_err("not its own").code, "storage.secrets");
        fs::write(at("a.secret"), b"\x01short").expect("damage");
        assert_eq!(folder.get("a").expect_err("damaged").code, "storage.secrets");
    }

    // F153
    #[test]
    fn a_key_that_others_can_read_or_that_is_gone_opens_nothing() {
        let (data, folder) = opened();
        folder.set("a", b"one").expect("it is kept");
        let key = data.path().join(FOLDER).join(KEY);
        fs::set_permissions(&key, Permissions::from_mode(0o644)).expect("rights");
        assert_eq!(folder.get("a").expect_err("readable").code, "policy.secrets");
        fs::remove_file(&key).expect("it goes");
        assert_eq!(folder.set("b", b"two").expect_err("no new key").code, "storage.secrets");
    }

    #[test]
    fn f108_names_with_paths_in_them_lead_nowhere() {
        let (_data, folder) = opened();
        for name in ["../outside", "/etc/x", "a/b", "", ".", "..", ".hidden", "-x", "a\0b", "a b"] {
            assert_eq!(folder.set(name, b"x").expect_err(name).code, "usage.name", "{name:?}");
            assert!(folder.get(name).expect(name).is_none() && !folder.has(name));
        }
    }
}
