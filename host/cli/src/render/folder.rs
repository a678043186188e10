//! Runs of folders, and the account of everything that was brought up to date at once.

use serde_json::Value;

use super::job::took;
use super::text::{count, many, plain};
use super::{BAD, GOOD, styled};
use crate::api::{Job, JobResult};

/// The words of a folder's counts, as people read them.
const WORDS: [(&str, &str); 9] = [
    ("new", "new"),
    ("replaced", "replaced"),
    ("deleted", "deleted"),
    ("beside", "laid beside an edited one"),
    ("conflict", "waiting for a decision"),
    ("kept_local", "kept as edited"),
    ("local_changed", "edited here"),
    ("kept", "gone upstream and kept"),
    ("unchanged", "unchanged"),
];

/// Whether a publish was that of a folder.
pub(crate) fn is_folder(result: &JobResult) -> bool {
    result.summary.contains_key("folder")
}

/// `maths: /home/u/maths is at version 3: 12 new, 1 laid beside an edited one (0.2 s)`
pub(crate) fn mirrored(name: &str, result: &JobResult) -> String {
    let folder = result.summary.get("folder").and_then(Value::as_str).unwrap_or_default();
    let counts = result.summary.get("counts").and_then(Value::as_object);
    let parts: Vec<String> = WORDS
        .iter()
        .filter_map(|(key, words)| Some((counts?.get(*key)?.as_u64()?, words)))
        .map(|(number, words)| format!("{} {words}", count(number)))
        .collect();
    let parts = if parts.is_empty() { "no files".to_owned() } else { parts.join(", ") };
    let version = result.version.map(|number| format!(" version {number}")).unwrap_or_default();
    let verb = if result.dry_run { "would be at" } else { "is at" };
    let head = format!("{name}: {} {verb}{version}: {parts}{}", plain(folder), took(result));
    let files = result.summary.get("files").and_then(Value::as_array).into_iter().flatten();
    let word =
        |file: &Value, key: &str| plain(file.get(key).and_then(Value::as_str).unwrap_or_default());
    let lines = files.map(|file| format!("  {:<9} {}", word(file, "action"), word(file, "path")));
    std::iter::once(head).chain(lines).collect::<Vec<_>>().join("\n")
}

/// Sums over all jobs of one operation, for programs.
pub(crate) fn totals(jobs: &[&Job]) -> Value {
    let sums = |operation: &str| {
        let results = jobs
            .iter()
            .filter(|job| job.operation == operation)
            .filter_map(|job| job.result.as_ref());
        let mut sums = JobResult::default();
        for result in results {
            sums.added += result.added;
            sums.removed += result.removed;
            sums.updated += result.updated;
            sums.unchanged += result.unchanged;
            sums.failed += result.failed;
            sums.skipped += result.skipped;
            sums.warnings += result.warnings;
            sums.bytes += result.bytes;
        }
        let JobResult {
            added, removed, updated, unchanged, failed, skipped, warnings, bytes, ..
        } = sums;
        serde_json::json!({
            "added": added, "removed": removed, "updated": updated, "unchanged": unchanged,
            "failed": failed, "skipped": skipped, "warnings": warnings, "bytes": bytes,
        })
    };
    serde_json::json!({ "sync": sums("sync"), "folder": sums("publish") })
}

/// `3 repositories: 12 added, 1 removed, 40 unchanged upstream; 13 files written into folders. In trouble: maths`, or
/// `Cancelled: maths` of those that were stopped.
pub(crate) fn everything(
    repositories: usize,
    jobs: &[&Job],
    trouble: &[&str],
    stopped: &[&str],
) -> String {
    let totals = totals(jobs);
    let of = |operation: &str, key: &str| {
        totals.pointer(&format!("/{operation}/{key}")).and_then(Value::as_u64).unwrap_or(0)
    };
    let synced = format!(
        "{} added, {} removed, {} unchanged",
        count(of("sync", "added")),
        count(of("sync", "removed")),
        count(of("sync", "unchanged"))
    );
    let written = many(of("folder", "added"), "file", "files");
    let number = u64::try_from(repositories).unwrap_or(u64::MAX);
    let head =
        format!("{}: {synced}; {written} for folders", many(number, "repository", "repositories"));
    if trouble.is_empty() {
        return format!("{head}. {}", styled(GOOD, "All good"));
    }
    let others: Vec<&str> =
        trouble.iter().filter(|name| !stopped.contains(name)).copied().collect();
    let parts = [("In trouble:", others.as_slice()), ("Cancelled:", stopped)];
    let parts = parts.iter().filter(|(_label, names)| !names.is_empty()).map(|(label, names)| {
        let names: Vec<String> = names.iter().map(|name| plain(name)).collect();
        format!(". {} {}", styled(BAD, label), names.join(", "))
    });
    format!("{head}{}", parts.collect::<String>())
}
