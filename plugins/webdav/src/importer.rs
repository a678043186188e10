//! The component `importer`: lists a folder of a server, and hands out its files.

use serde::{Deserialize, Serialize};
use wharf_sdk::{
    Check, Checked, Component, Context, Done, Error, FetchRequest, File, Importer, ListRequest,
    ListedItem, Progress, Unit, async_trait,
};

use crate::fetch::{Wanted, fetch};
use crate::head::Listed;
use crate::session::Session;
use crate::settings::{self, Settings};
use crate::walk::{Found, Walk};
use crate::{FILE, layout, place};

/// The component.
#[derive(Default)]
pub(crate) struct Folders {
    session: Session,
}

#[async_trait]
impl Component for Folders {
    async fn check(&self, check: Check) -> Result<Checked, Error> {
        settings::check(&check)
    }
}

#[async_trait]
impl Importer for Folders {
    async fn list(&self, request: ListRequest, context: &Context) -> Result<Done, Error> {
        let settings = Settings::of(&request.attachment)?;
        let listing = async {
            let dav = self.session.begin(&settings.server, context).await?;
            let mut count = 0;
            let mut walk = Walk::new(&dav, &settings);
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
        let attributes: Attributes = request.unit.read_attributes()?;
        let file = request.unit.files().next().map(|file| (file.path().to_owned(), file.bytes()));
        let (path, size) = file.unwrap_or_default();
        let path = place::folder(&path).map_err(|refusal| {
            Error::usage("content.path", format!("the wanted file: {refusal}"))
        })?;
        let full = settings.full(path.as_str());
        let (revision, modified_ms) = (request.revision.parse().ok(), attributes.modified_ms);
        let fetching = async {
            let wanted = Wanted {
                dav: &self.session.dav(&settings.server, context).await?,
                path: path.as_str(),
                full: &full,
                listed: Listed { revision, size, modified_ms },
                offset: request.offset,
            };
            fetch(&wanted, context).await
        };
        context.or_cancelled(fetching).await?;
        Ok(Done::unchanged())
    }
}

/// What is kept of a listed file beside its key.
#[derive(Deserialize, Serialize)]
struct Attributes {
    /// Of its tag, size and time the time alone is not handed back with the wish to fetch it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    modified_ms: Option<i64>,
}

#[derive(Serialize)]
struct Key<'a> {
    relative_path: &'a str,
}

async fn tell(found: Found, context: &Context) -> Result<(), Error> {
    match found {
        Found::File(layout::File { path, size, modified_ms, revision }) => {
            let file = match size {
                Some(size) => File::at(path.as_str()).size(size),
                None => File::at(path.as_str()),
            };
            let unit = Unit::new(FILE).key(&Key { relative_path: path.as_str() })?;
            let unit = unit.attributes(&Attributes { modified_ms })?.file(file);
            let revision = revision.map(|revision| revision.to_string()).unwrap_or_default();
            let item = ListedItem::new(unit).revision(revision);
            context.listed(item.modified_ms(modified_ms.unwrap_or_default())).await
        }
        Found::Skipped { path, code, why } => context.skipped(path, code, why).await,
        Found::Failed { path, error } => context.failed(path, error).await,
    }
}

impl Found {
    fn path(&self) -> &str {
        match self {
            Self::File(file) => file.path.as_str(),
            Self::Skipped { path, .. } | Self::Failed { path, .. } => path,
        }
    }
}
