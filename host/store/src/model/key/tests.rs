use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::model::KeyField;

fn definition(key: &[&str], from_artifact: &[&str], repo_key: &[&str]) -> TypeDefinition {
    let field = |name: &&str| KeyField {
        name: (*name).to_owned(),
        from_artifact: from_artifact.contains(name),
    };
    TypeDefinition {
        id: "thing".to_owned(),
        display_name: "Thing".to_owned(),
        description: "A thing".to_owned(),
        unit_key: key.iter().map(field).collect(),
        search_indexes: Vec::new(),
        referenced_types: Vec::new(),
        version: 1,
        repo_key: repo_key.iter().map(|name| (*name).to_owned()).collect(),
        attributes: None,
    }
}

fn text(definition: &TypeDefinition, key: &str) -> Result<String, KeyError> {
    canonical_key(definition, key, "{}", None).map(|key| key.text)
}

#[test]
fn one_key_has_one_form() {
    let kind = definition(&["name", "epoch"], &[], &[]);
    let forms = [
        r#"{"name":"a/é","epoch":1}"#,
        r#"{ "epoch" : 1.0, "name" : "a\/\u00e9" }"#,
        r#"{"epoch":1e0,"name":"a/é"}"#,
    ];
    for form in forms {
        assert_eq!(text(&kind, form).unwrap(), forms[0], "{form}");
    }
    assert_eq!(text(&kind, r#"{"name":null,"epoch":-0.0}"#).unwrap(), r#"{"name":null,"epoch":0}"#);
    let fraction = text(&kind, r#"{"name":true,"epoch":-1.5}"#);
    let epoch = "epoch".to_owned();
    assert_eq!(fraction, Err(KeyError::Fraction { field: epoch, number: -1.5 }));
}

#[test]
fn f65_a_key_that_is_not_of_its_type_is_refused() {
    let kind = definition(&["name", "epoch"], &[], &[]);
    let field = |name: &str| name.to_owned();
    let refused = [
        (r#"{"name":"a"}"#, KeyError::Missing { field: field("epoch") }),
        (r#"{"name":"a","epoch":1,"x":2}"#, KeyError::Unknown { field: field("x") }),
        (
            r#"{"name":"a","epoch":1,"name":2}"#,
            KeyError::Twice { what: "key", field: field("name") },
        ),
        (r#"{"name":["a"],"epoch":1}"#, KeyError::Nested { field: field("name") }),
        (r#"{"name":"a","epoch":{"x":[1]}}"#, KeyError::Nested { field: field("epoch") }),
    ];
    for (key, error) in refused {
        assert_eq!(text(&kind, key), Err(error), "{key}");
    }
    for key in ["", "[]", "1", "{", r#"{"name":"a","epoch":1}}"#, r#"{"name":"\ud800","epoch":1}"#]
    {
        assert!(matches!(text(&kind, key), Err(KeyError::NoObject { what: "key", .. })), "{key}");
    }
    let good = r#"{"name":"a","epoch":1}"#;
    for attributes in ["", "[]", "{\"a\":}", "{} {}"] {
        let error = canonical_key(&kind, good, attributes, None).unwrap_err();
        assert!(matches!(error, KeyError::NoObject { what: "attributes", .. }), "{attributes}");
    }
}

#[test]
fn the_digest_of_the_bytes_fills_its_field() {
    let kind = definition(&["path", "digest"], &["digest"], &["path"]);
    let bytes = Digest::of(b"x");
    let full = format!(r#"{{"path":"a","digest":"{bytes}"}}"#);
    let key = canonical_key(&kind, r#"{"path":"a"}"#, "{}", Some(&bytes)).unwrap();
    assert_eq!(key.text, full);
    assert_eq!(canonical_key(&kind, &full, "{}", None).unwrap(), key);
    assert_eq!(canonical_key(&kind, &full, "{}", Some(&bytes)).unwrap(), key);
    assert_eq!(repo_key(&kind, r#"{"path":"a"}"#, "{}").unwrap(), key.repo_key);
    assert!(matches!(text(&kind, r#"{"path":"a"}"#), Err(KeyError::Missing { .. })));
    let other = canonical_key(&kind, &full, "{}", Some(&Digest::of(b"y")));
    assert!(matches!(other, Err(KeyError::DigestDiffers { .. })));
}

#[test]
fn places_come_from_key_and_attributes() {
    let kind = definition(&["name", "version"], &[], &["name", "slot"]);
    let place = |key: &str, attributes: &str| {
        canonical_key(&kind, key, attributes, None).unwrap().repo_key.unwrap()
    };
    let one = place(r#"{"name":"a","version":1}"#, r#"{"slot":"x","big":{"a":[1]}}"#);
    assert_eq!(one, place(r#"{"name":"a","version":2}"#, r#"{"other":[],"slot":"x"}"#));
    assert_ne!(one, place(r#"{"name":"a","version":1}"#, r#"{"slot":"y"}"#));
    assert_eq!(
        place(r#"{"name":"a","version":1}"#, "{}"),
        place(r#"{"name":"a","version":1}"#, r#"{"slot":null}"#)
    );
    let nested = canonical_key(&kind, r#"{"name":"a","version":1}"#, r#"{"slot":[1]}"#, None);
    assert_eq!(nested, Err(KeyError::Nested { field: "slot".to_owned() }));
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<String>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        (-1.0e9..1.0e9).prop_map(|number: f64| json!(number.trunc())),
        Just(Value::Null),
    ]
}

proptest! {
    #[test]
    fn keys_are_equal_exactly_when_their_values_are(
        a in scalar(), b in scalar(), c in scalar(), d in scalar(), spaced in any::<bool>(),
    ) {
        let kind = definition(&["a", "b"], &[], &["b"]);
        let write = |first: &Value, second: &Value, turned: bool| {
            let mut pairs = [("a", first), ("b", second)];
            if turned {
                pairs.reverse();
            }
            let members: Vec<String> =
                pairs.iter().map(|(name, value)| format!("\"{name}\" : {value}")).collect();
            format!("{{ {} }}", members.join(" ,\n"))
        };
        let one = canonical_key(&kind, &write(&a, &b, spaced), "{}", None).unwrap();
        prop_assert_eq!(&canonical_key(&kind, &one.text, "{}", None).unwrap(), &one);
        let back: Map<String, Value> = serde_json::from_str(&one.text).unwrap();
        prop_assert_eq!(back.len(), 2);
        prop_assert_eq!(back["a"].as_str(), a.as_str());
        prop_assert_eq!(back["b"].as_f64(), b.as_f64());
        let other = canonical_key(&kind, &write(&c, &d, !spaced), "{}", None).unwrap();
        prop_assert_eq!(one.digest == other.digest, one.text == other.text);
        prop_assert_eq!(one.repo_key == other.repo_key, back["b"] == {
            let other: Map<String, Value> = serde_json::from_str(&other.text).unwrap();
            other["b"].clone()
        });
    }
}
