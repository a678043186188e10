//! `wharf job ...`

use clap::{Args, Subcommand};

/// What can be done with jobs.
#[derive(Debug, Subcommand)]
pub(crate) enum JobCommand {
    /// List jobs, the newest first
    List(JobList),
    /// Show one job: state, result, warnings, failed items
    Show {
        /// The job's number
        #[arg(value_parser = clap::value_parser!(i64).range(1..))]
        id: i64,
    },
    /// Print the log of a job
    Logs {
        /// The job's number
        #[arg(value_parser = clap::value_parser!(i64).range(1..))]
        id: i64,
        /// Go on until the job has ended
        #[arg(long, short)]
        follow: bool,
    },
    /// Cancel a job and wait for its end
    Cancel {
        /// The job's number
        #[arg(value_parser = clap::value_parser!(i64).range(1..))]
        id: i64,
    },
    /// Show who is told of a job, and what became of each event
    Callbacks {
        /// The job's number
        #[arg(value_parser = clap::value_parser!(i64).range(1..))]
        id: i64,
    },
    /// Tell a callback again what was given up, and at once what waits
    Redeliver {
        /// The job's number
        #[arg(value_parser = clap::value_parser!(i64).range(1..))]
        id: i64,
        /// The callback's number, as `wharf job callbacks` tells it
        #[arg(value_parser = clap::value_parser!(u32).range(1..))]
        callback: u32,
    },
}

/// `wharf job list`
#[derive(Debug, Clone, Args)]
pub(crate) struct JobList {
    /// Only jobs of this repository
    #[arg(long, value_name = "NAME")]
    pub(crate) repo: Option<String>,
    /// Only jobs in this state
    #[arg(long, value_name = "STATE", value_parser = [
        "queued", "blocked", "running", "cancelling", "succeeded", "partial", "failed",
        "cancelled", "skipped", "interrupted",
    ])]
    pub(crate) state: Option<String>,
    /// At most this many
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) limit: u32,
}

impl Default for JobList {
    fn default() -> Self {
        Self { repo: None, state: None, limit: 20 }
    }
}
