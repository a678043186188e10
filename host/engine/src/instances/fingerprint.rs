//! What a run was asked to do, in few bytes, so that the next run can tell what is different.
//!
//! It is stored with the attachment's last run as three words: a digest of the repository's settings and the plugin's
//! version, a digest of the settings for that run only, and the policy. The policy stands apart, because it alone says
//! that bytes are missing which the repository lists.

use std::fmt;

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

/// The host's key that stands apart.
const POLICY: &str = "policy";
/// In the place of an empty word.
const NOTHING: &str = "-";

/// What a run was asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fingerprint {
    /// Of the repository's settings.
    pub(crate) settings: String,
    /// Of what was different for the run.
    pub(crate) overriding: String,
    /// The policy in force, if one was chosen.
    pub(crate) policy: String,
}

impl Fingerprint {
    /// Of settings as they are stored, what overrides them, and the host's part of what is in force.
    pub(super) fn new(
        stored: &Map<String, Value>,
        overriding: &Map<String, Value>,
        host: &Map<String, Value>,
        plugin: &str,
    ) -> Self {
        let rest = |settings: &Map<String, Value>| {
            let mut rest = settings.clone();
            rest.remove(POLICY);
            rest
        };
        let overriding = rest(overriding);
        let policy = host.get(POLICY).and_then(Value::as_str).unwrap_or(NOTHING);
        Self {
            settings: digest(&Value::Object(rest(stored)), plugin),
            overriding: if overriding.is_empty() {
                NOTHING.to_owned()
            } else {
                digest(&Value::Object(overriding), plugin)
            },
            policy: policy.to_owned(),
        }
    }

    /// Of a run that was stored. What cannot be read differs from everything.
    pub(crate) fn parse(text: &str) -> Self {
        let mut words = text.split(' ').map(str::to_owned);
        let mut word = || words.next().unwrap_or_default();
        Self { settings: word(), overriding: word(), policy: word() }
    }

    /// Whether settings were changed since, or are different for one of the two runs.
    pub(crate) fn has_other_settings(&self, before: &Self) -> bool {
        (&self.settings, &self.overriding) != (&before.settings, &before.overriding)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.settings, self.overriding, self.policy)
    }
}

fn digest(settings: &Value, plugin: &str) -> String {
    let mut hasher = Sha256::new();
    hasher.update(settings.to_string());
    hasher.update([0]);
    hasher.update(plugin);
    wharf_store::model::Digest(hasher.finalize().into()).to_hex()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(stored: &Value, overriding: &Value, policy: &str) -> Fingerprint {
        let map = |value: &Value| value.as_object().cloned().unwrap_or_default();
        let host = map(&json!({ "policy": policy }));
        Fingerprint::new(&map(stored), &map(overriding), &host, "1.0.0")
    }

    #[test]
    fn it_comes_back_as_it_was_stored() {
        for overriding in [json!({}), json!({"depth": 1})] {
            let one = of(&json!({"url": "a"}), &overriding, "immediate");
            assert_eq!(Fingerprint::parse(&one.to_string()), one);
        }
    }

    #[test]
    fn settings_overrides_and_the_policy_are_told_apart() {
        let nothing = json!({});
        let before = of(&json!({"url": "a", "policy": "on_demand"}), &nothing, "on_demand");
        let policy = of(&json!({"url": "a", "policy": "immediate"}), &nothing, "immediate");
        assert!(!policy.has_other_settings(&before) && policy.policy != before.policy);
        let settings = of(&json!({"url": "b", "policy": "on_demand"}), &nothing, "on_demand");
        assert!(settings.has_other_settings(&before) && settings.policy == before.policy);
        let once = of(&json!({"url": "a"}), &json!({"depth": 1}), "on_demand");
        assert!(once.has_other_settings(&before) && before.has_other_settings(&once));
        let by_policy = of(&json!({"url": "a"}), &json!({"policy": "immediate"}), "immediate");
        assert!(!by_policy.has_other_settings(&before));
    }

    #[test]
    fn what_cannot_be_read_differs() {
        let one = of(&json!({}), &json!({}), "immediate");
        assert!(one.has_other_settings(&Fingerprint::parse("")));
        assert!(one.has_other_settings(&Fingerprint::parse("nonsense")));
    }
}
