//! Which scenarios of `conformance.txt` have a test.
//!
//! A test names its scenarios in a comment line directly above it: `// H5, H30, F8`, ranges as `H85-H95`. Numbers that
//! begin with another letter than H, P or X belong to other catalogues and are passed over.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::places::{checkout, skipped};

/// The letters of the list.
const LETTERS: [char; 3] = ['H', 'P', 'X'];

/// How a test is marked that runs on request only.
const LEFT_OUT: &str = concat!("#[", "ignore");

/// A scenario's number.
pub type Number = (char, u32);

/// What a look at the checkout found.
#[derive(Debug, Default)]
pub struct Coverage {
    /// All scenarios of the list.
    pub known: BTreeSet<Number>,
    /// Those that a test names.
    pub covered: BTreeSet<Number>,
    /// Numbers that are named and not in the list, with the place.
    pub unknown: Vec<String>,
    /// Peers that were not to be had: tests with them did nothing.
    pub skipped: Vec<String>,
}

impl Coverage {
    /// Those without a test.
    pub fn missing(&self) -> Vec<Number> {
        self.known.difference(&self.covered).copied().collect()
    }
}

/// Reads the list and all Rust sources of the checkout.
pub fn look() -> Coverage {
    let root = checkout();
    let list = root.join("tests/interop/conformance.txt");
    let list = fs::read_to_string(list).expect("the list is checked in");
    let mut coverage = Coverage { known: known(&list), skipped: skipped(), ..Coverage::default() };
    visit(&root, &mut |path, text| {
        for (line, number) in named(text) {
            if coverage.known.contains(&number) {
                coverage.covered.insert(number);
            } else {
                let place = path.strip_prefix(&root).unwrap_or(path).display();
                coverage.unknown.push(format!("{}{} at {place}:{line}", number.0, number.1));
            }
        }
    });
    coverage
}

fn known(list: &str) -> BTreeSet<Number> {
    let entries = list.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let number = |entry: &str| entry.split(' ').next().and_then(number);
    let numbers: Vec<Number> = entries
        .map(|entry| number(entry).unwrap_or_else(|| panic!("no number: {entry}")))
        .collect();
    let unique: BTreeSet<Number> = numbers.iter().copied().collect();
    assert_eq!(unique.len(), numbers.len(), "a number is in the list twice");
    unique
}

fn visit(folder: &Path, found: &mut impl FnMut(&Path, &str)) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        if path.is_dir() {
            if !matches!(name.to_str(), Some(".git" | "target" | "gen" | "corpus")) {
                visit(&path, found);
            }
        } else if path.extension().is_some_and(|it| it == "rs") {
            found(&path, &fs::read_to_string(&path).unwrap_or_default());
        }
    }
}

/// The numbers that tests name in this file, with their lines.
fn named(text: &str) -> Vec<(usize, Number)> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let mut found = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let Some(numbers) = line.strip_prefix("//").and_then(numbers) else { continue };
        if begins_a_test(&lines[index + 1..]) {
            found.extend(numbers.into_iter().map(|number| (index + 1, number)));
        }
    }
    found
}

/// Whether a test follows, behind more comments and attributes, that is not left out by default.
fn begins_a_test(lines: &[&str]) -> bool {
    let mut lines = lines.iter().filter(|line| !line.starts_with("//")).peekable();
    if lines.peek().is_some_and(|line| line.starts_with("fuzz_target!")) {
        return true;
    }
    let attributes: Vec<_> =
        std::iter::from_fn(|| lines.next_if(|line| line.starts_with("#["))).collect();
    attributes.iter().any(|it| it.starts_with("#[test]") || it.contains("::test"))
        && !attributes.iter().any(|it| it.starts_with(LEFT_OUT))
}

/// A line of nothing but numbers.
fn numbers(line: &str) -> Option<Vec<Number>> {
    let mut all = Vec::new();
    for word in line.trim_start_matches('/').trim().trim_end_matches('.').split(',').map(str::trim)
    {
        let (first, last) = word.split_once('-').unwrap_or((word, word));
        let first = any_number(first)?;
        let last = any_number(last).or_else(|| Some((first.0, last.parse().ok()?)))?;
        if LETTERS.contains(&first.0) {
            all.extend((first.1..=last.1).map(|it| (first.0, it)));
        }
    }
    Some(all)
}

fn number(word: &str) -> Option<Number> {
    any_number(word).filter(|(letter, _)| LETTERS.contains(letter))
}

fn any_number(word: &str) -> Option<Number> {
    let letter = word.chars().next().filter(char::is_ascii_uppercase)?;
    let digits = &word[1..];
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.parse().ok()).flatten().map(|number| (letter, number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_above_a_test_are_found_and_those_in_prose_are_not() {
        let text = "// H1, F8, P2-P4\n#[test]\nfn one() {}\n// H7 is not this.\n\n    // X7, H8-9\n    \
                    #[tokio::test]\n    async fn two() {}\n// H40\nlet x = 1;\n";
        let found: Vec<Number> = named(text).into_iter().map(|(_line, number)| number).collect();
        assert_eq!(found, [('H', 1), ('P', 2), ('P', 3), ('P', 4), ('X', 7), ('H', 8), ('H', 9)]);
    }

    #[test]
    fn no_test_names_a_scenario_that_is_not_in_the_list() {
        let coverage = look();
        assert_eq!(coverage.known.len(), 189);
        assert!(coverage.unknown.is_empty(), "{:#?}", coverage.unknown);
    }
}
