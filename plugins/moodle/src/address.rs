//! Where a file lies on the site: what stands in its address behind that of the site.
//!
//! The user's key goes to the site that the settings name and nowhere else, whatever a listing says: only what follows the
//! site's own address is kept of a file's, and the request is put together anew.

use serde::{Deserialize, Serialize};
use url::Url;

use crate::place::Refusal;

/// Longer ones are no file's.
const MAX_ADDRESS: usize = 8192;

/// Path and query of a file, below the site's address.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Address(String);

impl Address {
    /// Of a file that a listing gives this whole address.
    ///
    /// # Errors
    /// It is none, or it leads elsewhere.
    pub fn of(listed: &str, site: &Url) -> Result<Self, Refusal> {
        let url = Url::parse(listed).map_err(|_error| Refusal::Elsewhere)?;
        let web = matches!(url.scheme(), "http" | "https");
        // A site behind a proxy may write http where it is reached by https: the settings' scheme is used.
        let same = web && url.host() == site.host() && url.port() == site.port();
        let rest = url.path().strip_prefix(folder(site)).and_then(|path| path.strip_prefix('/'));
        let rest = rest.filter(|path| same && !path.is_empty() && listed.len() <= MAX_ADDRESS);
        let path = rest.ok_or(Refusal::Elsewhere)?;
        let query = url.query().unwrap_or_default();
        let query: Vec<&str> = query.split('&').filter(|pair| is_harmless(pair)).collect();
        let query = query.join("&");
        Ok(Self(if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }))
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The whole address on this site.
    ///
    /// # Errors
    /// It would not lie below the site's.
    pub fn on(&self, site: &Url) -> Result<Url, Refusal> {
        let (path, query) = match self.0.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (self.0.as_str(), None),
        };
        let mut url = site.clone();
        url.set_path(&format!("{}/{path}", folder(site)));
        url.set_query(query);
        let rest = url.path().strip_prefix(folder(site)).and_then(|path| path.strip_prefix('/'));
        rest.filter(|rest| !rest.is_empty()).ok_or(Refusal::Elsewhere)?;
        Ok(url)
    }
}

/// The site's path without a slash behind it.
fn folder(site: &Url) -> &str {
    site.path().trim_end_matches('/')
}

/// Not empty, and no key: that one travels in the body.
fn is_harmless(pair: &str) -> bool {
    !pair.is_empty() && !pair.starts_with("token=") && !pair.starts_with("wstoken=")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn an_address_is_kept_without_the_site_and_put_together_again() {
        for (base, listed, kept) in [
            (
                "https://m.example",
                "https://m.example/webservice/p.php/1/a%20b.pdf?f=1",
                "webservice/p.php/1/a%20b.pdf?f=1",
            ),
            ("https://m.example", "http://m.example/p.php/ü", "p.php/%C3%BC"),
            ("https://m.example/moodle/", "https://m.example/moodle/p.php/1", "p.php/1"),
            ("http://m.example:8080", "http://m.example:8080/p.php/1?token=x&f=1", "p.php/1?f=1"),
            ("https://m.example", "https://m.example/p.php/../q.php", "q.php"),
        ] {
            let base = site(base);
            let address = Address::of(listed, &base).unwrap();
            assert_eq!(address.as_str(), kept);
            let url = address.on(&base).unwrap();
            assert!(url.as_str().starts_with(base.as_str().trim_end_matches('/')), "{url}");
            assert_eq!(Address::of(url.as_str(), &base), Ok(address));
        }
    }

    // F109
    #[test]
    fn what_lies_on_another_site_is_refused() {
        let base = site("https://m.example/moodle");
        for listed in [
            "https://other.example/moodle/p.php/1",
            "https://m.example:444/moodle/p.php/1",
            "https://m.example/other/p.php/1",
            "https://m.example/moodle",
            "https://m.example/moodle/../p.php/1",
            "https://m.example/moodlep.php",
            "ftp://m.example/moodle/p.php",
            "file:///moodle/p.php",
            "p.php/1",
            "",
        ] {
            assert_eq!(Address::of(listed, &base), Err(Refusal::Elsewhere), "{listed}");
        }
        for stored in ["../p.php", "..", "a/../../p.php", "%2e%2e/p.php", ""] {
            let address = Address(stored.to_owned());
            assert_eq!(address.on(&base), Err(Refusal::Elsewhere), "{stored}");
        }
    }
}
