//! Pushes: made-up images brought to a made-up provider, a folder that notes what it is asked.

use std::fs;
use std::path::PathBuf;

use rustix::process::Signal;
use serde_json::{Value, json};
use wharf_tests::{TestHost, wait};

/// A host with builders, a template, and a folder with two providers, `shelf` and the one with a flaw, `flawed`.
struct Stand {
    host: TestHost,
    template: String,
    shelf: PathBuf,
}

impl Stand {
    fn new(flaw: &str) -> Self {
        let mut host = TestHost::new();
        host.install("images");
        let template = host.folder().join("web.json");
        let text = json!({
            "name": "web",
            "os": {
                "name": "Madeup", "version": "1", "arch": "x86_64",
                "install": { "type": "url", "url": "http://mirror.example.org/" },
            },
        });
        fs::write(&template, text.to_string()).expect("a file");
        let template = template.display().to_string();
        let shelf = host.folder().join("shelf");
        fs::create_dir(&shelf).expect("a folder");
        host.serve();
        host.given(b"correct horse", &["secret", "set", "shelf", "-"]).ended(0, "");
        let folder = format!("folder={}", shelf.display());
        let flaw = format!("flaw={flaw}");
        let create = ["instance", "create"];
        host.ok(&[&create[..], &["shelf", "images.shelf", "--set", &folder]].concat());
        let settings = ["--set", &folder, "--set", &flaw, "--set", "key=shelf"];
        host.ok(&[&create[..], &["flawed", "images.shelf"], &settings].concat());
        Self { host, template, shelf }
    }

    /// A target image for alpha.
    fn image(&self) -> String {
        let built = self.host.ok(&["build", &self.template, "--target", "alpha"]);
        let jobs = built["jobs"].as_array().cloned().unwrap_or_else(|| vec![built]);
        jobs.last().expect("a job")["unit"].to_string()
    }

    fn calls(&self) -> Vec<String> {
        let calls = fs::read_to_string(self.shelf.join("calls")).unwrap_or_default();
        calls.lines().map(str::to_owned).collect()
    }

    /// What lies at the provider.
    fn things(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.shelf).expect("a folder").flatten();
        let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        let mut names: Vec<String> =
            names.filter(|name| !["calls", "go"].contains(&&**name)).collect();
        names.sort();
        names
    }

    /// What the host knows of providers.
    fn records(&self) -> Vec<Value> {
        let all = self.host.ok(&["image"]);
        let all = all.as_array().expect("a list").iter();
        all.filter(|image| image["type"] == "image_provider").cloned().collect()
    }

    fn waits_for(&self, what: &str, is_so: impl Fn(&Value) -> bool) {
        wait::until(what, wait::PATIENCE, || {
            let jobs = self.host.api("GET", "/api/v1/jobs", b"").json();
            jobs.as_array().expect("a list").iter().any(&is_so).then_some(())
        });
    }
}

fn is_uploading(job: &Value) -> bool {
    job["progress"]["phase"] == "uploading"
}

#[test]
fn a_build_pushes_what_a_provider_takes_once_and_a_push_anew_takes_its_place() {
    let stand = Stand::new("");
    let host = &stand.host;
    let asked = ["-t", "alpha", "-t", "beta", "--push", "shelf", "--param", "label=first"];
    let built = host.ok(&[&["build", &stand.template], &asked[..]].concat());
    let jobs = built["jobs"].as_array().expect("several jobs");
    let operations: Vec<&Value> = jobs.iter().map(|job| &job["operation"]).collect();
    assert_eq!(operations, ["build", "build", "build", "push"], "{built:#}");
    let (image, push) = (&jobs[1]["unit"], &jobs[3]);
    let name = format!("{}-first", push["job"]);
    assert_eq!(push["identifier"], json!(format!("shelf/{name}")), "{built:#}");
    let brought = fs::read_to_string(stand.shelf.join(&name)).expect("it lies there");
    assert!(brought.starts_with("cloud made it for alpha"), "{brought}");
    let unit = host.ok(&["unit", "show", &push["unit"].to_string()]);
    assert_eq!(
        (&unit["key"]["name"], &unit["key"]["provider"], &unit["attributes"]["image"]),
        (&json!("web"), &json!("images.shelf@shelf"), image),
        "{unit:#}"
    );
    assert_eq!(unit["attributes"]["details"], json!({ "height": 3 }), "{unit:#}");
    let asked = ["image", "push", &image.to_string(), "shelf", "--param", "label=first"];
    let again = host.ok(&asked);
    assert_eq!((&again["unit"], &again["changed"]), (&push["unit"], &json!(false)), "{again:#}");
    assert_eq!(stand.calls(), ["publish after nothing"]);
    let anew = host.ok(&[&asked[..], &["--again"]].concat());
    assert_ne!(anew["unit"], push["unit"], "{anew:#}");
    assert_eq!(stand.calls()[1..], [format!("publish after shelf/{name}")]);
    assert_eq!(stand.records().len(), 1);
    // Another label is another push.
    host.ok(&["image", "push", &image.to_string(), "shelf", "--param", "label=second"]);
    assert_eq!(stand.records().len(), 2);
    stand.host.finish();
}

