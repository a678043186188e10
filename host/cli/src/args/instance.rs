//! `wharf instance ...`

use clap::{Args, Subcommand};

use super::Setting;

/// What can be done with instances.
#[derive(Debug, Subcommand)]
pub(crate) enum InstanceCommand {
    /// Create an instance: a component with settings of its own
    Create(InstanceCreate),
    /// List instances
    List,
    /// Show an instance
    Show {
        /// The instance
        name: String,
    },
    /// Change settings of an instance
    #[command(after_help = "\
Repositories that the instance is attached to have the new settings with their
next run.

Examples:
  wharf instance set school --set hostname=files.example.org
  wharf instance set school --unset port")]
    Set {
        /// The instance
        name: String,
        /// A setting; may be given several times
        #[arg(long = "set", value_name = "KEY=VALUE")]
        settings: Vec<Setting>,
        /// Take a setting away; may be given several times
        #[arg(long, value_name = "KEY")]
        unset: Vec<String>,
    },
    /// Have the plugin check the settings as they are stored
    Check {
        /// The instance
        name: String,
    },
    /// Remove an instance that is attached to no repository
    Remove {
        /// The instance
        name: String,
    },
}

/// `wharf instance create`
#[derive(Debug, Args)]
#[command(after_help = "\
The plugin checks the settings first. A password or another secret is kept by
`wharf secret set`; settings take its name.

Examples:
  wharf secret set school
  wharf instance create school smb.importer --set hostname=files.example.org \\
      --set username=me --set password=school
  wharf attach maths smb.importer@school --set remote_dir=Maths")]
pub(crate) struct InstanceCreate {
    /// Its name: letters, digits, dots, dashes and underscores
    pub(crate) name: String,
    /// Of which component
    #[arg(value_name = "PLUGIN.COMPONENT")]
    pub(crate) component: String,
    /// A setting; may be given several times
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub(crate) settings: Vec<Setting>,
}
