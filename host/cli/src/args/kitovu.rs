//! `wharf kitovu ...`

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// What can be done with a configuration of kitovu.
#[derive(Debug, Subcommand)]
pub(crate) enum KitovuCommand {
    /// Tell all that is wrong with a kitovu.yaml, with line and column
    Validate {
        /// The file
        file: PathBuf,
    },
    /// Make instances, repositories and folders of a kitovu.yaml
    Import(KitovuImport),
}

/// `wharf kitovu import`
#[derive(Debug, Args)]
#[command(after_help = "\
Each connection becomes an instance, each source a repository that its importer
and a folder are attached to; a subject with several sources becomes as many
repositories, with the label subject=NAME. Passwords are asked for on the
terminal and kept as secrets; without a terminal they must be set before.
Repeating it brings everything in line with the file and removes nothing.

Examples:
  wharf kitovu import ~/.config/kitovu/kitovu.yaml --dry-run
  wharf kitovu import ~/.config/kitovu/kitovu.yaml && wharf sync --all")]
pub(crate) struct KitovuImport {
    /// The file
    pub(crate) file: PathBuf,
    /// Tell what would be made and make nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}
