//! Names that are safe in any file system, and one place for each file of a repository. Pure.
//!
//! A path of a repository becomes a path below the user's folder: the characters `: * ? " < > | \`, control characters
//! and those that change the direction of writing become `_`, as do dots and blanks at the end of a part, and parts `.`
//! and `..`; a name that some systems keep for devices gets a `_` in front; a long part is cut, and marked by a digest
//! of what it was. Source: the naming rules of Win32, Microsoft's "Naming Files, Paths, and Namespaces".
//!
//! Two paths that would meet, also when letter case is ignored, are kept apart by such a mark in the name of the later
//! one. Who had a place keeps it: [`assign`] is told of the places that are taken.

use std::collections::{BTreeMap, HashMap, HashSet};

use sha2::{Digest as _, Sha256};
use wharf_store::model::{PathError, RelativePath};

/// The longest part, in bytes: what file systems take, less room for marks that are put behind a name.
const MAX_PART: usize = 200;
/// The longest path, in bytes.
const MAX_PATH: usize = 3_500;
/// Names of files that are being written begin and end so.
pub(super) const NEW: (&str, &str) = (".wharf-", ".part");
/// Device names of Windows; `COM` and `LPT` with a digit too.
const DEVICES: [&str; 6] = ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"];

/// The path below the folder that a path of the repository becomes, if nobody else is there.
///
/// # Errors
/// None for a path of a repository; a text without any part has no place.
pub(crate) fn safe(path: &str) -> Result<RelativePath, PathError> {
    let parts: Vec<String> = path.split('/').filter(|part| !part.is_empty()).map(part).collect();
    let mut safe = parts.join("/");
    if safe.len() > MAX_PATH {
        let last = parts.last().cloned().unwrap_or_default();
        safe = format!("long{}/{last}", mark(path, 16));
    }
    safe.parse()
}

fn part(part: &str) -> String {
    let mut safe: String =
        part.chars().map(|character| if is_bad(character) { '_' } else { character }).collect();
    let kept = safe.trim_end_matches(['.', ' ']).len();
    let trimmed = safe.len() - kept;
    safe.truncate(kept);
    safe.extend(std::iter::repeat_n('_', trimmed));
    if is_device(&safe) || (safe.starts_with(NEW.0) && safe.ends_with(NEW.1)) {
        safe.insert(0, '_');
    }
    if safe.len() > MAX_PART { cut(&safe, part) } else { safe }
}

fn is_bad(character: char) -> bool {
    character.is_control()
        || matches!(character, ':' | '*' | '?' | '"' | '<' | '>' | '|' | '\\' | '/')
        || matches!(
            character,
            '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
                | '\u{feff}'
        )
}

/// Whether Windows takes a name for a device, whatever stands behind the first dot.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_uppercase();
    let numbered = |prefix: &str| {
        let rest = stem.strip_prefix(prefix);
        rest.is_some_and(|rest| {
            matches!(rest, "¹" | "²" | "³")
                || (rest.len() == 1 && rest.as_bytes()[0].is_ascii_digit())
        })
    };
    DEVICES.contains(&stem.as_str()) || numbered("COM") || numbered("LPT")
}

fn cut(safe: &str, was: &str) -> String {
    let mark = mark(was, 8);
    let (stem, extension) = split(safe);
    let extension = if extension.len() > 20 { "" } else { extension };
    let mut end = MAX_PART - mark.len() - extension.len();
    while !stem.is_char_boundary(end.min(stem.len())) {
        end -= 1;
    }
    let stem = stem.get(..end.min(stem.len())).unwrap_or_default().trim_end_matches(['.', ' ']);
    format!("{stem}{mark}{extension}")
}

/// A name and its extension, which begins with a dot or is empty.
pub(super) fn split(name: &str) -> (&str, &str) {
    match name.rfind('.') {
        Some(dot) if dot > 0 => name.split_at(dot),
        _ => (name, ""),
    }
}

/// `~` and the first hexadecimal digits of a digest.
fn mark(text: &str, digits: usize) -> String {
    let digest = wharf_store::model::Digest(Sha256::digest(text).into()).to_hex();
    format!("~{}", digest.get(..digits).unwrap_or(&digest))
}

/// The same place, under another name: `NAME~MARK.EXT`.
fn marked(local: &RelativePath, path: &str, digits: usize) -> Result<RelativePath, PathError> {
    let text = local.as_str();
    let (folder, name) = text.rsplit_once('/').map_or(("", text), |(folder, name)| (folder, name));
    let (stem, extension) = split(name);
    let name = format!("{stem}{}{extension}", mark(path, digits));
    let text = if folder.is_empty() { name } else { format!("{folder}/{name}") };
    safe(&text)
}

/// The same path with another folder at its top: for where one of its own folders is a file already.
fn aside(local: &RelativePath, path: &str, digits: usize) -> Option<RelativePath> {
    let (top, rest) = local.as_str().split_once('/')?;
    safe(&format!("{top}{}/{rest}", mark(path, digits))).ok()
}

/// Places that are taken, letter case ignored.
#[derive(Default)]
struct Taken {
    files: HashSet<String>,
    folders: HashMap<String, usize>,
}

impl Taken {
    fn allows(&self, local: &RelativePath) -> bool {
        let folded = local.as_str().to_lowercase();
        let in_the_way =
            |at: usize| folded.get(..at).is_some_and(|above| self.files.contains(above));
        !self.files.contains(&folded)
            && !self.folders.contains_key(&folded)
            && !folded.match_indices('/').any(|(at, _)| in_the_way(at))
    }

    fn take(&mut self, local: &RelativePath) {
        let folded = local.as_str().to_lowercase();
        for (at, _) in folded.match_indices('/') {
            *self.folders.entry(folded.get(..at).unwrap_or_default().to_owned()).or_default() += 1;
        }
        self.files.insert(folded);
    }
}

