use proptest::prelude::*;
use serde_json::json;

use super::*;

const DEB: &str = r#"{"types": [
    {"id": "deb", "display_name": "Debian package", "description": "Binary package",
     "unit_key": ["name", "version", {"name": "sha256", "from": "artifact"}],
     "search_indexes": ["source", ["name", "architecture"]],
     "referenced_types": ["deb-component2"], "version": 2, "repo_key": ["name"],
     "attributes": {"type": "object"}},
    {"id": "deb-component2", "display_name": "c", "description": "d", "unit_key": "name"}]}"#;

fn definitions(files: &[(&str, &str)]) -> Vec<TypeDefinition> {
    read_types(files).unwrap().into_iter().map(|read| read.definition).collect()
}

#[test]
fn the_additions_are_read() {
    let types = definitions(&[("deb.json", DEB)]);
    assert_eq!(types.len(), 2);
    let deb = &types[0];
    assert_eq!(deb.search_indexes, [vec!["source"], vec!["name", "architecture"]]);
    assert!(deb.unit_key[2].from_artifact && !deb.unit_key[0].from_artifact);
    assert_eq!((deb.version, types[1].version), (2, 1));
    assert_eq!(types[1].unit_key[0].name, "name");
    let json = serde_json::to_string(&types).unwrap();
    assert_eq!(serde_json::from_str::<Vec<TypeDefinition>>(&json).unwrap(), types);
    let read = read_types(&[("deb.json", DEB)]).unwrap();
    let ruled = ["version", "repo_key", "attributes", "unit_key with rules"];
    assert_eq!(read[0].additions, ruled);
    assert_eq!(read[1].additions, ["id with digits or dashes"]);
}

fn one(extra: &str) -> String {
    format!(
        r#"{{"types": [{{"id": "a", "display_name": "A", "description": "", "unit_key": ["x"]{extra}}}]}}"#
    )
}

fn named(id: &str) -> String {
    one("").replace("\"a\"", &format!("\"{id}\""))
}

#[track_caller]
fn refused(texts: &[String], fault: TypeFault, words: &[&str]) {
    let files: Vec<(String, &String)> =
        texts.iter().enumerate().map(|(n, text)| (format!("f{n}"), text)).collect();
    let errors = read_types(&files).unwrap_err();
    assert_eq!(errors.fault, fault, "{errors}");
    assert_eq!(errors.offenders.len(), words.len(), "{errors}");
    for (offender, word) in errors.offenders.iter().zip(words) {
        assert!(offender.contains(word), "{word} is missing in: {offender}");
    }
}

