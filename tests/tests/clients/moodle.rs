//! The moodle plugin and a Moodle-speaking server: what is listed, what is handed out, and what goes wrong on the way.

use serde_json::{Value, json};
use wharf_sdk::testing::{Harness, Run};
use wharf_sdk::wire::{ErrorClass, ErrorScope};
use wharf_tests::moodle::{File, Moodle, TOKEN, Trick};

use crate::listing::{self, SECRET, bytes, fetch, interrupted, item, list, paths};

const SITE: &str = "core_webservice_get_site_info";
const COURSES: &str = "core_enrol_get_users_courses";
const CONTENTS: &str = "core_course_get_contents";

fn harness() -> Harness {
    harness_with(TOKEN)
}

fn harness_with(token: &str) -> Harness {
    listing::harness(wharf_plugin_moodle::plugin(), token)
}

/// A server with one course of two sections.
fn school() -> Moodle {
    let moodle = Moodle::start();
    moodle.course(4, "Analysis I/II &amp; more");
    moodle.put(4, File::new("General", "Plan", "plan.txt", "1"));
    moodle.put(4, File::new("Week: 1", "Übungen", "größe 1.txt", "22").inside("/more/and more/"));
    moodle.put(4, File::page("Week: 1", "Notes", "index.html", "<p>333</p>"));
    moodle
}

