//! What the image of a target gets besides, as a document of the user's says it: more packages, more repositories.
//!
//! They reach the builder of the system as contributions, before those of hooks. Which ones, the template's crate decides.

use serde::{Deserialize, Serialize};
use wharf_proto::v1;
use wharf_template::TargetContent;

use super::recipe::Recipe;
use crate::problem::Problem;

/// One thing that an image gets.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Addition {
    kind: Kind,
    name: String,
    /// JSON of a repository; empty for a package.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    content: String,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Package,
    Repository,
}

/// A document that was read.
#[derive(Default)]
pub(super) struct Additions(Option<TargetContent>);

impl Additions {
    /// Reads what a user wrote; empty: nothing is added.
    ///
    /// # Errors
    /// `usage.additions`, with everything that is wrong and where.
    pub(super) fn read(text: &str) -> Result<Self, Problem> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let content = TargetContent::read(text.as_bytes()).map_err(|errors| {
            Problem::usage("usage.additions", errors.to_string()).at("the additions")
        })?;
        Ok(Self(Some(content)))
    }

    /// What one target gets.
    pub(super) fn of(&self, target: &str, recipe: &Recipe) -> Result<Vec<Addition>, Problem> {
        let found = self.0.as_ref().and_then(|content| content.of(target, &recipe.os));
        let Some(include) = found else { return Ok(Vec::new()) };
        let mut additions = Vec::new();
        for repository in &include.repositories {
            let content = serde_json::to_string(repository)?;
            let name = repository.name.clone();
            additions.push(Addition { kind: Kind::Repository, name, content });
        }
        additions.extend(include.packages.iter().map(|package| Addition {
            kind: Kind::Package,
            name: package.name.clone(),
            content: String::new(),
        }));
        Ok(additions)
    }
}

impl From<&Addition> for v1::Contribution {
    fn from(addition: &Addition) -> Self {
        let kind = match addition.kind {
            Kind::Package => "package",
            Kind::Repository => "repository",
        };
        Self {
            kind: kind.to_owned(),
            name: addition.name.clone(),
            content: addition.content.clone().into_bytes(),
            order: 0,
        }
    }
}
