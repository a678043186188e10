//! From the path of a request to the path of a published file.
//!
//! Decodes percent codes exactly once and refuses whatever could mean two things: after this, a
//! path is plain text that either names a published entry or does not. It never becomes a name on
//! a disk (published files are found by digest), so this is the second wall and not the first.

/// The longest decoded path, in bytes; the store takes none longer.
const MAX_BYTES: usize = 4096;

/// Why a path cannot name anything that is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PathError {
    #[error("the path has a `%` that two hexadecimal digits do not follow")]
    Escape,
    #[error("the path is not UTF-8 after decoding its percent codes")]
    Encoding,
    #[error("the path holds a control character")]
    Control,
    #[error("the path has a `..` segment")]
    Parent,
    #[error("the path has an empty segment (two slashes in a row)")]
    Empty,
    #[error("the path is longer than {MAX_BYTES} bytes")]
    Long,
}

/// The published path that `raw` means: decoded, without leading slash and `.` segments. A slash
/// at the end is kept, since it asks for the directory.
///
/// # Errors
/// The path could be read in more than one way, or is too long to exist.
pub(crate) fn published(raw: &str) -> Result<String, PathError> {
    let text =
        String::from_utf8(decode(raw.as_bytes())?).map_err(|_not_utf8| PathError::Encoding)?;
    if text.len() > MAX_BYTES {
        return Err(PathError::Long);
    }
    if text.chars().any(char::is_control) {
        return Err(PathError::Control);
    }
    normalise(&text)
}

fn decode(raw: &[u8]) -> Result<Vec<u8>, PathError> {
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw.iter();
    while let Some(&byte) = rest.next() {
        if byte == b'%' {
            let high = rest.next().copied().and_then(hex).ok_or(PathError::Escape)?;
            let low = rest.next().copied().and_then(hex).ok_or(PathError::Escape)?;
            bytes.push(high << 4 | low);
        } else {
            bytes.push(byte);
        }
    }
    Ok(bytes)
}

fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

fn normalise(text: &str) -> Result<String, PathError> {
    let mut path = String::with_capacity(text.len());
    let mut segments = text.split('/').peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment {
            ".." => return Err(PathError::Parent),
            "" if !last => return Err(PathError::Empty),
            "" | "." => {}
            name => {
                path.push_str(name);
                if !last {
                    path.push('/');
                }
            }
        }
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(raw: &str, expected: Result<&str, PathError>) {
        assert_eq!(published(raw), expected.map(str::to_owned), "{raw}");
    }

    #[test]
    fn ordinary_paths_are_decoded_once() {
        check("", Ok(""));
        check("a/b.txt", Ok("a/b.txt"));
        check("a/b/", Ok("a/b/"));
        check("a%20b%2Bc+d", Ok("a b+c+d"));
        check("%C3%a4/%c3%A4", Ok("ä/ä"));
        check("a%2fb", Ok("a/b"));
        check("a;b=c/d", Ok("a;b=c/d"));
        check("%2520", Ok("%20"));
    }

    #[test]
    fn single_dots_vanish() {
        check("./a/./b", Ok("a/b"));
        check("a/.", Ok("a/"));
        check("a/%2e/", Ok("a/"));
        check(".", Ok(""));
        check("...", Ok("..."));
        check("a/.hidden", Ok("a/.hidden"));
    }

    // F122
    #[test]
    fn path_tricks_are_refused() {
        check("..", Err(PathError::Parent));
        check("a/%2e%2E/b", Err(PathError::Parent));
        check("a/.%2e", Err(PathError::Parent));
        check("a%2f..%2fb", Err(PathError::Parent));
        check("%252e%252e/b", Ok("%2e%2e/b"));
        check("a//b", Err(PathError::Empty));
        check("/etc/passwd", Err(PathError::Empty));
        check("%2fetc", Err(PathError::Empty));
        check("a%00", Err(PathError::Control));
        check("a%0ab", Err(PathError::Control));
        check("a%7f", Err(PathError::Control));
        check("%ff", Err(PathError::Encoding));
        check("%c0%ae", Err(PathError::Encoding));
        check("a%", Err(PathError::Escape));
        check("a%2", Err(PathError::Escape));
        check("a%g0", Err(PathError::Escape));
        check(&"a/".repeat(3000), Err(PathError::Long));
    }
}
