//! A program of one's own that keeps a mirror. `embed DATA PLUGINS URL`: state below DATA, plugins in PLUGINS/*, a
//! PULP_MANIFEST at URL. No server and no `wharf` is needed; `wharf --data DATA serve` may give out what it made.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program may print")]

use std::{error::Error, path::Path, process::ExitCode};

use serde_json::{Map, json};
use wharf_engine::{Claim, Config, Engine, JobView, PublishOptions, SyncOptions};
use wharf_engine::{Guardian, SearchPath, guardian_main, standard_runtime_dir};

fn main() -> ExitCode {
    // The program guards its plugins itself: they end with it, however it ends.
    if let Some(code) = guardian_main() {
        return code;
    }
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [data, plugins, url] = arguments.try_into().map_err(|_| "usage: embed DATA PLUGINS URL")?;
    tokio::runtime::Runtime::new()?.block_on(mirror(data.as_ref(), plugins.as_ref(), &url))
}

async fn mirror(data: &Path, plugins: &Path, url: &str) -> Result<(), Box<dyn Error>> {
    // One host at a time has the data folder; the claim ends with this function.
    let claim = Claim::take(data)?;
    let search = SearchPath::standard(data, &[plugins.to_owned()], &std::env::current_exe()?);
    let mut config = Config::new(claim.data().to_owned(), search, standard_runtime_dir(data));
    config.guardian = Guardian::CurrentExe;
    let engine = Engine::open(config).await?;
    if engine.repository("tools").await.is_err() {
        engine.create_repository("tools", Vec::new()).await?;
    }
    let settings = Map::from_iter([("url".to_owned(), json!(url))]);
    engine.attach("tools", "file.importer", settings).await?;
    engine.attach("tools", "file.distributor", Map::new()).await?;

    let sync = engine.sync("tools", SyncOptions::default()).await?;
    report(&engine.ended(sync.id).await?);
    for publish in engine.publish("tools", PublishOptions::default()).await? {
        report(&engine.ended(publish.id).await?);
    }
    engine.shutdown().await;
    Ok(())
}

fn report(job: &JobView) {
    let result = job.result.clone().unwrap_or_default();
    let (state, problem) = (job.state, job.problem.as_ref().map(|it| it.message.as_str()));
    let (added, version) = (result.added, result.version.unwrap_or_default());
    println!(
        "{} {state}: {added} added, version {version}. {}",
        job.operation,
        problem.unwrap_or("All is well.")
    );
}
