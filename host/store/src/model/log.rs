//! Lines of a job's log.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How grave a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// Every item.
    Trace,
    /// Decisions.
    Debug,
    /// The course of things.
    Info,
    /// Someone may do something about it.
    Warn,
    /// Something did not work.
    Error,
}

/// One line of a job's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// Its number, from 0 on. Given when it is stored.
    #[serde(default)]
    pub n: u64,
    /// When it was said: milliseconds since 1970.
    pub ms: i64,
    /// How grave it is.
    pub level: LogLevel,
    /// What it says.
    pub text: String,
    /// What it says to programs.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, String>,
}

impl LogLine {
    /// A line without fields.
    pub fn new(ms: i64, level: LogLevel, text: impl Into<String>) -> Self {
        Self { n: 0, ms, level, text: text.into(), fields: BTreeMap::new() }
    }
}
