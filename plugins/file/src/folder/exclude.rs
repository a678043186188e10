//! What a folder import leaves out.
//!
//! A pattern without `/` fits a name anywhere; one with `/` fits a path from the folder down. `*` and `?` stop
//! at `/`, `**` does not; a `/` at the end fits folders only.

/// Patterns, ready to be asked.
#[derive(Debug)]
pub(super) struct Exclude {
    patterns: Vec<Pattern>,
}

#[derive(Debug)]
struct Pattern {
    text: Vec<char>,
    whole_path: bool,
    folders_only: bool,
}

/// Why a pattern is none.
pub(super) fn check(pattern: &str) -> Result<(), String> {
    let body = pattern.trim_end_matches('/').trim_start_matches('/');
    let climbs = body.split('/').any(|segment| matches!(segment, "" | "." | ".."));
    if climbs {
        return Err(format!("{pattern:?} has an empty segment, \".\" or \"..\", and fits nothing"));
    }
    Ok(())
}

impl Exclude {
    pub(super) fn new(patterns: &[String]) -> Self {
        Self { patterns: patterns.iter().map(|pattern| Pattern::new(pattern)).collect() }
    }

    /// Whether the entry is left out, with everything below it. Path: from the folder down.
    pub(super) fn fits(&self, path: &str, name: &str, folder: bool) -> bool {
        self.patterns.iter().any(|pattern| {
            let text = if pattern.whole_path { path } else { name };
            (folder || !pattern.folders_only) && fits(&pattern.text, text)
        })
    }
}

impl Pattern {
    fn new(pattern: &str) -> Self {
        let folders_only = pattern.ends_with('/');
        let body = pattern.trim_end_matches('/');
        let whole_path = body.contains('/');
        Self { text: body.trim_start_matches('/').chars().collect(), whole_path, folders_only }
    }
}

/// Matches by the set of places in the pattern that the text so far can stand at: no pattern is slow.
fn fits(pattern: &[char], text: &str) -> bool {
    let mut places = vec![false; pattern.len() + 1];
    places[0] = true;
    spread(pattern, &mut places, true);
    for character in text.chars() {
        let mut next = vec![false; pattern.len() + 1];
        for (at, _) in places.iter().enumerate().filter(|(_, reached)| **reached) {
            step(pattern, at, character, &mut next);
        }
        spread(pattern, &mut next, character == '/');
        places = next;
    }
    places[pattern.len()]
}

fn is_double(pattern: &[char], at: usize) -> bool {
    pattern.get(at) == Some(&'*') && pattern.get(at + 1) == Some(&'*')
}

fn step(pattern: &[char], at: usize, character: char, next: &mut [bool]) {
    match pattern.get(at) {
        Some('*') if is_double(pattern, at) || character != '/' => next[at] = true,
        Some('?') if character != '/' => next[at + 1] = true,
        Some(&wanted) if wanted == character && !matches!(wanted, '*' | '?') => next[at + 1] = true,
        _ => {}
    }
}

/// A star may stand for nothing; where a segment begins, `**/` for no folder at all.
fn spread(pattern: &[char], places: &mut [bool], segment_begins: bool) {
    for at in 0..pattern.len() {
        if !places[at] || pattern[at] != '*' {
            continue;
        }
        if is_double(pattern, at) {
            places[at + 2] = true;
            if segment_begins && pattern.get(at + 2) == Some(&'/') {
                places[at + 3] = true;
            }
        } else {
            places[at + 1] = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves_out(pattern: &str, path: &str) -> bool {
        let (folder, path) = (path.ends_with('/'), path.trim_end_matches('/'));
        let name = path.rsplit('/').next().unwrap();
        Exclude::new(&[pattern.to_owned()]).fits(path, name, folder)
    }

    #[test]
    fn a_pattern_without_slash_fits_a_name_anywhere() {
        for (pattern, path, fits) in [
            (".git", ".git/", true),
            (".git", "a/b/.git/", true),
            (".git", "a/.gitignore", false),
            ("*.tmp", "x.tmp", true),
            ("*.tmp", "a/x.tmp", true),
            ("*.tmp", "x.tmp2", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*", "anything", true),
            ("x*y*z", "x-yy-z", true),
            ("x*y*z", "xzy", false),
            ("größe", "größe", true),
        ] {
            assert_eq!(leaves_out(pattern, path), fits, "{pattern} {path}");
        }
    }

    #[test]
    fn a_pattern_with_slash_fits_a_path_from_the_top() {
        for (pattern, path, fits) in [
            ("a/b", "a/b", true),
            ("a/b", "x/a/b", false),
            ("/target", "target/", true),
            ("/target", "a/target/", false),
            ("a/*.o", "a/x.o", true),
            ("a/*.o", "a/b/x.o", false),
            ("a/**/*.o", "a/b/c/x.o", true),
            ("a/**/*.o", "a/x.o", true),
            ("**/x", "x", true),
            ("**/x", "a/b/x", true),
            ("**/x", "ax", false),
            ("a/**", "a/b/c", true),
            ("a/**/b", "a/xb", false),
            ("a/**/b", "a/x/yb", false),
        ] {
            assert_eq!(leaves_out(pattern, path), fits, "{pattern} {path}");
        }
    }

    #[test]
    fn a_slash_at_the_end_fits_folders_only() {
        assert!(leaves_out("target/", "a/target/"));
        assert!(!leaves_out("target/", "a/target"));
        assert!(leaves_out("target", "target"));
    }

    #[test]
    fn a_hostile_pattern_is_not_slow() {
        assert!(!leaves_out(&"*a".repeat(50), &"a".repeat(49)));
        assert!(!leaves_out(&format!("{}b", "**/".repeat(30)), &"a/".repeat(500)));
    }

    #[test]
    fn patterns_that_fit_nothing_are_told() {
        for pattern in ["", "/", "a//b", "../x", "./x"] {
            assert!(check(pattern).is_err(), "{pattern:?}");
        }
        for pattern in ["a", "/a", "a/", "**/a", "..."] {
            assert!(check(pattern).is_ok(), "{pattern:?}");
        }
    }
}
