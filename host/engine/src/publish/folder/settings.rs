//! The settings of a folder, and binding one to a repository. No plugin is asked: there is none.

use std::path::{Component as Part, Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value, json};
use wharf_store::model::{Attachment, NewAttachment, Repository};
use wharf_supervisor::Role;

use super::COMPONENT;
use super::decide::{OnConflict, OnDelete};
use crate::engine::Inner;
use crate::instances::settings::{Fault, read_schema, refused};
use crate::instances::{Address, layers};
use crate::problem::Problem;
use crate::repositories::AttachmentView;

/// How a folder is kept.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Settings {
    /// The folder, absolute.
    pub(super) path: PathBuf,
    #[serde(default)]
    pub(super) on_conflict: OnConflict,
    #[serde(default)]
    pub(super) on_delete: OnDelete,
}

fn schema() -> Value {
    json!({
        "type": "object",
        "required": ["path"],
        "additionalProperties": false,
        "properties": {
            "path": {"type": "string", "minLength": 1},
            "on_conflict": {"type": "string", "enum": ["keep-local", "overwrite", "ask"]},
            "on_delete": {"type": "string", "enum": ["keep", "delete-if-unmodified"]},
        },
    })
}

impl Settings {
    /// The settings of a binding, with those of one run.
    pub(super) fn of(
        attachment: &Attachment,
        overriding: &Map<String, Value>,
    ) -> Result<Self, Problem> {
        let stored = attachment.settings.as_object().cloned().unwrap_or_default();
        let mut all = stored;
        if overriding.contains_key("path") {
            let message = "it cannot be different for one run; attach again to change it";
            return Err(refused(&[fault("path", message)]));
        }
        all.extend(overriding.clone());
        let all = read_schema(&schema(), &layers::without_nulls(all))?;
        Ok(serde_json::from_value(Value::Object(all))?)
    }
}

fn fault(field: &str, message: impl Into<String>) -> Fault {
    Fault { field: format!("/{field}"), message: message.into() }
}

impl Inner {
    /// Binds a folder to a repository.
    pub(crate) async fn attach_folder(
        &self,
        address: &Address,
        repository: &Repository,
        given: &Map<String, Value>,
    ) -> Result<AttachmentView, Problem> {
        let mut settings = read_schema(&schema(), given)?;
        let path = settings.get("path").and_then(Value::as_str).unwrap_or_default();
        let path =
            checked(path, &self.config.data).map_err(|why| refused(&[fault("path", why)]))?;
        settings.insert("path".to_owned(), Value::from(path));
        let attachment = self
            .store
            .meta
            .attach(
                repository.id,
                NewAttachment {
                    component: COMPONENT.to_owned(),
                    instance: address.instance.clone(),
                    role: Role::Distributor.to_string(),
                    settings: Value::Object(settings),
                    path: None,
                },
            )
            .await?;
        Ok(AttachmentView::from(attachment))
    }

    /// Settings for one run of a folder, checked as if they were to stay.
    pub(crate) fn folder_override(
        attachment: &Attachment,
        overriding: &Map<String, Value>,
    ) -> Result<(), Problem> {
        Settings::of(attachment, overriding).map(drop)
    }
}

/// An absolute path that has nothing to do with the host's own folder.
fn checked(text: &str, data: &Path) -> Result<String, String> {
    let path = Path::new(text.trim());
    if !path.is_absolute() {
        return Err(format!("{text:?} is not an absolute path; it must begin with \"/\""));
    }
    let parts: Vec<Part<'_>> = path.components().collect();
    if parts.contains(&Part::ParentDir) || text.chars().any(char::is_control) {
        return Err(format!("{text:?} has a part \"..\" or a control character"));
    }
    let path: PathBuf = parts.into_iter().collect();
    if path.starts_with(data) || data.starts_with(&path) {
        return Err(format!(
            "the data folder {} and this one must not lie in each other",
            data.display()
        ));
    }
    Ok(path.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_absolute_and_keeps_away_from_the_data() {
        let data = Path::new("/srv/wharf");
        assert_eq!(checked("/home/u//x/", data).as_deref(), Ok("/home/u/x"));
        for bad in
            ["x", "", "~/x", "/home/../x", "/srv/wharf/blobs", "/srv/wharf", "/srv", "/", "/a\nb"]
        {
            assert!(checked(bad, data).is_err(), "{bad:?}");
        }
    }
}
