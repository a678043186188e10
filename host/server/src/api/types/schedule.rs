//! Schedules: work that the server begins by itself.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// A schedule. Times are milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Schedule {
    /// Its number, as jobs name it.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// What it works on.
    pub repository: String,
    /// `sync` or `publish`.
    pub operation: String,
    /// When it is due: an ISO 8601 interval or five fields of cron.
    pub rule: String,
    /// The time zone whose calendar the rule means.
    pub zone: String,
    /// Nothing is due before.
    pub start_ms: i64,
    /// What each run is asked to do beyond the defaults.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub options: Map<String, Value>,
    /// Whether it begins anything.
    pub enabled: bool,
    /// Why it was switched off; none: by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Failed runs in a row after which it is switched off; none: any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_threshold: Option<u32>,
    /// Failed runs in a row.
    pub failures: u32,
    /// Runs so far.
    pub runs: u64,
    /// Runs to come; none: any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remaining: Option<u64>,
    /// Its first run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_ms: Option<i64>,
    /// Its last run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_ms: Option<i64>,
    /// The first job of its last run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_job: Option<i64>,
    /// Why the last time that was due brought no run; none: it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// When it is due next; none: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_ms: Option<i64>,
}

/// Body of `POST /api/v1/schedules`. One of `every` and `cron` says when.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"repository": "tools", "operation": "sync", "every": "PT6H"})))]
pub struct CreateSchedule {
    /// Its name, as a repository's; none: REPOSITORY-OPERATION.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it works on.
    pub repository: String,
    /// `sync` or `publish`.
    pub operation: String,
    /// An ISO 8601 interval: `PT6H`, `P1M`, `R5/2026-01-01T00:00:00Z/P1D`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<String>,
    /// Minute, hour, day, month and day of the week, as in a crontab.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cron: Option<String>,
    /// Nothing is due before this point in time: `2026-01-01T04:00:00Z`, or a time of the zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// The IANA name of a time zone; none: the server's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// Failed runs in a row after which it is switched off; none: any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_threshold: Option<u32>,
    /// One distributor only; none: each one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub through: Option<String>,
    /// Take no shortcuts for what is unchanged.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub full: bool,
    /// Settings for its runs, as those of a sync or a publish.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub settings: Map<String, Value>,
}
