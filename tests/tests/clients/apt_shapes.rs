//! apt-get against mirrors of repositories of every shape, and against verbatim mirrors of signed ones.

use std::fs;

use serde_json::{Value, json};
use wharf_tests::apt::Apt;
use wharf_tests::debian::{Key, Site, date};
use wharf_tests::{TestHost, Upstream};

const FIELDS: &str =
    "Origin: Test\nSuite: stable\nCodename: stable\nArchitectures: amd64\nComponents: main\n";
const PACKAGES: &str = "dists/stable/main/binary-amd64/Packages";

fn host() -> TestHost {
    let mut host = TestHost::new();
    host.install("deb");
    host.serve();
    host
}

fn mirror(host: &TestHost, upstream: &Upstream, settings: &[&str]) -> Value {
    let from = upstream.url("");
    let mut arguments = vec!["mirror", "deb", "apt", "--from", &from];
    for setting in settings {
        arguments.extend(["--set", setting]);
    }
    let told = host.ok(&arguments);
    assert_eq!(told["state"], json!("succeeded"), "{told:#}");
    told
}

/// Attaches the distributor again with these settings, and publishes.
fn publish(host: &TestHost, settings: &[&str]) {
    let mut arguments = vec!["attach", "apt", "deb.distributor", "--set", "path=apt"];
    for setting in settings {
        arguments.extend(["--set", setting]);
    }
    host.ok(&arguments);
    host.ok(&["publish", "apt"]);
}

fn client(host: &TestHost, options: &str, rest: &str) -> Apt {
    Apt::new(&format!("deb [{options}] http://{}/content/apt {rest}", host.server().content()))
}

/// One distribution `stable` with two packages, in these compressions.
fn site(packers: &[&str], fields: &str, at: &str) -> Site {
    let site = Site::new();
    let text = site.package("", "hello", "1.0", "amd64")
        + &site.package("", "odd+name", "1:2.0~rc1+b1", "all");
    site.index(PACKAGES, &text, packers);
    site.release("dists/stable", fields, at);
    site
}

#[test]
fn apt_get_source_unpacks_a_mirrored_source_package() {
    let site = site(&["xz"], FIELDS, &date(-60));
    site.index("dists/stable/main/source/Sources", &site.source("hello", "1.0"), &["gzip"]);
    site.release("dists/stable", FIELDS, &date(-60));
    let upstream = Upstream::of(site.folder());
    for policy in ["policy=immediate", "policy=on_demand"] {
        let host = host();
        mirror(&host, &upstream, &["suites=stable", "sources=true", policy]);
        let base = format!("http://{}/content/apt", host.server().content());
        let apt = Apt::new(&format!("deb-src [trusted=yes] {base} stable main"));
        apt.ok(&["update"]);
        apt.ok(&["source", "hello"]);
        let program = fs::read_to_string(apt.downloads().join("hello-1.0/program"));
        assert_eq!(program.expect("dpkg-source unpacked it"), "1.0\n", "{policy}");
        host.finish();
    }
}

#[test]
fn a_flat_repository_is_mirrored_and_its_verbatim_form_is_asked_for_by_dots() {
    let site = Site::new();
    let text = site.package("./", "hello", "1.0", "amd64");
    site.index("Packages", &text, &["gzip"]);
    site.release("", "Origin: Flat\n", &date(-60));
    let upstream = Upstream::of(site.folder());
    let host = host();
    mirror(&host, &upstream, &["flat=true", "verbatim=true"]);
    let apt = client(&host, "trusted=yes", "flat main");
    apt.ok(&["update"]);
    apt.ok(&["install", "-y", "hello"]);
    assert_eq!(apt.installed("usr/share/hello/version"), "1.0\n");
    publish(&host, &["verbatim=true"]);
    let apt = client(&host, "trusted=yes", "./");
    let told = apt.ok(&["update"]);
    assert!(told.contains("/apt/./Packages"), "{told}");
    apt.ok(&["install", "-y", "hello"]);
    assert_eq!(apt.installed("usr/share/hello/version"), "1.0\n");
    host.finish();
}

