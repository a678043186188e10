//! Container images go to Debian's registry, where skopeo finds them, and are deleted there again.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use wharf_tests::providers::{PASSWORD, Registry, USER};

use crate::push::Stand;
use crate::run;

/// Puts a blob into a layout; its descriptor.
fn blob(folder: &Path, media_type: &str, bytes: &[u8]) -> Value {
    let blobs = folder.join("blobs/sha256");
    fs::create_dir_all(&blobs).expect("a folder");
    fs::write(blobs.join("new"), bytes).expect("a file");
    let digest = run(&blobs, "sha256sum", &["new"]);
    let digest = digest.split(' ').next().expect("a digest");
    fs::rename(blobs.join("new"), blobs.join(digest)).expect("a name");
    json!({ "mediaType": media_type, "digest": format!("sha256:{digest}"), "size": bytes.len() })
}

/// A container image in a tar archive, which says what is in it; the archive's path.
pub(crate) fn image(folder: &Path, greeting: &str) -> String {
    fs::write(folder.join("greeting"), greeting).expect("a file");
    run(folder, "tar", &["-cf", "layer.tar", "greeting"]);
    let layer = fs::read(folder.join("layer.tar")).expect("a file");
    let layout = folder.join("layout");
    let layer = blob(&layout, "application/vnd.oci.image.layer.v1.tar", &layer);
    let config = json!({
        "architecture": "amd64", "os": "linux", "config": {},
        "rootfs": { "type": "layers", "diff_ids": [layer["digest"]] },
    });
    let config =
        blob(&layout, "application/vnd.oci.image.config.v1+json", config.to_string().as_bytes());
    let media = "application/vnd.oci.image.manifest.v1+json";
    let manifest =
        json!({ "schemaVersion": 2, "mediaType": media, "config": config, "layers": [layer] });
    let mut manifest = blob(&layout, media, manifest.to_string().as_bytes());
    manifest["annotations"] = json!({ "org.opencontainers.image.ref.name": "web:v1" });
    let index = json!({ "schemaVersion": 2, "manifests": [manifest] });
    fs::write(layout.join("index.json"), index.to_string()).expect("a file");
    fs::write(layout.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).expect("a file");
    let blobs = run(&layout, "find", &["blobs", "-type", "f"]);
    let members: Vec<&str> = blobs.lines().chain(["index.json", "oci-layout"]).collect();
    run(&layout, "tar", &[&["--format=ustar", "-cf", "../web.oci.tar"], &members[..]].concat());
    fs::remove_dir_all(&layout).expect("a folder");
    folder.join("web.oci.tar").display().to_string()
}

fn registry(stand: &Stand, registry: &Registry, name: &str, secret: &str) {
    let address = format!("registry=http://{}", registry.address);
    let (user, secret) = (format!("username={USER}"), format!("password={secret}"));
    let settings = [address.as_str(), &user, &secret, "namespace=team"];
    stand.provider(name, "image-push.oci-registry", &settings);
}

/// What skopeo says of an image, if it is there.
fn inspect(folder: &Path, reference: &str) -> Option<Value> {
    let credentials = format!("{USER}:{PASSWORD}");
    let reference = format!("docker://{reference}");
    let arguments = ["inspect", "--tls-verify=false", "--creds", &credentials, &reference];
    let output = std::process::Command::new("skopeo").args(arguments).current_dir(folder).output();
    let output = output.expect("skopeo is installed: tests/run sees to it");
    output.status.success().then(|| serde_json::from_slice(&output.stdout).expect("JSON"))
}

#[test]
fn a_container_image_reaches_a_registry_once_under_its_tag_and_is_deleted_again() {
    let (stand, server) = (Stand::new(), Registry::start());
    registry(&stand, &server, "registry", "good");
    let folder = stand.host.folder();
    let file = image(folder, "hello\n");
    let image = stand.host.ok(&["image", "import", &file, "--target", "oci"])["unit"].to_string();
    let pushed = stand.host.ok(&["image", "push", &image, "registry"]);
    let place = format!("{}/team/web", server.address);
    let seen = inspect(folder, &format!("{place}:v1")).expect("it is there");
    assert_eq!(
        pushed["identifier"],
        json!(format!("{place}@{}", seen["Digest"].as_str().expect("one")))
    );
    assert_eq!((&seen["Architecture"], &seen["RepoTags"]), (&json!("amd64"), &json!(["v1"])));
    let credentials = format!("{USER}:{PASSWORD}");
    let from = format!("docker://{place}:v1");
    let copy = [
        "copy",
        "--quiet",
        "--src-tls-verify=false",
        "--src-creds",
        &credentials,
        &from,
        "oci:back:web",
    ];
    run(folder, "skopeo", &copy);
    let again = stand.host.ok(&["image", "push", &image, "registry"]);
    assert_eq!(again["changed"], json!(false), "{again:#}");
    let other = stand.host.ok(&["image", "push", &image, "registry", "--param", "tag=v2"]);
    assert_eq!(other["identifier"], pushed["identifier"]);
    assert!(inspect(folder, &format!("{place}:v2")).is_some());
    assert_eq!((stand.records(), server.unfinished().len()), (1, 0));
    stand.host.ok(&["image", "unpublish", &other["unit"].to_string()]);
    assert!(inspect(folder, &format!("{place}:v1")).is_none());
    assert!(inspect(folder, &format!("{place}:v2")).is_none());
    stand.host.finish();
}

#[test]
fn a_registry_that_does_not_want_us_and_a_file_that_is_no_container_are_the_users_to_mend() {
    let (stand, server) = (Stand::new(), Registry::start());
    registry(&stand, &server, "wrong", "wrong");
    registry(&stand, &server, "good", "good");
    let address = format!("registry=http://{}", server.address);
    stand.provider("nobody", "image-push.oci-registry", &[&address]);
    let folder = stand.host.folder();
    let file = image(folder, "hello\n");
    let image = stand.host.ok(&["image", "import", &file, "--target", "oci"])["unit"].to_string();
    for provider in ["wrong", "nobody"] {
        let run = stand.host.wharf(&["image", "push", &image, provider]);
        assert_eq!(run.status, 2, "{run:#?}");
        assert_eq!(run.json["problem"]["code"], "usage.credentials", "{run:#?}");
    }
    run(folder, "tar", &["--format=ustar", "-cf", "other.tar", "greeting"]);
    let other = folder.join("other.tar").display().to_string();
    let other = stand.host.ok(&["image", "import", &other, "--target", "oci"])["unit"].to_string();
    let run = stand.host.wharf(&["image", "push", &other, "good"]);
    assert_eq!(run.json["problem"]["code"], "usage.image", "{run:#?}");
    run.says(&["index.json"]);
    assert_eq!(stand.records(), 0);
    stand.host.finish();
}