#[test]
fn a_provider_makes_an_image_itself_and_takes_it_away_again() {
    let stand = Stand::new("");
    let host = &stand.host;
    host.ok(&["instance", "set", "shelf", "--set", "key=shelf"]);
    let asked = ["-t", "alpha", "--snapshot", "shelf"];
    let made = host.ok(&[&["build", &stand.template], &asked[..]].concat());
    let name = format!("{}-snapshot", made["job"]);
    assert_eq!(made["identifier"], json!(format!("shelf/{name}")), "{made:#}");
    assert_eq!(stand.calls(), ["snapshot for alpha"]);
    let unit = host.ok(&["unit", "show", &made["unit"].to_string()]);
    assert_eq!(
        (&unit["type"], &unit["key"]["name"], &unit["key"]["provider"]),
        (&json!("image_provider"), &json!("web"), &json!("images.shelf@shelf")),
        "{unit:#}"
    );
    assert_eq!(unit["attributes"]["details"], json!({ "height": 3 }), "{unit:#}");
    assert!(
        unit["attributes"]["pushed_by"].as_str().unwrap_or_default().starts_with("images.dark")
    );
    // Nothing was built for it here.
    assert_eq!(host.ok(&["image"]).as_array().map(Vec::len), Some(1));
    host.ok(&["image", "unpublish", &made["unit"].to_string()]);
    assert_eq!((stand.records().len(), stand.things().len()), (0, 0));
    let shown = host.ok(&["targets"]);
    let of_gamma: Vec<&Value> =
        shown.as_array().into_iter().flatten().filter(|it| it["target"] == "gamma").collect();
    let stages: Vec<&Value> = of_gamma.iter().map(|it| &it["stage"]).collect();
    assert_eq!(stages, ["push", "snapshot"], "it is built nowhere else: {shown:#}");
    assert_eq!(of_gamma[1]["components"][0]["component"], "images.darkroom", "{shown:#}");
    host.wharf(&["build", &stand.template, "-t", "gamma"]).ended(2, "not_found");
    stand.host.finish();
}

#[test]
fn snapshots_that_cannot_be_or_are_told_wrongly_are_refused() {
    let stand = Stand::new("nameless");
    let host = &stand.host;
    let build = |more: &[&str]| host.wharf(&[&["build", &stand.template], more].concat());
    assert_eq!(build(&["--snapshot", "shelf"]).status, 2);
    build(&["-t", "beta", "--snapshot", "shelf"]).ended(2, "usage").says(&["usage.provider"]);
    build(&["-t", "alpha", "--snapshot", "nowhere"]).ended(2, "not_found").says(&["nowhere"]);
    // Nothing is made ready for it: who makes bases ready has no part in it.
    let idle = build(&["-t", "alpha", "--snapshot", "shelf", "--builder", "images.os"]);
    idle.ended(2, "usage").says(&["usage.builder", "images.os"]);
    let body = json!({
        "template": { "name": "web.json", "text": fs::read_to_string(&stand.template).unwrap() },
        "targets": ["alpha"], "snapshot": "shelf", "push": ["shelf"],
    });
    let place = "/api/v1/repositories/images/build";
    let refused = host.api("POST", place, body.to_string().as_bytes()).json();
    assert_eq!(refused["code"], "usage.snapshot", "{refused:#}");
    for (flaw, says) in [
        ("nameless", "the attribute identifier has 0 bytes"),
        ("files", "it lies there, not here"),
        ("leak", "a secret"),
    ] {
        host.ok(&["instance", "set", "flawed", "--set", &format!("flaw={flaw}")]);
        build(&["-t", "alpha", "--snapshot", "flawed"]).ended(4, "protocol").says(&[says]);
    }
    assert_eq!(stand.records(), Vec::<Value>::new());
    stand.host.finish();
}

