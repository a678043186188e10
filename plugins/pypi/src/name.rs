//! Names of projects.
//!
//! Source: PEP 503, "Normalized Names"; the core metadata specification for what a name may be made of.

/// The longest name; real ones have some 80 characters at most.
const MAX_BYTES: usize = 128;

/// The one form of a name: lower case, with a `-` for each run of `-`, `_` and `.`. None for what is no name: other
/// characters than those and letters and digits of ASCII, a separator at an end, nothing at all, or too much.
pub fn normalize(name: &str) -> Option<String> {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || is_separator(byte);
    let ends = [name.bytes().next()?, name.bytes().next_back()?];
    if name.len() > MAX_BYTES || !name.bytes().all(inner) || ends.into_iter().any(is_separator) {
        return None;
    }
    let mut normal = String::with_capacity(name.len());
    for byte in name.bytes() {
        if !is_separator(byte) {
            normal.push(char::from(byte.to_ascii_lowercase()));
        } else if !normal.ends_with('-') {
            normal.push('-');
        }
    }
    Some(normal)
}

fn is_separator(byte: u8) -> bool {
    matches!(byte, b'-' | b'_' | b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_one_form() {
        for name in ["Foo.Bar", "foo-bar", "FOO_bar", "foo._-bar"] {
            assert_eq!(normalize(name).as_deref(), Some("foo-bar"));
        }
        assert_eq!(normalize("3").as_deref(), Some("3"));
    }

    #[test]
    fn what_is_no_name_has_no_form() {
        for name in ["", "-", "a-", ".a", "a b", "a/b", "..", "é", "a\n", &"a".repeat(129)] {
            assert_eq!(normalize(name), None, "{name:?}");
        }
    }
}
