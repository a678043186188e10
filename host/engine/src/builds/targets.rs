//! Who builds what: every target that installed components name, and which component a build of it would take.

use std::collections::BTreeSet;

use wharf_supervisor::{Component, Role};

use super::OPERATION;
use super::select::{Candidate, OS, Wanted, candidates, knows, pushes};
use crate::engine::{Engine, Inner};
use crate::problem::Problem;
use crate::pushes::PROVIDER_TYPE;

/// Stands for anything.
const ANY: &str = "*";

/// A target, and who builds for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetView {
    /// The target: a name, or name, version and architecture of a system, where `*` stands for anything.
    pub target: String,
    /// base, target, push or snapshot.
    pub stage: String,
    /// Components that build it, the one that is taken first.
    pub components: Vec<ComponentTargets>,
}

/// A component of a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComponentTargets {
    /// Its address.
    pub component: String,
    /// Why it stands where it does.
    pub because: String,
}

impl Engine {
    /// What can be built, and by whom, and who brings it to a provider.
    pub fn targets(&self) -> Vec<TargetView> {
        let mut targets = self.built();
        targets.extend(self.pushed());
        targets.extend(self.snapshots());
        targets
    }

    fn pushed(&self) -> impl Iterator<Item = TargetView> {
        let engine = &self.inner;
        let mut wanted: Vec<String> = Vec::new();
        for (_address, component) in engine.usable_components().filter(|it| pushes(it.1)) {
            let patterns = component.targets.iter().filter_map(words);
            wanted.extend(patterns.map(|words| words.join(" ")));
            wanted.extend(component.targets.is_empty().then(|| ANY.to_owned()));
        }
        wanted.sort_unstable();
        wanted.dedup();
        wanted.into_iter().map(|target| {
            let found = candidates(Wanted::Push(&target), engine.usable_components());
            let components = found.into_iter().map(|candidate| ComponentTargets {
                component: candidate.address,
                because: "takes it; --push INSTANCE names the provider".to_owned(),
            });
            TargetView { components: components.collect(), stage: "push".to_owned(), target }
        })
    }

    /// What providers make themselves: each by builders of the plugin that knows it.
    fn snapshots(&self) -> impl Iterator<Item = TargetView> {
        let engine = &self.inner;
        let mut wanted: Vec<(String, &str)> = Vec::new();
        for plugin in engine.usable_plugins() {
            let components = &plugin.manifest.components;
            let makes = |it: &&Component| it.produces.iter().any(|kind| kind == PROVIDER_TYPE);
            let patterns = components.iter().filter(makes).flat_map(|it| &it.targets);
            let name = plugin.manifest.name.as_str();
            wanted.extend(patterns.filter_map(words).map(|words| (words.join(" "), name)));
        }
        wanted.sort_unstable();
        wanted.dedup();
        wanted.into_iter().map(|(target, plugin)| {
            let asked = Wanted::Snapshot { target: &target, plugin };
            let found = candidates(asked, engine.usable_components());
            let components = found.into_iter().map(|candidate| ComponentTargets {
                component: candidate.address,
                because: "has it made; --snapshot INSTANCE names the provider".to_owned(),
            });
            TargetView { components: components.collect(), stage: "snapshot".to_owned(), target }
        })
    }

    fn built(&self) -> Vec<TargetView> {
        let engine = &self.inner;
        let mut wanted: Vec<(bool, Vec<String>)> = Vec::new();
        for (_address, component) in engine.usable_components() {
            let base = component.profile == OS;
            let patterns = component.targets.iter().filter_map(words);
            let patterns = patterns.filter(|_| component.offers(OPERATION));
            wanted.extend(patterns.map(|words| (base, words)));
        }
        wanted.sort_by(|left, right| (!left.0, &left.1).cmp(&(!right.0, &right.1)));
        wanted.dedup();
        let view = |(base, words): (bool, Vec<String>)| {
            let word = |place: usize| words.get(place).map_or(ANY, String::as_str);
            let asked = if base {
                Wanted::Base([word(0), word(1), word(2)])
            } else {
                Wanted::Target(word(0))
            };
            let found = candidates(asked, engine.usable_components());
            TargetView {
                target: words.join(" "),
                stage: if base { "base" } else { "target" }.to_owned(),
                components: ranked(&found),
            }
        };
        // Some targets are only ever made at providers.
        wanted.into_iter().map(view).filter(|view| !view.components.is_empty()).collect()
    }
}

impl Inner {
    /// Refuses a target that nobody builds for, or brings somewhere by its name. Where no builder is installed, nobody
    /// can tell.
    pub(crate) fn check_target(&self, target: &str) -> Result<(), Problem> {
        let components = || self.usable_components().map(|it| it.1).filter(|it| it.profile != OS);
        let builds = components().any(|it| it.role == Role::Builder);
        if !builds || components().any(|it| knows(it, target)) {
            return Ok(());
        }
        let patterns = components().flat_map(|it| &it.targets).filter_map(words);
        let known: BTreeSet<String> =
            patterns.map(|it| it.join(" ")).filter(|it| it != ANY).collect();
        let known = known.into_iter().collect::<Vec<_>>().join(", ");
        let message = format!("no installed plugin knows the target {target:?}");
        Err(Problem::usage("usage.image", message)
            .help(format!("known are {known}; `wharf targets` tells by whom")))
    }
}

/// A pattern in words; null is `*`.
pub(crate) fn words(pattern: &serde_json::Value) -> Option<Vec<String>> {
    match pattern {
        serde_json::Value::String(name) => Some(vec![name.clone()]),
        serde_json::Value::Array(positions) => {
            let word = |it: &serde_json::Value| it.as_str().unwrap_or(ANY).to_owned();
            Some(positions.iter().map(word).collect())
        }
        _ => None,
    }
}

fn ranked(found: &[Candidate<'_>]) -> Vec<ComponentTargets> {
    let because = |place: usize, candidate: &Candidate<'_>| {
        let next = found.get(place + 1).filter(|next| candidate.ties(next));
        match (place, next) {
            (0, None) if found.len() == 1 => "the only one".to_owned(),
            (0, None) => "fits best".to_owned(),
            (0, Some(next)) => {
                format!("first by name; {} fits as well, --builder takes it", next.address)
            }
            _ => "fits too; --builder takes it".to_owned(),
        }
    };
    let ranked = found.iter().enumerate().map(|(place, candidate)| ComponentTargets {
        component: candidate.address.clone(),
        because: because(place, candidate),
    });
    ranked.collect()
}
