//! The smallest useful plugin: an importer that makes a unit of every line of a list.
use serde::{Deserialize, Serialize};
use wharf_sdk::{
    Component, Context, Done, Download, Error, Importer, Plugin, SyncRequest, Unit, async_trait,
};

struct Hello;
impl Component for Hello {}

#[derive(Deserialize)]
struct Settings {
    url: String,
}

#[derive(Serialize)]
struct Key<'a> {
    text: &'a str,
}

#[async_trait]
impl Importer for Hello {
    async fn sync(&self, request: SyncRequest, context: &Context) -> Result<Done, Error> {
        let settings: Settings = request.attachment.settings()?;
        let list = context.download(Download::from_url(settings.url)).await?;
        let text = std::fs::read_to_string(context.in_work_dir(list.staged.unwrap_or_default()))
            .map_err(|e| Error::operation("content.list", "the list is no text").caused_by(&e))?;
        for text in text.lines() {
            context.unit(Unit::new("greeting").key(&Key { text })?).await?;
        }
        Ok(Done::changed())
    }
}

pub(crate) fn plugin() -> Plugin {
    Plugin::new(include_str!("hello/plugin.json")).importer("importer", Hello)
}

fn main() -> std::process::ExitCode {
    plugin().serve()
}
