//! `wharf folder ...`

use clap::{Args, Subcommand, ValueEnum};

/// What can be done with folders.
#[derive(Debug, Subcommand)]
pub(crate) enum FolderCommand {
    /// Decide about files that were changed in the folder and upstream
    Resolve(FolderResolve),
}

/// `wharf folder resolve`
#[derive(Debug, Args)]
#[command(after_help = "\
With on_conflict=ask `wharf publish` and `wharf sync --all` ask on the terminal,
and do as keep-local where there is none. In runs that nobody stays with, of
schedules for instance, such files are left alone and listed as skipped items;
`wharf job show` tells them again. All other files are brought up to date too.

Examples:
  wharf folder resolve maths week1/notes.txt --take both
  wharf folder resolve maths week1/notes.txt week2/notes.txt --take remote")]
pub(crate) struct FolderResolve {
    /// The repository
    pub(crate) name: String,
    /// Files, named from the folder down
    #[arg(required = true)]
    pub(crate) paths: Vec<String>,
    /// Keep the file as it is here, replace it by upstream's, or lay upstream's beside it
    #[arg(long, value_name = "WHICH", value_enum)]
    pub(crate) take: Take,
    /// One folder of several, as `wharf repo show` names it
    #[arg(long, value_name = "FOLDER")]
    pub(crate) through: Option<String>,
}

/// Which of two versions of a file counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Take {
    // No doc comments here: clap would turn them into a list of its own.
    Local,
    Remote,
    Both,
}
