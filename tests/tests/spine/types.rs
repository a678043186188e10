//! Types of units, end to end: what plugins define, what is refused with all offenders, files checked alone.

use std::fs;

use serde_json::{Value, json};
use wharf_tests::TestHost;

/// A document as Pulp 2 has it.
const PULP: &str = r#"{"types": [
    {"id": "parcel", "display_name": "Parcel", "description": "Binary package",
     "unit_key": ["name", "version", "architecture", "sha256"],
     "search_indexes": ["source", ["name", "architecture"]],
     "referenced_types": ["parcel_part"]},
    {"id": "parcel_part", "display_name": "Component", "description": "A part of a release",
     "unit_key": "name", "search_indexes": ["name"]}]}"#;

/// What `wharf plugin list` says of a plugin.
fn plugin(host: &TestHost, name: &str) -> Value {
    let list = host.ok(&["plugin", "list"]);
    let plugins = list["plugins"].as_array().expect("a list");
    plugins.iter().find(|plugin| plugin["name"] == name).expect("it is listed").clone()
}

/// Why a plugin is broken.
fn reason(host: &TestHost, name: &str) -> String {
    let plugin = plugin(host, name);
    assert_eq!(plugin["state"], "broken", "{plugin:#}");
    plugin["reason"].as_str().expect("a reason").to_owned()
}

/// The misbehaving plugin with these documents instead of its own.
fn install(host: &TestHost, documents: &[&str]) {
    let files: Vec<String> = (0..documents.len()).map(|n| format!("types/{n}.json")).collect();
    host.install_with("misbehave", |manifest| {
        manifest["types"] = json!(files);
        for component in manifest["components"].as_array_mut().into_iter().flatten() {
            component["content_types"] = json!([]);
        }
    });
    for (file, document) in files.iter().zip(documents) {
        fs::write(host.plugins().join("misbehave").join(file), document).expect("a file");
    }
}

fn odd(more: &Value) -> String {
    let mut odd = json!({
        "id": "odd", "display_name": "Odd", "description": "One thing.", "unit_key": ["path"],
        "version": 1, "repo_key": ["path"],
    });
    let fields = odd.as_object_mut().expect("an object");
    fields.extend(more.as_object().cloned().unwrap_or_default());
    json!({ "types": [odd] }).to_string()
}

#[test]
fn types_are_listed_and_shown() {
    let host = TestHost::new();
    let list = host.ok(&["type", "list"]);
    let types = list["types"].as_array().into_iter().flatten();
    let file = types.into_iter().find(|kind| kind["id"] == "file").expect("it is listed");
    assert_eq!((&file["id"], &file["defined"]), (&json!("file"), &json!(true)), "{list:#}");
    let shown = host.ok(&["type", "show", "file"]);
    assert_eq!(&shown, file);
    assert_eq!(shown["unit_key"], json!(["relative_path", "sha256"]));
    assert_eq!(shown["from_artifact"], json!(["sha256"]));
    assert_eq!(shown["components"][0], "file.importer", "{shown:#}");
    let people = host.wharf(&["--output", "text", "type", "show", "file"]);
    for words in ["relative_path, sha256 (from the bytes)", "takes its place", "file.importer"] {
        assert!(people.stdout.contains(words), "{words}: {people:#?}");
    }
    let people = host.wharf(&["--output", "text", "types"]);
    assert!(people.stdout.contains("UNIT KEY"), "{people:#?}");
    host.wharf(&["type", "show", "nope"]).ended(2, "not_found").says(&["nope", "type list"]);
    host.finish();
}

#[test]
fn a_document_of_pulp_2_is_read_unchanged() {
    let host = TestHost::new();
    install(&host, &[PULP]);
    let reason = &plugin(&host, "misbehave")["reason"];
    assert_eq!(*reason, Value::Null);
    let parcel = host.ok(&["type", "show", "parcel"]);
    assert_eq!(parcel["unit_key"], json!(["name", "version", "architecture", "sha256"]));
    assert_eq!(parcel["search_indexes"], json!([["source"], ["name", "architecture"]]));
    assert_eq!(parcel["referenced_types"], json!(["parcel_part"]));
    assert_eq!((&parcel["version"], &parcel["repo_key"]), (&json!(1), &json!([])), "{parcel:#}");
    host.ok(&["repo", "create", "debs", "--type", "parcel"]);
    host.finish();
}

