//! `wharf plugin verify` at level robust for the plugins that talk to servers themselves, each beside a real one.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use wharf_tests::TestHost;
use wharf_tests::apache::{self, Apache};
use wharf_tests::moodle::{File, Moodle, TOKEN};
use wharf_tests::providers::{Glance, PROJECT, Registry, S3, USER};
use wharf_tests::samba::{PASSWORD, Samba};
use wharf_tests::share::Share as _;

/// Verifies an installed plugin with this sample for its importer: it must reach the highest level.
fn reaches_robust(name: &str, sample: &Value) {
    let host = TestHost::new();
    host.install(name);
    let folder = host.plugins().join(name);
    let text = json!({ "components": { "importer": sample } }).to_string();
    fs::write(folder.join("verify.json"), text).expect("a file");
    is_robust(&host, name);
    host.finish();
}

/// Gives the report.
fn is_robust(host: &TestHost, name: &str) -> Value {
    let folder = host.plugins().join(name);
    let folder = folder.to_str().expect("a path of ours");
    let run = host.wharf(&["plugin", "verify", folder]);
    let report = &run.json["verify"];
    assert_eq!((run.status, &report["reached"]), (0, &json!("robust")), "{report:#}");
    let missed = [&report["totals"]["failed"], &report["totals"]["skipped"]];
    assert_eq!(missed, [&json!(0), &json!(0)], "{report:#}");
    report.clone()
}

/// The cases that must not be left out of what is shown of builders.
fn is_cancelled(report: &Value, of: &str) {
    for case in ["operation.same", "cancel.begin", "cancel.middle", "stop.busy", "outlive.call"] {
        let rows = report["cases"].as_array().expect("rows");
        let is_it = |row: &&Value| row["case"] == case && row["of"] == of;
        let row = rows.iter().find(is_it).unwrap_or_else(|| panic!("no {case} of {of}"));
        assert_eq!(row["outcome"], "passed", "{row:#}");
    }
}

#[test]
fn the_smb_plugin_reaches_robust_beside_samba() {
    let samba = Samba::start();
    samba.write("a.txt", "a");
    samba.write("deep/large.bin", vec![7; 3 << 20]);
    reaches_robust(
        "smb",
        &json!({
            "settings": {
                "hostname": "127.0.0.1", "port": samba.port(), "share": "files",
                "username": samba.user(), "password": "school",
            },
            "secrets": { "school": PASSWORD },
        }),
    );
}

#[test]
fn the_webdav_plugin_reaches_robust_beside_apache() {
    let apache = Apache::start();
    apache.write("a.txt", "a");
    apache.write("deep/large.bin", vec![7; 3 << 20]);
    reaches_robust(
        "webdav",
        &json!({
            "settings": { "url": apache.url("dav"), "username": apache::USER, "password": "school" },
            "secrets": { "school": apache::PASSWORD },
        }),
    );
}

#[test]
fn the_moodle_plugin_reaches_robust_beside_a_moodle() {
    let moodle = Moodle::start();
    moodle.course(4, "Maths");
    moodle.put(4, File::new("General", "Plan", "a.txt", "a"));
    moodle.put(4, File::new("General", "Plan", "large.bin", vec![7; 3 << 20]));
    reaches_robust(
        "moodle",
        &json!({
            "settings": { "url": moodle.url(), "token": "school", "remote_dir": "/" },
            "secrets": { "school": TOKEN },
        }),
    );
}

/// An image of a container with one empty layer, as a text: all of it is ASCII.
fn container(folder: &Path) -> String {
    let layout = folder.join("layout");
    let blobs = layout.join("blobs/sha256");
    fs::create_dir_all(&blobs).expect("a folder");
    let described = |kind: &str, bytes: &str| -> Value {
        let digest = wharf_tests::tree::sha256(bytes.as_bytes());
        fs::write(blobs.join(&digest), bytes).expect("a file");
        let media_type = format!("application/vnd.oci.image.{kind}");
        json!({ "mediaType": media_type, "digest": format!("sha256:{digest}"), "size": bytes.len() })
    };
    let layer = described("layer.v1.tar", &"\0".repeat(1024));
    let config = json!({
        "architecture": "amd64", "os": "linux", "config": {},
        "rootfs": { "type": "layers", "diff_ids": [layer["digest"]] },
    });
    let config = described("config.v1+json", &config.to_string());
    let kind = "application/vnd.oci.image.manifest.v1+json";
    let manifest =
        json!({ "schemaVersion": 2, "mediaType": kind, "config": config, "layers": [layer] });
    let index = json!({
        "schemaVersion": 2, "manifests": [described("manifest.v1+json", &manifest.to_string())],
    });
    fs::write(layout.join("index.json"), index.to_string()).expect("a file");
    let version = json!({ "imageLayoutVersion": "1.0.0" });
    fs::write(layout.join("oci-layout"), version.to_string()).expect("a file");
    crate::run(&layout, "tar", &["--format=ustar", "-cf", "../image.tar", "."]);
    fs::read_to_string(folder.join("image.tar")).expect("ASCII")
}