#[test]
fn what_is_taken_away_at_the_provider_is_gone_here_too_and_stays_when_that_fails() {
    let stand = Stand::new("refuse");
    let host = &stand.host;
    let image = stand.image();
    let pushed = host.ok(&["image", "push", &image, "shelf", "--param", "label=x"]);
    let record = pushed["unit"].to_string();
    host.ok(&["instance", "set", "shelf", "--set", "flaw=refuse"]);
    let refused = host.wharf(&["image", "unpublish", &record]);
    refused.ended(2, "usage").says(&["usage.credentials", "does not know you"]);
    assert_eq!((stand.records().len(), stand.things().len()), (1, 1));
    host.ok(&["instance", "set", "shelf", "--unset", "flaw"]);
    let gone = host.ok(&["image", "unpublish", &record]);
    assert_eq!(gone["identifier"], pushed["identifier"], "{gone:#}");
    assert_eq!((stand.records(), stand.things()), (Vec::new(), Vec::new()));
    let last = stand.calls().pop().expect("it was asked");
    assert!(last.starts_with("unpublish shelf/") && last.ends_with(" x"), "{last}");
    stand.host.finish();
}

#[test]
fn what_somebody_took_away_at_the_provider_is_pushed_again() {
    let stand = Stand::new("");
    let image = stand.image();
    let asked = ["image", "push", &image, "shelf"];
    let first = stand.host.ok(&asked);
    let there = stand.host.ok(&asked);
    assert_eq!((&there["unit"], &there["changed"]), (&first["unit"], &json!(false)), "{there:#}");
    let why = there["skipped_because"].as_str().unwrap_or_default().to_owned();
    assert!(why.starts_with("it is there already"), "{there:#}");
    let [thing] = &stand.things()[..] else { panic!("one thing") };
    fs::remove_file(stand.shelf.join(thing)).expect("a file");
    let second = stand.host.ok(&asked);
    assert_ne!(second["unit"], first["unit"], "{second:#}");
    assert_eq!((stand.things().len(), stand.records().len()), (1, 1));
    stand.host.finish();
}

#[test]
fn what_has_the_place_of_another_is_not_taken_away_in_its_stead() {
    let stand = Stand::new("");
    let host = &stand.host;
    let push = |image: &str, more: &[&str]| {
        let asked = ["image", "push", image, "shelf", "--param", "name=keep"];
        host.ok(&[&asked[..], more].concat())["unit"].to_string()
    };
    let refused = |record: &str, place: &str| {
        let run = host.wharf(&["image", "unpublish", record]);
        run.ended(2, "conflict").says(&[
            "conflict.replaced",
            &format!("{record} was replaced by {place}"),
            &format!("wharf image unpublish {place}"),
        ]);
    };
    let first = push(&stand.image(), &[]);
    let image = stand.image();
    let second = push(&image, &[]);
    refused(&first, &second);
    let third = push(&image, &["--again"]);
    refused(&first, &third);
    refused(&second, &third);
    assert_eq!((stand.things(), stand.records().len()), (vec!["keep".to_owned()], 1));
    host.ok(&["image", "unpublish", &third]);
    for gone in [&first, &second, &third] {
        host.wharf(&["image", "unpublish", gone]).ended(2, "not_found").says(&["not_found.unit"]);
    }
    let calls = stand.calls();
    let asked: Vec<&String> = calls.iter().filter(|it| it.starts_with("unpublish")).collect();
    assert_eq!(asked, ["unpublish shelf/keep "]);
    // That of a push that gives it another name each time.
    let asked = ["image", "push", &image, "shelf"];
    let before = host.ok(&asked)["unit"].to_string();
    let after = host.ok(&[&asked[..], &["--again"]].concat())["unit"].to_string();
    refused(&before, &after);
    stand.host.finish();
}

