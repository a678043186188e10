//! Callbacks: receivers that are told how jobs go, that fail, and that never answer.

use std::collections::BTreeSet;
use std::fs;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use wharf_tests::receiver::{Got, signed_with};
use wharf_tests::wharf::Patience;
use wharf_tests::{Receiver, Reply, TestHost, Tree, wait};

use super::builds::{jobs, template_of};

/// A secret as receivers hand it out, and its bytes in base64.
const WHSEC: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const KEY: &str = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A host with builders and a template, not yet serving.
fn host() -> (TestHost, String) {
    let host = TestHost::new();
    host.install("images");
    let template = host.folder().join("web.json");
    fs::write(&template, template_of("web").to_string()).expect("a file");
    let template = template.display().to_string();
    (host, template)
}

fn kinds(got: &[Got]) -> Vec<String> {
    got.iter().map(Got::kind).collect()
}

/// Those of one job.
fn of(got: &[Got], job: &Value) -> Vec<Got> {
    got.iter().filter(|one| json!(one.job()) == *job).cloned().collect()
}

/// The deliveries of the first callback of a job.
fn deliveries(host: &TestHost, job: &Value) -> Vec<Value> {
    let told = host.ok(&["job", "callbacks", &job.to_string()]);
    told["callbacks"][0]["deliveries"].as_array().cloned().expect("a list")
}

/// Waits until the deliveries of a job's first callback are in these states.
fn settled(host: &TestHost, job: &Value, states: &[&str]) -> Vec<Value> {
    wait::until("callbacks are settled", wait::PATIENCE, || {
        let path = format!("/api/v1/jobs/{job}/callbacks");
        let told = host.api("GET", &path, b"").json();
        let all = told[0]["deliveries"].as_array().cloned().expect("a list");
        let are: Vec<&str> = all.iter().filter_map(|one| one["state"].as_str()).collect();
        (are == states).then_some(all)
    })
}

const GOOD: [&str; 3] = ["job.queued", "job.running", "job.succeeded"];

