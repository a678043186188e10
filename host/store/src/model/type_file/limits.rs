//! How much a definition of types may be. Far above what any known one needs, far below what could hurt: every index
//! costs each unit that is stored, and all of a definition is kept in memory.

use super::TypeDefinition;
use super::errors::Offenders;

/// A file.
pub(super) const FILE_BYTES: usize = 1 << 20;
/// Files that are read together.
pub(super) const FILES: usize = 64;
/// Types in all files that are read together.
pub(super) const TYPES: usize = 1_000;
/// Lists and objects in each other.
pub(super) const DEPTH: usize = 32;
/// The name of a type or a field.
pub(super) const NAME_BYTES: usize = 128;
/// `display_name`.
const DISPLAY_NAME_BYTES: usize = 256;
/// `description`.
const DESCRIPTION_BYTES: usize = 4_096;
/// Fields of a key, a place or an index.
const FIELDS: usize = 32;
/// Indexes of a type.
const INDEXES: usize = 64;
/// Types that a type refers to.
const REFERENCES: usize = 256;
/// The schema of the attributes, as JSON.
const SCHEMA_BYTES: usize = 64 << 10;
/// What is told of a text from a file.
const TOLD: usize = 160;

/// Whether this much text is read at all.
pub(super) fn check_files<P: AsRef<str>, T: AsRef<str>>(
    files: &[(P, T)],
    offenders: &mut Offenders,
) {
    if files.len() > FILES {
        offenders.add(format!("{} files, at most {FILES} are read together", files.len()));
    }
    for (file, text) in files {
        let bytes = text.as_ref().len();
        if bytes > FILE_BYTES {
            offenders.add(format!("{}: {bytes} bytes, at most {FILE_BYTES}", file.as_ref()));
        }
    }
}

/// Whether one definition keeps within bounds.
pub(super) fn check(definition: &TypeDefinition, file: &str, offenders: &mut Offenders) {
    let schema = definition.attributes.as_ref().map_or(0, |schema| schema.to_string().len());
    let longest_index = definition.search_indexes.iter().map(Vec::len).max().unwrap_or(0);
    for (what, size, most, unit) in [
        ("display_name", definition.display_name.len(), DISPLAY_NAME_BYTES, "bytes"),
        ("description", definition.description.len(), DESCRIPTION_BYTES, "bytes"),
        ("unit_key", definition.unit_key.len(), FIELDS, "fields"),
        ("repo_key", definition.repo_key.len(), FIELDS, "fields"),
        ("search_indexes", definition.search_indexes.len(), INDEXES, "indexes"),
        ("search_indexes", longest_index, FIELDS, "fields in one"),
        ("referenced_types", definition.referenced_types.len(), REFERENCES, "types"),
        ("attributes", schema, SCHEMA_BYTES, "bytes"),
    ] {
        if size > most {
            let id = &definition.id;
            offenders.add(format!("{file}: {id}: {what}: {size} {unit}, at most {most}"));
        }
    }
}

/// A text from a file, short enough to be told.
pub(super) fn cut(text: &str) -> &str {
    text.char_indices().nth(TOLD).and_then(|(end, _)| text.get(..end)).unwrap_or(text)
}
