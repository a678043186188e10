//! The host's signing service: keys that it makes and keeps, and signatures that it makes with them for a publication.
//!
//! A secret lies in `folder`, is read for the moment of one signature, and leaves the host in no message, log, problem or
//! answer of the API. Which job may have what signed is decided by its rights: `Host.Sign` gets the key's name from there.

mod folder;

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use wharf_openpgp::{Algorithm, Certificate, Form, KeyError, SecretKey};
use wharf_store::model::Attachment;

use self::folder::KeyFolder;
use crate::clock;
use crate::engine::{Engine, Inner};
use crate::instances::settings::SIGNING_KEY;
use crate::problem::Problem;
use crate::staging::blocking;

/// The longest user id of a new key.
const MAX_USER_ID: usize = 256;

/// What a new key computes with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum KeyAlgorithm {
    /// Ed25519.
    #[default]
    Ed25519,
    /// RSA with 4096 bits, for old clients.
    Rsa4096,
}

/// How a key comes to be.
pub enum NewKey {
    /// The host makes it.
    Made {
        /// Whose it is, for people; `None`: the name of the key.
        user_id: Option<String>,
        /// What it computes with.
        algorithm: KeyAlgorithm,
    },
    /// The user brings an armored secret key without a passphrase.
    Brought(String),
}

/// A key of the host, as everyone may know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyView {
    /// Its name on this host.
    pub name: String,
    /// Of the primary key: hex digits in upper case.
    pub fingerprint: String,
    /// Whose it is, as it says.
    pub user_ids: Vec<String>,
    /// What it computes with.
    pub algorithm: String,
    /// When it was made.
    pub created_ms: i64,
    /// When it signs no more; `None`: never.
    pub expires_ms: Option<i64>,
    /// The public key, armored.
    pub public_key: String,
    /// Repositories that are published with it.
    pub used_by: Vec<String>,
}

/// What a signature is made of.
pub(crate) enum Document {
    /// A text, to be signed so that it stays readable.
    Text(String),
    /// Bytes, of which the signature alone is wanted.
    Bytes(Source, Form),
}

/// Where bytes come from.
pub(crate) enum Source {
    Memory(Vec<u8>),
    File(File),
}

/// A signature, and what it can be checked with.
pub(crate) struct Signature {
    pub(crate) bytes: Vec<u8>,
    pub(crate) fingerprint: String,
    pub(crate) public_key: String,
}

/// The keys of a data folder. A cheap handle.
#[derive(Clone)]
pub(crate) struct Keys {
    folder: Arc<KeyFolder>,
}

impl Keys {
    pub(crate) async fn open(data: &Path) -> Result<Self, Problem> {
        let data = data.to_owned();
        blocking(move || Ok(Self { folder: Arc::new(KeyFolder::open(&data)?) })).await
    }

    /// What everyone may know of a key.
    pub(crate) async fn view(&self, name: &str) -> Result<KeyView, Problem> {
        self.with(name, |name, key| Ok(view(name, key))).await
    }

    /// Signs a document.
    pub(crate) async fn sign(&self, name: &str, document: Document) -> Result<Signature, Problem> {
        self.with(name, move |name, key| {
            let now = seconds();
            let bytes = match document {
                Document::Text(text) => key.clearsign(&text, now),
                Document::Bytes(Source::Memory(bytes), form) => {
                    key.detached(bytes.as_slice(), form, now)
                }
                Document::Bytes(Source::File(file), form) => key.detached(file, form, now),
            };
            let bytes = bytes.map_err(|error| {
                Problem::operation("signature.failed", format!("the key \"{name}\": {error}"))
            })?;
            let fingerprint = key.certificate().fingerprint.clone();
            Ok(Signature { bytes, fingerprint, public_key: key.public().to_owned() })
        })
        .await
    }

    /// Does something with a key, off the runtime. The secret is gone when it is done.
    async fn with<T: Send + 'static>(
        &self,
        name: &str,
        work: impl FnOnce(&str, &SecretKey) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let (folder, name) = (Arc::clone(&self.folder), name.to_owned());
        blocking(move || {
            let text = folder.read(&name)?.ok_or_else(|| no_key(&name))?;
            let key = SecretKey::read(&text, seconds()).map_err(|error| unusable(&name, &error))?;
            work(&name, &key)
        })
        .await
    }

    async fn create(&self, name: &str, new: NewKey) -> Result<KeyView, Problem> {
        let (folder, name) = (Arc::clone(&self.folder), name.to_owned());
        blocking(move || {
            folder.check_free(&name)?;
            let key = make(&name, new)?;
            let text = key.write().map_err(|error| unusable(&name, &error))?;
            folder.create(&name, &text)?;
            Ok(view(&name, &key))
        })
        .await
    }

    async fn names(&self) -> Result<Vec<String>, Problem> {
        let folder = Arc::clone(&self.folder);
        blocking(move || folder.names()).await
    }

    async fn remove(&self, name: &str) -> Result<bool, Problem> {
        let (folder, name) = (Arc::clone(&self.folder), name.to_owned());
        blocking(move || folder.remove(&name)).await
    }
}

