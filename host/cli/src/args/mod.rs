//! What may be written on the command line, and its help.
//!
//! Parsing only: nothing here acts, and nothing below reads the command line again. Help texts
//! are part of the product and have golden tests. clap ends a wrong command line with status 2.

mod author;
mod build;
mod callback;
mod client_config;
mod edit;
mod folder;
mod help;
mod instance;
mod job;
mod key;
mod kitovu;
mod plugin;
mod repo;
mod schedule;
mod secret;
mod settings;
mod store;
mod unit;
mod unit_type;
mod upload;
mod work;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use author::{Dev, PluginNew, PluginVerify, Testbed};
pub(crate) use build::{Build, ImageCommand, ImageImport, ImagePush, ImageSave, ImageUnpublish};
pub(crate) use callback::Callbacks;
pub(crate) use client_config::ClientConfig;
pub(crate) use edit::{Copy, RepoLabel, RepoRollback, RepoSet, UnitRemove};
pub(crate) use folder::{FolderCommand, FolderResolve, Take};
pub(crate) use help::Help;
pub(crate) use instance::{InstanceCommand, InstanceCreate};
pub(crate) use job::{JobCommand, JobList};
pub(crate) use key::{KeyCommand, KeyCreate, KeyKind};
pub(crate) use kitovu::{KitovuCommand, KitovuImport};
pub(crate) use plugin::{Cookie, Migrate, PluginCommand, Probe};
pub(crate) use repo::{RepoCommand, RepoDiff, RepoHistory};
pub(crate) use schedule::{ScheduleCommand, ScheduleCreate, Work};
pub(crate) use secret::SecretCommand;
pub(crate) use settings::Setting;
pub(crate) use store::{Gc, Span, Verify};
pub(crate) use unit::{UnitCommand, UnitList};
pub(crate) use unit_type::{TypeCheck, TypeCommand};
pub(crate) use upload::{TokenCommand, Upload};
pub(crate) use work::{
    Attach, Demo, Detach, Mirror, MirrorDeb, MirrorFile, MirrorPypi, Publish, Serve, Sync, Waiting,
};

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "wharf",
    version,
    about = "Mirror, version and publish content through plugins",
    after_help = EXIT_CODES,
    max_term_width = 100,
    disable_help_flag = true,
    disable_help_subcommand = true
)]
pub(crate) struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub(crate) global: Global,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "\
A repository holds content in numbered versions. An importer brings content
in, a distributor gives it out; both are plugins, each a process of its own.
Commands talk to the server of the data folder; when none runs, a command runs
one inside itself for as long as it needs.

Examples:
  wharf demo                          try it on the folder you are in
  wharf mirror file tools --from https://example.org/tools/PULP_MANIFEST
  wharf serve                         serve what is published

Exit status:
  0  done, warnings included        3    finished, but not with all items
  1  failed                         4    a plugin or wharf itself broke
  2  wrong usage or settings        130  cancelled";

/// Where the options of every command stand in the help.
const GLOBAL: &str = "Global options";

/// Options of every command.
#[derive(Debug, Clone, Args)]
pub(crate) struct Global {
    /// Keep all state below this folder [default: wharf in the XDG data folder]
    #[arg(
        long,
        value_name = "DIR",
        global = true,
        env = "WHARF_DATA",
        hide_env_values = true,
        help_heading = GLOBAL
    )]
    pub(crate) data: Option<PathBuf>,
    /// Keep the sockets of plugins below this folder [default: one of the system, else below DATA]
    #[arg(
        long,
        value_name = "DIR",
        global = true,
        env = "WHARF_RUNTIME_DIR",
        hide_env_values = true,
        hide_short_help = true,
        help_heading = GLOBAL
    )]
    pub(crate) runtime_dir: Option<PathBuf>,
    /// Where secrets are kept: auto is the session's keyring, if there is one, else the data folder
    #[arg(
        long,
        value_name = "PLACE",
        global = true,
        value_enum,
        env = "WHARF_SECRETS",
        hide_env_values = true,
        default_value_t,
        hide_default_value = true,
        hide_short_help = true,
        help_heading = GLOBAL
    )]
    pub(crate) secrets: SecretsIn,
    /// Print for people, or one JSON object as the last line
    #[arg(
        long,
        value_name = "FORMAT",
        global = true,
        value_enum,
        default_value_t,
        hide_default_value = true,
        help_heading = GLOBAL
    )]
    pub(crate) output: Format,
    /// Print no summary and no progress; errors are still told
    #[arg(long, short, global = true, help_heading = GLOBAL)]
    pub(crate) quiet: bool,
    /// Tell more on standard error; twice: much more
    #[arg(long, short, global = true, action = clap::ArgAction::Count, help_heading = GLOBAL)]
    pub(crate) verbose: u8,
    /// Print help
    #[arg(
        long,
        short,
        global = true,
        action = clap::ArgAction::HelpShort,
        help_heading = GLOBAL
    )]
    help: Option<bool>,
}

