//! Which component builds for a target: patterns of manifests held against what is wanted. Pure.
//!
//! A pattern is a name, or a list in which null stands for anything; one that is shorter than what is wanted says nothing
//! about the rest. The one that says most wins, then the higher `target_priority`, then the first name. A component that
//! a user names is taken whatever others say, as long as it fits at all.

use std::cmp::Reverse;

use serde_json::Value;
use wharf_supervisor::{Component, Role};

use super::TARGET_TYPE;
use crate::pushes::{PROFILE, PROVIDER_TYPE};

/// The profile of components that install systems; all other builders make images of targets from those.
pub(super) const OS: &str = "os";

/// What is to be built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted<'a> {
    /// A base image of a system: name, version, architecture.
    Base([&'a str; 3]),
    /// The image of a target.
    Target(&'a str),
    /// The image of a target, brought to a provider.
    Push(&'a str),
    /// The image of a target, made at a provider by the plugin that knows it.
    Snapshot {
        /// For this.
        target: &'a str,
        /// By its name.
        plugin: &'a str,
    },
}

impl Wanted<'_> {
    fn fits_role(self, component: &Component) -> bool {
        let builds = component.role == Role::Builder;
        let installs = component.profile == OS;
        let makes = |kind: &str| component.produces.iter().any(|it| it == kind);
        match self {
            Self::Base(_) => builds && installs,
            Self::Target(_) => {
                builds && !installs && (component.produces.is_empty() || makes(TARGET_TYPE))
            }
            Self::Push(_) => pushes(component),
            Self::Snapshot { .. } => builds && !installs && makes(PROVIDER_TYPE),
        }
    }

    fn fits_plugin(self, address: &str) -> bool {
        match self {
            Self::Snapshot { plugin, .. } => {
                address.split_once('.').is_some_and(|(name, _component)| name == plugin)
            }
            _ => true,
        }
    }

    fn words(&self) -> &[&str] {
        match self {
            Self::Base(words) => words,
            Self::Target(name) | Self::Push(name) | Self::Snapshot { target: name, .. } => {
                std::slice::from_ref(name)
            }
        }
    }

    /// How exactly the best pattern of a component fits.
    fn score(self, component: &Component) -> Option<usize> {
        if !self.fits_role(component) {
            return None;
        }
        if matches!(self, Self::Push(_)) && component.targets.is_empty() {
            return Some(0);
        }
        component.targets.iter().filter_map(|pattern| score(pattern, self.words())).max()
    }
}

/// Whether a component brings images to a provider.
pub(crate) fn pushes(component: &Component) -> bool {
    component.role == Role::Distributor
        && component.profile == PROFILE
        && component.offers("publish")
}

/// Whether it brings those of this target there.
pub(crate) fn takes(component: &Component, target: &str) -> bool {
    Wanted::Push(target).score(component).is_some()
}

/// Whether a component builds for a target, or has to do with it by its name: what is brought anywhere says nothing.
pub(super) fn knows(component: &Component, target: &str) -> bool {
    let least = usize::from(component.role != Role::Builder);
    let patterns = component.targets.iter();
    patterns.filter_map(|pattern| score(pattern, &[target])).any(|exact| exact >= least)
}

/// How many positions a pattern names, if it fits.
fn score(pattern: &Value, wanted: &[&str]) -> Option<usize> {
    let same = |pattern: &str, word: &str| pattern.eq_ignore_ascii_case(word);
    match pattern {
        Value::String(name) => same(name, wanted.first()?).then_some(1),
        Value::Array(positions) if positions.len() <= wanted.len() => {
            positions.iter().zip(wanted).try_fold(0, |exact, (position, word)| match position {
                Value::Null => Some(exact),
                Value::String(name) => same(name, word).then_some(exact + 1),
                _ => None,
            })
        }
        _ => None,
    }
}

/// A component that could do it.
#[derive(Debug)]
pub(super) struct Candidate<'a> {
    /// `PLUGIN.COMPONENT`.
    pub(super) address: String,
    pub(super) component: &'a Component,
    exact: usize,
}

impl Candidate<'_> {
    /// Whether only its name decides against the other one.
    pub(super) fn ties(&self, other: &Self) -> bool {
        let rank = |it: &Self| (it.exact, it.component.target_priority);
        rank(self) == rank(other)
    }
}

