//! Small documented files, and executables that can be executed.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::files::{none, root, rust, text};

/// A file longer than this asks what second thing it does.
const LINES: usize = 500;

/// What lies at the top, beside files whose names begin with a dot. Whatever else there is belongs into one of these.
const TOP: &[&str] = &[
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "host",
    "plugins",
    "proto",
    "sdk",
    "tests",
];

/// Longer files, each with its reason.
const MAY_BE_LONGER: &[&str] = &[];

#[test]
fn files_stay_small() {
    let long: Vec<String> = rust()
        .into_iter()
        .filter(|path| !MAY_BE_LONGER.contains(&path.as_str()))
        .map(|path| (text(&path).lines().count(), path))
        .filter(|(lines, _path)| *lines > LINES)
        .map(|(lines, path)| format!("{path}: {lines} lines"))
        .collect();
    none("longer than 500 lines", &long);
}

#[test]
fn nothing_else_lies_at_the_top() {
    let entries = fs::read_dir(root()).expect("the checkout");
    let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let strangers: Vec<String> = names
        .filter(|name| !name.starts_with('.') && name != "target" && !TOP.contains(&name.as_str()))
        .collect();
    none("these belong elsewhere", &strangers);
}

#[test]
fn every_module_says_what_it_is_for() {
    let silent: Vec<String> = rust()
        .into_iter()
        .filter(|path| !path.ends_with("/tests.rs") && !path.contains("/src/tests/"))
        .filter(|path| !(path.contains("/src/") && path.contains("/tests/")))
        .filter(|path| !text(path).starts_with("//! "))
        .collect();
    none("these do not begin with `//!`", &silent);
}

#[test]
fn module_folders_have_a_mod_rs() {
    let doubles: Vec<String> = rust()
        .into_iter()
        .filter(|path| path.contains("/src/"))
        .filter(|path| root().join(path.trim_end_matches(".rs")).is_dir())
        .filter(|path| !path.ends_with("/lib.rs") && !path.ends_with("/main.rs"))
        .filter(|path| !path.ends_with("/tests.rs"))
        .collect();
    none("a module is a file or a folder with mod.rs", &doubles);
}

#[test]
fn scripts_can_be_executed() {
    let broken: Vec<String> =
        ["tests/run", ".ci/run", "tests/bench/run", "tests/plugins/handshake/run.sh"]
            .into_iter()
            .filter(|path| {
                let mode = fs::metadata(root().join(path)).map(|file| file.permissions().mode());
                mode.is_ok_and(|mode| mode & 0o111 != 0o111) || !root().join(path).is_file()
            })
            .map(str::to_owned)
            .collect();
    none("not executable", &broken);
}

#[test]
fn nothing_is_left_unfinished() {
    let words = [
        concat!("to", "do!("),
        concat!("unimple", "mented!("),
        concat!("FIX", "ME"),
        concat!("XX", "X:"),
    ];
    let mut broken = Vec::new();
    for path in rust() {
        for (number, line) in text(&path).lines().enumerate() {
            // A test that another one starts as a process of its own says so.
            let skipped = line.contains(concat!("#[ig", "nore")) && !line.contains("started by");
            if skipped || words.iter().any(|word| line.contains(word)) {
                broken.push(format!("{path}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    none("unfinished or skipped", &broken);
}
