//! Jobs: one line at their end, a table of many, everything about one.

use super::table::{Align, Cell, Table, labelled};
use super::text::{count, exact, many, one_line, plain, rate, seconds, size};
use super::time::Clock;
use super::{BAD, BOLD, GOOD, WARN, styled};
use super::{folder, image};
use crate::api::{Callback, Item, Job, JobResult, JobState, Outcome};

/// How many failed items and warnings are shown after a run.
const SHOWN: usize = 10;

/// The colour of a state.
fn style(state: JobState) -> anstyle::Style {
    match state {
        JobState::Succeeded => GOOD,
        JobState::Partial | JobState::Cancelled | JobState::Skipped | JobState::Interrupted => WARN,
        JobState::Failed => BAD,
        _ => anstyle::Style::new(),
    }
}

/// What is said when a job has ended; nothing when a problem says it all.
pub(crate) fn ended(job: &Job, content: Option<&str>) -> Option<String> {
    let result = job.result.clone().unwrap_or_default();
    let name = styled(BOLD, &plain(job.repository.as_deref().unwrap_or("?")));
    let image = || match image::about(job) {
        Some(about) => format!("{name}: {about}"),
        None => name.clone(),
    };
    let head = match job.state {
        JobState::Succeeded | JobState::Partial => match job.operation.as_str() {
            "sync" | "remove" | "copy" if result.dry_run => would(&name, &result),
            "sync" => synced(&name, &result),
            "publish" if folder::is_folder(&result) => folder::mirrored(&name, &result),
            "publish" => published(&name, &result, content),
            "migrate" => super::migration::migrated(job, &result),
            "upload" => uploaded(&name, &result),
            "build" if result.identifier.is_some() => {
                image::pushed(&image(), "made at the provider", &result, &took(&result))
            }
            "build" => image::made(&image(), "built", &result, &took(&result)),
            "import_image" => image::made(&name, "imported", &result, &took(&result)),
            "push" => image::pushed(&image(), "pushed", &result, &took(&result)),
            "unpublish" => image::unpublished(&name, &result, &took(&result)),
            "gc" => freed(&result),
            "verify" => verified(&result),
            "remove" | "copy" | "rollback" => edited(&name, &result),
            other => format!("{name}: {} done{}", plain(other), took(&result)),
        },
        JobState::Skipped => format!("{}: {} was skipped", image(), plain(&job.operation)),
        _ => return None,
    };
    let mut lines = vec![head];
    lines.extend(remarks(&result));
    if let Some(more) = more(job, &result) {
        lines.push(more);
    }
    Some(lines.join("\n"))
}

fn would(name: &str, result: &JobResult) -> String {
    if result.added + result.removed == 0 {
        return format!("{name} would stay as it is: {} unchanged", count(result.unchanged));
    }
    format!("{name} would change: {}", changes(result))
}

fn synced(name: &str, result: &JobResult) -> String {
    let version = |word: &str| {
        result.version.map(|number| format!(" {word} version {number}")).unwrap_or_default()
    };
    if result.added + result.removed == 0 && result.failed + result.skipped == 0 {
        let same = many(result.unchanged, "unit", "units");
        return format!("{name} is up to date{}: {same}{}", version("at"), took(result));
    }
    format!("{name} synced{}: {}{}", version("to"), changes(result), took(result))
}

fn uploaded(name: &str, result: &JobResult) -> String {
    let mut lines: Vec<String> = result
        .brought
        .iter()
        .map(|it| format!("{} -> {} {}", exact(&it.file), plain(&it.kind), exact(&it.unit)))
        .collect();
    let version = result.version.map(|number| format!(" version {number}")).unwrap_or_default();
    lines.push(if result.changed {
        format!("{name}{version}: {}{}", changes(result), took(result))
    } else {
        format!("{name}{version} holds all of it already{}", took(result))
    });
    lines.join("\n")
}

/// `1,204 blobs verified, 9.8 MiB: 1 missing, 2 corrupt, 3 repaired (1.2 s)`
fn verified(result: &JobResult) -> String {
    let of = |name: &str| {
        result.summary.get(name).and_then(serde_json::Value::as_u64).unwrap_or_default()
    };
    let head = format!("{} verified, {}", many(of("checked"), "blob", "blobs"), size(of("bytes")));
    let flaws: Vec<String> = ["missing", "corrupt", "repaired"]
        .into_iter()
        .filter(|name| of(name) > 0)
        .map(|name| format!("{} {name}", count(of(name))))
        .collect();
    let flaws = if flaws.is_empty() { "all good".to_owned() } else { flaws.join(", ") };
    format!("{head}: {flaws}{}", took(result))
}

fn edited(name: &str, result: &JobResult) -> String {
    let version = result.version.unwrap_or_default();
    if !result.changed {
        let same = many(result.unchanged, "unit", "units");
        return format!("{name} stays at version {version}: {same}{}", took(result));
    }
    format!("{name} is at version {version}: {}{}", changes(result), took(result))
}

