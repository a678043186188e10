//! The report as JUnit's XML, which build servers read. Source: the XSD that Jenkins' JUnit plugin publishes.

use std::fmt::Write as _;

use crate::report::{Outcome, Report, Row};

/// A suite of the plugin's name with a test case for each row.
pub fn junit(report: &Report) -> String {
    let totals = report.totals;
    let seconds: f64 = report.cases.iter().map(|row| row.took_ms).sum::<f64>() / 1e3;
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let head = format!(
        "<testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\" time=\"{seconds:.3}\">\n",
        escaped(&report.plugin),
        report.cases.len(),
        totals.failed,
        totals.skipped,
    );
    text.push_str(&head);
    for row in &report.cases {
        text.push_str(&case(report, row));
    }
    text.push_str("</testsuite>\n");
    text
}

fn case(report: &Report, row: &Row) -> String {
    let name =
        if row.of.is_empty() { row.case.to_owned() } else { format!("{} {}", row.case, row.of) };
    let mut text = format!(
        "  <testcase classname=\"{}.{}\" name=\"{}\" time=\"{:.3}\"",
        escaped(&report.plugin),
        row.level,
        escaped(&name),
        row.took_ms / 1e3,
    );
    let (reason, hint) = (escaped(&row.reason), escaped(&row.hint));
    // A String takes everything.
    let _written = match row.outcome {
        Outcome::Passed => writeln!(text, "/>"),
        Outcome::Failed => {
            writeln!(text, ">\n    <failure message=\"{reason}\">{hint}</failure>\n  </testcase>")
        }
        Outcome::Skipped => {
            writeln!(text, ">\n    <skipped message=\"{reason}: {hint}\"/>\n  </testcase>")
        }
    };
    text
}

/// Source: XML 1.0, section 2.2: other control characters may not be there at all.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\n' => safe.push_str("&#10;"),
            '\t' => safe.push_str("&#9;"),
            letter if letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}') => {
                safe.push('\u{fffd}');
            }
            letter => safe.push(letter),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Level, totals};

    #[test]
    fn whatever_a_plugin_says_stays_inside_its_attribute() {
        let row = Row {
            case: "stream.units",
            of: "importer.sync".to_owned(),
            level: Level::Behaves,
            outcome: Outcome::Failed,
            reason: "key \"<a>\" & \u{1b}[31m".to_owned(),
            hint: "send\nall".to_owned(),
            took_ms: 1_500.0,
        };
        let cases = vec![row];
        let report = Report {
            plugin: "p".to_owned(),
            version: "1.0.0".to_owned(),
            program: "/p".to_owned(),
            wanted: Level::Robust,
            reached: None,
            totals: totals(&cases),
            cases,
        };
        let text = junit(&report);
        let case =
            "<testcase classname=\"p.behaves\" name=\"stream.units importer.sync\" time=\"1.500\">";
        assert!(text.contains(case), "{text}");
        let failure = "<failure message=\"key &quot;&lt;a&gt;&quot; &amp; \u{fffd}[31m\">send&#10;all</failure>";
        assert!(text.contains(failure), "{text}");
        assert!(text.contains("tests=\"1\" failures=\"1\" errors=\"0\" skipped=\"0\""), "{text}");
    }
}
