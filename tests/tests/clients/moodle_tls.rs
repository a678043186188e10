//! The moodle plugin and a site that speaks TLS: an authority that the settings name vouches for it, or nobody does.

use serde_json::json;
use wharf_tests::authority::Authority;
use wharf_tests::moodle::{File, Moodle, TOKEN, Trick};
use wharf_tests::{Run, TestHost};

const YEAR: i32 = 2200;

/// A site with one course, of a certificate for this name.
fn site(authority: &Authority, name: &str, year: i32) -> Moodle {
    let moodle = Moodle::start_secure(authority.server(name, year));
    moodle.course(4, "Analysis");
    moodle.put(4, File::new("General", "Plan", "plan.txt", "one"));
    moodle.put(4, File::new("General", "Book", "book.bin", vec![7_u8; 3 << 20]));
    moodle
}

/// A host with a repository `analysis` of this site.
fn host(moodle: &Moodle, authority: Option<&Authority>) -> TestHost {
    let mut host = TestHost::new();
    host.install("moodle");
    assert_eq!(host.given(TOKEN.as_bytes(), &["secret", "set", "key", "-"]).status, 0);
    host.serve();
    let url = format!("url={}", moodle.url());
    let mut settings = vec![url, "token=key".to_owned(), "remote_dir=Analysis".to_owned()];
    if let Some(authority) = authority {
        let file = host.folder().join("ca.pem");
        std::fs::write(&file, authority.pem()).expect("a file");
        settings.push(format!("certificates=@{}", file.display()));
    }
    let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    host.repository("analysis", &[("moodle.importer", &settings)]);
    host
}

fn refused(host: &TestHost) -> Run {
    let run = host.wharf(&["sync", "analysis"]);
    run.ended(1, "source").says(&["no trusted connection", "certificate"]);
    assert_eq!(run.code(), "source.tls", "{run:#?}");
    run
}

#[test]
fn a_site_is_mirrored_over_https_with_the_authority_of_the_settings() {
    let authority = Authority::new();
    let moodle = site(&authority, "127.0.0.1", YEAR);
    let host = host(&moodle, Some(&authority));
    // It breaks off in the middle of TLS's own records, and goes on.
    moodle.once("book.bin", Trick::Cut(1 << 20));
    assert_eq!(host.ok(&["sync", "analysis"])["added"], json!(2));
    let asked = moodle.seen();
    assert!(asked.iter().any(|it| it.starts_with("book.bin from ")), "{asked:?}");
    assert_eq!(host.ok(&["sync", "analysis"])["added"], json!(0));
    assert!(!moodle.saw_a_key_in_an_address());
    host.finish();
}

// F114
#[test]
fn a_certificate_of_a_stranger_of_another_name_or_of_the_past_is_refused_before_the_key_is_sent() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    for (moodle, trusted) in [
        (site(&stranger, "127.0.0.1", YEAR), Some(&authority)),
        (site(&authority, "moodle.example.org", YEAR), Some(&authority)),
        (site(&authority, "127.0.0.1", 2020), Some(&authority)),
        (site(&authority, "127.0.0.1", YEAR), None),
    ] {
        let host = host(&moodle, trusted);
        let run = match trusted {
            Some(_) => refused(&host),
            // A machine that trusts nobody at all says that.
            None => host.wharf(&["sync", "analysis"]),
        };
        assert_ne!(run.status, 0, "{run:#?}");
        assert_eq!(moodle.seen(), Vec::<String>::new(), "nothing was asked for");
        host.finish();
    }
}

#[test]
fn what_is_no_certificate_is_refused_when_it_is_set() {
    let moodle = site(&Authority::new(), "127.0.0.1", YEAR);
    let host = TestHost::new();
    host.install("moodle");
    assert_eq!(host.given(TOKEN.as_bytes(), &["secret", "set", "key", "-"]).status, 0);
    host.ok(&["repo", "create", "analysis"]);
    let url = format!("url={}", moodle.url());
    let attach = ["attach", "analysis", "moodle.importer", "--set", &url, "--set", "token=key"];
    let wrong = [&attach[..], &["--set", "certificates=ca.pem"]].concat();
    host.wharf(&wrong).ended(2, "usage").says(&["certificates", "@FILE"]);
    host.finish();
}
