//! Targets for which only names decide between two components: told when the plugins are found, before anybody builds.

use super::OPERATION;
use super::select::{OS, Wanted, candidates};
use super::targets::words;
use crate::engine::Inner;

impl Inner {
    /// Tells the log of every such target.
    pub(crate) fn tell_ties(&self) {
        for tie in self.ties() {
            tracing::warn!(
                target_name = tie.target,
                taken = tie.taken,
                other = tie.other,
                "two components build for a target equally well, and the first by name is taken; --builder names the other one, target_priority in a manifest settles it"
            );
        }
    }

    fn ties(&self) -> Vec<Tie> {
        let builders = self.usable_components().filter(|(_, it)| it.offers(OPERATION));
        let mut wanted: Vec<(bool, Vec<String>)> = builders
            .flat_map(|(_, component)| {
                let patterns = component.targets.iter().filter_map(words);
                patterns.map(|words| (component.profile == OS, words))
            })
            .collect();
        wanted.sort_unstable();
        wanted.dedup();
        wanted.iter().filter_map(|(installs, words)| self.tie(*installs, words)).collect()
    }

    fn tie(&self, installs: bool, words: &[String]) -> Option<Tie> {
        let word = |place: usize| words.get(place).map_or("*", String::as_str);
        let wanted = if installs {
            Wanted::Base([word(0), word(1), word(2)])
        } else {
            Wanted::Target(word(0))
        };
        let found = candidates(wanted, self.usable_components());
        let [first, second, ..] = found.as_slice() else { return None };
        first.ties(second).then(|| Tie {
            target: words.join(" "),
            taken: first.address.clone(),
            other: second.address.clone(),
        })
    }
}

struct Tie {
    target: String,
    taken: String,
    other: String,
}
