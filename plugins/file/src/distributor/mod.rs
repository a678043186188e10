//! Publishes every file at its own path, with a fresh manifest and a list for `sha256sum -c`.
//!
//! Both lists are sorted by path and hold nothing but paths, digests and sizes: the same version gives the same
//! bytes. A file that a list cannot name is published all the same, and told.

mod lists;
mod spool;

use serde::{Deserialize, Serialize};
use wharf_sdk::{
    Attachment, Check, CheckScope, Checked, Component, Context, Distributor, Done, Error, Progress,
    PublishRequest, PublishedFile, Query, ReissueRequest, Unit, async_trait,
};

use crate::{FILE, path};
use lists::Lists;

const PULP_MANIFEST: &str = "PULP_MANIFEST";
const SHA256SUMS: &str = "SHA256SUMS";
/// The setting that switches the manifest off.
const OFF: &str = "off";

/// The component `distributor`.
pub(crate) struct Trees;

#[derive(Clone, Debug, Deserialize, Serialize)]
struct Settings {
    #[serde(default = "manifest_name")]
    manifest: String,
    #[serde(default = "yes")]
    sha256sums: bool,
}

fn manifest_name() -> String {
    PULP_MANIFEST.to_owned()
}

fn yes() -> bool {
    true
}

impl Settings {
    fn read(attachment: &Attachment) -> Result<Self, Error> {
        let settings: Self = attachment.settings()?;
        match settings.problem() {
            Some(why) => Err(Error::usage("config.manifest", why).at_field("/manifest")),
            None => Ok(settings),
        }
    }

    fn manifest(&self) -> Option<&str> {
        (!matches!(self.manifest.as_str(), "" | OFF)).then_some(self.manifest.as_str())
    }

    fn problem(&self) -> Option<String> {
        let name = self.manifest()?;
        if let Err(why) = path::check(name) {
            return Some(why.to_string());
        }
        if name.contains('/') {
            return Some(format!(
                "{name:?} must be a name without \"/\": the manifest lies at the top"
            ));
        }
        let twice = self.sha256sums && name == SHA256SUMS;
        twice.then(|| {
            format!("{SHA256SUMS} is written too; choose another name or switch sha256sums off")
        })
    }
}

#[async_trait]
impl Component for Trees {
    async fn check(&self, check: Check) -> Result<Checked, Error> {
        if check.scope == CheckScope::Instance {
            return Ok(Checked::good());
        }
        let mut settings: Settings = check.values()?;
        settings.manifest = settings.manifest().unwrap_or(OFF).to_owned();
        match settings.problem() {
            Some(why) => Ok(Checked::good().error("/manifest", "config.manifest", why)),
            None => Checked::good().normalised(&settings),
        }
    }
}

#[async_trait]
impl Distributor for Trees {
    async fn publish(&self, request: PublishRequest, context: &Context) -> Result<Done, Error> {
        let settings = Settings::read(&request.attachment)?;
        let query = Query::all().version(request.version);
        let tree = Tree { settings, files: true, total: request.units };
        tree.publish(query, request.timestamp_ms, context).await
    }

    async fn reissue(&self, request: ReissueRequest, context: &Context) -> Result<Done, Error> {
        let settings = Settings::read(&request.attachment)?;
        let query = Query::all().version(request.publication.version);
        let tree = Tree { settings, files: false, total: 0 };
        tree.publish(query, request.timestamp_ms, context).await
    }
}

/// One publication.
struct Tree {
    settings: Settings,
    /// Whether the files themselves are told, or the lists only.
    files: bool,
    total: u64,
}

#[derive(Serialize)]
struct Summary {
    files: u64,
}

#[derive(Deserialize)]
struct Key {
    relative_path: String,
}

impl Tree {
    async fn publish(
        &self,
        query: Query,
        timestamp_ms: i64,
        context: &Context,
    ) -> Result<Done, Error> {
        let query = query.of_type(FILE).order_by(&["relative_path"]);
        let mut lists = Lists::new(&self.settings, context.work_dir());
        let mut pages = context.units(query).await?;
        let mut count = 0;
        while let Some(page) = pages.next().await? {
            for unit in page {
                self.add(&unit, &mut lists, context).await?;
                count += 1;
            }
            let progress = Progress::new(count, self.total).unit("files");
            context.progress(progress.phase("publishing")).await;
        }
        for list in lists.finish()? {
            let list = list.media_type("text/plain").modified_ms(timestamp_ms).entry_point();
            context.file(list).await?;
        }
        Done::changed().summary(&Summary { files: count })
    }

    async fn add(&self, unit: &Unit, lists: &mut Lists, context: &Context) -> Result<(), Error> {
        let path = unit.read_key::<Key>()?.relative_path;
        let Some(file) = unit.files().next() else {
            let error =
                Error::operation("content.no_file", format!("{path} has no file to publish"));
            return context.failed(path, error).await;
        };
        self.room_for(&path)?;
        if let Some(why) = lists.add(&path, file.hex("sha256"), file.bytes())? {
            context.warn("file.not_listed", format!("{path}: {why}"), &path).await?;
        }
        if !self.files {
            return Ok(());
        }
        context.file(PublishedFile::of_unit(path, unit.id(), file.path())).await
    }

    /// The lists' own names are taken, and so is what lies below them.
    fn room_for(&self, path: &str) -> Result<(), Error> {
        let top = path.split('/').next().unwrap_or(path);
        let manifest = self.settings.manifest().filter(|name| *name == top);
        let (name, way_out) = match manifest {
            Some(name) => (name, "set `manifest` to another name or to \"off\""),
            None if self.settings.sha256sums && top == SHA256SUMS => {
                (SHA256SUMS, "set `sha256sums` to false")
            }
            None => return Ok(()),
        };
        let message = format!(
            "the repository has a file {path:?}, where the publication's own {name} belongs: {way_out}"
        );
        Err(Error::usage("conflict.path", message).for_item(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(manifest: &str, sha256sums: bool) -> Settings {
        Settings { manifest: manifest.to_owned(), sha256sums }
    }

    #[test]
    fn the_manifest_may_have_another_name_or_be_off() {
        assert_eq!(settings("LIST", true).manifest(), Some("LIST"));
        assert_eq!(settings("off", true).manifest(), None);
        assert_eq!(settings("", true).manifest(), None);
    }

    #[test]
    fn names_that_cannot_stand_at_the_top_are_refused() {
        for name in ["a/b", "..", ".", "a\nb", SHA256SUMS] {
            assert!(settings(name, true).problem().is_some(), "{name:?}");
        }
        assert_eq!(settings(SHA256SUMS, false).problem(), None);
        assert_eq!(settings("off", true).problem(), None);
    }
}
