//! Texts of strangers, as people may see them.

/// Whether a character hides what a text says: control characters, separators of lines, marks of direction, the byte order
/// mark. Source: Unicode Standard Annex 9, section 2.
pub fn is_misleading(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'
                ..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
        )
}

/// A text of a stranger for messages and logs: what would mislead its readers is escaped, and it ends after so many
/// characters.
pub fn printable(text: &str, longest: usize) -> String {
    let escaped = |character: char| -> String {
        if is_misleading(character) {
            character.escape_unicode().collect()
        } else {
            character.to_string()
        }
    };
    text.chars().take(longest).map(escaped).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_misleads_is_escaped_and_texts_have_an_end() {
        assert_eq!(printable("a\u{202e}b\u{1b}[1mö", 99), "a\\u{202e}b\\u{1b}[1mö");
        assert_eq!(printable("größe", 3), "grö");
    }
}
