//! `wharf job callbacks` and `wharf job redeliver`.

use serde_json::json;

use crate::api::Callback;
use crate::app::App;
use crate::error::Error;
use crate::exit::Exit;
use crate::render;
use crate::session::{Need, Session, with_server};

/// The callbacks of a job. An older server has none (F152).
pub(super) async fn of_job(session: &Session, id: i64) -> Result<Vec<Callback>, Error> {
    match session.client.get(&format!("jobs/{id}/callbacks")).await {
        Err(Error::Problem(problem)) if problem.code == "not_found.route" => Ok(Vec::new()),
        answered => answered,
    }
}

/// `wharf job callbacks`
pub(super) async fn list(app: &App, id: i64) -> Result<Exit, Error> {
    with_server(app, Need::Answers, async |session| {
        let callbacks = of_job(session, id).await?;
        if app.output.is_json() {
            app.output.json(&json!({ "callbacks": callbacks }))?;
        } else if callbacks.is_empty() {
            app.output.note(&format!("nobody is told of job {id}"))?;
        } else {
            let width = app.terminal.width;
            app.output.data(&render::callback::details(&callbacks, &app.clock(), width))?;
        }
        Ok(Exit::DONE)
    })
    .await
}

/// `wharf job redeliver`
pub(super) async fn redeliver(app: &App, id: i64, n: u32) -> Result<Exit, Error> {
    with_server(app, Need::Answers, async |session| {
        let path = format!("jobs/{id}/callbacks/{n}/redeliver");
        let callback: Callback = session.client.post(&path, &()).await?;
        app.output.note(&render::callback::redelivering(id, &callback))?;
        if app.output.is_json() {
            app.output.json(&callback)?;
        }
        Ok(Exit::DONE)
    })
    .await
}
