//! Images: from a template to a base image and what targets take, by made-up builders.

use std::fs;
use std::path::PathBuf;

use rustix::process::Signal;
use serde_json::{Value, json};
use wharf_tests::{TestHost, wait};

/// A host with the builders, and a template.
fn host() -> (TestHost, String) {
    let host = TestHost::new();
    host.install("images");
    let template = host.folder().join("web.json");
    fs::write(&template, template_of("web").to_string()).expect("a file");
    let template = template.display().to_string();
    (host, template)
}

pub(super) fn template_of(name: &str) -> Value {
    json!({
        "name": name,
        "os": {
            "name": "Madeup", "version": "1", "arch": "x86_64",
            "install": { "type": "url", "url": "http://mirror.example.org/" },
        },
    })
}

/// The only file of an image that is not its template.
pub(super) fn image(host: &TestHost, unit: &Value) -> String {
    let to = host.folder().join(format!("image-{unit}"));
    let saved = host.ok(&["image", "save", &unit.to_string(), &to.display().to_string()]);
    let text = fs::read_to_string(&to).expect("a file was written");
    assert_eq!((&saved["saved"], &saved["bytes"]), (&json!(to), &json!(text.len())), "{saved:#}");
    text
}

/// The jobs of an answer, whether one or several.
pub(super) fn jobs(answer: &Value) -> Vec<Value> {
    answer["jobs"].as_array().cloned().unwrap_or_else(|| vec![answer.clone()])
}

fn wait_for(what: &str, mut is_so: impl FnMut() -> bool) {
    wait::until(what, wait::PATIENCE, || is_so().then_some(()));
}

#[test]
fn a_template_becomes_a_base_image_and_an_image_for_each_target_with_their_lineage() {
    let (mut host, template) = host();
    host.serve();
    let answer = host.ok(&[
        "build",
        &template,
        "--target",
        "alpha",
        "--target",
        "beta",
        "--param",
        "comment=hi",
        "--builder",
        "images.rival",
    ]);
    let jobs = jobs(&answer);
    let states: Vec<&Value> = jobs.iter().map(|job| &job["state"]).collect();
    assert_eq!(states, [&json!("succeeded"); 3], "{answer:#}");
    let [base, alpha, beta] = [0, 1, 2].map(|place| jobs[place]["unit"].clone());
    assert!(image(&host, &base).starts_with("base Madeup 1 x86_64\n{"), "{answer:#}");
    assert!(image(&host, &alpha).starts_with("cloud made it for alpha hi\nbase Madeup 1"));
    assert!(image(&host, &beta).starts_with("rival made it for beta \nbase Madeup 1"));
    let unit = host.ok(&["unit", "show", &alpha.to_string()]);
    assert_eq!(
        (&unit["key"]["name"], &unit["key"]["target"], &unit["attributes"]["base"]),
        (&json!("web"), &json!("alpha"), &base),
        "{unit:#}"
    );
    assert_eq!(unit["attributes"]["builder"], json!("images.cloud 0.1.0"));
    let listed = host.ok(&["image"]);
    assert_eq!(listed.as_array().map(Vec::len), Some(3), "{listed:#}");
    host.finish();
}

#[test]
fn a_base_image_that_was_made_the_same_way_is_used_again() {
    let (mut host, template) = host();
    host.serve();
    let first = host.ok(&["build", &template]);
    let base = first["unit"].clone();
    let there = host.ok(&["build", &template]);
    assert_eq!(there, json!({ "base": base, "jobs": [] }));
    let again = host.ok(&["build", &template, "--target", "alpha"]);
    let subject = json!({ "name": "web", "target": "alpha", "image": base });
    assert_eq!((&again["base"], &again["jobs"][0]["subject"]), (&base, &subject), "{again:#}");
    let unit = host.ok(&["unit", "show", &again["unit"].to_string()]);
    assert_eq!(unit["attributes"]["base"], base, "{unit:#}");
    let asked = host.ok(&["build", &template, "--rebuild"]);
    assert_ne!(asked["unit"], base, "{asked:#}");
    assert_eq!((&asked["added"], &asked["removed"]), (&json!(1), &json!(1)), "{asked:#}");
    // The one before is in the versions before, and can be built on by its number.
    let old = host.ok(&["build", "--base", &base.to_string(), "--target", "beta"]);
    let unit = host.ok(&["unit", "show", &old["unit"].to_string()]);
    assert_eq!(unit["attributes"]["base"], base, "{unit:#}");
    // Other parameters are another way of making it.
    let other = host.ok(&["build", &template, "--param", "delay_ms=1"]);
    assert_ne!(other["unit"], asked["unit"], "{other:#}");
    host.finish();
}

