//! What a client's machine must be told: a sources file in deb822 form. Source: sources.list(5).

use std::fmt::Write as _;

use wharf_sdk::{ClientConfig, ClientConfigRequest};

use super::tree::Kept;

pub(super) fn config(request: &ClientConfigRequest) -> ClientConfig {
    let kept: Kept = request.attachment.state().unwrap_or_default();
    let mut text = String::new();
    for (distribution, told) in &kept.distributions {
        if !text.is_empty() {
            text.push('\n');
        }
        let types = if told.sources { "deb deb-src" } else { "deb" };
        let _infallible =
            write!(text, "Types: {types}\nURIs: {}\nSuites: {distribution}\n", request.base_url);
        // A folder that lists packages itself has none.
        if !told.components.is_empty() {
            let _infallible = writeln!(text, "Components: {}", told.components.join(" "));
        }
        match &kept.signer {
            _ if told.verbatim => {
                text.push_str("# Signed by upstream: name the file with its key in Signed-By.\n");
            }
            Some(signer) => text.push_str(&signed_by(&signer.public_key)),
            None => text.push_str("Trusted: yes\n"),
        }
    }
    let name = format!("{}.sources", request.attachment.repository);
    ClientConfig::new().file(&name, "text/plain", text)
}

/// A key inside a sources file: every line begins with a blank, an empty one is a dot.
fn signed_by(key: &str) -> String {
    let mut text = "Signed-By:\n".to_owned();
    for line in key.lines().map(str::trim_end) {
        text.push(' ');
        text.push_str(if line.is_empty() { "." } else { line });
        text.push('\n');
    }
    text
}
