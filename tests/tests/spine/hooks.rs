//! Hooks: components that have a say before and after builds, syncs and publishes of others.

use std::fs;

use serde_json::{Value, json};
use wharf_tests::{Run, TestHost, Tree};

use super::builds::{image, jobs, template_of};

/// A host with builders and hooks, and a template. All calls of the early hook are in a journal.
fn host() -> (TestHost, String) {
    let mut host = TestHost::new();
    host.install("images");
    host.install("hooks");
    let template = host.folder().join("web.json");
    fs::write(&template, template_of("web").to_string()).expect("a file");
    let template = template.display().to_string();
    watched(&host, "proceed");
    host.serve();
    (host, template)
}

/// Makes an instance of the early hook that writes a journal.
fn watched(host: &TestHost, decision: &str) {
    let journal = format!("journal={}", host.folder().join("journal").display());
    let decision = format!("decision={decision}");
    let create = ["instance", "create", "watch", "hooks.early", "--set", &journal];
    host.ok(&[&create[..], &["--set", &decision]].concat());
}

/// What the hook was called for since the last look.
fn journal(host: &TestHost) -> Vec<String> {
    let path = host.folder().join("journal");
    let text = fs::read_to_string(&path).unwrap_or_default();
    fs::write(&path, "").expect("a file");
    text.lines().map(|line| line.trim_end().to_owned()).collect()
}

fn build(host: &TestHost, template: &str, more: &[&str]) -> Run {
    host.wharf(&[&["build", template, "--target", "alpha"], more].concat())
}

/// The job of the target.
fn target(run: &Run) -> Value {
    jobs(&run.json).pop().expect("a job")
}

#[test]
fn hooks_are_called_in_their_order_and_what_they_give_reaches_the_system_and_the_image() {
    let (host, template) = host();
    let more = host.folder().join("more.xml");
    let text = "<template_includes>
        <include target='alpha'><packages><package name='cloud-init'/></packages></include>
        <include target='beta'><packages><package name='other'/></packages></include>
    </template_includes>";
    fs::write(&more, text).expect("a file");
    let more = more.display().to_string();
    let asked = ["--param", "early=give", "--param", "late=change", "--additions", &more];
    let run = build(&host, &template, &asked);
    assert_eq!(run.status, 0, "{run:#?}");
    let calls = [
        "early before build.base \"\" parent=false",
        "early after build.base Added",
        "early before build.target \"alpha\" parent=true",
        "early after build.target Added",
    ];
    assert_eq!(journal(&host), calls);
    let jobs = jobs(&run.json);
    let base = image(&host, &jobs[0]["unit"]);
    assert!(base.ends_with("command setup early\nfile /etc/motd early\n"), "{base}");
    let image = image(&host, &jobs[1]["unit"]);
    let begins = "late was here\ncloud made it for alpha argument comment early\n\
        package cloud-init \ncommand setup early\nfile /etc/motd early\nbase Madeup 1";
    assert!(image.starts_with(begins), "{image}");
    // The system is as the hooks had it: made another way, it is another one.
    let again = build(&host, &template, &[]);
    assert_eq!(self::jobs(&again.json).len(), 2, "{again:#?}");
    host.finish();
}

#[test]
fn a_hook_leaves_a_step_out_takes_its_place_or_refuses_it() {
    let (host, template) = host();
    host.ok(&["build", &template]);
    journal(&host);
    let only = |decision: &str| build(&host, &template, &["--param", &format!("late={decision}")]);
    let before = "early before build.target \"alpha\" parent=true";
    let skipped = only("skip");
    let job = target(&skipped);
    assert_eq!((skipped.status, &job["state"]), (0, &json!("succeeded")), "{skipped:#?}");
    assert!(
        job["skipped_because"].as_str().is_some_and(|why| why.contains("hooks.late")),
        "{job:#}"
    );
    assert_eq!(journal(&host), [before, "early after build.target Skipped"]);
    let replaced = only("replace");
    assert_eq!(replaced.status, 0, "{replaced:#?}");
    let job = target(&replaced);
    assert!(image(&host, &job["unit"]).starts_with("late made it\nbase Madeup"), "{job:#}");
    let unit = host.ok(&["unit", "show", &job["unit"].to_string()]);
    assert_eq!(unit["attributes"]["builder"], "hooks.late 0.1.0", "{unit:#}");
    assert_eq!(journal(&host), [before, "early after build.target Added"]);
    let refused = only("refuse");
    refused.ended(2, "policy").says(&[
        "policy.size",
        "hooks.late (before:build.target)",
        "not made here",
    ]);
    assert_eq!(journal(&host), [before, "early after build.target Failed policy.size"]);
    assert_eq!(host.ok(&["image"]).as_array().map(Vec::len), Some(2));
    host.finish();
}