/// Those that fit, the best first. `all`: components by their addresses.
pub(super) fn candidates<'a>(
    wanted: Wanted<'_>,
    all: impl Iterator<Item = (String, &'a Component)>,
) -> Vec<Candidate<'a>> {
    let fitting = all.filter_map(|(address, component)| {
        let exact = wanted.score(component).filter(|_exact| wanted.fits_plugin(&address))?;
        Some(Candidate { address, component, exact })
    });
    let mut found: Vec<Candidate<'a>> = fitting.collect();
    found.sort_by(|left, right| {
        let rank = |it: &Candidate<'_>| (Reverse(it.exact), Reverse(it.component.target_priority));
        rank(left).cmp(&rank(right)).then_with(|| left.address.cmp(&right.address))
    });
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn builder(profile: &str, targets: &Value, priority: i64) -> Component {
        let component = json!({
            "id": "x", "role": "builder", "profile": profile, "operations": ["build"],
            "targets": targets, "target_priority": priority,
        });
        serde_json::from_value(component).expect("a component")
    }

    fn order(wanted: Wanted<'_>, all: &[(&str, Component)]) -> Vec<String> {
        let all = all.iter().map(|(name, component)| ((*name).to_owned(), component));
        candidates(wanted, all).into_iter().map(|found| found.address).collect()
    }

    #[test]
    fn null_stands_for_anything_in_every_position_and_the_most_exact_wins() {
        let all = [
            ("a.any", builder("os", &json!([[null, null, null]]), 0)),
            ("b.arch", builder("os", &json!([["Debian", null, "x86_64"]]), 0)),
            ("c.name", builder("os", &json!([["Debian", null, null]]), 9)),
            ("d.other", builder("os", &json!([["Debian", "11", null]]), 0)),
            ("e.short", builder("os", &json!([["debian"]]), 0)),
            ("f.cloud", builder("cloud", &json!(["Debian"]), 0)),
        ];
        let wanted = Wanted::Base(["Debian", "12", "x86_64"]);
        assert_eq!(order(wanted, &all), ["b.arch", "c.name", "e.short", "a.any"]);
        assert_eq!(order(Wanted::Base(["Fedora", "40", "x86_64"]), &all), ["a.any"]);
    }

    #[test]
    fn a_push_goes_to_who_names_the_target_or_anything_or_nothing_at_all() {
        let pusher = |targets: &Value| -> Component {
            let component = json!({
                "id": "x", "role": "distributor", "profile": "push", "operations": ["publish", "unpublish"],
                "targets": targets,
            });
            serde_json::from_value(component).expect("a component")
        };
        let all = [
            ("a.any", pusher(&json!([[null]]))),
            ("b.oci", pusher(&json!(["docker", ["oci"]]))),
            ("c.none", pusher(&json!([]))),
            ("d.builder", builder("push", &json!(["oci"]), 0)),
        ];
        assert_eq!(order(Wanted::Push("oci"), &all), ["b.oci", "a.any", "c.none"]);
        assert!(!takes(&all[1].1, "vsphere") && takes(&all[2].1, "vsphere"));
        assert_eq!(order(Wanted::Target("oci"), &all), ["d.builder"]);
    }

    #[test]
    fn a_plain_name_equals_a_list_of_one_and_priority_goes_before_the_name() {
        let all = [
            ("a.one", builder("cloud", &json!(["vsphere"]), 0)),
            ("b.two", builder("cloud", &json!([["vsphere"]]), 1)),
            ("c.three", builder("transform", &json!(["vsphere", "rhevm"]), 0)),
        ];
        assert_eq!(order(Wanted::Target("vsphere"), &all), ["b.two", "a.one", "c.three"]);
        assert_eq!(order(Wanted::Target("rhevm"), &all), ["c.three"]);
        let listed = all.iter().map(|(name, component)| ((*name).to_owned(), component));
        let found = candidates(Wanted::Target("vsphere"), listed);
        assert!(found[1].ties(&found[2]) && !found[0].ties(&found[1]));
    }
}
