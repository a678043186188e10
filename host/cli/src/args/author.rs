//! `wharf plugin ...` for those who write plugins.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use wharf_conformance::{Given, Level};
use wharf_supervisor::Reattach;

use super::plugin::duration;

/// `wharf plugin new`
#[derive(Debug, Args)]
#[command(after_help = "\
The fresh plugin does something small and whole: an importer makes a unit of
every line of a list, a distributor publishes files with an index, a builder
fills a template, an action counts units. The commands that build and test it
are printed; nothing is run.

Examples:
  wharf plugin new words --lang python --role importer
  wharf plugin new words --lang rust --role distributor --folder ~/src/words")]
pub(crate) struct PluginNew {
    /// The plugin's name: small letters, digits, dashes
    pub(crate) name: String,
    /// The language it is written in
    #[arg(long, value_enum)]
    pub(crate) lang: Language,
    /// What its component does
    #[arg(long, value_enum)]
    pub(crate) role: Role,
    /// Where to make it; default: a folder of the plugin's name, here
    #[arg(long, value_name = "FOLDER")]
    pub(crate) folder: Option<PathBuf>,
    /// The folder of the SDKs; default: that of the checkout this program was built in
    #[arg(long, value_name = "FOLDER")]
    pub(crate) sdk: Option<PathBuf>,
}

/// A language with an SDK.
#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "lowercase")]
pub(crate) enum Language {
    Rust,
    Python,
    Go,
    TypeScript,
}

impl Language {
    /// What its SDK's folder is called.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Python => "python",
            Self::Go => "go",
            Self::TypeScript => "typescript",
        }
    }
}

/// What a fresh component is to be.
#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "lowercase")]
pub(crate) enum Role {
    Importer,
    Distributor,
    Builder,
    Action,
}

impl Role {
    /// The role, as manifests call it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Importer => "importer",
            Self::Distributor => "distributor",
            Self::Builder => "builder",
            Self::Action => "action",
        }
    }
}

/// `wharf plugin verify`
#[derive(Debug, Args)]
#[command(after_help = "\
The plugin may be written in any language: only its executable is started, and
asked what a host asks. It needs no server and no data folder, and nothing is
fetched from a network. What calls are given stands in verify.json beside
plugin.json, or is said by --set; what they lack is skipped, and told how to give.

Levels: speaks (it starts, says who it is, stops), behaves (its calls keep the
contract), robust (so they do when something else goes wrong). Each holds those
before it. Exit status 0: the level is reached; 1: it is not.

Examples:
  wharf plugin verify .
  wharf plugin verify . --level speaks
  wharf plugin verify . --set importer.url=http://upstream.test/list.txt
  wharf plugin verify . --only cancel.waiting
  wharf plugin verify . --junit report.xml")]
pub(crate) struct PluginVerify {
    /// The plugin's folder with its plugin.json, or its executable beside one
    #[arg(value_name = "PATH", required_unless_present = "list")]
    pub(crate) path: Option<PathBuf>,
    /// What must hold: speaks, behaves or robust
    #[arg(long, default_value = "robust")]
    pub(crate) level: Level,
    /// Only this case; may be given several times
    #[arg(long = "only", value_name = "CASE")]
    pub(crate) only: Vec<String>,
    /// A setting for a component's calls; may be given several times
    #[arg(long = "set", value_name = "COMPONENT.KEY=VALUE")]
    pub(crate) set: Vec<Given>,
    /// Write the report as JUnit's XML too
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
    /// How long a start may take, such as 500ms or 2m
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    pub(crate) timeout: Duration,
    /// List all cases and start nothing
    #[arg(long)]
    pub(crate) list: bool,
}

/// `wharf plugin testbed`
#[derive(Debug, Args)]
#[command(after_help = "\
The first word of a path says what goes wrong: /truncate/data.bin, /busy/3/list.txt.
The page / tells them all, and which files there are. Ctrl-C ends it.

Examples:
  wharf plugin testbed
  wharf plugin testbed --listen 127.0.0.1:8099 --folder tests/data
  curl http://127.0.0.1:8099/")]
pub(crate) struct Testbed {
    /// Where to listen; port 0: any that is free
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,
    /// Serve the files of this folder instead of made-up ones
    #[arg(long, value_name = "DIR")]
    pub(crate) folder: Option<PathBuf>,
}

/// `wharf plugin dev`
#[derive(Debug, Args)]
#[command(after_help = "\
A server, as `wharf serve` is one, that finds the plugin of this folder before all
others. When a file of it changes, the next job uses a new process; when its
plugin.json or its types change, the server is started anew. Jobs that run go on
with what they began with, or are taken up again. A compiled plugin is built by
you: its executable is watched too.

With --reattach the plugin is not started: it runs already, under a debugger, and
printed the description. Without TLS, so its socket must lie in a folder of yours
with mode 700; jobs show it as unencrypted (dev).

Examples:
  wharf plugin dev .
  wharf plugin dev . --reattach '{\"Protocol\":\"grpc\",\"ProtocolVersion\":1,\"Pid\":123,...}'")]
pub(crate) struct Dev {
    /// The plugin's folder with its plugin.json
    #[arg(value_name = "PATH")]
    pub(crate) path: PathBuf,
    /// Where to serve published content
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,
    /// Use the process that printed this description
    #[arg(long, value_name = "JSON", value_parser = reattach)]
    pub(crate) reattach: Option<Reattach>,
}

fn reattach(text: &str) -> Result<Reattach, String> {
    serde_json::from_str(text).map_err(|error| {
        format!("{error}; it is the JSON object that the plugin printed when it was started for debugging")
    })
}
