//! Who is called for a step: subscriptions of manifests held against it.

use std::sync::Arc;

use wharf_proto::v1;
use wharf_supervisor::{Component, Hook, Installed};

use crate::convert;
use crate::engine::Inner;
use crate::instances::Address;
use crate::problem::{Class, Problem};

/// What a subscription is held against.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subscription<'a> {
    /// build.base, build.target, build.snapshot, publish, unpublish, sync, upload.
    pub(crate) step: &'static str,
    /// The target of a build; empty: none.
    pub(crate) target: &'a str,
    /// The type of what is made; empty: none.
    pub(crate) kind: &'static str,
    /// The stage of a build; empty: none.
    pub(crate) stage: &'static str,
}

impl Subscription<'_> {
    fn fits(&self, moment: &str, hook: &Hook) -> bool {
        let same = |wanted: Option<&String>, word: &str| {
            wanted.is_none_or(|wanted| wanted.eq_ignore_ascii_case(word))
        };
        let filter = hook.filter.as_ref();
        hook.on.split_once(':') == Some((moment, self.step))
            && same(filter.and_then(|filter| filter.target.as_ref()), self.target)
            && same(filter.and_then(|filter| filter.kind.as_ref()), self.kind)
            && same(filter.and_then(|filter| filter.stage.as_ref()), self.stage)
    }
}

/// A component that is called.
#[derive(Clone)]
pub(crate) struct Subscriber<'a> {
    pub(crate) plugin: &'a Arc<Installed>,
    pub(crate) component: &'a Component,
    pub(crate) address: Address,
    /// `before:STEP` or `after:STEP`.
    pub(crate) on: &'a str,
    order: i64,
}

impl Subscriber<'_> {
    /// For people.
    pub(crate) fn words(&self) -> String {
        format!("{} ({})", self.address, self.on)
    }

    pub(super) fn protocol(&self, message: impl std::fmt::Display) -> Problem {
        Problem::protocol(format!("hook {}: {message}", self.words()))
    }

    /// What a step is refused with.
    pub(super) fn refused(&self, error: Option<v1::Error>) -> Problem {
        match error {
            Some(error) => self.found(convert::problem(error)),
            None => Problem::usage("hook.refused", format!("{} refuses the step", self.words())),
        }
    }

    /// A problem that the hook tells of.
    pub(super) fn found(&self, mut problem: Problem) -> Problem {
        if problem.class != Class::Cancelled {
            problem.message = format!("hook {}: {}", self.words(), problem.message);
        }
        problem
    }
}

impl Inner {
    /// Whether any component may have to be called before or after a step.
    pub(crate) fn is_subscribed(&self, to: &Subscription<'_>) -> bool {
        ["before", "after"].into_iter().any(|moment| self.fitting(moment, to).next().is_some())
    }

    /// Those who are to be called `before` or `after` a step: by their declared order, then by their addresses. A component is
    /// called once for each of its named instances; one that has none as its implicit instance, if it has that.
    pub(crate) async fn subscribers(
        &self,
        moment: &str,
        to: &Subscription<'_>,
    ) -> Result<Vec<Subscriber<'_>>, Problem> {
        let mut fitting = self.fitting(moment, to).peekable();
        if fitting.peek().is_none() {
            return Ok(Vec::new());
        }
        let instances = self.store.meta.instances().await?;
        let mut found = Vec::new();
        for (plugin, component, hook) in fitting {
            let implicit = Address::default_of(&plugin.manifest.name, &component.id);
            let own = instances.iter().filter(|it| it.component == implicit.component());
            let mut addresses: Vec<Address> =
                own.map(|it| Address { instance: it.name.clone(), ..implicit.clone() }).collect();
            if addresses.is_empty() && component.instances.as_deref() != Some("named") {
                addresses.push(implicit);
            }
            found.extend(addresses.into_iter().map(|address| Subscriber {
                plugin,
                component,
                address,
                on: &hook.on,
                order: hook.order,
            }));
        }
        found.sort_by_cached_key(|subscriber| (subscriber.order, subscriber.address.to_string()));
        Ok(found)
    }

    fn fitting(
        &self,
        moment: &str,
        to: &Subscription<'_>,
    ) -> impl Iterator<Item = (&Arc<Installed>, &Component, &Hook)> {
        let components = self.usable_plugins().flat_map(|plugin| {
            plugin.manifest.components.iter().map(move |component| (plugin, component))
        });
        components.flat_map(move |(plugin, component)| {
            let hooks = component.hooks.iter().filter(move |hook| to.fits(moment, hook));
            hooks.map(move |hook| (plugin, component, hook))
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn fits(moment: &str, hook: Value) -> bool {
        let hook: Hook = serde_json::from_value(hook).expect("a hook");
        let step = Subscription {
            step: "build.target",
            target: "vsphere",
            kind: "image_target",
            stage: "target",
        };
        step.fits(moment, &hook)
    }

    #[test]
    fn a_subscription_fits_where_its_step_and_all_of_its_filter_are_equal() {
        assert!(fits("before", json!({ "on": "before:build.target" })));
        assert!(!fits("after", json!({ "on": "before:build.target" })));
        assert!(!fits("before", json!({ "on": "before:build.base" })));
        let filtered =
            |filter: Value| fits("after", json!({ "on": "after:build.target", "filter": filter }));
        assert!(filtered(json!({ "target": "vSphere" })));
        assert!(filtered(
            json!({ "target": "vsphere", "type": "image_target", "stage": "target" })
        ));
        assert!(!filtered(json!({ "target": "docker" })));
        assert!(!filtered(json!({ "target": "vsphere", "stage": "base" })));
        assert!(!filtered(json!({ "type": "image_base" })));
    }
}
