//! The template of a build in its one form, and what the host itself reads in it: the image's name and the system.

use std::io::Read as _;

use serde_json::Value;
use wharf_store::model::UnitId;
pub(super) use wharf_template::MEDIA_TYPE;
use wharf_template::{Form, Os, Template};

use super::BASE_TYPE;
use crate::engine::Inner;
use crate::problem::Problem;
use crate::staging;

/// The file of a base image that holds its template.
pub(super) const FILE: &str = "template.json";
/// The longest template in its one form, in bytes; it travels in one message.
const MAX_TEXT: usize = 512 << 10;

/// A template that was read.
pub(super) struct Recipe {
    pub(super) name: String,
    pub(super) os: Os,
    /// JSON.
    pub(super) text: String,
}

impl Recipe {
    /// Reads what a user wrote.
    ///
    /// # Errors
    /// `usage.template`, with everything that is wrong and where.
    pub(super) fn read(name: &str, text: &str) -> Result<Self, Problem> {
        let bytes = text.as_bytes();
        let template = Template::read(bytes, Form::of(name, bytes)).map_err(|errors| {
            Problem::usage("usage.template", errors.to_string()).at(if name.is_empty() {
                "the template"
            } else {
                name
            })
        })?;
        let text = serde_json::to_string(&template)?;
        if text.len() > MAX_TEXT {
            let message =
                format!("the template has {} bytes as JSON, at most {MAX_TEXT} may be", text.len());
            return Err(Problem::usage("limit.template", message)
                .at(name)
                .help("give large files by their addresses: type=\"url\""));
        }
        Ok(Self { name: template.name, os: template.os, text })
    }

    /// Name, version and architecture of the system.
    pub(super) fn system(&self) -> [&str; 3] {
        [&self.os.name, &self.os.version, &self.os.arch]
    }

    /// The template that a base image was made from.
    ///
    /// # Errors
    /// `not_found.unit`; `usage.base` when the unit is no base image, or its template is not kept.
    pub(super) async fn of_base(engine: &Inner, unit: i64) -> Result<Self, Problem> {
        let found = engine.store.meta.units_by_id(vec![UnitId(unit)], true).await?.pop();
        let found = found.ok_or_else(|| {
            Problem::usage("not_found.unit", format!("there is no unit {unit}"))
                .help("`wharf image list` shows images and their numbers")
        })?;
        let refused = |why: &str| Problem::usage("usage.base", format!("unit {unit} {why}"));
        if engine.types.name(found.type_id).as_deref() != Some(BASE_TYPE) {
            return Err(refused("is no base image"));
        }
        let file = found.files.iter().find(|file| file.path.as_str() == FILE);
        let digest = file.and_then(|file| file.sha256).ok_or_else(|| refused("has no template"))?;
        let (file, size) = engine
            .store
            .blobs
            .open(digest)
            .await?
            .ok_or_else(|| refused("has lost its template"))?;
        let text = staging::blocking(move || {
            let mut text = String::new();
            let read = file.take(size.min(MAX_TEXT as u64)).read_to_string(&mut text);
            read.map_err(|error| Problem::operation("storage.read", error.to_string()))?;
            Ok(text)
        });
        Self::read(FILE, &text.await?)
    }
}

/// A template's JSON, for those who need not learn its passwords.
pub(super) fn without_passwords(text: &str) -> Result<Value, Problem> {
    let mut template: Value = serde_json::from_str(text)?;
    if let Some(os) = template.get_mut("os").and_then(Value::as_object_mut) {
        os.remove("rootpw");
        os.remove("key");
    }
    Ok(template)
}