fn seconds() -> i64 {
    clock::now_ms().div_euclid(1_000)
}

fn make(name: &str, new: NewKey) -> Result<SecretKey, Problem> {
    match new {
        NewKey::Made { user_id, algorithm } => {
            let user_id = user_id.unwrap_or_else(|| name.to_owned());
            let good = (1..=MAX_USER_ID).contains(&user_id.len())
                && !user_id.chars().any(char::is_control);
            if !good {
                let message = format!("a user id is one line of 1 to {MAX_USER_ID} bytes");
                return Err(Problem::usage("usage.key", message));
            }
            let algorithm = match algorithm {
                KeyAlgorithm::Ed25519 => Algorithm::Ed25519,
                KeyAlgorithm::Rsa4096 => Algorithm::Rsa4096,
            };
            SecretKey::generate(&user_id, algorithm, seconds()).map_err(|error| unusable(name, &error))
        }
        NewKey::Brought(text) => SecretKey::read(&text, seconds()).map_err(|error| {
            let message = format!("the key \"{name}\" cannot be taken: {error}");
            Problem::usage("usage.key", message).help(
                "bring one armored secret key without a passphrase, as `gpg --armor --export-secret-keys` writes it",
            )
        }),
    }
}

fn unusable(name: &str, error: &KeyError) -> Problem {
    Problem::operation("signature.key", format!("the key \"{name}\" cannot be used: {error}"))
        .help("`wharf key show` tells more; make another one with `wharf key create`")
}

pub(crate) fn no_key(name: &str) -> Problem {
    let shown: String = name.chars().take(80).collect();
    Problem::usage("not_found.key", format!("there is no key {shown:?}")).help(format!(
        "`wharf key list` shows those there are, `wharf key create {shown}` makes it"
    ))
}

fn view(name: &str, key: &SecretKey) -> KeyView {
    let Certificate { fingerprint, user_ids, algorithm, created, expires } =
        key.certificate().clone();
    KeyView {
        name: name.to_owned(),
        fingerprint,
        user_ids,
        algorithm,
        created_ms: created.saturating_mul(1_000),
        expires_ms: expires.map(|at| at.saturating_mul(1_000)),
        public_key: key.public().to_owned(),
        used_by: Vec::new(),
    }
}

/// The key that an attachment is published with.
fn key_of(attachment: &Attachment) -> Option<&str> {
    attachment.settings.get(SIGNING_KEY)?.as_str()
}

impl Engine {
    /// All keys that can be used, by name; one that cannot is told in the log.
    ///
    /// # Errors
    /// `storage.*`.
    pub async fn keys(&self) -> Result<Vec<KeyView>, Problem> {
        let mut views = Vec::new();
        for name in self.inner.keys.names().await? {
            match self.key(&name).await {
                Ok(view) => views.push(view),
                Err(problem) => tracing::warn!(name, %problem, "a key is left out of the list"),
            }
        }
        Ok(views)
    }

    /// One key.
    ///
    /// # Errors
    /// `not_found.key`, `signature.key`, `storage.*`.
    pub async fn key(&self, name: &str) -> Result<KeyView, Problem> {
        let mut view = self.inner.keys.view(name).await?;
        view.used_by = self.inner.users_of(name).await?;
        Ok(view)
    }

    /// Makes a key, or takes one that the user brings.
    ///
    /// # Errors
    /// `usage.name`, `usage.key`, `conflict.exists`, `storage.*`.
    pub async fn create_key(&self, name: &str, new: NewKey) -> Result<KeyView, Problem> {
        let view = self.inner.keys.create(name, new).await?;
        tracing::info!(name, fingerprint = %view.fingerprint, "a key was added");
        Ok(view)
    }

    /// Takes a key away for good; one that an attachment names only by force.
    ///
    /// # Errors
    /// `not_found.key`, `conflict.in_use`, `storage.*`.
    pub async fn delete_key(&self, name: &str, force: bool) -> Result<(), Problem> {
        let users = self.inner.users_of(name).await?;
        if !users.is_empty() && !force {
            let message =
                format!("the key \"{name}\" signs what is published of {}", users.join(", "));
            return Err(Problem::usage("conflict.in_use", message).help(
                "attach the distributor with another signing_key or without one, or add --force: \
                 publishing fails until then",
            ));
        }
        if self.inner.keys.remove(name).await? {
            tracing::info!(name, "a key was deleted");
            Ok(())
        } else {
            Err(no_key(name))
        }
    }
}

impl Inner {
    /// The repositories that are published with a key.
    async fn users_of(&self, name: &str) -> Result<Vec<String>, Problem> {
        let mut users = Vec::new();
        for repository in self.store.meta.repositories().await? {
            let attachments = self.store.meta.attachments(repository.id).await?;
            if attachments.iter().any(|attachment| key_of(attachment) == Some(name)) {
                users.push(repository.name.to_string());
            }
        }
        Ok(users)
    }
}
