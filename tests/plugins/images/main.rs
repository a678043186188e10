//! Builds made-up images: text files that say what they were made of. A base image can be made badly in several ways.
//! Never used outside tests.

mod shelf;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use serde::Deserialize;
use wharf_sdk::tool::{self, Command, Options};
use wharf_sdk::{
    BuildRequest, Builder, Claim, Component, Context, Done, Error, File, Plugin, Progress, Stage,
    Target, Unit, async_trait,
};

struct Os;

struct Cloud(&'static str);

#[derive(Deserialize)]
struct OsParameters {
    #[serde(default)]
    delay_ms: u64,
    #[serde(default)]
    flaw: String,
}

#[derive(Deserialize)]
struct CloudParameters {
    #[serde(default)]
    comment: String,
    until: Option<PathBuf>,
}

impl Component for Os {}

impl Component for Cloud {}

#[async_trait]
impl Builder for Os {
    async fn build(&self, request: BuildRequest, context: &Context) -> Result<Done, Error> {
        let parameters: OsParameters = request.parameters()?;
        if request.stage != Stage::Base {
            return customise(&request, context).await;
        }
        let half = Duration::from_millis(parameters.delay_ms / 2);
        context.progress(Progress::new(1, 2).phase("installing").activity("half of it")).await;
        pause(context, half).await?;
        let Target { name, version, architecture, .. } = &request.target;
        let template = String::from_utf8_lossy(&request.template).into_owned();
        let given = given(&request);
        let text = format!("base {name} {version} {architecture}\n{template}\n{given}");
        write(&context.in_work_dir("disk"), &text)?;
        pause(context, half).await?;
        let unit = Unit::new("image_base").attributes(&serde_json::json!({ "format": "text" }))?;
        let disk = File::at("disk.txt").staged("disk").media_type("text/plain");
        match parameters.flaw.as_str() {
            "none" => return Ok(Done::changed()),
            "two" => context.unit(unit.clone().file(File::at("x").inline(*b"x"))).await?,
            "type" => {
                context.unit(Unit::new("image_target").file(disk)).await?;
                return Ok(Done::changed());
            }
            "files" => {
                context.unit(unit).await?;
                return Ok(Done::changed());
            }
            "outside" => {
                context.unit(unit.file(File::at("disk.txt").staged("../../wharf.db"))).await?;
                return Ok(Done::changed());
            }
            "error" => {
                return Err(Error::operation("source.unreachable", "the mirror does not answer"));
            }
            "lock" => {
                let grant = context.acquire(Claim::lock("disk")).await?;
                if context.attempt() == 1 {
                    std::process::abort();
                }
                grant.release().await?;
            }
            "space" => drop(context.acquire(Claim::space(u64::MAX)).await?),
            "child" => {
                let sleep = Command::new("sleep").arg("600");
                tool::run(context, &sleep, &Options::new("installing")).await?;
            }
            _ => {}
        }
        context.unit(unit.file(disk)).await?;
        Done::changed().summary(&serde_json::json!({ "packages": 3 }))
    }
}

/// What hooks and additions give, a line each.
fn given(request: &BuildRequest) -> String {
    let line = |one: &wharf_sdk::Contribution| {
        format!("{} {} {}\n", one.kind, one.name, String::from_utf8_lossy(&one.content))
    };
    request.contributions.iter().map(line).collect()
}

async fn customise(request: &BuildRequest, context: &Context) -> Result<Done, Error> {
    let disk = request.parent_file("disk.txt");
    let disk = disk.ok_or_else(|| Error::fault("parent", "it has no disk"))?;
    let read = std::fs::read_to_string(context.in_work_dir(disk));
    let text = read.map_err(|error| Error::fault("disk", error.to_string()))?;
    write(&context.in_work_dir("customised"), &format!("{}{text}", given(request)))?;
    context.unit(Unit::new("image_target").file(File::at("disk.txt").staged("customised"))).await?;
    Ok(Done::changed())
}

#[async_trait]
impl Builder for Cloud {
    async fn build(&self, request: BuildRequest, context: &Context) -> Result<Done, Error> {
        let parameters: CloudParameters = request.parameters()?;
        let parent =
            request.parent.as_ref().ok_or_else(|| Error::fault("parent", "there is none"))?;
        let disk = parent.files().find(|file| file.path() == "disk.txt");
        let staged = disk.and_then(|file| file.staged_path().map(str::to_owned));
        let staged = staged.ok_or_else(|| Error::fault("parent", "it has no disk"))?;
        while let Some(until) = parameters.until.as_ref().filter(|path| !path.exists()) {
            context.log(tracing::Level::INFO, format!("waiting for {}", until.display())).await;
            pause(context, Duration::from_millis(20)).await?;
        }
        let disk = context.in_work_dir(&staged);
        let read = std::fs::read_to_string(&disk);
        let text = read.map_err(|error| Error::fault("disk", error.to_string()))?;
        // What is handed to a plugin is its own: this must not reach the store.
        write(&disk, "scribbled over")?;
        let CloudParameters { comment, .. } = parameters;
        let target = &request.target.name;
        let comment = format!("{comment}{}", given(&request).trim_end());
        let text = format!("{} made it for {target} {comment}\n{text}", self.0);
        write(&context.in_work_dir("image"), &text)?;
        let unit =
            Unit::new("image_target").attributes(&serde_json::json!({ "format": target }))?;
        let file = format!("image.{target}");
        context.unit(unit.file(File::at(file).staged("image"))).await?;
        Ok(Done::changed())
    }
}

async fn pause(context: &Context, time: Duration) -> Result<(), Error> {
    tokio::select! {
        () = tokio::time::sleep(time) => Ok(()),
        () = context.cancelled() => Err(Error::cancelled()),
    }
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    std::fs::write(path, text).map_err(|error| Error::fault("write", error.to_string()))
}

fn main() -> ExitCode {
    Plugin::new(include_str!("plugin.json"))
        .builder("os", Os)
        .builder("old", Os)
        .builder("cloud", Cloud("cloud"))
        .builder("rival", Cloud("rival"))
        .builder("darkroom", shelf::Darkroom)
        .distributor("shelf", shelf::Shelf)
        .serve()
}
