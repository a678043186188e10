//! `wharf-scenarios`: the last line of tests/run. Fails when a scenario has no test, and when a test names one that
//! does not exist.

use std::io::Write as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    let coverage = wharf_interop::conformance::look();
    let (known, covered) = (coverage.known.len(), coverage.covered.len());
    let mut line = format!("conformance: {covered} of {known} scenarios have a test");
    let missing = coverage.missing();
    if !missing.is_empty() {
        let names: Vec<String> =
            missing.iter().map(|(letter, number)| format!("{letter}{number}")).collect();
        line = format!("{line}; missing: {}", names.join(", "));
    }
    if !coverage.skipped.is_empty() {
        let names = coverage.skipped.join(", ");
        line = format!("{line}; not to be had, so that tests with it did nothing: {names}");
    }
    for place in &coverage.unknown {
        line = format!("{line}\nno such scenario: {place}");
    }
    // Nobody is left to tell when standard output is closed.
    writeln!(std::io::stdout(), "{line}").ok();
    if coverage.unknown.is_empty() && missing.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
