//! Which names of a share can be carried, and how a folder of it is written.
//!
//! A server may send whatever it likes: a name that could lead out of its folder is refused (F98), like one that the host
//! could not store.

/// The longest path and segment, in bytes.
const MAX_PATH: usize = 4096;
const MAX_SEGMENT: usize = 255;

/// Why a name cannot be carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("its name is empty, \".\" or \"..\"")]
    Dots,
    #[error("its name has \"/\" or \"\\\" in it")]
    Separator,
    #[error("its name has a control character, or one that misleads readers")]
    Character,
    #[error("its path is longer than {MAX_PATH} bytes, or its name than {MAX_SEGMENT}")]
    Long,
}

/// The path of an entry of a folder; the folder's own is empty at the top.
pub(crate) fn below(folder: &str, name: &str) -> Result<String, Refusal> {
    match name {
        "" | "." | ".." => return Err(Refusal::Dots),
        _ if name.contains(['/', '\\']) => return Err(Refusal::Separator),
        _ if name.chars().any(|character| character.is_control() || misleads(character)) => {
            return Err(Refusal::Character);
        }
        _ if name.len() > MAX_SEGMENT || folder.len() + name.len() >= MAX_PATH => {
            return Err(Refusal::Long);
        }
        _ => {}
    }
    Ok(if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") })
}

/// A folder as a user writes it, in one form: segments with `/` between them.
pub(crate) fn folder(text: &str) -> Result<String, Refusal> {
    let mut folder = String::new();
    for segment in text.trim().split(['/', '\\']).filter(|segment| !segment.is_empty()) {
        folder = below(&folder, segment)?;
    }
    Ok(folder)
}

/// Separators of lines, marks of direction, the byte order mark.
fn misleads(character: char) -> bool {
    matches!(
        character,
        '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'
            ..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
    )
}

/// A text for people: control characters escaped, cut after 120 characters.
pub(crate) fn shown(text: &str) -> String {
    let escaped = |character: char| -> String {
        if character.is_control() || misleads(character) {
            character.escape_unicode().collect()
        } else {
            character.to_string()
        }
    };
    text.chars().take(120).map(escaped).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    // F98
    #[test]
    fn names_that_lead_out_of_their_folder_are_refused() {
        for (name, refusal) in [
            ("", Refusal::Dots),
            (".", Refusal::Dots),
            ("..", Refusal::Dots),
            ("../x", Refusal::Separator),
            ("a/b", Refusal::Separator),
            ("..\\x", Refusal::Separator),
            ("a\u{1}", Refusal::Character),
            ("a\u{202e}b", Refusal::Character),
        ] {
            assert_eq!(below("a", name), Err(refusal), "{name:?}");
        }
        assert_eq!(below("a", &"x".repeat(256)), Err(Refusal::Long));
        assert_eq!(below(&"x/".repeat(2_047), "yy"), Err(Refusal::Long));
        assert_eq!(below("", "größe.txt").as_deref(), Ok("größe.txt"));
        assert_eq!(below("a/b", "c:d").as_deref(), Ok("a/b/c:d"));
    }

    #[test]
    fn folders_are_brought_into_one_form() {
        for (given, form) in
            [("", ""), ("/", ""), ("\\a\\b\\", "a/b"), ("/a//b/", "a/b"), ("a b", "a b")]
        {
            assert_eq!(folder(given).as_deref(), Ok(form), "{given}");
        }
        assert_eq!(folder("a/../b"), Err(Refusal::Dots));
    }
}