#[test]
fn an_index_in_zstd_alone_is_read_and_published() {
    let site = site(&["zstd"], FIELDS, &date(-60));
    fs::remove_file(site.at(PACKAGES)).expect("listed, and not served");
    let upstream = Upstream::of(site.folder());
    let host = host();
    mirror(&host, &upstream, &["suites=stable"]);
    publish(&host, &["compressions=[\"zst\"]"]);
    let apt = client(&host, "trusted=yes", "stable main");
    apt.ok(&["update"]);
    assert!(apt.ok(&["install", "-y", "hello", "odd+name"]).contains("odd%2bname"), "escaped so");
    assert_eq!(apt.installed("usr/share/odd+name/version"), "1:2.0~rc1+b1\n");
    host.finish();
}

#[test]
fn a_verbatim_mirror_installs_under_the_key_of_upstream() {
    let (site, key) = (site(&["xz", "gzip"], FIELDS, &date(-600)), Key::new());
    key.sign(&site.at("dists/stable"));
    let upstream = Upstream::of(site.folder());
    for policy in ["policy=immediate", "policy=on_demand"] {
        let host = host();
        mirror(&host, &upstream, &["suites=stable", "verbatim=true", policy]);
        let signed_by = format!("signed-by={}", key.public().display());
        let apt = client(&host, &signed_by, "stable main");
        let told = apt.get(&["update"]);
        assert!(
            !told.good,
            "what wharf wrote itself has no signature of upstream's: {}",
            told.text
        );
        publish(&host, &["verbatim=true"]);
        apt.ok(&["update"]);
        apt.ok(&["install", "-y", "hello", "odd+name"]);
        assert_eq!(apt.installed("usr/share/hello/version"), "1.0\n", "{policy}");
        for name in ["InRelease", "Release", "Release.gpg", "main/binary-amd64/Packages.xz"] {
            let path = format!("dists/stable/{name}");
            let address = format!("/content/apt/{path}");
            let got = wharf_tests::http::get(host.server().content(), &address, &[]);
            let same = got.expect("an answer").body == fs::read(site.at(&path)).expect("a file");
            assert!(same, "{name} is upstream's, byte for byte");
        }
        host.finish();
    }
}

#[test]
fn a_verbatim_mirror_follows_upstream() {
    let (site, key) = (site(&["xz"], FIELDS, &date(-600)), Key::new());
    key.sign(&site.at("dists/stable"));
    let upstream = Upstream::of(site.folder());
    let host = host();
    mirror(&host, &upstream, &["suites=stable", "verbatim=true"]);
    publish(&host, &["verbatim=true"]);
    let apt = client(&host, &format!("signed-by={}", key.public().display()), "stable main");
    apt.ok(&["update"]);
    let again = apt.ok(&["update"]);
    assert!(again.contains("Hit:1"), "an unchanged InRelease is answered with 304: {again}");
    let text = site.package("", "hello", "1.1", "amd64");
    site.index(PACKAGES, &text, &["xz"]);
    site.release("dists/stable", FIELDS, &date(-60));
    key.sign(&site.at("dists/stable"));
    let told = host.ok(&["sync", "apt"]);
    assert_eq!(told["state"], json!("succeeded"), "{told:#}");
    host.ok(&["publish", "apt"]);
    apt.ok(&["update"]);
    apt.ok(&["install", "-y", "hello"]);
    assert_eq!(apt.installed("usr/share/hello/version"), "1.1\n");
    host.finish();
}

#[test]
fn names_by_digest_are_those_of_the_strongest_list() {
    let fields = format!("{FIELDS}Acquire-By-Hash: yes\n");
    let site = site(&["xz"], &fields, &date(-600));
    let upstream = Upstream::of(site.folder());
    let host = host();
    mirror(&host, &upstream, &["suites=stable", "verbatim=true"]);
    publish(&host, &["verbatim=true"]);
    let apt = client(&host, "trusted=yes", "stable main");
    let told = apt.ok(&["update"]);
    assert!(told.contains("binary-amd64/by-hash/SHA512/"), "{told}");
    apt.ok(&["install", "-y", "hello"]);
    host.finish();
}

