//! `wharf sync` and `wharf publish`.

use super::attach::settings;
use super::{decide, everything, run};
use crate::api::{Attachment, Job, PublishRequest, Repository, SyncRequest};
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
        let (full, dry_run, callbacks) = (args.full, args.dry_run, args.callbacks.wanted());
        let body = SyncRequest { full, dry_run, settings, callbacks };
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
            callbacks: args.callbacks.wanted(),
            ..PublishRequest::default()
        };
        let mut ended = Vec::new();
        if args.waiting.stays() && !args.dry_run {
            let at = format!("repositories/{}", encode(&args.name));
            let repository: Repository = session.client.get(&at).await?;
            for folder in decide::asking(&repository, &body) {
                let body = body.clone();
                ended.extend(
                    decide::publish(app, session, &guard, &repository, folder, body).await?,
                );
            }
            let others = |it: &&Attachment| it.role == "distributor" && !decide::asks(it);
            let others =
                body.through.is_none() && repository.attachments.iter().any(|it| others(&it));
            if !ended.is_empty() && !others {
                return run::tell(app, session, &ended);
            }
        }
        let jobs: Vec<Job> = session.client.post(&path, &body).await?;
        if !args.waiting.stays() {
            return run::leave(app, &jobs);
        }
        for job in jobs {
            ended.push(run::follow(app, session, Some(&guard), job).await?);
        }
        run::tell(app, session, &ended)
    })
    .await
}
