//! Publishes a simple repository: a page for each project and a list of them below `simple/`, the files below `files/`.
//!
//! Units come ordered by project; when the last of one came, its page is made. A page that is byte for byte what the
//! publication before had is taken over from there together with the project's files: its entries are copied inside
//! the host, and it keeps its date.

mod client;
mod html;
mod json;
mod page;
mod project;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wharf_sdk::{
    ClientConfig, ClientConfigRequest, Component, Context, Distributor, Done, Error, Progress,
    PublishRequest, PublishedFile, Query, async_trait,
};

use page::{CACHED, FOR_EVER, Page, SIMPLE};
use project::Project;

/// Changes with what pages look like, so that none of an older form is taken over.
const FORM: u32 = 2;
/// What may be kept of the pages in all, in bytes; see the contract's largest message.
const MAX_KEPT_BYTES: usize = 900 << 10;

/// The component `distributor`.
pub(crate) struct Simple;

impl Component for Simple {}

/// What the publication before looked like.
#[derive(Debug, Default, Deserialize, Serialize)]
struct Kept {
    form: u32,
    version: u64,
    /// Digests by project.
    pages: BTreeMap<String, String>,
}

#[derive(Serialize)]
struct Summary {
    projects: usize,
    files: u64,
    pages_reused: u64,
}

#[async_trait]
impl Distributor for Simple {
    async fn publish(&self, request: PublishRequest, context: &Context) -> Result<Done, Error> {
        let before = request.attachment.state::<Kept>().filter(|_| !request.full);
        let previous = request.previous.as_ref().zip(before).and_then(|(previous, kept)| {
            let fits = kept.form == FORM && kept.version == previous.version;
            fits.then_some((previous.id, kept.pages))
        });
        let mut tree = Tree {
            context,
            previous,
            now: Kept { form: FORM, version: request.version, pages: BTreeMap::new() },
            kept_bytes: 0,
            modified_ms: request.timestamp_ms,
            names: Vec::new(),
            redirects: Vec::new(),
            files: 0,
            reused: 0,
        };
        tree.projects(request.version, request.units).await?;
        tree.finish().await
    }

    async fn client_config(&self, request: ClientConfigRequest) -> Result<ClientConfig, Error> {
        client::config(&request)
    }
}

/// One publication.
struct Tree<'a> {
    context: &'a Context,
    previous: Option<(u64, BTreeMap<String, String>)>,
    now: Kept,
    kept_bytes: usize,
    modified_ms: i64,
    names: Vec<String>,
    /// Pages of other spellings of a name, and the name.
    redirects: Vec<(String, String)>,
    files: u64,
    reused: u64,
}

impl Tree<'_> {
    async fn projects(&mut self, version: u64, total: u64) -> Result<(), Error> {
        let query = Query::all().version(version).order_by(&["name"]);
        let mut pages = self.context.units(query).await?;
        let mut current: Option<Project> = None;
        let mut count = 0;
        while let Some(units) = pages.next().await? {
            count += units.len() as u64;
            for unit in &units {
                let name = project::name_of(unit)?;
                if let Some(project) = current.take_if(|project| project.name != name) {
                    self.publish(project).await?;
                }
                current.get_or_insert_with(|| Project::named(name)).add(unit)?;
            }
            let progress = Progress::new(count, total).unit("units");
            self.context.progress(progress.phase("publishing")).await;
        }
        match current {
            Some(project) => self.publish(project).await,
            None => Ok(()),
        }
    }

    async fn publish(&mut self, mut project: Project) -> Result<(), Error> {
        project.complete();
        let folder = format!("{SIMPLE}{}/", project.name);
        let page = Page::new(folder, json::page(&project)?, html::page(&project));
        let digest = page.digest();
        let previous = self
            .previous
            .as_ref()
            .and_then(|(id, pages)| (pages.get(&project.name) == Some(&digest)).then_some(*id));
        self.files += project.files.len() as u64;
        if let Some(id) = previous {
            self.reuse(id, &project).await?;
        } else {
            self.files_of(&project).await?;
            page.send(self.modified_ms, self.context).await?;
        }
        self.keep(&project.name, digest);
        for spelling in project.spellings() {
            self.redirects.push((format!("{SIMPLE}{spelling}/index.html"), project.name.clone()));
        }
        self.names.push(project.name);
        Ok(())
    }

    async fn reuse(&mut self, id: u64, project: &Project) -> Result<(), Error> {
        self.reused += 1;
        self.context.reuse(id, &format!("{SIMPLE}{}", project.name)).await?;
        self.context.reuse(id, &project::folder(&project.name)).await
    }

    async fn files_of(&self, project: &Project) -> Result<(), Error> {
        for file in &project.files {
            let path = file.path(&project.name);
            if file.metadata.is_some() {
                let (from, beside) =
                    (file.metadata_name(), format!("{path}{}", crate::unit::METADATA));
                let beside = PublishedFile::of_unit(beside, file.metadata_unit, from);
                self.context.file(beside.header(CACHED, FOR_EVER)).await?;
            }
            let file = PublishedFile::of_unit(path, file.unit, file.filename.as_str());
            self.context.file(file.header(CACHED, FOR_EVER)).await?;
        }
        Ok(())
    }

    fn keep(&mut self, name: &str, digest: String) {
        let bytes = name.len() + digest.len() + 8;
        if self.kept_bytes + bytes <= MAX_KEPT_BYTES {
            self.kept_bytes += bytes;
            self.now.pages.insert(name.to_owned(), digest);
        }
    }

    async fn finish(self) -> Result<Done, Error> {
        let (json, html) = (json::list(&self.names)?, html::list(&self.names));
        let list = Page::new(SIMPLE.to_owned(), json, html);
        list.send(self.modified_ms, self.context).await?;
        // The host must have the pages before anything leads to them.
        self.context.flush().await?;
        for (from, name) in &self.redirects {
            self.context.redirect(from, &format!("{SIMPLE}{name}/")).await?;
        }
        let summary =
            Summary { projects: self.names.len(), files: self.files, pages_reused: self.reused };
        Done::changed().summary(&summary)?.state(&self.now)
    }
}
