//! What a course holds, as files: `NN - SECTION/ACTIVITY/FILE`, each with its address and its revision.
//!
//! Pure: no request is made here. An entry that cannot be carried is refused alone. Links to other sites and texts without
//! an address are no files, and left out.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use url::Url;
use wharf_sdk::{ListedPath, PathError};

use crate::address::Address;
use crate::answer::{Content, Module, Section};
use crate::place::{Refusal, shown, tamed};
use crate::revision::Revision;

/// The most files of one course.
pub const MAX_FILES: usize = 100_000;

/// A file that can be fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Where it goes.
    pub place: ListedPath,
    /// Where it comes from.
    pub address: Address,
    /// What tells whether it changed.
    pub revision: Revision,
    /// What it is; `None`: a page, whose size is not known.
    pub mimetype: Option<String>,
}

/// What a listing says of one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// It can be fetched.
    File(Listed),
    /// It cannot, and why.
    Refused {
        /// For people.
        path: String,
        /// What is wrong with it.
        why: Refusal,
    },
}

/// A course with more files than are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it has more than {MAX_FILES} files")]
pub struct TooMany;

/// The files of a course, below a folder.
///
/// # Errors
/// There are too many.
pub fn files(top: &ListedPath, sections: &[Section], site: &Url) -> Result<Vec<Found>, TooMany> {
    let all = sections.iter().flat_map(|section| &section.modules);
    if all.map(|module| module.contents.len()).sum::<usize>() > MAX_FILES {
        return Err(TooMany);
    }
    let mut found = Vec::new();
    for (section, number) in sections.iter().zip(0..) {
        let number = section.section.unwrap_or(number);
        let folder = top.below(&title(number, &section.name));
        for (module, name) in section.modules.iter().zip(names(&section.modules)) {
            let folder = folder.clone().and_then(|folder| folder.below(&name));
            let files = module.contents.iter().filter(|content| is_file(content));
            found.extend(files.map(|content| match entry(&folder, content, site) {
                Ok(listed) => Found::File(listed),
                Err(why) => Found::Refused { path: told(top, &name, content), why },
            }));
        }
    }
    Ok(each_once(found))
}

/// A section's folder: two digits keep the course's order.
fn title(number: u64, name: &str) -> String {
    if name.trim().is_empty() {
        format!("{number:02}")
    } else {
        format!("{number:02} - {}", tamed(name))
    }
}

/// A name for the folder of each activity. Several of a section may have one title: the oldest bears it alone, all others
/// with their number, so that a new one moves no file.
fn names(modules: &[Module]) -> Vec<String> {
    let mut oldest = HashMap::new();
    for module in modules.iter().filter(|module| module.contents.iter().any(is_file)) {
        let first = oldest.entry(tamed(&module.name)).or_insert(module.id);
        *first = (*first).min(module.id);
    }
    let name = |module: &Module| {
        let title = tamed(&module.name);
        match module.id {
            Some(id) if oldest.get(&title).is_some_and(|oldest| *oldest != Some(id)) => {
                format!("{title} ({id})")
            }
            _ => title,
        }
    };
    modules.iter().map(name).collect()
}

/// Not a link to another site, nor a text without an address.
fn is_file(content: &Content) -> bool {
    let kind = content.kind.as_deref().unwrap_or("file");
    kind == "file" && content.fileurl.as_ref().is_some_and(|url| !url.is_empty())
}

fn entry(
    folder: &Result<ListedPath, PathError>,
    content: &Content,
    site: &Url,
) -> Result<Listed, Refusal> {
    let mut folder = folder.clone()?;
    let inside = content.filepath.as_deref().unwrap_or_default();
    for segment in inside.split('/').filter(|segment| !segment.is_empty()) {
        folder = folder.below(segment)?;
    }
    let mimetype = content.mimetype.as_deref().filter(|kind| !kind.is_empty()).map(media_type);
    let is_page = mimetype.is_none();
    let ending = Path::new(&content.filename).extension();
    let has_ending = ending.is_some_and(|ending| ending.eq_ignore_ascii_case("html"));
    let place = if is_page && !has_ending && !content.filename.is_empty() {
        folder.below(&format!("{}.html", content.filename))
    } else {
        folder.below(&content.filename)
    }?;
    let address = Address::of(content.fileurl.as_deref().unwrap_or_default(), site)?;
    let natural =
        |number: Option<i64>| u64::try_from(number.unwrap_or_default()).unwrap_or_default();
    let size = if is_page { 0 } else { natural(content.filesize) };
    let revision = Revision::new(size, natural(content.timemodified), &address);
    Ok(Listed { place, address, revision, mimetype })
}

/// It becomes a header one day.
fn media_type(told: &str) -> String {
    let is_good = |byte: u8| byte.is_ascii_alphanumeric() || b"/.+-_".contains(&byte);
    let is_good = told.len() < 128 && told.contains('/') && told.bytes().all(is_good);
    (if is_good { told } else { "application/octet-stream" }).to_owned()
}

/// A path for people of what has none.
fn told(top: &ListedPath, module: &str, content: &Content) -> String {
    let name = shown(&content.filename);
    if top.as_str().is_empty() {
        format!("{module}/{name}")
    } else {
        format!("{top}/{module}/{name}")
    }
}

