//! `wharf plugin testbed`: an upstream that misbehaves, until Ctrl-C.

use serde_json::json;
use wharf_conformance::Testbed as Server;

use crate::app::App;
use crate::args::Testbed;
use crate::error::Error;
use crate::exit::Exit;

/// `wharf plugin testbed`
pub(super) async fn serve(app: &App, args: &Testbed) -> Result<Exit, Error> {
    let guard = app.interrupts.guard();
    let folder = args.folder.as_deref();
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        let message = format!("{} is no folder", folder.display());
        return Err(Error::usage(message, "name a folder with --folder, or leave it out"));
    }
    let server = Server::start(args.listen, folder).map_err(|error| {
        Error::usage(
            format!("no testbed can be served at {}: {error}", args.listen),
            "name another address with --listen; port 0 is any that is free",
        )
    })?;
    let url = server.url();
    if app.output.is_json() {
        app.output.json(&json!({ "testbed": { "url": url } }))?;
    } else {
        app.output.data(&format!("serving misbehaviour at {url}"))?;
    }
    app.output.flush()?;
    guard.first().await;
    // Connections are cut and joined; held answers may take a moment.
    drop(tokio::task::spawn_blocking(move || drop(server)).await);
    Ok(Exit::DONE)
}
