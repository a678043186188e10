//! Mirrors projects of a simple repository.
//!
//! The host downloads the page of each project, JSON if the index has it, with the validators of the last time. A page
//! that is as it was keeps the project's units; every other one becomes declared units. Fetching files, comparing and
//! removing are the host's.

mod declare;
mod form;
mod kept;
mod settings;
mod upload;

use std::collections::HashMap;
use std::fs;

use url::Url;
use wharf_sdk::{
    Check, CheckScope, Checked, Class, Component, Context, Done, Download, Downloaded, Error,
    Importer, Keep, Level, Progress, Query, SyncRequest, UploadRequest, async_trait,
};

use crate::index::{self, Format, PageError};
use crate::unit::{ADDED, FILE, PROJECT, ProjectAttributes};
use declare::Bare;
use kept::{Kept, Seen};
use settings::{Plan, Settings};

/// Pages asked for in one go: they lie in the work folder until they are read.
const PAGES: usize = 200;
/// Projects that are gone and told one by one; the rest is counted.
const GONE_TOLD: usize = 20;

/// The component `importer`.
pub(crate) struct Indexes;

#[async_trait]
impl Component for Indexes {
    async fn check(&self, check: Check) -> Result<Checked, Error> {
        if check.scope == CheckScope::Instance {
            return Ok(Checked::good());
        }
        check.values::<Settings>()?.check()
    }
}

#[async_trait]
impl Importer for Indexes {
    async fn sync(&self, request: SyncRequest, context: &Context) -> Result<Done, Error> {
        let plan = Plan::of(&request.attachment)?;
        // What failed the last time is to be tried again, though its page is the same.
        let failed = request.last.as_ref().is_some_and(|last| last.outcome != "succeeded");
        let before = request.attachment.state::<Kept>();
        let mut owners = vec![plan.base.as_str().to_owned()];
        owners.extend(before.as_ref().map(|kept| kept.url.clone()));
        let before =
            before.filter(|kept| !request.full && !failed && kept.url == plan.base.as_str());
        let before = before.unwrap_or_default().whole(context).await?;
        let names = names(&plan, context).await?;
        let mut sync = Sync {
            now: Kept::of(plan.base.as_str()),
            before,
            base_units: request.base_units,
            owners,
            plan: &plan,
            context,
            declared: 0,
            kept: 0,
            gone: Vec::new(),
            failed: 0,
        };
        for (round, chunk) in names.chunks(PAGES).enumerate() {
            sync.pages(chunk, round * PAGES, names.len()).await?;
        }
        sync.finish(names.len()).await
    }

    async fn upload(&self, request: UploadRequest, context: &Context) -> Result<Done, Error> {
        upload::upload(&request, context).await
    }
}

/// The projects that are wanted: those that are named, or all of the index.
async fn names(plan: &Plan, context: &Context) -> Result<Vec<String>, Error> {
    if let Some(names) = plan.filter.named() {
        return Ok(names);
    }
    context.progress(Progress::new(0, 0).phase("reading list of projects")).await;
    let list = context.download(asking(plan.base.as_str(), index::MAX_LIST_BYTES)).await?;
    let bytes = take(&list, context)?;
    let names = Format::of(&list.media_type, &bytes).and_then(|it| index::projects(it, &bytes));
    let mut names = names.map_err(|error| refuse(plan.base.as_str(), &error))?;
    names.retain(|name| plan.filter.wants_project(name));
    Ok(names)
}

/// A download in the representation that is liked best.
fn asking(url: &str, max_bytes: u64) -> Download {
    let headers = HashMap::from([("Accept".to_owned(), index::ACCEPT.to_owned())]);
    Download::default().or_from(url, headers).max_bytes(max_bytes)
}

/// The bytes of a download, which then makes room for the next.
fn take(page: &Downloaded, context: &Context) -> Result<Vec<u8>, Error> {
    let path = context.in_work_dir(page.staged.as_deref().unwrap_or("".as_ref()));
    let bytes = fs::read(&path).and_then(|bytes| fs::remove_file(&path).map(|()| bytes));
    bytes.map_err(|error| {
        let message = format!("the downloaded page {} cannot be read", page.final_url);
        Error::operation("storage.staged", message).caused_by(&error).retryable()
    })
}

