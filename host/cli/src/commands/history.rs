//! `wharf repo history`

use jiff::Timestamp;
use jiff::civil::DateTime;
use serde_json::json;

use crate::api::Run;
use crate::app::App;
use crate::args::RepoHistory;
use crate::client::encode;
use crate::error::Error;
use crate::exit::Exit;
use crate::render;
use crate::session::{Need, with_server};

/// `wharf repo history`
pub(super) async fn history(app: &App, args: RepoHistory) -> Result<Exit, Error> {
    let mut path = format!("repositories/{}/history?limit={}", encode(&args.name), args.limit);
    if let Some(operation) = &args.operation {
        path = format!("{path}&operation={}", encode(operation));
    }
    for (name, value) in [("since", &args.since), ("until", &args.until)] {
        if let Some(value) = value {
            path = format!("{path}&{name}_ms={}", milliseconds(app, name, value)?);
        }
    }
    with_server(app, Need::Answers, async |session| {
        let runs: Vec<Run> = session.client.get(&path).await?;
        if app.output.is_json() {
            app.output.json(&json!({ "repository": args.name, "runs": runs }))?;
        } else if runs.is_empty() {
            app.output.note("no such runs")?;
        } else {
            let table = render::history::table(&runs, &app.clock(), app.terminal.width);
            app.output.data(&table)?;
        }
        Ok(Exit::DONE)
    })
    .await
}

/// A date, a time of the user's zone, or a time with an offset.
fn milliseconds(app: &App, option: &str, text: &str) -> Result<i64, Error> {
    let local = || {
        let local: DateTime = text.parse().ok()?;
        app.zone.to_ambiguous_timestamp(local).compatible().ok()
    };
    let time: Option<Timestamp> = text.parse().ok().or_else(local);
    time.map(Timestamp::as_millisecond).ok_or_else(|| {
        Error::usage(
            format!("--{option} {text:?} is no point in time"),
            "write it as 2026-01-01 or 2026-01-01T04:00:00Z",
        )
    })
}
