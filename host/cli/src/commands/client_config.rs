//! `wharf client-config`

use crate::api;
use crate::app::App;
use crate::args::ClientConfig;
use crate::client::encode;
use crate::error::Error;
use crate::exit::Exit;
use crate::render::text::exact;
use crate::session::{Need, with_server};

/// `wharf client-config`
pub(super) async fn show(app: &App, args: ClientConfig) -> Result<Exit, Error> {
    let options = [("distributor", &args.distributor), ("base_url", &args.base_url)];
    let options: Vec<String> = options
        .into_iter()
        .filter_map(|(name, value)| Some(format!("{name}={}", encode(value.as_ref()?))))
        .collect();
    let path = format!("repositories/{}/client-config?{}", encode(&args.name), options.join("&"));
    with_server(app, Need::Answers, async |session| {
        let told: api::ClientConfig = session.client.get(&path).await?;
        if app.output.is_json() {
            app.output.json(&told)?;
            return Ok(Exit::DONE);
        }
        for file in &told.files {
            if !app.output.quiet {
                app.output.tell(&format!("# {}", exact(&file.name)));
            }
            app.output.raw(&file.content)?;
        }
        app.output.flush()?;
        Ok(Exit::DONE)
    })
    .await
}
