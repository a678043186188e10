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
        text.push_str(if told.verbatim {
            "# Signed by upstream: name the file with its key in Signed-By.\n"
        } else {
            "Trusted: yes\n"
        });
    }
    let name = format!("{}.sources", request.attachment.repository);
    ClientConfig::new().file(&name, "text/plain", text)
}
