//! `wharf key ...`

use std::path::Path;

use serde_json::json;

use super::typed;
use crate::api::{CreateKey, Key, KeyAlgorithm};
use crate::app::App;
use crate::args::{KeyCreate, KeyKind};
use crate::client::encode;
use crate::error::Error;
use crate::exit::Exit;
use crate::render::text::exact;
use crate::render::{self, BOLD, styled};
use crate::session::{Need, with_server};

/// `wharf key create`
pub(super) async fn create(app: &App, args: KeyCreate) -> Result<Exit, Error> {
    let algorithm = match args.algorithm {
        KeyKind::Ed25519 => KeyAlgorithm::Ed25519,
        KeyKind::Rsa4096 => KeyAlgorithm::Rsa4096,
    };
    let body = CreateKey {
        name: args.name,
        user_id: args.user_id,
        algorithm: Some(algorithm),
        secret_key: None,
    };
    add(app, body, "created").await
}

/// `wharf key import`
pub(super) async fn import(app: &App, name: String, file: &Path) -> Result<Exit, Error> {
    let secret_key = Some(typed::read(file)?);
    add(app, CreateKey { name, secret_key, ..CreateKey::default() }, "taken over").await
}

async fn add(app: &App, body: CreateKey, done: &str) -> Result<Exit, Error> {
    with_server(app, Need::Answers, async |session| {
        let key: Key = session.client.post("keys", &body).await?;
        let name = styled(BOLD, &exact(&key.name));
        app.output.note(&format!("{name} {done}: {}", exact(&key.fingerprint)))?;
        if app.output.is_json() {
            app.output.json(&key)?;
        }
        Ok(Exit::DONE)
    })
    .await
}

/// `wharf key list`
pub(super) async fn list(app: &App) -> Result<Exit, Error> {
    with_server(app, Need::Answers, async |session| {
        let keys: Vec<Key> = session.client.get("keys").await?;
        if app.output.is_json() {
            app.output.json(&json!({ "keys": keys }))?;
        } else if keys.is_empty() {
            app.output.note("no keys yet; `wharf key create NAME` makes one")?;
        } else {
            app.output.data(&render::key::table(&keys, &app.clock(), app.terminal.width))?;
        }
        Ok(Exit::DONE)
    })
    .await
}

/// `wharf key show`
pub(super) async fn show(app: &App, name: &str, armor: bool) -> Result<Exit, Error> {
    with_server(app, Need::Answers, async |session| {
        let key: Key = session.client.get(&format!("keys/{}", encode(name))).await?;
        if app.output.is_json() {
            app.output.json(&key)?;
        } else if armor {
            app.output.raw(&key.public_key)?;
        } else {
            app.output.data(&render::key::details(&key, &app.clock()))?;
        }
        Ok(Exit::DONE)
    })
    .await
}

/// `wharf key delete`
pub(super) async fn delete(app: &App, name: &str, force: bool) -> Result<Exit, Error> {
    with_server(app, Need::Answers, async |session| {
        session.client.delete(&format!("keys/{}?force={force}", encode(name))).await?;
        app.output.note(&format!("{} deleted", styled(BOLD, &exact(name))))?;
        if app.output.is_json() {
            app.output.json(&json!({ "deleted": name }))?;
        }
        Ok(Exit::DONE)
    })
    .await
}