#[test]
fn each_job_of_an_order_is_told_step_by_step_signed_and_with_the_image_that_came_of_it() {
    let (mut host, template) = host();
    let receiver = Receiver::start();
    host.serve();
    host.given(WHSEC.as_bytes(), &["secret", "set", "hook", "-"]).ended(0, "");
    host.given(b"plain words", &["secret", "set", "plain", "-"]).ended(0, "");
    let shelf = host.folder().join("shelf");
    fs::create_dir(&shelf).expect("a folder");
    let folder = format!("folder={}", shelf.display());
    host.ok(&["instance", "create", "shelf", "images.shelf", "--set", &folder]);
    let url = receiver.url("/hook?from=wharf");
    let asked = ["--target", "alpha", "--push", "shelf", "--callback", &url, "--callback", &url];
    let told = ["build", &template, "--callback-secret", "hook"];
    let answer = host.ok(&[&told[..], &asked].concat());
    let got = receiver.taken("/hook?from=wharf", 9);
    signed_with(KEY, &got);
    for (job, made) in jobs(&answer).iter().zip(["image_base", "image_target", "image_provider"]) {
        let got = of(&got, &job["job"]);
        assert_eq!(kinds(&got), GOOD);
        let data = got.iter().map(|one| one.json()["data"].clone()).collect::<Vec<_>>();
        assert_eq!((&data[0]["attempts"], &data[0]["started_ms"]), (&json!(0), &Value::Null));
        assert_eq!((&data[1]["state"], &data[1]["attempts"]), (&json!("running"), &json!(1)));
        assert_eq!((&data[1]["result"], &data[1]["finished_ms"]), (&Value::Null, &Value::Null));
        let mut last = data[2].clone();
        let units = last.as_object_mut().and_then(|last| last.remove("units")).expect("units");
        let shown = host.api("GET", &format!("/api/v1/jobs/{}", job["job"]), b"").json();
        assert_eq!(last, shown);
        let unit = host.api("GET", &format!("/api/v1/units/{}", job["unit"]), b"").json();
        assert_eq!((&units[0]["id"], &units[0]["type"]), (&job["unit"], &json!(made)));
        assert_eq!((&units[0]["key"], &units[0]["files"]), (&unit["key"], &unit["files"]));
    }
    for one in &got {
        assert_eq!((one.method.as_str(), one.header("content-type")), ("POST", "application/json"));
        let time = one.json()["timestamp"].as_str().map(str::to_owned).unwrap_or_default();
        assert!(time.ends_with('Z') && time.contains('T'), "{time}");
    }
    // A push of its own, with a secret that is no base64; and syncs and publishes.
    let image = jobs(&answer)[1]["unit"].to_string();
    let url = receiver.url("/push");
    let push = ["image", "push", &image, "shelf", "--again", "--callback", &url];
    host.ok(&[&push[..], &["--callback-secret", "plain"]].concat());
    let got = receiver.taken("/push", 3);
    signed_with("cGxhaW4gd29yZHM=", &got);
    let mut tree = Tree::empty();
    tree.put("a.txt", b"a");
    tree.write_manifest();
    let source = format!("url=file://{}", tree.at("PULP_MANIFEST").display());
    host.repository("tree", &[("file.importer", &[&source]), ("file.distributor", &[])]);
    for operation in ["sync", "publish"] {
        host.ok(&[operation, "tree", "--callback", &receiver.url("/tree")]);
    }
    let got = receiver.taken("/tree", 6);
    assert!(got.iter().all(|one| !one.headers.contains_key("webhook-signature")), "{got:#?}");
    let kept = ["wharf.db", "wharf.db-wal"].map(|name| host.data().join(name));
    let mut kept: Vec<u8> = kept.iter().filter_map(|path| fs::read(path).ok()).flatten().collect();
    kept.extend(host.server().stderr().into_bytes());
    let kept = String::from_utf8_lossy(&kept);
    assert!(kept.contains("/hook?from=wharf"), "rows know the address");
    assert!(!kept.contains(KEY) && !kept.contains("plain words"), "and no secret");
    host.finish();
}

#[test]
fn failures_and_cancellations_are_told_and_so_are_those_who_waited_for_them() {
    let (mut host, template) = host();
    let receiver = Receiver::start();
    host.serve();
    let build = ["build", &template, "--target", "alpha", "--callback", &receiver.url("/failed")];
    let run = host.wharf(&[&build[..], &["--param", "flaw=error"]].concat());
    let failed = jobs(&run.json);
    let got = receiver.taken("/failed", 6);
    let base = of(&got, &failed[0]["job"]);
    assert_eq!(kinds(&base), ["job.queued", "job.running", "job.failed"]);
    assert_eq!(base[2].json()["data"]["problem"]["code"], "source.unreachable");
    let target = of(&got, &failed[1]["job"]);
    assert_eq!(kinds(&target).last().map(String::as_str), Some("job.skipped"), "{target:#?}");
    let never = format!("until={}", host.folder().join("never").display());
    let build =
        ["build", &template, "--target", "alpha", "--callback", &receiver.url("/cancelled")];
    let command = host.start(&[&build[..], &["--param", &never]].concat());
    let job = wait::until("the target is being made", wait::PATIENCE, || {
        let mut running =
            receiver.got("/cancelled").into_iter().filter(|got| got.kind() == "job.running");
        running.next_back().filter(|got| got.json()["data"]["component"] == "images.cloud")
    });
    host.ok(&["job", "cancel", &job.job().to_string()]);
    assert_eq!(command.wait().status, 130);
    let got = of(&receiver.taken("/cancelled", 6), &json!(job.job()));
    assert_eq!(kinds(&got), ["job.queued", "job.running", "job.cancelled"]);
    host.finish();
}

