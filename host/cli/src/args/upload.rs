//! `wharf upload` and `wharf token ...`

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Setting;

/// `wharf upload`
#[derive(Debug, Args)]
#[command(after_help = "\
All files become one new version, together or not at all. What broke off is
gone on with by the same command. A repository that is missing is created when
--type or --component says for what; what it holds is published then.

Examples:
  wharf upload apps hello_1.0_amd64.deb --type deb      the first time
  wharf upload apps hello_1.1_amd64.deb
  wharf upload py dist/*                                wheels and sdists
  wharf upload tools a.tar.gz --key relative_path=2026/a.tar.gz
  wharf upload apps --unfinished                        what broke off
  wharf upload apps --forget 12                         it is not wanted")]
pub(crate) struct Upload {
    /// The repository
    pub(crate) name: String,
    /// The files
    #[arg(value_name = "FILE", required_unless_present_any = ["unfinished", "forget"])]
    pub(crate) files: Vec<PathBuf>,
    /// The type of units that they are [default: the importer finds out]
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) kind: Option<String>,
    /// A field of the key that the importer cannot know; may be given several times
    #[arg(long = "key", value_name = "KEY=VALUE")]
    pub(crate) key: Vec<Setting>,
    /// What else the importer is told; may be given several times
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(crate) settings: Vec<Setting>,
    /// The importer that takes them, if several of the repository do
    #[arg(long, value_name = "PLUGIN.COMPONENT")]
    pub(crate) component: Option<String>,
    /// List what was begun for the repository, and not ended
    #[arg(long, conflicts_with_all = ["files", "forget"])]
    pub(crate) unfinished: bool,
    /// Give up one of these, by its number; may be given several times
    #[arg(long, value_name = "ID", conflicts_with = "files")]
    pub(crate) forget: Vec<i64>,
}

/// What can be done with tokens.
#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Create a token, and print its secret once
    #[command(after_help = "\
Clients show the secret as password, with any user name. It is not stored and
cannot be shown again.

Examples:
  wharf token create ci --upload py
  TWINE_USERNAME=__token__ TWINE_PASSWORD=SECRET \\
      twine upload --repository-url http://127.0.0.1:8080/upload/py/ dist/*
  uv publish --publish-url http://127.0.0.1:8080/upload/py/ \\
      --token SECRET dist/*")]
    Create {
        /// Its name
        name: String,
        /// A repository that may be uploaded to; may be given several times
        #[arg(long, value_name = "REPOSITORY", required = true)]
        upload: Vec<String>,
    },
    /// List tokens
    List,
    /// Delete a token: it is good for nothing from now on
    Delete {
        /// Its name
        name: String,
    },
}