#[test]
fn images_of_older_builds_go_with_the_versions_that_are_no_longer_kept() {
    let (mut host, template) = host();
    host.serve();
    let build = |comment: &str| {
        let comment = format!("comment={comment}");
        let asked = ["build", &template, "-t", "alpha", "--param", &comment];
        jobs(&host.ok(&asked)).last().expect("a job")["unit"].clone()
    };
    let [first, second] = ["one", "two"].map(build);
    host.ok(&["gc", "--protect", "0s"]);
    assert!(image(&host, &first).contains("for alpha one"), "all versions are kept");
    host.ok(&["repo", "set", "images", "--retain", "1"]);
    host.ok(&["gc", "--protect", "0s"]);
    host.wharf(&["image", "show", &first.to_string()]).ended(2, "not_found");
    assert!(image(&host, &second).contains("for alpha two"));
    host.finish();
}

#[test]
fn what_cannot_be_built_is_refused_before_a_job_starts() {
    let (mut host, template) = host();
    host.serve();
    let unknown = host.wharf(&["build", &template, "--target", "gamma"]);
    unknown.ended(2, "not_found").says(&["not_found.builder", "gamma", "wharf targets"]);
    let parameter = host.wharf(&["build", &template, "--param", "colour=red"]);
    parameter.ended(2, "usage").says(&["usage.settings", "colour", "delay_ms", "flaw"]);
    let value = host.wharf(&["build", &template, "--param", "delay_ms=soon"]);
    value.ended(2, "usage").says(&["usage.settings", "delay_ms"]);
    let builder = host.wharf(&["build", &template, "--builder", "images.rival"]);
    builder.ended(2, "usage").says(&["usage.builder", "images.rival"]);
    let importer = host.wharf(&["build", &template, "--builder", "file.importer"]);
    importer.ended(2, "usage").says(&["usage.role"]);
    let base = host.wharf(&["build", "--base", "99", "--target", "alpha"]);
    base.ended(2, "not_found").says(&["not_found.unit"]);
    let bad = host.folder().join("bad.json");
    fs::write(&bad, "{\"name\": \"x\"}").expect("a file");
    let bad = host.wharf(&["build", &bad.display().to_string()]);
    bad.ended(2, "usage").says(&["usage.template", "os"]);
    assert_eq!(host.ok(&["job", "list"])["jobs"], json!([]));
    fs::write(&template, [&b"QFI\xfb"[..], &[0; 60]].concat()).expect("a file");
    let disk = host.wharf(&["build", &template]);
    disk.ended(2, "usage").says(&["web.json", "wharf image import"]);
    host.finish();
}

#[test]
fn targets_are_told_with_who_builds_them_and_ties_are_shown() {
    let (host, _template) = host();
    let targets = host.ok(&["targets"]);
    let of = |name: &str| {
        let all = targets.as_array().expect("a list");
        all.iter().find(|target| target["target"] == name).expect("it is there")["components"]
            .clone()
    };
    assert_eq!(of("Madeup * *")[0]["component"], "images.os");
    assert_eq!(of("alpha").as_array().map(Vec::len), Some(1));
    let beta = of("beta");
    assert_eq!(
        (&beta[0]["component"], &beta[1]["component"]),
        (&json!("images.cloud"), &json!("images.rival"))
    );
    assert!(
        beta[0]["because"].as_str().is_some_and(|why| why.contains("images.rival")),
        "{beta:#}"
    );
    host.finish();
}

// F68
#[test]
fn a_builder_that_lies_costs_one_job_and_leaves_no_image() {
    let (mut host, template) = host();
    host.serve();
    for (flaw, code, words) in [
        ("none", "protocol", "made no image"),
        ("two", "protocol", "more than one image"),
        ("type", "protocol", "image_target"),
        ("files", "protocol", "without a file"),
        ("outside", "content.path", "no safe relative path"),
        ("error", "source.unreachable", "mirror does not answer"),
    ] {
        let flaw = format!("flaw={flaw}");
        let run = host.wharf(&["build", &template, "--param", &flaw, "--target", "alpha"]);
        let jobs = jobs(&run.json);
        assert_eq!(jobs[0]["state"], "failed", "{flaw}: {run:#?}");
        assert_eq!(jobs[0]["problem"]["code"], code, "{flaw}: {run:#?}");
        assert!(run.words().contains(words), "{flaw}: {run:#?}");
        assert_eq!(jobs[1]["state"], "skipped", "{flaw}: {run:#?}");
        assert_eq!(jobs[1]["problem"]["code"], "conflict.base", "{flaw}: {run:#?}");
    }
    assert_eq!(host.ok(&["image"]), json!([]));
    host.finish();
}

#[test]
fn targets_are_built_side_by_side_and_both_reach_the_repository() {
    let (mut host, template) = host();
    host.serve();
    let gate = host.folder().join("gate");
    let until = format!("until={}", gate.display());
    let build = ["build", &template, "-t", "alpha", "-t", "beta", "--param", &until];
    let running = host.start(&build);
    // Both wait for the same file, so both run.
    wait_for("two images are being made", || {
        let jobs = host.ok(&["job", "list"]);
        let jobs = jobs["jobs"].as_array().expect("a list").clone();
        jobs.iter().filter(|job| job["state"] == "running").count() == 2
    });
    fs::write(&gate, "").expect("a file");
    let run = running.wait();
    assert_eq!(run.status, 0, "{run:#?}");
    assert_eq!(host.ok(&["image"]).as_array().map(Vec::len), Some(3));
    let repository = host.ok(&["repo", "show", "images"]);
    assert_eq!(repository["version"], json!(3), "{repository:#}");
    host.finish();
}

