//! The address of a manifest, and those of the files beside it.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use url::Url;

/// What is kept as it is in the path of a file, besides letters and digits of ASCII.
/// Source: Pulp keeps `/` and `:` and what no address needs to escape.
const ESCAPED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b':').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Why a text is not the address of a manifest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum AddressError {
    #[error("the address is empty; give that of a PULP_MANIFEST")]
    Empty,
    #[error("{text:?} has no scheme; write https://..., http://... or file:///...")]
    NoScheme { text: String },
    #[error("manifests are read by https, http and file, not by {scheme:?}")]
    Scheme { scheme: String },
    #[error("{text:?} is not an address: {why}")]
    Invalid { text: String, why: String },
    #[error(
        "the address carries a user name or password; take them out: addresses are stored and shown, \
         credentials are kept as secrets and named by reference"
    )]
    Credentials,
    #[error(
        "{text:?} names a folder; the address must end in the manifest's name, such as PULP_MANIFEST"
    )]
    Folder { text: String },
    #[error(
        "a file address names no other machine than this one; write file:///path, not file://{host}/..."
    )]
    RemoteFile { host: String },
}

/// The address of a manifest, in the one form in which it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    text: String,
    /// The folder of the manifest, ending in `/`, without query.
    base: String,
    /// The manifest's own name, decoded.
    name: String,
    /// Whether paths are escaped behind `base`.
    escaped: bool,
}

