//! Gives recipes out: the texts, an index of them that an importer can read, a list of digests, signatures.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use wharf_sdk::{
    Attachment, ClientConfig, ClientConfigRequest, Component, Context, Distributor, Done, Error,
    PublishRequest, PublishedFile, Query, ReissueRequest, SignForm, Unit, async_trait,
};

use super::index::{Entry, INDEX, Index};
use super::recipe::{Attributes, Key, RECIPE};

const SHA256SUMS: &str = "SHA256SUMS";

/// The component `distributor`.
pub(crate) struct Trees;

impl Component for Trees {}

#[derive(Deserialize)]
struct Settings {
    #[serde(default = "yes")]
    sha256sums: bool,
}

fn yes() -> bool {
    true
}

#[async_trait]
impl Distributor for Trees {
    async fn publish(&self, request: PublishRequest, context: &Context) -> Result<Done, Error> {
        let mut tree = Tree::new(&request.attachment, request.timestamp_ms, &request.signing)?;
        let query = Query::all().version(request.version);
        tree.read(query, true, context).await?;
        tree.finish(context).await
    }

    async fn reissue(&self, request: ReissueRequest, context: &Context) -> Result<Done, Error> {
        let mut tree = Tree::new(&request.attachment, request.timestamp_ms, &request.signing)?;
        let query = Query::all().version(request.publication.version);
        tree.read(query, false, context).await?;
        tree.finish(context).await
    }

    async fn client_config(&self, request: ClientConfigRequest) -> Result<ClientConfig, Error> {
        let base = request.base_url.trim_end_matches('/');
        let text = format!("# for cooks and for other wharfs\nindex = {base}/{INDEX}\n");
        Ok(ClientConfig::new().file("recipes.conf", "text/plain", text))
    }
}

/// A publication that is being made.
struct Tree {
    settings: Settings,
    index: Index,
    sums: String,
    signs: bool,
}

#[derive(Serialize)]
struct Summary {
    recipes: usize,
}

impl Tree {
    fn new(attachment: &Attachment, made_ms: i64, signing: &[String]) -> Result<Self, Error> {
        let settings = attachment.settings()?;
        let index = Index { made_ms, ..Index::default() };
        Ok(Self { settings, index, sums: String::new(), signs: !signing.is_empty() })
    }

    /// Reads the units of a version, and publishes their files if `files`.
    async fn read(&mut self, query: Query, files: bool, context: &Context) -> Result<(), Error> {
        let query = query.of_type(RECIPE).order_by(&["course", "name"]);
        let mut pages = context.units(query).await?;
        while let Some(page) = pages.next().await? {
            for unit in page {
                let path = self.add(&unit)?;
                if files {
                    let file = PublishedFile::of_unit(&path, unit.id(), &path);
                    context.file(file.media_type("text/plain; charset=utf-8")).await?;
                }
            }
        }
        Ok(())
    }

    /// Lists a unit and gives the path of its file.
    fn add(&mut self, unit: &Unit) -> Result<String, Error> {
        let name = unit.read_key::<Key>()?.name;
        let attributes: Attributes = unit.read_attributes()?;
        let file = unit.files().next().and_then(|file| Some((file, file.hex("sha256")?)));
        let Some((file, sha256)) = file else {
            let message = format!("the recipe {name} has no file with a digest");
            return Err(Error::fault("content.no_file", message).for_item(name));
        };
        let _infallible = writeln!(self.sums, "{sha256}  {}", file.path());
        let entry = Entry {
            name,
            file: file.path().to_owned(),
            sha256: sha256.to_owned(),
            size: file.bytes().unwrap_or_default(),
            time: attributes.time(),
            title: attributes.title,
            uses: attributes.uses,
        };
        self.index.courses.entry(attributes.course).or_default().push(entry);
        Ok(file.path().to_owned())
    }

    /// Writes what clients read first.
    async fn finish(self, context: &Context) -> Result<Done, Error> {
        let recipes = self.index.courses.values().map(Vec::len).sum();
        let mut index = serde_json::to_vec_pretty(&self.index)
            .map_err(|error| Error::fault("internal.index", error.to_string()))?;
        index.push(b'\n');
        let mut entries = vec![(INDEX, "application/json", index)];
        if self.settings.sha256sums {
            entries.push((SHA256SUMS, "text/plain", self.sums.into_bytes()));
        }
        for (name, media_type, bytes) in entries {
            if self.signs {
                let signed = context.sign(SignForm::DetachedArmored, bytes.clone()).await?;
                let file = PublishedFile::inline(format!("{name}.asc"), signed.bytes);
                let file = file.modified_ms(self.index.made_ms).entry_point();
                context.file(file.media_type("application/pgp-signature")).await?;
            }
            std::fs::write(context.in_work_dir(name), bytes).map_err(|error| {
                let message = format!("{name} cannot be written to the job's folder");
                Error::operation("storage.staged", message).caused_by(&error).retryable()
            })?;
            let file = PublishedFile::staged(name, name).media_type(media_type);
            context.file(file.modified_ms(self.index.made_ms).entry_point()).await?;
        }
        Done::changed().summary(&Summary { recipes })
    }
}
