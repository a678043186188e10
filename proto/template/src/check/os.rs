//! The system and where it is installed from.

use crate::fields::Fields;
use crate::model::{Checksum, Extra, Icicle, Install, MediaKind, Os};
use crate::node::Node;
use crate::problem::Problems;

use super::MAX_ENTRIES;

pub(super) fn os(node: Node, path: &str, problems: &mut Problems) -> Option<Os> {
    let mut fields = Fields::of(node, path, problems);
    let name = fields.required("name", "the system's name, such as Debian");
    let version = fields.required("version", "the system's version, such as \"12\"");
    let arch = architecture(&mut fields);
    let install = if let Some((node, path, problems)) = fields.part("install") {
        install(node, &path, problems)
    } else {
        fields.missing("install", "where the system comes from");
        None
    };
    let mut extras = fields.list("extras", MAX_ENTRIES, extra);
    let kernelparam = fields.optional("kernelparam").map(|(text, _)| text);
    let rootpw = fields.optional("rootpw").map(|(text, _)| text);
    let key = fields.optional("key").map(|(text, _)| text);
    let icicle = fields.part("icicle").map(|(node, path, problems)| icicle(node, &path, problems));
    fields.finish();
    let (name, version) = (name?.0, version?.0);
    let (arch, (install, of_medium)) = (arch?, install?);
    extras.extend(of_medium);
    Some(Os { name, version, arch, install, extras, kernelparam, rootpw, key, icicle })
}

fn architecture(fields: &mut Fields<'_>) -> Option<String> {
    let names = Os::ARCHITECTURES.join(", ");
    let (arch, place) = fields.required("arch", &format!("one of {names}"))?;
    if Os::ARCHITECTURES.contains(&arch.as_str()) {
        return Some(arch);
    }
    fields.problem(place, "arch", format!("expected one of {names}, found {arch:?}"));
    None
}

/// Where the system comes from, and the extras that TDL has there.
fn install(node: Node, path: &str, problems: &mut Problems) -> Option<(Install, Vec<Extra>)> {
    let mut fields = Fields::of(node, path, problems);
    let kind = fields.required("type", "url or iso");
    let install = match kind.as_ref().map(|(kind, place)| (kind.as_str(), *place)) {
        Some(("url", _)) => address("url", &mut fields).map(|url| Install::Url { url }),
        Some(("iso", _)) => {
            let checksum = checksum(&mut fields);
            address("iso", &mut fields).map(|iso| Install::Iso { iso, checksum })
        }
        Some((other, place)) => {
            fields.problem(place, "type", format!("expected url or iso, found {other:?}"));
            return None;
        }
        None => return None,
    };
    let extras = fields.list("extras", MAX_ENTRIES, extra);
    fields.finish();
    Some((install?, extras))
}

fn address(name: &str, fields: &mut Fields<'_>) -> Option<String> {
    let (address, place) = fields.required(name, "an address")?;
    if super::content::is_address(&address) {
        return Some(address);
    }
    fields.problem(place, name, "expected an address such as https://mirror.example/path");
    None
}

fn checksum(fields: &mut Fields<'_>) -> Option<Checksum> {
    type Make = fn(String) -> Checksum;
    let makers: [(&str, usize, Make); 3] = [
        ("md5sum", 32, Checksum::Md5Sum),
        ("sha1sum", 40, Checksum::Sha1Sum),
        ("sha256sum", 64, Checksum::Sha256Sum),
    ];
    let mut found = None;
    for (name, digits, make) in makers {
        let Some((text, place)) = fields.optional(name) else { continue };
        if text.len() != digits || !text.chars().all(|c| c.is_ascii_hexdigit()) {
            fields.problem(place, name, format!("expected {digits} hexadecimal digits"));
        } else if found.is_some() {
            fields.problem(place, name, "expected one checksum at most");
        } else {
            found = Some(make(text.to_ascii_lowercase()));
        }
    }
    found
}

fn extra(node: Node, path: &str, problems: &mut Problems) -> Option<Extra> {
    let mut fields = Fields::of(node, path, problems);
    let kind = fields.required("type", "directory or file");
    let source = fields.required("source", "where it is on the medium");
    let destination = fields.required("destination", "where it is to be");
    let kind = kind.and_then(|(kind, place)| match kind.as_str() {
        "directory" => Some(MediaKind::Directory),
        "file" => Some(MediaKind::File),
        _ => {
            fields.problem(place, "type", "expected directory or file");
            None
        }
    });
    fields.finish();
    Some(Extra { kind: kind?, source: source?.0, destination: destination?.0 })
}

fn icicle(node: Node, path: &str, problems: &mut Problems) -> Icicle {
    let mut fields = Fields::of(node, path, problems);
    let extra_command = fields.verbatim("extra_command").map(|(text, _)| text.trim().to_owned());
    fields.finish();
    Icicle { extra_command }
}
