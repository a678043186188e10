//! Schedules: a table of many, everything about one.

use super::table::{Align, Cell, Table, labelled};
use super::text::{count, exact, one_line, plain};
use super::time::Clock;
use super::{BAD, GOOD, WARN};
use crate::api::Schedule;

/// Schedules, one a line.
pub(crate) fn table(schedules: &[Schedule], clock: &Clock, width: Option<usize>) -> String {
    let mut table = Table::new(&[
        ("SCHEDULE", Align::Left),
        ("STATE", Align::Left),
        ("WORK", Align::Left),
        ("WHEN", Align::Left),
        ("RUNS", Align::Right),
        ("LAST", Align::Left),
        ("NEXT", Align::Left),
    ]);
    for schedule in schedules {
        let (word, style) = state(schedule);
        table.row([
            exact(&schedule.name).into(),
            Cell::styled(word, style),
            format!("{} {}", plain(&schedule.operation), exact(&schedule.repository)).into(),
            plain(&schedule.rule).into(),
            count(schedule.runs).into(),
            schedule.last_ms.map(|ms| clock.ago(ms)).unwrap_or_default().into(),
            schedule.next_ms.map(|ms| clock.date_time(ms)).unwrap_or_default().into(),
        ]);
    }
    table.render(width)
}

fn state(schedule: &Schedule) -> (&'static str, anstyle::Style) {
    match (schedule.enabled, &schedule.reason, schedule.next_ms) {
        (true, _, Some(_)) if schedule.failures > 0 => ("failing", WARN),
        (true, _, Some(_)) => ("on", GOOD),
        (true, _, None) => ("done", anstyle::Style::new()),
        (false, Some(_), _) => ("failed", BAD),
        (false, None, _) => ("off", anstyle::Style::new()),
    }
}

/// When it runs next, in a sentence's end.
pub(crate) fn next(schedule: &Schedule, clock: &Clock) -> String {
    match schedule.next_ms {
        Some(ms) => format!("next run {}", clock.date_time(ms)),
        None if schedule.enabled => "no more runs".to_owned(),
        None => "no runs until it is enabled".to_owned(),
    }
}

/// One schedule, on one line of its repository's page.
pub(crate) fn line(schedule: &Schedule, clock: &Clock) -> String {
    let (name, rule) = (exact(&schedule.name), plain(&schedule.rule));
    format!("{name}: {} {rule}, {}", plain(&schedule.operation), next(schedule, clock))
}

/// Everything about one schedule.
pub(crate) fn details(schedule: &Schedule, clock: &Clock) -> String {
    let date = |ms: Option<i64>| ms.map(|ms| clock.date_time(ms)).unwrap_or_default();
    let remaining = schedule.remaining.map(|left| format!(", {} to come", count(left)));
    let most = schedule.failure_threshold.map(|most| format!(", off after {most}"));
    let options: Vec<String> =
        schedule.options.iter().map(|(key, value)| format!("{}={value}", exact(key))).collect();
    let job = schedule.last_job.map(|job| format!(", wharf job show {job}"));
    labelled(&[
        ("schedule", exact(&schedule.name)),
        ("state", state(schedule).0.to_owned()),
        ("why", schedule.reason.as_deref().map(one_line).unwrap_or_default()),
        ("work", format!("{} {}", plain(&schedule.operation), exact(&schedule.repository))),
        ("options", options.join("\n")),
        ("when", format!("{} ({})", plain(&schedule.rule), plain(&schedule.zone))),
        ("from", clock.date_time(schedule.start_ms)),
        ("runs", format!("{}{}", count(schedule.runs), remaining.unwrap_or_default())),
        (
            "failures",
            format!("{} in a row{}", count(schedule.failures.into()), most.unwrap_or_default()),
        ),
        ("first run", date(schedule.first_ms)),
        ("last run", format!("{}{}", date(schedule.last_ms), job.unwrap_or_default())),
        ("left out", schedule.note.as_deref().map(one_line).unwrap_or_default()),
        ("next run", date(schedule.next_ms)),
    ])
}
