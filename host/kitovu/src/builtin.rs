//! The plugins that kitovu itself has, `smb` and `moodle`: their settings, and what they keep in the keyring.

use serde_json::{Map, Value};

/// What a setting must be.
enum Kind {
    Text,
    Whole,
    Flag,
    OneOf(&'static [&'static str]),
}

/// The settings of a connection, and whether they must be there.
type Settings = &'static [(&'static str, Kind, bool)];

/// Of `smb`. The host has no default here: kitovu's is the server of one school.
const SMB: Settings = &[
    ("username", Kind::Text, true),
    ("hostname", Kind::Text, true),
    ("share", Kind::Text, false),
    ("domain", Kind::Text, false),
    ("port", Kind::Whole, false),
    ("use_ntlm_v2", Kind::Flag, false),
    ("sign_options", Kind::OneOf(&["never", "when_supported", "when_required"]), false),
    ("is_direct_tcp", Kind::Flag, false),
    ("debug", Kind::Flag, false),
];
const MOODLE: Settings = &[("url", Kind::Text, true)];

fn settings(plugin: &str) -> Option<Settings> {
    match plugin {
        "smb" => Some(SMB),
        "moodle" => Some(MOODLE),
        _ => None,
    }
}

/// The setting that takes a secret, and what people call that.
pub(crate) fn secret(plugin: &str) -> Option<(&'static str, &'static str)> {
    match plugin {
        "smb" => Some(("password", "password")),
        "moodle" => Some(("token", "key of the mobile web service")),
        _ => None,
    }
}

/// What kitovu takes for settings that are not there.
pub(crate) fn defaults(plugin: &str) -> &'static [(&'static str, &'static str)] {
    match plugin {
        "smb" => &[("share", "skripte"), ("domain", "HSR")],
        _ => &[],
    }
}

/// Holds settings against what their plugin takes. Of other plugins nothing is known here.
pub(crate) fn check(
    plugin: &str,
    given: &Map<String, Value>,
    mut fault: impl FnMut(Option<&str>, String),
) {
    let Some(known) = settings(plugin) else { return };
    for (key, _kind, _required) in
        known.iter().filter(|(key, _, required)| *required && !given.contains_key(*key))
    {
        fault(None, format!("the key \"{key}\" is missing, which {plugin} needs"));
    }
    for (key, value) in given {
        match known.iter().find(|(known, ..)| known == key) {
            None => {
                let there: Vec<&str> = known.iter().map(|(key, ..)| *key).collect();
                fault(
                    Some(key),
                    format!("{plugin} has no setting \"{key}\"; it has: {}", there.join(", ")),
                );
            }
            Some((_, kind, _)) => {
                if let Some(wanted) = kind.misses(value) {
                    fault(Some(key), format!("\"{key}\" must be {wanted}"));
                }
            }
        }
    }
}

impl Kind {
    fn misses(&self, value: &Value) -> Option<String> {
        match self {
            Self::Text => (!value.is_string()).then(|| "a text; write it in quotes".to_owned()),
            Self::Whole => (!value.is_u64()).then(|| "a whole number".to_owned()),
            Self::Flag => (!value.is_boolean()).then(|| "true or false".to_owned()),
            Self::OneOf(words) => {
                let good = value.as_str().is_some_and(|value| words.contains(&value));
                (!good).then(|| format!("one of {}", words.join(", ")))
            }
        }
    }
}
