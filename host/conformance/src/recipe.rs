//! What a build is asked for, as a sample says it: stage, template, target, what hooks gave, and the image of the stage before.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value};
use wharf_proto::v1;

use crate::verdict::{Finding, Verdict};

/// The form in which a host hands out templates. Source: proto/README.md, section 14.
const TEMPLATE: &str = "application/vnd.wharf.template+json";

/// The recipe of a component's builds.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Recipe {
    stage: Stage,
    /// A file that holds the template.
    template: Option<PathBuf>,
    target: Target,
    parent: Option<Parent>,
    contributions: Vec<Contribution>,
    #[serde(skip)]
    content: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Stage {
    #[default]
    Base,
    Target,
    Snapshot,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Target {
    name: String,
    version: String,
    architecture: String,
}

/// The unit of the stage before.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Parent {
    r#type: String,
    attributes: Map<String, Value>,
    /// Paths in the unit, and the files that hold their bytes.
    files: BTreeMap<String, PathBuf>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Contribution {
    kind: String,
    name: String,
    #[serde(default)]
    content: String,
}

impl Recipe {
    /// Reads the template, and makes all places those of this machine.
    ///
    /// # Errors
    /// The template that cannot be read, and why.
    pub(crate) fn settle(&mut self, folder: &Path) -> Result<(), String> {
        if let Some(template) = &self.template {
            let place = folder.join(template);
            let content = fs::read(&place);
            self.content =
                content.map_err(|error| format!("\"template\" {}: {error}", place.display()))?;
        }
        for place in self.parent.iter_mut().flat_map(|parent| parent.files.values_mut()) {
            *place = folder.join(&*place);
        }
        Ok(())
    }

    /// Whether somebody thought of it.
    pub(crate) fn is_given(&self) -> bool {
        self.template.is_some() || self.parent.is_some()
    }

    /// What the request says besides context, instance, parameters and parent.
    pub(crate) fn request(&self) -> v1::BuildRequest {
        let stage = match self.stage {
            Stage::Base => v1::Stage::Base,
            Stage::Target => v1::Stage::Target,
            Stage::Snapshot => v1::Stage::Snapshot,
        };
        let Target { name, version, architecture } = self.target.clone();
        let contributions = self.contributions.iter().map(|given| v1::Contribution {
            kind: given.kind.clone(),
            name: given.name.clone(),
            content: given.content.clone().into_bytes(),
            order: 0,
        });
        v1::BuildRequest {
            stage: stage.into(),
            template: Some(v1::Template {
                media_type: TEMPLATE.to_owned(),
                content: self.content.clone(),
            }),
            target: Some(v1::Target { name, version, architecture }),
            contributions: contributions.collect(),
            ..v1::BuildRequest::default()
        }
    }

    /// The unit of the stage before, its files copied into a job's folder: they are the plugin's to change.
    pub(crate) fn stage_parent(&self, job: &Path) -> Verdict<Option<v1::Unit>> {
        let Some(parent) = &self.parent else { return Ok(None) };
        let mut files = Vec::new();
        for (number, (path, place)) in parent.files.iter().enumerate() {
            let staged = format!("parent-{number}");
            let bytes = fs::copy(place, job.join(&staged)).map_err(|error| Finding::Skipped {
                reason: format!("{} cannot be staged: {error}", place.display()),
                hint: "mend \"parent\" in verify.json".to_owned(),
            })?;
            let (path, size) = (path.clone(), Some(bytes));
            files.push(v1::File { path, size, staged: Some(staged), ..v1::File::default() });
        }
        Ok(Some(v1::Unit {
            id: 1,
            r#type: parent.r#type.clone(),
            key: "{}".to_owned(),
            attributes: Value::Object(parent.attributes.clone()).to_string(),
            files,
            links: Vec::new(),
        }))
    }
}