#[test]
fn files_are_checked_without_a_server_or_a_data_folder() {
    let host = TestHost::new();
    let file = host.folder().join("deb.json");
    let path = file.display().to_string();
    fs::write(&file, PULP).expect("a file");
    let checked = host.ok(&["type", "check", &path]);
    let parcel = &checked["types"][0];
    assert_eq!(
        (&parcel["id"], &parcel["form"], &parcel["version"]),
        (&json!("parcel"), &json!("pulp2"), &json!(1))
    );
    assert_eq!(checked["types"][1]["unit_key"], json!(["name"]), "{checked:#}");
    let people = host.wharf(&["--output", "text", "type", "check", &path]);
    for words in
        ["parcel in the form of Pulp 2; it becomes:", "stand side by side", "2 types in 1 file"]
    {
        assert!(people.stdout.contains(words), "{words}: {people:#?}");
    }
    fs::write(&file, odd(&json!({ "referenced_types": ["parcel"] }))).expect("a file");
    let check = host.wharf(&["type", "check", &path]);
    check.ended(2, "config").says(&["odd", "\"parcel\"", "--known"]);
    let checked = host.ok(&["type", "check", &path, "--known", "parcel"]);
    assert_eq!(checked["types"][0]["form"], "wharf", "{checked:#}");
    assert!(!host.data().exists(), "a check has no data folder");
    host.wharf(&["type", "check", "/nowhere/at/all.json"]).ended(1, "storage").says(&["/nowhere"]);
    assert_eq!(host.wharf(&["type", "check"]).status, 2);
    host.finish();
}

