//! `wharf schedule ...`

use serde_json::json;

use super::attach::settings;
use crate::api::{CreateSchedule, Schedule};
use crate::app::App;
use crate::args::{ScheduleCreate, Work};
use crate::client::encode;
use crate::error::Error;
use crate::exit::Exit;
use crate::render::text::exact;
use crate::render::{self, BOLD, styled};
use crate::session::{Need, Session, with_server};

/// `wharf schedule create`
pub(super) async fn create(app: &App, args: ScheduleCreate) -> Result<Exit, Error> {
    let settings = settings(args.settings)?;
    let operation = match args.operation {
        Work::Sync => "sync",
        Work::Publish => "publish",
    };
    let body = CreateSchedule {
        name: args.name,
        repository: args.repository,
        operation: operation.to_owned(),
        every: args.every,
        cron: args.cron,
        at: args.at,
        zone: args.zone,
        failure_threshold: args.failures,
        through: args.through,
        full: args.full,
        settings,
    };
    with_server(app, Need::Answers, async |session| {
        let made: Schedule = session.client.post("schedules", &body).await?;
        tell(app, session, &made, "created")
    })
    .await
}

/// `wharf schedule list`
pub(super) async fn list(app: &App) -> Result<Exit, Error> {
    with_server(app, Need::Answers, async |session| {
        let schedules: Vec<Schedule> = session.client.get("schedules").await?;
        if app.output.is_json() {
            app.output.json(&json!({ "schedules": schedules }))?;
        } else if schedules.is_empty() {
            app.output.note("no schedules yet; `wharf schedule create` makes one")?;
        } else {
            let table = render::schedule::table(&schedules, &app.clock(), app.terminal.width);
            app.output.data(&table)?;
        }
        Ok(Exit::DONE)
    })
    .await
}

/// `wharf schedule show`
pub(super) async fn show(app: &App, name: &str) -> Result<Exit, Error> {
    with_server(app, Need::Answers, async |session| {
        let schedule: Schedule = session.client.get(&place(name)).await?;
        if app.output.is_json() {
            app.output.json(&schedule)?;
        } else {
            app.output.data(&render::schedule::details(&schedule, &app.clock()))?;
        }
        Ok(Exit::DONE)
    })
    .await
}

/// `wharf schedule delete`
pub(super) async fn delete(app: &App, name: &str) -> Result<Exit, Error> {
    with_server(app, Need::Answers, async |session| {
        session.client.delete(&place(name)).await?;
        app.output.note(&format!("{} deleted", styled(BOLD, &exact(name))))?;
        if app.output.is_json() {
            app.output.json(&json!({ "deleted": name }))?;
        }
        Ok(Exit::DONE)
    })
    .await
}

/// `wharf schedule enable` and `wharf schedule disable`
pub(super) async fn switch(app: &App, name: &str, on: bool) -> Result<Exit, Error> {
    let verb = if on { "enable" } else { "disable" };
    with_server(app, Need::Answers, async |session| {
        let path = format!("{}/{verb}", place(name));
        let schedule: Schedule = session.client.post(&path, &json!({})).await?;
        tell(app, session, &schedule, &format!("{verb}d"))
    })
    .await
}

fn tell(app: &App, session: &Session, schedule: &Schedule, word: &str) -> Result<Exit, Error> {
    let name = styled(BOLD, &exact(&schedule.name));
    let next = render::schedule::next(schedule, &app.clock());
    app.output.note(&format!("{name} {word}: {next}"))?;
    if session.is_embedded() && schedule.enabled {
        app.output.tell("note: schedules run while a server does; start one with `wharf serve`");
    }
    if app.output.is_json() {
        app.output.json(schedule)?;
    }
    Ok(Exit::DONE)
}

fn place(name: &str) -> String {
    format!("schedules/{}", encode(name))
}