#[test]
fn a_release_that_only_became_newer_costs_apt_no_index() {
    let site = site(&["xz"], FIELDS, &date(-600));
    let upstream = Upstream::of(site.folder());
    let host = host();
    mirror(&host, &upstream, &["suites=stable"]);
    let apt = client(&host, "trusted=yes", "stable main");
    assert!(apt.ok(&["update"]).contains("Packages"));
    host.ok(&["publish", "apt", "--full"]);
    let told = apt.ok(&["update"]);
    assert!(told.contains("Get:") && !told.contains("binary-amd64"), "{told}");
    host.finish();
}

#[test]
fn a_verbatim_publication_that_lacks_a_package_is_refused_by_name() {
    let site = site(&["xz"], FIELDS, &date(-600));
    fs::remove_file(site.at("pool/hello_1.0_amd64.deb")).expect("it was made");
    let upstream = Upstream::of(site.folder());
    let host = host();
    let from = upstream.url("");
    let settings = ["--from", &from, "--set", "suites=stable", "--set", "verbatim=true"];
    let told = host.wharf(&[&["mirror", "deb", "apt"], &settings[..]].concat());
    assert_eq!(told.status, 3, "{told:#?}");
    host.ok(&["attach", "apt", "deb.distributor", "--set", "path=apt", "--set", "verbatim=true"]);
    let refused = host.wharf(&["publish", "apt"]);
    let text = format!("{refused:?}");
    assert!(refused.status == 1 && text.contains("pool/hello_1.0_amd64.deb"), "{text}");
    host.finish();
}

#[test]
fn outdated_and_future_dates_are_refused_verbatim_and_replaced_otherwise() {
    let outdated = format!("{FIELDS}Valid-Until: {}\n", date(-60));
    for (fields, at, said) in [
        (outdated.as_str(), date(-86_400), "is expired"),
        (FIELDS, date(86_400), "is not valid yet"),
    ] {
        let site = site(&["xz"], fields, &at);
        let upstream = Upstream::of(site.folder());
        let host = host();
        mirror(&host, &upstream, &["suites=stable", "verbatim=true"]);
        let apt = client(&host, "trusted=yes", "stable main");
        apt.ok(&["update"]);
        apt.ok(&["install", "-y", "hello"]);
        publish(&host, &["verbatim=true"]);
        let other = client(&host, "trusted=yes", "stable main");
        let told = other.get(&["update"]);
        assert!(!told.good && told.text.contains(said), "{said}: {}", told.text);
        host.finish();
    }
}

#[test]
fn slashes_in_distributions_and_prefixes_of_components_are_what_apt_thinks() {
    let site = Site::new();
    let text = site.package("", "hello", "1.0", "amd64");
    site.index("dists/stable/updates/main/binary-amd64/Packages", &text, &["xz"]);
    let fields = "Suite: stable/updates\nArchitectures: amd64\nComponents: updates/main\n";
    site.release("dists/stable/updates", fields, &date(-60));
    let upstream = Upstream::of(site.folder());
    let host = host();
    mirror(&host, &upstream, &["suites=stable/updates", "components=main", "verbatim=true"]);
    for verbatim in ["verbatim=false", "verbatim=true"] {
        publish(&host, &[verbatim]);
        let apt = client(&host, "trusted=yes", "stable/updates main");
        apt.ok(&["update"]);
        apt.ok(&["install", "-y", "hello"]);
        assert_eq!(apt.installed("usr/share/hello/version"), "1.0\n", "{verbatim}");
    }
    host.finish();
}

#[test]
fn an_index_that_is_published_compressed_only_is_found_since_the_plain_one_is_listed() {
    let site = site(&["xz"], FIELDS, &date(-60));
    let upstream = Upstream::of(site.folder());
    let host = host();
    mirror(&host, &upstream, &["suites=stable"]);
    for compressions in ["compressions=[\"gz\"]", "compressions=[\"xz\"]"] {
        publish(&host, &[compressions]);
        let apt = client(&host, "trusted=yes", "stable main");
        apt.ok(&["update"]);
        apt.ok(&["install", "-y", "hello"]);
        // The plain one of the publication before is still had by its name, but not part of this one.
        let folder = format!("/content/apt/{}", PACKAGES.trim_end_matches("Packages"));
        let wish = [("Accept", "application/json")];
        let told = wharf_tests::http::get(host.server().content(), &folder, &wish);
        let told = told.expect("an answer").text();
        assert!(told.contains("\"Packages.") && !told.contains("\"Packages\""), "{told}");
    }
    host.finish();
}
