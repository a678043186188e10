//! `wharf serve`: a server until it is told to stop.

use serde_json::json;

use crate::app::App;
use crate::args::Serve;
use crate::client::Client;
use crate::error::{Error, holder};
use crate::exit::Exit;
use crate::render;
use crate::session::Embedded;

/// `wharf serve`
pub(super) async fn serve(app: &App, args: Serve) -> Result<Exit, Error> {
    let data = app.data_folder()?;
    // Under the guard from the start: a signal during the start stops the server in good order.
    let guard = app.interrupts.guard();
    let every = Some(args.gc_every.0).filter(|every| !every.is_zero());
    let server = match Embedded::start(app, data.clone(), Some(args.listen), every).await? {
        Ok(server) => server,
        Err(pid) => {
            return Err(Error::usage(
                format!("{} uses {} already", holder(pid), data.display()),
                "stop it first, or name another folder with --data",
            ));
        }
    };
    let announced = announce(app, &Client::new(server.data()), &server.data()).await;
    if announced.is_ok() {
        guard.first().await;
        app.output.note("stopping")?;
    }
    server.stop().await;
    announced.map(|()| Exit::DONE)
}

async fn announce(app: &App, client: &Client, data: &std::path::Path) -> Result<(), Error> {
    let status = client.status().await?;
    let socket = data.join("api.sock").display().to_string();
    if app.output.is_json() {
        app.output.json(&json!({ "running": true, "socket": socket, "server": status }))?;
    }
    app.output.note(&render::status::serving(&status, &socket))
}
