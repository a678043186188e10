//! `wharf secret ...`. A value is read here, from a terminal that does not show it or from standard input, and goes to
//! the server over the private socket; it is never an argument and never printed.

mod prompt;

use std::io::Read as _;

use serde_json::json;

use super::instance::{exit, tell_report};
use crate::api::{CheckReport, PutSecret, Secret, SecretKept};
use crate::app::App;
use crate::client::{Client, encode};
use crate::error::Error;
use crate::exit::Exit;
use crate::render::text::exact;
use crate::render::{self, BOLD, styled};
use crate::session::{Need, with_server};

pub(super) use prompt::{can_ask, word};

/// The most bytes that are read.
const MAX_BYTES: u64 = 64 << 10;

/// `wharf secret set`
pub(super) async fn set(app: &App, name: &str, from: Option<&str>) -> Result<Exit, Error> {
    let value = match from {
        Some(_) => from_stdin().await?,
        None => ask(app, &format!("Value of the secret {}: ", exact(name))).await?,
    };
    with_server(app, Need::Answers, async |session| {
        let SecretKept { kept_in } = keep(&session.client, name, &value).await?;
        let place = render::secret::kept_in(kept_in);
        app.output.note(&format!("secret {} set, in the {place}", styled(BOLD, &exact(name))))?;
        if app.output.is_json() {
            app.output.json(&json!({ "set": name, "kept_in": kept_in }))?;
        }
        Ok(Exit::DONE)
    })
    .await
}

/// Hands a value to the server, which says where it lies.
pub(super) async fn keep(client: &Client, name: &str, value: &str) -> Result<SecretKept, Error> {
    let body = PutSecret { value: value.to_owned() };
    client.put(&format!("secrets/{}", encode(name)), &body).await
}

/// Asks for a value on the terminal.
pub(super) async fn ask(app: &App, question: &str) -> Result<String, Error> {
    if !can_ask() {
        return Err(Error::usage(
            "there is no terminal to ask on",
            "write - behind the name, and the value to standard input",
        ));
    }
    tokio::select! {
        answer = prompt::hidden(question) => answer,
        () = app.interrupts.unguarded() => Err(Error::Interrupted),
    }
}

async fn from_stdin() -> Result<String, Error> {
    let read = tokio::task::spawn_blocking(|| {
        let mut text = String::new();
        std::io::stdin().take(MAX_BYTES + 2).read_to_string(&mut text).map(|_length| text)
    });
    let text = read.await.unwrap_or_else(|error| Err(std::io::Error::other(error)));
    let text = text.map_err(|error| {
        Error::usage(format!("standard input cannot be read: {error}"), "write UTF-8 text to it")
    })?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    Ok(line.strip_suffix('\r').unwrap_or(line).to_owned())
}

/// `wharf secret list`
pub(super) async fn list(app: &App) -> Result<Exit, Error> {
    with_server(app, Need::Answers, async |session| {
        let secrets: Vec<Secret> = session.client.get("secrets").await?;
        if app.output.is_json() {
            app.output.json(&json!({ "secrets": secrets }))?;
        } else if secrets.is_empty() {
            app.output.note("no secrets; `wharf secret set NAME` keeps one")?;
        } else {
            let table = render::secret::table(&secrets, &app.clock(), app.terminal.width);
            app.output.data(&table)?;
        }
        Ok(Exit::DONE)
    })
    .await
}

/// `wharf secret test`
pub(super) async fn test(app: &App, name: &str) -> Result<Exit, Error> {
    with_server(app, Need::Answers, async |session| {
        let path = format!("secrets/{}/test", encode(name));
        let reports: Vec<CheckReport> = session.client.post(&path, &()).await?;
        if app.output.is_json() {
            app.output.json(&json!({ "secret": name, "checked": reports }))?;
        }
        for report in &reports {
            tell_report(app, report)?;
        }
        if reports.is_empty() {
            app.output.note("no settings name it, so there is nobody to ask")?;
        }
        Ok(exit(&reports))
    })
    .await
}

/// `wharf secret forget`
pub(super) async fn forget(app: &App, name: &str, force: bool) -> Result<Exit, Error> {
    with_server(app, Need::Answers, async |session| {
        session.client.delete(&format!("secrets/{}?force={force}", encode(name))).await?;
        app.output.note(&format!("secret {} forgotten", styled(BOLD, &exact(name))))?;
        if app.output.is_json() {
            app.output.json(&json!({ "forgotten": name }))?;
        }
        Ok(Exit::DONE)
    })
    .await
}
