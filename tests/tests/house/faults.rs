//! Every fault that has a promise has a test that names it, and every number that a test names is in the catalogue.

use std::collections::BTreeSet;

use crate::files::{none, rust, text};

/// The faults whose promises are kept now. The catalogue is `tests/faults/README.md`.
const PROMISED: &[u32] = &[
    1, 2, 8, 9, 10, 11, 12, 13, 15, 18, 21, 38, 39, 48, 50, 52, 53, 54, 61, 62, 63, 65, 69, 98,
    100, 101, 102, 112, 122, 143, 155, 156, 160,
];

#[test]
fn every_promised_fault_has_a_test_that_names_it() {
    let named: BTreeSet<u32> = rust()
        .into_iter()
        .filter(|path| path.starts_with("tests/tests/"))
        .filter(|path| !path.starts_with("tests/tests/house/"))
        .flat_map(|path| numbers(&text(&path)))
        .collect();
    let missing: Vec<String> = PROMISED
        .iter()
        .filter(|fault| !named.contains(fault))
        .map(|fault| format!("F{fault}"))
        .collect();
    none("no test in tests/tests names", &missing);
}

#[test]
fn every_number_that_code_names_is_in_the_catalogue() {
    let catalogue = text("tests/faults/README.md");
    let mut broken = Vec::new();
    for path in rust() {
        for fault in numbers(&text(&path)) {
            if !catalogue.contains(&format!("| F{fault} |")) {
                broken.push(format!("{path}: F{fault}"));
            }
        }
    }
    none("not in tests/faults/README.md", &broken);
}

#[test]
fn the_catalogue_says_which_faults_are_covered() {
    let catalogue = text("tests/faults/README.md");
    let broken: Vec<String> = PROMISED
        .iter()
        .filter(|fault| {
            let line = catalogue.lines().find(|line| line.starts_with(&format!("| F{fault} |")));
            line.is_none_or(|line| line.trim_end().ends_with("| |"))
        })
        .map(|fault| format!("F{fault}"))
        .collect();
    none("the catalogue does not say where these are tested", &broken);
}

/// The F-numbers in a text: `F38` in words, `f38_` at the start of a test's name.
fn numbers(text: &str) -> Vec<u32> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    for (place, _letter) in text.match_indices(['F', 'f']) {
        let before = place.checked_sub(1).and_then(|before| bytes.get(before)).copied();
        let digits: String = text
            .get(place + 1..)
            .into_iter()
            .flat_map(str::chars)
            .take_while(char::is_ascii_digit)
            .collect();
        let after = bytes.get(place + 1 + digits.len()).copied();
        let small = bytes.get(place) == Some(&b'f');
        let starts = before
            .is_none_or(|before| !before.is_ascii_alphanumeric() && (before != b'_' || small));
        let ends =
            after.is_none_or(|after| !after.is_ascii_alphanumeric() && (after == b'_' || !small));
        if let Some(number) =
            digits.parse().ok().filter(|number| starts && ends && (1..=191).contains(number))
        {
            found.push(number);
        }
    }
    found
}

#[test]
fn numbers_are_found_in_words_and_in_names() {
    assert_eq!(numbers("// F38, F39-F41\nfn f48_crash() {} 0xF2 f64 PDF17 f"), [38, 39, 41, 48]);
}
