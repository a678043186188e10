//! `wharf instance ...`

use serde_json::{Value, json};

use super::attach::settings;
use crate::api::{ChangeInstance, CheckReport, CreateInstance, Instance};
use crate::app::App;
use crate::args::{InstanceCreate, Setting};
use crate::client::encode;
use crate::error::Error;
use crate::exit::Exit;
use crate::render::text::exact;
use crate::render::{self, BOLD, styled};
use crate::session::{Need, with_server};

/// `wharf instance create`
pub(super) async fn create(app: &App, args: InstanceCreate) -> Result<Exit, Error> {
    let settings = settings(args.settings)?;
    let InstanceCreate { name, component, .. } = args;
    let body = CreateInstance { name, component, settings };
    with_server(app, Need::Answers, async |session| {
        let made: Instance = session.client.post("instances", &body).await?;
        tell(app, &made, "created")
    })
    .await
}

/// `wharf instance set`
pub(super) async fn set(
    app: &App,
    name: &str,
    typed: Vec<Setting>,
    unset: Vec<String>,
) -> Result<Exit, Error> {
    let mut settings = settings(typed)?;
    for key in unset {
        if settings.insert(key.clone(), Value::Null).is_some() {
            let message = format!("{key} is both set and taken away");
            return Err(Error::usage(message, "leave out one of --set and --unset"));
        }
    }
    let body = ChangeInstance { settings };
    with_server(app, Need::Answers, async |session| {
        let path = format!("instances/{}", encode(name));
        let changed: Instance = session.client.patch(&path, &body).await?;
        tell(app, &changed, "changed")
    })
    .await
}

fn tell(app: &App, instance: &Instance, done: &str) -> Result<Exit, Error> {
    let address = format!("{}@{}", exact(&instance.component), exact(&instance.name));
    app.output.note(&format!("{} {done}", styled(BOLD, &address)))?;
    if app.output.is_json() {
        app.output.json(instance)?;
    }
    Ok(Exit::DONE)
}

/// `wharf instance list`
pub(super) async fn list(app: &App) -> Result<Exit, Error> {
    with_server(app, Need::Answers, async |session| {
        let instances: Vec<Instance> = session.client.get("instances").await?;
        if app.output.is_json() {
            app.output.json(&json!({ "instances": instances }))?;
        } else if instances.is_empty() {
            app.output
                .note("no instances; `wharf instance create NAME PLUGIN.COMPONENT` makes one")?;
        } else {
            let table = render::instance::table(&instances, &app.clock(), app.terminal.width);
            app.output.data(&table)?;
        }
        Ok(Exit::DONE)
    })
    .await
}

/// `wharf instance show`
pub(super) async fn show(app: &App, name: &str) -> Result<Exit, Error> {
    with_server(app, Need::Answers, async |session| {
        let instance: Instance = session.client.get(&format!("instances/{}", encode(name))).await?;
        if app.output.is_json() {
            app.output.json(&instance)?;
        } else {
            app.output.data(&render::instance::details(&instance, &app.clock()))?;
        }
        Ok(Exit::DONE)
    })
    .await
}

/// `wharf instance check`
pub(super) async fn check(app: &App, name: &str) -> Result<Exit, Error> {
    with_server(app, Need::Answers, async |session| {
        let path = format!("instances/{}/check", encode(name));
        let report: CheckReport = session.client.post(&path, &()).await?;
        if app.output.is_json() {
            app.output.json(&report)?;
        }
        tell_report(app, &report)?;
        Ok(exit(std::slice::from_ref(&report)))
    })
    .await
}

/// `wharf instance remove`
pub(super) async fn remove(app: &App, name: &str) -> Result<Exit, Error> {
    with_server(app, Need::Answers, async |session| {
        session.client.delete(&format!("instances/{}", encode(name))).await?;
        app.output.note(&format!("{} removed", styled(BOLD, &exact(name))))?;
        if app.output.is_json() {
            app.output.json(&json!({ "removed": name }))?;
        }
        Ok(Exit::DONE)
    })
    .await
}

/// Tells people what a plugin said of settings.
pub(super) fn tell_report(app: &App, report: &CheckReport) -> Result<(), Error> {
    app.output.note(&render::instance::report(report))
}

/// Settings that are not good end a check as wrong settings do.
pub(super) fn exit(reports: &[CheckReport]) -> Exit {
    let good = reports.iter().all(|report| report.errors.is_empty());
    if good { Exit::DONE } else { Exit::of_class(crate::api::Class::Usage) }
}
