//! Files that are images already: what they are is told by their bytes, and builds go on with them.

use std::fs;

use serde_json::{Value, json};
use wharf_tests::http::{self, Request};
use wharf_tests::tree::sha256;
use wharf_tests::{TestHost, wait};

/// Writes a file with these bytes at these places.
fn file(host: &TestHost, name: &str, size: usize, parts: &[(usize, &[u8])]) -> String {
    let mut bytes = vec![0; size];
    for (at, part) in parts {
        bytes[*at..*at + part.len()].copy_from_slice(part);
    }
    let path = host.folder().join(name);
    fs::write(&path, bytes).expect("a file");
    path.display().to_string()
}

/// What was brought and has become nothing.
fn unfinished(host: &TestHost) -> Value {
    host.ok(&["upload", "images", "--unfinished"])["uploads"].clone()
}

#[test]
fn a_disk_becomes_a_base_image_that_builds_begin_with() {
    let mut host = TestHost::new();
    host.install("images");
    host.serve();
    let size = (1_u64 << 30).to_be_bytes();
    let disk = file(&host, "debian.qcow2", 4096, &[(0, b"QFI\xfb"), (24, &size)]);
    let asked = ["image", "import", &disk, "--os", "Madeup", "--os-version", "1"];
    let imported = host.ok(&asked);
    let base = imported["unit"].to_string();
    let unit = host.ok(&["unit", "show", &base]);
    assert_eq!(unit["type"], "image_base", "{unit:#}");
    let told = ["format", "virtual_size", "imported"].map(|name| unit["attributes"][name].clone());
    assert_eq!(told, [json!("qcow2"), json!(1 << 30), json!("debian.qcow2")], "{unit:#}");
    let key = ["name", "os", "os_version", "architecture"].map(|name| unit["key"][name].clone());
    assert_eq!(key, ["debian", "Madeup", "1", "x86_64"].map(Value::from), "{unit:#}");
    let files = unit["files"].as_array().expect("files").iter();
    let mut paths: Vec<&Value> = files.map(|file| &file["path"]).collect();
    paths.sort_by_key(ToString::to_string);
    assert_eq!(paths, ["disk.qcow2", "template.json"]);
    // The made-up builder wants a disk of another name: it was reached, with this base.
    let built = host.wharf(&["build", "--base", &base, "--target", "alpha"]);
    assert!(built.words().contains("it has no disk"), "{built:#?}");
    assert_eq!(unfinished(&host), json!([]));
    host.finish();
}

#[test]
fn a_file_for_a_target_is_named_by_its_format_and_what_is_none_is_refused() {
    let mut host = TestHost::new();
    host.install("images");
    host.serve();
    let disk = file(&host, "some.thing", 1024, &[(510, &[0x55, 0xaa])]);
    let imported = host.ok(&["image", "import", &disk, "--target", "alpha", "--name", "My web"]);
    let unit = host.ok(&["unit", "show", &imported["unit"].to_string()]);
    assert_eq!(unit["files"][0]["path"], "My_web.raw", "{unit:#}");
    assert_eq!((&unit["key"]["name"], &unit["key"]["target"]), (&json!("My web"), &json!("alpha")));
    let text = file(&host, "notes.txt", 100, &[(0, b"no image")]);
    let refused = host.wharf(&["image", "import", &text, "--target", "alpha"]);
    refused.ended(2, "usage").says(&["usage.image", "notes.txt", "qcow2"]);
    let base = host.wharf(&["image", "import", &disk, "--os", "Madeup", "--os-version", "1"]);
    base.ended(2, "usage").says(&["usage.image", "qemu-img convert"]);
    assert_eq!(unfinished(&host), json!([]), "what is refused does not stay behind");
    let nothing = host.wharf(&["image", "import", &disk]);
    assert_eq!(nothing.status, 2, "{nothing:#?}");
    host.finish();
}

