//! What packages depend on, as a host asks for it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends by a panic")]

use serde_json::json;
use wharf_plugin_deb::plugin;
use wharf_sdk::testing::{FakeHost, Harness, Run};
use wharf_sdk::{Unit, UnitRef};

fn deb(name: &str, version: &str, architecture: &str, fields: &str) -> Unit {
    deb_in("stable", name, version, architecture, fields)
}

fn deb_in(distribution: &str, name: &str, version: &str, architecture: &str, fields: &str) -> Unit {
    let key = json!({ "distribution": distribution, "component": "main", "package": name,
        "version": version, "architecture": architecture, "sha256": "00" });
    let control = format!("Package: {name}\nVersion: {version}\n{fields}");
    let attributes = json!({ "area": "x", "control": control });
    Unit::new("deb").key(&key).unwrap().attributes(&attributes).unwrap()
}

/// Asks about the first of these packages.
async fn resolve(units: Vec<Unit>) -> Run {
    let host = units.into_iter().fold(FakeHost::new(), FakeHost::unit);
    let harness = Harness::start(plugin(), host);
    harness.call("importer").resolve(vec![UnitRef::id(1)]).await
}

/// The places of the packages that are named, counted from 1, and what is missing.
async fn told(units: Vec<Unit>) -> (Vec<u64>, Vec<String>) {
    let run = resolve(units).await;
    run.done();
    let missing = run.warnings.iter().map(|warning| warning.text.clone()).collect();
    (run.resolved.iter().map(|unit| unit.id).collect(), missing)
}

#[tokio::test]
async fn dependencies_and_theirs_are_named_the_newest_first_and_once() {
    let units = vec![
        deb("app", "1", "amd64", "Depends: lib (>= 2), tool\nPre-Depends: base\n"),
        deb("lib", "1", "amd64", ""),
        deb("lib", "2", "amd64", "Depends: base, app\n"),
        deb("lib", "10", "amd64", "Depends: base, app\n"),
        deb("lib", "11", "arm64", ""),
        deb("tool", "1", "all", ""),
        deb("base", "1", "amd64", ""),
        deb("other", "1", "amd64", ""),
        deb_in("unstable", "lib", "99", "amd64", ""),
    ];
    assert_eq!(told(units).await, (vec![4, 6, 7], vec![]));
}

#[tokio::test]
async fn the_first_alternative_that_is_there_is_taken_unless_another_one_is_chosen_already() {
    let first = deb("app", "1", "amd64", "Depends: none | mta | exim, exim\n");
    let units = vec![
        first,
        deb("exim", "4", "amd64", "Provides: mta\n"),
        deb("nullmailer", "1", "amd64", "Provides: mta\n"),
    ];
    let (found, missing) = told(units).await;
    assert_eq!((found, missing.len()), (vec![2], 0));
    let app = deb("app", "1", "amd64", "Depends: mta (>= 1) | virtual (= 3)\n");
    let units = vec![
        app,
        deb("a", "9", "amd64", "Provides: mta\n"),
        deb("b", "1", "all", "Provides: virtual (= 3)\n"),
    ];
    assert_eq!(told(units).await, (vec![3], vec![]), "a name without a version meets none");
}

#[tokio::test]
async fn what_nobody_has_is_told_with_who_needs_it() {
    let units = vec![
        deb("app", "1", "amd64", "Depends: lib (>> 5) | gone, lib\n"),
        deb("lib", "5", "amd64", "Depends: gone\n"),
    ];
    let (found, missing) = told(units).await;
    assert_eq!(found, [2]);
    assert_eq!(missing.len(), 2, "{missing:?}");
    assert!(missing.iter().any(|it| it.contains("app 1 (amd64) needs lib (>> 5) | gone")));
    assert!(missing.iter().any(|it| it.contains("lib 5 (amd64) needs gone")));
}

#[tokio::test]
async fn a_package_for_all_architectures_gets_its_dependencies_for_each() {
    let units = vec![
        deb("app", "1", "all", "Depends: lib\n"),
        deb("lib", "1", "amd64", ""),
        deb("lib", "2", "arm64", ""),
    ];
    assert_eq!(told(units).await, (vec![2, 3], vec![]));
}
