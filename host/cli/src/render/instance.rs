//! Named instances, and what plugins say of settings.

use super::table::{Align, Table, labelled};
use super::text::{exact, one_line, plain};
use super::time::Clock;
use super::{LABEL, styled};
use crate::api::{CheckReport, Instance, SettingProblem};

/// Instances, one a line.
pub(crate) fn table(instances: &[Instance], clock: &Clock, width: Option<usize>) -> String {
    let mut table = Table::new(&[
        ("INSTANCE", Align::Left),
        ("COMPONENT", Align::Left),
        ("CHANGED", Align::Left),
        ("ATTACHED TO", Align::Left),
    ]);
    for instance in instances {
        table.row([
            exact(&instance.name).into(),
            plain(&instance.component).into(),
            clock.ago(instance.changed_ms).into(),
            plain(&instance.used_by.join(", ")).into(),
        ]);
    }
    table.render(width)
}

/// All that is known of an instance.
pub(crate) fn details(instance: &Instance, clock: &Clock) -> String {
    let settings = instance.settings.iter().map(|(key, value)| {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        format!("{}={}", plain(key), one_line(&value))
    });
    labelled(&[
        ("instance", plain(&instance.name)),
        ("component", plain(&instance.component)),
        ("settings", settings.collect::<Vec<_>>().join("\n")),
        ("created", clock.ago(instance.created_ms)),
        ("changed", clock.ago(instance.changed_ms)),
        ("attached to", plain(&instance.used_by.join(", "))),
    ])
}

/// What a plugin said of settings.
pub(crate) fn report(report: &CheckReport) -> String {
    let verdict = if report.errors.is_empty() { "good" } else { "not good" };
    let mut text = format!("{}: {verdict}", plain(&report.of));
    for (word, problems) in [("error: ", &report.errors), ("warning: ", &report.warnings)] {
        for SettingProblem { setting, message } in problems {
            let place =
                if setting.is_empty() { String::new() } else { format!("{}: ", plain(setting)) };
            let line = format!("\n  {}{place}{}", styled(LABEL, word), one_line(message));
            text.push_str(&line);
        }
    }
    text
}