#[test]
fn the_image_push_plugin_reaches_robust_beside_its_providers() {
    let (registry, s3, glance) = (Registry::start(), S3::start(), Glance::start());
    let host = TestHost::new();
    host.install("image-push");
    let folder = host.plugins().join("image-push");
    let shelf = host.folder().join("shelf");
    fs::create_dir(&shelf).expect("a folder");
    let text = container(host.folder());
    let sample = json!({
        "all": { "secrets": { "pusher": wharf_tests::providers::PASSWORD } },
        "components": {
            "oci-registry": {
                "settings": {
                    "registry": format!("http://{}", registry.address), "username": USER,
                    "password": "pusher",
                },
                "units": [{
                    "type": "image_target",
                    "key": { "name": "verify", "target": "oci", "architecture": "x86_64", "build": 1 },
                    "attributes": { "format": "oci" },
                    "files": [{ "path": "verify.oci.tar", "text": text }],
                }],
            },
            "s3": { "settings": {
                "endpoint": format!("http://{}", s3.server().address), "bucket": PROJECT,
                "access_key": USER, "secret_key": "pusher",
            } },
            "glance": { "settings": {
                "auth_url": format!("http://{}/identity/v3", glance.server().address),
                "username": USER, "password": "pusher", "project": PROJECT,
            } },
            "folder": { "settings": { "path": shelf } },
        },
    });
    fs::write(folder.join("verify.json"), sample.to_string()).expect("a file");
    is_robust(&host, "image-push");
    host.finish();
}

/// A tree that can run what image-os runs in one, of this machine's programs and their libraries.
const SMALL_TREE: &str = r#"
mkdir -p tree/usr/bin tree/usr/lib tree/usr/lib64 tree/etc/apt tree/var/lib/dpkg tree/dev tree/proc tree/sys tree/tmp
ln -s usr/bin tree/bin; ln -s usr/lib tree/lib; ln -s usr/lib64 tree/lib64
for program in sh mkdir cat mv cp rm env dpkg-query; do
    path=$(command -v "$program")
    cp -L "$path" tree/usr/bin/
    for library in $(ldd "$path" | grep -o '/[^ ]*'); do
        mkdir -p "tree${library%/*}"
        cp -L "$library" "tree$library"
    done
done
cp -L /etc/os-release tree/etc/
: >tree/var/lib/dpkg/status
tar --owner=0 --group=0 --numeric-owner --mtime=@0 -C tree -c . | zstd -q -o rootfs.tar.zst
"#;

/// Stage target, with a file and a command of a hook: mmdebstrap, a disk and a tree each time, and nothing fetched. What is
/// built of Debian's own packages is shown by `images`.
#[test]
fn the_image_os_plugin_reaches_robust() {
    let host = TestHost::new();
    host.install("image-os");
    let folder = host.plugins().join("image-os");
    crate::run(&folder, "sh", &["-ec", SMALL_TREE]);
    let recipe = json!({
        "stage": "target",
        "template": "verify/template.json",
        "target": { "name": "openstack-kvm", "architecture": "x86_64" },
        "parent": {
            "type": "image_base",
            "attributes": { "boot": "none" },
            "files": { "rootfs.tar.zst": "rootfs.tar.zst" },
        },
        "contributions": [
            { "kind": "file", "name": "/etc/greeting", "content": "hello\n" },
            { "kind": "command", "name": "greet", "content": "cat /etc/greeting >/etc/greeted" },
        ],
    });
    let arguments = json!({ "boot": "none", "source_date_epoch": 1_767_225_600 });
    let sample = json!({ "recipe": recipe, "arguments": arguments });
    let sample = json!({ "components": { "debian": sample } });
    fs::write(folder.join("verify.json"), sample.to_string()).expect("a file of ours");
    let report = is_robust(&host, "image-os");
    is_cancelled(&report, "debian.build");
    host.finish();
}

/// Every target, of a disk and a tree that are there.
#[test]
fn the_image_cloud_plugin_reaches_robust() {
    let host = TestHost::new();
    host.install("image-cloud");
    let report = is_robust(&host, "image-cloud");
    for component in
        ["qcow2", "vmdk", "hyperv", "vdi", "raw", "gce", "ova", "docker", "oci", "squashfs", "iso"]
    {
        is_cancelled(&report, &format!("{component}.build"));
    }
    host.finish();
}
