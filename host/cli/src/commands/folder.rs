//! `wharf folder ...`, and what folders need of other commands.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value};

use super::run;
use crate::api::{Job, PublishRequest, Resolution};
use crate::app::App;
use crate::args::{FolderResolve, Take};
use crate::client::encode;
use crate::error::Error;
use crate::exit::Exit;
use crate::session::{Need, with_server};

/// How users name the host's own distributor.
const NAMES: [&str; 2] = ["folder", "wharf.folder"];

/// Whether an address means a folder.
pub(super) fn is_folder(address: &str) -> bool {
    let component = address.split('@').next().unwrap_or_default();
    NAMES.contains(&component)
}

/// The setting `path` as the server wants it: absolute, as the user who types it sees it.
pub(super) fn absolute(app: &App, settings: &mut Map<String, Value>) -> Result<(), Error> {
    let Some(Value::String(path)) = settings.get_mut("path") else { return Ok(()) };
    let home = app.environment.home.as_deref();
    let given = match (path.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => Path::new(path.as_str()).to_owned(),
    };
    let absolute = std::path::absolute(&given).map_err(|source| Error::File {
        action: "find",
        path: given,
        source,
    })?;
    *path = absolute.to_string_lossy().into_owned();
    Ok(())
}

/// `wharf folder resolve`
pub(super) async fn resolve(app: &App, args: FolderResolve) -> Result<Exit, Error> {
    let resolution = match args.take {
        Take::Local => Resolution::Local,
        Take::Remote => Resolution::Remote,
        Take::Both => Resolution::Both,
    };
    let resolve: BTreeMap<String, Resolution> =
        args.paths.into_iter().map(|path| (path, resolution)).collect();
    let body = PublishRequest { resolve, through: args.through, ..PublishRequest::default() };
    with_server(app, Need::Jobs, async |session| {
        let guard = app.interrupts.guard();
        let path = format!("repositories/{}/publish", encode(&args.name));
        let jobs: Vec<Job> = session.client.post(&path, &body).await?;
        let mut ended = Vec::with_capacity(jobs.len());
        for job in jobs {
            ended.push(run::follow(app, session, Some(&guard), job).await?);
        }
        run::tell(app, session, &ended)
    })
    .await
}
