//! Plugins in the style of Image Factory, unchanged: activated by links, shown, and building under the whole host.
//!
//! They lie where the Python SDK's own tests have them; `tests/run` makes the environment that runs them.

use std::fs;
use std::os::unix::fs::{DirBuilderExt as _, symlink};
use std::path::{Path, PathBuf};

use rustix::process::Signal;
use serde_json::{Value, json};
use wharf_tests::{TestHost, wait, wharf};

/// A host in whose `plugins.d` links activate the samples, and a template.
fn host() -> (TestHost, String) {
    let host = TestHost::new();
    for name in ["SampleOS", "SampleCloud"] {
        activate(&host, &samples().join(name).join(format!("{name}.info")));
    }
    let template = host.folder().join("web.tdl");
    let text = "<template><name>web</name><os><name>Madeup</name><version>1</version><arch>x86_64</arch>\
        <install type='url'><url>http://mirror.example/</url></install></os></template>";
    fs::write(&template, text).expect("a file");
    (host, template.display().to_string())
}

fn samples() -> PathBuf {
    let sdks = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("sdk");
    sdks.join("python/tests/plugins/imagefactory_plugins")
}

fn activate(host: &TestHost, info: &Path) {
    let folder = host.data().join("plugins.d");
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder).expect("a folder");
    let name = info.file_name().expect("a file has a name");
    symlink(info, folder.join(name)).expect("a link");
}

fn text_of(host: &TestHost, unit: &Value) -> String {
    let to = host.folder().join(format!("image-{unit}"));
    host.ok(&["image", "save", &unit.to_string(), &to.display().to_string()]);
    String::from_utf8_lossy(&fs::read(&to).expect("a file was written")).into_owned()
}

