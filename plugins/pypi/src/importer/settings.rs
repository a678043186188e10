//! The importer's settings, checked and brought into one form.

use std::str::FromStr as _;

use pep440_rs::Version;
use serde::{Deserialize, Serialize};
use url::Url;
use wharf_sdk::{Attachment, Checked, Error};

use crate::filename::Kind;
use crate::filter::{Filter, Wish};
use crate::takes::Takes;

/// As the user wrote them.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Settings {
    /// Without one, files can only be uploaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) url: Option<String>,
    /// For the host alone, which trusts the hosts that settings name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    files_url: Option<String>,
    #[serde(default)]
    includes: Vec<String>,
    #[serde(default)]
    excludes: Vec<String>,
    #[serde(default = "kinds")]
    package_types: Vec<Kind>,
    #[serde(default = "yes")]
    prereleases: bool,
    #[serde(default)]
    keep_latest: usize,
    #[serde(default)]
    python: String,
    #[serde(default)]
    platforms: Vec<String>,
    #[serde(default = "yes")]
    yanked: bool,
}

fn kinds() -> Vec<Kind> {
    vec![Kind::Wheel, Kind::Sdist]
}

fn yes() -> bool {
    true
}

/// A field, and what is wrong with it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) field: String,
    pub(super) message: String,
}

/// Settings that can be worked with.
#[derive(Debug)]
pub(super) struct Plan {
    /// The list of projects; ends in `/`.
    pub(super) base: Url,
    pub(super) filter: Filter,
    pub(super) takes: Takes,
}

impl Plan {
    pub(super) fn of(attachment: &Attachment) -> Result<Self, Error> {
        let settings: Settings = attachment.settings()?;
        if settings.url.is_none() {
            let message = "no source is set: files can be uploaded, but there is nothing to sync";
            return Err(Error::usage("config.no_source", message).at_field("/url"));
        }
        settings.plan().map_err(|mut problems| match problems.pop() {
            Some(Problem { field, message }) => {
                Error::usage(code(&field), message).at_field(&field)
            }
            None => Error::fault("internal.settings", "settings are refused without a reason"),
        })
    }

    /// Where the page of a project, by its normalised name, lies.
    pub(super) fn page(&self, name: &str) -> String {
        // A normalised name needs no escaping, and joining it could not fail but for that.
        format!("{}{name}/", self.base)
    }
}

impl Settings {
    /// The settings in the form in which they are kept, or what is wrong with them.
    pub(super) fn check(mut self) -> Result<Checked, Error> {
        match self.plan() {
            Ok(plan) => {
                self.url = self.url.map(|_typed| plan.base.into());
                Checked::good().normalised(&self)
            }
            Err(problems) => Ok(problems.into_iter().fold(Checked::good(), |checked, problem| {
                checked.error(&problem.field, &code(&problem.field), problem.message)
            })),
        }
    }

    fn plan(&self) -> Result<Plan, Vec<Problem>> {
        let mut problems = Vec::new();
        // One that nobody asks: what is not set is not synced.
        let base = address(self.url.as_deref().unwrap_or("https://unset.invalid/"))
            .map_err(|message| problems.push(Problem { field: "/url".to_owned(), message }))
            .ok();
        if let Some(Err(message)) = self.files_url.as_deref().map(address) {
            problems.push(Problem { field: "/files_url".to_owned(), message });
        }
        let includes = wishes("/includes", &self.includes, &mut problems);
        let excludes = wishes("/excludes", &self.excludes, &mut problems);
        let python = (!self.python.is_empty()).then(|| Version::from_str(&self.python));
        if let Some(Err(error)) = &python {
            let message = format!("{:?} is no version of Python: {error}", self.python);
            problems.push(Problem { field: "/python".to_owned(), message });
        }
        let takes = Takes {
            python: python.and_then(Result::ok),
            platforms: self.platforms.clone(),
            without_yanked: !self.yanked,
        };
        match base {
            Some(base) if problems.is_empty() => {
                let filter = Filter::new(includes, excludes, self.package_types.clone())
                    .prereleases(self.prereleases)
                    .keep_latest(self.keep_latest);
                Ok(Plan { base, filter, takes })
            }
            _ => Err(problems),
        }
    }
}

/// `config.` and the field's first name.
fn code(field: &str) -> String {
    format!("config.{}", field.split('/').nth(1).unwrap_or("settings"))
}

fn wishes(field: &str, texts: &[String], problems: &mut Vec<Problem>) -> Vec<Wish> {
    let mut wishes = Vec::with_capacity(texts.len());
    for (place, text) in texts.iter().enumerate() {
        match Wish::read(text) {
            Ok(wish) => wishes.push(wish),
            Err(error) => {
                let field = format!("{field}/{place}");
                problems.push(Problem { field, message: error.to_string() });
            }
        }
    }
    wishes
}

fn address(text: &str) -> Result<Url, String> {
    let text = text.trim();
    let mut url = Url::parse(text).map_err(|error| {
        format!("{text:?} is not an address ({error}); write it as https://HOST/simple/")
    })?;
    if !url.username().is_empty() || url.password().is_some() {
        let message = "the address carries a user name or password; take them out: addresses are stored and shown";
        return Err(message.to_owned());
    }
    if !matches!(url.scheme(), "http" | "https") || url.query().is_some() {
        return Err("an index is read by https or http, and its address has no query".to_owned());
    }
    url.set_fragment(None);
    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_brought_into_one_form() {
        let good = |text| address(text).map(String::from);
        assert_eq!(
            good(" HTTPS://X.example:443/simple#x "),
            Ok("https://x.example/simple/".to_owned())
        );
        assert_eq!(good("http://x.example"), Ok("http://x.example/".to_owned()));
        for bad in ["", "x", "ftp://x/", "file:///simple/", "https://x/?a", "https://u:secret@x/"] {
            let message = address(bad).unwrap_err();
            assert!(!message.contains("secret"), "{message}");
        }
    }
}