#[test]
fn a_check_names_all_offenders_of_a_class_at_once() {
    let host = TestHost::new();
    let files = ["a.json", "b.json"].map(|name| host.folder().join(name).display().to_string());
    let remote = json!({ "attributes": { "$ref": "http://127.0.0.1:1/schema.json" } });
    let doubled = odd(&json!({}));
    let cases: [(&str, &str, &str, &[&str]); 10] = [
        ("unparsable", "{", "x", &["a.json", "b.json"]),
        ("missing_root", "{}", r#"{"types": 3}"#, &["a.json", "b.json"]),
        ("not_an_object", r#"{"types": ["x"]}"#, r#"{"types": [7]}"#, &["\"x\"", "7"]),
        ("invalid_attribute", &odd(&json!({ "p": 1, "q": 2 })), PULP, &["odd: p", "odd: q"]),
        (
            "missing_attribute",
            r#"{"types": [{"id": "x"}]}"#,
            PULP,
            &["x: unit_key", "x: description"],
        ),
        (
            "invalid_value",
            &odd(&json!({ "version": 0, "repo_key": 1 })),
            PULP,
            &["version", "repo_key"],
        ),
        (
            "invalid_type_id",
            &odd(&json!({ "id": "../a" })),
            &odd(&json!({ "id": "b c" })),
            &["../a", "b c"],
        ),
        ("duplicate_type", &doubled, &doubled, &["odd: in", "a.json", "b.json"]),
        (
            "undefined_reference",
            &odd(&json!({ "referenced_types": ["x", "y"] })),
            PULP,
            &["\"x\"", "\"y\""],
        ),
        ("unusable_schema", &odd(&remote), PULP, &["odd", "127.0.0.1"]),
    ];
    for (fault, a, b, words) in cases {
        fs::write(&files[0], a).expect("a file");
        fs::write(&files[1], b).expect("a file");
        let check = host.wharf(&["type", "check", &files[0], &files[1]]);
        check.ended(2, "config").says(words);
        assert_eq!(check.json["problem"]["details"]["fault"], fault, "{check:#?}");
    }
    host.finish();
}

// F66
#[test]
fn f66_a_type_that_changed_without_a_migration_is_refused_with_the_difference() {
    let host = TestHost::new();
    install(&host, &[&odd(&json!({}))]);
    assert_eq!(plugin(&host, "misbehave")["reason"], Value::Null);
    install(&host, &[&odd(&json!({ "description": "Another thing." }))]);
    let told = reason(&host, "misbehave");
    for words in ["odd", "One thing.", "Another thing.", "raise \"version\"", "misbehave 0.1.0"] {
        assert!(told.contains(words), "{words}: {told}");
    }
    host.ok(&["repo", "create", "odds"]);
    host.wharf(&["attach", "odds", "misbehave.importer"])
        .ended(2, "config")
        .says(&["Another thing."]);
    install(&host, &[&odd(&json!({ "version": 2, "unit_key": ["name"], "repo_key": [] }))]);
    let told = reason(&host, "misbehave");
    for words in ["unit_key and repo_key changed without a migration", "\"name\""] {
        assert!(told.contains(words), "{words}: {told}");
    }
    host.attach("odds", "file.distributor", &[]);
    install(&host, &[&odd(&json!({ "version": 2, "search_indexes": ["color"] }))]);
    assert_eq!(plugin(&host, "misbehave")["reason"], Value::Null);
    assert_eq!(host.ok(&["type", "show", "odd"])["version"], 2);
    install(&host, &[&odd(&json!({}))]);
    assert!(reason(&host, "misbehave").contains("version 2 is registered"));
    host.finish();
}

// F24
#[test]
fn f24_a_type_that_two_plugins_claim_stays_with_the_first_until_that_one_is_gone() {
    let host = TestHost::new();
    // One that the checkout does not offer too, so that it can be gone.
    host.install_with("hello", |_manifest| {});
    let theirs = host.plugins().join("hello/types/greeting.json");
    let theirs = fs::read_to_string(theirs).expect("a file");
    install(&host, &[&theirs, &odd(&json!({}))]);
    let told = reason(&host, "misbehave");
    let folder = host.plugins().display().to_string();
    for place in ["/hello/types/greeting.json of plugin hello", "/misbehave/types/0.json"] {
        assert!(told.contains(&format!("{folder}{place}")), "{place}: {told}");
    }
    host.repository("tools", &[("file.distributor", &[])]);
    host.wharf(&["attach", "tools", "misbehave.importer"])
        .ended(2, "conflict")
        .says(&["greeting.json"]);
    host.wharf(&["type", "show", "odd"]).ended(2, "not_found");
    // A plugin that is broken may be mended: its types stay its own.
    let broken = |manifest: &mut Value| manifest["manifest_version"] = json!(7);
    host.install_with("hello", broken);
    assert!(reason(&host, "misbehave").contains("plugin hello"));
    fs::remove_dir_all(host.plugins().join("hello")).expect("it is there");
    assert_eq!(plugin(&host, "misbehave")["reason"], Value::Null);
    assert_eq!(host.ok(&["type", "show", "greeting"])["plugin"], "misbehave");
    host.finish();
}

#[test]
fn types_that_nobody_defines_any_more_are_kept_and_told() {
    let host = TestHost::new();
    install(&host, &[PULP]);
    host.ok(&["type", "list", "--strict"]);
    fs::remove_dir_all(host.plugins().join("misbehave")).expect("it is there");
    let list = host.ok(&["type", "list"]);
    let defined = |id: &str| {
        let mut types = list["types"].as_array().into_iter().flatten();
        types.find(|kind| kind["id"] == id).map(|kind| kind["defined"] == true)
    };
    assert_eq!(
        [defined("parcel"), defined("parcel_part"), defined("file")],
        [Some(false), Some(false), Some(true)],
        "{list:#}"
    );
    let strict = host.wharf(&["type", "list", "--strict"]);
    strict.ended(2, "config").says(&["parcel, parcel_part"]);
    let people = host.wharf(&["--output", "text", "type", "show", "parcel"]);
    assert!(people.stdout.contains("does not define it any more"), "{people:#?}");
    host.finish();
}

#[test]
fn a_plugin_that_names_types_which_nobody_defines_is_refused_until_somebody_does() {
    let host = TestHost::new();
    install(&host, &[&odd(&json!({ "referenced_types": ["file", "parcel", "rpm"] }))]);
    let told = reason(&host, "misbehave");
    assert!(
        told.contains("\"parcel\"") && told.contains("\"rpm\"") && !told.contains("\"file\""),
        "{told}"
    );
    host.wharf(&["type", "show", "odd"]).ended(2, "not_found");
    install(&host, &[&odd(&json!({ "referenced_types": ["file"] }))]);
    assert_eq!(plugin(&host, "misbehave")["reason"], Value::Null);
    host.install_with("misbehave", |manifest| {
        manifest["components"][0]["content_types"] = json!(["odd", "rpm"]);
    });
    let told = reason(&host, "misbehave");
    assert!(told.contains("importer: \"rpm\""), "{told}");
    host.finish();
}

#[test]
fn an_older_version_beside_the_one_in_use_says_nothing_about_types() {
    let host = TestHost::new();
    install(&host, &[&odd(&json!({}))]);
    host.ok(&["type", "show", "odd"]);
    let old = host.plugins().join("misbehave");
    fs::rename(&old, host.plugins().join("misbehave-old")).expect("it is moved");
    install(&host, &[&odd(&json!({ "version": 2, "display_name": "Newer" }))]);
    let manifest = old.join("plugin.json");
    let text = fs::read_to_string(&manifest).expect("a manifest").replace("\"0.1.0\"", "\"0.2.0\"");
    fs::write(&manifest, text).expect("a file");
    for _start in 1..=2 {
        assert_eq!(host.ok(&["type", "show", "odd"])["display_name"], "Newer");
        host.ok(&["plugin", "list"]);
    }
    host.ok(&["repo", "create", "odds", "--type", "odd"]);
    let list = host.ok(&["plugin", "list"]);
    let broken = list["plugins"].as_array().into_iter().flatten();
    let broken: Vec<&Value> = broken.filter(|plugin| plugin["state"] == "broken").collect();
    assert!(broken.is_empty(), "{list:#}");
    host.finish();
}
