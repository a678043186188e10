//! A provider that is a folder: an image becomes a file there, beside one line about each call in `calls`.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use wharf_sdk::{
    BuildRequest, Builder, Component, Context, Distributor, Done, Error, File, Progress,
    PublishRequest, Query, Stage, Unit, UnpublishRequest, async_trait,
};

pub(crate) struct Shelf;

#[derive(Deserialize)]
struct Settings {
    folder: PathBuf,
    key: Option<String>,
    #[serde(default)]
    flaw: String,
    #[serde(default)]
    label: String,
    name: Option<String>,
}

impl Component for Shelf {}

/// Makes images on a shelf itself.
pub(crate) struct Darkroom;

impl Component for Darkroom {}

#[async_trait]
impl Builder for Darkroom {
    async fn build(&self, request: BuildRequest, context: &Context) -> Result<Done, Error> {
        let provider = request.provider.as_ref();
        let provider = provider.ok_or_else(|| Error::fault("provider", "there is none"))?;
        if request.stage != Stage::Snapshot || request.parent.is_some() {
            return Err(Error::fault("stage", "only snapshots are made here, of nothing"));
        }
        let settings: Settings = provider.settings()?;
        note(&settings.folder, &format!("snapshot for {}", request.target.name))?;
        let secret = match &settings.key {
            Some(name) => String::from_utf8_lossy(&context.secret(name).await?).into_owned(),
            None => String::new(),
        };
        let name = format!("{}-snapshot", context.job_number());
        fs::write(settings.folder.join(&name), &request.template)
            .map_err(|error| failed(&error))?;
        let identifier = match settings.flaw.as_str() {
            "nameless" => String::new(),
            "leak" => secret,
            _ => format!("shelf/{name}"),
        };
        let said = serde_json::json!({ "identifier": identifier, "height": 3 });
        let mut unit = Unit::new("image_provider").attributes(&said)?;
        if settings.flaw == "files" {
            unit = unit.file(File::at("x").inline(*b"x"));
        }
        context.unit(unit).await?;
        Ok(Done::changed())
    }
}

#[async_trait]
impl Distributor for Shelf {
    async fn publish(&self, request: PublishRequest, context: &Context) -> Result<Done, Error> {
        let settings: Settings = request.attachment.settings()?;
        let mut pages = context.units(Query::all()).await?;
        let units = pages.next().await?.unwrap_or_default();
        let [unit] = units.as_slice() else {
            return Err(Error::fault("units", format!("{} units are no image", units.len())));
        };
        let previous = request.previous.map(|it| it.identifier);
        let old = previous.as_deref().and_then(|it| it.strip_prefix("shelf/"));
        if let Some(old) = old.filter(|old| !request.full && settings.folder.join(old).exists()) {
            return Ok(Done::unchanged().identifier(format!("shelf/{old}")));
        }
        let after = previous.as_deref().unwrap_or("nothing");
        note(&settings.folder, &format!("publish after {after}"))?;
        let own = || format!("{}-{}", context.job_number(), settings.label);
        let name = settings.name.unwrap_or_else(own);
        let to = settings.folder.join(&name);
        let begun = settings.folder.join("begun");
        fs::write(&begun, "").map_err(|error| failed(&error))?;
        if settings.flaw == "stall" && !settings.folder.join("go").exists() {
            context.progress(Progress::new(1, 2).phase("uploading").unit("bytes")).await;
            context.cancelled().await;
            fs::remove_file(&begun).map_err(|error| failed(&error))?;
            return Err(Error::cancelled());
        }
        let file = unit.files().next().ok_or_else(|| Error::fault("files", "there is none"))?;
        let digest = format!("sha256:{}", file.hex("sha256").unwrap_or_default());
        let mut bytes = context.open_artifact(&digest, 0).await?;
        let mut written = fs::File::create(&begun).map_err(|error| failed(&error))?;
        while let Some(chunk) = bytes.next().await? {
            written.write_all(&chunk).map_err(|error| failed(&error))?;
        }
        fs::rename(&begun, &to).map_err(|error| failed(&error))?;
        if let Some(old) = old.filter(|old| *old != name && request.full) {
            fs::remove_file(settings.folder.join(old)).map_err(|error| failed(&error))?;
        }
        let secret = match &settings.key {
            Some(name) => String::from_utf8_lossy(&context.secret(name).await?).into_owned(),
            None => String::new(),
        };
        match settings.flaw.as_str() {
            "nameless" => Ok(Done::changed()),
            "lines" => Ok(Done::changed().identifier("one\ntwo")),
            "leak" => Ok(Done::changed().identifier(format!("shelf/{secret}"))),
            "files" => {
                context.pass_through("", &[]).await?;
                Ok(Done::changed().identifier("shelf"))
            }
            "refuse" => Err(Error::usage("usage.credentials", "the shelf does not know you")),
            _ => Done::changed()
                .identifier(format!("shelf/{name}"))
                .outputs(&serde_json::json!({ "height": 3 })),
        }
    }

    async fn unpublish(&self, request: UnpublishRequest, context: &Context) -> Result<Done, Error> {
        let settings: Settings = request.attachment.settings()?;
        if context.units(Query::all()).await?.next().await?.is_some() {
            return Err(Error::fault("units", "what is taken away is not handed out"));
        }
        let identifier = request.publication.identifier;
        note(&settings.folder, &format!("unpublish {identifier} {}", settings.label))?;
        if settings.flaw == "refuse" {
            return Err(Error::usage("usage.credentials", "the shelf does not know you"));
        }
        let name = identifier.trim_start_matches("shelf/");
        fs::remove_file(settings.folder.join(name)).map_err(|error| failed(&error))?;
        Ok(Done::changed())
    }
}

fn note(folder: &Path, line: &str) -> Result<(), Error> {
    let open = fs::File::options().append(true).create(true).open(folder.join("calls"));
    let written = open.and_then(|mut file| writeln!(file, "{line}"));
    written.map_err(|error| failed(&error))
}

fn failed(error: &std::io::Error) -> Error {
    Error::operation("storage", error.to_string())
}
