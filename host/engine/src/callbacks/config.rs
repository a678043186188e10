//! How long receivers are waited for, and when they are tried again.

use std::time::Duration;

use super::Document;

/// How events reach those who are to be told of jobs.
#[derive(Debug, Clone)]
pub struct Config {
    /// How long a connection, TLS included, may take to come about.
    pub connect_timeout: Duration,
    /// How long an attempt may take from its beginning to the answer.
    pub timeout: Duration,
    /// The wait after the first failed attempt, the second and so on, each less or more by up to a fifth. An event
    /// whose attempts have used them up is given up.
    pub delays: Vec<Duration>,
    /// Attempts at the same time.
    pub parallel: usize,
    /// Attempts at the same time at one host and port.
    pub per_origin: usize,
    /// How a job is shown to those who are told of it.
    pub document: Document,
}

impl Default for Config {
    fn default() -> Self {
        let (minutes, hours) = (Duration::from_mins, Duration::from_hours);
        Self {
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(15),
            delays: vec![
                Duration::from_secs(5),
                Duration::from_secs(30),
                minutes(2),
                minutes(10),
                hours(1),
                hours(3),
                hours(6),
                hours(12),
            ],
            parallel: 8,
            per_origin: 2,
            document: Document::default(),
        }
    }
}

/// Whole milliseconds, as times are stored.
pub(super) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
