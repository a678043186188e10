//! Secrets in the system's keyring: an item each of the default collection of the freedesktop Secret Service, which
//! the desktops' keyrings offer on the session's D-Bus. An item is found by a random [`ItemId`], which
//! the folder keeps, so that hosts of one user with several data folders do not meet.
//!
//! Every operation is a connection of its own with an end to its wait: a service that was restarted meanwhile is met
//! anew, and one that hangs holds nobody up. Values travel encrypted between here and the service. Never asks for a
//! password: a locked keyring is an error that says so, because a job has nobody to ask. Never logs a value.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::time::Duration;

use secret_service::{EncryptionType, Error, Item, SecretService};
use zbus::DBusError as _;
use zbus::connection::Builder;

use super::random;
use crate::problem::Problem;

/// What an item is named by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ItemId(pub(super) [u8; 16]);

impl ItemId {
    pub(super) fn new() -> Result<Self, Problem> {
        random().map(Self)
    }

    fn text(self) -> String {
        self.0.iter().fold(String::new(), |mut text, byte| {
            // Writing to a text cannot fail.
            let _infallible = write!(text, "{byte:02x}");
            text
        })
    }
}

/// Why the keyring did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// There is none: no session, nobody who offers it, or nothing in it to keep items in.
    Absent(String),
    /// Its owner has to unlock it first.
    Locked,
    /// It did not answer in time.
    Silent(Duration),
    /// It answered with an error.
    Broken(String),
}

/// The keyring of the session whose bus has this address.
#[derive(Debug, Clone)]
pub(super) struct Keyring {
    bus: Option<String>,
    wait: Duration,
}

impl Keyring {
    pub(super) fn new(bus: Option<String>, wait: Duration) -> Self {
        Self { bus, wait }
    }

    /// Keeps a value; one that was there under this id is replaced.
    pub(super) async fn store(&self, id: ItemId, name: &str, value: &[u8]) -> Result<(), Trouble> {
        self.in_time(async {
            let service = self.connect().await?;
            let collection = service.get_default_collection().await?;
            collection.ensure_unlocked().await?;
            let (label, id) = (format!("wharf: {name}"), id.text());
            let mut attributes = attributes(&id);
            attributes.insert("secret", name);
            collection.create_item(&label, attributes, value, true, "text/plain").await?;
            Ok(())
        })
        .await
    }

    /// The value; `None`: the keyring is open, and has none under this id.
    pub(super) async fn read(&self, id: ItemId) -> Result<Option<Vec<u8>>, Trouble> {
        self.in_time(async {
            let service = self.connect().await?;
            let items = items(&service, id).await?;
            match newest(&items).await? {
                Some(item) => Ok(Some(item.get_secret().await?)),
                None => Ok(None),
            }
        })
        .await
    }

    /// Takes away what there is under this id.
    pub(super) async fn remove(&self, id: ItemId) -> Result<(), Trouble> {
        self.in_time(async {
            let service = self.connect().await?;
            for item in items(&service, id).await? {
                item.delete().await?;
            }
            Ok(())
        })
        .await
    }

    async fn in_time<T>(
        &self,
        work: impl Future<Output = Result<T, Trouble>>,
    ) -> Result<T, Trouble> {
        tokio::time::timeout(self.wait, work)
            .await
            .unwrap_or_else(|_elapsed| Err(Trouble::Silent(self.wait)))
    }

    async fn connect(&self) -> Result<SecretService<'static>, Trouble> {
        let absent = |why: zbus::Error| Trouble::Absent(format!("no session bus: {why}"));
        let Some(bus) = self.bus.as_deref() else {
            return Err(Trouble::Absent("this session has no D-Bus".to_owned()));
        };
        let connection = Builder::address(bus).map_err(absent)?.build().await.map_err(absent)?;
        Ok(SecretService::connect_with_existing(EncryptionType::Dh, connection).await?)
    }
}

/// By what an item is found. A user may have moved it into another collection.
fn attributes(id: &str) -> HashMap<&str, &str> {
    HashMap::from([("xdg:schema", "wharf.Secret"), ("application", "wharf"), ("id", id)])
}

/// The items under an id: one, unless the default collection has been another meanwhile.
async fn items<'a>(service: &'a SecretService<'_>, id: ItemId) -> Result<Vec<Item<'a>>, Trouble> {
    let found = service.search_items(attributes(&id.text())).await?;
    if !found.locked.is_empty() {
        return Err(Trouble::Locked);
    }
    if found.unlocked.is_empty() {
        // Some services do not find items in what is locked.
        match service.get_default_collection().await {
            Ok(collection) => collection.ensure_unlocked().await?,
            Err(Error::NoResult) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(found.unlocked)
}

async fn newest<'a, 'b>(items: &'b [Item<'a>]) -> Result<Option<&'b Item<'a>>, Trouble> {
    let mut newest = None;
    for item in items {
        let modified = item.get_modified().await?;
        if newest.is_none_or(|(_item, before)| modified >= before) {
            newest = Some((item, modified));
        }
    }
    Ok(newest.map(|(item, _modified)| item))
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        match error {
            Error::Locked | Error::Prompt | Error::PromptDisconnected => Self::Locked,
            Error::Unavailable => Self::Absent("nobody offers a Secret Service".to_owned()),
            Error::NoResult => Self::Absent("it has no default collection".to_owned()),
            Error::Zbus(zbus::Error::MethodError(name, text, _message)) => {
                refused(name.as_str(), text.unwrap_or_default())
            }
            Error::Zbus(zbus::Error::FDO(error)) => Self::from(Error::ZbusFdo(*error)),
            Error::ZbusFdo(zbus::fdo::Error::ZBus(error)) => Self::from(Error::Zbus(error)),
            Error::ZbusFdo(error) => {
                refused(error.name().as_str(), error.description().unwrap_or_default().to_owned())
            }
            error => Self::Broken(error.to_string()),
        }
    }
}

/// What an error on the bus means. Names: D-Bus specification, "Message Bus Messages"; Secret Service API, "Errors".
fn refused(name: &str, text: String) -> Trouble {
    match name.rsplit('.').next() {
        Some("ServiceUnknown" | "NameHasNoOwner") => Trouble::Absent(text),
        _ if name.contains(".Error.Spawn.") => Trouble::Absent(text),
        Some("IsLocked") => Trouble::Locked,
        _ => Trouble::Broken(text),
    }
}

impl Trouble {
    /// For whoever wanted to do something with a secret.
    pub(super) fn problem(&self, doing: &str, help: &str) -> Problem {
        let message = format!("cannot {doing} the system's keyring: {self}");
        let first = match self {
            Self::Locked => "unlock it (log in, or open it in the desktop's program for passwords)",
            Self::Absent(_) => "run the server in a session that has one",
            Self::Silent(_) | Self::Broken(_) => "look at the program that keeps it",
        };
        Problem::operation("storage.keyring", message).help(format!("{first}; {help}"))
    }
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Absent(why) => write!(f, "there is none: {}", start(why)),
            Self::Locked => f.write_str("it is locked"),
            Self::Silent(wait) => write!(f, "it did not answer within {} s", wait.as_secs()),
            Self::Broken(why) => f.write_str(start(why)),
        }
    }
}

/// The first words of what another program says.
fn start(text: &str) -> &str {
    text.char_indices().nth(300).map_or(text, |(end, _)| text.get(..end).unwrap_or_default())
}