fn settings(moodle: &Moodle, remote_dir: &str) -> Value {
    json!({ "url": moodle.url(), "token": { "secret": SECRET }, "remote_dir": remote_dir })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_course_is_listed_by_section_activity_and_name_for_three_requests() {
    let moodle = school();
    let harness = harness();
    let settings = settings(&moodle, "Analysis I/II & more");
    let run = list(&harness, &settings).await;
    run.done();
    assert_eq!(
        paths(&run),
        [
            "00 - General/Plan/plan.txt",
            "01 - Week: 1/Notes/index.html",
            "01 - Week: 1/Übungen/more/and more/größe 1.txt"
        ]
    );
    assert_eq!(moodle.seen(), [SITE, COURSES, CONTENTS]);
    let again = list(&harness, &settings).await;
    assert_eq!(again.done().announced, Some(3));
    assert_eq!(moodle.seen(), [COURSES, CONTENTS], "who the user is does not change");
    let revisions = |run: &Run| run.listed.iter().map(|it| it.revision.clone()).collect::<Vec<_>>();
    assert_eq!(revisions(&run), revisions(&again));
    let size = |ending| item(&run, ending).unit.as_ref().expect("a unit").files[0].size;
    assert_eq!((size("plan.txt"), size("index.html")), (Some(1), None));
}

#[tokio::test(flavor = "multi_thread")]
async fn all_courses_have_a_folder_each_and_one_that_is_not_shown_fails_alone() {
    let moodle = school();
    moodle.course(9, "Physics");
    moodle.put(9, File::new("S", "M", "a.txt", "a"));
    moodle.course(7, "Hidden");
    moodle.hide(7);
    moodle.course(8, "Physics");
    moodle.put(8, File::new("S", "M", "b.txt", "b"));
    let run = list(&harness(), &settings(&moodle, "/")).await;
    run.done();
    assert_eq!(
        paths(&run),
        [
            "Analysis I_II & more/00 - General/Plan/plan.txt",
            "Analysis I_II & more/01 - Week: 1/Notes/index.html",
            "Analysis I_II & more/01 - Week: 1/Übungen/more/and more/größe 1.txt",
            "Physics (9)/00 - S/M/a.txt",
            "Physics/00 - S/M/b.txt",
        ]
    );
    let [failed] = run.items.as_slice() else { panic!("{run:#?}") };
    let error = failed.error.as_ref().expect("an error");
    assert_eq!((failed.key.as_str(), error.code.as_str()), ("Hidden", "source.course"));
    assert_eq!(run.done().announced, Some(6));
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_are_handed_out_whole_and_from_any_place() {
    let moodle = Moodle::start();
    moodle.course(1, "C");
    let large: Vec<u8> = (0..3_000_000_u32).flat_map(u32::to_le_bytes).collect();
    for (name, length) in [("empty", 0), ("small", 20_000), ("large", large.len())] {
        moodle.put(1, File::new("S", "M", name, &large[..length]));
    }
    let (harness, settings) = (harness(), settings(&moodle, "C"));
    let listed = list(&harness, &settings).await;
    for (name, from) in
        [("empty", 0), ("small", 0), ("small", 19_999), ("large", 0), ("large", 5_000_001)]
    {
        let listed = item(&listed, name);
        let size = listed.unit.as_ref().and_then(|unit| unit.files[0].size).expect("a size");
        let (begin, end) = (usize::try_from(from).unwrap(), usize::try_from(size).unwrap());
        for trick in [None, Some(Trick::Whole)] {
            if let Some(trick) = trick {
                moodle.once(name, trick);
            }
            let run = fetch(&harness, &settings, listed, from).await;
            run.done();
            let bytes = bytes(&harness, &run);
            assert!(bytes == large[begin..end], "{name} from {from}: {} bytes", bytes.len());
            assert_eq!(run.revision, "", "{name}: nothing changed");
        }
    }
    assert!(!moodle.saw_a_key_in_an_address());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_comes_whole_whatever_its_size() {
    let moodle = school();
    let (harness, settings) = (harness(), settings(&moodle, "id:4"));
    let listed = list(&harness, &settings).await;
    let run = fetch(&harness, &settings, item(&listed, "index.html"), 0).await;
    assert_eq!((bytes(&harness, &run), run.revision.as_str()), (b"<p>333</p>".to_vec(), ""));
    // Nobody can say whether the beginning is of the same page.
    let rest = fetch(&harness, &settings, item(&listed, "index.html"), 3).await;
    assert_eq!(rest.failure().code, "source.changing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_json_file_that_looks_like_an_error_is_a_file_and_an_error_is_none() {
    let moodle = Moodle::start();
    moodle.course(1, "C");
    let text =
        json!({ "exception": "x", "errorcode": "invalidtoken", "message": "mine" }).to_string();
    moodle.put(1, File::new("S", "M", "e.json", &text).typed("application/json"));
    moodle.put(1, File::new("S", "M", "f.json", "{}").typed("application/json"));
    let (harness, settings) = (harness(), settings(&moodle, "C"));
    let listed = list(&harness, &settings).await;
    let run = fetch(&harness, &settings, item(&listed, "e.json"), 0).await;
    assert_eq!(bytes(&harness, &run), text.as_bytes());
    // As long as it was listed: nothing but a file can be meant.
    moodle.once("e.json", Trick::Say(200, "application/json", text.clone()));
    let run = fetch(&harness, &settings, item(&listed, "e.json"), 0).await;
    assert_eq!(bytes(&harness, &run), text.as_bytes());
    let said = json!({ "errorcode": "nopermissions", "error": "Sorry" }).to_string();
    moodle.once("f.json", Trick::Say(200, "application/json; charset=utf-8", said));
    let run = fetch(&harness, &settings, item(&listed, "f.json"), 0).await;
    let refused = run.failure();
    assert_eq!((refused.code.as_str(), refused.scope()), ("source.refused", ErrorScope::Item));
    assert!(run.contents.is_empty() && refused.message.contains("Sorry"), "{run:?}");
}

// F98, F109
#[tokio::test(flavor = "multi_thread")]
async fn what_a_site_must_not_send_fails_alone_and_no_key_goes_elsewhere() {
    let (moodle, other) = (school(), Moodle::start());
    for name in ["../../etc/passwd", "..", "a\u{1}b", "back\\slash", "bidi\u{202e}txt.exe"] {
        moodle.put(4, File::new("General", "Plan", name, "x"));
    }
    let far = format!("{}/webservice/pluginfile.php/1/x", other.url());
    moodle.put(4, File::new("General", "Plan", "far.txt", "x").elsewhere(&far));
    moodle.put(4, File::new("General", "Plan", "a link", "x").link("https://example.org/"));
    moodle.put(4, File::new("../..", "\u{0}..", "good.txt", "x"));
    let run = list(&harness(), &settings(&moodle, "id:4")).await;
    run.done();
    let codes: Vec<&str> =
        run.items.iter().map(|it| it.error.as_ref().expect("an error").code.as_str()).collect();
    assert_eq!(
        codes,
        [&["content.path"; 5][..], &["source.elsewhere"]].concat(),
        "{:#?}",
        run.items
    );
    assert_eq!((run.listed.len(), run.done().announced), (4, Some(10)));
    assert!(paths(&run).contains(&"02 - .._../_../good.txt"), "{:?}", paths(&run));
    assert_eq!(other.seen(), [""; 0]);
}

/// What people can mend says how; what befell the server reaches the whole attachment.
#[tokio::test(flavor = "multi_thread")]
async fn what_keeps_a_course_from_being_listed_is_told_with_advice() {
    let mut moodle = school();
    let wrong = list(&harness_with("0badc0ffee"), &settings(&moodle, "/")).await;
    let wrong = wrong.failure();
    assert_eq!((wrong.class(), wrong.code.as_str()), (ErrorClass::Usage, "usage.credentials"));
    assert!(wrong.message.contains("wharf secret set school"), "{}", wrong.message);
    assert!(!wrong.message.contains("0badc0ffee"), "{}", wrong.message);
    assert_eq!(wrong.field, "/token");

    let harness = harness();
    for course in ["Analysis", "id:99", "analysis i/ii & more"] {
        let run = list(&harness, &settings(&moodle, course)).await;
        let none = run.failure();
        assert_eq!((none.code.as_str(), none.field.as_str()), ("source.course", "/remote_dir"));
        assert!(none.message.contains(course), "{}", none.message);
    }
    let refused = json!({ "exception": "webservice_access_exception", "errorcode": "accessexception",
        "message": "Access control exception" });
    let unknown = json!({ "exception": "dml_missing_record_exception", "errorcode": "invalidrecord",
        "message": "Can't find data record in database table external_functions." });
    for (status, kind, body, class, code, words) in [
        (
            200,
            "application/json",
            refused.to_string(),
            ErrorClass::Usage,
            "usage.rights",
            "mobile web service",
        ),
        (
            200,
            "application/json",
            unknown.to_string(),
            ErrorClass::Operation,
            "source.refused",
            "switch on",
        ),
        (
            200,
            "text/html",
            "<html>".to_owned(),
            ErrorClass::Operation,
            "content.answer",
            "setting url",
        ),
        (
            200,
            "application/json",
            "{}".to_owned(),
            ErrorClass::Operation,
            "content.answer",
            "setting url",
        ),
        (404, "text/html", String::new(), ErrorClass::Operation, "source.status", "setting url"),
        (503, "text/html", String::new(), ErrorClass::Operation, "source.status", "503"),
        (301, "text/html", String::new(), ErrorClass::Operation, "source.moved", "own address"),
    ] {
        moodle.once(COURSES, Trick::Say(status, kind, body));
        let run = list(&harness, &settings(&moodle, "/")).await;
        let told = run.failure();
        assert_eq!((told.class(), told.code.as_str()), (class, code), "{told:?}");
        assert!(told.message.contains(words), "{}", told.message);
    }
    let unknown = json!({ "url": "http://no.such.invalid", "token": SECRET });
    assert_eq!(list(&harness, &unknown).await.failure().code, "source.name");

    let settings = settings(&moodle, "/");
    moodle.kill();
    let dead = list(&harness, &settings).await;
    let dead = dead.failure();
    assert_eq!((dead.class(), dead.code.as_str()), (ErrorClass::Operation, "source.unreachable"));
    assert_eq!((dead.retryable, dead.scope()), (true, ErrorScope::Attachment), "{dead:?}");
    assert!(!moodle.saw_a_key_in_an_address());
}

// F102, F103
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_too_long_is_refused() {
    let moodle = school();
    moodle.once(CONTENTS, Trick::Say(200, "application/json", " ".repeat((16 << 20) + 1)));
    let run = list(&harness(), &settings(&moodle, "id:4")).await;
    let limit = run.failure();
    assert_eq!((limit.class(), limit.code.as_str()), (ErrorClass::Operation, "limit.answer"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_vanished_fails_alone_and_one_that_changed_comes_as_what_it_is_now() {
    let moodle = Moodle::start();
    moodle.course(1, "C");
    for name in ["gone", "longer", "same"] {
        moodle.put(1, File::new("S", "M", name, "1234567890"));
    }
    let (harness, settings) = (harness(), settings(&moodle, "C"));
    let before = list(&harness, &settings).await;
    moodle.remove(1, "gone");
    moodle.put(1, File::new("S", "M", "longer", "1234567890+"));
    moodle.put(1, File::new("S", "M", "same", "0987654321"));
    let gone = fetch(&harness, &settings, item(&before, "gone"), 0).await;
    let gone = gone.failure();
    assert_eq!((gone.class(), gone.code.as_str()), (ErrorClass::Operation, "source.vanished"));
    assert_eq!((gone.scope(), gone.item.as_str()), (ErrorScope::Item, "00 - S/M/gone"));
    let longer = fetch(&harness, &settings, item(&before, "longer"), 0).await;
    assert_eq!(bytes(&harness, &longer), b"1234567890+");
    assert!(longer.revision.starts_with("11-"), "{}", longer.revision);
    // The beginning that the host has is of another file.
    for name in ["longer", "same"] {
        let rest = fetch(&harness, &settings, item(&before, name), 5).await;
        let rest = rest.failure();
        assert_eq!((rest.code.as_str(), rest.retryable), ("source.changing", true), "{name}");
    }
    // One of the same size is seen by the next listing.
    let now = list(&harness, &settings).await;
    for name in ["longer", "same"] {
        assert_ne!(item(&now, name).revision, item(&before, name).revision, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_breaks_in_mid_file_asks_for_another_try_and_a_dead_server_for_none() {
    let mut moodle = Moodle::start();
    moodle.course(1, "C");
    moodle.put(1, File::new("S", "M", "large", vec![7; 1 << 20]));
    let (harness, settings) = (harness(), settings(&moodle, "C"));
    let listed = list(&harness, &settings).await;
    let large = item(&listed, "large");
    moodle.once("large", Trick::Cut(600_000));
    let (come, ended) = interrupted(&harness, &settings, (large, 0), || ()).await;
    let (come, error) = (come.len() as u64, ended.expect_err("the connection broke"));
    assert_eq!((error.code.as_str(), error.retryable), ("source.broken", true), "{error:?}");
    assert_eq!(error.scope(), ErrorScope::Item);
    let rest = fetch(&harness, &settings, large, come).await;
    assert_eq!(come + bytes(&harness, &rest).len() as u64, 1 << 20);
    moodle.kill();
    let dead = fetch(&harness, &settings, large, come).await;
    let dead = dead.failure();
    assert_eq!((dead.code.as_str(), dead.scope()), ("source.unreachable", ErrorScope::Attachment));
    moodle.restart();
    assert_eq!(list(&harness, &settings).await.listed.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_key_counts_from_the_next_listing_on() {
    let moodle = school();
    let settings = settings(&moodle, "id:4");
    let (good, wrong) = (harness(), harness_with("0badc0ffee"));
    let listed = list(&good, &settings).await;
    assert_eq!(list(&wrong, &settings).await.failure().code, "usage.credentials");
    let refused = fetch(&wrong, &settings, item(&listed, "plan.txt"), 0).await;
    assert_eq!(refused.failure().class(), ErrorClass::Usage);
    assert_eq!(list(&good, &settings).await.listed.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_is_heeded_while_a_server_is_silent() {
    let settings = |port| json!({ "url": format!("http://127.0.0.1:{port}"), "token": SECRET });
    listing::a_stop_is_heeded_while_a_server_is_silent(&harness(), settings).await;
}
