//! What an image gets in addition when it is made for a certain target.
//!
//! An XML document of `include` elements, with packages and repositories as in TDL. The attributes `target`, `os`,
//! `version` and `arch` say what it is for; each may be left out, but only if those after it are, and without any it is
//! for everything. The one with the most attributes counts, the first of equals.

use roxmltree::Node as Element;

use crate::check;
use crate::fields::Fields;
use crate::forms;
use crate::model::{Os, Package, Repository, Template};
use crate::node::{Node, Value};
use crate::problem::Problems;
use crate::tdl::{self, PACKAGES, REPOSITORIES, Shape, Walk};

const ATTRIBUTES: [&str; 4] = ["target", "os", "version", "arch"];

static INCLUDE: Shape = Shape::Record {
    attributes: &ATTRIBUTES,
    children: &[("packages", PACKAGES), ("repositories", REPOSITORIES)],
    repeated: &[],
    content: false,
};

/// Additions for targets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TargetContent {
    includes: Vec<Include>,
}

/// What is added for one target, or for several.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Include {
    /// Target, system, version, architecture: the first so many of them.
    pub prefix: Vec<String>,
    /// More packages.
    pub packages: Vec<Package>,
    /// More repositories.
    pub repositories: Vec<Repository>,
}

impl TargetContent {
    /// Reads a document.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn read(content: &[u8]) -> Result<Self, Problems> {
        let mut problems = Problems::default();
        let includes = forms::text(content, &mut problems).and_then(|text| {
            tdl::parse(text, &mut problems).map(|document| includes(&document, &mut problems))
        });
        problems.or(includes.map(|includes| Self { includes }))
    }

    /// What is added to a system made for a target.
    pub fn of(&self, target: &str, os: &Os) -> Option<&Include> {
        let wanted = [target, &os.name, &os.version, &os.arch];
        let fits = |include: &&Include| include.prefix.iter().zip(wanted).all(|(a, b)| a == b);
        let mut best: Option<&Include> = None;
        for include in self.includes.iter().filter(fits) {
            if best.is_none_or(|best| include.prefix.len() > best.prefix.len()) {
                best = Some(include);
            }
        }
        best
    }
}

impl Include {
    /// Adds it to a template. A package or repository takes the place of one of the same name.
    pub fn add_to(&self, template: &mut Template) {
        let added = |name: &str| self.repositories.iter().any(|one| one.name == name);
        template.repositories.retain(|one| !added(&one.name));
        template.repositories.extend(self.repositories.iter().cloned());
        let added = |name: &str| self.packages.iter().any(|one| one.name == name);
        template.packages.retain(|one| !added(&one.name));
        template.packages.extend(self.packages.iter().cloned());
    }
}

fn includes(document: &roxmltree::Document<'_>, problems: &mut Problems) -> Vec<Include> {
    let mut nodes = Vec::new();
    let mut walk = Walk::of(document, problems);
    for element in document.root_element().children().filter(Element::is_element) {
        if element.has_tag_name("include") {
            let path = format!("include/{}", nodes.len() + 1);
            nodes.push((walk.node(element, &INCLUDE, &path), path));
        } else {
            let name = element.tag_name().name();
            walk.problem(element, name, "expected the element include");
        }
    }
    nodes.into_iter().map(|(node, path)| include(node, &path, problems)).collect()
}

fn include(node: Node, path: &str, problems: &mut Problems) -> Include {
    let mut fields = Fields::of(node, path, problems);
    let mut prefix = Vec::new();
    for (place, name) in ATTRIBUTES.into_iter().enumerate() {
        match fields.take(name) {
            Some(Node { value: Value::Text(text), .. }) if prefix.len() == place => {
                prefix.push(text);
            }
            Some(node) => {
                let message = format!(
                    "needs {} as well",
                    ATTRIBUTES.get(..place).unwrap_or_default().join(", ")
                );
                fields.problem(node.place, name, message);
            }
            None => {}
        }
    }
    let packages = check::packages(&mut fields).into_iter().map(|(package, _)| package).collect();
    let repositories = check::repositories(&mut fields);
    fields.finish();
    Include { prefix, packages, repositories }
}
