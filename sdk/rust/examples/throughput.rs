//! How many declared units a second go from a plugin's method to a host that counts and drops them, with the real
//! codec over a pipe in memory: `cargo run --release -p wharf-sdk --example throughput`.
use std::io::Write;
use std::time::Instant;

use serde::Serialize;
use tokio::runtime::Builder;
use wharf_sdk::testing::{FakeHost, Harness};
use wharf_sdk::wire::event::Event;
use wharf_sdk::wire::importer_client::ImporterClient;
use wharf_sdk::wire::{Attachment, Instance, SyncRequest as Request};
use wharf_sdk::{
    Component, Context, Done, Error, File, Importer, Plugin, SyncRequest, Unit, async_trait,
};

const UNITS: usize = 1_000_000;
const SUM: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
const MANIFEST: &str = r#"{"name": "many", "version": "0.1.0",
    "components": [{"id": "importer", "role": "importer"}]}"#;

struct Many;
impl Component for Many {}

#[derive(Serialize)]
struct Key<'a> {
    relative_path: &'a str,
    sha256: &'a str,
}

#[async_trait]
impl Importer for Many {
    async fn sync(&self, _: SyncRequest, context: &Context) -> Result<Done, Error> {
        for n in 0..UNITS {
            let path = format!("pool/main/{}/file-{n}.bin", n % 100);
            let url = format!("https://mirror.example.org/tree/{path}");
            let unit = Unit::new("file").key(&Key { relative_path: &path, sha256: SUM })?;
            context.unit(unit.file(File::at(path).sha256(SUM).size(1_024).url(url))).await?;
        }
        Ok(Done::changed())
    }
}

async fn count() -> Result<usize, tonic::Status> {
    let plugin = Plugin::new(MANIFEST).importer("importer", Many);
    let harness = Harness::start(plugin, FakeHost::new());
    let instance = Instance { component: "importer".to_owned(), ..Instance::default() };
    let attachment = Attachment { instance: Some(instance), ..Attachment::default() };
    let request = Request { attachment: Some(attachment), ..Request::default() };
    let mut client = ImporterClient::new(harness.channel());
    let mut events = client.sync(request).await?.into_inner();
    let mut count = 0;
    while let Some(event) = events.message().await? {
        if let Some(Event::Units(units)) = event.event {
            count += units.units.len();
        }
    }
    Ok(count)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let one = Builder::new_current_thread().enable_all().build()?;
    let two = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    for (name, runtime) in [("both sides on one thread", one), ("on two threads", two)] {
        let begun = Instant::now();
        let count = runtime.block_on(count())?;
        let seconds = begun.elapsed().as_secs_f64();
        let rate = f64::from(u32::try_from(count)?) / seconds;
        writeln!(std::io::stdout(), "{name}: {count} units in {seconds:.2} s, {rate:.0} a second")?;
    }
    Ok(())
}
