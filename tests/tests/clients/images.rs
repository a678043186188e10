//! A Debian system from a TDL template, and what clouds and containers take of it, each read by its own tool.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};
use wharf_tests::providers::{PASSWORD, PROJECT, Registry, S3, USER};
use wharf_tests::{TestHost, wait};

use crate::run;

/// What is built, and the extension of its file.
const TARGETS: [(&str, &str); 6] = [
    ("openstack-kvm", "qcow2"),
    ("vsphere", "vmdk"),
    ("hyperv", "vhd"),
    ("virtualbox", "vdi"),
    ("ova", "ova"),
    ("oci", "oci.tar"),
];

/// A system is installed from a mirror meanwhile, and many other tests run.
const PATIENCE: Duration = Duration::from_mins(8);
/// The first id that is lent.
const LENT: u32 = 200_000;

/// The mirror that apt uses on this machine, and the release that it has there.
fn mirror() -> (String, String) {
    let format = "$(ORIGIN)|$(LABEL)|$(REPO_URI)|$(CODENAME)";
    let targets = ["indextargets", "--format", format, "Created-By: Packages"];
    let told = run(Path::new("/"), "apt-get", &targets);
    let found = told.lines().find_map(|line| {
        let (url, codename) = line.strip_prefix("Debian|Debian|")?.split_once('|')?;
        (!codename.contains('-')).then(|| (url.to_owned(), codename.to_owned()))
    });
    found.unwrap_or_else(|| panic!("apt has no mirror of Debian; `apt-get update` reads its lists"))
}

fn template(host: &TestHost) -> String {
    let (url, codename) = mirror();
    let text = format!(
        r#"<template version="1.0">
  <name>small</name>
  <os>
    <name>Debian</name><version>{codename}</version><arch>x86_64</arch>
    <install type="url"><url>{url}</url></install>
    <rootpw>not to be found</rootpw>
  </os>
  <files><file name="/etc/greeting" type="base64">aGVsbG8K</file></files>
  <commands><command name="mark">cp /etc/greeting /etc/greeted</command></commands>
  <disk><size>1 GiB</size></disk>
</template>
"#
    );
    let path = host.folder().join("small.tdl");
    fs::write(&path, text).expect("a file");
    path.display().to_string()
}

fn check(folder: &Path, base: &str, target: &str, file: &str) {
    let image_info = |options: &[&str]| -> Value {
        let told =
            run(folder, "qemu-img", &[&["info", "--output=json"], options, &[file]].concat());
        serde_json::from_str(&told).expect("qemu-img tells JSON")
    };
    match target {
        "oci" => {
            // skopeo itself gives an archive's files to their owner, which only root may.
            fs::create_dir(folder.join("archive")).expect("a folder");
            run(folder, "tar", &["-xf", file, "-C", "archive"]);
            let inspected = run(folder, "skopeo", &["inspect", "oci:archive"]);
            let inspected: Value = serde_json::from_str(&inspected).expect("skopeo tells JSON");
            assert_eq!(inspected["Architecture"], "amd64", "{inspected:#}");
        }
        "ova" => {
            let members = run(folder, "tar", &["-tf", file]);
            let kinds: Vec<&str> =
                members.lines().filter_map(|name| name.rsplit('.').next()).collect();
            assert_eq!(kinds, ["ovf", "mf", "vmdk"], "{members}");
        }
        _ => {
            let format = if target == "hyperv" {
                "vpc"
            } else {
                file.rsplit('.').next().unwrap_or_default()
            };
            assert_eq!(image_info(&["-f", format])["virtual-size"], 1_u64 << 30, "{file}");
            run(folder, "qemu-img", &["compare", "-F", format, base, file]);
        }
    }
}

/// The variables that tell where providers listen.
const REGISTRY: &str = "WHARF_TEST_REGISTRY";
const STORAGE: &str = "WHARF_TEST_STORAGE";

