//! What is mirrored, as the user says it.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use url::Url;
use wharf_openpgp::Keyring;
use wharf_sdk::{Attachment, Check, Error};

use crate::names;

/// As stored.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own that users set")]
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(default)]
pub(super) struct Settings {
    /// Empty: packages can only be uploaded.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) url: String,
    pub(super) suites: Vec<String>,
    pub(super) flat: bool,
    pub(super) components: Vec<String>,
    pub(super) architectures: Vec<String>,
    pub(super) sources: bool,
    pub(super) translations: Vec<String>,
    /// Armored keys, and binary keyrings in base64.
    pub(super) signed_by: Vec<String>,
    pub(super) fingerprints: Vec<String>,
    pub(super) contents: bool,
    pub(super) installer: bool,
    pub(super) verbatim: bool,
    pub(super) duplicates: Duplicates,
}

/// What becomes of two packages with one version and different bytes in one component.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Duplicates {
    #[default]
    First,
    Fail,
}

/// What is wrong with a setting.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) field: String,
    pub(super) why: String,
}

impl Refusal {
    fn new(field: &str, why: impl Into<String>) -> Self {
        Self { field: field.to_owned(), why: why.into() }
    }
}

/// One distribution of the repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Suite {
    /// The name under which it is stored and published.
    pub(super) distribution: String,
    /// The folder of its `Release` below the repository, ending in `/`; may be empty.
    pub(super) folder: String,
    /// Whether packages are listed in that very folder.
    pub(super) flat: bool,
}

impl Settings {
    pub(super) fn of(attachment: &Attachment) -> Result<Self, Error> {
        attachment.settings::<Self>()?.normalised().map_err(|refusals| {
            let refusal = refusals.into_iter().next();
            let refusal = refusal.unwrap_or_else(|| Refusal::new("/url", "it cannot be read"));
            Error::usage("config.deb", refusal.why).at_field(refusal.field)
        })
    }

    pub(super) fn checked(check: &Check) -> Result<Result<Self, Vec<Refusal>>, Error> {
        Ok(check.values::<Self>()?.normalised())
    }

    /// The settings in the one form in which they are stored, or all that is wrong with them.
    fn normalised(mut self) -> Result<Self, Vec<Refusal>> {
        let mut refusals = Vec::new();
        match address(&self.url) {
            _ if self.url.is_empty() => {}
            Ok(url) => self.url = url,
            Err(why) => refusals.push(Refusal::new("/url", why)),
        }
        if self.flat && self.suites.is_empty() {
            self.suites.push("./".to_owned());
        }
        if self.suites.is_empty() && !self.url.is_empty() {
            let why = "name the distributions to mirror, as in suites=bookworm, or set flat=true";
            refusals.push(Refusal::new("/suites", why));
        }
        let mut seen = Vec::new();
        for (number, suite) in self.suites.iter().enumerate() {
            match Suite::read(suite, self.flat) {
                Ok(suite) if !seen.contains(&suite) => seen.push(suite),
                Ok(_) => {
                    refusals.push(Refusal::new(&format!("/suites/{number}"), "it is named twice"));
                }
                Err(why) => refusals.push(Refusal::new(&format!("/suites/{number}"), why)),
            }
        }
        for (field, words) in [
            ("components", &self.components),
            ("architectures", &self.architectures),
            ("translations", &self.translations),
        ] {
            let fits = |word: &str| {
                if field == "components" { names::is_area(word) } else { names::is_segment(word) }
            };
            let bad = words.iter().position(|word| !fits(word));
            refusals.extend(bad.map(|number| {
                Refusal::new(
                    &format!("/{field}/{number}"),
                    "it has characters that no such name has",
                )
            }));
        }
        for fingerprint in &mut self.fingerprints {
            fingerprint.retain(|byte| !byte.is_ascii_whitespace());
            fingerprint.make_ascii_uppercase();
        }
        refusals.extend(self.keyring().err());
        if refusals.is_empty() { Ok(self) } else { Err(refusals) }
    }

    /// The keys of which one must have signed; `None`: signatures are not looked at.
    pub(super) fn keyring(&self) -> Result<Option<Keyring>, Refusal> {
        let keyring = Keyring::read(&self.signed_by)
            .map_err(|error| Refusal::new("/signed_by", error.to_string()))?;
        if let Some(odd) = self.fingerprints.iter().position(|it| !keyring.knows(it)) {
            let why = "signed_by holds no key with this fingerprint";
            return Err(Refusal::new(&format!("/fingerprints/{odd}"), why));
        }
        Ok((!keyring.is_empty()).then(|| keyring.only(&self.fingerprints)))
    }

