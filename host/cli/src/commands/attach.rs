//! `wharf attach` and `wharf detach`.

use serde_json::{Map, Value, json};

use super::{folder, typed};
use crate::api::{Attachment, PutAttachment};
use crate::app::App;
use crate::args::{Attach, Detach, Setting};
use crate::client::{Client, encode};
use crate::error::Error;
use crate::exit::Exit;
use crate::render::{self, BOLD, styled};
use crate::session::{Need, with_server};

/// `wharf attach`
pub(super) async fn attach(app: &App, args: Attach) -> Result<Exit, Error> {
    let mut settings = settings(args.settings)?;
    if folder::is_folder(&args.component) {
        folder::absolute(app, &mut settings)?;
    }
    with_server(app, Need::Answers, async |session| {
        let attachment = put(&session.client, &args.name, &args.component, &settings).await?;
        let name = styled(BOLD, &render::text::exact(&args.name));
        let address = render::repo::address(&attachment);
        app.output.note(&format!("{name}: {address} attached as {}", attachment.role))?;
        if app.output.is_json() {
            app.output.json(&attachment)?;
        }
        Ok(Exit::DONE)
    })
    .await
}

/// `wharf detach`
pub(super) async fn detach(app: &App, args: Detach) -> Result<Exit, Error> {
    with_server(app, Need::Answers, async |session| {
        session.client.delete(&path(&args.name, &args.component)).await?;
        let name = styled(BOLD, &render::text::exact(&args.name));
        app.output.note(&format!("{name}: {} detached", args.component))?;
        if app.output.is_json() {
            app.output.json(&json!({ "repository": args.name, "detached": args.component }))?;
        }
        Ok(Exit::DONE)
    })
    .await
}

/// Attaches, or replaces the settings.
pub(super) async fn put(
    client: &Client,
    repository: &str,
    component: &str,
    settings: &Map<String, Value>,
) -> Result<Attachment, Error> {
    let body = PutAttachment { settings: settings.clone() };
    client.put(&path(repository, component), &body).await
}

fn path(repository: &str, component: &str) -> String {
    format!("repositories/{}/attachments/{}", encode(repository), encode(component))
}

/// Settings as texts. The same key twice is an error, because one of the two would be lost.
pub(super) fn settings(typed: Vec<Setting>) -> Result<Map<String, Value>, Error> {
    let mut settings = Map::new();
    for Setting { key, value } in typed {
        if settings.contains_key(&key) {
            return Err(Error::usage(
                format!("--set {key} is given twice"),
                "write a list as one value, such as key=[\"a\",\"b\"]",
            ));
        }
        settings.insert(key, Value::String(typed::value(value)?));
    }
    Ok(settings)
}
