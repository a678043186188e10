//! Courses and a whole host: first run, nothing to do, changes, trouble, and the folder of the user.

use std::fs;

use serde_json::{Value, json};
use wharf_tests::TestHost;
use wharf_tests::moodle::{File, Moodle, TOKEN, Trick};

const CONTENTS: &str = "core_course_get_contents";

/// A host with a key of that server, kept as a secret.
fn host_with(token: &str) -> TestHost {
    let mut host = TestHost::new();
    host.install("moodle");
    host.serve();
    set_key(&host, token);
    host
}

fn set_key(host: &TestHost, token: &str) {
    let set = host.given(format!("{token}\n").as_bytes(), &["secret", "set", "school", "-"]);
    assert_eq!(set.status, 0, "{set:#?}");
}

/// A host with an attached course.
fn host(moodle: &Moodle, course: &str) -> TestHost {
    let host = host_with(TOKEN);
    let (url, course) = (format!("url={}", moodle.url()), format!("remote_dir={course}"));
    host.repository("school", &[("moodle.importer", &[&url, "token=school", &course])]);
    host
}

fn counts<const N: usize>(told: &Value, names: [&str; N]) -> [Value; N] {
    names.map(|name| told[name].clone())
}

#[test]
fn a_course_is_mirrored_and_a_run_with_nothing_to_do_costs_one_listing() {
    let moodle = Moodle::start();
    moodle.course(3, "Maths");
    for number in 0..60 {
        let section = format!("Week {}", number % 7);
        moodle
            .put(3, File::new(&section, "Sheets", &format!("f{number}.txt"), format!("{number}")));
    }
    let host = host(&moodle, "Maths");
    let first = host.ok(&["sync", "school"]);
    assert_eq!(counts(&first, ["added", "bytes"]), [json!(60), json!(110)], "{first:#}");
    moodle.seen();
    let again = host.ok(&["sync", "school"]);
    assert_eq!(
        counts(&again, ["unchanged", "bytes", "changed"]),
        [json!(60), json!(0), json!(false)]
    );
    assert_eq!(moodle.seen(), ["core_enrol_get_users_courses", CONTENTS]);

    moodle.put(3, File::new("Week 0", "Sheets", "f0.txt", "other"));
    // Of the same size, and a real site may say the same second.
    moodle.put(3, File::new("Week 1", "Sheets", "f1.txt", "x"));
    moodle.remove(3, "f50.txt");
    moodle.seen();
    let changed = host.ok(&["sync", "school"]);
    let told = counts(&changed, ["added", "removed", "unchanged", "bytes"]);
    assert_eq!(told, [json!(2), json!(3), json!(57), json!(6)], "{changed:#}");
    let mut seen = moodle.seen();
    seen.sort_unstable();
    assert_eq!(seen, [CONTENTS, "core_enrol_get_users_courses", "f0.txt", "f1.txt"]);
    assert!(!moodle.saw_a_key_in_an_address());
    host.finish();
}

#[test]
fn a_server_that_is_gone_changes_nothing_and_is_found_again() {
    let mut moodle = Moodle::start();
    moodle.course(3, "Maths");
    moodle.put(3, File::new("S", "M", "a.txt", "a"));
    let host = host(&moodle, "Maths");
    host.ok(&["sync", "school"]);
    moodle.kill();
    let run = host.wharf(&["sync", "school"]);
    run.ended(1, "source").says(&[&moodle.url(), "refused", "look whether it runs"]);
    moodle.put(3, File::new("S", "M", "b.txt", "b"));
    moodle.restart();
    let told = host.ok(&["sync", "school"]);
    assert_eq!(counts(&told, ["added", "unchanged"]), [json!(1), json!(1)], "{told:#}");
    host.finish();
}