/// Where secrets are kept by a server that this command starts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum SecretsIn {
    // No doc comments here, as above.
    #[default]
    Auto,
    Keyring,
    File,
}

/// How results are written to standard output.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    // No doc comments here: clap would turn them into a list of its own.
    #[default]
    Text,
    Json,
}

/// The commands: everyday verbs first, then nouns with verbs of their own.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the whole way of content on a folder or a URL, then clean up
    Demo(Demo),
    /// Bring content in and publish it, in one go
    #[command(subcommand)]
    Mirror(Mirror),
    /// Bring the content of a repository up to date from its source
    Sync(Sync),
    /// Publish a repository through its distributors
    Publish(Publish),
    /// Build images from a template
    Build(Build),
    /// Bring files of your own into a repository
    Upload(Upload),
    /// Copy units from one repository into another
    Copy(Copy),
    /// Serve published content and take commands until stopped
    Serve(Serve),
    /// Show whether a server runs, and what it does
    Status,
    /// Print what clients need to use what a repository publishes
    ClientConfig(ClientConfig),
    /// Bind an importer or distributor to a repository
    Attach(Attach),
    /// Remove an importer or distributor from a repository
    Detach(Detach),
    /// Read stored bytes again and hold them against their digests
    Verify(Verify),
    /// Free what nobody needs any more: old versions, units, bytes
    Gc(Gc),
    /// Create, list, compare, change and delete repositories
    #[command(aliases = ["repos", "repository", "repositories"])]
    Repo {
        /// What to do; without it: list.
        #[command(subcommand)]
        command: Option<RepoCommand>,
    },
    /// List, show, save, import and push images
    #[command(alias = "images")]
    Image {
        /// What to do; without it: list.
        #[command(subcommand)]
        command: Option<ImageCommand>,
    },
    /// List what images can be built for, and by which components
    #[command(alias = "target")]
    Targets,
    /// List, show and remove units
    #[command(alias = "units")]
    Unit {
        /// What to do.
        #[command(subcommand)]
        command: UnitCommand,
    },
    /// Have the server sync and publish by itself, again and again
    #[command(alias = "schedules")]
    Schedule {
        /// What to do; without it: list.
        #[command(subcommand)]
        command: Option<ScheduleCommand>,
    },
    /// List, follow and cancel jobs
    #[command(alias = "jobs")]
    Job {
        /// What to do; without it: list.
        #[command(subcommand)]
        command: Option<JobCommand>,
    },
    /// Create, list and show keys that publications are signed with
    #[command(alias = "keys")]
    Key {
        /// What to do; without it: list.
        #[command(subcommand)]
        command: Option<KeyCommand>,
    },
    /// Create, list, change and check instances: components with settings of their own
    #[command(alias = "instances")]
    Instance {
        /// What to do; without it: list.
        #[command(subcommand)]
        command: Option<InstanceCommand>,
    },
    /// Set, list, test and forget secrets that settings refer to
    #[command(alias = "secrets")]
    Secret {
        /// What to do; without it: list.
        #[command(subcommand)]
        command: Option<SecretCommand>,
    },
    /// Create, list and delete tokens for uploads from outside
    #[command(alias = "tokens")]
    Token {
        /// What to do; without it: list.
        #[command(subcommand)]
        command: Option<TokenCommand>,
    },
    /// List what is installed, look at a plugin, migrate its data
    #[command(alias = "plugins")]
    Plugin {
        /// What to do; without it: list.
        #[command(subcommand)]
        command: Option<PluginCommand>,
    },
    /// List and show types of units, check files that define some
    #[command(alias = "types")]
    Type {
        /// What to do; without it: list.
        #[command(subcommand)]
        command: Option<TypeCommand>,
    },
    /// Decide about files that were changed in a folder and upstream
    Folder {
        /// What to do.
        #[command(subcommand)]
        command: FolderCommand,
    },
    /// Take over a configuration of kitovu
    Kitovu {
        /// What to do.
        #[command(subcommand)]
        command: KitovuCommand,
    },
    /// Print the OpenAPI document of the API
    #[command(hide = true)]
    Openapi,
    /// Print the help of a command
    Help(Help),
}

#[cfg(test)]
mod tests;
