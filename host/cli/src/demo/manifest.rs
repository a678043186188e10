//! Lists of files with their digests: the published ones, and the one upstream.
//!
//! Read here once more, apart from the plugin's own reader, because the demo checks what the
//! plugin did.

use crate::error::Error;

/// One file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Below the tree's root.
    pub(crate) path: String,
    /// SHA-256 in lower-case hex.
    pub(crate) sha256: String,
    /// In bytes.
    pub(crate) size: u64,
}

/// Reads a `PULP_MANIFEST`: `PATH,SHA256,SIZE` a line. `place` names it in errors.
pub(crate) fn read(text: &str, place: &str) -> Result<Vec<Entry>, Error> {
    let mut entries = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let entry = entry(line).ok_or_else(|| {
            Error::usage(
                format!("line {} of {place} is not PATH,SHA256,SIZE", number + 1),
                "name the URL of a PULP_MANIFEST",
            )
        })?;
        entries.push(entry);
    }
    entries.sort_by(|one, other| one.path.cmp(&other.path));
    entries.dedup();
    Ok(entries)
}

/// One line, split from the right because paths may contain commas.
fn entry(line: &str) -> Option<Entry> {
    let mut parts = line.rsplitn(3, ',').map(str::trim);
    let size = parts.next()?.parse().ok()?;
    let sha256 = parts.next()?.to_ascii_lowercase();
    let path = unquoted(parts.next()?);
    let hex = sha256.len() == 64 && sha256.bytes().all(|byte| byte.is_ascii_hexdigit());
    (hex && !path.is_empty()).then_some(Entry { path, sha256, size })
}

/// A first field in double quotes, as CSV writers leave it.
fn unquoted(field: &str) -> String {
    let inner = field.strip_prefix('"').and_then(|field| field.strip_suffix('"'));
    inner.map_or_else(|| field.to_owned(), |inner| inner.replace("\"\"", "\""))
}

/// The digests of a `SHA256SUMS`, sorted. A name that needs escapes has a backslash before.
pub(crate) fn sums(text: &str) -> Vec<&str> {
    let mut digests: Vec<&str> = text
        .lines()
        .filter_map(|line| line.trim_start_matches('\\').split_whitespace().next())
        .collect();
    digests.sort_unstable();
    digests
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

    #[test]
    fn paths_may_contain_commas_and_quotes() {
        let upper = DIGEST.to_ascii_uppercase();
        let text = format!("# list\n\n a,b.bin , {upper} , 4 \n\"q\"\"x\",{DIGEST},0\n");
        let entries = read(&text, "x").unwrap();
        assert_eq!(entries[0].path, "a,b.bin");
        assert_eq!(entries[0].sha256, DIGEST);
        assert_eq!(entries[1].path, "q\"x");
    }

    #[test]
    fn a_bad_line_is_named() {
        let error = read(&format!("a,{DIGEST},1\n<html>\n"), "http://h/x").unwrap_err();
        assert_eq!(error.to_string(), "line 2 of http://h/x is not PATH,SHA256,SIZE");
    }

    #[test]
    fn escaped_names_do_not_hide_digests() {
        let text = format!("{DIGEST}  a\n\\{DIGEST}  b\\nc\n");
        assert_eq!(sums(&text), [DIGEST, DIGEST]);
    }
}