#[test]
fn links_activate_plugins_and_everybody_sees_where_they_came_from() {
    let (host, _template) = host();
    activate(&host, Path::new("/nowhere/Gone.info"));
    let broken = host.folder().join("plugins/Broken");
    fs::create_dir_all(&broken).expect("a folder");
    fs::write(broken.join("Broken.info"), r#"{"type": "cluod", "targets": 3}"#).expect("a file");
    let shown = host.ok(&["plugin", "show", "samplecloud"]);
    let plugin = &shown["plugins"][0];
    let info = samples().join("SampleCloud/SampleCloud.info").canonicalize().expect("it is there");
    assert_eq!(plugin["file"], json!(info), "{shown:#}");
    let link = host.data().join("plugins.d/SampleCloud.info");
    assert_eq!(
        (&plugin["link"], &plugin["interpreted"]),
        (&json!(link), &json!(true)),
        "{shown:#}"
    );
    assert_eq!(plugin["maintainer"][1], "tests@example.org", "{shown:#}");
    let targets: Vec<_> = shown["targets"].as_array().into_iter().flatten().collect();
    let sample = targets.iter().find(|it| it["target"] == "sample").expect("it is a target");
    assert_eq!(sample["components"][0]["component"], "samplecloud.cloud", "{shown:#}");
    let list = host.ok(&["plugin", "list"]);
    let reason = |name: &str| {
        let plugins = list["plugins"].as_array().expect("a list");
        let found = plugins.iter().find(|plugin| plugin["name"] == name).expect("it is listed");
        assert_eq!(found["state"], "broken", "{found:#}");
        found["reason"].as_str().unwrap_or_default().to_owned()
    };
    assert!(reason("gone").contains("a link to /nowhere/Gone.info"), "{list:#}");
    let all = reason("broken");
    assert!(all.contains("/type: ") && all.contains("/targets: "), "{all}");
    let nobody = host.wharf(&["plugin", "show", "nobody"]);
    nobody.ended(2, "usage").says(&["nobody", "wharf plugin list"]);
    let known = host.ok(&["targets"]);
    let known: Vec<&str> =
        known.as_array().into_iter().flatten().filter_map(|it| it["target"].as_str()).collect();
    for target in ["Madeup * x86_64", "Madeup 2 *", "sample", "sample-made"] {
        assert!(known.contains(&target), "{target}: {known:?}");
    }
    host.finish();
}

#[test]
fn a_template_becomes_a_base_image_and_a_targets_by_plugins_that_know_nothing_of_it() {
    let (mut host, template) = host();
    host.serve();
    let answer = host.ok(&["build", &template, "--target", "sample", "--param", "colour=red"]);
    let jobs = answer["jobs"].as_array().expect("two jobs");
    let [base, target] = [0, 1].map(|place| jobs[place]["unit"].clone());
    assert_eq!(
        text_of(&host, &base),
        "base Madeup 1 x86_64\nfrom http://mirror.example/\ntimeout 3600\n"
    );
    let made = text_of(&host, &target);
    assert!(made.contains("did for sample\n") && made.contains("base Madeup 1 x86_64\n"), "{made}");
    // What the cloud plugin added came into the system by the other one.
    assert!(made.contains("greet") && made.contains("/etc/raw"), "{made}");
    let unit = host.ok(&["unit", "show", &target.to_string()]);
    assert_eq!(unit["attributes"]["builder"], "samplecloud.cloud 1.2.3", "{unit:#}");
    assert_eq!(unit["attributes"]["base"], base, "{unit:#}");
    assert_eq!(unit["attributes"]["icicle"], "<icicle><packages/></icicle>", "{unit:#}");
    let log = host.wharf(&["job", "logs", &jobs[0]["job"].to_string()]);
    for line in ["installing Madeup 1", "printed by a tool"] {
        assert!(log.stdout.contains(line), "{line}: {log:#?}");
    }
    let at_once =
        host.ok(&["build", &template, "--target", "sample-made", "--param", "colour=red"]);
    assert!(text_of(&host, &at_once["unit"]).starts_with("made at once of base Madeup 1"));
    host.finish();
}

#[test]
fn an_image_goes_to_a_provider_and_away_again_with_credentials_that_nobody_sees() {
    let (mut host, template) = host();
    host.serve();
    let shelf = host.folder().join("shelf");
    fs::create_dir(&shelf).expect("a folder");
    host.given(b"<provider_credentials/>", &["secret", "set", "account", "-"]).ended(0, "");
    let provider = format!("provider={}", json!({ "folder": shelf }));
    let settings = ["--set", &provider, "--set", "credentials=account"];
    host.ok(&[&["instance", "create", "shelf", "samplecloud.push"], &settings[..]].concat());
    let asked = ["-t", "sample", "--push", "shelf", "--param", "name=first"];
    let built = host.ok(&[&["build", &template], &asked[..]].concat());
    let push = &built["jobs"][2];
    assert_eq!(push["identifier"], "sample-first", "{built:#}");
    let brought = fs::read(shelf.join("sample-first")).expect("it lies there");
    assert!(String::from_utf8_lossy(&brought).contains("did for sample\n"));
    let image = built["jobs"][1]["unit"].to_string();
    let again = host.ok(&["image", "push", &image, "shelf", "--param", "name=first"]);
    assert_eq!((&again["unit"], &again["changed"]), (&push["unit"], &json!(false)), "{again:#}");
    let record = host.ok(&["unit", "show", &push["unit"].to_string()]);
    assert_eq!(record["attributes"]["details"]["account"], "account", "{record:#}");
    assert!(!format!("{built}{record}").contains("provider_credentials"), "{record:#}");
    host.ok(&["image", "unpublish", &push["unit"].to_string()]);
    assert_eq!(fs::read_dir(&shelf).expect("a folder").count(), 0);
    let snapshot = host.ok(&["build", &template, "-t", "sample", "--snapshot", "shelf"]);
    assert_eq!(snapshot["identifier"], "snapshot-of-web", "{snapshot:#}");
    let record = host.ok(&["unit", "show", &snapshot["unit"].to_string()]);
    assert_eq!(record["attributes"]["details"]["account"], "account", "{record:#}");
    host.ok(&["instance", "set", "shelf", "--set", "provider={}"]);
    let target = built["jobs"][1]["unit"].to_string();
    let refused = host.wharf(&["image", "push", &target, "shelf"]);
    refused.ended(4, "internal").says(&["folder"]);
    host.finish();
}

// F68
#[test]
fn what_a_delegate_raises_costs_one_job() {
    let (mut host, template) = host();
    host.serve();
    for (flaw, status, code, words) in [
        ("refuse", 1, "source", "the installer saw no disk activity"),
        ("bug", 4, "internal", "nothing"),
        ("exit", 4, "internal", "status 3"),
    ] {
        let flaw = format!("flaw={flaw}");
        let run = host.wharf(&["build", &template, "--param", &flaw]);
        run.ended(status, code).says(&[words]);
    }
    host.ok(&["build", &template]);
    host.finish();
}

#[test]
fn a_cancelled_build_has_its_delegate_abort_and_leaves_no_process() {
    let (mut host, template) = host();
    host.serve();
    let told = host.folder().join("aborted");
    let aborted_to = format!("aborted_to={}", told.display());
    let build = ["build", &template, "--param", "flaw=hang", "--param", &aborted_to];
    let running = host.start(&build);
    wait::until("the delegate works", wait::PATIENCE, || {
        let jobs = host.api("GET", "/api/v1/jobs", b"").json();
        (jobs[0]["progress"]["activity"] == "Writing the system").then_some(())
    });
    running.signal(Signal::INT);
    assert_eq!(running.wait().status, 130);
    wait::until("the delegate aborts", wait::PATIENCE, || told.exists().then_some(()));
    assert_eq!(host.ok(&["image"]), json!([]));
    host.finish();
}

#[test]
fn without_the_sdk_the_plugin_says_what_to_install() {
    let (host, template) = host();
    // A Python that has the SDK nowhere: that of the system, by a link that no environment knows.
    let bare = host.folder().join("python");
    symlink("/usr/bin/python3", &bare).expect("a link");
    let program = wharf::program("wharf").display().to_string();
    let with = |python: &Path, arguments: &[&str]| {
        let python = format!("WHARF_PYTHON={}", python.display());
        let all = [&[python.as_str(), &program, "--output", "json"], arguments].concat();
        host.start_program(Path::new("/usr/bin/env"), &all).wait()
    };
    let run = with(&bare, &["build", &template]);
    assert_eq!(run.status, 4, "{run:#?}");
    run.says(&["SampleOS.info is run by the SDK for Python", "wharf-sdk", "WHARF_PYTHON"]);
    let none = with(&host.folder().join("none"), &["plugin", "show", "sampleos"]);
    let reason = none.json["plugins"][0]["reason"].as_str().unwrap_or_default().to_owned();
    assert!(reason.contains("no Python was found"), "{none:#?}");
    host.finish();
}
