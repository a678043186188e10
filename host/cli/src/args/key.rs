//! `wharf key ...`

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// What can be done with keys.
#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Create a key to sign publications with
    Create(KeyCreate),
    /// List keys
    List,
    /// Show a key, or print its public part
    #[command(after_help = "\
Examples:
  wharf key show main
  wharf key show main --armor > main.asc      what clients must trust")]
    Show {
        /// The key
        name: String,
        /// Print the public key only, armored
        #[arg(long)]
        armor: bool,
    },
    /// Take over a secret key that was made elsewhere
    #[command(after_help = "\
The file holds one armored secret key without a passphrase, as
`gpg --armor --export-secret-keys KEY` writes it.

Examples:
  wharf key import main secret.asc")]
    Import {
        /// Its name on this host
        name: String,
        /// The file
        file: PathBuf,
    },
    /// Delete a key for good
    Delete {
        /// The key
        name: String,
        /// Delete it although publications are signed with it; they fail from then on
        #[arg(long)]
        force: bool,
    },
}

/// `wharf key create`
#[derive(Debug, Args)]
#[command(after_help = "\
The key is kept in the data folder, for this host alone; no command prints its
secret part.

Examples:
  wharf key create main
  wharf key create main --user-id 'Example packages <apt@example.org>'
  wharf attach tools deb.distributor --set signing_key=main")]
pub(crate) struct KeyCreate {
    /// Its name: letters, digits, dots, dashes and underscores
    pub(crate) name: String,
    /// Whose it is, for those who look at it [default: its name]
    #[arg(long, value_name = "TEXT")]
    pub(crate) user_id: Option<String>,
    /// What it computes with
    #[arg(long, value_name = "NAME", value_enum, default_value_t)]
    pub(crate) algorithm: KeyKind,
}

/// What a key computes with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum KeyKind {
    // No doc comments here: clap would turn them into a list of its own.
    #[default]
    Ed25519,
    Rsa4096,
}