#[test]
fn a_hook_changes_what_was_made_or_fails_it() {
    let (host, template) = host();
    let run = build(&host, &template, &["--param", "early=tag", "--param", "late=change"]);
    let job = target(&run);
    assert!(image(&host, &job["unit"]).starts_with("late was here\ncloud made it"), "{run:#?}");
    let unit = host.ok(&["unit", "show", &job["unit"].to_string()]);
    assert_eq!(unit["attributes"]["format"], "tagged", "what is left empty stays: {unit:#}");
    journal(&host);
    let run = build(&host, &template, &["--param", "late=fail"]);
    run.ended(1, "source").says(&["source.scanner", "hooks.late (after:build.target)", "scanner"]);
    // The new base takes the place of the one before; no image of the target came.
    assert_eq!(host.ok(&["image"]).as_array().map(Vec::len), Some(2));
    host.finish();
}

#[test]
fn hooks_are_told_of_failures_and_their_own_trouble_is_only_a_warning_then() {
    let (host, template) = host();
    let asked = ["--param", "flaw=error", "--param", "early=fail"];
    let run = build(&host, &template, &asked);
    let jobs = jobs(&run.json);
    assert_eq!(jobs[0]["problem"]["code"], "source.unreachable", "{run:#?}");
    assert_eq!(jobs[0]["warning_codes"]["hook.failed"], 1, "{run:#?}");
    let calls = [
        "early before build.base \"\" parent=false",
        "early after build.base Failed source.unreachable",
    ];
    assert_eq!(journal(&host), calls);
    let crash = build(&host, &template, &["--param", "late=crash"]);
    crash.ended(4, "crashed").says(&["hook hooks.late (before:build.target)"]);
    let nothing = build(&host, &template, &["--param", "late=replace-nothing"]);
    nothing.ended(4, "protocol").says(&["without a file"]);
    host.finish();
}

#[test]
fn what_no_builder_of_such_systems_can_add_is_refused() {
    let (host, _template) = host();
    let mut old = template_of("old");
    old["os"]["name"] = json!("Oldfashioned");
    let template = host.folder().join("old.json");
    fs::write(&template, old.to_string()).expect("a file");
    let run = build(&host, &template.display().to_string(), &["--param", "late=give"]);
    run.ended(2, "usage").says(&[
        "usage.additions",
        "command setup",
        "Oldfashioned",
        "image_target",
    ]);
    let wrong = host.folder().join("wrong.xml");
    fs::write(&wrong, "<x>\n<include os='y'/></x>").expect("a file");
    let wrong = ["--additions", &wrong.display().to_string()];
    let run = build(&host, &template.display().to_string(), &wrong);
    run.ended(2, "usage").says(&["usage.additions", "2", "target"]);
    host.finish();
}

#[test]
fn a_sync_and_a_publish_are_let_be_left_out_or_refused() {
    let (host, _template) = host();
    let mut tree = Tree::empty();
    tree.put("a.txt", b"a");
    tree.write_manifest();
    let url = format!("url=file://{}", tree.at("PULP_MANIFEST").display());
    host.repository("tree", &[("file.importer", &[&url]), ("file.distributor", &[])]);
    host.ok(&["sync", "tree"]);
    host.ok(&["publish", "tree"]);
    let calls = [
        "early before sync null parent=false",
        "early after sync Changed",
        "early before publish null parent=false",
    ];
    assert_eq!(journal(&host), calls);
    tree.put("b.txt", b"b");
    tree.write_manifest();
    host.ok(&["instance", "set", "watch", "--set", "decision=refuse"]);
    host.wharf(&["sync", "tree"]).ended(2, "policy").says(&["policy.size", "hooks.early@watch"]);
    assert_eq!(
        journal(&host),
        ["early before sync null parent=false", "early after sync Failed policy.size"]
    );
    host.ok(&["instance", "set", "watch", "--set", "decision=skip"]);
    let skipped = host.ok(&["sync", "tree"]);
    assert_eq!(skipped["version"], Value::Null, "{skipped:#}");
    assert_eq!(host.ok(&["repo", "show", "tree"])["version"], 1);
    host.ok(&["instance", "set", "watch", "--set", "decision=give"]);
    host.wharf(&["sync", "tree"]).ended(4, "protocol").says(&["takes nothing"]);
    host.finish();
}
