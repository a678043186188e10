//! `wharf unit ...`, and how units are named on the command line.

use std::str::FromStr;

use clap::{Args, Subcommand};

use crate::api::{FieldWish, Selection};

/// What can be done with units.
#[derive(Debug, Subcommand)]
pub(crate) enum UnitCommand {
    /// List units of a repository, or of all
    List(UnitList),
    /// Show one unit: key, attributes, files, and which versions hold it
    Show {
        /// Its number, as `wharf unit list` tells it
        id: i64,
    },
    /// Take units out of a repository
    Remove(super::UnitRemove),
}

/// `wharf unit list`
#[derive(Debug, Args)]
#[command(after_help = "\
Without a repository the newest versions of all are searched, and each unit
tells who holds it. FIELD=VALUE is exact, FIELD^=TEXT asks for a beginning;
fields are those of the type's key and of its attributes.

Examples:
  wharf unit list tools --where relative_path^=bin/
  wharf unit list --type deb --where package=openssl     in which repositories?
  wharf unit list debian --version 3 --order package --fields area --limit 20")]
pub(crate) struct UnitList {
    /// The repository [default: all]
    pub(crate) name: Option<String>,
    /// A version of the repository [default: the newest]
    #[arg(long, value_name = "N", requires = "name")]
    pub(crate) version: Option<u64>,
    /// What is looked for.
    #[command(flatten)]
    pub(crate) chosen: Chosen,
    /// Order by this field; with a minus in front the last ones first
    #[arg(long, value_name = "FIELD", allow_hyphen_values = true)]
    pub(crate) order: Option<String>,
    /// At most so many [default: all]
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<u64>,
    /// Fields to show, with commas between [default: those of the key]
    #[arg(long, value_name = "FIELDS", value_delimiter = ',')]
    pub(crate) fields: Vec<String>,
}

/// Which units are meant.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Chosen {
    /// Only units of this type; may be given several times
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) types: Vec<String>,
    /// Only units with this field; may be given several times, then all must hold
    #[arg(long = "where", value_name = "FIELD=VALUE")]
    pub(crate) conditions: Vec<Condition>,
}

impl Chosen {
    /// The same for the API, with further numbers of units.
    pub(crate) fn selection(self, units: Vec<i64>) -> Selection {
        let fields = self.conditions.into_iter().map(|condition| condition.0).collect();
        Selection { types: self.types, fields, units }
    }
}

/// `FIELD=VALUE` or `FIELD^=TEXT`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Condition(pub(crate) FieldWish);

impl FromStr for Condition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = "write it as FIELD=VALUE, or FIELD^=TEXT for all that begin so";
        let (field, value) = text.split_once('=').ok_or(wrong)?;
        let (field, prefix) = match field.strip_suffix('^') {
            Some(field) => (field, Some(value.to_owned())),
            None => (field, None),
        };
        if field.trim().is_empty() {
            return Err(wrong.to_owned());
        }
        let value = prefix.is_none().then(|| value.into());
        Ok(Self(FieldWish { field: field.trim().to_owned(), value, prefix }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_exact_or_ask_for_a_beginning() {
        let read = |text: &str| text.parse::<Condition>().map(|condition| condition.0);
        let wish = |field: &str, value: Option<&str>, prefix: Option<&str>| FieldWish {
            field: field.to_owned(),
            value: value.map(Into::into),
            prefix: prefix.map(str::to_owned),
        };
        assert_eq!(read("a=b=c"), Ok(wish("a", Some("b=c"), None)));
        assert_eq!(read("a="), Ok(wish("a", Some(""), None)));
        assert_eq!(read("a^=b"), Ok(wish("a", None, Some("b"))));
        for wrong in ["", "a", "=b", "^=b"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
