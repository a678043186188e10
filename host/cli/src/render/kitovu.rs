//! A configuration of kitovu: what is wrong with it, and what it becomes.

use std::path::Path;

use wharf_kitovu::{Fault, Plan};

use super::text::{one_line, plain};
use super::{BOLD, LABEL, styled};

/// What was found in a file: a line for each, as compilers write it.
pub(crate) fn checked(file: &Path, errors: &[Fault], warnings: &[Fault]) -> String {
    let mut lines: Vec<String> = errors.iter().map(|error| fault(file, "error", error)).collect();
    lines.extend(warnings.iter().map(|warning| fault(file, "warning", warning)));
    let name = plain(&file.display().to_string());
    lines.push(match errors.len() {
        0 => format!("{name}: good"),
        1 => format!("{name}: 1 error"),
        more => format!("{name}: {more} errors"),
    });
    lines.join("\n")
}

/// One thing that was found.
pub(crate) fn fault(file: &Path, what: &str, fault: &Fault) -> String {
    let place =
        format!("{}:{}:{}", plain(&file.display().to_string()), fault.at.line, fault.at.column);
    format!("{place}: {} {}", styled(LABEL, &format!("{what}:")), one_line(&fault.message))
}

/// What was made, or would be.
pub(crate) fn planned(plan: &Plan, done: &str) -> String {
    let mut lines = Vec::new();
    for instance in &plan.instances {
        let address = format!("{}@{}", plain(&instance.component), plain(&instance.name));
        lines.push(format!("instance {} {done}", styled(BOLD, &address)));
    }
    for repository in &plan.repositories {
        lines.push(format!(
            "repository {} {done}: {} into {}",
            styled(BOLD, &plain(&repository.name)),
            plain(&repository.importer),
            plain(&repository.folder.display().to_string())
        ));
    }
    lines.join("\n")
}
