//! What runs did: a table of many, one on a line.

use super::table::{Align, Cell, Table};
use super::text::{count, many, plain};
use super::time::Clock;
use super::{BAD, GOOD, WARN};
use crate::api::Run;

/// Runs, one a line.
pub(crate) fn table(runs: &[Run], clock: &Clock, width: Option<usize>) -> String {
    let mut table = Table::new(&[
        ("JOB", Align::Right),
        ("RUN", Align::Left),
        ("OUTCOME", Align::Left),
        ("STARTED", Align::Left),
        ("TOOK", Align::Right),
        ("VERSION", Align::Right),
        ("ADDED", Align::Right),
        ("UPDATED", Align::Right),
        ("REMOVED", Align::Right),
        ("ASKED BY", Align::Left),
        ("REMARKS", Align::Left),
    ]);
    for run in runs {
        let took = run.started_ms.zip(run.finished_ms);
        table.row([
            run.job.to_string().into(),
            plain(&run.operation).into(),
            Cell::styled(&run.outcome, style(&run.outcome)),
            run.started_ms.map(|ms| clock.date_time(ms)).unwrap_or_default().into(),
            took.map(|(from, to)| clock.span(from, Some(to))).unwrap_or_default().into(),
            run.version.map(|number| number.to_string()).unwrap_or_default().into(),
            count(run.added).into(),
            count(run.updated).into(),
            count(run.removed).into(),
            plain(&run.asked_by).into(),
            remarks(run).into(),
        ]);
    }
    table.render(width)
}

fn style(outcome: &str) -> anstyle::Style {
    match outcome {
        "succeeded" => GOOD,
        "failed" => BAD,
        _ => WARN,
    }
}

fn remarks(run: &Run) -> String {
    let mut parts: Vec<String> = run.dry_run.then(|| "dry run".to_owned()).into_iter().collect();
    if let Some(problem) = &run.problem {
        parts.push(plain(&problem.code));
        return parts.join(", ");
    }
    parts.extend(run.skipped_because.iter().map(|why| plain(why)));
    if run.failed > 0 {
        parts.push(format!("{} failed", count(run.failed)));
    }
    if run.warnings > 0 {
        parts.push(many(run.warnings, "warning", "warnings"));
    }
    parts.join(", ")
}

/// One run in a few words: `succeeded 3 min ago as job 12: 3 added, 1 updated, 0 removed`.
pub(crate) fn line(run: &Run, clock: &Clock) -> String {
    let when = run.finished_ms.map(|ms| clock.ago(ms)).unwrap_or_default();
    let mut text = format!("{} {when} as job {}", plain(&run.outcome), run.job);
    if let Some(problem) = &run.problem {
        text = format!("{text}: {}", plain(&problem.message));
    } else if let Some(why) = &run.skipped_because {
        text = format!("{text}: {}", plain(why));
    } else if run.operation == "sync" {
        let (added, updated, removed) = (count(run.added), count(run.updated), count(run.removed));
        text = format!("{text}: {added} added, {updated} updated, {removed} removed");
    }
    text
}
