//! Which folder of which server, and who logs in: as the user says it.

use serde::{Deserialize, Serialize};
use url::Url;
use wharf_http::{AddressError, given, is_in_the_clear};
use wharf_sdk::{Attachment, Check, CheckScope, Checked, Error, SecretName};

use crate::place;

/// As stored.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct Settings {
    #[serde(flatten)]
    pub(crate) server: Server,
    /// Segments with `/` between them; empty: the whole root.
    #[serde(default)]
    pub(crate) remote_dir: String,
}

/// What requests are made with.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct Server {
    pub(crate) url: String,
    /// Empty: nobody logs in.
    #[serde(default)]
    pub(crate) username: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) password: Option<SecretName>,
    /// PEM: whom to trust instead of those that this machine does. Empty: those.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) certificates: String,
}

impl Settings {
    /// Those that a call works with.
    pub(crate) fn of(attachment: &Attachment) -> Result<Self, Error> {
        let mut settings: Self = attachment.settings()?;
        settings.remote_dir = folder(&settings.remote_dir)
            .map_err(|why| Error::usage("config.webdav", why).at_field("/remote_dir"))?;
        Ok(settings)
    }

    /// The path below the root of a path below the mirrored folder.
    pub(crate) fn full(&self, path: &str) -> String {
        match (self.remote_dir.as_str(), path) {
            ("", path) => path.to_owned(),
            (root, "") => root.to_owned(),
            (root, path) => format!("{root}/{path}"),
        }
    }
}

fn folder(text: &str) -> Result<String, String> {
    place::folder(text)
        .map(String::from)
        .map_err(|refusal| format!("it is no folder below the address: {refusal}"))
}

impl Server {
    /// The root.
    pub(crate) fn root(&self) -> Result<Url, Error> {
        root(&self.url).map_err(|why| Error::usage("config.url", why).at_field("/url"))
    }

    fn look(&mut self) -> Checked {
        let mut checked = Checked::good();
        if let Err(why) = given(&self.certificates) {
            checked = checked.error("/certificates", "config.certificates", why.to_string());
        }
        if self.username.contains(':') || self.username.chars().any(char::is_control) {
            let why = "it has \":\" or a control character in it, which HTTP's login cannot carry";
            checked = checked.error("/username", "config.webdav", why);
        }
        if self.password.is_some() && self.username.is_empty() {
            let why = "it must be set where there is a password";
            checked = checked.error("/username", "config.webdav", why);
        }
        match root(&self.url) {
            Err(why) => checked.error("/url", "config.url", why),
            Ok(root) => {
                root.as_str().trim_end_matches('/').clone_into(&mut self.url);
                if !self.username.is_empty() && is_in_the_clear(&root) {
                    let why = "your password can be read by everybody on the way: use https, if the server has it";
                    return checked.warning("/url", "config.clear", why);
                }
                checked
            }
        }
    }
}

/// Reads the address of the root.
fn root(text: &str) -> Result<Url, &'static str> {
    wharf_http::address(text).map_err(|refusal| match refusal {
        AddressError::Malformed => "it is no address: write https://HOST/PATH",
        AddressError::Scheme => "it is no address of the web: write https://HOST/PATH, also for dav:// and davs://",
        AddressError::Credentials => {
            "a user or password has no place in it: they are the settings username and password"
        }
        AddressError::Query => {
            "it is the address of a page: write that of the folder, of Nextcloud https://HOST/remote.php/dav/files/USER"
        }
    })
}

/// Says what is wrong with settings, and how they are kept.
pub(crate) fn check(check: &Check) -> Result<Checked, Error> {
    if check.scope == CheckScope::Instance {
        let mut server: Server = check.values()?;
        return server.look().normalised(&server);
    }
    let mut settings: Settings = check.values()?;
    let mut checked = settings.server.look();
    match folder(&settings.remote_dir) {
        Ok(folder) => settings.remote_dir = folder,
        Err(why) => checked = checked.error("/remote_dir", "config.webdav", why),
    }
    checked.normalised(&settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_address_of_a_folder_is_named_with_what_to_write() {
        for (wrong, words) in [
            ("", "https://HOST"),
            ("cloud.example.org", "https://HOST"),
            ("davs://cloud.example.org/dav", "davs://"),
            ("https://me:secret@cloud.example.org/dav", "username and password"),
            ("https://cloud.example.org/apps/files?dir=/", "remote.php"),
        ] {
            assert!(root(wrong).unwrap_err().contains(words), "{wrong}");
        }
        for good in ["https://cloud.example.org/remote.php/dav/files/ada/", "http://[::1]:8080"] {
            assert!(root(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn paths_lie_below_the_folder_that_is_mirrored() {
        let server = Server {
            url: "https://c.example/dav".to_owned(),
            username: String::new(),
            password: None,
            certificates: String::new(),
        };
        for (folder, path, full) in
            [("", "", ""), ("", "a/b", "a/b"), ("x/y", "", "x/y"), ("x/y", "a/b", "x/y/a/b")]
        {
            let settings = Settings { server: server.clone(), remote_dir: folder.to_owned() };
            assert_eq!(settings.full(path), full);
        }
    }
}
