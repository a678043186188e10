//! What a folder holds, out of what a server answers about it. Never asks for anything.

use std::collections::HashMap;

use url::Url;
use wharf_sdk::ListedPath;

use crate::multistatus::Response;
use crate::place::{self, Href, Refusal, shown};
use crate::revision::{Revision, milliseconds};

/// An entry of a folder. Paths are those from the mirrored folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// To be listed too.
    Folder(ListedPath),
    /// To be fetched.
    File(File),
    /// It cannot be carried.
    Refused {
        /// The nearest to its path that can be said.
        path: String,
        /// Why not.
        why: Refusal,
    },
    /// The server does not say what it is.
    Withheld {
        /// Its path.
        path: ListedPath,
        /// The status of HTTP that it says instead, if it does.
        status: Option<u16>,
    },
}

/// A file, as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Where it lies.
    pub path: ListedPath,
    /// In bytes; `None`: not told.
    pub size: Option<u64>,
    /// Milliseconds since 1970; `None`: not told.
    pub modified_ms: Option<i64>,
    /// `None`: nothing is told that would tell two versions apart.
    pub revision: Option<Revision>,
}

/// Why an answer is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotThat {
    /// It is about a file.
    #[error("it is a file and no folder")]
    File,
    /// It is about another folder.
    #[error("the server tells of {0} instead")]
    Other(String),
    /// It is about nothing.
    #[error("the server lists nothing, not even the folder itself")]
    Nothing,
}

/// The entries of a folder, whose address was `asked`.
///
/// # Errors
/// The folder itself is not among the answers, or it is none: to believe such a listing would delete what it held.
pub fn entries(
    asked: &Url,
    folder: &ListedPath,
    responses: Vec<Response>,
) -> Result<Vec<Entry>, NotThat> {
    let mut itself = None;
    let mut first_other = None;
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut found: Vec<Entry> = Vec::with_capacity(responses.len());
    for response in responses {
        match place::entry(asked, &response.href) {
            Ok(Href::Itself) => itself = itself.or(Some(response)),
            Ok(Href::Entry(name)) => {
                let entry = read(folder, &name, response);
                match seen.get(&name).and_then(|place| found.get(*place)) {
                    // Some servers list a thing under two of its addresses.
                    Some(same) if *same == entry => {}
                    Some(_other) => found.push(refused(folder, &name, Refusal::Twice)),
                    None => {
                        seen.insert(name, found.len());
                        found.push(entry);
                    }
                }
            }
            Err(why) => {
                first_other.get_or_insert_with(|| shown(&response.href));
                found.push(refused(folder, &response.href, why));
            }
        }
    }
    match (itself.map(|itself| itself.is_folder), first_other) {
        (Some(Some(false)), _) => Err(NotThat::File),
        (Some(_), _) => Ok(found),
        (None, Some(other)) => Err(NotThat::Other(other)),
        (None, None) => Err(NotThat::Nothing),
    }
}

fn read(folder: &ListedPath, name: &str, response: Response) -> Entry {
    let path = match folder.below(name) {
        Ok(path) => path,
        Err(why) => return refused(folder, name, why.into()),
    };
    let Response { refused: status, is_folder, size, changed, tag, .. } = response;
    match is_folder {
        Some(true) => Entry::Folder(path),
        Some(false) => Entry::File(File {
            path,
            size,
            modified_ms: changed.map(milliseconds),
            revision: Revision::new(tag, size, changed),
        }),
        None => Entry::Withheld { path, status },
    }
}

fn refused(folder: &ListedPath, name: &str, why: Refusal) -> Entry {
    let name = shown(name);
    let path = if folder.is_top() { name } else { format!("{folder}/{name}") };
    Entry::Refused { path, why }
}

#[cfg(test)]
mod tests {
    use wharf_sdk::PathError;

    use super::*;

    fn response(href: &str, is_folder: bool) -> Response {
        Response { href: href.to_owned(), is_folder: Some(is_folder), ..Response::default() }
    }

    fn listed(responses: Vec<Response>) -> Result<Vec<Entry>, NotThat> {
        let asked = Url::parse("https://c.example/dav/in/").unwrap();
        entries(&asked, &place::folder("in").unwrap(), responses)
    }

    #[test]
    fn files_and_folders_have_their_path_and_the_folder_itself_is_none_of_them() {
        let file = Response {
            size: Some(5),
            changed: Some(7),
            ..response("https://c.example/dav/in/a%20b.txt", false)
        };
        let found = listed(vec![response("/dav/in/", true), response("/dav/in/deep/", true), file]);
        let path = |text: &str| place::folder(text).unwrap();
        let revision = Revision::new(None, Some(5), Some(7));
        let file =
            File { path: path("in/a b.txt"), size: Some(5), modified_ms: Some(7_000), revision };
        assert_eq!(found, Ok(vec![Entry::Folder(path("in/deep")), Entry::File(file)]));
    }

    // F98
    #[test]
    fn names_that_a_server_must_not_send_fail_alone() {
        let hostile = ["/dav/in/a%2Fb", "/dav/in/a%5Cb", "/dav/in/%00", "/dav/in/x%E2%80%AEtxt"];
        for href in hostile.into_iter().chain(["/etc/passwd", "//evil.example/dav/in/x"]) {
            let found = listed(vec![response("/dav/in", true), response(href, false)]).unwrap();
            assert!(matches!(&found[..], [Entry::Refused { path, .. }] if path.starts_with("in/")));
        }
        let why = |href: &str| {
            let found = listed(vec![response("/dav/in", true), response(href, false)]).unwrap();
            let [Entry::Refused { why, .. }] = &found[..] else { panic!("{found:?}") };
            *why
        };
        assert_eq!(why("/dav/in/a%2Fb"), Refusal::Path(PathError::Separator));
        assert_eq!(why("/dav/x"), Refusal::Elsewhere);
    }

    #[test]
    fn what_is_listed_twice_counts_once_and_two_things_of_one_name_are_told() {
        let twice = listed(vec![
            response("/dav/in/", true),
            response("/dav/in/x", true),
            response("/dav/in/x/", true),
        ]);
        assert_eq!(twice.map(|found| found.len()), Ok(1));
        let found = listed(vec![
            response("/dav/in/x", false),
            response("/dav/in/x/", true),
            response("/dav/in/", true),
        ]);
        let found = found.unwrap();
        assert!(matches!(found[1], Entry::Refused { why: Refusal::Twice, .. }), "{found:?}");
    }

    #[test]
    fn a_listing_without_the_folder_itself_is_not_believed() {
        assert_eq!(listed(vec![]), Err(NotThat::Nothing));
        assert_eq!(listed(vec![response("/dav/in/x", false)]), Err(NotThat::Nothing));
        assert_eq!(listed(vec![response("/dav/in", false)]), Err(NotThat::File));
        let other =
            listed(vec![response("/internal/in/", true), response("/internal/in/x", false)]);
        assert_eq!(other, Err(NotThat::Other("/internal/in/".to_owned())));
    }

    #[test]
    fn what_the_server_says_nothing_of_is_neither_file_nor_folder() {
        let silent =
            Response { is_folder: None, refused: Some(403), ..response("/dav/in/x", true) };
        let found = listed(vec![response("/dav/in/", true), silent]).unwrap();
        assert!(matches!(found[..], [Entry::Withheld { status: Some(403), .. }]), "{found:?}");
    }
}