#[test]
fn a_push_that_takes_another_images_name_says_so() {
    let stand = Stand::new("");
    let push = |image: &str, more: &[&str]| {
        let asked = ["image", "push", image, "shelf", "--param", "name=latest"];
        stand.host.ok(&[&asked[..], more].concat())
    };
    let (old, new) = (stand.image(), stand.image());
    let first = push(&old, &[]);
    let second = push(&new, &[]);
    let text = format!("takes the place of unit {} (image {old})", first["unit"]);
    let warning = &second["warnings_list"][0];
    assert!(warning["text"].as_str().is_some_and(|it| it.starts_with(&text)), "{second:#}");
    assert_eq!(
        (&first["warnings"], &second["warnings"], &warning["item"]),
        (&json!(0), &json!(1), &json!("shelf/latest"))
    );
    // Its own name is its own.
    assert_eq!(push(&new, &["--again"])["warnings"], json!(0));
    stand.host.finish();
}

#[test]
fn a_provider_stays_as_long_as_images_lie_there() {
    let stand = Stand::new("");
    let host = &stand.host;
    let image = stand.image();
    let push = |label: &str| {
        let label = format!("label={label}");
        host.ok(&["image", "push", &image, "shelf", "--param", &label])["unit"].to_string()
    };
    let (first, second) = (push("one"), push("two"));
    let refused = host.wharf(&["instance", "remove", "shelf"]);
    refused.ended(2, "conflict").says(&[
        "conflict.in_use",
        &format!("{first}, {second}"),
        &format!("wharf image unpublish {first}"),
    ]);
    host.ok(&["image", "unpublish", &first]);
    host.wharf(&["instance", "remove", "shelf"]).ended(2, "conflict").says(&[&second]);
    host.ok(&["unit", "remove", "images", &second]);
    host.ok(&["instance", "remove", "shelf"]);
    stand.host.finish();
}

#[test]
fn what_lies_in_the_place_of_another_repositorys_image_is_that_ones_to_take_away() {
    let stand = Stand::new("");
    let host = &stand.host;
    let image = |repository: &str| {
        let asked = ["build", &stand.template, "--target", "alpha", "--repo", repository];
        let built = host.ok(&asked);
        let jobs = built["jobs"].as_array().cloned().unwrap_or_else(|| vec![built]);
        jobs.last().expect("a job")["unit"].to_string()
    };
    let push = |image: &str| {
        let asked = ["image", "push", image, "shelf", "--param", "name=keep"];
        host.ok(&asked)["unit"].to_string()
    };
    let (first, second) = (push(&image("one")), push(&image("two")));
    assert_eq!(stand.records().len(), 2);
    host.wharf(&["image", "unpublish", &first]).ended(2, "conflict").says(&["conflict.replaced"]);
    assert_eq!(stand.things(), ["keep"]);
    host.ok(&["image", "unpublish", &second]);
    assert_eq!(stand.records().len(), 1);
    stand.host.finish();
}

#[test]
fn an_image_that_is_to_be_taken_away_twice_goes_once() {
    let stand = Stand::new("");
    let host = &stand.host;
    let image = stand.image();
    let record = host.ok(&["image", "push", &image, "shelf"])["unit"].to_string();
    host.ok(&["instance", "set", "shelf", "--set", "flaw=stall"]);
    // Holds up both.
    let running = host.start(&["image", "push", &image, "shelf", "--param", "label=other"]);
    stand.waits_for("the image is on its way", is_uploading);
    for _ in 0..2 {
        host.ok(&["image", "unpublish", &record, "--no-wait"]);
    }
    running.signal(Signal::INT);
    running.wait();
    wait::until("both have ended", wait::PATIENCE, || {
        let jobs = host.api("GET", "/api/v1/jobs", b"").json();
        let jobs = jobs.as_array().expect("a list").clone();
        let is_done = |job: &&Value| job["operation"] == "unpublish" && job["state"] == "succeeded";
        (jobs.iter().filter(is_done).count() == 2).then_some(())
    });
    let calls = stand.calls();
    let asked = calls.iter().filter(|it| it.starts_with("unpublish"));
    assert_eq!((asked.count(), stand.records().len()), (1, 0), "{calls:?}");
    stand.host.finish();
}

