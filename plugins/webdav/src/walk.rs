//! A folder of a server with all below it, folders side by side.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _, TryStreamExt as _};
use reqwest::{Response, StatusCode};
use tokio::time::timeout;
use tokio_util::io::StreamReader;
use wharf_http::{Lost, find};
use wharf_sdk::{Error, ListedPath};

use crate::failure::{Asked, Case};
use crate::layout::{self, Entry, File};
use crate::multistatus::{self, ReadError};
use crate::place::{Refusal, folder_address};
use crate::session::Dav;
use crate::settings::Settings;

/// Folders that are listed at the same time: what hides the way to the server and back.
const AT_ONCE: usize = 8;
/// Folders inside each other, at most: a server may show a folder inside itself.
const DEEPEST: usize = 64;
/// How long the listing of one folder may take.
const DEADLINE: Duration = Duration::from_mins(5);

/// What a listing says of one entry. Paths are those from the mirrored folder.
#[derive(Debug)]
pub(crate) enum Found {
    File(File),
    Skipped { path: String, code: &'static str, why: String },
    Failed { path: String, error: Error },
}

/// The listing of everything below the folder of the settings. What is found comes folder by folder, in no order.
pub(crate) struct Walk<'a> {
    dav: &'a Dav,
    settings: &'a Settings,
    waiting: VecDeque<ListedPath>,
    running: FuturesUnordered<BoxFuture<'a, Result<Vec<Entry>, Missed>>>,
}

/// A folder that could not be listed.
struct Missed {
    folder: ListedPath,
    /// Only it is concerned, and how.
    status: Option<StatusCode>,
    error: Error,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(dav: &'a Dav, settings: &'a Settings) -> Self {
        let waiting = VecDeque::from([ListedPath::top()]);
        Self { dav, settings, waiting, running: FuturesUnordered::new() }
    }

    /// What the next folder holds; `None` after the last.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<Found>>, Error> {
        while self.running.len() < AT_ONCE
            && let Some(folder) = self.waiting.pop_front()
        {
            self.running.push(list(self.dav, self.settings, folder).boxed());
        }
        let Some(listed) = self.running.next().await else { return Ok(None) };
        let entries = match listed {
            Ok(entries) => entries,
            Err(missed) => return missed.told().map(|found| Some(vec![found])),
        };
        let mut found = Vec::with_capacity(entries.len());
        for entry in entries {
            match look(self.settings, entry) {
                Ok(folder) => self.waiting.push_back(folder),
                Err(one) => found.push(one),
            }
        }
        Ok(Some(found))
    }
}

impl Missed {
    /// Nobody may take a folder's files for gone because it cannot be listed, unless it is gone itself.
    fn told(self) -> Result<Found, Error> {
        let path = String::from(self.folder);
        match self.status {
            _ if path.is_empty() => Err(self.error),
            Some(StatusCode::NOT_FOUND | StatusCode::GONE) => Ok(vanished(path)),
            Some(StatusCode::FORBIDDEN | StatusCode::LOCKED) => {
                let error = self.error.for_item(path.clone());
                Ok(Found::Failed { path, error })
            }
            _ => Err(self.error),
        }
    }
}

async fn list(dav: &Dav, settings: &Settings, folder: ListedPath) -> Result<Vec<Entry>, Missed> {
    let full = settings.full(folder.as_str());
    let asked = if folder.is_top() { Asked::Top } else { Asked::Folder };
    let case = Case { server: &settings.server, asked, full: &full };
    let address = folder_address(&dav.root, &full);
    let listing = async {
        let lost = |error: reqwest::Error| (None, case.lost(Lost::of(&error)));
        let response = dav.list(address.clone()).await.map_err(lost)?;
        if response.status() != StatusCode::MULTI_STATUS {
            return Err((Some(response.status()), case.status(&response)));
        }
        let responses = read(response, &case).await.map_err(|error| (None, error))?;
        layout::entries(&address, &folder, responses).map_err(|why| (None, case.not_that(&why)))
    };
    let listed = timeout(DEADLINE, listing).await;
    let listed = listed.unwrap_or_else(|_elapsed| Err((None, case.late())));
    listed.map_err(|(status, error)| Missed { folder, status, error })
}