#[test]
fn the_password_of_a_template_is_in_the_database_no_more_when_its_jobs_have_ended() {
    const PASSWORD: &str = "not to be found";
    let (mut host, template) = host();
    let mut text = template_of("web");
    text["os"]["rootpw"] = json!(PASSWORD);
    // What is longer than a page of the database is kept in several.
    text["description"] = json!("x".repeat(9000));
    fs::write(&template, text.to_string()).expect("a file");
    host.serve();
    let built = jobs(&host.ok(&["build", &template, "-t", "alpha"]));
    assert!(image(&host, &built[0]["unit"]).contains(PASSWORD), "the builder of the base knows it");
    let failed = host.wharf(&["build", &template, "--rebuild", "--param", "flaw=space"]);
    assert_eq!(failed.status, 1, "{failed:#?}");
    let waits = ["--rebuild", "--no-wait", "-t", "alpha", "--param", "delay_ms=600000"];
    let waiting = jobs(&host.ok(&[&["build", &template][..], &waits].concat()));
    for job in waiting.iter().rev() {
        let id = job["job"].to_string();
        host.ok(&["job", "cancel", &id]);
        wait_for("it has ended", || host.ok(&["job", "show", &id])["state"] == "cancelled");
    }
    host.stop_server();
    for name in ["wharf.db", "wharf.db-wal"] {
        let bytes = fs::read(host.data().join(name)).unwrap_or_default();
        assert!(!String::from_utf8_lossy(&bytes).contains(PASSWORD), "{name}");
    }
    host.serve();
    host.finish();
}

#[test]
fn a_cancelled_build_leaves_no_process_no_file_and_no_image() {
    let (mut host, template) = host();
    host.serve();
    let running = host.start(&["build", &template, "--param", "flaw=child", "--target", "alpha"]);
    wait_for("the base image is being made", || {
        let jobs = host.api("GET", "/api/v1/jobs", b"").json();
        let mut jobs = jobs.as_array().expect("a list").iter();
        jobs.any(|job| job["progress"]["phase"] == "installing")
    });
    running.signal(Signal::INT);
    let run = running.wait();
    assert_eq!(run.status, 130, "{run:#?}");
    let [base, target] = [0, 1].map(|place| run.json["jobs"][place].clone());
    assert_eq!([&base["state"], &target["state"]], ["cancelled", "skipped"], "{run:#?}");
    let subject = json!({ "name": "web", "target": "alpha", "after": base["job"] });
    assert_eq!(target["subject"], subject, "{run:#?}");
    assert_eq!(run.stderr.matches("error:").count(), 0, "one word, not two: {run:#?}");
    let work: PathBuf = host.data().join("work");
    wait_for("the job's folder is gone", || {
        fs::read_dir(&work).expect("a folder").all(|entry| {
            let name = entry.expect("an entry").file_name();
            name.to_string_lossy() == "0"
        })
    });
    assert_eq!(host.ok(&["image"]), json!([]));
    // `finish` sees that the sleeping child is gone too.
    host.finish();
}

// F156
#[test]
fn a_host_that_is_killed_in_the_middle_of_a_build_makes_it_anew_and_leaves_nothing_behind() {
    let (mut host, template) = host();
    host.serve();
    let gate = host.folder().join("gate");
    let until = format!("until={}", gate.display());
    host.ok(&[
        "build",
        &template,
        "--no-wait",
        "-t",
        "alpha",
        "--param",
        &until,
        "--param",
        "delay_ms=3000",
    ]);
    for phase in ["base", "target"] {
        wait_for("the job runs", || {
            let jobs = host.ok(&["job", "list"]);
            let jobs = jobs["jobs"].as_array().expect("a list").clone();
            let running = jobs.iter().filter(|job| job["state"] == "running").count();
            let ended = jobs.iter().filter(|job| job["state"] == "succeeded").count();
            running == 1 && ended == usize::from(phase == "target")
        });
        host.kill_server();
        host.serve();
    }
    fs::write(&gate, "").expect("a file");
    wait_for("both images are there", || {
        host.ok(&["image"]).as_array().is_some_and(|images| images.len() == 2)
    });
    let jobs = host.ok(&["job", "list"]);
    for job in jobs["jobs"].as_array().expect("a list") {
        assert_eq!((&job["state"], &job["attempts"]), (&json!("succeeded"), &json!(2)), "{jobs:#}");
    }
    host.finish();
}

#[test]
fn what_a_crashed_job_held_is_free_again_and_space_that_no_disk_has_is_refused() {
    let (mut host, template) = host();
    host.serve();
    let run = host.ok(&["build", &template, "--param", "flaw=lock"]);
    assert_eq!((&run["state"], &run["attempts"]), (&json!("succeeded"), &json!(2)), "{run:#}");
    let run = host.wharf(&["build", &template, "--param", "flaw=space"]);
    run.ended(1, "conflict").says(&["no space of", "bytes left"]);
    host.finish();
}
