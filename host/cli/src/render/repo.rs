//! Repositories, their versions, attachments and differences.

use serde_json::Value;

use super::table::{Align, Table, labelled};
use super::text::{count, cut, exact, plain};
use super::time::Clock;
use super::{BAD, GOOD, styled};
use crate::api::{Attachment, Change, DiffEntry, Repository, RepositoryPage, Version};

/// Repositories, one a line.
pub(crate) fn table(repositories: &[Repository], clock: &Clock, width: Option<usize>) -> String {
    let mut table = Table::new(&[
        ("REPOSITORY", Align::Left),
        ("VERSION", Align::Right),
        ("UNITS", Align::Right),
        ("LAST SYNC", Align::Left),
        ("PUBLISHED", Align::Left),
        ("ATTACHED", Align::Left),
    ]);
    for repository in repositories {
        let of = |role: &'static str| {
            repository.attachments.iter().filter(move |attachment| attachment.role == role)
        };
        let synced = of("importer")
            .filter_map(|importer| importer.last.as_ref())
            .map(|last| last.finished_ms);
        let published: Vec<String> = of("distributor")
            .filter_map(|distributor| distributor.publication.as_ref())
            .map(|publication| publication.version.to_string())
            .collect();
        let attached: Vec<String> = repository.attachments.iter().map(address).collect();
        table.row([
            exact(&repository.name).into(),
            repository.version.to_string().into(),
            count(repository.units).into(),
            synced.max().map(|ms| clock.ago(ms)).unwrap_or_default().into(),
            published.join(", ").into(),
            attached.join(", ").into(),
        ]);
    }
    table.render(width)
}

/// `PLUGIN.COMPONENT`, with the instance when it is not the only one.
pub(crate) fn address(attachment: &Attachment) -> String {
    match attachment.instance.as_str() {
        "" | "default" => exact(&attachment.component),
        instance => exact(&format!("{}@{instance}", attachment.component)),
    }
}

/// Everything about one repository.
pub(crate) fn details(page: &RepositoryPage, content: Option<&str>, clock: &Clock) -> String {
    let repository = &page.repository;
    let types = if repository.types.is_empty() {
        "any".to_owned()
    } else {
        plain(&repository.types.join(", "))
    };
    let labels: Vec<String> = repository
        .labels
        .iter()
        .map(|(name, value)| format!("{}={}", exact(name), exact(value)))
        .collect();
    let retain = repository.retain.map(|retain| format!("the newest {retain} and those in use"));
    let run = |run| super::history::line(run, clock);
    let schedules: Vec<String> =
        page.schedules.iter().map(|one| super::schedule::line(one, clock)).collect();
    let mut blocks = vec![labelled(&[
        ("repository", exact(&repository.name)),
        ("types", types),
        ("version", repository.version.to_string()),
        ("units", units(page)),
        ("created", clock.date_time(repository.created_ms)),
        ("labels", labels.join("\n")),
        ("retain", retain.unwrap_or_default()),
        ("last sync", page.last_sync.as_ref().map(run).unwrap_or_default()),
        ("last publish", page.last_publish.as_ref().map(run).unwrap_or_default()),
        ("schedules", schedules.join("\n")),
    ])];
    for attachment in &repository.attachments {
        blocks.push(self::attachment(attachment, content, clock));
    }
    blocks.join("\n\n")
}

/// How much is shown of a setting: some hold a whole keyring.
const VALUE: usize = 200;
/// `1,200: 1,000 deb, 200 deb_source`
fn units(page: &RepositoryPage) -> String {
    let all = count(page.repository.units);
    let types: Vec<String> = page
        .units_by_type
        .iter()
        .map(|(name, units)| format!("{} {}", count(*units), exact(name)))
        .collect();
    if types.is_empty() { all } else { format!("{all}: {}", types.join(", ")) }
}

/// One attachment with its settings.
pub(crate) fn attachment(attachment: &Attachment, content: Option<&str>, clock: &Clock) -> String {
    let settings: Vec<String> = attachment
        .settings
        .iter()
        .map(|(key, value)| format!("{}={}", exact(key), cut(&exact(&text(value)), VALUE)))
        .collect();
    let last = attachment.last.as_ref().map(|last| {
        // Also `wharf verify` says so, of a sync that brought all there was: its bytes are gone since.
        let is_incomplete = attachment.role == "importer" && last.outcome == "partial";
        let (outcome, then) = if is_incomplete {
            ("incomplete".to_owned(), "; the next sync looks at everything again")
        } else {
            (plain(&last.outcome), "")
        };
        format!("{}, {outcome}, version {}{then}", clock.ago(last.finished_ms), last.version)
    });
    let serves = attachment.publication.as_ref().map(|publication| {
        let path = attachment.path.as_deref().unwrap_or_default();
        let place = format!("{}/content/{}/", content.unwrap_or_default(), exact(path));
        format!("version {} at {place}", publication.version)
    });
    labelled(&[
        (role(attachment), address(attachment)),
        ("settings", settings.join("\n")),
        ("last run", last.unwrap_or_default()),
        ("serves", serves.unwrap_or_default()),
    ])
}

fn role(attachment: &Attachment) -> &'static str {
    match attachment.role.as_str() {
        "importer" => "importer",
        "distributor" => "distributor",
        _ => "component",
    }
}

/// A value as it would be typed behind `key=`.
pub(super) fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Versions, the newest first.
pub(crate) fn versions(versions: &[Version], clock: &Clock, width: Option<usize>) -> String {
    let mut table = Table::new(&[
        ("VERSION", Align::Right),
        ("CREATED", Align::Left),
        ("UNITS", Align::Right),
        ("ADDED", Align::Right),
        ("REMOVED", Align::Right),
        ("JOB", Align::Right),
        ("PUBLISHED", Align::Left),
    ]);
    for version in versions {
        table.row([
            version.number.to_string().into(),
            clock.date_time(version.created_ms).into(),
            count(version.units).into(),
            count(version.added).into(),
            count(version.removed).into(),
            version.job.map(|job| job.to_string()).unwrap_or_default().into(),
            if version.published { "yes" } else { "" }.into(),
        ]);
    }
    table.render(width)
}

/// One unit that came or went: `+ file a/b.txt  9f86d081884c`, the values of its key in their order.
pub(crate) fn difference(entry: &DiffEntry) -> String {
    let (sign, style) = match entry.change {
        Change::Added => ("+", GOOD),
        Change::Removed => ("-", BAD),
    };
    let key = match &entry.key {
        Value::Object(fields) => fields.values().map(short).collect::<Vec<_>>().join("  "),
        other => short(other),
    };
    format!("{} {} {key}", styled(style, sign), exact(&entry.type_id))
}

/// A key's value on one line; a digest by its beginning, which tells two apart.
pub(super) fn short(value: &Value) -> String {
    let text = exact(&text(value));
    let digest = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if digest { text.chars().take(12).collect() } else { text }
}
