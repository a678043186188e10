//! Who may depend on whom, and what every crate inherits. Source: `host/ARCHITECTURE.md`, section 3.

use crate::files::{all, none, text};

/// Our crates, and those of ours that each may use.
const MAY_USE: &[(&str, &[&str])] = &[
    ("wharf-proto", &[]),
    ("wharf-codegen", &[]),
    ("kv", &["wharf-sdk", "wharf-supervisor"]),
    ("wharf-store", &[]),
    ("wharf-openpgp", &[]),
    ("wharf-template", &[]),
    ("wharf-peer", &["wharf-proto"]),
    ("wharf-sdk", &["wharf-peer", "wharf-proto"]),
    ("wharf-http", &["wharf-sdk"]),
    ("wharf-supervisor", &["wharf-peer", "wharf-proto"]),
    (
        "wharf-engine",
        &["wharf-openpgp", "wharf-proto", "wharf-store", "wharf-supervisor", "wharf-template"],
    ),
    ("wharf-conformance", &["wharf-peer", "wharf-proto", "wharf-supervisor"]),
    ("wharf-server", &["wharf-engine", "wharf-store"]),
    ("wharf-kitovu", &[]),
    (
        "wharf",
        &[
            "wharf-conformance",
            "wharf-engine",
            "wharf-kitovu",
            "wharf-proto",
            "wharf-server",
            "wharf-store",
            "wharf-supervisor",
        ],
    ),
];

/// What a plugin may use.
const PLUGIN: &[&str] = &["wharf-http", "wharf-openpgp", "wharf-sdk", "wharf-template"];

/// Libraries that the store must not see: it knows no gRPC, no plugin and no HTTP.
const NOT_IN_STORE: &[&str] = &["tonic", "prost", "hyper", "axum", "reqwest", "http"];

/// A crate's manifest, as far as the rules look.
struct Manifest {
    file: String,
    name: String,
    /// Section and name, development ones included.
    dependencies: Vec<(String, String)>,
    text: String,
}

fn members() -> Vec<Manifest> {
    let manifests = all("").into_iter().filter(|path| path.ends_with("/Cargo.toml"));
    manifests.filter(|path| !path.starts_with("tests/fuzz/")).map(read).collect()
}

fn read(file: String) -> Manifest {
    let text = text(&file);
    let (mut name, mut section, mut dependencies) = (String::new(), "", Vec::new());
    for line in text.lines() {
        if let Some(header) = line.strip_prefix('[') {
            section = header.trim_end_matches(']');
            continue;
        }
        let Some((key, value)) = line.split_once('=') else { continue };
        let key = key.trim().split('.').next().unwrap_or_default();
        if section == "package" && key == "name" {
            value.trim().trim_matches('"').clone_into(&mut name);
        } else if section.ends_with("dependencies") {
            dependencies.push((section.to_owned(), key.to_owned()));
        }
    }
    assert!(!name.is_empty(), "{file} names no package");
    Manifest { file, name, dependencies, text }
}

#[test]
fn crates_depend_in_one_direction_only() {
    let mut broken = Vec::new();
    for manifest in members() {
        let known = MAY_USE.iter().find(|(name, _may)| *name == manifest.name);
        let may = match known {
            Some((_name, may)) => *may,
            None if manifest.file.starts_with("plugins/") => PLUGIN,
            None if manifest.file.starts_with("tests/") => continue,
            None => panic!("{}: {} has no place in the house", manifest.file, manifest.name),
        };
        for (section, dependency) in &manifest.dependencies {
            let ours = dependency.starts_with("wharf");
            if ours && !may.contains(&dependency.as_str()) {
                broken.push(format!("{}: [{section}] {dependency}", manifest.file));
            }
        }
    }
    none("these dependencies go the wrong way", &broken);
}

#[test]
fn the_store_knows_no_grpc_and_no_http() {
    let store = members().into_iter().find(|manifest| manifest.name == "wharf-store");
    let seen: Vec<String> = store
        .expect("there is a store")
        .dependencies
        .into_iter()
        .map(|(_section, name)| name)
        .filter(|name| NOT_IN_STORE.contains(&name.as_str()))
        .collect();
    none("the store must not use", &seen);
}

#[test]
fn every_crate_inherits_lints_and_the_workspaces_facts() {
    let mut broken = Vec::new();
    for manifest in members() {
        let wants =
            ["[lints]\nworkspace = true", "edition.workspace = true", "license.workspace = true"];
        for want in wants.iter().filter(|want| !manifest.text.contains(**want)) {
            broken.push(format!("{}: {want:?}", manifest.file));
        }
    }
    none("missing in manifests", &broken);
}

#[test]
fn versions_are_written_in_the_root_only() {
    let mut broken = Vec::new();
    for manifest in members() {
        let mut section = "";
        for line in manifest.text.lines() {
            if line.starts_with('[') {
                section = line;
            } else if section.contains("dependencies")
                && line.contains('=')
                && !line.contains("workspace = true")
            {
                broken.push(format!("{}: {line}", manifest.file));
            }
        }
    }
    none("take these from [workspace.dependencies]", &broken);
}

#[test]
fn every_crate_is_a_member() {
    let root = text("Cargo.toml");
    let folders = members().into_iter().map(|manifest| manifest.file.replace("/Cargo.toml", ""));
    let strays: Vec<String> =
        folders.filter(|folder| !root.contains(&format!("\"{folder}\""))).collect();
    none("not members of the workspace", &strays);
}
