//! `wharf copy`, `gc`, `verify`, `wharf unit remove`, `wharf repo rollback`, `label`, `set` and `delete-version`.

use serde::Serialize;
use serde_json::json;

use super::run;
use crate::api::{
    ChangeRepository, CopyRequest, GcRequest, Job, RemoveRequest, Repository, RollbackRequest,
    VerifyRequest,
};
use crate::app::App;
use crate::args::{Copy, Gc, RepoLabel, RepoRollback, RepoSet, UnitRemove, Verify, Waiting};
use crate::client::encode;
use crate::error::Error;
use crate::exit::Exit;
use crate::render::text::exact;
use crate::render::{BOLD, styled};
use crate::session::{Need, with_server};

/// `wharf copy`
pub(super) async fn copy(app: &App, args: Copy) -> Result<Exit, Error> {
    let body = CopyRequest {
        from: args.from,
        version: args.version,
        select: args.chosen.selection(Vec::new()),
        with_dependencies: args.with_dependencies,
        dry_run: args.dry_run,
    };
    job(app, &format!("repositories/{}/copy", encode(&args.to)), &body, args.waiting).await
}

/// `wharf unit remove`
pub(super) async fn remove(app: &App, args: UnitRemove) -> Result<Exit, Error> {
    let body = RemoveRequest { select: args.chosen.selection(args.units), dry_run: args.dry_run };
    job(app, &format!("repositories/{}/remove", encode(&args.name)), &body, args.waiting).await
}

/// `wharf repo rollback`
pub(super) async fn rollback(app: &App, args: RepoRollback) -> Result<Exit, Error> {
    let path = format!("repositories/{}/rollback", encode(&args.name));
    job(app, &path, &RollbackRequest { to: args.to }, args.waiting).await
}

/// `wharf gc`
pub(super) async fn gc(app: &App, args: Gc) -> Result<Exit, Error> {
    let protect_ms = u64::try_from(args.protect.0.as_millis()).ok();
    let body = GcRequest { protect_ms, dry_run: args.dry_run };
    job(app, "gc", &body, args.waiting).await
}

/// `wharf verify`
pub(super) async fn verify(app: &App, args: Verify) -> Result<Exit, Error> {
    let body = VerifyRequest { repository: args.name, repair: args.repair };
    job(app, "verify", &body, args.waiting).await
}

/// Asks for a job, and stays with it.
pub(super) async fn job(
    app: &App,
    path: &str,
    body: &impl Serialize,
    waiting: Waiting,
) -> Result<Exit, Error> {
    with_server(app, Need::Jobs, async |session| {
        if !waiting.stays() {
            run::can_leave(session)?;
        }
        let guard = app.interrupts.guard();
        let job: Job = session.client.post(path, body).await?;
        if !waiting.stays() {
            return run::leave(app, &[job]);
        }
        let job = run::follow(app, session, Some(&guard), job).await?;
        run::tell(app, session, &[job])
    })
    .await
}

/// `wharf repo label`
pub(super) async fn label(app: &App, args: RepoLabel) -> Result<Exit, Error> {
    let labels = args.labels.into_iter().map(|label| (label.name, label.value)).collect();
    change(app, &args.name, &ChangeRepository { labels, retain: None }).await
}

/// `wharf repo set`
pub(super) async fn set(app: &App, args: RepoSet) -> Result<Exit, Error> {
    let body = ChangeRepository { retain: Some(args.retain), ..ChangeRepository::default() };
    change(app, &args.name, &body).await
}

async fn change(app: &App, name: &str, body: &ChangeRepository) -> Result<Exit, Error> {
    with_server(app, Need::Answers, async |session| {
        let path = format!("repositories/{}", encode(name));
        let repository: Repository = session.client.patch(&path, body).await?;
        app.output.note(&format!("{} changed", styled(BOLD, &exact(name))))?;
        if app.output.is_json() {
            app.output.json(&repository)?;
        }
        Ok(Exit::DONE)
    })
    .await
}

/// `wharf repo delete-version`
pub(super) async fn delete_version(app: &App, name: &str, number: u64) -> Result<Exit, Error> {
    with_server(app, Need::Answers, async |session| {
        let path = format!("repositories/{}/versions/{number}", encode(name));
        session.client.delete(&path).await?;
        let told = styled(BOLD, &exact(name));
        app.output
            .note(&format!("{told}: version {number} deleted; `wharf gc` frees its bytes"))?;
        if app.output.is_json() {
            app.output.json(&json!({ "repository": name, "deleted": number }))?;
        }
        Ok(Exit::DONE)
    })
    .await
}
