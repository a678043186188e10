use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use wharf_store::model::read_types;

use super::*;

const SCHEMA: &str = include_str!("../../../../proto/schema/types.schema.json");

fn document() -> Value {
    json!({ "types": [
        {
            "id": "deb", "display_name": "Package", "description": "", "version": 2,
            "unit_key": ["name", { "name": "sha256", "from": "artifact" }],
            "search_indexes": ["source", ["name", "arch"]], "repo_key": ["name"],
            "referenced_types": ["part"], "attributes": { "type": "object" },
        },
        { "id": "part", "display_name": "Part", "description": "", "unit_key": "name" },
    ] })
}

/// What may be put somewhere, good in one place and bad in another.
fn values() -> Vec<Value> {
    let names: Vec<String> = (0..70).map(|number| format!("n{number}")).collect();
    vec![
        Value::Null,
        json!(true),
        json!(0),
        json!(3),
        json!(-1),
        json!(4_294_967_296_u64),
        json!(1.5),
        json!(""),
        json!("fine"),
        json!("it's"),
        json!("a/b"),
        json!("x.y$"),
        json!("n".repeat(129)),
        json!([]),
        json!({}),
        json!(["fine"]),
        json!(["twice", "twice"]),
        json!([["one", "two"]]),
        json!([[]]),
        json!(names),
        json!({ "name": "fine" }),
        json!({ "name": "fine", "from": "artifact" }),
        json!({ "name": "fine", "from": "nowhere" }),
        json!({ "from": "artifact" }),
        json!({ "type": "array" }),
        json!({ "type": "object", "properties": { "fine": {} } }),
    ]
}

const PLACES: &[&str] = &[
    "",
    "/types",
    "/types/0",
    "/types/0/id",
    "/types/0/display_name",
    "/types/0/description",
    "/types/0/unit_key",
    "/types/0/unit_key/0",
    "/types/0/search_indexes",
    "/types/0/search_indexes/0",
    "/types/0/search_indexes/1",
    "/types/0/search_indexes/1/0",
    "/types/0/referenced_types",
    "/types/0/referenced_types/0",
    "/types/0/version",
    "/types/0/attributes",
    "/types/1/repo_key",
    "/types/1/colour",
];

/// Puts a value there, also where nothing stood. None: takes away what stands there. A place that an earlier change
/// took away, or made a list of what was an object, is left alone.
fn put(document: &mut Value, place: &str, value: Option<Value>) {
    let Some((parent, name)) = place.rsplit_once('/') else {
        *document = value.unwrap_or_default();
        return;
    };
    match (document.pointer_mut(parent), value) {
        (Some(Value::Object(fields)), Some(value)) => {
            fields.insert(name.to_owned(), value);
        }
        (Some(Value::Object(fields)), None) => {
            fields.remove(name);
        }
        (Some(Value::Array(list)), Some(value)) => {
            let slot = name.parse().ok().and_then(|index: usize| list.get_mut(index));
            if let Some(slot) = slot {
                *slot = value;
            }
        }
        _ => {}
    }
}

/// Both answers for the document so changed: the schema's, and the reader's.
fn answers(changes: Vec<(&str, Option<Value>)>) -> (Value, bool, Result<(), String>) {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let mut document = document();
    for (place, value) in changes {
        put(&mut document, place, value);
    }
    let read = read_types(&[("types.json", document.to_string())]);
    let valid = schema.is_valid(&document);
    (document, valid, read.map(drop).map_err(|error| error.to_string()))
}

proptest! {
    #[test]
    fn reader_and_schema_agree(
        changes in prop::collection::vec((select(PLACES), prop::option::of(select(values()))), 0..3)
    ) {
        let (document, valid, read) = answers(changes);
        // What a schema cannot say.
        let told = read.as_ref().err().cloned().unwrap_or_default();
        prop_assume!(!told.contains("defined twice") && !told.contains("depend on the bytes"));
        prop_assume!(!told.contains("is there twice") || !told.contains("unit_key"));
        prop_assert_eq!(valid, read.is_ok(), "{}\n{}", document, told);
    }
}

#[test]
fn reader_and_schema_agree_about_a_list_in_the_place_of_a_type() {
    for later in ["/types/0/version", "/types/0/id", "/types/0/unit_key/0"] {
        let (document, valid, read) =
            answers(vec![("/types/0", Some(json!(["fine"]))), (later, Some(json!(3)))]);
        assert_eq!((valid, read.is_ok()), (false, false), "{document}");
    }
}

#[test]
fn schemas_that_cannot_be_used_are_named_all_and_nothing_is_fetched() {
    let kind = |id: &str, schema: Value| json!({ "id": id, "display_name": "", "description": "", "unit_key": "x", "attributes": schema });
    let types = json!({ "types": [
        kind("good", json!({ "properties": { "x": { "$ref": "#/$defs/x" } }, "$defs": { "x": {} } })),
        kind("remote", json!({ "$ref": "http://127.0.0.1:1/x.json" })),
        kind("file", json!({ "$ref": "file:///etc/hostname" })),
        kind("pattern", json!({ "properties": { "x": { "pattern": "(" } } })),
        kind("word", json!({ "properties": { "x": { "type": "txt" } } })),
    ] });
    let read = read_types(&[("types.json", types.to_string())]).unwrap();
    let errors = check_schemas(&read).unwrap_err();
    assert_eq!(errors.fault, TypeFault::UnusableSchema);
    let named: Vec<bool> = ["remote", "file", "pattern", "word"]
        .iter()
        .zip(&errors.offenders)
        .map(|(name, offender)| offender.starts_with(&format!("types.json: {name}: ")))
        .collect();
    assert_eq!(named, [true; 4], "{errors}");
}

#[test]
fn what_a_document_of_pulp_2_becomes_is_told() {
    let plain = json!({ "types": [{
        "id": "rpm", "display_name": "RPM", "description": "", "unit_key": ["name", "arch"],
        "search_indexes": [["name", "arch"]],
    }] });
    let files = [("rpm.json".to_owned(), plain.to_string())];
    let checked = check_types(&files, &[]).unwrap();
    assert_eq!(checked[0].form, TypeForm::Pulp2);
    assert_eq!(checked[0].definition.version, 1);
    for (note, word) in
        checked[0].notes.iter().zip(["version 1", "repo_key", "attributes", "could go"])
    {
        assert!(note.contains(word), "{word}: {note}");
    }
    assert_eq!(checked[0].notes.len(), 4);
    let mut wharf = plain;
    wharf["types"][0]["version"] = json!(1);
    wharf["types"][0]["search_indexes"] = Value::Array(Vec::new());
    let checked = check_types(&[("rpm.json".to_owned(), wharf.to_string())], &[]).unwrap();
    assert_eq!((checked[0].form, checked[0].notes.len()), (TypeForm::Wharf, 0));
    let refused = check_types(&[("rpm.json".to_owned(), "{}".to_owned())], &[]);
    assert_eq!(refused.unwrap_err().code, "config.types");
}
