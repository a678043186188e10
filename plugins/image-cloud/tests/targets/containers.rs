//! Images of containers, read by the tools that people have: tar, skopeo, umoci.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::base::{ATTRIBUTE, Base, Made, TREE_TIME, tree};
use crate::tools::run;

/// What a member of an archive is, besides its path.
#[derive(Debug, PartialEq)]
struct Facts {
    kind: u8,
    mode: u32,
    owner: (u64, u64),
    mtime: u64,
    link: String,
    xattrs: Vec<(String, Vec<u8>)>,
    bytes: Vec<u8>,
}

/// All members by path, read by a library that is not the plugin's own reader.
fn members(archive: impl Read) -> BTreeMap<String, Facts> {
    let plain =
        |path: &[u8]| String::from_utf8(path.strip_prefix(b"./").unwrap_or(path).to_vec()).unwrap();
    let mut archive = tar::Archive::new(archive);
    let read = |mut entry: tar::Entry<'_, _>| {
        let mut bytes = Vec::new();
        Read::read_to_end(&mut entry, &mut bytes).unwrap();
        let link = plain(entry.link_name_bytes().unwrap_or_default().as_ref());
        let header = entry.header().clone();
        let path = plain(&entry.path_bytes());
        let xattr = |(key, value): (&[u8], &[u8])| {
            let name = key.strip_prefix(b"SCHILY.xattr.")?;
            Some((String::from_utf8(name.to_vec()).unwrap(), value.to_vec()))
        };
        // The library cuts records at line feeds, so the one record with such is looked for in the raw bytes below.
        let records = entry.pax_extensions().unwrap().into_iter().flatten().flatten();
        let xattrs = records.filter_map(|it| xattr((it.key_bytes(), it.value_bytes()))).collect();
        let owner = (header.uid().unwrap(), header.gid().unwrap());
        let (mode, mtime) = (header.mode().unwrap(), header.mtime().unwrap());
        (
            path,
            Facts { kind: header.entry_type().as_byte(), mode, owner, mtime, link, xattrs, bytes },
        )
    };
    archive.entries().unwrap().map(|entry| read(entry.unwrap())).collect()
}

/// What the image's tree must be: the base image's without fstab and nodes.
fn wanted() -> BTreeMap<String, Facts> {
    let mut wanted = members(&tree()[..]);
    assert!(wanted.remove("etc/fstab").is_some() && wanted.remove("dev/null").is_some());
    wanted
}

/// An archive, unpacked.
fn unpacked(made: &Made) -> TempDir {
    let out = tempfile::tempdir().unwrap();
    run("tar", ["-C", out.path().to_str().unwrap(), "-xf", made.text()]);
    out
}

