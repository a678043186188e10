//! `wharf sync` and `wharf publish`.

use super::attach::settings;
use super::{everything, run};
use crate::api::{Job, PublishRequest, SyncRequest};
use crate::app::App;
use crate::args::{Publish, Sync};
use crate::client::encode;
use crate::error::Error;
use crate::exit::Exit;
use crate::session::{Need, with_server};

/// `wharf sync`
pub(super) async fn sync(app: &App, args: Sync) -> Result<Exit, Error> {
    let Some(name) = args.name.clone() else { return everything::sync(app, &args).await };
    let settings = settings(args.settings)?;
    with_server(app, Need::Jobs, async |session| {
        if !args.waiting.stays() {
            run::can_leave(session)?;
        }
        let guard = app.interrupts.guard();
        let path = format!("repositories/{}/sync", encode(&name));
        let settings = settings.clone();
        let body = SyncRequest { full: args.full, dry_run: args.dry_run, settings };
        let job: Job = session.client.post(&path, &body).await?;
        if !args.waiting.stays() {
            return run::leave(app, &[job]);
        }
        let job = run::follow(app, session, Some(&guard), job).await?;
        run::tell(app, session, &[job])
    })
    .await
}

/// `wharf publish`
pub(super) async fn publish(app: &App, args: Publish) -> Result<Exit, Error> {
    let settings = settings(args.settings)?;
    with_server(app, Need::Jobs, async |session| {
        if !args.waiting.stays() {
            run::can_leave(session)?;
        }
        let guard = app.interrupts.guard();
        let path = format!("repositories/{}/publish", encode(&args.name));
        let (through, settings) = (args.through.clone(), settings.clone());
        let (version, full, dry_run) = (args.version, args.full, args.dry_run);
        let body = PublishRequest {
            version,
            full,
            through,
            settings,
            dry_run,
            ..PublishRequest::default()
        };
        let jobs: Vec<Job> = session.client.post(&path, &body).await?;
        if !args.waiting.stays() {
            return run::leave(app, &jobs);
        }
        let mut ended = Vec::with_capacity(jobs.len());
        for job in jobs {
            ended.push(run::follow(app, session, Some(&guard), job).await?);
        }
        run::tell(app, session, &ended)
    })
    .await
}
