//! What is attached to a repository: where its content comes from, where it goes.

use super::{AttachmentId, PublicationId, RepositoryId};

/// A component bound to a repository.
#[derive(Debug, Clone, PartialEq)]
pub struct Attachment {
    /// Its number; stays when it is attached again.
    pub id: AttachmentId,
    /// The repository.
    pub repository: RepositoryId,
    /// The component's address: `file.importer`.
    pub component: String,
    /// The instance of the component; "default" if there is one only.
    pub instance: String,
    /// importer, distributor, ...
    pub role: String,
    /// A JSON object.
    pub settings: serde_json::Value,
    /// The settings of its instance, which lie under its own: a JSON object. None: the instance has none.
    pub instance_settings: Option<serde_json::Value>,
    /// When the settings were last changed: milliseconds since 1970.
    pub settings_changed_ms: i64,
    /// What the last run that finished kept for the next one.
    pub state: Vec<u8>,
    /// The last run that finished.
    pub last: Option<LastRun>,
    /// What is published now.
    pub publication: Option<PublicationId>,
    /// Where it is published.
    pub path: Option<String>,
}

impl Attachment {
    /// Its address: `file.importer`, with `@INSTANCE` when it is not the only one.
    pub fn address(&self) -> String {
        match self.instance.as_str() {
            "default" => self.component.clone(),
            instance => format!("{}@{instance}", self.component),
        }
    }
}

/// The last run of an attachment that finished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastRun {
    /// Milliseconds since 1970.
    pub finished_ms: i64,
    /// The repository's version after it, or the version that was published.
    pub version: u64,
    /// succeeded or partial.
    pub outcome: String,
    /// Of the settings that it ran with.
    pub settings_digest: String,
}

/// A component to be bound to a repository.
#[derive(Debug, Clone, PartialEq)]
pub struct NewAttachment {
    /// The component's address: `file.importer`.
    pub component: String,
    /// The instance of the component.
    pub instance: String,
    /// importer, distributor, ...
    pub role: String,
    /// A JSON object.
    pub settings: serde_json::Value,
    /// Where it is to be published; only distributors have a path.
    pub path: Option<super::RelativePath>,
}
