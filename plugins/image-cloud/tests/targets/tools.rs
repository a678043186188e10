//! Running the tools that images are looked at with.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Runs a program that must succeed. Returns what it printed.
pub(crate) fn run(program: &str, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> String {
    let output = Command::new(program).args(args).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}"));
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program}: {}: {error}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

/// What `qemu-img info` says of a disk in this format.
pub(crate) fn info(format: &str, disk: &Path) -> Value {
    let text = run("qemu-img", ["info", "--output=json", "-f", format, disk.to_str().unwrap()]);
    serde_json::from_str(&text).unwrap()
}

/// Whether two disks hold the same.
pub(crate) fn assert_same_disk(one: (&str, &Path), other: (&str, &Path)) {
    let (a, b) = (one.1.to_str().unwrap(), other.1.to_str().unwrap());
    let said = run("qemu-img", ["compare", "-f", one.0, "-F", other.0, a, b]);
    assert!(said.contains("Images are identical"), "{said}");
}