/// The first of those with one path counts.
fn each_once(found: Vec<Found>) -> Vec<Found> {
    let mut seen = HashSet::new();
    let once = |one: Found| match one {
        Found::File(listed) if !seen.insert(listed.place.clone()) => {
            Found::Refused { path: listed.place.to_string(), why: Refusal::Twice }
        }
        other => other,
    };
    found.into_iter().map(once).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::answer::{List, read};

    fn course(sections: &Value) -> Vec<Found> {
        let sections = read::<List<Section>>(sections.to_string().as_bytes()).unwrap().0;
        let site = Url::parse("https://m.example").unwrap();
        files(&ListedPath::top(), &sections, &site).unwrap()
    }

    fn file(name: &str) -> Value {
        json!({ "type": "file", "filename": name, "filepath": "/", "filesize": 3, "timemodified": 9,
            "mimetype": "text/plain", "fileurl": format!("https://m.example/p.php/1/{name}") })
    }

    fn paths(found: &[Found]) -> Vec<String> {
        let path = |one: &Found| match one {
            Found::File(listed) => listed.place.to_string(),
            Found::Refused { path, why } => format!("{path}: {why:?}"),
        };
        found.iter().map(path).collect()
    }

    #[test]
    fn files_lie_below_their_section_and_activity() {
        let mut deep = file("c.txt");
        deep["filepath"] = json!("/more/and more/");
        let found = course(&json!([
            { "section": 0, "name": "", "modules": [{ "id": 1, "name": "Plan", "contents": [file("a.txt")] }] },
            { "section": 12, "name": "Week 1/2", "modules": [
                { "id": 2, "name": "News" },
                { "id": 3, "name": "Q &amp; A", "contents": [file("b.txt"), deep] }] },
        ]));
        assert_eq!(
            paths(&found),
            [
                "00/Plan/a.txt",
                "12 - Week 1_2/Q & A/b.txt",
                "12 - Week 1_2/Q & A/more/and more/c.txt"
            ]
        );
    }

    #[test]
    fn pages_get_an_ending_and_have_no_size() {
        let page = |name: &str| {
            json!({ "filename": name, "fileurl": format!("https://m.example/p.php/{name}"),
            "filesize": 0, "timemodified": 9 })
        };
        let found = course(&json!([{ "section": 1, "name": "S", "modules": [
            { "name": "P", "contents": [page("index.html"), page("notes")] }] }]));
        assert_eq!(paths(&found), ["01 - S/P/index.html", "01 - S/P/notes.html"]);
        assert!(
            matches!(&found[1], Found::File(it) if it.mimetype.is_none() && it.revision.size == 0)
        );
    }

    #[test]
    fn links_and_texts_without_an_address_are_no_files() {
        let found =
            course(&json!([{ "section": 1, "name": "S", "modules": [{ "name": "L", "contents": [
            { "type": "url", "filename": "Elsewhere", "fileurl": "https://other.example/x" },
            { "type": "content", "filename": "structure", "fileurl": null },
        ] }] }]));
        assert_eq!(found, []);
    }

    #[test]
    fn activities_of_one_title_keep_their_folders_when_a_newer_one_comes() {
        let module = |id: u64| json!({ "id": id, "name": "Sheet", "contents": [file("a.txt")] });
        let section = |modules: Value| json!([{ "section": 1, "name": "S", "modules": modules }]);
        assert_eq!(paths(&course(&section(json!([module(7)])))), ["01 - S/Sheet/a.txt"]);
        let both = course(&section(json!([module(9), module(7)])));
        assert_eq!(paths(&both), ["01 - S/Sheet (9)/a.txt", "01 - S/Sheet/a.txt"]);
        let twice = course(&section(json!([{ "name": "X", "contents": [file("a"), file("a")] }])));
        assert_eq!(paths(&twice), ["01 - S/X/a", "01 - S/X/a: Twice"]);
    }

    // F98, F109
    #[test]
    fn entries_that_a_site_must_not_send_are_refused_alone() {
        let mut climbs = file("x");
        climbs["filepath"] = json!("/../../etc/");
        let mut elsewhere = file("y");
        elsewhere["fileurl"] = json!("https://evil.example/p.php/1");
        let found = course(
            &json!([{ "section": 1, "name": "..", "modules": [{ "id": 1, "name": "../..",
            "contents": [file("../../passwd"), file("a\u{1}"), file(""), climbs, elsewhere, file("good")] }] }]),
        );
        assert_eq!(
            paths(&found),
            [
                ".._../../../passwd: Path(Separator)",
                ".._../a\\u{1}: Path(Character)",
                ".._../: Path(Dots)",
                ".._../x: Path(Dots)",
                ".._../y: Elsewhere",
                "01 - _/.._../good"
            ]
        );
    }

    // F103
    #[test]
    fn a_course_of_too_many_files_is_refused() {
        let one: Content = serde_json::from_value(file("a")).unwrap();
        let module =
            |count| Module { id: None, name: String::new(), contents: vec![one.clone(); count] };
        let section =
            |count| Section { section: None, name: String::new(), modules: vec![module(count)] };
        let site = Url::parse("https://m.example").unwrap();
        assert_eq!(files(&ListedPath::top(), &[section(MAX_FILES + 1)], &site), Err(TooMany));
    }
}
