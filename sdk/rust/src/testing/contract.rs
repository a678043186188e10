//! What a stream of events must look like, whatever the plugin does.

use std::sync::Arc;

use prost::Message;
use serde_json::{Map, Value};
use wharf_proto::v1;
use wharf_proto::v1::event::Event;
use wharf_proto::{MAX_BATCH, MAX_INLINE_BYTES, MAX_MESSAGE_BYTES};

use crate::serve::{Registry, TypeDefinition};

/// Watches one stream.
pub(super) struct Contract {
    registry: Arc<Registry>,
    ended: bool,
}

impl Contract {
    pub(super) fn new(registry: Arc<Registry>) -> Self {
        Self { registry, ended: false }
    }

    /// # Panics
    /// When the event breaks the contract; says how.
    pub(super) fn check(&mut self, event: &v1::Event) {
        assert!(!self.ended, "contract: an event after the closing one");
        let bytes = event.encoded_len();
        assert!(bytes <= MAX_MESSAGE_BYTES, "contract: a message of {bytes} bytes");
        let entries = event.event.as_ref().map_or(0, |event| self.entries(event));
        assert!(entries <= MAX_BATCH, "contract: a message of {entries} entries");
        self.ended = matches!(event.event, Some(Event::Result(_) | Event::Error(_)));
    }

    /// # Panics
    /// When there was no closing event.
    pub(super) fn check_end(&self) {
        assert!(self.ended, "contract: the stream ended without result or error");
    }

    fn entries(&self, event: &Event) -> usize {
        match event {
            Event::Units(units) => {
                units.units.iter().for_each(|unit| self.unit(unit));
                units.units.len()
            }
            Event::Listed(items) => {
                for item in &items.items {
                    let unit = item.unit.as_ref();
                    let files = unit.map_or(0, |unit| unit.files.len());
                    assert!(files == 1, "contract: a listed item has one file, this one {files}");
                    if let Some(unit) = unit {
                        self.unit(unit);
                    }
                }
                items.items.len()
            }
            Event::Files(files) => files.files.len(),
            Event::Items(items) => items.items.len(),
            Event::Remove(units) | Event::Resolved(units) => units.units.len(),
            Event::Aliases(aliases) => aliases.aliases.len(),
            Event::Variants(variants) => variants.variants.len(),
            Event::Keep(keep) => keep.keys.len(),
            _ => 1,
        }
    }

    fn unit(&self, unit: &v1::Unit) {
        let (kind, key) = (&unit.r#type, &unit.key);
        let fields = object(key).unwrap_or_default();
        // A migration names units by number, and leaves empty what stays.
        let stays = unit.id > 0 && key.is_empty();
        // The keys of what builders make are the host's to fill; a plugin without types of its own leaves them empty.
        let left_out = object(key).is_some() && self.registry.types().is_empty();
        let is_key = stays || left_out || !fields.is_empty();
        assert!(is_key, "contract: the key of a unit is a JSON object, not {key:?}");
        let attributes = unit.attributes.is_empty() || object(&unit.attributes).is_some();
        assert!(attributes, "contract: attributes are a JSON object, not {:?}", unit.attributes);
        unit.files.iter().for_each(file);
        let types = self.registry.types();
        if types.is_empty() {
            return;
        }
        let known = types.iter().find(|known| known.id == *kind);
        assert!(known.is_some(), "contract: no type {kind:?} is declared");
        for (name, filled) in known.into_iter().flat_map(TypeDefinition::key_fields) {
            assert!(stays || filled || fields.contains_key(name), "contract: {key} lacks {name:?}");
        }
    }
}

fn object(text: &str) -> Option<Map<String, Value>> {
    serde_json::from_str(text).ok()
}

fn file(file: &v1::File) {
    let path = &file.path;
    let inside = path.split('/').all(|segment| !matches!(segment, "" | "." | ".."));
    assert!(inside, "contract: {path:?} is not a clean relative path");
    let ways = usize::from(!file.sources.is_empty())
        + usize::from(file.staged.is_some())
        + usize::from(file.inline.is_some());
    assert!(ways <= 1, "contract: {path:?} comes {ways} ways");
    let inline = file.inline.as_ref().map_or(0, Vec::len);
    assert!(inline <= MAX_INLINE_BYTES, "contract: {path:?} has {inline} bytes inline");
}
