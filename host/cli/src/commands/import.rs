//! `wharf image import`: a file becomes an image, by an upload and a job of the server's own.

use super::{repo, run, upload};
use crate::api::{CreateRepository, ImportImageRequest, Job, Repository};
use crate::app::App;
use crate::args::ImageImport;
use crate::client::{Client, Outgoing, encode};
use crate::error::Error;
use crate::exit::Exit;
use crate::render::progress::Bar;
use crate::session::{Need, with_server};

/// `wharf image import`
pub(super) async fn import(app: &App, args: ImageImport) -> Result<Exit, Error> {
    let bar = Bar::new(&app.terminal, app.output.quiet);
    bar.say(&format!("reading {}", args.file.display()));
    let file = [Outgoing::read(&args.file).await?];
    drop(bar);
    let kind = if args.os.is_some() { "image_base" } else { "image_target" };
    with_server(app, Need::Jobs, async |session| {
        make_repository(&session.client, &args.repo).await?;
        let into = (args.repo.as_str(), None, kind.to_owned());
        let sent = upload::send(app, session, into, &file).await?;
        let body = ImportImageRequest {
            upload: sent.first().map(|upload| upload.id).unwrap_or_default(),
            name: args.name.clone().unwrap_or_default(),
            os: args.os.clone(),
            os_version: args.os_version.clone(),
            target: args.target.clone(),
            architecture: args.arch.clone(),
        };
        let guard = app.interrupts.guard();
        let path = format!("repositories/{}/import-image", encode(&args.repo));
        let asked = session.client.post(&path, &body).await;
        if matches!(&asked, Err(Error::Problem(problem)) if problem.code == "usage.image") {
            // The refusal says what is wrong; that the upload stays as well would only be found out later.
            let _forgotten = session.client.delete(&format!("uploads/{}", body.upload)).await;
        }
        let job: Job = asked?;
        let job = run::follow(app, session, Some(&guard), job).await?;
        run::tell(app, session, &[job])
    })
    .await
}

async fn make_repository(client: &Client, name: &str) -> Result<(), Error> {
    match repo::get(client, name).await {
        Err(Error::Problem(problem)) if problem.code == "not_found.repository" => {
            let body = CreateRepository { name: name.to_owned(), types: Vec::new() };
            client.post::<Repository>("repositories", &body).await.map(drop)
        }
        found => found.map(drop),
    }
}
