//! Response headers that a plugin wants sent with a published file.
//!
//! An allow-list: headers that say how a file may be kept and shown. None of them moves the client elsewhere, changes what
//! the bytes are, or touches the host's own.

use std::collections::HashMap;

use wharf_store::model::{Header, RelativePath};

use crate::problem::Problem;

const ALLOWED: [&str; 3] = ["cache-control", "content-disposition", "content-language"];
/// The longest value.
const MAX_VALUE: usize = 256;

/// The headers in the form in which they are stored, by name.
pub(super) fn checked(
    path: &RelativePath,
    headers: HashMap<String, String>,
) -> Result<Vec<Header>, Problem> {
    let mut checked = Vec::with_capacity(headers.len());
    for (name, value) in headers {
        let name = name.to_ascii_lowercase();
        if !ALLOWED.contains(&name.as_str()) {
            return Err(Problem::protocol(format!(
                "{path}: the header {name:?} cannot be set; those that can: {}",
                ALLOWED.join(", ")
            )));
        }
        let plain = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
        let good = value.len() <= MAX_VALUE && value.bytes().all(plain) && value.trim() == value;
        if !good || value.is_empty() {
            return Err(Problem::protocol(format!("{path}: the value of {name} is no header's")));
        }
        checked.push(Header { name, value });
    }
    checked.sort_by(|left, right| left.name.cmp(&right.name));
    if let Some(pair) = checked.windows(2).find(|pair| pair[0].name == pair[1].name) {
        return Err(Problem::protocol(format!("{path}: {} is set twice", pair[0].name)));
    }
    Ok(checked)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, value: &str) -> Result<Vec<Header>, Problem> {
        let headers = HashMap::from([(name.to_owned(), value.to_owned())]);
        checked(&"a/b".parse().unwrap(), headers)
    }

    #[test]
    fn headers_of_the_list_are_taken_and_no_others() {
        let good = check("Cache-Control", "max-age=60").unwrap();
        assert_eq!(
            (good[0].name.as_str(), good[0].value.as_str()),
            ("cache-control", "max-age=60")
        );
        for (name, value) in [
            ("Location", "https://x.example/"),
            ("Set-Cookie", "a=b"),
            ("Content-Type", "text/html"),
            ("Cache-Control", "a\r\nSet-Cookie: b"),
            ("Cache-Control", ""),
            ("Cache-Control", " a"),
            ("Cache-Control", &"a".repeat(257)),
        ] {
            assert!(check(name, value).is_err(), "{name}: {value}");
        }
    }
}