// F154
#[test]
fn a_receiver_that_fails_is_tried_again_and_told_each_thing_once_and_in_order() {
    let (mut host, template) = host();
    let receiver = Receiver::start();
    host.serve_with(Patience::Short);
    let busy = Reply::Status(503, "Retry-After: 1\r\n");
    receiver.once("/hook", [Reply::Status(500, ""), busy]);
    let answer = host.ok(&["build", &template, "--callback", &receiver.url("/hook")]);
    let taken = receiver.taken("/hook", 3);
    assert_eq!(kinds(&taken), GOOD);
    let got = receiver.got("/hook");
    assert_eq!(kinds(&got[..3]), ["job.queued"; 3], "what comes later waits");
    let ids: Vec<&str> = got.iter().map(|one| one.header("webhook-id")).collect();
    assert!(ids[0] == ids[1] && ids[1] == ids[2] && ids[2] != ids[3], "{ids:?}");
    assert_eq!((&got[0].body, got.len()), (&got[2].body, 5));
    let all = settled(&host, &answer["job"], &["delivered"; 3]);
    assert_eq!((&all[0]["attempts"], &all[0]["status"]), (&json!(3), &json!(204)));
    assert_eq!((&all[0]["id"], &all[0]["error"]), (&json!(ids[0]), &Value::Null));
    let waited = all[0]["last_ms"].as_i64().unwrap_or_default()
        - all[0]["created_ms"].as_i64().unwrap_or_default();
    assert!(waited >= 1000, "it asked to be left alone for a second: {waited} ms");
    host.finish();
}

// F154
#[test]
fn a_receiver_that_wants_no_more_or_fails_for_too_long_is_given_up_and_can_be_told_again() {
    let (mut host, template) = host();
    let receiver = Receiver::start();
    host.serve_with(Patience::Short);
    receiver.once("/gone", [Reply::Status(410, "")]);
    receiver.always("/broken", Reply::Status(500, ""));
    let gone = host.ok(&["build", &template, "--callback", &receiver.url("/gone")]);
    let all = settled(&host, &gone["job"], &["given_up"; 3]);
    assert_eq!((&all[0]["status"], &all[0]["attempts"]), (&json!(410), &json!(1)));
    assert_eq!(receiver.got("/gone").len(), 1);
    let job = gone["job"].to_string();
    let build = ["build", &template, "--rebuild", "--callback", &receiver.url("/broken")];
    let broken = host.ok(&build);
    let all = settled(&host, &broken["job"], &["given_up"; 3]);
    assert_eq!((&all[0]["status"], &all[0]["attempts"]), (&json!(500), &json!(6)));
    assert_eq!(receiver.got("/broken").len(), 6);
    let shown = host.wharf(&["--output", "text", "job", "show", &broken["job"].to_string()]);
    assert!(shown.stdout.contains("3 given up, it answered 500"), "{shown:#?}");
    let shown = host.wharf(&["--output", "text", "job", "callbacks", &job]);
    assert!(shown.stdout.contains("the receiver wants no more"), "{shown:#?}");
    host.ok(&["job", "redeliver", &job, "1"]);
    assert_eq!(kinds(&receiver.taken("/gone", 3)), GOOD);
    host.wharf(&["job", "redeliver", &job, "2"]).ended(2, "not_found");
    host.finish();
}

// F154
#[test]
fn a_redirect_is_not_followed_wherever_it_leads() {
    let (mut host, template) = host();
    let (receiver, inside) = (Receiver::start(), Receiver::start());
    host.serve_with(Patience::Short);
    receiver.always("/hook", Reply::To(inside.url("/hook")));
    let answer = host.ok(&["build", &template, "--callback", &receiver.url("/hook")]);
    let all = settled(&host, &answer["job"], &["given_up"; 3]);
    let error = all[0]["error"].as_str().expect("why");
    assert!(error.contains("302") && error.contains("not followed"), "{error}");
    assert_eq!(inside.got("/hook").len(), 0);
    host.finish();
}

