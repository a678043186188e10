//! A few real packages from the registries that this machine uses for itself, when it can reach them: what no upstream
//! of ours would think of. A registry that does not answer is said to have been left out.
#![expect(clippy::print_stdout, reason = "whoever reads the run learns what it did not show")]

use std::fs;
use std::process::Command;

use serde_json::json;
use wharf_tests::TestHost;
use wharf_tests::apt::Apt;
use wharf_tests::python::Client;

/// What a program prints; None when it is missing or fails.
fn said(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Whether curl gets it, as this machine's user would.
fn answers(url: &str) -> bool {
    let reached = said("curl", &["-sfIL", "--max-time", "20", "-o", "/dev/null", url]).is_some();
    if !reached {
        println!("{url} does not answer: left out");
    }
    reached
}

/// The index that pip uses here: the one that is set, else its own.
fn index() -> Option<String> {
    let own = "from pip._internal.models.index import PyPI; print(PyPI.simple_url)";
    said("python3", &["-m", "pip", "config", "get", "global.index-url"])
        .or_else(|| said("python3", &["-c", own]))
}

#[test]
fn a_project_of_the_python_package_index_is_mirrored_and_installed() {
    let Some(index) = index() else {
        println!("pip has no index here: left out");
        return;
    };
    let index = format!("{}/", index.trim_end_matches('/'));
    if !answers(&format!("{index}six/")) {
        return;
    }
    let mut host = TestHost::new();
    host.install("pypi");
    host.serve();
    let job = host.ok(&["mirror", "pypi", "six", "--from", &index]);
    assert_eq!((&job["state"], &job["failed"]), (&json!("succeeded"), &json!(0)), "{job:#}");
    let simple = format!("http://{}/content/six/simple/", host.server().content());
    for client in Client::ALL {
        let target = host.folder().join(format!("{client:?}"));
        fs::create_dir(&target).expect("a folder");
        let output = client.install(&simple, &target, &["six"]);
        assert!(output.status.success(), "{client:?}: {output:?}");
        assert!(target.join("six.py").is_file(), "{client:?}");
    }
    host.finish();
}

/// Site, suite, component and architecture of a small part of an archive that apt is set up for here.
fn part() -> Option<[String; 4]> {
    let format = "$(SITE) $(RELEASE) $(COMPONENT) $(ARCHITECTURE) $(CREATED_BY)";
    let targets = said("apt-get", &["indextargets", "--format", format])?;
    targets.lines().find_map(|line| {
        let mut words = line.split(' ').map(str::to_owned);
        let part: [String; 4] = [words.next()?, words.next()?, words.next()?, words.next()?];
        (part[1].ends_with("-updates") && words.next()? == "Packages").then_some(part)
    })
}

#[test]
fn a_part_of_the_machines_own_apt_archive_is_mirrored_on_demand() {
    let Some([site, suite, component, architecture]) = part() else {
        println!("apt has no *-updates suite here: left out");
        return;
    };
    if !answers(&format!("{site}/dists/{suite}/InRelease")) {
        return;
    }
    let mut host = TestHost::new();
    host.install("deb");
    host.serve();
    let (suites, components) = (format!("suites={suite}"), format!("components={component}"));
    let architectures = format!("architectures={architecture}");
    let settings = [suites.as_str(), &components, &architectures, "policy=on_demand"];
    let mut arguments = vec!["mirror", "deb", "apt", "--from", &site];
    arguments.extend(settings.iter().flat_map(|setting| ["--set", setting]));
    let job = host.ok(&arguments);
    assert_eq!((&job["state"], &job["failed"]), (&json!("succeeded"), &json!(0)), "{job:#}");

    let source = format!("http://{}/content/apt {suite} {component}", host.server().content());
    let apt = Apt::new(&format!("deb [trusted=yes arch={architecture}] {source}"));
    apt.ok(&["update"]);
    let packages =
        host.get(&format!("/content/apt/dists/{suite}/{component}/binary-{architecture}/Packages"));
    let smallest = smallest(&packages.text()).expect("the suite is not empty");
    apt.ok(&["download", &format!("{smallest}:{architecture}")]);
    assert_eq!(apt.take_downloads().len(), 1, "{smallest}");
    host.finish();
}

/// The package with the smallest file.
fn smallest(packages: &str) -> Option<String> {
    let sized = packages.split("\n\n").filter_map(|stanza| {
        let field = |name: &str| stanza.lines().find_map(|line| line.strip_prefix(name));
        Some((field("Size: ")?.parse::<u64>().ok()?, field("Package: ")?.to_owned()))
    });
    sized.min().map(|(_size, name)| name)
}