/// `freed: 12 units, 30 blobs of 1.2 MiB (0.2 s)`
fn freed(result: &JobResult) -> String {
    let of = |name: &str| {
        result.summary.get(name).and_then(serde_json::Value::as_u64).unwrap_or_default()
    };
    let word = if result.dry_run { "would free" } else { "freed" };
    let counted = [
        ("publications", "publication"),
        ("versions", "version"),
        ("units", "unit"),
        ("blobs", "blob"),
    ];
    let parts: Vec<String> = counted
        .into_iter()
        .filter(|(name, _)| of(name) > 0)
        .map(|(name, one)| many(of(name), one, name))
        .collect();
    if parts.is_empty() {
        let word = if result.dry_run { "nothing would be freed" } else { "nothing to free" };
        return format!("{word}{}", took(result));
    }
    format!("{word} {}, {}{}", parts.join(", "), size(of("bytes")), took(result))
}

fn published(name: &str, result: &JobResult, content: Option<&str>) -> String {
    let version = result.version.map(|number| format!(" version {number}")).unwrap_or_default();
    let place = result.url.as_deref().map(|url| match content {
        Some(content) if url.starts_with('/') => format!(" at {content}{}", plain(url)),
        None if url.starts_with('/') => format!(" at {}, once `wharf serve` runs", plain(url)),
        _ => format!(" at {}", plain(url)),
    });
    let place = place.unwrap_or_default();
    if let (Some(why), None) = (&result.skipped_because, &result.version) {
        format!("{name} was not published: {}", plain(why))
    } else if result.changed {
        let files = many(result.added, "file", "files");
        format!("{name}{version} published{place}: {files}{}", took(result))
    } else {
        format!("{name}{version} is published already{place}")
    }
}

/// `3 added, 1 removed, 10 unchanged, 2 failed`: always the first three, the others when there are any.
fn changes(result: &JobResult) -> String {
    let mut parts = vec![
        format!("{} added", count(result.added)),
        format!("{} removed", count(result.removed)),
        format!("{} unchanged", count(result.unchanged)),
    ];
    if result.failed > 0 {
        parts.push(styled(BAD, &format!("{} failed", count(result.failed))));
    }
    if result.skipped > 0 {
        parts.push(styled(WARN, &format!("{} skipped", count(result.skipped))));
    }
    parts.join(", ")
}

/// ` (1.2 s, 9.8 MiB at 8.2 MiB/s)`
pub(super) fn took(result: &JobResult) -> String {
    let mut parts = vec![seconds(result.seconds)];
    if result.bytes > 0 {
        let rate = rate(result.bytes, result.seconds).map(|rate| format!(" at {rate}"));
        parts.push(format!("{}{}", size(result.bytes), rate.unwrap_or_default()));
    }
    format!(" ({})", parts.join(", "))
}

/// Failed and skipped items and what to do about them, then warnings, each on a line.
pub(crate) fn remarks(result: &JobResult) -> Vec<String> {
    let wrong = result.items.iter().filter_map(item);
    let warnings = result.warnings_list.iter().map(|warning| {
        let item = warning.item.as_ref().filter(|item| !item.is_empty());
        let item = item.map(|item| format!("{}: ", exact(item))).unwrap_or_default();
        format!("  {} {item}{}", styled(WARN, "warning"), one_line(&warning.text))
    });
    wrong.take(SHOWN).chain(advice(result)).chain(warnings.take(SHOWN)).collect()
}

