//! `wharf token ...`

use serde_json::json;

use crate::api::{CreateToken, Token};
use crate::app::App;
use crate::client::encode;
use crate::error::Error;
use crate::exit::Exit;
use crate::render::text::exact;
use crate::render::{self, BOLD, styled};
use crate::session::{Need, with_server};

/// `wharf token create`
pub(super) async fn create(app: &App, name: String, upload: Vec<String>) -> Result<Exit, Error> {
    with_server(app, Need::Answers, async |session| {
        let body = CreateToken { name: name.clone(), upload: upload.clone() };
        let token: Token = session.client.post("tokens", &body).await?;
        if app.output.is_json() {
            app.output.json(&token)?;
        } else {
            app.output.data(token.secret.as_deref().unwrap_or_default())?;
            app.output.tell("this is the only time that the secret is shown");
        }
        Ok(Exit::DONE)
    })
    .await
}

/// `wharf token list`
pub(super) async fn list(app: &App) -> Result<Exit, Error> {
    with_server(app, Need::Answers, async |session| {
        let tokens: Vec<Token> = session.client.get("tokens").await?;
        if app.output.is_json() {
            app.output.json(&json!({ "tokens": tokens }))?;
        } else if tokens.is_empty() {
            app.output
                .note("no tokens; `wharf token create NAME --upload REPOSITORY` makes one")?;
        } else {
            let table = render::token::table(&tokens, &app.clock(), app.terminal.width);
            app.output.data(&table)?;
        }
        Ok(Exit::DONE)
    })
    .await
}

/// `wharf token delete`
pub(super) async fn delete(app: &App, name: &str) -> Result<Exit, Error> {
    with_server(app, Need::Answers, async |session| {
        session.client.delete(&format!("tokens/{}", encode(name))).await?;
        app.output.note(&format!("token {} deleted", styled(BOLD, &exact(name))))?;
        if app.output.is_json() {
            app.output.json(&json!({ "deleted": name }))?;
        }
        Ok(Exit::DONE)
    })
    .await
}
