//! `wharf secret ...`

use clap::Subcommand;

/// What can be done with secrets.
#[derive(Debug, Subcommand)]
pub(crate) enum SecretCommand {
    /// Keep a password or another secret under a name; settings take the name
    #[command(after_help = "\
Asks for the value without showing it; with - the value is what standard input
holds, less one line break at its end. It is never an argument, because others
can read those. It is kept in the system's keyring when the session has one;
else, or with --secrets file, encrypted in the data folder, beside the key: that
helps against a glance and a stray copy of a file, not against whoever may read
the whole data folder. `wharf secret list` tells where each one lies.

Examples:
  wharf secret set school
  pass show school | wharf secret set school -")]
    Set {
        /// Its name: letters, digits, dots, dashes and underscores
        name: String,
        /// Read the value from standard input
        #[arg(value_name = "-", value_parser = ["-"])]
        from: Option<String>,
    },
    /// List secrets, without their values
    List,
    /// Have the plugins of all settings that name a secret check them, with it
    Test {
        /// The secret
        name: String,
    },
    /// Delete a secret for good
    Forget {
        /// The secret
        name: String,
        /// Delete it although settings name it, or its keyring is out of reach and keeps its item
        #[arg(long)]
        force: bool,
    },
}