#[test]
fn a_wrong_key_and_a_missing_course_are_told_and_change_nothing() {
    let moodle = Moodle::start();
    moodle.course(3, "Maths");
    moodle.put(3, File::new("S", "M", "a.txt", "a"));
    let host = host(&moodle, "Maths");
    host.ok(&["sync", "school"]);
    set_key(&host, "0badc0ffee0badc0ffee");
    let run = host.wharf(&["sync", "school"]);
    run.ended(2, "usage").says(&["does not take your key", "wharf secret set school"]);
    assert!(!run.words().contains("0badc0ffee"), "{run:#?}");
    set_key(&host, TOKEN);
    let run = host.wharf(&["sync", "school", "--set", "remote_dir=Physics"]);
    run.ended(1, "source").says(&["no course of the name", "Physics"]);
    let told = host.ok(&["sync", "school"]);
    assert_eq!(counts(&told, ["unchanged", "failed"]), [json!(1), json!(0)], "{told:#}");
    let shown = host.ok(&["job", "list"]).to_string();
    assert!(!shown.contains(TOKEN) && !shown.contains("0badc0ffee"), "{shown}");
    host.finish();
}

// F102
#[test]
fn a_download_that_breaks_off_goes_on_where_it_was() {
    let moodle = Moodle::start();
    moodle.course(3, "Maths");
    let large: Vec<u8> = (0..1_000_000_u32).flat_map(u32::to_le_bytes).collect();
    moodle.put(3, File::new("S", "M", "large.bin", &large));
    let mut host = host(&moodle, "Maths");
    moodle.once("large.bin", Trick::Cut(2_500_000));
    let told = host.ok(&["sync", "school"]);
    assert_eq!(counts(&told, ["added", "failed"]), [json!(1), json!(0)], "{told:#}");
    let files =
        moodle.seen().into_iter().filter(|seen| seen.starts_with("large")).collect::<Vec<_>>();
    let [first, rest] = files.as_slice() else { panic!("{files:?}") };
    assert_eq!(first, "large.bin");
    assert!(rest.starts_with("large.bin from "), "{rest}");
    let studies = host.folder().join("studies");
    host.attach("school", "folder", &[&format!("path={}", studies.display())]);
    host.ok(&["publish", "school"]);
    assert!(fs::read(studies.join("00 - S/M/large.bin")).expect("it was written") == large);
    host.stop_server();
    host.finish();
}

// F102
#[test]
fn a_server_that_is_killed_in_mid_download_leaves_nothing_half_written() {
    let mut moodle = Moodle::start();
    moodle.course(3, "Maths");
    moodle.put(3, File::new("S", "M", "small.txt", "1"));
    let host = host(&moodle, "Maths");
    let studies = host.folder().join("studies");
    host.attach("school", "folder", &[&format!("path={}", studies.display())]);
    host.ok(&["sync", "school"]);
    host.ok(&["publish", "school"]);
    moodle.put(3, File::new("S", "M", "large.bin", vec![7; 4 << 20]));
    moodle.once("large.bin", Trick::Die(1 << 20));
    let run = host.wharf(&["sync", "school"]);
    run.ended(1, "source").says(&["refused"]);
    host.ok(&["publish", "school"]);
    let names: Vec<_> =
        fs::read_dir(studies.join("00 - S/M")).expect("a folder").flatten().collect();
    assert_eq!(names.len(), 1, "{names:?}");
    moodle.restart();
    let told = host.ok(&["sync", "school"]);
    assert_eq!(counts(&told, ["added", "unchanged"]), [json!(1), json!(1)], "{told:#}");
    host.finish();
}

#[test]
fn what_vanishes_between_listing_and_fetch_fails_alone_and_what_changes_comes_as_it_is() {
    let moodle = Moodle::start();
    moodle.course(3, "Maths");
    for name in ["gone.txt", "grown.txt", "good.txt"] {
        moodle.put(3, File::new("S", "M", name, "1"));
    }
    moodle.after_listing(3, |files| {
        files.retain(|file| !file.is_called("gone.txt"));
        for file in files.iter_mut().filter(|file| file.is_called("grown.txt")) {
            file.change("1234");
        }
    });
    let host = host(&moodle, "Maths");
    let run = host.wharf(&["sync", "school"]);
    assert_eq!(
        (run.status, counts(&run.json, ["added", "failed"])),
        (3, [json!(2), json!(1)]),
        "{run:#?}"
    );
    assert_eq!(run.json["items"][0]["problem"]["code"], json!("source.vanished"), "{run:#?}");
    let told = host.ok(&["sync", "school"]);
    assert_eq!(counts(&told, ["failed", "bytes"])[0], json!(0), "{told:#}");
    let last = host.ok(&["sync", "school"]);
    assert_eq!(counts(&last, ["unchanged", "bytes"]), [json!(2), json!(0)], "{last:#}");
    host.finish();
}

