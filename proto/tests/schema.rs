//! The schemas: valid themselves, they accept good documents and refuse bad ones, and the README shows good ones.

#![cfg(test)]

use std::path::Path;

use jsonschema::Validator;
use serde_json::{Value, json};

const README: &str = include_str!("../README.md");

fn validator(schema: &str) -> Validator {
    let schema: Value = serde_json::from_str(schema).expect("the schema is JSON");
    jsonschema::draft202012::meta::validate(&schema).expect("the schema follows its own rules");
    jsonschema::draft202012::new(&schema).expect("the schema can be used")
}

fn manifests() -> Validator {
    validator(include_str!("../schema/plugin.schema.json"))
}

fn types() -> Validator {
    validator(include_str!("../schema/types.schema.json"))
}

#[track_caller]
fn accepts(validator: &Validator, document: &Value) {
    let errors: Vec<String> =
        validator.iter_errors(document).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert_eq!(errors, Vec::<String>::new(), "{document:#}");
}

#[track_caller]
fn refuses(validator: &Validator, document: &Value) {
    assert!(!validator.is_valid(document), "accepted: {document:#}");
}

/// The JSON of the README's code block after this mark.
fn shown(mark: &str) -> Value {
    let (_, rest) = README.split_once(mark).expect("the mark is there");
    let (_, rest) = rest.split_once("```json\n").expect("a code block follows");
    let (block, _) = rest.split_once("```").expect("it ends");
    serde_json::from_str(block).expect("it is JSON")
}

fn with(mut document: Value, pointer: &str, value: Value) -> Value {
    let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
    document.pointer_mut(parent).expect("the parent is there")[key] = value;
    document
}

fn without(mut document: Value, key: &str) -> Value {
    document.as_object_mut().expect("an object").remove(key);
    document
}

#[test]
fn the_plugin_of_the_readme_is_good() {
    accepts(&manifests(), &shown("\n`plugin.json`:"));
    accepts(&types(), &shown("\n`types.json`:"));
}

#[test]
fn the_readme_names_the_cookie() {
    let shown = README.matches(wharf_proto::COOKIE_VALUE).count();
    assert_eq!(shown, 2, "in the text and in the program");
}

#[test]
fn every_plugin_of_this_checkout_has_good_documents() {
    let (manifests, types) = (manifests(), types());
    let plugins = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins");
    for folder in std::fs::read_dir(plugins).expect("the folder of plugins") {
        let folder = folder.expect("an entry").path();
        let Ok(manifest) = std::fs::read_to_string(folder.join("plugin.json")) else { continue };
        let manifest: Value = serde_json::from_str(&manifest).expect("the manifest is JSON");
        accepts(&manifests, &manifest);
        for file in manifest["types"].as_array().into_iter().flatten() {
            let file = folder.join(file.as_str().expect("a path"));
            let text = std::fs::read_to_string(file).expect("the file is there");
            accepts(&types, &serde_json::from_str(&text).expect("the types are JSON"));
        }
    }
}

#[test]
fn manifests_with_faults_are_refused() {
    let (manifests, good) = (manifests(), shown("\n`plugin.json`:"));
    for key in ["manifest_version", "name", "version", "protocol", "executable", "components"] {
        refuses(&manifests, &without(good.clone(), key));
    }
    for (pointer, value) in [
        ("/manifest_version", json!(2)),
        ("/name", json!("../evil")),
        ("/version", json!("1.0")),
        ("/executable/any", json!("/bin/sh")),
        ("/executable/any", json!("../../bin/sh")),
        ("/executable", json!({})),
        ("/types", json!(["a/../../b"])),
        ("/protocol/versions", json!([])),
        ("/components", json!([])),
        ("/components/0/role", json!("helper")),
        ("/components/0/operations", json!(["list"])),
        ("/components/0/operations", json!(["list", "fetch", "publish"])),
        ("/components/0/role", json!("distributor")),
        ("/components/0/attachment_schema", json!({ "type": "string" })),
        (
            "/components/0/attachment_schema",
            json!({ "type": "object", "properties": { "mode": {} } }),
        ),
        ("/components/0/concurrency", json!(0)),
        ("/components/0/colour", json!("red")),
    ] {
        refuses(&manifests, &with(good.clone(), pointer, value));
    }
}

