//! The component of each stage, with its settings and the parameters that are its own.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value};
use wharf_supervisor::{Component, Installed, Role};

use super::order::Stage;
use super::recipe::Recipe;
use super::select::{Wanted, candidates};
use super::{BuildOptions, TARGET_TYPE};
use crate::engine::Inner;
use crate::instances::settings::{Fault, read_schema, refused};
use crate::instances::{Address, schema};
use crate::problem::Problem;
use crate::pushes::Plan;

/// A component that has a part in a build.
pub(super) struct Chosen {
    /// `PLUGIN.COMPONENT`, with `@INSTANCE` where there are several.
    pub(super) address: String,
    /// Of the plugin.
    pub(super) version: String,
    /// Of the instance.
    pub(super) settings: Map<String, Value>,
    pub(super) parameters: Map<String, Value>,
}

/// One image's builder, and the components that have a hook before or after it.
pub(super) struct Staged {
    pub(super) by: Chosen,
    pub(super) hooks: Vec<Chosen>,
}

/// Who has which part in a build.
pub(super) struct Choices {
    pub(super) base: Option<Staged>,
    /// Who makes bases ready for targets, if the builder of such systems can.
    pub(super) customiser: Option<Chosen>,
    /// In the order of the targets.
    pub(super) targets: Vec<Staged>,
}

impl Choices {
    /// Chooses for the base, if one may have to be made, and for every target. `provider`: the plugin of the provider that
    /// makes the images of targets itself.
    pub(super) async fn make(
        engine: &Inner,
        recipe: &Recipe,
        (targets, with_base, provider, plan): (&[String], bool, Option<&str>, &Plan<'_>),
        options: &BuildOptions,
    ) -> Result<Self, Problem> {
        let system = Wanted::Base(recipe.system());
        let mut pins = Pins::read(engine, &options.builders)?;
        let base = if with_base { Some(pins.choose(engine, system)?) } else { None };
        let mut cloud = Vec::with_capacity(targets.len());
        for target in targets {
            let wanted = match provider {
                None => Wanted::Target(target),
                Some(plugin) => Wanted::Snapshot { target, plugin },
            };
            cloud.push(pins.choose(engine, wanted)?);
        }
        let stage = if provider.is_none() { Stage::Target } else { Stage::Snapshot };
        let customised = stage == Stage::Target && !targets.is_empty();
        let customiser = if customised { pins.customiser(engine, system) } else { None };
        pins.all_used()?;
        let mut stages = Vec::with_capacity(targets.len() + 1);
        if let Some(by) = base {
            stages.push((hooks_of(engine, Stage::Base, "").await?, by));
        }
        for (target, by) in std::iter::zip(targets, cloud) {
            stages.push((hooks_of(engine, stage, target).await?, by));
        }
        let parts = stages.iter().flat_map(|(hooks, by)| hooks.iter().chain(std::iter::once(by)));
        let components = parts.chain(&customiser).map(|(_, _, component)| *component);
        let given = &options.parameters;
        all_known(given, &components.collect::<Vec<_>>(), plan)?;
        let mut staged = Vec::with_capacity(stages.len());
        for stage in stages {
            staged.push(engine.staged(stage, given).await?);
        }
        let customiser = match customiser {
            Some(found) => Some(engine.chosen(found, given).await?),
            None => None,
        };
        let base = if with_base { Some(staged.remove(0)) } else { None };
        Ok(Self { base, customiser, targets: staged })
    }
}

/// The components that have a hook before or after the making of an image, each once.
async fn hooks_of<'a>(
    engine: &'a Inner,
    stage: Stage,
    target: &str,
) -> Result<Vec<Found<'a>>, Problem> {
    let to = stage.subscription(target);
    let mut found: Vec<Found<'a>> = Vec::new();
    for moment in ["before", "after"] {
        for subscriber in engine.subscribers(moment, &to).await? {
            if !found.iter().any(|(address, _, _)| *address == subscriber.address) {
                found.push((subscriber.address, subscriber.plugin, subscriber.component));
            }
        }
    }
    Ok(found)
}

type Found<'a> = (Address, &'a Arc<Installed>, &'a Component);

/// Components that the user named.
struct Pins(Vec<(Address, bool)>);

impl Pins {
    fn read(engine: &Inner, named: &[String]) -> Result<Self, Problem> {
        let mut pins = Vec::with_capacity(named.len());
        for text in named {
            let address = Address::parse(text)?;
            let (_plugin, component) = engine.component(&address)?;
            if component.role != Role::Builder {
                return Err(Problem::usage("usage.role", format!("{text} is no builder")));
            }
            pins.push((address, false));
        }
        Ok(Self(pins))
    }

