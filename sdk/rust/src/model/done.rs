//! The good end of a call.

use serde::Serialize;
use wharf_proto::v1;

use super::{to_json, to_object};
use crate::Error;

/// The good end of a long call: what a method returns when it did its work.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Done {
    pub(crate) wire: v1::Result,
}

impl Done {
    /// Something was done. Whether a new version appears is decided by the host's comparison.
    pub fn changed() -> Self {
        Self { wire: v1::Result { changed: true, ..v1::Result::default() } }
    }

    /// All went well and nothing was changed.
    pub fn unchanged() -> Self {
        Self::default()
    }

    /// Upstream says that nothing is new: the base version stands as it is. Only for `sync`.
    pub fn nothing_to_do() -> Self {
        Self { wire: v1::Result { nothing_to_do: true, ..v1::Result::default() } }
    }

    /// How many units or items upstream announced; the host compares it with what came.
    #[must_use]
    pub fn announced(mut self, count: u64) -> Self {
        self.wire.announced = Some(count);
        self
    }

    /// A struct or map that is shown to the user.
    ///
    /// # Errors
    /// A fault when the value is not a JSON object.
    pub fn summary<T: Serialize + ?Sized>(mut self, summary: &T) -> Result<Self, Error> {
        self.wire.summary = to_object("the summary", summary)?;
        Ok(self)
    }

    /// A struct or map for rules and dependent jobs.
    ///
    /// # Errors
    /// A fault when the value is not a JSON object.
    pub fn outputs<T: Serialize + ?Sized>(mut self, outputs: &T) -> Result<Self, Error> {
        self.wire.outputs = to_object("the outputs", outputs)?;
        Ok(self)
    }

    /// Kept with the attachment if the job succeeds; comes back as [`crate::Attachment::state`].
    ///
    /// # Errors
    /// A fault when the value cannot be written as JSON.
    pub fn state<T: Serialize + ?Sized>(mut self, state: &T) -> Result<Self, Error> {
        self.wire.state = to_json("the state", state)?.into_bytes();
        Ok(self)
    }

    /// As [`Done::state`], in the plugin's own encoding.
    #[must_use]
    pub fn state_bytes(mut self, state: impl Into<Vec<u8>>) -> Self {
        self.wire.state = state.into();
        self
    }

    /// The provider's identifier of what was pushed. Only for `publish` with profile push.
    #[must_use]
    pub fn identifier(mut self, identifier: impl Into<String>) -> Self {
        self.wire.identifier = identifier.into();
        self
    }
}
