//! What is installed.

use super::table::{Align, Cell, Table};
use super::text::{one_line, plain};
use super::{BAD, GOOD, WARN, styled};
use crate::api::Plugin;

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
        let mut state = Cell::styled(plain(&plugin.state), style(&plugin.state));
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
        if let Some(reason) = &plugin.reason {
            table.below(format!("{} {}", styled(WARN, "why:"), one_line(reason)));
            table.below(format!("     in {}", plain(&plugin.origin)));
        }
    }
    table.render(width)
}

fn style(state: &str) -> anstyle::Style {
    match state {
        "broken" | "crash-loop" => BAD,
        "running" | "ready" | "installed" | "enabled" => GOOD,
        _ => WARN,
    }
}
