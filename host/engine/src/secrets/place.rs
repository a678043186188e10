//! Where secrets lie: in the system's keyring, or in the folder. The folder has a file for every secret that there is,
//! which holds the value or says which item of the keyring does; so it alone decides, and a list asks nobody.
//!
//! Another choice moves nothing: what is there is read from where it lies, and moves when it is set again. A write is
//! in its new place, whole, before the file says so. An item of the keyring that could not be taken away is noted
//! beside the new value, until a later write or `forget` reaches it. Never keeps a value in two places without a note,
//! and never falls from a keyring that is there, but locked or broken, to the file: whoever has one relies on it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::RwLock;

use super::folder::{Kept, SecretFolder};
use super::keyring::{ItemId, Keyring, Trouble};
use crate::problem::Problem;
use crate::staging::blocking;

/// How long the keyring may take for an operation.
const WAIT: Duration = Duration::from_secs(10);

/// Where new secrets go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SecretPlace {
    /// The keyring when the session has one, else the file.
    Auto,
    /// The keyring, or an error.
    Keyring,
    /// An encrypted file of the data folder. The default of a library: it asks nobody's keyring unasked.
    #[default]
    File,
}

/// Which keyring there is, and whether it is used.
#[derive(Debug, Clone, Default)]
pub struct SecretsConfig {
    /// Where new secrets go.
    pub place: SecretPlace,
    /// The D-Bus address of the session whose keyring is meant. `None`: there is no session.
    pub bus: Option<String>,
}

/// Where one secret lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeptIn {
    /// An encrypted file of the data folder.
    File,
    /// The system's keyring.
    Keyring,
}

/// Both places as one.
pub(super) struct Places {
    folder: Arc<SecretFolder>,
    keyring: Keyring,
    place: SecretPlace,
    /// Whoever changes a secret has both places for himself.
    turn: RwLock<()>,
}

impl Places {
    pub(super) fn new(folder: SecretFolder, config: &SecretsConfig) -> Self {
        Self {
            folder: Arc::new(folder),
            keyring: Keyring::new(config.bus.clone(), WAIT),
            place: config.place,
            turn: RwLock::new(()),
        }
    }

    /// The names of all secrets, in order, when each was set, and where it lies.
    pub(super) async fn list(&self) -> Result<Vec<(String, i64, KeptIn)>, Problem> {
        self.folder(SecretFolder::list).await
    }

    /// Whether there is a secret of this name.
    pub(super) async fn has(&self, name: &str) -> Result<bool, Problem> {
        let name = name.to_owned();
        self.folder(move |folder| Ok(folder.has(&name))).await
    }

    /// The value of a secret; `None`: there is none of this name.
    pub(super) async fn get(&self, name: &str) -> Result<Option<Vec<u8>>, Problem> {
        let _turn = self.turn.read().await;
        let wanted = name.to_owned();
        let id = match self.folder(move |folder| folder.get(&wanted)).await? {
            None => return Ok(None),
            Some(Kept::Value(value)) => return Ok(Some(value)),
            Some(Kept::Item(id)) => id,
        };
        let again = format!("or set the secret again: wharf secret set {name}");
        let doing = format!("read the secret \"{name}\" from");
        let value = self.keyring.read(id).await;
        value.map_err(|trouble| trouble.problem(&doing, &again))?.map(Some).ok_or_else(|| {
            let message = format!("the secret \"{name}\" is no longer in the system's keyring");
            Problem::operation("storage.keyring", message)
                .help(format!("set it again: wharf secret set {name}"))
        })
    }

    /// Keeps a value where new ones go; an older one is gone from wherever it was.
    pub(super) async fn set(&self, name: &str, value: Vec<u8>) -> Result<KeptIn, Problem> {
        let _turn = self.turn.write().await;
        let before = self.item(name).await?;
        if self.place != SecretPlace::File && self.keep_in_keyring(name, before, &value).await? {
            return Ok(KeptIn::Keyring);
        }
        self.keep_in_file(name, value.clone(), before).await?;
        if let Some(id) = before {
            match self.keyring.remove(id).await {
                Ok(()) => self.keep_in_file(name, value, None).await?,
                Err(trouble) => {
                    tracing::warn!(name, %trouble, "an older value is still in the system's keyring");
                }
            }
        }
        Ok(KeptIn::File)
    }

    /// Takes a secret away, from wherever it lies; says whether there was one. `force`: although an item may be left in
    /// a keyring that cannot be reached.
    pub(super) async fn forget(&self, name: &str, force: bool) -> Result<bool, Problem> {
        let _turn = self.turn.write().await;
        if let Some(id) = self.item(name).await?
            && let Err(trouble) = self.keyring.remove(id).await
        {
            if !force {
                let doing = format!("take the secret \"{name}\" out of");
                let help = "or add --force: its item is left there then";
                return Err(trouble.problem(&doing, help));
            }
            tracing::warn!(name, %trouble, "the secret's item is left in the system's keyring");
        }
        let name = name.to_owned();
        self.folder(move |folder| folder.remove(&name)).await
    }

    /// False: there is no keyring, and the choice allows for that.
    async fn keep_in_keyring(
        &self,
        name: &str,
        before: Option<ItemId>,
        value: &[u8],
    ) -> Result<bool, Problem> {
        let id = before.map_or_else(ItemId::new, Ok)?;
        match self.keyring.store(id, name, value).await {
            Ok(()) => {
                let name = name.to_owned();
                self.folder(move |folder| folder.refer(&name, id)).await?;
                Ok(true)
            }
            Err(trouble @ Trouble::Absent(_)) if self.place == SecretPlace::Auto => {
                tracing::debug!(%trouble, "secrets go into the data folder");
                Ok(false)
            }
            Err(trouble) => {
                let doing = format!("keep the secret \"{name}\" in");
                let help = "or have secrets kept in the data folder: --secrets file, for the server if one runs";
                Err(trouble.problem(&doing, help))
            }
        }
    }

    async fn keep_in_file(
        &self,
        name: &str,
        value: Vec<u8>,
        left: Option<ItemId>,
    ) -> Result<(), Problem> {
        let name = name.to_owned();
        self.folder(move |folder| folder.set(&name, &value, left)).await
    }

    async fn item(&self, name: &str) -> Result<Option<ItemId>, Problem> {
        let name = name.to_owned();
        self.folder(move |folder| folder.item(&name)).await
    }

    async fn folder<T: Send + 'static>(
        &self,
        work: impl FnOnce(&SecretFolder) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let folder = Arc::clone(&self.folder);
        blocking(move || work(&folder)).await
    }
}
