//! Listed items that are left out: the host's setting `ignore`, the same for every importer that lists.
//!
//! An entry without `*`, `?`, `[` and `/` is a name: it fits the last part of a path, letter for letter. One with such a
//! pattern fits the last part, and one with a `/` the whole path, where `**` goes over several parts.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

/// What is left out.
#[derive(Debug, Default)]
pub(crate) struct Ignore {
    names: Vec<String>,
    of_names: GlobSet,
    of_paths: GlobSet,
}

impl Ignore {
    /// Reads the entries.
    ///
    /// # Errors
    /// The place of the entry that is no pattern, and why.
    pub(crate) fn new(entries: &[String]) -> Result<Self, (usize, String)> {
        let (mut of_names, mut of_paths) = (GlobSetBuilder::new(), GlobSetBuilder::new());
        let mut names = Vec::new();
        for (place, entry) in entries.iter().enumerate() {
            if !entry.contains(['*', '?', '[', '/']) {
                names.push(entry.clone());
                continue;
            }
            let glob =
                GlobBuilder::new(entry.trim_start_matches('/')).literal_separator(true).build();
            let glob = glob.map_err(|error| (place, error.kind().to_string()))?;
            (if entry.contains('/') { &mut of_paths } else { &mut of_names }).add(glob);
        }
        let built = |builder: GlobSetBuilder| {
            builder
                .build()
                .map_err(|error| (0, format!("the patterns are too large: {}", error.kind())))
        };
        Ok(Self { names, of_names: built(of_names)?, of_paths: built(of_paths)? })
    }

    /// Whether this path is left out.
    pub(crate) fn fits(&self, path: &str) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        self.names.iter().any(|ignored| ignored == name)
            || self.of_names.is_match(name)
            || self.of_paths.is_match(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ignore(entries: &[&str]) -> Ignore {
        let entries: Vec<String> = entries.iter().map(|&entry| entry.to_owned()).collect();
        Ignore::new(&entries).expect("good patterns")
    }

    #[test]
    fn names_fit_the_last_part_only_and_exactly() {
        let ignore = ignore(&["Thumbs.db", "notes"]);
        assert!(ignore.fits("Thumbs.db") && ignore.fits("a/b/Thumbs.db") && ignore.fits("a/notes"));
        assert!(
            !ignore.fits("thumbs.db") && !ignore.fits("notes/a.txt") && !ignore.fits("xThumbs.db")
        );
    }

    #[test]
    fn patterns_fit_names_and_those_with_a_slash_paths() {
        let ignore = ignore(&["*.tmp", "~$?*", "old/**", "/top*.txt", "[0-9].bak"]);
        for path in ["x.tmp", "a/x.tmp", "~$doc", "old/a/b.pdf", "top1.txt", "a/7.bak"] {
            assert!(ignore.fits(path), "{path}");
        }
        for path in ["tmp", "a/old/b.pdf", "a/top1.txt", "77.bak"] {
            assert!(!ignore.fits(path), "{path}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_named_by_its_place() {
        let entries = ["good".to_owned(), "[a".to_owned()];
        assert_eq!(Ignore::new(&entries).expect_err("no pattern").0, 1);
    }
}