impl Address {
    pub(super) fn read(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(AddressError::Empty);
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(AddressError::NoScheme { text: text.to_owned() });
        };
        match scheme.to_ascii_lowercase().as_str() {
            "file" => Self::local(text, rest),
            "http" | "https" => Self::remote(text),
            other => Err(AddressError::Scheme { scheme: other.to_owned() }),
        }
    }

    /// A file address is a path behind `file://`, as it is: nothing in it is escaped.
    fn local(text: &str, rest: &str) -> Result<Self, AddressError> {
        let invalid =
            |why: &str| AddressError::Invalid { text: text.to_owned(), why: why.to_owned() };
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if !matches!(host, "" | "localhost") {
            return Err(AddressError::RemoteFile { host: host.to_owned() });
        }
        if path.chars().any(char::is_control) {
            return Err(invalid("it has a control character"));
        }
        let segments: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        if segments.iter().any(|part| matches!(*part, "." | "..")) {
            return Err(invalid("it has a segment \".\" or \"..\""));
        }
        let Some((name, folders)) = segments.split_last().filter(|_| !path.ends_with('/')) else {
            return Err(AddressError::Folder { text: text.to_owned() });
        };
        let mut base = "file:///".to_owned();
        for folder in folders {
            base.push_str(folder);
            base.push('/');
        }
        let name = (*name).to_owned();
        Ok(Self { text: format!("{base}{name}"), base, name, escaped: false })
    }

    fn remote(text: &str) -> Result<Self, AddressError> {
        let invalid = |why: String| AddressError::Invalid { text: text.to_owned(), why };
        let mut url = Url::parse(text).map_err(|error| invalid(error.to_string()))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(AddressError::Credentials);
        }
        url.set_fragment(None);
        let name = url.path().rsplit('/').next().unwrap_or_default();
        let name = percent_decode_str(name).decode_utf8_lossy().into_owned();
        if name.is_empty() {
            return Err(AddressError::Folder { text: text.to_owned() });
        }
        let mut folder = url.clone();
        folder.set_query(None);
        let base = folder.as_str();
        let end = base.rfind('/').map_or(base.len(), |slash| slash + 1);
        let base = base.get(..end).unwrap_or(base).to_owned();
        Ok(Self { text: url.into(), base, name, escaped: true })
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Where a listed file lies: beside the manifest as it was *configured*, wherever that was redirected to.
    pub(super) fn of_file(&self, path: &str) -> String {
        let mut address = String::with_capacity(self.base.len() + path.len() + 16);
        address.push_str(&self.base);
        if self.escaped {
            address.extend(utf8_percent_encode(path, ESCAPED));
        } else {
            address.push_str(path);
        }
        address
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Address {
        Address::read(text).unwrap()
    }

    #[test]
    fn addresses_are_brought_into_one_form() {
        for (given, stored) in [
            ("https://x.example/a/PULP_MANIFEST", "https://x.example/a/PULP_MANIFEST"),
            ("  HTTPS://X.Example:443/a/../b/M ", "https://x.example/b/M"),
            ("http://x.example:8080/M#top", "http://x.example:8080/M"),
            ("https://x.example/a/M?token=1", "https://x.example/a/M?token=1"),
            ("file:///srv/a/M", "file:///srv/a/M"),
            ("FILE://localhost/srv//a/M", "file:///srv/a/M"),
            ("file:///srv/my files/100%/M", "file:///srv/my files/100%/M"),
        ] {
            assert_eq!(read(given).text(), stored);
        }
    }

    #[test]
    fn the_manifest_may_have_any_name() {
        assert_eq!(read("https://x.example/a/my%20list.csv?x=/y/").name(), "my list.csv");
        assert_eq!(read("file:///srv/100%25").name(), "100%25");
    }

    #[test]
    fn files_lie_beside_the_manifest() {
        let address = read("https://x.example/a b/c/M?token=1");
        assert_eq!(address.of_file("d/e.bin"), "https://x.example/a%20b/c/d/e.bin");
        assert_eq!(read("https://x.example/M").of_file("e"), "https://x.example/e");
        assert_eq!(read("file:///M").of_file("e"), "file:///e");
    }

    #[test]
    fn odd_characters_are_escaped_in_web_addresses() {
        let address = read("https://x.example/M");
        for (path, expected) in [
            ("a b", "a%20b"),
            ("100%", "100%25"),
            ("a+b", "a%2Bb"),
            ("a#b", "a%23b"),
            ("a?b", "a%3Fb"),
            ("a:b/c", "a:b/c"),
            ("a&b=c;d", "a%26b%3Dc%3Bd"),
            ("ö/日", "%C3%B6/%E6%97%A5"),
            ("A-z_0.~", "A-z_0.~"),
            ("a%20b", "a%2520b"),
        ] {
            assert_eq!(address.of_file(path), format!("https://x.example/{expected}"));
        }
    }

    #[test]
    fn nothing_is_escaped_in_file_addresses() {
        let address = read("file:///srv/my files/M");
        assert_eq!(address.of_file("a b#%?ö"), "file:///srv/my files/a b#%?ö");
    }

    #[test]
    fn what_is_no_address_of_a_manifest_is_refused() {
        use AddressError as E;
        let credentials = |text| Address::read(text) == Err(E::Credentials);
        assert!(credentials("https://user:hunter2@x.example/M"));
        assert!(credentials("https://user@x.example/M"));
        assert!(matches!(Address::read(" "), Err(E::Empty)));
        assert!(matches!(Address::read("/srv/M"), Err(E::NoScheme { .. })));
        assert!(matches!(Address::read("ftp://x.example/M"), Err(E::Scheme { .. })));
        assert!(matches!(Address::read("https:///"), Err(E::Invalid { .. })));
        assert!(matches!(Address::read("https://x.example"), Err(E::Folder { .. })));
        assert!(matches!(Address::read("https://x.example/a/"), Err(E::Folder { .. })));
        assert!(matches!(Address::read("file:///srv/"), Err(E::Folder { .. })));
        assert!(matches!(Address::read("file:///"), Err(E::Folder { .. })));
        assert!(matches!(Address::read("file://server/share/M"), Err(E::RemoteFile { .. })));
        assert!(matches!(Address::read("file:///a/../M"), Err(E::Invalid { .. })));
        assert!(matches!(Address::read("file:///a\u{1}/M"), Err(E::Invalid { .. })));
    }

    #[test]
    fn refusals_do_not_repeat_credentials() {
        let message = Address::read("https://user:hunter2@x.example/M").unwrap_err().to_string();
        assert!(!message.contains("hunter2"), "{message}");
    }
}
