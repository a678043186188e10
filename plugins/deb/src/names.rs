//! Words from outside that become keys, paths and addresses, each checked before it is used.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// The longest name, version or architecture: a file is named by all three.
const MAX_WORD: usize = 80;
/// The longest path.
const MAX_PATH: usize = 2048;

/// What is kept as it is in an address: unreserved characters, and `/`.
const ESCAPED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Whether it can be the name of a package. Debian's policy wants lower case; vendors do not all keep to it.
pub(crate) fn is_package(text: &str) -> bool {
    is_word(text, b"+-._")
}

/// Whether it can be a version.
pub(crate) fn is_version(text: &str) -> bool {
    is_word(text, b"+-._~:")
}

/// Whether it can be an architecture.
pub(crate) fn is_architecture(text: &str) -> bool {
    is_word(text, b"-_")
}

/// Letters and digits of ASCII, and these beyond the first character.
fn is_word(text: &str, others: &[u8]) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || others.contains(&byte);
    text.len() <= MAX_WORD
        && text.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric())
        && text.bytes().all(fits)
}

/// Whether it can be one segment of a published path.
pub(crate) fn is_segment(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"+-._~:@".contains(&byte);
    text.len() <= 200 && !matches!(text, "" | "." | "..") && text.bytes().all(fits)
}

/// Whether it can be a distribution or component: segments with `/` between them.
pub(crate) fn is_area(text: &str) -> bool {
    text.len() <= MAX_PATH && text.split('/').all(is_segment)
}

/// A relative path without `.` segments; `None` when it is absolute, leads out, or has what no path needs.
pub(crate) fn path(text: &str) -> Option<String> {
    if text.len() > MAX_PATH || text.contains('\\') || text.chars().any(char::is_control) {
        return None;
    }
    let mut path = String::with_capacity(text.len());
    for segment in text.split('/').filter(|segment| *segment != ".") {
        if matches!(segment, "" | "..") {
            return None;
        }
        if !path.is_empty() {
            path.push('/');
        }
        path.push_str(segment);
    }
    (!path.is_empty()).then_some(path)
}

/// A path as part of an address.
pub(crate) fn escaped(path: &str) -> String {
    utf8_percent_encode(path, ESCAPED).to_string()
}

/// So many hex digits, in lower case.
pub(crate) fn hex(text: &str, digits: usize) -> Option<String> {
    let good = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    good.then(|| text.to_ascii_lowercase())
}

/// A size in decimal digits.
pub(crate) fn size(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// A text for people: control characters escaped, cut after 120 characters.
pub(crate) fn shown(text: &str) -> String {
    let cut: String = text.chars().take(120).collect();
    cut.escape_debug().to_string()
}

/// The digits of a digest.
pub(crate) fn digits(digest: &[u8]) -> String {
    let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or('0');
    digest.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_packages_are_narrow() {
        assert!(is_package("libstdc++6") && is_package("0ad") && is_package("Foo_bar"));
        assert!(is_version("1:2.3~rc1+dfsg-4") && is_architecture("musl-linux-amd64"));
        for text in ["", "a/b", "..", "-a", "a b", "ö", "a\n", &"x".repeat(81)] {
            assert!(!is_package(text) && !is_version(text) && !is_architecture(text), "{text:?}");
        }
        assert!(
            is_area("stable/updates") && !is_area("stable/") && !is_area("../x") && !is_area("")
        );
    }

    // F98
    #[test]
    fn paths_stay_inside() {
        assert_eq!(path("./pool/./a+b~1_amd64.deb").as_deref(), Some("pool/a+b~1_amd64.deb"));
        for text in ["", ".", "/a", "a/", "a//b", "../a", "a/..", "a\\b", "a\0", &"a/".repeat(2000)]
        {
            assert_eq!(path(text), None, "{text:?}");
        }
    }

    #[test]
    fn addresses_escape_all_but_the_plainest() {
        assert_eq!(escaped("pool/a+b ~1_é.deb"), "pool/a%2Bb%20~1_%C3%A9.deb");
    }

    #[test]
    fn digits_and_sizes() {
        assert_eq!(hex("AB", 2).as_deref(), Some("ab"));
        assert_eq!((hex("abc", 2), hex("gg", 2)), (None, None));
        assert_eq!(
            (size("12"), size("+1"), size(""), size("99999999999999999999")),
            (Some(12), None, None, None)
        );
        assert_eq!(digits(&[0, 0xaf]), "00af");
    }
}