#[test]
fn a_manifest_with_every_field_is_good() {
    let component = json!({
        "id": "fedora", "role": "builder", "profile": "os", "name": "Fedora",
        "description": "Installs Fedora.", "icon": "icon.svg", "category": "Systems", "order": 3,
        "standalone": false, "operations": ["build"],
        "targets": [["Fedora", null, "x86_64"], "vsphere"], "target_priority": 1,
        "contexts": [{ "type": "image", "cardinality": "one", "argument": "image" }],
        "permissions": ["build"], "instance_schema": { "type": "object" },
        "attachment_schema": { "type": "object" }, "arguments_schema": { "type": "object" },
        "result_schema": { "type": "object" }, "instances": "both", "concurrency": 2,
        "shared_process": true, "content_types": ["image"], "produces": ["image-base"],
        "hooks": [{ "on": "before:build.target", "order": 1, "filter": { "stage": "target" } }],
        "queue": "build", "weight": 50, "priority": 1, "timeout_ms": 1, "grace_ms": 1,
        "duplicate_key": "{image}", "test_mode": "dry"
    });
    let manifest = json!({
        "$schema": "x", "manifest_version": 1, "name": "image-os", "version": "1.0.0-rc.1+b",
        "description": "Images.", "license": "MIT",
        "maintainer": { "name": "a", "email": "a@example.org", "url": "https://example.org" },
        "homepage": "https://example.org", "icon": "icon.svg", "keywords": ["image"],
        "type": "os", "targets": [["Fedora", null, null]], "protocol": { "versions": [1] },
        "executable": { "linux-amd64": "bin/a", "linux-arm64": "bin/b", "any": "c" },
        "args": ["-v"], "env": { "A": "b" }, "components": [component], "types": ["types/a.json"],
        "migrations": [{ "number": 2, "name": "n", "type": "image", "from": 1, "to": 2 }],
        "fast_forward": true, "removed_up_to": 1, "removed_hint": "version 1.4",
        "settings": { "type": "object" },
        "requires": {
            "host": ">=0.1", "commands": ["qemu-img"], "files": ["/dev/kvm"],
            "network": ["*:443"], "environment": ["HTTPS_PROXY"], "kernel_features": ["kvm"]
        },
        "limits": {
            "memory_bytes": 1, "cpus": 0.5, "open_files": 9, "output_bytes": 1, "disk_bytes": 1
        },
        "messages": ["de", "pt-BR"], "legacy": { "names": ["x"], "id_prefixes": ["y."] }
    });
    accepts(&manifests(), &manifest);
}

#[test]
fn type_documents_of_pulp_2_are_good() {
    accepts(
        &types(),
        &json!({ "types": [{
            "id": "deb", "display_name": "Debian package", "description": "Binary package",
            "unit_key": ["name", "version", "architecture", "sha256"],
            "search_indexes": ["source", ["name", "architecture"]],
            "referenced_types": ["deb_component"]
        }, {
            "id": "deb_component", "display_name": "", "description": "", "unit_key": "name",
            "referenced_types": "deb"
        }] }),
    );
}

#[test]
fn type_documents_with_faults_are_refused() {
    let (types, good) = (types(), shown("\n`types.json`:"));
    refuses(&types, &json!([]));
    refuses(&types, &json!({}));
    for (pointer, value) in [
        ("/types/0/id", json!("a/b")),
        ("/types/0/id", json!("")),
        ("/types/0/unit_key", json!([])),
        ("/types/0/unit_key", json!([{ "name": "sha256", "from": "nowhere" }])),
        ("/types/0/unit_key", json!([{ "from": "artifact" }])),
        ("/types/0/search_indexes", json!([[]])),
        ("/types/0/version", json!(0)),
        ("/types/0/attributes", json!({ "type": "array" })),
        ("/types/0/colour", json!("red")),
    ] {
        refuses(&types, &with(good.clone(), pointer, value));
    }
}
