//! Wire ↔ model. Messages of the contract end here; nothing behind this module knows them.

mod errors;
mod events;
mod units;

use wharf_proto::v1;
use wharf_store::model::{Attachment, Repository};

use crate::instances::PluginSettings;
use crate::instances::settings::{Mode, Policy};
use crate::problem::Problem;

pub(crate) use errors::problem;
pub(crate) use events::{not_driven, tell, tell_item};
pub(crate) use units::{
    Bytes, Pending, PendingFile, changed_unit, key_digests, new_unit, note_modified, pending,
    store_source, wire_unit,
};

/// A binding, as a plugin is told of it.
pub(crate) fn attachment(
    component: &str,
    attachment: &Attachment,
    repository: &Repository,
    settings: &PluginSettings,
    state: Vec<u8>,
) -> v1::Attachment {
    v1::Attachment {
        instance: Some(v1::Instance {
            component: component.to_owned(),
            name: attachment.instance.clone(),
            settings: settings.of_instance.clone(),
            secrets: settings.secrets.iter().cloned().collect(),
        }),
        repository: repository.name.to_string(),
        settings: settings.text.clone(),
        state,
    }
}

pub(crate) fn mode(mode: Mode) -> v1::Mode {
    match mode {
        Mode::Mirror => v1::Mode::Mirror,
        Mode::Additive => v1::Mode::Additive,
    }
}

pub(crate) fn policy(policy: Policy) -> v1::Policy {
    match policy {
        Policy::Immediate => v1::Policy::Immediate,
        Policy::OnDemand => v1::Policy::OnDemand,
        Policy::Streamed => v1::Policy::Streamed,
    }
}

/// Reads a field of the contract that holds a JSON object, or nothing.
pub(crate) fn json_object(text: &str, field: &str) -> Result<Option<serde_json::Value>, Problem> {
    if text.is_empty() {
        return Ok(None);
    }
    match serde_json::from_str(text) {
        Ok(value @ serde_json::Value::Object(_)) => Ok(Some(value)),
        Ok(_) => Err(Problem::protocol(format!("{field} is not a JSON object"))),
        Err(error) => Err(Problem::protocol(format!("{field} is not JSON: {error}"))),
    }
}
