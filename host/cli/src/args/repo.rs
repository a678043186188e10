//! `wharf repo ...`

use clap::{Args, Subcommand};

/// What can be done with repositories.
#[derive(Debug, Subcommand)]
pub(crate) enum RepoCommand {
    /// Create an empty repository
    #[command(after_help = "\
Examples:
  wharf repo create tools
  wharf repo create tools --type file       it may hold units of this type only")]
    Create {
        /// Its name: letters, digits, dots, dashes and underscores
        name: String,
        /// A unit type it may hold; may be given several times [default: any]
        #[arg(long = "type", value_name = "TYPE")]
        types: Vec<String>,
    },
    /// List repositories
    List {
        /// Only those with this label, NAME=VALUE or NAME; may be given several times
        #[arg(long = "label", value_name = "LABEL")]
        labels: Vec<String>,
    },
    /// Show one repository and what is attached to it
    Show {
        /// The repository
        name: String,
    },
    /// List the versions of a repository
    Versions {
        /// The repository
        name: String,
    },
    /// List what syncs, publishes and other runs did, the newest first
    History(RepoHistory),
    /// Show which units came and went between two versions
    Diff(RepoDiff),
    /// Go back to what an earlier version held, in a new version
    Rollback(super::RepoRollback),
    /// Set labels, or take them away
    Label(super::RepoLabel),
    /// Change what a repository keeps
    Set(super::RepoSet),
    /// Delete one version
    DeleteVersion {
        /// The repository
        name: String,
        /// The version
        #[arg(value_name = "N")]
        version: u64,
    },
    /// Delete a repository with its versions and publications
    Delete {
        /// The repository
        name: String,
    },
}

/// `wharf repo history`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wharf repo history tools
  wharf repo history tools --operation sync --since 2026-01-01 --limit 100")]
pub(crate) struct RepoHistory {
    /// The repository
    pub(crate) name: String,
    /// Only runs of this operation: sync, publish, ...
    #[arg(long, value_name = "OPERATION")]
    pub(crate) operation: Option<String>,
    /// Only runs that ended at this time or later
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// Only runs that ended before this time
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
    /// At most this many
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) limit: u32,
}

/// `wharf repo diff`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wharf repo diff tools           what the last version changed
  wharf repo diff tools 3         from version 3 to the current one
  wharf repo diff tools 3 5       from version 3 to version 5")]
pub(crate) struct RepoDiff {
    /// The repository
    pub(crate) name: String,
    /// The earlier version [default: the one before B]
    #[arg(value_name = "A")]
    pub(crate) from: Option<u64>,
    /// The later version [default: the current one]
    #[arg(value_name = "B")]
    pub(crate) to: Option<u64>,
}
