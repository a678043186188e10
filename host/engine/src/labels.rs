//! Labels: short names with short values, for users to find things by.

use std::collections::BTreeMap;

use crate::problem::Problem;

/// Bytes of a label's name, at most.
const NAME: usize = 64;
/// Bytes of a label's value, at most.
const VALUE: usize = 256;
/// Labels in one change, at most.
const MOST: usize = 64;

/// Labels are written as `NAME=VALUE`, with commas between, so neither may hold what would end it.
pub(crate) fn check(labels: &BTreeMap<String, Option<String>>) -> Result<(), Problem> {
    if labels.len() > MOST {
        return Err(Problem::usage("usage.label", format!("more than {MOST} labels at once")));
    }
    for (name, value) in labels {
        let plain = |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'.' | b'_' | b'-' | b'/');
        if name.is_empty() || name.len() > NAME || !name.bytes().all(plain) {
            return Err(refused(name, "its name must be 1 to 64 of A-Z a-z 0-9 . _ - /"));
        }
        let value = value.as_deref().unwrap_or_default();
        if value.len() > VALUE || value.chars().any(|it| it == ',' || it.is_control()) {
            return Err(refused(name, "its value must be up to 256 bytes on one line, no comma"));
        }
    }
    Ok(())
}

fn refused(name: &str, why: &str) -> Problem {
    Problem::usage("usage.label", format!("{name:?} cannot be a label: {why}")).at(name)
}
