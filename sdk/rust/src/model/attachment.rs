//! Instances and attachments: what a call works for, and with which settings.

use serde::de::DeserializeOwned;
use wharf_proto::v1;

use super::from_object;
use crate::Error;

/// A component with settings.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Instance {
    /// The component's id inside the plugin.
    pub component: String,
    /// The instance's name, `default` unless the user made named ones.
    pub name: String,
    /// JSON object, as text: the plugin-wide settings under the instance's own.
    pub settings_text: String,
    /// Names under which [`Context::secret`](crate::Ask::secret) hands out this instance's secrets.
    pub secrets: Vec<String>,
}

impl Instance {
    /// Reads the settings into the author's own type.
    ///
    /// # Errors
    /// A usage error that says what does not fit.
    pub fn settings<T: DeserializeOwned>(&self) -> Result<T, Error> {
        from_object("the instance's settings", &self.settings_text)
    }
}

impl From<v1::Instance> for Instance {
    fn from(wire: v1::Instance) -> Self {
        Self {
            component: wire.component,
            name: wire.name,
            settings_text: wire.settings,
            secrets: wire.secrets,
        }
    }
}

/// An instance bound to a repository.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Attachment {
    /// The instance.
    pub instance: Instance,
    /// The repository's name.
    pub repository: String,
    /// JSON object, as text: the instance's settings under those of the attachment, as `check` normalised them.
    pub settings_text: String,
    /// What [`crate::Done::state`] kept with the last successful run; empty at first.
    pub state: Vec<u8>,
}

impl Attachment {
    /// Reads the effective settings into the author's own type.
    ///
    /// # Errors
    /// A usage error that says what does not fit.
    pub fn settings<T: DeserializeOwned>(&self) -> Result<T, Error> {
        from_object("the attachment's settings", &self.settings_text)
    }

    /// The kept state, read as JSON; `None` at first, and when it is not what this version of the plugin
    /// writes: state is a shortcut, and doing without is always right.
    pub fn state<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&self.state).ok()
    }
}

impl From<v1::Attachment> for Attachment {
    fn from(wire: v1::Attachment) -> Self {
        Self {
            instance: wire.instance.unwrap_or_default().into(),
            repository: wire.repository,
            settings_text: wire.settings,
            state: wire.state,
        }
    }
}
