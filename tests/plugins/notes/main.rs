//! A plugin whose stored data change from version 1 to version 2: the language becomes part of a note's key.
//!
//! It is whatever version the `plugin.json` beside it says, so that a test makes a newer one by another manifest. Its
//! variable `NOTES_FAULT`, as `WHAT:NUMBER`, makes one migration go wrong (`migrations`). Never used outside tests.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    reason = "a plugin's edge: reads its environment, and ends when it is not installed as a test does it"
)]

mod migrations;

use std::process::ExitCode;

use serde::{Deserialize, Serialize};
use wharf_sdk::{
    Component, Context, Distributor, Done, Error, File, Importer, Plugin, PublishRequest,
    SyncRequest, Unit, async_trait,
};

use migrations::{Changes, Fault};

/// The importer, of the version whose key has the language or of the one before.
struct Notes {
    languages: bool,
}

struct Tree;

#[derive(Deserialize)]
struct Settings {
    #[serde(default)]
    count: u32,
}

/// What says which note it is, in version 1 and in version 2.
#[derive(Serialize)]
struct Key {
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    lang: Option<&'static str>,
}

#[derive(Serialize)]
struct Attributes {
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    lang: Option<&'static str>,
}

impl Component for Notes {}
impl Component for Tree {}

#[async_trait]
impl Importer for Notes {
    async fn sync(&self, request: SyncRequest, context: &Context) -> Result<Done, Error> {
        let settings: Settings = request.attachment.settings()?;
        for number in 0..settings.count {
            let title = format!("n{number:04}");
            let lang = if number % 2 == 0 { "en" } else { "de" };
            let text = format!("words of {title}");
            let file = File::at(format!("texts/{title}.txt")).inline(text.clone());
            let of_key = self.languages.then_some(lang);
            let of_attributes = (!self.languages).then_some(lang);
            let unit = Unit::new("note")
                .key(&Key { title, lang: of_key })?
                .attributes(&Attributes { text, lang: of_attributes })?;
            context.unit(unit.file(file)).await?;
        }
        Ok(Done::changed().announced(settings.count.into()))
    }
}

#[async_trait]
impl Distributor for Tree {
    async fn publish(&self, _: PublishRequest, context: &Context) -> Result<Done, Error> {
        context.pass_through("", &[]).await?;
        Ok(Done::changed())
    }
}

fn main() -> ExitCode {
    let program = std::env::current_exe().expect("/proc is there");
    let folder = program.ancestors().nth(2).expect("it stands in the plugin's bin");
    let manifest = std::fs::read_to_string(folder.join("plugin.json")).expect("a manifest");
    let languages = !manifest.contains("note-1.json");
    let plugin = Plugin::new(&manifest)
        .importer("importer", Notes { languages })
        .distributor("distributor", Tree);
    if manifest.contains("\"migrations\"") {
        return plugin.migrations(Changes { fault: Fault::read() }).serve();
    }
    if std::env::args().nth(1).as_deref() == Some("debug") {
        return plugin.debug();
    }
    plugin.serve()
}