/// Makes providers, a registry and a bucket, and brings images there.
fn push(host: &TestHost, jobs: &[Value]) -> [Value; 2] {
    host.given(PASSWORD.as_bytes(), &["secret", "set", "pusher", "-"]).ended(0, "");
    let address = |variable: &str| std::env::var(variable).expect("whoever started us set it");
    let registry = format!("registry=http://{}", address(REGISTRY));
    let endpoint = format!("endpoint=http://{}", address(STORAGE));
    let (user, key) = (format!("username={USER}"), format!("access_key={USER}"));
    let bucket = format!("bucket={PROJECT}");
    let provider = |name: &str, component: &str, settings: &[&str]| {
        let settings = settings.iter().flat_map(|setting| ["--set", setting]);
        let arguments: Vec<&str> =
            ["instance", "create", name, component].into_iter().chain(settings).collect();
        host.ok(&arguments);
    };
    provider("registry", "image-push.oci-registry", &[&registry, &user, "password=pusher"]);
    provider("bucket", "image-push.s3", &[&endpoint, &bucket, &key, "secret_key=pusher"]);
    let built = |wanted: &str| {
        let place = TARGETS.iter().position(|(target, _)| *target == wanted).expect("it is built");
        jobs[place + 1]["unit"].to_string()
    };
    [("oci", "registry"), ("openstack-kvm", "bucket")]
        .map(|(target, provider)| host.ok(&["image", "push", &built(target), provider]))
}

/// What was pushed is found there by other programs, and deleted there again.
fn unpublish(host: &TestHost, [container, disk]: &[Value; 2]) {
    let credentials = format!("{USER}:{PASSWORD}");
    let registry = std::env::var(REGISTRY).expect("whoever started us set it");
    let image = format!("docker://{registry}/small:latest");
    let inspect = ["inspect", "--tls-verify=false", "--creds", &credentials, &image];
    let seen: Value = serde_json::from_str(&run(host.folder(), "skopeo", &inspect)).expect("JSON");
    let digest = seen["Digest"].as_str().expect("a digest");
    assert!(container["identifier"].as_str().is_some_and(|it| it.ends_with(digest)), "{seen:#}");
    for pushed in [container, disk] {
        host.ok(&["image", "unpublish", &pushed["unit"].to_string()]);
    }
    let gone =
        std::process::Command::new("skopeo").args(inspect).output().expect("skopeo is there");
    assert!(!gone.status.success());
}

/// A disk that exists already is as good a base as one that was built here.
fn from_import(host: &TestHost, images: &Path) {
    let disk = images.join("disk.qcow2").display().to_string();
    let asked = ["image", "import", &disk, "--os", "Debian", "--os-version", "imported"];
    let base = host.ok(&asked)["unit"].to_string();
    let built = host.ok_within(PATIENCE, &["build", "--base", &base, "-t", "virtualbox"]);
    let to = images.join("imported.vdi").display().to_string();
    host.ok(&["image", "save", &built["unit"].to_string(), &to]);
    check(images, "disk.qcow2", "virtualbox", "imported.vdi");
}

/// Whether anything below a folder belongs to an id that was lent.
fn has_lent(folder: &Path) -> bool {
    let Ok(entries) = fs::read_dir(folder) else { return false };
    entries.flatten().any(|entry| {
        let Ok(found) = entry.metadata() else { return false };
        found.uid().max(found.gid()) >= LENT || (found.is_dir() && has_lent(&entry.path()))
    })
}

/// A system is being made: some of it belongs to ids that were lent.
fn wait_for_tree(host: &TestHost) {
    let work = host.data().join("work");
    wait::until("a tree of lent ids is made", PATIENCE, || has_lent(&work).then_some(()));
}

/// No job has a folder any more.
fn wait_for_no_folder(host: &TestHost) {
    let work = host.data().join("work");
    wait::until("no job's folder is left", PATIENCE, || {
        let entries = fs::read_dir(&work).expect("a folder");
        entries.flatten().all(|entry| entry.file_name() == "0").then_some(())
    });
}

