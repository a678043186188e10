//! `wharf image ...`

use serde_json::json;

use crate::api::{FoundUnit, Progress, Selection, Unit, UnitFile, UnitPage, UnitSearch};
use crate::app::App;
use crate::args::ImageSave;
use crate::error::Error;
use crate::exit::Exit;
use crate::render;
use crate::render::progress::Bar;
use crate::session::{Need, with_server};

/// Types of units that are images.
const TYPES: [&str; 3] = ["image_base", "image_target", "image_provider"];
/// What is shown of their attributes.
const FIELDS: [&str; 5] = ["format", "base", "built_ms", "image", "pushed_ms"];
/// Units asked for at once.
const PAGE: usize = 1000;

/// `wharf image list`
pub(super) async fn list(app: &App, name: Option<String>) -> Result<Exit, Error> {
    let search = UnitSearch {
        repository: name,
        select: Selection { types: TYPES.map(str::to_owned).into(), ..Selection::default() },
        fields: FIELDS.map(str::to_owned).into(),
        limit: Some(PAGE),
        ..UnitSearch::default()
    };
    with_server(app, Need::Answers, async |session| {
        let (mut search, mut images) = (search.clone(), Vec::<FoundUnit>::new());
        loop {
            let page: UnitPage = session.client.post("units/search", &search).await?;
            images.extend(page.units);
            search.cursor = page.cursor;
            if search.cursor.is_none() {
                break;
            }
        }
        if let Some(name) = &search.repository {
            for image in &mut images {
                image.repositories = vec![name.clone()];
            }
        }
        if app.output.is_json() {
            app.output.json(&images)?;
        } else if images.is_empty() {
            app.output.note("there are no images; `wharf build TEMPLATE` makes one")?;
        } else {
            let clock = app.clock();
            app.output.data(&render::image::table(&images, &clock, app.terminal.width))?;
        }
        Ok(Exit::DONE)
    })
    .await
}

/// `wharf image show`
pub(super) async fn show(app: &App, id: i64) -> Result<Exit, Error> {
    super::unit::show(app, id).await
}

/// `wharf image save`
pub(super) async fn save(app: &App, args: ImageSave) -> Result<Exit, Error> {
    with_server(app, Need::Answers, async |session| {
        let unit: Unit = session.client.get(&format!("units/{}", args.id)).await?;
        let file = wanted(&unit, args.file.as_deref())?;
        let name = file.path.rsplit('/').next().unwrap_or(&file.path);
        let to = if args.to.is_dir() { args.to.join(name) } else { args.to.clone() };
        if to.exists() {
            return Err(Error::usage(
                format!("{} is there already", to.display()),
                "take it away, or name another file",
            ));
        }
        let bar = Bar::new(&app.terminal, app.output.quiet);
        let total = file.size;
        let told = |bytes| {
            let progress = Progress {
                phase: "saving".to_owned(),
                done: bytes,
                total,
                bytes,
                ..Progress::default()
            };
            bar.steps(name, &progress);
        };
        let size = session.client.save(args.id, file, &to, told).await?;
        drop(bar);
        app.output.note(&render::image::saved(&to, size))?;
        if app.output.is_json() {
            let (unit, sha256) = (unit.id, &file.sha256);
            app.output.json(&json!({
                "unit": unit, "file": file.path, "saved": to, "bytes": size, "sha256": sha256,
            }))?;
        }
        Ok(Exit::DONE)
    })
    .await
}

fn wanted<'a>(unit: &'a Unit, path: Option<&str>) -> Result<&'a UnitFile, Error> {
    let found = match path {
        None => unit.files.iter().find(|file| file.path != "template.json"),
        Some(path) => unit.files.iter().find(|file| file.path == path),
    };
    found.ok_or_else(|| {
        let paths: Vec<&str> = unit.files.iter().map(|file| file.path.as_str()).collect();
        let what = path.map_or_else(|| "files".to_owned(), |path| format!("file {path:?}"));
        Error::usage(
            format!("unit {} has no {what}", unit.id),
            format!("it has: {}", paths.join(", ")),
        )
    })
}
