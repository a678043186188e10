//! The text of a `Release`.

use std::fmt::Write as _;

use wharf_sdk::Error;

use super::settings::Settings;
use crate::release::write_date;
use crate::types::{INSTALLER, ReleaseInfo};

/// A listed file: path, size, digest.
pub(super) type Line<'a> = (&'a str, u64, &'a str);

/// The components that clients name; the packages of the installer are part of the one that they lie in.
pub(super) fn components(info: &ReleaseInfo) -> impl Iterator<Item = &str> {
    let own = |component: &&String| !component.ends_with(&format!("/{INSTALLER}"));
    info.components.iter().filter(own).map(String::as_str)
}

/// Writes a distribution's `Release`; `files` sorted by path.
pub(super) fn text(
    distribution: &str,
    info: &ReleaseInfo,
    settings: &Settings,
    seconds: i64,
    files: &[Line<'_>],
) -> Result<String, Error> {
    let mut text = String::new();
    let mut fields: Vec<(&str, &str)> =
        info.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    for (name, value) in [("Origin", &settings.origin), ("Label", &settings.label)] {
        if !value.is_empty() {
            fields.retain(|(own, _)| *own != name);
            fields.insert(0, (name, value));
        }
    }
    // apt compares the name that it was given with these two, and warns when neither is it.
    let named =
        |field: &&(&str, &str)| matches!(field.0, "Suite" | "Codename") && field.1 == distribution;
    if !fields.iter().any(|field| named(&field)) {
        fields.retain(|(name, _)| *name != "Suite");
        fields.push(("Suite", distribution));
        if !fields.iter().any(|(name, _)| *name == "Codename") {
            fields.push(("Codename", distribution));
        }
    }
    fields.sort_by_key(|(name, _)| crate::release::KEPT.iter().position(|kept| kept == name));
    let date = write_date(seconds).ok_or_else(|| {
        Error::fault("protocol.timestamp", "the publication's time cannot be written as a date")
    })?;
    let architectures = info.architectures.join(" ");
    let components = components(info).collect::<Vec<_>>().join(" ");
    fields.extend([
        ("Date", date.as_str()),
        ("Acquire-By-Hash", "yes"),
        ("Architectures", &architectures),
        ("Components", &components),
    ]);
    for (name, value) in fields {
        let _infallible = writeln!(text, "{name}: {value}");
    }
    text.push_str("SHA256:\n");
    for (path, size, sha256) in files {
        let _infallible = writeln!(text, " {sha256} {size:>16} {path}");
    }
    Ok(text)
}
