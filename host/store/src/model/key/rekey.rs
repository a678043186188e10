//! Brings a unit that stands into the form of a changed definition.

use serde_json::{Map, Value};

use super::{KeyError, no_object};
use crate::model::TypeDefinition;

/// The key and the attributes that a unit has under a definition that was not its own. A field of the key comes from the
/// old key, else from the attributes; what stood in the old key and does not belong there any more goes to the
/// attributes. Both are JSON objects, before and after. Says nothing about whether the key is complete.
///
/// # Errors
///
/// One of them is no JSON object.
pub fn rekey(
    definition: &TypeDefinition,
    key: &str,
    attributes: &str,
) -> Result<(String, String), KeyError> {
    let mut old = object("key", key)?;
    let mut attributes = object("attributes", attributes)?;
    let mut new = Map::new();
    for field in &definition.unit_key {
        let value = old.remove(&field.name).or_else(|| attributes.get(&field.name).cloned());
        new.extend(value.map(|value| (field.name.clone(), value)));
    }
    for (name, value) in old {
        attributes.entry(name).or_insert(value);
    }
    Ok((Value::Object(new).to_string(), Value::Object(attributes).to_string()))
}

fn object(what: &'static str, text: &str) -> Result<Map<String, Value>, KeyError> {
    serde_json::from_str(text).map_err(|error| no_object(what, &error))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::KeyField;

    #[test]
    fn fields_come_from_the_old_key_then_from_the_attributes_and_none_is_lost() {
        let field = |name: &str| KeyField { name: name.to_owned(), from_artifact: false };
        let definition = TypeDefinition {
            id: "note".to_owned(),
            display_name: String::new(),
            description: String::new(),
            unit_key: ["title", "lang"].map(field).into(),
            search_indexes: Vec::new(),
            referenced_types: Vec::new(),
            version: 2,
            repo_key: Vec::new(),
            attributes: None,
        };
        let (key, attributes) =
            rekey(&definition, r#"{"title":"a","page":3}"#, r#"{"lang":"en","page":4}"#).unwrap();
        let value = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        assert_eq!(value(&key), json!({ "title": "a", "lang": "en" }));
        assert_eq!(value(&attributes), json!({ "lang": "en", "page": 4 }));
        let (key, attributes) = rekey(&definition, r#"{"page":3}"#, "{}").unwrap();
        assert_eq!((key.as_str(), attributes.as_str()), ("{}", r#"{"page":3}"#));
        assert!(rekey(&definition, "[]", "{}").is_err());
    }
}