// F98
#[test]
fn names_of_people_become_folders_and_hostile_ones_fail_alone() {
    let moodle = Moodle::start();
    moodle.course(3, "Analysis I/II &amp; Übungen");
    moodle.course(5, "..");
    moodle.put(3, File::new("Week: 1", "Aufgabe 1/2?", "größe \"x\".txt", "one"));
    moodle.put(5, File::new("../.. x", "\u{1b}[2J", "two.txt", "two"));
    moodle.put(5, File::new("S", "M", "../../../three.txt", "three"));
    moodle.put(5, File::new("S", "M", "four\u{1}.txt", "four"));
    let host = host(&moodle, "/");
    let studies = host.folder().join("studies");
    host.attach("school", "folder", &[&format!("path={}", studies.display())]);
    let run = host.wharf(&["sync", "school"]);
    assert_eq!(
        (run.status, counts(&run.json, ["added", "failed"])),
        (3, [json!(2), json!(2)]),
        "{run:#?}"
    );
    assert_eq!(run.json["items"][0]["problem"]["code"], json!("content.path"), "{run:#?}");
    assert!(!run.words().contains('\u{1}'), "{run:#?}");
    host.ok(&["publish", "school"]);
    let read = |path: &str| fs::read_to_string(studies.join(path)).unwrap_or_default();
    let one = "Analysis I_II & Übungen/00 - Week_ 1/Aufgabe 1_2_/größe _x_.txt";
    assert_eq!(read(one), "one");
    assert_eq!(read("_/00 - .._.. x/_[2J/two.txt"), "two");
    assert!(!host.folder().join("three.txt").exists());
    host.finish();
}

#[test]
fn a_configuration_of_kitovu_is_taken_over_as_it_is() {
    let moodle = Moodle::start();
    moodle.course(3, "Maths &amp; more");
    moodle.put(3, File::new("General", "Plan", "plan.pdf", "one"));
    moodle.put(3, File::page("Week 1", "Notes", "index", "<p>two</p>"));
    moodle.put(3, File::new("Week 1", "Notes", "Thumbs.db", "x"));
    let host = host_with(TOKEN);
    let studies = host.folder().join("studies");
    let yaml = host.folder().join("kitovu.yaml");
    let text = format!(
        "root-dir: {}\nglobal-ignore: [Thumbs.db]\nconnections:\n  - name: school\n    plugin: moodle\n    url: {}\n\
         subjects:\n  - name: Maths\n    sources:\n      - {{connection: school, remote-dir: Maths & more}}\n  \
         - name: All\n    sources:\n      - {{connection: school, remote-dir: /}}\n",
        studies.display(),
        moodle.url()
    );
    fs::write(&yaml, text).expect("a file");
    host.ok(&["kitovu", "import", yaml.to_str().expect("UTF-8")]);
    let first = host.ok(&["sync", "--all"]);
    assert_eq!(first["totals"]["sync"]["added"], json!(4), "{first:#}");
    let read = |path: &str| fs::read_to_string(studies.join(path)).unwrap_or_default();
    assert_eq!(read("Maths/00 - General/Plan/plan.pdf"), "one");
    assert_eq!(read("Maths/01 - Week 1/Notes/index.html"), "<p>two</p>");
    assert_eq!(read("All/Maths & more/00 - General/Plan/plan.pdf"), "one");
    assert!(!studies.join("Maths/01 - Week 1/Notes/Thumbs.db").exists(), "it is ignored");
    let again = host.ok(&["sync", "--all"]);
    assert_eq!(again["totals"]["sync"]["bytes"], json!(0), "{again:#}");
    host.finish();
}

#[test]
fn settings_that_cannot_be_right_are_named_before_anything_is_asked() {
    let host = host_with(TOKEN);
    host.ok(&["repo", "create", "school"]);
    let attach = |url: &str| {
        host.wharf(&["attach", "school", "moodle.importer", "--set", url, "--set", "token=school"])
    };
    attach("url=moodle.example.org").ended(2, "usage").says(&["url", "https://"]);
    attach("url=https://me:pw@moodle.example.org").ended(2, "usage").says(&["token"]);
    assert_eq!(attach("url=http://moodle.example.org").status, 0);
    host.finish();
}
