//! The rules that one event must keep, whatever the plugin does. Source: proto/README.md, sections 9 to 13 and 17.

use std::collections::BTreeSet;

use prost::Message as _;
use serde_json::{Map, Value};
use wharf_proto::v1::event::Event;
use wharf_proto::v1::{self, published_file::From};
use wharf_proto::{MAX_BATCH, MAX_INLINE_BYTES, MAX_MESSAGE_BYTES};

use crate::operation::Operation;
use crate::types::Types;

/// Which rule was broken; the name of its case is `stream.` and this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rule {
    Closing,
    Batches,
    Kinds,
    Units,
    Paths,
    Progress,
}

/// Types of units that the host itself has. Source: proto/README.md, section 14.
const OF_THE_HOST: [&str; 3] = ["image_base", "image_target", "image_provider"];

/// One breach, in words.
pub(crate) type Breach = (Rule, String);

/// Holds the events of one call against the rules.
pub(crate) struct Contract<'a> {
    types: &'a Types,
    operation: Operation,
    progress: v1::Progress,
    paths: BTreeSet<String>,
}

impl<'a> Contract<'a> {
    pub(crate) fn new(types: &'a Types, operation: Operation) -> Self {
        Self { types, operation, progress: v1::Progress::default(), paths: BTreeSet::new() }
    }

    /// What is wrong with this event.
    pub(crate) fn breaches(&mut self, event: &Event) -> Vec<Breach> {
        let mut found = Vec::new();
        if !self.operation.takes(event) {
            let (name, call) = (kind(event), self.operation.call());
            found.push((Rule::Kinds, format!("event `{name}` has no meaning in {call}")));
        }
        let bytes = v1::Event { event: Some(event.clone()) }.encoded_len();
        if bytes > MAX_MESSAGE_BYTES {
            found.push((
                Rule::Batches,
                format!("a message of {bytes} bytes; at most {MAX_MESSAGE_BYTES}"),
            ));
        }
        let entries = entries(event);
        if entries > MAX_BATCH {
            found.push((
                Rule::Batches,
                format!("a message of {entries} entries; at most {MAX_BATCH}"),
            ));
        }
        match event {
            Event::Units(units) => self.units(&units.units, &mut found),
            Event::Listed(listed) => self.listed(&listed.items, &mut found),
            Event::Files(files) => self.files(&files.files, &mut found),
            Event::Progress(progress) => self.progress(progress, &mut found),
            _ => {}
        }
        found
    }

    fn units(&self, units: &[v1::Unit], found: &mut Vec<Breach>) {
        for unit in units {
            self.unit(unit, found);
        }
    }

    fn listed(&self, items: &[v1::ListedItem], found: &mut Vec<Breach>) {
        for item in items {
            let Some(unit) = &item.unit else {
                found.push((Rule::Units, "a listed item without a unit".to_owned()));
                continue;
            };
            if unit.files.len() != 1 {
                let files = unit.files.len();
                found.push((
                    Rule::Units,
                    format!("a listed item with {files} files; it has exactly one"),
                ));
            }
            self.unit(unit, found);
        }
    }

