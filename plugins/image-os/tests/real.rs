//! Real builds, by an ordinary user, looked at with other tools than those that made them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests drive real programs"
)]

mod support;

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::{Value, json};
use support::{Disk, mirror, repository, run, try_run};
use wharf_sdk::Stage;
use wharf_sdk::testing::{FakeHost, Harness, Run};
use wharf_sdk::wire::event::Event;
use wharf_sdk::wire::{BuildRequest, Contribution, File, Template, Unit};

const MIB: u64 = 1 << 20;
/// Where an ordinary user's ids are lent from, in the tests' own mount namespace.
const LENT: &str = "65534:200000:65536\n";

fn recipe(template: &Value) -> BuildRequest {
    let content = template.to_string().into_bytes();
    let media_type = wharf_template::MEDIA_TYPE.to_owned();
    BuildRequest { template: Some(Template { media_type, content }), ..BuildRequest::default() }
}

fn harness() -> Harness {
    let host = FakeHost::new().file("https://files.example/fetched", "fetched\n");
    Harness::start(wharf_plugin_image_os::plugin(), host)
}

/// A template with everything that is small.
fn template(repository: &str) -> Value {
    let (url, version) = mirror();
    json!({
        "name": "Small One",
        "os": { "name": "Debian", "version": version, "arch": "x86_64", "rootpw": "secret",
                "install": { "type": "url", "url": url } },
        "packages": [{ "name": "wharf-hello" }],
        "repositories": [{ "name": "ours", "url": repository, "signed": "no", "persisted": "no" }],
        "files": [
            { "name": "/etc/motd", "content": "raw\n" },
            { "name": "/opt/deep/binary", "type": "base64", "content": "AAEC" },
            { "name": "/opt/fetched", "type": "url", "content": "https://files.example/fetched" },
        ],
        "precommands": [{ "name": "early", "content": "test ! -e /usr/share/wharf-hello && date >/early" }],
        "commands": [
            { "name": "second", "position": 2, "content": "#!/bin/sh\ncat /first /usr/share/wharf-hello/greeting >/second" },
            { "name": "first", "position": 1, "content": "[[ -s /etc/motd && -s /early ]] && echo first >/first" },
        ],
        "disk": { "size": "700 MB" },
    })
}

/// Every path of a tree with its numeric owner.
fn listed(tree: &Path) -> String {
    run("tar", &["--zstd", "--numeric-owner", "-tvf", &tree.to_string_lossy()])
}

fn attributes(run: &Run) -> Value {
    run.done();
    assert_eq!(run.units.len(), 1);
    assert_eq!(run.units[0].key, "{}");
    serde_json::from_str(&run.units[0].attributes).unwrap()
}

