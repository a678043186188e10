//! Names of repositories and digests, as registries take them. Source: OCI distribution-spec, "Pulling manifests".

/// The longest name: what clients put before it must fit into 255 letters too.
const MAX_NAME: usize = 200;

/// What is wrong with a name.
pub(super) fn check(name: &str) -> Result<(), &'static str> {
    if name.len() > MAX_NAME {
        return Err("the name is too long: 200 letters at most");
    }
    if name.split('/').all(is_part) {
        return Ok(());
    }
    Err(
        "names of images have small letters and digits, with . _ __ or - between them, and / between their parts",
    )
}

/// Letters and digits; between them `.`, `_`, `__` or any number of `-`.
fn is_part(part: &str) -> bool {
    let is_word = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit();
    let ends_well = part.starts_with(is_word) && part.ends_with(is_word);
    let mut between = part.split(is_word).filter(|it| !it.is_empty());
    ends_well
        && between
            .all(|it| matches!(it, "." | "_" | "__") || it.chars().all(|letter| letter == '-'))
}

/// The name nearest to a template's.
pub(super) fn of(template: &str) -> String {
    let lower = template.to_ascii_lowercase();
    let words = lower.split(|it: char| !it.is_ascii_lowercase() && !it.is_ascii_digit());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    if words.is_empty() { "image".to_owned() } else { words.join("-") }
}

/// `sha256:` and 64 hex digits.
pub(super) fn is_digest(text: &str) -> bool {
    let is_hex = |it: char| it.is_ascii_digit() || ('a'..='f').contains(&it);
    text.strip_prefix("sha256:").is_some_and(|hex| hex.len() == 64 && hex.chars().all(is_hex))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_as_registries_take_them() {
        for good in ["a", "library/debian", "a.b_c__d--e/f0", "x/y/z"] {
            assert!(check(good).is_ok(), "{good}");
        }
        for wrong in ["", "A", "a/", "/a", "a..b", "a___b", "-a", "a b", "ä", "a/../b"] {
            assert!(check(wrong).is_err(), "{wrong}");
        }
        assert!(check(&"a".repeat(201)).is_err());
    }

    #[test]
    fn a_template_of_any_name_has_an_image_name() {
        for (template, name) in [("Web Server 2", "web-server-2"), ("äß", "image"), ("web", "web")]
        {
            assert_eq!(of(template), name);
            assert!(check(&of(template)).is_ok());
        }
    }

    #[test]
    fn a_digest_is_one_of_sha256_in_small_hex() {
        assert!(is_digest(&format!("sha256:{}", "0a".repeat(32))));
        assert!(!is_digest(&format!("sha256:{}", "0A".repeat(32))) && !is_digest("sha256:0a"));
    }
}
