//! Links that lead somewhere, and texts that are true on every machine.

use std::path::Path;

use crate::files::{all, ending, none, root, text};

#[test]
fn links_in_markdown_lead_somewhere() {
    let mut broken = Vec::new();
    for file in ending(".md") {
        let folder = Path::new(&file).parent().expect("a file has a folder").to_owned();
        for target in links(&text(&file)) {
            let path = target.split('#').next().unwrap_or_default();
            if !path.is_empty() && !root().join(&folder).join(path).exists() {
                broken.push(format!("{file}: {target}"));
            }
        }
    }
    none("these links lead nowhere", &broken);
}

/// The targets of a text's links into the checkout.
fn links(text: &str) -> Vec<String> {
    let mut plain = String::new();
    let mut code = false;
    for line in text.lines() {
        code ^= line.trim_start().starts_with("```");
        if !code {
            plain.push_str(line);
            plain.push('\n');
        }
    }
    plain
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split([')', ' ', '\n']).next())
        .filter(|target| !target.contains("://") && !target.starts_with("mailto:"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_readme_names_documents_that_are_there_and_the_two_commands() {
    let readme = text("README.md");
    for words in ["cargo build --release && target/release/wharf demo", "tests/run"] {
        assert!(readme.contains(words), "README.md does not name `{words}`");
    }
    assert!(links(&readme).len() >= 5, "README.md has no map");
}

/// Words that are true on one machine only, or that no text of ours may name. Taken apart, because this file is read too.
const NOWHERE: &[&[&str]] = &[
    &["/tmp/", "wharf/"],
    &["shared/", "reference"],
    &["shared/", "decisions"],
    &["shared/", "architecture"],
    &["crates", ".io"],
    &["pypi", ".org"],
    &["pythonhosted", ".org"],
    &["proxy.golang", ".org"],
    &["npmjs", ".org"],
    &["npmjs", ".com"],
    &["debian", ".org"],
    &["maven.", "org"],
];

#[test]
fn no_text_names_a_registry_or_another_machines_folder() {
    let mut broken = Vec::new();
    let home = ["/wo", "rk/"].concat();
    for file in all("").into_iter().filter(|file| !file.ends_with("Cargo.lock")) {
        for (number, line) in text(&file).lines().enumerate() {
            let named = NOWHERE.iter().map(|parts| parts.concat()).any(|word| line.contains(&word));
            if named || begins_a_path(line, &home) {
                broken.push(format!("{file}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    none("these lines name what others do not have", &broken);
}

/// Whether `path` stands in the line as an absolute path, and not as the end of a longer one.
fn begins_a_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(place, _path)| {
        let before = line.get(..place).and_then(|before| before.chars().next_back());
        before.is_none_or(|before| before.is_whitespace() || "\"'`(=:".contains(before))
    })
}

#[test]
fn every_crate_and_plugin_with_users_has_a_readme() {
    let wanted = [
        "README.md",
        "host/ARCHITECTURE.md",
        "host/conformance/README.md",
        "proto/README.md",
        "sdk/go/README.md",
        "sdk/rust/README.md",
        "sdk/http/README.md",
        "sdk/rust/GO-PLUGIN.md",
        "sdk/rust/GUIDE.md",
        "sdk/python/README.md",
        "sdk/typescript/README.md",
        "sdk/templates/README.md",
        "plugins/file/README.md",
        "plugins/deb/README.md",
        "plugins/pypi/README.md",
        "plugins/smb/README.md",
        "plugins/moodle/README.md",
        "plugins/webdav/README.md",
        "plugins/image-os/README.md",
        "proto/template/README.md",
        "plugins/image-cloud/README.md",
        "plugins/image-push/README.md",
        "tests/faults/README.md",
        "tests/bench/README.md",
        "tests/fuzz/README.md",
        "tests/interop/README.md",
        "LICENSE",
    ];
    let missing: Vec<String> =
        wanted.into_iter().filter(|path| !root().join(path).is_file()).map(str::to_owned).collect();
    none("missing", &missing);
}
