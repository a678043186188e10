//! Reads files of type definitions, written as for Pulp 2: `{"types": [...]}`.
//!
//! Each step looks at everything before the next begins, and names all that it refuses: JSON, root, attributes, names,
//! doubled types, fields. Beyond Pulp 2 a definition may have `version`, `repo_key` and `attributes`, a field of
//! `unit_key` may be written `{"name": "sha256", "from": "artifact"}`, and names may have digits and dashes.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::{KeyField, TypeDefinition};

const REQUIRED: [&str; 4] = ["id", "display_name", "description", "unit_key"];
const OPTIONAL: [&str; 5] =
    ["search_indexes", "referenced_types", "version", "repo_key", "attributes"];

/// Why type definitions cannot be used: all offenders of the first class that has any, each with its file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TypeErrors {
    /// Files that are not JSON.
    #[error("not JSON: {}", .0.join("; "))]
    Unparsable(Vec<String>),
    /// Files without a list `types`.
    #[error("no list \"types\" at the root: {}", .0.join("; "))]
    MissingRoot(Vec<String>),
    /// Attributes that there are not.
    #[error("no such attribute: {}", .0.join("; "))]
    InvalidAttribute(Vec<String>),
    /// Attributes that must be there.
    #[error("attribute missing: {}", .0.join("; "))]
    MissingAttribute(Vec<String>),
    /// Attributes of a wrong kind.
    #[error("attribute of a wrong kind: {}", .0.join("; "))]
    InvalidValue(Vec<String>),
    /// Names with other characters than letters, digits, `_` and `-`.
    #[error("names of types have letters, digits, _ and - only: {}", .0.join("; "))]
    InvalidTypeId(Vec<String>),
    /// Types that are defined twice.
    #[error("defined twice: {}", .0.join("; "))]
    DuplicateType(Vec<String>),
    /// Fields that cannot be what they are named for.
    #[error("fields cannot be used: {}", .0.join("; "))]
    InvalidField(Vec<String>),
}

/// Reads type definitions from files, given as (path, text). The path is for messages only.
///
/// # Errors
///
/// Names all offenders of the first class that has any.
pub fn read_types<P: AsRef<str>, T: AsRef<str>>(
    files: &[(P, T)],
) -> Result<Vec<TypeDefinition>, TypeErrors> {
    let parsed = parse(files)?;
    let raw = roots(&parsed)?;
    let mut offenders = Vec::new();
    for raw in &raw {
        raw.unknown_attributes(&mut offenders);
    }
    settle(&mut offenders, TypeErrors::InvalidAttribute)?;
    for raw in &raw {
        raw.missing_attributes(&mut offenders);
    }
    settle(&mut offenders, TypeErrors::MissingAttribute)?;
    let definitions: Vec<Option<TypeDefinition>> =
        raw.iter().map(|raw| raw.definition(&mut offenders)).collect();
    settle(&mut offenders, TypeErrors::InvalidValue)?;
    let definitions: Vec<TypeDefinition> = definitions.into_iter().flatten().collect();
    let with_file = || definitions.iter().zip(&raw).map(|(definition, raw)| (definition, raw.file));
    offenders.extend(
        with_file()
            .filter(|(definition, _)| !is_name(&definition.id))
            .map(|(definition, file)| format!("{file}: {:?}", definition.id)),
    );
    settle(&mut offenders, TypeErrors::InvalidTypeId)?;
    let mut seen = HashSet::new();
    offenders.extend(
        with_file()
            .filter(|(definition, _)| !seen.insert(definition.id.as_str()))
            .map(|(definition, file)| format!("{file}: {}", definition.id)),
    );
    settle(&mut offenders, TypeErrors::DuplicateType)?;
    for (definition, file) in with_file() {
        check_fields(definition, file, &mut offenders);
    }
    settle(&mut offenders, TypeErrors::InvalidField)?;
    Ok(definitions)
}

fn settle(
    offenders: &mut Vec<String>,
    error: impl FnOnce(Vec<String>) -> TypeErrors,
) -> Result<(), TypeErrors> {
    if offenders.is_empty() { Ok(()) } else { Err(error(std::mem::take(offenders))) }
}

fn parse<P: AsRef<str>, T: AsRef<str>>(files: &[(P, T)]) -> Result<Vec<(&str, Value)>, TypeErrors> {
    let mut offenders = Vec::new();
    let mut parsed = Vec::with_capacity(files.len());
    for (file, text) in files {
        match serde_json::from_str(text.as_ref()) {
            Ok(value) => parsed.push((file.as_ref(), value)),
            Err(error) => offenders.push(format!("{}: {error}", file.as_ref())),
        }
    }
    settle(&mut offenders, TypeErrors::Unparsable)?;
    Ok(parsed)
}

