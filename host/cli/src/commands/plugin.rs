//! `wharf plugin ...`

use serde_json::json;

use super::run;
use crate::api::{Job, MigrateRequest, Plugin, Target};
use crate::app::App;
use crate::args::Migrate;
use crate::client::encode;
use crate::error::Error;
use crate::exit::Exit;
use crate::render::text::exact;
use crate::render::{self, BOLD, styled};
use crate::session::{Need, with_server};

/// `wharf plugin list`
pub(super) async fn list(app: &App) -> Result<Exit, Error> {
    with_server(app, Need::Answers, async |session| {
        let plugins: Vec<Plugin> = session.client.get("plugins").await?;
        if app.output.is_json() {
            app.output.json(&json!({ "plugins": plugins }))?;
        } else if plugins.is_empty() {
            app.output.note(
                "no plugin is installed; they are looked for in DATA/plugins and WHARF_PLUGIN_PATH",
            )?;
        } else {
            app.output.data(&render::plugin::table(&plugins, app.terminal.width))?;
        }
        Ok(Exit::DONE)
    })
    .await
}

/// `wharf plugin show`
pub(super) async fn show(app: &App, name: &str) -> Result<Exit, Error> {
    with_server(app, Need::Answers, async |session| {
        let plugins: Vec<Plugin> = session.client.get("plugins").await?;
        let found: Vec<Plugin> = plugins.into_iter().filter(|it| it.name == name).collect();
        if found.is_empty() {
            return Err(Error::usage(
                format!("there is no plugin {name:?}"),
                "`wharf plugin list` shows what is installed",
            ));
        }
        let targets: Vec<Target> = session.client.get("targets").await?;
        let targets = concerning(name, targets);
        if app.output.is_json() {
            app.output.json(&json!({ "plugins": found, "targets": targets }))?;
            return Ok(Exit::DONE);
        }
        for plugin in &found {
            app.output.data(&render::plugin::details(plugin))?;
        }
        if !targets.is_empty() {
            app.output.data(&render::image::targets(&targets, app.terminal.width))?;
        }
        Ok(Exit::DONE)
    })
    .await
}

/// The targets that components of a plugin build for, with whoever else does.
fn concerning(plugin: &str, targets: Vec<Target>) -> Vec<Target> {
    let own = |address: &str| address.split_once('.').is_some_and(|(name, _)| name == plugin);
    let mut targets = targets;
    targets.retain(|target| target.components.iter().any(|it| own(&it.component)));
    targets
}

/// `wharf plugin reset`
pub(super) async fn reset(app: &App, name: &str) -> Result<Exit, Error> {
    with_server(app, Need::Answers, async |session| {
        let path = format!("plugins/{}/reset", encode(name));
        let plugin: Plugin = session.client.post(&path, &json!({})).await?;
        app.output.note(&format!(
            "{} is started again when it is needed next",
            styled(BOLD, &exact(&plugin.name))
        ))?;
        if app.output.is_json() {
            app.output.json(&json!({ "plugin": plugin }))?;
        }
        Ok(Exit::DONE)
    })
    .await
}

/// `wharf plugin migrate`
pub(super) async fn migrate(app: &App, args: Migrate) -> Result<Exit, Error> {
    with_server(app, Need::Jobs, async |session| {
        if !args.waiting.stays() {
            run::can_leave(session)?;
        }
        let guard = app.interrupts.guard();
        let path = format!("plugins/{}/migrate", encode(&args.name));
        let job: Job =
            session.client.post(&path, &MigrateRequest { dry_run: args.dry_run }).await?;
        if !args.waiting.stays() {
            return run::leave(app, &[job]);
        }
        let job = run::follow(app, session, Some(&guard), job).await?;
        run::tell(app, session, &[job])
    })
    .await
}
