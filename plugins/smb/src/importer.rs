//! The component `importer`: lists a folder of a share, and hands out its files.

use serde::Serialize;
use wharf_sdk::{
    Check, Checked, Component, Context, Done, Error, FetchRequest, File, Importer, ListRequest,
    ListedItem, Progress, Unit, async_trait,
};

use crate::fetch::{Wanted, fetch};
use crate::session::Session;
use crate::settings::{self, Settings};
use crate::walk::{Found, Walk};
use crate::{FILE, path};

/// The component.
#[derive(Default)]
pub(crate) struct Shares {
    session: Session,
}

#[async_trait]
impl Component for Shares {
    async fn check(&self, check: Check) -> Result<Checked, Error> {
        settings::check(&check)
    }
}

#[async_trait]
impl Importer for Shares {
    async fn list(&self, request: ListRequest, context: &Context) -> Result<Done, Error> {
        let settings = Settings::of(&request.attachment)?;
        let listing = async {
            let share = self.session.begin(&settings.server, context).await?;
            let mut count = 0;
            let mut walk = Walk::new(&share, &settings);
            while let Some(found) = walk.next().await? {
                for one in found {
                    if request.wants(one.path()) {
                        count += 1;
                        tell(one, context).await?;
                    }
                }
                let progress = Progress::new(count, 0).unit("files").phase("listing");
                context.progress(progress).await;
            }
            Ok(Done::changed().announced(count))
        };
        context.or_cancelled(listing).await
    }

    async fn fetch(&self, request: FetchRequest, context: &Context) -> Result<Done, Error> {
        let settings = Settings::of(&request.attachment)?;
        let file = request.unit.files().next().map(|file| file.path().to_owned());
        let path = path::folder(&file.unwrap_or_default()).map_err(|refusal| {
            Error::usage("content.path", format!("the wanted file: {refusal}"))
        })?;
        let wanted = Wanted {
            settings: &settings,
            path: path.as_str(),
            listed: request.revision.parse().ok(),
            asked: request.offset,
            offset: request.offset,
            staging: None,
        };
        context.or_cancelled(fetch(wanted, &self.session, context)).await?;
        Ok(Done::unchanged())
    }
}

#[derive(Serialize)]
struct Key<'a> {
    relative_path: &'a str,
}

async fn tell(found: Found, context: &Context) -> Result<(), Error> {
    match found {
        Found::File { path, revision } => {
            let file = File::at(&path).size(revision.size);
            let unit = Unit::new(FILE).key(&Key { relative_path: &path })?.file(file);
            let item = ListedItem::new(unit).revision(revision.to_string());
            context.listed(item.modified_ms(revision.modified_ms())).await
        }
        Found::Skipped { path, code, why } => context.skipped(path, code, why).await,
        Found::Failed { path, error } => context.failed(path, error).await,
    }
}

impl Found {
    fn path(&self) -> &str {
        match self {
            Self::File { path, .. } | Self::Skipped { path, .. } | Self::Failed { path, .. } => {
                path
            }
        }
    }
}
