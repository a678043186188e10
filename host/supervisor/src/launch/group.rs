//! The number of a group.

use std::fs;

use crate::error::Error;

const GROUPS: &str = "/etc/group";

/// `group` is a number, or a name of [`GROUPS`].
///
/// # Errors
/// `config`: there is no such name.
pub(super) fn number(group: &str) -> Result<u32, Error> {
    if let Ok(number) = group.parse() {
        return Ok(number);
    }
    let text = fs::read_to_string(GROUPS)
        .map_err(|error| Error::config(format!("{GROUPS} cannot be read"), error))?;
    find(&text, group).ok_or_else(|| {
        let shown = crate::text::excerpt(group, 100);
        let problem =
            format!("the group {shown} is not in {GROUPS}; groups of elsewhere go by number");
        Error::config(problem, None)
    })
}

/// Source: `group(5)`, `name:password:number:members`.
fn find(text: &str, name: &str) -> Option<u32> {
    text.lines().find_map(|line| {
        let mut fields = line.split(':');
        let found = fields.next()? == name;
        found.then(|| fields.nth(1)?.parse().ok()).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_found_by_name_and_number() {
        let text = "root:x:0:\n# no group\ndisk:x:6:a,b\nbad:x:y:\n";
        assert_eq!(find(text, "disk"), Some(6));
        assert_eq!((find(text, "bad"), find(text, "dis"), find(text, "")), (None, None, None));
        assert_eq!(number("4711").unwrap(), 4711);
        assert_eq!(number("root").unwrap(), 0);
        assert!(number("no such group").unwrap_err().to_string().contains("by number"));
    }
}