/// A build that is cancelled, and one whose host is killed, leave nothing, whoever owned it.
fn interrupt(host: &mut TestHost, template: &str) {
    let build = ["build", template, "--param", "boot=none", "--rebuild"];
    let running = host.start(&build);
    wait_for_tree(host);
    running.signal(Signal::INT);
    assert_eq!(running.wait_within(PATIENCE).status, 130);
    wait_for_no_folder(host);
    let asked = host.ok(&[&build[..], &["--no-wait"]].concat());
    wait_for_tree(host);
    host.kill_server();
    host.serve();
    let job = asked["job"].to_string();
    let ended = wait::until("the job ends", PATIENCE, || {
        let shown = host.ok(&["job", "show", &job]);
        (!["queued", "running"].map(Value::from).contains(&shown["state"])).then_some(shown)
    });
    assert_eq!(
        (&ended["state"], &ended["attempts"]),
        (&"succeeded".into(), &2.into()),
        "{ended:#}"
    );
    wait_for_no_folder(host);
}

#[test]
fn a_tdl_template_becomes_images_that_are_pushed_and_deleted_by_an_ordinary_user() {
    let (registry, s3) = (Registry::start(), S3::start());
    let places = [(REGISTRY, registry.address.as_str()), (STORAGE, &s3.server().address)];
    wharf_tests::ordinary::run("images::from_template_to_images", &places);
    for method in ["PUT", "DELETE"] {
        assert!(s3.server().requests(&[method, "/images/"]) > 0, "{method} was never asked for");
    }
    assert_eq!(s3.look(), json!({ "objects": {}, "uploads": [] }));
}

#[test]
#[ignore = "started by a_tdl_template_becomes_images_that_are_pushed_and_deleted_by_an_ordinary_user"]
fn from_template_to_images() {
    let mut host = TestHost::new();
    for plugin in ["image-os", "image-cloud", "image-push"] {
        host.install(plugin);
    }
    host.serve();
    let template = template(&host);
    let mut build = vec!["build", &template, "--param", "boot=none"];
    for (target, _extension) in TARGETS {
        build.extend(["--target", target]);
    }
    let answer = host.ok_within(PATIENCE, &build);
    let jobs = answer["jobs"].as_array().expect("several jobs");
    let images = host.folder().join("images");
    fs::create_dir(&images).expect("a folder");
    let to = images.display().to_string();
    let base = jobs[0]["unit"].to_string();
    host.ok(&["image", "save", &base, &to, "--file", "disk.qcow2"]);
    host.ok(&["image", "save", &base, &to, "--file", "template.json"]);
    let kept = fs::read_to_string(images.join("template.json")).expect("a file");
    assert!(!kept.contains("not to be found") && kept.contains("greeting"), "{kept}");
    for ((target, extension), job) in TARGETS.iter().zip(&jobs[1..]) {
        host.ok(&["image", "save", &job["unit"].to_string(), &to]);
        check(&images, "disk.qcow2", target, &format!("small.{extension}"));
    }
    run(&images, "skopeo", &["copy", "--quiet", "oci:archive", "oci:layout:small"]);
    run(&images, "umoci", &["unpack", "--rootless", "--image", "layout:small", "bundle"]);
    let greeted = fs::read_to_string(images.join("bundle/rootfs/etc/greeted"));
    assert_eq!(greeted.expect("the command ran in the image"), "hello\n");
    let unit = host.ok(&["unit", "show", &base]);
    let packages = unit["attributes"]["packages"].as_array().expect("the packages are told");
    assert!(packages.iter().any(|package| package["name"] == "dpkg"), "{unit:#}");
    from_import(&host, &images);
    let pushed = push(&host, jobs);
    unpublish(&host, &pushed);
    interrupt(&mut host, &template);
    host.finish();
}
