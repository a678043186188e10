//! `wharf type ...`

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// What can be done with types of units.
#[derive(Debug, Subcommand)]
pub(crate) enum TypeCommand {
    /// List the types that plugins define
    List {
        /// Fail if a type is kept that no plugin defines any more
        #[arg(long)]
        strict: bool,
    },
    /// Show one type: its key, its rule in a repository, its indexes, who uses it
    Show {
        /// The type
        #[arg(value_name = "TYPE")]
        name: String,
    },
    /// Check files of type definitions, wharf's own or Pulp 2's
    Check(TypeCheck),
}

/// `wharf type check`
#[derive(Debug, Args)]
#[command(after_help = "\
It needs no server and no data folder. All files are checked together, as those
of one plugin are: first whether they are JSON, then the root, attributes,
names, doubled types, fields, references, schemas. All offenders of the first
class that has any are told.

A definition of Pulp 2 is read as it is; what it becomes is told.

Examples:
  wharf type check types/deb.json
  wharf type check types/*.json --known erratum --output json")]
pub(crate) struct TypeCheck {
    /// Files with a list "types" at the root
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// A type that these files may refer to without defining it; may be given several times
    #[arg(long = "known", value_name = "TYPE")]
    pub(crate) known: Vec<String>,
}
