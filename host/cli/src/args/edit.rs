//! `wharf copy`, `wharf unit remove`, and what `wharf repo` changes.

use std::str::FromStr;

use clap::Args;

use super::unit::Chosen;
use super::work::Waiting;

/// `wharf copy`
#[derive(Debug, Args)]
#[command(after_help = "\
Units are shared: nothing is fetched or stored twice. A copied unit takes the
place of the one that stands where it belongs; copying again changes nothing.
Without --type and --where everything is copied.

Examples:
  wharf copy debian test
  wharf copy debian prod --version 7 --where package=openssl --with-dependencies
  wharf copy debian prod --type deb --where component=main --dry-run")]
pub(crate) struct Copy {
    /// The repository to copy from
    pub(crate) from: String,
    /// The repository to copy into
    pub(crate) to: String,
    /// A version of the first one [default: the newest]
    #[arg(long, value_name = "N")]
    pub(crate) version: Option<u64>,
    /// Which units.
    #[command(flatten)]
    pub(crate) chosen: Chosen,
    /// Copy too what they depend on, as the plugin says
    #[arg(long)]
    pub(crate) with_dependencies: bool,
    /// Tell what would change and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Whether to stay.
    #[command(flatten)]
    pub(crate) waiting: Waiting,
}

/// `wharf unit remove`
#[derive(Debug, Args)]
#[command(after_help = "\
Makes a version without them; earlier versions keep them. A mirror brings back
what its source still has.

Examples:
  wharf unit remove tools --where relative_path^=old/ --dry-run
  wharf unit remove debian 4711 4712")]
pub(crate) struct UnitRemove {
    /// The repository
    pub(crate) name: String,
    /// Numbers of units, as `wharf unit list` tells them
    pub(crate) units: Vec<i64>,
    /// Which units.
    #[command(flatten)]
    pub(crate) chosen: Chosen,
    /// Tell what would change and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Whether to stay.
    #[command(flatten)]
    pub(crate) waiting: Waiting,
}

/// `wharf repo rollback`
#[derive(Debug, Args)]
#[command(after_help = "\
Makes a new version that holds what version N held. Publish it to show it to
clients; what they read first is dated anew, so that they take it as newer.

Examples:
  wharf repo rollback tools --to 3 && wharf publish tools")]
pub(crate) struct RepoRollback {
    /// The repository
    pub(crate) name: String,
    /// The version to go back to
    #[arg(long, value_name = "N")]
    pub(crate) to: u64,
    /// Whether to stay.
    #[command(flatten)]
    pub(crate) waiting: Waiting,
}

/// `wharf repo label`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wharf repo label tools stage=test team=web
  wharf repo label tools team-                     take one away
  wharf repo list --label stage=test")]
pub(crate) struct RepoLabel {
    /// The repository
    pub(crate) name: String,
    /// NAME=VALUE to set a label, NAME- to take it away
    #[arg(required = true, value_name = "LABEL")]
    pub(crate) labels: Vec<Label>,
}

/// `NAME=VALUE`, or `NAME-`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Label {
    /// Its name.
    pub(crate) name: String,
    /// None: take it away.
    pub(crate) value: Option<String>,
}

impl FromStr for Label {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match (text.split_once('='), text.strip_suffix('-')) {
            (Some((name, value)), _) if !name.is_empty() => {
                Ok(Self { name: name.to_owned(), value: Some(value.to_owned()) })
            }
            (None, Some(name)) if !name.is_empty() => {
                Ok(Self { name: name.to_owned(), value: None })
            }
            _ => Err("write it as NAME=VALUE, or NAME- to take it away".to_owned()),
        }
    }
}

/// `wharf repo set`
#[derive(Debug, Args)]
#[command(after_help = "\
Versions that are published, or were until a while ago, are kept in any case.

Examples:
  wharf repo set tools --retain 5
  wharf repo set tools --retain 0        keep all")]
pub(crate) struct RepoSet {
    /// The repository
    pub(crate) name: String,
    /// Keep so many of the newest versions, from now on; 0 keeps all
    #[arg(long, value_name = "N")]
    pub(crate) retain: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_set_or_taken_away() {
        let label = |name: &str, value: Option<&str>| {
            Ok(Label { name: name.to_owned(), value: value.map(str::to_owned) })
        };
        assert_eq!("a=b-".parse(), label("a", Some("b-")));
        assert_eq!("a=".parse(), label("a", Some("")));
        assert_eq!("a-".parse(), label("a", None));
        for wrong in ["", "-", "=b", "a"] {
            assert!(wrong.parse::<Label>().is_err(), "{wrong}");
        }
    }
}