/// One place for each path. Who had one keeps it; of the others those come first whose names are safe as they are, then
/// in the order of their bytes. A path that is left out has no place.
pub(crate) fn assign<'a>(
    paths: impl IntoIterator<Item = &'a str>,
    before: &BTreeMap<&str, &RelativePath>,
) -> BTreeMap<&'a str, RelativePath> {
    let mut taken = Taken::default();
    let mut places = BTreeMap::new();
    let mut rest = Vec::new();
    // Also of files that are gone upstream: they may still be here.
    for local in before.values() {
        taken.take(local);
    }
    for path in paths {
        match before.get(path) {
            Some(local) => drop(places.insert(path, (*local).clone())),
            None => rest.extend(safe(path).map(|local| (local, path))),
        }
    }
    rest.sort_by_key(|(local, path)| (local.as_str() != *path, *path));
    for (local, path) in rest {
        let digits = [8, 16, 32, 64];
        let named = digits.into_iter().filter_map(|digits| marked(&local, path, digits).ok());
        let others = named.chain(digits.into_iter().filter_map(|it| aside(&local, path, it)));
        let mut tries = std::iter::once(local.clone()).chain(others);
        let Some(free) = tries.find(|local| taken.allows(local)) else { continue };
        taken.take(&free);
        places.insert(path, free);
    }
    places
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn places(paths: &[&'static str]) -> Vec<String> {
        let places = assign(paths.iter().copied(), &BTreeMap::new());
        paths.iter().map(|path| places[path].to_string()).collect()
    }

    // F98
    #[test]
    fn names_become_safe() {
        for (path, local) in [
            ("a/b.txt", "a/b.txt"),
            ("what: a *?\"<>|.txt", "what_ a ______.txt"),
            ("../../etc/passwd", "__/__/etc/passwd"),
            ("/absolute", "absolute"),
            ("a/./b", "a/_/b"),
            ("C:\\x", "C__x"),
            ("tab\there\u{202e}", "tab_here_"),
            ("trailing. .", "trailing___"),
            ("con", "_con"),
            ("Aux.tar.gz", "_Aux.tar.gz"),
            ("com7.txt", "_com7.txt"),
            ("LPT¹", "_LPT¹"),
            ("console", "console"),
            (".wharf-1-ab.part", "_.wharf-1-ab.part"),
            ("///x", "x"),
            ("Übung/日本.pdf", "Übung/日本.pdf"),
        ] {
            assert_eq!(safe(path).expect(path).as_str(), local, "{path:?}");
        }
    }

    #[test]
    fn long_names_are_cut_and_stay_apart() {
        let (one, other) = ("ä".repeat(300) + "1.pdf", "ä".repeat(300) + "2.pdf");
        let (one, other) = (safe(&one).expect("a path"), safe(&other).expect("a path"));
        assert_ne!(one, other);
        for name in [one, other] {
            assert!(
                name.as_str().len() <= MAX_PART && name.as_str().strip_suffix(".pdf").is_some(),
                "{name}"
            );
        }
        let deep = "x".repeat(100) + "/";
        let deep = safe(&(deep.repeat(40) + "end.txt")).expect("a path");
        assert!(deep.as_str().ends_with("/end.txt"));
    }

    // F99, F100
    #[test]
    fn paths_that_would_meet_are_kept_apart_and_safe_names_come_first() {
        assert_eq!(
            places(&["a?.txt", "a_.txt"]),
            [places(&["a_.txt", "a?.txt"])[1].as_str(), "a_.txt"]
        );
        let met = places(&["a?.txt", "a*.txt", "A_.TXT"]);
        assert_eq!(met[2], "A_.TXT");
        let distinct: HashSet<String> = met.iter().map(|name| name.to_lowercase()).collect();
        assert_eq!(distinct.len(), 3, "{met:?}");
        let nested = places(&["a_/b", "a?"]);
        assert!(nested[0] == "a_/b" && nested[1].starts_with("a_~"), "{nested:?}");
    }

    #[test]
    fn who_had_a_place_keeps_it() {
        let before: RelativePath = "a_.txt".parse().expect("a path");
        let before = BTreeMap::from([("a?.txt", &before)]);
        let now = assign(["a?.txt", "a_.txt"], &before);
        assert_eq!(now["a?.txt"].as_str(), "a_.txt");
        assert!(now["a_.txt"].as_str().starts_with("a_~"), "{now:?}");
    }

    proptest! {
        #[test]
        fn whatever_a_path_is_its_name_is_safe_and_stays_so(path in "\\PC{0,60}|[a-c./:*? ]{0,40}|(\\.\\./){0,3}.{0,20}") {
            prop_assume!(path.contains(|character| character != '/'));
            let local = safe(&path).expect("a path");
            prop_assert_eq!(safe(local.as_str()).expect("a path"), local.clone());
            for part in local.as_str().split('/') {
                prop_assert!(!part.ends_with(['.', ' ']) && !part.contains(is_bad) && part.len() <= MAX_PART);
            }
        }

        #[test]
        fn places_are_distinct_and_do_not_depend_on_the_order(mut paths in proptest::collection::btree_set("[aA_?*/b.]{1,6}", 1..12)) {
            paths.retain(|path| path.parse::<RelativePath>().is_ok());
            let there = assign(paths.iter().map(String::as_str), &BTreeMap::new());
            let back = assign(paths.iter().rev().map(String::as_str), &BTreeMap::new());
            prop_assert_eq!(&there, &back);
            let folded: HashSet<String> = there.values().map(|local| local.as_str().to_lowercase()).collect();
            prop_assert_eq!(folded.len(), paths.len());
        }
    }
}
