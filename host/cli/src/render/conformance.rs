//! What was found out about a plugin by its verification: a table by level, then what failed with a hint each.

use std::fmt::Write as _;

use wharf_conformance::{About, Level, Outcome, Report, Row};

use super::table::{Align, Table};
use super::text::{exact, one_line};
use super::{BAD, BOLD, GOOD, WARN, styled};

/// A line for each case, by level; reasons and hints where one did not pass; the result.
pub(crate) fn report(report: &Report) -> String {
    let mut text = format!("{} {}\n", styled(BOLD, &exact(&report.plugin)), exact(&report.version));
    for level in Level::ALL {
        let rows: Vec<&Row> = report.cases.iter().filter(|row| row.level == level).collect();
        if !rows.is_empty() {
            // A String takes everything.
            let _written = writeln!(text, "\n{}", styled(BOLD, level.as_str()));
            for row in rows {
                text.push_str(&line(row));
            }
        }
    }
    text.push('\n');
    text.push_str(&result(report));
    text
}

fn line(row: &Row) -> String {
    let (style, word) = match row.outcome {
        Outcome::Passed => (GOOD, "passed "),
        Outcome::Failed => (BAD, "failed "),
        Outcome::Skipped => (WARN, "skipped"),
    };
    let mut text = format!("  {}  {:<28} {}", styled(style, word), row.case, exact(&row.of));
    text.truncate(text.trim_end().len());
    text.push('\n');
    for (what, words) in [("reason", &row.reason), ("hint", &row.hint)] {
        if !words.is_empty() {
            // A String takes everything.
            let _written = writeln!(text, "           {what}: {}", one_line(words));
        }
    }
    text
}

fn result(report: &Report) -> String {
    let totals = report.totals;
    let counts =
        format!("{} passed, {} failed, {} skipped", totals.passed, totals.failed, totals.skipped);
    let (style, said) = match report.reached {
        Some(level) if report.is_reached() => (GOOD, format!("reaches level {level}")),
        Some(level) => (BAD, format!("reaches level {level}, not {}", report.wanted)),
        None => (BAD, "reaches no level".to_owned()),
    };
    format!("{}: {counts}", styled(style, &said))
}

/// All cases, for `--list`.
pub(crate) fn cases(cases: &[About], width: Option<usize>) -> String {
    let mut table = Table::new(&[
        ("CASE", Align::Left),
        ("LEVEL", Align::Left),
        ("WHAT IS RELIED ON", Align::Left),
    ]);
    for about in cases {
        table.row([about.case.into(), about.level.as_str().into(), about.about.into()]);
    }
    table.render(width)
}
