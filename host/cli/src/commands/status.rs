//! `wharf status`: looks for a server and starts none.

use serde_json::json;

use crate::app::App;
use crate::error::Error;
use crate::exit::Exit;
use crate::render;
use crate::session;

/// `wharf status`
pub(super) async fn status(app: &App) -> Result<Exit, Error> {
    let data = app.data_folder()?;
    match session::running(app).await? {
        Some((status, socket)) if app.output.is_json() => {
            app.output.json(&json!({
                "running": true, "socket": socket.display().to_string(), "server": status,
            }))?;
        }
        Some((status, socket)) => {
            let socket = socket.display().to_string();
            app.output.data(&render::status::render(&status, &socket, &app.clock()))?;
        }
        None if app.output.is_json() => {
            app.output.json(&json!({ "running": false, "data": data.display().to_string() }))?;
        }
        None => {
            app.output.data(&format!("no server runs for {}", data.display()))?;
        }
    }
    Ok(Exit::DONE)
}