async fn base(harness: &Harness, template: &Value) {
    let call = harness.call("debian").settings(&json!({ "boot": "none" })).recipe(recipe(template));
    let run = call.build(Stage::Base).await;
    let attributes = attributes(&run);
    assert_eq!(run.units[0].r#type, "image_base");
    assert_eq!((&attributes["format"], &attributes["boot"]), (&json!("qcow2"), &json!("none")));
    assert!(attributes["os_pretty"].as_str().unwrap().starts_with("Debian"));
    let packages = attributes["packages"].as_array().unwrap();
    let hello = json!({ "name": "wharf-hello", "version": "1.0", "architecture": "all" });
    assert!(packages.contains(&hello) && packages.len() > 50, "{}", packages.len());
    assert!(run.logs.iter().any(|log| log.text == "wharf: commands: first"));
    let names: Vec<_> = entries(harness.work_dir());
    assert_eq!(names, ["disk.qcow2", "rootfs.tar.zst"], "nothing else is left");
}

fn entries(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap().flatten();
    let mut names: Vec<_> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.retain(|name| name != "tmp");
    names.sort();
    names
}

fn look_at_base(work: &Path, look: &Path) {
    let qcow2 = work.join("disk.qcow2");
    let info = run("qemu-img", &["info", "--output=json", &qcow2.to_string_lossy()]);
    let info: Value = serde_json::from_str(&info).unwrap();
    assert_eq!(info["format"], "qcow2");
    assert_eq!(info["virtual-size"].as_u64().unwrap(), 668 * MIB, "whole megabytes");
    let disk = Disk::unpack(&qcow2, look);
    disk.check(MIB);
    assert_eq!(disk.ask(MIB, "cat /second"), "first\nhello\n");
    assert_eq!(disk.ask(MIB, "cat /opt/deep/binary"), "\0\u{1}\u{2}");
    assert_eq!(disk.ask(MIB, "cat /etc/hostname"), "small-one\n");
    assert!(disk.ask(MIB, "stat /etc/shadow").contains("User:     0   Group:    42"));
    assert!(disk.ask(MIB, "cat /etc/shadow").starts_with("root:$"), "root has a password");
    let sources = disk.ask(MIB, "ls -p /etc/apt/sources.list.d");
    assert!(!sources.contains("wharf"), "{sources}");
    let list = listed(&work.join("rootfs.tar.zst"));
    let line = |path: &str| list.lines().find(|line| line.ends_with(path)).map(str::to_owned);
    assert!(line(" ./etc/shadow").unwrap().starts_with("-rw-r----- 0/42 "), "{list}");
    assert!(line(" ./opt/fetched").is_some());
    assert!(line(" ./dev").or(line(" ./dev/")).unwrap().starts_with("drwxr-xr-x 0/0 "), "{list}");
    assert!(line(" ./.wharf-step").is_none());
}

fn parent(boot: &str) -> Unit {
    let file = |path: &str| File {
        path: path.to_owned(),
        staged: Some(format!("parent/{path}")),
        ..File::default()
    };
    Unit {
        r#type: "image_base".to_owned(),
        key: "{}".to_owned(),
        attributes: json!({ "boot": boot, "virtual_size": 5 }).to_string(),
        files: vec![file("disk.qcow2"), file("rootfs.tar.zst")],
        ..Unit::default()
    }
}

fn added(kind: &str, name: &str, content: &str) -> Contribution {
    let (kind, name) = (kind.to_owned(), name.to_owned());
    Contribution { kind, name, content: content.into(), order: 0 }
}

async fn target(harness: &Harness, template: &Value, look: &Path) {
    let work = harness.work_dir();
    std::fs::create_dir(work.join("parent")).unwrap();
    for name in ["disk.qcow2", "rootfs.tar.zst"] {
        std::fs::rename(work.join(name), work.join("parent").join(name)).unwrap();
    }
    let contributions = vec![
        added("file", "/etc/cloud", "vsphere\n"),
        added(
            "command",
            "mark",
            "cat /etc/cloud /second >/marked; ! grep -q file: /etc/apt/sources.list",
        ),
        added("argument", "for somebody else", ""),
    ];
    let recipe = BuildRequest { parent: Some(parent("none")), contributions, ..recipe(template) };
    let run = harness.call("debian").recipe(recipe).build(Stage::Target).await;
    assert_eq!(attributes(&run)["boot"], "none", "the parent says whether it boots");
    assert_eq!(run.units[0].r#type, "image_target");
    let disk = Disk::unpack(&work.join("disk.qcow2"), look);
    disk.check(MIB);
    assert_eq!(disk.ask(MIB, "cat /marked"), "vsphere\nfirst\nhello\n");
    assert!(disk.ask(MIB, "stat /etc/shadow").contains("Group:    42"), "owners survive");
}

/// Cancels a build in its middle: no file is left, lent or not, and no process.
async fn cancel(template: &Value) {
    let harness = harness();
    let mut template = template.clone();
    template["precommands"] =
        json!([{ "name": "hang", "content": "echo hanging; exec sleep 1000" }]);
    template["packages"] = json!([]);
    template["repositories"] = json!([]);
    let call =
        harness.call("debian").settings(&json!({ "boot": "none" })).recipe(recipe(&template));
    let mut running = call.start_build(Stage::Base).await;
    loop {
        match running.next().await.unwrap() {
            Some(Event::Log(log)) if log.text == "hanging" => break,
            Some(Event::Error(error)) => panic!("{error:?}"),
            Some(_) => {}
            None => panic!("the build ended by itself"),
        }
    }
    drop(running);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while !entries(harness.work_dir()).is_empty() {
        assert!(std::time::Instant::now() < deadline, "{:?}", entries(harness.work_dir()));
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let processes = try_run("pgrep", &["-f", &harness.work_dir().to_string_lossy()]);
    assert!(!processes.status.success(), "{}", String::from_utf8_lossy(&processes.stdout));
}

/// Runs one of this program's tests as an ordinary user to whom ids are lent.
fn as_an_ordinary_user(test: &str) {
    let folder = tempfile::tempdir().unwrap();
    let own = std::env::current_exe().unwrap();
    if run("id", &["-u"]).trim() != "0" {
        run(&own.to_string_lossy(), &["--exact", test, "--ignored", "--nocapture"]);
        return;
    }
    let open = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    open(folder.path(), 0o755);
    std::fs::write(folder.path().join("lent"), LENT).unwrap();
    std::fs::copy(own, folder.path().join("test")).unwrap();
    open(&folder.path().join("test"), 0o755);
    std::fs::create_dir(folder.path().join("home")).unwrap();
    open(&folder.path().join("home"), 0o777);
    let script = r#"
        mount --bind "$0/lent" /etc/subuid && mount --bind "$0/lent" /etc/subgid && cd "$0/home" &&
        exec setpriv --reuid 65534 --regid 65534 --clear-groups \
            env HOME="$0/home" TMPDIR="$0/home" "$0/test" --exact "$1" --ignored --nocapture"#;
    let place = folder.path().to_string_lossy();
    run("unshare", &["--mount", "sh", "-c", script, &place, test]);
}

#[test]
fn an_ordinary_user_builds_a_small_system_and_adds_to_it() {
    as_an_ordinary_user("base_and_target");
}

#[tokio::test]
#[ignore = "started by an_ordinary_user_builds_a_small_system_and_adds_to_it"]
async fn base_and_target() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let template = template(&repository(folder.path()));
    let harness = harness();
    base(&harness, &template).await;
    look_at_base(harness.work_dir(), folder.path());
    target(&harness, &template, folder.path()).await;
}

#[test]
fn a_cancelled_build_leaves_nothing() {
    as_an_ordinary_user("cancelled");
}

#[tokio::test]
#[ignore = "started by a_cancelled_build_leaves_nothing"]
async fn cancelled() {
    cancel(&template("deb file:///nowhere ./")).await;
}

// Not part of the everyday run: a kernel is installed, and started under software emulation. `tests/boot` starts it.
#[test]
#[ignore = "started by plugins/image-os/tests/boot"]
fn a_disk_boots_by_itself_to_the_login_prompt() {
    as_an_ordinary_user("boots");
}

#[tokio::test]
#[ignore = "started by a_disk_boots_by_itself_to_the_login_prompt"]
async fn boots() {
    let folder = tempfile::tempdir().unwrap();
    let mut template = template("deb file:///nowhere ./");
    template["packages"] = json!([]);
    template["repositories"] = json!([]);
    template["precommands"] = json!([]);
    template["commands"] =
        json!([{ "name": "issue", "content": "echo made-by-wharf >/etc/issue" }]);
    template["disk"] = json!({ "size": "2 GiB" });
    let harness = harness();
    let settings =
        json!({ "kernel": "linux-image-cloud-amd64", "ssh_keys": ["ssh-ed25519 AAAA t"] });
    let run = harness.call("debian").settings(&settings).recipe(recipe(&template));
    let run = run.build(Stage::Base).await;
    assert_eq!(attributes(&run)["boot"], "uefi");
    let disk = Disk::unpack(&harness.work_dir().join("disk.qcow2"), folder.path());
    disk.check(257 * MIB);
    let files = disk.firmware(MIB);
    for file in ["/EFI/BOOT/BOOTX64.EFI", "/vmlinuz", "/initrd.img", "/loader/entries/wharf.conf"] {
        assert!(files.lines().any(|line| line == format!("::{file}")), "{file} in\n{files}");
    }
    assert!(disk.ask(257 * MIB, "stat /root/.ssh/authorized_keys").contains("Mode:  0600"));
    disk.boot("login:");
}

#[tokio::test]
async fn a_base_to_which_nothing_is_added_is_handed_on_as_it_is() {
    let harness = harness();
    let template = template("deb file:///nowhere ./");
    let recipe = BuildRequest { parent: Some(parent("uefi")), ..recipe(&template) };
    let run = harness.call("debian").recipe(recipe).build(Stage::Target).await;
    let staged: Vec<_> = run.units[0].files.iter().map(|file| file.staged.as_deref()).collect();
    assert_eq!(staged, [Some("parent/disk.qcow2"), Some("parent/rootfs.tar.zst")]);
    assert_eq!(attributes(&run)["virtual_size"], 5);
}

#[tokio::test]
async fn what_cannot_be_built_is_said_before_anything_is_fetched() {
    let harness = harness();
    let good = template("deb file:///nowhere ./");
    let wrong = |change: fn(&mut Value)| {
        let mut template = good.clone();
        change(&mut template);
        harness.call("debian").recipe(recipe(&template)).build(Stage::Base)
    };
    let run =
        wrong(|template| template["os"]["install"] = json!({ "type": "iso", "iso": "http://a/b" }))
            .await;
    assert_eq!(run.failure().code, "config.template");
    let run = wrong(|template| template["os"]["version"] = json!("99")).await;
    assert_eq!(run.failure().code, "config.version");
    let run = wrong(|template| template["packages"] = json!([{ "name": "--purge" }])).await;
    assert_eq!(run.failure().code, "config.package");
    let run = wrong(|template| template["repositories"][0]["url"] = json!("ppa:x/y")).await;
    assert_eq!(run.failure().code, "config.repository");
    let run = wrong(|template| template["color"] = json!("red")).await;
    assert!(run.failure().message.contains("color: not known here"), "{:?}", run.failure());
    assert!(entries(harness.work_dir()).is_empty());
}
