//! `wharf schedule ...`

use clap::{Args, Subcommand, ValueEnum};

use super::Setting;

/// What can be done with schedules.
#[derive(Debug, Subcommand)]
pub(crate) enum ScheduleCommand {
    /// Let the server sync or publish a repository by itself
    Create(Box<ScheduleCreate>),
    /// List schedules
    List,
    /// Show one schedule: what it did, what it will do
    Show {
        /// The schedule
        name: String,
    },
    /// Delete a schedule; what it did stays
    Delete {
        /// The schedule
        name: String,
    },
    /// Switch a schedule on, its failures forgotten
    Enable {
        /// The schedule
        name: String,
    },
    /// Switch a schedule off
    Disable {
        /// The schedule
        name: String,
    },
}

/// What a schedule begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Work {
    // No doc comments here: clap would turn them into a list of its own.
    Sync,
    Publish,
}

/// `wharf schedule create`
#[derive(Debug, Args)]
#[command(after_help = "\
A server runs schedules, `wharf serve`; a command does not. What was missed
while none ran is made up for by one run. A time that is due while the run
before still goes on is left out.

An interval is written as ISO 8601 does, and counted from --at, or from now:
  PT30M   PT6H   P1D   P1W   P1M     months and days are those of the calendar
  R5/2026-01-01T00:00:00Z/P1D        five times, from then on
The fields of --cron: minute, hour, day, month, day of the week.

Examples:
  wharf schedule create tools sync --every PT6H
  wharf schedule create tools sync --cron '0 4 * * 1-5' --zone Europe/Berlin
  wharf schedule create tools publish --every P1D --at 2026-01-01T05:00 --failures 3")]
pub(crate) struct ScheduleCreate {
    /// The repository
    pub(crate) repository: String,
    /// What to do
    #[arg(value_enum)]
    pub(crate) operation: Work,
    /// The interval
    #[arg(
        long,
        value_name = "INTERVAL",
        required_unless_present = "cron",
        conflicts_with = "cron"
    )]
    pub(crate) every: Option<String>,
    /// The times, as in a crontab
    #[arg(long, value_name = "FIELDS")]
    pub(crate) cron: Option<String>,
    /// Nothing happens before this point in time
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<String>,
    /// The time zone whose calendar counts [default: the server's]
    #[arg(long, value_name = "ZONE")]
    pub(crate) zone: Option<String>,
    /// Switch it off after so many failed runs in a row [default: never]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) failures: Option<u32>,
    /// Look at everything each time, even what is unchanged
    #[arg(long)]
    pub(crate) full: bool,
    /// Publish through this distributor only
    #[arg(long, value_name = "PLUGIN.COMPONENT")]
    pub(crate) through: Option<String>,
    /// A setting for its runs; may be given several times
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(crate) settings: Vec<Setting>,
    /// Its name [default: REPOSITORY-OPERATION]
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
}