#[test]
fn each_class_of_fault_names_all_its_offenders() {
    use TypeFault as Fault;
    refused(&["{".to_owned(), "x".to_owned()], Fault::Unparsable, &["f0", "f1"]);
    refused(&["{}".to_owned(), "[]".to_owned()], Fault::MissingRoot, &["f0", "f1"]);
    let manifest = r#"{"types": ["types/a.json", 3]}"#.to_owned();
    refused(&[manifest, one("")], Fault::NotAnObject, &["types/a.json", "f0: 3"]);
    refused(&[one(r#", "p": 1, "q": 2"#)], Fault::InvalidAttribute, &["a: p", "a: q"]);
    let missing = ["b: display_name", "b: description", "b: unit_key"];
    refused(&[r#"{"types": [{"id": "b"}]}"#.to_owned()], Fault::MissingAttribute, &missing);
    let wrong = one(r#", "version": 0, "repo_key": 3, "attributes": []"#);
    refused(&[wrong], Fault::InvalidValue, &["repo_key", "version", "attributes"]);
    let listed = one(r#", "attributes": {"type": "array"}"#);
    refused(&[listed], Fault::InvalidValue, &["attributes is no JSON Schema of an object"]);
    let names = [named("a b"), named("../x"), named("a/b"), named("")];
    refused(&names, Fault::InvalidTypeId, &["a b", "../x", "a/b", "f3: \"\""]);
    let reference = one(r#", "referenced_types": ["b", "c d"]"#);
    refused(&[reference], Fault::InvalidTypeId, &["a: referenced_types: \"c d\""]);
    let doubled = [named("A"), named("a"), named("a"), named("A")];
    refused(&doubled, Fault::DuplicateType, &["a: in f1 and in f2", "A: in f0 and in f3"]);
    let fields = one(r#", "search_indexes": ["it's", ["y", "y"], []], "repo_key": ["\""]"#);
    let words = ["repo_key", "it's", "\"y\" is there twice", "no field"];
    refused(&[fields], Fault::InvalidField, &words);
}

#[test]
fn a_class_is_looked_for_in_all_files_before_the_next() {
    let texts = [one(r#", "p": 1"#), "{".to_owned(), "{}".to_owned()];
    refused(&texts, TypeFault::Unparsable, &["f1"]);
    refused(&[texts[0].clone(), texts[2].clone()], TypeFault::MissingRoot, &["f1"]);
}

#[test]
fn a_place_that_depends_on_the_bytes_is_refused() {
    let text = one(r#", "repo_key": "x""#);
    let text = text.replace(r#"["x"]"#, r#"{"name": "x", "from": "artifact"}"#);
    refused(&[text], TypeFault::InvalidField, &["depend on the bytes"]);
}

#[test]
fn fields_that_no_unit_can_have_are_refused() {
    let with = |rest: &str| {
        one(&format!(
            r#", "search_indexes": ["x", ["y", "z"]], "repo_key": ["q"],
                "attributes": {{"type": "object", "properties": {{"y": {{}}}}{rest}}}"#
        ))
    };
    let closed = with(r#", "additionalProperties": false"#);
    refused(&[closed], TypeFault::InvalidField, &["repo_key: \"q\"", "search_indexes: \"z\""]);
    read_types(&[("open", with(""))]).unwrap();
    let patterns = with(r#", "additionalProperties": false, "patternProperties": {"^.$": {}}"#);
    read_types(&[("patterns", patterns)]).unwrap();
}

#[test]
fn references_lead_to_types_that_somebody_defines() {
    let read = read_types(&[("deb.json", DEB)]).unwrap();
    check_references(&read, |name| name == "deb-component2").unwrap();
    let errors = check_references(&read, |_| false).unwrap_err();
    assert_eq!(errors.fault, TypeFault::UndefinedReference);
    assert_eq!(errors.offenders, ["deb.json: deb: \"deb-component2\""]);
}

// F143
#[test]
fn names_that_come_twice_and_deep_nesting_are_refused() {
    let twice = one(r#", "description": "again""#);
    refused(&[twice], TypeFault::Unparsable, &["\"description\" is there twice at line 1"]);
    let deep = |levels: usize| {
        let (open, close) = ("[".repeat(levels), "]".repeat(levels));
        one(&format!(r#", "attributes": {{"type": "object", "x": {open}{close}}}"#))
    };
    read_types(&[("fine", deep(28))]).unwrap();
    refused(
        &[deep(29), deep(100_000)],
        TypeFault::Unparsable,
        &["f0: nested deeper", "f1: nested"],
    );
}

#[test]
fn what_is_too_much_is_refused_with_the_bound() {
    let many = |what: &str, count: usize| {
        let names: Vec<String> = (0..count).map(|n| format!("\"n{n}\"")).collect();
        one(&format!(r#", "{what}": [{}]"#, names.join(",")))
    };
    let most = TypeFault::TooLarge;
    refused(&[many("repo_key", 33)], most, &["a: repo_key: 33 fields, at most 32"]);
    refused(&[many("search_indexes", 65)], most, &["65 indexes, at most 64"]);
    refused(&[many("referenced_types", 257)], most, &["257 types, at most 256"]);
    let long =
        one(&format!(r#", "attributes": {{"type": "object", "x": "{}"}}"#, "y".repeat(70_000)));
    refused(&[long], most, &["attributes"]);
    let file = " ".repeat((1 << 20) + 1);
    refused(&[file.clone(), "{".to_owned(), file], most, &["f0: 1048577 bytes", "f2"]);
    let types = vec!["{}"; 1_001].join(",");
    refused(&[format!(r#"{{"types": [{types}]}}"#)], most, &["1001 types, at most 1000"]);
    refused(&vec![one(""); 65], most, &["65 files"]);
    let name = "n".repeat(129);
    refused(&[named(&name)], TypeFault::InvalidTypeId, &["nnn"]);
}

/// A definition in Pulp 2's terms, with the freedoms of writing it that Pulp 2 gives.
fn of_pulp() -> impl Strategy<Value = (TypeDefinition, Value)> {
    let field = "[a-z_]{1,12}";
    let fields = || prop::collection::btree_set(field, 1..5);
    let parts = (
        ("[A-Za-z_]{1,20}", ".{0,20}", ".{0,40}", fields()),
        prop::collection::vec(fields(), 0..5),
        prop::collection::btree_set("[A-Za-z_]{1,20}", 0..4),
        any::<bool>(),
    );
    parts.prop_map(|((id, display_name, description, key), indexes, references, short)| {
        let list = |names: &std::collections::BTreeSet<String>| names.iter().cloned().collect();
        let unit_key: Vec<String> = list(&key);
        let search_indexes: Vec<Vec<String>> = indexes.iter().map(list).collect();
        let referenced_types: Vec<String> = list(&references);
        let one = |names: &Vec<String>| match names.as_slice() {
            [name] if short => json!(name),
            names => json!(names),
        };
        let mut written = json!({
            "id": id, "display_name": display_name, "description": description,
            "unit_key": one(&unit_key),
            "search_indexes": search_indexes.iter().map(one).collect::<Vec<_>>(),
            "referenced_types": referenced_types,
        });
        if short && let Some(fields) = written.as_object_mut() {
            fields.retain(|_, value| value.as_array().is_none_or(|list| !list.is_empty()));
        }
        let key_field =
            |name: &String| super::super::KeyField { name: name.clone(), from_artifact: false };
        let definition = TypeDefinition {
            id,
            display_name,
            description,
            unit_key: unit_key.iter().map(key_field).collect(),
            search_indexes,
            referenced_types,
            version: 1,
            repo_key: Vec::new(),
            attributes: None,
        };
        (definition, written)
    })
}

proptest! {
    #[test]
    fn what_pulp_2_means_is_what_is_read(types in prop::collection::vec(of_pulp(), 0..6), cut in 0_usize..6) {
        // Types of one document may be spread over any number of files.
        let mut seen = std::collections::HashSet::new();
        let types: Vec<_> = types.into_iter().filter(|(it, _)| seen.insert(it.id.clone())).collect();
        let (one, two) = types.split_at(cut.min(types.len()));
        let document = |part: &[(TypeDefinition, Value)]| {
            let types: Vec<&Value> = part.iter().map(|(_, written)| written).collect();
            json!({ "types": types, "_comment": "as found" }).to_string()
        };
        let read = read_types(&[("one", document(one)), ("two", document(two))]).unwrap();
        let wanted: Vec<&TypeDefinition> = types.iter().map(|(wanted, _)| wanted).collect();
        let got: Vec<&TypeDefinition> = read.iter().map(|read| &read.definition).collect();
        prop_assert_eq!(got, wanted);
        prop_assert!(read.iter().all(|read| read.additions.is_empty()));
    }

    #[test]
    fn any_text_is_read_or_refused(text in ".{0,200}", extra in ".{0,40}") {
        for text in [text, one(&extra)] {
            if let Err(errors) = read_types(&[("f", text)]) {
                prop_assert!(!errors.offenders.is_empty());
            }
        }
    }

    #[test]
    fn every_index_has_fields_that_an_expression_can_name((definition, _) in of_pulp()) {
        let indexes = definition.indexes();
        prop_assert!(indexes.iter().flatten().all(|field| is_field_name(field)));
        let first = definition.unit_key.first().map(|field| field.name.as_str());
        prop_assert!(indexes.iter().any(|index| index.first().copied() == first));
        for declared in &definition.search_indexes {
            prop_assert!(indexes.iter().any(|index| index == declared));
        }
    }
}
