//! Where things lie on a server: addresses out of paths, and names out of what a server calls its addresses.
//!
//! Requests go to addresses that are put together here, from the one of the settings and names that were taken one by one.
//! What a server writes into `href` gives a name and nothing else, and only if it lies directly in the folder that was
//! asked for (F98). Source: RFC 4918, 8.3 (what an `href` may be) and 9.1; RFC 3986, 2.1.

use percent_encoding::percent_decode_str;
use url::Url;
use wharf_sdk::{ListedPath, PathError, printable};

/// Letters of a server's text in a message.
const SHOWN: usize = 200;
/// The longest `href`.
const MAX_HREF: usize = 16 << 10;

/// Why something listed cannot be carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Its name.
    #[error("{0}; rename it on the server")]
    Path(#[from] PathError),
    /// Its name is in an old encoding.
    #[error("its name is not in UTF-8; rename it on the server")]
    Encoding,
    /// Another site, or another folder.
    #[error("the server lists it, but it does not lie in this folder")]
    Elsewhere,
    /// Two entries of a folder.
    #[error("the server lists another thing of the same name")]
    Twice,
}

/// What an `href` means to the folder that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Href {
    /// The folder itself.
    Itself,
    /// The entry with this name.
    Entry(String),
}

/// A folder as a user writes it, in one form: segments with `/` between them.
///
/// # Errors
/// One of them is no name.
pub fn folder(text: &str) -> Result<ListedPath, PathError> {
    let segments = text.trim().split('/').filter(|segment| !segment.is_empty());
    segments.into_iter().try_fold(ListedPath::top(), |folder, segment| folder.below(segment))
}

/// The address of a folder below the root: with `/` at its end, or servers send us there.
pub fn folder_address(root: &Url, path: &str) -> Url {
    let mut address = file_address(root, path);
    if !address.path().ends_with('/') {
        address.set_path(&format!("{}/", address.path()));
    }
    address
}

/// The address of a file below the root.
pub fn file_address(root: &Url, path: &str) -> Url {
    let mut address = root.clone();
    if let Ok(mut segments) = address.path_segments_mut() {
        segments.pop_if_empty().extend(path.split('/').filter(|segment| !segment.is_empty()));
    }
    address
}

/// Reads an `href` of the answer about a folder, whose address was `asked`.
///
/// # Errors
/// It lies elsewhere, or has no name that can be read.
pub fn entry(asked: &Url, href: &str) -> Result<Href, Refusal> {
    if href.len() > MAX_HREF || href.is_empty() {
        return Err(Refusal::Elsewhere);
    }
    let address = asked.join(href).map_err(|_error| Refusal::Elsewhere)?;
    let web = matches!(address.scheme(), "http" | "https");
    // A server behind a proxy may write http where it is reached by https. Nothing is asked of this address anyway.
    let same = web && address.host() == asked.host() && address.port() == asked.port();
    if !same || address.query().is_some() || address.fragment().is_some() {
        return Err(Refusal::Elsewhere);
    }
    let (folder, mut names) = (names(asked), names(&address));
    if names == folder {
        return Ok(Href::Itself);
    }
    let name = names.pop().filter(|_name| names == folder).ok_or(Refusal::Elsewhere)?;
    let name = String::from_utf8(name).map_err(|_error| Refusal::Encoding)?;
    Ok(Href::Entry(name))
}

/// The segments of a path, decoded: each server has its own taste in what to encode.
fn names(address: &Url) -> Vec<Vec<u8>> {
    let segments = address.path().split('/').filter(|segment| !segment.is_empty());
    segments.map(|segment| percent_decode_str(segment).collect()).collect()
}

/// A text for people.
pub(crate) fn shown(text: &str) -> String {
    printable(text, SHOWN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn addresses_are_made_of_names_and_names_of_addresses() {
        let root = url("https://c.example/remote.php/dav/files/ada/");
        for (name, written) in [
            ("a b.txt", "a%20b.txt"),
            ("größe", "gr%C3%B6%C3%9Fe"),
            ("100%25?.txt", "100%2525%3F.txt"),
            ("#1 [x]", "%231%20[x]"),
            ("a&b=c+d;e:f@g", "a&b=c+d;e:f@g"),
            ("%2e%2e", "%252e%252e"),
        ] {
            let path = format!("in/{name}");
            let address = file_address(&root, &path);
            assert_eq!(address.path(), format!("/remote.php/dav/files/ada/in/{written}"), "{name}");
            let asked = folder_address(&root, "in");
            assert_eq!(entry(&asked, address.path()), Ok(Href::Entry(name.to_owned())));
            assert_eq!(entry(&asked, address.as_str()), Ok(Href::Entry(name.to_owned())));
        }
        assert_eq!(folder_address(&root, "").as_str(), root.as_str());
        assert_eq!(folder_address(&url("https://c.example"), "").as_str(), "https://c.example/");
        assert_eq!(file_address(&url("https://c.example/a"), "b").path(), "/a/b");
    }

    #[test]
    fn the_folder_itself_is_known_however_it_is_written() {
        let asked = url("https://c.example/dav/in%20here/");
        for itself in [
            "/dav/in%20here/",
            "/dav/in%20here",
            "/dav//in%20here/",
            "https://c.example/dav/in%20here/",
            "http://c.example/dav/%69n%20here",
        ] {
            assert_eq!(entry(&asked, itself), Ok(Href::Itself), "{itself}");
        }
        assert_eq!(entry(&asked, "/dav/in%20here/sub/"), Ok(Href::Entry("sub".to_owned())));
    }

    // F98, F109
    #[test]
    fn what_does_not_lie_in_the_folder_is_refused() {
        let asked = url("https://c.example:8443/dav/in/");
        for elsewhere in [
            "",
            "/",
            "/dav",
            "/dav/other.txt",
            "/dav/in/deep/er.txt",
            "/dav/in/../../etc/passwd",
            "/dav/in/%2e%2e/x",
            "/dav/in/a\\b",
            "//evil.example/dav/in/x",
            "https://evil.example:8443/dav/in/x",
            "https://c.example/dav/in/x",
            "file:///dav/in/x",
            "javascript:alert(1)",
            "/dav/in/x?y",
            "/dav/in/x#y",
            "/dav/inside",
        ] {
            assert_eq!(entry(&asked, elsewhere), Err(Refusal::Elsewhere), "{elsewhere}");
        }
        assert_eq!(entry(&asked, "/dav/in/%FC.txt"), Err(Refusal::Encoding));
        // The name is looked at by whoever makes a path of it.
        assert_eq!(entry(&asked, "/dav/in/a%2Fb"), Ok(Href::Entry("a/b".to_owned())));
    }

    #[test]
    fn folders_are_brought_into_one_form() {
        for (given, form) in [("", ""), ("/", ""), (" /a//b/ ", "a/b"), ("a b", "a b")] {
            assert_eq!(folder(given).unwrap().as_str(), form, "{given}");
        }
        assert_eq!(folder("a/../b"), Err(PathError::Dots));
        assert_eq!(folder("a\\b"), Err(PathError::Separator));
    }
}
