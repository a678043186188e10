//! Which site, whose key, and which course: as the user says it.

use serde::{Deserialize, Serialize};
use url::Url;
use wharf_http::{AddressError, given, is_in_the_clear};
use wharf_sdk::{Attachment, Check, CheckScope, Checked, Error, SecretName};

/// As stored.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct Settings {
    #[serde(flatten)]
    pub(crate) server: Server,
    /// A course's full name, `id:NUMBER`, or `/`.
    #[serde(default = "everything")]
    pub(crate) remote_dir: String,
}

fn everything() -> String {
    "/".to_owned()
}

/// What requests are made with.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) token: SecretName,
    /// PEM: whom to trust instead of those that this machine does. Empty: those.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) certificates: String,
}

/// What is mirrored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wanted<'a> {
    All,
    Number(u64),
    Named(&'a str),
}

impl Settings {
    /// Those that a call works with.
    pub(crate) fn of(attachment: &Attachment) -> Result<Self, Error> {
        attachment.settings()
    }

    pub(crate) fn wanted(&self) -> Wanted<'_> {
        let text = self.remote_dir.trim();
        match text.strip_prefix("id:").map(|number| number.trim().parse()) {
            Some(Ok(number)) => Wanted::Number(number),
            _ if text.trim_matches('/').is_empty() => Wanted::All,
            _ => Wanted::Named(text),
        }
    }
}

impl Server {
    /// Where the site begins.
    pub(crate) fn site(&self) -> Result<Url, Error> {
        site(&self.url).map_err(|why| Error::usage("config.url", why).at_field("/url"))
    }
}

/// Reads the address of a site.
fn site(text: &str) -> Result<Url, &'static str> {
    wharf_http::address(text).map_err(|refusal| match refusal {
        AddressError::Malformed => "it is no address: write https://HOST",
        AddressError::Scheme => "it is no address of the web: write https://HOST",
        AddressError::Credentials => {
            "a user or password has no place in it: the key is the setting token"
        }
        AddressError::Query => {
            "it is the address of a page: write that of the site, before /my or /course"
        }
    })
}

/// Says what is wrong with settings, and how they are kept.
pub(crate) fn check(check: &Check) -> Result<Checked, Error> {
    if check.scope == CheckScope::Instance {
        let mut server: Server = check.values()?;
        return look(&mut server).normalised(&server);
    }
    let mut settings: Settings = check.values()?;
    let checked = look(&mut settings.server);
    settings.remote_dir = match settings.wanted() {
        Wanted::All => everything(),
        Wanted::Number(number) => format!("id:{number}"),
        Wanted::Named(name) => name.to_owned(),
    };
    checked.normalised(&settings)
}

fn look(server: &mut Server) -> Checked {
    let good = match given(&server.certificates) {
        Ok(_roots) => Checked::good(),
        Err(why) => Checked::good().error("/certificates", "config.certificates", why.to_string()),
    };
    match site(&server.url) {
        Err(why) => good.error("/url", "config.url", why),
        Ok(site) => {
            site.as_str().trim_end_matches('/').clone_into(&mut server.url);
            let words =
                "your key can be read by everybody on the way: use https, if the site has it";
            if is_in_the_clear(&site) { good.warning("/url", "config.clear", words) } else { good }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_address_of_a_site_is_named() {
        for wrong in [
            "",
            "moodle.example.org",
            "ftp://moodle.example.org",
            "https://me:secret@moodle.example.org",
            "https://moodle.example.org/course/view.php?id=3",
        ] {
            assert!(site(wrong).is_err(), "{wrong}");
        }
        for good in ["https://moodle.example.org", " http://10.0.0.1:8080/moodle/ "] {
            assert!(site(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn a_key_in_the_clear_deserves_a_warning_outside_this_machine() {
        let clear = |text: &str| is_in_the_clear(&site(text).unwrap());
        assert!(clear("http://moodle.example.org"));
        assert!(!clear("https://moodle.example.org"));
        assert!(
            !clear("http://127.0.0.1:8080")
                && !clear("http://[::1]/")
                && !clear("http://localhost")
        );
    }

    #[test]
    fn a_course_is_named_or_numbered_and_a_slash_is_all_of_them() {
        let token = SecretName::Name("t".to_owned());
        let url = "https://m.example".to_owned();
        let server = Server { url, token, certificates: String::new() };
        for (text, wanted) in [
            ("/", Wanted::All),
            (" ", Wanted::All),
            ("id:42", Wanted::Number(42)),
            ("id:x", Wanted::Named("id:x")),
            (" Analysis I/II ", Wanted::Named("Analysis I/II")),
        ] {
            let settings = Settings { server: server.clone(), remote_dir: text.to_owned() };
            assert_eq!(settings.wanted(), wanted, "{text:?}");
        }
    }
}
