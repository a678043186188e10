//! Units of a repository that does not exist: as many as wanted, by the sample's templates, or made up by type.

use std::collections::HashMap;

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use wharf_proto::v1;
use wharf_supervisor::Component;

use crate::bench::pushes;
use crate::sample::{Sample, Template, TemplateFile, fill};
use crate::types::Types;

/// A repository's version, and the bytes of its files by digest.
#[derive(Debug, Default)]
pub(crate) struct Stock {
    pub(crate) units: Vec<v1::Unit>,
    files: HashMap<String, Vec<u8>>,
}

impl Stock {
    /// `count` units that the component takes.
    pub(crate) fn of(component: &Component, sample: &Sample, types: &Types, count: u32) -> Self {
        let made_up: Vec<Template>;
        let templates = if sample.units.is_empty() {
            let by_type = component.content_types.iter().filter_map(|id| template(id, types));
            made_up = by_type.chain(pushes(component).then(image)).collect();
            &made_up
        } else {
            &sample.units
        };
        let mut stock = Self::default();
        for (number, template) in (1..=count).zip(templates.iter().cycle()) {
            stock.add(number, template, types);
        }
        stock
    }

    pub(crate) fn file(&self, digest: &str) -> Option<&[u8]> {
        self.files.get(digest).map(Vec::as_slice)
    }

    fn add(&mut self, number: u32, template: &Template, types: &Types) {
        let n = number.to_string();
        let mut files = Vec::new();
        for file in &template.files {
            let text =
                file.text.clone().unwrap_or_else(|| "unit {n} of wharf plugin verify\n".to_owned());
            let bytes = text.replace("{n}", &n).into_bytes();
            let digest = format!("sha256:{}", sha256(&bytes));
            files.push(v1::File {
                path: file.path.replace("{n}", &n),
                size: u64::try_from(bytes.len()).ok(),
                digests: vec![digest.clone()],
                ..v1::File::default()
            });
            self.files.insert(digest, bytes);
        }
        let first = files.first().and_then(|file| file.digests.first());
        let digest =
            first.and_then(|digest| digest.strip_prefix("sha256:")).unwrap_or_default().to_owned();
        let text = |fields: &Map<String, Value>| {
            let mut value = Value::Object(fields.clone());
            fill(&mut value, &[("{n}", &n), ("{sha256}", &digest)]);
            value
        };
        let mut key = text(&template.key);
        // The host has filled these in by the time that anybody reads the unit.
        for field in types.key_of(&template.r#type).into_iter().flatten() {
            if field.from_artifact && key.get(&field.name).is_none() {
                key[&field.name] = json!(digest);
            }
        }
        self.units.push(v1::Unit {
            r#type: template.r#type.clone(),
            key: key.to_string(),
            attributes: text(&template.attributes).to_string(),
            files,
            links: Vec::new(),
            id: u64::from(number),
        });
    }
}

/// What a unit may look like when nobody says.
fn template(id: &str, types: &Types) -> Option<Template> {
    let key = types.key_of(id)?.iter().filter(|field| !field.from_artifact);
    let value = |name: &str| if name == "sha256" { json!("{sha256}") } else { json!("verify-{n}") };
    let key = key.map(|field| (field.name.clone(), value(&field.name))).collect();
    let files = vec![TemplateFile { path: format!("{id}/verify-{{n}}"), text: None }];
    Some(Template { r#type: id.to_owned(), key, attributes: Map::new(), files })
}

/// What a push is handed when nobody says: a disk of a target.
fn image() -> Template {
    let fields = |value: Value| value.as_object().cloned().unwrap_or_default();
    Template {
        r#type: "image_target".to_owned(),
        key: fields(json!({
            "name": "verify", "target": "raw", "architecture": "x86_64", "build": 1,
        })),
        attributes: fields(json!({ "format": "raw" })),
        files: vec![TemplateFile { path: "verify.raw".to_owned(), text: None }],
    }
}

/// In hexadecimal digits.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().fold(String::with_capacity(64), |mut text, byte| {
        let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or('0');
        text.extend([digit(byte >> 4), digit(byte & 15)]);
        text
    })
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

    #[test]
    fn a_template_makes_units_that_differ_and_whose_bytes_are_there() {
        let template: Template = serde_json::from_value(json!({ "type": "note",
            "key": { "path": "a/{n}.txt" }, "attributes": { "of": "{sha256}" },
            "files": [{ "path": "a/{n}.txt", "text": "{n}!" }] }))
        .unwrap();
        let mut stock = Stock::default();
        for number in [1, 2] {
            stock.add(number, &template, &types());
        }
        let [first, second] = stock.units.as_slice() else { unreachable!("two were added") };
        assert_ne!(first.key, second.key);
        let digest = &second.files[0].digests[0];
        assert_eq!(stock.file(digest), Some(&b"2!"[..]));
        let key: Value = serde_json::from_str(&second.key).unwrap();
        assert_eq!(key, json!({ "path": "a/2.txt", "sha256": digest["sha256:".len()..] }));
        assert!(second.attributes.contains(&digest["sha256:".len()..]));
    }

    #[test]
    fn without_a_template_the_type_says_what_a_key_looks_like() {
        let template = template("note", &types()).unwrap();
        assert_eq!(Value::Object(template.key), json!({ "path": "verify-{n}" }));
    }
}
