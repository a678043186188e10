//! What changes from version to version, and what may go wrong on the way.

use std::time::Duration;

use serde_json::{Map, Value, json};
use wharf_sdk::{Context, Done, Error, File, Migration, Migrations, Query, Unit, async_trait};

/// What goes wrong, and in which migration.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fault {
    what: String,
    number: u32,
}

impl Fault {
    pub(crate) fn read() -> Self {
        let text = std::env::var("NOTES_FAULT").unwrap_or_default();
        let (what, number) = text.split_once(':').unwrap_or_default();
        Self { what: what.to_owned(), number: number.parse().unwrap_or_default() }
    }

    fn is(&self, what: &str, number: u32) -> bool {
        self.number == number && self.what == what
    }
}

pub(crate) struct Changes {
    pub(crate) fault: Fault,
}

#[async_trait]
impl Migrations for Changes {
    async fn migrate(&self, migration: Migration, context: &Context) -> Result<Done, Error> {
        let number = migration.number;
        if self.fault.is("idle", number) {
            return Ok(Done::changed());
        }
        if self.fault.is("steal", number) {
            context.units(Query::all().of_type("file")).await?;
        }
        let mut pages = context.units(Query::all()).await?;
        let mut sent = 0;
        while let Some(page) = pages.next().await? {
            for unit in page {
                let changed = if self.fault.is("read", number) {
                    self.count(&unit, context).await?
                } else {
                    self.change(number, sent, &unit)?
                };
                context.unit(changed).await?;
                sent += 1;
                self.disturb(number, sent, context).await?;
            }
        }
        Ok(Done::changed())
    }
}

impl Changes {
    /// Notes how many bytes the text has.
    async fn count(&self, unit: &Unit, context: &Context) -> Result<Unit, Error> {
        let mut bytes = 0;
        for file in unit.files() {
            let digest = format!("sha256:{}", file.hex("sha256").unwrap_or_default());
            let mut text = context.open_artifact(&digest, 0).await?;
            while let Some(chunk) = text.next().await? {
                bytes += chunk.len();
            }
        }
        Unit::existing("note", unit.id()).attributes(&json!({ "bytes": bytes }))
    }

    fn change(&self, number: u32, sent: u32, unit: &Unit) -> Result<Unit, Error> {
        let key: Map<String, Value> = unit.read_key()?;
        let mut attributes: Map<String, Value> = unit.read_attributes()?;
        let changed = Unit::existing("note", unit.id());
        if self.fault.is("rename", number) {
            let files = unit.files().map(|file| {
                let path = file.path().replace("texts/", "notes/");
                File::at(path).sha256(file.hex("sha256").unwrap_or_default())
            });
            return Ok(files.fold(changed, Unit::file));
        }
        match number {
            1 => {
                let lang = attributes.remove("lang").or_else(|| key.get("lang").cloned());
                let title = if self.fault.is("collide", 1) && sent < 3 {
                    json!("the same")
                } else {
                    key.get("title").cloned().unwrap_or_default()
                };
                let key = json!({ "title": title, "lang": lang.unwrap_or_default() });
                changed.key(&key)?.attributes(&attributes)
            }
            number => {
                attributes.insert("round".to_owned(), json!(number));
                changed.attributes(&attributes)
            }
        }
    }

    /// Halfway through, or again and again.
    async fn disturb(&self, number: u32, sent: u32, context: &Context) -> Result<(), Error> {
        if self.fault.is("slow", number) {
            context.flush().await?;
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        if sent == 3 && self.fault.is("fail", number) {
            context.flush().await?;
            return Err(Error::operation("content.note", "the third note cannot be read"));
        }
        if sent == 3 && self.fault.is("crash", number) {
            context.flush().await?;
            std::process::abort();
        }
        Ok(())
    }
}
