//! Takes secrets out of texts. Whoever was handed a secret may print it, on purpose or not: what goes into logs, job
//! records and answers passes here first (F186).
//!
//! Known are the values that this host has handed out or been given since its start, also as they stand in addresses,
//! in JSON and in base64. A value that a plugin changes in other ways is not found: nobody can find that.

use std::borrow::Cow;
use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::problem::Problem;

/// What stands in the place of a secret.
const MASK: &str = "[secret]";
/// Shorter values are parts of many words, and would be given away where they are taken out of those: they are looked
/// for as words of their own, and in no changed form.
const SHORTEST_CHANGED: usize = 4;

/// What must not be shown. A cheap handle; clones know the same.
#[derive(Clone, Default)]
pub(crate) struct Redactor {
    /// The longest first, so that none is left over of which another is a part.
    known: Arc<RwLock<Vec<String>>>,
}

impl Redactor {
    /// From now on this value is not shown.
    pub(crate) fn learn(&self, value: &[u8]) {
        let Ok(text) = std::str::from_utf8(value) else { return };
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        for form in forms(text) {
            if !known.contains(&form) {
                known.push(form);
            }
        }
        known.sort_by_key(|form| std::cmp::Reverse(form.len()));
    }

    /// The text without secrets.
    pub(crate) fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let mut shown = Cow::Borrowed(text);
        for secret in known.iter() {
            if secret.len() < SHORTEST_CHANGED {
                shown = without_word(shown, secret);
            } else if shown.contains(secret.as_str()) {
                shown = Cow::Owned(shown.replace(secret.as_str(), MASK));
            }
        }
        shown
    }

    /// A problem without secrets.
    pub(crate) fn problem(&self, mut problem: Problem) -> Problem {
        let clean = |text: &mut String| *text = self.text(text).into_owned();
        clean(&mut problem.message);
        problem.at.iter_mut().chain(&mut problem.help).for_each(clean);
        if let Some(details) = &mut problem.details {
            self.value(details);
        }
        problem
    }

    /// A JSON value without secrets.
    pub(crate) fn value(&self, value: &mut serde_json::Value) {
        use serde_json::Value;
        match value {
            Value::String(text) => *text = self.text(text).into_owned(),
            Value::Array(values) => values.iter_mut().for_each(|value| self.value(value)),
            Value::Object(map) => {
                let clean = |(key, mut value): (String, Value)| {
                    self.value(&mut value);
                    (self.text(&key).into_owned(), value)
                };
                *map = std::mem::take(map).into_iter().map(clean).collect();
            }
            _ => {}
        }
    }
}

/// The text without this where it is no part of a longer word.
fn without_word<'a>(text: Cow<'a, str>, word: &str) -> Cow<'a, str> {
    let is_word = |(at, _): &(usize, &str)| {
        let before = text[..*at].chars().next_back();
        let behind = text[at + word.len()..].chars().next();
        !before.into_iter().chain(behind).any(char::is_alphanumeric)
    };
    let found: Vec<usize> = text.match_indices(word).filter(is_word).map(|(at, _)| at).collect();
    if found.is_empty() {
        return text;
    }
    let (mut shown, mut from) = (String::with_capacity(text.len()), 0);
    for at in found {
        shown.push_str(&text[from..at]);
        shown.push_str(MASK);
        from = at + word.len();
    }
    shown.push_str(&text[from..]);
    Cow::Owned(shown)
}

/// A value as it may be met: as it is, line by line, in an address, in JSON, in base64.
fn forms(text: &str) -> Vec<String> {
    let mut forms = vec![text.to_owned(), text.trim().to_owned()];
    if text.trim().len() >= SHORTEST_CHANGED {
        let long = |line: &&str| line.len() >= SHORTEST_CHANGED;
        forms.extend(text.lines().map(str::trim).filter(long).map(str::to_owned));
        forms.push(utf8_percent_encode(text, NON_ALPHANUMERIC).to_string());
        forms.push(utf8_percent_encode(text, NON_ALPHANUMERIC).to_string().replace("%20", "+"));
        let json = serde_json::Value::from(text).to_string();
        forms.push(json.trim_matches('"').to_owned());
        forms.extend([STANDARD_NO_PAD.encode(text), URL_SAFE_NO_PAD.encode(text)]);
    }
    forms.retain(|form| !form.is_empty());
    forms
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    // F186
    #[test]
    fn a_short_secret_is_found_as_a_word_and_not_given_away_by_the_words_it_is_a_part_of() {
        let redactor = Redactor::default();
        redactor.learn(b"x");
        assert_eq!(
            redactor.text("explained: x, \"x\" and x"),
            "explained: [secret], \"[secret]\" and [secret]"
        );
        assert!(matches!(redactor.text("an explanation"), Cow::Borrowed("an explanation")));
    }

    // F186
    #[test]
    fn a_secret_is_found_as_it_stands_in_addresses_json_and_base64() {
        let redactor = Redactor::default();
        redactor.learn(b"p\"ss w&rd");
        for text in [
            "login p\"ss w&rd failed",
            "?token=p%22ss%20w%26rd",
            "?token=p%22ss+w%26rd",
            r#"{"p":"p\"ss w&rd"}"#,
            "Basic cCJzcyB3JnJk",
        ] {
            let shown = redactor.text(text);
            assert!(shown.contains(MASK) && !shown.contains("ss"), "{shown}");
        }
        assert!(matches!(redactor.text("nothing of it"), Cow::Borrowed("nothing of it")));
    }

    #[test]
    fn problems_are_clean_in_all_their_parts() {
        let redactor = Redactor::default();
        redactor.learn(b"hunter2");
        let problem = Problem::usage("usage.x", "bad hunter2").at("hunter2").help("not hunter2");
        let problem = problem.details(json!({"lines": ["a hunter2"], "hunter2": 1}));
        let shown = serde_json::to_string(&redactor.problem(problem)).expect("JSON");
        assert!(!shown.contains("hunter2") && shown.contains(MASK), "{shown}");
    }
}
