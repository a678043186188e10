//! What a fake host holds, and what plugins did to it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use sha2::{Digest, Sha256};
use tonic::service::Routes;
use wharf_proto::v1;
use wharf_proto::v1::host_server::HostServer;

use super::service::Service;
use super::signer::Signer;
use crate::host::{SignForm, Signed};

/// What upstream, the repository and the host hold, as the plugin will see it.
///
/// A download is answered from [`FakeHost::file`] by its address, else from a folder given by
/// [`FakeHost::folder`], else read from a `file://` address. The ETag is the digest of the bytes. Every claim is granted, and
/// every job that is started has succeeded; what is done to the host is told by [`FakeHost::doings`].
#[derive(Clone, Debug, Default)]
pub struct FakeHost {
    files: HashMap<String, Bytes>,
    folders: Vec<(String, PathBuf)>,
    units: Vec<v1::Unit>,
    secrets: HashMap<String, Bytes>,
    settings: String,
    without: Vec<String>,
    signer: Option<Signer>,
    kept: Arc<Mutex<Kept>>,
}

/// What changes while plugins run; clones of a fake host share it.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// Revision and value of each piece of state.
    pub(super) state: HashMap<String, (u64, Vec<u8>)>,
    pub(super) requests: Vec<String>,
    pub(super) doings: Vec<Doing>,
    pub(super) saved: Vec<v1::Unit>,
    stored: HashMap<String, Bytes>,
}

/// Something that a plugin did to the host.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Doing {
    /// It started a job.
    SpawnJob(v1::JobSpec),
    /// It took a lock, a place in a queue, or space.
    Acquire(v1::AcquireRequest),
    /// It gave a grant back: the place of its [`Doing::Acquire`], counted from 1.
    Release(u64),
    /// It gave something to a later step.
    Contribute(v1::ContributeRequest),
    /// It told an event.
    Emit(v1::EmitRequest),
}

impl FakeHost {
    /// A host with nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// What this address answers.
    #[must_use]
    pub fn file(mut self, url: &str, bytes: impl Into<Bytes>) -> Self {
        self.files.insert(url.to_owned(), bytes.into());
        self
    }

    /// Addresses that begin with `base` are files of this folder.
    #[must_use]
    pub fn folder(mut self, base: &str, folder: impl Into<PathBuf>) -> Self {
        self.folders.push((base.to_owned(), folder.into()));
        self
    }

    /// A unit of the job's version; it gets the next number from 1 on, unless it has one.
    #[must_use]
    pub fn unit(mut self, unit: impl Into<v1::Unit>) -> Self {
        let mut unit = unit.into();
        if unit.id == 0 {
            unit.id = next_number(self.units.len());
        }
        self.units.push(unit);
        self
    }

    /// A secret of the instance.
    #[must_use]
    pub fn secret(mut self, name: &str, value: impl Into<Bytes>) -> Self {
        self.secrets.insert(name.to_owned(), value.into());
        self
    }

    /// What the host answers when it is asked for settings: the text of a JSON object.
    #[must_use]
    pub fn settings(mut self, object: &str) -> Self {
        object.clone_into(&mut self.settings);
        self
    }

    /// This host does not offer these calls, as some hosts do not: `SpawnJob`.
    #[must_use]
    pub fn without(mut self, calls: &[&str]) -> Self {
        self.without.extend(calls.iter().map(|&call| call.to_owned()));
        self
    }

    /// How this host signs; without it, it does not.
    #[must_use]
    pub fn signer(
        mut self,
        signer: impl Fn(SignForm, &[u8]) -> Signed + Send + Sync + 'static,
    ) -> Self {
        self.signer = Some(Signer::new(signer));
        self
    }

    /// The addresses that were asked for so far, with ` (unchanged)` behind those answered by validators alone.
    /// Clones of a fake host share this list: keep one to look at after the run.
    pub fn requests(&self) -> Vec<String> {
        self.kept().requests.clone()
    }

    /// What plugins did to the host so far, in order. Clones share this list too.
    pub fn doings(&self) -> Vec<Doing> {
        self.kept().doings.clone()
    }

    /// The bytes that the host has under this digest, `sha256:HEX`: those of an address, and those that a plugin stored.
    pub fn artifact(&self, digest: &str) -> Option<Bytes> {
        let stored = self.kept().stored.get(digest).cloned();
        stored.or_else(|| self.files.values().find(|bytes| digest_of(bytes) == digest).cloned())
    }

    /// The service itself, for tests that start the plugin's process and serve it on a socket. Downloads are
    /// staged in `work_dir`.
    pub fn routes(self, work_dir: &Path) -> Routes {
        Routes::new(HostServer::new(Service::new(self, work_dir)))
    }

    pub(super) fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn offers(&self, call: &str) -> bool {
        self.without.iter().all(|without| without != call)
    }

    pub(super) fn read(&self, url: &str) -> Option<Bytes> {
        if let Some(bytes) = self.files.get(url) {
            return Some(bytes.clone());
        }
        let mut folders = self.folders.iter();
        let path = folders.find_map(|(base, folder)| Some(folder.join(url.strip_prefix(base)?)));
        let path = path.or_else(|| url.strip_prefix("file://").map(PathBuf::from))?;
        std::fs::read(path).ok().map(Bytes::from)
    }

    pub(super) fn secret_of(&self, name: &str) -> Option<Bytes> {
        self.secrets.get(name).cloned()
    }

    pub(super) fn settings_text(&self) -> String {
        if self.settings.is_empty() { "{}".to_owned() } else { self.settings.clone() }
    }

    pub(super) fn signs_with(&self) -> Option<&Signer> {
        self.signer.as_ref()
    }

    pub(super) fn store(&self, bytes: Bytes) -> String {
        let digest = digest_of(&bytes);
        self.kept().stored.insert(digest.clone(), bytes);
        digest
    }

    /// All units, those that were saved too.
    pub(super) fn units(&self) -> Vec<v1::Unit> {
        self.units.iter().chain(&self.kept().saved).cloned().collect()
    }

    /// Saves a unit that is not there yet.
    pub(super) fn save(&self, unit: v1::Unit) -> v1::SavedUnit {
        let mut kept = self.kept();
        let same = |known: &&v1::Unit| known.r#type == unit.r#type && known.key == unit.key;
        if let Some(known) = self.units.iter().chain(&kept.saved).find(same) {
            return v1::SavedUnit { id: known.id, created: false };
        }
        let id = next_number(self.units.len() + kept.saved.len());
        kept.saved.push(v1::Unit { id, ..unit });
        v1::SavedUnit { id, created: true }
    }
}

fn next_number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX).saturating_add(1)
}

impl From<crate::Unit> for v1::Unit {
    fn from(unit: crate::Unit) -> Self {
        unit.wire
    }
}

/// `sha256:HEX`.
pub(super) fn digest_of(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(71);
    text.push_str("sha256:");
    for byte in Sha256::digest(bytes) {
        text.extend(
            [byte >> 4, byte & 15]
                .map(|digit| char::from_digit(u32::from(digit), 16).unwrap_or('?')),
        );
    }
    text
}
