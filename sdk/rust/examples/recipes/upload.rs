//! A recipe that a user brings: its name is the file's, its title the first line, the rest is said.

use std::io::{BufRead as _, BufReader, Read as _};

use serde::Deserialize;
use wharf_sdk::{Context, Done, Error, File, UploadRequest};

use super::index::is_name;
use super::recipe::{self, Attributes};

/// A title is found in so many bytes, or not at all.
const MAX_TITLE: u64 = 1000;

/// What users say with `--set`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    course: String,
    #[serde(default = "no_time")]
    time: String,
    #[serde(default)]
    uses: Vec<String>,
}

fn no_time() -> String {
    "0 min".to_owned()
}

/// Declares every file.
pub(super) async fn upload(request: &UploadRequest, context: &Context) -> Result<Done, Error> {
    let told: Told = request.attributes()?;
    if !is_name(&told.course) {
        let message = "a course is named in small letters, digits and dashes";
        return Err(Error::usage("usage.course", message).at_field("/attributes/course"));
    }
    for file in &request.files {
        let info = file.info();
        let Some(name) = info.path().strip_suffix(".txt").filter(|name| is_name(name)) else {
            let message = format!("{} must be called NAME.txt, in small letters", info.path());
            return Err(Error::usage("usage.name", message).for_item(info.path()));
        };
        let (Some(staged), Some(sha256)) = (info.staged_path(), info.hex("sha256")) else {
            return Err(Error::fault("protocol.upload", "a file came without place or digest"));
        };
        let title = title(name, staged, context)?;
        let attributes = Attributes::new(&told.course, &title, &told.time, &told.uses);
        let attributes = attributes.map_err(|error| {
            Error::usage("usage.time", error.to_string()).at_field("/attributes/time")
        })?;
        let stored = File::at(recipe::path(&told.course, name)).staged(staged).sha256(sha256);
        context.unit(recipe::unit(name, &attributes, stored)?).await?;
    }
    Ok(Done::changed())
}

/// The first line of a staged text.
fn title(name: &str, staged: &str, context: &Context) -> Result<String, Error> {
    let file = std::fs::File::open(context.in_work_dir(staged));
    let mut title = String::new();
    let read = file.and_then(|file| BufReader::new(file.take(MAX_TITLE)).read_line(&mut title));
    let title = title.trim();
    if read.is_err() || title.is_empty() {
        let message = format!("{name}.txt is no recipe: its first line must be its title");
        return Err(Error::usage("content.title", message).for_item(name));
    }
    Ok(title.to_owned())
}
