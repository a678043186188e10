//! What migrations did, or would do.

use super::job::took;
use super::text::{many, one_line, plain};
use super::{BOLD, styled};
use crate::api::{Job, JobResult, MigrationReport};

/// What is said when the migrations of a plugin have ended well.
pub(super) fn migrated(job: &Job, result: &JobResult) -> String {
    let name = styled(BOLD, &plain(job.component.as_deref().unwrap_or("?")));
    let head = match result.migrations.as_slice() {
        [] => format!("{name} is up to date: no migration to run"),
        [next, ..] if result.dry_run => {
            format!(
                "{name} would be migrated to {}; nothing was stored{}",
                next.number,
                took(result)
            )
        }
        [.., last] => {
            let count = many(result.migrations.len() as u64, "migration", "migrations");
            format!("{name} migrated to {}: {count}{}", last.number, took(result))
        }
    };
    let mut lines = vec![head];
    lines.extend(reports(result));
    lines.join("\n")
}

/// A line for each migration, and the first units of each under it.
pub(super) fn reports(result: &JobResult) -> Vec<String> {
    result.migrations.iter().flat_map(report).collect()
}

fn report(report: &MigrationReport) -> Vec<String> {
    let MigrationReport { number, name, changed, rekeyed, first } = report;
    let keys = if *rekeyed > 0 { format!(", {rekeyed} with another key") } else { String::new() };
    let changed_units = many(*changed, "unit", "units");
    let mut lines = vec![format!("  {number} {}: {changed_units} changed{keys}", one_line(name))];
    lines.extend(first.iter().map(|unit| format!("    {}", short_digests(&one_line(unit)))));
    let told = u64::try_from(first.len()).unwrap_or(u64::MAX);
    if *changed > told {
        lines.push(format!("    and {} more", changed - told));
    }
    lines
}

/// The text with every digest cut to its first 12 digits: the rest of a key is what people know it by.
fn short_digests(text: &str) -> String {
    let mut short = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|digit: char| digit.is_ascii_hexdigit()) {
        let (before, word) = rest.split_at(start);
        let end = word.find(|digit: char| !digit.is_ascii_hexdigit()).unwrap_or(word.len());
        let (digits, behind) = word.split_at(end);
        short.push_str(before);
        short.push_str(if digits.len() >= DIGEST { &digits[..12] } else { digits });
        rest = behind;
    }
    short + rest
}

/// Hex digits of a SHA-256, the shortest digest that keys hold.
const DIGEST: usize = 64;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(result: serde_json::Value) -> String {
        let mut job = json!({
            "id": 1, "operation": "migrate", "component": "deb", "state": "succeeded",
            "attempts": 1, "submitted_ms": 0, "revision": 1,
        });
        job["result"] = result;
        let job: Job = serde_json::from_value(job).unwrap();
        let text = migrated(&job, &job.result.clone().unwrap());
        anstream::adapter::strip_str(&text).to_string()
    }

    #[test]
    fn migrations_are_told_one_by_one_with_the_first_units_of_each() {
        let one = json!({ "number": 4, "name": "split\nnames", "changed": 3, "rekeyed": 2,
            "first": [format!("a -> {} b", "0123456789abcdef".repeat(4)), "c\u{1b}[31m -> d"] });
        let two = json!({ "number": 5, "name": "count", "changed": 0 });
        assert_eq!(said(json!({})), "deb is up to date: no migration to run");
        let done = said(json!({ "migrations": [one.clone(), two], "seconds": 1.5 }));
        let first = done.lines().next().unwrap();
        assert!(first.starts_with("deb migrated to 5: 2 migrations ("), "{done}");
        for line in [
            "3 units changed, 2 with another key",
            "    a -> 0123456789ab b",
            "    and 1 more",
            "  5 count",
        ] {
            assert!(done.contains(line), "{line}: {done}");
        }
        assert!(!done.contains('\u{1b}'), "{done}");
        let dry = said(json!({ "dry_run": true, "migrations": [one] }));
        assert!(dry.starts_with("deb would be migrated to 4; nothing was stored ("), "{dry}");
    }
}