async fn read(response: Response, case: &Case<'_>) -> Result<Vec<multistatus::Response>, Error> {
    let pieces = response.bytes_stream().map_err(io::Error::other);
    let read = multistatus::read(StreamReader::new(pieces)).await;
    read.map_err(|error| {
        let broke = match &error {
            ReadError::Xml(quick_xml::Error::Io(error)) => find::<reqwest::Error>(&**error),
            _ => None,
        };
        broke.map_or_else(|| case.unreadable(&error), |error| case.lost(Lost::of(error)))
    })
}

/// What an entry is to the host; a folder is to be listed in its turn.
fn look(settings: &Settings, entry: Entry) -> Result<ListedPath, Found> {
    match entry {
        Entry::Folder(path) if path.depth() <= DEEPEST => Ok(path),
        Entry::Folder(path) => {
            let path = String::from(path);
            let message =
                format!("{path}: it lies deeper than {DEEPEST} folders; is it inside itself?");
            let error = Error::operation("limit.depth", message).for_item(path.clone());
            Err(Found::Failed { path, error })
        }
        Entry::File(file) => Err(Found::File(file)),
        Entry::Refused { path, why } => {
            let code = if why == Refusal::Elsewhere { "source.elsewhere" } else { "content.path" };
            let error = Error::operation(code, format!("{path}: {why}")).for_item(path.clone());
            Err(Found::Failed { path, error })
        }
        Entry::Withheld { path, status } => {
            let full = settings.full(path.as_str());
            let asked = Asked::File(path.as_str());
            let error = Case { server: &settings.server, asked, full: &full }.withheld(status);
            let path = String::from(path);
            Err(match error {
                None => vanished(path),
                Some(error) => Found::Failed { path, error },
            })
        }
    }
}

fn vanished(path: String) -> Found {
    let why = "it vanished while the folder was listed".to_owned();
    Found::Skipped { path, code: "source.vanished", why }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place;
    use crate::settings::Server;

    fn settings() -> Settings {
        let server = Server {
            url: "https://c.example/dav".to_owned(),
            username: String::new(),
            password: None,
            certificates: String::new(),
        };
        Settings { server, remote_dir: String::new() }
    }

    #[test]
    fn folders_are_gone_into_until_they_are_too_deep() {
        let deep = place::folder(&vec!["x"; DEEPEST].join("/")).unwrap();
        assert!(look(&settings(), Entry::Folder(deep.clone())).is_ok());
        let deeper = look(&settings(), Entry::Folder(deep.below("y").unwrap()));
        assert!(
            matches!(deeper, Err(Found::Failed { error, .. }) if error.code() == "limit.depth")
        );
    }

    #[test]
    fn only_what_is_gone_is_left_out_of_a_listing() {
        let path = place::folder("in/x").unwrap();
        let told = |status| look(&settings(), Entry::Withheld { path: path.clone(), status });
        assert!(matches!(told(Some(404)), Err(Found::Skipped { .. })));
        assert!(matches!(told(Some(403)), Err(Found::Failed { .. })));
        let missed = |folder: &ListedPath, status| {
            let error = Error::operation("source.folder", "closed");
            let status = StatusCode::from_u16(status).ok();
            Missed { folder: folder.clone(), status, error }.told()
        };
        assert!(matches!(missed(&path, 404), Ok(Found::Skipped { .. })));
        assert!(matches!(missed(&path, 403), Ok(Found::Failed { .. })));
        assert!(missed(&path, 500).is_err() && missed(&ListedPath::top(), 404).is_err());
    }
}