fn roots<'a>(parsed: &'a [(&'a str, Value)]) -> Result<Vec<Raw<'a>>, TypeErrors> {
    let mut offenders = Vec::new();
    let mut raw = Vec::new();
    for (file, root) in parsed {
        match root.get("types").and_then(Value::as_array) {
            Some(list) => raw.extend(list.iter().map(|value| Raw { file, value })),
            None => offenders.push((*file).to_owned()),
        }
    }
    settle(&mut offenders, TypeErrors::MissingRoot)?;
    Ok(raw)
}

/// One definition as it stands in its file.
struct Raw<'a> {
    file: &'a str,
    value: &'a Value,
}

impl Raw<'_> {
    fn fields(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.value.as_object().into_iter().flatten()
    }

    fn name(&self) -> &str {
        self.value.get("id").and_then(Value::as_str).unwrap_or("?")
    }

    fn unknown_attributes(&self, offenders: &mut Vec<String>) {
        let known = |name: &str| REQUIRED.contains(&name) || OPTIONAL.contains(&name);
        let unknown = self.fields().map(|(name, _)| name).filter(|name| !known(name));
        offenders.extend(unknown.map(|name| format!("{}: {}: {name}", self.file, self.name())));
    }

    fn missing_attributes(&self, offenders: &mut Vec<String>) {
        let missing = REQUIRED.into_iter().filter(|name| self.value.get(name).is_none());
        offenders.extend(missing.map(|name| format!("{}: {}: {name}", self.file, self.name())));
    }

    /// None: an attribute is of a wrong kind, and is among the offenders.
    fn definition(&self, offenders: &mut Vec<String>) -> Option<TypeDefinition> {
        let Some(object) = self.value.as_object() else {
            offenders.push(format!("{}: a type is an object", self.file));
            return None;
        };
        let mut check = Check { raw: self, offenders };
        let text = |name: &str| object.get(name).and_then(Value::as_str).map(str::to_owned);
        let id = check.is("id", text("id"), "text");
        let display_name = check.is("display_name", text("display_name"), "text");
        let description = check.is("description", text("description"), "text");
        let unit_key = check.is("unit_key", key_fields(object.get("unit_key")), "list of fields");
        let search_indexes = indexes(object);
        let search_indexes = check.is("search_indexes", search_indexes, "list of fields or lists");
        let referenced_types = names(object, "referenced_types");
        let referenced_types = check.is("referenced_types", referenced_types, "list of types");
        let repo_key = check.is("repo_key", names(object, "repo_key"), "list of fields");
        let version = object.get("version").map_or(Some(1), Value::as_u64).filter(|at| *at > 0);
        let version = check.is("version", version, "number from 1 on");
        let attributes = match object.get("attributes") {
            None => Some(None),
            Some(schema) => schema.is_object().then(|| Some(schema.clone())),
        };
        let attributes = check.is("attributes", attributes, "JSON Schema");
        Some(TypeDefinition {
            id: id?,
            display_name: display_name?,
            description: description?,
            unit_key: unit_key?,
            search_indexes: search_indexes?,
            referenced_types: referenced_types?,
            version: version?,
            repo_key: repo_key?,
            attributes: attributes?,
        })
    }
}

/// Collects what is of a wrong kind.
struct Check<'a> {
    raw: &'a Raw<'a>,
    offenders: &'a mut Vec<String>,
}

impl Check<'_> {
    fn is<T>(&mut self, name: &str, read: Option<T>, wanted: &str) -> Option<T> {
        if read.is_none() {
            let (file, id) = (self.raw.file, self.raw.name());
            self.offenders.push(format!("{file}: {id}: {name} is no {wanted}"));
        }
        read
    }
}

fn key_fields(value: Option<&Value>) -> Option<Vec<KeyField>> {
    let field = |value: &Value| match value {
        Value::String(name) => Some(KeyField { name: name.clone(), from_artifact: false }),
        Value::Object(object) => {
            let name = object.get("name")?.as_str()?.to_owned();
            let from_artifact = match object.get("from") {
                None => false,
                Some(from) => from.as_str() == Some("artifact"),
            };
            let known = object.keys().all(|key| key == "name" || key == "from");
            let sound = known && from_artifact == object.contains_key("from");
            sound.then_some(KeyField { name, from_artifact })
        }
        _ => None,
    };
    match value? {
        Value::Array(list) => list.iter().map(field).collect(),
        one => field(one).map(|field| vec![field]),
    }
}

/// A list of names; one name alone counts as a list.
fn list(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(name) => Some(vec![name.clone()]),
        Value::Array(list) => list.iter().map(|name| name.as_str().map(str::to_owned)).collect(),
        _ => None,
    }
}

fn names(object: &Map<String, Value>, name: &str) -> Option<Vec<String>> {
    object.get(name).map_or_else(|| Some(Vec::new()), list)
}

fn indexes(object: &Map<String, Value>) -> Option<Vec<Vec<String>>> {
    match object.get("search_indexes") {
        None => Some(Vec::new()),
        Some(Value::Array(indexes)) => indexes.iter().map(list).collect(),
        Some(one) => list(one).map(|index| vec![index]),
    }
}

fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (1..=128).contains(&text.len()) && text.bytes().all(allowed)
}

/// Whether a text can be the name of a field: it becomes part of an index's expression.
pub(crate) fn is_field_name(text: &str) -> bool {
    let allowed =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'$');
    (1..=128).contains(&text.len()) && text.bytes().all(allowed)
}

