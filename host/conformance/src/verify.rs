//! Runs the chosen cases, one after another, and collects the rows.

use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::time::{Instant, timeout};
use wharf_supervisor::Guardian;

use crate::bench::{Ask, Bench};
use crate::cases::{self, Case, Scope};
use crate::error::Error;
use crate::operation::Operation;
use crate::report::{Level, Outcome, Report, Row, reached, totals};
use crate::subject::Subject;
use crate::verdict::{Finding, Verdict};

/// For one case of one call. Far more than any needs: the longest wait for a plugin that does nothing within theirs.
const LIMIT: Duration = Duration::from_mins(3);

/// What is to be found out, and how.
#[derive(Clone, Debug)]
pub struct Wishes {
    /// Cases of this level, and of those below.
    pub level: Level,
    /// Only these cases, by name; empty: all of the level.
    pub only: Vec<String>,
    /// From a start to the handshake line and the first answer.
    pub start_timeout: Duration,
    /// Which program guards the plugin.
    pub guardian: Guardian,
}

/// Tries the plugin. `told` sees each row as it comes.
///
/// # Errors
/// [`Error::NoCase`], and [`Error::Folder`]. What is wrong with the plugin is in the report.
///
/// # Cancel safety
/// When dropped, all that was started is ended.
pub async fn verify(
    subject: &Subject,
    wishes: Wishes,
    mut told: impl FnMut(&Row),
) -> Result<Report, Error> {
    let chosen = choose(&wishes)?;
    let bench = Bench::new(subject, wishes.guardian, wishes.start_timeout)?;
    let mut rows = Vec::new();
    for case in chosen {
        for (of, verdict) in tries(&bench, &case) {
            let begun = Instant::now();
            let verdict = timeout(LIMIT, verdict).await;
            let verdict = verdict.unwrap_or_else(|_elapsed| {
                let hint = "every wait of the plugin needs an end".to_owned();
                Err(Finding::Failed { reason: format!("no end within {LIMIT:?}"), hint })
            });
            let row = row(&case, of, verdict, begun.elapsed());
            if let Some(row) = row.filter(|row| !is_known(&rows, row)) {
                told(&row);
                rows.push(row);
            }
        }
    }
    let manifest = subject.manifest();
    Ok(Report {
        plugin: manifest.name.clone(),
        version: manifest.version.to_string(),
        program: subject.installed.executable.display().to_string(),
        wanted: wishes.level,
        reached: reached(&rows, wishes.level),
        totals: totals(&rows),
        cases: rows,
    })
}

/// What one call lacks is told once, not by every case of it.
fn is_known(rows: &[Row], row: &Row) -> bool {
    let same = |it: &Row| it.of == row.of && it.outcome == row.outcome && it.reason == row.reason;
    row.outcome == Outcome::Skipped && rows.iter().any(same)
}

fn choose(wishes: &Wishes) -> Result<Vec<Case>, Error> {
    if let Some(name) = wishes.only.iter().find(|name| !cases::list().any(|it| it.case == **name)) {
        return Err(Error::NoCase { name: name.clone() });
    }
    let is_wanted = |case: &Case| {
        let by_name = wishes.only.iter().any(|name| name == case.about.case);
        by_name || (wishes.only.is_empty() && case.about.level <= wishes.level)
    };
    Ok(cases::all().filter(is_wanted).collect())
}

/// What a case is run for, and each run, not begun.
fn tries<'a>(bench: &'a Bench<'a>, case: &Case) -> Vec<(String, BoxFuture<'a, Verdict>)> {
    let components = &bench.subject.manifest().components;
    match case.scope {
        Scope::Plugin(run) => vec![(String::new(), run(bench))],
        Scope::Component(run) => components
            .iter()
            .map(|component| (component.id.clone(), run(bench, component)))
            .collect(),
        Scope::Call(run) => components
            .iter()
            .flat_map(|component| Operation::declared(component).map(move |one| (component, one)))
            .map(|(component, operation)| {
                let of = format!("{}.{}", component.id, operation.word());
                (of, run(bench, Ask { component, operation }))
            })
            .collect(),
    }
}

fn row(case: &Case, of: String, verdict: Verdict, took: Duration) -> Option<Row> {
    let (outcome, reason, hint) = match verdict {
        Ok(()) => (Outcome::Passed, String::new(), String::new()),
        Err(Finding::Failed { reason, hint }) => (Outcome::Failed, reason, hint),
        Err(Finding::Skipped { reason, hint }) => (Outcome::Skipped, reason, hint),
        Err(Finding::Beside) => return None,
    };
    let took_ms = took.as_secs_f64() * 1e3;
    Some(Row { case: case.about.case, of, level: case.about.level, outcome, reason, hint, took_ms })
}
