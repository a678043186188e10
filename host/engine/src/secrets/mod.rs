//! Secrets by reference: settings hold the name of one, and the value lies in the system's `keyring` or in `folder`,
//! encrypted, for this host alone; `place` knows where.
//!
//! The way through: `wharf secret set` hands a value to [`Engine::set_secret`]; a schema marks a setting as a secret
//! (`instances::schema`); a call of a plugin is granted the names that its own settings hold, and asks for values by
//! `Host.GetSecret` (`host_service::secret`), which counts them (`audit`). From then on the value is kept out of logs,
//! records and answers (`redact`). A value is read anew each time: one that was changed counts with the next call.
//!
//! Never gives a value to anybody but a plugin's running call.

mod audit;
mod folder;
mod keyring;
mod place;
mod redact;

use std::path::Path;
use std::sync::Arc;

pub(crate) use self::audit::Audit;
use self::folder::SecretFolder;
use self::place::Places;
pub use self::place::{KeptIn, SecretPlace, SecretsConfig};
pub(crate) use self::redact::Redactor;
use crate::engine::{Engine, Inner};
use crate::instances::{CheckReport, schema};
use crate::problem::Problem;
use crate::staging::blocking;
use wharf_store::model::JobId;

/// The largest value.
const MAX_VALUE: usize = 64 << 10;

/// A secret, as everyone may know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretView {
    /// Its name on this host.
    pub name: String,
    /// When it was last set: milliseconds since 1970.
    pub set_ms: i64,
    /// Where its value lies.
    pub kept_in: KeptIn,
    /// Instances and attachments whose settings name it, and jobs whose callbacks it signs.
    pub used_by: Vec<String>,
}

/// The secrets of a data folder. A cheap handle.
#[derive(Clone)]
pub(crate) struct Secrets {
    places: Arc<Places>,
    pub(crate) redactor: Redactor,
}

impl Secrets {
    pub(crate) async fn open(data: &Path, config: &SecretsConfig) -> Result<Self, Problem> {
        let data = data.to_owned();
        let folder = blocking(move || SecretFolder::open(&data)).await?;
        let places = Arc::new(Places::new(folder, config));
        Ok(Self { places, redactor: Redactor::default() })
    }

    /// The value of a secret, which is not shown to anybody from now on.
    pub(crate) async fn get(&self, name: &str) -> Result<Vec<u8>, Problem> {
        let value = self.places.get(name).await?.ok_or_else(|| unknown(name))?;
        self.redactor.learn(&value);
        Ok(value)
    }

    /// Whether there is a secret of this name.
    pub(crate) async fn has(&self, name: &str) -> Result<bool, Problem> {
        self.places.has(name).await
    }
}

/// Whether a text can name a secret: it becomes part of a path.
pub(crate) fn is_name(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=64).contains(&text.len()) && !text.starts_with(['.', '-']) && text.bytes().all(fits)
}

fn random<const N: usize>() -> Result<[u8; N], Problem> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

fn bad_name(name: &str) -> Problem {
    let shown: String = name.chars().take(80).collect();
    Problem::usage(
        "usage.name",
        format!(
            "{shown:?} is no name for a secret: use 1 to 64 of A-Z a-z 0-9 . _ -, neither . nor - first"
        ),
    )
}

fn unknown(name: &str) -> Problem {
    let shown: String = name.chars().take(80).collect();
    Problem::usage("not_found.secret", format!("there is no secret {shown:?}")).help(format!(
        "`wharf secret set {shown}` keeps one, `wharf secret list` shows those there are"
    ))
}

impl Engine {
    /// All secrets, by name, without their values.
    ///
    /// # Errors
    /// `storage.*`.
    pub async fn secrets(&self) -> Result<Vec<SecretView>, Problem> {
        let mut views = Vec::new();
        for (name, set_ms, kept_in) in self.inner.secrets.places.list().await? {
            let used_by = self.inner.users_of_secret(&name).await?;
            let used_by = used_by.into_iter().map(|user| user.to_string()).collect();
            views.push(SecretView { name, set_ms, kept_in, used_by });
        }
        Ok(views)
    }