// F154
#[test]
fn a_receiver_that_never_answers_holds_up_neither_jobs_nor_other_receivers() {
    let (mut host, template) = host();
    let (silent, good) = (Receiver::start(), Receiver::start());
    host.serve();
    silent.always("/hook", Reply::Silence);
    let both = ["--callback", &silent.url("/hook"), "--callback", &good.url("/hook")];
    let begun = Instant::now();
    for round in 1..=6 {
        let run = host.wharf(&[&["build", &template, "--rebuild"], &both[..]].concat());
        assert_eq!(run.status, 0, "{run:#?}");
        // Sooner than the silent one's first attempt ends, so it was not waited for.
        let got = good.taken("/hook", 3 * round);
        assert_eq!(kinds(&of(&got, &run.json["job"])), GOOD);
    }
    let (asked, passed) = (silent.got("/hook").len(), begun.elapsed().as_secs());
    assert!(
        asked as u64 <= 2 + 2 * (passed / 15),
        "two at once, each for 15 s: {asked} in {passed} s"
    );
    let queued = deliveries(&host, &json!(silent.got("/hook")[0].job()));
    assert_eq!((&queued[0]["state"], &queued[2]["state"]), (&json!("waiting"), &json!("waiting")));
    host.finish();
}

// F154, F165
#[test]
fn what_a_killed_host_had_still_to_tell_is_told_by_the_next_one() {
    let (mut host, template) = host();
    let receiver = Receiver::start();
    host.serve();
    receiver.always("/hook", Reply::Silence);
    let answer = host.ok(&["build", &template, "--callback", &receiver.url("/hook")]);
    wait::until("an attempt is under way", wait::PATIENCE, || receiver.got("/hook").pop());
    // The job has ended, with all that is to be told of it, and nothing of that was taken.
    host.kill_server();
    receiver.behave();
    host.serve();
    let taken = receiver.taken("/hook", 3);
    assert_eq!(kinds(&taken), GOOD);
    assert_eq!(taken[0].header("webhook-id"), receiver.got("/hook")[0].header("webhook-id"));
    settled(&host, &answer["job"], &["delivered"; 3]);
    // Killed while a job runs: it is told of that too, and of what becomes of it.
    let go = host.folder().join("go");
    let until = format!("until={}", go.display());
    let build = ["build", &template, "--target", "alpha", "--no-wait", "--param", &until];
    host.ok(&[&build[..], &["--callback", &receiver.url("/killed")]].concat());
    receiver.taken("/killed", 2);
    host.kill_server();
    fs::write(&go, "").expect("a file");
    host.serve();
    let way = ["job.queued", "job.running", "job.queued", "job.running", "job.succeeded"];
    // What was taken before its receipt was noted comes once more, under its own name.
    let told = wait::until("all is told", wait::PATIENCE, || {
        let mut all = receiver.got("/killed");
        let mut known = BTreeSet::new();
        all.retain(|got| known.insert(got.header("webhook-id").to_owned()));
        (all.len() >= way.len()).then_some(all)
    });
    assert_eq!(kinds(&told), way);
    host.finish();
}