/// Brings bytes that are no image, over the API, and has them imported. `lose`: the bytes are gone when that begins.
fn refused(host: &TestHost, sha256: Option<&str>, lose: bool) -> Value {
    let begin = json!({ "name": "notes.txt", "type": "image_target", "sha256": sha256 });
    let path = "/api/v1/repositories/images/uploads";
    let begun = host.api("POST", path, begin.to_string().as_bytes());
    assert_eq!(begun.status, 201, "{}", begun.text());
    let begun = begun.json();
    let path = format!("/api/v1/uploads/{}?offset=0", begun["id"]);
    let headers = [("content-type", "application/octet-stream")];
    let request = Request { method: "PUT", path: &path, headers: &headers, body: b"no image" };
    http::request_unix(&host.data().join("api.sock"), &request).expect("an answer");
    if lose {
        let kept = host.data().join("uploads").join(begun["id"].to_string());
        fs::remove_file(kept).expect("the bytes were there");
    }
    let import = json!({ "upload": begun["id"], "target": "alpha", "architecture": "x86_64" });
    let path = "/api/v1/repositories/images/import-image";
    let asked = host.api("POST", path, import.to_string().as_bytes());
    assert_eq!(asked.status, 202, "{}", asked.text());
    let job = asked.json();
    let path = format!("/api/v1/jobs/{}", job["id"]);
    wait::until("the import ended", wait::PATIENCE, || {
        let job = host.api("GET", &path, b"").json();
        job["finished_ms"].is_i64().then(|| job["problem"].clone())
    })
}

#[test]
fn what_can_become_no_image_is_forgotten_and_of_the_rest_is_told_how_to_forget_it() {
    let mut host = TestHost::new();
    host.install("images");
    host.serve();
    host.ok(&["repo", "create", "images"]);
    assert_eq!(refused(&host, None, false)["code"], "usage.image");
    assert_eq!(unfinished(&host), json!([]));
    assert_eq!(refused(&host, Some(&sha256(b"other")), false)["code"], "integrity.digest");
    assert_eq!(unfinished(&host), json!([]));
    let lost = refused(&host, None, true);
    let id = unfinished(&host)[0]["id"].to_string();
    let help = lost["help"].as_str().unwrap_or_default();
    assert!(help.contains(&format!("wharf upload images --forget {id}")), "{lost:#}");
    host.ok(&["upload", "images", "--forget", &id]);
    host.finish();
}

#[test]
fn a_target_that_nobody_knows_and_an_architecture_that_no_template_has_are_refused() {
    let mut host = TestHost::new();
    host.install("images");
    host.serve();
    let disk = file(&host, "disk.raw", 1024, &[(510, &[0x55, 0xaa])]);
    let target = host.wharf(&["image", "import", &disk, "--target", "nosuch"]);
    target.ended(2, "usage").says(&["usage.image", "nosuch", "alpha, beta"]);
    let arch = host.wharf(&["image", "import", &disk, "--target", "alpha", "--arch", "amd64"]);
    arch.ended(2, "usage").says(&["usage.image", "amd64", "x86_64, ppc64"]);
    assert_eq!(unfinished(&host), json!([]));
    host.finish();
}

#[test]
fn a_second_image_of_the_same_name_tells_whose_place_it_takes() {
    let mut host = TestHost::new();
    host.install("images");
    host.serve();
    let asked = |size| {
        let disk = file(&host, "disk.raw", size, &[(510, &[0x55, 0xaa])]);
        host.wharf(&["image", "import", &disk, "--target", "alpha", "--name", "web"])
    };
    let first = asked(1024).json;
    assert_eq!(first["warnings"], json!(0), "{first:#}");
    let second = asked(2048);
    let told = format!("takes the place of image {} in the newest version", first["unit"]);
    assert_eq!(second.json["warnings_list"][0]["text"], json!(told), "{second:#?}");
    host.finish();
}

#[test]
fn a_file_that_is_no_base_image_is_refused_with_what_makes_one_of_it() {
    let mut host = TestHost::new();
    host.install("images");
    host.serve();
    for (name, place, magic, advice) in [
        ("disk.vmdk", 0, &b"KDMV"[..], "qemu-img convert -O qcow2"),
        ("tree.tar", 257, b"ustar", "zstd FILE -o"),
        ("tree.tar.gz", 0, &[0x1f, 0x8b], "gzip -dc FILE | zstd"),
        ("tree.squashfs", 0, b"hsqs", "sqfs2tar FILE | zstd"),
        ("setup.iso", 32_769, b"CD001", "install"),
    ] {
        let file = file(&host, name, 40_000, &[(place, magic)]);
        let run = host.wharf(&["image", "import", &file, "--os", "Madeup", "--os-version", "1"]);
        run.ended(2, "usage").says(&["usage.image", advice]);
        let converts = run.words().contains("qemu-img");
        assert_eq!(converts, advice.starts_with("qemu-img"), "{name}: {run:#?}");
    }
    host.finish();
}
