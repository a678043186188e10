//! A folder of a share with all below it, folders side by side.

use std::collections::VecDeque;

use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _};
use smb2::{DirectoryEntry, Error as Smb, ErrorKind};
use wharf_sdk::{Error, ListedPath};

use crate::failure;
use crate::path;
use crate::revision::Revision;
use crate::session::Share;
use crate::settings::Settings;

/// Folders that are listed at the same time: what hides the way to the server and back.
const AT_ONCE: usize = 8;
/// Folders inside each other, at most: a server may show a folder inside itself.
const DEEPEST: usize = 64;

/// What a listing says of one entry. Paths are those from the mirrored folder.
#[derive(Debug)]
pub(crate) enum Found {
    File { path: String, revision: Revision },
    Skipped { path: String, code: &'static str, why: String },
    Failed { path: String, error: Error },
}

/// The listing of everything below the folder of the settings. What is found comes folder by folder, in no order.
pub(crate) struct Walk<'a> {
    share: &'a Share,
    settings: &'a Settings,
    waiting: VecDeque<ListedPath>,
    running: FuturesUnordered<BoxFuture<'a, Listed>>,
}

/// A folder, and what it holds.
type Listed = (ListedPath, Result<Vec<DirectoryEntry>, Smb>);

impl<'a> Walk<'a> {
    pub(crate) fn new(share: &'a Share, settings: &'a Settings) -> Self {
        let waiting = VecDeque::from([ListedPath::top()]);
        Self { share, settings, waiting, running: FuturesUnordered::new() }
    }

    /// What the next folder holds; `None` after the last.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<Found>>, Error> {
        while self.running.len() < AT_ONCE
            && let Some(folder) = self.waiting.pop_front()
        {
            self.running.push(list(self.share.clone(), self.settings, folder).boxed());
        }
        let Some((folder, listed)) = self.running.next().await else { return Ok(None) };
        let entries = match listed {
            Ok(entries) => entries,
            Err(error) => {
                return missed(self.settings, folder.into(), &error).map(|it| Some(vec![it]));
            }
        };
        let mut found = Vec::with_capacity(entries.len());
        for entry in &entries {
            match look(&folder, &entry.into()) {
                Some(Entry::Folder(path)) => self.waiting.push_back(path),
                Some(Entry::Found(one)) => found.push(one),
                None => {}
            }
        }
        Ok(Some(found))
    }
}

async fn list(share: Share, settings: &Settings, folder: ListedPath) -> Listed {
    let Share { tree, mut connection, .. } = share;
    let listed = tree.list_directory(&mut connection, &full(settings, folder.as_str())).await;
    (folder, listed)
}

/// The path in the share of a path in the mirrored folder.
pub(crate) fn full(settings: &Settings, path: &str) -> String {
    match (settings.remote_dir.as_str(), path) {
        ("", path) => path.to_owned(),
        (root, "") => root.to_owned(),
        (root, path) => format!("{root}/{path}"),
    }
}

/// A folder that cannot be listed: nobody may take its files for gone because of that, unless it is gone itself, or is
/// none of this user's business.
fn missed(settings: &Settings, folder: String, error: &Smb) -> Result<Found, Error> {
    let refused = failure::folder(&settings.server, &full(settings, &folder), error);
    match error.kind() {
        _ if folder.is_empty() => Err(refused),
        ErrorKind::NotFound | ErrorKind::NotADirectory => {
            let why = "it vanished while the share was listed".to_owned();
            Ok(Found::Skipped { path: folder, code: "source.vanished", why })
        }
        ErrorKind::AccessDenied => {
            let error = refused.for_item(folder.clone());
            Ok(Found::Failed { path: folder, error })
        }
        _ => Err(refused),
    }
}

/// What matters of an entry of a folder.
struct Seen<'a> {
    name: &'a str,
    is_directory: bool,
    is_link: bool,
    revision: Revision,
}

impl<'a> From<&'a DirectoryEntry> for Seen<'a> {
    fn from(entry: &'a DirectoryEntry) -> Self {
        Self {
            name: &entry.name,
            is_directory: entry.is_directory,
            is_link: entry.is_link(),
            revision: Revision::new(entry.size, entry.modified),
        }
    }
}

enum Entry {
    Folder(ListedPath),
    Found(Found),
}

/// `None`: the folder itself, and the one above it.
fn look(folder: &ListedPath, entry: &Seen<'_>) -> Option<Entry> {
    if matches!(entry.name, "." | "..") {
        return None;
    }
    let path = match folder.below(entry.name) {
        Ok(path) => path,
        Err(refusal) => {
            let path = format!("{folder}/{}", path::shown(entry.name));
            let message = format!("{path}: {refusal}; rename it on the server");
            let error = Error::operation("content.path", message).for_item(path.clone());
            return Some(Entry::Found(Found::Failed { path, error }));
        }
    };
    if entry.is_link {
        let why = "it is a link to another place, and not followed".to_owned();
        let path = path.into();
        return Some(Entry::Found(Found::Skipped { path, code: "source.link", why }));
    }
    if !entry.is_directory {
        let (path, revision) = (path.into(), entry.revision);
        return Some(Entry::Found(Found::File { path, revision }));
    }
    if path.depth() > DEEPEST {
        let path = String::from(path);
        let message =
            format!("{path}: it lies deeper than {DEEPEST} folders; is it inside itself?");
        let error = Error::operation("limit.depth", message).for_item(path.clone());
        return Some(Entry::Found(Found::Failed { path, error }));
    }
    Some(Entry::Folder(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(path: &str) -> ListedPath {
        path::folder(path).unwrap()
    }

    fn entry(name: &str, is_directory: bool) -> Seen<'_> {
        Seen { name, is_directory, is_link: false, revision: Revision { size: 7, written: 5 } }
    }

    // F98
    #[test]
    fn names_that_a_server_must_not_send_are_failed_items() {
        for name in ["../../etc/passwd", "a\\b", "x\u{1}"] {
            let found = look(&folder("a"), &entry(name, false));
            assert!(matches!(found, Some(Entry::Found(Found::Failed { .. }))), "{name}");
            let found = look(&folder("a"), &entry(name, true));
            assert!(matches!(found, Some(Entry::Found(Found::Failed { .. }))), "{name}");
        }
        assert!(look(&folder("a"), &entry("..", true)).is_none());
    }

    #[test]
    fn files_have_their_revision_and_folders_are_gone_into_until_they_are_too_deep() {
        let Some(Entry::Found(Found::File { path, revision })) =
            look(&folder("a"), &entry("b", false))
        else {
            panic!("not a file")
        };
        assert_eq!((path.as_str(), revision.to_string().as_str()), ("a/b", "7-5"));
        let deep = vec!["x"; DEEPEST - 1].join("/");
        assert!(matches!(look(&folder(&deep), &entry("y", true)), Some(Entry::Folder(_))));
        let deeper = format!("{deep}/y");
        let found = look(&folder(&deeper), &entry("z", true));
        assert!(matches!(found, Some(Entry::Found(Found::Failed { .. }))));
    }
}
