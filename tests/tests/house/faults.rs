//! Every fault that has a promise has a test that names it, and every number that a test names is in the catalogue.

use std::collections::BTreeSet;

use crate::files::{none, rust, text};

/// The faults whose promises are kept now. The catalogue is `tests/faults/README.md`.
const PROMISED: &[u32] = &[
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26,
    27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 48, 49, 50, 51,
    52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63, 64, 65, 66, 67, 68, 69, 71, 75, 76, 77, 78, 84,
    85, 89, 90, 92, 97, 98, 99, 100, 101, 102, 103, 104, 105, 106, 107, 108, 112, 116, 117, 118,
    119, 120, 122, 143, 154, 155, 156, 160, 175,
];

#[test]
fn every_promised_fault_has_a_test_that_names_it() {
    let named: BTreeSet<u32> =
        rust().into_iter().flat_map(|path| named_by_tests(&text(&path))).collect();
    let missing: Vec<String> = PROMISED
        .iter()
        .filter(|fault| !named.contains(fault))
        .map(|fault| format!("F{fault}"))
        .collect();
    none("no test names", &missing);
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

/// The F-numbers in the names of tests, and in comments of nothing but numbers directly above them.
fn named_by_tests(text: &str) -> Vec<u32> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let is_above_a_test = |pair: &&[&str]| match pair {
        [above, attribute] => {
            let words = above.strip_prefix("// ").unwrap_or("prose").split(", ");
            let is_number =
                |word: &str| word.trim_end_matches(|it: char| it.is_ascii_digit()).len() < 2;
            attribute.starts_with("#[") && words.flat_map(|word| word.split('-')).all(is_number)
        }
        _ => false,
    };
    let comments = lines.windows(2).filter(is_above_a_test).filter_map(|pair| pair.first());
    let names =
        lines.iter().filter(|line| line.starts_with("fn f") || line.starts_with("async fn f"));
    comments.chain(names).flat_map(|line| numbers(line)).collect()
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
