//! What was found out, as programs read it.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

/// How much may be relied on. Each holds those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// It starts, says who it is, and stops.
    Speaks,
    /// Its calls keep the contract.
    Behaves,
    /// So they do when something else goes wrong.
    Robust,
}

impl Level {
    /// All, the lowest first.
    pub const ALL: [Self; 3] = [Self::Speaks, Self::Behaves, Self::Robust];

    /// As in options and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Speaks => "speaks",
            Self::Behaves => "behaves",
            Self::Robust => "robust",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Level {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|level| level.as_str() == text);
        found.ok_or_else(|| "levels are speaks, behaves and robust".to_owned())
    }
}

/// How one case ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// As it must.
    Passed,
    /// Not as it must.
    Failed,
    /// It could not be tried; counts for no level and against none.
    Skipped,
}

/// One case, of one component's call where it is about calls.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// Its stable name: `cancel.middle`.
    pub case: &'static str,
    /// `importer` or `importer.sync`; empty: the whole plugin.
    pub of: String,
    /// The level that needs it.
    pub level: Level,
    /// How it ended.
    pub outcome: Outcome,
    /// What happened; empty: it passed.
    pub reason: String,
    /// What to change, or how it can be tried; empty: it passed.
    pub hint: String,
    /// How long it took, in milliseconds.
    pub took_ms: f64,
}

/// All that was found out about one plugin.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Its name, by its manifest.
    pub plugin: String,
    /// Its version, by its manifest.
    pub version: String,
    /// The executable.
    pub program: String,
    /// The level that was asked for.
    pub wanted: Level,
    /// The highest level whose cases, with those of the levels below, did not fail. None: not even the first.
    pub reached: Option<Level>,
    /// How many ended how.
    pub totals: Totals,
    /// Every case, in the order of the list.
    pub cases: Vec<Row>,
}

/// How many cases ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// As they must.
    pub passed: usize,
    /// Not as they must.
    pub failed: usize,
    /// Not tried.
    pub skipped: usize,
}

impl Report {
    /// Whether the wanted level is reached.
    pub fn is_reached(&self) -> bool {
        self.reached.is_some_and(|reached| reached >= self.wanted)
    }
}

/// The highest level of those that were tried without a failed case at or below it.
pub(crate) fn reached(rows: &[Row], wanted: Level) -> Option<Level> {
    let fails = |level| rows.iter().any(|row| row.level == level && row.outcome == Outcome::Failed);
    let tried = Level::ALL.into_iter().filter(|level| *level <= wanted);
    tried.take_while(|level| !fails(*level)).last()
}

/// How many ended how.
pub(crate) fn totals(rows: &[Row]) -> Totals {
    let count = |outcome| rows.iter().filter(|row| row.outcome == outcome).count();
    Totals {
        passed: count(Outcome::Passed),
        failed: count(Outcome::Failed),
        skipped: count(Outcome::Skipped),
    }
}

#[cfg(test)]
mod tests {
    use super::Outcome::{Failed, Passed, Skipped};
    use super::*;

    fn row(level: Level, outcome: Outcome) -> Row {
        let (of, reason, hint) = (String::new(), String::new(), String::new());
        Row { case: "a.b", of, level, outcome, reason, hint, took_ms: 0.0 }
    }

    #[test]
    fn a_level_needs_all_cases_of_the_levels_below() {
        let rows = |speaks, behaves, robust| {
            [row(Level::Speaks, speaks), row(Level::Behaves, behaves), row(Level::Robust, robust)]
        };
        for (rows, wanted, level) in [
            (rows(Passed, Passed, Passed), Level::Robust, Some(Level::Robust)),
            (rows(Passed, Passed, Failed), Level::Robust, Some(Level::Behaves)),
            (rows(Passed, Failed, Passed), Level::Robust, Some(Level::Speaks)),
            (rows(Failed, Passed, Passed), Level::Robust, None),
            (rows(Passed, Skipped, Passed), Level::Robust, Some(Level::Robust)),
            (rows(Passed, Passed, Passed), Level::Speaks, Some(Level::Speaks)),
        ] {
            assert_eq!(reached(&rows, wanted), level);
        }
    }
}