    fn unit(&self, unit: &v1::Unit, found: &mut Vec<Breach>) {
        let (id, key) = (&unit.r#type, &unit.key);
        if self.operation == Operation::Build && OF_THE_HOST.contains(&id.as_str()) {
            return image(unit, found);
        }
        let Some(fields) = self.types.key_of(id) else {
            found.push((
                Rule::Units,
                format!("a unit of type {id:?}, which the plugin's types do not define"),
            ));
            return;
        };
        let Some(given) = object(key) else {
            found.push((Rule::Units, format!("a {id} whose key is {key:?} and no JSON object")));
            return;
        };
        let lacks =
            fields.iter().find(|field| !field.from_artifact && !given.contains_key(&field.name));
        if let Some(field) = lacks {
            found.push((Rule::Units, format!("a {id} whose key {key} lacks {:?}", field.name)));
        }
        if let Some(name) =
            given.keys().find(|name| !fields.iter().any(|field| field.name == **name))
        {
            found.push((
                Rule::Units,
                format!("a {id} whose key {key} has {name:?}, which the type's key has not"),
            ));
        }
        if !unit.attributes.is_empty() && object(&unit.attributes).is_none() {
            found.push((Rule::Units, format!("a {id} whose attributes are no JSON object")));
        }
        for file in &unit.files {
            file_of(file, found);
        }
    }

    fn files(&mut self, files: &[v1::PublishedFile], found: &mut Vec<Breach>) {
        for file in files {
            let path = &file.path;
            check_path(path, found);
            if !self.paths.insert(path.clone()) {
                found.push((Rule::Paths, format!("{path:?} is published twice")));
            }
            match &file.from {
                None => {
                    found.push((Rule::Paths, format!("{path:?} does not say where its bytes are")));
                }
                Some(From::Inline(bytes)) => check_inline(path, bytes.len(), found),
                Some(From::Staged(staged)) => check_path(staged, found),
                Some(_) => {}
            }
        }
    }

    /// A new phase, or other things that are counted, may begin anew.
    fn progress(&mut self, now: &v1::Progress, found: &mut Vec<Breach>) {
        let last = std::mem::replace(&mut self.progress, now.clone());
        let same = last.phase == now.phase && last.unit == now.unit;
        if same && now.done < last.done {
            let (from, to) = (last.done, now.done);
            found.push((Rule::Progress, format!("progress went back from {from} to {to}")));
        }
        if now.total != 0 && now.done > now.total {
            let (done, total) = (now.done, now.total);
            found.push((Rule::Progress, format!("progress of {done} of {total}")));
        }
    }
}

/// An image, whose key the host writes.
fn image(unit: &v1::Unit, found: &mut Vec<Breach>) {
    let (id, key) = (&unit.r#type, &unit.key);
    if object(key).is_none_or(|fields| !fields.is_empty()) {
        found.push((
            Rule::Units,
            format!("an {id} whose key is {key:?}; the host writes it, and {{}} stands for it"),
        ));
    }
    if !unit.attributes.is_empty() && object(&unit.attributes).is_none() {
        found.push((Rule::Units, format!("an {id} whose attributes are no JSON object")));
    }
    for file in &unit.files {
        file_of(file, found);
    }
}

fn object(text: &str) -> Option<Map<String, Value>> {
    serde_json::from_str(text).ok()
}

pub(crate) fn file_of(file: &v1::File, found: &mut Vec<Breach>) {
    let path = &file.path;
    check_path(path, found);
    if let Some(staged) = &file.staged {
        check_path(staged, found);
    }
    let ways = [!file.sources.is_empty(), file.staged.is_some(), file.inline.is_some()];
    let ways = ways.into_iter().filter(|way| *way).count();
    if ways > 1 {
        found.push((
            Rule::Units,
            format!("{path:?} comes {ways} ways; one of sources, staged and inline"),
        ));
    }
    check_inline(path, file.inline.as_ref().map_or(0, Vec::len), found);
    for digest in &file.digests {
        let hex = digest.split_once(':').map(|(_, hex)| hex);
        let is_lower =
            |hex: &str| hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if !hex.is_some_and(|hex| !hex.is_empty() && is_lower(hex)) {
            found.push((
                Rule::Units,
                format!("{path:?} has {digest:?}; a digest is ALGORITHM:HEX in lower case"),
            ));
        }
    }
}

fn check_inline(path: &str, bytes: usize, found: &mut Vec<Breach>) {
    if bytes > MAX_INLINE_BYTES {
        found.push((
            Rule::Batches,
            format!("{path:?} has {bytes} bytes inline; at most {MAX_INLINE_BYTES}"),
        ));
    }
}

fn check_path(path: &str, found: &mut Vec<Breach>) {
    let strange = |letter: char| letter.is_control() || letter == '\\' || is_turning(letter);
    let is_good = path.len() <= 4_096
        && !path.contains(strange)
        && path.split('/').all(|part| !matches!(part, "" | "." | "..") && part.len() <= 255);
    if !is_good {
        found.push((Rule::Paths, format!("{path:?} is not a clean relative path")));
    }
}

/// Characters that change the direction of text. Source: Unicode Standard Annex 9, section 2.
fn is_turning(letter: char) -> bool {
    matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{61c}')
}

fn entries(event: &Event) -> usize {
    match event {
        Event::Units(units) => units.units.len(),
        Event::Listed(listed) => listed.items.len(),
        Event::Files(files) => files.files.len(),
        Event::Items(items) => items.items.len(),
        Event::Remove(units) | Event::Resolved(units) => units.units.len(),
        Event::Aliases(aliases) => aliases.aliases.len(),
        Event::Variants(variants) => variants.variants.len(),
        Event::Keep(keep) => keep.keys.len(),
        _ => 1,
    }
}

/// The event's name in the contract.
pub(crate) fn kind(event: &Event) -> &'static str {
    match event {
        Event::Log(_) => "log",
        Event::Progress(_) => "progress",
        Event::Items(_) => "items",
        Event::Units(_) => "units",
        Event::Keep(_) => "keep",
        Event::Remove(_) => "remove",
        Event::Output(_) => "output",
        Event::Files(_) => "files",
        Event::PassThrough(_) => "pass_through",
        Event::Reuse(_) => "reuse",
        Event::Aliases(_) => "aliases",
        Event::Warning(_) => "warning",
        Event::Link(_) => "link",
        Event::Checkpoint(_) => "checkpoint",
        Event::Metadata(_) => "metadata",
        Event::Job(_) => "job",
        Event::Listed(_) => "listed",
        Event::Content(_) => "content",
        Event::Resolved(_) => "resolved",
        Event::Result(_) => "result",
        Event::Error(_) => "error",
        Event::Variants(_) => "variants",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wharf_supervisor::TypeFile;

    fn types() -> Types {
        let text =
            r#"{"types":[{"id":"note","unit_key":["path",{"name":"sha256","from":"artifact"}]}]}"#;
        Types::read(&[TypeFile { path: "t".into(), text: text.to_owned() }]).unwrap()
    }

    fn rules(operation: Operation, events: &[Event]) -> Vec<Rule> {
        let types = types();
        let mut contract = Contract::new(&types, operation);
        events.iter().flat_map(|event| contract.breaches(event)).map(|(rule, _)| rule).collect()
    }

    fn note(key: &str) -> v1::Unit {
        v1::Unit { r#type: "note".to_owned(), key: key.to_owned(), ..v1::Unit::default() }
    }

    fn units(units: Vec<v1::Unit>) -> Event {
        Event::Units(v1::Units { units })
    }

    #[test]
    fn whole_units_of_known_types_are_taken() {
        let good = note(r#"{"path":"a"}"#);
        assert_eq!(rules(Operation::Sync, &[units(vec![good])]), []);
        let ghost = v1::Unit { r#type: "ghost".to_owned(), ..note("{}") };
        for wrong in [ghost, note("{}"), note("path=1"), note(r#"{"path":"a","b":1}"#)] {
            assert_eq!(rules(Operation::Sync, &[units(vec![wrong])]), [Rule::Units]);
        }
    }

    // F30
    #[test]
    fn batches_have_their_limits() {
        let many = (0..1_001).map(|n| note(&format!(r#"{{"path":"{n}"}}"#))).collect();
        assert_eq!(rules(Operation::Sync, &[units(many)]), [Rule::Batches]);
        let long = note(&format!(r#"{{"path":"{}"}}"#, "x".repeat(MAX_MESSAGE_BYTES)));
        assert_eq!(rules(Operation::Sync, &[units(vec![long])]), [Rule::Batches]);
    }

    #[test]
    fn an_image_has_no_key_of_its_own_and_only_builders_make_one() {
        let image = |key: &str| {
            let staged = v1::File {
                path: "disk.qcow2".to_owned(),
                staged: Some("disk.qcow2".to_owned()),
                ..v1::File::default()
            };
            units(vec![v1::Unit {
                r#type: "image_base".to_owned(),
                files: vec![staged],
                ..note(key)
            }])
        };
        assert_eq!(rules(Operation::Build, &[image("{}")]), []);
        assert_eq!(rules(Operation::Build, &[image(r#"{"name":"x"}"#)]), [Rule::Units]);
        assert_eq!(rules(Operation::Sync, &[image("{}")]), [Rule::Units]);
    }

    // F98
    #[test]
    fn paths_stay_inside_and_are_told_once() {
        let file = |path: &str| v1::PublishedFile {
            path: path.to_owned(),
            from: Some(From::Inline(vec![1])),
            ..v1::PublishedFile::default()
        };
        let publish = |paths: &[&str]| {
            let files = paths.iter().map(|path| file(path)).collect();
            rules(Operation::Publish, &[Event::Files(v1::PublishedFiles { files })])
        };
        assert_eq!(publish(&["a/b", "a/c"]), []);
        for wrong in ["../a", "/a", "a//b", "a\\b", "a\u{202e}b", "a\nb", ""] {
            assert_eq!(publish(&[wrong]), [Rule::Paths], "{wrong:?}");
        }
        assert_eq!(publish(&["a", "a"]), [Rule::Paths]);
    }

    // F67
    #[test]
    fn progress_goes_forward_and_not_beyond_its_total() {
        let progress = |done, total, phase: &str| {
            let phase = phase.to_owned();
            Event::Progress(v1::Progress { done, total, phase, ..v1::Progress::default() })
        };
        let good = [progress(1, 0, "a"), progress(5, 5, "a"), progress(0, 9, "b")];
        assert_eq!(rules(Operation::Sync, &good), []);
        assert_eq!(
            rules(Operation::Sync, &[progress(5, 9, ""), progress(4, 9, "")]),
            [Rule::Progress]
        );
        assert_eq!(rules(Operation::Sync, &[progress(10, 9, "")]), [Rule::Progress]);
    }

    #[test]
    fn an_event_of_another_call_has_no_meaning() {
        let listed = Event::Listed(v1::ListedItems::default());
        assert_eq!(rules(Operation::Sync, std::slice::from_ref(&listed)), [Rule::Kinds]);
        assert_eq!(rules(Operation::List, &[listed]), []);
    }
}
