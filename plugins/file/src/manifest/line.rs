//! One line of a manifest.

use std::borrow::Cow;

use crate::path::{Refusal, check, shown};

/// How many hex digits a SHA-256 has.
const DIGITS: usize = 64;

/// What a line says of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Where it lies, relative to the manifest: whole segments, none `.` or `..`, no control characters.
    pub path: Cow<'a, str>,
    /// The SHA-256 of its bytes, 64 hex digits, lower case.
    pub sha256: Cow<'a, str>,
    /// Its size in bytes.
    pub size: u64,
    /// Why a host cannot carry the file, though the format allows its name.
    pub unfit: Option<String>,
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LineError {
    /// Not three parts.
    #[error("it is not of the form path,sha256,size: \"{shown}\"")]
    Parts {
        /// The line, cut.
        shown: String,
    },
    /// The path is none.
    #[error("{why}: \"{shown}\"")]
    Path {
        /// The path, cut.
        shown: String,
        /// The rule that it breaks.
        why: String,
    },
    /// The digest is none.
    #[error("the sha256 must be 64 hex digits, not \"{shown}\" (of \"{path}\")")]
    Digest {
        /// The digest, cut.
        shown: String,
        /// The path, cut.
        path: String,
    },
    /// The size is none.
    #[error(
        "the size must be a number of bytes in decimal digits, not \"{shown}\" (of \"{path}\")"
    )]
    Size {
        /// The size, cut.
        shown: String,
        /// The path, cut.
        path: String,
    },
}

/// Reads one line, with or without its end. `None`: it is empty or a comment.
///
/// ```
/// use wharf_plugin_file::manifest::line::read;
///
/// let sum = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
/// let line = format!("dir/a,b.bin,{sum},4\n");
/// let entry = read(&line)?.unwrap();
/// assert_eq!((&*entry.path, &*entry.sha256, entry.size), ("dir/a,b.bin", sum, 4));
/// # Ok::<(), wharf_plugin_file::manifest::LineError>(())
/// ```
///
/// # Errors
/// The first part that breaks a rule.
pub fn read(line: &str) -> Result<Option<Entry<'_>>, LineError> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    // From the right: paths may contain commas.
    let mut parts = line.rsplitn(3, ',').map(str::trim);
    let (Some(size), Some(sha256), Some(path)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(LineError::Parts { shown: shown(line) });
    };
    let path = unquote(path);
    let unfit = match check(&path) {
        Err(refusal) if refusal.is_malformed() => return Err(malformed(&path, refusal)),
        Err(refusal) => Some(refusal.to_string()),
        Ok(()) => None,
    };
    let Some(sha256) = hex(sha256) else {
        return Err(LineError::Digest { shown: shown(sha256), path: shown(&path) });
    };
    let Some(size) = decimal(size) else {
        return Err(LineError::Size { shown: shown(size), path: shown(&path) });
    };
    Ok(Some(Entry { path, sha256, size, unfit }))
}

fn malformed(path: &str, refusal: Refusal) -> LineError {
    LineError::Path { shown: shown(path), why: refusal.to_string() }
}

/// Takes off the quotes that a CSV writer put around a name: only where each quote inside is doubled, else they
/// belong to the name.
fn unquote(path: &str) -> Cow<'_, str> {
    let inner = path.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    match inner {
        Some(inner) if !inner.contains('"') => Cow::Borrowed(inner),
        Some(inner) if !inner.replace("\"\"", "").contains('"') => {
            Cow::Owned(inner.replace("\"\"", "\""))
        }
        _ => Cow::Borrowed(path),
    }
}

fn hex(digits: &str) -> Option<Cow<'_, str>> {
    let bytes = digits.as_bytes();
    if bytes.len() != DIGITS || !bytes.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let lower = !bytes.iter().any(u8::is_ascii_uppercase);
    Some(if lower { Cow::Borrowed(digits) } else { Cow::Owned(digits.to_ascii_lowercase()) })
}

/// Digits only: no sign, no blank, and nothing that a file cannot have.
fn decimal(digits: &str) -> Option<u64> {
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let size: i64 = digits.parse().ok().filter(|_| plain)?;
    u64::try_from(size).ok()
}

/// Whether a line can say this path such that reading gives it back: the format has no way to write a name that
/// begins like a comment, ends in a blank, or looks quoted.
pub fn can_say(path: &str) -> bool {
    path.trim() == path
        && !path.starts_with('#')
        && !path.contains(['\n', '\r'])
        && unquote(path) == path
}