#[test]
fn a_command_without_a_server_tells_what_it_can_and_leaves_the_rest_to_the_next_one() {
    let (mut host, template) = host();
    let receiver = Receiver::start();
    let run = host.wharf(&["build", &template, "--callback", &receiver.url("/good")]);
    assert_eq!(
        (run.status, kinds(&receiver.taken("/good", 3))),
        (0, GOOD.map(str::to_owned).into())
    );
    assert!(!run.stderr.contains("callbacks"), "{run:#?}");
    receiver.always("/bad", Reply::Status(500, ""));
    let build = ["build", &template, "--rebuild", "--callback", &receiver.url("/bad")];
    let run = host.wharf(&build);
    assert_eq!(run.status, 0, "{run:#?}");
    assert!(run.stderr.contains("3 events for callbacks could not be delivered yet"), "{run:#?}");
    assert!(run.took < Duration::from_secs(40), "{:?}", run.took);
    let tries = receiver.got("/bad").len();
    // Looking around is no reason to go on.
    host.ok(&["job", "list"]);
    assert_eq!(receiver.got("/bad").len(), tries);
    receiver.behave();
    let job = run.json["job"].to_string();
    host.ok(&["job", "redeliver", &job, "1"]);
    assert_eq!(kinds(&receiver.taken("/bad", 3)), GOOD);
    host.serve();
    settled(&host, &run.json["job"], &["delivered"; 3]);
    host.finish();
}

#[test]
fn callbacks_that_cannot_be_are_refused_before_a_job_starts_and_show_no_secret() {
    let (mut host, template) = host();
    host.serve();
    host.given(b"whsec_hunter2!", &["secret", "set", "bad", "-"]).ended(0, "");
    let with = |more: &[&str]| host.wharf(&[&["build", &template], more].concat());
    for (url, why) in [
        ("ftp://example.org/x", "only https and http"),
        ("example.org/x", "relative"),
        ("https://me:hunter2@example.org/x", "without credentials"),
        ("https://example.org/x?token=hunter2", "wharf secret set"),
    ] {
        let run = with(&["--callback", url]);
        run.ended(2, "usage").says(&["usage.callback", why]);
        assert!(!run.words().contains("hunter2"), "{run:#?}");
    }
    let hook = ["--callback", "https://example.org/x", "--callback-secret"];
    with(&[&hook[..], &["none"]].concat()).ended(2, "not_found").says(&["not_found.secret"]);
    let bad = with(&[&hook[..], &["bad"]].concat());
    bad.ended(2, "usage").says(&["usage.secret", "base64"]);
    assert!(!bad.words().contains("hunter2"), "{bad:#?}");
    let many: Vec<String> = (0..9).map(|n| format!("--callback=http://127.0.0.1/{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    with(&many).ended(2, "usage").says(&["9 callbacks", "at most 8"]);
    assert_eq!(host.ok(&["job", "list"])["jobs"], json!([]));
    host.finish();
}

#[test]
fn a_secret_that_has_yet_to_sign_is_not_forgotten_without_force() {
    let (mut host, template) = host();
    let receiver = Receiver::start();
    host.serve_with(Patience::Short);
    host.given(WHSEC.as_bytes(), &["secret", "set", "hook", "-"]).ended(0, "");
    receiver.always("/hook", Reply::Status(503, "Retry-After: 3600\r\n"));
    let told = ["--callback", &receiver.url("/hook"), "--callback-secret", "hook"];
    let answer = host.ok(&[&["build", &template], &told[..]].concat());
    let job = answer["job"].clone();
    wait::until("an attempt has failed", wait::PATIENCE, || {
        deliveries(&host, &job)[0]["attempts"].as_i64().filter(|attempts| *attempts == 1)
    });
    let refused = host.wharf(&["secret", "forget", "hook"]);
    refused.ended(2, "conflict").says(&[
        "conflict.in_use",
        &format!("callbacks of job {job}"),
        "wharf secret set hook",
    ]);
    host.ok(&["secret", "forget", "hook", "--force"]);
    host.ok(&["job", "redeliver", &job.to_string(), "1"]);
    let all = settled(&host, &job, &["given_up"; 3]);
    assert!(
        all[0]["error"].as_str().is_some_and(|why| why.contains("no secret \"hook\"")),
        "{all:#?}"
    );
    receiver.behave();
    host.given(WHSEC.as_bytes(), &["secret", "set", "hook", "-"]).ended(0, "");
    host.ok(&["job", "redeliver", &job.to_string(), "1"]);
    signed_with(KEY, &receiver.taken("/hook", 3));
    host.finish();
}
