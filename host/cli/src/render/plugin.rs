//! What is installed.

use anstyle::Style;

use super::table::{Align, Cell, Table, labelled};
use super::text::{approximate, exact, many, one_line, plain, seconds};
use super::{BAD, GOOD, WARN, styled};
use crate::api::{Component, Plugin};

/// Plugins, one a line, with the reason under each that is not ready.
pub(crate) fn table(plugins: &[Plugin], width: Option<usize>) -> String {
    let mut table = Table::new(&[
        ("PLUGIN", Align::Left),
        ("VERSION", Align::Left),
        ("STATE", Align::Left),
        ("COMPONENT", Align::Left),
        ("ROLE", Align::Left),
        ("TYPES", Align::Left),
    ]);
    for plugin in plugins {
        let mut name = plain(&plugin.name);
        let mut version = plain(&plugin.version);
        let mut state = Cell::styled(word(plugin), style(&plugin.state));
        if plugin.components.is_empty() {
            table.row([
                name.clone().into(),
                version.clone().into(),
                state.clone(),
                "".into(),
                "".into(),
                "".into(),
            ]);
        }
        for component in &plugin.components {
            table.row([
                std::mem::take(&mut name).into(),
                std::mem::take(&mut version).into(),
                std::mem::take(&mut state),
                plain(&format!("{}.{}", plugin.name, component.id)).into(),
                plain(&component.role).into(),
                plain(&component.types.join(", ")).into(),
            ]);
        }
        for line in remarks(plugin) {
            table.below(line);
        }
    }
    table.render(width)
}

/// One plugin: where it came from, what starts it, what it can do.
pub(crate) fn details(plugin: &Plugin) -> String {
    let mut rows = vec![
        ("plugin", format!("{} {}", exact(&plugin.name), plain(&plugin.version))),
        ("description", one_line(&plugin.description)),
        ("maintainer", one_line(&plugin.maintainer.join(", "))),
        ("licence", one_line(plugin.license.as_deref().unwrap_or_default())),
        ("state", word(plugin)),
        ("found in", exact(&plugin.file)),
        ("activated by", exact(plugin.link.as_deref().unwrap_or_default())),
        ("started by", started(plugin)),
    ];
    rows.extend(
        plugin.components.iter().map(|component| ("component", ability(plugin, component))),
    );
    rows.extend(plugin.warnings.iter().map(|warning| ("warning", one_line(warning))));
    let lines = std::iter::once(labelled(&rows)).chain(remarks(plugin));
    lines.collect::<Vec<_>>().join("\n")
}

fn started(plugin: &Plugin) -> String {
    let program = exact(&plugin.program);
    if plugin.interpreted { format!("{program}, wharf.compat.imagefactory") } else { program }
}

/// `web.cloud: builder cloud, build: vsphere, rhevm`
fn ability(plugin: &Plugin, component: &Component) -> String {
    let role = format!("{} {}", component.role, component.profile);
    let does = component.operations.join(", ");
    let targets = component.targets.join(", ");
    let colon = if targets.is_empty() { "" } else { ": " };
    let told = format!("{}.{}: {}, {does}{colon}{targets}", plugin.name, component.id, role.trim());
    one_line(&told)
}

/// What its processes do. One that nobody used is stopped, and started again when it is needed.
fn word(plugin: &Plugin) -> String {
    let idle = plugin.state == "stopped" && plugin.idle_stops > 0;
    plain(if idle { "idle" } else { &plugin.state })
}

/// What is wrong, or was: under the plugin's rows.
fn remarks(plugin: &Plugin) -> Vec<String> {
    if let Some(reason) = &plugin.reason {
        let why = styled(WARN, "why:");
        let mut lines = vec![format!("{why} {}{}", failures(plugin), one_line(reason))];
        for migration in &plugin.pending_migrations {
            lines.push(format!("     {} {}", migration.number, one_line(&migration.name)));
        }
        lines.push(format!("     in {}", plain(&plugin.origin)));
        return lines;
    }
    let Some(failure) = &plugin.last_failure else { return Vec::new() };
    vec![format!("{} {}{}", styled(WARN, "last failure:"), failures(plugin), one_line(failure))]
}

/// How often it failed in a row, and when it is tried again.
fn failures(plugin: &Plugin) -> String {
    if plugin.failures == 0 {
        return String::new();
    }
    let times = many(u64::from(plugin.failures), "time", "times");
    let next = plugin.retry_in_ms.map_or_else(
        || "when it is needed".to_owned(),
        |ms| format!("in {}", seconds(approximate(ms) / 1000.0)),
    );
    format!("failed {times} in a row, tried again {next}: ")
}

fn style(state: &str) -> Style {
    match state {
        "broken" | "crash-loop" => BAD,
        "running" => GOOD,
        "stopped" => Style::new(),
        _ => WARN,
    }
}
