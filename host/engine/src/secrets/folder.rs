//! Secrets on the disk: `DATA/secrets/NAME.secret`, a file for each, encrypted with the key in `DATA/secrets/key`, or
//! the number of the keyring's item that holds the value instead. A file begins with its form, one byte: 1 a sealed
//! value; 2 an item; 3 an item that holds an older value, then the sealed one that counts.
//!
//! A value is sealed by XChaCha20-Poly1305 under a fresh nonce, with its name bound to it, so that no file can take the
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

use super::keyring::ItemId;
use super::place::KeptIn;
use super::{is_name, random};
use crate::problem::Problem;

const FOLDER: &str = "secrets";
const KEY: &str = "key";
const SUFFIX: &str = ".secret";
/// Files that are being written.
const NEW: &str = ".new-";
const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;
/// The first byte of a file: how the rest is to be read.
const SEALED: u8 = 1;
const ITEM: u8 = 2;
const ITEM_AND_SEALED: u8 = 3;
const ITEM_BYTES: usize = 16;
/// The largest file that is read.
const MAX_BYTES: u64 = 1 << 20;

/// What a secret's file holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Kept {
    /// The value.
    Value(Vec<u8>),
    /// The item of the keyring that has the value.
    Item(ItemId),
}

/// A file taken apart.
struct Parts<'a> {
    item: Option<ItemId>,
    /// Empty: the item has the value.
    sealed: &'a [u8],
}

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

    /// The names of all secrets, in order, when each was last set, in milliseconds since 1970, and where it lies.
    pub(super) fn list(&self) -> Result<Vec<(String, i64, KeptIn)>, Problem> {
        let read = || -> io::Result<Vec<(String, i64, KeptIn)>> {
            let mut found = Vec::new();
            for entry in fs::read_dir(&self.path)? {
                let entry = entry?;
                let file = entry.file_name();
                let name = file.to_str().and_then(|file| file.strip_suffix(SUFFIX));
                let Some(name) = name.filter(|name| is_name(name)) else { continue };
                let set = entry.metadata()?.modified()?.duration_since(UNIX_EPOCH);
                let set = set.map(|since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX));
                let mut form = [0];
                let read = File::open(entry.path())?.read(&mut form)?;
                let kept_in =
                    if (read, form) == (1, [ITEM]) { KeptIn::Keyring } else { KeptIn::File };
                found.push((name.to_owned(), set.unwrap_or(0), kept_in));
            }
            found.sort_unstable_by(|one, other| one.0.cmp(&other.0));
            Ok(found)
        };
        read().map_err(|error| self.problem("read", &error))
    }

    /// Whether there is a secret of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.file(name).is_some_and(|path| path.exists())
    }

    /// Keeps a value under a name; what was there is replaced. `left`: an item of the keyring with an older value.
    pub(super) fn set(
        &self,
        name: &str,
        value: &[u8],
        left: Option<ItemId>,
    ) -> Result<(), Problem> {
        let path = self.file(name).ok_or_else(|| super::bad_name(name))?;
        let sealed = self.seal(name, value)?;
        match left {
            None => self.write(&path, &[&[SEALED], &sealed]),
            Some(ItemId(id)) => self.write(&path, &[&[ITEM_AND_SEALED], &id, &sealed]),
        }
    }

    /// Notes that an item of the keyring has the value; what was there is replaced.
    pub(super) fn refer(&self, name: &str, item: ItemId) -> Result<(), Problem> {
        let path = self.file(name).ok_or_else(|| super::bad_name(name))?;
        self.write(&path, &[&[ITEM], &item.0])
    }

    /// What there is under a name; `None`: nothing.
    pub(super) fn get(&self, name: &str) -> Result<Option<Kept>, Problem> {
        let Some(bytes) = self.read(name)? else { return Ok(None) };
        let kept = match parts(&bytes) {
            Some(Parts { item: Some(item), sealed: [] }) => Some(Kept::Item(item)),
            Some(Parts { sealed, .. }) => self.unseal(name, sealed)?.map(Kept::Value),
            None => None,
        };
        kept.map(Some).ok_or_else(|| {
            let message =
                format!("the secret \"{name}\" was not sealed with this host's key, or is damaged");
            Problem::operation("storage.secrets", message)
                .help(format!("set it again: wharf secret set {name}"))
        })
    }

    /// The item of the keyring that has a value under this name, be it an older one.
    pub(super) fn item(&self, name: &str) -> Result<Option<ItemId>, Problem> {
        if !is_name(name) {
            return Err(super::bad_name(name));
        }
        Ok(self.read(name)?.as_deref().and_then(parts).and_then(|parts| parts.item))
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

    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, Problem> {
        let Some(path) = self.file(name) else { return Ok(None) };
        match read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.problem("read a secret of", &error)),
        }
    }

    /// The file appears whole.
    fn write(&self, path: &Path, parts: &[&[u8]]) -> Result<(), Problem> {
        let write = || -> io::Result<()> {
            let mut file = self.new_file()?;
            for part in parts {
                file.write_all(part)?;
            }
            file.as_file().sync_all()?;
            file.persist(path).map_err(|error| error.error)?;
            File::open(&self.path)?.sync_all()
        };
        write().map_err(|error| self.problem("write a secret to", &error))
    }

    fn unseal(&self, name: &str, sealed: &[u8]) -> Result<Option<Vec<u8>>, Problem> {
        let Some((nonce, body)) = sealed.split_at_checked(NONCE_BYTES) else { return Ok(None) };
        let Ok(nonce) = <[u8; NONCE_BYTES]>::try_from(nonce).map(XNonce::from) else {
            return Ok(None);
        };
        let payload = Payload { msg: body, aad: name.as_bytes() };
        Ok(self.cipher()?.decrypt(&nonce, payload).ok())
    }

    fn seal(&self, name: &str, value: &[u8]) -> Result<Vec<u8>, Problem> {
        let nonce: [u8; NONCE_BYTES] = random()?;
        let payload = Payload { msg: value, aad: name.as_bytes() };
        let body = self.cipher()?.encrypt(&XNonce::from(nonce), payload);
        let body = body.map_err(|_too_long| {
            Problem::usage("usage.secret", "the value is too long to be sealed")
        })?;
        Ok([nonce.as_slice(), body.as_slice()].concat())
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
                if self.list()?.iter().any(|(_name, _set, kept_in)| *kept_in == KeptIn::File) {
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

fn parts(bytes: &[u8]) -> Option<Parts<'_>> {
    let (form, rest) = bytes.split_first()?;
    let with_item = || {
        let (item, sealed) = rest.split_at_checked(ITEM_BYTES)?;
        Some(Parts { item: Some(ItemId(item.try_into().ok()?)), sealed })
    };
    match *form {
        SEALED => Some(Parts { item: None, sealed: rest }),
        ITEM => with_item().filter(|parts| parts.sealed.is_empty()),
        ITEM_AND_SEALED => with_item().filter(|parts| !parts.sealed.is_empty()),
        _ => None,
    }
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
        folder.set("school", b"correct horse", None).expect("it is kept");
        folder.set("school", b"battery staple", None).expect("it is replaced");
        assert_eq!(
            folder.get("school").expect("it opens"),
            Some(Kept::Value(b"battery staple".to_vec()))
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
        folder.set("a", b"one", None).expect("it is kept");
        let at = |name: &str| data.path().join(FOLDER).join(name);
        fs::copy(at("a.secret"), at("b.secret")).expect("a copy");
        assert_eq!(folder.get("b").expect_err("not its own").code, "storage.secrets");
        fs::write(at("a.secret"), b"\x01short").expect("damage");
        assert_eq!(folder.get("a").expect_err("damaged").code, "storage.secrets");
    }

    #[test]
    fn a_file_tells_which_item_has_the_value_and_which_has_an_older_one() {
        let (data, folder) = opened();
        let item = ItemId([7; ITEM_BYTES]);
        folder.refer("a", item).expect("it is noted");
        assert_eq!(folder.get("a").expect("it reads"), Some(Kept::Item(item)));
        let kept = |folder: &SecretFolder| folder.list().expect("a list").remove(0).2;
        assert_eq!(kept(&folder), KeptIn::Keyring);
        assert!(!data.path().join(FOLDER).join(KEY).exists(), "nothing was sealed yet");
        folder.set("a", b"one", Some(item)).expect("it is kept");
        assert_eq!(folder.get("a").expect("it opens"), Some(Kept::Value(b"one".to_vec())));
        assert_eq!(folder.item("a").expect("it reads"), Some(item));
        assert_eq!(kept(&folder), KeptIn::File);
        folder.set("a", b"two", None).expect("it is kept");
        assert_eq!(folder.item("a").expect("it reads"), None);
        for damaged in [&b""[..], b"\x02", b"\x02seven", b"\x03sixteen bytes...", b"\x09"] {
            fs::write(data.path().join(FOLDER).join("a.secret"), damaged).expect("damage");
            assert_eq!(folder.get("a").expect_err("damaged").code, "storage.secrets");
            assert_eq!(folder.item("a").expect("no item"), None, "{damaged:?}");
        }
    }

    // F153
    #[test]
    fn a_key_that_others_can_read_or_that_is_gone_opens_nothing() {
        let (data, folder) = opened();
        folder.set("a", b"one", None).expect("it is kept");
        let key = data.path().join(FOLDER).join(KEY);
        fs::set_permissions(&key, Permissions::from_mode(0o644)).expect("rights");
        assert_eq!(folder.get("a").expect_err("readable").code, "policy.secrets");
        fs::remove_file(&key).expect("it goes");
        assert_eq!(folder.set("b", b"two", None).expect_err("no new key").code, "storage.secrets");
    }

    #[test]
    fn f108_names_with_paths_in_them_lead_nowhere() {
        let (_data, folder) = opened();
        for name in ["../outside", "/etc/x", "a/b", "", ".", "..", ".hidden", "-x", "a\0b", "a b"] {
            assert_eq!(
                folder.set(name, b"x", None).expect_err(name).code,
                "usage.name",
                "{name:?}"
            );
            assert!(folder.get(name).expect(name).is_none() && !folder.has(name));
        }
    }
}
