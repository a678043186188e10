//! Takes the files of a folder on this machine.
//!
//! Lists them with revisions; the host compares, copies and hashes. No link is followed out of the folder, and
//! nothing in it is ever changed.

mod exclude;
mod walk;

use std::ops::ControlFlow;
use std::path::{Component as Part, Path, PathBuf};

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use wharf_sdk::{
    Check, CheckScope, Checked, Component, Context, Done, Error, FetchRequest, File, Importer,
    ListRequest, ListedItem, Progress, Unit, async_trait,
};

use crate::{FILE, path};
use exclude::Exclude;
use walk::{Found, Item};

/// How many findings go over at a time, and how many such lots may wait.
const LOT: usize = 500;
const LOTS: usize = 4;

/// The component `folder`.
pub(crate) struct Folders;

#[derive(Debug, Deserialize, Serialize)]
struct Settings {
    path: String,
    #[serde(default)]
    exclude: Vec<String>,
}

#[async_trait]
impl Component for Folders {
    async fn check(&self, check: Check) -> Result<Checked, Error> {
        if check.scope == CheckScope::Instance {
            return Ok(Checked::good());
        }
        let settings: Settings = check.values()?;
        let mut checked = Checked::good();
        let path = match normal(&settings.path) {
            Ok(path) => path,
            Err(why) => {
                checked = checked.error("/path", "config.path", why);
                settings.path
            }
        };
        if checked.is_good() && !Path::new(&path).is_dir() {
            checked = checked.error("/path", "config.path", format!("{path} is not a folder"));
        }
        for (index, pattern) in settings.exclude.iter().enumerate() {
            if let Err(why) = exclude::check(pattern) {
                checked = checked.error(&format!("/exclude/{index}"), "config.exclude", why);
            }
        }
        checked.normalised(&Settings { path, exclude: settings.exclude })
    }
}

/// An absolute path without trailing or doubled slashes.
fn normal(text: &str) -> Result<String, String> {
    let path = Path::new(text.trim());
    if !path.is_absolute() {
        return Err(format!("{text:?} is not an absolute path; it must begin with \"/\""));
    }
    let parts: Vec<Part<'_>> = path.components().collect();
    if parts.contains(&Part::ParentDir) || text.chars().any(char::is_control) {
        return Err(format!("{text:?} has a segment \"..\" or a control character"));
    }
    let normal: PathBuf = parts.into_iter().collect();
    Ok(normal.to_string_lossy().into_owned())
}

#[async_trait]
impl Importer for Folders {
    async fn list(&self, request: ListRequest, context: &Context) -> Result<Done, Error> {
        let settings: Settings = request.attachment.settings()?;
        let root = root(&settings)?;
        let exclude = Exclude::new(&settings.exclude);
        let (sender, mut lots) = mpsc::channel(LOTS);
        // Folders may be slow; heartbeats are answered meanwhile.
        let walking = tokio::task::spawn_blocking({
            let root = root.clone();
            move || walk_in_lots(&root, &exclude, &sender)
        });
        let mut count = 0;
        while let Some(lot) = lots.recv().await {
            for found in lot {
                if request.wants(&found.path) {
                    count += 1;
                    tell(&root, found, context).await?;
                }
            }
            context.progress(Progress::new(count, 0).unit("files").phase("listing")).await;
        }
        walking.await.map_err(|error| {
            Error::fault("internal.walk", "listing broke off").caused_by(&error)
        })??;
        Ok(Done::changed().announced(count))
    }

    async fn fetch(&self, request: FetchRequest, context: &Context) -> Result<Done, Error> {
        let settings: Settings = request.attachment.settings()?;
        let root = root(&settings)?;
        let path = request.unit.files().next().map(|file| file.path().to_owned());
        let path = path.unwrap_or_default();
        path::check(&path).map_err(|why| Error::usage("content.path", why.to_string()))?;
        let source = walk::source(&root, &path).map_err(|why| {
            let message = format!("{path}: {why}");
            Error::operation("source.file", message).for_item(path.clone())
        })?;
        context.source(address(&root, &source)).await?;
        Ok(Done::unchanged())
    }
}

fn root(settings: &Settings) -> Result<PathBuf, Error> {
    let path =
        normal(&settings.path).map_err(|why| Error::usage("config.path", why).at_field("/path"))?;
    Ok(PathBuf::from(path))
}

fn walk_in_lots(
    root: &Path,
    exclude: &Exclude,
    lots: &mpsc::Sender<Vec<Found>>,
) -> Result<(), Error> {
    let mut lot = Vec::with_capacity(LOT);
    let walked = walk::walk(root, exclude, |found| {
        lot.push(found);
        let full = lot.len() == LOT;
        let sent = full.then(|| lots.blocking_send(std::mem::take(&mut lot)));
        match sent {
            // Nobody listens any more: the call is over.
            Some(Err(_closed)) => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    });
    walked.map_err(|error| {
        let message = format!("the folder {} cannot be read", root.display());
        Error::operation("source.folder", message).caused_by(&error)
    })?;
    drop(lots.blocking_send(lot));
    Ok(())
}

async fn tell(root: &Path, found: Found, context: &Context) -> Result<(), Error> {
    let Found { path, item } = found;
    match item {
        Item::File { source, size, modified_ms, revision } => {
            #[derive(Serialize)]
            struct Key<'a> {
                relative_path: &'a str,
            }
            let file = File::at(&path).size(size).url(address(root, &source));
            let unit = Unit::new(FILE).key(&Key { relative_path: &path })?.file(file);
            context.listed(ListedItem::new(unit).revision(revision).modified_ms(modified_ms)).await
        }
        Item::Skipped { code, why } => context.skipped(path, code, why).await,
        Item::Failed { code, why } => {
            context.failed(path.clone(), Error::operation(code, format!("{path}: {why}"))).await
        }
    }
}

/// A file address: a path behind `file://`, as it is.
fn address(root: &Path, source: &str) -> String {
    let root = root.to_string_lossy();
    let root = root.trim_end_matches('/');
    format!("file://{root}/{source}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_brought_into_one_form() {
        for (given, stored) in
            [("/srv/x", "/srv/x"), ("/srv//x/", "/srv/x"), (" /srv/./x ", "/srv/x"), ("/", "/")]
        {
            assert_eq!(normal(given).as_deref(), Ok(stored));
        }
    }

    #[test]
    fn paths_that_are_not_absolute_or_climb_are_refused() {
        for given in ["", "srv", "./x", "~/x", "/srv/../x", "/srv/\u{7}"] {
            assert!(normal(given).is_err(), "{given:?}");
        }
    }

    #[test]
    fn addresses_are_not_escaped() {
        assert_eq!(address(Path::new("/srv/my files"), "a b#%"), "file:///srv/my files/a b#%");
        assert_eq!(address(Path::new("/"), "a"), "file:///a");
    }
}
