//! `wharf plugin ...`

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::author::{Dev, PluginNew, PluginVerify, Testbed};
use super::work::Waiting;

/// What can be done with plugins.
#[derive(Debug, Subcommand)]
pub(crate) enum PluginCommand {
    /// List plugins with their components, state and version, and why one is not ready
    List,
    /// Show where a plugin came from, what starts it, and what it builds and why
    Show {
        /// The plugin, as `wharf plugin list` names it
        name: String,
    },
    /// Forget a plugin's failures, so that it is started again at once
    Reset {
        /// The plugin, as `wharf plugin list` names it
        name: String,
    },
    /// Bring stored data up to what a newer version of a plugin needs
    Migrate(Migrate),
    /// Start any go-plugin plugin, show what it answers, and stop it
    Probe(Probe),
    /// Write a fresh plugin that builds and passes its own test
    New(PluginNew),
    /// Try a plugin of wharf's against all that a host relies on
    Verify(PluginVerify),
    /// Serve an upstream that misbehaves, to try a plugin against
    Testbed(Testbed),
    /// Run a plugin from its source folder with a server, and reload it when it changes
    Dev(Dev),
}

/// `wharf plugin migrate`
#[derive(Debug, Args)]
#[command(after_help = "\
A plugin whose data are behind is not ready: `wharf plugin list` says so. Its
migrations run in order, each whole or not at all. After a failure or a cancel
the same command goes on with the one that was not done. Meanwhile no sync and
no publish touches units of the plugin. Versions hold what they held; what is
published is served as it was until it is published again.

A dry run tries the next migration and tells what it would change; those after
it would meet other data, so they are only named by `wharf plugin list`. Its
exit status is 0 whether there is something to do or not.

Examples:
  wharf plugin migrate deb --dry-run
  wharf plugin migrate deb")]
pub(crate) struct Migrate {
    /// The plugin, as `wharf plugin list` names it
    pub(crate) name: String,
    /// Tell what the next migration would change and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Whether to stay.
    #[command(flatten)]
    pub(crate) waiting: Waiting,
}

/// `wharf plugin probe`
#[derive(Debug, Args)]
#[command(after_help = "\
Works for plugins of any application that speak gRPC, in any language. It needs
no server and no data folder. The plugin sees the environment of this shell, but
has a TMPDIR of its own, and any address that it names is dialled: probe only
what you would run.

Without --cookie it is wharf's own. Without --protocol the versions of its
plugin.json are offered, when one lies beside it, else 0 to 99. A plugin that
offers no TLS or no multiplexing is started again without, and that is told.

Examples:
  wharf plugin probe target/release/wharf-plugin-file
  wharf plugin probe ./their-plugin --cookie THEIR_COOKIE=value --protocol 5
  wharf plugin probe --cookie KV_PLUGIN=hello python3 -- plugin.py --verbose")]
pub(crate) struct Probe {
    /// The program, or the folder of a plugin with its plugin.json
    #[arg(value_name = "PATH")]
    pub(crate) path: PathBuf,
    /// Arguments of the program
    #[arg(last = true, value_name = "ARGUMENT")]
    pub(crate) arguments: Vec<OsString>,
    /// The magic cookie of the plugin's application
    #[arg(long, value_name = "KEY=VALUE", value_parser = cookie)]
    pub(crate) cookie: Option<Cookie>,
    /// Offer this application protocol version; may be given several times
    #[arg(long = "protocol", value_name = "N")]
    pub(crate) protocols: Vec<u32>,
    /// How long a start may take, such as 500ms or 2m
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration)]
    pub(crate) timeout: Duration,
    /// Do not ask for mutual TLS
    #[arg(long)]
    pub(crate) no_tls: bool,
    /// Ask for one socket for all connections
    #[arg(long)]
    pub(crate) multiplex: bool,
}

/// A variable by which a plugin knows that its host started it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cookie {
    /// The variable.
    pub(crate) key: String,
    /// Its value; no secret, and yet never printed.
    pub(crate) value: String,
}

fn cookie(text: &str) -> Result<Cookie, String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() && !value.is_empty() => {
            Ok(Cookie { key: key.to_owned(), value: value.to_owned() })
        }
        _ => Err("write it as KEY=VALUE, as the plugin's application sets it".to_owned()),
    }
}

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "write a time with its unit, such as 500ms, 10s or 2m".to_owned();
    let span: jiff::SignedDuration = text.parse().map_err(|_not_a_time| wrong())?;
    Duration::try_from(span).ok().filter(|time| !time.is_zero()).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_split_at_the_first_equals_sign() {
        let got = cookie("A=b=c").unwrap();
        assert_eq!((got.key.as_str(), got.value.as_str()), ("A", "b=c"));
        for wrong in ["A", "=b", "A="] {
            assert!(cookie(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_time_needs_a_unit_and_is_longer_than_nothing() {
        for (text, milliseconds) in [("500ms", 500), ("10s", 10_000), ("2m", 120_000)] {
            assert_eq!(duration(text), Ok(Duration::from_millis(milliseconds)));
        }
        for wrong in ["10", "0s", "-1s", "soon"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
