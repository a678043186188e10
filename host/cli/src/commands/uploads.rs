//! Uploads that were begun and not ended: `wharf upload NAME --unfinished` and `--forget ID`.

use serde_json::json;

use crate::api::Upload;
use crate::app::App;
use crate::client::encode;
use crate::error::Error;
use crate::exit::Exit;
use crate::render;
use crate::render::text::many;
use crate::session::{Need, Session, with_server};

pub(super) async fn list(app: &App, repository: &str) -> Result<Exit, Error> {
    with_server(app, Need::Answers, async |session| {
        let uploads = of(session, repository).await?;
        if app.output.is_json() {
            app.output.json(&json!({ "uploads": uploads }))?;
        } else if !uploads.is_empty() {
            let table = render::upload::table(&uploads, &app.clock(), app.terminal.width);
            app.output.data(&table)?;
        }
        app.output.note(&many(uploads.len() as u64, "unfinished upload", "unfinished uploads"))?;
        Ok(Exit::DONE)
    })
    .await
}

/// Only those of the repository that the user names, so that a slip of the finger ends nobody else's.
pub(super) async fn forget(app: &App, repository: &str, ids: &[i64]) -> Result<Exit, Error> {
    with_server(app, Need::Answers, async |session| {
        let uploads = of(session, repository).await?;
        if let Some(id) = ids.iter().find(|id| !uploads.iter().any(|upload| upload.id == **id)) {
            return Err(Error::usage(
                format!("{repository} has no unfinished upload {id}"),
                format!("`wharf upload {repository} --unfinished` lists those that it has"),
            ));
        }
        for id in ids {
            session.client.delete(&format!("uploads/{id}")).await?;
        }
        if app.output.is_json() {
            app.output.json(&json!({ "forgotten": ids }))?;
        }
        app.output.note(&format!("{} forgotten", many(ids.len() as u64, "upload", "uploads")))?;
        Ok(Exit::DONE)
    })
    .await
}

async fn of(session: &Session, repository: &str) -> Result<Vec<Upload>, Error> {
    session.client.get(&format!("repositories/{}/uploads", encode(repository))).await
}