/// Appends a line, with its end. The path must be one that [`can_say`] accepts.
pub fn write(into: &mut Vec<u8>, path: &str, sha256: &str, size: u64) {
    into.extend_from_slice(path.as_bytes());
    into.push(b',');
    into.extend_from_slice(sha256.as_bytes());
    into.push(b',');
    into.extend_from_slice(size.to_string().as_bytes());
    into.push(b'\n');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SUM: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

    fn path_of(line: &str) -> String {
        read(line).unwrap().unwrap().path.into_owned()
    }

    #[test]
    fn a_line_has_path_digest_and_size() {
        let line = format!("dir/a.bin,{SUM},4\n");
        let entry = read(&line).unwrap().unwrap();
        assert_eq!((&*entry.path, &*entry.sha256, entry.size), ("dir/a.bin", SUM, 4));
        assert_eq!(entry.unfit, None);
    }

    #[test]
    fn empty_lines_and_comments_say_nothing() {
        for line in ["", "\n", "  \t\r\n", "# comment", "  # indented,comment,1", "#a,b,c"] {
            assert_eq!(read(line), Ok(None), "{line:?}");
        }
    }

    #[test]
    fn blanks_around_line_and_parts_are_stripped() {
        for line in [format!("  a b.txt , {SUM} , 7 \r\n"), format!("\ta b.txt,\t{SUM},7")] {
            let entry = read(&line).unwrap().unwrap();
            assert_eq!((&*entry.path, entry.size), ("a b.txt", 7));
        }
    }

    #[test]
    fn paths_keep_their_commas_and_odd_characters() {
        for path in ["a,b,c", "a,,b", "x/100%+#?&=;:@!$'()*.txt", "größe/日本.bin", "a'b", "a\"b"]
        {
            assert_eq!(path_of(&format!("{path},{SUM},1")), path);
        }
    }

    #[test]
    fn quoted_names_of_pulp_2_are_unquoted() {
        for (written, path) in [
            ("\"a,b\"", "a,b"),
            ("\"say \"\"hi\"\".txt\"", "say \"hi\".txt"),
            ("\" blank\"", " blank"),
            ("\"plain\"", "plain"),
        ] {
            assert_eq!(path_of(&format!("{written},{SUM},1")), path);
        }
    }

    #[test]
    fn quotes_that_no_csv_writer_makes_belong_to_the_name() {
        for path in ["\"a", "a\"", "\"a\"b\"", "\"a\" \"b\""] {
            assert_eq!(path_of(&format!("{path},{SUM},1")), path);
        }
    }

    #[test]
    fn digests_are_compared_in_lower_case() {
        let line = format!("a,{},1", SUM.to_uppercase());
        assert_eq!(read(&line).unwrap().unwrap().sha256, SUM);
    }

    #[test]
    fn files_without_bytes_are_files() {
        assert_eq!(read(&format!("a,{SUM},0")).unwrap().unwrap().size, 0);
    }

    #[test]
    fn a_line_needs_three_parts() {
        for line in ["a", "a,b", SUM] {
            assert!(matches!(read(line), Err(LineError::Parts { .. })), "{line:?}");
        }
    }

    #[test]
    fn a_path_must_be_relative_whole_and_clean_f98() {
        for path in ["", "/a", "a//b", "a/", "../a", "a/..", "./a", "a/./b", "a\0b", "a\tb", "\"\""]
        {
            let read = read(&format!("{path},{SUM},1")).map(|_| ());
            assert!(matches!(read, Err(LineError::Path { .. })), "{path:?}: {read:?}");
        }
    }

    #[test]
    fn a_path_that_the_host_cannot_carry_is_marked_f98() {
        let line = format!("a\\b,{SUM},1");
        let entry = read(&line).unwrap().unwrap();
        assert!(entry.unfit.unwrap().contains("backslash"));
    }

    #[test]
    fn a_digest_has_64_hex_digits() {
        let short = SUM.get(1..).unwrap();
        let wrong = SUM.replace('9', "g");
        for digest in ["", short, wrong.as_str(), "sha256:00", &format!("{SUM}0")] {
            let read = read(&format!("a,{digest},1")).map(|_| ());
            assert!(matches!(read, Err(LineError::Digest { .. })), "{digest:?}");
        }
    }

    #[test]
    fn a_size_has_decimal_digits_only() {
        for size in ["", "x", "-1", "+1", "1.0", "0x10", "1e3", "1 0", "9223372036854775808", "٣"]
        {
            let read = read(&format!("a,{SUM},{size}")).map(|_| ());
            assert!(matches!(read, Err(LineError::Size { .. })), "{size:?}");
        }
        assert_eq!(read(&format!("a,{SUM},007")).unwrap().unwrap().size, 7);
    }

    #[test]
    fn messages_show_no_control_characters() {
        let message = read("a\u{1b}[2J").unwrap_err().to_string();
        assert!(message.contains("\\u{1b}"), "{message}");
    }

    #[test]
    fn some_names_cannot_be_said() {
        for path in ["#emacs#", " a", "a ", "\"a\"", "\u{a0}a"] {
            assert!(!can_say(path), "{path:?}");
        }
        for path in ["a#", "a,b", "\"a", "a b", "\"a\"b\""] {
            assert!(can_say(path), "{path:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(path in "[a-zA-Z0-9 ,#\"'%+é./-]{1,30}", size in 0..i64::MAX as u64) {
            prop_assume!(check(&path).is_ok() && can_say(&path));
            let mut line = Vec::new();
            write(&mut line, &path, SUM, size);
            let line = String::from_utf8(line).unwrap();
            let entry = read(&line).unwrap().unwrap();
            prop_assert_eq!((&*entry.path, entry.size), (path.as_str(), size));
        }

        #[test]
        fn no_line_makes_it_panic(line in "\\PC{0,200}|[,\"# /.0-9a-f]{0,100}") {
            if let Ok(Some(entry)) = read(&line) {
                prop_assert!(!entry.path.split('/').any(|segment| matches!(segment, "" | "." | "..")));
            }
        }
    }
}