    fn choose<'a>(&mut self, engine: &'a Inner, wanted: Wanted<'_>) -> Result<Found<'a>, Problem> {
        let candidates = candidates(wanted, engine.usable_components());
        let pinned = self.0.iter_mut().find(|(pin, _used)| {
            candidates.iter().any(|candidate| candidate.address == pin.component())
        });
        let address = match (pinned, candidates.first()) {
            (Some((pin, used)), _) => {
                *used = true;
                pin.clone()
            }
            (None, Some(best)) => Address::parse(&best.address)?,
            (None, None) => return Err(nobody(wanted)),
        };
        let (plugin, component) = engine.component(&address)?;
        Ok((address, plugin, component))
    }

    /// The builder of such systems, if it can make a base ready for a target.
    fn customiser<'a>(&mut self, engine: &'a Inner, system: Wanted<'_>) -> Option<Found<'a>> {
        let found = self.choose(engine, system).ok();
        found.filter(|(_, _, component)| component.produces.iter().any(|it| it == TARGET_TYPE))
    }

    fn all_used(&self) -> Result<(), Problem> {
        match self.0.iter().find(|(_pin, used)| !used) {
            None => Ok(()),
            Some((pin, _)) => {
                let message = format!("{pin} builds nothing of what is asked for");
                Err(Problem::usage("usage.builder", message)
                    .help("`wharf targets` shows who builds what"))
            }
        }
    }
}

fn nobody(wanted: Wanted<'_>) -> Problem {
    let what = match wanted {
        Wanted::Base([name, version, architecture]) => {
            format!("base images of {name} {version} {architecture}")
        }
        Wanted::Target(name) | Wanted::Push(name) => format!("images for {name}"),
        Wanted::Snapshot { target, plugin } => {
            let message =
                format!("the plugin {plugin} has no builder that makes images for {target} there");
            return Problem::usage("not_found.builder", message)
                .help("`wharf targets` shows what providers make themselves, as snapshot");
        }
    };
    Problem::usage("not_found.builder", format!("no installed plugin builds {what}"))
        .help("`wharf targets` shows what can be built, and by whom")
}

impl Inner {
    async fn staged(
        &self,
        (hooks, by): (Vec<Found<'_>>, Found<'_>),
        given: &Map<String, Value>,
    ) -> Result<Staged, Problem> {
        let mut chosen = Vec::with_capacity(hooks.len());
        for hook in hooks {
            chosen.push(self.chosen(hook, given).await?);
        }
        Ok(Staged { by: self.chosen(by, given).await?, hooks: chosen })
    }

    async fn chosen(
        &self,
        (address, plugin, component): Found<'_>,
        given: &Map<String, Value>,
    ) -> Result<Chosen, Problem> {
        let settings = self.instance_settings(&address, component).await?;
        Ok(Chosen {
            address: address.to_string(),
            version: plugin.manifest.version.to_string(),
            settings,
            parameters: own_parameters(given, component)?,
        })
    }

    /// The components of all plugins that can be used.
    pub(super) fn usable_components(&self) -> impl Iterator<Item = (String, &Component)> {
        self.usable_plugins().flat_map(|plugin| {
            let name = &plugin.manifest.name;
            let address = move |component: &Component| format!("{name}.{}", component.id);
            plugin.manifest.components.iter().map(move |component| (address(component), component))
        })
    }
}

/// Of the parameters those that a component knows, read by its schema; of one that takes anything, all.
fn own_parameters(
    given: &Map<String, Value>,
    component: &Component,
) -> Result<Map<String, Value>, Problem> {
    let Some(schema) = &component.arguments_schema else { return Ok(Map::new()) };
    let known = schema::properties(Some(schema));
    let takes = |key: &String| {
        known.is_some_and(|known| known.contains_key(key)) || schema::takes_anything(Some(schema))
    };
    let own = given.iter().filter(|(key, _value)| takes(key));
    read_schema(schema, &own.map(|(key, value)| (key.clone(), value.clone())).collect())
}

/// Refuses parameters that no component of the build knows.
fn all_known(
    given: &Map<String, Value>,
    components: &[&Component],
    plan: &Plan<'_>,
) -> Result<(), Problem> {
    let schemas = components.iter().map(|component| component.arguments_schema.as_ref());
    let schemas: Vec<_> = schemas.chain(plan.schemas()).collect();
    let anything = schemas.iter().any(|schema| schema::takes_anything(*schema));
    let known: BTreeSet<&str> = schemas
        .into_iter()
        .filter_map(schema::properties)
        .flat_map(|properties| properties.keys().map(String::as_str))
        .collect();
    let words: Vec<&str> = known.iter().copied().collect();
    let unknown = given.keys().filter(|key| !known.contains(key.as_str()));
    let faults: Vec<Fault> = unknown
        .map(|key| Fault {
            field: format!("/{key}"),
            message: format!("no part of this build takes it; there are: {}", words.join(", ")),
        })
        .collect();
    if faults.is_empty() || anything { Ok(()) } else { Err(refused(&faults)) }
}
