//! How a repository is published, as the user says it.

use serde::{Deserialize, Serialize};
use wharf_sdk::{Attachment, Error};

use crate::unpack::Compression;

/// As stored.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct Settings {
    pub(super) origin: String,
    pub(super) label: String,
    compressions: Vec<Word>,
    pub(super) xz_preset: u32,
    /// What upstream made is published as it is.
    pub(super) verbatim: bool,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Word {
    None,
    Gz,
    Xz,
    Zst,
}

impl Default for Settings {
    fn default() -> Self {
        let compressions = vec![Word::None, Word::Gz, Word::Xz];
        let (origin, label) = (String::new(), String::new());
        Self { origin, label, compressions, xz_preset: 2, verbatim: false }
    }
}

impl Settings {
    pub(super) fn read(attachment: &Attachment) -> Result<Self, Error> {
        let settings: Self = attachment.settings()?;
        match settings.problem() {
            None => Ok(settings),
            Some((field, why)) => Err(Error::usage("config.deb", why).at_field(field)),
        }
    }

    /// The field at fault, and why.
    pub(super) fn problem(&self) -> Option<(&'static str, String)> {
        for (field, text) in [("/origin", &self.origin), ("/label", &self.label)] {
            if text.chars().any(char::is_control) {
                return Some((field, "it must be one line".to_owned()));
            }
        }
        if self.verbatim && !(self.origin.is_empty() && self.label.is_empty()) {
            let why = "a verbatim publication changes nothing: leave out origin and label";
            return Some(("/verbatim", why.to_owned()));
        }
        if self.xz_preset > 9 {
            return Some(("/xz_preset", "it goes from 0 to 9".to_owned()));
        }
        let none = self.compressions.is_empty();
        none.then(|| ("/compressions", "name one of none, gz, xz and zst at least".to_owned()))
    }

    /// Whether an index is published as it is. It is listed in any case: without its digest apt looks for none of the
    /// others.
    pub(super) fn plain(&self) -> bool {
        self.compressions.contains(&Word::None)
    }

    pub(super) fn packed(&self) -> Vec<Compression> {
        let packed = [
            (Word::Gz, Compression::Gz),
            (Word::Xz, Compression::Xz),
            (Word::Zst, Compression::Zst),
        ];
        packed
            .into_iter()
            .filter(|(word, _)| self.compressions.contains(word))
            .map(|(_, it)| it)
            .collect()
    }
}