#[test]
fn what_cannot_be_pushed_is_refused_before_a_job_starts() {
    let stand = Stand::new("");
    let host = &stand.host;
    let image = stand.image();
    let beta = host.ok(&["build", &stand.template, "--target", "beta"])["unit"].to_string();
    let base = host.ok(&["unit", "show", &beta])["attributes"]["base"].to_string();
    let jobs = || host.ok(&["job", "list"])["jobs"].as_array().map(Vec::len);
    let before = jobs();
    for (arguments, code) in [
        (vec!["image", "push", &image, "cellar"], "not_found.provider"),
        (vec!["image", "push", "99", "shelf"], "not_found.unit"),
        (vec!["image", "push", &base, "shelf"], "usage.image"),
        (vec!["image", "push", &beta, "shelf"], "usage.provider"),
        (vec!["image", "push", &image, "images.cloud"], "usage.role"),
        (vec!["image", "push", &image, "images.shelf"], "not_found.instance"),
        (vec!["image", "push", &image, "shelf", "--param", "colour=red"], "usage.settings"),
        (vec!["image", "unpublish", &image], "usage.image"),
        (vec!["build", &stand.template, "-t", "beta", "--push", "shelf"], "usage.provider"),
        (vec!["build", &stand.template, "-t", "alpha", "--push", "cellar"], "not_found.provider"),
    ] {
        let run = host.wharf(&arguments);
        assert_eq!(run.status, 2, "{arguments:?}: {run:#?}");
        run.says(&[code]);
    }
    assert_eq!(jobs(), before);
    let targets = host.ok(&["targets"]);
    let mut targets = targets.as_array().expect("a list").iter();
    let push = targets.find(|it| it["stage"] == "push" && it["target"] == "alpha");
    let push = push.expect("who pushes is told");
    assert_eq!(push["components"][0]["component"], "images.shelf", "{push:#}");
    stand.host.finish();
}

// F68
#[test]
fn a_provider_that_lies_costs_one_job_and_is_not_believed() {
    for (flaw, code, words) in [
        ("nameless", "protocol", "Result.identifier"),
        ("lines", "protocol", "control characters"),
        ("leak", "protocol", "a secret"),
        ("files", "protocol", "pass_through"),
        ("refuse", "usage.credentials", "does not know you"),
    ] {
        let stand = Stand::new(flaw);
        let run = stand.host.wharf(&["image", "push", &stand.image(), "flawed"]);
        assert_eq!(run.json["state"], "failed", "{flaw}: {run:#?}");
        assert_eq!(run.json["problem"]["code"], code, "{flaw}: {run:#?}");
        assert!(run.words().contains(words), "{flaw}: {run:#?}");
        assert_eq!(stand.records(), Vec::<Value>::new(), "{flaw}");
        stand.host.finish();
    }
}

#[test]
fn a_push_of_what_could_not_be_built_is_skipped() {
    let stand = Stand::new("");
    let asked = ["-t", "alpha", "--push", "shelf", "--param", "flaw=error"];
    let run = stand.host.wharf(&[&["build", &stand.template], &asked[..]].concat());
    let states: Vec<&Value> =
        run.json["jobs"].as_array().expect("jobs").iter().map(|job| &job["state"]).collect();
    assert_eq!(states, ["failed", "skipped", "skipped"], "{run:#?}");
    assert_eq!(run.json["jobs"][2]["problem"]["code"], "conflict.image", "{run:#?}");
    stand.host.finish();
}

#[test]
fn a_cancelled_push_leaves_nothing_at_the_provider_and_no_record() {
    let stand = Stand::new("stall");
    let image = stand.image();
    let running = stand.host.start(&["image", "push", &image, "flawed"]);
    stand.waits_for("the image is on its way", is_uploading);
    running.signal(Signal::INT);
    let run = running.wait();
    assert_eq!(run.status, 130, "{run:#?}");
    // The plugin clears up while the job is over already.
    wait::until("it is clean", wait::PATIENCE, || stand.things().is_empty().then_some(()));
    assert_eq!(stand.records(), Vec::<Value>::new());
    stand.host.finish();
}

// F155
#[test]
fn a_host_that_is_killed_in_the_middle_of_a_push_goes_on_with_it() {
    let mut stand = Stand::new("stall");
    let image = stand.image();
    stand.host.ok(&["image", "push", &image, "flawed", "--no-wait"]);
    stand.waits_for("the image is on its way", is_uploading);
    stand.host.kill_server();
    fs::write(stand.shelf.join("go"), "").expect("a file");
    stand.host.serve();
    stand.waits_for("the push is done", |job| {
        job["operation"] == "push" && job["state"] == "succeeded" && job["attempts"] == 2
    });
    assert_eq!((stand.records().len(), stand.things().len()), (1, 1));
    stand.host.finish();
}
