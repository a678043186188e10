//! Stage target: what a target adds to a base, as contributions.
//!
//! `file` (name: its path), `command`, `package` (name) and `repository` (content: as in a template's canonical JSON) come
//! from hooks and from the target's additions. Without any the base is handed on as it is.

use serde::Deserialize;
use wharf_sdk::{BuildRequest, Contribution, Error, File, Unit};
use wharf_template::{Form, Repository, Template};

use super::{Build, TREE, packages, path_text, text};
use crate::bootstrap::Bootstrap;
use crate::request::Boot;
use crate::steps::Steps;

/// What is read of a parent.
#[derive(Deserialize)]
struct Parent {
    boot: Option<Boot>,
}

/// What is added, sorted by kind.
#[derive(Default)]
pub(super) struct Additions {
    pub(super) packages: Vec<String>,
    pub(super) repositories: Vec<Repository>,
}

impl Build<'_> {
    pub(super) async fn target(&mut self, request: &BuildRequest) -> Result<Unit, Error> {
        let parent = request.parent.as_ref();
        let parent =
            parent.ok_or_else(|| Error::fault("protocol.parent", "a target has a parent"))?;
        if request.contributions.is_empty() {
            return Ok(as_it_is(parent));
        }
        let tree = request.parent_file(TREE).ok_or_else(|| {
            let message = format!("the base image has no {TREE}, so nothing can be added to it: build it with image-os");
            Error::usage("config.parent", message)
        })?;
        let known: Parent = parent.read_attributes()?;
        self.recipe.parameters.boot = known.boot.unwrap_or(self.recipe.parameters.boot);
        let steps = self.steps()?;
        steps.write("parent", &path_text(&self.context.in_work_dir(tree)))?;
        let additions = self.additions(&steps, &request.contributions)?;
        let fetches = !additions.packages.is_empty();
        let options = self.repositories(&steps, &additions.repositories)?;
        let now = self.sources(&additions.repositories)?;
        steps.write("sources.now", &text(&now))?;
        steps.write("packages", &text(&additions.packages))?;
        let bootstrap = Bootstrap {
            recipe: &self.recipe,
            system: &self.system,
            sandbox: self.sandbox,
            steps: &steps,
            sources: &now,
            options: &options,
            include: &[],
            has_parent: true,
            fetches,
        };
        bootstrap.run(self.context, &self.archive()).await?;
        self.finish("image_target", &steps).await
    }

    pub(super) fn additions(
        &self,
        steps: &Steps,
        given: &[Contribution],
    ) -> Result<Additions, Error> {
        let mut additions = Additions::default();
        for one in given {
            match one.kind.as_str() {
                "file" => steps.file_of("files", &one.name, &one.content)?,
                "command" => steps.script_of("commands", &one.name, &one.content)?,
                "package" => additions.packages.push(packages::name(&one.name)?),
                "repository" => additions.repositories.push(self.repository(one)?),
                // Arguments are for whoever comes next.
                _ => {}
            }
        }
        Ok(additions)
    }

    /// Reads a repository as a template's own are read.
    fn repository(&self, given: &Contribution) -> Result<Repository, Error> {
        let wrong = |why: &dyn std::fmt::Display| {
            let message =
                format!("the repository {:?} that was added cannot be used: {why}", given.name);
            Error::usage("config.repository", message)
        };
        let one: serde_json::Value =
            serde_json::from_slice(&given.content).map_err(|e| wrong(&e))?;
        let template = self.recipe.template.to_json();
        let mut template: serde_json::Value =
            serde_json::from_str(&template).map_err(|e| wrong(&e))?;
        template["repositories"] = serde_json::Value::Array(vec![one]);
        template["packages"] = serde_json::Value::Array(Vec::new());
        let template = Template::read(template.to_string().as_bytes(), Form::Json);
        let mut template = template.map_err(|problems| wrong(&problems))?;
        template.repositories.pop().ok_or_else(|| wrong(&"there is none"))
    }
}

/// The base itself, whoever made it.
fn as_it_is(parent: &Unit) -> Unit {
    let unit = Unit::new("image_target").key_json("{}").attributes_json(parent.attributes_text());
    let staged = parent.files().filter_map(|file| Some((file.path(), file.staged_path()?)));
    staged.fold(unit, |unit, (path, staged)| unit.file(File::at(path).staged(staged)))
}