fn json_file(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn blob(layout: &Path, descriptor: &Value) -> PathBuf {
    let digest = descriptor["digest"].as_str().unwrap().strip_prefix("sha256:").unwrap();
    let path = layout.join("blobs/sha256").join(digest);
    assert_eq!(path.metadata().unwrap().len(), descriptor["size"].as_u64().unwrap());
    path
}

/// Policy and scratch space of skopeo do not count.
fn skopeo(out: &TempDir, args: &[&str]) -> String {
    let scratch = ["--insecure-policy", "--tmpdir", out.path().to_str().unwrap()];
    run("skopeo", scratch.iter().chain(args))
}

fn wish() -> Value {
    json!({
        "repository": "example/web", "tag": "v1", "docker_cmd": ["/bin/sh"],
        "docker_env": ["A=1"], "docker_label": { "made": "here" }, "comment": "a remark",
    })
}

#[tokio::test]
async fn an_oci_image_is_read_by_skopeo_and_unpacked_by_umoci() {
    let base = Base::with_tree();
    let made = base.make("oci", "oci", &wish()).await;
    assert_eq!(made.name, "Web-Server.oci.tar");
    let out = tempfile::tempdir().unwrap();
    let source = format!("oci-archive:{}:v1", made.text());
    let said: Value = serde_json::from_str(&skopeo(&out, &["inspect", &source])).unwrap();
    assert_eq!(said["Digest"], made.attributes["manifest_digest"]);
    assert_eq!((&said["Architecture"], &said["Os"]), (&json!("amd64"), &json!("linux")));
    assert_eq!(
        (&said["Labels"]["made"], &said["Created"]),
        (&json!("here"), &json!("2023-11-14T22:13:20Z"))
    );
    assert!(said["Env"].as_array().unwrap().contains(&json!("A=1")), "{said}");
    let (layout, bundle) = (out.path().join("layout"), out.path().join("bundle"));
    let image = format!("{}:v1", layout.display());
    skopeo(&out, &["copy", "-q", &source, &format!("oci:{image}")]);
    run("umoci", ["unpack", "--rootless", "--image", &image, bundle.to_str().unwrap()]);
    let root = bundle.join("rootfs");
    assert_eq!(fs::read(root.join("usr/bin/ping6")).unwrap(), b"ping");
    assert_eq!(fs::read_link(root.join("bin")).unwrap(), Path::new("usr/bin"));
    assert!(!root.join("etc/fstab").exists());
    let archive = out.path().join("docker.tar");
    skopeo(&out, &["copy", "-q", &source, &format!("docker-archive:{}:a:b", archive.display())]);
    let listed = run("tar", ["-tf", archive.to_str().unwrap()]);
    assert!(listed.contains("manifest.json"), "{listed}");
}

#[tokio::test]
async fn a_layer_is_the_tree_however_it_is_compressed() {
    for (wish, suffix) in [("gzip", "+gzip"), ("zstd", "+zstd"), ("none", "")] {
        let base = Base::with_tree();
        let made = base.make("oci", "oci", &json!({ "compress": wish })).await;
        let layout = unpacked(&made);
        let index = json_file(&layout.path().join("index.json"));
        let manifest = json_file(&blob(layout.path(), &index["manifests"][0]));
        let layer = &manifest["layers"][0];
        let kind = format!("application/vnd.oci.image.layer.v1.tar{suffix}");
        assert_eq!(
            (&layer["mediaType"], layer["digest"].clone()),
            (&json!(kind), made.attributes["layer_digest"].clone())
        );
        let mut plain = Vec::new();
        let file = File::open(blob(layout.path(), layer)).unwrap();
        match wish {
            "gzip" => flate2::read::GzDecoder::new(file).read_to_end(&mut plain).unwrap(),
            "zstd" => zstd::Decoder::new(file).unwrap().read_to_end(&mut plain).unwrap(),
            _ => {
                let mut file = file;
                file.read_to_end(&mut plain).unwrap()
            }
        };
        assert_eq!(members(&plain[..]), wanted(), "{wish}");
        assert!(plain.windows(ATTRIBUTE.len()).any(|it| it == ATTRIBUTE), "the attribute is whole");
        assert_eq!(
            run("sha256sum", [blob(layout.path(), layer)]).get(..64),
            layer["digest"].as_str().unwrap().get(7..)
        );
    }
}

#[tokio::test]
async fn a_docker_archive_is_read_by_skopeo_and_holds_the_tree() {
    for compress in ["none", "gzip"] {
        let base = Base::with_tree();
        let mut wish = wish();
        wish["compress"] = json!(compress);
        let made = base.make("docker", "docker", &wish).await;
        assert_eq!(made.name, "Web-Server.docker.tar");
        let out = unpacked(&made);
        let manifest = json_file(&out.path().join("manifest.json"));
        assert_eq!(manifest[0]["RepoTags"], json!(["example/web:v1"]));
        let config = json_file(&out.path().join(manifest[0]["Config"].as_str().unwrap()));
        assert_eq!(config["config"]["Cmd"], json!(["/bin/sh"]));
        assert_eq!(config["history"][0]["comment"], "a remark");
        assert_eq!(config["rootfs"]["diff_ids"][0], made.attributes["diff_id"]);
        let layer = out.path().join(manifest[0]["Layers"][0].as_str().unwrap());
        let archive = run("tar", ["-tvf", layer.to_str().unwrap()]);
        assert!(archive.contains("usr/bin/ping6 link to usr/bin/ping"), "{archive}");
        if compress == "none" {
            assert_eq!(members(File::open(layer).unwrap()), wanted());
        }
        let source = format!("docker-archive:{}", made.text());
        let copy = format!("oci:{}:v1", out.path().join("copy").display());
        skopeo(&out, &["copy", "-q", &source, &copy]);
        let said: Value = serde_json::from_str(&skopeo(&out, &["inspect", &copy])).unwrap();
        assert_eq!(said["Labels"]["made"], "here");
    }
}

#[tokio::test]
async fn the_same_tree_makes_the_same_bytes() {
    let base = Base::with_tree();
    for component in ["docker", "oci"] {
        let one = base.make(component, component, &json!({})).await;
        let other = base.make(component, component, &json!({})).await;
        assert!(fs::read(one.path).unwrap() == fs::read(other.path).unwrap(), "{component}");
    }
}

#[tokio::test]
async fn a_time_that_was_asked_for_is_the_images_and_no_file_is_younger() {
    let base = Base::with_tree();
    let made = base.make("docker", "docker", &json!({ "timestamp": TREE_TIME - 60 })).await;
    assert_eq!(made.attributes["created"], "2023-11-14T22:12:20Z");
    let out = unpacked(&made);
    let manifest = json_file(&out.path().join("manifest.json"));
    let layer = File::open(out.path().join(manifest[0]["Layers"][0].as_str().unwrap())).unwrap();
    assert!(members(layer).values().all(|it| it.mtime == TREE_TIME - 60));
}