fn check_fields(definition: &TypeDefinition, file: &str, offenders: &mut Vec<String>) {
    let mut refuse = |what: &str, why: &str| {
        offenders.push(format!("{file}: {}: {what}: {why}", definition.id));
    };
    if definition.unit_key.is_empty() {
        refuse("unit_key", "has no field");
    }
    let key = definition.unit_key.iter().map(|field| &field.name);
    let lists = std::iter::once(("unit_key", key.cloned().collect::<Vec<_>>()))
        .chain(std::iter::once(("repo_key", definition.repo_key.clone())))
        .chain(definition.search_indexes.iter().map(|index| ("search_indexes", index.clone())));
    for (what, fields) in lists {
        let mut seen = HashSet::new();
        for field in &fields {
            if !is_field_name(field) {
                refuse(what, &format!("{field:?}: use 1 to 128 of A-Z a-z 0-9 _ - . $"));
            }
            if !seen.insert(field) {
                refuse(what, &format!("{field:?} is there twice"));
            }
        }
        if what == "search_indexes" && fields.is_empty() {
            refuse(what, "an index has no field");
        }
    }
    for field in definition.unit_key.iter().filter(|field| field.from_artifact) {
        if definition.repo_key.contains(&field.name) {
            refuse("repo_key", &format!("{:?}: a place cannot depend on the bytes", field.name));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEB: &str = r#"{"types": [
        {"id": "deb", "display_name": "Debian package", "description": "Binary package",
         "unit_key": ["name", "version", {"name": "sha256", "from": "artifact"}],
         "search_indexes": ["source", ["name", "architecture"]],
         "referenced_types": ["deb_component"], "version": 2, "repo_key": ["name"],
         "attributes": {"type": "object"}},
        {"id": "deb-component2", "display_name": "c", "description": "d", "unit_key": "name"}]}"#;

    #[test]
    fn a_file_of_pulp_2_and_the_additions_are_read() {
        let types = read_types(&[("deb.json", DEB)]).unwrap();
        assert_eq!(types.len(), 2);
        let deb = &types[0];
        assert_eq!(deb.search_indexes, [vec!["source"], vec!["name", "architecture"]]);
        assert!(deb.unit_key[2].from_artifact && !deb.unit_key[0].from_artifact);
        assert_eq!((deb.version, types[1].version), (2, 1));
        assert_eq!(types[1].unit_key[0].name, "name");
        let json = serde_json::to_string(&types).unwrap();
        assert_eq!(serde_json::from_str::<Vec<TypeDefinition>>(&json).unwrap(), types);
    }

    fn one(extra: &str) -> String {
        format!(
            r#"{{"types": [{{"id": "a", "display_name": "A", "description": "", "unit_key": ["x"]{extra}}}]}}"#
        )
    }

    #[test]
    fn each_class_of_fault_names_all_its_offenders() {
        type Class = fn(Vec<String>) -> TypeErrors;
        let cases: [(&[String], Class, &[&str]); 8] = [
            (&["{".to_owned(), "x".to_owned()], TypeErrors::Unparsable, &["f0", "f1"]),
            (&["{}".to_owned(), "[]".to_owned()], TypeErrors::MissingRoot, &["f0", "f1"]),
            (&[one(r#", "p": 1, "q": 2"#)], TypeErrors::InvalidAttribute, &["a: p", "a: q"]),
            (
                &[r#"{"types": [{"id": "b"}]}"#.to_owned()],
                TypeErrors::MissingAttribute,
                &["b: display_name", "b: description", "b: unit_key"],
            ),
            (
                &[one(r#", "version": 0, "repo_key": 3, "attributes": []"#)],
                TypeErrors::InvalidValue,
                &["version", "repo_key", "attributes"],
            ),
            (
                &[one("").replace("\"a\"", "\"a b\""), one("").replace("\"a\"", "\"../x\"")],
                TypeErrors::InvalidTypeId,
                &["a b", "../x"],
            ),
            (&[one(""), one("")], TypeErrors::DuplicateType, &["f1: a"]),
            (
                &[one(r#", "search_indexes": ["it's", ["y", "y"]], "repo_key": ["\""]"#)],
                TypeErrors::InvalidField,
                &["it's", "\"y\" is there twice", "repo_key"],
            ),
        ];
        for (texts, class, words) in cases {
            let files: Vec<(String, &String)> =
                texts.iter().enumerate().map(|(n, text)| (format!("f{n}"), text)).collect();
            let error = read_types(&files).unwrap_err();
            assert_eq!(std::mem::discriminant(&error), std::mem::discriminant(&class(Vec::new())));
            for word in words {
                assert!(error.to_string().contains(word), "{word} is missing in: {error}");
            }
        }
    }

    #[test]
    fn a_place_that_depends_on_the_bytes_is_refused() {
        let text = one(r#", "repo_key": "x""#);
        let text = text.replace(r#"["x"]"#, r#"{"name": "x", "from": "artifact"}"#);
        let error = read_types(&[("f", text)]).unwrap_err();
        assert!(matches!(error, TypeErrors::InvalidField(_)), "{error}");
    }
}