/// What to do about the items that were shown, each advice once.
fn advice(result: &JobResult) -> Vec<String> {
    let shown = result.items.iter().take(SHOWN).filter_map(|item| item.problem.as_ref());
    let mut lines: Vec<String> = Vec::new();
    for help in shown.filter_map(|problem| problem.help.as_deref()) {
        let line = format!("  help: {}", one_line(help));
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines
}

fn item(item: &Item) -> Option<String> {
    let word = match item.outcome {
        Outcome::Failed => styled(BAD, "failed"),
        Outcome::Skipped => styled(WARN, "skipped"),
        _ => return None,
    };
    let why = item.problem.as_ref().map(|problem| format!(": {}", one_line(&problem.message)));
    Some(format!("  {word} {}{}", exact(&item.key), why.unwrap_or_default()))
}

/// Where the rest can be seen, when not all was shown.
fn more(job: &Job, result: &JobResult) -> Option<String> {
    let shown = u64::try_from(SHOWN).unwrap_or(u64::MAX);
    let hidden = (result.failed + result.skipped).saturating_sub(shown)
        + result.warnings.saturating_sub(shown);
    (hidden > 0).then(|| format!("  and {} more: wharf job logs {}", count(hidden), job.id))
}

/// Many jobs, one a line.
pub(crate) fn table(jobs: &[Job], clock: &Clock, width: Option<usize>) -> String {
    let mut table = Table::new(&[
        ("JOB", Align::Right),
        ("STATE", Align::Left),
        ("OPERATION", Align::Left),
        ("REPOSITORY", Align::Left),
        ("SUBMITTED", Align::Left),
        ("TOOK", Align::Right),
        ("RESULT", Align::Left),
    ]);
    for job in jobs {
        let took = job.started_ms.map(|started| clock.span(started, job.finished_ms));
        let about = image::about(job).unwrap_or_default();
        let operation = format!("{} {about}", plain(&job.operation));
        table.row([
            job.id.to_string().into(),
            Cell::styled(job.state.as_str(), style(job.state)),
            operation.trim_end().to_owned().into(),
            plain(job.repository.as_deref().unwrap_or_default()).into(),
            clock.ago(job.submitted_ms).into(),
            took.unwrap_or_default().into(),
            short(job).into(),
        ]);
    }
    table.render(width)
}

/// A job's outcome in a few words.
fn short(job: &Job) -> String {
    if let Some(problem) = &job.problem {
        return plain(&problem.code);
    }
    if let Some(progress) = &job.progress
        && !job.state.is_final()
    {
        let figure = super::progress::figures(progress).into_iter().next().unwrap_or_default();
        return format!("{} {figure}", plain(&progress.phase)).trim().to_owned();
    }
    let Some(result) = &job.result else { return String::new() };
    let mut parts = Vec::new();
    if !result.changed && job.state == JobState::Succeeded {
        parts.push("unchanged".to_owned());
    } else if job.operation == "sync" {
        parts.push(format!("+{} -{}", count(result.added), count(result.removed)));
    } else if let Some(last) = result.migrations.last() {
        parts.push(format!("migration {}", last.number));
    } else if let Some(version) = result.version {
        parts.push(format!("version {version}"));
    }
    if result.failed > 0 {
        parts.push(format!("{} failed", count(result.failed)));
    }
    if result.warnings > 0 {
        parts.push(many(result.warnings, "warning", "warnings"));
    }
    parts.join(", ")
}

/// Everything about one job.
pub(crate) fn details(job: &Job, callbacks: &[Callback], clock: &Clock) -> String {
    let attempts =
        if job.attempts > 1 { format!(" in attempt {}", job.attempts) } else { String::new() };
    let took = job.started_ms.map(|started| clock.span(started, job.finished_ms));
    let mut rows = vec![
        ("job", job.id.to_string()),
        ("state", format!("{}{attempts}", styled(style(job.state), job.state.as_str()))),
        ("operation", plain(&job.operation)),
        ("about", image::about(job).unwrap_or_default()),
        ("made of", image::made_of(job).unwrap_or_default()),
        ("repository", plain(job.repository.as_deref().unwrap_or_default())),
        ("component", plain(job.component.as_deref().unwrap_or_default())),
        ("asked by", plain(&job.asked_by)),
        ("submitted", clock.date_time(job.submitted_ms)),
        ("took", took.unwrap_or_default()),
    ];
    if let Some(plugin) = &job.plugin {
        let tls = if plugin.tls { "mutual TLS" } else { "unencrypted (dev)" };
        let handshake = seconds(plugin.handshake_ms / 1000.0);
        rows.push(("plugin", format!("pid {}, handshake {handshake}, {tls}", plugin.pid)));
    }
    if let Some(progress) = job.progress.as_ref().filter(|_| !job.state.is_final()) {
        rows.push(("progress", super::progress::line(progress, "", 100)));
    }
    if let Some(result) = &job.result {
        rows.extend(figures(result));
    }
    let told: Vec<String> = callbacks.iter().map(super::callback::line).collect();
    rows.push(("callbacks", told.join("\n")));
    let mut blocks = vec![labelled(&rows)];
    if let Some(result) = &job.result {
        blocks.extend(super::migration::reports(result));
        blocks.extend(remarks(result));
        blocks.extend(more(job, result));
    }
    if let Some(problem) = &job.problem {
        blocks.push(super::problem::render(problem));
    }
    blocks.join("\n")
}

fn figures(result: &JobResult) -> Vec<(&'static str, String)> {
    let transfer = if result.bytes > 0 {
        let rate = rate(result.bytes, result.seconds).map(|rate| format!(" at {rate}"));
        let files = many(result.downloads, "download", "downloads");
        format!("{} in {files}{}", size(result.bytes), rate.unwrap_or_default())
    } else {
        String::new()
    };
    let mut rows = vec![
        ("changes", changes(result)),
        ("skipped", result.skipped_because.as_deref().map(plain).unwrap_or_default()),
        ("moved", transfer),
        ("version", result.version.map(|number| number.to_string()).unwrap_or_default()),
        ("address", result.url.as_deref().map(plain).unwrap_or_default()),
    ];
    let words: Vec<String> = result
        .summary
        .iter()
        .map(|(name, value)| {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            format!("{}: {}", plain(name), plain(&value))
        })
        .collect();
    rows.push(("plugin says", words.join("\n")));
    rows
}