    /// The settings as they are remembered: of the keys, only whether they changed.
    pub(super) fn kept(&self) -> Self {
        let mut sum = Sha256::new();
        for text in &self.signed_by {
            sum.update(text);
            sum.update([0]);
        }
        Self { signed_by: vec![names::digits(&sum.finalize())], ..self.clone() }
    }

    pub(super) fn suites(&self) -> Vec<Suite> {
        self.suites.iter().filter_map(|suite| Suite::read(suite, self.flat).ok()).collect()
    }

    /// The address of a path of the repository.
    pub(super) fn address(&self, path: &str) -> String {
        if self.url.starts_with("file:") {
            format!("{}{path}", self.url)
        } else {
            format!("{}{}", self.url, names::escaped(path))
        }
    }
}

impl Suite {
    fn read(text: &str, flat: bool) -> Result<Self, String> {
        let flat = flat || text.ends_with('/');
        let name = text.trim_start_matches("./").trim_matches('/');
        if name.is_empty() || name == "." {
            if !flat {
                return Err("it names no distribution".to_owned());
            }
            let distribution = "flat".to_owned();
            return Ok(Self { distribution, folder: String::new(), flat });
        }
        if !names::is_area(name) {
            return Err(format!("{:?} cannot be a distribution", names::shown(text)));
        }
        let folder = if flat { format!("{name}/") } else { format!("dists/{name}/") };
        Ok(Self { distribution: name.to_owned(), folder, flat })
    }
}

/// The repository's address, ending in a slash.
fn address(text: &str) -> Result<String, String> {
    let text = text.trim();
    if let Some(path) = text.strip_prefix("file://") {
        let whole = path.strip_prefix('/').map(|path| path.trim_end_matches('/'));
        let whole = whole.and_then(names::path);
        return whole.map(|path| format!("file:///{path}/")).ok_or_else(|| {
            "write a folder of this machine as file:///path, without \".\", \"..\" or doubled slashes".to_owned()
        });
    }
    let mut url = Url::parse(text).map_err(|error| format!("it is not an address: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err("repositories are read by https, http and file".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(
            "it carries a user name or password; addresses are stored and shown, take them out"
                .to_owned(),
        );
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(
            "it has a query or fragment; give the folder that holds dists and pool".to_owned()
        );
    }
    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    Ok(url.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(url: &str, suites: &[&str]) -> Settings {
        let suites = suites.iter().map(|&suite| suite.to_owned()).collect();
        Settings { url: url.to_owned(), suites, ..Settings::default() }
    }

    #[test]
    fn addresses_are_brought_into_one_form() {
        for (given, stored) in [
            (" HTTPS://X.example:443/debian", "https://x.example/debian/"),
            ("http://x.example", "http://x.example/"),
            ("file:///srv/my apt//", "file:///srv/my apt/"),
        ] {
            assert_eq!(with(given, &["a"]).normalised().unwrap().url, stored);
        }
        for bad in
            ["x", "ftp://x/", "https://u:p@x/", "https://x/?a", "file:///../etc", "file://host/x"]
        {
            assert!(with(bad, &["a"]).normalised().is_err(), "{bad}");
        }
    }

    #[test]
    fn suites_are_pooled_or_flat() {
        let suites = with("http://x", &["bookworm", "stable/updates", "./", "sub/dir/"]).suites();
        let all: Vec<_> = suites
            .iter()
            .map(|it| (it.distribution.as_str(), it.folder.as_str(), it.flat))
            .collect();
        assert_eq!(
            all,
            [
                ("bookworm", "dists/bookworm/", false),
                ("stable/updates", "dists/stable/updates/", false),
                ("flat", "", true),
                ("sub/dir", "sub/dir/", true),
            ]
        );
        let flat = Settings { flat: true, ..with("http://x", &[]) }.normalised().unwrap();
        assert_eq!(flat.suites, ["./"]);
    }

    #[test]
    fn every_bad_setting_is_named() {
        let bad = Settings {
            components: vec!["main".to_owned(), "..".to_owned()],
            architectures: vec!["a/b".to_owned()],
            ..with("x", &["../x", "a", "a"])
        };
        let fields: Vec<_> = bad.normalised().unwrap_err().into_iter().map(|it| it.field).collect();
        assert_eq!(fields, ["/url", "/suites/0", "/suites/2", "/components/1", "/architectures/0"]);
        assert_eq!(with("http://x", &[]).normalised().unwrap_err()[0].field, "/suites");
    }
}