fn refuse(url: &str, error: &PageError) -> Error {
    let code = if matches!(error, PageError::Many(_)) { "limit.page" } else { "content.page" };
    Error::operation(code, format!("{url} cannot be used: {error}"))
}

/// What the repository has of a project before a sync.
#[derive(Default)]
struct Held {
    /// Wheels without their metadata.
    bare: Bare,
    /// It came otherwise than from this index: by upload, or from another one. Whoever was there first is who is meant by
    /// the name (F119).
    foreign: bool,
}

/// One sync.
struct Sync<'a> {
    plan: &'a Plan,
    context: &'a Context,
    before: Kept,
    now: Kept,
    base_units: u64,
    /// Where the projects of this importer are from: its index, and the one of before.
    owners: Vec<String>,
    declared: u64,
    kept: usize,
    gone: Vec<String>,
    failed: u64,
}

impl Sync<'_> {
    /// Asks for the pages of some projects, and declares what comes.
    async fn pages(&mut self, names: &[String], begun: usize, total: usize) -> Result<(), Error> {
        let ask = |name: &String| {
            let ask = asking(&self.plan.page(name), index::MAX_PAGE_BYTES);
            match self.before.pages.get(name) {
                Some(seen) => ask.unless_unchanged(&seen.etag, &seen.last_modified),
                None => ask,
            }
        };
        let mut pages = self.context.download_all(names.iter().map(ask).collect()).await?;
        let mut done = 0;
        while let Some((place, page)) = pages.next().await? {
            let name = names.get(place).ok_or_else(|| {
                Error::fault("protocol.download", "the host answered what was not asked")
            })?;
            self.page(name, page).await?;
            done += 1;
            let progress = Progress::new((begun + done) as u64, total as u64).unit("projects");
            self.context.progress(progress.phase("reading pages")).await;
        }
        Ok(())
    }

    async fn page(&mut self, name: &str, page: Result<Downloaded, Error>) -> Result<(), Error> {
        let page = match page {
            Ok(page) => page,
            Err(error) if error.code() == "source.not_found" => {
                if self.held(name).await?.foreign {
                    return self.keep_units(name).await;
                }
                self.gone.push(name.to_owned());
                return Ok(());
            }
            Err(error) => return self.fail(name, error).await,
        };
        let before = self.before.pages.get(name);
        if page.not_modified {
            let seen = before.cloned().ok_or_else(|| {
                let message = "the host says that a page is unchanged, but was not asked";
                Error::fault("protocol.download", message)
            })?;
            return self.keep(name, seen).await;
        }
        let seen = Seen::of(&page);
        let bytes = take(&page, self.context)?;
        if before.is_some_and(|before| before.digest == seen.digest) {
            return self.keep(name, seen).await;
        }
        match read(&page, &bytes) {
            Ok(read) => {
                let held = self.held(name).await?;
                self.now.add(name, seen);
                if held.foreign {
                    let text = format!(
                        "the repository has {name} from elsewhere: what the index has under that name is left out, \
                         so that nobody gets one for the other. If the index only moved, remove the project from the repository first"
                    );
                    self.context.warn("policy.foreign", text, name).await?;
                    self.kept += 1;
                    return self.keep_units(name).await;
                }
                let (plan, context) = (self.plan, self.context);
                self.declared += declare::declare(plan, name, read, &held.bare, context).await?;
                Ok(())
            }
            Err(error) => self.fail(name, error).await,
        }
    }

    /// What the repository has of a project.
    async fn held(&self, name: &str) -> Result<Held, Error> {
        let mut held = Held::default();
        if self.base_units == 0 {
            return Ok(held);
        }
        let (mut files, mut own) = (false, false);
        let query = Query::all().of_type(FILE).of_type(PROJECT).field("name", name)?;
        let mut pages = self.context.units(query).await?;
        while let Some(page) = pages.next().await? {
            for unit in page {
                if unit.kind() == PROJECT {
                    let told: ProjectAttributes = unit.read_attributes()?;
                    own |= told.index.is_some_and(|index| self.owners.contains(&index));
                    continue;
                }
                files = true;
                let mut all = unit.files();
                if let (Some(file), None) = (all.next(), all.next())
                    && let Some(hex) = file.hex("sha256")
                {
                    held.bare.insert(file.path().to_owned(), hex.to_owned());
                }
            }
        }
        held.foreign = files && !own;
        Ok(held)
    }

    /// The project is as it was.
    async fn keep(&mut self, name: &str, seen: Seen) -> Result<(), Error> {
        self.now.add(name, seen);
        self.kept += 1;
        self.keep_units(name).await
    }

    async fn keep_units(&self, name: &str) -> Result<(), Error> {
        if self.base_units == 0 {
            return Ok(());
        }
        // Type by type: only then does an index find them, and not a look at every unit.
        for kind in [FILE, ADDED, PROJECT] {
            self.context.keep(Keep::field(kind, "name", name)?).await?;
        }
        Ok(())
    }

    /// The project could not be read: what there is of it stays, and the sync ends as partial.
    async fn fail(&mut self, name: &str, error: Error) -> Result<(), Error> {
        if error.class() == Class::Cancelled {
            return Err(error);
        }
        self.failed += 1;
        self.context.failed(name, error).await?;
        self.keep_units(name).await
    }

    async fn finish(self, asked: usize) -> Result<Done, Error> {
        if asked > 0 && self.gone.len() == asked {
            self.check_that_it_is_an_index().await?;
        }
        for name in self.gone.iter().take(GONE_TOLD) {
            let text = format!("the index has no project {name}");
            self.context.warn("source.project", text, name).await?;
        }
        if self.gone.len() > GONE_TOLD {
            let text = format!("the index lacks {} projects in all", self.gone.len());
            self.context.warn("source.project", text, "").await?;
        }
        if self.stands() {
            self.context.log(Level::INFO, "all pages are those of the last sync").await;
            return Done::nothing_to_do().state(&self.now.split(&self.before, self.context).await?);
        }
        let done = Done::changed();
        // What was kept is counted by nobody but the host.
        let done =
            if self.kept == 0 && self.failed == 0 { done.announced(self.declared) } else { done };
        done.state(&self.now.split(&self.before, self.context).await?)
    }

    /// Whether every project is as it was, and none came or went.
    fn stands(&self) -> bool {
        let same = self.kept > 0 && self.declared == 0 && self.failed == 0;
        same && self.before.pages.keys().eq(self.now.pages.keys())
            && self.kept == self.now.pages.len()
    }

    /// No project at all is more often a wrong address than an empty index: a list of projects tells.
    async fn check_that_it_is_an_index(&self) -> Result<(), Error> {
        let url = self.plan.base.as_str();
        let wrong = |why: String| {
            let message = format!(
                "none of the projects is at {url}, and that is no index: {why}. Check the setting url; \
                 it usually ends in /simple/. Nothing was changed"
            );
            Error::operation("source.index", message)
        };
        let list = self.context.download(asking(url, index::MAX_LIST_BYTES)).await;
        let list = list.map_err(|error| {
            if error.class() == Class::Cancelled { error } else { wrong(error.to_string()) }
        })?;
        let bytes = take(&list, self.context)?;
        let names = Format::of(&list.media_type, &bytes).and_then(|it| index::projects(it, &bytes));
        names.map(drop).map_err(|error| wrong(error.to_string()))
    }
}

fn read(page: &Downloaded, bytes: &[u8]) -> Result<index::Page, Error> {
    let url = &page.final_url;
    let base = Url::parse(url).map_err(|error| {
        Error::fault("protocol.download", format!("{url:?} is not an address: {error}"))
    })?;
    let format = Format::of(&page.media_type, bytes);
    format.and_then(|it| index::page(it, bytes, &base)).map_err(|error| refuse(url, &error))
}