    /// Keeps a value under a name, and says where; one that was there is replaced.
    ///
    /// # Errors
    /// `usage.name`, `usage.secret` for an empty value or one of more than 64 KiB, `storage.*`; of these
    /// `storage.keyring` when there is a keyring that is locked or does not answer.
    pub async fn set_secret(&self, name: &str, value: Vec<u8>) -> Result<KeptIn, Problem> {
        if value.is_empty() || value.len() > MAX_VALUE {
            let message = format!("a secret has 1 to {MAX_VALUE} bytes");
            return Err(Problem::usage("usage.secret", message));
        }
        let secrets = &self.inner.secrets;
        secrets.redactor.learn(&value);
        let kept_in = secrets.places.set(name, value).await?;
        tracing::info!(name, ?kept_in, "a secret was set");
        Ok(kept_in)
    }

    /// Takes a secret away for good; one that settings name, or that lies in a keyring out of reach, only by force.
    ///
    /// # Errors
    /// `not_found.secret`, `conflict.in_use`, `storage.*`.
    pub async fn forget_secret(&self, name: &str, force: bool) -> Result<(), Problem> {
        let users = self.inner.users_of_secret(name).await?;
        if !users.is_empty() && !force {
            let is_waited_for = users.iter().any(|user| matches!(user, User::Job(_)));
            let users: Vec<String> = users.iter().map(ToString::to_string).collect();
            let message = format!("the secret \"{name}\" is used by {}", users.join(", "));
            let help = if is_waited_for {
                format!(
                    "callbacks keep theirs until they are sent: wait for them, give it another value by wharf secret set {name}, or add --force: they fail until it is set again"
                )
            } else {
                "give them another one first, or add --force: they fail until then".to_owned()
            };
            return Err(Problem::usage("conflict.in_use", message).help(help));
        }
        if self.inner.secrets.places.forget(name, force).await? {
            tracing::info!(name, "a secret was forgotten");
            Ok(())
        } else {
            Err(unknown(name))
        }
    }

    /// Has the plugins of all settings that name a secret check them, with it. Empty: nothing names it.
    ///
    /// # Errors
    /// `not_found.secret`, and what a plugin could not even be asked for.
    pub async fn test_secret(&self, name: &str) -> Result<Vec<CheckReport>, Problem> {
        if !self.inner.secrets.has(name).await? {
            return Err(unknown(name));
        }
        let mut reports = Vec::new();
        for user in self.inner.users_of_secret(name).await? {
            reports.push(match &user {
                User::Instance { name, .. } => self.check_instance(name).await?,
                User::Attachment { repository, attachment } => {
                    self.inner.check_attachment(repository, attachment).await?
                }
                // Only the receiver could say whether it is the right one.
                User::Job(_) => continue,
            });
        }
        Ok(reports)
    }
}

/// Whose settings name a secret.
pub(crate) enum User {
    Instance {
        name: String,
        component: String,
    },
    Attachment {
        repository: Box<wharf_store::model::Repository>,
        attachment: Box<wharf_store::model::Attachment>,
    },
    /// A job whose callbacks are signed with it.
    Job(JobId),
}

impl std::fmt::Display for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Instance { name, component } => write!(f, "{component}@{name}"),
            Self::Attachment { repository, attachment } => {
                write!(f, "{} of {}", attachment.address(), repository.name)
            }
            Self::Job(id) => write!(f, "callbacks of job {id}"),
        }
    }
}

impl Inner {
    async fn users_of_secret(&self, name: &str) -> Result<Vec<User>, Problem> {
        let mut users = Vec::new();
        for instance in self.store.meta.instances().await? {
            if self.names_secret(&instance.component, &instance.settings, name) {
                let (name, component) = (instance.name, instance.component);
                users.push(User::Instance { name, component });
            }
        }
        for repository in self.store.meta.repositories().await? {
            for attachment in self.store.meta.attachments(repository.id).await? {
                if self.names_secret(&attachment.component, &attachment.settings, name) {
                    let (repository, attachment) =
                        (Box::new(repository.clone()), Box::new(attachment));
                    users.push(User::Attachment { repository, attachment });
                }
            }
        }
        users.extend(self.store.meta.jobs_signed_with(name).await?.into_iter().map(User::Job));
        Ok(users)
    }

    fn names_secret(&self, component: &str, settings: &serde_json::Value, name: &str) -> bool {
        let found = self.catalog.component(component);
        let schema = found.and_then(|(_plugin, component)| schema::effective(component));
        let named = |settings| schema::secrets(schema.as_ref(), settings).any(|(_, it)| it == name);
        settings.as_object().is_some_and(named)
    }
}
